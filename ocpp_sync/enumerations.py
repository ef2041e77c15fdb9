"""One enumeration in all versions of OCPP: which values each has."""

from __future__ import annotations

import difflib
import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from types import MappingProxyType
from typing import Any, NamedTuple

from .fields import named_schemas
from .schemas import VERSIONS

__all__ = ["Comparison", "Enumeration", "compare_enumeration", "same_enumerations"]

# What 1.6 calls otherwise than the versions after it; without the endings "Type" and "EnumType".
_RENAMED = {
    "Availability": "OperationalStatus",
    "AvailabilityStatus": "ChangeAvailabilityStatus",
    "ChargePointStatus": "ConnectorStatus",
    "RemoteStartStopStatus": "RequestStartStopStatus",
    "ReservationStatus": "ReserveNowStatus",
    "UpdateStatus": "SendLocalListStatus",
}


class Enumeration(NamedTuple):
    """An enumeration of one version.

    Attributes:
        version: The version of OCPP.
        name: Its name there.
        values: Its values.
    """

    version: str
    name: str
    values: tuple[str, ...]


@dataclass(frozen=True, repr=False)
class Comparison:
    """What :func:`compare_enumeration` has found; its text is a table.

    Attributes:
        enumerations: The enumeration as each version has it. 1.6 may have two: its own, and that of the security whitepaper.
        values: The values of all of them.
    """

    enumerations: tuple[Enumeration, ...]
    values: tuple[str, ...]

    @property
    def differs(self) -> bool:
        """Whether not all have the same values."""
        return any(set(enumeration.values) != set(self.values) for enumeration in self.enumerations)

    @property
    def headings(self) -> tuple[str, ...]:
        """The first line of the table."""
        return ("VALUE", *(f"{enumeration.version} {enumeration.name}" for enumeration in self.enumerations))

    @property
    def rows(self) -> Iterator[tuple[str, ...]]:
        """The other lines: the value, and ``"yes"`` under each that has it."""
        for value in self.values:
            yield (value, *("yes" if value in enumeration.values else "" for enumeration in self.enumerations))

    def __str__(self) -> str:
        lines = [self.headings, *self.rows]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        return "\n".join("  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        head = "".join(f"<th style='text-align: left'>{escape(heading)}</th>" for heading in self.headings)
        rows = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in self.rows)
        return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"

    def as_dict(self) -> dict[str, Any]:
        """The same as plain data, for JSON."""
        found = [{"version": version, "name": name, "values": list(values)} for version, name, values in self.enumerations]
        return {"enumerations": found, "values": list(self.values)}


def compare_enumeration(name: str) -> Comparison:
    """The values that an enumeration has in each version of OCPP: a table, to be printed, or shown in a notebook.

    Args:
        name: Its name in any version, for example ``"Measurand"`` or ``"MeasurandEnumType"``; the ending may be left out.

    Raises:
        ValueError: No version has it, and the text says what may have been meant.
    """
    found = same_enumerations(name)
    if not found:
        raise _unknown(name)
    return Comparison(found, tuple(dict.fromkeys(value for enumeration in found for value in enumeration.values)))


def same_enumerations(name: str) -> tuple[Enumeration, ...]:
    """The enumerations of all versions that are the same by their names; empty if there are none."""
    return _all().get(_stem(name), ())


@functools.cache
def _all() -> Mapping[str, tuple[Enumeration, ...]]:
    found: dict[str, list[Enumeration]] = {}
    for version in VERSIONS:
        for name, schema in named_schemas(version).items():
            if "enum" in schema:
                found.setdefault(_stem(name), []).append(Enumeration(version, name, tuple(schema["enum"])))
    return MappingProxyType({stem: tuple(enumerations) for stem, enumerations in found.items()})


def _stem(name: str) -> str:
    stem = name.removesuffix("EnumType") if name.endswith("EnumType") else name.removesuffix("Type")
    return _RENAMED.get(stem, stem)


def _unknown(name: str) -> ValueError:
    right = {enumeration.name.lower(): enumeration.name for enumerations in _all().values() for enumeration in enumerations}
    near = difflib.get_close_matches(name[:60].lower(), right, 1)
    hint = f"; did you mean {right[near[0]]!r}?" if near else ""
    return ValueError(f"no version of OCPP has an enumeration {name[:60]!r}{hint}")
