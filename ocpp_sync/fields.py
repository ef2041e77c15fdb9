"""What the schemas say of each field, in the words of OCPP; for explanations, skeletons and what ``tools/`` makes of them."""

from __future__ import annotations

import difflib
import functools
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from .schemas import VERSIONS, actions, base_version, definitions

__all__ = ["CUSTOM_DATA", "Field", "fields_of", "message_name", "named_schemas", "unknown_name", "uses"]

CUSTOM_DATA = "CustomDataType"
"""The one data type that is open: beside its ``vendorId`` it may have any field (rule B15)."""

# The schemas of 1.6 write these enumerations out where they are used; here they get the names that the specification has for them.
_ENUMERATIONS_16 = {
    ("BootNotificationResponse", "status"): "RegistrationStatus",
    ("CancelReservationResponse", "status"): "CancelReservationStatus",
    ("ChangeAvailabilityRequest", "type"): "AvailabilityType",
    ("ChangeAvailabilityResponse", "status"): "AvailabilityStatus",
    ("ChangeConfigurationResponse", "status"): "ConfigurationStatus",
    ("ClearCacheResponse", "status"): "ClearCacheStatus",
    ("ClearChargingProfileResponse", "status"): "ClearChargingProfileStatus",
    ("DataTransferResponse", "status"): "DataTransferStatus",
    ("DiagnosticsStatusNotificationRequest", "status"): "DiagnosticsStatus",
    ("FirmwareStatusNotificationRequest", "status"): "FirmwareStatus",
    ("GetCompositeScheduleResponse", "status"): "GetCompositeScheduleStatus",
    ("RemoteStartTransactionResponse", "status"): "RemoteStartStopStatus",
    ("RemoteStopTransactionResponse", "status"): "RemoteStartStopStatus",
    ("ReserveNowResponse", "status"): "ReservationStatus",
    ("ResetRequest", "type"): "ResetType",
    ("ResetResponse", "status"): "ResetStatus",
    ("SendLocalListRequest", "updateType"): "UpdateType",
    ("SendLocalListResponse", "status"): "UpdateStatus",
    ("SetChargingProfileResponse", "status"): "ChargingProfileStatus",
    ("StatusNotificationRequest", "errorCode"): "ChargePointErrorCode",
    ("StatusNotificationRequest", "status"): "ChargePointStatus",
    ("StopTransactionRequest", "reason"): "Reason",
    ("TransactionSampledValue", "unit"): "TransactionUnitOfMeasure",
    ("TriggerMessageRequest", "requestedMessage"): "MessageTrigger",
    ("TriggerMessageResponse", "status"): "TriggerMessageStatus",
    ("UnlockConnectorResponse", "status"): "UnlockStatus",
}


class Field(NamedTuple):
    """A field of a message or a data type.

    Attributes:
        name: The name on the wire.
        type: ``"string"``, ``"integer"``, ``"number"``, ``"boolean"``, ``"any"``, or the name of a data type; of an array the type of its
            items.
        is_array: Whether it is an array of these.
        required: Whether it must be there.
        limits: What a value must keep to, in words, for example ``"at most 20 characters"``.
        values: The values of an enumeration; else empty.
        default: What a missing field stands for; None if the schema does not say.
        schema: The schema of the value, or of the items, its reference resolved.
        min_items: How many items an array must have.
    """

    name: str
    type: str
    is_array: bool
    required: bool
    limits: tuple[str, ...]
    values: tuple[str, ...]
    default: Any
    schema: Mapping[str, Any]
    min_items: int

    @property
    def type_text(self) -> str:
        """The type as it is written in a table: ``"MeterValueType[]"`` is an array."""
        return f"{self.type}[]" if self.is_array else self.type


def message_name(action: str, kind: str) -> str:
    """The name of a message as a data type: ``"BootNotificationRequest"``."""
    return f"{action}{kind.capitalize()}"


@functools.cache
def named_schemas(version: str) -> Mapping[str, Mapping[str, Any]]:
    """The schemas of all messages, data types and enumerations of a version, by name; messages first.

    Raises:
        ValueError: An unknown version.
    """
    found: dict[str, Mapping[str, Any]] = {}
    for action in actions(version).values():
        found[message_name(action.name, "request")] = action.request
        if action.response is not None:
            found[message_name(action.name, "response")] = action.response
    found.update(sorted({**definitions(version), **_written_out({**found, **definitions(version)}, version)}.items()))
    return MappingProxyType(found)


