"""Scenario files: what is wrong with them, what their steps do, and what an expectation says that fails."""

from __future__ import annotations

import builtins
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from ocpp_sync import CallError, OcppServer
from ocpp_sync.csms import Csms
from ocpp_sync.simulator import Scenario, ScenarioError, ScenarioFailure, Station, Transcript
from ocpp_sync.simulator import scenario as module
from ocpp_sync.simulator.steps import is_part
from ocpp_sync.testing import ScriptedCsms

from .support import TIMEOUT, VERSIONS, in_thread

EXAMPLES = Path(__file__).parent.parent / "examples" / "scenarios"
REMOTE_STOP = EXAMPLES / "remote_stop.toml"  # which needs a CSMS that does so

Follow = Callable[..., Station]


@pytest.fixture
def central() -> Iterator[OcppServer]:
    with OcppServer() as server, Csms(server):
        yield server.listen(0, "127.0.0.1")


@pytest.fixture
def follow() -> Iterator[Follow]:
    """Lets a station follow a scenario."""
    with ExitStack() as stack:

        def follow(scenario: Scenario | str, url: str, *, version: str = "2.0.1", speed: float = 60.0) -> Station:
            if isinstance(scenario, str):
                scenario = Scenario.parse(scenario, "test.toml")
            station = stack.enter_context(Station("CP1", version=scenario.version or version, speed=speed, **scenario.options))
            transcript = Transcript()
            stack.callback(transcript.close)
            station.client.on("frame", transcript.take)
            station.start(url)
            scenario.run(station, transcript)
            return station

        yield follow


# --- The examples


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("file", sorted(set(EXAMPLES.glob("*.toml")) - {REMOTE_STOP}), ids=lambda file: file.stem)
def test_the_examples_run(central: OcppServer, follow: Follow, file: Path, version: str) -> None:
    scenario = Scenario.load(file)
    if scenario.version not in (None, version):
        pytest.skip(f"it is for OCPP {scenario.version}")
    scenario.check(version, scenario.options.get("connectors", 1))
    station = follow(scenario, central.url, version=version, speed=600.0)
    assert station.errors == {}


def test_the_example_that_the_csms_ends(csms: ScriptedCsms, follow: Follow) -> None:
    running = in_thread(follow, Scenario.load(REMOTE_STOP), csms.url)
    csms.wait_for("StartTransaction")
    csms.wait_until(lambda it: any(one.payload.get("status") == "Charging" for one in it.received))
    assert csms.call("CP1", "RemoteStopTransaction", {"transactionId": 1}) == {"status": "Accepted"}
    assert running.result(TIMEOUT).errors == {}
    assert csms.wait_for("StopTransaction").payload["reason"] == "Remote"


# --- Each step


def test_plug_and_unplug(central: OcppServer, follow: Follow) -> None:
    follow(
        """
        connectors = 2
        power = 22
        [[steps]]
        do = "plug"
        connector = 2
        soc = 50
        target = 51
        capacity = 10
        power = 22
        [[steps]]
        do = "authorize"
        token = "TAG"
        connector = 2
        [[steps]]
        do = "wait"
        state = "SuspendedEV"
        connector = 2
        [[steps]]
        do = "unplug"
        connector = 2
        [[steps]]
        do = "expect"
        sent = "TransactionEvent"
        payload = { eventType = "Ended", transactionInfo = { stoppedReason = "EVDisconnected" } }
        """,
        central.url,
        speed=600.0,
    )


def test_calls(csms: ScriptedCsms, follow: Follow) -> None:
    csms.script("DataTransfer", CallError("GenericError", "no"))
    station = follow(
        """
        version = "1.6"
        [configuration]
        MeterValueSampleInterval = 5
        LocalPreAuthorize = true
        [[steps]]
        do = "call"
        action = "DataTransfer"
        payload = { vendorId = "x" }
        error = "GenericError"
        [[steps]]
        do = "start"
        token = "TAG"
        [[steps]]
        do = "call"
        action = "MeterValues"
        answer = {}
        [steps.payload]
        connectorId = 1
        transactionId = "$transaction"
        meterValue = [{ timestamp = "$now", sampledValue = [{ value = "1" }] }]
        """,
        csms.url,
    )
    assert station.provoked == {"GenericError": 1}
    assert station.errors == {}
    assert station.configuration.flag("preauthorize")
    assert csms.received[-1].payload["transactionId"] == 1 or csms.wait_for("MeterValues").payload["transactionId"] == 1


