"""Boot, gate and heartbeats (rules D1–D6): on a clock that stands still, so each delay is known."""

from __future__ import annotations

import queue
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ocpp_sync import Backoff, CallError, CallTimeout, ConnectionClosed, HandshakeError, InvalidPayload, NotAccepted, OcppClient
from ocpp_sync.registration import CsmsTime, Registration
from ocpp_sync.testing import Answer, Close, Cut, Delay, Drop, FakeClock, Late, ScriptedCsms

from .support import TIMEOUT, Collector, Future, RawCsms, in_thread

BOOT: dict[str, dict[str, Any]] = {
    "1.6": {"chargePointVendor": "eParking", "chargePointModel": "NECU-T2"},
    "2.0.1": {"reason": "PowerUp", "chargingStation": {"vendorName": "eParking", "model": "NECU-T2"}},
}
BOOT["2.1"] = BOOT["2.0.1"]
STATUS: dict[str, dict[str, Any]] = {
    "1.6": {"connectorId": 1, "errorCode": "NoError", "status": "Available"},
    "2.0.1": {"timestamp": "2025-01-31T12:00:00Z", "connectorStatus": "Available", "evseId": 1, "connectorId": 1},
}
NOW = "2025-01-31T12:00:00Z"
BACKOFF = Backoff(10.0, 0.0, 2)
DAY = 86_400.0

MakeClient = Callable[..., OcppClient]

both = pytest.mark.parametrize("version", ["1.6", "2.0.1"])


def says(status: str, interval: int = 300) -> Answer:
    return Answer({"status": status, "currentTime": NOW, "interval": interval})


@pytest.fixture
def make(make_client: MakeClient, clock: FakeClock) -> MakeClient:
    """Makes 1.6 clients that do it again after 10 seconds, then 20, then 40 for ever: connect, and boot if need be."""
    options = {"version": "1.6", "reconnect": BACKOFF, "clock": clock, "ping_interval": None}
    return lambda url=None, **more: make_client(url, **{**options, **more})


def accepted(client: OcppClient, version: str = "1.6") -> OcppClient:
    client.boot(BOOT[version], timeout=3600)
    return client


def pending(client: OcppClient, csms: ScriptedCsms, clock: FakeClock, version: str = "1.6") -> Future:
    """Boots until the first answer, which is scripted to be none that accepts."""
    booting = in_thread(client.boot, BOOT[version])
    clock.wait_for("boot")
    return booting


def refused(client: OcppClient, action: str = "Heartbeat", **options: Any) -> NotAccepted:
    with pytest.raises(NotAccepted) as caught:
        client.call(action, **options)
    return caught.value


def actions(csms: ScriptedCsms) -> list[str]:
    return [message.action for message in csms.received]


def times(csms: ScriptedCsms, action: str, since: float = 1000.0) -> list[float]:
    return [message.time - since for message in csms.received if message.action == action]


# --- D1: when a station boots


@pytest.mark.parametrize("version", BOOT)
def test_d1_boot_returns_what_accepts_it(version: str, make: MakeClient, csms: ScriptedCsms) -> None:
    csms.script("BootNotification", says("Accepted", 42))
    client = make(csms.url, version=version)
    assert client.registration is None
    assert client.boot(BOOT[version]) == {"status": "Accepted", "currentTime": NOW, "interval": 42}
    assert client.registration == "Accepted"
    assert csms.received[0].payload == BOOT[version]


def test_d1_a_reconnect_is_no_boot(make: MakeClient, csms: ScriptedCsms, clock: FakeClock) -> None:
    client = accepted(make(csms.url))
    csms.disconnect("CP1")
    clock.advance_to("reconnect")
    assert client.wait_connected(TIMEOUT)
    assert client.call("Heartbeat")
    assert actions(csms) == ["BootNotification", "Heartbeat"]


def test_d1_a_second_boot_is_a_new_registration(make: MakeClient, csms: ScriptedCsms, clock: FakeClock) -> None:
    client = accepted(make(csms.url))
    csms.script("BootNotification", says("Pending"))
    booting = pending(client, csms, clock)
    assert len(actions(csms)) == 2
    assert client.registration == "Pending"
    assert refused(client).status == "Pending"
    clock.advance_to("boot")
    assert booting.result()["status"] == "Accepted"
    assert client.call("Heartbeat")


def test_boot_before_connect(make: MakeClient, csms: ScriptedCsms, clock: FakeClock) -> None:
    client = make()
    booting = in_thread(client.boot, BOOT["1.6"], timeout=60)
    clock.wait_for("accepted")
    assert str(refused(client)) == ("Heartbeat was not sent: the CSMS has not answered BootNotification yet (rule D2); there is no link")
    client.connect(csms.url)
    assert booting.result()["status"] == "Accepted"


# --- D2: nothing before the first answer


def test_d2_nothing_else_goes_out_before_the_first_answer(make: MakeClient, csms: ScriptedCsms, clock: FakeClock) -> None:
    csms.script("BootNotification", Drop(), Drop())
    client = make(csms.url)
    booting = in_thread(client.boot, BOOT["1.6"])
    csms.wait_for("BootNotification")
    clock.wait_for("answer")
    error = refused(client)
    assert (error.action, error.status) == ("Heartbeat", None)
    assert str(error) == "Heartbeat was not sent: the CSMS has not answered BootNotification yet (rule D2)"
    clock.advance_to("answer")
    clock.wait_for("boot")
    clock.advance(4)
    text = str(refused(client))
    assert "BootNotification has failed (rule D2): BootNotification timed out after 30.0 s (sent, but not answered" in text
    assert text.endswith("; the next one is due in 6 s")
    clock.advance_to("boot")
    csms.wait_for("BootNotification", 2)
    clock.advance_to("answer")
    clock.advance_to("boot")
    booting.result()
    assert client.call("Heartbeat")
    assert actions(csms) == ["BootNotification"] * 3 + ["Heartbeat"]


