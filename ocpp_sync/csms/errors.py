"""What can be wrong with a CSMS."""

from __future__ import annotations

from typing import Any

from ocpp_sync.errors import OcppError

__all__ = ["StateError"]


class StateError(OcppError):
    """The file of a CSMS's state cannot be used: it is another's, newer, in use, or damaged.

    Attributes:
        file: The file.
        message: What is wrong with it, for people.
    """

    def __init__(self, file: Any, message: str) -> None:
        super().__init__(file, message)
        self.file = str(file)
        self.message = message

    def __str__(self) -> str:
        return f"{self.file}: {self.message}"
