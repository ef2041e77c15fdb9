"""``ocpp-sync repl``, at a terminal and as a script, with IPython and without."""

from __future__ import annotations

import os
import queue
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from ocpp_sync import OcppClient, OcppServer, utcnow

from .support import TIMEOUT, Collector, in_thread
from .terminal import Terminal

PLAIN, IPYTHON = "plain", "IPython"
PROMPTS = {PLAIN: r">>> ", IPYTHON: r"In \[\d+\]: "}
both = pytest.mark.parametrize("kind", [PLAIN, IPYTHON])
mostly_plain = pytest.mark.parametrize("kind", [PLAIN, pytest.param(IPYTHON, marks=pytest.mark.nightly)])  # what hardly depends on it


@pytest.fixture
def csms(make_server: Callable[..., OcppServer]) -> OcppServer:
    """A server that answers what these tests send."""
    server = make_server(listen=False)
    server.on("BootNotification", lambda charge_point, request: {"status": "Accepted", "currentTime": utcnow(), "interval": 300})
    server.on("Heartbeat", lambda charge_point, request: {"currentTime": "2026-11-27T07:00:00.000Z"})
    return server.listen(0, "127.0.0.1")


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """A home of its own: there is a history in it, and a profile of IPython."""
    return {"HOME": str(tmp_path), "IPYTHONDIR": str(tmp_path / "ipython"), "XDG_STATE_HOME": str(tmp_path / "state"), "NO_COLOR": "1"}


class Prompt(Terminal):
    """The command at a terminal."""

    def __init__(self, kind: str, home: dict[str, str], *arguments: str, command: str = "repl", **options: Any) -> None:
        ipython = ["--no-ipython"] if kind == PLAIN and command == "repl" else []
        super().__init__("-m", "ocpp_sync", command, *arguments, *ipython, environment=home, **options)
        self.prompt = PROMPTS[kind]
        self.kind = kind

    def ready(self) -> None:
        """Wait for the next prompt."""
        self.expect(self.prompt)

    def interrupt(self) -> None:
        """Press Ctrl-C at the prompt; IPython clears the line then, and shows no new prompt."""
        self.type("\x03")
        if self.kind == PLAIN:
            self.expect("KeyboardInterrupt")
            self.ready()

    def run(self, line: str, shows: str) -> re.Match[str]:
        """Type a line; it shows something, and then there is a prompt again."""
        self.enter(line)
        found = self.expect(shows)
        self.ready()
        return found


def repl(kind: str, home: dict[str, str], csms: OcppServer, *arguments: str, **options: Any) -> Prompt:
    return Prompt(kind, home, csms.url, "CP1", *arguments, **options)


@both
def test_calls_and_handlers(kind: str, home: dict[str, str], csms: OcppServer) -> None:
    with repl(kind, home, csms, "--version", "1.6") as prompt:
        prompt.expect("The charge point CP1 is connected, with OCPP 1.6.")
        prompt.ready()
        prompt.run('call("Heartbeat")', r"◀── CALLRESULT Heartbeat .*\{'currentTime': '2026-11-27T07:00:00.000Z'\}")
        prompt.run("boot()['status']", "'Accepted'")
        heard = Collector({"status": "Accepted"})
        csms.on("DataTransfer", heard)
        prompt.run('call("DataTransfer", {"vendorId": "x"}, data="y")', "'Accepted'")
        assert heard.next()[1] == {"vendorId": "x", "data": "y"}
        prompt.run("frames[-1].payload, len(frames)", r"\(\{'status': 'Accepted'\}, 6\)")
        prompt.run("api.Heartbeat()", "currentTime")
        prompt.run("skeleton('Authorize')", re.escape("{'idTag': ''}"))
        prompt.run("describe('Authorize')", "at most 20 characters")
        prompt.run("validate('Authorize', {})", "InvalidPayload: Authorize: 'idTag' is missing")
        assert csms.wait_for("CP1", TIMEOUT).call("ClearCache", timeout=TIMEOUT) == {"status": "Accepted"}
        prompt.expect("▶ CALLRESULT ClearCache")
        prompt.run("_ = on('ClearCache', lambda request: {'status': 'Rejected'}); 6 * 7", r"\b42\b")
        assert csms.wait_for("CP1", TIMEOUT).call("ClearCache", timeout=TIMEOUT) == {"status": "Rejected"}
        prompt.type("\x04")
        assert prompt.wait() == 0
        assert "Traceback" not in prompt.shown