def test_d2_a_call_can_wait_until_the_station_is_accepted(make: MakeClient, csms: ScriptedCsms, clock: FakeClock) -> None:
    csms.script("BootNotification", says("Pending", 5))
    client = make(csms.url)
    pending(client, csms, clock)
    calling = in_thread(client.call, "Heartbeat", wait=True, timeout=60)
    assert clock.wait_for("accepted") == 60
    clock.advance_to("boot")
    assert calling.result()
    assert actions(csms) == ["BootNotification", "BootNotification", "Heartbeat"]


def test_d2_a_call_waits_no_longer_than_its_time_out(make: MakeClient, csms: ScriptedCsms, clock: FakeClock) -> None:
    csms.script("BootNotification", says("Pending"))
    client = make(csms.url)
    pending(client, csms, clock)
    calling = in_thread(client.call, "Heartbeat", wait=True, timeout=20)
    assert clock.advance_to("accepted") == 20
    with pytest.raises(CallTimeout, match=r"Pending \(rule D3\)") as caught:
        calling.result()
    assert (caught.value.action, caught.value.sent, caught.value.elapsed) == ("Heartbeat", False, 20)
    assert actions(csms) == ["BootNotification"]


def test_d2_a_send_too(make: MakeClient, csms: ScriptedCsms, clock: FakeClock) -> None:
    csms.script("BootNotification", says("Pending"))
    client = make(csms.url, version="2.1", validation="off")
    booting = pending(client, csms, clock, "2.1")
    with pytest.raises(NotAccepted):
        client.send("NotifyPeriodicEventStream", {"id": 1})
    clock.advance_to("boot")
    booting.result()
    client.send("NotifyPeriodicEventStream", {"id": 1})
    csms.wait_for("NotifyPeriodicEventStream")
    assert actions(csms) == ["BootNotification", "BootNotification", "NotifyPeriodicEventStream"]


@pytest.mark.parametrize("status", ["Accepted", "Pending", "Rejected"])
def test_d2_a_client_that_boots_by_hand_is_not_gated(
    status: str, make: MakeClient, csms: ScriptedCsms, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "ocpp_sync")
    csms.script("BootNotification", says(status))
    client, registrations = make(csms.url), Collector()
    client.on("registration", registrations)
    client.on("ClearCache", lambda request: {"status": "Accepted"})
    assert client.call("Heartbeat")
    assert client.call("BootNotification", BOOT["1.6"])["status"] == status
    assert client.registration == status
    assert registrations.next() == (status,)
    assert client.call("Heartbeat")
    assert csms.call("CP1", "ClearCache") == {"status": "Accepted"}
    assert not clock.waiting()  # no boot, no heartbeats
    assert "BootNotification: " in caplog.text
    assert "due in" not in caplog.text


def test_d4_who_boots_by_hand_does_so_when_triggered_too(make: MakeClient, csms: ScriptedCsms) -> None:
    client, registrations = make(csms.url), Collector()
    client.on("registration", registrations)

    @client.on("TriggerMessage")
    def asked(request: dict[str, Any]) -> Iterator[dict[str, Any]]:
        yield {"status": "Accepted"}
        client.call("BootNotification", BOOT["1.6"])

    csms.call("CP1", "TriggerMessage", {"requestedMessage": "BootNotification"})
    assert registrations.next() == ("Accepted",)
    assert client.registration == "Accepted"


def test_a_boot_by_hand_counts_for_one_that_waits(make: MakeClient, csms: ScriptedCsms, clock: FakeClock) -> None:
    csms.script("BootNotification", says("Pending"), says("Pending", 77), says("Accepted", 60))
    client = make(csms.url)
    booting = pending(client, csms, clock)
    client.call("BootNotification", BOOT["1.6"])
    assert clock.wait_for("boot") == 77
    client.call("BootNotification", BOOT["1.6"])
    assert booting.result()["interval"] == 60
    assert clock.wait_for("heartbeat") == 60


# --- D3: Pending and Rejected


@pytest.mark.parametrize("status", ["Pending", "Rejected"])
@both
def test_d3_d4_the_next_boot_is_after_the_interval(
    version: str, status: str, make: MakeClient, csms: ScriptedCsms, clock: FakeClock
) -> None:
    csms.script("BootNotification", says(status, 300), says(status, 7))
    client, registrations = make(csms.url, version=version), Collector()
    client.on("registration", registrations)
    booting = pending(client, csms, clock, version)
    clock.advance(100)
    error = refused(client)
    assert error.status == status
    assert error.why == f"the CSMS has answered BootNotification with {status} (rule D3); the next one is due in 200 s"
    assert clock.advance_to("boot") == 200
    assert clock.advance_to("boot") == 7
    assert booting.result()["status"] == "Accepted"
    assert times(csms, "BootNotification") == [0, 300, 307]
    assert [registrations.next() for _ in range(3)] == [(status,), (status,), ("Accepted",)]
    assert actions(csms) == ["BootNotification"] * 3


@both
def test_d3_pending_answers_the_csms(version: str, make: MakeClient, csms: ScriptedCsms, clock: FakeClock) -> None:
    csms.script("BootNotification", says("Pending"))
    client = make(csms.url, version=version)
    client.on("ClearCache", lambda request: {"status": "Accepted"})
    pending(client, csms, clock, version)
    assert csms.call("CP1", "ClearCache") == {"status": "Accepted"}


