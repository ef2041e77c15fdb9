"""In what an answer of now differs from the recorded one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from .masked import is_masked
from .renewal import TRANSACTION_ID, Renewal, is_time

__all__ = ["MISSING", "Comparison", "Difference"]

MISSING: Any = type("Missing", (), {"__repr__": lambda self: "MISSING"})()
"""Stands for a field that is not there."""

_MAX_SHOWN = 200  # characters of a value


class Difference(NamedTuple):
    """A field that is not what it was.

    Attributes:
        path: Where it is, such as ``"idTagInfo.status"``; empty for the answer as a whole.
        recorded: What was recorded; :data:`MISSING` if it was not there.
        now: What it is now; :data:`MISSING` if it is not there.
    """

    path: str
    recorded: Any
    now: Any

    def __str__(self) -> str:
        if self.now is MISSING:
            return f"{self.path}: {_shown(self.recorded)} recorded, not there now"
        if self.recorded is MISSING:
            return f"{self.path}: not recorded, {_shown(self.now)} now"
        return f"{self.path}: {_shown(self.recorded)} recorded, {_shown(self.now)} now"


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}…"


class Comparison:
    """Compares payloads. Times may differ, so may what is masked, and a transaction has its id of now.

    Args:
        renewal: Knows the transactions.
        ignored: Further paths that may differ, with all below them: ``interval``, ``BootNotification.interval``; ``*`` stands for any
            characters, and ``[0]`` and the like may be left out.
    """

    def __init__(self, renewal: Renewal, ignored: Iterable[str] = ()) -> None:
        self._renewal = renewal
        self._ignored = [re.compile(f"{_pattern(path)}(?:[.\\[].*)?", re.DOTALL) for path in ignored]

    def differences(self, action: str, recorded: Any, now: Any) -> list[Difference]:
        """In what a payload differs.

        Args:
            action: The action that is answered.
            recorded: The recorded payload.
            now: The payload of now.
        """
        return [found for found in self._compare(recorded, now, "", "") if not self._is_ignored(action, found.path)]

    def _is_ignored(self, action: str, path: str) -> bool:
        without_indexes = re.sub(r"\[\d+\]", "", path)
        names = {path, without_indexes, f"{action}.{path}", f"{action}.{without_indexes}"}
        return any(pattern.fullmatch(name) for pattern in self._ignored for name in names)

    def _compare(self, recorded: Any, now: Any, path: str, name: str) -> Iterator[Difference]:
        if isinstance(recorded, dict) and isinstance(now, dict):
            for field in [*recorded, *(field for field in now if field not in recorded)]:
                inner = f"{path}.{field}" if path else field
                yield from self._compare(recorded.get(field, MISSING), now.get(field, MISSING), inner, field)
        elif isinstance(recorded, list) and isinstance(now, list):
            for index in range(max(len(recorded), len(now))):
                yield from self._compare(_item(recorded, index), _item(now, index), f"{path}[{index}]", name)
        elif not self._is_same(recorded, now, name):
            yield Difference(path, recorded, now)

    def _is_same(self, recorded: Any, now: Any, name: str) -> bool:
        if name == TRANSACTION_ID and isinstance(recorded, (int, str)):
            recorded = self._renewal.transaction(recorded)
        if is_masked(recorded) and now is not MISSING:
            return True
        if is_time(recorded) and is_time(now):
            return True
        # In Python, but not in JSON, True is 1.
        return isinstance(recorded, bool) == isinstance(now, bool) and bool(recorded == now)


def _pattern(path: str) -> str:
    return ".*".join(map(re.escape, path.split("*")))


def _item(items: list[Any], index: int) -> Any:
    return items[index] if index < len(items) else MISSING
