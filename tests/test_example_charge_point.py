"""examples/raspberry_pi/charge_point on mock pins, with a simulated meter and a card reader in memory, against a scripted CSMS."""

from __future__ import annotations

import os
import queue
import select
import struct
import sys
import threading
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from gpiozero import Device
from gpiozero.pins.mock import MockFactory, MockPWMPin

from ocpp_sync import Backoff, format_time, parse_time
from ocpp_sync.testing import Answer, Drop, FakeClock, FaultyLink, ScriptedCsms

from .support import TIMEOUT, in_thread, wait_until

EXAMPLES = Path(__file__).parent.parent / "examples" / "raspberry_pi"
sys.path.insert(0, str(EXAMPLES))

from charge_point import profiles  # noqa: E402
from charge_point import settings as settings_of  # noqa: E402
from charge_point.cards import SerialReader  # noqa: E402
from charge_point.configuration import Configuration  # noqa: E402
from charge_point.controller import Controller  # noqa: E402
from charge_point.memory import Memory  # noqa: E402
from charge_point.meter import MeterError, ModbusMeter, SimulatedMeter, crc  # noqa: E402
from charge_point.pi import PiHardware  # noqa: E402
from charge_point.safety import Cause, Policy  # noqa: E402
from charge_point.settings import Settings, SettingsError, Supply  # noqa: E402

IDENTITY = "CP1"
CARD = "04A1B2C3"
VERSIONS = ("1.6", "2.0.1")
HOUR = 3600.0


class Cards:
    """A card reader: readline() as a serial port has it."""

    def __init__(self) -> None:
        self._lines: queue.Queue[bytes | None] = queue.Queue()

    def hold(self, uid: str = CARD) -> None:
        self._lines.put(f"UID: {uid}\r\n".encode())

    def say(self, line: bytes) -> None:
        self._lines.put(line)

    def readline(self) -> bytes:
        line = self._lines.get(timeout=6 * TIMEOUT)
        if line is None:
            raise OSError("the port is closed")
        return line

    def close(self) -> None:
        self._lines.put(None)


class Bench:
    """A charge point on a bench, and the thread that its main loop runs in."""

    def __init__(self, settings: Settings, factory: MockFactory, clock: FakeClock) -> None:
        self.settings, self.clock = settings, clock
        self.pin = {name: factory.pin(getattr(settings.pins, name)) for name in ("contactor", "button", "plug", "pilot")}
        self.pin["plug"].drive_high()
        self.controller: Controller
        self.cards: Cards
        self.outcome: Any = None

    @contextmanager
    def run(self, url: str, outcome: str = "stop") -> Iterator[Bench]:
        self.settings.csms.url = url
        self.cards = Cards()
        hardware = PiHardware(self.settings, cards=SerialReader(self.cards), clock=self.clock)
        # The clock runs faster than answers come, so these have all the time.
        options = {"reconnect": Backoff(10.0, 0.0, 2), "ping_interval": None, "call_timeout": None}
        self.controller = Controller(self.settings, hardware, clock=self.clock, client_options=options)
        self.running = in_thread(self.controller.run)
        try:
            yield self
        finally:
            self.controller.stop()
            self.outcome = self.running.result(3 * TIMEOUT)
            assert self.outcome == outcome
            assert not self.pin["contactor"].state

    @property
    def meter(self) -> SimulatedMeter:
        meter = self.controller.hardware.meter
        assert isinstance(meter, SimulatedMeter)
        return meter

    def plug(self) -> None:
        self.pin["plug"].drive_low()

    def unplug(self) -> None:
        self.pin["plug"].drive_high()

    def press(self) -> None:
        self.pin["button"].drive_low()
        self.pin["button"].drive_high()

    def wait_closed(self) -> None:
        assert wait_until(lambda: self.pin["contactor"].state), self.controller.guard.reasons

    def wait_open(self) -> None:
        assert wait_until(lambda: not self.pin["contactor"].state)

    def settle(self) -> None:
        """Wait until the main loop has done what it was told."""
        self.controller.ask(lambda: None)

    def pass_time(self, seconds: float) -> None:
        """Let time pass; the meter is looked at all the while."""
        until = self.clock.monotonic() + seconds
        while self.clock.monotonic() < until:
            self.clock.advance_to("meter")
            self.clock.wait_for("meter")
            self.settle()


class Csms(ScriptedCsms):
    """Counts for a test what it has got."""

    def states(self) -> list[str]:
        names = ("status", "connectorStatus")
        found = [each.payload for each in self.received if each.action == "StatusNotification"]
        return [next(payload[name] for name in names if name in payload) for payload in found]

    def wait_state(self, state: str) -> None:
        self.wait_until(lambda csms: self.states()[-1:] == [state])

    def all(self, action: str) -> list[dict[str, Any]]:
        return [each.payload for each in self.received if each.action == action]

    def ask(self, action: str, **request: Any) -> dict[str, Any]:
        return self.call(IDENTITY, action, request, TIMEOUT)

    def events(self, kind: str, count: int = 1) -> list[dict[str, Any]]:
        """Of 2.0.1: so many TransactionEvents of a kind."""

        def found() -> list[dict[str, Any]]:
            return [each for each in self.all("TransactionEvent") if each["eventType"] == kind]

        self.wait_until(lambda csms: len(found()) >= count)
        return found()


@pytest.fixture
def factory() -> Iterator[MockFactory]:
    previous, Device.pin_factory = Device.pin_factory, MockFactory(pin_class=MockPWMPin)
    yield Device.pin_factory
    Device.pin_factory.reset()
    Device.pin_factory = previous


@pytest.fixture
def csms(clock: FakeClock) -> Iterator[Csms]:
    with Csms(clock=clock) as csms:
        yield csms