@pytest.mark.parametrize(
    ("version", "request_", "payload", "action", "message"),
    [
        ("1.6", "TriggerMessage", {"requestedMessage": "StatusNotification"}, "StatusNotification", STATUS["1.6"]),
        ("1.6", "ExtendedTriggerMessage", {"requestedMessage": "StatusNotification"}, "StatusNotification", STATUS["1.6"]),
        ("1.6", "ExtendedTriggerMessage", {"requestedMessage": "SignChargePointCertificate"}, "SignCertificate", {"csr": "…"}),
        ("2.0.1", "TriggerMessage", {"requestedMessage": "StatusNotification"}, "StatusNotification", STATUS["2.0.1"]),
        ("2.0.1", "TriggerMessage", {"requestedMessage": "SignChargingStationCertificate"}, "SignCertificate", {"csr": "…"}),
        (
            *("2.0.1", "GetBaseReport", {"requestId": 1, "reportBase": "FullInventory"}),
            *("NotifyReport", {"requestId": 1, "generatedAt": NOW, "seqNo": 0}),
        ),
    ],
)
def test_d3_pending_sends_what_the_csms_asks_for(
    version: str,
    request_: str,
    payload: dict[str, Any],
    action: str,
    message: dict[str, Any],
    make: MakeClient,
    csms: ScriptedCsms,
    clock: FakeClock,
) -> None:
    csms.script("BootNotification", says("Pending"), says("Pending"), says("Rejected"))
    client, outcomes = make(csms.url, version=version), queue.Queue[Any]()

    @client.on(request_)
    def asked(request: dict[str, Any]) -> Iterator[dict[str, Any]]:
        outcomes.put(refused(client, action, payload=message))
        yield {"status": "Accepted"}
        outcomes.put(client.call(action, message))
        outcomes.put(refused(client, "DataTransfer", payload={"vendorId": "V"}))

    pending(client, csms, clock, version)
    assert csms.call("CP1", request_, payload) == {"status": "Accepted"}
    assert [type(outcomes.get(timeout=TIMEOUT)) for _ in range(3)] == [NotAccepted, dict, NotAccepted]
    assert actions(csms) == ["BootNotification", action]
    clock.advance_to("boot")
    clock.wait_for("boot")
    client.call(action, message)  # as long as it is pending: it may be one for each connector
    clock.advance_to("boot")
    clock.wait_for("boot")
    refused(client, action, payload=message)


@pytest.mark.parametrize("answer", [{"status": "Rejected"}, CallError("InternalError"), {"status": "NotImplemented"}])
def test_d3_what_the_station_refuses_opens_nothing(answer: Any, make: MakeClient, csms: ScriptedCsms, clock: FakeClock) -> None:
    csms.script("BootNotification", says("Pending"))
    client = make(csms.url)

    @client.on("TriggerMessage")
    def asked(request: dict[str, Any]) -> dict[str, Any]:
        if isinstance(answer, CallError):
            raise answer
        assert isinstance(answer, dict)
        return answer

    client.on("ClearCache", lambda request: {"status": "Accepted"})
    pending(client, csms, clock)
    in_thread(csms.call, "CP1", "TriggerMessage", {"requestedMessage": "StatusNotification"}).thread.join(TIMEOUT)
    csms.call("CP1", "ClearCache")  # the one before has come to its end
    refused(client, "StatusNotification", payload=STATUS["1.6"])


def test_d3_a_new_boot_forgets_what_was_asked_for(make: MakeClient, csms: ScriptedCsms, clock: FakeClock) -> None:
    csms.script("BootNotification", says("Pending"), Late(), says("Pending"))
    client = make(csms.url)
    client.on("TriggerMessage", lambda request: {"status": "Accepted"})
    client.on("ClearCache", lambda request: {"status": "Accepted"})
    pending(client, csms, clock)
    csms.call("CP1", "TriggerMessage", {"requestedMessage": "StatusNotification"})
    csms.call("CP1", "ClearCache")  # the one before has come to its end
    client.call("StatusNotification", STATUS["1.6"])
    in_thread(client.boot, {**BOOT["1.6"], "firmwareVersion": "2"})
    csms.wait_for("BootNotification", 2)
    assert refused(client, "StatusNotification", payload=STATUS["1.6"]).status is None
    assert client.registration is None


def test_d3_what_is_asked_for_before_the_first_answer_has_to_wait(make: MakeClient, csms: ScriptedCsms, clock: FakeClock) -> None:
    csms.script("BootNotification", Late(None, says("Pending")))
    client = make(csms.url)
    client.on("TriggerMessage", lambda request: {"status": "Accepted"})
    client.on("ClearCache", lambda request: {"status": "Accepted"})
    in_thread(client.boot, BOOT["1.6"])
    csms.wait_for("BootNotification")
    csms.call("CP1", "TriggerMessage", {"requestedMessage": "StatusNotification"})
    csms.call("CP1", "ClearCache")  # the one before has come to its end
    refused(client, "StatusNotification", payload=STATUS["1.6"])
    csms.release()
    clock.wait_for("boot")
    refused(client, "StatusNotification", payload=STATUS["1.6"])


