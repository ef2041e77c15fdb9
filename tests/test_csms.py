"""The CSMS for the bench: what it answers, and what it learns, over real links."""

from __future__ import annotations

import gc
import itertools
import logging
import math
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ocpp_sync import OcppClient, OcppServer, skeleton, utcnow
from ocpp_sync.csms import ChargePoint, Csms, Transaction
from ocpp_sync.csms.books import MAX_ENDED, Books
from ocpp_sync.schemas import actions

from .support import TIMEOUT, VERSIONS, Collector, RawChargePoint, in_thread

T0, T1, T2 = "2026-01-01T10:00:00.000Z", "2026-01-01T10:05:00.000Z", "2026-01-01T10:10:00.000Z"
Connect = Callable[..., OcppClient]


@pytest.fixture
def make_csms(make_server: Callable[..., OcppServer]) -> Iterator[Callable[..., tuple[OcppServer, Csms]]]:
    """Makes servers with a CSMS."""
    made: list[Csms] = []

    def make(*, server: dict[str, Any] | None = None, **options: Any) -> tuple[OcppServer, Csms]:
        unheard = make_server(listen=False, **(server or {}))
        made.append(Csms(unheard, **options))
        return unheard.listen(0, "127.0.0.1"), made[-1]

    yield make
    for csms in made:
        csms.close()


@pytest.fixture
def station(make_csms: Any, make_client: Connect) -> Callable[..., tuple[OcppClient, Csms]]:
    """Makes a charge point that is connected to a CSMS of its own."""

    def make(version: str = "2.0.1", *, server: dict[str, Any] | None = None, validation: str = "strict", **options: Any) -> Any:
        server_, csms = make_csms(server=server, **options)
        return make_client(server_.url, version=version, validation=validation), csms

    return make


def start(client: OcppClient, connector: int = 1, token: str = "DEADBEEF", meter: int = 1000, time: str = T0) -> dict[str, Any]:
    return client.call("StartTransaction", {"connectorId": connector, "idTag": token, "meterStart": meter, "timestamp": time})


def event(
    client: OcppClient, kind: str, seq_no: int, number: str = "T-1", *, info: dict[str, Any] | None = None, **fields: Any
) -> dict[str, Any]:
    request: dict[str, Any] = {
        "eventType": kind,
        "timestamp": T0,
        "triggerReason": "Trigger",
        "seqNo": seq_no,
        "transactionInfo": {"transactionId": number},
    }
    request["transactionInfo"] |= info or {}
    return client.call("TransactionEvent", {**request, **fields})


def energy(value: float, unit: str = "Wh", **fields: Any) -> list[dict[str, Any]]:
    return [{"timestamp": T0, "sampledValue": [{"value": value, "unitOfMeasure": {"unit": unit}, **fields}]}]


# --- Answers


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("version", VERSIONS)
def test_every_request_of_a_charge_point_gets_a_valid_answer(station: Any, version: str, full: bool) -> None:
    client, csms = station(version)
    for name, action in actions(version).items():
        if action.sent_by == "CSMS":
            continue
        request = skeleton(name, version=version, full=full)
        if action.is_send:
            client.send(name, request)
        else:
            assert isinstance(client.call(name, request), dict)  # which the client validates
    assert "payload that makes no sense" not in csms.problems


@pytest.mark.parametrize("version", VERSIONS)
def test_a_charge_point_is_accepted_with_the_interval(station: Any, version: str) -> None:
    client, csms = station(version, interval=17)
    boot = client.call("BootNotification", skeleton("BootNotification", version=version))
    assert (boot["status"], boot["interval"]) == ("Accepted", 17)
    assert csms.charge_points["CP1"].booted is not None


def test_what_it_cannot_do_is_refused(station: Any) -> None:
    client, _ = station("2.1")
    refused = {
        "DataTransfer": "UnknownVendorId",
        "SignCertificate": "Rejected",
        "Get15118EVCertificate": "Failed",
        "GetCertificateStatus": "Failed",
        "NotifyEVChargingNeeds": "Rejected",
        "PullDynamicScheduleUpdate": "Rejected",
    }
    for action, status in refused.items():
        assert client.call(action, skeleton(action, version="2.1"))["status"] == status
    asked = skeleton("GetCertificateChainStatus", version="2.1")
    (answer,) = client.call("GetCertificateChainStatus", asked)["certificateStatus"]
    assert answer["status"] == "Unknown"
    assert answer["certificateHashData"] == asked["certificateStatusRequests"][0]["certificateHashData"]
    assert client.call("VatNumberValidation", {"vatNumber": "DE123", "evseId": 2}) == {
        "vatNumber": "DE123",
        "evseId": 2,
        "status": "Accepted",
    }