@both
def test_frames_scroll_by_above_what_is_typed(kind: str, home: dict[str, str], csms: OcppServer) -> None:
    with repl(kind, home, csms) as prompt:
        prompt.ready()
        prompt.type("typed = 40")
        prompt.expect("typed = 40")
        csms.wait_for("CP1", TIMEOUT).call("ClearCache", timeout=TIMEOUT)
        # The line is there again below the frame, on a line of its own.
        prompt.expect(r"◀── CALL +ClearCache +\{\} *\r?\n")
        prompt.expect(r"──▶ CALLRESULT ClearCache [^\n]*\n")
        prompt.expect(rf"{prompt.prompt}typed = 40")
        prompt.enter(" + 2")
        prompt.ready()
        prompt.run("typed", "42")


@mostly_plain
def test_the_cursor_stays_where_it_is(kind: str, home: dict[str, str], csms: OcppServer) -> None:
    with repl(kind, home, csms) as prompt:
        prompt.ready()
        prompt.type("word = 'ac'\x1b[D\x1b[D")
        prompt.expect("word = 'ac'")
        csms.wait_for("CP1", TIMEOUT).call("ClearCache", timeout=TIMEOUT)
        prompt.expect(rf"CALLRESULT ClearCache [^\n]*\n.*{prompt.prompt}word = 'ac'")
        prompt.enter("b")
        prompt.ready()
        prompt.run("word", "'abc'")


@mostly_plain
def test_nothing_ends_it_but_ctrl_d(kind: str, home: dict[str, str], csms: OcppServer) -> None:
    with repl(kind, home, csms) as prompt:
        prompt.ready()
        prompt.run("1/0", "ZeroDivisionError")
        prompt.run("call('Hartbeat')", "did you mean 'Heartbeat'")
        prompt.run("call('Heartbeat', 5)", "TypeError")
        prompt.run("a b", "SyntaxError")
        csms.wait_for("CP1", TIMEOUT).close(1001, "so long")
        prompt.expect(r"-- the connection is closed \(1001 so long\).*-- connected again, with OCPP 2.0.1")
        prompt.run("client.connected", "True")
        prompt.type("\x04")
        assert prompt.wait() == 0


@mostly_plain
def test_a_failed_call_shows_nothing_of_the_inside(kind: str, home: dict[str, str], csms: OcppServer) -> None:
    with repl(kind, home, csms, "--quiet") as prompt:
        prompt.ready()
        found = prompt.run("call('Authorize')", "InvalidPayload: Authorize: ")
        assert "connection.py" not in found.string
        assert "client.py" not in found.string
        prompt.run("skeleton('Nonsense')", "ValueError")
        prompt.enter("len(frames)")
        prompt.expect(r"\b0\b")


@both
def test_ctrl_c_ends_a_call(kind: str, home: dict[str, str], csms: OcppServer) -> None:
    came: queue.Queue[threading.Event] = queue.Queue()

    def wait(charge_point: Any, request: Any) -> dict[str, Any]:
        goes_on = threading.Event()
        came.put(goes_on)
        goes_on.wait(TIMEOUT)
        return {"status": "Accepted"}

    csms.on("DataTransfer", wait)
    with repl(kind, home, csms) as prompt:
        prompt.ready()
        for _ in range(2):
            prompt.enter("call('DataTransfer', vendorId='x')")
            goes_on = came.get(timeout=TIMEOUT)
            prompt.type("\x03")
            prompt.expect("KeyboardInterrupt")
            prompt.ready()
            goes_on.set()
            prompt.expect("answers no open call|-- connected again")  # in the middle of a message the link is cut
            prompt.ready()
        prompt.run("call('Heartbeat')", "currentTime.*currentTime")