@pytest.mark.parametrize("version", BOOT)
def test_d3_rejected_is_silent(
    version: str, make: MakeClient, raw_csms: Callable[..., RawCsms], clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    csms, client, requests = raw_csms(version=version), make(version=version), Collector({"status": "Accepted"})
    client.on("ClearCache", requests)
    client.connect(csms.url)
    booting = in_thread(client.boot, BOOT[version])

    def answer(status: str) -> None:
        _, message_id, action, _ = csms.receive()
        assert action == "BootNotification"
        csms.send([3, message_id, {"status": status, "currentTime": NOW, "interval": 300}])

    def request(message_id: str) -> None:
        csms.send([2, message_id, "ClearCache", {}])
        csms.sync()  # it is with the handlers,
        handled = threading.Event()
        client.run(handled.set)
        assert handled.wait(TIMEOUT)  # and has been taken

    answer("Rejected")
    clock.wait_for("boot")
    request("1")
    if version != "1.6":
        assert csms.receive()[:3] == [4, "1", "SecurityError"]
    clock.advance_to("boot")
    answer("Accepted")  # what came next was the boot: nothing else has gone out
    booting.result()
    assert requests.calls.empty()
    request("2")
    assert csms.receive() == [3, "2", {"status": "Accepted"}]
    assert requests.calls.qsize() == 1


def test_d3_a_call_waits_through_rejected_and_pending(make: MakeClient, csms: ScriptedCsms, clock: FakeClock) -> None:
    csms.script("BootNotification", says("Rejected", 50), says("Pending", 60))
    client = make(csms.url)
    pending(client, csms, clock)
    calling = in_thread(client.call, "Heartbeat", wait=True, timeout=3600)
    clock.wait_for("accepted")
    assert [clock.advance_to("boot") for _ in range(2)] == [50, 60]
    assert calling.result()


# --- D4: the delay before the next boot


@pytest.mark.parametrize(
    "step",
    [
        pytest.param(says("Pending", 0), id="Pending without an interval"),
        pytest.param(says("Rejected", 0), id="Rejected without an interval"),
        pytest.param(CallError("InternalError"), id="CALLERROR"),
        pytest.param(Answer({"status": "Nonsense", "currentTime": NOW, "interval": 300}), id="an invalid response"),
        pytest.param(Drop(), id="no answer"),
    ],
)
def test_d4_delays_of_its_own(step: Any, make: MakeClient, csms: ScriptedCsms, clock: FakeClock) -> None:
    csms.script("BootNotification", *[step] * 4, says("Pending", 100), step)
    booting = in_thread(make(csms.url).boot, BOOT["1.6"])

    def next_boot() -> float:
        if isinstance(step, Drop):
            assert clock.advance_to("answer") == 30
        return clock.advance_to("boot")

    assert [next_boot() for _ in range(4)] == [10, 20, 40, 40]
    assert clock.advance_to("boot") == 100  # now it has an answer to go by,
    assert next_boot() == 10  # and begins anew
    assert booting.result()["status"] == "Accepted"
    assert len(csms.received) == 7


@pytest.mark.parametrize("response", [{}, {"status": 5, "interval": "x", "currentTime": 7}, {"status": "Pending", "interval": None}])
def test_d4_a_response_that_nobody_has_checked(response: dict[str, Any], make: MakeClient, csms: ScriptedCsms, clock: FakeClock) -> None:
    csms.script("BootNotification", Answer(response), Answer({"status": "Accepted", "interval": "x"}))
    client = make(csms.url, validation="off")
    booting = pending(client, csms, clock)
    assert client.time_offset is None
    assert clock.advance_to("boot") == 10
    assert booting.result()["status"] == "Accepted"
    assert client.heartbeat_interval == 0


@pytest.mark.parametrize("step", [Cut(), Close()])
def test_d4_a_link_that_is_lost_in_the_middle(step: Any, make: MakeClient, csms: ScriptedCsms, clock: FakeClock) -> None:
    csms.script("BootNotification", step, step)
    booting = in_thread(make(csms.url).boot, BOOT["1.6"])
    assert [clock.advance_to("reconnect") for _ in range(2)] == [10, 10]
    assert booting.result()["status"] == "Accepted"
    assert times(csms, "BootNotification") == [0, 10, 20]  # as soon as there was a link
    assert [message.connection for message in csms.received] == [1, 2, 3]


def test_d4_the_interval_holds_over_a_lost_link(make: MakeClient, csms: ScriptedCsms, clock: FakeClock) -> None:
    csms.script("BootNotification", says("Pending", 300), says("Pending", 300))
    client = make(csms.url)
    booting = pending(client, csms, clock)
    csms.disconnect("CP1")
    clock.wait_for("reconnect")
    assert client.registration == "Pending"
    assert str(refused(client)).endswith("with Pending (rule D3); there is no link")
    clock.advance_to("reconnect")
    assert clock.advance_to("boot") == 290
    clock.wait_for("boot")
    csms.disconnect("CP1")
    clock.wait_for("reconnect")
    clock.advance(400)
    assert booting.result()["status"] == "Accepted"  # it was due long ago
    assert times(csms, "BootNotification") == [0, 300, 700]


def test_d4_a_triggered_boot_does_not_wait(make: MakeClient, csms: ScriptedCsms, clock: FakeClock) -> None:
    csms.script("BootNotification", says("Pending"), says("Pending"))
    client = make(csms.url)
    client.on("TriggerMessage", lambda request: {"status": "Accepted"})
    booting = pending(client, csms, clock)
    clock.advance(100)
    csms.call("CP1", "TriggerMessage", {"requestedMessage": "BootNotification"})
    csms.wait_for("BootNotification", 2)
    assert clock.wait_for("boot") == 300
    csms.call("CP1", "TriggerMessage", {"requestedMessage": "BootNotification"})
    assert booting.result()["status"] == "Accepted"
    assert times(csms, "BootNotification") == [0, 100, 100]


def test_d4_an_accepted_station_boots_when_triggered(make: MakeClient, csms: ScriptedCsms, clock: FakeClock) -> None:
    csms.script("BootNotification", says("Accepted"), Late(None, says("Pending", 60)), says("Accepted", 77))
    client, registrations = make(csms.url), Collector()
    client.on("TriggerMessage", lambda request: {"status": "Accepted"})
    client.on("registration", registrations)
    accepted(client)
    csms.call("CP1", "TriggerMessage", {"requestedMessage": "BootNotification"})
    csms.wait_until(lambda csms: csms.received[-1].outcome == "held")
    csms.release()
    assert [registrations.next() for _ in range(2)] == [("Accepted",), ("Pending",)]
    assert refused(client).status == "Pending"
    booting = in_thread(client.boot, BOOT["1.6"], timeout=3600)
    clock.wait_for("accepted")
    assert clock.advance_to("boot") == 60
    assert booting.result()["interval"] == 77
    assert client.call("Heartbeat")
    assert len(times(csms, "BootNotification")) == 3


def test_d4_a_boot_that_is_triggered_meanwhile_is_sent_too(make: MakeClient, csms: ScriptedCsms, clock: FakeClock) -> None:
    csms.script("BootNotification", Late(None, says("Pending")), says("Accepted", 77))
    client = make(csms.url)
    client.on("TriggerMessage", lambda request: {"status": "Accepted"})
    client.on("ClearCache", lambda request: {"status": "Accepted"})
    booting = in_thread(client.boot, BOOT["1.6"])
    csms.wait_for("BootNotification")
    csms.call("CP1", "TriggerMessage", {"requestedMessage": "BootNotification"})
    csms.call("CP1", "ClearCache")  # the one before has come to its end
    csms.release()
    assert booting.result()["interval"] == 77
    assert times(csms, "BootNotification") == [0, 0]


def test_d4_whoever_boots_again_does_not_shorten_the_interval(make: MakeClient, csms: ScriptedCsms, clock: FakeClock) -> None:
    csms.script("BootNotification", says("Pending", 300))
    client = make(csms.url)
    for elapsed in (100, 200):
        booting = in_thread(client.boot, BOOT["1.6"], timeout=100)
        clock.wait_for("boot")
        assert clock.advance_to("accepted") == 100
        with pytest.raises(CallTimeout, match=rf"Pending \(rule D3\); the next one is due in {300 - elapsed} s") as caught:
            booting.result()
        assert caught.value.sent
    booting = in_thread(client.boot, BOOT["1.6"], timeout=101)
    clock.wait_for("accepted")
    assert clock.advance_to("boot") == 100
    assert booting.result()["status"] == "Accepted"
    assert times(csms, "BootNotification") == [0, 300]


def test_d4_the_answer_to_an_older_boot_accepts_no_newer_one(make: MakeClient, csms: ScriptedCsms, clock: FakeClock) -> None:
    csms.script("BootNotification", Late(), says("Accepted", 77))
    client, registrations = make(csms.url), Collector()
    client.on("registration", registrations)
    newer = {**BOOT["1.6"], "firmwareVersion": "2"}
    older_boot = in_thread(client.boot, BOOT["1.6"])
    csms.wait_for("BootNotification")
    newer_boot = in_thread(client.boot, newer, timeout=60)
    clock.wait_for("accepted")
    csms.release()
    assert newer_boot.result()["interval"] == older_boot.result()["interval"] == 77
    assert [message.payload for message in csms.received] == [BOOT["1.6"], newer]
    assert registrations.next() == ("Accepted",)
    assert registrations.calls.empty()


def test_d4_the_failure_of_an_older_boot_does_not_delay_a_newer_one(make: MakeClient, csms: ScriptedCsms, clock: FakeClock) -> None:
    csms.script("BootNotification", Late(None, CallError("InternalError")))
    client = make(csms.url)
    in_thread(client.boot, BOOT["1.6"])
    csms.wait_for("BootNotification")
    booting = in_thread(client.boot, {**BOOT["1.6"], "firmwareVersion": "2"}, timeout=60)
    clock.wait_for("accepted")
    csms.release()
    assert booting.result()["status"] == "Accepted"
    assert times(csms, "BootNotification") == [0, 0]


# --- D6: heartbeats


@both
def test_d5_d6_a_heartbeat_after_each_interval_of_silence(version: str, make: MakeClient, csms: ScriptedCsms, clock: FakeClock) -> None:
    csms.script("BootNotification", says("Accepted", 300))
    client = accepted(make(csms.url, version=version), version)
    assert client.heartbeat_interval == 300
    assert [clock.advance_to("heartbeat") for _ in range(3)] == [300, 300, 300]
    csms.wait_for("Heartbeat", 3)
    assert times(csms, "Heartbeat") == [300, 600, 900]


def test_d6_another_message_does_as_well(make: MakeClient, csms: ScriptedCsms, clock: FakeClock) -> None:
    client = accepted(make(csms.url))
    client.on("ClearCache", lambda request: {"status": "Accepted"})
    clock.advance(100)
    client.call("StatusNotification", STATUS["1.6"])
    clock.advance(250)
    csms.call("CP1", "ClearCache")  # an answer is a message, too
    clock.run(lambda: bool(times(csms, "Heartbeat")), unless=["answer"])
    assert times(csms, "Heartbeat") == [650]


def test_d6_one_a_day_for_the_clock(make: MakeClient, csms: ScriptedCsms, clock: FakeClock) -> None:
    csms.interval = 43_200
    client = accepted(make(csms.url))
    for day in (1, 2):
        for _ in range(4):
            clock.advance(20_000)
            client.call("StatusNotification", STATUS["1.6"])
        clock.run(lambda day=day: len(times(csms, "Heartbeat")) == day, unless=["answer"])  # type: ignore[misc]
        clock.wait_for("heartbeat")  # it has its answer
    assert times(csms, "Heartbeat") == [DAY, 2 * DAY]


def test_d6_a_heartbeat_by_hand_does_as_well(make: MakeClient, csms: ScriptedCsms, clock: FakeClock) -> None:
    csms.interval = 0
    client = accepted(make(csms.url))
    clock.advance(DAY / 2)
    client.call("Heartbeat")
    clock.run(lambda: len(times(csms, "Heartbeat")) == 2, unless=["answer"])
    assert times(csms, "Heartbeat") == [DAY / 2, DAY / 2 + DAY]


def test_d6_the_interval_is_changed_at_run_time(make: MakeClient, csms: ScriptedCsms, clock: FakeClock) -> None:
    client = accepted(make(csms.url))
    assert clock.wait_for("heartbeat") == 300
    client.heartbeat_interval = 20
    assert client.heartbeat_interval == 20
    assert [clock.advance_to("heartbeat") for _ in range(2)] == [20, 20]
    csms.wait_for("Heartbeat", 2)
    clock.wait_for("heartbeat")
    client.heartbeat_interval = 600
    assert clock.wait_for("heartbeat") == 600
    clock.advance(100)
    client.heartbeat_interval = 99.5
    assert csms.wait_for("Heartbeat", 3).time == 1140  # at once
    client.heartbeat_interval = 0
    assert clock.advance_to("heartbeat") == DAY
    csms.wait_for("Heartbeat", 4)


@pytest.mark.parametrize("seconds", [-1, float("inf"), float("nan")])
def test_d6_an_interval_that_is_none(seconds: float, make: MakeClient) -> None:
    client = make()
    with pytest.raises(ValueError, match="a heartbeat interval is a number of seconds"):
        client.heartbeat_interval = seconds
    assert client.heartbeat_interval == 0


def test_d6_heartbeats_stop_with_the_link_and_go_on_with_it(make: MakeClient, csms: ScriptedCsms, clock: FakeClock) -> None:
    client = accepted(make(csms.url))
    clock.wait_for("heartbeat")
    clock.advance(100)
    csms.disconnect("CP1")
    clock.wait_for("reconnect")
    assert list(clock.waiting()) == ["reconnect"]
    clock.advance_to("reconnect")
    assert client.wait_connected(TIMEOUT)
    assert clock.advance_to("heartbeat") == 190
    csms.wait_for("Heartbeat")
    clock.wait_for("heartbeat")
    csms.stop()
    clock.wait_for("reconnect")
    csms.start()
    clock.advance(1000)
    assert csms.wait_for("Heartbeat", 2).time == 2300  # long overdue


@pytest.mark.parametrize("step", [CallError("InternalError"), Answer({}), Drop()])
def test_d6_a_heartbeat_that_fails_does_no_harm(step: Any, make: MakeClient, csms: ScriptedCsms, clock: FakeClock) -> None:
    csms.interval = 20  # less than a call's time-out
    csms.script("Heartbeat", step, step)
    client = accepted(make(csms.url))
    lost = 30 if isinstance(step, Drop) else 0
    for count in (1, 2):
        assert clock.advance_to("heartbeat") == 20
        csms.wait_for("Heartbeat", count)
        if lost:
            assert clock.advance_to("answer") == lost
    assert clock.advance_to("heartbeat") == 20
    csms.wait_for("Heartbeat", 3)
    assert times(csms, "Heartbeat") == [20, 40 + lost, 60 + 2 * lost]
    assert client.registration == "Accepted"
    assert client.call("Heartbeat")


@pytest.mark.parametrize("step", [Cut(), Close()])
def test_d6_a_heartbeat_that_is_lost_with_the_link(step: Any, make: MakeClient, csms: ScriptedCsms, clock: FakeClock) -> None:
    csms.script("Heartbeat", step)
    accepted(make(csms.url))
    assert clock.advance_to("heartbeat") == 300
    assert clock.advance_to("reconnect") == 10
    assert clock.advance_to("heartbeat") == 290
    csms.wait_for("Heartbeat", 2)


def test_d6_the_day_begins_anew_only_with_an_answer(make: MakeClient, csms: ScriptedCsms, clock: FakeClock) -> None:
    csms.interval = 0
    csms.script("Heartbeat", Cut())
    accepted(make(csms.url))
    assert clock.advance_to("heartbeat") == DAY
    assert clock.advance_to("reconnect") == 10
    csms.wait_for("Heartbeat", 2)
    assert clock.advance_to("heartbeat") == DAY


def test_d6_a_slow_answer_does_not_bring_the_next_one_nearer(make: MakeClient, csms: ScriptedCsms, clock: FakeClock) -> None:
    csms.interval = 20
    csms.script("Heartbeat", Delay(25))
    accepted(make(csms.url))
    assert clock.advance_to("heartbeat") == 20
    assert clock.advance_to("csms answer") == 25
    assert clock.advance_to("heartbeat") == 20


# --- boot(), and how it ends


def test_a_payload_that_is_refused_before_anything_is_sent(make: MakeClient, csms: ScriptedCsms) -> None:
    client = make(csms.url)
    with pytest.raises(InvalidPayload):
        client.boot({"chargePointVendor": "eParking"})
    assert client.call("Heartbeat")  # as if nothing had been
    assert actions(csms) == ["Heartbeat"]


def test_a_payload_for_a_version_that_is_known_later(make: MakeClient, clock: FakeClock) -> None:
    with ScriptedCsms(versions="1.6", clock=clock) as csms:
        client = make(version=["2.0.1", "1.6"])
        booting = in_thread(client.boot, BOOT["2.0.1"], timeout=60)
        clock.wait_for("accepted")
        client.connect(csms.url)
        with pytest.raises(InvalidPayload):
            booting.result()
        assert "boot() has failed (rule D2): BootNotification: " in refused(client).why
        with pytest.raises(InvalidPayload):
            client.boot(BOOT["2.0.1"])  # now it is known
        assert csms.received == []
        clock.run(lambda: "'link' (without a deadline)" in repr(clock), when=["nobody"], timeout=TIMEOUT)  # no heartbeat, either
        assert client.boot(BOOT["1.6"])["status"] == "Accepted"
        assert client.call("Heartbeat")
        assert actions(csms) == ["BootNotification", "Heartbeat"]
        with pytest.raises(InvalidPayload):
            client.boot(BOOT["2.0.1"])
        assert client.registration == "Accepted"


def test_a_payload_for_another_version_than_that_of_the_last_link(make: MakeClient, csms: ScriptedCsms, clock: FakeClock) -> None:
    with ScriptedCsms(versions="1.6", clock=clock) as older:
        client = make(older.url, version=["2.0.1", "1.6"])
        client.close()
    booting = in_thread(client.boot, BOOT["2.0.1"], timeout=60)
    clock.wait_for("accepted")
    client.connect(csms.url)
    assert booting.result()["status"] == "Accepted"


def test_a_boot_that_takes_too_long_goes_on(make: MakeClient, csms: ScriptedCsms, clock: FakeClock) -> None:
    client, registrations = make(), Collector()
    client.on("registration", registrations)
    booting = in_thread(client.boot, BOOT["1.6"], timeout=5)
    assert clock.advance_to("accepted") == 5
    with pytest.raises(CallTimeout) as caught:
        booting.result()
    assert not caught.value.sent
    assert str(caught.value) == (
        "BootNotification timed out after 5.0 s (not sent: the CSMS has not answered BootNotification yet (rule D2); there is no link)"
    )
    client.connect(csms.url)
    assert registrations.next() == ("Accepted",)
    assert client.call("Heartbeat")


def test_a_boot_that_is_not_waited_for(make: MakeClient, csms: ScriptedCsms) -> None:
    client, registrations = make(csms.url), Collector()
    client.on("registration", registrations)
    with pytest.raises(CallTimeout):
        client.boot(BOOT["1.6"], timeout=0)
    assert registrations.next() == ("Accepted",)


@pytest.mark.parametrize("step", [Drop(), says("Pending"), CallError("InternalError")])
def test_close_ends_a_boot(step: Any, make: MakeClient, csms: ScriptedCsms, clock: FakeClock) -> None:
    csms.script("BootNotification", step)
    client = make(csms.url)
    booting = in_thread(client.boot, BOOT["1.6"])
    clock.wait_for("answer" if isinstance(step, Drop) else "boot")
    client.close()
    with pytest.raises(ConnectionClosed) as caught:
        booting.result()
    assert (caught.value.code, caught.value.reason) == (1000, "closed while booting")
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("ocpp-registration")]


