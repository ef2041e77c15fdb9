"""``ocpp-sync simulate`` as a user runs it: a process, real sockets, signals, a terminal."""

from __future__ import annotations

import argparse
import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from ocpp_sync import OcppServer
from ocpp_sync.cli import main, simulate, simulation_screen
from ocpp_sync.cli.simulate import EXAMPLES
from ocpp_sync.csms import Csms
from ocpp_sync.simulator import Note, Scenario, State, Station
from ocpp_sync.simulator.keys import HELP, Keyboard, Panel
from ocpp_sync.testing import ScriptedCsms

from .support import TIMEOUT, in_thread

PATIENCE = 60.0  # seconds for a process; nothing depends on how fast it is


@pytest.fixture
def central() -> Iterator[OcppServer]:
    with OcppServer() as server, Csms(server):
        yield server.listen(0, "127.0.0.1")


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "ocpp_sync", "simulate", *arguments]


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, "PYTHONIOENCODING": "utf-8", "PYTHONUNBUFFERED": "1", **more}


class Done(NamedTuple):
    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def no_terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The standard input is empty."""
    with open(os.devnull, encoding="utf-8") as nothing:  # noqa: PTH123
        monkeypatch.setattr(sys, "stdin", nothing)
        yield


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, no_terminal: None) -> Callable[..., Done]:
    """Runs the command in this process."""

    def run(*arguments: str, **more: str) -> Done:
        for name, value in more.items():
            monkeypatch.setenv(name, value)
        status = main(["simulate", *arguments])
        return Done(status, *capsys.readouterr())

    return run


Run = Callable[..., Done]


class Running:
    """A process whose lines are waited for."""

    def __init__(self, *arguments: str, **options: Any) -> None:
        self.process = subprocess.Popen(
            command(*arguments),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            text=True,
            env=environment(),
            **options,
        )

    def until(self, text: str) -> str:
        """The first line that has a text; the test's own time-out is the bound."""
        line: str
        for line in self.process.stdout or ():
            if text in line:
                return line
        assert self.process.stderr is not None
        raise AssertionError(f"it has ended: {self.process.stderr.read()}")

    def end(self, number: int) -> tuple[int, str, str]:
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, out, err


@pytest.mark.parametrize(("version", "number"), [("1.6", signal.SIGINT), ("2.0.1", signal.SIGTERM), ("2.1", signal.SIGINT)])
def test_a_driver_comes_at_once_and_a_signal_ends_it(central: OcppServer, version: str, number: int) -> None:
    running = Running(central.url, "CP1", "--version", version, "--speed", "600", "--seed", "1")
    running.until("connected, OCPP " + version)
    running.until("it is transaction")
    running.until("kWh")
    status, out, err = running.end(number)
    assert (status, err) == (0, "")
    assert "the transaction has ended after" in out
    assert re.search(r"1 charge point in \d+ s: 1 session, \d+\.\d\d kWh; 0 reconnects \(0 outages, 0 reboots\)\.", out)
    assert re.search(r"\d+ calls answered, 0 CALLERRORs, 0 time-outs; median \d+\.\d ms, p95 \d+\.\d ms, max \d+\.\d ms\.", out)


def test_a_signal_ends_it_in_the_background_of_a_script(central: OcppServer) -> None:
    running = Running(central.url, "CP1", preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN))
    running.until("Accepted")
    assert running.end(signal.SIGINT)[0] == 0


def test_what_is_left_on_exit(run: Run, central: OcppServer, tmp_path: Path) -> None:
    outbox = str(tmp_path / "outbox.sqlite3")
    running = Running(central.url, "CP1", "--version", "1.6", "--speed", "60", "--on-exit", "leave", "--outbox", outbox)
    running.until("it is transaction 1")
    status, out, _ = running.end(signal.SIGTERM)
    assert status == 0
    assert "has ended" not in out
    done = run(central.url, "CP1", "--version", "1.6", "--outbox", outbox, "--duration", "1", "--manual", "--json")
    assert done.returncode == 0
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert [event["transaction"] for event in events if event["event"] == "abandoned"] == [1]
    assert events[-1]["event"] == "summary"
    assert events[-1]["problems"] == []


