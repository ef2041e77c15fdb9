"""The small programs in examples/, each as a process of its own, against a server that is real; and what they tell the reader."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ocpp_sync import CallError, OcppServer
from ocpp_sync.cli import main as ocpp_sync
from ocpp_sync.csms import Csms
from ocpp_sync.testing import OcppClientFixture, OcppServerFixture

from .support import TIMEOUT, wait_until
from .test_serve_command import Serve

EXAMPLES = Path(__file__).parent.parent / "examples"
SMALL = sorted(EXAMPLES.glob("*.py"))
PASSWORD = "secret-password-1"


def command(name: str, *arguments: str) -> list[str]:
    return [sys.executable, str(EXAMPLES / name), *arguments]


def run(name: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """An example, until it has ended by itself."""
    env = {**os.environ, **environment}
    return subprocess.run(command(name, *arguments), capture_output=True, text=True, timeout=3 * TIMEOUT, env=env, check=False)


@contextmanager
def running(name: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """An example that runs until Ctrl-C, which must end it without an error."""
    with subprocess.Popen(command(name, *arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
            process.send_signal(signal.SIGINT)
            _, error = process.communicate(timeout=TIMEOUT)
        finally:
            process.kill()
    assert (process.returncode, error) == (0, "")


@pytest.mark.parametrize("example", SMALL, ids=lambda path: path.stem)
def test_it_is_short_and_says_how_to_run_it(example: Path) -> None:
    text = example.read_text(encoding="utf-8")
    how = ast.get_docstring(ast.parse(text)) or ""
    assert len(text.splitlines()) < 60
    assert example.name in how
    assert "ocpp-sync serve" in how
    assert example.name in (EXAMPLES / "README.md").read_text(encoding="utf-8")


def test_each_example_has_a_test() -> None:
    tests = Path(__file__).read_text(encoding="utf-8")
    assert [example.name for example in SMALL if f'"{example.name}"' not in tests] == []


def test_blocking_minimum(ocpp_server: OcppServerFixture) -> None:
    with running("blocking_minimum.py", ocpp_server.url, "CP1"):
        ocpp_server.expect("BootNotification")
        for tag in ("DEADBEEF", "CAFE0001"):
            ocpp_server.expect("StatusNotification", status="Available")
            assert ocpp_server.call("RemoteStopTransaction", transactionId=77) == {"status": "Rejected"}
            assert ocpp_server.call("RemoteStartTransaction", idTag=tag) == {"status": "Accepted"}
            number = ocpp_server.expect("StartTransaction", idTag=tag).response["transactionId"]
            ocpp_server.expect("StatusNotification", status="Charging")
            assert ocpp_server.call("RemoteStartTransaction", idTag=tag) == {"status": "Rejected"}
            assert ocpp_server.call("RemoteStopTransaction", transactionId=number) == {"status": "Accepted"}
            ocpp_server.expect("StopTransaction", transactionId=number, reason="Remote")
        ocpp_server.expect("StatusNotification", status="Available")


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the examples' docstrings tell to make, with passwords beside it."""
    pytest.importorskip("cryptography")
    folder = tmp_path_factory.mktemp("bench") / "tls"
    assert ocpp_sync(["certs", str(folder), "--client", "CP1"]) == 0
    for kind in ("pem", "key"):  # the certificate of CP1, in the hands of another one
        shutil.copy(folder / f"CP1.{kind}", folder / f"CP2.{kind}")
    passwd = [sys.executable, "-m", "ocpp_sync", "passwd", str(folder.parent / "passwords.txt"), "CP1"]
    subprocess.run(passwd, input=f"{PASSWORD}\n", capture_output=True, text=True, timeout=TIMEOUT, check=True)
    return folder


def test_tls_profile_2(tls: Path) -> None:
    with Serve("--tls", str(tls), "--passwords", str(tls.parent / "passwords.txt")) as serve:
        url = serve.url
        right = run("tls_profile_2.py", url, "CP1", str(tls), OCPP_PASSWORD=PASSWORD)
        assert (right.returncode, right.stderr) == (0, "")
        assert re.fullmatch(r"CP1 at wss://127.0.0.1:\d+ with OCPP 2.0.1: the card is Accepted\n", right.stdout)
        serve.expect("CP1 .*BootNotification")
        serve.expect("CP1 .*Authorize")
        wrong = run("tls_profile_2.py", url, "CP1", str(tls), OCPP_PASSWORD="wrong-password-1")
        assert wrong.returncode == 1
        assert wrong.stderr.startswith("unauthorized: ")


def test_tls_profile_3(tls: Path) -> None:
    with Serve("--tls", str(tls), "--client-ca", str(tls / "ca.pem")) as serve:
        url = serve.url
        right = run("tls_profile_3.py", url, "CP1", str(tls))
        assert (right.returncode, right.stderr) == (0, "")
        assert re.fullmatch(r"CP1 at wss://127.0.0.1:\d+ with OCPP 2.0.1: the card is Accepted\n", right.stdout)
        serve.expect("CP1 .*Authorize")
        other = run("tls_profile_3.py", url, "CP2", str(tls))
        assert other.returncode == 1
        assert other.stderr.startswith("rejected: ")
        missing = run("tls_profile_3.py", url, "CP3", str(tls))
        assert missing.returncode == 1
        assert re.match(r".*CP3\.(pem|key): ", missing.stderr)