def test_close_ends_a_boot_that_waits_for_a_link(make: MakeClient, clock: FakeClock) -> None:
    client = make()
    booting = in_thread(client.boot, BOOT["1.6"], timeout=60)
    clock.wait_for("accepted")
    client.close()
    with pytest.raises(ConnectionClosed):
        booting.result()


def test_close_ends_a_call_that_waits_for_the_acceptance(make: MakeClient, csms: ScriptedCsms, clock: FakeClock) -> None:
    csms.script("BootNotification", says("Pending"))
    client = make(csms.url)
    pending(client, csms, clock)
    calling = in_thread(client.call, "Heartbeat", wait=True)
    clock.wait_for("accepted")
    client.close()
    with pytest.raises(ConnectionClosed):
        calling.result()


@pytest.mark.parametrize("status", ["Pending", "Accepted"])
def test_close_in_the_event_registration(status: str, make: MakeClient, csms: ScriptedCsms) -> None:
    csms.script("BootNotification", says(status))
    client, closed = make(csms.url), threading.Event()

    @client.on("registration")
    def changed(status: str) -> None:
        client.close()
        closed.set()

    booting = in_thread(client.boot, BOOT["1.6"])
    assert closed.wait(TIMEOUT)
    try:
        assert booting.result()["status"] == "Accepted" == status
    except ConnectionClosed:
        assert status == "Pending"
    assert not client.connected


