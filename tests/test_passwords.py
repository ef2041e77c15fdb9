"""Passwords on the CSMS's side, and slowing down those who guess."""

from __future__ import annotations

import logging
import os
import stat
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ocpp_sync import RejectHandshake, passwords
from ocpp_sync.cli import main
from ocpp_sync.handshake import hex_password
from ocpp_sync.passwords import PasswordFile, check_password
from ocpp_sync.throttle import FailureDelays

PASSWORD = "secret-password-1"


def asks(password: bytes | None) -> Any:
    return SimpleNamespace(password=password)


@pytest.mark.parametrize(
    ("given", "expected", "right"),
    [
        (b"a", "a", True),
        ("ä".encode(), "ä", True),
        (b"\x00\xff", b"\x00\xff", True),
        (b"b", "a", False),
        (b"", "a", False),
        (None, "a", False),
        (None, "", False),
        (b"", "", True),
    ],
)
def test_check_password(given: bytes | None, expected: str | bytes, right: bool) -> None:
    assert check_password(given, expected) is right


def test_a5_the_file_knows_who_may_connect(tmp_path: Path) -> None:
    file = PasswordFile.create(tmp_path / "passwords")
    file.set("CP1", PASSWORD)
    assert file("CP1", asks(PASSWORD.encode()))
    assert not file("CP1", asks(b"secret-password-2"))
    assert not file("CP1", asks(None))
    with pytest.raises(RejectHandshake) as caught:
        file("CP2", asks(PASSWORD.encode()))
    assert caught.value.status == 404


def test_c2_an_authorization_key_is_kept_as_its_bytes(tmp_path: Path) -> None:
    file = PasswordFile.create(tmp_path / "passwords")
    key = hex_password("0001020304050607FFFFFFFFFFFFFFFFFFFFFFFF")
    file.set("AL:1000", key)
    assert PasswordFile(tmp_path / "passwords")("AL:1000", asks(key))


def test_nothing_of_a_password_is_in_the_file_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "passwords"
    file = PasswordFile.create(path)
    file.set("CP1", PASSWORD)
    file.set("CP2", PASSWORD)
    lines = path.read_text().splitlines()
    assert PASSWORD not in path.read_text()
    assert lines[0].partition(":")[2] != lines[1].partition(":")[2]  # salted
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "passwords"
    server, command = PasswordFile.create(path), PasswordFile(path)
    command.set("CP1", PASSWORD)
    assert server("CP1", asks(PASSWORD.encode()))
    command.set("CP1", "another-password-1")
    assert not server("CP1", asks(PASSWORD.encode()))
    assert server("CP1", asks(b"another-password-1"))
    command.remove("CP1")
    with pytest.raises(RejectHandshake):
        server("CP1", asks(b"another-password-1"))
    with pytest.raises(KeyError):
        command.remove("CP1")


def test_a_station_that_reconnects_is_not_hashed_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = PasswordFile.create(tmp_path / "passwords")
    file.set("CP1", PASSWORD)
    assert file("CP1", asks(PASSWORD.encode()))
    hashed: list[bytes] = []

    def scrypt(password: bytes, *_: Any) -> bytes:
        hashed.append(password)
        return b""

    monkeypatch.setattr(passwords, "_scrypt", scrypt)
    assert file("CP1", asks(PASSWORD.encode()))
    assert hashed == []
    assert not file("CP1", asks(b"wrong"))
    assert hashed == [b"wrong"]


@pytest.mark.parametrize(
    "line", ["CP1", "CP1:secret", "CP1:scrypt:16384:8:1:AAAA", "CP1:scrypt:99999999:8:1:AAAA:AAAA", "CP1:scrypt:16384:8:1:A:A"]
)
def test_a_damaged_line_is_named_and_not_shown(tmp_path: Path, line: str) -> None:
    path = tmp_path / "passwords"
    path.write_text(f"# a comment\n\n{line}\n")
    with pytest.raises(ValueError, match="line 3") as caught:
        PasswordFile(path)
    assert line not in str(caught.value)


