"""What is to happen to a :class:`~ocpp_sync.testing.FaultyLink`, and when."""

from __future__ import annotations

import logging
import math
import random
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .pipes import DIRECTIONS, Direction

if TYPE_CHECKING:
    from .faulty_link import FaultyLink

__all__ = ["Counters", "LinkScript", "LinkStep", "random_fault"]

_log = logging.getLogger("ocpp_sync")

_LONGEST_PAUSE = 0.2  # seconds until a random fault is healed


class Counters:
    """What has gone through a link so far."""

    def __init__(self) -> None:
        self.connections = 0
        self.bytes: dict[Direction, int] = dict.fromkeys(DIRECTIONS, 0)
        self.swallowed = 0

    def passed(self, direction: Direction | None) -> int:
        """The bytes that have been passed on in a direction, or in both."""
        return sum(self.bytes.values()) if direction is None else self.bytes[direction]


@dataclass(frozen=True)
class LinkStep:
    """One step of a script for :meth:`FaultyLink.play`; it is taken when all of its conditions hold, counted from the step before.

    Attributes:
        do: What happens: called with the link, in its thread; for example ``FaultyLink.cut``, or ``lambda link: link.delay(0.2)``.
        bytes: So many bytes have been passed on; not one more passes before the step.
        direction: Bytes of which direction, ``"up"`` or ``"down"``; None is both together.
        connections: So many connections have been made.
        seconds: So much real time has passed.
        when: This function is true; it is asked when something has passed, a connection has come or gone, or a fault has been set. None
            is no condition.
    """

    do: Callable[[FaultyLink], object]
    bytes: int = 0
    direction: Direction | None = None
    connections: int = 0
    seconds: float = 0.0
    when: Callable[[], bool] | None = None


class LinkScript:
    """The steps that are still to be taken. All but :attr:`left` and :attr:`error` is for the link's thread.

    Args:
        link: What the steps are called with.
        counters: The link's.

    Attributes:
        error: What a function of the script raised, which ended it; None is nothing.
    """

    def __init__(self, link: FaultyLink, counters: Counters) -> None:
        self.error: BaseException | None = None
        self._link = link
        self._counters = counters
        self._steps: deque[LinkStep] = deque()
        self._looked = 0.0  # when the steps were last looked at
        self._mark()

    @property
    def left(self) -> list[LinkStep]:
        """A copy of the steps that are left."""
        return list(self._steps)

    def begin(self, steps: Iterable[LinkStep]) -> None:
        """Take these steps from now on."""
        self._steps, self.error = deque(steps), None
        self._mark()

    def play_on(self) -> None:
        """Take the steps whose conditions hold."""
        try:
            while self._steps and self._is_due(self._steps[0]):
                steps = self._steps
                steps[0].do(self._link)
                steps.popleft()
                if steps is self._steps:  # else it has begun another script
                    self._mark()
        except BaseException as error:
            _log.exception("the script of %r failed", self._link)
            self._steps.clear()
            self.error = error

    def budget(self, direction: Direction) -> int | None:
        """How many bytes may pass in a direction until the next step; None is any number."""
        if not self._steps or self._steps[0].direction not in (None, direction):
            return None
        missing = self._missing(self._steps[0])
        return missing if missing > 0 else None

    @property
    def due(self) -> float:
        """When to look at the steps although nothing has happened, in ``time.monotonic()`` seconds; infinity is never."""
        if not self._steps:
            return math.inf
        due = self._since + self._steps[0].seconds
        return due if due > self._looked else math.inf

    def _mark(self) -> None:
        self._since = time.monotonic()
        self._connections = self._counters.connections
        self._bytes = {direction: self._counters.passed(direction) for direction in (None, *DIRECTIONS)}

    def _is_due(self, step: LinkStep) -> bool:
        self._looked = time.monotonic()
        return (
            self._missing(step) <= 0
            and self._counters.connections - self._connections >= step.connections
            and self._looked >= self._since + step.seconds
            and (step.when is None or step.when())
        )

    def _missing(self, step: LinkStep) -> int:
        return step.bytes - (self._counters.passed(step.direction) - self._bytes[step.direction])


def random_fault(draw: random.Random, within: int) -> Iterator[LinkStep]:
    """The steps of a fault and its end; see :meth:`FaultyLink.random_steps`."""
    direction = draw.choice(DIRECTIONS)
    amount, small, pause = draw.randint(1, within), draw.randint(1, 16), draw.uniform(0, _LONGEST_PAUSE)
    faults: dict[str, Callable[[FaultyLink], object]] = {
        "cut": lambda link: link.cut(),
        "reset": lambda link: link.reset(),
        "refuse": _cut_and_refuse,
        "half open": lambda link: link.half_open(),
        "stall": lambda link: link.stall(direction),
        "delay": lambda link: link.delay(pause / 4, direction),
        "split": lambda link: link.split(small, direction),
        "throttle": lambda link: link.throttle(small * 1024, direction),
    }
    name = draw.choice(list(faults))
    yield LinkStep(faults[name], bytes=amount, direction=direction)
    if name == "half open":
        yield LinkStep(_reset_and_heal, seconds=pause)
    elif name not in ("cut", "reset"):
        yield LinkStep(lambda link: link.heal(), seconds=pause)


def _cut_and_refuse(link: FaultyLink) -> None:
    link.cut()
    link.refuse()


def _reset_and_heal(link: FaultyLink) -> None:
    link.reset()
    link.heal()