@pytest.mark.parametrize("answers", [[], [says("Pending", 20)]])
def test_d1_after_close_it_connects_and_boots_again(answers: list[Any], make: MakeClient, csms: ScriptedCsms, clock: FakeClock) -> None:
    client = accepted(make(csms.url))
    for _ in range(2):
        client.close()
        csms.clear()
        csms.script("BootNotification", *answers)
        client.connect(csms.url)
        booting = in_thread(client.boot, BOOT["1.6"])
        for _ in answers:
            assert clock.advance_to("boot") == 20
        booting.result()
        assert len(csms.received) == 1 + len(answers)
        assert clock.wait_for("heartbeat") == 300


BOOTING = """
    import sys
    from ocpp_sync import OcppClient
    client = OcppClient("CP1", version="1.6").connect(sys.argv[1])
    client.on("registration", lambda status: print(status, flush=True))
    try:
        client.boot({"chargePointVendor": "V", "chargePointModel": "M"})
    except KeyboardInterrupt:
        print("interrupted", client.connected, flush=True)
"""


def test_ctrl_c_ends_a_boot_and_the_interpreter_ends_with_the_program() -> None:
    with ScriptedCsms() as csms:
        csms.script("BootNotification", says("Pending"))
        command = [sys.executable, "-c", textwrap.dedent(BOOTING), csms.url]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
            assert child.stdout is not None
            assert child.stdout.readline() == "Pending\n"
            child.send_signal(signal.SIGINT)
            output, _ = child.communicate(timeout=6 * TIMEOUT)
        assert output == "interrupted True\n"
        assert child.returncode == 0


