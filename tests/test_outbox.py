"""What is put into the outbox reaches the CSMS (rules D7 to D13): real sockets and files, on a clock that stands still."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

import pytest

from ocpp_sync import (
    Backoff,
    CallError,
    CallTimeout,
    ConnectionClosed,
    Delivery,
    InvalidPayload,
    OcppClient,
    OcppError,
    OutboxError,
    OutboxFull,
    OutboxSettings,
)
from ocpp_sync.outbox.store import Store
from ocpp_sync.testing import Answer, Cut, CutAfter, Delay, Drop, FakeClock, Late, ScriptedCsms

from .support import TIMEOUT, Collector, Future, RawCsms, in_thread

NOW = "2025-01-01T00:00:00.000Z"  # where a FakeClock begins
BOOT: dict[str, dict[str, Any]] = {
    "1.6": {"chargePointVendor": "eParking", "chargePointModel": "NECU-T2"},
    "2.0.1": {"reason": "PowerUp", "chargingStation": {"vendorName": "eParking", "model": "NECU-T2"}},
}
START = {"connectorId": 1, "idTag": "TAG", "meterStart": 0, "timestamp": NOW}
REFUSED = CallError("InternalError", "try later")

MakeClient = Callable[..., OcppClient]

twos = pytest.mark.parametrize("version", ["2.0.1", "2.1"])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "queue.sqlite3"


@pytest.fixture
def make(make_client: MakeClient, clock: FakeClock, path: Path) -> MakeClient:
    """Makes 1.6 clients with an outbox, that connect again after 10 seconds."""

    def make(url: str | None = None, *, settings: dict[str, Any] | None = None, **more: Any) -> OcppClient:
        options = {"version": "1.6", "reconnect": Backoff(10.0, 0.0, 0), "clock": clock, "ping_interval": None}
        return make_client(url, **{**options, "outbox": OutboxSettings(path, **settings or {}), **more})

    return make


def note(number: int) -> dict[str, Any]:
    """A DataTransfer that can be told from others."""
    return {"vendorId": "test", "data": str(number)}


def put(client: OcppClient, number: int) -> Delivery:
    return client.outbox.put("DataTransfer", note(number))


def meter(transaction: object = None, timestamp: str = NOW) -> dict[str, Any]:
    values = [{"timestamp": timestamp, "sampledValue": [{"value": "1"}]}]
    return {"connectorId": 1, "meterValue": values} | ({} if transaction is None else {"transactionId": transaction})


def stop(transaction: object) -> dict[str, Any]:
    return {"transactionId": transaction, "meterStop": 1, "timestamp": NOW}


def event(kind: str = "Updated", transaction: str = "T", **more: Any) -> dict[str, Any]:
    info = {"transactionId": transaction}
    return {"eventType": kind, "timestamp": NOW, "triggerReason": "Trigger", "transactionInfo": info, **more}


def outcome(delivery: Delivery) -> dict[str, Any]:
    """The result, waited for in real time."""
    response: dict[str, Any] = in_thread(delivery.result).result()
    return response


def failure(delivery: Delivery) -> OcppError:
    with pytest.raises(OcppError) as caught:
        outcome(delivery)
    return caught.value


def received(csms: ScriptedCsms, action: str) -> list[dict[str, Any]]:
    return [message.payload for message in csms.received if message.action == action]


def notes(csms: ScriptedCsms) -> list[int]:
    return [int(payload["data"]) for payload in received(csms, "DataTransfer")]


def times(csms: ScriptedCsms, action: str = "DataTransfer") -> list[float]:
    return [message.time - 1000.0 for message in csms.received if message.action == action]


def ids(client: OcppClient) -> list[int]:
    return [entry.id for entry in client.outbox.pending()]


def gate(client: OcppClient, version: str = "1.6") -> None:
    """Let the client boot as soon as it is connected, and nothing else pass until then."""
    with pytest.raises(CallTimeout):
        client.boot(BOOT[version], timeout=0)


def retried(clock: FakeClock, seconds: float) -> None:
    """Let the time pass until a resend: the outbox looks into the file every 15 seconds meanwhile."""
    while seconds > 0:
        seconds -= clock.advance_to("outbox")
    assert seconds == 0


def offline(csms: ScriptedCsms, clock: FakeClock) -> None:
    csms.disconnect("CP1")
    clock.wait_for("reconnect")


def online(client: OcppClient, clock: FakeClock) -> None:
    assert clock.advance_to("reconnect") == 10.0
    assert client.wait_connected(TIMEOUT)


def open_files(path: Path) -> list[str]:
    found = []
    for each in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # the one that lists them
            found.append(str(each.readlink()))
    return [name for name in found if name.startswith(str(path))]


def threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("ocpp-outbox")]


# --- D7, D8: order


def test_d7_what_was_put_offline_goes_out_in_its_order(make: MakeClient, csms: ScriptedCsms) -> None:
    client, put = make(), []
    for number in range(3):
        start = client.outbox.put("StartTransaction", {**START, "meterStart": number})
        put += [
            start,
            client.outbox.put("MeterValues", meter(start.transaction)),
            client.outbox.put("StopTransaction", stop(start.transaction)),
        ]
    assert not csms.received
    client.connect(csms.url)
    assert [set(outcome(each)) for each in put] == 3 * [{"transactionId", "idTagInfo"}, set(), set()]
    assert [message.action for message in csms.received] == 3 * ["StartTransaction", "MeterValues", "StopTransaction"]
    assert [payload["transactionId"] for payload in received(csms, "StopTransaction")] == [1, 2, 3]
    assert len(client.outbox) == 0


@twos
def test_d8_events_of_several_transactions_and_what_else_must_not_be_lost(version: str, make: MakeClient, csms: ScriptedCsms) -> None:
    client, expected = make(version=version), []
    for kind in ("Started", "Updated", "Ended"):
        for transaction in ("A", "B"):
            expected.append((kind, transaction))
            client.outbox.put("TransactionEvent", event(kind, transaction))
    last = client.outbox.put("SecurityEventNotification", {"type": "SettingSystemTime", "timestamp": NOW})
    client.connect(csms.url)
    outcome(last)
    assert [(each["eventType"], each["transactionInfo"]["transactionId"]) for each in received(csms, "TransactionEvent")] == expected
    assert csms.received[-1].action == "SecurityEventNotification"


def test_d7_what_is_put_while_connected_goes_out_at_once(make: MakeClient, csms: ScriptedCsms) -> None:
    client = make(csms.url)
    for number in range(5):
        assert outcome(put(client, number)) == {"status": "Accepted"}
        assert notes(csms)[-1] == number


def test_d7_one_at_a_time_in_the_order_of_the_file_whoever_has_put_it(make: MakeClient, csms: ScriptedCsms) -> None:
    client = make(csms.url)
    early: list[str] = []

    def choose(request: object) -> None:
        early.extend(message.outcome for message in csms.received[:-1] if message.outcome != "answered")

    csms.script("*", choose)
    putting = [in_thread(lambda first: [put(client, first + n) for n in range(10)], 10 * thread) for thread in range(6)]
    deliveries = sorted((each for future in putting for each in future.result()), key=lambda each: each.id)
    for each in deliveries:
        outcome(each)
    assert notes(csms) == [int(each.payload["data"]) for each in deliveries]
    assert not early


def test_d7_a_call_may_pass_while_a_message_waits_for_its_retry(make: MakeClient, csms: ScriptedCsms, clock: FakeClock) -> None:
    csms.script("DataTransfer", REFUSED)
    client = make(csms.url)
    first, second = put(client, 1), put(client, 2)
    clock.wait_for("outbox")
    assert client.call("Heartbeat")
    assert not first.done()
    retried(clock, 60.0)
    outcome(second)
    assert notes(csms) == [1, 1, 2]


# --- D2: registration


def test_d2_nothing_goes_out_before_the_csms_has_accepted(make: MakeClient, csms: ScriptedCsms, clock: FakeClock) -> None:
    answer = {"status": "Pending", "currentTime": NOW, "interval": 30}
    csms.script("BootNotification", Delay(5.0, Answer(answer)))
    client = make()
    deliveries = [put(client, number) for number in range(3)]
    gate(client)
    client.connect(csms.url)
    assert clock.advance_to("csms answer") == 5.0
    assert clock.wait_for("boot") == 30.0
    deliveries.append(put(client, 3))
    assert clock.advance_to("boot") == 30.0
    assert [outcome(each) for each in deliveries] == 4 * [{"status": "Accepted"}]
    assert [message.action for message in csms.received] == 2 * ["BootNotification"] + 4 * ["DataTransfer"]


def test_d2_a_client_that_never_boots_delivers_as_soon_as_it_is_connected(make: MakeClient, csms: ScriptedCsms) -> None:
    client = make()
    delivery = put(client, 1)
    client.connect(csms.url)
    outcome(delivery)
    assert client.registration is None


# --- D9: retries


def dead(client: OcppClient) -> list[tuple[int, int, str]]:
    return [(each.id, each.attempts, each.reason) for each in client.outbox.dead_letters()]


def test_d9_a_refused_message_is_sent_again_after_60_and_120_seconds_and_given_up(
    make: MakeClient, csms: ScriptedCsms, clock: FakeClock
) -> None:
    csms.script("DataTransfer", REFUSED, REFUSED, REFUSED)
    client, told = make(), Collector()
    client.on("outbox", told)
    first, second = put(client, 1), put(client, 2)
    client.connect(csms.url)
    retried(clock, 60.0)
    retried(clock, 120.0)
    error = failure(first)
    assert isinstance(error, CallError)
    assert error.code == "InternalError"
    outcome(second)
    assert notes(csms) == [1, 1, 1, 2]
    assert times(csms) == [0.0, 60.0, 180.0, 180.0]
    what, entry, reason = told.next()
    assert (what, entry.id, entry.attempts, reason) == ("given-up", first.id, 3, "InternalError: try later")
    assert dead(client) == [(first.id, 3, reason)]
    assert first.done()


def test_d9_so_is_one_without_an_answer(make: MakeClient, csms: ScriptedCsms, clock: FakeClock) -> None:
    csms.script("DataTransfer", Drop(), Drop(), Drop())
    client = make(csms.url)
    first, second = put(client, 1), put(client, 2)
    for number, seconds in enumerate((60.0, 120.0, 0.0), 1):
        csms.wait_for("DataTransfer", number)
        assert clock.advance_to("answer") == 30.0
        retried(clock, seconds)
    error = failure(first)
    assert isinstance(error, CallTimeout)
    assert error.sent
    outcome(second)
    assert times(csms) == [0.0, 90.0, 240.0, 270.0]


def test_d9_an_answer_that_breaks_its_schema_is_an_attempt(make: MakeClient, csms: ScriptedCsms, clock: FakeClock) -> None:
    wrong = Answer({"status": 5})
    csms.script("DataTransfer", wrong, wrong, wrong)
    client = make(csms.url)
    first, second = put(client, 1), put(client, 2)
    retried(clock, 60.0)
    retried(clock, 120.0)
    assert isinstance(failure(first), InvalidPayload)
    outcome(second)
    assert notes(csms) == [1, 1, 1, 2]
    assert dead(client)[0][1] == 3


def test_d9_an_answer_that_is_no_ocpp_is_an_attempt(
    make: MakeClient, raw_csms: Callable[..., RawCsms], clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    csms = raw_csms(version="1.6")
    client = make(csms.url, settings={"attempts": 2})
    delivery = put(client, 1)
    for seconds in (60.0, 0.0):
        _, number, action, _ = csms.receive()
        assert action == "DataTransfer"
        csms.send([4, number, 5])
        retried(clock, seconds)
    assert type(failure(delivery)).__name__ == "MalformedMessage"
    assert dead(client)[0][1] == 2


def test_d9_being_offline_uses_up_no_attempt(make: MakeClient, csms: ScriptedCsms, clock: FakeClock) -> None:
    csms.script("DataTransfer", *5 * [Cut()])
    client = make(csms.url)
    delivery = put(client, 1)
    for _ in range(5):
        clock.wait_for("reconnect")
        assert [entry.attempts for entry in client.outbox.pending()] == [0]
        clock.advance_to("reconnect")  # that link is lost as soon as it is there
    outcome(delivery)
    assert notes(csms) == 6 * [1]


def test_d9_the_wait_for_a_retry_goes_on_while_there_is_no_link(make: MakeClient, csms: ScriptedCsms, clock: FakeClock) -> None:
    csms.script("DataTransfer", REFUSED)
    client = make(csms.url)
    delivery = put(client, 1)
    clock.wait_for("outbox")
    offline(csms, clock)
    online(client, clock)
    retried(clock, 50.0)
    outcome(delivery)
    assert times(csms) == [0.0, 60.0]


def test_d9_attempts_survive_a_restart(make: MakeClient, csms: ScriptedCsms, clock: FakeClock) -> None:
    csms.script("DataTransfer", REFUSED, REFUSED, REFUSED)
    client = make(csms.url)
    put(client, 1)
    retried(clock, 60.0)
    clock.wait_for("outbox")
    client.close()
    again, told = make(), Collector()
    assert [entry.attempts for entry in again.outbox.pending()] == [2]
    again.on("outbox", told)
    again.connect(csms.url)
    retried(clock, 120.0)
    assert told.next()[0] == "given-up"
    assert times(csms) == [0.0, 60.0, 180.0]


def test_d9_a_message_with_all_its_attempts_is_given_up_after_a_restart(make: MakeClient, csms: ScriptedCsms, clock: FakeClock) -> None:
    csms.script("DataTransfer", REFUSED, REFUSED)
    client = make(csms.url)
    put(client, 1)
    put(client, 2)
    retried(clock, 60.0)
    clock.wait_for("outbox")
    client.close()
    again, told = make(settings={"attempts": 2}), Collector()
    again.on("outbox", told)
    again.connect(csms.url)
    what, message, reason = told.next()
    assert (what, message.id, message.attempts) == ("given-up", 1, 2)
    assert "sent 2 times in vain" in reason
    csms.wait_for("DataTransfer", 3)
    assert times(csms) == [0.0, 60.0, 60.0]


def test_d9_both_settings_may_change(make: MakeClient, csms: ScriptedCsms, clock: FakeClock) -> None:
    csms.script("DataTransfer", *4 * [REFUSED])
    client = make(csms.url, settings={"attempts": 5, "retry_interval": 10.0})
    assert (client.outbox.attempts, client.outbox.retry_interval) == (5, 10.0)
    first = put(client, 1)
    assert clock.wait_for("outbox") == 10.0
    client.outbox.retry_interval = 3.0
    retried(clock, 10.0)
    retried(clock, 6.0)
    clock.wait_for("outbox")
    client.outbox.attempts = 4
    retried(clock, 9.0)
    failure(first)
    assert times(csms) == [0.0, 10.0, 16.0, 25.0]


@pytest.mark.parametrize("settings", [{"attempts": 0}, {"attempts": -1}, {"retry_interval": -1.0}, {"retry_interval": float("nan")}])
def test_a_setting_that_makes_no_sense_is_refused(settings: dict[str, Any], make: MakeClient) -> None:
    with pytest.raises(ValueError):
        make(settings=settings)
    client = make()
    for name, value in settings.items():
        with pytest.raises(ValueError):
            setattr(client.outbox, name, value)


def test_d9_the_wait_for_its_turn_is_no_part_of_the_time_out(make: MakeClient, csms: ScriptedCsms, clock: FakeClock) -> None:
    csms.script("Heartbeat", Drop())
    client = make(csms.url, call_timeout=30.0)
    beating = in_thread(client.call, "Heartbeat", timeout=50.0)
    csms.wait_for("Heartbeat")
    csms.script("DataTransfer", Delay(25.0))
    delivery = put(client, 1)
    assert clock.run(lambda: clock.monotonic() == 1050.0, when=["answer", "answer"]) == 50.0
    with pytest.raises(CallTimeout):
        beating.result()
    csms.wait_for("DataTransfer")
    assert clock.advance_to("csms answer") == 25.0
    outcome(delivery)
    assert notes(csms) == [1]


def test_d9_what_has_not_gone_out_was_no_attempt(make: MakeClient, csms: ScriptedCsms, monkeypatch: pytest.MonkeyPatch) -> None:
    client = make()
    deliver, left = client.deliver, iter(range(3))

    def clogged(action: str, payload: dict[str, Any]) -> dict[str, Any]:
        if next(left, None) is not None:
            raise CallTimeout(action, "", 30.0, False)  # the link has taken nothing
        return deliver(action, payload)

    monkeypatch.setattr(client, "deliver", clogged)
    delivery = put(client, 1)
    client.connect(csms.url)
    outcome(delivery)
    assert notes(csms) == [1]


# --- D10: the id of a 1.6 transaction

STATION = """
    import os, signal, sys
    from ocpp_sync import OcppClient
    client = OcppClient("CP1", version="1.6", outbox=sys.argv[1])
    now = "2025-01-01T00:00:00Z"
    start = client.outbox.put("StartTransaction", {"connectorId": 1, "idTag": "TAG", "meterStart": 0, "timestamp": now})
    values = [{"timestamp": now, "sampledValue": [{"value": "1"}]}]
    client.outbox.put("MeterValues", {"connectorId": 1, "transactionId": start.transaction, "meterValue": values})
    print(start.transaction, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_d10_d13_an_offline_transaction_over_the_end_of_its_process(make: MakeClient, csms: ScriptedCsms, path: Path) -> None:
    child = subprocess.run([sys.executable, "-c", textwrap.dedent(STATION), str(path)], capture_output=True, text=True, timeout=6 * TIMEOUT)
    assert child.returncode == -signal.SIGKILL, child.stderr
    csms.script("StartTransaction", Answer({"transactionId": 4711, "idTagInfo": {"status": "Accepted"}}))
    client = make()
    (transaction,) = client.outbox.open_transactions()
    assert transaction.handle == child.stdout.strip()
    assert (transaction.transaction_id, transaction.start["idTag"]) == (None, "TAG")
    last = client.outbox.put("StopTransaction", stop(transaction.handle))
    assert not list(client.outbox.open_transactions())
    client.connect(csms.url)
    outcome(last)
    assert [(each.action, each.payload.get("transactionId")) for each in csms.received] == [
        ("StartTransaction", None),
        ("MeterValues", 4711),
        ("StopTransaction", 4711),
    ]
    assert client.outbox.transaction_id(transaction.handle) is None  # it is over


def test_d10_the_id_after_a_restart_of_a_client_that_had_learnt_it(make: MakeClient, csms: ScriptedCsms) -> None:
    client = make(csms.url)
    start = client.outbox.put("StartTransaction", START)
    outcome(start)
    assert start.transaction is not None
    assert client.outbox.transaction_id(start.transaction) == 1
    client.close()
    again = make(csms.url)
    assert again.outbox.transaction_id(start.transaction) == 1
    outcome(again.outbox.put("StopTransaction", stop(start.transaction)))
    assert received(csms, "StopTransaction")[0]["transactionId"] == 1


def test_d10_the_id_is_minus_1_if_the_start_was_given_up(make: MakeClient, csms: ScriptedCsms, clock: FakeClock) -> None:
    csms.script("StartTransaction", REFUSED)
    client = make(settings={"attempts": 1})
    start = client.outbox.put("StartTransaction", START)
    assert start.transaction is not None
    last = client.outbox.put("StopTransaction", stop(start.transaction))
    assert client.outbox.transaction_id(start.transaction) is None
    client.connect(csms.url)
    failure(start)
    outcome(last)
    assert received(csms, "StopTransaction")[0]["transactionId"] == -1


@pytest.mark.parametrize("number", ["7", 7.5, None, [7], 2**70], ids=str)
def test_d10_an_id_that_is_none_is_minus_1_and_the_start_is_not_sent_again(number: Any, make: MakeClient, csms: ScriptedCsms) -> None:
    csms.script("StartTransaction", Answer({"transactionId": number, "idTagInfo": {"status": "Accepted"}}))
    client = make(csms.url, validation="off")
    start = client.outbox.put("StartTransaction", START)
    assert start.transaction is not None
    assert outcome(start)["idTagInfo"]
    assert client.outbox.transaction_id(start.transaction) == -1
    outcome(client.outbox.put("StopTransaction", stop(start.transaction)))
    assert [each.payload.get("transactionId") for each in csms.received] == [None, -1]


def test_d10_a_number_passes_as_it_is_and_a_meter_value_needs_no_transaction(make: MakeClient, csms: ScriptedCsms) -> None:
    client = make(csms.url)
    client.outbox.put("MeterValues", meter())
    client.outbox.put("MeterValues", meter(8))
    last = client.outbox.put("StopTransaction", stop(7))
    assert last.transaction is None
    outcome(last)
    assert [each.payload for each in csms.received] == [meter(), meter(8), stop(7)]


def test_d10_an_unknown_handle_is_named(make: MakeClient) -> None:
    client = make()
    for action, payload in (("StopTransaction", stop("nowhere")), ("MeterValues", meter("nowhere"))):
        with pytest.raises(ValueError, match="'nowhere'"):
            client.outbox.put(action, payload)
    assert len(client.outbox) == 0


# --- D11: 2.x


def numbers(csms: ScriptedCsms, transaction: str = "T") -> list[int]:
    events = received(csms, "TransactionEvent")
    return [each["seqNo"] for each in events if each["transactionInfo"]["transactionId"] == transaction]


@twos
def test_d11_seq_no_has_no_gap_over_restarts_and_transactions(version: str, make: MakeClient, csms: ScriptedCsms) -> None:
    client = make(version=version)
    for kind in ("Started", "Updated"):
        for transaction in ("A", "B"):
            client.outbox.put("TransactionEvent", event(kind, transaction))
    client.close()
    client = make(csms.url, version=version)
    outcome(client.outbox.put("TransactionEvent", event("Updated", "A")))
    client.close()
    client = make(csms.url, version=version)
    client.outbox.put("TransactionEvent", event("Ended", "A"))
    last = client.outbox.put("TransactionEvent", event("Ended", "B"))
    assert (last.payload["seqNo"], last.transaction) == (2, "B")
    outcome(last)
    assert (numbers(csms, "A"), numbers(csms, "B")) == ([0, 1, 2, 3], [0, 1, 2])


@twos
def test_d11_an_own_seq_no_is_left_alone(version: str, make: MakeClient, csms: ScriptedCsms) -> None:
    client = make(csms.url, version=version)
    for number in (5, 6):
        client.outbox.put("TransactionEvent", event(seqNo=number))
    outcome(client.outbox.put("TransactionEvent", event("Ended", seqNo=9)))
    assert numbers(csms) == [5, 6, 9]


@twos
def test_d11_what_was_not_made_on_the_link_it_goes_out_by_says_so(
    version: str, make: MakeClient, csms: ScriptedCsms, clock: FakeClock
) -> None:
    client = make(version=version)
    client.outbox.put("TransactionEvent", event("Started"))  # before the first link
    client.connect(csms.url)
    outcome(client.outbox.put("TransactionEvent", event()))  # on its own
    csms.script("TransactionEvent", Cut())
    client.outbox.put("TransactionEvent", event())  # under way when the link was lost
    clock.wait_for("reconnect")
    client.outbox.put("TransactionEvent", event())  # without one
    online(client, clock)
    outcome(client.outbox.put("TransactionEvent", event("Ended")))
    events = received(csms, "TransactionEvent")
    assert [each["seqNo"] for each in events] == [0, 1, 2, 2, 3, 4]
    assert [each.get("offline") for each in events] == [True, None, None, True, True, None]


@twos
def test_d11_what_waits_for_the_registration_is_not_offline(version: str, make: MakeClient, csms: ScriptedCsms, clock: FakeClock) -> None:
    csms.script("BootNotification", Answer({"status": "Pending", "currentTime": NOW, "interval": 30}))
    client = make(version=version)
    gate(client, "2.0.1")
    client.connect(csms.url)
    clock.wait_for("boot")
    delivery = client.outbox.put("TransactionEvent", event("Started"))
    clock.advance_to("boot")
    outcome(delivery)
    assert "offline" not in received(csms, "TransactionEvent")[0]


@twos
def test_d11_an_own_offline_is_left_alone_and_other_messages_have_none(version: str, make: MakeClient, csms: ScriptedCsms) -> None:
    client = make(version=version)
    for said in (True, False):
        client.outbox.put("TransactionEvent", event(offline=said))
    last = client.outbox.put("SecurityEventNotification", {"type": "SettingSystemTime", "timestamp": NOW})
    client.connect(csms.url)
    outcome(last)
    assert [each.get("offline") for each in received(csms, "TransactionEvent")] == [True, False]
    assert received(csms, "SecurityEventNotification") == [{"type": "SettingSystemTime", "timestamp": NOW}]


# --- D12: no more room


def fill(client: OcppClient, version: str, droppable: int) -> list[Delivery]:
    """A beginning, and what may be dropped."""
    if version != "1.6":
        return [client.outbox.put("TransactionEvent", event(kind)) for kind in ("Started", *droppable * ["Updated"])]
    start = client.outbox.put("StartTransaction", START)
    return [start, *(client.outbox.put("MeterValues", meter(start.transaction)) for _ in range(droppable))]


@pytest.mark.parametrize("version", ["1.6", "2.0.1", "2.1"])
def test_d12_every_other_one_makes_room(version: str, make: MakeClient, csms: ScriptedCsms) -> None:
    client, told = make(version=version, settings={"max_messages": 5}), Collector()
    client.on("outbox", told)
    first = fill(client, version, 4)
    more = [client.outbox.put("DataTransfer", note(number)) for number in range(2)]
    for expected in (first[1], first[3]):
        what, entry, reason = told.next()
        assert (what, entry.id, entry.payload) == ("dropped", expected.id, expected.payload)
        error = failure(expected)
        assert isinstance(error, OutboxFull)
        assert reason == str(error)
    assert not told.calls.qsize()
    client.connect(csms.url)
    for delivery in (first[0], first[2], first[4], *more):
        outcome(delivery)
    assert len(csms.received) == 5


@pytest.mark.parametrize("version", ["1.6", "2.0.1", "2.1"])
def test_d12_put_raises_where_nothing_may_be_dropped(version: str, make: MakeClient) -> None:
    client = make(version=version, settings={"max_messages": 2})
    fill(client, version, 0)
    put(client, 1)
    with pytest.raises(OutboxFull):
        put(client, 2)
    assert len(client.outbox) == 2


def test_d12_never_the_one_that_is_under_way(make: MakeClient, csms: ScriptedCsms) -> None:
    csms.script("MeterValues", Late())
    client = make(csms.url, settings={"max_messages": 2})
    first = client.outbox.put("MeterValues", meter())
    csms.wait_for("MeterValues")
    second = client.outbox.put("MeterValues", meter())
    third = put(client, 3)
    assert isinstance(failure(second), OutboxFull)
    with pytest.raises(OutboxFull):
        put(client, 4)
    csms.release()
    outcome(first)
    outcome(third)


# --- D13: what stays


def test_d13_a_client_finds_what_the_last_one_has_left(make: MakeClient, csms: ScriptedCsms) -> None:
    client = make()
    put_ids = [put(client, number).id for number in range(3)]
    client.close()
    again = make()
    assert ids(again) == put_ids
    again.connect(csms.url)
    outcome(put(again, 3))
    assert notes(csms) == [0, 1, 2, 3]


def test_d13_an_answer_that_was_lost_means_once_more(make: MakeClient, csms: ScriptedCsms, clock: FakeClock) -> None:
    csms.script("DataTransfer", Cut())
    client = make(csms.url)
    first, second = put(client, 1), put(client, 2)
    clock.wait_for("reconnect")
    online(client, clock)
    outcome(first)
    outcome(second)
    assert notes(csms) == [1, 1, 2]


def test_d13_an_answer_that_came_before_the_cut_means_once(make: MakeClient, csms: ScriptedCsms, clock: FakeClock) -> None:
    csms.script("DataTransfer", CutAfter())
    client = make(csms.url)
    first = put(client, 1)
    outcome(first)
    clock.wait_for("reconnect")
    online(client, clock)
    outcome(put(client, 2))
    assert notes(csms) == [1, 2]


# --- A clock that was wrong

TEN_YEARS_LATER = Answer({"status": "Accepted", "currentTime": "2035-01-01T00:00:05.000Z", "interval": 300})


def test_times_from_before_the_clock_was_known_are_set_right(make: MakeClient, csms: ScriptedCsms, clock: FakeClock) -> None:
    csms.script("BootNotification", TEN_YEARS_LATER)
    client = make()
    client.outbox.put("StartTransaction", START)
    clock.advance(5.0)
    clock.jump(-1000.0)  # of the system's clock, which counts for nothing but for what it has stamped
    delivery = client.outbox.put("MeterValues", meter(timestamp="2024-12-31T23:43:25.000Z"))
    gate(client)
    client.connect(csms.url)
    outcome(delivery)
    assert received(csms, "StartTransaction")[0]["timestamp"] == "2035-01-01T00:00:00.000Z"
    assert received(csms, "MeterValues")[0]["meterValue"][0]["timestamp"] == "2035-01-01T00:00:05.000Z"
    later = {**START, "timestamp": "2035-01-01T00:00:05.000Z"}
    outcome(client.outbox.put("StartTransaction", later))  # now the time is known
    assert received(csms, "StartTransaction")[1] == later


def test_times_that_are_right_within_a_second_stay(make: MakeClient, csms: ScriptedCsms) -> None:
    csms.script("BootNotification", Answer({"status": "Accepted", "currentTime": "2025-01-01T00:00:00.900Z", "interval": 300}))
    client = make()
    delivery = client.outbox.put("StartTransaction", START)
    gate(client)
    client.connect(csms.url)
    outcome(delivery)
    assert received(csms, "StartTransaction") == [START]


@pytest.mark.parametrize(("time", "warned"), [(1000.0, True), (1_735_689_600.0, False)], ids=["never set", "plausible"])
def test_times_of_another_process_stay(
    time: float, warned: bool, make: MakeClient, csms: ScriptedCsms, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    csms.script("BootNotification", TEN_YEARS_LATER)
    client = make(clock=FakeClock(time=time))
    client.outbox.put("StartTransaction", START)
    client.close()
    again = make()
    gate(again)
    again.connect(csms.url)
    outcome(put(again, 1))
    assert received(csms, "StartTransaction") == [START]
    assert ("was made when the time was not known" in caplog.text) is warned


# --- What is refused

INVALID: list[tuple[str, str, Any, str]] = [
    ("1.6", "StartTransaction", {"connectorId": 1}, ""),
    ("1.6", "StartTransaction", {**START, "meterStart": "0"}, "meterStart"),
    ("1.6", "StopTransaction", {**stop("handle"), "reason": "Boredom"}, "reason"),
    ("1.6", "MeterValues", {**meter(), "transactionId": 1.5}, "transactionId"),
    ("1.6", "StartTransaction", [START], ""),
    ("1.6", "StartTransaction", "START", ""),
    ("1.6", "Reset", {"type": "Soft"}, ""),
    ("1.6", "TransactionEvent", {}, ""),
    ("2.0.1", "TransactionEvent", {}, ""),
    ("2.0.1", "TransactionEvent", event(seqNo=None), "seqNo"),
    ("2.1", "TransactionEvent", {**event(), "transactionInfo": {"transactionId": 5}}, "transactionInfo.transactionId"),
    ("2.1", "NotifyPeriodicEventStream", {"id": 1, "pending": 0, "basetime": NOW, "data": [{"t": 1.0, "v": "1"}]}, ""),
]


@pytest.mark.parametrize(("version", "action", "payload", "where"), INVALID)
def test_what_is_invalid_is_refused_before_it_is_stored(version: str, action: str, payload: Any, where: str, make: MakeClient) -> None:
    client = make(version=version)
    with pytest.raises(InvalidPayload) as caught:
        client.outbox.put(action, payload)
    assert (caught.value.action, caught.value.path) == (action, where)
    assert caught.value.message
    assert len(client.outbox) == 0
    assert not list(client.outbox.open_transactions())


@pytest.mark.parametrize("payload", [["x"], "x", {"x": {1, 2}}, {"x": float("nan")}])
def test_what_is_no_json_is_refused_without_validation_too(payload: Any, make: MakeClient) -> None:
    client = make(validation="off")
    with pytest.raises(ValueError):
        client.outbox.put("DataTransfer", payload)
    assert len(client.outbox) == 0


def test_no_payload_is_an_empty_one(make: MakeClient, csms: ScriptedCsms) -> None:
    client = make(csms.url)
    outcome(client.outbox.put("Heartbeat"))
    assert received(csms, "Heartbeat") == [{}]


def test_what_is_put_is_a_copy(make: MakeClient, csms: ScriptedCsms) -> None:
    client, payload = make(), note(1)
    delivery = client.outbox.put("DataTransfer", payload)
    payload["data"] = "2"
    client.connect(csms.url)
    outcome(delivery)
    assert notes(csms) == [1]
    assert delivery.payload == note(1)


def test_what_has_become_invalid_is_given_up_at_once(make: MakeClient, csms: ScriptedCsms) -> None:
    lax = make(validation="off")
    wrong = lax.outbox.put("DataTransfer", {"vendorId": 5})
    lax.close()
    client, told = make(), Collector()
    client.on("outbox", told)
    delivery = put(client, 2)
    client.connect(csms.url)
    outcome(delivery)
    what, entry, reason = told.next()
    assert (what, entry.id) == ("given-up", wrong.id)
    assert "vendorId" in reason
    assert dead(client) == [(wrong.id, 0, reason)]
    assert notes(csms) == [2]


def test_an_outbox_needs_one_version(path: Path) -> None:
    with pytest.raises(ValueError, match="one version"):
        OcppClient("CP1", version=["1.6", "2.0.1"], outbox=path)


def test_a_client_without_an_outbox(make_client: MakeClient) -> None:
    with pytest.raises(RuntimeError, match="outbox="):
        _ = make_client().outbox


def test_two_clients_cannot_deliver_from_one_file(make: MakeClient, path: Path) -> None:
    client = make()
    with pytest.raises(OutboxError, match="this process") as caught:
        make()
    assert caught.value.file == str(path)
    client.close()
    put(make(), 1)


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_after_a_fork_nothing_is_put(make: MakeClient, csms: ScriptedCsms) -> None:
    client = make(csms.url)
    outbox = client.outbox
    outcome(put(client, 1))
    child = os.fork()
    if child == 0:
        status = 1
        try:
            outbox.put("Heartbeat")
        except RuntimeError as error:
            status = 0 if "after a fork" in str(error) else 2
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0
    outcome(put(client, 2))


# --- Delivery


def test_a_result_is_waited_for_no_longer_than_it_was_said(make: MakeClient, clock: FakeClock) -> None:
    delivery = put(make(), 1)
    waiting = in_thread(delivery.result, 5.0)
    assert clock.advance_to("delivery") == 5.0
    with pytest.raises(TimeoutError, match="DataTransfer is not delivered yet"):
        waiting.result()
    with pytest.raises(TimeoutError):
        delivery.result(0)
    with pytest.raises(ValueError):
        delivery.result(-1)
    assert not delivery.done()
    assert repr(delivery) == "<Delivery 1: DataTransfer, waiting>"


def test_several_threads_wait_for_a_result(make: MakeClient, csms: ScriptedCsms) -> None:
    client = make()
    delivery = put(client, 1)
    waiting = [in_thread(delivery.result) for _ in range(4)]
    client.connect(csms.url)
    assert [each.result() for each in waiting] == 4 * [{"status": "Accepted"}]
    assert delivery.done()
    assert delivery.result(0) == {"status": "Accepted"}
    assert repr(delivery) == "<Delivery 1: DataTransfer, delivered>"


def test_callbacks_are_called_once_it_is_done_also_one_that_fails(
    make: MakeClient, csms: ScriptedCsms, caplog: pytest.LogCaptureFixture
) -> None:
    client, called = make(), Collector()

    def fails(delivery: Delivery) -> NoReturn:
        raise OSError("the relay is stuck")

    def note_thread(delivery: Delivery) -> None:
        called(delivery, delivery.done(), threading.current_thread().name)

    delivery = put(client, 1)
    for callback in (fails, note_thread):
        delivery.add_done_callback(callback)
    client.connect(csms.url)
    assert called.next() == (delivery, True, "ocpp-handler CP1")
    for callback in (fails, note_thread):
        delivery.add_done_callback(callback)
    assert called.next() == (delivery, True, threading.current_thread().name)
    assert caplog.text.count("OSError: the relay is stuck") == 2
    assert not called.calls.qsize()


def test_a_callback_keeps_its_delivery(make: MakeClient, csms: ScriptedCsms) -> None:
    client, called = make(), Collector()
    put(client, 1).add_done_callback(lambda delivery: called(delivery.result(0)))
    client.connect(csms.url)
    assert called.next() == ({"status": "Accepted"},)


def test_a_callback_is_told_of_what_was_given_up(make: MakeClient, csms: ScriptedCsms) -> None:
    csms.script("DataTransfer", REFUSED)
    client, called = make(settings={"attempts": 1}), Collector()
    put(client, 1).add_done_callback(called)
    client.connect(csms.url)
    (delivery,) = called.next()
    assert isinstance(failure(delivery), CallError)
    assert repr(delivery) == "<Delivery 1: DataTransfer, failed>"


def test_a_callback_may_put_and_wait_for_the_next_message(make: MakeClient, csms: ScriptedCsms) -> None:
    client, called = make(csms.url), Collector()
    put(client, 1).add_done_callback(lambda delivery: called(put(client, 2).result()))
    assert called.next() == ({"status": "Accepted"},)
    assert notes(csms) == [1, 2]


def test_close_ends_the_wait_for_a_result_and_the_message_stays(make: MakeClient, csms: ScriptedCsms) -> None:
    csms.script("DataTransfer", Drop())
    client = make(csms.url)
    first, second = put(client, 1), put(client, 2)
    waiting = [in_thread(each.result) for each in (first, second)]
    csms.wait_for("DataTransfer")
    client.close()
    for each in waiting:
        with pytest.raises(ConnectionClosed, match="DataTransfer stays in the outbox"):
            each.result()
    with pytest.raises(ConnectionClosed):
        first.result()
    assert ids(client) == [first.id, second.id]
    client.connect(csms.url)
    assert [outcome(each) for each in (first, second)] == 2 * [{"status": "Accepted"}]
    assert notes(csms) == [1, 1, 2]


# --- The end


def test_close_leaves_neither_thread_nor_file(make: MakeClient, csms: ScriptedCsms, path: Path) -> None:
    client = make(csms.url)
    outcome(put(client, 1))
    assert open_files(path)
    assert threads()
    for _ in range(2):
        client.close()
        assert not open_files(path)
        assert not threads()


def test_drain_lets_the_delivery_under_way_come_to_its_end_and_begins_no_other(
    make: MakeClient, csms: ScriptedCsms, clock: FakeClock
) -> None:
    csms.script("DataTransfer", Delay(5.0))
    client = make(csms.url)
    first, second = put(client, 1), put(client, 2)
    clock.wait_for("csms answer")
    closing = in_thread(client.close, drain=True)
    assert clock.wait_for("drain") == 10.0
    third = put(client, 3)
    assert clock.advance_to("csms answer") == 5.0
    closing.result()
    assert first.result(0) == {"status": "Accepted"}
    assert notes(csms) == [1]
    assert ids(make()) == [second.id, third.id]


def test_drain_waits_no_longer_than_it_was_told(make: MakeClient, csms: ScriptedCsms, clock: FakeClock) -> None:
    csms.script("DataTransfer", Drop())
    client = make(csms.url)
    delivery = put(client, 1)
    csms.wait_for("DataTransfer")
    closing = in_thread(client.close, drain=True, timeout=3.0)
    assert clock.advance_to("drain") == 3.0
    closing.result()
    assert ids(client) == [delivery.id]


def test_without_drain_the_delivery_under_way_is_cut(make: MakeClient, csms: ScriptedCsms) -> None:
    csms.script("DataTransfer", Drop())
    client = make(csms.url)
    delivery = put(client, 1)
    csms.wait_for("DataTransfer")
    client.close()
    (left,) = make().outbox.pending()
    assert (left.id, left.attempts) == (delivery.id, 0)


def test_after_close_it_still_takes_messages_and_leaves_no_file_open(make: MakeClient, csms: ScriptedCsms, path: Path) -> None:
    client = make(csms.url)
    client.close()
    deliveries = [put(client, number) for number in range(2)]
    assert (len(client.outbox), ids(client)) == (2, [each.id for each in deliveries])
    assert not open_files(path)
    with pytest.raises(ConnectionClosed):
        deliveries[0].result()
    client.connect(csms.url)
    for each in deliveries:
        outcome(each)
    assert notes(csms) == [0, 1]


def test_close_and_connect_again_and_again(make: MakeClient, csms: ScriptedCsms) -> None:
    client = make()
    for number in range(5):
        client.connect(csms.url)
        outcome(put(client, number))
        client.close()
    assert notes(csms) == [0, 1, 2, 3, 4]


def test_what_is_put_while_the_client_closes_is_there_or_was_refused(make: MakeClient, csms: ScriptedCsms) -> None:
    client = make(csms.url)
    barrier = threading.Barrier(4)

    def putting(first: int) -> list[int]:
        barrier.wait(TIMEOUT)
        return [put(client, first + n).id for n in range(8)]

    futures = [in_thread(putting, 10 * n) for n in range(3)]
    barrier.wait(TIMEOUT)
    client.close()
    stored = {number for future in futures for number in future.result()}
    client.close()
    left = make()
    assert {entry.id for entry in left.outbox.pending()} <= stored
    answered = sum(message.outcome == "answered" for message in csms.received)
    assert len(left.outbox) + answered >= len(stored) == 24


def ended(client: OcppClient) -> None:
    assert client.wait_closed(TIMEOUT)
    for thread in threads():
        thread.join(TIMEOUT)
        assert not thread.is_alive()


def test_close_in_a_callback(make: MakeClient, csms: ScriptedCsms, path: Path) -> None:
    client, closed = make(csms.url), threading.Event()

    def close(delivery: Delivery) -> None:
        client.close(drain=True)
        closed.set()

    put(client, 1).add_done_callback(close)
    assert closed.wait(TIMEOUT)
    ended(client)
    assert not open_files(path)


def test_close_in_the_thread_of_the_deliveries(make: MakeClient, csms: ScriptedCsms, path: Path) -> None:
    client = make(csms.url)
    closed: list[str] = []

    @client.on("frame")
    def frame(direction: str, text: str) -> None:
        if direction == "out" and "DataTransfer" in text:
            client.close()
            closed.append(threading.current_thread().name)

    delivery = put(client, 1)
    ended(client)
    assert closed == ["ocpp-outbox CP1"]
    assert not open_files(path)
    assert ids(client) == [delivery.id]


def test_close_in_the_event_of_the_outbox_and_connect_again(make: MakeClient, csms: ScriptedCsms) -> None:
    csms.script("DataTransfer", REFUSED)
    client, connected = make(settings={"attempts": 1}), Collector()

    @client.on("outbox")
    def given_up(*told: object) -> None:
        client.close()
        connected(client.connect(csms.url))

    put(client, 1)
    second = put(client, 2)
    client.connect(csms.url)
    connected.next()
    outcome(second)
    assert notes(csms)[-1] == 2


def test_connect_in_the_event_close(make: MakeClient, csms: ScriptedCsms) -> None:
    client, again = make(csms.url), threading.Event()
    outcome(put(client, 1))

    @client.on("close")
    def closed(code: int, reason: str) -> None:
        if not again.is_set():
            client.connect(csms.url)
            again.set()

    client.close()
    assert again.wait(TIMEOUT)
    outcome(put(client, 2))
    assert notes(csms) == [1, 2]


def test_who_waits_for_the_end_waits_no_longer_than_it_was_told(make: MakeClient, csms: ScriptedCsms) -> None:
    csms.script("DataTransfer", Drop())
    client = make(csms.url)
    put(client, 1)
    csms.wait_for("DataTransfer")
    client.outbox.close()
    assert not client.outbox.join(0)
    client.close()
    assert client.outbox.join(0)


def test_a_thread_that_cannot_be_started_is_started_later(make: MakeClient, csms: ScriptedCsms, monkeypatch: pytest.MonkeyPatch) -> None:
    start = threading.Thread.start

    def fail(thread: threading.Thread) -> None:
        if thread.name.startswith("ocpp-outbox"):
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", fail)
    client = make(csms.url)
    first = put(client, 1)
    monkeypatch.setattr(threading.Thread, "start", start)
    outcome(put(client, 2))
    assert first.done()


def test_a_handler_of_frame_that_fails_ends_nothing(make: MakeClient, csms: ScriptedCsms) -> None:
    client = make()

    @client.on("frame")
    def frame(direction: str, text: str) -> NoReturn:
        raise SystemExit

    delivery = put(client, 1)
    client.connect(csms.url)
    outcome(delivery)


# --- Other processes


def elsewhere(path: Path, change: Callable[[Store], object]) -> None:
    """What the command line does while the controller runs."""
    store = Store(path, exclusive=False)
    try:
        assert change(store)
    finally:
        store.close()


def test_a_message_that_was_dropped_by_hand_waits_no_longer(make: MakeClient, csms: ScriptedCsms, clock: FakeClock, path: Path) -> None:
    csms.script("DataTransfer", REFUSED)
    client = make(csms.url)
    first, second, third = (put(client, number) for number in range(3))
    clock.wait_for("outbox")
    for each in (first, second):
        elsewhere(path, lambda store, number=each.id: store.drop(number))  # type: ignore[misc]
    assert clock.advance_to("outbox") == 15.0
    outcome(third)
    for each in (first, second):
        error = failure(each)
        assert isinstance(error, OutboxError)
        assert "by hand" in str(error)
    assert notes(csms) == [0, 2]


def test_a_message_that_is_dropped_by_hand_while_it_is_under_way(
    make: MakeClient, csms: ScriptedCsms, clock: FakeClock, path: Path
) -> None:
    csms.script("DataTransfer", Late(step=REFUSED), Late())
    client = make(csms.url)
    for number in range(2):
        delivery = put(client, number)
        csms.wait_for("DataTransfer", number + 1)
        csms.wait_until(lambda csms: csms.received[-1].outcome == "held")
        elsewhere(path, lambda store, number=delivery.id: store.drop(number))  # type: ignore[misc]
        csms.release()
        if number == 0:
            assert isinstance(failure(delivery), CallError)
        else:
            outcome(delivery)
    assert not dead(client)
    assert len(client.outbox) == 0


def test_a_dead_letter_that_was_put_back_by_hand_is_found(make: MakeClient, csms: ScriptedCsms, clock: FakeClock, path: Path) -> None:
    csms.script("DataTransfer", REFUSED)
    client = make(csms.url, settings={"attempts": 1})
    first = put(client, 1)
    failure(first)
    clock.wait_for("outbox")
    elsewhere(path, lambda store: store.retry(first.id))
    assert clock.advance_to("outbox") <= 15.0
    csms.wait_for("DataTransfer", 2)
    outcome(put(client, 2))
    assert notes(csms) == [1, 1, 2]


def test_what_was_dropped_while_the_client_was_closed(make: MakeClient, csms: ScriptedCsms, path: Path) -> None:
    client = make()
    first, second = put(client, 1), put(client, 2)
    client.close()
    elsewhere(path, lambda store: store.drop(first.id))
    client.connect(csms.url)
    outcome(second)
    assert isinstance(failure(first), OutboxError)


# --- A disk that fails


def failing(client: OcppClient, monkeypatch: pytest.MonkeyPatch, method: str, times: int) -> None:
    """Let a method of the store fail so often."""
    store = client.outbox._file._store
    works, left = getattr(store, method), iter(range(times))

    def fail(*arguments: Any, **named: Any) -> Any:
        if next(left, None) is not None:
            raise OutboxError("queue.sqlite3", "disk I/O error")
        return works(*arguments, **named)

    monkeypatch.setattr(store, method, fail)


def test_an_answer_that_cannot_be_written_down_is_written_down_later(
    make: MakeClient, csms: ScriptedCsms, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = make(csms.url)
    failing(client, monkeypatch, "delivered", 2)
    first, second = put(client, 1), put(client, 2)
    assert clock.advance_to("outbox disk") == 5.0
    assert not first.done()
    assert clock.advance_to("outbox disk") == 5.0
    outcome(first)
    outcome(second)
    assert notes(csms) == [1, 2]


@pytest.mark.parametrize("method", ["failed", "give_up"])
def test_d9_an_attempt_that_cannot_be_written_down_counts_once(
    method: str, make: MakeClient, csms: ScriptedCsms, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    csms.script("DataTransfer", REFUSED)
    client = make(csms.url, settings={"attempts": 1})
    failing(client, monkeypatch, method, 1)
    delivery = put(client, 1)
    assert clock.advance_to("outbox disk") == 5.0
    failure(delivery)
    assert dead(client)[0][:2] == (delivery.id, 1)
    assert notes(csms) == [1]


@pytest.mark.parametrize("method", ["head", "transaction_id"])
def test_a_message_that_cannot_be_read_is_read_later(
    method: str, make: MakeClient, csms: ScriptedCsms, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = make()
    start = client.outbox.put("StartTransaction", START)
    last = client.outbox.put("StopTransaction", stop(start.transaction))
    failing(client, monkeypatch, method, 1)
    client.connect(csms.url)
    assert clock.advance_to("outbox") == 5.0
    outcome(last)
    assert [message.action for message in csms.received] == ["StartTransaction", "StopTransaction"]


@pytest.mark.parametrize("times", [1, 100])
def test_close_while_the_disk_fails(
    times: int, make: MakeClient, csms: ScriptedCsms, clock: FakeClock, monkeypatch: pytest.MonkeyPatch, path: Path
) -> None:
    client = make(csms.url)
    failing(client, monkeypatch, "delivered", times)
    delivery = put(client, 1)
    clock.wait_for("outbox disk")
    client.close()
    assert not threads()
    assert not open_files(path)
    # It tries once more.
    if times == 1:
        assert delivery.result(0)
    else:
        with pytest.raises(ConnectionClosed):
            delivery.result()
    assert len(client.outbox) == (times != 1)


def test_close_ends_even_if_the_file_cannot_be_closed_well(
    make: MakeClient, csms: ScriptedCsms, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    client = make(csms.url)
    store = client.outbox._file._store
    assert store is not None
    close = store.close

    def fail() -> NoReturn:
        close()
        raise OutboxError("queue.sqlite3", "disk I/O error")

    monkeypatch.setattr(store, "close", fail)
    client.close()
    assert "disk I/O error" in caplog.text
    client.connect(csms.url)
    outcome(put(client, 1))


def test_a_put_that_fails_stores_nothing(make: MakeClient, monkeypatch: pytest.MonkeyPatch) -> None:
    client = make()
    failing(client, monkeypatch, "put", 1)
    with pytest.raises(OutboxError, match="disk I/O error"):
        put(client, 1)
    assert len(client.outbox) == 0
    put(client, 2)


def test_neither_the_link_nor_a_result_waits_for_a_slow_disk(make: MakeClient, csms: ScriptedCsms, monkeypatch: pytest.MonkeyPatch) -> None:
    client = make(csms.url)
    done = put(client, 1)
    outcome(done)
    store = client.outbox._file._store
    assert store is not None
    works, writing, over = store.put, threading.Event(), threading.Event()

    def slow(*arguments: Any, **named: Any) -> Any:
        writing.set()
        assert over.wait(TIMEOUT)
        return works(*arguments, **named)

    monkeypatch.setattr(store, "put", slow)
    putting: Future = in_thread(put, client, 2)
    assert writing.wait(TIMEOUT)
    try:
        client.outbox.wake()
        assert client.call("Heartbeat")
        assert done.result(0)
    finally:
        over.set()
    outcome(putting.result())


def test_a_damaged_file_is_told_when_somebody_can_listen(make: MakeClient, csms: ScriptedCsms, path: Path) -> None:
    client = make()
    put(client, 1)
    client.close()
    path.write_bytes(b"no outbox" + path.read_bytes()[9:])
    again, told = make(), Collector()
    again.on("outbox", told)
    again.connect(csms.url)
    what, message, reason = told.next()
    assert (what, message) == ("damaged", None)
    assert "beginning" in reason
    outcome(put(again, 2))
    assert told.calls.qsize() == 0


# --- Beside that


def test_an_outbox_says_what_it_is(make: MakeClient, path: Path) -> None:
    client = make()
    assert repr(client.outbox) == f"<Outbox {str(path)!r}>"
    assert client.outbox
    assert len(client.outbox) == 0


def test_a_file_name_will_do(make_client: MakeClient, csms: ScriptedCsms, path: Path) -> None:
    client = make_client(csms.url, version="1.6", outbox=str(path))
    assert (client.outbox.attempts, client.outbox.retry_interval) == (3, 60.0)
    assert put(client, 1).result(TIMEOUT) == {"status": "Accepted"}


def test_the_file_is_free_when_a_client_is_forgotten(tmp_path: Path) -> None:
    file = tmp_path / "queue.sqlite3"
    client = OcppClient("CP1", version="1.6", outbox=file)
    with pytest.raises(OutboxError, match="already"):
        OcppClient("CP2", version="1.6", outbox=file)
    client.outbox._file._store._db.close()  # type: ignore[union-attr] # some Pythons warn of what is not closed
    del client
    gc.collect()
    OcppClient("CP2", version="1.6", outbox=file).close()
