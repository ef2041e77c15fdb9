"""``ocpp_sync/types/calls_*.py``, from the schemas.

They say, in the only way that type checkers have for it, one overload for each action, what ``call()``, ``send()`` and ``on()`` take and
return, and what functions ``api`` has, on either side of a connection whose version is known.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

from ocpp_sync.client import _EVENTS as CLIENT_EVENTS
from ocpp_sync.fields import fields_of, message_name
from ocpp_sync.schemas import VERSIONS, Action, actions
from ocpp_sync.server_connection import EVENTS as CONNECTION_EVENTS

from .make_types import FOLDER, module_name

__all__ = ["CALL_OPTIONS", "calls_files"]

_WIDTH = 140

# The parameters of call() beside action and payload.
CALL_OPTIONS = {"CS": ["timeout: float | None = None", "wait: bool = False"], "CSMS": ["timeout: float | None = None"]}
_CLASSES = {"CS": "Station", "CSMS": "Csms"}
_EVENTS = {"CS": CLIENT_EVENTS, "CSMS": CONNECTION_EVENTS}
_OTHER = {"CS": "CSMS", "CSMS": "CS"}
_OWNERS = {"CS": "a charge point", "CSMS": "the CSMS"}

_MODULE = '''"""``call()``, ``send()``, ``on()`` and ``api`` with OCPP {version}; made by ``python -m tools``, do not edit."""
# ruff: noqa: D102, N802

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar, overload

from . import {module} as m
from .handlers import Handler, Register

if TYPE_CHECKING:
    from typing_extensions import Unpack

_H = TypeVar("_H", bound=Callable[..., Any])
'''


def calls_files() -> dict[Path, str]:
    """The files, and what is in them."""
    return {FOLDER / f"calls_{module_name(version)}.py": _module(version) for version in VERSIONS}


def _module(version: str) -> str:
    classes = [write(version, side) for side in _CLASSES for write in (_call, _send, _on, _api)]
    return "\n\n".join([_MODULE.format(version=version, module=module_name(version)), *filter(None, classes)])


def _call(version: str, side: str) -> str:
    methods = []
    for action in _sent_by(version, side):
        if action.response is not None:
            payload = _payload(version, action)
            methods.append(_method([_literal("action", action.name), payload, "*", *CALL_OPTIONS[side]], f"m.{action.name}Response"))
    return _protocol(f"{_CLASSES[side]}Call", f"What {_OWNERS[side]} calls.", methods)


def _send(version: str, side: str) -> str:
    sends = [action for action in _sent_by(version, side) if action.is_send]
    methods = [_method([_literal("action", action.name), _payload(version, action)], "None") for action in sends]
    return _protocol(f"{_CLASSES[side]}Send", f"What {_OWNERS[side]} sends.", methods) if methods else ""


def _on(version: str, side: str) -> str:
    methods = []
    for action in _sent_by(version, _OTHER[side]):
        request, answer = f"m.{message_name(action.name, 'request')}", _answer(version, action)
        methods.append(_method([_literal("name", action.name)], f"Register[{request}, {answer}]"))
        methods.append(_method([_literal("name", action.name), f"handler: Handler[{request}, {answer}]"], f"Handler[{request}, {answer}]"))
    events = f"name: Literal[{', '.join(f'{chr(34)}{event}{chr(34)}' for event in ('*', *_EVENTS[side]))}]"
    methods.append(_method([events], "Callable[[_H], _H]"))
    methods.append(_method([events, "handler: _H"], "_H"))
    return _protocol(f"{_CLASSES[side]}On", f"What {_OWNERS[side]} handles.", methods)


def _api(version: str, side: str) -> str:
    methods = []
    for action in _sent_by(version, side):
        request, result = message_name(action.name, "request"), "None" if action.is_send else f"m.{action.name}Response"
        fields = {field.name for field in fields_of(version, request)}
        options = [] if action.is_send else ["*", *(_beside(fields, option) for option in CALL_OPTIONS[side])]
        methods.append(_method([*options, f"**fields: Unpack[m.{request}]"], result, name=action.name))
    return f'class {_CLASSES[side]}Api(Protocol):\n    """The functions of {_OWNERS[side]}."""\n\n{"".join(methods)}'


def _beside(fields: Collection[str], option: str) -> str:
    """An option of call(), with an underscore where it is the name of a field, too."""
    name, _, rest = option.partition(":")
    return f"{name}_:{rest}" if name in fields else option


def _sent_by(version: str, side: str) -> Iterator[Action]:
    return (action for action in actions(version).values() if action.sent_by in (side, "both"))


def _payload(version: str, action: Action) -> str:
    name = message_name(action.name, "request")
    optional = not any(field.required for field in fields_of(version, name))
    return f"payload: m.{name} | None = None" if optional else f"payload: m.{name}"


def _answer(version: str, action: Action) -> str:
    """What a handler returns; None is an empty response."""
    if action.response is None:
        return "None"
    name = message_name(action.name, "response")
    return f"m.{name}" if any(field.required for field in fields_of(version, name)) else f"m.{name} | None"


def _literal(parameter: str, value: str) -> str:
    return f'{parameter}: Literal["{value}"]'


def _protocol(name: str, summary: str, methods: list[str]) -> str:
    head = f'class {name}(Protocol):\n    """{summary}"""\n\n'
    if len(methods) == 1:  # which is no overload then, but a method that has a docstring
        return head + methods[0].replace(" ...\n", f'\n        """{summary}"""\n')
    return head + "".join(f"    @overload\n{method}" for method in methods)


def _method(parameters: list[str], result: str, name: str = "__call__") -> str:
    """A method without a body, laid out as ruff does."""
    parameters = ["self", *parameters]
    line = f"    def {name}({', '.join(parameters)}) -> {result}: ...\n"
    if len(line) <= _WIDTH + 1:
        return line
    line = f"        {', '.join(parameters)}\n"
    if len(line) > _WIDTH + 1:
        line = "".join(f"        {parameter},\n" for parameter in parameters)
    return f"    def {name}(\n{line}    ) -> {result}: ...\n"
