"""How to test a controller: pytest with the fixtures of ocpp_sync, which are there as soon as it is installed.

python3 -m pytest test_a_controller.py                                                    in a folder of your own
python3 -m pytest -p ocpp_sync.testing.plugin examples/test_a_controller.py               in a clone of ocpp_sync

The fixtures bring a CSMS of their own, as `ocpp-sync serve` is one at the bench.
"""

from typing import Any

from ocpp_sync import OcppClient, utcnow
from ocpp_sync.testing import FakeClock, FaultyLink, OcppClientFixture, OcppServerFixture


class Controller:
    """The controller under test: a card starts a charge, and a second one stops it."""

    def __init__(self, client: OcppClient[Any]) -> None:
        self.client, self.relay_is_closed, self.transaction = client, False, 0

    def card(self, tag: str) -> None:
        """Held to the reader."""
        if self.relay_is_closed:
            self.relay_is_closed = False
            self.client.call("StopTransaction", {"transactionId": self.transaction, "meterStop": 1200, "timestamp": utcnow()}, wait=True)
        elif self.client.call("Authorize", {"idTag": tag})["idTagInfo"]["status"] == "Accepted":
            start = {"connectorId": 1, "idTag": tag, "meterStart": 0, "timestamp": utcnow()}
            self.transaction = self.client.call("StartTransaction", start)["transactionId"]
            self.relay_is_closed = True


def test_a_card_starts_and_stops(ocpp_server: OcppServerFixture, ocpp_client: OcppClientFixture) -> None:
    """The same card twice."""
    controller = Controller(ocpp_client("CP1", version="1.6"))
    controller.card("DEADBEEF")
    controller.card("DEADBEEF")
    started = ocpp_server.expect("StartTransaction", idTag="DEADBEEF")
    ocpp_server.expect("StopTransaction", transactionId=started.response["transactionId"], meterStop=lambda wh: wh > 1000)


def test_a_stolen_card_charges_nothing(ocpp_server: OcppServerFixture, ocpp_client: OcppClientFixture) -> None:
    """The CSMS knows better."""
    ocpp_server.reply("Authorize", {"idTagInfo": {"status": "Blocked"}})
    controller = Controller(ocpp_client("CP1", version="1.6"))
    controller.card("STOLEN")
    assert not controller.relay_is_closed
    ocpp_server.expect_no("StartTransaction")


def test_a_charge_survives_a_lost_link(
    ocpp_server: OcppServerFixture, ocpp_client: OcppClientFixture, faulty_link: FaultyLink, fake_clock: FakeClock
) -> None:
    """The link is back before the charge is over."""
    controller = Controller(ocpp_client("CP1", version="1.6", url=faulty_link.url, clock=fake_clock))
    controller.card("DEADBEEF")
    faulty_link.reset()
    fake_clock.advance_to("reconnect")
    controller.card("DEADBEEF")
    ocpp_server.expect("StopTransaction", meterStop=1200)
