"""What the two sides of the soak say to each other: each call carries a number that no other one has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

__all__ = ["FROM_CSMS", "FROM_STATION", "REFUSAL", "VERSIONS", "Kind"]

VERSIONS = ("1.6", "2.0.1")
REFUSAL = "refused on purpose"

_TIME = "2026-01-01T00:00:00Z"
_ACCEPTED = {"status": "Accepted"}
_BIG = "x" * 20_000  # not one read, nor one segment


class Kind(NamedTuple):
    """An action, and where the number is in its request and response."""

    action: str
    request: Callable[[int], dict[str, Any]]
    number: Callable[[dict[str, Any]], Any]
    response: Callable[[int], dict[str, Any]]


def _data(number: int) -> dict[str, Any]:
    return {"vendorId": "soak", "data": f"{number} {_BIG if number % 20 == 0 else ''}"}


_DATA_TRANSFER = Kind("DataTransfer", _data, lambda it: it["data"].split()[0], lambda number: {**_ACCEPTED, "data": str(number)})

_STATION_16 = [
    _DATA_TRANSFER,
    Kind("Authorize", lambda number: {"idTag": str(number)}, lambda it: it["idTag"], lambda _: {"idTagInfo": _ACCEPTED}),
    Kind(
        "StartTransaction",
        lambda number: {"connectorId": 1, "idTag": "TAG", "meterStart": number, "timestamp": _TIME},
        lambda it: it["meterStart"],
        lambda number: {"transactionId": number, "idTagInfo": _ACCEPTED},
    ),
    Kind(
        "StopTransaction",
        lambda number: {"transactionId": number, "meterStop": 7, "timestamp": _TIME},
        lambda it: it["transactionId"],
        lambda _: {},
    ),
    Kind(
        "MeterValues",
        lambda number: {
            "connectorId": 1,
            "meterValue": [{"timestamp": _TIME, "sampledValue": [{"value": str(number)}, {"value": "230", "unit": "V"}]}],
        },
        lambda it: it["meterValue"][0]["sampledValue"][0]["value"],
        lambda _: {},
    ),
    Kind(
        "StatusNotification",
        lambda number: {"connectorId": 1, "errorCode": "NoError", "status": "Available", "info": str(number)},
        lambda it: it["info"],
        lambda _: {},
    ),
]

_STATION_201 = [
    _DATA_TRANSFER,
    Kind(
        "Authorize",
        lambda number: {"idToken": {"idToken": str(number), "type": "ISO14443"}},
        lambda it: it["idToken"]["idToken"],
        lambda _: {"idTokenInfo": _ACCEPTED},
    ),
    Kind(
        "TransactionEvent",
        lambda number: {
            "eventType": "Updated",
            "timestamp": _TIME,
            "triggerReason": "MeterValuePeriodic",
            "seqNo": 7,
            "transactionInfo": {"transactionId": str(number)},
            "meterValue": [{"timestamp": _TIME, "sampledValue": [{"value": 12.5, "measurand": "Power.Active.Import"}]}],
        },
        lambda it: it["transactionInfo"]["transactionId"],
        lambda number: {"totalCost": number},
    ),
    Kind(
        "MeterValues",
        lambda number: {"evseId": 1, "meterValue": [{"timestamp": _TIME, "sampledValue": [{"value": number}]}]},
        lambda it: it["meterValue"][0]["sampledValue"][0]["value"],
        lambda _: {},
    ),
    Kind(
        "StatusNotification",
        lambda number: {"timestamp": _TIME, "connectorStatus": "Available", "evseId": 1, "connectorId": number},
        lambda it: it["connectorId"],
        lambda _: {},
    ),
]

_CSMS_16 = [
    _DATA_TRANSFER,
    Kind("RemoteStopTransaction", lambda number: {"transactionId": number}, lambda it: it["transactionId"], lambda _: _ACCEPTED),
    Kind(
        "TriggerMessage",
        lambda number: {"requestedMessage": "StatusNotification", "connectorId": number},
        lambda it: it["connectorId"],
        lambda _: _ACCEPTED,
    ),
    Kind("ChangeConfiguration", lambda number: {"key": "Soak", "value": str(number)}, lambda it: it["value"], lambda _: _ACCEPTED),
    Kind(
        "ChangeAvailability",
        lambda number: {"connectorId": number, "type": "Operative"},
        lambda it: it["connectorId"],
        lambda _: _ACCEPTED,
    ),
]

_CSMS_201 = [
    _DATA_TRANSFER,
    Kind("RequestStopTransaction", lambda number: {"transactionId": str(number)}, lambda it: it["transactionId"], lambda _: _ACCEPTED),
    Kind(
        "TriggerMessage",
        lambda number: {"requestedMessage": "StatusNotification", "evse": {"id": number}},
        lambda it: it["evse"]["id"],
        lambda _: _ACCEPTED,
    ),
    Kind("Reset", lambda number: {"type": "OnIdle", "evseId": number}, lambda it: it["evseId"], lambda _: _ACCEPTED),
    Kind(
        "UnlockConnector",
        lambda number: {"evseId": number, "connectorId": 1},
        lambda it: it["evseId"],
        lambda _: {"status": "Unlocked"},
    ),
]

FROM_STATION = {"1.6": {kind.action: kind for kind in _STATION_16}, "2.0.1": {kind.action: kind for kind in _STATION_201}}
FROM_CSMS = {"1.6": {kind.action: kind for kind in _CSMS_16}, "2.0.1": {kind.action: kind for kind in _CSMS_201}}
