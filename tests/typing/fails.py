"""What type checkers must not take; it is not run. ``tests/test_typing.py`` compares their errors with the comments."""

from __future__ import annotations

from typing import Any, Literal

from ocpp_sync import OcppClient, OcppClientConnection, OcppServer
from ocpp_sync.types import v16, v21, v201

client16 = OcppClient("CP1", version="1.6")
client201 = OcppClient("CP1")
client21 = OcppClient("CP1", version="2.1")

client16.call("BootNotificaton", {"chargePointVendor": "x", "chargePointModel": "y"})  # error: unknown action
client16.call("TransactionEvent", {})  # error: an action of another version
client16.call("Reset", {"type": "Soft"})  # error: the other side sends it
client16.call("BootNotification", {"chargePointVendor": "x"})  # error: a field is missing
client16.call("BootNotification")  # error: all fields are missing
client16.call("BootNotification", {"chargePointVendor": "x", "chargePointModel": "y", "model": "z"})  # error: unknown field
client16.call("BootNotification", {"chargePointVendor": "x", "chargePointModel": 1})  # error: wrong type
client16.call("StatusNotification", {"connectorId": 1, "errorCode": "NoErr", "status": "Available"})  # error: wrong literal
client201.call("BootNotification", {"chargingStation": {"vendorName": "x"}, "reason": "PowerUp"})  # error: nested field is missing
client201.call("BootNotification", {"chargePointVendor": "x", "chargePointModel": "y"})  # error: fields of 1.6
client21.call("Heartbeat", {"status": "x"})  # error: unknown field
client21.call("NotifyPeriodicEventStream", {"data": [], "id": 1, "pending": 0, "basetime": ""})  # error: a SEND
client21.send("Heartbeat", {})  # error: no SEND
client16.send("Heartbeat", {})  # error: 1.6 has none
client16.call("Heartbeat", wait="yes")  # error: wrong option
client16.call("Heartbeat")["time"]  # error: not a field of the response
answer: v201.HeartbeatResponse = client201.call("Authorize", {"idToken": {"idToken": "", "type": "Local"}})  # error: another response
boot = client16.call("BootNotification", {"chargePointVendor": "x", "chargePointModel": "y"})
status: Literal["Accepted"] = boot["status"]  # error: it may be another one

client16.api.BootNotificaton(chargePointVendor="x", chargePointModel="y")  # error: unknown action
client16.api.TransactionEvent()  # error: an action of another version
client16.api.Reset(type="Soft")  # error: the other side sends it
client16.api.BootNotification(chargePointVendor="x")  # error: a field is missing
client16.api.BootNotification(chargePointVendor="x", chargePointModel="y", model="z")  # error: unknown field
client16.api.BootNotification(chargePointVendor="x", chargePointModel=1)  # error: wrong type
client16.api.BootNotification({"chargePointVendor": "x", "chargePointModel": "y"})  # error: fields are arguments
client16.api.StatusNotification(connectorId=1, errorCode="NoErr", status="Available")  # error: wrong literal
client201.api.BootNotification(chargingStation={"vendorName": "x"}, reason="PowerUp")  # error: nested field is missing
client21.api.NotifyPeriodicEventStream(data=[], id="1", pending=0, basetime="")  # error: wrong type
client21.api.NotifyPeriodicEventStream(data=[], id=1, pending=0, basetime="", timeout=5)  # error: a SEND has no such option
client16.api.Heartbeat(wait="yes")  # error: wrong option
client16.api.Heartbeat()["time"]  # error: not a field of the response

# A variable without annotation is a plain dict, of which nothing is known.
payload = {"chargePointVendor": "x", "chargePointModel": "y"}
client16.call("BootNotification", payload)  # error: annotate it: v16.BootNotificationRequest

OcppClient("CP1", version="1.6", call_timeot=5)  # error: unknown option
OcppClient("CP1", version="1.6", call_timeout="5")  # error: wrong type of an option
other: OcppClient[Literal["2.0.1"]] = client16  # error: another version


@client16.on("Reset")  # error: the response of another action
def reset(request: v16.ResetRequest) -> v16.HeartbeatResponse:
    return {"currentTime": ""}


@client16.on("Reset")  # error: the request of another version
def reset_201(request: v201.ResetRequest) -> v16.ResetResponse:
    return {"status": "Accepted"}


@client16.on("Reset")  # error: a plain request does not make the response right
def plain(request: dict[str, Any]) -> v16.HeartbeatResponse:
    return {"currentTime": ""}


@client16.on("Heartbeat")  # error: the other side handles it
def heartbeat(request: v16.HeartbeatRequest) -> v16.HeartbeatResponse:
    return {"currentTime": ""}


def plain_reset(request: dict[str, Any]) -> dict[str, Any]:
    return {"status": "Accepted"}


client16.on("Reset", plain_reset)  # error: only the decorator takes plain dicts
client16.on("Reset", lambda request: {"status": "OK"})  # error: wrong literal
client16.on("Reset", lambda request: {"status": "Accepted" if request["kind"] else "Rejected"})  # error: unknown field
client16.on("Reset", lambda request: None)  # error: the response has fields that must be there
client16.on("BootNotification", lambda request: {})  # error: the other side handles it
client16.on("Rset", lambda request: {"status": "Accepted"})  # error: unknown action


def take(request: v201.ResetRequest) -> v201.ResetResponse:
    return {"status": "OK"}  # error: wrong literal


client16.on("Reset", take)  # error: a handler of another version


def serve(server: OcppServer, charge_point: OcppClientConnection[Literal["2.1"]], version: str) -> None:
    known = server.wait_for("CP1", version="1.6")
    known.call("Reset", {"type": "Immediate"})  # error: a literal of another version
    known.call("BootNotification", {"chargePointVendor": "x", "chargePointModel": "y"})  # error: the other side sends it
    known.api.Reset(type="Immediate")  # error: a literal of another version
    known.api.Reset(type="Soft", wait=True)  # error: an option of the client
    known.api.BootNotification()  # error: the other side sends it
    charge_point.api.Reset(type="Soft")  # error: a literal of another version
    known.on("Heartbeat", lambda request: {"currentTime": 1})  # error: wrong type
    charge_point.call("Reset", {"type": "Soft"})  # error: a literal of another version
    charge_point.send("Reset", {"type": "OnIdle"})  # error: the CSMS sends none
    server.wait_for("CP1", version="1.5")  # error: unknown version


def chosen(client: OcppClient, server: OcppServer) -> v21.ResetResponse:
    client.call(1, {})  # error: no action
    return server.wait_for("CP1").call("Reset", {})  # error: of an unknown version it is a plain dict