def test_an_error_that_is_expected_of_the_station_itself(csms: ScriptedCsms, follow: Follow) -> None:
    csms.script("Authorize", CallError("InternalError"))
    station = follow(
        """
        [[steps]]
        do = "authorize"
        token = "TAG"
        [[steps]]
        do = "expect"
        error = "Authorize"
        payload = { code = "InternalError" }
        """,
        csms.url,
    )
    assert station.provoked == {"InternalError": 1}


def test_a_request_of_the_csms(csms: ScriptedCsms, follow: Follow) -> None:
    scenario = """
        [[steps]]
        do = "expect"
        request = "Reset"
        payload = { type = "Immediate" }
        [[steps]]
        do = "wait"
        message = "BootNotification"
        """
    running = in_thread(follow, scenario, csms.url, speed=60.0)
    csms.wait_for("StatusNotification")
    assert csms.call("CP1", "ClearCache") == {"status": "Accepted"}
    assert csms.call("CP1", "Reset", {"type": "Immediate"}) == {"status": "Accepted"}
    running.result(TIMEOUT)


def test_the_link(central: OcppServer, follow: Follow) -> None:
    station = follow(
        """
        [[steps]]
        do = "offline"
        seconds = 30
        [[steps]]
        do = "online"
        [[steps]]
        do = "repeat"
        times = 2
        steps = [{ do = "offline" }, { do = "online" }]
        [[steps]]
        do = "reboot"
        """,
        central.url,
    )
    assert station.presence.outages == 3
    assert station.presence.boots == 2


def test_any_order_finds_what_has_passed_and_each_message_once(central: OcppServer, follow: Follow) -> None:
    beats = """
        [[steps]]
        do = "call"
        action = "Heartbeat"
        [[steps]]
        do = "call"
        action = "DataTransfer"
        payload = { vendorId = "x" }
        [[steps]]
        do = "expect"
        answer = "DataTransfer"
        """
    any_order = '[[steps]]\ndo = "expect"\nsent = "Heartbeat"\nany_order = true\ntimeout = 0.05\n'
    follow(beats + any_order, central.url)
    with pytest.raises(ScenarioFailure, match=r"step 5: expect: sent Heartbeat has not come within 0.05 s; instead:"):
        follow(beats + any_order * 2, central.url)


def test_any_order_leaves_the_place_in_the_order(central: OcppServer, follow: Follow) -> None:
    follow(
        """
        [[steps]]
        do = "call"
        action = "Heartbeat"
        [[steps]]
        do = "call"
        action = "DataTransfer"
        payload = { vendorId = "x" }
        [[steps]]
        do = "expect"
        sent = "DataTransfer"
        any_order = true
        [[steps]]
        do = "expect"
        sent = "Heartbeat"
        """,
        central.url,
    )


# --- Expectations that fail


def test_a_failure_says_what_has_passed_before(central: OcppServer, follow: Follow) -> None:
    with pytest.raises(ScenarioFailure) as failed:
        follow(
            """
            [[steps]]
            do = "call"
            action = "Heartbeat"
            [[steps]]
            do = "call"
            action = "DataTransfer"
            payload = { vendorId = "x" }
            [[steps]]
            do = "expect"
            sent = "DataTransfer"
            [[steps]]
            do = "expect"
            sent = "Heartbeat"
            timeout = 0.05
            """,
            central.url,
        )
    text = str(failed.value)
    assert "sent Heartbeat has not come within 0.05 s; it has passed before: is it any_order = true?; instead:" in text
    instead, before = text.split("\npassed before")
    assert "◀ DataTransfer answer" in instead
    assert "▶ Heartbeat {}" not in instead
    assert "▶ Heartbeat {}" in before
    assert before.endswith('▶ DataTransfer {"vendorId": "x"}')


