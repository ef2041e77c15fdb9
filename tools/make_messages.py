"""``docs/messages.md`` and a page for each version under it, from the schemas."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from ocpp_sync.descriptions import describe
from ocpp_sync.fields import CUSTOM_DATA, Field, fields_of, message_name, named_schemas, uses
from ocpp_sync.schemas import VERSIONS, Action, actions, senders

from .generated import ROOT
from .make_types import module_name

__all__ = ["messages_files"]

_FOLDER = ROOT / "docs" / "messages"
_MADE = "<!-- Made by python -m tools; do not edit. -->\n"
_SIDES = {"CS": "the charge point", "CSMS": "the CSMS", "both": "either side"}

_INDEX = f"""{_MADE}
# The messages of OCPP

What each version defines, and who sends the request. A page for each version has the fields of its messages, data types and enumerations:
{{pages}}.

The same at a prompt: `ocpp_sync.describe("BootNotification", version="1.6")`, or `ocpp-sync schema BootNotification --version 1.6`.
See also [configuration keys and variables](variables.md), and [enumerations across versions](enumerations.md).

| action | sent by | {" | ".join(VERSIONS)} |
| --- | --- |{" --- |" * len(VERSIONS)}
{{rows}}
"""

_PAGE = f"""{_MADE}
# The messages of OCPP {{version}}

The fields that must be there, if the object that they are in is there, are in bold type. All versions: [messages](../messages.md).

{{contents}}

{{messages}}
## Data types

{{types}}
## Enumerations

{{enumerations}}"""


def messages_files() -> dict[Path, str]:
    """The pages, and what is in them."""
    files = {_FOLDER.with_suffix(".md"): _index()}
    for version in VERSIONS:
        files[_page_path(version)] = _page(version)
    return files


def _page_path(version: str) -> Path:
    return _FOLDER / f"{module_name(version)}.md"


def _index() -> str:
    pages = ", ".join(f"[OCPP {version}](messages/{_page_path(version).name})" for version in VERSIONS)
    where: dict[tuple[str, str], list[str]] = {}
    for version in VERSIONS:
        for action, sender in senders(version).items():
            where.setdefault((action, sender), []).append(version)
    rows = (f"| {action} | {_SIDES[sender]} | {_cells(action, versions)} |" for (action, sender), versions in sorted(where.items()))
    return _INDEX.format(pages=pages, rows="\n".join(rows))


def _cells(action: str, versions: list[str]) -> str:
    link = "[fields](messages/{}#{})"
    return " | ".join(link.format(_page_path(version).name, action.lower()) if version in versions else "" for version in VERSIONS)


def _page(version: str) -> str:
    messages = {message_name(action.name, kind) for action in actions(version).values() for kind in ("request", "response")}
    types = {name: "enum" in schema for name, schema in named_schemas(version).items() if name not in messages}
    groups = (f"- Sent by {whom}: {_links(action.name for action in _sent_by(version, side))}" for side, whom in _SIDES.items())
    return _PAGE.format(
        version=version,
        contents="\n".join(groups),
        messages="\n".join(_action(version, action) for action in actions(version).values()),
        types="\n".join(_type(version, name) for name, is_enumeration in types.items() if not is_enumeration),
        enumerations="\n".join(_enumeration(version, name) for name, is_enumeration in types.items() if is_enumeration),
    )


def _sent_by(version: str, side: str) -> list[Action]:
    return [action for action in actions(version).values() if action.sent_by == side]


def _links(names: Iterator[str]) -> str:
    return ", ".join(f"[{name}](#{name.lower()})" for name in names)


def _action(version: str, action: Action) -> str:
    text = f"## {action.name}\n"
    for kind in ("request", "response") if action.response is not None else ("request",):
        direction = describe(action.name, version=version, kind=kind, depth=1).headline.partition(": ")[2]
        text += f"\n{direction[0].upper()}{direction[1:]}:\n\n{_table(version, message_name(action.name, kind))}"
    return text


def _type(version: str, name: str) -> str:
    note = "\nIt may have any other field too.\n" if name == CUSTOM_DATA else ""
    return f"### {name}\n\n{_used_in(version, name)}{note}\n{_table(version, name)}"


def _enumeration(version: str, name: str) -> str:
    values = " · ".join(f"`{value}`" for value in named_schemas(version)[name]["enum"])
    return f"### {name}\n\n{_used_in(version, name)}\n{values}\n"


def _used_in(version: str, name: str) -> str:
    users = uses(version)[name]
    if name == CUSTOM_DATA:
        return "Every object may have one.\n"
    sections = dict.fromkeys(_section(version, user) for user in users)
    return f"Used in {_links(iter(sections))}.\n"


def _section(version: str, name: str) -> str:
    """The heading that a message or a data type is under."""
    action = name.removesuffix("Request").removesuffix("Response")
    return action if action in actions(version) else name


def _table(version: str, name: str) -> str:
    fields = fields_of(version, name)
    if not fields:
        return "no fields\n"
    rows = "".join(f"| {_name(field)} | {_type_cell(version, field)} | {_limits(field)} |\n" for field in fields)
    return f"| field | type | limits |\n| --- | --- | --- |\n{rows}"


def _name(field: Field) -> str:
    return f"**{field.name}**" if field.required else field.name


def _type_cell(version: str, field: Field) -> str:
    kind = f"[{field.type}](#{field.type.lower()})" if field.type in named_schemas(version) else field.type
    return f"{kind} array" if field.is_array else kind


def _limits(field: Field) -> str:
    default = [] if field.default is None else [f"default `{json.dumps(field.default)}`"]
    return "; ".join([*field.limits, *default])
