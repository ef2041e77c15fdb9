"""For IPython: ``%load_ext ocpp_sync.ipython`` completes the actions in ``client.call("…``, ``client.send("…`` and ``client.api.…``.

By itself IPython completes no strings, whatever their types say. The last it can do, but jedi, which it asks, reads the sources of the
package first, and that takes seconds.
"""

from __future__ import annotations

import re
from typing import Any

from IPython.core.completer import SimpleCompletion, context_matcher

from .connection import Connection

__all__ = ["load_ipython_extension", "unload_ipython_extension"]

_IDENTIFIER = "ocpp_sync"
_FIRST = 1000  # before IPython's own matchers, which are not asked then

# A connection is looked for without calling anything: by names, attributes, and perhaps an item, as in server["CP1"].
_CONNECTION = r"""(?<![\w.)\]])(?P<connection>[A-Za-z_][\w.]*(?:\[(?:"[^"]*"|'[^']*'|\w+)\])?)"""
_ACTION = re.compile(rf"""{_CONNECTION}\.(?:(?P<method>call|send)\(\s*["']|api\.)(?P<start>\w*)$""")


def load_ipython_extension(shell: Any) -> None:
    """Called by ``%load_ext``."""
    unload_ipython_extension(shell)

    def complete(context: Any) -> dict[str, Any]:
        return _complete(context.text_until_cursor, shell.user_ns)

    shell.Completer.custom_matchers.append(context_matcher(identifier=_IDENTIFIER, priority=_FIRST)(complete))


def unload_ipython_extension(shell: Any) -> None:
    """Called by ``%unload_ext``."""
    matchers = shell.Completer.custom_matchers
    matchers[:] = [matcher for matcher in matchers if getattr(matcher, "matcher_identifier", None) != _IDENTIFIER]


def _complete(text: str, namespace: dict[str, Any]) -> dict[str, Any]:
    found = _ACTION.search(text)
    connection = _evaluate(found["connection"], namespace) if found else None
    if not found or not isinstance(connection, Connection):
        return {"completions": []}
    start = found["start"].lower()
    right = [name for name in _names(connection, found["method"]) if name.lower().startswith(start)]
    completions = [SimpleCompletion(name, type="function") for name in right]
    return {"completions": completions, "matched_fragment": found["start"], "suppress": True}


def _evaluate(expression: str, namespace: dict[str, Any]) -> Any:
    try:
        return eval(expression, namespace)  # noqa: S307 - what it can be is said at _CONNECTION
    except Exception:
        return None


def _names(connection: Connection, method: str | None) -> list[str]:
    """The names of what goes out by a method; None is either."""
    actions = connection.actions
    return [name for name in actions if method is None or (method == "send") == (name in actions.sends)]