@pytest.fixture
def make_bench(factory: MockFactory, clock: FakeClock, tmp_path: Path) -> Callable[..., Bench]:
    def make(version: str = "1.6", **changes: Any) -> Bench:
        document = {
            "csms": {"url": "ws://127.0.0.1:1", "identity": IDENTITY, "version": version},
            "files": {"outbox": str(tmp_path / "outbox"), "memory": str(tmp_path / "memory.json")},
            "pins": {"plug": 25, "pilot": 18},
            "button_tag": "BUTTON-1",
            "meter": {"seconds": 5.0},
        }
        return Bench(settings_of.parse({**document, **changes}), factory, clock)

    return make


@pytest.fixture(params=VERSIONS)
def bench(request: pytest.FixtureRequest, make_bench: Callable[..., Bench]) -> Bench:
    return make_bench(request.param)


@pytest.fixture
def booted(make_bench: Callable[..., Bench], csms: Csms) -> Iterator[Bench]:
    """A charge point of 1.6 that the CSMS has accepted."""
    with make_bench().run(csms.url) as bench:
        csms.wait_state("Available")
        yield bench


def charge(bench: Bench, csms: Csms, tag: str = CARD) -> None:
    bench.plug()
    bench.cards.hold(tag)
    bench.wait_closed()


# --- A session


def test_plug_card_charge_card_unplug(booted: Bench, csms: Csms) -> None:
    booted.plug()
    csms.wait_state("Preparing")
    booted.cards.hold()
    assert csms.wait_for("Authorize").payload == {"idTag": CARD}
    start = csms.wait_for("StartTransaction").payload
    assert {**start, "timestamp": ""} == {"connectorId": 1, "idTag": CARD, "meterStart": 0, "timestamp": ""}
    booted.wait_closed()
    csms.wait_state("Charging")
    booted.pass_time(HOUR)
    booted.cards.hold("DEADBEEF")  # somebody else's ends nothing
    booted.cards.hold()
    booted.wait_open()
    stop = csms.wait_for("StopTransaction").payload
    assert {**stop, "timestamp": ""} == {"transactionId": 1, "meterStop": 3680, "reason": "Local", "idTag": CARD, "timestamp": ""}
    booted.unplug()
    csms.wait_state("Available")
    assert csms.states() == ["Available", "Preparing", "Charging", "Preparing", "Available"]
    assert len(csms.all("MeterValues")) == 60
    sampled = csms.all("MeterValues")[29]
    assert sampled["transactionId"] == 1
    assert [each["value"] for each in sampled["meterValue"][0]["sampledValue"]] == ["1840", "3680", "16.0", "230.0"]


def test_plug_card_charge_card_unplug_by_2_0_1(make_bench: Callable[..., Bench], csms: Csms) -> None:
    with make_bench("2.0.1").run(csms.url) as bench:
        csms.wait_state("Available")
        assert csms.all("BootNotification")[0]["reason"] == "PowerUp"
        charge(bench, csms)
        assert csms.wait_for("Authorize").payload == {"idToken": {"idToken": CARD, "type": "ISO14443"}}
        bench.pass_time(600)
        bench.cards.hold()
        ended = csms.events("Ended")[0]
        assert (ended["triggerReason"], ended["transactionInfo"]["stoppedReason"]) == ("StopAuthorized", "Local")
        assert ended["meterValue"][0]["sampledValue"][0]["value"] == 613
        events = csms.all("TransactionEvent")
        assert [each["seqNo"] for each in events] == list(range(len(events)))
        assert len({each["transactionInfo"]["transactionId"] for each in events}) == 1
        assert [each["eventType"] for each in events] == ["Started", *["Updated"] * (len(events) - 2), "Ended"]
        assert len(events) == 12
        bench.unplug()
        csms.wait_state("Available")
        assert csms.states() == ["Available", "Occupied", "Available"]


def test_the_button_starts_and_stops(bench: Bench, csms: Csms) -> None:
    with bench.run(csms.url):
        csms.wait_state("Available")
        bench.plug()
        for _ in range(2):
            bench.press()
            bench.wait_closed()
            bench.press()
            bench.wait_open()
        csms.wait_for("Authorize", 2)
        assert bench.controller.session is None


def test_who_is_not_accepted_does_not_charge(booted: Bench, csms: Csms) -> None:
    csms.script("Authorize", Answer({"idTagInfo": {"status": "Blocked"}}))
    booted.plug()
    booted.cards.hold()
    csms.wait_for("Authorize")
    booted.cards.hold("DEADBEEF")
    booted.wait_closed()
    assert [each["idTag"] for each in csms.all("Authorize")] == [CARD, "DEADBEEF"]
    assert csms.wait_for("StartTransaction").payload["idTag"] == "DEADBEEF"


def test_who_does_not_plug_in_is_forgotten(booted: Bench, csms: Csms) -> None:
    booted.cards.hold()
    csms.wait_state("Preparing")
    booted.pass_time(125)
    csms.wait_state("Available")
    booted.plug()
    booted.settle()
    assert not booted.pin["contactor"].state


def test_who_unplugs_ends_it(bench: Bench, csms: Csms) -> None:
    with bench.run(csms.url):
        csms.wait_state("Available")
        charge(bench, csms)
        bench.unplug()
        bench.wait_open()
        csms.wait_state("Available")


def test_a_transaction_that_is_refused_opens_the_contactor(booted: Bench, csms: Csms) -> None:
    csms.script("StartTransaction", Answer({"transactionId": 3, "idTagInfo": {"status": "ConcurrentTx"}}))
    booted.plug()
    booted.cards.hold()
    stop = csms.wait_for("StopTransaction").payload
    assert (stop["transactionId"], stop["reason"]) == (3, "DeAuthorized")
    booted.wait_open()