def test_tokens_may_charge_if_they_are_on_the_list(station: Any) -> None:
    client, csms = station("1.6", tokens=["DeadBeef"])
    assert client.call("Authorize", {"idTag": "DEADBEEF"}) == {"idTagInfo": {"status": "Accepted"}}
    assert client.call("Authorize", {"idTag": "CAFE"}) == {"idTagInfo": {"status": "Invalid"}}
    refused = start(client, token="CAFE")
    assert refused == {"transactionId": 1, "idTagInfo": {"status": "Invalid"}}
    assert [each.authorized for each in csms.transactions] == [False]
    stop = {"transactionId": 1, "meterStop": 1000, "timestamp": T1}
    assert client.call("StopTransaction", {**stop, "idTag": "CAFE"}) == {"idTagInfo": {"status": "Invalid"}}


@pytest.mark.parametrize("version", ["2.0.1", "2.1"])
def test_tokens_of_2_x_may_charge_if_they_are_on_the_list(station: Any, version: str) -> None:
    client, csms = station(version, tokens=["DEADBEEF"])
    unknown = {"idToken": "CAFE", "type": "ISO14443"}
    assert client.call("Authorize", {"idToken": {"idToken": "deadbeef", "type": "ISO14443"}}) == {"idTokenInfo": {"status": "Accepted"}}
    assert client.call("Authorize", {"idToken": unknown}) == {"idTokenInfo": {"status": "Unknown"}}
    assert client.call("Authorize", {"idToken": {"idToken": "", "type": "NoAuthorization"}})["idTokenInfo"]["status"] == "Accepted"
    with_certificate = client.call("Authorize", {"idToken": unknown, "certificate": "…"})
    assert with_certificate == {"idTokenInfo": {"status": "Unknown"}, "certificateStatus": "Accepted"}
    assert event(client, "Started", 0, idToken=unknown) == {"idTokenInfo": {"status": "Unknown"}}
    assert event(client, "Updated", 1) == {}
    assert csms.transactions[0].authorized is False


def test_without_a_list_all_tokens_may_charge(station: Any) -> None:
    client, _ = station("1.6")
    assert client.call("Authorize", {"idTag": "whoever"}) == {"idTagInfo": {"status": "Accepted"}}


def test_wrong_arguments(make_server: Callable[..., OcppServer]) -> None:
    server = make_server(listen=False)
    for interval in (0, 2**31, 1.5, math.nan, True, "300"):
        with pytest.raises(ValueError, match=f"a whole number of seconds from 1 to 2147483647, not {interval!r}"):
            Csms(server, interval=interval)  # type: ignore[arg-type]
    Csms(server, interval=2**31 - 1)
    with pytest.raises(ValueError, match="a list of texts"):
        Csms(server, tokens="DEADBEEF")


def test_a_token_that_cannot_be_read_may_not_charge(station: Any) -> None:
    lenient = {"server": {"validation": "off"}, "validation": "off", "tokens": ["DEADBEEF"]}
    client, csms = station("1.6", **lenient)
    for tag in ({}, {"idTag": None}, {"idTag": [1]}, {"idTag": "CAFE"}):
        assert client.call("Authorize", tag) == {"idTagInfo": {"status": "Invalid"}}
        for more in ({}, {"connectorId": 1, "timestamp": T0, "meterStart": "x"}):
            assert client.call("StartTransaction", {**tag, **more})["idTagInfo"] == {"status": "Invalid"}
    assert not any(transaction.authorized for transaction in csms.transactions)
    assert client.call("StopTransaction", {"idTag": "CAFE"}) == {"idTagInfo": {"status": "Invalid"}}
    client, csms = station("2.0.1", **lenient)
    tokens: list[Any] = [{"idToken": "CAFE"}, {}, [], None, "DEADBEEF", {"idToken": [1], "type": "ISO14443"}]
    for token in tokens:
        assert client.call("Authorize", {"idToken": token})["idTokenInfo"] == {"status": "Unknown"}
        assert client.call("TransactionEvent", {"idToken": token}) == {"idTokenInfo": {"status": "Unknown"}}
        assert event(client, "Started", 0, f"T-{token}", idToken=token, evse=7) == {"idTokenInfo": {"status": "Unknown"}}
    assert [transaction.authorized for transaction in csms.transactions] == [False] * 6