def _written_out(schemas: Mapping[str, Mapping[str, Any]], version: str) -> dict[str, Mapping[str, Any]]:
    if base_version(version) != "1.6":
        return {}
    found = {name: schemas.get(owner, {}).get("properties", {}).get(field, {}) for (owner, field), name in _ENUMERATIONS_16.items()}
    return {name: schema for name, schema in found.items() if "enum" in schema}


@functools.cache
def fields_of(version: str, name: str) -> tuple[Field, ...]:
    """The fields of a message or a data type, those that must be there first, else in the order of the schema.

    Args:
        version: The version of OCPP.
        name: A name out of :func:`named_schemas`; an enumeration has no fields.
    """
    schema = named_schemas(version)[name]
    required = schema.get("required", ())
    found = [_field(version, name, field, entry, field in required) for field, entry in schema.get("properties", {}).items()]
    # customData comes first in the schemas, but matters least.
    return tuple(sorted(found, key=lambda field: (not field.required, field.type == CUSTOM_DATA)))


@functools.cache
def uses(version: str) -> Mapping[str, tuple[str, ...]]:
    """The messages and data types that have a field of a data type or an enumeration, by its name."""
    found: dict[str, list[str]] = {}
    for name in named_schemas(version):
        for kind in dict.fromkeys(field.type for field in fields_of(version, name)):
            if kind in named_schemas(version):
                found.setdefault(kind, []).append(name)
    return MappingProxyType({name: tuple(users) for name, users in found.items()})


def _field(version: str, owner: str, name: str, entry: Mapping[str, Any], required: bool) -> Field:
    item: Mapping[str, Any] = entry["items"] if (is_array := entry.get("type") == "array") else entry
    if (reference := item.get("$ref")) is not None:
        kind = reference.rpartition("/")[2]
        item = definitions(version)[kind]
    else:
        kind = item.get("type", "any")
        if isinstance(kind, list):
            kind = " or ".join(kind)
        if base_version(version) == "1.6" and "enum" in item:
            kind = _ENUMERATIONS_16.get((owner, name), kind)
    limits = [*(f"each {limit}" for limit in _limits(item)), _items(entry)] if is_array else _limits(item)
    return Field(
        name=name,
        type=kind,
        is_array=is_array,
        required=required,
        limits=tuple(filter(None, limits)),
        values=tuple(item.get("enum", ())),
        default=None if is_array else item.get("default"),
        schema=item,
        min_items=entry.get("minItems", 0),
    )


def _limits(schema: Mapping[str, Any]) -> list[str]:
    limits = []
    if "format" in schema:
        limits.append({"date-time": "date and time of ISO 8601", "uri": "URI"}[schema["format"]])
    if "maxLength" in schema:
        limits.append(f"at most {_count(schema['maxLength'], 'character')}")
    limits.append(_range(schema.get("minimum"), schema.get("maximum")))
    if "multipleOf" in schema:
        limits.append(f"a multiple of {schema['multipleOf']}")
    return [limit for limit in limits if limit]


def _range(least: float | None, most: float | None) -> str:
    if least is not None and most is not None:
        return f"{least} to {most}"
    return f"at least {least}" if least is not None else f"at most {most}" if most is not None else ""


def _items(schema: Mapping[str, Any]) -> str:
    least, most = schema.get("minItems", 0), schema.get("maxItems")
    if most is None:
        return f"at least {_count(least, 'item')}" if least else ""
    if least in (0, most):
        return f"{'exactly' if least else 'at most'} {_count(most, 'item')}"
    return f"{least} to {_count(most, 'item')}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def unknown_name(name: str, version: str, right: Iterable[str]) -> ValueError:
    """The error for a name that a version does not have: it tells which one does, and what may have been meant.

    Args:
        name: The name.
        version: The version of OCPP.
        right: The names that would have been right.
    """
    base = base_version(version)
    others = [f"OCPP {other}" for other in VERSIONS if other != base and (name in actions(other) or name in named_schemas(other))]
    but = f", but in {' and '.join(others)}" if others else ""
    folded = {candidate.lower(): candidate for candidate in right}
    near = difflib.get_close_matches(name[:60].lower(), folded, 1)
    hint = f"; did you mean {folded[near[0]]!r}?" if near else ""
    return ValueError(f"{name[:60]!r} is not in OCPP {base}{but}{hint}")
