"""What OCPP says of a message, a data type, an enumeration, a configuration key or a variable: as text, as HTML, or as plain data."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from html import escape
from os import PathLike
from typing import Any

from .checks import SIDES
from .enumerations import same_enumerations
from .fields import CUSTOM_DATA, Field, fields_of, message_name, named_schemas, unknown_name, uses
from .schemas import VERSIONS, Action, actions, base_version, overlaid
from .skeletons import message_of
from .standard import ConfigurationKey, Variable, components, configuration_keys, find, variables

__all__ = ["Description", "Row", "describe"]

_HEADINGS = ("FIELD", "TYPE", "REQUIRED", "LIMITS, VALUES")
_ITEM_HEADINGS = ("NAME", "TYPE", "REQUIRED", "ACCESS, UNIT, VALUES")  # of configuration keys and variables
_WIDTH = 120  # columns of the text, and
_MIN_LAST = 40  # of the last column at least, however long the names are
_MAX_USES = 8  # names of what uses a data type
_ITEM_KINDS = ("configuration key", "variable", "variables", "component")
_CUSTOM_DATA = "vendorId, and fields of the vendor's own; every object may have one"


@dataclass(frozen=True)
class Row:
    """A field in a description; or a configuration key, or a variable.

    Attributes:
        path: Where it is, for example ``"meterValue[].timestamp"``.
        type: Its type, for example ``"string"`` or ``"SampledValueType[]"``.
        required: Whether it must be there, if what it is in is there.
        limits: What its value must keep to, in words; of a key or a variable its accessibility and unit too.
        values: The values of an enumeration; else empty.
        default: What it stands for when it is not there; None if the schema does not say.
    """

    path: str
    type: str
    required: bool
    limits: tuple[str, ...]
    values: tuple[str, ...]
    default: Any

    @property
    def remarks(self) -> str:
        """Limits, values and default in one text."""
        default = () if self.default is None else (f"default {json.dumps(self.default)}",)
        return "; ".join([*self.limits, *filter(None, [", ".join(self.values)]), *default])


@dataclass(frozen=True, repr=False)
class Description:
    """What :func:`describe` has found; its text is a table.

    Attributes:
        name: Of the message (``"BootNotificationRequest"``), data type, enumeration, configuration key, variable or component.
        version: The version of OCPP.
        kind: ``"request"``, ``"response"``, ``"data type"``, ``"enumeration"``, ``"configuration key"``, ``"variable"``, ``"component"``,
            or ``"variables"``, which are several of one name.
        action: Of a message; else None.
        rows: The fields, those of data types behind the field that has them; or the key or the variables.
        values: The values of an enumeration; else empty.
        used_in: The messages and data types that have a field of a data type or an enumeration; else empty.
        items: What the rows are made of, if it is a key or variables; else empty.
    """

    name: str
    version: str
    kind: str
    action: Action | None
    rows: tuple[Row, ...]
    values: tuple[str, ...]
    used_in: tuple[str, ...] = ()
    items: tuple[ConfigurationKey | Variable, ...] = ()

    @property
    def headline(self) -> str:
        """The name, what it is, and for a message who sends it to whom."""
        if self.kind in _ITEM_KINDS:
            return f"{self.name}, OCPP {self.version}: {self.kind}"
        if self.action is None:
            more = f" and {len(self.used_in) - _MAX_USES} more" if len(self.used_in) > _MAX_USES else ""
            return f"{self.name}, OCPP {self.version}: {self.kind}, used in {', '.join(self.used_in[:_MAX_USES])}{more}"
        kind = "SEND, which is never answered," if self.action.is_send else self.kind
        return f"{self.action.name}, OCPP {self.version}: {kind} {_direction(self.action, self.kind)}"

    def __str__(self) -> str:
        return "\n".join([*textwrap.wrap(self.headline, _WIDTH), "", *self._body()])

    def _body(self) -> Iterable[str]:
        if self.values:
            return (f"  {value}" for value in self.values)
        return (
            _table(self._headings, self.rows) if self.rows else [f"(no {'variables of its own' if self.kind == 'component' else 'fields'})"]
        )

    @property
    def _headings(self) -> tuple[str, ...]:
        return _ITEM_HEADINGS if self.items else _HEADINGS

    __repr__ = __str__

    def _repr_html_(self) -> str:
        if self.values:
            body = f"<ul>{''.join(f'<li><code>{escape(value)}</code></li>' for value in self.values)}</ul>"
        else:
            head = "".join(f"<th style='text-align: left'>{heading.capitalize()}</th>" for heading in self._headings)
            body = f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(map(_html_row, self.rows))}</tbody></table>"
        return f"<p><strong>{escape(self.headline)}</strong></p>{body}"

    def as_dict(self) -> dict[str, Any]:
        """The same as plain data, for JSON."""
        found: dict[str, Any] = {"name": self.name, "version": self.version, "kind": self.kind}
        if self.action is not None:
            found |= {"action": self.action.name, "requestFrom": self.action.sent_by, "isSend": self.action.is_send}
        elif self.kind in _ITEM_KINDS:
            return {**found, "keys" if self.version == "1.6" else "variables": [item.as_dict() for item in self.items]}
        else:
            found["usedIn"] = list(self.used_in)
        if self.values:
            return {**found, "values": list(self.values)}
        return {**found, "fields": [_plain_row(row) for row in self.rows]}


def describe(
    name: str,
    *,
    version: str = "2.0.1",
    kind: str = "request",
    depth: int | None = None,
    schemas: Mapping[str, Any] | str | PathLike[str] | None = None,
) -> Description:
    """What OCPP says of an action, a data type, an enumeration, a configuration key or a variable, to be printed or shown in a notebook.

    Args:
        name: An action, spelt as on the wire; a data type, or an enumeration, which may be spelt as in another version; a configuration key
            of 1.6; a variable of 2.x with its component (``"OCPPCommCtrlr.HeartbeatInterval"``) or alone, or a component.
        version: ``"1.6"``, ``"2.0.1"`` or ``"2.1"``.
        kind: ``"request"`` or ``"response"`` of an action.
        depth: How many levels of fields to show, 1 being the message's own; None is all of them.
        schemas: What is laid over the schemas of OCPP, see docs/own-messages.md; None is nothing.

    Raises:
        SchemaError: There is something wrong with ``schemas``.
        ValueError: The version has no such name, and the text says what may have been meant; or a SEND has no response.
    """
    version = overlaid(schemas).get(version, version)
    found = _schema_name(name, version, kind)
    if found is None:
        return _describe_items(name, base_version(version))
    values = tuple(named_schemas(version)[found].get("enum", ()))
    action, what = _message(found, version)
    return Description(
        name=found,
        version=base_version(version),
        kind=what or ("enumeration" if values else "data type"),
        action=action,
        rows=tuple(_rows(version, found, depth)),
        values=values,
        used_in=uses(version).get(found, ()),
    )


def _schema_name(name: str, version: str, kind: str) -> str | None:
    if name in named_schemas(version) or name in actions(version):
        return message_of(name, version, kind)
    if _has_items(name, base_version(version)):
        return None
    same = [enumeration.name for enumeration in same_enumerations(name) if enumeration.version == base_version(version)]
    return same[0] if len(same) == 1 else None


def _has_items(name: str, version: str) -> bool:
    return bool(find(name, version)) or _is_component(name, version)


def _is_component(name: str, version: str) -> bool:
    return version != "1.6" and name in components(version=version)


def _describe_items(name: str, version: str) -> Description:
    if not _has_items(name, version):
        raise _unknown(name, version)
    items = find(name, version)
    is_component = _is_component(name, version)
    kind = "component" if is_component else "configuration key" if version == "1.6" else "variable" if len(items) == 1 else "variables"
    rows = (Row(item.path, item.type or "", item.required, item.remarks, item.values, None) for item in items)
    return Description(items[0].path if kind == "variable" else name, version, kind, None, tuple(rows), (), items=items)


def _unknown(name: str, version: str) -> ValueError:
    others = [f"OCPP {other}" for other in VERSIONS if other != version and _has_items(name, other)]
    if others:
        return ValueError(f"{name[:60]!r} is not in OCPP {version}, but in {' and '.join(others)}")
    if version == "1.6":
        items: Iterable[str] = configuration_keys()
    else:
        items = {*components(version=version), *variables(version=version), *(item.name for item in variables(version=version).values())}
    return unknown_name(name, version, [*named_schemas(version), *actions(version), *sorted(items)])


def _message(name: str, version: str) -> tuple[Action | None, str]:
    for kind in ("request", "response"):
        for action in actions(version).values():
            if name == message_name(action.name, kind):
                return action, kind
    return None, ""


def _direction(action: Action, kind: str) -> str:
    if action.sent_by not in SIDES:
        return "from either side to the other"
    sender, receiver = (SIDES[side] for side in (("CS", "CSMS") if (action.sent_by == "CS") is (kind == "request") else ("CSMS", "CS")))
    return f"from the {sender} to the {receiver}"


def _rows(version: str, name: str, depth: int | None, prefix: str = "", outside: tuple[str, ...] = ()) -> Iterator[Row]:
    inside = (*outside, name)
    for field in fields_of(version, name):
        if field.type == CUSTOM_DATA and prefix:
            continue
        path = f"{prefix}{field.name}"
        limits = (_CUSTOM_DATA,) if field.type == CUSTOM_DATA else field.limits
        yield Row(path, field.type_text, field.required, limits, field.values, field.default)
        if _has_fields(field) and field.type not in inside and (depth is None or depth > len(inside)):
            yield from _rows(version, field.type, depth, f"{path}{'[]' if field.is_array else ''}.", inside)


def _has_fields(field: Field) -> bool:
    return field.schema.get("type") == "object" and field.type != CUSTOM_DATA


def _table(headings: tuple[str, ...], rows: tuple[Row, ...]) -> Iterator[str]:
    cells = [headings, *((row.path, row.type, "yes" if row.required else "", row.remarks) for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(3)]
    margin = sum(widths) + 2 * len(widths)
    for line in cells:
        start = "".join(f"{cell:<{width}}  " for cell, width in zip(line, widths, strict=False))
        last = textwrap.wrap(line[3], max(_MIN_LAST, _WIDTH - margin), break_on_hyphens=False) or [""]
        yield f"{start}{last[0]}".rstrip()
        yield from (f"{'':{margin}}{more}" for more in last[1:])


def _html_row(row: Row) -> str:
    cells = (f"<code>{escape(row.path)}</code>", escape(row.type), "yes" if row.required else "", escape(row.remarks))
    return f"<tr>{''.join(f'<td style={chr(39)}text-align: left{chr(39)}>{cell}</td>' for cell in cells)}</tr>"


def _plain_row(row: Row) -> dict[str, Any]:
    plain: dict[str, Any] = {"path": row.path, "type": row.type, "required": row.required}
    if row.limits:
        plain["limits"] = list(row.limits)
    if row.values:
        plain["values"] = list(row.values)
    if row.default is not None:
        plain["default"] = row.default
    return plain
