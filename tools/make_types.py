"""``ocpp_sync/types``, from the schemas: the messages as TypedDicts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from ocpp_sync.checks import SIDES
from ocpp_sync.fields import CUSTOM_DATA, Field, fields_of, message_name, named_schemas, uses
from ocpp_sync.schemas import VERSIONS, actions

from .generated import ROOT

__all__ = ["types_files"]

FOLDER = ROOT / "ocpp_sync" / "types"

_WIDTH = 140
_BASIC = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "any": "Any"}
_MAX_USES = 4  # data types that use another one, named in its docstring

_PACKAGE = '''"""The messages of OCPP as types, for type checkers and editors: a module for each version.

Made by ``python -m tools``; do not edit. A message is a TypedDict, which is a plain dict at run time, with the wire's own
names; an enumeration is a Literal::

    from ocpp_sync.types import v16

    request: v16.BootNotificationRequest = {"chargePointVendor": "eParking", "chargePointModel": "NECU-T2"}

A payload that is a variable needs such an annotation: without one it is a plain dict for a type checker, of which nothing is known.
mypy then also says which field is wrong, where of a call it only says that no overload matches.

``number`` is ``float``; :class:`decimal.Decimal` is sent too, but has no place in these types. Nothing of the package imports the
modules at run time.
"""
'''

_MODULE = '''"""The messages of OCPP {version}; made by ``python -m tools``, do not edit."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, {any}Literal, TypedDict

if sys.version_info >= (3, 11):
    from typing import NotRequired
elif TYPE_CHECKING:
    from typing_extensions import NotRequired
'''

_CUSTOM_DATA = f"""{CUSTOM_DATA} = dict[str, Any]
\"\"\"``vendorId``, a string of at most 255 characters, must be there; the other fields are the vendor's own.\"\"\"
"""


def module_name(version: str) -> str:
    """The module of a version: ``"v201"``."""
    return f"v{version.replace('.', '')}"


def types_files() -> dict[Path, str]:
    """The files of the package, and what is in them."""
    files = {FOLDER / "__init__.py": _PACKAGE}
    for version in VERSIONS:
        files[FOLDER / f"{module_name(version)}.py"] = _module(version)
    return files


def _module(version: str) -> str:
    names = named_schemas(version)
    aliases = [_alias(name, schema["enum"]) for name, schema in names.items() if "enum" in schema]
    if CUSTOM_DATA in names:
        aliases.append(_CUSTOM_DATA)
    messages = {message_name(action, kind): _message_summary(version, action, kind) for action, kind in _messages(version)}
    classes = [
        _class(version, name, messages.get(name) or _type_summary(uses(version)[name]))
        for name, schema in sorted(names.items(), key=lambda entry: entry[0] in messages)
        if "enum" not in schema and name != CUSTOM_DATA
    ]
    body = "\n".join(["".join(aliases), "", "\n\n".join(classes)])
    return f"{_MODULE.format(version=version, any='Any, ' if 'Any]' in body else '')}\n{body}"


def _messages(version: str) -> Iterator[tuple[str, str]]:
    for action in actions(version).values():
        yield action.name, "request"
        if action.response is not None:
            yield action.name, "response"


def _message_summary(version: str, action: str, kind: str) -> str:
    if kind == "response":
        return f"The answer to {action}."
    sender = actions(version)[action].sent_by
    by = f"the {SIDES[sender]}" if sender in SIDES else "either side"
    return f"{action}, sent by {by}{'; it is a SEND, never answered' if actions(version)[action].is_send else ''}."


def _type_summary(users: Sequence[str]) -> str:
    more = f" and {len(users) - _MAX_USES} more" if len(users) > _MAX_USES else ""
    return f"Used in {', '.join(users[:_MAX_USES])}{more}."


def _alias(name: str, values: Iterable[str]) -> str:
    shown = [json.dumps(value) for value in values]
    line = f"{name} = Literal[{', '.join(shown)}]\n"
    return line if len(line) <= _WIDTH else f"{name} = Literal[\n{''.join(f'    {value},{chr(10)}' for value in shown)}]\n"


def _class(version: str, name: str, summary: str) -> str:
    lines = [f"class {name}(TypedDict):", f'    """{summary}"""']
    if fields := fields_of(version, name):
        lines.append("")
    for field in fields:
        lines.append(f"    {field.name}: {annotation(field)}")
        if text := limits_text(field):
            lines.append(f'    """{text}"""')
    return "\n".join(lines) + "\n"


def annotation(field: Field) -> str:
    """The type of a field, as Python writes it."""
    kind = _BASIC.get(field.type, field.type)
    kind = f"list[{kind}]" if field.is_array else kind
    return kind if field.required else f"NotRequired[{kind}]"


def limits_text(field: Field) -> str:
    """What a field must keep to, as a sentence; empty if there is nothing to say."""
    parts: list[Any] = [*field.limits]
    if field.default is not None:
        parts.append(f"default {json.dumps(field.default)}")
    text = "; ".join(parts)
    return f"{text[0].upper()}{text[1:]}." if text else ""
