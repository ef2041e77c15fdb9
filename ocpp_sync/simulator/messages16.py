"""What a charge point says in OCPP 1.6."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .. import format_time, parse_time
from .connector import Connector, Reason, State, Token, Transaction
from .energy import Reading
from .tokens import TokenInfo
from .wording import Identification, Message

__all__ = ["Messages16"]

_REASONS = {reason: reason.value for reason in Reason} | {Reason.FAULT: "Other"}

# 1.6 has fewer words for the course of an update.
_FIRMWARE = {
    "DownloadScheduled": None,
    "SignatureVerified": None,
    "InstallRebooting": None,
    "InstallScheduled": None,
    "InstallVerificationFailed": "InstallationFailed",
}
_DIAGNOSTICS = {"UploadFailure": "UploadFailed", "AcceptedCanceled": "Idle"}


class Messages16:
    """The wording of OCPP 1.6."""

    def boot(self, who: Identification, reason: str) -> dict[str, Any]:
        """See :class:`Wording`."""
        return {
            "chargePointVendor": who.vendor,
            "chargePointModel": who.model,
            "chargePointSerialNumber": who.serial,
            "firmwareVersion": who.firmware,
        }

    def authorize(self, token: Token) -> dict[str, Any]:
        """See :class:`Wording`."""
        return {"idTag": token.id}

    def token_info(self, response: dict[str, Any]) -> TokenInfo | None:
        """See :class:`Wording`."""
        info = response.get("idTagInfo")
        return None if info is None else token_info(info)

    def status(self, number: int, state: State, fault: str | None, time: str) -> dict[str, Any] | None:
        """See :class:`Wording`."""
        return {"connectorId": number, "errorCode": fault or "NoError", "status": state.value, "timestamp": time}

    def started(self, connector: Connector, transaction: Transaction, trigger: str, values: Sequence[Reading], time: str) -> Message:
        """See :class:`Wording`."""
        reservation = {} if transaction.reservation_id is None else {"reservationId": transaction.reservation_id}
        start = {"connectorId": connector.number, "idTag": transaction.token.id, "meterStart": round(transaction.meter_start)}
        return "StartTransaction", {**start, "timestamp": time, **reservation}

    def updated(self, connector: Connector, transaction: Transaction, trigger: str, time: str) -> Message | None:
        """See :class:`Wording`."""
        return None

    def metered(self, connector: Connector, transaction: Transaction, values: Sequence[Reading], context: str, time: str) -> Message:
        """See :class:`Wording`."""
        action, payload = self.idle_metered(connector, values, context, time)
        return action, {**payload, "transactionId": transaction.handle}

    def idle_metered(self, connector: Connector, values: Sequence[Reading], context: str, time: str) -> Message:
        """See :class:`Wording`."""
        return "MeterValues", {"connectorId": connector.number, "meterValue": [_meter_value(values, context, time)]}

    def ended(self, connector: Connector, transaction: Transaction, reason: Reason, values: Sequence[Reading], time: str) -> Message:
        """See :class:`Wording`."""
        stop: dict[str, Any] = {
            "transactionId": transaction.handle,
            "meterStop": round(connector.register),
            "timestamp": time,
            "reason": _REASONS[reason],
        }
        if reason is Reason.LOCAL:
            stop["idTag"] = transaction.token.id
        if values:
            begin = [_meter_value(transaction.begin, "Transaction.Begin", format_time(transaction.started))] if transaction.begin else []
            stop["transactionData"] = [*begin, _meter_value(values, "Transaction.End", time)]
        return "StopTransaction", stop

    def abandoned(self, handle: str, start: dict[str, Any], registers: Mapping[int, float], time: str) -> Message:
        """See :class:`Wording`."""
        register = max(start["meterStart"], round(registers.get(start["connectorId"], 0.0)))
        return "StopTransaction", {"transactionId": handle, "meterStop": register, "timestamp": time, "reason": "PowerLoss"}

    def reservation_ended(self, number: int, how: str) -> Message | None:
        """See :class:`Wording`."""
        return None

    def firmware(self, status: str, request_id: int | None) -> Message | None:
        """See :class:`Wording`."""
        if request_id is not None:
            return "SignedFirmwareStatusNotification", {"status": status, "requestId": request_id}
        known = _FIRMWARE.get(status, status)
        return None if known is None else ("FirmwareStatusNotification", {"status": known})

    def log(self, status: str, request_id: int | None) -> Message:
        """See :class:`Wording`."""
        if request_id is not None:
            return "LogStatusNotification", {"status": "UploadFailure" if status == "AcceptedCanceled" else status, "requestId": request_id}
        return "DiagnosticsStatusNotification", {"status": _DIAGNOSTICS.get(status, status)}


def token_info(info: dict[str, Any]) -> TokenInfo:
    """What an IdTagInfo says."""
    expires = info.get("expiryDate")
    return TokenInfo(info["status"], info.get("parentIdTag"), None if expires is None else parse_time(expires))


def _meter_value(values: Sequence[Reading], context: str, time: str) -> dict[str, Any]:
    return {"timestamp": time, "sampledValue": [_sampled(value, context) for value in values]}


def _sampled(reading: Reading, context: str) -> dict[str, Any]:
    sampled = {"value": f"{reading.value:g}" if reading.value < 1e5 else f"{reading.value:.0f}", "context": context}
    sampled |= {"measurand": reading.measurand, "unit": reading.unit}
    optional = {"phase": reading.phase, "location": reading.location}
    return {**sampled, **{name: value for name, value in optional.items() if value is not None}}
