"""``ocpp-sync serve``, as a process of its own, with charge points that are real."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import queue
import re
import signal
import socket
import struct
import subprocess
import sys
import termios
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import pytest

from ocpp_sync import CallError, ConnectionClosed, HandshakeError, OcppClient, utcnow
from ocpp_sync.cli import main
from ocpp_sync.passwords import PasswordFile

from .support import RawChargePoint, in_thread
from .terminal import Terminal
from .test_csms import T0, start

TIMEOUT = 30.0  # seconds; a process takes its time to start on a slow machine
PASSWORD = "secret-password-1"
Connect = Callable[..., OcppClient]


class Serve:
    """The command, and what it prints."""

    def __init__(self, *arguments: str, command: list[str] | None = None, host: str | None = "127.0.0.1", **options: Any) -> None:
        listen = ["--port", "0", *([] if host is None else ["--host", host])]
        command = [sys.executable, "-m", "ocpp_sync", "serve", *listen, *arguments] if command is None else command
        environment = {**os.environ, "PYTHONIOENCODING": "utf-8"}
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "env": environment, "start_new_session": True, **options}
        self.process = subprocess.Popen(command, text=True, encoding="utf-8", **options)
        self.lines: list[str] = []
        self._error = ""
        self._queue: queue.Queue[str | None] = queue.Queue()
        self._reader = threading.Thread(target=self._read, name="test serve", daemon=True)
        if self.process.stdout is not None:
            self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._queue.put(line.rstrip("\n"))
        self._queue.put(None)

    def expect(self, pattern: str) -> re.Match[str]:
        """Wait for a line."""
        while True:
            line = self._queue.get(timeout=TIMEOUT)
            assert line is not None, f"{pattern!r} has not come, but {self.lines}, {self.error()}"
            self.lines.append(line)
            if found := re.search(pattern, line):
                return found

    @property
    def url(self) -> str:
        """Where it listens."""
        return str(self.expect(r"wss?://[^\s\"]+")[0])

    def end(self, number: int = signal.SIGINT) -> list[str]:
        """Send a signal, and return all lines, when it has ended with status 0."""
        self.process.send_signal(number)
        return self.ended(0)

    def ended(self, status: int) -> list[str]:
        """All lines, when it has ended by itself."""
        assert self.process.wait(TIMEOUT) == status, self.error()
        while (line := self._queue.get(timeout=TIMEOUT)) is not None:
            self.lines.append(line)
        assert "Traceback" not in self.error()
        return self.lines

    def error(self) -> str:
        """What it has written to the standard error; it is killed if it still runs."""
        assert self.process.stderr is not None
        self.kill()
        self._error += self.process.stderr.read()
        return self._error

    def kill(self) -> None:
        """Kill it, and what it has started."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)

    def __enter__(self) -> Serve:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.kill()
        self.process.wait()
        if self.process.stdout is not None:
            self._reader.join(TIMEOUT)
            self.process.stdout.close()
        if self.process.stderr is not None:
            self.process.stderr.close()


@pytest.fixture
def serve() -> Iterator[Callable[..., Serve]]:
    """Starts the command."""
    running: list[Serve] = []

    def run(*arguments: str, **options: Any) -> Serve:
        running.append(Serve(*arguments, **options))
        return running[-1]

    yield run
    for each in running:
        each.__exit__(None, None, None)


def charge(client: OcppClient, energy: int = 3000) -> int:
    number: int = start(client, time=utcnow())["transactionId"]
    client.call("StopTransaction", {"transactionId": number, "meterStop": 1000 + energy, "timestamp": utcnow()})
    return number


# --- What it shows


