"""What a side may send: listed, as functions, and completed at a prompt."""

from __future__ import annotations

import importlib
import inspect
import itertools
import keyword
import os
import pydoc
import rlcompleter
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ocpp_sync import InvalidPayload, NotConnected, OcppClient, OcppClientConnection, OcppServer, describe, skeleton
from ocpp_sync.api import Actions
from ocpp_sync.checks import Checks
from ocpp_sync.fields import fields_of, message_name
from ocpp_sync.schemas import actions
from ocpp_sync.validation import ValidationPolicy

from .support import TIMEOUT, VERSIONS, Collector
from .test_architecture import PACKAGE, new_modules

every_version = pytest.mark.parametrize("version", VERSIONS)
every_side = pytest.mark.parametrize("side", ["CS", "CSMS"])

MakeClient = Callable[..., OcppClient]


@pytest.fixture
def client() -> OcppClient:
    return OcppClient("CP1", version="1.6")


def csms_of(version: str) -> OcppClientConnection:
    """As much of a server's connection as says what may be sent."""
    connection = object.__new__(OcppClientConnection)
    connection._last_version = version
    connection._checks = Checks("CSMS", ValidationPolicy("strict"), "CP1")
    return connection


# --- actions


@every_version
def test_every_action_is_of_one_side_or_of_both(version: str) -> None:
    station, csms = Actions("CS", version), Actions("CSMS", version)
    assert {*station, *csms} == actions(version).keys()
    assert {*station} & {*csms} == {"DataTransfer"}
    assert list(station) == sorted(station)
    assert station.sends == (("NotifyPeriodicEventStream",) if version == "2.1" else ())


def test_the_actions_are_those_of_the_preferred_version_and_then_of_the_negotiated_one(
    make_client: MakeClient, make_server: Callable[..., OcppServer]
) -> None:
    client = make_client(version=["2.1", "1.6"])
    assert client.actions.version == "2.1"
    assert "TransactionEvent" in client.actions
    server = make_server(versions=["1.6"])
    client.connect(server.url)
    assert client.actions.version == "1.6"
    assert "StartTransaction" in client.actions
    assert "TransactionEvent" not in dir(client.api)
    assert "Reset" in server.wait_for("CP1", TIMEOUT).actions
    client.close()
    assert client.actions.version == "1.6"


def test_the_text_tells_call_and_send_apart() -> None:
    text = repr(Actions("CS", "2.1"))
    head, *lines = text.splitlines()
    assert head == "What the charge point may send with OCPP 2.1:"
    assert lines[0].startswith("  call: Authorize, BatterySwap, ")
    assert lines[-1] == "  send: NotifyPeriodicEventStream"
    assert text.count("NotifyPeriodicEventStream") == 1
    assert max(map(len, lines)) <= 120
    assert "send:" not in repr(Actions("CSMS", "2.1"))


# --- api


def test_it_is_another_spelling_of_call(make_client: MakeClient, server: OcppServer) -> None:
    boot = Collector({"status": "Accepted", "currentTime": "2025-01-01T00:00:00Z", "interval": 300})
    server.on("BootNotification", boot)
    client = make_client(server.url, version="1.6")
    answer = client.api.BootNotification(chargePointVendor="eParking", chargePointModel="NECU-T2", timeout=TIMEOUT, wait=True)
    assert answer == boot.result
    assert boot.next()[1] == {"chargePointVendor": "eParking", "chargePointModel": "NECU-T2"}
    client.on("Reset", lambda request: {"status": "Accepted" if request == {"type": "Soft"} else "Rejected"})
    assert server.wait_for("CP1", TIMEOUT).api.Reset(type="Soft") == {"status": "Accepted"}


def test_it_is_another_spelling_of_send(make_client: MakeClient, server: OcppServer) -> None:
    stream = Collector()
    server.on("NotifyPeriodicEventStream", stream)
    client = make_client(server.url, version="2.1")
    request = skeleton("NotifyPeriodicEventStream", version="2.1")
    assert client.api.NotifyPeriodicEventStream(**request) is None
    assert stream.next()[1] == request


def test_what_call_raises_it_raises(client: OcppClient) -> None:
    with pytest.raises(NotConnected):
        client.api.Heartbeat()
    with pytest.raises(TypeError, match=r"Heartbeat\(\) takes 0 positional"):
        client.api.Heartbeat({})


def test_what_is_wrong_with_the_fields_is_an_invalid_payload(make_client: MakeClient, server: OcppServer) -> None:
    client = make_client(server.url, version="1.6")
    with pytest.raises(InvalidPayload, match="chargePointVendor"):
        client.api.BootNotification(chargePointVendr="x", chargePointModel="y")
    with pytest.raises(InvalidPayload):
        client.api.BootNotification(chargePointVendor="x")


