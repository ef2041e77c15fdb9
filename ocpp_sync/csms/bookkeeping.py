"""What each request of a charge point changes in the books, and what it needs in its response."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from ocpp_sync.redaction import redact

from .books import Books
from .meter import energy_registers, latest_values, reading
from .records import Transaction

__all__ = ["KEEPERS", "Message", "learn"]

_MAX_TEXT = 2500  # characters; no field that is kept may have more
_NUMBERED = 2**53


class Message(NamedTuple):
    """A request, and the response to it, which may be changed."""

    identity: str
    version: str
    action: str
    request: Mapping[str, Any]
    response: dict[str, Any]
    now: str


IsKnown = Callable[[Any], bool]


# --- The charge point


def _boot(books: Books, message: Message, is_known: IsKnown) -> None:
    point = books.charge_point(message.identity)
    request = message.request
    station = request.get("chargingStation", {})
    point.vendor = _text(request.get("chargePointVendor") or station.get("vendorName"))
    point.model = _text(request.get("chargePointModel") or station.get("model"))
    point.serial_number = _text(request.get("chargePointSerialNumber") or station.get("serialNumber"))
    point.firmware = _text(request.get("firmwareVersion") or station.get("firmwareVersion"))
    point.booted = message.now


def _status(books: Books, message: Message, is_known: IsKnown) -> None:
    request = message.request
    place = f"{request['evseId']}/{request['connectorId']}" if "evseId" in request else str(request["connectorId"])
    _keep_status(books, message.identity, place, request.get("status") or request["connectorStatus"])


def _report(books: Books, message: Message, is_known: IsKnown) -> None:
    for item in message.request.get("reportData", ()):
        for attribute in item["variableAttribute"]:
            _keep_variable(books, message.identity, _variable_name(item, attribute.get("type")), attribute.get("value"))


def _event(books: Books, message: Message, is_known: IsKnown) -> None:
    for item in message.request["eventData"]:
        _keep_variable(books, message.identity, _variable_name(item), item["actualValue"])
        evse = item["component"].get("evse", {})
        if item["component"]["name"] == "Connector" and item["variable"]["name"] == "AvailabilityState" and "connectorId" in evse:
            _keep_status(books, message.identity, _place(evse), item["actualValue"])


def _keep_status(books: Books, identity: str, place: str, status: Any) -> None:
    point = books.charge_point(identity)
    books.put(point, point.connectors, place, _text(status))


def learn(books: Books, message: Message) -> None:
    """Keep what the response to GetConfiguration or GetVariables tells."""
    for key in message.request.get("configurationKey", ()):
        _keep_variable(books, message.identity, key["key"], key.get("value"))
    for result in message.request.get("getVariableResult", ()):
        if result["attributeStatus"] == "Accepted":
            name = _variable_name(result, result.get("attributeType"))
            _keep_variable(books, message.identity, name, result.get("attributeValue"))


def _variable_name(item: Mapping[str, Any], attribute: str | None = None) -> str:
    component, variable = item["component"], item["variable"]
    place = f"@{_place(component['evse'])}" if "evse" in component else ""
    suffix = "" if attribute in (None, "Actual") else f" ({attribute})"
    return f"{_named(component)}{place}.{_named(variable)}{suffix}"


def _named(thing: Mapping[str, Any]) -> str:
    return f"{thing['name']}[{thing['instance']}]" if "instance" in thing else str(thing["name"])


def _keep_variable(books: Books, identity: str, name: str, value: Any) -> None:
    shown = json.loads(redact(json.dumps({"key": str(name), "value": _text(value)})))
    books.set_variable(identity, str(name)[:_MAX_TEXT], shown["value"])


# --- Authorization


def _authorize(books: Books, message: Message, is_known: IsKnown) -> None:
    if message.version == "1.6":
        message.response["idTagInfo"] = _id_tag_info(message.request.get("idTag"), is_known)
        return
    message.response["idTokenInfo"] = _id_token_info(message.request.get("idToken"), is_known)
    if not message.request.keys().isdisjoint(("certificate", "iso15118CertificateHashData")):
        message.response["certificateStatus"] = "Accepted"


# These two take anything, and come first in what keeps a request: what fails after them must leave no token accepted.


def _id_tag_info(tag: Any, is_known: IsKnown) -> dict[str, Any]:
    return {"status": "Accepted" if is_known(tag) else "Invalid"}


def _id_token_info(token: Any, is_known: IsKnown) -> dict[str, Any]:
    fields = token if isinstance(token, dict) else {}
    # Without authorization there is nothing to look up: a button was pressed.
    accepted = fields.get("type") == "NoAuthorization" or is_known(fields.get("idToken"))
    return {"status": "Accepted" if accepted else "Unknown"}


# --- Transactions of 1.6


def _start(books: Books, message: Message, is_known: IsKnown) -> None:
    identity, request = message.identity, message.request
    message.response["idTagInfo"] = _id_tag_info(request.get("idTag"), is_known)
    # Whatever it leaves out, it charges: so it gets an id, under which it can be stopped.
    meter_start = _reading(books, message, "meterStart")
    started = Transaction(
        identity,
        0,
        connector=_text(request.get("connectorId")),
        token=_text(request.get("idTag")),
        authorized=message.response["idTagInfo"]["status"] == "Accepted",
        started=_text(request.get("timestamp")),
        meter_start=meter_start,
        meter_last=meter_start,
    )
    for other in books.open_of(identity):
        if _is_same_start(other, started):
            # Its answer was lost, and it was sent once more.
            message.response["transactionId"] = other.id
            return
        if other.connector == started.connector is not None:
            text = f"{identity}: a transaction starts at connector {started.connector}, where {other.id} has not ended"
            books.problem("start at a connector that has a transaction", text)
    started.id = message.response["transactionId"] = books.next_id()
    books.start(started)


def _reading(books: Books, message: Message, name: str) -> float | None:
    number = reading(message.request.get(name))
    if number is None:
        books.problem("payload that makes no sense", f"{message.identity}: {message.action} has {name} that no meter shows")
    return number


def _is_same_start(one: Transaction, other: Transaction) -> bool:
    return (one.connector, one.token, one.started, one.meter_start) == (other.connector, other.token, other.started, other.meter_start)


def _stop(books: Books, message: Message, is_known: IsKnown) -> None:
    identity, request = message.identity, message.request
    if "idTag" in request:
        message.response["idTagInfo"] = _id_tag_info(request["idTag"], is_known)
    transaction = books.transaction(identity, request["transactionId"])
    if transaction is None:
        books.problem(
            "StopTransaction of an unknown transaction", f"{identity}: StopTransaction of {request['transactionId']}, which is unknown"
        )
    elif transaction.ended is None:
        if (meter_stop := _reading(books, message, "meterStop")) is not None:
            transaction.meter_last = meter_stop
        books.end(transaction, _text(request.get("timestamp")) or message.now, _text(request.get("reason", "Local")))
    elif transaction.ended != _text(request.get("timestamp")):  # else it was sent once more
        books.problem("StopTransaction of an ended transaction", f"{identity}: StopTransaction of {transaction.id}, which has ended before")


def _meter_values(books: Books, message: Message, is_known: IsKnown) -> None:
    identity, request = message.identity, message.request
    _keep_meter(books, identity, str(request.get("evseId", request.get("connectorId"))), request["meterValue"])
    if (number := request.get("transactionId")) is None:
        return
    transaction = books.transaction(identity, number)
    if transaction is None:
        books.problem("MeterValues of an unknown transaction", f"{identity}: MeterValues of {number}, which is unknown")
    elif transaction.ended is None and (registers := energy_registers(request["meterValue"])):
        transaction.meter_last = registers[-1]
        books.change(transaction)


def _keep_meter(books: Books, identity: str, place: str, meter_values: Any) -> None:
    point = books.charge_point(identity)
    for name, value in latest_values(meter_values):
        if place in point.meter or books.put(point, point.meter, place, {}):
            books.put(point, point.meter[place], name, value)


# --- Transactions of 2.x


def _transaction_event(books: Books, message: Message, is_known: IsKnown) -> None:
    identity, request = message.identity, message.request
    if "idToken" in request:
        message.response["idTokenInfo"] = _id_token_info(request["idToken"], is_known)
    kind, info = request["eventType"], request["transactionInfo"]
    number, seq_no = str(_text(info["transactionId"])), max(-_NUMBERED, min(int(request["seqNo"]), _NUMBERED))
    transaction = books.transaction(identity, number)
    if transaction is None:
        if kind != "Started":
            books.problem(
                "transaction that did not begin with Started", f"{identity}: {kind} of the transaction {number!r}, which is unknown"
            )
        transaction = books.start(Transaction(identity, number, started=_text(request["timestamp"])))
    elif transaction.seq_no is not None:
        if seq_no <= transaction.seq_no:
            return  # it was sent once more, or is late
        if seq_no > transaction.seq_no + 1:
            missing = f"{transaction.seq_no + 1} to {seq_no - 1}" if seq_no > transaction.seq_no + 2 else seq_no - 1
            books.problem("gap in seqNo", f"{identity}: of the transaction {number!r} the seqNo {missing} is missing")
        if transaction.ended is not None:
            books.problem("event after the end of a transaction", f"{identity}: {kind} of the transaction {number!r}, which has ended")
            return
    transaction.seq_no = seq_no
    _keep_event(books, message, transaction)
    if kind == "Ended":
        books.end(transaction, _text(request.get("timestamp")) or message.now, _text(info.get("stoppedReason", "Local")))


def _keep_event(books: Books, message: Message, transaction: Transaction) -> None:
    request, info = message.request, message.request["transactionInfo"]
    books.change(transaction)
    if "idToken" in request:
        transaction.authorized = message.response["idTokenInfo"]["status"] == "Accepted"
        if transaction.token is None:
            transaction.token = _text(request["idToken"]["idToken"])
    transaction.state = _text(info.get("chargingState", transaction.state))
    if "evse" in request and transaction.connector != _place(request["evse"]):
        if transaction.connector is None:
            _check_evse(books, transaction, request["evse"]["id"])
        transaction.connector = _place(request["evse"])
    meter_values = request.get("meterValue", ())
    if registers := energy_registers(meter_values):
        if transaction.meter_start is None:
            transaction.meter_start = registers[0]
        transaction.meter_last = registers[-1]
    if transaction.connector is not None:
        _keep_meter(books, message.identity, transaction.connector.partition("/")[0], meter_values)


def _check_evse(books: Books, transaction: Transaction, evse: int) -> None:
    for other in books.open_of(transaction.identity):
        if other is not transaction and other.connector is not None and other.connector.partition("/")[0] == str(evse):
            text = f"{transaction.identity}: the transaction {transaction.id!r} starts at EVSE {evse}, where {other.id!r} has not ended"
            books.problem("start at a connector that has a transaction", text)


# --- Others


def _certificate_chain(books: Books, message: Message, is_known: IsKnown) -> None:
    message.response["certificateStatus"] = list(_unknown_certificates(message))


def _unknown_certificates(message: Message) -> Iterator[dict[str, Any]]:
    for asked in message.request["certificateStatusRequests"]:
        kept = {"certificateHashData": asked["certificateHashData"], "source": asked["source"]}
        yield {**kept, "status": "Unknown", "nextUpdate": message.now}


def _vat_number(books: Books, message: Message, is_known: IsKnown) -> None:
    message.response.update({name: message.request[name] for name in ("vatNumber", "evseId") if name in message.request})


KEEPERS: dict[str, Callable[[Books, Message, IsKnown], None]] = {
    "Authorize": _authorize,
    "BootNotification": _boot,
    "GetCertificateChainStatus": _certificate_chain,
    "MeterValues": _meter_values,
    "NotifyEvent": _event,
    "NotifyReport": _report,
    "StartTransaction": _start,
    "StatusNotification": _status,
    "StopTransaction": _stop,
    "TransactionEvent": _transaction_event,
    "VatNumberValidation": _vat_number,
}
"""By action; an action that is not here changes nothing."""


def _place(evse: Mapping[str, Any]) -> str:
    return f"{evse['id']}/{evse['connectorId']}" if "connectorId" in evse else str(evse["id"])


def _text(value: Any) -> str | None:
    return None if value is None else str(value)[:_MAX_TEXT]