@pytest.mark.parametrize("error", [ValueError, SystemExit, KeyboardInterrupt])
def test_nothing_that_a_handler_of_frame_raises_ends_it(
    error: type[BaseException], make: MakeClient, csms: ScriptedCsms, clock: FakeClock
) -> None:
    client, frames = make(csms.url), Collector()

    @client.on("frame")
    def shown(direction: str, text: str) -> None:
        frames(direction)
        if direction == "out":
            raise error

    booting = in_thread(client.boot, BOOT["1.6"])
    if error is KeyboardInterrupt:  # it ends the call, which may be that of the main thread
        assert clock.advance_to("boot") == 10
        assert frames.next() == ("out",)
        client.close()
        with pytest.raises(ConnectionClosed):
            booting.result()
    else:
        assert booting.result()["status"] == "Accepted"
        clock.advance_to("heartbeat")
        csms.wait_for("Heartbeat")


# --- Without a client


class Desk:
    """A station on paper."""

    identity = "CP1"
    last_sent = 0.0

    def __init__(self) -> None:
        self.connected = True
        self.requests: queue.Queue[str] = queue.Queue()

    def boot(self) -> dict[str, Any]:
        self.registration.require({})
        return self.registration.wait_accepted(None)

    def request(self, action: str, payload: dict[str, Any]) -> dict[str, Any]:
        self.requests.put(action)
        self.registration.answered(action, dict(says("Accepted").payload or {}), 0.0)
        return {}

    def check_request(self, action: str, payload: dict[str, Any]) -> None:
        """All are well."""

    def tell(self, event: str, *arguments: Any) -> None:
        """Nobody listens."""

    registration: Registration