def test_an_option_steps_aside_for_a_field(make_client: MakeClient, server: OcppServer) -> None:
    client = make_client(server.url, version="2.1")
    requests = Collector({})
    client.on("NotifyWebPaymentStarted", requests)
    function = server.wait_for("CP1", TIMEOUT).api.NotifyWebPaymentStarted
    assert list(inspect.signature(function).parameters) == ["evseId", "timeout", "customData", "timeout_"]
    assert function(evseId=1, timeout=60, timeout_=TIMEOUT) == {}
    assert requests.next() == ({"evseId": 1, "timeout": 60},)
    with pytest.raises(ValueError, match="timeout"):
        function(evseId=1, timeout=60, timeout_=-1)


@every_version
@every_side
def test_every_function_has_its_signature(version: str, side: str) -> None:
    connection = OcppClient("CP1", version=version) if side == "CS" else csms_of(version)
    for name in connection.actions:
        parameters = inspect.signature(getattr(connection.api, name)).parameters
        fields = fields_of(version, message_name(name, "request"))
        assert list(parameters)[: len(fields)] == [field.name for field in fields]
        assert [parameters[field.name].default is inspect.Parameter.empty for field in fields] == [field.required for field in fields]
        options = [] if name in connection.actions.sends else ["timeout", "wait"] if side == "CS" else ["timeout"]
        assert [option.rstrip("_") for option in list(parameters)[len(fields) :]] == options


@every_version
def test_every_field_can_be_an_argument(version: str) -> None:
    for action in actions(version).values():
        for field in fields_of(version, message_name(action.name, "request")):
            assert field.name.isidentifier()
            assert not keyword.iskeyword(field.name)


def test_actions_and_fields_of_the_users_own_are_there(make_client: MakeClient, make_server: Callable[..., OcppServer]) -> None:
    properties = {"from": {"type": "string"}, "level": {"type": ["integer", "string"]}}
    tariff = {"from": "CS", "request": {"type": "object", "properties": properties}, "response": {"type": "object"}}
    schemas = {"1.6": {"GetTariff": tariff, "Heartbeat": {"request": {"properties": {"site": {"type": "string"}}}}}}
    server, requests = make_server(schemas=schemas), Collector({})
    server.on("GetTariff", requests)
    client = make_client(server.url, version="1.6", schemas=schemas)
    assert client.actions.version == "1.6"
    assert str(inspect.signature(client.api.Heartbeat)).startswith("(*, site: str = ..., timeout: ")
    signature = str(inspect.signature(client.api.GetTariff))
    assert signature.startswith("(*, level: ")
    assert "**others) -> " in signature  # "from" is no name in Python
    assert client.api.GetTariff(level=1, **{"from": "2025"}) == {}
    assert requests.next()[1] == {"level": 1, "from": "2025"}
    assert "GetTariff" not in OcppClient("CP1", version="1.6").actions


def test_the_signature_reads_well(client: OcppClient) -> None:
    assert str(inspect.signature(client.api.StatusNotification)) == (
        "(*, connectorId: int, errorCode: str, status: str, info: str = ..., timestamp: str = ..., vendorId: str = ..., "
        "vendorErrorCode: str = ..., timeout: float | None = None, wait: bool = False) -> dict[str, typing.Any]"
    )
    meter_values = inspect.signature(client.api.MeterValues).parameters
    assert str(meter_values["meterValue"]).startswith("meterValue: list[dict]")
    assert meter_values["transactionId"].annotation is int


def test_help_shows_the_table(client: OcppClient) -> None:
    text = pydoc.plain(pydoc.render_doc(client.api.BootNotification))
    assert "BootNotification(*, chargePointVendor: str, " in text.replace("\n    ", " ").replace("( *", "(*")  # lines, from 3.13 on
    for line in str(describe("BootNotification", version="1.6")).splitlines():
        assert line in text


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("BootNotificaton", "'BootNotificaton' is not in OCPP 1.6; did you mean 'BootNotification'?"),
        ("bootNotification", "'bootNotification' is not in OCPP 1.6; did you mean 'BootNotification'?"),
        ("GetTransactionStatus", "'GetTransactionStatus' is not in OCPP 1.6, but in OCPP 2.0.1 and OCPP 2.1"),
        ("Reset", "Reset is not sent by the charge point, but to it"),
        ("_repr_html_", "_repr_html_"),
    ],
)
def test_what_is_not_there_is_explained(client: OcppClient, name: str, why: str) -> None:
    with pytest.raises(AttributeError) as caught:
        getattr(client.api, name)
    assert str(caught.value).startswith(why)
    assert not hasattr(client.api, name)


