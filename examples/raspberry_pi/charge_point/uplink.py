"""The connection to the CSMS, as the settings want it."""

from __future__ import annotations

from typing import Any

from ocpp_sync import Backoff, OcppClient, OutboxSettings
from ocpp_sync.clock import Clock

from .settings import Settings


def make_client(settings: Settings, clock: Clock, **options: Any) -> OcppClient[Any]:
    """The connection to the CSMS, with the outbox that keeps what must not be lost."""
    csms = settings.csms
    given: dict[str, Any] = {
        "password": csms.password or None,
        "cafile": csms.cafile or None,
        "certfile": csms.certfile or None,
        "keyfile": csms.keyfile or None,
        "outbox": OutboxSettings(settings.files.outbox),
        "reconnect": Backoff(minimum=5, random_range=10, repeat_times=5),
    }
    return OcppClient(csms.identity, version=csms.version, clock=clock, **{**given, **options})
