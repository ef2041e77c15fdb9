"""What a test is told when a request has not come, or one that should not."""

from __future__ import annotations

from collections.abc import Sequence

from .conversation import ReceivedRequest
from .expectations import Expectation
from .printable import printable

__all__ = ["not_come", "unexpected"]

_MAX_DIFFERENCES = 5
_MAX_OTHERS = 20


def not_come(
    expectation: Expectation,
    timeout: float,
    came: Sequence[ReceivedRequest],
    passed: Sequence[ReceivedRequest],
    since: Sequence[str],
) -> str:
    """What came instead.

    Args:
        expectation: What was expected.
        timeout: Seconds that were waited.
        came: The requests that it might have been.
        passed: Those that did not count any more.
        since: What has happened since the last one that was taken in order, as lines.
    """
    lines = [f"no {expectation} has come within {timeout:g} s"]
    near = [request for request in came if expectation.is_about(request)]
    if near:
        nearest = min(reversed(near), key=lambda request: len(expectation.differences(request)))
        differences = expectation.differences(nearest)
        shown = "; ".join(differences[:_MAX_DIFFERENCES])
        more = f"; and {len(differences) - _MAX_DIFFERENCES} more" if len(differences) > _MAX_DIFFERENCES else ""
        if shown:
            lines.append(f"the nearest is #{nearest.number} of {nearest.identity}, at {nearest.time:.3f} s: {shown}{more}")
    early = next((request for request in passed if expectation.is_met_by(request)), None)
    if early is not None:
        lines.append(f"#{early.number} is like that, but came before what was expected last: any_order=True takes it all the same")
    lines.append(f"came instead: {_named(came)}")
    return printable("\n".join([*lines, *_since(since)]))


def unexpected(expectation: Expectation, found: ReceivedRequest, since: Sequence[str]) -> str:
    """Which one came that should not, and what has happened since the last one that was taken in order, as lines."""
    return printable("\n".join([f"a {expectation} has come (#{found.number})", *_since(since)]))


def _since(lines: Sequence[str]) -> list[str]:
    return ["all frames since what was expected last:", *(f"  {line}" for line in lines)] if lines else []


def _named(requests: Sequence[ReceivedRequest]) -> str:
    shown = [f"#{request.number} {request.action} of {request.identity}" for request in requests[-_MAX_OTHERS:]]
    return ", ".join(shown) or "nothing"
