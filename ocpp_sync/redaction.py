"""Frames without their secrets: what a log, a recording or a person looking over your shoulder may see."""

from __future__ import annotations

import json
import re
from typing import Any

__all__ = ["MASK", "redact"]

MASK = "***"

# A field of this name is secret; and a value is, that belongs to a configuration key or variable of this name.
_SECRET = re.compile(r"password|secret|passphrase|authorizationkey|privatekey|simpin", re.IGNORECASE)
# Where the value stands that belongs to a "key" (1.6) or to a "variable" (2.x).
_VALUES = {"value", "attributeValue", "actualValue", "variableAttribute"}
# Where a look at the whole text tells that nothing of all this can be in it. VPN settings of 2.x have a "key" beside their password.
_SUSPICIOUS = re.compile(rf"{_SECRET.pattern}|\\u", re.IGNORECASE)


def redact(text: str) -> str:
    """A frame with each secret in it replaced by ``***``: passwords, keys, and the values of variables that hold one.

    A text that may hold a secret and is no JSON is masked as a whole.
    """
    if not _SUSPICIOUS.search(text):
        return text
    try:
        message = json.loads(text)
        masked = _mask(message)
    except (ValueError, RecursionError):
        return f"{MASK} ({len(text)} characters that are no JSON)"
    return text if masked == message else json.dumps(masked, ensure_ascii=False, separators=(",", ":"))


def _mask(value: Any) -> Any:
    if isinstance(value, list):
        return [_mask(item) for item in value]
    if not isinstance(value, dict):
        return value
    about_secret = _names_secret(value)
    return {name: _hide(inner) if _is_secret(name, value, about_secret) else _mask(inner) for name, inner in value.items()}


def _is_secret(name: str, fields: dict[str, Any], about_secret: bool) -> bool:
    if about_secret and name in _VALUES:
        return True
    # The "key" of VPN settings is one; that of a configuration key is only its name.
    return _SECRET.search(name) is not None or (name == "key" and "password" in fields)


def _names_secret(fields: dict[str, Any]) -> bool:
    variable = fields.get("variable")
    names = (fields.get("key"), variable.get("name") if isinstance(variable, dict) else None)
    return any(isinstance(name, str) and _SECRET.search(name) for name in names)


def _hide(value: Any) -> Any:
    """Every text and number below; the shape stays."""
    if isinstance(value, list):
        return [_hide(item) for item in value]
    if isinstance(value, dict):
        return {name: _hide(inner) for name, inner in value.items()}
    return value if value is None or isinstance(value, bool) else MASK
