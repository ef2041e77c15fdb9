"""The configuration keys of OCPP 1.6 and the variables of the device model of 2.x that the standard names, read on first use.

The documents in ``schemas/`` carry facts alone, one item a line: ``keys16.json`` for 1.6, ``variables2x.json`` for 2.0.1 and 2.1, where
``"in"`` names the one version of an item that is not in both. What the standard does not say, or says in two ways, is not there.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from . import schemas

__all__ = ["ConfigurationKey", "Variable", "components", "configuration_keys", "find", "variables"]


class ConfigurationKey(NamedTuple):
    """A configuration key of OCPP 1.6, for ``GetConfiguration`` and ``ChangeConfiguration``.

    Attributes:
        name: The key.
        profile: The feature profile that it belongs to, for example ``"Core"``; ``"Security"`` and ``"PlugAndCharge"`` are those of the
            security whitepaper and of the application note about ISO 15118.
        type: ``"boolean"``, ``"integer"``, ``"string"``, or ``"CSL"``, a comma-separated list. On the wire all are strings.
        accessibility: ``"R"``, ``"RW"`` or ``"W"``; ``"R/RW"`` is the charge point's choice.
        unit: Of the value, for example ``"s"``; None if it has none.
        required: Whether a charge point that supports the profile must have it.
        enumeration: Whose values it has, as :func:`describe` knows it; else None.
        values: Its values, or those of the members of a list, where the standard names them here; else empty.
    """

    name: str
    profile: str
    type: str
    accessibility: str
    unit: str | None = None
    required: bool = False
    enumeration: str | None = None
    values: tuple[str, ...] = ()

    @property
    def path(self) -> str:
        """Its name, as :func:`configuration_keys` has it."""
        return self.name

    @property
    def remarks(self) -> tuple[str, ...]:
        """What a description says of it beside its values."""
        return tuple(filter(None, (self.accessibility, self.unit and f"in {self.unit}", f"profile {self.profile}", _values_of(self))))

    def as_dict(self) -> dict[str, Any]:
        """What is known of it as plain data, for JSON."""
        return _plain(self)


class Variable(NamedTuple):
    """A variable of the device model of OCPP 2.x, for ``GetVariables`` and ``SetVariables``.

    Attributes:
        component: The component that has it; empty for one that any component may have.
        name: The variable.
        instance: Which of several of the name; one like ``"<vendorId>"`` stands for what a charging station puts there.
        type: The ``dataType``, for example ``"integer"`` or ``"MemberList"``; None if that is not certain.
        mutability: ``"ReadOnly"``, ``"ReadWrite"`` or ``"WriteOnly"``; ``"ReadOnly/ReadWrite"`` is the charging station's choice, None if
            the standard leaves it open or that is not certain.
        unit: Of the value, for example ``"s"``, or ``"W, kW"``; None if it has none.
        required: Whether a charging station that has the component, or what it controls, must have it.
        condition: What a charging station must support for ``required`` to hold, for example ``"V2X"``; else empty.
        attributes: Its attributes, where these are not ``Actual`` alone.
        enumeration: Whose values it has, as :func:`describe` knows it; else None.
        values: Its values, or those of the members of a list, where the standard names them here; else empty.
    """

    component: str
    name: str
    instance: str | None = None
    type: str | None = None
    mutability: str | None = None
    unit: str | None = None
    required: bool = False
    condition: str = ""
    attributes: tuple[str, ...] = ()
    enumeration: str | None = None
    values: tuple[str, ...] = ()

    @property
    def path(self) -> str:
        """Component, name and instance in one, for example ``"TariffCostCtrlr.Enabled[Cost]"``."""
        return f"{self._full_name}{'' if self.instance is None else f'[{self.instance}]'}"

    @property
    def _full_name(self) -> str:
        return f"{self.component}.{self.name}" if self.component else self.name

    @property
    def remarks(self) -> tuple[str, ...]:
        """What a description says of it beside its values."""
        found = (
            self.mutability,
            self.unit and f"in {self.unit.replace(', ', ' or ')}",
            "" if self.component else "of any component",
            self.condition and f"required with {self.condition}",
            f"attributes {', '.join(self.attributes)}" if self.attributes else "",
            _values_of(self),
        )
        return tuple(filter(None, found))

    def is_meant_by(self, name: str) -> bool:
        """Whether a user may mean it by a name: of its component, its own, both, or all with the instance."""
        return bool(name) and name in (self.component, self.name, self._full_name, self.path)

    def as_dict(self) -> dict[str, Any]:
        """What is known of it as plain data, for JSON."""
        return _plain(self)


@functools.cache
def configuration_keys() -> Mapping[str, ConfigurationKey]:
    """The configuration keys that OCPP 1.6 names, with those of its security whitepaper, by name."""
    return MappingProxyType({entry["name"]: ConfigurationKey(**_tuples(entry)) for entry in _document("keys16")["keys"]})


@functools.cache
def variables(*, version: str = "2.0.1") -> Mapping[str, Variable]:
    """The variables that OCPP 2.x names for the device model, by their paths, for example ``"OCPPCommCtrlr.HeartbeatInterval"``.

    Args:
        version: ``"2.0.1"`` or ``"2.1"``.

    Raises:
        ValueError: Another version; 1.6 has :func:`configuration_keys`.
    """
    found = (Variable(**_tuples(entry)) for entry in _entries("variables", version))
    return MappingProxyType({variable.path: variable for variable in found})


@functools.cache
def components(*, version: str = "2.0.1") -> tuple[str, ...]:
    """The components that OCPP 2.x names for the device model: the controllers, then what is physical; see :func:`variables`."""
    return tuple(entry["name"] for entry in _entries("components", version))


def find(name: str, version: str) -> tuple[ConfigurationKey | Variable, ...]:
    """The configuration key, or the variables, that a user means; empty if there are none.

    Args:
        name: A key; or a component, a variable, or both with a dot between them, with or without ``[INSTANCE]``.
        version: The version of OCPP.
    """
    if version == "1.6":
        return tuple(key for key in (configuration_keys().get(name),) if key is not None)
    found = [variable for variable in variables(version=version).values() if variable.is_meant_by(name)]
    # The DistributionPanel has a variable ChargingStation, but who says that means the component.
    return tuple([variable for variable in found if variable.component == name] or found)


def _entries(what: str, version: str) -> list[dict[str, Any]]:
    if version not in ("2.0.1", "2.1"):
        raise ValueError(f"OCPP {version!r} has no device model: it came with '2.0.1', and is in '2.1' too")
    return [entry for entry in _document("variables2x")[what] if version in entry.get("in", (version,))]


def _document(name: str) -> dict[str, Any]:
    # Not by pathlib, nor kept: what is made of it is.
    with open(f"{schemas.__path__[0]}/{name}.json", encoding="utf-8") as file:  # noqa: PTH123
        document: dict[str, Any] = json.load(file)
    return document


def _tuples(entry: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in entry.items() if key != "in"}


def _values_of(item: ConfigurationKey | Variable) -> str:
    return "" if item.enumeration is None else f"values of {item.enumeration}"


def _plain(item: ConfigurationKey | Variable) -> dict[str, Any]:
    known = {name: value for name, value in item._asdict().items() if value not in (None, (), "")}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in known.items()}
