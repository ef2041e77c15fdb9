"""Our charge point and our CSMS, with a link between them that fails: what a test of a controller does."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ocpp_sync import OcppClient, utcnow
from ocpp_sync.testing import FakeClock, FaultyLink, OcppClientFixture, OcppServerFixture

from ..support import TIMEOUT, VERSIONS, in_thread
from .links import each_version

BOOT_16: Any = {"chargePointVendor": "eParking", "chargePointModel": "NECU-T2"}
BOOT_2X: Any = {"reason": "PowerUp", "chargingStation": {"vendorName": "eParking", "model": "NECU-T2"}}
START: Any = {"connectorId": 1, "idTag": "TAG", "meterStart": 0, "timestamp": "2025-01-31T12:00:00Z"}


def stop(transaction: int, meter: int) -> Any:
    return {"transactionId": transaction, "meterStop": meter, "timestamp": "2025-01-31T13:00:00Z"}


def event(kind: str, seq: int, state: str) -> Any:
    info = {"transactionId": "T1", "chargingState": state}
    return {"eventType": kind, "timestamp": utcnow(), "triggerReason": "Authorized", "seqNo": seq, "transactionInfo": info}


@each_version
def test_a_station_boots_and_keeps_its_heart_beating(
    ocpp_server: OcppServerFixture, ocpp_client: OcppClientFixture, fake_clock: FakeClock, version: str
) -> None:
    client = ocpp_client("CP1", version=version, clock=fake_clock)
    client.boot(BOOT_16 if version == "1.6" else BOOT_2X)
    assert ocpp_server.wait_booted("CP1").version == version
    booted = ocpp_server.expect("BootNotification")
    assert booted.response["interval"] == 300
    for _ in range(3):
        assert fake_clock.advance_to("heartbeat") == 300.0
        ocpp_server.expect("Heartbeat")
    ocpp_server.expect_no("*")


def test_a_session_that_the_csms_starts_and_stops(ocpp_server: OcppServerFixture, ocpp_client: OcppClientFixture) -> None:
    client: OcppClient[Any] = ocpp_client("CP1", version="1.6")
    stopped = threading.Event()

    def start(request: Any) -> Iterator[Any]:
        yield {"status": "Accepted"}
        transaction = client.call("StartTransaction", {**START, "idTag": request["idTag"]})["transactionId"]
        assert stopped.wait(TIMEOUT)
        client.call("StopTransaction", stop(transaction, 1200))

    def end(request: Any) -> Iterator[Any]:
        yield {"status": "Accepted"}
        stopped.set()

    client.on("RemoteStartTransaction", start)
    client.on("RemoteStopTransaction", end)

    assert ocpp_server.call("RemoteStartTransaction", idTag="DRIVER") == {"status": "Accepted"}
    transaction = ocpp_server.expect("StartTransaction", idTag="DRIVER").response["transactionId"]
    assert ocpp_server.call("RemoteStopTransaction", transactionId=transaction) == {"status": "Accepted"}
    assert ocpp_server.expect("StopTransaction", transactionId=transaction, meterStop=1200).response == {}
    assert [(each.identity, each.energy) for each in ocpp_server.csms.transactions] == [("CP1", 1200)]


@pytest.mark.parametrize("version", VERSIONS[1:])
def test_a_transaction_of_2x(ocpp_server: OcppServerFixture, ocpp_client: OcppClientFixture, version: str) -> None:
    client = ocpp_client("CP1", version=version)
    for kind, seq, state in (("Started", 0, "EVConnected"), ("Updated", 1, "Charging"), ("Ended", 2, "Idle")):
        client.call("TransactionEvent", event(kind, seq, state))
    ocpp_server.expect("TransactionEvent", eventType="Started", seqNo=0)
    ocpp_server.expect("TransactionEvent", transactionInfo__chargingState="Charging", transactionInfo__transactionId="T1")
    ocpp_server.expect("TransactionEvent", eventType="Ended", transactionInfo={"stoppedReason": None})


def test_what_is_queued_arrives_in_order_when_the_link_is_back(
    ocpp_server: OcppServerFixture, ocpp_client: OcppClientFixture, faulty_link: FaultyLink, fake_clock: FakeClock, tmp_path: Path
) -> None:
    client = ocpp_client("CP1", version="1.6", url=faulty_link.url, clock=fake_clock, outbox=tmp_path / "queue.sqlite3")
    lost = threading.Event()
    client.on("close", lambda code, reason: lost.set())
    faulty_link.refuse()
    faulty_link.reset()
    assert lost.wait(TIMEOUT)
    deliveries = [client.outbox.put("StartTransaction", START), *(client.outbox.put("Heartbeat", {}) for _ in range(2))]
    faulty_link.heal()
    fake_clock.run(lambda: client.connected)
    for delivery in deliveries:
        delivery.result(TIMEOUT)
    assert [request.action for request in ocpp_server.received] == ["StartTransaction", "Heartbeat", "Heartbeat"]


def test_a_call_that_times_out(ocpp_server: OcppServerFixture, ocpp_client: OcppClientFixture, fake_clock: FakeClock) -> None:
    client = ocpp_client("CP1", version="1.6", clock=fake_clock, call_timeout=30.0)
    go_on = threading.Event()

    def slow(request: dict[str, Any]) -> dict[str, Any]:
        assert go_on.wait(TIMEOUT)
        return {"idTagInfo": {"status": "Accepted"}}

    ocpp_server.reply("Authorize", slow, once=True)
    calling = in_thread(client.call, "Authorize", {"idTag": "TAG"})
    ocpp_server.expect("Authorize")
    assert fake_clock.advance_to("answer") == 30.0
    with pytest.raises(TimeoutError, match="sent, but not answered"):
        calling.result()
    go_on.set()
    assert client.call("Authorize", {"idTag": "TAG"}, timeout=TIMEOUT)["idTagInfo"]["status"] == "Accepted"
