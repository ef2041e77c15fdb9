"""The device model of OCPP 2.x on the wire: what there is, what it says, and what may be set."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from .. import format_time
from .commands import Answer, Later, Request
from .configuration import ITEMS_PER_MESSAGE, Configuration, SetResult, Setting
from .messages2x import connector_status

if TYPE_CHECKING:
    from .station import Station

__all__ = [
    "get_base_report",
    "get_report",
    "get_variables",
    "own_settings",
    "set_variable_monitoring",
    "set_variables",
    "settings_of_connectors",
]

_SUMMARY = ("AvailabilityState", "Available", "Problem")
_MUTABILITIES = {"R": "ReadOnly", "RW": "ReadWrite", "W": "WriteOnly"}
_TYPES = {"string", "decimal", "integer", "dateTime", "boolean", "OptionList", "SequenceList", "MemberList"}


def own_settings(station: Station) -> Mapping[str, str | Callable[[], str]]:
    """What a station's configuration has that another's has not."""
    return {
        "ClockCtrlr.DateTime": lambda: format_time(station.now()),
        "LocalAuthListCtrlr.Entries": lambda: str(len(station.reader.tokens.listed)),
        "SmartChargingCtrlr.Entries[ChargingProfiles]": lambda: str(len(station.charging.profiles)),
    }


def settings_of_connectors(station: Station) -> list[Setting]:
    """The variables of the station itself, of its EVSEs and their connectors."""

    def read_only(
        component: str, name: str, value: str | Callable[[], str], kind: str, evse: int | None, unit: str | None = None
    ) -> Setting:
        connector = 1 if component == "Connector" else None
        return Setting(component, name, None, evse, connector, value, kind, "R", unit)

    def state(number: int) -> Callable[[], str]:
        return lambda: connector_status(station.connectors[number].state)

    def power(number: int) -> Callable[[], str]:
        return lambda: f"{station.connectors[number].power:.0f}"

    phases = str(station.connectors[1].supply.phases)
    found = [
        read_only("ChargingStation", "AvailabilityState", lambda: connector_status(station.presence.state), "OptionList", None),
        read_only("ChargingStation", "Available", "true", "boolean", None),
        read_only("ChargingStation", "Model", station.who.model, "string", None),
        read_only("ChargingStation", "SupplyPhases", phases, "integer", None),
        read_only("ChargingStation", "VendorName", station.who.vendor, "string", None),
    ]
    for number, connector in station.connectors.items():
        found += [
            read_only("EVSE", "AvailabilityState", state(number), "OptionList", number),
            read_only("EVSE", "Available", "true", "boolean", number),
            read_only("EVSE", "Power", power(number), "decimal", number, "W"),
            read_only("EVSE", "SupplyPhases", phases, "integer", number),
            read_only("Connector", "AvailabilityState", state(number), "OptionList", number),
            read_only("Connector", "Available", "true", "boolean", number),
            read_only("Connector", "ConnectorType", "cType2" if connector.supply.phases else "cCCS2", "string", number),
            read_only("Connector", "SupplyPhases", phases, "integer", number),
        ]
    return found


# --- Reading and setting


def get_variables(station: Station, request: Request) -> Answer:
    """What some variables say."""
    with station.changing():
        return {"getVariableResult": [_got(station.configuration, each) for each in request["getVariableData"]]}


def _got(configuration: Configuration, wanted: Request) -> Request:
    setting, problem = _find(configuration, wanted)
    where = _place(wanted)
    if setting is None:
        return {**where, "attributeStatus": problem}
    if setting.mutability == "W":
        return {**where, "attributeStatus": "Rejected", "attributeStatusInfo": {"reasonCode": "WriteOnly"}}
    return {**where, "attributeStatus": "Accepted", "attributeValue": setting.text}


_SET_RESULTS = {SetResult.DONE: "Accepted", SetResult.REBOOT: "RebootRequired", SetResult.REFUSED: "Rejected"}


def set_variables(station: Station, request: Request) -> Answer:
    """Some variables are to have new values."""
    with station.changing():
        return {"setVariableResult": [_set(station, each) for each in request["setVariableData"]]}


def _set(station: Station, wanted: Request) -> Request:
    setting, problem = _find(station.configuration, wanted)
    where = _place(wanted)
    if setting is None:
        return {**where, "attributeStatus": problem}
    result = station.configuration.set(setting, wanted["attributeValue"])
    shown = "***" if setting.mutability == "W" else wanted["attributeValue"]
    station.note("configuration", f"{setting.path} = {shown} ({_SET_RESULTS[result]})", key=setting.path, status=_SET_RESULTS[result])
    if result is SetResult.REFUSED:
        code = "ReadOnly" if setting.mutability == "R" else "InvalidValue"
        return {**where, "attributeStatus": "Rejected", "attributeStatusInfo": {"reasonCode": code}}
    return {**where, "attributeStatus": _SET_RESULTS[result]}


def set_variable_monitoring(station: Station, request: Request) -> Answer:
    """No variable can be monitored, and each answer says so."""
    with station.changing():
        return {"setMonitoringResult": [_not_monitored(station.configuration, each) for each in request["setMonitoringData"]]}


def _not_monitored(configuration: Configuration, wanted: Request) -> Request:
    setting, problem = _find(configuration, wanted)
    kept = {name: wanted[name] for name in ("component", "variable", "type", "severity")}
    return {**kept, "status": problem if setting is None else "UnsupportedMonitorType"}


def _find(configuration: Configuration, wanted: Request) -> tuple[Setting | None, str]:
    """The setting that is meant; without one, why there is none."""
    component, variable = wanted["component"], wanted["variable"]
    evse = component.get("evse", {})
    where = evse.get("id"), evse.get("connectorId")
    if "instance" in component or not configuration.has_component(component["name"], *where):
        return None, "UnknownComponent"
    instance = f"[{variable['instance']}]" if "instance" in variable else ""
    setting = configuration.find(f"{component['name']}.{variable['name']}{instance}", *where)
    if setting is None:
        return None, "UnknownVariable"
    if wanted.get("attributeType", "Actual") != "Actual":
        return None, "NotSupportedAttributeType"
    return setting, ""


def _place(wanted: Request) -> Request:
    return {name: wanted[name] for name in ("component", "variable", "attributeType") if name in wanted}


# --- Reports


def get_base_report(station: Station, request: Request) -> Later:
    """All variables, those that can be set, or the few that tell how it is."""
    wanted = _BASES[request["reportBase"]]
    yield {"status": "Accepted"}
    _report(station, request["requestId"], wanted)


_BASES: dict[str, Callable[[Setting], bool]] = {
    "FullInventory": lambda setting: True,
    "ConfigurationInventory": lambda setting: setting.mutability != "R",
    "SummaryInventory": lambda setting: setting.name in _SUMMARY,
}


def get_report(station: Station, request: Request) -> Later:
    """Some variables, by their names or by what they say."""
    named = request.get("componentVariable")
    criteria = request.get("componentCriteria")

    def wanted(setting: Setting) -> bool:
        by_name = named is None or any(_is_named(setting, each) for each in named)
        return by_name and (criteria is None or setting.name in criteria)

    with station.changing():
        found = any(wanted(setting) for setting in station.configuration)
    yield {"status": "Accepted" if found else "EmptyResultSet"}
    if found:
        _report(station, request["requestId"], wanted)


def _is_named(setting: Setting, wanted: Request) -> bool:
    component, variable = wanted["component"], wanted.get("variable", {})
    evse = component.get("evse")
    return bool(
        setting.component.lower() == component["name"].lower()
        and (evse is None or evse["id"] == setting.evse)
        and variable.get("name", setting.name).lower() == setting.name.lower()
        and variable.get("instance", setting.instance) == setting.instance
    )


def _report(station: Station, request_id: int, wanted: Callable[[Setting], bool]) -> None:
    with station.changing():
        data = [_reported(setting) for setting in station.configuration if wanted(setting)]
        now = format_time(station.now())
    parts = [data[begin : begin + ITEMS_PER_MESSAGE] for begin in range(0, len(data), ITEMS_PER_MESSAGE)]
    for number, part in enumerate(parts):
        report = {"requestId": request_id, "generatedAt": now, "seqNo": number, "tbc": number + 1 < len(parts), "reportData": part}
        station.say(("NotifyReport", report))


def _reported(setting: Setting) -> Request:
    component: Request = {"name": setting.component}
    if setting.evse is not None:
        component["evse"] = {"id": setting.evse, **({} if setting.connector is None else {"connectorId": setting.connector})}
    variable = {"name": setting.name, **({} if setting.instance is None else {"instance": setting.instance})}
    attribute = {"mutability": _MUTABILITIES[setting.mutability], **({} if setting.mutability == "W" else {"value": setting.text})}
    characteristics: Request = {"dataType": setting.type if setting.type in _TYPES else "string", "supportsMonitoring": False}
    if setting.unit is not None:
        characteristics["unit"] = setting.unit
    if setting.values:
        characteristics["valuesList"] = ",".join(setting.values)
    return {
        "component": component,
        "variable": variable,
        "variableAttribute": [attribute],
        "variableCharacteristics": characteristics,
    }