def test_a_start_that_cannot_be_read_gets_an_id_of_its_own(station: Any) -> None:
    client, csms = station("1.6", server={"validation": "off"}, validation="off")
    whole = {"connectorId": 1, "idTag": "DEADBEEF", "timestamp": T0, "meterStart": 10**400}
    requests = [whole, {**whole, "meterStart": "nan", "connectorId": 2}, {"idTag": "A"}, {}]
    assert [client.call("StartTransaction", request)["transactionId"] for request in requests] == [1, 2, 3, 4]
    assert [(each.meter_start, each.energy) for each in csms.transactions] == [(None, 0.0)] * 4
    assert csms.problems == {"payload that makes no sense": 4}


def test_a_handler_of_the_user_answers_instead_and_can_ask(make_csms: Any, make_client: Connect) -> None:
    server, csms = make_csms()
    server.on("Heartbeat", lambda charge_point, request: {"currentTime": T0})
    server.on(
        "Authorize", lambda charge_point, request: {**csms.answer(charge_point, "Authorize", request), "idTagInfo": {"status": "Blocked"}}
    )
    client = make_client(server.url, version="1.6")
    assert client.call("Heartbeat") == {"currentTime": T0}
    assert client.call("Authorize", {"idTag": "x"}) == {"idTagInfo": {"status": "Blocked"}}


def test_an_own_action_is_answered_with_nothing(make_csms: Any, make_client: Connect) -> None:
    own = {"1.6": {"Wave": {"from": "CS", "request": {"type": "object"}, "response": {"type": "object"}}}}
    server, _ = make_csms(server={"schemas": own, "versions": ["1.6"]})
    client = make_client(server.url, version="1.6", schemas=own)
    assert client.call("Wave", {}) == {}


# --- What it knows of charge points


def test_what_a_charge_point_tells_of_itself(station: Any) -> None:
    client, csms = station("1.6")
    boot = {"chargePointVendor": "V", "chargePointModel": "M", "firmwareVersion": "1.2", "chargePointSerialNumber": "S"}
    client.call("BootNotification", boot)
    client.call("StatusNotification", {"connectorId": 0, "errorCode": "NoError", "status": "Available"})
    client.call("StatusNotification", {"connectorId": 1, "errorCode": "NoError", "status": "Charging"})
    point = csms.charge_points["CP1"]
    assert (point.identity, point.version, point.connected) == ("CP1", "1.6", True)
    assert (point.vendor, point.model, point.firmware, point.serial_number) == ("V", "M", "1.2", "S")
    assert point.connectors == {"0": "Available", "1": "Charging"}
    assert point.booted is not None
    assert point.last_seen is not None
    assert point.booted <= point.last_seen
    point.connectors.clear()
    assert csms.charge_points["CP1"].connectors, "what was handed out is a copy"


def test_what_a_station_of_2_x_tells_of_itself(station: Any) -> None:
    client, csms = station("2.1")
    told = {"vendorName": "V", "model": "M", "firmwareVersion": "1.2", "serialNumber": "S"}
    client.call("BootNotification", {"reason": "PowerUp", "chargingStation": told})
    client.call("StatusNotification", {"timestamp": T0, "connectorStatus": "Occupied", "evseId": 1, "connectorId": 2})
    place = {"component": {"name": "Connector", "evse": {"id": 2, "connectorId": 1}}, "variable": {"name": "AvailabilityState"}}
    said = {
        "eventId": 1,
        "timestamp": T0,
        "trigger": "Delta",
        "actualValue": "Faulted",
        "eventNotificationType": "HardWiredNotification",
        **place,
    }
    client.call("NotifyEvent", {"generatedAt": T0, "seqNo": 0, "eventData": [said]})
    point = csms.charge_points["CP1"]
    assert (point.vendor, point.model, point.firmware, point.serial_number) == ("V", "M", "1.2", "S")
    assert point.connectors == {"1/2": "Occupied", "2/1": "Faulted"}
    assert point.variables == {"Connector@2/1.AvailabilityState": "Faulted"}


