"""Cards, cars and the button: how a charge begins and ends."""

from __future__ import annotations

from collections.abc import Callable

from ocpp_sync.testing import Answer

from .bench import CARD, HOUR, Bench, Csms, charge


def test_plug_card_charge_card_unplug(booted: Bench, csms: Csms) -> None:
    booted.plug()
    csms.wait_state("Preparing")
    booted.cards.hold()
    assert csms.wait_for("Authorize").payload == {"idTag": CARD}
    start = csms.wait_for("StartTransaction").payload
    assert {**start, "timestamp": ""} == {"connectorId": 1, "idTag": CARD, "meterStart": 0, "timestamp": ""}
    booted.wait_closed()
    csms.wait_state("Charging")
    booted.pass_time(HOUR)
    booted.cards.hold("DEADBEEF")  # somebody else's ends nothing
    booted.cards.hold()
    booted.wait_open()
    stop = csms.wait_for("StopTransaction").payload
    assert {**stop, "timestamp": ""} == {"transactionId": 1, "meterStop": 3680, "reason": "Local", "idTag": CARD, "timestamp": ""}
    booted.unplug()
    csms.wait_state("Available")
    assert csms.states() == ["Available", "Preparing", "Charging", "Finishing", "Available"]
    assert len(csms.all("MeterValues")) == 60
    sampled = csms.all("MeterValues")[29]
    assert sampled["transactionId"] == 1
    assert [each["value"] for each in sampled["meterValue"][0]["sampledValue"]] == ["1840", "3680", "16.0", "230.0"]


def test_plug_card_charge_card_unplug_by_2_0_1(make_bench: Callable[..., Bench], csms: Csms) -> None:
    with make_bench("2.0.1").run(csms.url) as bench:
        csms.wait_state("Available")
        assert csms.all("BootNotification")[0]["reason"] == "PowerUp"
        charge(bench, csms)
        assert csms.wait_for("Authorize").payload == {"idToken": {"idToken": CARD, "type": "ISO14443"}}
        bench.pass_time(600)
        bench.cards.hold()
        ended = csms.events("Ended")[0]
        assert (ended["triggerReason"], ended["transactionInfo"]["stoppedReason"]) == ("StopAuthorized", "Local")
        assert ended["meterValue"][0]["sampledValue"][0]["value"] == 613
        events = csms.all("TransactionEvent")
        assert [each["seqNo"] for each in events] == list(range(len(events)))
        assert len({each["transactionInfo"]["transactionId"] for each in events}) == 1
        assert [each["eventType"] for each in events] == ["Started", *["Updated"] * (len(events) - 2), "Ended"]
        assert len(events) == 12
        bench.unplug()
        csms.wait_state("Available")
        assert csms.states() == ["Available", "Occupied", "Available"]


def test_the_button_starts_and_stops(bench: Bench, csms: Csms) -> None:
    with bench.run(csms.url):
        csms.wait_state("Available")
        bench.plug()
        for _ in range(2):
            bench.press()
            bench.wait_closed()
            bench.press()
            bench.wait_open()
        csms.wait_for("Authorize", 2)
        assert bench.controller.session is None


def test_who_is_not_accepted_does_not_charge(booted: Bench, csms: Csms) -> None:
    csms.script("Authorize", Answer({"idTagInfo": {"status": "Blocked"}}))
    booted.plug()
    booted.cards.hold()
    csms.wait_for("Authorize")
    booted.cards.hold("DEADBEEF")
    booted.wait_closed()
    assert [each["idTag"] for each in csms.all("Authorize")] == [CARD, "DEADBEEF"]
    assert csms.wait_for("StartTransaction").payload["idTag"] == "DEADBEEF"


def test_whoever_plugs_in_charges_by_plug_tag_unless_a_card_came_first(make_bench: Callable[..., Bench], csms: Csms) -> None:
    with make_bench(plug_tag="PLUG-1").run(csms.url) as bench:
        csms.wait_state("Available")
        bench.plug()
        bench.wait_closed()
        bench.unplug()
        csms.wait_for("StopTransaction")
        bench.cards.hold()
        csms.wait_for("Authorize", 2)
        csms.wait_state("Preparing")
        bench.plug()
        csms.wait_for("StartTransaction", 2)
        assert [each["idTag"] for each in csms.all("StartTransaction")] == ["PLUG-1", CARD]


def test_who_does_not_plug_in_is_forgotten(booted: Bench, csms: Csms) -> None:
    booted.cards.hold()
    csms.wait_state("Preparing")
    booted.pass_time(125)
    csms.wait_state("Available")
    booted.plug()
    booted.settle()
    assert not booted.pin["contactor"].state


def test_who_unplugs_ends_it(bench: Bench, csms: Csms) -> None:
    with bench.run(csms.url):
        csms.wait_state("Available")
        charge(bench, csms)
        bench.unplug()
        bench.wait_open()
        csms.wait_state("Available")


def test_a_transaction_that_is_refused_opens_the_contactor(booted: Bench, csms: Csms) -> None:
    csms.script("StartTransaction", Answer({"transactionId": 3, "idTagInfo": {"status": "ConcurrentTx"}}))
    booted.plug()
    booted.cards.hold()
    stop = csms.wait_for("StopTransaction").payload
    assert (stop["transactionId"], stop["reason"]) == (3, "DeAuthorized")
    booted.wait_open()


def test_what_the_card_reader_says_besides_is_no_card(booted: Bench, csms: Csms) -> None:
    booted.plug()
    for noise in (b"\r\n", b"ready\r\n", b"\xff\xfe\r\n", b"", b"04\r\n"):
        booted.cards.say(noise)
    booted.cards.say(b"04:a1:b2:c3\r\n")
    assert csms.wait_for("Authorize").payload == {"idTag": CARD}
    booted.wait_closed()
