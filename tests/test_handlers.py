"""What ``on()`` takes and refuses, and which handler a request or an event reaches."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from ocpp_sync import OcppClient, OcppServer
from ocpp_sync.handlers import Handlers

from .support import TIMEOUT, Collector, RawChargePoint, RawCsms

MakeServer = Callable[..., OcppServer]
MakeClient = Callable[..., OcppClient]
MakeChargePoint = Callable[..., RawChargePoint]
MakeCsms = Callable[..., RawCsms]

ACCEPTED = {"status": "Accepted"}
REQUEST = {"vendorId": "eParking"}

message_ids = map("m{}".format, itertools.count())


def ask(peer: RawChargePoint | RawCsms, action: str = "DataTransfer", payload: dict[str, Any] | None = None) -> Any:
    """The payload that answers a request of a raw peer, or the code of the CALLERROR."""
    message_id = next(message_ids)
    peer.send([2, message_id, action, REQUEST if payload is None else payload])
    kind, answered, *rest = peer.receive()
    assert (kind, answered) in ((3, message_id), (4, message_id))
    return rest[0]


def says(text: str) -> dict[str, Any]:
    """A response by which the handler is known."""
    return {"status": "Accepted", "statusInfo": {"reasonCode": text}}


def handlers(*versions: str, side: str = "CSMS") -> Handlers:
    return Handlers(("connect", "close", "error", "frame"), versions or ("2.0.1",), side)


# --- Registering


@pytest.mark.parametrize("name", ["Reset", "*", "close"])
def test_on_is_a_call_and_a_decorator_and_returns_the_function(name: str) -> None:
    def handler() -> None: ...

    def decorated() -> None: ...

    registered = handlers()
    assert registered.on(name, handler) is handler
    assert registered.on(name)(decorated) is decorated
    found = registered.event(name) if name == "close" else (registered.action(name),)
    assert found == ((handler, decorated) if name == "close" else (decorated,))


def test_on_is_the_same_on_client_server_and_connection(
    make_server: MakeServer, make_client: MakeClient, raw_charge_point: MakeChargePoint
) -> None:
    server, client = make_server(), make_client()
    raw_charge_point(server.url)
    for end in (server, client, server.wait_for("CP1", TIMEOUT)):
        plain, decorated = Collector(), Collector()
        assert end.on("DataTransfer", plain) is plain
        assert end.on("DataTransfer")(decorated) is decorated


@pytest.mark.parametrize(
    ("versions", "name", "hint"),
    [
        (("2.0.1",), "conect", "'conect' is no event; did you mean 'connect'?"),
        (("2.0.1",), "Connect", "'Connect' is no action of OCPP 2.0.1; did you mean 'connect'?"),
        (("2.0.1",), "reset", "'reset' is no event; did you mean 'Reset'?"),
        (("2.0.1",), "GetVariablesRequest", "'GetVariablesRequest' is no action of OCPP 2.0.1; did you mean 'GetVariables'?"),
        (("1.6",), "RequestStartTransaction", "no action of OCPP 1.6; did you mean 'RemoteStartTransaction'?"),
        (("2.0.1", "1.6"), "GetTarifs", "'GetTarifs' is no action of OCPP 2.0.1, 1.6"),
        (("2.1",), "GetTarifs", "did you mean 'GetTariffs'?"),
        (("2.0.1",), "", "'' is no action"),
        (("2.0.1",), "zzz", "'zzz' is no event"),
        (("2.0.1",), "Z" * 10_000, "'" + "Z" * 60 + "' is no action"),
    ],
)
def test_a_wrong_name_is_refused_with_a_suggestion(versions: tuple[str, ...], name: str, hint: str) -> None:
    with pytest.raises(ValueError) as refused:
        handlers(*versions).on(name, print)
    assert hint in str(refused.value)
    assert len(str(refused.value)) < 200


def test_a_wrong_name_is_refused_before_the_decorator_is_applied() -> None:
    with pytest.raises(ValueError):
        handlers().on("conect")


@pytest.mark.parametrize(
    ("end", "name"),
    [("client", "connection"), ("client", "authorization"), ("server", "connect"), ("connection", "connection"), ("connection", "connect")],
)
def test_an_event_of_another_end_is_unknown(
    make_server: MakeServer, make_client: MakeClient, raw_charge_point: MakeChargePoint, end: str, name: str
) -> None:
    server = make_server()
    raw_charge_point(server.url)
    ends = {"client": make_client(), "server": server, "connection": server.wait_for("CP1", TIMEOUT)}
    with pytest.raises(ValueError, match=f"'{name}' is no event"):
        ends[end].on(name, print)  # type: ignore[attr-defined]


def test_an_action_that_this_side_sends_is_refused(
    make_server: MakeServer, make_client: MakeClient, raw_charge_point: MakeChargePoint
) -> None:
    server = make_server()
    raw_charge_point(server.url)
    for end in (server, server.wait_for("CP1", TIMEOUT)):
        with pytest.raises(ValueError, match="'Reset' is sent by the CSMS"):
            end.on("Reset", print)
    with pytest.raises(ValueError, match="'BootNotification' is sent by the charge point"):
        make_client().on("BootNotification", print)


def test_an_action_of_any_of_several_versions_is_taken(make_server: MakeServer, make_client: MakeClient) -> None:
    client = make_client(version=["2.1", "1.6"])
    for action in ("RemoteStartTransaction", "RequestStartTransaction", "GetTariffs"):
        client.on(action, print)
    server = make_server(listen=False, versions=("1.6",))
    server.on("StartTransaction", print)
    with pytest.raises(ValueError, match="'TransactionEvent' is no action"):
        server.on("TransactionEvent", print)


@pytest.mark.parametrize("name", ["Reset", "*", "close"])
@pytest.mark.parametrize("handler", [42, "print", {}])
def test_a_handler_that_cannot_be_called_is_refused(name: str, handler: Any) -> None:
    registered = handlers()
    with pytest.raises(TypeError, match="cannot be called"):
        registered.on(name, handler)
    with pytest.raises(TypeError, match="cannot be called"):
        registered.on(name)(handler)
    assert registered.action(name) is None
    assert registered.event(name) == ()


def test_a_decorator_without_its_parentheses_is_refused(make_client: MakeClient) -> None:
    with pytest.raises(TypeError, match=r"on\(\) takes the name of an action or event first"):
        make_client().on(print)  # type: ignore[call-overload]


# --- Actions


def test_the_last_handler_of_an_action_replaces_the_others(server: OcppServer, raw_charge_point: MakeChargePoint) -> None:
    peer = raw_charge_point(server.url)
    for text in ("first", "second"):
        server.on("DataTransfer", Collector(says(text)))
        assert ask(peer) == says(text)


def test_a_handler_can_replace_itself(server: OcppServer, raw_charge_point: MakeChargePoint) -> None:
    def first(charge_point: Any, request: Any) -> dict[str, Any]:
        server.on("DataTransfer", Collector(says("second")))
        return says("first")

    server.on("DataTransfer", first)
    peer = raw_charge_point(server.url)
    assert [ask(peer), ask(peer)] == [says("first"), says("second")]


def test_what_handlers_of_a_client_are_called_with(make_client: MakeClient, raw_csms: MakeCsms) -> None:
    csms = raw_csms()
    client = make_client(csms.url)
    own, every = Collector(ACCEPTED), Collector(ACCEPTED)
    client.on("DataTransfer", own)
    client.on("*", every)
    assert ask(csms) == ACCEPTED
    assert ask(csms, "ClearCache", {}) == ACCEPTED
    assert own.next() == (REQUEST,)
    assert every.next() == ("ClearCache", {})
    assert own.calls.empty()
    assert every.calls.empty()


def test_what_handlers_of_a_server_and_a_connection_are_called_with(server: OcppServer, raw_charge_point: MakeChargePoint) -> None:
    peer = raw_charge_point(server.url)
    charge_point = server.wait_for("CP1", TIMEOUT)
    # From the last resort to the first choice: each takes the requests over from the one before it.
    for end, name, expected in [
        (server, "*", (charge_point, "DataTransfer", REQUEST)),
        (charge_point, "*", ("DataTransfer", REQUEST)),
        (server, "DataTransfer", (charge_point, REQUEST)),
        (charge_point, "DataTransfer", (REQUEST,)),
    ]:
        collector = Collector(ACCEPTED)
        end.on(name, collector)  # type: ignore[attr-defined]
        assert ask(peer) == ACCEPTED
        assert collector.next() == expected


def test_the_star_leaves_other_actions_alone(server: OcppServer, raw_charge_point: MakeChargePoint) -> None:
    peer = raw_charge_point(server.url)
    server.on("DataTransfer", Collector(says("own")))
    star = Collector({"currentTime": "2025-01-31T12:00:00Z"})
    server.wait_for("CP1", TIMEOUT).on("*", star)
    assert ask(peer) == says("own")
    assert ask(peer, "Heartbeat", {}) == star.result
    assert star.next() == ("Heartbeat", {})


def test_b8_the_star_is_not_asked_about_an_action_that_is_none(server: OcppServer, raw_charge_point: MakeChargePoint) -> None:
    star = Collector(ACCEPTED)
    server.on("*", star)
    peer = raw_charge_point(server.url, version="1.6")
    assert ask(peer, "TransactionEvent", {}) == "NotImplemented"
    assert ask(peer, "*", {}) == "NotImplemented"
    assert ask(peer, "close", {}) == "NotImplemented"
    assert star.calls.empty()


def test_a_connections_handlers_are_its_own(server: OcppServer, raw_charge_point: MakeChargePoint) -> None:
    first, second = raw_charge_point(server.url, "CP1"), raw_charge_point(server.url, "CP2")
    server.on("DataTransfer", Collector(says("server")))
    server.wait_for("CP1", TIMEOUT).on("DataTransfer", Collector(says("CP1")))
    assert (ask(first), ask(second)) == (says("CP1"), says("server"))


# --- Events


def test_an_event_has_several_handlers_in_their_order(server: OcppServer, raw_charge_point: MakeChargePoint) -> None:
    seen = Collector()
    for number in range(3):
        server.on("connection", lambda charge_point, number=number: seen(number))
    raw_charge_point(server.url)
    assert [seen.next() for _ in range(3)] == [(0,), (1,), (2,)]


def test_a_connections_event_handlers_come_before_those_of_the_server(server: OcppServer, raw_charge_point: MakeChargePoint) -> None:
    peer = raw_charge_point(server.url)
    charge_point = server.wait_for("CP1", TIMEOUT)
    seen = Collector()
    server.on("close", lambda *arguments: seen("server", *arguments))
    charge_point.on("close", lambda *arguments: seen("own", *arguments))
    peer.socket.close(4000, "enough")
    assert seen.next() == ("own", 4000, "enough")
    assert seen.next() == ("server", charge_point, 4000, "enough")


def test_the_events_of_a_client(make_client: MakeClient, raw_csms: MakeCsms) -> None:
    csms, client, seen = raw_csms(), make_client(), Collector()
    client.on("connect", lambda: seen("connect"))
    client.on("close", lambda code, reason: seen("close", code, reason))
    client.connect(csms.url)
    assert seen.next() == ("connect",)
    csms.socket.close(4000, "enough")
    assert seen.next() == ("close", 4000, "enough")


@pytest.mark.parametrize("error", [ValueError("no"), SystemExit(1), asyncio.CancelledError()])
def test_what_an_event_handler_raises_keeps_nothing_from_running(
    server: OcppServer, raw_charge_point: MakeChargePoint, caplog: pytest.LogCaptureFixture, error: BaseException
) -> None:
    def fail(charge_point: Any) -> None:
        raise error

    after = Collector()
    server.on("connection", fail)
    server.on("connection", after)
    server.on("DataTransfer", Collector(ACCEPTED))
    peer = raw_charge_point(server.url)
    assert after.next() == (server["CP1"],)
    assert ask(peer) == ACCEPTED
    (record,) = [record for record in caplog.records if "the event 'connection' failed" in record.getMessage()]
    assert record.exc_info is not None
    assert record.exc_info[1] is error


def test_ctrl_c_in_a_handler_is_not_swallowed() -> None:
    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    registered = handlers()
    registered.on("frame", interrupted)
    with pytest.raises(KeyboardInterrupt):
        registered.emit("frame", "out", "[]")


def test_an_event_without_handlers_and_an_unknown_one_have_none() -> None:
    registered = handlers()
    registered.on("close", SimpleNamespace)
    assert registered.event("error") == registered.event("connection") == ()
    registered.emit("error", ValueError())