@pytest.mark.parametrize(
    ("steps", "text"),
    [
        (
            'do = "expect"\nsent = "Heartbeat"\ntimeout = 0.05',
            "step 1: expect: sent Heartbeat has not come within 0.05 s; instead:\n  ▶ Boot",
        ),
        ('do = "expect"\nrequest = "Reset"\npayload = { type = "Hard" }\ntimeout = 0', "request Reset with {'type': 'Hard'} has not come"),
        (
            'do = "wait"\nstate = "Charging"\ntimeout = 0.05',
            "the state Charging of connector 1 has not come within 0.05 s; now: <Station 'CP1'",
        ),
        ('do = "wait"\nenergy = 1\ntimeout = 0.05', "an energy of 1 kWh at connector 1 has not come"),
        ('do = "unplug"', "step 1: unplug: no car is plugged in at connector 1"),
        ('do = "plug"\nconnector = 9', "there is no connector 9"),
        ('do = "call"\naction = "DataTransfer"\npayload = { vendorId = "x" }\nerror = "GenericError"', "not with the error GenericError"),
        (
            'do = "call"\naction = "DataTransfer"\npayload = { vendorId = "x" }\nanswer = { status = "No" }',
            "which has not {'status': 'No'}",
        ),
        ('do = "call"\naction = "DataTransfer"', "vendorId"),
        ('do = "call"\naction = "Heartbeet"', "did you mean 'Heartbeat'"),
        ('do = "call"\naction = "Heartbeat"\npayload = { a = ["$transaction"] }', "there is no transaction at connector 1"),
    ],
)
def test_what_fails_says_what_came_instead(central: OcppServer, follow: Follow, steps: str, text: str) -> None:
    with pytest.raises(ScenarioFailure, match=re.escape(text)):
        follow(f"[[steps]]\n{steps}", central.url)


def test_another_error_than_the_expected_one(csms: ScriptedCsms, follow: Follow) -> None:
    csms.script("DataTransfer", CallError("InternalError", "down"))
    with pytest.raises(ScenarioFailure, match="DataTransfer was answered with InternalError: down"):
        follow('[[steps]]\ndo = "call"\naction = "DataTransfer"\npayload = { vendorId = "x" }\nerror = "GenericError"', csms.url)


def test_many_messages_that_came_instead_are_cut(csms: ScriptedCsms, follow: Follow) -> None:
    beat = '{ do = "call", action = "Heartbeat" }'
    with pytest.raises(ScenarioFailure, match=r"instead \(the last 8 of \d+\):(\n  .*){8}$"):
        follow(
            f'[[steps]]\ndo = "repeat"\ntimes = 9\nsteps = [{beat}]\n[[steps]]\ndo = "expect"\nrequest = "Reset"\ntimeout = 0.01', csms.url
        )


def test_a_csms_that_does_not_accept(csms: ScriptedCsms, follow: Follow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_ACCEPTANCE", 0.05)
    csms.refuse()
    with pytest.raises(ScenarioFailure, match=r"test.toml: start: the CSMS has not accepted the station within 0.05 s"):
        follow("steps = []", csms.url)


def test_closing_ends_a_scenario(central: OcppServer) -> None:
    for steps in (
        'do = "wait"\nseconds = 1e6',
        'do = "wait"\nstate = "Faulted"\ntimeout = 1e6',
        'do = "expect"\nrequest = "Reset"\ntimeout = 1e6',
    ):
        scenario, transcript = Scenario.parse(f"[[steps]]\n{steps}"), Transcript()
        station = Station("CP1").start(central.url)
        running = in_thread(scenario.run, station, transcript)
        assert station.wait_ready(TIMEOUT)
        station.close()
        transcript.close()
        with pytest.raises(ScenarioFailure):
            running.result(TIMEOUT)


# --- Files that are wrong


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("steps = [", "test.toml: it is no TOML: "),
        ("", "test.toml: steps is missing"),
        ("step = []", "test.toml: 'step' is no field; did you mean 'steps'?"),
        ("steps = 5", "test.toml: steps is a list, not 5"),
        ("steps = [5]", 'test.toml: step 1: a step is a table, such as { do = "plug" }, not 5'),
        ("steps = [{}]", "test.toml: step 1: 'do' is missing: one of plug, "),
        ('steps = [{ do = "plugg" }]', "test.toml: step 1: 'plugg' is nothing that can be done; did you mean 'plug'?"),
        ('steps = [{ do = "plug", conector = 1 }]', "test.toml: step 1, plug: 'conector' is no field; did you mean 'connector'?"),
        ('steps = [{ do = "plug", connector = "1" }]', "test.toml: step 1, plug: connector is a whole number, not '1'"),
        ('steps = [{ do = "plug", connector = true }]', "connector is a whole number, not True"),
        ('steps = [{ do = "plug", connector = 0 }]', "test.toml: step 1, plug: connector is 1 or more, not 0"),
        ('steps = [{ do = "authorize" }]', "test.toml: step 1, authorize: token is missing"),
        ('steps = [{ do = "wait", state = "Chargin" }]', "state cannot be 'Chargin'; did you mean 'Charging'?"),
        ('steps = [{ do = "wait", state = "xyz" }]', "state cannot be 'xyz'; it is one of Available, "),
        ('steps = [{ do = "wait" }]', "step 1, wait: it needs one of seconds, state, energy, message"),
        (
            'steps = [{ do = "wait", seconds = 1, state = "Charging" }]',
            "it needs one of seconds, state, energy, message, not seconds and state",
        ),
        ('steps = [{ do = "repeat", times = 1, steps = [{ do = "x" }] }]', "test.toml: step 1.1: 'x' is nothing that can be done"),
        ('version = "1.5"\nsteps = []', "version cannot be '1.5'; did you mean '1.6'?"),
        ("connectors = 0\nsteps = []", "connectors is 1 or more"),
        ("connectors = 101\nsteps = []", "connectors is 100 or less, not 101"),
        ('steps = [{ do = "plug", soc = 200 }]', "test.toml: step 1, plug: soc is 100 or less, not 200"),
        ('steps = [{ do = "plug", target = 100.5 }]', "target is 100 or less, not 100.5"),
        ('steps = [{ do = "wait", seconds = inf }]', "seconds is 1e+09 or less, not inf"),
        ('steps = [{ do = "wait", seconds = nan }]', "seconds is 0 or more, not nan"),
        (
            'steps = [{ do = "call", action = "Heartbeat", answer = {}, error = "X" }]',
            "step 1, call: it has an answer or an error, not both",
        ),
        ('steps = [{ do = "expect", state = "Charging", payload = {} }]', "step 1, expect: payload is of a message, not of a state"),
        ('steps = [{ do = "expect", sent = "Heartbeat", any_order = 1 }]', "step 1, expect: any_order is true or false, not 1"),
        ("[configuration]\na = [1]\n[[steps]]\ndo = 'clear'", "test.toml: configuration: a is a text, a number, true or false"),
    ],
)
def test_what_is_wrong_with_a_file(text: str, message: str) -> None:
    with pytest.raises(ScenarioError, match=re.escape(message)):
        Scenario.parse(text, "test.toml")