def test_json_frames_and_a_recording(run: Run, central: OcppServer, tmp_path: Path) -> None:
    record = tmp_path / "session.jsonl"
    done = run(
        central.url,
        "CP1",
        "--json",
        "--frames",
        "--duration",
        "1.5",
        "--speed",
        "100",
        "--record",
        str(record),
        OCPP_PASSWORD="a-password-of-16",
    )
    assert (done.returncode, done.stderr) == (0, "")
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert {"connected", "registration", "plugged", "frame", "summary"} <= {event["event"] for event in events}
    frames = [event for event in events if event["event"] == "frame"]
    assert {"BootNotification", "StatusNotification"} <= {frame["action"] for frame in frames}
    recorded = [json.loads(line) for line in record.read_text().splitlines()]
    assert len(recorded) == len(frames)
    assert {entry["side"] for entry in recorded} == {"CS"}


def test_frames_for_people(run: Run, central: OcppServer) -> None:
    done = run(central.url, "CP1", "--frames", "--duration", "0.5", "--manual")
    assert re.search(r"──▶ CALL +BootNotification", done.stdout)


def test_many(central: OcppServer) -> None:
    running = Running(central.url, "A-{}", "--count", "20", "--stagger", "0.01", "--speed", "600", "--offline", "1", "--seed", "3")
    running.until("A-20 BootNotification: Accepted")
    running.until("transaction")
    status, out, err = running.end(signal.SIGTERM)
    assert (status, err) == (0, "")
    assert re.search(r"20 charge points in \d+ s: \d+ sessions?, ", out)


def test_many_quietly_as_json(run: Run, central: OcppServer) -> None:
    done = run(central.url, "CP", "--count", "3", "--duration", "1", "--quiet", "--json", "--version", "1.6", "--token", "X")
    (summary,) = [json.loads(line) for line in done.stdout.splitlines()]
    assert (summary["stations"], summary["accepted"], summary["problems"]) == (3, 3, [])


@pytest.mark.nightly
def test_fifty_against_serve_for_a_minute() -> None:
    server = subprocess.Popen(
        [sys.executable, "-m", "ocpp_sync", "serve", "--port", "0", "--json"], stdout=subprocess.PIPE, text=True, env=environment()
    )
    assert server.stdout is not None
    url = json.loads(server.stdout.readline())["url"]
    lines: list[str] = []
    reader = threading.Thread(target=lambda: lines.extend(server.stdout or ()), daemon=True)
    reader.start()
    arguments = (
        url,
        "CP",
        "--count",
        "50",
        "--stagger",
        "0.05",
        "--speed",
        "120",
        "--offline",
        "1",
        "--duration",
        "60",
        "--quiet",
        "--json",
    )
    done = subprocess.run(command(*arguments), capture_output=True, text=True, env=environment(), timeout=180)
    server.send_signal(signal.SIGTERM)
    server.wait(PATIENCE)
    reader.join(TIMEOUT)
    server.stdout.close()
    summary = json.loads(done.stdout)
    assert (done.returncode, done.stderr, summary["problems"]) == (0, "", [])
    assert summary["sessions"] > 20
    theirs = json.loads(lines[-1])
    assert (theirs["event"], theirs["callErrors"], theirs["invalid"], theirs["problems"]) == ("summary", 0, 0, {})
    assert theirs["energyWh"] == pytest.approx(summary["energy"], abs=summary["sessions"] + 1)


# --- Scenarios