def test_what_the_card_reader_says_besides_is_no_card(booted: Bench, csms: Csms) -> None:
    booted.plug()
    for noise in (b"\r\n", b"ready\r\n", b"\xff\xfe\r\n", b"", b"04\r\n"):
        booted.cards.say(noise)
    booted.cards.say(b"04:a1:b2:c3\r\n")
    assert csms.wait_for("Authorize").payload == {"idTag": CARD}
    booted.wait_closed()


# --- Without a link


@pytest.mark.parametrize("version", VERSIONS)
def test_a_link_that_is_cut_ends_no_charge_and_nothing_is_lost(
    version: str, make_bench: Callable[..., Bench], csms: Csms, clock: FakeClock
) -> None:
    bench = make_bench(version)
    with FaultyLink(csms.port) as link, bench.run(link.url):
        csms.wait_state("Available")
        charge(bench, csms)
        csms.wait_for("Authorize")
        link.cut()
        link.refuse()
        assert wait_until(lambda: not bench.controller.client.connected)
        bench.pass_time(1800)
        assert bench.pin["contactor"].state
        bench.cards.hold()
        bench.wait_open()
        link.heal()
        clock.advance_to("reconnect")
        if version == "1.6":
            stop = csms.wait_for("StopTransaction", timeout=3 * TIMEOUT).payload
            assert (stop["transactionId"], stop["meterStop"]) == (1, 1840)
            assert len(csms.all("MeterValues")) == 30
        else:
            ended = csms.events("Ended")[0]
            assert ended["offline"] is True
            assert ended["meterValue"][0]["sampledValue"][0]["value"] == 1840


def test_a_link_that_is_lost_for_too_long_ends_it(make_bench: Callable[..., Bench], csms: Csms, clock: FakeClock) -> None:
    bench = make_bench(safety={"link-lost": {"policy": "keep until limit", "minutes": 30}})
    with bench.run(csms.url):
        csms.wait_state("Available")
        charge(bench, csms)
        csms.wait_state("Charging")
        csms.stop()
        assert wait_until(lambda: not bench.controller.client.connected)
        bench.settle()
        bench.pass_time(1790)
        assert bench.pin["contactor"].state
        bench.pass_time(20)
        bench.wait_open()
        assert wait_until(lambda: bench.controller.session is None)
        bench.cards.hold()  # nor does another one begin
        bench.settle()
        assert not bench.pin["contactor"].state
        csms.start()
        clock.advance_to("reconnect")
        assert csms.wait_for("StopTransaction").payload["reason"] == "Other"
        assert len(csms.all("StartTransaction")) == 1


@pytest.mark.parametrize(
    ("tag", "known", "unknown", "charges"),
    [
        ("900D0001", "true", "false", True),
        ("900D0001", "false", "false", False),
        ("BAD00002", "true", "true", False),
        ("01D00003", "true", "true", False),
        ("DEADBEEF", "true", "false", False),
        ("DEADBEEF", "true", "true", True),
    ],
)
def test_the_offline_policy(tag: str, known: str, unknown: str, charges: bool, booted: Bench, csms: Csms) -> None:
    listed = [
        {"idTag": "900d0001", "idTagInfo": {"status": "Accepted", "expiryDate": "2030-01-01T00:00:00Z"}},
        {"idTag": "BAD00002", "idTagInfo": {"status": "Blocked"}},
        {"idTag": "01D00003", "idTagInfo": {"status": "Accepted", "expiryDate": "2024-01-01T00:00:00Z"}},
    ]
    answer = csms.ask("SendLocalList", listVersion=4, updateType="Full", localAuthorizationList=listed)
    assert answer == {"status": "Accepted"}
    assert csms.ask("GetLocalListVersion") == {"listVersion": 4}
    for key, value in (("LocalAuthorizeOffline", known), ("AllowOfflineTxForUnknownId", unknown)):
        assert csms.ask("ChangeConfiguration", key=key, value=value) == {"status": "Accepted"}
    csms.stop()
    assert wait_until(lambda: not booted.controller.client.connected)
    booted.plug()
    booted.cards.hold(tag)
    if charges:
        booted.wait_closed()
    else:
        booted.cards.say(b"\r\n")
        booted.cards.hold("BAD00002")  # which is refused after it
        assert wait_until(lambda: booted.cards._lines.empty())
        booted.settle()
        assert not booted.pin["contactor"].state


def test_the_local_list_is_updated(booted: Bench, csms: Csms) -> None:
    def send(version: int, kind: str, *entries: dict[str, Any]) -> str:
        answer = csms.ask("SendLocalList", listVersion=version, updateType=kind, localAuthorizationList=list(entries))
        status: str = answer["status"]
        return status

    assert send(1, "Full", {"idTag": "A", "idTagInfo": {"status": "Accepted"}}) == "Accepted"
    assert send(1, "Differential", {"idTag": "A"}) == "VersionMismatch"
    assert send(2, "Differential", {"idTag": "A"}, {"idTag": "B", "idTagInfo": {"status": "Accepted"}}) == "Accepted"
    assert list(booted.controller.memory["list"]) == ["b"]
    assert csms.ask("ChangeConfiguration", key="LocalAuthListEnabled", value="false") == {"status": "Accepted"}
    assert csms.ask("GetLocalListVersion") == {"listVersion": -1}
    assert send(3, "Full") == "NotSupported"


