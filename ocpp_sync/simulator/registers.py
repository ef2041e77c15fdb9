"""What the meters of a station show, kept in a file: a meter does not forget it when the power goes."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

__all__ = ["Registers"]

_log = logging.getLogger("ocpp_sync")


class Registers:
    """The file beside that of an outbox, with ``.meters`` after its name: Wh, by the connectors' numbers.

    A file that cannot be read or written is told once in the log, and harms nothing else.

    Args:
        outbox: The file of the outbox; None is no file, and nothing is kept.
    """

    def __init__(self, outbox: str | PathLike[str] | None) -> None:
        self._path = None if outbox is None else Path(f"{Path(outbox)}.meters")
        self._last: dict[str, float] = {}
        self._has_failed = False

    def load(self) -> dict[int, float]:
        """What they showed last; without those of which nothing is known."""
        if self._path is None or not self._path.exists():
            return {}
        try:
            known = json.loads(self._path.read_text("utf-8"))
            return {int(number): _checked(value) for number, value in known.items()}
        except (OSError, ValueError, AttributeError, RecursionError) as error:
            _log.warning("the meters start at 0: %s cannot be read: %s", self._path, error)
            return {}

    def save(self, registers: Mapping[int, float]) -> None:
        """Keep what they show now; the file is whole at any moment."""
        wanted = {str(number): value for number, value in registers.items()}
        if self._path is None or wanted == self._last:
            return
        temporary = self._path.with_name(f"{self._path.name}.new")
        try:
            temporary.write_text(json.dumps(wanted), "utf-8")
            temporary.replace(self._path)
        except OSError as error:
            if not self._has_failed:
                _log.error("what the meters show cannot be kept: %s", error)
            self._has_failed = True
        else:
            self._last, self._has_failed = wanted, False


def _checked(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 1e15:
        raise ValueError(f"{value!r} is no number of Wh")
    return float(value)
