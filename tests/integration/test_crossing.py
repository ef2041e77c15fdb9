"""Calls of both sides at the same time, and handlers that call back, with the asyncio package ``ocpp`` on the other side."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from ocpp_sync import CallTimeout

from ..support import TIMEOUT, in_thread
from .links import ACTION, REQUEST, LinkMaker, OcppLink, a_request, a_response, each_side, each_version


async def wait_for(event: threading.Event) -> None:
    """Wait in an event loop for what a thread says."""
    assert await asyncio.get_running_loop().run_in_executor(None, event.wait, TIMEOUT)


@each_version
@each_side
def test_b3_two_calls_that_cross(ocpp_link: LinkMaker, side: str, version: str) -> None:
    link = ocpp_link(side, version)
    at_ours, at_theirs = threading.Event(), threading.Event()

    def ours(request: dict[str, Any]) -> dict[str, Any]:
        at_ours.set()
        assert at_theirs.wait(TIMEOUT)  # so both calls are out before either is answered
        return a_response("ours")

    async def theirs(request: dict[str, Any]) -> dict[str, Any]:
        at_theirs.set()
        await wait_for(at_ours)
        return a_response("theirs")

    link.ours.on(ACTION, ours)
    link.peer.respond(ACTION, theirs)
    for _ in range(10):
        at_ours.clear()
        at_theirs.clear()
        call = link.peer.start_call(ACTION, REQUEST)
        assert link.ours.call(ACTION, REQUEST, timeout=TIMEOUT) == a_response("theirs")
        assert call.result(TIMEOUT)[2] == a_response("ours")
    link.check()


@each_version
@each_side
def test_our_handler_calls_back_before_it_answers(ocpp_link: LinkMaker, side: str, version: str) -> None:
    link = ocpp_link(side, version)
    link.ours.on(ACTION, lambda request: link.ours.call(ACTION, request, timeout=TIMEOUT))
    link.peer.respond(ACTION, lambda request: a_response(request["data"]))
    for number in range(5):
        assert link.peer.call_and_wait(ACTION, a_request(f"{number}"))[2] == a_response(f"{number}")
    link.check()


@each_version
@each_side
def test_the_peers_handler_calls_back_before_it_answers(ocpp_link: LinkMaker, side: str, version: str) -> None:
    link = ocpp_link(side, version)

    async def call_back(request: dict[str, Any]) -> Any:
        return (await link.peer.exchange(ACTION, a_request(request["data"])))[2]

    link.peer.concurrent = True
    link.peer.respond(ACTION, call_back)
    link.ours.on(ACTION, lambda request: a_response(request["data"]))
    for number in range(5):
        assert link.ours.call(ACTION, a_request(f"{number}"), timeout=TIMEOUT) == a_response(f"{number}")
    link.check()


@each_version
@each_side
def test_our_handler_calls_after_its_answer_and_is_asked_again_meanwhile(ocpp_link: LinkMaker, side: str, version: str) -> None:
    link = ocpp_link(side, version)
    results: queue.Queue[dict[str, Any]] = queue.Queue()

    def ours(request: dict[str, Any]) -> Iterator[dict[str, Any]]:
        yield a_response(request["data"])
        if request["data"] == "first":
            results.put(link.ours.call(ACTION, a_request("from ours"), timeout=TIMEOUT))

    async def theirs(request: dict[str, Any]) -> Any:
        return (await link.peer.exchange(ACTION, a_request("meanwhile")))[2]

    link.peer.concurrent = True
    link.peer.respond(ACTION, theirs)
    link.ours.on(ACTION, ours)
    for _ in range(3):
        assert link.peer.call_and_wait(ACTION, a_request("first"))[2] == a_response("first")
        assert results.get(timeout=TIMEOUT) == a_response("meanwhile")
    link.check()


def answer_and_call_back(link: OcppLink) -> Any:
    """A handler of ours that first answers, and then calls."""

    def handler(request: dict[str, Any]) -> Iterator[dict[str, Any]]:
        yield a_response(request["data"])
        if request["data"] == "call back":
            link.ours.call(ACTION, a_request("called back"), timeout=TIMEOUT)

    return handler


@each_version
@each_side
def test_calls_that_cross_and_are_followed_by_further_ones(ocpp_link: LinkMaker, side: str, version: str) -> None:
    link = ocpp_link(side, version)
    link.peer.concurrent = True
    link.peer.respond(ACTION, lambda request: a_response(request["data"]))
    link.ours.on(ACTION, answer_and_call_back(link))
    for _ in range(5):
        calls = [link.peer.start_call(ACTION, a_request("call back")) for _ in range(3)]
        assert link.ours.call(ACTION, a_request("ours"), timeout=TIMEOUT) == a_response("ours")
        assert [call.result(TIMEOUT)[2] for call in calls] == [a_response("call back")] * 3
    came = [link.peer.requests.get(timeout=TIMEOUT)[1]["data"] for _ in range(20)]
    assert (came.count("ours"), came.count("called back")) == (5, 15)
    link.check()


@each_version
@each_side
def test_b3_b4_handlers_on_both_sides_that_wait_for_each_other(ocpp_link: LinkMaker, side: str, version: str) -> None:
    """Neither side may send its second call before the first is answered, and neither answers: only a time-out helps."""
    link = ocpp_link(side, version)
    link.peer.concurrent = True
    at_ours, at_theirs = threading.Event(), threading.Event()
    inner: list[CallTimeout] = []

    def ours(request: dict[str, Any]) -> dict[str, Any]:
        if request["data"] == "inner":
            return a_response("at last")
        at_ours.set()
        assert at_theirs.wait(TIMEOUT)
        with pytest.raises(CallTimeout) as caught:
            link.ours.call(ACTION, a_request("inner"), timeout=0.1)
        inner.append(caught.value)
        return a_response("ours")

    async def theirs(request: dict[str, Any]) -> dict[str, Any]:
        at_theirs.set()
        await wait_for(at_ours)
        return a_response((await link.peer.exchange(ACTION, a_request("inner")))[2]["data"])

    link.ours.on(ACTION, ours)
    link.peer.respond(ACTION, theirs)
    outer = link.peer.start_call(ACTION, a_request("outer"))
    assert link.ours.call(ACTION, a_request("outer"), timeout=TIMEOUT) == a_response("at last")
    assert outer.result(TIMEOUT)[2] == a_response("ours")
    assert [error.sent for error in inner] == [False]
    link.check()


@each_version
@each_side
def test_b3_many_threads_and_tasks_at_once(ocpp_link: LinkMaker, side: str, version: str) -> None:
    link = ocpp_link(side, version)
    link.peer.respond(ACTION, lambda request: a_response(request["data"]))
    link.ours.on(ACTION, lambda request: a_response(request["data"]))

    def call_often(name: str) -> list[dict[str, Any]]:
        return [link.ours.call(ACTION, a_request(f"{name} {number}"), timeout=TIMEOUT) for number in range(10)]

    threads = [in_thread(call_often, name) for name in "abcd"]
    tasks = [link.peer.start_call(ACTION, a_request(f"{number}")) for number in range(40)]
    for name, thread in zip("abcd", threads, strict=True):
        assert thread.result() == [a_response(f"{name} {number}") for number in range(10)]
    assert [task.result(TIMEOUT)[2] for task in tasks] == [a_response(f"{number}") for number in range(40)]
    link.check()
