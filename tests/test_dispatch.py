"""What becomes of a request: each handler of each side answers exactly once, whatever it does. Over real links, seen by a raw peer."""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
from collections.abc import Callable, Generator, Iterator
from typing import Any, NamedTuple

import pytest

from ocpp_sync import CallError, OcppClient, OcppServer
from ocpp_sync.connection import Connection

from .support import TIMEOUT, VERSIONS, Collector, RawChargePoint, RawCsms, in_thread

MakeServer = Callable[..., OcppServer]
MakeClient = Callable[..., OcppClient]
MakeChargePoint = Callable[..., RawChargePoint]
MakeCsms = Callable[..., RawCsms]

SIDES = ("client", "server")
REQUEST = {"vendorId": "eParking"}  # of DataTransfer, which both sides send in every version
ACCEPTED = {"status": "Accepted"}
# Of each side one action whose response may be empty.
EMPTY_RESPONSE = {
    "client": ("CostUpdated", {"totalCost": 1.5, "transactionId": "T1"}),
    "server": ("ClearedChargingLimit", {"chargingLimitSource": "EMS"}),
}
STREAM = {"id": 1, "pending": 0, "basetime": "2025-01-31T12:00:00Z", "data": [{"t": 0.5, "v": "1"}]}
MAX_THREADS = 4

each_version = pytest.mark.parametrize("version", VERSIONS)
each_outcome = pytest.mark.parametrize(
    "error",
    [ValueError("secret-1"), SystemExit("secret-1"), KeyboardInterrupt("secret-1"), StopIteration("secret-1"), asyncio.CancelledError()],
)