def test_a_session_as_a_person_sees_it(serve: Callable[..., Serve], make_client: Connect) -> None:
    server = serve()
    client = make_client(version="1.6")
    client.connect(server.url)
    client.call("BootNotification", {"chargePointVendor": "V", "chargePointModel": "M"})
    charge(client)
    with pytest.raises(CallError):
        make_client(client_url(server), "CP2", version="2.0.1", validation="off").call("Heartbeat", {"x": 1})
    client.call("StopTransaction", {"transactionId": 99, "meterStop": 0, "timestamp": T0})
    client.close()
    server.expect(r"CP1 disconnected: 1000")
    lines = server.end()
    time = r"\d\d:\d\d:\d\d\.\d{3}"
    text = "\n".join(lines)
    assert re.fullmatch(r"A CSMS listens at ws://127\.0\.0\.1:\d+ for OCPP 2\.1, 2\.0\.1 and 1\.6\.", lines[0])
    assert re.fullmatch(r"A charge point for it:  ocpp-sync simulate ws://127\.0\.0\.1:\d+ CP1", lines[1])
    assert re.search(rf"^{time} CP1 connected from 127\.0\.0\.1:\d+ with OCPP 1\.6$", text, re.MULTILINE)
    assert re.search(
        rf'^{time} CP1 ◀── CALL +BootNotification +\{{"chargePointVendor": "V", "chargePointModel": "M"\}}$', text, re.MULTILINE
    )
    assert re.search(rf'^{time} CP1 ──▶ CALLRESULT StartTransaction  \d+\.\d ms +\{{.*"transactionId": 1', text, re.MULTILINE)
    assert re.search(rf"^{time} CP2 ──▶ CALLERROR  Heartbeat", text, re.MULTILINE)
    assert re.search(rf"^{time} CP1: StopTransaction of 99, which is unknown$", text, re.MULTILINE)
    assert re.search(rf"^{time} CP2 disconnected: 1001 the server closes$", text, re.MULTILINE)
    assert re.fullmatch(r"\d+\.\d s: 2 charge points; 5 calls in, 0 out; 5 answered, 1 CALLERROR, 1 invalid\.", lines[-3])
    assert lines[-2:] == ["1 transaction started, 0 open; 3.000 kWh.", "Problems: 1 × StopTransaction of an unknown transaction."]


def client_url(server: Serve) -> str:
    """The URL, once it has been printed."""
    found = re.search(r"wss?://[^\s\"]+", server.lines[0])
    assert found
    return found[0]


def test_a_session_as_a_machine_sees_it(serve: Callable[..., Serve], make_client: Connect) -> None:
    server = serve("--json")
    with make_client(version="1.6").connect(server.url) as client:
        client.call("Authorize", {"idTag": "T"})
        client.call("StopTransaction", {"transactionId": 99, "meterStop": 0, "timestamp": T0})
    server.expect("disconnected")
    events = [json.loads(line) for line in server.end()]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", each["time"]) for each in events)
    assert [each["event"] for each in events if "event" in each] == ["listening", "connected", "problem", "disconnected", "summary"]
    call, answer = [each for each in events if each.get("action") == "Authorize"]
    about = {"identity": "CP1", "direction": "in", "kind": "CALL", "action": "Authorize", "payload": {"idTag": "T"}}
    assert call == {**about, "time": call["time"], "id": call["id"]}
    assert (answer["kind"], answer["direction"], answer["id"]) == ("CALLRESULT", "out", call["id"])
    assert answer["payload"] == {"idTagInfo": {"status": "Accepted"}}
    assert answer["ms"] >= 0
    assert events[0]["versions"] == ["2.1", "2.0.1", "1.6"]
    assert events[-1]["problems"] == {"StopTransaction of an unknown transaction": 1}
    assert (events[-1]["callsIn"], events[-1]["answered"], events[-1]["chargePoints"]) == (2, 2, 1)


@pytest.mark.parametrize("as_json", [False, True])
def test_quiet_shows_the_start_problems_and_the_summary(serve: Callable[..., Serve], make_client: Connect, as_json: bool) -> None:
    server = serve("--quiet", *(["--json"] if as_json else []))
    with make_client(version="1.6").connect(server.url) as client:
        client.call("Heartbeat")
        client.call("StopTransaction", {"transactionId": 99, "meterStop": 0, "timestamp": T0})
    text = "\n".join(server.end())
    assert "Heartbeat" not in text
    assert "connected" not in text
    assert "StopTransaction of 99, which is unknown" in text
    assert ("2 calls in" in text) is not as_json


