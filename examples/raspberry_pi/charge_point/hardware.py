"""What the controller needs of a board, and serial ports."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from typing import Any, Protocol

from .meter import Meter
from .safety import Switch
from .settings import SettingsError


class Hardware(Protocol):
    """What the controller needs of a board.

    Attributes:
        contactor: Only the guard switches it.
        meter: The energy meter.
        pressed: Set by the controller; called when the button is pressed.
        stopped: Set by the controller; called when the board has ended the charge by itself, as by a button of its own.
        carded: Set by the controller; called with the UID of a card.
        plugged: Set by the controller; called with whether a car is plugged in.
        failed: Set by the controller; called when something is wrong with the board, with what it is in the error codes of OCPP 1.6
            (``"GroundFailure"``) and in words, and with ``"NoError"`` when it is well again. A board without a self-test never calls it.
        knows_plug: Whether ``plugged`` is ever called; without it a car is taken to be there.
        has_lock: Whether there is a lock that :meth:`unlock` opens.
    """

    contactor: Switch
    meter: Meter
    pressed: Callable[[], object]
    stopped: Callable[[], object]
    carded: Callable[[str], object]
    plugged: Callable[[bool], object]
    failed: Callable[[str, str], object]
    knows_plug: bool
    has_lock: bool

    def start(self) -> None:
        """Begin to call ``pressed``, ``carded`` and ``plugged``."""

    def watch(self) -> None:
        """Look after the board until :meth:`close`, in a thread of its own; one that needs no looking after returns at once."""

    def allow(self, amps: float) -> None:
        """Tell the car how much it may take; 0 is nothing."""

    def show(self, state: str, is_online: bool) -> None:
        """Show a state, in the words of OCPP 1.6."""

    def unlock(self) -> bool:
        """Let the cable go; false if that has failed."""

    def wait_for_cards(self) -> None:
        """Read cards until :meth:`close`, in a thread of its own."""

    def close(self) -> None:
        """Let go of all pins and ports; after this the contactor is open."""


def open_serial(key: str, port: str, baud: int, timeout: float) -> Any:
    """The serial port that a key of config.toml names.

    Raises:
        SettingsError: pyserial is not installed, or the port cannot be opened.
    """
    try:
        serial = importlib.import_module("serial")
    except ImportError:
        raise SettingsError(f"{key}: {port} needs pyserial: pip install pyserial, or apt install python3-serial") from None
    try:
        return serial.Serial(port, baud, timeout=timeout)
    except OSError as error:
        raise SettingsError(f"{key}: {port} cannot be opened: {os.strerror(error.errno) if error.errno else error}") from error
