"""What is to go wrong, and when: all of it follows from a seed."""

from __future__ import annotations

import random
from typing import Any, Literal, NamedTuple

from ocpp_sync import CallError
from ocpp_sync.testing import Answer, Close, Cut, CutAfter, Delay, Drop, Duplicate, Late
from ocpp_sync.testing.steps import Step

CALL_TIMEOUT = 10_000.0
"""Seconds of the fake clock: so many that no other wait adds up to it, and a call times out only where the schedule wants it to."""

INVALID = Answer({"surprise": True})
"""Breaks the schema of every response."""

_ACTIONS = [
    ("put start", 5),
    ("put meter", 14),
    ("put stop", 5),
    ("put data", 2),
    ("call", 4),
    ("ask", 1),
    ("wait", 14),
    ("cut", 2),
    ("reset", 2),
    ("half open", 2),
    ("stall", 2),
    ("refuse", 1),
    ("cut within", 2),
    ("disconnect", 1),
    ("stop CSMS", 1),
    ("heal", 6),
    ("release", 1),
    ("restart", 3),
]

_STEPS: list[tuple[Step, int]] = [
    (Answer(), 60),
    (CallError("InternalError"), 7),
    (INVALID, 3),
    (Drop(), 4),
    (Late(), 4),
    (Delay(5.0), 2),
    (Delay(CALL_TIMEOUT + 50.0), 2),
    (Duplicate(), 4),
    (Cut(), 4),
    (CutAfter(), 4),
    (Close(1001), 2),
    (Close(1012), 1),
]

_ANSWERS_TO_BOOT: list[tuple[Step, int]] = [
    (Answer(), 4),
    (Answer({"status": "Pending", "currentTime": "2025-01-01T00:00:00Z", "interval": 30}), 4),
    (Answer({"status": "Rejected", "currentTime": "2025-01-01T00:00:00Z", "interval": 60}), 1),
    (CallError("InternalError"), 1),
    (Drop(), 1),
    (Cut(), 1),
    (CutAfter(), 1),
]

# The weight of one of the steps, beside that in the list: what most of a day is like.
_WEIGHTS = (0, 60, 300)


class Action(NamedTuple):
    """One thing that the test does.

    Attributes:
        name: What.
        number: A random number that says how, from 0 to 1.
    """

    name: str
    number: float


class Schedule(NamedTuple):
    """A seed, spelt out.

    Attributes:
        seed: It.
        version: Of OCPP.
        boots: Whether the station registers, at each start.
        durability: Of the outbox.
        attempts: Of the outbox.
        actions: What the test does, in order.
        steps: What the CSMS does with the first requests; it answers the others.
        boot_steps: What it does with the first BootNotifications.
    """

    seed: int
    version: str
    boots: bool
    durability: Literal["full", "normal"]
    attempts: int
    actions: list[Action]
    steps: list[Step]
    boot_steps: list[Step]

    @classmethod
    def of(cls, seed: int, length: int = 28) -> Schedule:
        """The schedule of a seed; the even ones are of 1.6."""
        chance = random.Random(seed)

        def choices(weighted: list[tuple[Any, int]], count: int) -> list[Any]:
            values, weights = zip(*weighted, strict=True)
            return chance.choices(values, weights, k=count)

        return cls(
            seed,
            ("1.6", "2.0.1")[seed % 2],
            chance.random() < 0.4,
            chance.choice(["full", "normal"]),
            chance.choice([1, 2, 3, 3]),
            [Action(name, chance.random()) for name in choices(_ACTIONS, length)],
            choices([(chance.choice(_STEPS)[0], chance.choice(_WEIGHTS)), *_STEPS], 2 * length),
            choices(_ANSWERS_TO_BOOT, length // 3),
        )

    def __str__(self) -> str:
        lines = [f"seed {self.seed} of {self.version}, boots: {self.boots}, durability: {self.durability}, attempts: {self.attempts}"]
        lines += [f"  {number:3} {name} ({how:.3f})" for number, (name, how) in enumerate(self.actions)]
        lines += [f"  other requests: {', '.join(map(_short, self.steps))}"]
        lines += [f"  BootNotifications: {', '.join(map(_short, self.boot_steps))}"]
        return "\n".join(lines)


def _short(step: Step) -> str:
    return step.code if isinstance(step, CallError) else "-" if step == Answer() else repr(step)