def test_it_is_known_who_is_connected(make_csms: Any, make_client: Connect) -> None:
    server, csms = make_csms()
    left = Collector()
    server.on("close", left)
    first = make_client(server.url, version="1.6")
    first.call("Heartbeat")
    second = make_client(server.url, version="1.6")  # the same identity
    second.call("Heartbeat")
    left.next()
    assert csms.charge_points["CP1"].connected, "only the older of its connections has ended"
    second.close()
    left.next()
    assert not csms.charge_points["CP1"].connected


def test_identities_of_2_x_are_the_same_whatever_their_case(make_csms: Any, make_client: Connect) -> None:
    server, csms = make_csms(tokens=[])
    left = Collector()
    server.on("close", left)
    event(make_client(server.url, "Cp1", version="2.0.1"), "Started", 0)
    later = make_client(server.url, "cP1", version="2.1")
    event(later, "Ended", 1)
    left.next()
    assert [(each.identity, each.ended) for each in csms.transactions] == [("Cp1", T0)]
    assert [(name, point.connected) for name, point in csms.charge_points.items()] == [("Cp1", True)]
    later.close()
    left.next()
    assert not csms.charge_points["Cp1"].connected
    make_client(server.url, "CP1", version="1.6").call("Heartbeat")
    make_client(server.url, "cp1", version="1.6").call("Heartbeat")
    assert list(csms.charge_points) == ["Cp1", "CP1", "cp1"], "those of 1.6 are not"


def test_variables_that_a_station_reports_are_kept(station: Any) -> None:
    client, csms = station("2.0.1")

    def data(name: str, *attributes: dict[str, Any], **component: Any) -> dict[str, Any]:
        return {"component": {"name": "C", **component}, "variable": {"name": name}, "variableAttribute": list(attributes)}

    report = [
        data("A", {"value": "1"}, {"type": "Target", "value": "2"}),
        data("B", {"mutability": "WriteOnly"}, instance="i", evse={"id": 1}),
        data("BasicAuthPassword", {"value": "secret-password-1"}),
    ]
    report[1]["variable"]["instance"] = "j"
    client.call("NotifyReport", {"requestId": 1, "generatedAt": T0, "seqNo": 0, "reportData": report})
    kept = {"C.A": "1", "C.A (Target)": "2", "C[i]@1.B[j]": None, "C.BasicAuthPassword": "***"}
    assert csms.charge_points["CP1"].variables == kept


def test_configuration_that_is_asked_for_is_kept(make_csms: Any, make_client: Connect) -> None:
    server, csms = make_csms()
    client = make_client(version="1.6")
    keys = [
        {"key": "HeartbeatInterval", "readonly": False, "value": "300"},
        {"key": "AuthorizationKey", "readonly": False, "value": "0123"},
    ]
    client.on("GetConfiguration", lambda request: {"configurationKey": [*keys, {"key": "Empty", "readonly": True}]})
    client.connect(server.url)
    server.wait_for("CP1", TIMEOUT).call("GetConfiguration")
    assert csms.charge_points["CP1"].variables == {"HeartbeatInterval": "300", "AuthorizationKey": "***", "Empty": None}


def test_variables_that_are_asked_for_are_kept(make_csms: Any, make_client: Connect) -> None:
    server, csms = make_csms()
    client = make_client(version="2.0.1")
    asked = {"component": {"name": "C"}, "variable": {"name": "A"}}
    unknown = {"component": {"name": "C"}, "variable": {"name": "B"}, "attributeStatus": "UnknownVariable"}
    client.on("GetVariables", lambda _: {"getVariableResult": [{**asked, "attributeStatus": "Accepted", "attributeValue": "7"}, unknown]})
    client.connect(server.url)
    server.wait_for("CP1", TIMEOUT).call("GetVariables", {"getVariableData": [asked]})
    assert csms.charge_points["CP1"].variables == {"C.A": "7"}


