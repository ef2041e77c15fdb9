"""What a CSMS knows of charge points and transactions."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

__all__ = ["ChargePoint", "Transaction"]


@dataclass
class ChargePoint:
    """A charge point, as far as it has told.

    Attributes:
        identity: Its identity.
        version: The version of OCPP that it spoke last.
        vendor: Who made it; None before its first BootNotification, as are the next three, which it may leave out as well.
        model: What it is.
        serial_number: Its serial number.
        firmware: The version of its firmware.
        booted: When its last BootNotification came, as OCPP writes times; None if none has come.
        last_seen: When it last connected, or sent a request.
        connected: Whether it is connected.
        connectors: The status of each connector, by ``"1"`` in 1.6, ``"1/1"`` (EVSE and connector) in 2.x; ``"0"`` is a charge point of
            1.6 as a whole.
        meter: The last meter values by connector (1.6) or EVSE (2.x), and there by measurand and phase, for example
            ``{"1": {"Voltage L1": {"value": 230.1, "unit": "V", "timestamp": "…"}}}``.
        variables: The configuration keys of 1.6, or variables of 2.x as ``"Component.Variable"``, that it has reported, with their values;
            secrets are masked.
    """

    identity: str
    version: str = ""
    vendor: str | None = None
    model: str | None = None
    serial_number: str | None = None
    firmware: str | None = None
    booted: str | None = None
    last_seen: str | None = None
    connected: bool = False
    connectors: dict[str, str] = field(default_factory=dict)
    meter: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    variables: dict[str, str | None] = field(default_factory=dict)

    def copy(self, *, with_variables: bool = True) -> ChargePoint:
        """One that does not change any more."""
        meter = {place: dict(values) for place, values in self.meter.items()}
        variables = dict(self.variables) if with_variables else {}
        return replace(self, connectors=dict(self.connectors), meter=meter, variables=variables)


@dataclass
class Transaction:
    """A transaction.

    Attributes:
        identity: Of the charge point.
        id: Its id, a number in 1.6, a text of the charge point's in 2.x.
        connector: Where it takes place, as in :attr:`ChargePoint.connectors`; in 2.x the EVSE alone if it says no more, and None if it has
            not said that.
        token: The idTag, or the idToken, that it was started with; None if there was none so far.
        authorized: Whether the token was accepted.
        started: When it began, by the charge point's clock.
        ended: When it ended; None if it has not.
        reason: Why it ended; None if the charge point has not said.
        state: Its charging state in 2.x.
        seq_no: The highest ``seqNo`` of its events in 2.x.
        meter_start: The energy register at its start, in Wh; None if that is not known.
        meter_last: The energy register now, or at its end, in Wh.
    """

    identity: str
    id: int | str
    connector: str | None = None
    token: str | None = None
    authorized: bool = True
    started: str | None = None
    ended: str | None = None
    reason: str | None = None
    state: str | None = None
    seq_no: int | None = None
    meter_start: float | None = None
    meter_last: float | None = None

    @property
    def energy(self) -> float:
        """The energy that has been charged, in Wh; 0 if the meter has not told."""
        return 0.0 if self.meter_start is None or self.meter_last is None else self.meter_last - self.meter_start
