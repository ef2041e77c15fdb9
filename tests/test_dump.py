"""What a client or a server says when something hangs."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ocpp_sync import CallTimeout, OcppClient, OcppServer
from ocpp_sync import dump as dumping
from ocpp_sync.testing import Drop, FakeClock, ScriptedCsms

from .support import TIMEOUT, in_thread, wait_until

MakeClient = Callable[..., OcppClient]
VERSION = "1.6"


def dumped(end: OcppClient | OcppServer) -> str:
    out = io.StringIO()
    end.dump(out)
    return out.getvalue()


def test_before_it_is_connected(tmp_path: Path) -> None:
    with OcppClient("CP1", version=VERSION) as client:
        text = dumped(client)
        assert text.startswith("<OcppClient 'CP1' (not connected)>\n  registration: none\n")
        assert "thread 'MainThread' (this one)" in text
        assert "test_before_it_is_connected" in text
        assert "outbox" not in text.replace("_outbox", "")
    with OcppClient("CP1", version=VERSION, outbox=tmp_path / "queue") as client:
        client.outbox.put("Heartbeat")
        assert dumped(client).endswith("outbox: 1 messages wait\n")


def test_who_waits_for_what(csms: ScriptedCsms, clock: FakeClock, make_client: MakeClient) -> None:
    csms.script("Heartbeat", Drop())
    client = make_client(csms.url, version=VERSION, clock=clock)
    running, go_on = threading.Event(), threading.Event()

    def reset(request: dict[str, Any]) -> dict[str, str]:
        running.set()
        go_on.wait(TIMEOUT)
        return {"status": "Accepted"}

    client.on("Reset", reset)
    answer = in_thread(csms.call, "CP1", "Reset", {"type": "Soft"})
    assert running.wait(TIMEOUT)
    first = in_thread(client.call, "Heartbeat", timeout=50.0)
    csms.wait_for("Heartbeat")
    first.thread.name = "the meter"
    clock.wait_for("answer")
    second = in_thread(client.call, "Authorize", {"idTag": "SECRET-TAG"}, timeout=90.0)
    second.thread.name = "the reader"
    assert wait_until(lambda: client.stats["open_calls"] == 2)
    clock.advance(3.0)
    text = dumped(client)
    assert "(connected, OCPP 1.6)" in text
    assert "  link: open for 3.0 s; 1 frames in, 1 out\n" in text
    assert "in flight for 3.0 s, sent 3.0 s ago; 'the meter' waits for it\n" in text
    assert "call: Authorize (" in text
    assert "waits for its turn for 3.0 s; 'the reader' waits for it\n" in text
    assert "  handler: Reset for " in text
    assert " s in 'ocpp-handler CP1'\n" in text
    assert "thread 'ocpp-rx CP1'" in text
    assert "go_on.wait(TIMEOUT)" in text
    assert "SECRET-TAG" not in text
    go_on.set()
    answer.result()
    clock.advance_to("answer")
    with pytest.raises(CallTimeout):
        first.result()
    second.result()


def test_a_lock_that_is_held_does_not_hang_it(csms: ScriptedCsms, make_client: MakeClient) -> None:
    client = make_client(csms.url, version=VERSION)
    with client._lock:
        assert "its lock is held by another thread" in dumped(client)


def test_many_calls_are_cut(csms: ScriptedCsms, clock: FakeClock, make_client: MakeClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dumping, "_MAX_CALLS", 1)
    csms.script("Heartbeat", Drop(), Drop(), Drop())
    client = make_client(csms.url, version=VERSION, clock=clock)
    calls = [in_thread(client.call, "Heartbeat", timeout=5.0) for _ in range(3)]
    assert wait_until(lambda: client.stats["open_calls"] == 3)
    assert "  … and 2 more calls\n" in dumped(client)
    client.close()
    for call in calls:
        with pytest.raises(ConnectionError):
            call.result()


def test_a_registration_and_its_heartbeats(csms: ScriptedCsms, make_client: MakeClient) -> None:
    client = make_client(csms.url, version=VERSION)
    client.boot({"chargePointVendor": "V", "chargePointModel": "M"})
    assert "  registration: Accepted, a heartbeat every 300 s\n" in dumped(client)


def test_a_server_shows_its_connections(server: OcppServer, make_client: MakeClient, monkeypatch: pytest.MonkeyPatch) -> None:
    make_client(server.url, "CP1")
    make_client(server.url, "CP2")
    for identity in ("CP1", "CP2"):
        server.wait_for(identity, TIMEOUT)
    text = dumped(server)
    assert text.startswith(f"<OcppServer listening at {server.url}, 2 connected>\n<OcppClientConnection 'CP1' (connected, OCPP 2.0.1)>\n")
    assert "reading: the server's threads" in text
    assert "thread 'ocpp-serve" in text
    monkeypatch.setattr(dumping, "_MAX_CONNECTIONS", 1)
    assert "\n… and 1 more\n" in dumped(server)


def test_it_goes_to_the_standard_error_by_default(capsys: pytest.CaptureFixture[str]) -> None:
    OcppServer().dump()
    said = capsys.readouterr()
    assert said.err.startswith("<OcppServer not listening, 0 connected>\n")
    assert not said.out


def test_an_outbox_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ocpp_sync import OutboxError

    with OcppClient("CP1", version=VERSION, outbox=tmp_path / "queue") as client:

        def fail(outbox: object) -> int:
            raise OutboxError("queue", "the disk is gone")

        monkeypatch.setattr("ocpp_sync.outbox.store.Store.count", fail)
        assert dumped(client).endswith("outbox: its file cannot be read now\n")
        assert client.stats["outbox"] is None


def test_an_outbox_that_is_in_use_does_not_hang_it(tmp_path: Path) -> None:
    """As when a signal comes in the midst of a put, and its handler asks."""
    with OcppClient("CP1", version=VERSION, outbox=tmp_path / "queue") as client:
        asked = client.outbox._file.use(lambda store: dumped(client))
        assert asked.endswith("outbox: its file cannot be read now\n")
