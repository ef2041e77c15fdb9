"""The requests of the charge points, as a test takes them: each once, and forward only."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from .conversation import Conversation, ReceivedRequest, SeenFrame
from .report import lines_of
from .verdict import not_come, unexpected

if TYPE_CHECKING:
    from .expectations import Expectation

__all__ = ["Inbox"]

_MAX_SHOWN = 240  # characters of a frame; the report of the test has all of them


class Inbox:
    """What of a conversation a test has asked for already, and what it has passed.

    Args:
        conversation: The conversation, whose lock guards this, too. It is not held while functions of the user are asked.
    """

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation
        self._taken: set[ReceivedRequest] = set()
        self._passed: dict[str, int] = {}  # of each charge point the number of the last request that was taken in order
        self._last: SeenFrame | None = None  # of the last request that was taken in order

    def take(self, expectation: Expectation, timeout: float, *, any_order: bool) -> ReceivedRequest:
        """Wait for the next request that is as expected.

        Args:
            expectation: What is expected.
            timeout: Seconds.
            any_order: Whether it may be one that was passed; then it passes nothing either.

        Raises:
            AssertionError: It has not come in time.
        """
        __tracebackhide__ = True
        deadline = time.monotonic() + timeout
        while True:
            found = self.wait(
                lambda request: self._is_new(request, any_order) and expectation.is_met_by(request), deadline - time.monotonic()
            )
            if found is None:
                break
            with self._conversation.changed:
                if self._is_new(found, any_order):  # else another thread has been quicker
                    self._taken.add(found)
                    if not any_order:
                        self._passed[found.identity] = found.number
                        self._last = found.frame
                    return found
        received = self._received()
        came = [request for request in received if self._is_new(request, any_order)]
        passed = [request for request in received if request not in self._taken and not self._is_new(request, any_order)]
        raise AssertionError(not_come(expectation, timeout, came, passed, self._since_last()))

    def take_none(self, expectation: Expectation, within: float) -> None:
        """Wait whether there is a request that is like this among those that were not passed.

        Args:
            expectation: What is not expected.
            within: Seconds in which none may come.

        Raises:
            AssertionError: There is.
        """
        __tracebackhide__ = True
        found = self.wait(lambda request: self._is_new(request, any_order=False) and expectation.is_met_by(request), within)
        if found is not None:
            raise AssertionError(unexpected(expectation, found, self._since_last()))

    def wait(self, is_wanted: Callable[[ReceivedRequest], bool], timeout: float) -> ReceivedRequest | None:
        """The first request that is wanted; None if there is none in time."""
        deadline = time.monotonic() + timeout
        conversation = self._conversation
        while True:
            with conversation.changed:
                requests, count = list(conversation.requests), len(conversation.frames)
            found = next(filter(is_wanted, requests), None)
            if found is not None:
                return found
            with conversation.changed:
                while len(conversation.frames) == count:
                    left = deadline - time.monotonic()
                    if left <= 0:
                        return None
                    conversation.changed.wait(left)

    def _is_new(self, request: ReceivedRequest, any_order: bool) -> bool:
        return request not in self._taken and (any_order or request.number > self._passed.get(request.identity, 0))

    def _received(self) -> list[ReceivedRequest]:
        with self._conversation.changed:
            return list(self._conversation.requests)

    def _since_last(self) -> list[str]:
        """What has happened after the last request that was taken in order, as lines."""
        with self._conversation.changed:
            frames, happenings, last = list(self._conversation.frames), list(self._conversation.happenings), self._last
        if last is not None:
            frames = frames[frames.index(last) + 1 :]
            happenings = [each for each in happenings if each.time > last.time]
        return lines_of(frames, happenings, _MAX_SHOWN)
