"""Whether a value is a Decimal, without importing what defines it: it can be one only if its owner has."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from decimal import Decimal

    from typing_extensions import TypeIs

__all__ = ["is_decimal"]


def is_decimal(value: Any) -> TypeIs[Decimal]:
    """Whether it is a ``decimal.Decimal``."""
    module = sys.modules.get("decimal")
    return module is not None and isinstance(value, module.Decimal)