class Log(logging.Handler):
    """The log of the library, record by record."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.records: queue.Queue[logging.LogRecord] = queue.Queue()

    def emit(self, record: logging.LogRecord) -> None:
        self.records.put(record)

    def next(self, fragment: str = "") -> logging.LogRecord:
        """The next record, which must hold a text."""
        record = self.records.get(timeout=TIMEOUT)
        assert fragment in record.getMessage()
        return record

    def assert_empty(self) -> None:
        assert [record.getMessage() for record in list(self.records.queue)] == []


class Link(NamedTuple):
    """A side, and the raw peer that it talks to."""

    end: Connection
    peer: RawChargePoint | RawCsms
    side: str

    def request(self, message_id: str, action: str = "DataTransfer", payload: Any = REQUEST) -> None:
        self.peer.send([2, message_id, action, payload])

    def ask(self, message_id: str, action: str = "DataTransfer", payload: Any = REQUEST) -> Any:
        """Send a request; the next message."""
        self.request(message_id, action, payload)
        return self.peer.receive()

    def assert_silent(self) -> None:
        """Nothing has come but the answer to one more request."""
        self.end.on("DataTransfer", lambda request: {"status": "Rejected"})
        assert self.ask("last") == [3, "last", {"status": "Rejected"}]


@pytest.fixture
def log() -> Iterator[Log]:
    handler = Log()
    logging.getLogger("ocpp_sync").addHandler(handler)
    yield handler
    logging.getLogger("ocpp_sync").removeHandler(handler)


@pytest.fixture(params=SIDES)
def connect(
    request: pytest.FixtureRequest, make_server: MakeServer, make_client: MakeClient, raw_csms: MakeCsms, raw_charge_point: MakeChargePoint
) -> Callable[..., Link]:
    """Links a side to a raw peer; each test that uses it runs for both sides."""

    def connect(version: str = "2.0.1", **options: Any) -> Link:
        if request.param == "client":
            csms = raw_csms(version=version)
            return Link(make_client(csms.url, version=version, **options), csms, "client")
        server = make_server(**options)
        peer = raw_charge_point(server.url, version=version)
        return Link(server.wait_for("CP1", TIMEOUT), peer, "server")

    return connect


Connect = Callable[..., Link]


# --- What is returned


@each_version
def test_b5_a_returned_dict_is_the_response(connect: Connect, version: str) -> None:
    link = connect(version)
    handler = Collector(ACCEPTED)
    link.end.on("DataTransfer", handler)
    assert link.ask("1") == [3, "1", ACCEPTED]
    assert handler.next() == (REQUEST,)


def test_none_is_an_empty_response(connect: Connect) -> None:
    link = connect()
    action, payload = EMPTY_RESPONSE[link.side]
    link.end.on(action, Collector(None))
    assert link.ask("1", action, payload) == [3, "1", {}]


def test_b14_a_null_payload_is_an_empty_dict(connect: Connect) -> None:
    link = connect("1.6")
    action, response = {"client": ("ClearCache", ACCEPTED), "server": ("Heartbeat", {"currentTime": "2025-01-31T12:00:00Z"})}[link.side]
    handler = Collector(response)
    link.end.on(action, handler)
    assert link.ask("1", action, None) == [3, "1", response]
    assert handler.next() == ({},)


@pytest.mark.parametrize("result", [[], ["status"], "Accepted", 1, True, ("status", "Accepted")])
def test_what_is_no_dict_is_an_internal_error(connect: Connect, log: Log, result: Any) -> None:
    link = connect()
    link.end.on("DataTransfer", Collector(result))
    assert link.ask("1") == [4, "1", "InternalError", "", {}]
    record = log.next("the handler of DataTransfer failed")
    assert record.exc_info is not None
    assert f"must return a dict or None, not {type(result).__name__}" in str(record.exc_info[1])


def test_a_coroutine_function_is_an_internal_error(connect: Connect, log: Log) -> None:
    async def handler(request: Any) -> Any: ...

    link = connect()
    coroutine = handler(REQUEST)
    link.end.on("DataTransfer", lambda request: coroutine)
    assert link.ask("1") == [4, "1", "InternalError", "", {}]
    log.next("the handler of DataTransfer failed")
    coroutine.close()


# --- Generators


def test_a_yielded_dict_goes_out_before_the_rest_runs(connect: Connect) -> None:
    link = connect()
    released, after = threading.Event(), Collector()

    @link.end.on("DataTransfer")
    def handler(request: Any) -> Iterator[Any]:
        yield ACCEPTED
        after(released.wait(TIMEOUT))

    assert link.ask("1") == [3, "1", ACCEPTED]
    assert after.calls.empty()
    released.set()
    assert after.next() == (True,)
    link.assert_silent()


def test_a_yielded_none_is_an_empty_response(connect: Connect) -> None:
    link = connect()
    action, payload = EMPTY_RESPONSE[link.side]
    after = Collector()

    @link.end.on(action)
    def handler(request: Any) -> Iterator[Any]:
        after((yield))

    assert link.ask("1", action, payload) == [3, "1", {}]
    assert after.next() == (None,)


def test_a_generator_without_a_yield_answers_with_what_it_returns(connect: Connect, log: Log) -> None:
    link = connect()

    @link.end.on("DataTransfer")
    def handler(request: Any) -> Generator[Any, None, Any]:
        if request != REQUEST:
            yield {"status": "Rejected"}
        return ACCEPTED

    assert link.ask("1") == [3, "1", ACCEPTED]
    assert link.ask("2", payload={"vendorId": "other"}) == [3, "2", {"status": "Rejected"}]
    action, payload = EMPTY_RESPONSE[link.side]

    @link.end.on(action)
    def empty(request: Any) -> Iterator[Any]:
        yield from ()

    assert link.ask("3", action, payload) == [3, "3", {}]
    log.assert_empty()


@pytest.mark.parametrize("result", [[], "Accepted"])
def test_a_generator_that_yields_no_dict_is_an_internal_error_and_its_rest_is_not_run(connect: Connect, log: Log, result: Any) -> None:
    link = connect()
    ended, after = Collector(), Collector()

    @link.end.on("DataTransfer")
    def handler(request: Any) -> Iterator[Any]:
        try:
            yield result
            after()
        finally:
            ended()

    assert link.ask("1") == [4, "1", "InternalError", "", {}]
    assert ended.next() == ()
    assert after.calls.empty()
    log.next("the handler of DataTransfer failed")


def test_b5_a_second_yield_is_logged_and_ends_the_generator(connect: Connect, log: Log) -> None:
    link = connect()
    ended, after = Collector(), Collector()

    @link.end.on("DataTransfer")
    def handler(request: Any) -> Iterator[Any]:
        try:
            yield ACCEPTED
            yield {"status": "Rejected"}
            after()
        finally:
            ended()

    assert link.ask("1") == [3, "1", ACCEPTED]
    record = log.next("the handler of DataTransfer yields more than once")
    assert record.levelno == logging.ERROR
    assert ended.next() == ()
    assert after.calls.empty()
    link.assert_silent()


@pytest.mark.parametrize("again", [False, True])
def test_what_a_generator_raises_when_it_is_ended_is_only_logged(connect: Connect, log: Log, again: bool) -> None:
    link = connect()

    @link.end.on("DataTransfer")
    def handler(request: Any) -> Iterator[Any]:
        yield ACCEPTED
        try:
            yield ACCEPTED
        finally:
            if again:
                yield ACCEPTED
            raise SystemExit

    assert link.ask("1") == [3, "1", ACCEPTED]
    log.next("yields more than once")
    log.next("the handler of DataTransfer failed when it was ended")
    link.assert_silent()


@pytest.mark.parametrize("error", [CallError("GenericError", "late"), ValueError("late"), SystemExit(), KeyboardInterrupt()])
def test_b5_an_exception_after_the_reply_is_only_logged(connect: Connect, log: Log, error: BaseException) -> None:
    link = connect()

    @link.end.on("DataTransfer")
    def handler(request: Any) -> Iterator[Any]:
        yield ACCEPTED
        raise error

    assert link.ask("1") == [3, "1", ACCEPTED]
    record = log.next("the handler of DataTransfer failed after its reply")
    assert record.exc_info is not None
    assert record.exc_info[1] is error
    link.assert_silent()


# --- What is raised


@each_outcome
@pytest.mark.parametrize("generator", [False, True])
def test_what_a_handler_raises_is_logged_and_none_of_it_goes_out(connect: Connect, log: Log, error: BaseException, generator: bool) -> None:
    link = connect()

    def fail(request: Any) -> Any:
        raise error

    def fail_before_yield(request: Any) -> Iterator[Any]:
        fail(request)
        yield ACCEPTED

    link.end.on("DataTransfer", fail_before_yield if generator else fail)
    assert link.ask("1") == [4, "1", "InternalError", "", {}]
    record = log.next("the handler of DataTransfer failed")
    assert record.name == "ocpp_sync"
    assert record.exc_info is not None
    assert record.exc_info[2] is not None
    # A generator turns a StopIteration into a RuntimeError of its own.
    assert error in (record.exc_info[1], record.exc_info[1] and record.exc_info[1].__cause__)
    link.assert_silent()


@pytest.mark.parametrize("generator", [False, True])
def test_a_call_error_is_the_answer(connect: Connect, log: Log, generator: bool) -> None:
    link = connect()

    def fail(request: Any) -> Any:
        raise CallError("SecurityError", "not you", {"hint": ["a", 1]})

    def fail_before_yield(request: Any) -> Iterator[Any]:
        fail(request)
        yield ACCEPTED

    link.end.on("DataTransfer", fail_before_yield if generator else fail)
    assert link.ask("1") == [4, "1", "SecurityError", "not you", {"hint": ["a", 1]}]
    link.assert_silent()
    log.assert_empty()


def test_a_call_error_without_a_text(connect: Connect) -> None:
    link = connect()

    @link.end.on("DataTransfer")
    def handler(request: Any) -> Any:
        raise CallError("NotSupported")

    assert link.ask("1") == [4, "1", "NotSupported", "", {}]


@each_version
def test_b13_a_long_description_is_cut_in_2x(connect: Connect, version: str) -> None:
    link = connect(version)

    @link.end.on("DataTransfer")
    def handler(request: Any) -> Any:
        raise CallError("GenericError", "é" * 300)

    assert link.ask("1") == [4, "1", "GenericError", "é" * (300 if version == "1.6" else 255), {}]


@each_version
@pytest.mark.parametrize(
    ("code", "in_16", "in_2x"),
    [
        ("FormatViolation", "FormationViolation", "FormatViolation"),
        ("FormationViolation", "FormationViolation", "FormatViolation"),
        ("OccurrenceConstraintViolation", "OccurenceConstraintViolation", "OccurrenceConstraintViolation"),
        ("OccurenceConstraintViolation", "OccurenceConstraintViolation", "OccurrenceConstraintViolation"),
        ("RpcFrameworkError", "GenericError", "RpcFrameworkError"),
        ("MessageTypeNotSupported", "GenericError", "MessageTypeNotSupported"),
        ("SecurityError", "SecurityError", "SecurityError"),
    ],
)
def test_b10_b11_codes_are_spelt_for_the_version(connect: Connect, version: str, code: str, in_16: str, in_2x: str) -> None:
    link = connect(version)

    @link.end.on("DataTransfer")
    def handler(request: Any) -> Any:
        raise CallError(code)

    assert link.ask("1") == [4, "1", in_16 if version == "1.6" else in_2x, "", {}]


@pytest.mark.parametrize("details", [{"value": float("nan")}, {"value": object()}, {"value": "\ud800"}])
def test_b5_details_that_json_cannot_carry_are_an_internal_error(connect: Connect, log: Log, details: dict[str, Any]) -> None:
    link = connect()

    @link.end.on("DataTransfer")
    def handler(request: Any) -> Any:
        raise CallError("GenericError", "x", details)

    assert link.ask("1") == [4, "1", "InternalError", "", {}]
    log.next("the answer to DataTransfer cannot be sent")
    link.assert_silent()


# --- Invalid responses


def test_an_invalid_response_is_an_internal_error(connect: Connect, log: Log) -> None:
    link = connect()
    link.end.on("DataTransfer", Collector({"status": "Maybe"}))
    assert link.ask("1") == [4, "1", "InternalError", "", {}]
    record = log.next("the handler of DataTransfer failed")
    assert record.exc_info is not None
    assert "Maybe" in str(record.exc_info[1])


def test_an_invalid_response_can_be_sent_with_a_warning(connect: Connect, log: Log) -> None:
    link = connect(validation="warn")
    link.end.on("DataTransfer", Collector({"status": "Maybe"}))
    assert link.ask("1") == [3, "1", {"status": "Maybe"}]
    assert log.next("CP1: sent although invalid: response to DataTransfer: status").levelno == logging.WARNING


@pytest.mark.parametrize("validation", ["off", {"out": "off"}, {"DataTransfer": "off"}, {"out:DataTransfer": "off", "out": "strict"}])
def test_an_invalid_response_can_be_sent_unseen(connect: Connect, log: Log, validation: Any) -> None:
    link = connect(validation=validation)
    link.end.on("DataTransfer", Collector({"status": "Maybe"}))
    assert link.ask("1") == [3, "1", {"status": "Maybe"}]
    log.assert_empty()


@pytest.mark.parametrize("validation", ["warn", "off"])
def test_b5_a_response_that_json_cannot_carry_is_an_internal_error_and_the_rest_is_not_run(
    connect: Connect, log: Log, validation: str
) -> None:
    link = connect(validation=validation)
    ended, after = Collector(), Collector()

    @link.end.on("DataTransfer")
    def handler(request: Any) -> Iterator[Any]:
        try:
            yield {"status": float("nan")}
            after()
        finally:
            ended()

    assert link.ask("1") == [4, "1", "InternalError", "", {}]
    if validation == "warn":
        log.next("sent although invalid")
    log.next("the answer to DataTransfer cannot be sent")
    assert ended.next() == ()
    assert after.calls.empty()


# --- Invalid requests

VIOLATIONS = {
    "missing": ({}, "OccurenceConstraintViolation", "OccurrenceConstraintViolation"),
    "extra": ({"vendorId": "x", "vendor": "x"}, "FormationViolation", "FormatViolation"),
    "no object": ([], "FormationViolation", "FormatViolation"),
    "type": ({"vendorId": 1}, "TypeConstraintViolation", "TypeConstraintViolation"),
    "length": ({"vendorId": "x" * 256}, "PropertyConstraintViolation", "PropertyConstraintViolation"),
}


@each_version
@pytest.mark.parametrize("violation", VIOLATIONS)
def test_b12_the_code_for_an_invalid_request(connect: Connect, version: str, violation: str) -> None:
    link = connect(version)
    handler = Collector(ACCEPTED)
    link.end.on("DataTransfer", handler)
    payload, in_16, in_2x = VIOLATIONS[violation]
    kind, message_id, code, description, details = link.ask("1", payload=payload)
    assert (kind, message_id, code, details) == (4, "1", in_16 if version == "1.6" else in_2x, {})
    assert description
    assert handler.calls.empty()
    link.assert_silent()


@each_version
def test_b12_the_code_for_a_value_that_is_not_listed(connect: Connect, version: str) -> None:
    link = connect(version)
    action = {"client": "TriggerMessage", "server": "FirmwareStatusNotification"}[link.side]
    field = {"client": "requestedMessage", "server": "status"}[link.side]
    link.end.on(action, Collector(ACCEPTED))
    answer = link.ask("1", action, {field: "Sleeping"})
    assert answer[:3] == [4, "1", "PropertyConstraintViolation"]
    assert field in answer[3]
    assert len(answer[3]) <= 255


def test_an_invalid_request_can_be_delivered_with_a_warning(connect: Connect, log: Log) -> None:
    link = connect(validation={"in": "warn"})
    handler = Collector(ACCEPTED)
    link.end.on("DataTransfer", handler)
    assert link.ask("1", payload={"vendor": "x"}) == [3, "1", ACCEPTED]
    assert handler.next() == ({"vendor": "x"},)
    log.next("CP1: delivered although invalid: DataTransfer")


def test_an_invalid_request_can_be_delivered_unseen(connect: Connect, log: Log) -> None:
    link = connect(validation={"in:DataTransfer": "off"})
    handler = Collector(ACCEPTED)
    link.end.on("DataTransfer", handler)
    assert link.ask("1", payload={"vendor": "x"}) == [3, "1", ACCEPTED]
    assert handler.next() == ({"vendor": "x"},)
    log.assert_empty()


# --- Which actions


@each_version
def test_b8_an_action_that_the_version_does_not_define(connect: Connect, version: str) -> None:
    link = connect(version)
    other = "GetVariables" if version == "1.6" else "RemoteStartTransaction"
    for message_id, action in enumerate(["Nonsense", "reset", "DataTransferRequest", "", other]):
        assert link.ask(str(message_id), action)[:3] == [4, str(message_id), "NotImplemented"]


@each_version
def test_b8_an_action_without_a_handler(connect: Connect, version: str) -> None:
    link = connect(version)
    assert link.ask("1")[:3] == [4, "1", "NotSupported"]
    # Its payload is no matter then.
    assert link.ask("2", payload={"vendor": 1})[:3] == [4, "2", "NotSupported"]


@each_version
@pytest.mark.parametrize("star", [False, True])
def test_b8_an_action_that_this_side_sends(connect: Connect, version: str, star: bool) -> None:
    link = connect(version)
    handler = Collector({})
    if star:
        link.end.on("*", handler)
    action = {"client": "Heartbeat", "server": "ClearCache"}[link.side]
    assert link.ask("1", action, {})[:3] == [4, "1", "NotSupported"]
    assert handler.calls.empty()


def test_b8_without_validation_every_action_is_delivered(connect: Connect) -> None:
    link = connect(validation={"in": "off"})
    handler = Collector({"anything": 1})
    link.end.on("*", handler)
    own = {"client": "Heartbeat", "server": "ClearCache"}[link.side]
    assert link.ask("1", "Nonsense", {"x": 1}) == [3, "1", {"anything": 1}]
    assert handler.next() == ("Nonsense", {"x": 1})
    assert link.ask("2", own, {"x": 1})[:3] == [4, "2", "InternalError"]  # the response is still checked
    assert handler.next() == (own, {"x": 1})


@each_version
def test_b5_whatever_happens_there_is_one_answer_for_each_request(connect: Connect, version: str) -> None:
    link = connect(version)
    outcomes: list[Any] = [ACCEPTED, None, [], CallError("GenericError"), ValueError(), SystemExit(), {"status": "Maybe"}]

    @link.end.on("DataTransfer")
    def handler(request: Any) -> Any:
        outcome = outcomes[int(request["messageId"])]
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    sent = [f"{number}" for number in range(len(outcomes))]
    for message_id in sent:
        link.request(message_id, payload={**REQUEST, "messageId": message_id})
    link.request("invalid", payload={})
    link.request("undefined", "Nonsense")
    link.request("last", payload={**REQUEST, "messageId": "0"})
    answers = [link.peer.receive() for _ in range(len(sent) + 3)]
    assert [answer[1] for answer in answers] == [*sent, "invalid", "undefined", "last"]
    assert [answer[0] for answer in answers] == [3, *[4] * (len(sent) + 1), 3]
    link.assert_silent()


def test_b9_a_request_that_repeats_an_id_does_not_disturb_the_first(connect: Connect) -> None:
    link = connect()
    released = threading.Event()

    @link.end.on("DataTransfer")
    def handler(request: Any) -> Any:
        released.wait(TIMEOUT)
        return ACCEPTED

    link.request("1")
    assert link.ask("1")[:3] == [4, "1", "RpcFrameworkError"]
    released.set()
    assert link.peer.receive() == [3, "1", ACCEPTED]
    assert link.ask("1") == [3, "1", ACCEPTED]


# --- Order, threads, and calls in handlers


def test_requests_are_handled_in_their_order(connect: Connect) -> None:
    link = connect()
    count = 200
    seen: list[str] = []

    @link.end.on("DataTransfer")
    def handler(request: Any) -> Any:
        seen.append(request["messageId"])
        return ACCEPTED

    ids = [str(number) for number in range(count)]
    for message_id in ids:
        link.request(message_id, payload={**REQUEST, "messageId": message_id})
    assert [link.peer.receive()[1] for _ in ids] == ids
    assert seen == ids


def test_one_request_is_handled_at_a_time(connect: Connect) -> None:
    link = connect()
    entered, turns = Collector(), threading.Semaphore(0)

    @link.end.on("DataTransfer")
    def handler(request: Any) -> Any:
        entered(threading.current_thread().name, threading.get_ident())
        assert turns.acquire(timeout=TIMEOUT)
        return ACCEPTED

    for number in range(3):
        link.request(str(number))
    link.peer.sync()
    threads: set[tuple[str, int]] = set()
    for number in range(3):
        threads.add(entered.next())
        assert entered.calls.empty()
        turns.release()
        assert link.peer.receive() == [3, str(number), ACCEPTED]
    ((name, _),) = threads
    assert name == "ocpp-handler CP1"


@each_version
def test_a_handler_can_call(connect: Connect, version: str) -> None:
    link = connect(version)

    @link.end.on("DataTransfer")
    def handler(request: Any) -> Any:
        return link.end.call("DataTransfer", {"vendorId": "mine"}, timeout=TIMEOUT)

    kind, message_id, action, payload = link.ask("1")
    assert (kind, action, payload) == (2, "DataTransfer", {"vendorId": "mine"})
    link.peer.send([3, message_id, {"status": "UnknownVendorId"}])
    assert link.peer.receive() == [3, "1", {"status": "UnknownVendorId"}]


@pytest.mark.parametrize("catch", [False, True])
def test_a_call_error_that_a_handler_gets_goes_on_as_its_own_answer(connect: Connect, catch: bool) -> None:
    link = connect()

    @link.end.on("DataTransfer")
    def handler(request: Any) -> Any:
        try:
            return link.end.call("DataTransfer", REQUEST, timeout=TIMEOUT)
        except CallError:
            if not catch:
                raise
            return {"status": "Rejected"}

    _, message_id, _, _ = link.ask("1")
    link.peer.send([4, message_id, "GenericError", "no", {}])
    assert link.peer.receive() == ([3, "1", {"status": "Rejected"}] if catch else [4, "1", "GenericError", "no", {}])


@each_version
def test_a_request_is_served_while_a_continuation_waits_for_its_own_call(connect: Connect, version: str) -> None:
    link = connect(version)
    results = Collector()

    @link.end.on("DataTransfer")
    def handler(request: Any) -> Iterator[Any]:
        yield ACCEPTED
        if request == REQUEST:
            results(link.end.call("DataTransfer", {"vendorId": "mine"}, timeout=TIMEOUT))

    assert link.ask("1") == [3, "1", ACCEPTED]
    _, message_id, _, _ = link.peer.receive()
    # The peer answers only when it has its own answer.
    assert link.ask("2", payload={"vendorId": "crossing"}) == [3, "2", ACCEPTED]
    link.peer.send([3, message_id, {"status": "UnknownMessageId"}])
    assert results.next() == ({"status": "UnknownMessageId"},)


def test_continuations_get_a_few_threads_and_no_more(connect: Connect) -> None:
    link = connect()
    count = 3 * MAX_THREADS
    lock, turns, entered = threading.Lock(), threading.Semaphore(0), Collector()
    running: set[threading.Thread] = set()
    most = 0

    @link.end.on("DataTransfer")
    def handler(request: Any) -> Iterator[Any]:
        nonlocal most
        yield ACCEPTED
        with lock:
            running.add(threading.current_thread())
            most = max(most, len(running))
        entered()
        assert turns.acquire(timeout=TIMEOUT)
        with lock:
            running.discard(threading.current_thread())

    ids = [str(number) for number in range(count)]
    for message_id in ids:
        link.request(message_id)
    answered = []
    for _ in range(MAX_THREADS):
        answered.append(link.peer.receive()[1])
        entered.next()
    # Nobody is left to serve the next one until a continuation ends.
    link.peer.sync()
    assert most == len(running) == MAX_THREADS
    assert sum(thread.name == "ocpp-handler CP1" for thread in threading.enumerate()) == MAX_THREADS
    for _ in ids[MAX_THREADS:]:
        turns.release()
        answered.append(link.peer.receive()[1])
        entered.next()
    for _ in range(MAX_THREADS):
        turns.release()
    assert answered == ids
    assert most == MAX_THREADS
    link.assert_silent()


def test_a_continuation_that_calls_and_the_caller_of_another_thread_take_turns(connect: Connect) -> None:
    link = connect()
    results = Collector()

    @link.end.on("DataTransfer")
    def handler(request: Any) -> Iterator[Any]:
        yield ACCEPTED
        results(link.end.call("DataTransfer", {"vendorId": "continuation"}, timeout=TIMEOUT)["status"])

    outside = in_thread(link.end.call, "DataTransfer", {"vendorId": "outside"}, timeout=TIMEOUT)
    _, first, _, payload = link.peer.receive()
    assert payload == {"vendorId": "outside"}
    assert link.ask("1") == [3, "1", ACCEPTED]
    link.peer.send([3, first, ACCEPTED])
    assert outside.result() == ACCEPTED
    _, second, _, payload = link.peer.receive()
    assert payload == {"vendorId": "continuation"}
    link.peer.send([3, second, {"status": "Rejected"}])
    assert results.next() == ("Rejected",)


# --- The link goes


def lose(link: Link) -> None:
    """The peer closes; return when this side has seen it."""
    link.peer.socket.close()
    assert link.end.wait_closed(TIMEOUT)


def test_the_rest_is_not_run_when_the_link_goes_before_the_reply(connect: Connect, log: Log) -> None:
    link = connect()
    entered, released, ended, after = Collector(), threading.Event(), Collector(), Collector()

    @link.end.on("DataTransfer")
    def handler(request: Any) -> Iterator[Any]:
        entered()
        released.wait(TIMEOUT)
        try:
            yield ACCEPTED
            after()
        finally:
            ended()

    link.request("1")
    entered.next()
    lose(link)
    released.set()
    assert ended.next() == ()
    assert after.calls.empty()
    log.assert_empty()


def test_the_rest_is_not_run_when_the_handler_itself_closes_the_link(connect: Connect, log: Log) -> None:
    link = connect()
    ended, after = Collector(), Collector()

    @link.end.on("DataTransfer")
    def handler(request: Any) -> Iterator[Any]:
        link.end.close()
        try:
            yield ACCEPTED
            after()
        finally:
            ended()

    link.request("1")
    assert link.peer.receive_close()[0] == 1000
    assert ended.next() == ()
    assert after.calls.empty()
    log.assert_empty()


def test_the_rest_is_not_run_when_the_link_breaks_under_the_reply(connect: Connect) -> None:
    link = connect()
    ended, after = Collector(), Collector()
    current = link.end._link
    assert current is not None

    @link.end.on("frame")
    def cut(direction: str, text: str) -> None:
        if direction == "out":
            current.abort()

    @link.end.on("DataTransfer")
    def handler(request: Any) -> Iterator[Any]:
        try:
            yield ACCEPTED
            after()
        finally:
            ended()

    link.request("1")
    assert link.peer.receive_close()[0] == 1006
    assert ended.next() == ()
    assert after.calls.empty()


def test_the_rest_is_run_when_the_link_goes_after_the_reply(connect: Connect) -> None:
    link = connect()
    released, after = threading.Event(), Collector()

    @link.end.on("DataTransfer")
    def handler(request: Any) -> Iterator[Any]:
        yield ACCEPTED
        released.wait(TIMEOUT)
        after(link.end.connected)

    assert link.ask("1") == [3, "1", ACCEPTED]
    lose(link)
    released.set()
    assert after.next() == (False,)


@pytest.mark.parametrize("outcome", [ACCEPTED, CallError("GenericError"), None])
def test_b5_an_answer_without_a_link_is_dropped(connect: Connect, log: Log, outcome: Any) -> None:
    link = connect()
    entered, released, closed = Collector(), threading.Event(), Collector()
    link.end.on("close", closed)

    @link.end.on("DataTransfer")
    def handler(request: Any) -> Any:
        entered()
        released.wait(TIMEOUT)
        if isinstance(outcome, CallError):
            raise outcome
        return ACCEPTED

    link.request("1")
    link.request("2")
    entered.next()
    link.peer.sync()
    lose(link)
    released.set()
    # Its event comes after all requests: the second one was not handled at all.
    closed.next()
    assert entered.calls.empty()
    log.assert_empty()


def test_b5_an_answer_does_not_go_out_by_the_next_link(make_client: MakeClient, raw_csms: MakeCsms) -> None:
    csms = raw_csms()
    client = make_client(csms.url)
    link = Link(client, csms, "client")
    entered, released = Collector(), threading.Event()

    @client.on("DataTransfer")
    def handler(request: Any) -> Any:
        entered()
        released.wait(TIMEOUT)
        return ACCEPTED

    link.request("1")
    entered.next()
    lose(link)
    client.connect(csms.url)
    csms.next_socket()
    released.set()
    assert link.ask("1") == [3, "1", ACCEPTED]
    link.assert_silent()


# --- SEND


def test_b17_a_send_is_handled_and_never_answered(server: OcppServer, raw_charge_point: MakeChargePoint, log: Log) -> None:
    peer = raw_charge_point(server.url, version="2.1")
    link = Link(server.wait_for("CP1", TIMEOUT), peer, "server")
    handler = Collector(None)
    link.end.on("NotifyPeriodicEventStream", handler)
    peer.send([6, "1", "NotifyPeriodicEventStream", STREAM])
    assert handler.next() == (STREAM,)
    link.assert_silent()
    log.assert_empty()


@pytest.mark.parametrize("result", [{}, {"status": "Accepted"}])
def test_b17_what_the_handler_of_a_send_returns_goes_nowhere(
    server: OcppServer, raw_charge_point: MakeChargePoint, result: dict[str, Any]
) -> None:
    peer = raw_charge_point(server.url, version="2.1")
    link = Link(server.wait_for("CP1", TIMEOUT), peer, "server")
    handler = Collector(result)
    link.end.on("NotifyPeriodicEventStream", handler)
    peer.send([6, "1", "NotifyPeriodicEventStream", STREAM])
    assert handler.next() == (STREAM,)
    link.assert_silent()


def test_b17_the_handler_of_a_send_can_be_a_generator(server: OcppServer, raw_charge_point: MakeChargePoint) -> None:
    peer = raw_charge_point(server.url, version="2.1")
    link = Link(server.wait_for("CP1", TIMEOUT), peer, "server")
    after = Collector()

    @link.end.on("NotifyPeriodicEventStream")
    def handler(request: Any) -> Iterator[Any]:
        yield
        after(request)

    peer.send([6, "1", "NotifyPeriodicEventStream", STREAM])
    assert after.next() == (STREAM,)
    link.assert_silent()


@each_outcome
def test_b17_what_the_handler_of_a_send_raises_is_logged(
    server: OcppServer, raw_charge_point: MakeChargePoint, log: Log, error: BaseException
) -> None:
    peer = raw_charge_point(server.url, version="2.1")
    link = Link(server.wait_for("CP1", TIMEOUT), peer, "server")

    @link.end.on("NotifyPeriodicEventStream")
    def handler(request: Any) -> Any:
        raise error

    peer.send([6, "1", "NotifyPeriodicEventStream", STREAM])
    record = log.next("the handler of NotifyPeriodicEventStream failed")
    assert record.exc_info is not None
    assert record.exc_info[1] is error
    link.assert_silent()


@pytest.mark.parametrize(
    ("action", "payload", "reason"),
    [
        ("NotifyPeriodicEventStream", {"id": 1}, "OccurrenceConstraintViolation"),
        ("NotifyPeriodicEventStream", {**STREAM, "id": "1"}, "TypeConstraintViolation"),
        ("DataTransfer", REQUEST, "ProtocolError: DataTransfer is a CALL, which is answered"),
        ("Nonsense", {}, "NotImplemented"),
        ("NotifyEvent", {}, "NotSupported"),
    ],
)
def test_b17_an_invalid_send_is_logged_and_never_answered(
    server: OcppServer, raw_charge_point: MakeChargePoint, log: Log, action: str, payload: dict[str, Any], reason: str
) -> None:
    peer = raw_charge_point(server.url, version="2.1")
    link = Link(server.wait_for("CP1", TIMEOUT), peer, "server")
    handler = Collector(ACCEPTED)
    for known in ("NotifyPeriodicEventStream", "DataTransfer"):
        link.end.on(known, handler)
    peer.send([6, "1", action, payload])
    assert reason in log.next("CP1: a SEND was not handled").getMessage()
    assert handler.calls.empty()
    link.assert_silent()


def test_b17_a_send_to_the_side_that_sends_it(make_client: MakeClient, raw_csms: MakeCsms, log: Log) -> None:
    csms = raw_csms(version="2.1")
    link = Link(make_client(csms.url, version="2.1"), csms, "client")
    star = Collector({})
    link.end.on("*", star)
    csms.send([6, "1", "NotifyPeriodicEventStream", STREAM])
    log.next("NotifyPeriodicEventStream is sent by the charge point, not to it")
    assert star.calls.empty()
    link.assert_silent()


def test_b17_a_call_of_what_must_be_sent(server: OcppServer, raw_charge_point: MakeChargePoint) -> None:
    peer = raw_charge_point(server.url, version="2.1")
    link = Link(server.wait_for("CP1", TIMEOUT), peer, "server")
    handler = Collector({})
    link.end.on("NotifyPeriodicEventStream", handler)
    answer = link.ask("1", "NotifyPeriodicEventStream", STREAM)
    assert answer[:3] == [4, "1", "ProtocolError"]
    assert "SEND" in answer[3]
    assert handler.calls.empty()


def test_sends_and_calls_are_handled_in_their_order(server: OcppServer, raw_charge_point: MakeChargePoint) -> None:
    peer = raw_charge_point(server.url, version="2.1")
    link = Link(server.wait_for("CP1", TIMEOUT), peer, "server")
    seen = Collector(ACCEPTED)
    link.end.on("NotifyPeriodicEventStream", lambda request: seen("send", request["id"]))
    link.end.on("DataTransfer", lambda request: seen("call", request["messageId"]))
    for number in range(10):
        peer.send([6, f"s{number}", "NotifyPeriodicEventStream", {**STREAM, "id": number}])
        link.request(f"c{number}", payload={**REQUEST, "messageId": str(number)})
    for number in range(10):
        assert seen.next() == ("send", number)
        assert seen.next() == ("call", str(number))
        assert peer.receive() == [3, f"c{number}", ACCEPTED]