@mostly_plain
def test_ctrl_c_at_the_prompt_ends_the_line(kind: str, home: dict[str, str], csms: OcppServer) -> None:
    with repl(kind, home, csms) as prompt:
        prompt.ready()
        for _ in range(3):
            prompt.type("nonsense(")
            if kind == PLAIN:  # the other draws only what has changed
                prompt.expect(r"nonsense\(")
            prompt.interrupt()
        prompt.run("6 * 7", "42")


def test_ctrl_c_while_frames_come(home: dict[str, str], csms: OcppServer) -> None:
    with repl(PLAIN, home, csms) as prompt:
        prompt.ready()
        over = threading.Event()

        def flood() -> None:
            while not over.is_set():
                csms.wait_for("CP1", TIMEOUT).call("ClearCache", timeout=TIMEOUT)

        flooding = in_thread(flood)
        for number in range(20):
            prompt.type(f"nonsense{number}(")
            prompt.expect(f"nonsense{number}")
            prompt.interrupt()
        over.set()
        flooding.result()
        prompt.run("6 * 7", "42")


@both
def test_tab_completes(kind: str, home: dict[str, str], csms: OcppServer) -> None:
    with repl(kind, home, csms, "--version", "1.6") as prompt:
        prompt.ready()
        for line, whole, shows in (
            ("call('Heartb", r"call\('Heartbeat", "currentTime"),
            ("on('UnlockC", r"on\('UnlockConnector", "register"),
            ("skeleton('Authori", r"skeleton\('Authorize", "idTag"),
            ("client.heartbeat_i", "client.heartbeat_interval", "0"),
        ):
            prompt.type(f"{line}\t")
            prompt.expect(whole)
            # Readline closes the string by itself.
            prompt.run("" if "(" not in line else ")" if kind == PLAIN else "')", shows)
        prompt.type("\x04")
        assert prompt.wait() == 0


@both
@pytest.mark.parametrize("busy", [False, True], ids=["at the prompt", "in a statement"])
def test_sigterm_ends_it(kind: str, busy: bool, home: dict[str, str], csms: OcppServer) -> None:
    closed = Collector()
    csms.on("close", closed)
    with repl(kind, home, csms) as prompt:
        prompt.ready()
        if busy:
            prompt.enter("print('sleep' + 'ing', flush=True); client.wait_closed()")
            prompt.expect("sleeping")
        prompt.process.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            prompt.process.wait(TIMEOUT)
        if prompt.process.poll() is None:  # it came in the moment before a lock is waited for, in which Python does not see it
            prompt.process.send_signal(signal.SIGTERM)
        assert prompt.wait() == 143
    assert closed.next()[1] == 1000


@mostly_plain
@pytest.mark.parametrize("line", ["exit()", "quit()", "raise SystemExit"])
def test_other_ways_out(kind: str, line: str, home: dict[str, str], csms: OcppServer) -> None:
    with repl(kind, home, csms) as prompt:
        prompt.ready()
        if kind == IPYTHON and line.startswith("raise"):
            prompt.run(line, "To exit")
            line = "exit"
        prompt.enter(line)
        assert prompt.wait() == 0


@mostly_plain
def test_without_a_csms(kind: str, home: dict[str, str], csms: OcppServer) -> None:
    url = csms.url
    csms.close()
    with Prompt(kind, home, url, "CP1") as prompt:
        prompt.expect(r"ocpp-sync: cannot connect to .*\(unreachable\)")
        prompt.expect("The charge point CP1 is not connected.")
        prompt.ready()
        prompt.run("call('Heartbeat')", "NotConnected: not connected")
        prompt.run("connect()", "HandshakeError: .*unreachable")
        csms.listen(int(url.rpartition(":")[2]), "127.0.0.1")
        prompt.run("connect()", "connected, OCPP 2.0.1")
        prompt.run("call('Heartbeat')", "currentTime")


@mostly_plain
def test_no_connect(kind: str, home: dict[str, str], csms: OcppServer) -> None:
    with repl(kind, home, csms, "--no-connect") as prompt:
        prompt.expect("is not connected")
        prompt.ready()
        prompt.run("frames", "the newest are")
        assert not csms.connections
        prompt.run("connect()", "connected")
        assert csms.wait_for("CP1", TIMEOUT)