def test_secrets_are_masked_unless_told_otherwise(serve: Callable[..., Serve], make_client: Connect) -> None:
    for arguments, shown in ((), "***"), (("--no-redact",), "opensesame"):
        server = serve(*arguments)
        with make_client(version="1.6").connect(server.url) as client:
            client.call("DataTransfer", {"vendorId": "v", "data": '{"password":"opensesame"}'})
        assert server.expect(r'password\\?": ?\\?"([\w*]+)')[1] == shown
        server.end()


def test_what_is_no_message_is_shown_and_does_not_command_the_terminal(
    serve: Callable[..., Serve], raw_charge_point: Callable[..., RawChargePoint]
) -> None:
    server = serve()
    peer = raw_charge_point(server.url, version="2.0.1")
    peer.send("\x1b[2Jnonsense\n\u202e")
    server.expect(r"CP1 ◀── no OCPP-J message: \\u001b\[2Jnonsense\\u000a\\u202e$")
    peer.send([2, "1", "Heartbeat", {}])
    server.expect("CALLRESULT Heartbeat")
    lines = server.end()
    assert all(line.isprintable() for line in lines)
    assert ", 1 CALLERROR, 2 invalid." in lines[-3]


def test_who_is_refused_is_told(serve: Callable[..., Serve], make_client: Connect) -> None:
    server = serve("--versions", "1.6")
    with pytest.raises(HandshakeError):
        make_client(server.url, version="2.0.1")
    server.expect("CP1: no common version: it offers 'ocpp2.0.1'")
    assert server.end()[-1] == "Problems: 2 × warnings."


# --- Its end


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_with_a_summary(serve: Callable[..., Serve], number: int) -> None:
    server = serve()
    server.expect("listens")
    assert server.end(number)[-3:][1:] == ["0 transactions started, 0 open; 0 Wh.", "No problems."]


def test_sigint_ends_it_where_it_was_ignored(serve: Callable[..., Serve]) -> None:
    # As a shell starts what a script puts in the background.
    script = f'"{sys.executable}" -m ocpp_sync serve --port 0 --host 127.0.0.1 & echo "process $!"; wait $!; echo "status $?"'
    server = serve(command=["sh", "-c", script])
    number = int(server.expect(r"process (\d+)")[1])
    server.expect("listens")
    os.kill(number, signal.SIGINT)
    server.expect("No problems")
    server.expect("status 0")
    server.ended(0)


def test_who_has_read_enough_ends_it(serve: Callable[..., Serve], make_client: Connect) -> None:
    reader, writer = os.pipe()
    server = serve(stdout=writer)
    os.close(writer)
    with os.fdopen(reader, encoding="utf-8") as out:
        url = re.search(r"ws://[\d.:]+", out.readline())
    assert url
    client = make_client(url[0], version="1.6")
    closed = threading.Event()
    client.on("close", lambda code, reason: closed.set())
    while not closed.is_set():
        with suppress(ConnectionClosed):
            client.call("Heartbeat")
    assert server.process.wait(TIMEOUT) == 1
    assert server.error() == ""


def test_a_full_disk_is_an_error(serve: Callable[..., Serve]) -> None:
    with Path("/dev/full").open("w") as full:
        server = serve(stdout=full)
        assert server.process.wait(TIMEOUT) == 1
    assert server.error().strip() == "ocpp-sync: [Errno 28] No space left on device"


def test_a_terminal_that_takes_nothing_holds_up_nobody(serve: Callable[..., Serve], make_client: Connect) -> None:
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    server = serve(stdout=writer)
    os.close(writer)
    with os.fdopen(reader, encoding="utf-8") as out:
        url = re.search(r"ws://[\d.:]+", out.readline())
        assert url
        client = make_client(url[0], version="1.6")
        for _ in range(200):  # as after Ctrl-S: nobody reads
            client.call("DataTransfer", {"vendorId": "v", "data": "x" * 100_000})
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(TIMEOUT) == 0, "it ends without having printed all"
        text = out.read()
    assert text.count("DataTransfer") < 200
    assert server.error() == ""


