"""Masked values of a recording, of which nobody can say whether they are right."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ocpp_sync.counterparts import resolved
from ocpp_sync.redaction import MASK

__all__ = ["is_masked", "without_masks"]


def is_masked(value: Any) -> bool:
    """Whether a value is masked, or a part of it if it is a text."""
    return isinstance(value, str) and MASK in value


def without_masks(value: Any, schema: Mapping[str, Any], known: Mapping[str, Any]) -> Any:
    """The value with something instead of each mask that the schema finds nothing wrong with, so that the rest of it can be judged.

    Args:
        value: A payload, or what is in it.
        schema: Its schema.
        known: The definitions that the schema refers to.
    """
    schema = resolved(schema, known)
    if isinstance(value, dict):
        fields = schema.get("properties", {})
        return {name: without_masks(inner, fields.get(name, {}), known) for name, inner in value.items()}
    if isinstance(value, list):
        return [without_masks(inner, schema.get("items", {}), known) for inner in value]
    return _stand_in(value, schema) if is_masked(value) else value


def _stand_in(value: str, schema: Mapping[str, Any]) -> Any:
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type", "string")
    if kind in ("integer", "number"):
        least = max(0, schema.get("minimum", 0))
        return min(least, schema.get("maximum", least))
    if kind != "string":
        return value  # only texts and numbers are masked
    if value == MASK and "format" in schema:
        return {"date-time": "2000-01-01T00:00:00Z", "uri": "https://example.com/"}[schema["format"]]
    return value[: schema.get("maxLength")]