@pytest.mark.parametrize(
    ("version", "step", "message"),
    [
        (
            "1.6",
            'do = "expect", sent = "StatusNotificatio"',
            "sent 'StatusNotificatio' is no action of OCPP 1.6; did you mean 'StatusNotification'?",
        ),
        ("1.6", 'do = "expect", sent = "Reset"', "sent: Reset is sent by the CSMS, not by the charge point; is it request = 'Reset'?"),
        ("2.1", 'do = "expect", request = "Heartbeat"', "request: Heartbeat is sent by the charge point, not by the CSMS; is it sent ="),
        ("1.6", 'do = "expect", answer = "Reset"', "answer: Reset is sent by the CSMS, not by the charge point"),
        ("2.0.1", 'do = "expect", error = "StopTransaction"', "error 'StopTransaction' is no action of OCPP 2.0.1"),
        (
            "2.0.1",
            'do = "expect", request = "RemoteStopTransaction"',
            "did you mean 'RequestStopTransaction'? (RemoteStopTransaction is OCPP 1.6)",
        ),
        (
            "1.6",
            'do = "expect", sent = "StatusNotification", payload = { status = "Chargin" }',
            "StatusNotification: status is never 'Chargin'; did you mean 'Charging'? (OCPP 1.6)",
        ),
        (
            "1.6",
            'do = "expect", sent = "StatusNotification", payload = { stats = "Charging" }',
            "there is no field 'stats'; did you mean 'status'?",
        ),
        (
            "1.6",
            'do = "expect", answer = "Authorize", payload = { idTagInfo = { status = "Acepted" } }',
            "idTagInfo.status is never 'Acepted'",
        ),
        ("1.6", 'do = "expect", error = "Authorize", payload = { cod = "x" }', "an error has no 'cod'; did you mean 'code'?"),
        ("1.6", 'do = "expect", error = "Authorize", payload = { x = "x" }', "an error has no 'x'; there are code, description, details"),
        ("1.6", 'do = "wait", message = "TransactionEvent"', "message 'TransactionEvent' is no action of OCPP 1.6"),
        ("1.6", 'do = "wait", message = "Nonsense"', "message 'Nonsense' is no action of OCPP 1.6"),
        ("1.6", 'do = "plug", connector = 9', "there is no connector 9; the last one is 2"),
        ("1.6", 'do = "call", action = "DataTransfer"', "vendorId"),
        ("1.6", 'do = "call", action = "DataTransfer", payload = { vendorId = 5 }', "vendorId"),
        ("1.6", 'do = "call", action = "NotifyReport"', "action 'NotifyReport' is no action of OCPP 1.6"),
        ("1.6", 'do = "call", action = "Reset"', "action: Reset is sent by the CSMS, not by the charge point"),
        ("1.6", 'do = "call", action = "Heartbeat", answer = { time = "x" }', "there is no field 'time'"),
        ("1.6", f'do = "authorize", token = "{"x" * 21}"', "a token of OCPP 1.6 has 1 to 20 characters, not 21"),
        ("2.0.1", 'do = "start", token = ""', "a token of OCPP 2.0.1 has 1 to 36 characters, not 0"),
    ],
)
def test_what_cannot_be_at_a_station(version: str, step: str, message: str) -> None:
    scenario = Scenario.parse(f'steps = [{{ do = "repeat", times = 1, steps = [{{ {step} }}] }}]', "test.toml")
    with pytest.raises(ScenarioError, match=r"test\.toml: step 1\.1, \w+: .*" + re.escape(message)):
        scenario.check(version, 2)


