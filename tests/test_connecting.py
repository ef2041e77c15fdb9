"""The arguments of commands that connect as a charge point."""

from __future__ import annotations

import argparse
import getpass
import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ocpp_sync import OcppClient, OcppServer, skeleton
from ocpp_sync.cli.connecting import accept_requests, add_connection_arguments, boot_payload, client_from, connect, recorder_from
from ocpp_sync.cli.parser import CommandParser
from ocpp_sync.schemas import actions
from ocpp_sync.validation import validate

from .support import TIMEOUT, VERSIONS, Collector

Output = pytest.CaptureFixture[str]

KEY = "00112233445566778899aabbccddeeff"


@pytest.fixture(autouse=True)
def no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OCPP_PASSWORD", raising=False)


def parsed(*arguments: str, url: str = "ws://localhost:9220", identity: str = "CP1") -> argparse.Namespace:
    parser = CommandParser("ocpp-sync ring", "Rings.")
    add_connection_arguments(parser)
    return parser.parse([url, identity, *arguments])


def refused(capsys: Output, do: Callable[[], object]) -> str:
    with pytest.raises(SystemExit) as stopped:
        do()
    assert stopped.value.code == 2
    return capsys.readouterr().err


def password_at(server: OcppServer, *arguments: str) -> Any:
    """What a server is told."""
    asked = Collector(False)
    server.on("authorization", asked)
    given = parsed(*arguments, url=server.url)
    with client_from(given, reconnect=None) as client, pytest.raises(ConnectionError):
        connect(client, given)
    return asked.next()[1].password


def test_a_client_of_nothing_but_url_and_identity(server: OcppServer) -> None:
    given = parsed(url=f"{server.url}/ocpp")
    with client_from(given) as client:
        connect(client, given)
        assert (client.identity, client.version) == ("CP1", "2.0.1")
        assert server.wait_for("CP1", TIMEOUT).request.path == "/ocpp/CP1"


def test_options_of_the_command_come_before_those_of_the_line(server: OcppServer) -> None:
    given = parsed("--version", "1.6", "--password", "x", url=server.url)
    with client_from(given, identity="CP2", version="2.1", password=None) as client:
        connect(client, given)
        assert server.wait_for("CP2", TIMEOUT).version == "2.1"
        assert server["CP2"].request.password is None


def test_the_options_arrive(make_server: Callable[..., OcppServer]) -> None:
    server = make_server(versions=("1.6", "2.1"))
    given = parsed("--version", "OCPP2.0.1, 1.6,1.6", "--header", "X-One: 1:2", "--header", "X-Two:", "--timeout", "2.5", url=server.url)
    assert given.versions == ["2.0.1", "1.6"]
    assert given.timeout == 2.5
    with client_from(given) as client:
        connect(client, given)
        headers = server.wait_for("CP1", TIMEOUT).request.headers
        assert (headers["X-One"], headers["X-Two"]) == ("1:2", "")
        assert client.version == "1.6"


def test_a_proxy(capsys: Output) -> None:
    given = parsed("--proxy", "http://user:hunter2@127.0.0.1:1")
    with client_from(given, reconnect=None) as client, pytest.raises(ConnectionError, match=r"127\.0\.0\.1:1"):
        connect(client, given)
    assert "hunter2" not in refused(capsys, lambda: client_from(parsed("--proxy", "ftp://user:hunter2@host")))


# --- The password


def test_where_the_password_comes_from(server: OcppServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "password"
    file.write_bytes(b" pass word \r\nanything else\n")
    assert password_at(server) is None
    assert password_at(server, "--password", "secret") == b"secret"
    assert password_at(server, "--password-file", str(file)) == b" pass word "
    monkeypatch.setenv("OCPP_PASSWORD", "from there")
    assert password_at(server) == b"from there"
    assert password_at(server, "--password", "secret") == b"secret"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"first\nsecond\n")))
    assert password_at(server, "--password-file", "-") == b"first"