def test_a_power_cut_leaves_no_transaction_open(bench: Bench, csms: Csms, clock: FakeClock) -> None:
    """As kill -9 does: the main loop ends without a goodbye, and the same files go on."""

    def cut() -> None:
        raise SystemError("power cut")

    with bench.run(csms.url):
        csms.wait_state("Available")
        charge(bench, csms)
        csms.wait_state("Charging" if bench.settings.csms.version == "1.6" else "Occupied")
        bench.controller._say_goodbye = lambda: None  # type: ignore[method-assign]
        bench.controller.post(cut)
        with pytest.raises(SystemError, match="power cut"):
            bench.running.result()
        bench.running = in_thread(lambda: "stop")
    assert not bench.pin["contactor"].state
    with bench.run(csms.url):
        if bench.settings.csms.version == "1.6":
            stop = csms.wait_for("StopTransaction").payload
            assert (stop["transactionId"], stop["reason"]) == (1, "PowerLoss")
        else:
            ended = csms.events("Ended")[0]
            started = csms.events("Started")[0]
            assert ended["transactionInfo"]["transactionId"] == started["transactionInfo"]["transactionId"]
            assert ended["transactionInfo"]["stoppedReason"] == "PowerLoss"
        csms.wait_state("Available")
        bench.settle()
        assert not list(bench.controller.client.outbox.open_transactions())


# --- What the CSMS wants


def test_remote_start_and_stop(booted: Bench, csms: Csms) -> None:
    assert csms.ask("RemoteStopTransaction", transactionId=1) == {"status": "Rejected"}
    booted.plug()
    assert csms.ask("RemoteStartTransaction", idTag="REMOTE-1") == {"status": "Accepted"}
    booted.wait_closed()
    assert csms.wait_for("StartTransaction").payload["idTag"] == "REMOTE-1"
    csms.wait_state("Charging")
    assert csms.ask("RemoteStartTransaction", idTag="REMOTE-2") == {"status": "Rejected"}
    assert csms.ask("RemoteStopTransaction", transactionId=7) == {"status": "Rejected"}
    assert csms.ask("RemoteStopTransaction", transactionId=1) == {"status": "Accepted"}
    booted.wait_open()
    assert csms.wait_for("StopTransaction").payload["reason"] == "Remote"
    assert not csms.all("Authorize")


def test_a_remote_start_may_need_an_authorization(booted: Bench, csms: Csms) -> None:
    assert csms.ask("ChangeConfiguration", key="AuthorizeRemoteTxRequests", value="true") == {"status": "Accepted"}
    csms.script("Authorize", Answer({"idTagInfo": {"status": "Invalid"}}))
    booted.plug()
    assert csms.ask("RemoteStartTransaction", idTag="REMOTE-1") == {"status": "Accepted"}
    csms.wait_for("Authorize")
    assert csms.ask("RemoteStartTransaction", idTag="REMOTE-2") == {"status": "Accepted"}
    booted.wait_closed()
    assert csms.wait_for("StartTransaction").payload["idTag"] == "REMOTE-2"


def test_remote_start_and_stop_by_2_0_1(make_bench: Callable[..., Bench], csms: Csms) -> None:
    token = {"idToken": "REMOTE-1", "type": "Central"}
    with make_bench("2.0.1").run(csms.url) as bench:
        csms.wait_state("Available")
        bench.plug()
        assert csms.ask("RequestStartTransaction", idToken=token, remoteStartId=5) == {"status": "Accepted"}
        started = csms.events("Started")[0]
        assert (started["triggerReason"], started["transactionInfo"]["remoteStartId"]) == ("RemoteStart", 5)
        assert started["idToken"] == token
        handle = started["transactionInfo"]["transactionId"]
        assert csms.ask("GetTransactionStatus", transactionId=handle)["ongoingIndicator"] is True
        assert csms.ask("RequestStopTransaction", transactionId="another") == {"status": "Rejected"}
        assert csms.ask("RequestStopTransaction", transactionId=handle) == {"status": "Accepted"}
        assert csms.events("Ended")[0]["triggerReason"] == "RemoteStop"
        bench.wait_open()


@pytest.mark.parametrize(("kind", "outcome", "reason"), [("Soft", "restart", "SoftReset"), ("Hard", "reboot", "HardReset")])
def test_reset(kind: str, outcome: str, reason: str, make_bench: Callable[..., Bench], csms: Csms) -> None:
    bench = make_bench()
    with bench.run(csms.url, outcome):
        csms.wait_state("Available")
        charge(bench, csms)
        assert csms.ask("Reset", type=kind) == {"status": "Accepted"}
        assert csms.wait_for("StopTransaction").payload["reason"] == reason
        bench.wait_open()
        bench.running.result(3 * TIMEOUT)


def test_reset_by_2_0_1_may_wait(make_bench: Callable[..., Bench], csms: Csms) -> None:
    bench = make_bench("2.0.1")
    with bench.run(csms.url, "restart"):
        csms.wait_state("Available")
        charge(bench, csms)
        assert csms.ask("Reset", type="OnIdle") == {"status": "Scheduled"}
        bench.settle()
        assert bench.pin["contactor"].state
        bench.cards.hold()
        csms.events("Ended")
        bench.running.result(3 * TIMEOUT)
    with bench.run(csms.url):
        assert csms.wait_for("BootNotification", 2).payload["reason"] == "ScheduledReset"
        assert wait_until(lambda: bench.controller.memory["boot_reason"] == "PowerUp")


def test_availability_outlives_a_restart(make_bench: Callable[..., Bench], csms: Csms) -> None:
    bench = make_bench()
    with bench.run(csms.url):
        csms.wait_state("Available")
        charge(bench, csms)
        csms.wait_state("Charging")
        assert csms.ask("ChangeAvailability", connectorId=1, type="Inoperative") == {"status": "Scheduled"}
        bench.cards.hold()
        csms.wait_state("Unavailable")
        bench.cards.hold()
        bench.settle()
        assert csms.ask("RemoteStartTransaction", idTag="REMOTE-1") == {"status": "Rejected"}
    csms.clear()
    with bench.run(csms.url):
        csms.wait_state("Unavailable")
        assert csms.ask("ChangeAvailability", connectorId=2, type="Operative") == {"status": "Rejected"}
        assert csms.ask("ChangeAvailability", connectorId=0, type="Operative") == {"status": "Accepted"}
        csms.wait_state("Available")


