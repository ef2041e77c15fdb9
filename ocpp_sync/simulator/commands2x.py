"""What a charging station obeys in OCPP 2.0.1 and 2.1: the table is at the end. Handlers run on a thread of the client."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from .. import format_time, parse_time
from . import commands as common
from .commands import ACCEPTED, REJECTED, Answer, Later, Request
from .connector import Authorization, Connector, Reason, Token
from .devicemodel import (
    get_base_report,
    get_report,
    get_variables,
    own_settings,
    set_variable_monitoring,
    set_variables,
    settings_of_connectors,
)
from .messages2x import token_info
from .profiles import Profile

if TYPE_CHECKING:
    from .station import Station

__all__ = ["HANDLERS", "own_settings", "settings_of_connectors"]

_REASON_CODES = 20  # characters


def _because(status: str, code: str, text: str) -> dict[str, Any]:
    return {"status": status, "statusInfo": {"reasonCode": code[:_REASON_CODES], "additionalInfo": text}}


def _token(wire: dict[str, Any]) -> Token:
    return Token(wire["idToken"], wire["type"])


# --- Transactions


def request_start(station: Station, request: Request) -> Later:
    """Somebody is to charge, here or wherever there is room."""
    token = _token(request["idToken"])
    with station.changing():
        it = common.choose(station, request.get("evseId"), token)
        profile = None if it is None else common.pending_profile(station, it, request.get("chargingProfile"))
    if it is None:
        yield _because("Rejected", "NoConnectorFree", "there is no such EVSE, or it is not free")
        return
    if profile is False:
        yield _because("Rejected", "InvalidProfile", "the charging profile is none for a transaction, or not supported")
        return
    yield ACCEPTED
    group = request.get("groupIdToken", {}).get("idToken")
    station.reader.remote_start(it.number, Authorization(token, group, request["remoteStartId"], is_remote=True))


def unlock(station: Station, request: Request) -> Answer:
    """The cable is to be let go."""
    it = station.connectors.get(request["evseId"])
    if it is None or request["connectorId"] != 1:
        return {"status": "UnknownConnector"}
    with station.changing():
        if it.transaction is not None:
            return {"status": "OngoingAuthorizedTransaction"}
        station.note("unlocked", "unlocked", it.number)
    return {"status": "Unlocked"}


def get_transaction_status(station: Station, request: Request) -> Answer:
    """Whether a transaction goes on, and whether there is something to say of it."""
    pending = station.client.outbox.pending()
    if "transactionId" not in request:
        return {"messagesInQueue": any(entry.transaction is not None for entry in pending)}
    wanted = request["transactionId"]
    with station.changing():
        ongoing = station.charging.find(wanted) is not None
    return {"ongoingIndicator": ongoing, "messagesInQueue": any(entry.transaction == wanted for entry in pending)}


def reserve(station: Station, request: Request) -> Answer:
    """An EVSE is to be kept for somebody."""
    with station.changing():
        number = request.get("evseId")
        wanted = list(station.connectors.values()) if number is None else [it for it in [station.connectors.get(number)] if it is not None]
        if not wanted:
            return REJECTED
        found = {it.number: common.reservable(station, it, request["id"]) for it in wanted}
        free = [number for number, status in found.items() if status == "Accepted"]
        if not free:
            return {"status": found[wanted[0].number]}
        group = request.get("groupIdToken", {}).get("idToken")
        expires = parse_time(request["expiryDateTime"])
        station.charging.reserve(station.connectors[free[0]], request["id"], _token(request["idToken"]), group, expires)
    return ACCEPTED


# --- Smart charging


def set_charging_profile(station: Station, request: Request) -> Answer:
    """A limit is set."""
    wire = request["chargingProfile"]
    if wire["chargingProfilePurpose"] == "TxProfile" and "transactionId" not in wire:
        return _because("Rejected", "InvalidProfile", "a TxProfile needs a transactionId")
    with station.changing():
        why = common.why_not_profile(station, request["evseId"], wire)
    return ACCEPTED if why is None else _because("Rejected", "InvalidProfile", why)


def clear_charging_profile(station: Station, request: Request) -> Answer:
    """Limits are taken away."""
    criteria = request.get("chargingProfileCriteria", {})
    wanted = {"id": request.get("chargingProfileId"), "connector": criteria.get("evseId"), "stack_level": criteria.get("stackLevel")}
    return common.clear_profiles(station, {**wanted, "purpose": _purpose(criteria)})


def _purpose(criteria: dict[str, Any]) -> str | None:
    purpose = criteria.get("chargingProfilePurpose")
    return None if purpose is None else purpose.replace("ChargingStation", "").removesuffix("Profile")


def get_composite_schedule(station: Station, request: Request) -> Answer:
    """What the limits come to."""
    number, duration, unit = request["evseId"], request["duration"], request.get("chargingRateUnit", "W")
    with station.changing():
        if number != 0 and number not in station.connectors:
            return _because("Rejected", "UnknownEvse", f"there is no EVSE {number}")
        periods = common.schedule_periods(station, number, duration, unit)
        now = format_time(station.now())
    schedule = {"evseId": number, "duration": duration, "scheduleStart": now, "chargingRateUnit": unit}
    return {"status": "Accepted", "schedule": {**schedule, "chargingSchedulePeriod": periods}}


def get_charging_profiles(station: Station, request: Request) -> Later:
    """Which limits there are; they are reported."""
    criteria = request["chargingProfile"]
    ids, evse, sources = criteria.get("chargingProfileId"), request.get("evseId"), criteria.get("chargingLimitSource", ["CSO"])

    def matches(profile: Profile) -> bool:
        by_id = ids is None or profile.id in ids
        by_purpose = _purpose(criteria) in (None, profile.purpose) and criteria.get("stackLevel") in (None, profile.stack_level)
        return by_id and by_purpose and evse in (None, profile.connector) and "CSO" in sources

    with station.changing():
        found = [profile for profile in station.charging.profiles if matches(profile)]
    if not found:
        yield {"status": "NoProfiles"}
        return
    yield ACCEPTED
    for place, profile in enumerate(found, 1):
        report = {"requestId": request["requestId"], "chargingLimitSource": "CSO", "evseId": profile.connector}
        station.say(("ReportChargingProfiles", {**report, "chargingProfile": [profile.wire], "tbc": place < len(found)}))


# --- The station


def reset(station: Station, request: Request) -> Later:
    """The station, or an EVSE, is to start anew."""
    number, on_idle = request.get("evseId", 0), request["type"] == "OnIdle"
    if number not in (0, *station.connectors):
        yield _because("Rejected", "UnknownEvse", f"there is no EVSE {number}")
        return
    if request["type"] == "ImmediateAndResume":
        yield _because("Rejected", "NotSupported", "transactions cannot be resumed")
        return
    with station.changing():
        affected = [it for it in station.connectors.values() if number in (0, it.number)]
        scheduled = on_idle and any(it.transaction is not None for it in affected)
    yield {"status": "Scheduled" if scheduled else "Accepted"}
    if number != 0:
        _reset_evse(station, affected[0], scheduled)
    elif scheduled:
        station.maintenance.reset_on_idle()
    else:
        station.maintenance.reset(hard=False)


def _reset_evse(station: Station, it: Connector, scheduled: bool) -> None:
    """Only the station boots; an EVSE ends what it does, and is there again."""
    if scheduled:
        return  # when its transaction has ended there is nothing left to reset
    with station.changing():
        station.note("reset", "starts anew", it.number)
        station.charging.end(it, Reason.SOFT_RESET)
        it.authorization, it.finished = None, False
        station.presence.report(it.number, anew=True)


def change_availability(station: Station, request: Request) -> Answer:
    """The station, or an EVSE, may be used, or may not."""
    evse = request.get("evse")
    if evse is not None and (evse["id"] not in station.connectors or evse.get("connectorId", 1) != 1):
        return _because("Rejected", "UnknownEvse", "there is no such EVSE or connector")
    return {"status": common.set_availability(station, 0 if evse is None else evse["id"], request["operationalStatus"] == "Operative")}


def trigger_message(station: Station, request: Request) -> Later:
    """It is to say something."""
    name, number = request["requestedMessage"], request.get("evse", {}).get("id")
    triggered = _TRIGGERED.get(name)
    if triggered is None:
        yield {"status": "NotImplemented"}
        return
    unknown = number is not None and number not in station.connectors
    if unknown or (name == "BootNotification" and station.client.registration == "Accepted"):
        yield _because("Rejected", "NotPossible", "there is no such EVSE" if unknown else "the station is accepted")
        return
    if name == "TransactionEvent" and not _ongoing(station, number):
        yield _because("Rejected", "NoTransaction", "nobody charges there")
        return
    yield ACCEPTED
    triggered(station, number)


def _ongoing(station: Station, number: int | None) -> list[Connector]:
    with station.changing():
        return [it for it in station.connectors.values() if it.transaction is not None and number in (None, it.number)]


def _say_transactions(station: Station, number: int | None) -> None:
    with station.changing():
        for it in _ongoing(station, number):
            station.metering.report(it, "Trigger")


def _say_meter(station: Station, number: int | None) -> None:
    with station.changing():
        for it in station.connectors.values():
            if number in (None, it.number):
                values = station.metering.read(it, "aligned measurands")
                station.say(station.wording.idle_metered(it, values, "Trigger", format_time(station.now())))


_TRIGGERED: dict[str, Callable[[Station, int | None], None]] = {
    "BootNotification": common.say_nothing,
    "FirmwareStatusNotification": common.say_firmware,
    "Heartbeat": common.say_heartbeat,
    "LogStatusNotification": common.say_log,
    "MeterValues": _say_meter,
    "StatusNotification": common.say_status,
    "TransactionEvent": _say_transactions,
}


def update_firmware(station: Station, request: Request) -> Later:
    """It is to install firmware; nothing is downloaded."""
    canceled = station.maintenance.firmware.is_under_way
    yield {"status": "AcceptedCanceled" if canceled else "Accepted"}
    station.maintenance.update_firmware(request["requestId"], parse_time(request["firmware"]["retrieveDateTime"]))


# --- Tokens


def send_local_list(station: Station, request: Request) -> Answer:
    """It is told whom it knows."""
    entries = {each["idToken"]["idToken"]: each.get("idTokenInfo") for each in request.get("localAuthorizationList", ())}
    known = {name: None if info is None else token_info(info) for name, info in entries.items()}
    with station.changing():
        if not station.configuration.flag("list"):
            return {"status": "Failed"}
        done = station.reader.tokens.update(request["versionNumber"], known, full=request["updateType"] == "Full")
    return {"status": "Accepted" if done else "VersionMismatch"}


def get_local_list_version(station: Station, request: Request) -> Answer:
    """Which list it has."""
    return {"versionNumber": station.reader.tokens.version}


HANDLERS: Mapping[str, Callable[[Station, Request], Answer | Later]] = {
    "CancelReservation": common.cancel_reservation,
    "ChangeAvailability": change_availability,
    "ClearCache": common.clear_cache,
    "ClearChargingProfile": clear_charging_profile,
    "DataTransfer": common.data_transfer,
    "GetBaseReport": get_base_report,
    "GetChargingProfiles": get_charging_profiles,
    "GetCompositeSchedule": get_composite_schedule,
    "GetLocalListVersion": get_local_list_version,
    "GetLog": common.get_log,
    "GetReport": get_report,
    "GetTransactionStatus": get_transaction_status,
    "GetVariables": get_variables,
    "RequestStartTransaction": request_start,
    "RequestStopTransaction": common.remote_stop,
    "ReserveNow": reserve,
    "Reset": reset,
    "SendLocalList": send_local_list,
    "SetChargingProfile": set_charging_profile,
    "SetVariableMonitoring": set_variable_monitoring,
    "SetVariables": set_variables,
    "TriggerMessage": trigger_message,
    "UnlockConnector": unlock,
    "UpdateFirmware": update_firmware,
}
