"""CALLERRORs and calls without an answer, to and from the asyncio package ``ocpp``."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from ocpp.exceptions import OCPPError

from ocpp_sync import CallError, CallTimeout

from ..support import TIMEOUT, in_thread
from .links import ACTION, CODES, REQUEST, LinkMaker, a_request, a_response, each_side, each_version

SHORT = 0.1  # seconds until a call gives up that is never answered

RESPELT = [("FormationViolation", "FormatViolation"), ("OccurenceConstraintViolation", "OccurrenceConstraintViolation")]


def raising(error: Exception) -> Any:
    def handler(request: dict[str, Any]) -> None:
        raise error

    return handler


# --- CALLERROR (B5, B10, B11)


@each_version
@each_side
def test_b10_b11_each_code_arrives_as_the_peer_sent_it(ocpp_link: LinkMaker, side: str, version: str) -> None:
    link = ocpp_link(side, version)
    for code in [*CODES[version], "OfNoVersion"]:
        error = OCPPError(f"about {code}", {"deep": [1, {"a": None}]})
        error.code = code
        link.peer.respond(ACTION, raising(error))
        with pytest.raises(CallError) as caught:
            link.ours.call(ACTION, REQUEST)
        assert (caught.value.code, caught.value.description, caught.value.details) == (code, error.description, error.details)
    link.check()


@each_version
@each_side
def test_b10_b11_each_code_reaches_the_peer_as_we_sent_it(ocpp_link: LinkMaker, side: str, version: str) -> None:
    link = ocpp_link(side, version)
    for code in [*CODES[version], "OfNoVersion"]:
        details = {"deep": [1, {"a": None}]}
        link.ours.on(ACTION, raising(CallError(code, f"about {code}", details)))
        number, _, *rest = link.peer.call_and_wait(ACTION, REQUEST)
        assert (number, rest) == (4, [code, f"about {code}", details])
    link.check()


@each_version
@each_side
def test_b10_b11_a_code_of_another_version_is_respelt(ocpp_link: LinkMaker, side: str, version: str) -> None:
    link = ocpp_link(side, version)
    for code_16, code_2x in RESPELT:
        for code in (code_16, code_2x):
            link.ours.on(ACTION, raising(CallError(code)))
            expected = code_16 if version == "1.6" else code_2x
            assert link.peer.call_and_wait(ACTION, REQUEST)[2:] == [expected, "", {}]
    link.check()


@each_version
@each_side
def test_b13_a_long_description_is_cut_for_2x(ocpp_link: LinkMaker, side: str, version: str) -> None:
    link = ocpp_link(side, version)
    link.ours.on(ACTION, raising(CallError("GenericError", "é" * 300)))
    length = 300 if version == "1.6" else 255
    assert link.peer.call_and_wait(ACTION, REQUEST)[2:] == ["GenericError", "é" * length, {}]
    link.check()


@pytest.mark.ocpp_server(allow_failures=True)
@each_version
@each_side
def test_b5_an_exception_of_a_handler_reaches_the_peer_without_its_text(ocpp_link: LinkMaker, side: str, version: str) -> None:
    link = ocpp_link(side, version)
    link.ours.on(ACTION, raising(RuntimeError("secret")))
    answer = link.peer.call_and_wait(ACTION, REQUEST)
    assert answer[0::2] == [4, "InternalError", {}]
    assert "secret" not in str(answer)
    link.check()


@each_version
@each_side
def test_b5_what_the_peer_says_to_an_invalid_request(ocpp_link: LinkMaker, side: str, version: str) -> None:
    link = ocpp_link(side, version, validation={"out": "off"})
    link.peer.respond(ACTION, a_response(""))
    for invalid in ({}, {"vendorId": 1}, {"vendorId": "x" * 256}, {**REQUEST, "extra": 1}):
        with pytest.raises(CallError) as caught:
            link.ours.call(ACTION, invalid)
        assert caught.value.code in CODES[version]
    link.check()


# --- no answer in time (B4)


@each_version
@each_side
def test_b4_a_peer_that_never_answers(ocpp_link: LinkMaker, side: str, version: str) -> None:
    link = ocpp_link(side, version)
    link.peer.silent = True
    for _ in range(2):
        with pytest.raises(CallTimeout) as caught:
            link.ours.call(ACTION, REQUEST, timeout=SHORT)
        assert caught.value.sent
        assert caught.value.elapsed >= SHORT
    link.check()


@each_version
@each_side
def test_b4_b16_a_peer_that_answers_too_late(ocpp_link: LinkMaker, side: str, version: str) -> None:
    link = ocpp_link(side, version)
    released = threading.Event()

    async def late(request: dict[str, Any]) -> dict[str, Any]:
        await asyncio.get_running_loop().run_in_executor(None, released.wait, TIMEOUT)
        return a_response("late")

    link.peer.respond(ACTION, late)
    with pytest.raises(CallTimeout):
        link.ours.call(ACTION, a_request("1"), timeout=SHORT)
    link.peer.respond(ACTION, a_response("in time"))
    # The package reads nothing more until its handler has come back, so the late answer goes first.
    following = in_thread(link.ours.call, ACTION, a_request("2"), timeout=TIMEOUT)
    released.set()
    assert following.result() == a_response("in time")
    link.check()


@each_version
@each_side
def test_b4_the_calls_that_wait_go_on_without_the_one_that_is_not_answered(ocpp_link: LinkMaker, side: str, version: str) -> None:
    link = ocpp_link(side, version)
    link.peer.silent = True
    first = in_thread(link.ours.call, ACTION, a_request("1"), timeout=SHORT)
    assert link.peer.requests.get(timeout=TIMEOUT) == (ACTION, a_request("1"))
    following = [in_thread(link.ours.call, ACTION, a_request("2")) for _ in range(3)]
    link.peer.respond(ACTION, a_response("2"))
    link.peer.silent = False
    with pytest.raises(CallTimeout):
        first.result()
    assert [call.result() for call in following] == [a_response("2")] * 3
    link.check()


@each_version
@each_side
def test_b4_a_peer_that_gives_up_on_us(ocpp_link: LinkMaker, side: str, version: str) -> None:
    link = ocpp_link(side, version)
    entered, released = threading.Event(), threading.Event()

    def slow(request: dict[str, Any]) -> dict[str, Any]:
        entered.set()
        assert released.wait(TIMEOUT)
        return a_response("late")

    link.ours.on(ACTION, slow)
    link.peer._response_timeout = SHORT
    given_up = link.peer.start_call(ACTION, REQUEST)
    assert entered.wait(TIMEOUT)
    assert isinstance(given_up.exception(TIMEOUT), asyncio.TimeoutError)
    link.peer._response_timeout = TIMEOUT
    released.set()
    link.check()