def test_unlock(make_bench: Callable[..., Bench], csms: Csms, factory: MockFactory) -> None:
    with make_bench().run(csms.url) as bench:
        csms.wait_state("Available")
        charge(bench, csms)
        assert csms.ask("UnlockConnector", connectorId=1) == {"status": "NotSupported"}
        assert bench.pin["contactor"].state
    csms.clear()
    bench = make_bench(pins={"plug": 25, "pilot": 18, "unlock": 5})
    with bench.run(csms.url):
        csms.wait_state("Available")
        charge(bench, csms)
        assert csms.ask("UnlockConnector", connectorId=1) == {"status": "Unlocked"}
        assert csms.wait_for("StopTransaction").payload["reason"] == "UnlockCommand"
        assert wait_until(lambda: True in [each.state for each in factory.pin(5).states])
        assert not bench.pin["contactor"].state


@pytest.mark.parametrize("wanted", ["BootNotification", "Heartbeat", "MeterValues", "StatusNotification"])
def test_trigger_message(wanted: str, bench: Bench, csms: Csms) -> None:
    with bench.run(csms.url):
        csms.wait_state("Available")
        count = len(csms.all(wanted))
        assert csms.ask("TriggerMessage", requestedMessage=wanted) == {"status": "Accepted"}
        csms.wait_for(wanted, count + 1)


def test_what_cannot_be_triggered(booted: Bench, csms: Csms) -> None:
    assert csms.ask("TriggerMessage", requestedMessage="FirmwareStatusNotification") == {"status": "NotImplemented"}
    assert csms.ask("TriggerMessage", requestedMessage="StatusNotification", connectorId=2) == {"status": "Rejected"}


def test_configuration_keys(booted: Bench, csms: Csms) -> None:
    answer = csms.ask("GetConfiguration", key=["MeterValueSampleInterval", "NumberOfConnectors", "Nonsense"])
    assert answer["unknownKey"] == ["Nonsense"]
    assert answer["configurationKey"] == [
        {"key": "MeterValueSampleInterval", "readonly": False, "value": "60"},
        {"key": "NumberOfConnectors", "readonly": True, "value": "1"},
    ]
    for key, value, status in (
        ("MeterValueSampleInterval", "300", "Accepted"),
        ("MeterValueSampleInterval", "soon", "Rejected"),
        ("NumberOfConnectors", "2", "Rejected"),
        ("Nonsense", "1", "NotSupported"),
    ):
        assert csms.ask("ChangeConfiguration", key=key, value=value) == {"status": status}, key
    assert csms.ask("ChangeConfiguration", key="TransactionMessageAttempts", value="7") == {"status": "Accepted"}
    assert booted.controller.client.outbox.attempts == 7
    assert csms.ask("ChangeConfiguration", key="HeartbeatInterval", value="77") == {"status": "Accepted"}
    assert booted.controller.client.heartbeat_interval == 77
    charge(booted, csms)
    booted.pass_time(610)
    csms.wait_for("MeterValues", 2)
    times = [parse_time(each["meterValue"][0]["timestamp"]) for each in csms.all("MeterValues")]
    assert (times[1] - times[0]).total_seconds() == pytest.approx(300, abs=60)  # by the CSMS's clock
    assert len(csms.ask("GetConfiguration")["configurationKey"]) > 20


