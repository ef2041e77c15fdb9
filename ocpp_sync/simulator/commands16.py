"""What a charge point obeys in OCPP 1.6: the table is at the end. Handlers run on a thread of the client."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from .. import format_time, parse_time
from . import commands as common
from .commands import ACCEPTED, REJECTED, Answer, Later, Request
from .configuration import SetResult, Setting
from .connector import Authorization, Reason, Token
from .messages16 import token_info

if TYPE_CHECKING:
    from .station import Station

__all__ = ["HANDLERS", "own_settings", "settings_of_connectors"]


def own_settings(station: Station) -> Mapping[str, str | Callable[[], str]]:
    """What a station's configuration has that another's has not."""
    rotation = ",".join(f"{number}.RST" for number in (0, *station.connectors))
    return {"NumberOfConnectors": str(len(station.connectors)), "ConnectorPhaseRotation": rotation}


def settings_of_connectors(station: Station) -> list[Setting]:
    """There are none in 1.6."""
    return []


# --- Transactions


def remote_start(station: Station, request: Request) -> Later:
    """Somebody is to charge, here or wherever there is room."""
    token = Token(request["idTag"])
    with station.changing():
        it = common.choose(station, request.get("connectorId"), token)
        profile = None if it is None else common.pending_profile(station, it, request.get("chargingProfile"))
    if it is None or profile is False:
        yield REJECTED
        return
    yield ACCEPTED
    station.reader.remote_start(it.number, Authorization(token, is_remote=True))


def unlock(station: Station, request: Request) -> Later:
    """The cable is to be let go, which ends a transaction."""
    it = station.connectors.get(request["connectorId"])
    if it is None:
        yield {"status": "NotSupported"}
        return
    yield {"status": "Unlocked"}
    with station.changing():
        station.note("unlocked", "unlocked", it.number)
        station.charging.end(it, Reason.UNLOCK)


def reserve(station: Station, request: Request) -> Answer:
    """A connector is to be kept for somebody."""
    with station.changing():
        it = station.connectors.get(request["connectorId"])
        if it is None:
            return REJECTED  # 0 is any connector, which is not supported
        status = common.reservable(station, it, request["reservationId"])
        if status == "Accepted":
            expires = parse_time(request["expiryDate"])
            station.charging.reserve(it, request["reservationId"], Token(request["idTag"]), request.get("parentIdTag"), expires)
    return {"status": status}


# --- Smart charging


def set_charging_profile(station: Station, request: Request) -> Answer:
    """A limit is set."""
    number, wire = request["connectorId"], request["csChargingProfiles"]
    if "transactionId" in wire:
        station.charging.wait_named(wire["transactionId"])
    with station.changing():
        return {"status": "Accepted" if common.why_not_profile(station, number, wire) is None else "Rejected"}


def clear_charging_profile(station: Station, request: Request) -> Answer:
    """Limits are taken away."""
    purpose = request.get("chargingProfilePurpose", "").replace("ChargePoint", "").removesuffix("Profile")
    wanted = {"id": request.get("id"), "connector": request.get("connectorId"), "stack_level": request.get("stackLevel")}
    return common.clear_profiles(station, {**wanted, "purpose": purpose or None})


def get_composite_schedule(station: Station, request: Request) -> Answer:
    """What the limits come to."""
    number, unit = request["connectorId"], request.get("chargingRateUnit", "W")
    with station.changing():
        if number != 0 and number not in station.connectors:
            return REJECTED
        periods = common.schedule_periods(station, number, request["duration"], unit)
        now = format_time(station.now())
    schedule = {"duration": request["duration"], "startSchedule": now, "chargingRateUnit": unit, "chargingSchedulePeriod": periods}
    return {"status": "Accepted", "connectorId": number, "scheduleStart": now, "chargingSchedule": schedule}


# --- The station


def reset(station: Station, request: Request) -> Later:
    """It is to start anew."""
    yield ACCEPTED
    station.maintenance.reset(hard=request["type"] == "Hard")


def change_availability(station: Station, request: Request) -> Answer:
    """A connector may be used, or may not."""
    number, operative = request["connectorId"], request["type"] == "Operative"
    if number != 0 and number not in station.connectors:
        return REJECTED
    return {"status": common.set_availability(station, number, operative)}


def get_configuration(station: Station, request: Request) -> Answer:
    """What it is configured to."""
    with station.changing():
        keys = request.get("key") or [setting.path for setting in station.configuration]
        found = {key: station.configuration.find(key) for key in keys}
    known = [_key_value(setting) for setting in found.values() if setting is not None]
    return {"configurationKey": known, "unknownKey": [key for key, setting in found.items() if setting is None]}


def _key_value(setting: Setting) -> dict[str, Any]:
    value = {} if setting.mutability == "W" else {"value": setting.text[:500]}
    return {"key": setting.path, "readonly": setting.mutability == "R", **value}


_SET_RESULTS = {SetResult.DONE: "Accepted", SetResult.REBOOT: "RebootRequired", SetResult.REFUSED: "Rejected"}


def change_configuration(station: Station, request: Request) -> Answer:
    """It is to be configured otherwise."""
    with station.changing():
        setting = station.configuration.find(request["key"])
        if setting is None:
            return {"status": "NotSupported"}
        status = _SET_RESULTS[station.configuration.set(setting, request["value"])]
        shown = "***" if setting.mutability == "W" else request["value"]
        station.note("configuration", f"{setting.path} = {shown} ({status})", key=setting.path, status=status)
    return {"status": status}


def trigger_message(station: Station, request: Request) -> Later:
    """It is to say something."""
    triggered = _TRIGGERED.get(request["requestedMessage"])
    number = request.get("connectorId")
    if triggered is None:
        yield {"status": "NotImplemented"}
    elif number is not None and number not in (0, *station.connectors):
        yield REJECTED
    else:
        yield ACCEPTED
        triggered(station, number)


def _say_diagnostics(station: Station, number: int | None) -> None:
    if station.maintenance.log.number is None:
        common.say_log(station, number)
    else:  # it was asked for by the newer message
        station.say(("DiagnosticsStatusNotification", {"status": "Idle"}))


def _say_log(station: Station, number: int | None) -> None:
    if station.maintenance.log.number is not None:
        common.say_log(station, number)
    else:
        station.say(("LogStatusNotification", {"status": "Idle"}))


_TRIGGERED: dict[str, Callable[[Station, int | None], None]] = {
    "BootNotification": common.say_nothing,
    "DiagnosticsStatusNotification": _say_diagnostics,
    "FirmwareStatusNotification": common.say_firmware,
    "Heartbeat": common.say_heartbeat,
    "LogStatusNotification": _say_log,
    "MeterValues": common.say_meter,
    "StatusNotification": common.say_status,
}


def get_diagnostics(station: Station, request: Request) -> Later:
    """It is to upload its logs; nothing is uploaded."""
    yield {"fileName": common.log_name(station)}
    station.maintenance.send_log(None)


def update_firmware(station: Station, request: Request) -> Later:
    """It is to install firmware; nothing is downloaded."""
    yield {}
    station.maintenance.update_firmware(None, parse_time(request["retrieveDate"]))


def signed_update_firmware(station: Station, request: Request) -> Later:
    """The same by the newer message."""
    canceled = station.maintenance.firmware.is_under_way
    yield {"status": "AcceptedCanceled" if canceled else "Accepted"}
    station.maintenance.update_firmware(request["requestId"], parse_time(request["firmware"]["retrieveDateTime"]))


# --- Tokens, and the rest


def send_local_list(station: Station, request: Request) -> Answer:
    """It is told whom it knows."""
    entries = {each["idTag"]: each.get("idTagInfo") for each in request.get("localAuthorizationList", ())}
    known = {name: None if info is None else token_info(info) for name, info in entries.items()}
    with station.changing():
        if not station.configuration.flag("list"):
            return {"status": "NotSupported"}
        done = station.reader.tokens.update(request["listVersion"], known, full=request["updateType"] == "Full")
    return {"status": "Accepted" if done else "VersionMismatch"}


def get_local_list_version(station: Station, request: Request) -> Answer:
    """Which list it has."""
    return {"listVersion": station.reader.tokens.version if station.configuration.flag("list") else -1}


HANDLERS: dict[str, Callable[[Station, Request], Answer | Later]] = {
    "CancelReservation": common.cancel_reservation,
    "ChangeAvailability": change_availability,
    "ChangeConfiguration": change_configuration,
    "ClearCache": common.clear_cache,
    "ClearChargingProfile": clear_charging_profile,
    "DataTransfer": common.data_transfer,
    "ExtendedTriggerMessage": trigger_message,
    "GetCompositeSchedule": get_composite_schedule,
    "GetConfiguration": get_configuration,
    "GetDiagnostics": get_diagnostics,
    "GetLocalListVersion": get_local_list_version,
    "GetLog": common.get_log,
    "RemoteStartTransaction": remote_start,
    "RemoteStopTransaction": common.remote_stop,
    "ReserveNow": reserve,
    "Reset": reset,
    "SendLocalList": send_local_list,
    "SetChargingProfile": set_charging_profile,
    "SignedUpdateFirmware": signed_update_firmware,
    "TriggerMessage": trigger_message,
    "UnlockConnector": unlock,
    "UpdateFirmware": update_firmware,
}
