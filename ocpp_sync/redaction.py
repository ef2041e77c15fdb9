"""Frames without their secrets: what a log, a recording or a person looking over your shoulder may see.

Which field is secret is known for every message of OCPP. Of what vendors put into DataTransfer and customData, or write into free
text, only that is found which looks like a secret: by its name, as a URL with credentials, or as a private key.
"""

from __future__ import annotations

import json
import re
from typing import Any

__all__ = ["MASK", "redact"]

MASK = "***"

# A field of this name is secret; and so is the value that stands beside such a name, see below. A public key is none.
_WORDS = (
    r"pass(?:word|wd|phrase|code)|pwd|secret|credential|psk|key[-_. ]?code|pin(?:[-_. ]?code|$)"
    r"|(?:auth|authorization|private|vpn|api|access|shared|encryption)[-_. ]?key|(?:auth|access|api|bearer)[-_. ]?token"
)
_SECRET = re.compile(_WORDS, re.IGNORECASE | re.ASCII)

# Where a name stands in an object, and where the value that belongs to it, there or deeper: configuration keys of 1.6, variables
# of 2.x, the PIN that is an idToken of the type KeyCode, and DataTransfer.
_NAMES = ("key", "variable", "type", "name", "messageId")
_VALUES = {"value", "attributeValue", "actualValue", "idToken", "additionalIdToken", "data"}

# The settings of a VPN have a "key" that is no name.
_VPN = {"password", "server", "user"}

# Secrets within a text: credentials and signatures in a URL (GetLog, UpdateFirmware, …), and what is written as "password=…".
_IN_TEXT = re.compile(
    rf"(?P<user>://)[^\s/?#]*@|(?P<assigned>(?:(?:{_WORDS})\w{{0,20}}[\"']?\s?(?:=|:(?=\S))|(?:signature|sig|token)=)\s?)"
    r"(?:\"[^\"]*\"|'[^']*'|[^\s,;&#]+)",
    re.IGNORECASE | re.ASCII,
)

# None of all this can be in a text that has none of these. Where there is an escape, the words may be spelt in escapes.
_HINTS = ("pass", "pwd", "secret", "credential", "psk", "key", "pin", "token", "=", "@", "\\u")


def redact(text: str) -> str:
    """A frame with each secret in it replaced by ``***``: passwords, keys, and the values of variables that hold one.

    A text that may hold a secret and is no JSON is masked as a whole. A text without a secret is returned itself.
    """
    folded = text.lower()
    if not any(hint in folded for hint in _HINTS):
        return text
    try:
        message = json.loads(text, object_pairs_hook=_fields)
        masked = _mask(message)
    except (ValueError, RecursionError):
        return f"{MASK} ({len(text)} characters that cannot be read)"
    # With escapes again, where there were some: half of a surrogate pair can be written in no other way.
    return text if masked == message else json.dumps(masked, ensure_ascii="\\u" in text, separators=(",", ":"))


def _fields(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise ValueError("a field is there twice, and the first one would not be looked at")
    return fields


def _mask(value: Any, about_secret: bool = False) -> Any:
    if isinstance(value, list):
        return [_mask(item, about_secret) for item in value]
    if isinstance(value, str):
        return _mask_text(value)
    if not isinstance(value, dict):
        return value
    about_secret = about_secret or any(_names_secret(value.get(name)) for name in _NAMES)
    return {name: _hide(inner) if _is_secret(name, value, about_secret) else _mask(inner, about_secret) for name, inner in value.items()}


def _is_secret(name: str, fields: dict[str, Any], about_secret: bool) -> bool:
    return (about_secret and name in _VALUES) or _names_secret(name) or (name == "key" and not _VPN.isdisjoint(fields))


def _names_secret(name: Any) -> bool:
    if isinstance(name, dict):
        name = name.get("name")  # a variable of 2.x
    return isinstance(name, str) and _SECRET.search(name) is not None


def _mask_text(text: str) -> str:
    if text.lstrip()[:1] in ("{", "["):
        return redact(text)  # DataTransfer of 1.6 often has JSON in it
    if "PRIVATE KEY-----" in text:
        return MASK
    return _IN_TEXT.sub(lambda match: f"{match['user']}{MASK}@" if match["user"] else f"{match['assigned']}{MASK}", text)


def _hide(value: Any) -> Any:
    """Every text and number below; the shape stays."""
    if isinstance(value, list):
        return [_hide(item) for item in value]
    if isinstance(value, dict):
        return {name: _hide(inner) for name, inner in value.items()}
    return value if value is None or isinstance(value, bool) else MASK