def test_what_was_left_out_is_told(serve: Callable[..., Serve], make_client: Connect) -> None:
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    server = serve(stdout=writer)
    os.close(writer)
    with os.fdopen(reader, encoding="utf-8") as out:
        url = re.search(r"ws://[\d.:]+", out.readline())
        assert url
        client = make_client(url[0], version="1.6")
        for _ in range(150):
            client.call("DataTransfer", {"vendorId": "v", "data": "x" * 100_000})
        shown, read = [], threading.Event()

        def read_on() -> None:
            for line in out:
                shown.append(line)
                if "Heartbeat" in line:
                    read.set()

        reading, heartbeats = in_thread(read_on), 0
        while not read.is_set():  # until there is room again
            client.call("Heartbeat")
            heartbeats += 1
        server.process.send_signal(signal.SIGTERM)
        reading.result(TIMEOUT)
    left_out = [int(found[1]) for line in shown if (found := re.search(r"… (\d+) lines? left out", line))]
    assert left_out
    of_cp1 = sum(re.match(r"\S+ CP1 ", line) is not None for line in shown)
    assert of_cp1 + sum(left_out) == 2 * (150 + heartbeats) + 2, "with who came and who went"
    assert shown[-1] == "No problems.\n"


def test_fifty_charge_points_at_once(serve: Callable[..., Serve], make_client: Connect) -> None:
    server = serve()
    url = server.url
    clients = [make_client(url, f"CP{number}", version="1.6") for number in range(50)]

    def talk(client: OcppClient) -> None:
        for _ in range(10):
            client.call("Heartbeat")
        charge(client, 10)
        client.close()

    for each in [in_thread(talk, client) for client in clients]:
        each.result(60)
    lines = server.end()
    assert "50 charge points; 600 calls in, 0 out; 600 answered, 0 CALLERRORs, 0 invalid." in lines[-3]
    assert lines[-2:] == ["50 transactions started, 0 open; 500 Wh.", "No problems."]
    assert sum(" CALLRESULT " in line for line in lines) == 600, "nothing is left out"


# --- On a terminal