def test_variables(make_bench: Callable[..., Bench], csms: Csms) -> None:
    interval = {"component": {"name": "SampledDataCtrlr"}, "variable": {"name": "TxUpdatedInterval"}}
    attempts = {"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "MessageAttempts", "instance": "TransactionEvent"}}
    nonsense = {"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "Nonsense"}}
    nobody = {"component": {"name": "Nobody"}, "variable": {"name": "Nonsense"}}
    with make_bench("2.0.1").run(csms.url) as bench:
        csms.wait_state("Available")
        found = csms.ask("GetVariables", getVariableData=[interval, attempts, nonsense, nobody])["getVariableResult"]
        assert [each["attributeStatus"] for each in found] == ["Accepted", "Accepted", "UnknownVariable", "UnknownComponent"]
        assert [each.get("attributeValue") for each in found] == ["60", "3", None, None]
        data = [{**attempts, "attributeValue": "9"}, {**interval, "attributeValue": "x"}]
        done = csms.ask("SetVariables", setVariableData=data)["setVariableResult"]
        assert [each["attributeStatus"] for each in done] == ["Accepted", "Rejected"]
        assert bench.controller.client.outbox.attempts == 9
        assert csms.ask("GetBaseReport", requestId=1, reportBase="FullInventory") == {"status": "Accepted"}
        csms.wait_until(lambda it: any(not each["tbc"] for each in csms.all("NotifyReport")))
        reported = [item for each in csms.all("NotifyReport") for item in each["reportData"]]
        assert len(reported) == len(list(bench.controller.configuration))


# --- Limits


def profile(limits: list[tuple[int, float]], purpose: str = "TxDefaultProfile", **more: Any) -> dict[str, Any]:
    periods = [{"startPeriod": start, "limit": limit} for start, limit in limits]
    schedule = {"chargingRateUnit": "A", "chargingSchedulePeriod": periods, **more.pop("schedule", {})}
    wire: dict[str, Any] = {"chargingProfileId": 1, "stackLevel": 0, "chargingProfilePurpose": purpose, "chargingProfileKind": "Relative"}
    return {**wire, "chargingSchedule": schedule, **more}


def test_a_profile_limits_the_current_over_time(booted: Bench, csms: Csms) -> None:
    limits = profile([(0, 10.0), (600, 0.0), (1200, 16.0)])
    assert csms.ask("SetChargingProfile", connectorId=1, csChargingProfiles=limits) == {"status": "Accepted"}
    charge(booted, csms)
    csms.wait_state("Charging")
    assert booted.pin["pilot"].state == pytest.approx(10 / 60)
    booted.pass_time(605)
    booted.wait_open()
    csms.wait_state("SuspendedEVSE")
    assert booted.pin["pilot"].state == 1.0
    booted.pass_time(600)
    booted.wait_closed()
    csms.wait_state("Charging")
    assert booted.pin["pilot"].state == pytest.approx(16 / 60)
    schedule = csms.ask("GetCompositeSchedule", connectorId=1, duration=60, chargingRateUnit="W")["chargingSchedule"]
    assert schedule["chargingSchedulePeriod"] == [{"startPeriod": 0, "limit": 3680.0}]
    assert csms.ask("ClearChargingProfile", id=1) == {"status": "Accepted"}
    assert csms.ask("ClearChargingProfile", id=1) == {"status": "Unknown"}


def test_a_profile_of_the_transaction_ends_with_it(bench: Bench, csms: Csms) -> None:
    is_16 = bench.settings.csms.version == "1.6"
    limits = profile([(0, 8.0)], "TxProfile")
    with bench.run(csms.url):
        csms.wait_state("Available")

        def send() -> str:
            if is_16:
                return str(csms.ask("SetChargingProfile", connectorId=1, csChargingProfiles=limits)["status"])
            wire = {**limits, "id": 1, "chargingSchedule": [{"id": 1, **limits["chargingSchedule"]}]}
            del wire["chargingProfileId"]
            session = bench.controller.session
            wire["transactionId"] = "none" if session is None else session.handle
            return str(csms.ask("SetChargingProfile", evseId=1, chargingProfile=wire)["status"])

        assert send() == "Rejected"
        charge(bench, csms)
        bench.settle()
        assert send() == "Accepted"
        assert bench.pin["pilot"].state == pytest.approx(8 / 60)
        bench.cards.hold()
        bench.wait_open()
        bench.settle()
        charge(bench, csms)
        bench.settle()
        assert bench.pin["pilot"].state == pytest.approx(16 / 60)


def test_a_remote_start_brings_its_limit(booted: Bench, csms: Csms) -> None:
    booted.plug()
    answer = csms.ask("RemoteStartTransaction", idTag="REMOTE-1", chargingProfile=profile([(0, 7.0)], "TxProfile"))
    assert answer == {"status": "Accepted"}
    booted.wait_closed()
    booted.settle()
    assert booted.pin["pilot"].state == pytest.approx(7 / 60)


def test_the_rules_of_profiles(clock: FakeClock) -> None:
    from datetime import datetime, timedelta, timezone

    supply, now = Supply(amps=32.0, phases=3), datetime(2025, 1, 8, 12, tzinfo=timezone.utc)

    def limit(*installed: dict[str, Any], minutes: float = 0.0, since: float = 0.0) -> float:
        at = now + timedelta(minutes=minutes)
        return profiles.limit(list(installed), supply, at, at - timedelta(minutes=since))

    assert limit() == 32.0
    assert limit(profile([(0, 10.0)])) == 10.0
    assert limit(profile([(0, 10.0)]), profile([(0, 20.0)], stackLevel=1)) == 20.0
    assert limit(profile([(0, 10.0)]), profile([(0, 20.0)], "TxProfile")) == 20.0
    absolute = {"chargingProfileKind": "Absolute", "schedule": {"startSchedule": "2025-01-01T00:00:00Z"}}
    assert limit(profile([(0, 10.0)], "ChargePointMaxProfile", **absolute), profile([(0, 20.0)])) == 10.0
    assert limit(profile([(0, 20.0)], "ChargingStationMaxProfile", **absolute), profile([(0, 10.0)])) == 10.0
    assert limit(profile([(0, 6900.0)], schedule={"chargingRateUnit": "W"})) == pytest.approx(10.0)
    assert limit(profile([(0, 10.0)], validTo=format_time(now))) == 32.0
    assert limit(profile([(0, 10.0)], validFrom=format_time(now + timedelta(hours=1)))) == 32.0
    assert limit(profile([(0, 10.0)], schedule={"duration": 600}), since=11) == 32.0
    daily = {"startSchedule": "2025-01-01T08:00:00Z", "duration": 6 * 3600}
    night = profile([(0, 8.0), (4 * 3600, 9.0)], chargingProfileKind="Recurring", recurrencyKind="Daily", schedule=daily)
    assert (limit(night), limit(night, minutes=-1), limit(night, minutes=180)) == (9.0, 8.0, 32.0)
    assert profiles.why_not(profile([(5, 1.0)]), None) is not None
    assert profiles.why_not(profile([(0, 1.0)], "TxProfile"), None) is not None
    assert profiles.why_not(profile([(0, 1.0)], chargingProfileKind="Dynamic"), None) is not None


# --- When something is wrong


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("wrong", ["unreadable", "stuck", "over-current", "thread", "silent", "temperature"])
def test_what_is_wrong_ends_the_charge(wrong: str, version: str, make_bench: Callable[..., Bench], csms: Csms, tmp_path: Path) -> None:
    file = tmp_path / "temp"
    file.write_text("40000", encoding="ascii")
    silent = {"csms-silent": {"policy": "stop"}, "csms_seconds": 1.0}
    bench = make_bench(version, safety={"temperature_file": str(file), **(silent if wrong == "silent" else {})})
    with bench.run(csms.url, "failed" if wrong == "thread" else "stop"):
        csms.wait_state("Available")
        charge(bench, csms)
        csms.wait_state("Charging" if version == "1.6" else "Occupied")
        bench.settle()
        if wrong == "unreadable":
            bench.meter.failure = MeterError("no answer")
            bench.pass_time(90)
        elif wrong == "stuck":
            bench.meter.is_stuck = True
            bench.pass_time(120)
        elif wrong == "over-current":
            bench.controller.hardware.allow(25.0)
            bench.clock.advance_to("meter")
        elif wrong == "thread":
            bench.meter.failure = LookupError("a bug")
            bench.clock.advance_to("meter")
        elif wrong == "temperature":
            file.write_text("95000", encoding="ascii")
            bench.clock.advance_to("meter")
        else:
            csms.script("*", lambda request: Drop())
            bench.clock.advance(2 * csms.interval)
            bench.wait_open()
            csms.script("*")
            csms.disconnect(IDENTITY)
            bench.clock.advance_to("reconnect")
        bench.wait_open()
        if version == "1.6":
            stop = csms.wait_for("StopTransaction").payload
            assert stop["reason"] == ("EmergencyStop" if wrong == "over-current" else "Other")
        else:
            assert csms.events("Ended")[0]["triggerReason"] == "AbnormalCondition"
        if wrong in ("unreadable", "stuck", "temperature"):
            csms.wait_state("Faulted")


def test_what_is_well_again_needs_a_driver(booted: Bench, csms: Csms) -> None:
    charge(booted, csms)
    csms.wait_state("Charging")
    booted.meter.failure = MeterError("no answer")
    booted.pass_time(90)
    csms.wait_state("Faulted")
    booted.meter.failure = None
    booted.pass_time(30)
    csms.wait_state("Preparing")
    assert not booted.pin["contactor"].state
    booted.cards.hold()
    booted.wait_closed()


def test_an_outbox_that_is_full_lets_nobody_charge(booted: Bench, csms: Csms) -> None:
    from ocpp_sync import OutboxError

    def fail(action: str, payload: dict[str, Any]) -> None:
        raise OutboxError("outbox", "the disk is full")

    put, booted.controller.client.outbox.put = booted.controller.client.outbox.put, fail  # type: ignore[method-assign, assignment]
    booted.plug()
    with pytest.raises(OutboxError, match="the disk is full"):
        booted.running.result()
    booted.controller.client.outbox.put = put  # type: ignore[method-assign]
    assert not booted.pin["contactor"].state
    booted.running = in_thread(lambda: "stop")


# --- The meter by Modbus, on a pseudo-terminal


class SerialPort:
    """A serial port as pyserial has it, at a pseudo-terminal."""

    def __init__(self, number: int) -> None:
        self._number = number

    def write(self, data: bytes) -> int:
        return os.write(self._number, data)

    def read(self, size: int) -> bytes:
        found = b""
        while len(found) < size and select.select([self._number], [], [], 0.05)[0]:
            found += os.read(self._number, size - len(found))
        return found

    def reset_input_buffer(self) -> None:
        while select.select([self._number], [], [], 0)[0]:
            os.read(self._number, 256)

    def close(self) -> None:
        """The test closes it."""


class SimulatedSdm:
    """What answers at the other end, in a thread; what is in ``spoilt`` is done to the next answers."""

    def __init__(self, number: int, registers: dict[int, float]) -> None:
        self.registers = registers
        self.asked: list[int] = []
        self.spoilt: list[Callable[[bytes], bytes]] = []
        self._number = number
        self._over = threading.Event()
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self) -> None:
        request = b""
        while not self._over.is_set():
            if select.select([self._number], [], [], 0.01)[0]:
                request += os.read(self._number, 8 - len(request))
            if len(request) < 8:
                continue
            unit, function, register, count = struct.unpack(">BBHH", request[:6])
            assert (unit, function, count, crc(request[:6])) == (1, 4, 2, request[6:])
            self.asked.append(register)
            request = b""
            value = self.registers.get(register)
            body = b"\x01\x84\x02" if value is None else b"\x01\x04\x04" + struct.pack(">f", value)
            answer = body + crc(body)
            os.write(self._number, self.spoilt.pop(0)(answer) if self.spoilt else answer)

    def close(self) -> None:
        self._over.set()
        self.thread.join(TIMEOUT)


SDM120 = {0x0156: 1234.5, 0x000C: 3680.0, 0x0000: 230.5, 0x0006: 16.25}
SDM630 = {0x0156: 1234.5, 0x0034: 11040.0, 0x0000: 230.5, 0x0006: 16.0, 0x0008: 16.25, 0x000A: 15.5}


@pytest.fixture
def line() -> Iterator[tuple[SimulatedSdm, SerialPort]]:
    meter_end, our_end = os.openpty()
    tty.setraw(our_end)
    sdm = SimulatedSdm(meter_end, SDM120)
    yield sdm, SerialPort(our_end)
    sdm.close()
    os.close(meter_end)
    os.close(our_end)


@pytest.mark.parametrize(("model", "registers", "power"), [("sdm120", SDM120, 3680.0), ("sdm630", SDM630, 11040.0)])
def test_a_meter_is_read(model: str, registers: dict[int, float], power: float, line: tuple[SimulatedSdm, SerialPort]) -> None:
    sdm, port = line
    sdm.registers = registers
    assert ModbusMeter(port, model).read() == (1234500.0, power, 230.5, 16.25)
    assert sdm.asked == list(registers)


def test_the_checksum_is_that_of_the_manual() -> None:
    assert crc(bytes.fromhex("01 04 00 00 00 02")).hex() == "71cb"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda answer: b"",
        lambda answer: answer[:4],
        lambda answer: answer[:5] + bytes([answer[5] ^ 1]) + answer[6:],
        lambda answer: b"\x02" + answer[1:],
        lambda answer: b"\xff" + answer,
    ],
)
def test_a_disturbed_answer_is_asked_for_again(spoil: Callable[[bytes], bytes], line: tuple[SimulatedSdm, SerialPort]) -> None:
    sdm, port = line
    sdm.spoilt = [spoil]
    assert ModbusMeter(port, "sdm120").read().energy_wh == 1234500.0
    assert sdm.asked[:2] == [0x0156, 0x0156]