def test_a_password_that_is_no_text(server: OcppServer, tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_bytes(b"\xff\x00\xfe\n")
    assert password_at(server, "--password-file", str(file)) == b"\xff\x00\xfe"
    file.write_bytes("ü".encode())
    assert password_at(server, "--password-file", str(file)) == "ü".encode()


def test_at_a_terminal_it_is_asked_for(server: OcppServer, monkeypatch: pytest.MonkeyPatch) -> None:
    stdin = io.TextIOWrapper(io.BytesIO())
    monkeypatch.setattr(stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(sys, "stdin", stdin)
    monkeypatch.setattr(getpass, "getpass", lambda prompt: "typed")
    assert password_at(server, "--password-file", "-") == b"typed"


def test_an_authorization_key(server: OcppServer, monkeypatch: pytest.MonkeyPatch, capsys: Output) -> None:
    assert password_at(server, "--password", KEY, "--hex-password") == bytes.fromhex(KEY)
    monkeypatch.setenv("OCPP_PASSWORD", KEY)
    assert password_at(server, "--hex-password") == bytes.fromhex(KEY)
    monkeypatch.delenv("OCPP_PASSWORD")
    assert "--hex-password needs a password" in refused(capsys, lambda: client_from(parsed("--hex-password")))
    said = refused(capsys, lambda: client_from(parsed("--hex-password", "--password", "hunter2")))
    assert said == "ocpp-sync: --hex-password: an AuthorizationKey is 32 to 40 hexadecimal digits (16 to 20 bytes)\n"


def test_a_password_file_that_cannot_be_read(tmp_path: Path, capsys: Output) -> None:
    said = refused(capsys, lambda: client_from(parsed("--password-file", str(tmp_path))))
    assert said.startswith("ocpp-sync: --password-file: [Errno 21] Is a directory")


def test_one_password_only(capsys: Output) -> None:
    assert "not allowed with argument" in refused(capsys, lambda: parsed("--password-file", "x", "--password", "y"))


# --- What is wrong


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("localhost:9220", "not 'localhost:9220'; did you mean ws://localhost:9220?"),
        ("localhost", "not 'localhost'; did you mean ws://localhost?"),
        ("http://localhost:9220/ocpp", "did you mean ws://localhost:9220/ocpp?"),
        ("HTTPS://csms.example", "did you mean wss://csms.example?"),
        ("", "such as ws://host:9220/ocpp, not ''"),
        ("ws://", "such as ws://host:9220/ocpp, not 'ws://'"),
        ("ftp://localhost", "such as ws://host:9220/ocpp, not 'ftp://localhost'"),
        ("ws://localhost:99999", "not 'ws://localhost:99999'"),
        ("ws://localhost/#x", "an endpoint has no fragment"),
        ("ws://CP1:hunter2@localhost", "credentials do not belong in the endpoint"),
        ("http://CP1:hunter2@localhost", "not 'http://***@localhost'"),
        ("CP1:hunter2@localhost", "not '***@localhost'"),
    ],
)
def test_a_wrong_url(url: str, said: str, capsys: Output) -> None:
    shown = refused(capsys, lambda: parsed(url=url))
    assert "ocpp-sync ring: argument URL: " in shown
    assert said in shown
    assert "hunter2" not in shown
    assert ("did you mean" in shown) == ("did you mean" in said)