def test_what_can_be_at_a_station() -> None:
    steps = """
        [[steps]]
        do = "call"
        action = "MeterValues"
        answer = {}
        [steps.payload]
        connectorId = 1
        transactionId = "$transaction"
        meterValue = [{ timestamp = "$now", sampledValue = [{ value = "1" }] }]
        [[steps]]
        do = "expect"
        error = "MeterValues"
        payload = { code = "InternalError" }
        [[steps]]
        do = "expect"
        request = "DataTransfer"
        [[steps]]
        do = "wait"
        message = "Reset"
        """
    scenario = Scenario.parse(f'version = "1.6"\n{steps}')
    scenario.check("1.6", 1)
    with pytest.raises(ScenarioError, match=r"it is for OCPP 1.6, not 2.1"):
        scenario.check("2.1", 1)


def test_what_is_not_validated_may_be_wrong() -> None:
    scenario = Scenario.parse(
        """
        [[steps]]
        do = "call"
        action = "DataTransfer"
        answer = { more = 1 }
        [[steps]]
        do = "expect"
        answer = "Heartbeat"
        payload = { more = 1 }
        """
    )
    scenario.check("2.0.1", 1, "off")
    with pytest.raises(ScenarioError, match=r"step 1, call: DataTransfer: there is no field 'more'"):
        scenario.check("2.0.1", 1, {"out": "warn"})
    with pytest.raises(ScenarioError, match=r"step 1, call: .*vendorId"):
        scenario.check("2.0.1", 1, {"in": "warn"})


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    file = tmp_path / "latin.toml"
    file.write_bytes(b"name = '\xff'")
    with pytest.raises(ScenarioError, match=r"it is no text in UTF-8"):
        Scenario.load(file)
    with pytest.raises(FileNotFoundError):
        Scenario.load(tmp_path / "none.toml")


def test_without_a_reader_of_toml(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def no_toml(name: str, *arguments: Any, **named: Any) -> Any:
        if name in ("tomllib", "tomli"):
            raise ModuleNotFoundError(name)
        return real(name, *arguments, **named)

    monkeypatch.setattr(builtins, "__import__", no_toml)
    for name in ("tomllib", "tomli"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    with pytest.raises(ScenarioError, match=r"needs the package tomli: pip install 'ocpp-sync\[scenarios\]'"):
        Scenario.parse("steps = []")


def test_a_part_of_a_payload() -> None:
    actual = {"a": 1, "b": [{"c": 2, "d": 3}, 4]}
    assert is_part({"b": [{"c": 2}]}, actual)
    assert not is_part({"b": [{"c": 3}]}, actual)
    assert not is_part({"b": [1, 2, 3]}, actual)
    assert not is_part({"b": {}}, actual)
    assert not is_part({"x": None}, actual)


def test_frames_that_are_none_are_not_noted() -> None:
    transcript = Transcript()
    for text in ("nonsense", "[5]", '[6,"1","NotifyPeriodicEventStream",{}]', "{}"):
        transcript.take("in", text)
    assert transcript.after(0) == []
    for number in range(120):
        transcript.take("out", f'[2,"{number}","Heartbeat",{{}}]')
    transcript.take("in", '[3,"0",{}]')
    assert transcript.after(120)[0].action == ""
    assert str(transcript.after(119)[0]) == "▶ Heartbeat {}"
    assert str(transcript.after(120)[0]) == "◀  answer {}"
