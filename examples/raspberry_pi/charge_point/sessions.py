"""Who charges, and who is about to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .meter import Reading


@dataclass
class Session:
    """A transaction.

    Attributes:
        handle: In 1.6 what stands for the transactionId; in 2.0.1 the transactionId.
        tag: Who pays.
        started: When.
        begin: The meter at the begin.
        remote_start_id: Of 2.0.1.
        is_flowing: Whether the contactor is closed, as the CSMS knows it.
    """

    handle: str
    tag: str
    started: datetime
    begin: Reading
    remote_start_id: int | None = None
    is_flowing: bool = True


@dataclass
class Driver:
    """Somebody who may charge, and has yet to plug in."""

    tag: str
    until: float
    remote_start_id: int | None = None
    profile: dict[str, Any] | None = None