def test_a_meter_that_cannot_be_read_says_what_to_look_at(line: tuple[SimulatedSdm, SerialPort]) -> None:
    sdm, port = line
    sdm.spoilt = [lambda answer: b""] * 2
    with pytest.raises(MeterError, match=r"the meter with address 1 does not answer: check its address, baud rate, and A and B"):
        ModbusMeter(port, "sdm120", attempts=2).read()
    sdm.registers = {}
    with pytest.raises(MeterError, match=r"refuses register 0x0156 with error 2; is it an SDM120\?"):
        ModbusMeter(port, "sdm120", attempts=1).read()
    sdm.registers = {**SDM120, 0x0156: float("nan")}
    with pytest.raises(MeterError, match=r"shows nan in register 0x0156"):
        ModbusMeter(port, "sdm120", attempts=1).read()


def test_the_ports_of_the_settings_are_opened(
    make_bench: Callable[..., Bench],
) -> None:
    """With pyserial itself: meter and card reader, each on a pseudo-terminal."""
    pytest.importorskip("serial")
    meter_end, meter_port = os.openpty()
    cards_end, cards_port = os.openpty()
    sdm = SimulatedSdm(meter_end, SDM120)
    try:
        bench = make_bench(meter={"kind": "sdm120", "port": os.ttyname(meter_port)}, cards={"port": os.ttyname(cards_port)})
        hardware = PiHardware(bench.settings)
        cards: queue.Queue[str] = queue.Queue()
        hardware.carded = cards.put
        waiting = in_thread(hardware.wait_for_cards)
        os.write(cards_end, b"hello\r\n04 a1 b2 c3 d4 e5 f6\r\n")
        assert cards.get(timeout=TIMEOUT) == "04A1B2C3D4E5F6"
        assert hardware.meter.read() == (1234500.0, 3680.0, 230.5, 16.25)
        hardware.close()
        waiting.result()
    finally:
        sdm.close()
        for each in (meter_end, meter_port, cards_end, cards_port):
            os.close(each)


