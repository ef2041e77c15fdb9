"""What type checkers must take; it is not run. ``tests/test_typing.py`` checks it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from typing_extensions import assert_type

from ocpp_sync import CallError, OcppClient, OcppClientConnection, OcppServer
from ocpp_sync.testing import FakeClock, OcppClientFixture, OcppServerFixture, ReceivedRequest
from ocpp_sync.typed import Version
from ocpp_sync.types import v16, v21, v201

# --- The version decides what call() takes and returns

client16 = OcppClient("CP1", version="1.6")
client201 = OcppClient("CP1", version="2.0.1")
client21 = OcppClient("CP1", version="2.1", call_timeout=None, validation={"in": "warn"})
assert_type(client16, OcppClient[Literal["1.6"]])
assert_type(OcppClient("CP1"), OcppClient[Literal["2.0.1"]])

boot16 = client16.call("BootNotification", {"chargePointVendor": "eParking", "chargePointModel": "NECU-T2"})
assert_type(boot16, v16.BootNotificationResponse)
assert_type(boot16["status"], Literal["Accepted", "Pending", "Rejected"])
assert_type(boot16["interval"], int)
boot201 = client201.call("BootNotification", {"chargingStation": {"vendorName": "x", "model": "y"}, "reason": "PowerUp"}, timeout=5)
assert_type(boot201, v201.BootNotificationResponse)
assert_type(client21.call("VatNumberValidation", {"vatNumber": "1"}), v21.VatNumberValidationResponse)
assert_type(client16.call("Heartbeat"), v16.HeartbeatResponse)
assert_type(client16.call("Heartbeat", {}, wait=True), v16.HeartbeatResponse)
client201.call("Heartbeat", {"customData": {"vendorId": "x", "of their own": [1, 2]}})
client21.send("NotifyPeriodicEventStream", {"data": [{"t": 0.5, "v": "1"}], "id": 1, "pending": 0, "basetime": ""})

with OcppClient("CP1", version="1.6").connect("ws://localhost/") as connected:
    assert_type(connected.call("Heartbeat"), v16.HeartbeatResponse)

# --- The same as functions

assert_type(client16.api.BootNotification(chargePointVendor="x", chargePointModel="y", timeout=5), v16.BootNotificationResponse)
assert_type(client16.api.Heartbeat(wait=True), v16.HeartbeatResponse)
client201.api.BootNotification(chargingStation={"vendorName": "x", "model": "y"}, reason="PowerUp")
client21.api.NotifyPeriodicEventStream(data=[{"t": 0.5, "v": "1"}], id=1, pending=0, basetime="")

# --- A payload that is a variable is annotated

request: v16.StatusNotificationRequest = {"connectorId": 1, "errorCode": "NoError", "status": "Available"}
client16.call("StatusNotification", request)
client16.api.StatusNotification(**request)


def meter_values() -> v16.MeterValuesRequest:
    return {"connectorId": 1, "meterValue": [{"timestamp": "", "sampledValue": [{"value": "1", "unit": "Wh"}]}]}


client16.call("MeterValues", meter_values())

# --- Handlers


@client16.on("Reset")
def reset(request: v16.ResetRequest) -> v16.ResetResponse:
    return {"status": "Accepted" if request["type"] == "Soft" else "Rejected"}


@client16.on("ChangeAvailability")
def change(request: v16.ChangeAvailabilityRequest) -> Iterator[v16.ChangeAvailabilityResponse]:
    yield {"status": "Scheduled"}
    client16.call("Heartbeat")


@client16.on("UpdateFirmware")
def update(request: v16.UpdateFirmwareRequest) -> None:
    pass


@client16.on("RemoteStartTransaction")
def start(request: dict[str, Any]) -> Iterator[dict[str, str]]:
    yield {"status": "Accepted"}


@client16.on("TriggerMessage")
def without_annotations(request):  # type: ignore[no-untyped-def]
    return {"status": "Accepted"}


client16.on("ClearCache", lambda request: {"status": "Accepted"})
client16.on("Reset", lambda request: {"status": "Accepted" if request["type"] == "Hard" else "Rejected"})
client201.on("GetVariables", lambda request: {"getVariableResult": []})


@client16.on("close")
def closed(code: int, reason: str) -> None:
    pass


client16.on("connect", lambda: None)
client16.on("*", lambda action, request: {})

# --- A version that is chosen at run time: plain dicts


def chosen(version: str, versions: list[str], payload: dict[str, Any], typed: v16.ResetRequest) -> None:
    client = OcppClient("CP1", version=version)
    assert_type(client, OcppClient[Version])
    assert_type(client.call("BootNotification", {"anything": 1}), dict[str, Any])
    assert_type(OcppClient("CP1", version=versions).call("BootNotification", payload), dict[str, Any])
    assert_type(OcppClient("CP1", version=["2.1", "2.0.1"]).call("Heartbeat"), dict[str, Any])
    client.on("Reset", lambda request: {"status": "Accepted"})
    client.call("Reset", typed)
    assert_type(client.api.BootNotification(anything=1), dict[str, Any])

    @client.on("Reset")
    def reset(request: dict[str, Any]) -> dict[str, Any]:
        return {"status": request["type"]}

    assert_type(reset({})["status"], Any)


def any_client(client: OcppClient) -> dict[str, Any]:
    return client.call("Heartbeat")


any_client(client16)
any_client(OcppClient("CP1", version=["1.6"]))


class Station(OcppClient):
    def start(self) -> dict[str, Any]:
        return self.call("BootNotification", {"chargePointVendor": "x"})


Station("CP1", version="1.6").start()


class Station16(OcppClient[Literal["1.6"]]):
    def start(self) -> v16.HeartbeatResponse:
        return self.call("Heartbeat")


Station16("CP1", version="1.6").start()

# --- The server's side


def serve(server: OcppServer, charge_point: OcppClientConnection, version: str) -> None:
    known = server.wait_for("CP1", version="1.6")
    assert_type(known, OcppClientConnection[Literal["1.6"]])
    assert_type(known.call("Reset", {"type": "Soft"}), v16.ResetResponse)
    assert_type(server.wait_for("CP1", 5.0, version="2.0.1").call("Reset", {"type": "Immediate"}), v201.ResetResponse)
    assert_type(known.api.Reset(type="Soft"), v16.ResetResponse)
    server.wait_for("CP1", version="2.1").api.NotifyWebPaymentStarted(evseId=1, timeout=60, timeout_=5.0)
    assert_type(charge_point.api.Reset(type="Soft"), dict[str, Any])
    assert_type(server.wait_for("CP1").call("Reset", {"type": "Soft"}), dict[str, Any])
    assert_type(charge_point.call("Reset", {"type": "Soft"}), dict[str, Any])
    known.on("StartTransaction", lambda request: {"transactionId": request["meterStart"], "idTagInfo": {"status": "Accepted"}})

    @server.on("BootNotification")
    def boot(charge_point: OcppClientConnection, request: dict[str, Any]) -> dict[str, Any]:
        return {"status": "Accepted", "currentTime": "", "interval": 300}


# --- The fixtures of the pytest plug-in


def test_a_controller(ocpp_server: OcppServerFixture, ocpp_client: OcppClientFixture, fake_clock: FakeClock) -> None:
    assert_type(ocpp_client("CP1", version="1.6", clock=fake_clock), OcppClient[Literal["1.6"]])
    assert_type(ocpp_client(version="2.1", connect=False), OcppClient[Literal["2.1"]])
    assert_type(ocpp_client("CP1"), OcppClient[Version])
    assert_type(ocpp_server.expect("Heartbeat", {"timeout": 1}, identity="CP1", timeout=5, any_order=True, seqNo=int), ReceivedRequest)
    assert_type(ocpp_server.expect("StartTransaction").response["transactionId"], Any)
    assert_type(ocpp_server.wait_for("CP1"), OcppClientConnection[Version])
    assert_type(ocpp_server.call("Reset", type="Soft"), dict[str, Any])
    ocpp_server.reply("Authorize", {"idTagInfo": {"status": "Blocked"}}, once=True)
    ocpp_server.reply("Authorize", [CallError("InternalError"), lambda request: {"idTagInfo": {"status": request["idTag"]}}])
    ocpp_server.reply("Authorize", None)
    ocpp_server.allow_invalid = True
