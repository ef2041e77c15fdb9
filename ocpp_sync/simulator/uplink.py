"""A station's way to its CSMS: the client, its outbox, and when there is to be a link."""

from __future__ import annotations

import logging
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from os import PathLike
from pathlib import Path
from typing import Any

from .. import Backoff, CallError, ConnectionClosed, Delivery, NotAccepted, OcppClient, OcppError, OutboxSettings
from ..clock import Clock
from .wording import Message

__all__ = ["Uplink"]

_log = logging.getLogger("ocpp_sync")

_RECONNECT = Backoff(1.0, 1.0, 4, refused_minimum=10.0)
_JOIN_TIMEOUT = 5.0  # seconds
_LOOK_AGAIN = 0.2  # seconds


class Uplink:
    """The client, and what a station does to it: connect, be offline, start anew.

    Args:
        identity: The identity.
        version: The version of OCPP.
        outbox: The file of the outbox; None is one that goes with the station.
        clock: The clock.
        failed: Told, in a word and for people, of what has gone wrong: see ``Station.errors``.
        options: Those of :class:`OcppClient`.

    Attributes:
        client: The client.
        is_booting: Whether the CSMS has yet to accept a start.
        left: How many messages were left in the outbox when it was closed.
    """

    def __init__(
        self,
        identity: str,
        version: str,
        outbox: str | PathLike[str] | None,
        clock: Clock,
        failed: Callable[[str, str], object],
        **options: Any,
    ) -> None:
        self._failed = failed
        self.left = 0
        self.is_booting = False
        self._folder = None if outbox is not None else tempfile.TemporaryDirectory(prefix="ocpp-simulator-")
        path = Path(self._folder.name) / "outbox.sqlite3" if self._folder is not None else outbox
        assert path is not None
        try:
            settings = OutboxSettings(path, durability="full" if self._folder is None else "normal")
            given = {"reconnect": _RECONNECT, **options, "outbox": settings, "clock": clock}
            self.client: OcppClient = OcppClient(identity, version=version, **given)
        except BaseException:
            if self._folder is not None:
                self._folder.cleanup()
            raise
        self.client.on("outbox", self._outbox_told)
        self._url = ""
        self._headers: Mapping[str, str] | None = None
        self._connecting: threading.Thread | None = None
        self._lock = threading.Lock()  # guards the next two: close() comes from any thread
        self._closed = False
        self._wanted = False  # whether there is to be a link
        self._last: Delivery | None = None

    # --- The link; all but close() is called in the station's thread

    def set_endpoint(self, url: str, headers: Mapping[str, str] | None) -> None:
        """Where the CSMS is, and what goes with the upgrade."""
        self._url, self._headers = url, headers

    def connect(self, boot: dict[str, Any] | None) -> None:
        """Get a link, however long it takes; this does not wait for it.

        Args:
            boot: The BootNotification, of a station that has just started; None is one that was only offline.
        """
        with self._lock:
            if self._closed:
                return
            self._wanted, self.is_booting = True, boot is not None
            name = f"ocpp-connect {self.client.identity}"
            self._connecting = threading.Thread(target=self._connect, args=(boot,), name=name, daemon=True)
            self._connecting.start()

    def _connect(self, boot: dict[str, Any] | None) -> None:
        try:
            self.client.connect(self._url, self._headers, retry=True, boot=boot)
        except ConnectionClosed:
            pass  # it is not wanted any more
        except Exception as error:
            self._failed("link", str(error))
        if not self._wanted:
            self.client.close()  # it was closed before this thread had begun

    def disconnect(self, reason: str) -> None:
        """Have no link until :meth:`connect`."""
        self._wanted = False
        self.client.close(reason=reason)
        self._end_connecting()

    def _end_connecting(self) -> None:
        """Wait for the thread that connects: it may have begun after the client was closed."""
        deadline = time.monotonic() + _JOIN_TIMEOUT
        while (thread := self._connecting) is not None and thread.is_alive() and time.monotonic() < deadline:
            self.client.close()
            thread.join(_LOOK_AGAIN)

    @property
    def is_temporary(self) -> bool:
        """Whether what is left in the outbox is lost."""
        return self._folder is not None

    @property
    def is_wanted(self) -> bool:
        """Whether there is to be a link."""
        return self._wanted

    @property
    def is_ready(self) -> bool:
        """Whether there is a link, and the CSMS has accepted this station."""
        return self.client.connected and self.client.registration == "Accepted"

    # --- Messages

    def call(self, action: str, payload: dict[str, Any]) -> dict[str, Any] | None:
        """Send a request, if there is a link; in the station's thread.

        Returns:
            The response; None if there is none, which has been told.
        """
        try:
            return self.client.call(action, payload)
        except (ConnectionClosed, NotAccepted) as error:
            _log.debug("%s: %s was not sent: %s", self.client.identity, action, error)
        except CallError as error:
            self._failed("callerror", f"{action} was answered with {error}")
        except TimeoutError as error:
            self._failed("timeout", str(error))
        except OcppError as error:
            self._failed("invalid", str(error))
        return None

    def put(self, message: Message) -> Delivery | None:
        """Queue a message that must not be lost; None if that cannot be, which has been told."""
        action, payload = message
        try:
            delivery = self.client.outbox.put(action, payload)
        except (OcppError, ValueError) as error:
            self._failed("lost", f"{action} cannot be queued: {error}")
            return None
        self._last = delivery
        return delivery

    def _outbox_told(self, what: str, message: Any, reason: str) -> None:
        self._failed("lost", reason if message is None else f"{message.action} was {what}: {reason}")

    @property
    def is_flushed(self) -> bool:
        """Whether all that was queued is delivered."""
        return self._last is None or self._last.done()

    def flush(self, seconds: float) -> None:
        """Wait until it is, for no longer than that."""
        if self._last is not None:
            with suppress(OcppError, TimeoutError):
                self._last.result(seconds)

    # --- The end

    def close(self, seconds: float) -> None:
        """End everything; from any thread.

        Args:
            seconds: How long what is under way may take.
        """
        with self._lock:
            self._wanted, self._closed = False, True
        self.client.close(drain=True, timeout=seconds)
        self._end_connecting()
        self.left = self._count_left()
        if self._folder is not None:
            self._folder.cleanup()

    def _count_left(self) -> int:
        try:
            return len(self.client.outbox)
        except OcppError:
            return 0