def test_wrong_arguments(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        PasswordFile(tmp_path / "missing")
    file = PasswordFile.create(tmp_path / "passwords")
    with pytest.raises(ValueError, match="16 characters or more") as caught:
        file.set("CP1", "short-password")
    assert "short-password" not in str(caught.value)
    with pytest.raises(ValueError, match="identity"):
        file.set("a/b", PASSWORD)


def test_a_write_that_fails_leaves_the_file_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "passwords"
    file = PasswordFile.create(path)
    file.set("CP1", PASSWORD)
    before = path.read_bytes()

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        file.set("CP2", PASSWORD)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_processes_that_write_at_once_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "passwords"
    PasswordFile.create(path)
    path.chmod(0o640)
    code = "import sys; from ocpp_sync.passwords import PasswordFile; PasswordFile(sys.argv[1]).set(sys.argv[2], sys.argv[3])"
    identities = [f"CP{number}" for number in range(5)]
    writers = [subprocess.Popen([sys.executable, "-c", code, str(path), identity, PASSWORD]) for identity in identities]
    assert [writer.wait(60) for writer in writers] == [0] * 5
    assert [line.partition(":")[0] for line in path.read_text().splitlines()] == identities
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


# --- the command


def test_the_command_reads_from_a_pipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    import io

    path = tmp_path / "passwords"
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{PASSWORD}\n"))
    assert main(["passwd", str(path), "CP1"]) == 0
    assert PasswordFile(path)("CP1", asks(PASSWORD.encode()))
    monkeypatch.setattr("sys.stdin", io.StringIO("0001020304050607FFFFFFFFFFFFFFFFFFFFFFFF\n"))
    assert main(["passwd", "--hex", str(path), "CP2"]) == 0
    assert PasswordFile(path)("CP2", asks(hex_password("0001020304050607FFFFFFFFFFFFFFFFFFFFFFFF")))
    assert main(["passwd", "--remove", str(path), "CP1"]) == 0
    assert main(["passwd", "--remove", str(path), "CP1"]) == 1
    monkeypatch.setattr("sys.stdin", io.StringIO("short\n"))
    assert main(["passwd", str(path), "CP1"]) == 1
    assert main(["passwd", str(tmp_path / "no" / "folder"), "CP1"]) == 1
    shown = capsys.readouterr()
    assert "CP1 is not in" in shown.err
    assert "16 characters or more" in shown.err
    assert PASSWORD not in shown.out + shown.err


def test_the_command_asks_twice_on_a_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [PASSWORD, PASSWORD, PASSWORD, "another-password-1"]
    monkeypatch.setattr("sys.stdin", SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr("getpass.getpass", lambda prompt: answers.pop(0))
    assert main(["passwd", str(tmp_path / "passwords"), "CP1"]) == 0
    assert main(["passwd", str(tmp_path / "passwords"), "CP1"]) == 1


# --- guessing


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_each_failure_waits_twice_as_long_as_the_one_before() -> None:
    delays = FailureDelays(free=2, first=0.5, longest=3.0, clock=Clock())
    assert [delays.failed("address", "CP1") for _ in range(7)] == [0.0, 0.0, 0.5, 1.0, 2.0, 3.0, 3.0]


def test_an_address_that_tries_many_identities_waits_too() -> None:
    delays = FailureDelays(free=2, first=0.5, longest=3.0, clock=Clock())
    assert [delays.failed("address", f"CP{number}") for number in range(4)] == [0.0, 0.0, 0.5, 1.0]
    assert delays.failed("elsewhere", "CP0") == 0.0


def test_a_right_password_forgets_what_failed() -> None:
    delays = FailureDelays(free=0, first=0.5, clock=Clock())
    assert [delays.failed("address", "CP1") for _ in range(2)] == [0.5, 1.0]
    delays.succeeded("address", "CP1")
    assert delays.failed("address", "CP1") == 0.5


def test_time_forgets_too() -> None:
    clock = Clock()
    delays = FailureDelays(free=0, first=0.5, forget_after=10, clock=clock)
    assert [delays.failed("address") for _ in range(2)] == [0.5, 1.0]
    clock.now = 10.5
    assert delays.failed("address") == 0.5


def test_the_memory_that_it_takes_is_bounded() -> None:
    delays = FailureDelays(max_entries=100, clock=Clock())
    for number in range(10_000):
        delays.failed(f"10.0.{number // 256}.{number % 256}", f"CP{number}")
    assert len(delays._failures) <= 100


def test_it_is_no_secret_to_a_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        file = PasswordFile.create(tmp_path / "passwords")
        file.set("CP1", PASSWORD)
        file("CP1", asks(b"wrong-password-12345"))
    assert "password-1" not in caplog.text
    assert PASSWORD not in repr(file)