@pytest.fixture
def desk(clock: FakeClock) -> Iterator[Desk]:
    desk = Desk()
    desk.registration = Registration(desk, clock, CsmsTime(clock), BACKOFF)
    yield desk
    desk.registration.close()
    assert desk.registration.join(TIMEOUT)


def test_what_close_has_ended_goes_on_with_the_next_link(desk: Desk, clock: FakeClock) -> None:
    desk.registration.resume()
    assert threading.active_count() == 1  # there is nothing to go on with
    desk.boot()
    clock.wait_for("heartbeat")
    desk.registration.close()
    assert desk.registration.join(TIMEOUT)
    assert not clock.waiting()
    desk.registration.resume()
    clock.advance_to("heartbeat")
    assert [desk.requests.get(timeout=TIMEOUT) for _ in range(2)] == ["BootNotification", "Heartbeat"]


def test_resume_leaves_what_runs_alone(desk: Desk, clock: FakeClock) -> None:
    desk.boot()
    clock.wait_for("heartbeat")
    threads = threading.enumerate()
    desk.registration.resume()
    assert threading.enumerate() == threads


def test_without_a_thread_there_is_no_boot_and_the_next_one_starts_it(
    desk: Desk, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def start(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", start)
        with pytest.raises(RuntimeError, match="can't start new thread"):
            desk.boot()
    assert desk.registration.join(TIMEOUT)
    assert desk.boot()["status"] == "Accepted"


def test_d6_heartbeats_go_on_after_close_and_connect(make: MakeClient, csms: ScriptedCsms, clock: FakeClock) -> None:
    client = accepted(make(csms.url))
    client.close()
    client.connect(csms.url)
    clock.advance_to("heartbeat")
    csms.wait_for("Heartbeat")
    assert actions(csms) == ["BootNotification", "Heartbeat"]


def test_d4_a_registration_goes_on_after_close_and_connect(make: MakeClient, csms: ScriptedCsms, clock: FakeClock) -> None:
    csms.script("BootNotification", says("Pending"))
    client = make(csms.url)
    pending(client, csms, clock)
    client.close()
    clock.advance(100)
    client.connect(csms.url)
    assert clock.advance_to("boot") == 200
    assert client.call("Heartbeat", wait=True)


@pytest.mark.parametrize("step", [Cut(), Close()])
def test_a_boot_ends_with_a_link_that_is_not_made_again(step: Any, make: MakeClient, csms: ScriptedCsms) -> None:
    csms.script("BootNotification", step)
    client = make(csms.url, reconnect=None)
    with pytest.raises(ConnectionClosed):
        client.boot(BOOT["1.6"])
    client.connect(csms.url)
    client.call("Heartbeat", wait=True)
    assert actions(csms) == ["BootNotification"] * 2 + ["Heartbeat"]


def test_d3_a_boot_in_a_handler_lets_the_csms_ask(make: MakeClient, csms: ScriptedCsms, clock: FakeClock) -> None:
    csms.script("BootNotification", says("Pending"))
    client, booted = make(), Collector()
    client.on("connect", lambda: booted(client.boot(BOOT["1.6"])["status"]))
    client.on("GetLocalListVersion", lambda request: {"listVersion": 7})
    client.connect(csms.url)
    clock.wait_for("boot")
    assert csms.call("CP1", "GetLocalListVersion", {}) == {"listVersion": 7}
    clock.advance_to("boot")
    assert booted.next() == ("Accepted",)


def test_d2_what_connect_boots_with_goes_out_before_the_outbox(
    make: MakeClient, csms: ScriptedCsms, clock: FakeClock, tmp_path: Path
) -> None:
    csms.script("BootNotification", says("Pending"))
    client = make(outbox=tmp_path / "queue.sqlite3")
    refused = Collector()

    @client.on("connect")
    def impatient() -> None:
        with pytest.raises(NotAccepted) as caught:
            client.call("Heartbeat")
        refused(caught.type)

    queued = client.outbox.put("DataTransfer", {"vendorId": "x"})
    connecting = in_thread(client.connect, csms.url, boot=BOOT["1.6"])
    assert clock.advance_to("boot") == 300
    assert connecting.result() is client
    assert queued.result(TIMEOUT)
    assert actions(csms) == ["BootNotification", "BootNotification", "DataTransfer"]
    assert refused.next() == (NotAccepted,)
    assert client.registration == "Accepted"


def test_d2_what_a_connect_that_failed_was_to_boot_with_goes_out_at_the_next(make: MakeClient, csms: ScriptedCsms) -> None:
    client = make()
    with pytest.raises(InvalidPayload):
        client.connect(csms.url, boot={"model": "x"})
    assert csms.handshakes == []
    csms.stop()
    with pytest.raises(HandshakeError):
        client.connect(csms.url, boot=BOOT["1.6"])
    csms.start()
    client.connect(csms.url)
    client.call("Heartbeat", wait=True)
    assert actions(csms) == ["BootNotification", "Heartbeat"]


def test_close_does_not_wait_for_a_registration_that_goes_on(
    make: MakeClient, csms: ScriptedCsms, caplog: pytest.LogCaptureFixture
) -> None:
    client, again = accepted(make(csms.url)), Collector()
    urls = [csms.url]
    client.on("close", lambda code, reason: again(client.connect(urls.pop())) if urls else None)
    client.close()
    assert again.next() == (client,)
    assert client.connected
    assert "still runs" not in caplog.text
