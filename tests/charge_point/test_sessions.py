"""Cards, cars and the button: how a charge begins and ends."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest

from ocpp_sync.testing import Answer

from ..support import wait_until
from .bench import CARD, HOUR, VERSIONS, Bench, Csms, busy, charge


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


@pytest.mark.parametrize("how", ["stop", "failed"])
def test_a_car_that_was_there_before_the_start_does_not_charge_by_plug_tag(
    how: str, make_bench: Callable[..., Bench], csms: Csms, caplog: pytest.LogCaptureFixture
) -> None:
    bench = make_bench(plug_tag="PLUG-1")
    with bench.run(csms.url, how):
        csms.wait_state("Available")
        bench.plug()
        bench.wait_closed()
        csms.wait_state("Charging")
        if how == "failed":
            bench.controller.guard.failed("work", LookupError("a bug"))
        else:
            bench.controller.stop()
        bench.wait_open()
        csms.wait_for("StopTransaction")
    caplog.clear()
    caplog.set_level(logging.INFO, "charge_point")
    with bench.run(csms.url):
        csms.wait_for("BootNotification", 2)
        assert wait_until(lambda: "link-lost has ended" in caplog.text)  # and so the CSMS could be asked
        csms.wait_state("Preparing")
        bench.settle()
        assert not bench.pin["contactor"].state
        assert bench.controller.session is None
        bench.unplug()
        csms.wait_state("Available")
        bench.plug()
        bench.wait_closed()
        csms.wait_for("StartTransaction", 2)
        assert len(csms.all("Authorize")) == 2


def test_a_button_that_is_pressed_to_end_what_a_card_has_just_ended_begins_nothing(booted: Bench, csms: Csms) -> None:
    charge(booted, csms)
    csms.wait_state("Charging")
    with busy(booted.controller):
        booted.cards.hold()
        booted.cards.wait_read()
        booted.press()
    csms.wait_state("Finishing")
    booted.settle()
    assert not booted.pin["contactor"].state
    assert booted.controller.session is None
    assert booted.controller.driver is None
    booted.press()  # now it is meant
    booted.wait_closed()
    assert [each["idTag"] for each in csms.all("Authorize")] == [CARD, "BUTTON-1"]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("token", [None, {"status": "Nonsense"}, {}, {"status": "Accepted", "{expiry}": "soon"}])
def test_an_answer_that_is_not_valid_lets_nobody_charge_and_ends_nothing(
    version: str, token: dict[str, Any] | None, make_bench: Callable[..., Bench], csms: Csms
) -> None:
    wrapper, expiry = ("idTagInfo", "expiryDate") if version == "1.6" else ("idTokenInfo", "cacheExpiryDateTime")
    answer = {} if token is None else {wrapper: {key.format(expiry=expiry): value for key, value in token.items()}}
    with make_bench(version).run(csms.url) as bench:
        csms.wait_state("Available")
        csms.script("Authorize", Answer(answer))
        bench.plug()
        bench.cards.hold()
        csms.wait_for("Authorize")
        bench.cards.hold("DEADBEEF")
        csms.wait_for("Authorize", 2)
        bench.wait_closed()
        bench.settle()
        assert bench.controller.session is not None
        assert bench.controller.session.tag == "DEADBEEF"


def test_ones_own_card_ends_the_charge_whatever_its_case(booted: Bench, csms: Csms) -> None:
    booted.plug()
    assert csms.ask("RemoteStartTransaction", idTag=CARD.lower()) == {"status": "Accepted"}
    booted.wait_closed()
    booted.cards.hold()
    booted.wait_open()
    assert csms.wait_for("StopTransaction").payload["reason"] == "Local"


def test_ones_own_card_is_a_change_of_mind_whatever_its_case(booted: Bench, csms: Csms) -> None:
    assert csms.ask("RemoteStartTransaction", idTag=CARD.lower()) == {"status": "Accepted"}
    csms.wait_state("Preparing")
    booted.cards.hold()
    csms.wait_state("Available")
    assert booted.controller.driver is None


@pytest.mark.parametrize(
    ("version", "states"),
    [
        ("1.6", ["Available", "Preparing", "Charging", "Finishing", "Charging", "Finishing", "Available", "Preparing"]),
        ("2.0.1", ["Available", "Occupied", "Available", "Occupied"]),
    ],
)
def test_a_car_that_has_charged_is_finishing_until_it_leaves_or_charges_again(
    version: str, states: list[str], make_bench: Callable[..., Bench], csms: Csms
) -> None:
    with make_bench(version).run(csms.url) as bench:
        csms.wait_state("Available")
        for _ in range(2):
            charge(bench, csms)
            bench.cards.hold()
            bench.wait_open()
            bench.settle()
            assert bench.controller.state == "Finishing"
        bench.unplug()
        csms.wait_until(lambda it: csms.states() == states[:-1])
        bench.plug()
        csms.wait_until(lambda it: csms.states() == states)