@both
def test_the_history_is_kept(kind: str, home: dict[str, str], csms: OcppServer) -> None:
    with repl(kind, home, csms) as prompt:
        prompt.ready()
        prompt.run("remember = 'this'; 6 * 7", r"\b42\b")
        prompt.type("\x04")
        assert prompt.wait() == 0
    if kind == PLAIN:
        file = Path(home["XDG_STATE_HOME"]) / "ocpp-sync" / "history"
        assert file.read_text() == "remember = 'this'; 6 * 7\n"
        assert file.stat().st_mode & 0o077 == 0
    with repl(kind, home, csms) as prompt:
        prompt.ready()
        prompt.type("\x1b[A")
        prompt.expect("remember = 'this'")


@both
def test_a_home_that_cannot_be_written(kind: str, home: dict[str, str], csms: OcppServer) -> None:
    nowhere = {**home, "HOME": "/dev/null", "XDG_STATE_HOME": "/dev/null/state", "IPYTHONDIR": "/dev/null/ipython"}
    with repl(kind, nowhere, csms) as prompt:
        prompt.ready()
        prompt.run("6 * 7", "42")
        prompt.type("\x04")
        assert prompt.wait() == 0
        assert "Traceback" not in prompt.shown


def without(tmp_path: Path, *modules: str) -> dict[str, str]:
    """The environment of an interpreter that has not got these modules."""
    (tmp_path / "sitecustomize.py").write_text(
        "import importlib.util\nfound = importlib.util.find_spec\n"
        f"importlib.util.find_spec = lambda name, *rest: None if name in {modules} else found(name, *rest)\n"
    )
    return {"PYTHONPATH": str(tmp_path)}


def test_without_readline(home: dict[str, str], csms: OcppServer, tmp_path: Path) -> None:
    with repl(PLAIN, {**home, **without(tmp_path, "readline", "IPython")}, csms) as prompt:
        prompt.ready()
        prompt.run("call('Heartbeat')", "currentTime")
        prompt.type("\x03")
        while prompt.shows("KeyboardInterrupt", 1.0) is None:  # it came in the moment before Python waits for a line
            prompt.type("\x03")
        prompt.ready()
        prompt.type("\x04")
        assert prompt.wait() == 0


def test_without_ipython(home: dict[str, str], csms: OcppServer, tmp_path: Path) -> None:
    with Terminal("-m", "ocpp_sync", "repl", csms.url, "CP1", environment={**home, **without(tmp_path, "IPython", "")}) as terminal:
        terminal.expect(">>> ")


@both
def test_a_server_with_a_prompt(kind: str, home: dict[str, str], make_client: Callable[..., OcppClient], tmp_path: Path) -> None:
    environment = {**home, **(without(tmp_path, "IPython", "") if kind == PLAIN else {})}
    with Prompt(kind, environment, "--port", "0", "--host", "127.0.0.1", "--repl", command="serve") as prompt:
        url = prompt.expect(r"listens at (ws://\S+:\d+)")[1]
        prompt.ready()
        client = make_client(url, version="1.6")
        client.on("Reset", lambda request: {"status": "Accepted"})
        client.call("BootNotification", {"chargePointVendor": "V", "chargePointModel": "M"})
        prompt.expect("CALLRESULT BootNotification")
        prompt.ready()
        prompt.run("call('Reset', type='Soft')", r"\{'status': 'Accepted'\}")
        prompt.run("cp.identity, list(cps)", r"\('CP1', \['CP1'\]\)")
        prompt.run("frames[-1].action", "'Reset'")
        prompt.run("call('Rest')", "did you mean 'Reset'")
        prompt.type("typed = 40")
        prompt.expect("typed = 40")
        client.call("Heartbeat")
        prompt.expect(rf"CALLRESULT Heartbeat[^\n]*\n.*{prompt.prompt}typed = 40")
        prompt.interrupt()
        prompt.run("1/0", "ZeroDivisionError")
        assert "currentTime" in client.call("Heartbeat")
        prompt.expect("CALLRESULT Heartbeat")
        prompt.ready()
        prompt.type("\x04")
        assert prompt.wait() == 0
        assert "1 charge point" in prompt.shown