def test_offline_queue(tmp_path: Path) -> None:
    file = str(tmp_path / "queue.sqlite3")
    with OcppServerFixture() as ocpp_server:
        nobody = ocpp_server.url
    offline = run("offline_queue.py", nobody, "CP1", file)
    assert (offline.returncode, offline.stderr) == (0, "")
    assert offline.stdout == f"0 messages of earlier runs\nunreachable: 3 messages stay in {file}\n"
    with OcppServerFixture() as ocpp_server:
        online = run("offline_queue.py", ocpp_server.url, "CP1", file)
        assert (online.returncode, online.stderr) == (0, "")
        assert online.stdout == "3 messages of earlier runs\ndelivered; 0 messages are left\n"
        assert [each.action for each in ocpp_server.received] == [
            "BootNotification",
            *["StartTransaction", "MeterValues", "StopTransaction"] * 2,
        ]
        for number in (1, 2):
            ocpp_server.expect("StartTransaction")
            ocpp_server.expect("MeterValues", transactionId=number)
            ocpp_server.expect("StopTransaction", transactionId=number, meterStop=1200)


def test_flask_route(make_server: Callable[..., OcppServer], make_client: Callable[..., Any]) -> None:
    pytest.importorskip("flask")
    create_app = load("flask_route.py")["create_app"]
    server = make_server()
    csms = Csms(server)
    web = create_app(server, csms).test_client()
    assert web.post("/chargers/CP1/reset").status_code == 404
    assert web.get("/chargers").json == {}
    resets: list[tuple[str, str]] = []
    for name, version in (("CP1", "1.6"), ("CP2", "2.0.1")):
        client = make_client(server.url, name, version=version)

        def reset(request: dict[str, str], name: str = name) -> dict[str, str]:
            resets.append((name, request["type"]))
            return {"status": "Accepted"}

        client.on("Reset", reset)
        server.wait_for(name, TIMEOUT)
        answer = web.post(f"/chargers/{name}/reset")
        assert (answer.status_code, answer.json) == (200, {"status": "Accepted"})
    assert resets == [("CP1", "Soft"), ("CP2", "OnIdle")]
    assert web.get("/chargers").json == {"CP1": {"connected": True, "version": "1.6"}, "CP2": {"connected": True, "version": "2.0.1"}}

    @client.on("Reset")  # type: ignore[untyped-decorator, unused-ignore]
    def refuse(request: dict[str, str]) -> None:
        raise CallError("GenericError", "not now")

    answer = web.post("/chargers/CP2/reset")
    assert (answer.status_code, answer.json) == (502, {"error": "GenericError", "description": "not now"})
    client.on("Reset", lambda request: server["CP2"].close())
    assert web.post("/chargers/CP2/reset").status_code == 504


def load(name: str) -> dict[str, Any]:
    """What an example defines."""
    names: dict[str, Any] = {"__name__": name.removesuffix(".py")}
    exec(compile((EXAMPLES / name).read_text(encoding="utf-8"), name, "exec"), names)
    return names


def test_flask_route_as_a_program(make_client: Callable[..., Any]) -> None:
    pytest.importorskip("flask")
    from urllib.request import Request, urlopen

    with subprocess.Popen(command("flask_route.py", "0", "0"), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout is not None
            ocpp_url, web_url = process.stdout.readline().split()
            client = make_client(ocpp_url.replace("localhost", "127.0.0.1"), "CP1", version="1.6")
            client.on("Reset", lambda request: {"status": "Accepted" if request["type"] == "Soft" else "Rejected"})

            def get(url: str, method: str = "GET") -> Any:
                with urlopen(Request(url, method=method), timeout=TIMEOUT) as answer:
                    return json.load(answer)

            assert wait_until(lambda: "CP1" in get(f"{web_url}/chargers"))
            assert get(f"{web_url}/chargers/CP1/reset", "POST") == {"status": "Accepted"}
            process.send_signal(signal.SIGINT)
            assert process.wait(TIMEOUT) == 0
            assert wait_until(lambda: not client.connected)
        finally:
            process.kill()


def pytest_of(example: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """What pytest says of an example, in a folder of one's own."""
    Path(folder, "test_it.py").write_text(example, encoding="utf-8")
    arguments = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(folder), "test_it.py"]
    return subprocess.run([sys.executable, *arguments], cwd=folder, capture_output=True, text=True, timeout=3 * TIMEOUT, check=False)


def test_test_a_controller(tmp_path: Path, ocpp_client: OcppClientFixture) -> None:
    example = (EXAMPLES / "test_a_controller.py").read_text(encoding="utf-8")
    right = pytest_of(example, tmp_path)
    assert "3 passed" in right.stdout, right.stdout
    careless = example.replace('["status"] == "Accepted"', '["status"]')
    assert careless != example
    wrong = pytest_of(careless, tmp_path)
    assert "1 failed, 2 passed" in wrong.stdout
    assert "test_a_stolen_card_charges_nothing" in wrong.stdout


def test_repl_tour(ocpp_server: OcppServerFixture) -> None:
    done = run("repl_tour.py", ocpp_server.url, "CP1")
    assert (done.returncode, done.stderr) == (0, "")
    errors = [line for line in done.stdout.splitlines() if re.match(r"\w+(Error|Payload|Timeout|Closed)\b", line)]
    assert [re.sub(r".*; ", "", line) for line in errors] == ["did you mean 'Authorize'?", "did you mean 'Charging'?"]
    assert "<OcppClient 'CP1' (connected, OCPP 1.6)>" in done.stdout
    assert "{'answered': 5, 'errors': {}" in done.stdout
    for action in ("BootNotification", "Authorize", "StatusNotification", "StartTransaction", "StopTransaction"):
        ocpp_server.expect(action)