def test_a_text_that_only_looks_like_configuration_changes_nothing(make_csms: Any, raw_charge_point: Callable[..., RawChargePoint]) -> None:
    server, csms = make_csms(server={"redact": False})
    peer = raw_charge_point(server.url, version="1.6")
    for text in (
        '[3,"1",{"configurationKey":',
        '[2,"1","DataTransfer",{"vendorId":"\\"configurationKey\\""}]',
        '[3,"1",{"configurationKey":[7]}]',
    ):
        peer.send(text)
    peer.send('[4,"1","NotSupported","\\"configurationKey\\"",{}]')
    peer.send([2, "9", "Heartbeat", {}])
    while peer.receive()[1] != "9":
        pass
    assert csms.charge_points["CP1"].variables == {}
    assert csms.problems == {"payload that makes no sense": 1}


def test_an_answer_that_is_nested_deeply_is_no_answer(
    make_csms: Any, raw_charge_point: Callable[..., RawChargePoint], caplog: pytest.LogCaptureFixture
) -> None:
    server, csms = make_csms(server={"redact": False})
    peer = raw_charge_point(server.url, version="1.6")
    peer.send('[3,"x",{"configurationKey":' + "[" * 20_000 + "]" * 20_000 + "}]")
    peer.send([2, "9", "Heartbeat", {}])
    while peer.receive()[1] != "9":
        pass
    assert csms.problems == {}
    assert not [record for record in caplog.records if record.exc_info]


def test_meter_values_are_kept(station: Any) -> None:
    client, csms = station("1.6")
    samples = [
        {"value": "230.5", "measurand": "Voltage", "phase": "L1", "unit": "V"},
        {"value": "7", "measurand": "Temperature", "location": "Outlet", "unit": "Celsius"},
        {"value": "12"},
        {"value": "no number", "measurand": "Frequency"},
        {"value": "nan", "measurand": "SoC"},
        {"value": "c2lnbmVk", "format": "SignedData", "measurand": "Power.Offered"},
    ]
    client.call("MeterValues", {"connectorId": 2, "meterValue": [{"timestamp": T0, "sampledValue": samples}]})
    assert csms.charge_points["CP1"].meter == {
        "2": {
            "Voltage L1": {"value": 230.5, "unit": "V", "timestamp": T0},
            "Temperature Outlet": {"value": 7.0, "unit": "Celsius", "timestamp": T0},
            "Energy.Active.Import.Register": {"value": 12.0, "unit": "Wh", "timestamp": T0},
        }
    }


def test_meter_values_of_2_x_are_kept(station: Any) -> None:
    client, csms = station("2.0.1")
    client.call("MeterValues", {"evseId": 1, "meterValue": energy(1.5, "kWh", measurand="Energy.Active.Net", location="Body")})
    client.call(
        "MeterValues", {"evseId": 1, "meterValue": [{"timestamp": T0, "sampledValue": [{"value": 3, "unitOfMeasure": {"multiplier": 1}}]}]}
    )
    client.call(
        "MeterValues",
        {"evseId": 1, "meterValue": [{"timestamp": T0, "sampledValue": [{"value": 3, "unitOfMeasure": {"multiplier": 999}}]}]},
    )
    meter = csms.charge_points["CP1"].meter["1"]
    assert meter["Energy.Active.Net Body"] == {"value": 1.5, "unit": "kWh", "timestamp": T0}
    assert meter["Energy.Active.Import.Register"]["value"] == 30


@pytest.mark.parametrize(("value", "unit"), [(1e308, "kWh"), (1e308, "Wh"), (1e16, "Wh"), (-1e13, "kWh")])
def test_a_reading_that_no_meter_shows_is_not_counted(station: Any, value: float, unit: str) -> None:
    client, csms = station("2.0.1")
    for number in ("T-1", "T-2"):
        event(client, "Started", 0, number, meterValue=energy(0))
        event(client, "Updated", 1, number, meterValue=energy(value, unit))
        event(client, "Ended", 2, number)
    assert csms.totals == {"started": 2, "open": 0, "energy_wh": 0.0}
    client, csms = station("1.6")
    number = start(client)["transactionId"]
    client.call("StopTransaction", {"transactionId": number, "meterStop": 10**30, "timestamp": T1})
    assert (csms.totals["energy_wh"], csms.problems) == (0.0, {"payload that makes no sense": 1})


# --- Transactions of 1.6


def test_transaction_ids_rise_from_1_for_all_charge_points(make_csms: Any, make_client: Connect) -> None:
    server, csms = make_csms()
    one, other = (make_client(server.url, identity, version="1.6") for identity in ("CP1", "CP2"))
    assert [start(client, connector, time=utcnow())["transactionId"] for client in (one, other) for connector in (1, 2)] == [1, 2, 3, 4]
    assert csms.problems == {}


