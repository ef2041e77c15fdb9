"""What systemd wants to know of a service with Type=notify and WatchdogSec."""

from __future__ import annotations

import os
import socket
from contextlib import suppress


def is_there() -> bool:
    """Whether systemd has started this program, and listens."""
    return bool(os.environ.get("NOTIFY_SOCKET"))


def notify(state: str) -> None:
    """Tell it ``"READY=1"``, ``"WATCHDOG=1"`` or ``"STOPPING=1"``; without systemd, nothing happens."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as messages:
        messages.setblocking(False)  # the guard's thread must not wait for systemd
        messages.sendto(state.encode(), address)
