"""The JSON schemas of OCPP, one document a version, read on first use.

The documents carry the facts of the official schemas (names, types, limits, enumerations, defaults) without their prose::

    {"draft": 4 | 6,
     "definitions": {NAME: schema, …},                      shared by all actions of the version
     "actions": {ACTION: {"from": "CS" | "CSMS" | "both",   who may send the request
                          "draft": 4 | 6,                   only where it is not the document's own
                          "send": true,                     only for a SEND of OCPP 2.1, which has no response
                          "request": schema, "response": schema}, …}}

Each definition and each action has a line to itself, for readable diffs, and so that :func:`senders` need not parse the rest.

Whatever takes a version takes a **key** too, which :func:`overlaid` gives to a version with schemas of the user's own laid over it.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping, Set
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from os import PathLike

__all__ = [
    "STANDARD",
    "VERSIONS",
    "Action",
    "Document",
    "Side",
    "action_names",
    "actions",
    "add",
    "base_version",
    "definitions",
    "overlaid",
    "senders",
]

VERSIONS = ("1.6", "2.0.1", "2.1")

STANDARD: Mapping[str, str] = MappingProxyType({version: version for version in VERSIONS})
"""What :func:`overlaid` says when nothing is laid over any version."""

Side = Literal["CS", "CSMS", "both"]

_ACTION_LINE = re.compile(r'^"(\w+)":\{"from":"(\w+)"', re.MULTILINE)


class Action(NamedTuple):
    """What one version of OCPP says about one action.

    Attributes:
        name: The name on the wire, for example ``"BootNotification"``.
        sent_by: Who may send the request: ``"CS"`` (charging station), ``"CSMS"`` or ``"both"``.
        is_send: True for a message that goes out as SEND and is never answered (rule B17).
        draft: The draft of JSON schema that the two schemas are written in, 4 or 6 (rule B18).
        request: The schema of the request. Its ``$ref`` values point into :func:`definitions`.
        response: The schema of the response; None for a SEND.
    """

    name: str
    sent_by: Side
    is_send: bool
    draft: int
    request: dict[str, Any]
    response: dict[str, Any] | None


class Document(NamedTuple):
    """The schemas of one version, or of one key."""

    definitions: Mapping[str, dict[str, Any]]
    actions: Mapping[str, Action]


_overlays: dict[str, Document] = {}


def actions(version: str) -> Mapping[str, Action]:
    """The actions that a version defines, by name; reads the version's document at the first call.

    Raises:
        ValueError: The version is none of :data:`VERSIONS`.
    """
    return _document(_known(version)).actions


def definitions(version: str) -> Mapping[str, dict[str, Any]]:
    """The schemas that ``#/definitions/NAME`` refers to in a version, by name; reads the version's document at the first call.

    Raises:
        ValueError: The version is none of :data:`VERSIONS`.
    """
    return _document(_known(version)).definitions


@functools.cache
def senders(version: str) -> Mapping[str, Side]:
    """Who may send the request of each action of a version, by name; keeps nothing else of its document in memory.

    Raises:
        ValueError: The version is none of :data:`VERSIONS`.
    """
    if version in _overlays:
        return MappingProxyType({name: action.sent_by for name, action in _overlays[version].actions.items()})
    return MappingProxyType(dict(_ACTION_LINE.findall(_text(_known(version)))))


def action_names(version: str) -> Set[str]:
    """The names alone of the actions that a version defines; see :func:`senders`."""
    return senders(version).keys()


def overlaid(schemas: Mapping[str, Any] | str | PathLike[str] | None) -> Mapping[str, str]:
    """The versions, each with its key: itself, unless something is laid over it.

    Args:
        schemas: What a user gives as ``schemas=``, see :mod:`ocpp_sync.schemas.overlay`; None is nothing.

    Raises:
        SchemaError: There is something wrong with it.
    """
    if schemas is None:
        return STANDARD
    from .overlay import overlay  # here, so that who has none does not import it

    return overlay(schemas)


def add(key: str, document: Document) -> None:
    """For the package: this is found under a key from now on."""
    _overlays[key] = document


def base_version(version: str) -> str:
    """The version of OCPP that a key stands for: ``"1.6"`` of ``"1.6+1"``."""
    return version.partition("+")[0]


# Two threads that come first together may both read the document; each gets a complete one.
@functools.cache
def _document(version: str) -> Document:
    if version in _overlays:
        return _overlays[version]
    document = json.loads(_text(version))
    return Document(
        definitions=MappingProxyType(document["definitions"]),
        actions=MappingProxyType({name: _action(name, entry, document["draft"]) for name, entry in document["actions"].items()}),
    )


def _action(name: str, entry: dict[str, Any], draft: int) -> Action:
    return Action(
        name=name,
        sent_by=entry["from"],
        is_send=entry.get("send", False),
        draft=entry.get("draft", draft),
        request=entry["request"],
        response=entry.get("response"),
    )


def _text(version: str) -> str:
    # Not by pathlib, which costs a small board 0.2 MiB.
    with open(f"{__path__[0]}/v{version.replace('.', '')}.json", encoding="utf-8") as file:  # noqa: PTH123
        return file.read()


def _known(version: str) -> str:
    if version not in VERSIONS and version not in _overlays:
        raise ValueError(f"OCPP {version!r} is not supported; the versions are {', '.join(map(repr, VERSIONS))}")
    return version