# --- Settings, and what is kept


def test_the_settings_that_come_along_are_valid() -> None:
    loaded = settings_of.load(EXAMPLES / "charge_point" / "config.toml")
    assert loaded.csms.identity == "CP1111"
    assert loaded.files.outbox == str(EXAMPLES / "charge_point" / "outbox.sqlite3")
    assert loaded.safety.policies[Cause.LINK_LOST] == Policy(4 * HOUR)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x", "is no TOML"),
        ("", "the section [csms] is missing; it needs url and identity"),
        ('[csms]\nurl="ws://x"', "csms.identity is missing"),
        ('[csms]\nurl="ws://x"\nidentity=5', """csms.identity: 5 is not a text in quotes, "…\""""),
        ('[csms]\nurl="ws://x"\nidentity="C"\nversion="1.7"', "csms.version: '1.7' is not one of '1.6', '2.0.1'"),
        ('metre=3\n[csms]\nurl="ws://x"\nidentity="C"', "[metre] is no section that is known; did you mean [meter]?"),
        ('[csms]\nurl="ws://x"\nidentity="C"\n[pins]\nbutton=17', "pins.button: 17 is the pin of pins.contactor already"),
        ('[csms]\nurl="ws://x"\nidentity="C"\n[pins]\nbutton=99', "pins.button: 99 is no GPIO number of the header: 0 to 27"),
        ('[csms]\nurl="ws://x"\nidentity="C"\n[supply]\namps=3', "supply.amps: 3 is too little: a car takes nothing below 6 A"),
        ('[csms]\nurl="ws://x"\nidentity="C"\n[supply]\namps=true', "supply.amps: True is not a number"),
        ('[csms]\nurl="ws://x"\nidentity="C"\n[meter]\nseconds=0', "meter.seconds: 0 is not more than 0"),
        ('[csms]\nurl="ws://x"\nidentity="C"\n[safety]\nlink-lost="stop"', "safety.link-lost: 'stop' is not a section"),
        ('[csms]\nurl="ws://x"\nidentity="C"\n[safety]\nlink-lost={policy="go"}', 'safety.link-lost: write { policy = "stop" } or'),
        (
            '[csms]\nurl="ws://x"\nidentity="C"\n[safety]\nwatchdog={policy="keep until limit", minutes=3}',
            "safety.watchdog.policy: this cause always stops",
        ),
    ],
)
def test_an_error_in_the_settings_names_the_key(text: str, message: str, tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        settings_of.load(file)
    assert str(caught.value).startswith(str(file))
    assert message in str(caught.value)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", ["MeterValueSampleInterval", "SampledDataCtrlr.TxUpdatedInterval"])
def test_a_configuration_key_has_the_name_of_either_version(name: str, version: str, tmp_path: Path) -> None:
    configuration = Configuration(version, Memory(tmp_path / "memory.json"), {name: "7"})
    assert configuration.number("meter_interval") == 7


def test_a_configuration_key_that_is_wrong_is_named(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(configuration={"MeterValueSampleIntervall": 60})
    hardware = PiHardware(bench.settings, clock=bench.clock)
    with pytest.raises(SettingsError, match=r"configuration\.MeterValueSampleIntervall"):
        Controller(bench.settings, hardware, clock=bench.clock)
    hardware.close()


def test_a_port_without_pyserial_says_what_to_install(make_bench: Callable[..., Bench], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "serial", None)
    bench = make_bench(cards={"port": "/dev/ttyAMA0"})
    with pytest.raises(SettingsError, match="pip install pyserial"):
        PiHardware(bench.settings)


def test_a_damaged_memory_is_set_aside(tmp_path: Path) -> None:
    file = tmp_path / "memory.json"
    memory = Memory(file)
    memory.keep(list_version=7)
    assert Memory(file)["list_version"] == 7
    file.write_text('{"list_ver', encoding="utf-8")
    assert Memory(file)["list_version"] == 0
    assert (tmp_path / "memory.damaged").exists()
