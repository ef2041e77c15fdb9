"""What a charging station says in OCPP 2.0.1 and 2.1."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .. import format_time, parse_time
from .connector import Connector, Reason, State, Token, Transaction
from .energy import Reading
from .tokens import TokenInfo
from .wording import Identification, Message

__all__ = ["Messages2x"]

_STATUS = {
    State.PREPARING: "Occupied",
    State.CHARGING: "Occupied",
    State.SUSPENDED_EV: "Occupied",
    State.SUSPENDED_EVSE: "Occupied",
    State.FINISHING: "Occupied",
}

# Why a transaction ends: stoppedReason and triggerReason.
_REASONS = {
    Reason.LOCAL: ("Local", "StopAuthorized"),
    Reason.REMOTE: ("Remote", "RemoteStop"),
    Reason.EV_DISCONNECTED: ("EVDisconnected", "EVCommunicationLost"),
    Reason.DEAUTHORIZED: ("DeAuthorized", "Deauthorized"),
    Reason.UNLOCK: ("Other", "UnlockCommand"),
    Reason.SOFT_RESET: ("ImmediateReset", "ResetCommand"),
    Reason.HARD_RESET: ("ImmediateReset", "ResetCommand"),
    Reason.REBOOT: ("Reboot", "AbnormalCondition"),
    Reason.POWER_LOSS: ("PowerLoss", "AbnormalCondition"),
    Reason.EMERGENCY_STOP: ("EmergencyStop", "AbnormalCondition"),
    Reason.FAULT: ("GroundFault", "AbnormalCondition"),
}

_TRIGGERS = {"Sample.Periodic": "MeterValuePeriodic", "Sample.Clock": "MeterValueClock", "Trigger": "Trigger"}
_CHARGING_STATES = {State.CHARGING: "Charging", State.SUSPENDED_EV: "SuspendedEV", State.SUSPENDED_EVSE: "SuspendedEVSE"}


class Messages2x:
    """The wording of OCPP 2.0.1 and 2.1."""

    def boot(self, who: Identification, reason: str) -> dict[str, Any]:
        """See :class:`Wording`."""
        station = {"vendorName": who.vendor, "model": who.model, "serialNumber": who.serial, "firmwareVersion": who.firmware}
        return {"reason": reason, "chargingStation": station}

    def authorize(self, token: Token) -> dict[str, Any]:
        """See :class:`Wording`."""
        return {"idToken": _id_token(token)}

    def token_info(self, response: dict[str, Any]) -> TokenInfo | None:
        """See :class:`Wording`."""
        info = response.get("idTokenInfo")
        return None if info is None else token_info(info)

    def status(self, number: int, state: State, fault: str | None, time: str) -> dict[str, Any] | None:
        """See :class:`Wording`."""
        if number == 0:
            return None
        return {"timestamp": time, "connectorStatus": connector_status(state), "evseId": number, "connectorId": 1}

    def started(self, connector: Connector, transaction: Transaction, trigger: str, values: Sequence[Reading], time: str) -> Message:
        """See :class:`Wording`."""
        fields: dict[str, Any] = {"idToken": _id_token(transaction.token), "evse": {"id": connector.number, "connectorId": 1}}
        if transaction.reservation_id is not None:
            fields["reservationId"] = transaction.reservation_id
        if values:
            fields["meterValue"] = [_meter_value(values, "Transaction.Begin", time)]
        info = {} if transaction.authorization.remote_start_id is None else {"remoteStartId": transaction.authorization.remote_start_id}
        return _event("Started", connector, transaction, trigger, time, info, **fields)

    def updated(self, connector: Connector, transaction: Transaction, trigger: str, time: str) -> Message | None:
        """See :class:`Wording`."""
        return _event("Updated", connector, transaction, trigger, time)

    def metered(self, connector: Connector, transaction: Transaction, values: Sequence[Reading], context: str, time: str) -> Message:
        """See :class:`Wording`."""
        return _event("Updated", connector, transaction, _TRIGGERS[context], time, meterValue=[_meter_value(values, context, time)])

    def idle_metered(self, connector: Connector, values: Sequence[Reading], context: str, time: str) -> Message:
        """See :class:`Wording`."""
        return "MeterValues", {"evseId": connector.number, "meterValue": [_meter_value(values, context, time)]}

    def ended(self, connector: Connector, transaction: Transaction, reason: Reason, values: Sequence[Reading], time: str) -> Message:
        """See :class:`Wording`."""
        stopped, trigger = _REASONS[reason]
        fields: dict[str, Any] = {"idToken": _id_token(transaction.token)} if reason is Reason.LOCAL else {}
        if values:
            begin = [_meter_value(transaction.begin, "Transaction.Begin", format_time(transaction.started))] if transaction.begin else []
            fields["meterValue"] = [*begin, _meter_value(values, "Transaction.End", time)]
        info = {"stoppedReason": stopped, "timeSpentCharging": round(transaction.charging_for)}
        return _event("Ended", connector, transaction, trigger, time, info, **fields)

    def abandoned(self, handle: str, start: dict[str, Any], registers: Mapping[int, float], time: str) -> Message:
        """See :class:`Wording`."""
        info = {"transactionId": handle, "stoppedReason": "PowerLoss"}
        event: dict[str, Any] = {"eventType": "Ended", "timestamp": time, "triggerReason": "AbnormalCondition", "transactionInfo": info}
        register = registers.get(start.get("evse", {}).get("id"), 0.0)
        if register > 0:  # else it is not known
            values = [Reading("Energy.Active.Import.Register", round(register), "Wh")]
            event["meterValue"] = [_meter_value(values, "Transaction.End", time)]
        return "TransactionEvent", event

    def reservation_ended(self, number: int, how: str) -> Message | None:
        """See :class:`Wording`."""
        return "ReservationStatusUpdate", {"reservationId": number, "reservationUpdateStatus": how}

    def firmware(self, status: str, request_id: int | None) -> Message | None:
        """See :class:`Wording`."""
        return "FirmwareStatusNotification", {"status": status, **({} if request_id is None else {"requestId": request_id})}

    def log(self, status: str, request_id: int | None) -> Message:
        """See :class:`Wording`."""
        return "LogStatusNotification", {"status": status, **({} if request_id is None else {"requestId": request_id})}


def token_info(info: dict[str, Any]) -> TokenInfo:
    """What an IdTokenInfo says."""
    group, expires = info.get("groupIdToken"), info.get("cacheExpiryDateTime")
    return TokenInfo(info["status"], None if group is None else group["idToken"], None if expires is None else parse_time(expires))


def connector_status(state: State) -> str:
    """The state of a connector, as 2.x calls it."""
    return _STATUS.get(state, state.value)


def charging_state(connector: Connector) -> str:
    """The state of its transaction."""
    if connector.car is None:
        return "Idle"
    return _CHARGING_STATES.get(connector.state, "EVConnected")


def _event(
    kind: str, connector: Connector, transaction: Transaction, trigger: str, time: str, info: dict[str, Any] | None = None, **fields: Any
) -> Message:
    # Without seqNo, and "offline": that is for the outbox.
    about: dict[str, Any] = {"transactionId": transaction.handle, **(info or {})}
    about["chargingState"] = charging_state(connector)
    return "TransactionEvent", {"eventType": kind, "timestamp": time, "triggerReason": trigger, "transactionInfo": about, **fields}


def _id_token(token: Token) -> dict[str, Any]:
    return {"idToken": token.id, "type": token.type}


def _meter_value(values: Sequence[Reading], context: str, time: str) -> dict[str, Any]:
    return {"timestamp": time, "sampledValue": [_sampled(value, context) for value in values]}


def _sampled(reading: Reading, context: str) -> dict[str, Any]:
    sampled = {"value": reading.value, "context": context, "measurand": reading.measurand, "unitOfMeasure": {"unit": reading.unit}}
    optional = {"phase": reading.phase, "location": reading.location}
    return {**sampled, **{name: value for name, value in optional.items() if value is not None}}
