"""Every action of every version, with the smallest and the largest payload, to and from the asyncio package ``ocpp``."""

from __future__ import annotations

import pytest

from ocpp_sync.schemas import actions

from ..support import TIMEOUT, Collector
from .links import OTHER, LinkMaker, OcppLink, RawLinkMaker, each_side, each_version
from .payloads import KINDS, payload, sent_by
from .peers import ocpp_package

each_kind = pytest.mark.parametrize("kind", KINDS)

# A SEND, which the package does not know. It has its own tests below.
NOT_IN_OCPP = {"1.6": set[str](), "2.0.1": set[str](), "2.1": {"NotifyPeriodicEventStream"}}

# What may go through the package's layer of messages instead of its classes.
BY_MESSAGES = {
    # The class demands a field that is optional, or fills it in.
    "1.6": "LogStatusNotification SecurityEventNotification SendLocalList SignedFirmwareStatusNotification",
    "2.0.1": "",
    # The same, or the renaming loses something: limit_L2 becomes limitL2, iso15118SchemaVersion iso15118schemaVersion, soC SoC.
    "2.1": """Authorize BatterySwap Get15118EVCertificate GetCompositeSchedule NotifyChargingLimit NotifyCustomerInformation
        NotifyDisplayMessages NotifyEVChargingNeeds NotifyEVChargingSchedule NotifyEvent NotifyMonitoringReport NotifyReport
        NotifySettlement PullDynamicScheduleUpdate ReportChargingProfiles ReportDERControl RequestStartTransaction SetChargingProfile
        SetDERControl TransactionEvent UpdateDynamicSchedule""",
}


def carry_over(link: OcppLink, version: str, side: str, kind: str, *, ours: bool) -> None:
    """Every action that a side sends, once."""
    for action in sent_by(version, side):
        request, response = payload(version, action, kind), payload(version, action, kind, response=True)
        if ours:
            link.peer.respond(action, response)
            assert link.ours.call(action, request) == response, action
            assert link.peer.requests.get(timeout=TIMEOUT) == (action, request)
        else:
            handler = link.ours.on(action, Collector(response))
            answer = link.peer.call_and_wait(action, request)
            assert answer[0::2] == [3, response], (action, answer)
            assert handler.next() == (request,)
    assert {action for action, _ in link.peer.by_messages} <= set(BY_MESSAGES[version].split())


@each_version
@each_kind
@each_side
def test_b5_every_action_that_we_send(ocpp_link: LinkMaker, side: str, kind: str, version: str) -> None:
    carry_over(ocpp_link(side, version), version, side, kind, ours=True)


@each_version
@each_kind
@each_side
def test_b5_every_action_that_is_sent_to_us(ocpp_link: LinkMaker, side: str, kind: str, version: str) -> None:
    carry_over(ocpp_link(side, version), version, OTHER[side], kind, ours=False)


@each_version
def test_no_action_is_left_out(version: str) -> None:
    package = ocpp_package(version)
    assert {name for name in actions(version) if not hasattr(package.call, name)} == NOT_IN_OCPP[version]
    assert {*sent_by(version, "CS"), *sent_by(version, "CSMS")} == set(actions(version)) - NOT_IN_OCPP[version]


# --- the SEND of 2.1 (B17)

STREAM = "NotifyPeriodicEventStream"


@each_kind
def test_b17_the_send_of_a_charge_point(raw_link: RawLinkMaker, kind: str) -> None:
    link = raw_link("CS", "2.1")
    link.ours.send(STREAM, payload("2.1", STREAM, kind))
    number, message_id, *rest = link.raw.receive()
    assert (number, rest) == (6, [STREAM, payload("2.1", STREAM, kind)])
    assert 0 < len(message_id) <= 36
    link.check()


@each_kind
def test_b17_the_send_of_a_charge_point_is_handled_and_not_answered(raw_link: RawLinkMaker, kind: str) -> None:
    link = raw_link("CSMS", "2.1")
    handler = link.ours.on(STREAM, Collector())
    link.raw.send([6, "a", STREAM, payload("2.1", STREAM, kind)])
    assert handler.next() == (payload("2.1", STREAM, kind),)
    link.check()