def test_a_scenario(run: Run, central: OcppServer, tmp_path: Path) -> None:
    file = tmp_path / "one.toml"
    file.write_text('name = "One"\n[[steps]]\ndo = "start"\ntoken = "TAG"\n')
    done = run(central.url, "CP1", "--scenario", str(file))
    assert (done.returncode, done.stderr) == (0, "")
    assert "One: done." in done.stdout
    file.write_text('[[steps]]\ndo = "expect"\nrequest = "Reset"\ntimeout = 0.1\n')
    done = run(central.url, "CP", "--scenario", str(file), "--count", "2")
    assert done.returncode == 1
    assert f"ocpp-sync: CP0001: {file}: step 1: expect: request Reset has not come within 0.1 s; instead:" in done.stderr
    file.write_text('[[steps]]\ndo = "wait"\nseconds = 1000\n')
    done = run(central.url, "CP1", "--scenario", str(file), "--duration", "1")
    assert done.returncode == 1
    assert f"{file}: it has not come to its end within 1 s" in done.stderr


# --- What goes wrong


def test_a_csms_that_answers_with_errors(run: Run, csms: ScriptedCsms) -> None:
    from ocpp_sync import CallError

    csms.script("StatusNotification", CallError("GenericError", "broken"))
    done = run(csms.url, "CP1", "--duration", "1", "--manual")
    assert done.returncode == 1
    assert "StatusNotification was answered with GenericError: broken" in done.stdout
    assert done.stderr == "ocpp-sync: 1 × GenericError from the CSMS\n"


def test_nobody_is_there(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    done = run("ws://127.0.0.1:1", "CP1", "--duration", "0.5")
    assert done.returncode == 1
    assert "cannot connect" in caplog.text
    assert done.stderr == "ocpp-sync: 1 not accepted by the CSMS\n"


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--version", "1.6,2.0.1"], "one --version, not several"),
        (["--count", "0"], "'0' is no number from 1 to 10000"),
        (["--speed", "0"], "'0' is no speed: a number above 0 up to 100000"),
        (["--speed", "fast"], "'fast' is no speed"),
        (["--power", "-1"], "'-1' is no power in kW"),
        (["--offline", "-1"], "'-1' is no rate: a number from 0 up to"),
        (["--set", "x"], "'x' is no KEY=VALUE"),
        (["--set", "x=1"], "'x' is no setting of this station"),
        (["--token", "x" * 21, "--version", "1.6"], "a token of OCPP 1.6 has 1 to 20 characters"),
        (["--connectors", "101"], "'101' is no number from 1 to 100\n"),
        (["--connectors", "0"], "'0' is no number from 1 to 100\n"),
        (["--count", "9" * 5000], "'9999999999999999999999999999999999999999' is no number from 1 to 10000"),
        (["--stagger", "-1"], "'-1' is no number of seconds: a number from 0 up to"),
        (["--seed", "x"], "'x' is no whole number"),
        (["--plugged"], "--plugged goes with --manual"),
        (["--manual", "--scenario", "a.toml"], "--manual does not go with --scenario"),
        (["--manual", "--plugged", "--scenario", "a.toml"], "--manual does not go with --scenario"),
        (["--plugged", "--scenario", "a.toml"], "--plugged does not go with --scenario"),
        (["--version", "1.6", "--set", "numberofconnectors=5"], "NumberOfConnectors is read-only: it cannot be set; see --connectors"),
        (["--set", "TxCtrlr.TxStartPoint=EVConnected"], "TxCtrlr.TxStartPoint is read-only: it cannot be set\n"),
        (["--vendor", "v" * 100], "BootNotification"),
        (["--model", "m" * 21, "--version", "1.6"], "21 characters are too many, the limit is 20"),
        (["--scenario", "/no/such.toml"], "--scenario /no/such.toml: No such file or directory"),
        (["--duratoin", "5"], "did you mean --duration?"),
        (["--record", "/no/such/file"], "--record"),
    ],
)
def test_wrong_arguments(arguments: list[str], text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["simulate", "ws://127.0.0.1:1", "CP1", *arguments])
    assert ended.value.code == 2
    assert text in capsys.readouterr().err