@mostly_plain
def test_record(kind: str, home: dict[str, str], csms: OcppServer, tmp_path: Path) -> None:
    file = tmp_path / "session.jsonl"
    with repl(kind, home, csms, "--record", str(file)) as prompt:
        prompt.ready()
        prompt.run("call('Heartbeat')", "currentTime")
        prompt.type("\x04")
        assert prompt.wait() == 0
    assert file.read_text().count("Heartbeat") == 1


def test_a_wrong_file_does_not_end_the_prompt(home: dict[str, str], tmp_path: Path) -> None:
    with Prompt(PLAIN, home, "wss://127.0.0.1:1", "CP1", "--no-connect", "--cafile", str(tmp_path / "ca.pem")) as prompt:
        prompt.ready()
        prompt.run("connect()", "CertificateError: .*ca.pem")
        prompt.run("6 * 7", "42")


# --- Scripts


def script(text: str, url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ocpp_sync", "repl", url, "CP1", "--version", "1.6", "--quiet", *arguments]
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8"}
    return subprocess.run(command, input=text, capture_output=True, text=True, encoding="utf-8", timeout=60, env=environment)


def test_a_script(csms: OcppServer) -> None:
    done = script("for _ in range(2):\n    answer = call('Heartbeat')\n\nanswer\nprint('ä')\n", csms.url)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "{'currentTime': '2026-11-27T07:00:00.000Z'}\nä\n"


def test_a_script_ends_with_the_first_exception(csms: OcppServer) -> None:
    done = script("print('before')\ncall('Authorize')\nprint('after')\n", csms.url)
    assert done.returncode == 1
    assert done.stdout.endswith("before\n")
    lines = done.stderr.splitlines()
    assert lines[:2] == ["Traceback (most recent call last):", '  File "<stdin>", line 2, in <module>']
    assert "InvalidPayload: Authorize: 'idTag' is missing" in lines[2]
    assert len(lines) == 3


@pytest.mark.parametrize(
    ("line", "status"), [("exit()", 0), ("exit(5)", 5), ("raise SystemExit('no')", 1), ("1/0", 1), ("a b", 1), ("", 0)]
)
def test_the_status_of_a_script(line: str, status: int, csms: OcppServer) -> None:
    assert script(line, csms.url).returncode == status


def test_a_script_without_a_csms() -> None:
    done = script("print('never')", "ws://127.0.0.1:1")
    assert (done.returncode, done.stdout) == (5, "")
    assert done.stderr.endswith("(unreachable)\n")
    done = script("print(client.connected)", "ws://127.0.0.1:1", "--no-connect")
    assert (done.returncode, done.stdout, done.stderr) == (0, "False\n", "")


def test_frames_of_a_script(csms: OcppServer) -> None:
    done = script("answer = call('Heartbeat')\nframes[0].action, frames[1].kind, frames[1].payload == answer\n", csms.url)
    assert done.stdout == "('Heartbeat', 'CALLRESULT', True)\n"
    command = [sys.executable, "-m", "ocpp_sync", "repl", csms.url, "CP1"]
    done = subprocess.run(command, input="_ = api.Heartbeat()", capture_output=True, text=True, timeout=60)
    assert done.stdout == ""
    assert re.search(r"CALL +Heartbeat.*\n.*CALLRESULT +Heartbeat", done.stderr)


@contextmanager
def killed_at_the_end(process: subprocess.Popen[str]) -> Iterator[None]:
    try:
        yield
    finally:
        process.kill()


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_a_script(number: int, status: int, csms: OcppServer) -> None:
    command = [sys.executable, "-m", "ocpp_sync", "repl", csms.url, "CP1"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process, killed_at_the_end(process):
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdin.write("print('running', flush=True)\nclient.wait_closed()\n")
        process.stdin.close()
        assert process.stdout.readline() == "running\n"
        process.send_signal(number)
        assert process.wait(TIMEOUT) == status
        assert "Traceback" not in process.stderr.read()