@pytest.mark.parametrize("identity", ["", "a/b", "x" * 256, "\udcff"])
def test_a_wrong_identity(identity: str, capsys: Output) -> None:
    assert "argument IDENTITY: an identity " in refused(capsys, lambda: parsed(identity=identity))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--version", "1.5"], "argument --version: '1.5' is none of 1.6, 2.0.1, 2.1, nor several of them with commas between"),
        (["--version", ""], "argument --version: '' is none of"),
        (["--timeout", "soon"], "argument --timeout: 'soon' is no number of seconds above 0"),
        (["--timeout", "0"], "argument --timeout: '0' is no number"),
        (["--timeout", "inf"], "argument --timeout: 'inf' is no number"),
        (["--timeout", "nan"], "argument --timeout: 'nan' is no number"),
        (["--header", "X-One"], "argument --header: a header is NAME: VALUE, with a colon"),
        (["--header", "X One: 1"], "argument --header: 'X One' is no HTTP header"),
        (["--header", "Host: x"], "argument --header: the header 'Host' is part of the WebSocket upgrade"),
    ],
)
def test_an_option_that_the_parser_refuses(arguments: list[str], said: str, capsys: Output) -> None:
    assert f"ocpp-sync ring: {said}" in refused(capsys, lambda: parsed(*arguments))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--validation", "lax"], "--validation: 'lax' for '*' is not one of 'strict', 'warn', 'off'"),
        (["--validation", "in:Hartbeat=off"], "--validation: 'in:Hartbeat' is no action"),
        (["--keyfile", "x.key"], "a keyfile needs its certfile"),
    ],
)
def test_an_option_that_the_client_refuses(arguments: list[str], said: str, capsys: Output) -> None:
    shown = refused(capsys, lambda: client_from(parsed(*arguments)))
    assert shown.startswith(f"ocpp-sync: {said}")


def test_a_header_and_a_password_that_contradict_each_other(capsys: Output) -> None:
    given = parsed("--header", "Authorization: Basic aHVudGVyMg==", "--password", "hunter2")
    with client_from(given) as client:
        said = refused(capsys, lambda: connect(client, given))
    assert said == "ocpp-sync: the header 'Authorization' and a password cannot both be given\n"


def test_what_the_client_refuses_while_connecting(tmp_path: Path, capsys: Output) -> None:
    given = parsed("--cafile", str(tmp_path / "ca.pem"), url="wss://localhost:1")
    with client_from(given) as client:
        assert "ca.pem" in refused(capsys, lambda: connect(client, given))


# --- The rest


def test_without_a_file_nothing_is_recorded() -> None:
    with recorder_from(parsed()) as recorder:
        assert recorder is None


def test_frames_are_recorded(server: OcppServer, tmp_path: Path) -> None:
    server.on("Heartbeat", lambda charge_point, request: {"currentTime": "2026-11-27T07:00:00Z"})
    given = parsed("--record", str(tmp_path / "session.jsonl"), url=server.url)
    with recorder_from(given) as recorder, client_from(given, recorder=recorder) as client:
        connect(client, given)
        client.call("Heartbeat")
    recorded = (tmp_path / "session.jsonl").read_text()
    assert recorded.count("Heartbeat") == 1
    assert "2026-11-27T07:00:00Z" in recorded


def test_a_file_that_cannot_be_written(tmp_path: Path, capsys: Output) -> None:
    def record() -> None:
        with recorder_from(parsed("--record", str(tmp_path / "nowhere" / "x.jsonl"))):
            pytest.fail("there is nothing to write to")

    assert refused(capsys, record).startswith("ocpp-sync: --record: ")


@pytest.mark.parametrize("version", VERSIONS)
def test_the_boot_of_a_tool_is_valid(version: str) -> None:
    validate("BootNotification", boot_payload(version), version=version)


@pytest.mark.parametrize("version", VERSIONS)
def test_every_request_is_accepted(version: str, server: OcppServer, make_client: Callable[..., OcppClient]) -> None:
    client = make_client(server.url, version=version)
    accept_requests(client)
    peer = server.wait_for("CP1", TIMEOUT)
    asked = [action.name for action in actions(version).values() if action.sent_by != "CS" and not action.is_send]
    assert len(asked) > 15
    for name in asked:
        peer.call(name, skeleton(name, version=version), timeout=TIMEOUT)  # its response is checked


def test_the_help_tells_how_a_password_stays_secret() -> None:
    parser = CommandParser("ocpp-sync ring", "Rings.")
    add_connection_arguments(parser)
    shown = " ".join(parser.format_help().split())
    assert "everybody on this machine can read it in the list of processes" in shown
    assert "OCPP_PASSWORD" in shown