def test_more_wrong_arguments(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    scenario = tmp_path / "a.toml"
    scenario.write_text('version = "1.6"\nsteps = []')
    for arguments, text in (
        (["{}{}", "--count", "2"], "several places"),
        (["a/b", "--count", "2"], "identity"),
        (["CP1", "--scenario", str(scenario)], f"{scenario} is for OCPP 1.6: add --version 1.6"),
    ):
        with pytest.raises(SystemExit):
            main(["simulate", "ws://127.0.0.1:1", *arguments])
        assert text in capsys.readouterr().err
    scenario.write_text("steps = 1")
    with pytest.raises(SystemExit):
        main(["simulate", "ws://127.0.0.1:1", "CP1", "--scenario", str(scenario)])
    assert "steps is a list" in capsys.readouterr().err


def test_a_scenario_is_checked_before_anything_is_sent(capsys: pytest.CaptureFixture[str], csms: ScriptedCsms, tmp_path: Path) -> None:
    scenario = tmp_path / "a.toml"
    scenario.write_text('connectors = 2\nsteps = [{ do = "plug", connector = 2 }, { do = "expect", sent = "Heartbeet" }]')
    for arguments, text in (
        ([], f"{scenario}: step 2, expect: sent 'Heartbeet' is no action of OCPP 2.0.1; did you mean 'Heartbeat'?"),
        (["--connectors", "1"], f"{scenario}: step 1, plug: there is no connector 2; the last one is 1"),
    ):
        with pytest.raises(SystemExit) as ended:
            main(["simulate", csms.url, "CP1", "--scenario", str(scenario), *arguments])
        assert ended.value.code == 2
        assert text in capsys.readouterr().err
    assert csms.handshakes == []


def test_a_scenario_that_sends_what_is_not_valid(run: Run, csms: ScriptedCsms, tmp_path: Path) -> None:
    scenario = tmp_path / "a.toml"
    scenario.write_text('steps = [{ do = "call", action = "DataTransfer", payload = { vendor = "x" } }]')
    with pytest.raises(SystemExit):
        run(csms.url, "CP1", "--scenario", str(scenario))
    run(csms.url, "CP1", "--scenario", str(scenario), "--validation", "out:DataTransfer=off")
    assert csms.wait_for("DataTransfer").payload == {"vendor": "x"}


def test_an_identity_card_that_is_not_checked(run: Run, csms: ScriptedCsms) -> None:
    run(csms.url, "CP1", "--vendor", "v" * 100, "--validation", "out:BootNotification=off", "--duration", "1", "--manual")
    assert csms.wait_for("BootNotification").payload["chargingStation"]["vendorName"] == "v" * 100


def test_the_files_in_the_examples_exist() -> None:
    files = re.findall(r"\S+\.toml", EXAMPLES)
    assert files
    for file in files:
        assert (Path(__file__).parent.parent / file).is_file()


def test_the_scenarios_in_the_examples_fit_their_options() -> None:
    for line in EXAMPLES.splitlines():
        words = re.split(r"\s{3,}", line.strip())[0].split()
        if "--scenario" in words:
            file = words[words.index("--scenario") + 1]
            Scenario.load(Path(__file__).parent.parent / file).check(words[words.index("--version") + 1], 1)


def test_who_is_plugged_in_is_started_by_the_csms(central: OcppServer) -> None:
    running = Running(central.url, "CP1", "--manual", "--plugged", "--version", "1.6", "--connectors", "2", "--speed", "60")
    running.until("Accepted")
    assert central["CP1"].call("RemoteStartTransaction", {"idTag": "TAG", "connectorId": 2}) == {"status": "Accepted"}
    running.until("connector 2: Charging")
    status, out, err = running.end(signal.SIGTERM)
    assert (status, err) == (0, "")
    assert "1 session" in out


def test_meters_say_no_more_than_people_can_read(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)

    def shown(*options: str) -> int:
        nonlocal now
        parser = argparse.ArgumentParser()
        simulate.add_arguments(parser)
        with simulation_screen.Screen.of(parser.parse_args(["ws://localhost", "CP1", *options]), 1) as screen:
            for _ in range(12):
                for connector in (1, 2):
                    screen.note(Note(datetime.now(timezone.utc), "CP1", connector, "meter", "1.00 kWh", {}))
                now += 0.25
        return capsys.readouterr().out.count("1.00 kWh")

    assert shown() == 6
    assert shown("--json") == 24
    assert shown("--quiet") == 0


def test_an_outbox_that_cannot_be(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "none" / "outbox.sqlite3"
    assert main(["simulate", "ws://127.0.0.1:1", "CP1", "--outbox", str(file)]) == 1
    assert capsys.readouterr().err.startswith(f"ocpp-sync: {file}: ")


# --- Keys


class Terminal:
    """A process on a pseudo-terminal, with or without a shell between."""

    def __init__(self, arguments: list[str]) -> None:
        self.seen = ""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execvpe(arguments[0], arguments, environment(TERM="dumb", PS1="$ "))
        self.mode = termios.tcgetattr(self.fd)

    def press(self, keys: str) -> None:
        os.write(self.fd, keys.encode())

    def until(self, pattern: str) -> str:
        """Read until something is shown."""
        deadline = time.monotonic() + PATIENCE
        while (match := re.search(pattern, self.seen)) is None:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.fd], [], [], left)[0]:
                raise AssertionError(f"{pattern!r} is not shown: {self.seen}")
            try:
                data = os.read(self.fd, 4096)
            except OSError:
                raise AssertionError(f"it has ended without {pattern!r}: {self.seen}") from None
            self.seen += data.decode(errors="replace")
        self.seen = self.seen[match.end() :]
        return match[0]

    @property
    def is_cooked(self) -> bool:
        return bool(termios.tcgetattr(self.fd)[3] & termios.ICANON)

    def end(self) -> int:
        """Read the rest, and wait for the process; returns its exit status."""
        while True:
            try:
                if not (data := os.read(self.fd, 4096)):
                    break
            except OSError:
                break
            self.seen += data.decode(errors="replace")
        _, status = os.waitpid(self.pid, 0)
        return os.waitstatus_to_exitcode(status)

    def close(self) -> None:
        os.close(self.fd)


