"""What a :class:`~ocpp_sync.testing.ScriptedCsms` can do with a request; a :class:`~ocpp_sync.CallError` is one of these steps, too."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..errors import CallError
from ..schemas import VERSIONS, action_names
from .log import EVERY, Received

__all__ = ["Answer", "Chooser", "Close", "Cut", "CutAfter", "Delay", "Drop", "Duplicate", "Late", "Script", "Step"]


@dataclass(frozen=True)
class Answer:
    """Answer.

    Attributes:
        payload: The response, which nobody checks; None is the default one of the action.
    """

    payload: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Duplicate:
    """Answer twice, with the same id.

    Attributes:
        payload: As that of :class:`Answer`.
    """

    payload: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class CutAfter:
    """Answer, then cut the TCP connection.

    Attributes:
        payload: As that of :class:`Answer`.
    """

    payload: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Drop:
    """Never answer."""


@dataclass(frozen=True)
class Cut:
    """Cut the TCP connection instead of answering."""


@dataclass(frozen=True)
class Close:
    """Close the WebSocket instead of answering.

    Attributes:
        code: The close code.
        reason: The text that goes with it.
    """

    code: int = 1001
    reason: str = ""


@dataclass(frozen=True)
class Delay:
    """Take another step after a time; meanwhile other requests are answered.

    Attributes:
        seconds: The time, by the clock of the CSMS, where it is waited for as ``"csms answer"``.
        step: The other step.
    """

    seconds: float
    step: Step = field(default_factory=Answer)


@dataclass(frozen=True)
class Late:
    """Hold another step back until the next request has come by the same connection, or until :meth:`ScriptedCsms.release`.

    Attributes:
        seconds: After how many seconds it is taken in any case, counted as for :class:`Delay`; None is never.
        step: The other step.
    """

    seconds: float | None = None
    step: Step = field(default_factory=Answer)


Step = Answer | Duplicate | CutAfter | Drop | Cut | Close | Delay | Late | CallError

Chooser = Callable[[Received], "Step | None"]
"""A function that chooses the step for a request; None is ``Answer()``."""


class Script:
    """What is to be done with the next requests of each action."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._steps: dict[str, deque[Step | Chooser]] = {}

    def set(self, action: str, steps: tuple[Step | Chooser, ...]) -> None:
        """Set the steps of an action, or of ``"*"``; see :meth:`ScriptedCsms.script`."""
        if action != EVERY and not any(action in action_names(version) for version in VERSIONS):
            raise ValueError(f"{action!r} is no action of any version, and not '*'")
        for place, step in enumerate(steps, 1):
            # A class is callable too: Drop, where Drop() is meant.
            is_chooser = callable(step) and not isinstance(step, type) and place == len(steps)
            if not is_chooser and not isinstance(step, Step):
                raise ValueError(f"step {place} for {action} is {step!r}: neither an object of a step's class, nor a function at the end")
        with self._lock:
            self._steps[action] = deque(steps)

    def next(self, request: Received) -> Step:
        """The step for a request; raises what a function of the script raises."""
        with self._lock:
            steps = self._steps.get(request.action) or self._steps.get(EVERY)
            if not steps:
                return Answer()
            step = steps[0] if callable(steps[0]) else steps.popleft()
        return (step(request) or Answer()) if callable(step) else step
