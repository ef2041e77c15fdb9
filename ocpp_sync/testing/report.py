"""A conversation for people to read."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Sequence

from ..messages import KIND_NAMES
from ..redaction import redact
from .conversation import Conversation, Happening, SeenFrame
from .printable import printable

__all__ = ["lines_of", "transcript"]

_ARROWS = {"in": "-->", "out": "<--"}
_WIDTH = 140
_MAX_LENGTH = 2000  # characters of a frame
_MAX_LINES = 400  # frames and other things that happened


def transcript(conversation: Conversation) -> str:
    """All that has happened, secrets masked."""
    with conversation.changed:
        frames, happenings = list(conversation.frames), list(conversation.happenings)
    return "\n".join(lines_of(frames, happenings))


def lines_of(frames: Sequence[SeenFrame], happenings: Iterable[Happening] = (), max_length: int = _MAX_LENGTH) -> list[str]:
    """Frames as lines: when, who, which way, and what; a long one is folded, or cut, and of very many the last ones are shown."""
    shown = [(frame.time, _frame(frame, max_length)) for frame in frames]
    shown += [(happening.time, _line(happening.time, happening.identity, "   ", happening.text, max_length)) for happening in happenings]
    shown.sort(key=lambda each: each[0])
    left_out = [f"({len(shown) - _MAX_LINES} earlier ones are left out)"] if len(shown) > _MAX_LINES else []
    return [*left_out, *(text for _, text in shown[-_MAX_LINES:])]


def _frame(frame: SeenFrame, max_length: int) -> str:
    text = redact(frame.text)
    kind, message_id, rest = _parts(text)
    if kind in KIND_NAMES:
        body = rest[1:] if kind in (2, 6) else rest
        said = " ".join(json.dumps(part, ensure_ascii=False) for part in body)
        text = f"{KIND_NAMES[kind]} {frame.action or '?'} {message_id} {said}"
    else:
        text = f"no message: {text}"
    return _line(frame.time, frame.identity, _ARROWS[frame.direction], text, max_length)


def _parts(text: str) -> tuple[int, str, list[object]]:
    """Type, id and the rest of a message; the type 0 if it is none."""
    try:
        kind, message_id, *rest = json.loads(text)
    except (ValueError, TypeError, RecursionError):
        return 0, "", []
    return (kind, message_id, rest) if type(kind) is int and isinstance(message_id, str) else (0, "", [])


def _line(time: float, identity: str, arrow: str, text: str, max_length: int) -> str:
    if len(text) > max_length:
        text = f"{text[:max_length]}… ({len(text)} characters)"
    line = f"{time:8.3f} {identity} {arrow} {text}"
    line = printable(line.replace("\n", "\\n"))
    return "\n".join(textwrap.wrap(line, _WIDTH, subsequent_indent=" " * 12, break_on_hyphens=False))