@pytest.fixture
def terminal() -> Iterator[Callable[[list[str]], Terminal]]:
    terminals: list[Terminal] = []

    def make(arguments: list[str]) -> Terminal:
        terminals.append(Terminal(arguments))
        return terminals[-1]

    yield make
    for each in terminals:
        each.close()


MakeTerminal = Callable[[list[str]], Terminal]


def test_all_keys(central: OcppServer, terminal: MakeTerminal) -> None:
    it = terminal(command(central.url, "CP1", "--manual", "--connectors", "2", "--speed", "60"))
    it.until("Keys: p plug")
    it.until("Accepted")
    assert not it.is_cooked
    it.press("2")
    it.until(r"Connector 2: Available\.")
    it.press("9")
    it.until(r"There is no connector 9; the last one is 2\.")
    it.press("p")
    it.until("connector 2: plugged in")
    it.press("p")
    it.until(r"A car is plugged in at connector 2\.")
    it.press("a")
    it.until("connector 2: Charging")
    it.press("s")
    it.until(r"connector 2: the transaction has ended .*\(Local\)")
    it.press("a")
    it.until("connector 2: Charging")
    it.press("a")
    it.until(r"connector 2: the transaction has ended .*\(Local\)")
    it.press("u")
    it.until("connector 2: unplugged")
    it.press("f")
    it.until("connector 2: a fault: GroundFailure")
    it.press("c")
    it.until("connector 2: the fault is gone")
    it.press("o")
    it.until("the link is closed")
    it.press("o")
    it.until("connected")
    it.press("r")
    it.until("starts anew")
    it.until("BootNotification: Accepted")
    it.press("?")
    it.until("q quit")
    it.press("x")
    it.until("'x' is no key here")
    it.press(" q")
    assert it.end() == 0
    assert "1 charge point in" in it.seen


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_restores_the_terminal(central: OcppServer, terminal: MakeTerminal, number: int) -> None:
    shell = terminal(["/bin/sh", "-c", f'{" ".join(command(central.url, "CP1", "--manual"))}; stty -a; echo "status $?"'])
    shell.until("Accepted")
    assert not shell.is_cooked
    if number == signal.SIGINT:
        shell.press("\x03")
    else:
        children = subprocess.run(["ps", "-o", "pid=", "--ppid", str(shell.pid)], capture_output=True, text=True, check=True)
        os.kill(int(children.stdout.split()[0]), number)
    shell.until("1 charge point in")
    if number == signal.SIGTERM:
        shell.until(r" icanon")
        shell.until(r" echo ")
    else:
        shell.end()
        mode = shell.mode
        assert mode[3] & termios.ICANON


