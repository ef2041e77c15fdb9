"""Payloads to begin with: valid as they are, and ready to edit."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from typing import Any

from .fields import CUSTOM_DATA, Field, fields_of, message_name, named_schemas, unknown_name
from .schemas import actions, overlaid
from .timestamps import utcnow

__all__ = ["skeleton"]

_URI = "https://example.com/"


def skeleton(
    action: str,
    *,
    version: str = "2.0.1",
    full: bool = False,
    kind: str = "request",
    schemas: Mapping[str, Any] | str | PathLike[str] | None = None,
) -> dict[str, Any]:
    """A valid payload of an action, as a dict to edit.

    A field has its default, else ``"Accepted"`` or the first value of an enumeration, the current time, an empty string, False, or the
    number nearest to 0. Data types, by the names that :func:`describe` shows, have skeletons too.

    Args:
        action: The action, spelt as on the wire, or the name of a data type.
        version: ``"1.6"``, ``"2.0.1"`` or ``"2.1"``.
        full: Whether to put in every field, each array with an item, instead of only what must be there. The ``customData`` that each
            object of 2.x may have is put into the message alone, not into what is in it.
        kind: ``"request"`` or ``"response"`` of an action.
        schemas: What is laid over the schemas of OCPP, see docs/own-messages.md; None is nothing.

    Returns:
        A new dict at each call.

    Raises:
        SchemaError: There is something wrong with ``schemas``.
        ValueError: The version has no such name, a SEND has no response, or an enumeration no fields.
    """
    version = overlaid(schemas).get(version, version)
    names = named_schemas(version)
    name = message_of(action, version, kind)
    if names[name].get("type") != "object":
        raise ValueError(f"{name} is an enumeration: it has values, and no fields")
    payload = _object(version, name, full, ())
    if full and any(field.type == CUSTOM_DATA for field in fields_of(version, name)):
        payload["customData"] = {"vendorId": ""}
    return payload


def message_of(action: str, version: str, kind: str) -> str:
    """The name of the message, data type or enumeration that a user means.

    Raises:
        ValueError: There is none.
    """
    if kind not in ("request", "response"):
        raise ValueError(f"a payload is a 'request' or a 'response', not {kind!r}")
    names = named_schemas(version)
    if action in actions(version):
        if (name := message_name(action, kind)) in names:
            return name
        raise ValueError(f"{action} is a SEND, which is never answered, so it has no response")
    if action in names:
        return action
    raise unknown_name(action, version, [*names, *actions(version)])


def _object(version: str, name: str, full: bool, outside: tuple[str, ...]) -> dict[str, Any]:
    inside = (*outside, name)
    fields = [field for field in fields_of(version, name) if field.required or (full and field.type not in (CUSTOM_DATA, *inside))]
    return {field.name: _value(version, field, full, inside) for field in fields}


def _value(version: str, field: Field, full: bool, inside: tuple[str, ...]) -> Any:
    if field.is_array:
        return [_item(version, field, full, inside) for _ in range(max(full, field.min_items))]
    return _item(version, field, full, inside)


def _item(version: str, field: Field, full: bool, inside: tuple[str, ...]) -> Any:
    if field.default is not None:
        return field.default
    if field.values:
        return "Accepted" if "Accepted" in field.values else field.values[0]
    kind = field.schema.get("type", "string")
    kind = kind if isinstance(kind, str) else kind[0]
    if kind == "object":
        return _object(version, field.type, full, inside)
    if kind == "string":
        return {"date-time": utcnow(), "uri": _URI}.get(field.schema.get("format", ""), "")
    if kind == "boolean":
        return False
    least = max(0, field.schema.get("minimum", 0))
    nearest = min(least, field.schema.get("maximum", least))
    return nearest if kind == "integer" else float(nearest)
