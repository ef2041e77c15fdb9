"""Tokens, logs, firmware and meters of a simulated charge point."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ocpp_sync import (
    format_time,
)
from ocpp_sync.simulator import Car, Token
from ocpp_sync.simulator.connector import State
from ocpp_sync.simulator.energy import MEASURANDS, Supply, charge
from ocpp_sync.simulator.tokens import KnownTokens, TokenInfo
from ocpp_sync.testing import FakeClock

from .bench import CAR, Bench, Make, each_version, wait_for

# --- Tokens


@each_version
def test_local_lists_and_the_cache(make: Make, version: str) -> None:
    bench = make(version)

    def send(number: int, kind: str, **tokens: str | None) -> str:
        entries = []
        for token, status in tokens.items():
            info = {} if status is None else {"idTagInfo" if version == "1.6" else "idTokenInfo": {"status": status}}
            entries.append({**bench.token(token), **info})
        field = "listVersion" if version == "1.6" else "versionNumber"
        return bench.status("SendLocalList", **{field: number}, updateType=kind, localAuthorizationList=entries or None)

    def version_of_it() -> int:
        answer = bench.ask("GetLocalListVersion")
        return int(answer["listVersion" if version == "1.6" else "versionNumber"])

    assert version_of_it() == 0
    assert send(3, "Full", ANNA="Accepted", BERT="Blocked") == "Accepted"
    assert send(3, "Differential", CARL="Accepted") == "VersionMismatch"
    assert send(4, "Differential", BERT=None, CARL="Accepted") == "Accepted"
    assert version_of_it() == 4
    assert set(bench.station.reader.tokens.listed) == {"anna", "carl"}
    assert bench.setting("preauthorize", "true") == "Accepted"
    bench.charge(token="ANNA")
    assert bench.sent("Authorize") == []
    assert bench.status("ClearCache") == "Accepted"
    assert bench.station.reader.tokens.cached == {}
    assert bench.setting("cache", "false") == bench.setting("list", "false") == "Accepted"
    assert bench.status("ClearCache") == "Rejected"
    assert send(5, "Full") == ("NotSupported" if version == "1.6" else "Failed")
    assert version_of_it() == (-1 if version == "1.6" else 4)


def test_tokens_expire_and_the_cache_is_bounded(clock: FakeClock) -> None:
    from datetime import datetime, timezone

    now = datetime(2025, 1, 1, tzinfo=timezone.utc)
    tokens = KnownTokens()
    tokens.learn(Token("A"), TokenInfo("Accepted", None, now))
    assert tokens.find(Token("a"), now - timedelta(seconds=1), use_list=True, use_cache=True) is not None
    assert tokens.find(Token("a"), now, use_list=True, use_cache=True) is None
    assert tokens.find(Token("a"), now - timedelta(seconds=1), use_list=True, use_cache=False) is None
    for number in range(1200):
        tokens.learn(Token(str(number)), TokenInfo("Accepted"))
    assert len(tokens.cached) == 1000


def test_a_token_without_authorization(make: Make) -> None:
    bench = make("2.0.1")
    bench.station.plug(1, Car(**CAR))
    bench.station.authorize(Token("", "NoAuthorization"))
    assert bench.station.wait_for(1, State.CHARGING)
    assert bench.sent("Authorize") == []


# --- Logs and firmware


def statuses(bench: Bench, action: str) -> list[str]:
    return [payload["status"] for payload in bench.sent(action)]


def test_diagnostics_of_16(make: Make) -> None:
    bench = make("1.6")
    assert bench.ask("GetDiagnostics", location="ftp://x/")["fileName"].startswith("CP1-")
    bench.until(lambda: statuses(bench, "DiagnosticsStatusNotification")[-1:] == ["Uploaded"])
    assert statuses(bench, "DiagnosticsStatusNotification") == ["Uploading", "Uploaded"]
    assert bench.status("ExtendedTriggerMessage", requestedMessage="LogStatusNotification") == "Accepted"
    assert bench.csms.wait_for("LogStatusNotification").payload == {"status": "Idle"}


@each_version
def test_logs(make: Make, version: str) -> None:
    bench = make(version)

    def ask(number: int) -> str:
        return bench.status("GetLog", log={"remoteLocation": "ftp://x/"}, logType="DiagnosticsLog", requestId=number)

    assert ask(1) == "Accepted"
    wait_for(lambda: statuses(bench, "LogStatusNotification") == ["Uploading"])  # at once: the time stands still, else it would be over
    assert ask(2) == "AcceptedCanceled"
    bench.until(lambda: statuses(bench, "LogStatusNotification")[-1:] == ["Uploaded"])
    found = [(payload["requestId"], payload["status"]) for payload in bench.sent("LogStatusNotification")]
    assert found == [(1, "Uploading"), (1, "UploadFailure" if version == "1.6" else "AcceptedCanceled"), (2, "Uploading"), (2, "Uploaded")]
    if version == "1.6":
        assert bench.status("TriggerMessage", requestedMessage="DiagnosticsStatusNotification") == "Accepted"
        assert bench.csms.wait_for("DiagnosticsStatusNotification").payload == {"status": "Idle"}
        assert bench.status("ExtendedTriggerMessage", requestedMessage="LogStatusNotification") == "Accepted"
        assert bench.csms.wait_for("LogStatusNotification", 5).payload == {"status": "Uploaded", "requestId": 2}


@each_version
@pytest.mark.parametrize("signed", [False, True])
def test_firmware(make: Make, version: str, signed: bool) -> None:
    bench = make(version)
    bench.charge()
    later = format_time(bench.station.now() + timedelta(seconds=30))
    if version == "1.6" and not signed:
        action = "FirmwareStatusNotification"
        assert bench.ask("UpdateFirmware", location="ftp://x/f", retrieveDate=later) == {}
        expected = ["Downloading", "Downloaded", "Installing", "Installed"]
    else:
        firmware = {"location": "ftp://x/f", "retrieveDateTime": later}
        if version == "1.6":
            firmware |= {"signingCertificate": "x", "signature": "x"}
            action = "SignedFirmwareStatusNotification"
            assert bench.status("SignedUpdateFirmware", requestId=8, firmware=firmware) == "Accepted"
        else:
            action = "FirmwareStatusNotification"
            assert bench.status("UpdateFirmware", requestId=8, firmware=firmware) == "Accepted"
        expected = ["DownloadScheduled", "Downloading", "Downloaded", "Installing", "InstallRebooting", "Installed"]
    wait_for(lambda: bench.station.maintenance.firmware.is_under_way)
    bench.until(lambda: statuses(bench, action)[-1:] == ["Downloaded"])
    bench.station.stop()
    bench.until(lambda: statuses(bench, action)[-1:] == ["Installed"])
    assert statuses(bench, action) == expected
    boot = bench.sent("BootNotification")[-1]
    assert (boot if version == "1.6" else boot["chargingStation"])["firmwareVersion"] == "2.0.0"
    if version != "1.6":
        assert boot["reason"] == "FirmwareUpdate"


def test_an_update_takes_the_place_of_another(make: Make) -> None:
    bench = make("2.0.1")
    firmware = {"location": "ftp://x/f", "retrieveDateTime": format_time(bench.station.now())}
    assert bench.status("UpdateFirmware", requestId=1, firmware=firmware) == "Accepted"
    bench.until(lambda: statuses(bench, "FirmwareStatusNotification") == ["Downloading"])
    assert bench.status("UpdateFirmware", requestId=2, firmware=firmware) == "AcceptedCanceled"
    bench.until(lambda: statuses(bench, "FirmwareStatusNotification")[-1:] == ["Installed"])
    told = [(payload["requestId"], payload["status"]) for payload in bench.sent("FirmwareStatusNotification")]
    assert [number for number, _ in told] == sorted(number for number, _ in told)
    assert [number for number, status in told if status == "Installed"] == [2]


# --- Meters


@each_version
def test_values_by_the_clock_on_the_wall(make: Make, version: str) -> None:
    bench = make(version)
    assert bench.setting("sample interval", "0") == "Accepted"
    assert bench.setting("aligned interval", "900") == "Accepted"
    bench.until(lambda: bench.sent("MeterValues"))
    value = bench.sent("MeterValues")[0]["meterValue"][0]
    assert value["sampledValue"][0]["context"] == "Sample.Clock"
    bench.charge()
    bench.csms.clear()
    if version == "1.6":
        bench.until(lambda: bench.sent("MeterValues"))
        assert "transactionId" in bench.sent("MeterValues")[0]
    else:
        bench.until(lambda: bench.sent("TransactionEvent"))
        assert bench.sent("TransactionEvent")[0]["triggerReason"] == "MeterValueClock"
    assert bench.setting("aligned interval", "0") == "Accepted"


def test_nothing_is_measured_if_nobody_wants_to_know(make: Make) -> None:
    bench = make("1.6")
    bench.setting("sampled measurands", "")
    bench.setting("aligned measurands", "")
    assert bench.status("TriggerMessage", requestedMessage="MeterValues") == "Accepted"
    assert bench.status("TriggerMessage", requestedMessage="Heartbeat") == "Accepted"
    bench.csms.wait_for("Heartbeat")
    assert bench.sent("MeterValues") == []


@each_version
@pytest.mark.parametrize("power", [3_700.0, 11_000.0, 150_000.0])
def test_every_measurand(make: Make, version: str, power: float) -> None:
    bench = make(version, power=power)
    assert bench.setting("sampled measurands", ",".join(MEASURANDS)) == "Accepted"
    bench.charge(dc_power=100_000.0)
    action = "MeterValues" if version == "1.6" else "TransactionEvent"
    bench.csms.clear()
    bench.until(lambda: bench.sent(action))
    sampled = bench.sent(action)[0]["meterValue"][0]["sampledValue"]
    assert {value["measurand"] for value in sampled} == set(MEASURANDS)
    phases = {3_700.0: 1, 11_000.0: 3, 150_000.0: 0}[power]
    assert sum("phase" in value for value in sampled) == 2 * phases
    assert bench.station.errors == {}


def test_the_curve_of_a_battery() -> None:
    supply = Supply.of(22_000)
    car = Car(**CAR)
    assert car.wanted(supply, 0) < 500 < car.wanted(supply, 15) < car.wanted(supply, 60) == 11_000
    car.soc = 90
    assert car.wanted(supply, 600) == 5_500
    car.soc = 100
    assert car.wanted(supply, 600) == 0
    car = Car(**CAR, target=40.0)
    assert charge(car, supply, 22_000, 0, 36_000) == pytest.approx(12_000)
    assert car.is_full
    assert Car(**{**CAR, "ac_power": 22_000.0}).wanted(Supply.of(7_000), 60) == 7_400
    assert Car(**CAR).wanted(Supply.of(150_000), 60) == 120_000