def on_terminal(make_client: Connect, columns: int, **environment: str) -> str:
    """What a session looks like, escapes and all."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    variables = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    env = {**variables, "PYTHONIOENCODING": "utf-8", "TERM": "xterm", **environment}
    command = [sys.executable, "-m", "ocpp_sync", "serve", "--port", "0", "--host", "127.0.0.1"]
    with subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, env=env, start_new_session=True) as process:
        os.close(slave)
        with os.fdopen(master, "rb", buffering=0) as out:
            shown = b""
            while (url := re.search(rb"ws://[\d.:]+(?=[ \r])", shown)) is None:
                shown += out.read(4096)
            with make_client(version="1.6").connect(url[0].decode()) as client:
                client.call("DataTransfer", {"vendorId": "Müller", "data": "word " * 40})
            process.send_signal(signal.SIGINT)
            try:
                while data := out.read(4096):
                    shown += data
            except OSError:
                pass  # the other side is closed
        assert process.wait(TIMEOUT) == 0
    return shown.decode()


def test_on_a_terminal_it_is_coloured_and_folded(make_client: Connect) -> None:
    shown = on_terminal(make_client, 70)
    assert "\x1b[36m" in shown
    plain = re.sub(r"\x1b\[\d+m", "", shown).split("\r\n")
    assert all(len(line) <= 70 for line in plain if "://" not in line), "what is to be pasted stays whole"
    first = next(number for number, line in enumerate(plain) if "CALL " in line)
    assert re.match(r"\d\d:\d\d:\d\d\.\d{3} CP1 ◀── CALL +DataTransfer", plain[first])
    assert [line[:17].isspace() for line in plain[first + 1 : first + 4]] == [True] * 3
    assert "Müller" in shown


def test_no_color_is_honoured(make_client: Connect) -> None:
    assert "\x1b" not in on_terminal(make_client, 200, NO_COLOR="1")


# --- Its options


def test_it_listens_at_all_interfaces_unless_told_otherwise(serve: Callable[..., Serve], make_client: Connect) -> None:
    server = serve(host=None)
    port = server.url.rpartition(":")[2]
    for host in ("127.0.0.1", "[::1]"):
        make_client(f"ws://{host}:{port}", version="1.6").call("Heartbeat")
    server.end()


def test_the_versions_and_the_interval_are_those_of_the_arguments(serve: Callable[..., Serve], make_client: Connect) -> None:
    server = serve("--versions", "1.6,2.0.1", "--heartbeat-interval", "17")
    client = make_client(server.url, version=["2.1", "2.0.1"])
    assert client.version == "2.0.1"
    boot = client.call("BootNotification", {"reason": "PowerUp", "chargingStation": {"vendorName": "V", "model": "M"}})
    assert boot["interval"] == 17
    assert server.lines[0].endswith("for OCPP 1.6 and 2.0.1.")


@pytest.mark.parametrize("as_file", [False, True])
def test_tokens_come_from_a_list_or_a_file(serve: Callable[..., Serve], make_client: Connect, tmp_path: Path, as_file: bool) -> None:
    tokens, second = "DEADBEEF, CAFE0001", "CAFE0001"
    if as_file:
        (tmp_path / "tokens").write_text("# who may charge\nDEADBEEF  # me\n\nCAFE.1\n", encoding="utf-8")
        tokens, second = str(tmp_path / "tokens"), "CAFE.1"
    server = serve("--tokens", tokens)
    client = make_client(server.url, version="1.6")
    answers = [client.call("Authorize", {"idTag": tag})["idTagInfo"]["status"] for tag in ("deadbeef", second, "X")]
    assert answers == ["Accepted", "Accepted", "Invalid"]


def test_passwords_say_who_may_connect(serve: Callable[..., Serve], make_client: Connect, tmp_path: Path) -> None:
    file = tmp_path / "passwords"
    PasswordFile.create(file).set("CP1", PASSWORD)
    server = serve("--passwords", str(file))
    url = server.url
    make_client(url, "CP1", version="1.6", password=PASSWORD).call("Heartbeat")
    for identity, status in ("CP1", "401 Unauthorized"), ("CP2", "404 Not Found"):
        with pytest.raises(HandshakeError):
            make_client(url, identity, version="1.6", password="another-password-2")
        server.expect(rf"{identity} refused with {status}, from 127\.0\.0\.1$")
    assert server.end()[-1] == "Problems: 2 × refused connections."


def test_tls_with_certificates_on_both_sides(serve: Callable[..., Serve], make_client: Connect, tmp_path: Path) -> None:
    assert main(["certs", str(tmp_path), "--client", "CP1"]) == 0
    server = serve("--tls", str(tmp_path), "--client-ca", str(tmp_path / "ca.pem"))
    url = server.url
    assert url.startswith("wss://127.0.0.1:")
    assert server.expect(r"ocpp-sync simulate wss://\S+ CP1 --cafile (\S+)$")[1] == str(tmp_path / "ca.pem")
    trusted = {"version": "1.6", "cafile": tmp_path / "ca.pem"}
    make_client(url, **trusted, certfile=tmp_path / "CP1.pem", keyfile=tmp_path / "CP1.key").call("Heartbeat")
    with pytest.raises((HandshakeError, ConnectionError)):
        make_client(url, **trusted).call("Heartbeat")
    server.expect("CALLRESULT Heartbeat")
    server.end()


def test_what_is_invalid_is_refused_or_told(serve: Callable[..., Serve], make_client: Connect) -> None:
    server = serve("--validation", "warn")
    client = make_client(server.url, version="1.6", validation="off")
    client.call("Heartbeat", {"more": 1})
    server.expect("CP1: delivered although invalid: Heartbeat")
    lines = server.end()
    assert ", 0 CALLERRORs, 1 invalid." in lines[-3]
    assert lines[-1] == "No problems."


def test_frames_are_recorded(serve: Callable[..., Serve], make_client: Connect, tmp_path: Path) -> None:
    file = tmp_path / "session.jsonl"
    server = serve("--record", str(file), "--quiet")
    with make_client(version="1.6").connect(server.url) as client:
        client.call("Heartbeat")
    server.end()
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert [(each["identity"], each["side"], each["version"], each["direction"]) for each in lines] == [
        ("CP1", "CSMS", "1.6", "in"),
        ("CP1", "CSMS", "1.6", "out"),
    ]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_the_state_outlives_the_process(serve: Callable[..., Serve], make_client: Connect, tmp_path: Path, number: int) -> None:
    file = str(tmp_path / "state")
    server = serve("--state", file)
    client = make_client(server.url, version="1.6")
    client.call("BootNotification", {"chargePointVendor": "V", "chargePointModel": "M"})
    assert start(client)["transactionId"] == 1
    server.process.send_signal(number)
    server.process.wait(TIMEOUT)
    server = serve("--state", file)
    client = make_client(server.url, version="1.6")
    client.call("StopTransaction", {"transactionId": 1, "meterStop": 1500, "timestamp": T0})
    assert charge(client) == 2
    assert server.end()[-2:] == ["1 transaction started, 0 open; 3.500 kWh.", "No problems."]


def test_a_prompt_has_the_server_at_hand(serve: Callable[..., Serve], make_client: Connect) -> None:
    server = serve("--repl", stdin=subprocess.PIPE)
    client = make_client(version="1.6")
    client.on("Reset", lambda request: {"status": "Accepted"})
    client.connect(server.url)
    stdin = server.process.stdin
    assert stdin is not None
    with stdin:
        stdin.write('wait_for("CP1", 20)\nprint("answer", call("Reset", type="Soft"))\nprint("frame", frames[-1].payload)\n')
    server.expect(r"answer \{'status': 'Accepted'\}")
    server.expect(r"frame \{'status': 'Accepted'\}")
    assert server.ended(0)[-1] == "No problems."


@pytest.mark.parametrize("end", ["Ctrl-D", "SIGTERM"])
def test_a_prompt_on_a_terminal_while_frames_scroll_by(make_client: Connect, end: str) -> None:
    prompt = r"(?:In \[\d+\]: |>>> )"
    with Terminal("-m", "ocpp_sync", "serve", "--port", "0", "--host", "127.0.0.1", "--repl") as terminal:
        url = terminal.expect(r"listens at (ws://[\d.:]+)")[1]
        terminal.expect(prompt)
        client = make_client(version="1.6")
        client.on("Reset", lambda request: {"status": "Accepted"})
        client.connect(url)
        terminal.expect("CP1 connected from")
        terminal.enter('call("Reset", type="Soft")')
        terminal.expect(r"\{'status': 'Accepted'\}")
        terminal.enter("1/0")
        terminal.expect("ZeroDivisionError.*" + prompt)
        client.call("Heartbeat")
        terminal.expect("CALLRESULT Heartbeat")
        terminal.enter("cp.identity")
        terminal.expect("'CP1'.*" + prompt)
        if end == "Ctrl-D":
            terminal.type("\x04")
        else:
            terminal.process.terminate()
        assert terminal.wait() == 0
        terminal.expect(r"CP1 disconnected: 1001.*1 call in, 1 out; 2 answered.*No problems\.")


def test_a_script_that_fails_is_told_by_the_status(serve: Callable[..., Serve]) -> None:
    server = serve("--repl", stdin=subprocess.PIPE, stderr=subprocess.STDOUT)
    stdin = server.process.stdin
    assert stdin is not None
    with stdin:
        stdin.write("call('Reset', type='Soft')\n")
    server.expect("LookupError: no charge point is connected")
    assert server.process.wait(TIMEOUT) == 1


def test_prometheus_gets_the_counters(serve: Callable[..., Serve], make_client: Connect) -> None:
    server = serve("--metrics", "0")
    client = make_client(server.url, version="1.6")
    client.call("Heartbeat")
    with urllib.request.urlopen(server.expect(r"For Prometheus: +(\S+)")[1], timeout=TIMEOUT) as answer:
        assert 'ocpp_requests_total{identity="",result="answered",side="CSMS"} 1.0' in answer.read().decode()
    client.close()
    server.end()


# --- Wrong arguments and files


def test_metrics_need_a_package_and_a_port(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert failed(capsys, "--metrics", port) == (1, f"ocpp-sync: --metrics {port}: Address already in use")
    monkeypatch.setitem(sys.modules, "ocpp_sync.prometheus", None)
    expected = "ocpp-sync: --metrics needs the package 'prometheus_client': pip install 'ocpp-sync[prometheus]'"
    assert failed(capsys, "--metrics", "0") == (1, expected)


def failed(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """The status, and the one line."""
    try:
        status = main(["serve", "--port", "0", "--host", "127.0.0.1", *arguments])
    except SystemExit as stopped:
        status = int(str(stopped.code))
    return status, capsys.readouterr().err.strip()


def test_a_port_that_is_taken(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        expected = f"ocpp-sync: port {port} is taken: something listens there already; --port 0 picks a free one"
        assert failed(capsys, "--port", str(port)) == (1, expected)


def test_hosts_that_cannot_be(capsys: pytest.CaptureFixture[str]) -> None:
    status, text = failed(capsys, "--host", "no-such-host.invalid")
    assert (status, text.startswith("ocpp-sync: --host no-such-host.invalid: ")) == (1, True)
    assert failed(capsys, "--host", "192.0.2.1") == (1, "ocpp-sync: --host 192.0.2.1: this machine has no such address")


def test_a_port_that_is_not_allowed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("ocpp_sync.transport.http._listening_socket", refuse)
    assert failed(capsys) == (1, "ocpp-sync: it cannot listen at port 0: Permission denied")


def test_files_that_cannot_be_used(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    none, text, binary = tmp_path / "none", tmp_path / "text", tmp_path / "binary"
    text.write_text("this is not it")
    binary.write_bytes(b"\xff\xfe")
    (tmp_path / "server.pem").write_text("no certificate")
    expected = {
        ("--tls", str(none)): f"--tls {none}: there is no server.pem in it; make it with: ocpp-sync certs {none}",
        ("--tls", str(tmp_path)): f"--tls {tmp_path}: there is no server.key in it; make it with: ocpp-sync certs {tmp_path}",
        ("--passwords", str(none)): f"--passwords {none}: there is no such file; make it with: ocpp-sync passwd {none} IDENTITY",
        ("--passwords", str(tmp_path)): f"--passwords {tmp_path}: Is a directory",
        ("--passwords", str(text)): f"--passwords: {text}, line 1: this is no line of a password file (IDENTITY:scrypt:…)",
        ("--tokens", " "): "--tokens: there is no token; a list has commas between: DEADBEEF,CAFE0001",
        ("--tokens", str(none)): f"--tokens {none}: there is no such file; a list of tokens has commas between: DEADBEEF,CAFE0001",
        ("--tokens", "tokens.txt"): "--tokens tokens.txt: there is no such file; a list of tokens has commas between: DEADBEEF,CAFE0001",
        ("--tokens", str(tmp_path)): f"--tokens {tmp_path}: Is a directory",
        ("--tokens", str(binary)): f"--tokens {binary}: it is no text in UTF-8",
        ("--tokens", "x" * 256): f"--tokens: {'x' * 40}… is too long for a token",
        ("--tokens", "x" * 5000): f"--tokens: {'x' * 40}… is too long for a token",
        ("--state", str(text)): f"{text}: this is no state file of a CSMS: file is not a database",
        ("--record", str(none / "x")): f"--record {none / 'x'}: No such file or directory",
    }
    for arguments, message in expected.items():
        assert failed(capsys, *arguments) == (1, f"ocpp-sync: {message}")
    (tmp_path / "server.key").write_text("no key")
    status, error = failed(capsys, "--tls", str(tmp_path))
    assert (status, error.startswith(f"ocpp-sync: {tmp_path / 'server.pem'}: ")) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--port", "99999"], "'99999' is no port: a number from 0 to 65535"),
        (["--port", "http"], "'http' is no port"),
        (["--versions", "1.6,2.0"], "'2.0' is none of 1.6, 2.0.1, 2.1"),
        (["--heartbeat-interval", "0"], "'0' is no whole number of seconds above 0"),
        (["--validation", "strikt"], "did you mean strict?"),
        (["--client-ca", "ca.pem"], "--client-ca needs --tls DIR"),
        (["--prot", "1"], "did you mean --port?"),
    ],
)
def test_wrong_arguments(capsys: pytest.CaptureFixture[str], arguments: list[str], message: str) -> None:
    status, text = failed(capsys, *arguments)
    assert status == 2
    assert message in text
