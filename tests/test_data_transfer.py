"""DataTransfer: what goes over the wire, who handles it, and what is answered when nobody does."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

from ocpp_sync import CallError, DataTransferError, DataTransfers, InvalidPayload, NotConnected, OcppClient, OcppServer, transfer_data
from ocpp_sync.messages import read_json, write_json

from .support import TIMEOUT, VERSIONS, Collector, RawChargePoint, RawCsms, in_thread

every_version = pytest.mark.parametrize("version", VERSIONS)

VENDOR = "com.example"

Make = Callable[..., Any]


@pytest.fixture
def transfers(server: OcppServer) -> DataTransfers:
    return DataTransfers(server)


def refusal(*arguments: Any, **named: Any) -> DataTransferError:
    with pytest.raises(DataTransferError) as caught:
        transfer_data(*arguments, **named)
    return caught.value


# --- Both ends


@every_version
@pytest.mark.parametrize("data", [{"a": [1, 2.5, None, {"b": "é"}]}, [], "text", "123", "", 0, False, 1.5, None], ids=repr)
def test_data_comes_as_it_went_to_the_server(
    version: str, data: Any, server: OcppServer, transfers: DataTransfers, make_client: Make
) -> None:
    echo = Collector()

    @transfers.on(VENDOR, "Echo")
    def handler(charge_point: Any, data: Any) -> Any:
        echo(charge_point.identity, data)
        return data

    client = make_client(server.url, version=version)
    answer = transfer_data(client, VENDOR, "Echo", data)
    assert (answer, type(answer)) == (data, type(data))
    assert echo.next() == ("CP1", data)


@every_version
def test_and_to_the_client(version: str, server: OcppServer, make_client: Make) -> None:
    client = make_client(version=version)
    DataTransfers(client).on(VENDOR, "Double", lambda data: data * 2)
    client.connect(server.url)
    assert transfer_data(server.wait_for("CP1", TIMEOUT), VENDOR, "Double", [1]) == [1, 1]


@every_version
def test_a_connection_of_the_server_has_handlers_of_its_own(version: str, server: OcppServer, make_client: Make) -> None:
    client = make_client(server.url, version=version)
    DataTransfers(server.wait_for("CP1", TIMEOUT)).on(VENDOR, "Double", lambda data: data * 2)
    assert transfer_data(client, VENDOR, "Double", 4) == 8


@every_version
def test_plain_text(version: str, server: OcppServer, transfers: DataTransfers, make_client: Make) -> None:
    transfers.on(VENDOR, "Text", lambda charge_point, data: data + data, text=True)
    assert transfer_data(make_client(server.url, version=version), VENDOR, "Text", "12", text=True) == "1212"


# --- The wire


WIRE = [("1.6", {"a": 1}, '{"a":1}'), ("1.6", "x", '"x"'), ("2.0.1", {"a": 1}, {"a": 1}), ("2.1", "x", "x")]


@pytest.mark.parametrize(("version", "data", "on_the_wire"), WIRE)
def test_what_a_client_sends_and_takes(version: str, data: Any, on_the_wire: Any, raw_csms: Make, make_client: Make) -> None:
    csms: RawCsms = raw_csms(version=version)
    client = make_client(csms.url, version=version)
    call = in_thread(transfer_data, client, VENDOR, "Get", data)
    _, message_id, action, payload = csms.receive()
    assert (action, payload) == ("DataTransfer", {"vendorId": VENDOR, "messageId": "Get", "data": on_the_wire})
    csms.send([3, message_id, {"status": "Accepted", "data": on_the_wire}])
    assert call.result() == data
    call = in_thread(transfer_data, client, VENDOR)
    _, message_id, _, payload = csms.receive()
    assert payload == {"vendorId": VENDOR}
    csms.send([3, message_id, {"status": "Accepted"}])
    assert call.result() is None


@pytest.mark.parametrize("data", ["no JSON", "{", "[" * 200 + "]" * 200, "NaN", '"\\ud800"', '{"a":1}'])
def test_text_that_is_no_json_comes_as_it_is(data: str, raw_csms: Make, make_client: Make) -> None:
    csms: RawCsms = raw_csms(version="1.6")
    client = make_client(version="1.6")
    transfers, json, text = DataTransfers(client), Collector(), Collector("fine")
    transfers.on(VENDOR, "JSON", json)
    transfers.on(VENDOR, "Text", text, text=True)
    client.connect(csms.url)
    for message_id in ("JSON", "Text"):
        csms.send([2, message_id, "DataTransfer", {"vendorId": VENDOR, "messageId": message_id, "data": data}])
        assert csms.receive() == [3, message_id, {"status": "Accepted", **({"data": "fine"} if message_id == "Text" else {})}]
    assert json.next() == ({"a": 1} if data == '{"a":1}' else data,)
    assert text.next() == (data,)


@pytest.mark.parametrize(("version", "answered"), [("1.6", "[1]"), ("2.0.1", [1]), ("2.1", [1])])
def test_what_a_server_answers(version: str, answered: Any, server: OcppServer, transfers: DataTransfers, raw_charge_point: Make) -> None:
    transfers.on(VENDOR, None, lambda charge_point, message_id, data: [1])
    station: RawChargePoint = raw_charge_point(server.url, version=version)
    station.send([2, "1", "DataTransfer", {"vendorId": VENDOR, "messageId": "x"}])
    assert station.receive() == [3, "1", {"status": "Accepted", "data": answered}]
    station.send([2, "2", "DataTransfer", {"vendorId": "other"}])
    assert station.receive() == [3, "2", {"status": "UnknownVendorId"}]


# --- Who handles it


@every_version
def test_the_handler_with_the_most_ids_is_taken(version: str, server: OcppServer, transfers: DataTransfers, make_client: Make) -> None:
    client = make_client(server.url, version=version)

    def took(vendor_id: str, message_id: str | None) -> Any:
        return transfer_data(client, vendor_id, message_id, 1)

    def answer(name: str) -> Callable[..., Any]:
        return lambda charge_point, *arguments: [name, *arguments]

    assert refusal(client, VENDOR, "A").status == "UnknownVendorId"
    transfers.on("other", "A", answer("other"))
    assert refusal(client, VENDOR, "A").status == "UnknownVendorId"
    transfers.on(VENDOR, "A", answer("both"))
    assert took(VENDOR, "A") == ["both", 1]
    assert refusal(client, VENDOR, "B").status == "UnknownMessageId"
    assert refusal(client, VENDOR).status == "UnknownMessageId"
    transfers.on(None, "B", answer("message"))
    assert took(VENDOR, "B") == ["message", VENDOR, 1]
    assert refusal(client, "third", "C").status == "UnknownMessageId"
    transfers.on(VENDOR)(answer("vendor"))
    assert took(VENDOR, "B") == ["vendor", "B", 1]
    assert took(VENDOR, None) == ["vendor", None, 1]
    transfers.on()(answer("all"))
    assert took("third", "C") == ["all", "third", "C", 1]
    assert took(VENDOR, "A") == ["both", 1]
    transfers.on(VENDOR, "A", answer("second"))
    assert took(VENDOR.upper(), "a") == ["second", 1]


def test_what_cannot_be_registered(transfers: DataTransfers) -> None:
    with pytest.raises(TypeError, match="takes a vendorId and a messageId, or None, not"):
        transfers.on(len)  # type: ignore[call-overload]
    with pytest.raises(TypeError, match="cannot be called: 5"):
        transfers.on(VENDOR, "A", 5)  # type: ignore[call-overload]

    @transfers.on(VENDOR, "B")
    def handler(charge_point: Any, data: Any) -> None: ...

    assert handler.__name__ == "handler"


# --- What is answered


@every_version
def test_a_handler_does_not_accept(version: str, server: OcppServer, transfers: DataTransfers, make_client: Make) -> None:
    info = {"reasonCode": "TooMuch"}

    @transfers.on(VENDOR)
    def handler(charge_point: Any, message_id: str, data: Any) -> None:
        raise DataTransferError(message_id, {"most": 5}, info)

    client = make_client(server.url, version=version)
    for status in ("Rejected", "UnknownMessageId", "UnknownVendorId"):
        error = refusal(client, VENDOR, status)
        assert (error.status, error.data, error.status_info) == (status, {"most": 5}, None if version == "1.6" else info)
        assert str(error).startswith(f"the DataTransfer was answered with {status}")
    with pytest.raises(CallError, match="InternalError"):
        transfer_data(client, VENDOR, "NoSuchStatus")


def test_a_handler_that_fails(server: OcppServer, transfers: DataTransfers, make_client: Make) -> None:
    @transfers.on(VENDOR)
    def handler(charge_point: Any, message_id: str, data: Any) -> Any:
        if message_id == "CallError":
            raise CallError("SecurityError", "no")
        return {1, 2} if message_id == "set" else 1 / 0

    client = make_client(server.url, version="1.6")
    for message_id, code in [("CallError", "SecurityError"), ("set", "InternalError"), ("other", "InternalError")]:
        with pytest.raises(CallError) as caught:
            transfer_data(client, VENDOR, message_id)
        assert caught.value.code == code


@every_version
def test_a_generator_goes_on_after_its_answer(version: str, server: OcppServer, make_client: Make) -> None:
    client: OcppClient = make_client(version=version)
    went_on, heartbeats = Collector(), Collector({"currentTime": "2025-01-31T12:00:00Z"})
    server.on("Heartbeat", heartbeats)
    transfers = DataTransfers(client)

    @transfers.on(VENDOR, "Go")
    def go(data: Any) -> Iterator[Any]:
        yield {"got": data}
        went_on(client.call("Heartbeat"))

    @transfers.on(VENDOR, "Return")
    def only_return(data: Any) -> Generator[Any, None, Any]:
        if data:
            raise DataTransferError
        return "returned"
        yield

    client.connect(server.url)
    connection = server.wait_for("CP1", TIMEOUT)
    assert transfer_data(connection, VENDOR, "Go", 1) == {"got": 1}
    assert went_on.next() == ({"currentTime": "2025-01-31T12:00:00Z"},)
    assert transfer_data(connection, VENDOR, "Return") == "returned"
    assert refusal(connection, VENDOR, "Return", 1).status == "Rejected"


# --- What cannot go out


@every_version
@pytest.mark.parametrize("data", [float("nan"), {1, 2}, "\ud800"], ids=repr)
def test_data_that_json_cannot_carry(version: str, data: Any, server: OcppServer, make_client: Make) -> None:
    with pytest.raises(InvalidPayload):
        transfer_data(make_client(server.url, version=version), VENDOR, "A", data)


@every_version
def test_data_that_is_no_text(version: str, server: OcppServer, make_client: Make) -> None:
    with pytest.raises(InvalidPayload, match="data: this must be a text, not dict"):
        transfer_data(make_client(server.url, version=version), VENDOR, "A", {"a": 1}, text=True)


def test_without_a_link(make_client: Make) -> None:
    with pytest.raises(NotConnected):
        transfer_data(make_client(), VENDOR, "A")


def test_json_in_a_text() -> None:
    assert write_json({"a": [1, "é"]}) == '{"a":[1,"é"]}'
    assert read_json(' {"a": [1, "é"]} ') == {"a": [1, "é"]}
    assert read_json("null") is None
    contains_itself: list[Any] = []
    contains_itself.append(contains_itself)
    for value in (contains_itself, {1, 2}, float("inf")):
        with pytest.raises(ValueError, match=r"."):
            write_json(value)


# --- The documentation

PAGE = "docs/own-messages.md"
EXAMPLES = re.findall(r"^```python\n(.*?)^```", Path(__file__).parents[1].joinpath(PAGE).read_text(encoding="utf-8"), re.M | re.S)


def test_there_is_an_example_of_each_way() -> None:
    ways = ("transfer_data(", "DataTransfers(", "OcppServer(schemas=schemas)", "schemas=schemas).connect")
    assert [way for way in ways if not any(way in example for example in EXAMPLES)] == []


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_examples_of_the_documentation_run(example: str) -> None:
    exec(compile(example, PAGE, "exec"), {})