def test_stopped_and_in_front_again(central: OcppServer, terminal: MakeTerminal) -> None:
    shell = terminal(["/bin/bash", "--norc", "-i"])
    shell.until(r"\$ ")
    shell.press(" ".join(command(central.url, "CP1", "--manual")) + "\n")
    shell.until("Accepted")
    assert not shell.is_cooked
    shell.press("\x1a")
    shell.until("Stopped")
    shell.until(r"\$ ")
    shell.press("stty -a\n")
    shell.until(r" icanon")
    shell.press("bg\n")
    shell.press("echo in the back$((1+1))\n")
    shell.until("in the back2")
    shell.press("fg\n")
    shell.until("simulate")
    deadline = time.monotonic() + PATIENCE
    while shell.is_cooked:
        assert time.monotonic() < deadline
        select.select([], [], [], 0.01)
    shell.press("p")
    shell.until("plugged in")
    shell.press("q")
    shell.until("1 charge point in")
    shell.until(r"\$ ")
    shell.press("stty -a\n")
    shell.until(r" icanon")
    shell.press("exit\n")
    shell.end()


def test_a_terminal_that_goes_ends_it(central: OcppServer) -> None:
    master, slave = pty.openpty()
    keyboard_of = os.fdopen(slave, "r")
    with Keyboard(keyboard_of) as keyboard:
        assert keyboard.read(time.monotonic()) is None
        os.write(master, b"p")
        key = None
        while key is None:
            key = keyboard.read(None)
        assert key == "p"
        os.close(master)
        key = None
        while key is None:
            key = keyboard.read(time.monotonic() + TIMEOUT)
        assert key == ""
    keyboard_of.close()
    assert not Keyboard.fits(keyboard_of)
    with open(os.devnull) as nothing:  # noqa: PTH123
        assert not Keyboard.fits(nothing)


def test_keys_in_this_process(central: OcppServer, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    master, slave = pty.openpty()
    before = termios.tcgetattr(slave)
    with os.fdopen(slave, "r") as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)

        def press() -> None:
            while termios.tcgetattr(slave)[3] & termios.ICANON:
                select.select([], [], [], 0.01)
            os.write(master, b"2p1?us\x04")

        pressing = in_thread(press)
        assert main(["simulate", central.url, "CP1", "--manual", "--connectors", "2"]) == 0
        pressing.result()
        assert termios.tcgetattr(slave) == before
        out = capsys.readouterr().out
        assert "connector 2: plugged in" in out
        assert "q quit" in out
        assert "No car is plugged in at connector 1." in out
        assert main(["simulate", central.url, "CP1", "--manual", "--duration", "0.1", "--json"]) == 0
    os.close(master)