def test_a_transaction_from_its_start_to_its_end(station: Any) -> None:
    client, csms = station("1.6")
    number = start(client, connector=2)["transactionId"]
    samples = [
        {"value": "3.5", "unit": "kWh"},
        {"value": "9", "unit": "kWh", "phase": "L1"},
        {"value": "16", "measurand": "Current.Import"},
    ]
    client.call("MeterValues", {"connectorId": 2, "transactionId": number, "meterValue": [{"timestamp": T1, "sampledValue": samples}]})
    (running,) = csms.transactions
    assert running == Transaction("CP1", 1, "2", "DEADBEEF", True, T0, None, None, None, None, 1000.0, 3500.0)
    assert (running.energy, csms.totals) == (2500.0, {"started": 1, "open": 1, "energy_wh": 2500.0})
    client.call("StopTransaction", {"transactionId": number, "meterStop": 4000, "timestamp": T2, "reason": "Remote"})
    (ended,) = csms.transactions
    assert (ended.ended, ended.reason, ended.energy) == (T2, "Remote", 3000.0)
    assert (csms.totals, csms.problems) == ({"started": 1, "open": 0, "energy_wh": 3000.0}, {})


def test_what_is_sent_once_more_is_the_same_transaction(station: Any) -> None:
    client, csms = station("1.6")
    assert start(client) == start(client) == {"transactionId": 1, "idTagInfo": {"status": "Accepted"}}
    for _ in range(2):
        client.call("StopTransaction", {"transactionId": 1, "meterStop": 4000, "timestamp": T2})
    assert (len(csms.transactions), csms.transactions[0].reason, csms.totals["energy_wh"]) == (1, "Local", 3000.0)
    assert csms.problems == {}


def test_what_makes_no_sense_is_answered_counted_and_logged(station: Any, caplog: pytest.LogCaptureFixture) -> None:
    client, csms = station("1.6")
    stop = {"transactionId": 7, "meterStop": 4000, "timestamp": T2}
    assert client.call("StopTransaction", stop) == {}
    number = start(client)["transactionId"]
    assert start(client, time=T1)["transactionId"] == number + 1
    meter = {"connectorId": 1, "meterValue": [{"timestamp": T1, "sampledValue": [{"value": "1"}]}]}
    client.call("MeterValues", {**meter, "transactionId": 99})
    client.call("StopTransaction", {**stop, "transactionId": number})
    client.call("StopTransaction", {**stop, "transactionId": number, "timestamp": T1})
    client.call("MeterValues", {**meter, "transactionId": number})
    assert csms.problems == {
        "StopTransaction of an unknown transaction": 1,
        "start at a connector that has a transaction": 1,
        "MeterValues of an unknown transaction": 1,
        "StopTransaction of an ended transaction": 1,
    }
    warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert warnings[0] == "CP1: StopTransaction of 7, which is unknown"
    assert warnings[1] == "CP1: a transaction starts at connector 1, where 1 has not ended"
    assert len(warnings) == 4


def test_a_flood_of_nonsense_is_no_flood_of_warnings(station: Any, caplog: pytest.LogCaptureFixture) -> None:
    client, csms = station("1.6")
    for _ in range(60):
        client.call("StopTransaction", {"transactionId": 7, "meterStop": 4000, "timestamp": T2})
    assert csms.problems == {"StopTransaction of an unknown transaction": 60}
    assert len([record for record in caplog.records if record.levelno == logging.WARNING]) == 50


@pytest.mark.parametrize("version", VERSIONS)
def test_payloads_that_nobody_has_checked_do_no_harm(station: Any, version: str) -> None:
    client, csms = station(version, server={"validation": "off"}, validation="off")
    wrong: list[Any] = [
        {},
        dict.fromkeys(("idTag", "idToken", "transactionInfo", "eventData", "reportData", "meterValue", "chargingStation"), 7),
    ]
    for name, action in actions(version).items():
        if action.sent_by != "CSMS" and not action.is_send:
            for request in wrong:
                assert isinstance(client.call(name, request), dict)
    assert set(csms.problems) <= {"payload that makes no sense", "StopTransaction of an unknown transaction"}
    assert csms.problems["payload that makes no sense"]


# --- Transactions of 2.x