def test_python_adds_no_guess_of_its_own() -> None:
    code = "from ocpp_sync import OcppClient; OcppClient('CP1', version='1.6').api.Bootnotification"
    done = subprocess.run([sys.executable, "-c", code], check=False, cwd=PACKAGE.parent, timeout=60, capture_output=True, text=True)
    assert done.stderr.lower().count("did you mean") == 1


def test_it_shows_what_there_is(client: OcppClient) -> None:
    assert repr(client.api) == repr(client.actions)
    assert dir(client.api) == list(client.actions)


def test_nothing_is_loaded_before_it_is_used() -> None:
    ours = {f"ocpp_sync.{name}" for name in ("api", "descriptions", "fields", "skeletons", "ipython")}
    assert not ours & new_modules("from ocpp_sync import OcppClient, OcppServer; OcppClient('CP1', version='1.6'); OcppServer()")
    assert "ocpp_sync.api" in new_modules("from ocpp_sync import OcppClient; OcppClient('CP1', version='1.6').api")


# --- Completion


def test_the_prompt_of_python_completes_actions(client: OcppClient) -> None:
    completer = rlcompleter.Completer({"client": client})

    def completed(text: str) -> list[str | None]:
        return list(iter(partial(next, map(partial(completer.complete, text), itertools.count())), None))

    assert completed("client.api.Sta") == ["client.api.StartTransaction(", "client.api.StatusNotification("]
    assert len(completed("client.api.")) == len(client.actions)


def completed(shell: Any, text: str) -> list[str]:
    """What IPython makes of a text, each time the whole of it; nothing if our matcher has had nothing to say."""
    from IPython.core.completer import provisionalcompleter

    with provisionalcompleter():
        found = list(shell.Completer.completions(text, len(text)))
    return [f"{text[: each.start]}{each.text}" for each in found if each.type == "function" and each.text[0].isupper()]


@pytest.fixture
def shell() -> Any:
    """As much of IPython as completes, with a client and a server's connection."""
    completer = pytest.importorskip("IPython.core.completer").IPCompleter(namespace={}, use_jedi=False)
    names = {"client": OcppClient("CP1", version="2.1"), "server": {"CP1": csms_of("1.6")}, "text": "x"}
    shell = SimpleNamespace(Completer=completer, user_ns={**names, "app": SimpleNamespace(**names)})
    importlib.import_module("ocpp_sync.ipython").load_ipython_extension(shell)
    return shell


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('client.call("Boot', ['client.call("BootNotification']),
        ("x = client.call( 'boot", ["x = client.call( 'BootNotification"]),
        ('client.call("NotifyP', ['client.call("NotifyPriorityCharging']),
        ('client.send("', ['client.send("NotifyPeriodicEventStream']),
        ("client.api.NotifyP", ["client.api.NotifyPeriodicEventStream", "client.api.NotifyPriorityCharging"]),
        ("print(client.api.Boot", ["print(client.api.BootNotification"]),
        ('app.client.call("Boot', ['app.client.call("BootNotification']),
        ('server["CP1"].call("Res', ['server["CP1"].call("ReserveNow', 'server["CP1"].call("Reset']),
        ("server['CP1'].api.Rese", ["server['CP1'].api.ReserveNow", "server['CP1'].api.Reset"]),
        ('server["CP2"].call("Res', []),
        ('client.call("Reset', []),
        ('text.call("Boot', []),
        ('nothing.call("Boot', []),
        ('print("Boot', []),
    ],
)
def test_ipython_completes_actions(shell: Any, text: str, found: list[str]) -> None:
    assert completed(shell, text) == found


def test_ipython_calls_nothing_of_the_users_to_complete(shell: Any) -> None:
    shell.user_ns["connect"] = called = Collector(shell.user_ns["client"])
    assert completed(shell, 'connect().call("Boot') == []
    assert completed(shell, 'app[connect()].call("Boot') == []
    assert called.calls.empty()


def test_the_extension_goes_as_it_has_come(shell: Any) -> None:
    extension = importlib.import_module("ocpp_sync.ipython")
    extension.load_ipython_extension(shell)
    assert len(shell.Completer.custom_matchers) == 1
    extension.unload_ipython_extension(shell)
    assert shell.Completer.custom_matchers == []


def test_ipython_loads_the_extension(tmp_path: Path) -> None:
    pytest.importorskip("IPython")
    code = """
%load_ext ocpp_sync.ipython
from ocpp_sync import OcppClient
client = OcppClient("CP1", version="1.6")
print(get_ipython().complete("", 'client.call("', 13)[1] == list(client.actions))
"""
    command = [sys.executable, "-m", "IPython", "--no-banner", "--colors=NoColor", "-c", code]
    environment = {**os.environ, "IPYTHONDIR": str(tmp_path), "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(command, check=True, cwd=PACKAGE.parent, env=environment, timeout=100, capture_output=True, text=True)
    assert done.stdout.split() == ["True"], "nothing else belongs there"