def test_keys_of_several_characters_are_no_letters() -> None:
    master, slave = pty.openpty()
    with os.fdopen(slave, "r") as stdin, Keyboard(stdin) as keyboard:

        def next_key() -> str:
            while True:
                key = keyboard.read(time.monotonic() + TIMEOUT)
                if key is not None:
                    return key

        for sequence in (b"\x1b[A", b"\x1bOP", b"\x1b[1;5C", b"\x1b[[A", b"\x1b[3~", b"\x1ba"):
            os.write(master, sequence + b"p")
            assert next_key() == "p"
        os.write(master, b"\x1b")
        assert next_key() == "\x1b"
        os.write(master, b"\x1b[")
        assert keyboard.read(time.monotonic() + TIMEOUT) is None
    os.close(master)


def test_stopping_and_going_on(monkeypatch: pytest.MonkeyPatch) -> None:
    master, slave = pty.openpty()
    with os.fdopen(slave, "r") as stdin, Keyboard(stdin) as keyboard:
        stopped: list[bool] = []
        monkeypatch.setattr(os, "kill", lambda pid, number: stopped.append(bool(termios.tcgetattr(slave)[3] & termios.ICANON)))
        signal.raise_signal(signal.SIGTSTP)
        assert stopped == [True]
        assert not termios.tcgetattr(slave)[3] & termios.ICANON
        monkeypatch.setattr(os, "tcgetpgrp", lambda fd: -1)
        assert keyboard.read(time.monotonic() + 0.01) is None
        signal.raise_signal(signal.SIGCONT)
        monkeypatch.undo()
        assert keyboard.read(time.monotonic()) is None
        assert not termios.tcgetattr(slave)[3] & termios.ICANON
    os.close(master)


def test_ctrl_c_in_this_process(central: OcppServer, capsys: pytest.CaptureFixture[str], no_terminal: None) -> None:
    timer = threading.Timer(0.5, os.kill, [os.getpid(), signal.SIGINT])
    timer.start()
    assert main(["simulate", central.url, "CP1"]) == 0
    timer.join()
    assert "1 charge point in" in capsys.readouterr().out


def test_tokens_take_turns() -> None:
    with Station("CP1") as station:
        panel = Panel(station, ["A", "B"])
        assert panel.press("a") is None
        assert panel.press("?") == HELP
        assert panel.press("\n") is None
        assert panel._tokens == ["B", "A"]


def test_what_the_keys_do(central: OcppServer) -> None:
    with Station("CP1").start(central.url) as station:
        assert station.wait_ready(TIMEOUT)
        panel = Panel(station, ["A"])
        assert panel.press("1") == "Connector 1: Available."
        assert panel.press("f") is None
        assert station.wait_for(1, State.FAULTED)
        assert panel.press("C") is None
        assert panel.press("s") == "There is no transaction at connector 1."
        panel.press("p")
        panel.press("a")
        assert station.wait_for(1, State.CHARGING)
        panel.press("a")
        assert station.wait_for(1, State.FINISHING)
        panel.press("u")
        panel.press("o")
        assert station.wait_until(lambda it: not it.uplink.is_wanted)
        panel.press("o")
        assert station.wait_ready(TIMEOUT)
        panel.press("r")
        assert station.wait_until(lambda it: it.presence.boots == 2)


def test_without_a_terminal_there_are_no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    master, slave = pty.openpty()
    with os.fdopen(slave, "r") as terminal:
        assert Keyboard.fits(terminal)
        monkeypatch.setitem(sys.modules, "termios", None)
        assert not Keyboard.fits(terminal)
        monkeypatch.undo()
        keyboard = Keyboard(terminal)
        monkeypatch.setattr(keyboard, "_enter", lambda: signal.raise_signal(signal.SIGINT))
        before = signal.getsignal(signal.SIGTSTP)
        with pytest.raises(KeyboardInterrupt):
            keyboard.__enter__()
        assert signal.getsignal(signal.SIGTSTP) == before
    os.close(master)