def test_a_transaction_of_2_x_from_its_start_to_its_end(station: Any) -> None:
    client, csms = station("2.0.1")
    token = {"idToken": "DEADBEEF", "type": "ISO14443"}
    assert event(client, "Started", 0, evse={"id": 1}) == {}
    assert csms.transactions[0].connector == "1"
    accepted = event(client, "Updated", 1, idToken=token, evse={"id": 1, "connectorId": 1}, meterValue=energy(1.0, "kWh"))
    assert accepted == {"idTokenInfo": {"status": "Accepted"}}
    event(client, "Updated", 2, info={"chargingState": "Charging"}, meterValue=energy(2000))
    event(client, "Updated", 2, info={"chargingState": "Charging"}, meterValue=energy(2000))  # once more
    (running,) = csms.transactions
    assert running == Transaction("CP1", "T-1", "1/1", "DEADBEEF", True, T0, None, None, "Charging", 2, 1000.0, 2000.0)
    event(client, "Ended", 3, info={"stoppedReason": "EVDisconnected"}, meterValue=energy(2500))
    event(client, "Ended", 3, info={"stoppedReason": "EVDisconnected"}, meterValue=energy(2500))
    (ended,) = csms.transactions
    assert (ended.ended, ended.reason, ended.energy) == (T0, "EVDisconnected", 1500.0)
    assert (csms.totals, csms.problems) == ({"started": 1, "open": 0, "energy_wh": 1500.0}, {})
    assert "Energy.Active.Import.Register" in csms.charge_points["CP1"].meter["1"]


def test_all_meter_values_may_come_with_the_end(station: Any) -> None:
    client, csms = station("2.1")
    event(client, "Started", 0)
    values = [*energy(900, context="Transaction.End"), *energy(500), *energy(100, context="Transaction.Begin")]
    event(client, "Ended", 1, meterValue=values)
    assert (csms.transactions[0].meter_start, csms.transactions[0].meter_last) == (100, 900)


def test_events_that_make_no_sense(station: Any, caplog: pytest.LogCaptureFixture) -> None:
    client, csms = station("2.0.1")
    event(client, "Updated", 5, "T-0", evse={"id": 2})
    event(client, "Updated", 7, "T-0")
    event(client, "Updated", 10, "T-0")
    event(client, "Ended", 11, "T-0")
    event(client, "Updated", 12, "T-0")
    event(client, "Started", 0, "T-1", evse={"id": 1, "connectorId": 1})
    event(client, "Started", 0, "T-2", evse={"id": 1, "connectorId": 2})
    assert csms.problems == {
        "transaction that did not begin with Started": 1,
        "gap in seqNo": 2,
        "event after the end of a transaction": 1,
        "start at a connector that has a transaction": 1,
    }
    texts = [record.getMessage() for record in caplog.records]
    assert "CP1: of the transaction 'T-0' the seqNo 6 is missing" in texts
    assert "CP1: of the transaction 'T-0' the seqNo 8 to 9 is missing" in texts


def test_a_gap_may_be_filled_later(station: Any) -> None:
    client, csms = station("2.0.1")
    for seq_no in (0, 2, 1, 3):
        event(client, "Started" if seq_no == 0 else "Updated", seq_no)
    assert csms.problems == {"gap in seqNo": 1}
    assert csms.transactions[0].seq_no == 3


# --- Bounds


def test_the_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ocpp_sync.csms.books.MAX_CHARGE_POINTS", 3)
    monkeypatch.setattr("ocpp_sync.csms.books.MAX_OPEN", 5)
    monkeypatch.setattr("ocpp_sync.csms.books._MAX_SIZE_EACH", 600)
    books = Books([], [], 0)
    for number in range(5):
        books.charge_point(f"CP{number}").last_seen = str(number)
    assert list(books.charge_points) == ["CP2", "CP3", "CP4"]
    for number in range(7):
        books.start(Transaction("CP4", number))
    assert [each.id for each in books.open_of("CP4")] == [2, 3, 4, 5, 6]
    for number in range(MAX_ENDED + 10):
        books.end(books.start(Transaction("CP3", number)), T0, None)
    assert [each.id for each in books.transactions[:4]] == [3, 4, 5, 6]
    assert len(books.transactions) == 4 + MAX_ENDED
    assert books.open_of("CP3") == []
    for name in "abc":
        books.set_variable("CP4", name, name)
    assert books.charge_points["CP4"].variables == {"a": "a", "b": "b"}


def test_the_memory_is_bounded_for_all_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ocpp_sync.csms.books._MAX_SIZE_EACH", 3000)
    monkeypatch.setattr("ocpp_sync.csms.books._MAX_SIZE", 10_000)
    books = Books([], [], 0)

    def kept() -> int:
        return sum(len(point.variables) + len(point.connectors) for point in books.charge_points.values())

    for number in range(10):
        point = books.charge_point(f"CP{number}")
        point.last_seen = str(number)
        for name in range(6):
            books.set_variable(point.identity, str(name), "v" * 200)
            books.put(point, point.connectors, str(name), "Available")
        assert kept() <= 10_000 / 250
    assert list(books.charge_points) == ["CP7", "CP8", "CP9"]
    assert books.put(point, point.connectors, "0", "Occupied"), "what is there may change"
    assert [(len(each.variables), len(each.connectors)) for each in books.charge_points.values()] == [(4, 4)] * 3
    for _ in range(50):
        books.put(point, point.connectors, "0", "Faulted")
    assert len(books.charge_points) == 3


def test_only_as_many_as_there_is_room_for_are_there_from_the_beginning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ocpp_sync.csms.books.MAX_CHARGE_POINTS", 3)
    monkeypatch.setattr("ocpp_sync.csms.books._MAX_SIZE_EACH", 3000)
    monkeypatch.setattr("ocpp_sync.csms.books._MAX_SIZE", 10_000)
    meter = {"1": {"Voltage": {"value": 1.0, "unit": "V", "timestamp": T0}}}
    books = Books([ChargePoint(str(number), meter=meter) for number in range(7)], [], 0)
    assert list(books.charge_points) == ["2", "1", "0"], "oldest first"
    books.charge_point("new")
    assert len(books.charge_points) == 3
    full: dict[str, str | None] = {str(number): "v" * 1000 for number in range(9)}
    books = Books([ChargePoint("full", variables=full), ChargePoint("next")], [], 0)
    assert list(books.charge_points) == ["next", "full"]
    assert len(books.charge_points["full"].variables) == 2


def interrupt_at(number: int, run: Callable[[], Any]) -> bool:
    """Run something, with a Ctrl-C as the given call of a function in Python begins; false if there are not so many."""
    calls = itertools.count(1)

    def profile(frame: Any, kind: str, argument: Any) -> None:
        if kind == "call" and next(calls) == number:
            sys.setprofile(None)
            raise KeyboardInterrupt

    before = sys.getprofile()
    gc.disable()  # others have told it to call them
    sys.setprofile(profile)
    try:
        run()
    except KeyboardInterrupt as error:
        interrupted.append(error)  # its traceback keeps what it has left in the middle
        return True
    finally:
        sys.setprofile(before)
        gc.enable()
    return False


interrupted: list[BaseException] = []


@pytest.mark.parametrize("with_file", [False, True])
def test_ctrl_c_leaves_the_books_usable(make_server: Callable[..., OcppServer], tmp_path: Path, with_file: bool) -> None:
    csms = Csms(make_server(listen=False), state=tmp_path / "state" if with_file else None)
    point: Any = SimpleNamespace(identity="CP1", version="1.6")

    def use() -> None:
        csms.answer(point, "StatusNotification", {"connectorId": 1, "errorCode": "NoError", "status": "Available"})
        assert csms.totals["open"] == 0

    use()  # what is read once is read
    for number in itertools.count(1):  # pragma: no branch
        was_interrupted = interrupt_at(number, use)
        assert in_thread(lambda: csms.problems).result(TIMEOUT) == {}
        if not was_interrupted:
            break
    interrupted.clear()
    use()
    csms.close()
    assert number > 10
    assert csms.problems == {}


def test_it_may_be_closed_by_a_block(make_server: Callable[..., OcppServer], tmp_path: Path) -> None:
    for _ in range(2):
        with Csms(make_server(), state=tmp_path / "state") as csms:
            assert csms.charge_points == {}


def test_without_a_file_nothing_of_sqlite_is_imported() -> None:
    code = (
        "import sys, ocpp_sync.csms as c, ocpp_sync; c.Csms(ocpp_sync.OcppServer()); sys.exit('ocpp_sync.csms.state_file' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0
