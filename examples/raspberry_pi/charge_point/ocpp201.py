"""What the station says and obeys in OCPP 2.0.1."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ocpp_sync import Delivery, OcppError, format_time

from . import profiles
from .meter import Reading
from .safety import Cause

if TYPE_CHECKING:
    from .controller import Controller
    from .sessions import Session

Request = dict[str, Any]
Answer = dict[str, Any]
Later = Iterator[Answer]  # the answer; what follows runs once it has gone out

EVSE = {"id": 1, "connectorId": 1}
STATES = dict.fromkeys(("Preparing", "Charging", "SuspendedEVSE", "Finishing"), "Occupied")  # the others are called the same
# Why a transaction ends: stoppedReason and triggerReason.
REASONS = {
    "Local": ("Local", "StopAuthorized"),
    "Remote": ("Remote", "RemoteStop"),
    "EVDisconnected": ("EVDisconnected", "EVCommunicationLost"),
    "DeAuthorized": ("DeAuthorized", "Deauthorized"),
    "UnlockCommand": ("Other", "UnlockCommand"),
    "ImmediateReset": ("ImmediateReset", "ResetCommand"),
    "EmergencyStop": ("EmergencyStop", "AbnormalCondition"),
    "PowerLoss": ("PowerLoss", "AbnormalCondition"),
    "Other": ("Other", "AbnormalCondition"),
}
TRIGGERS = {"Sample.Periodic": "MeterValuePeriodic", "Trigger": "Trigger"}
REPORT_SIZE = 20
KINDS = {bool: "boolean", int: "integer", str: "string"}


class Dialect:
    """OCPP 2.0.1 for a controller."""

    def __init__(self, controller: Controller) -> None:
        self._it = controller
        self._types: dict[str, str] = {}  # of tokens that the CSMS has named
        self.handlers: dict[str, Callable[[Request], Answer | Later]] = {
            "ChangeAvailability": self._change_availability,
            "ClearCache": lambda request: {"status": "Rejected"},  # there is no cache
            "ClearChargingProfile": self._clear_charging_profile,
            "GetBaseReport": self._get_base_report,
            "GetCompositeSchedule": self._get_composite_schedule,
            "GetLocalListVersion": lambda request: {"versionNumber": self._it.authorization.list_version},
            "GetTransactionStatus": self._get_transaction_status,
            "GetVariables": lambda request: {"getVariableResult": [self._get(each) for each in request["getVariableData"]]},
            "RequestStartTransaction": self._request_start,
            "RequestStopTransaction": self._request_stop,
            "Reset": self._reset,
            "SendLocalList": self._send_local_list,
            "SetChargingProfile": self._set_charging_profile,
            "SetVariables": lambda request: {"setVariableResult": [self._set(each) for each in request["setVariableData"]]},
            "TriggerMessage": self._trigger_message,
            "UnlockConnector": self._unlock,
        }

    # --- What it says

    def boot(self, reason: str) -> Request:
        """The BootNotification."""
        it = self._it.settings.station
        serial = {"serialNumber": it.serial} if it.serial else {}
        return {"reason": reason, "chargingStation": {"vendorName": it.vendor, "model": it.model, "firmwareVersion": it.firmware, **serial}}

    def authorize(self, tag: str) -> tuple[str, Request]:
        """The question whether somebody may charge."""
        return "Authorize", {"idToken": self._token(tag)}

    def token_status(self, response: Answer) -> str | None:
        """What an answer says of a token."""
        status: str | None = response.get("idTokenInfo", {}).get("status")
        return status

    def wire_state(self, state: str) -> str:
        """What a state of 1.6 is called."""
        return STATES.get(state, state)

    def status(self, state: str, reasons: Mapping[Cause, str]) -> None:
        """The state of the connector."""
        payload = {"timestamp": self._now(), "connectorStatus": self.wire_state(state), "evseId": 1, "connectorId": 1}
        self._it.client.outbox.put("StatusNotification", payload)

    def started(self, session: Session) -> Delivery:
        """The begin of a transaction."""
        session.handle = str(uuid.uuid4())
        remote = {} if session.remote_start_id is None else {"remoteStartId": session.remote_start_id}
        time = format_time(session.started)
        trigger = "RemoteStart" if remote else "Authorized"
        value = _meter_value(session.begin, "Transaction.Begin", time)
        info = {"chargingState": "Charging", **remote}
        return self._event("Started", session.handle, trigger, time, info, idToken=self._token(session.tag), evse=EVSE, meterValue=[value])

    def sampled(self, session: Session, reading: Reading, context: str) -> None:
        """The meter in the course of a transaction."""
        now = self._now()
        self._event("Updated", session.handle, TRIGGERS[context], now, meterValue=[_meter_value(reading, context, now)])

    def flow_changed(self, session: Session) -> None:
        """The contactor has closed or opened in the course of a transaction."""
        state = "Charging" if session.is_flowing else "SuspendedEVSE"
        self._event("Updated", session.handle, "ChargingStateChanged", self._now(), {"chargingState": state})

    def ended(self, session: Session, reading: Reading, reason: str) -> Delivery:
        """The end of a transaction."""
        stopped, trigger = REASONS[reason]
        now, token = self._now(), {"idToken": self._token(session.tag)} if reason == "Local" else {}
        end = reading._replace(energy_wh=max(reading.energy_wh, session.begin.energy_wh))
        value = _meter_value(end, "Transaction.End", now)
        return self._event("Ended", session.handle, trigger, now, {"stoppedReason": stopped}, meterValue=[value], **token)

    def abandoned(self, left: Any, reading: Reading) -> None:
        """The end of a transaction that another run of the program has begun."""
        now, (stopped, trigger) = self._now(), REASONS["PowerLoss"]
        value = _meter_value(reading, "Transaction.End", now)
        self._event("Ended", left.handle, trigger, now, {"stoppedReason": stopped}, meterValue=[value])

    def transaction_id(self, session: Session) -> str:
        """What the CSMS calls a transaction."""
        return session.handle

    def _event(self, kind: str, handle: str, trigger: str, time: str, info: Request | None = None, **more: Any) -> Delivery:
        about = {"transactionId": handle, **(info or {})}
        event = {"eventType": kind, "timestamp": time, "triggerReason": trigger, "transactionInfo": about, **more}
        return self._it.client.outbox.put("TransactionEvent", event)  # which numbers it

    def _token(self, tag: str) -> dict[str, str]:
        kind = self._types.get(tag) or ("ISO14443" if re.fullmatch(r"(?:[0-9A-F]{2}){4,10}", tag) else "Local")
        return {"idToken": tag, "type": kind}

    def _now(self) -> str:
        return format_time(self._it.client.now())

    # --- What it obeys; handlers run in a thread of the client

    def _request_start(self, request: Request) -> Later:
        it, profile, token = self._it, request.get("chargingProfile"), request["idToken"]
        is_possible = request.get("evseId", 1) == 1 and it.ask(it.why_not) is None
        if profile is not None and (profiles.purpose(profile) != profiles.TX or profiles.why_not(profile, -1) is not None):
            is_possible = False
        yield {"status": "Accepted" if is_possible else "Rejected"}
        if is_possible:
            self._types = {token["idToken"]: token["type"]}
            is_known = not it.configuration.flag("ask_remote")
            number = request["remoteStartId"]
            it.post(lambda: it.begin(token["idToken"], is_known=is_known, remote_start_id=number, profile=profile))

    def _request_stop(self, request: Request) -> Later:
        it = self._it
        session = it.ask(lambda: it.session)
        is_mine = session is not None and session.handle == request["transactionId"]
        yield {"status": "Accepted" if is_mine else "Rejected"}
        if is_mine:
            it.post(lambda: it.end_session("Remote") if it.session is session else None)

    def _reset(self, request: Request) -> Later:
        it = self._it
        if request.get("evseId", 1) != 1:
            yield {"status": "Rejected"}
            return
        is_idle = it.ask(lambda: it.session is None and it.driver is None)
        is_later = request["type"] == "OnIdle" and not is_idle
        yield {"status": "Scheduled" if is_later else "Accepted"}
        it.memory.keep(boot_reason="ScheduledReset" if is_later else "RemoteReset")
        if is_later:
            it.post(it.restart_when_idle)
        else:
            it.stop("restart", "ImmediateReset")

    def _change_availability(self, request: Request) -> Answer:
        if request.get("evse", EVSE)["id"] not in (0, 1):
            return {"status": "Rejected"}
        return {"status": self._it.ask(lambda: self._it.set_availability(request["operationalStatus"] == "Operative"))}

    def _unlock(self, request: Request) -> Answer:
        if (request["evseId"], request["connectorId"]) != (1, 1):
            return {"status": "UnknownConnector"}
        if self._it.ask(lambda: self._it.session) is not None:
            return {"status": "OngoingAuthorizedTransaction"}
        return {"status": "Unlocked" if self._it.ask(self._it.unlock) else "UnlockFailed"}

    def _trigger_message(self, request: Request) -> Later:
        it, wanted = self._it, request["requestedMessage"]
        triggered: dict[str, Callable[[], object]] = {
            "BootNotification": lambda: None,  # the client sends it
            "Heartbeat": lambda: it.client.call("Heartbeat"),
            "MeterValues": lambda: it.ask(self._triggered_values),
            "StatusNotification": lambda: it.ask(it.report),
            "TransactionEvent": lambda: it.ask(self._triggered_event),
        }
        if request.get("evse", EVSE)["id"] not in (0, 1) or (wanted == "TransactionEvent" and it.ask(lambda: it.session) is None):
            yield {"status": "Rejected"}
        elif wanted not in triggered:
            yield {"status": "NotImplemented"}
        else:
            yield {"status": "Accepted"}
            with suppress(OcppError):
                triggered[wanted]()

    def _triggered_values(self) -> None:
        value = _meter_value(self._it.read_meter(), "Trigger", self._now())
        self._it.client.outbox.put("MeterValues", {"evseId": 1, "meterValue": [value]})

    def _triggered_event(self) -> None:
        if self._it.session is not None:
            self.sampled(self._it.session, self._it.read_meter(), "Trigger")

    def _get(self, wanted: Request) -> Answer:
        path, status = self._find(wanted)
        value = {"attributeValue": self._it.configuration.text(path)} if status == "Accepted" else {}
        return {"attributeStatus": status, **value, **_place(wanted)}

    def _set(self, wanted: Request) -> Answer:
        path, status = self._find(wanted)
        if status == "Accepted" and not self._it.ask(lambda: self._it.configuration.set(path, wanted["attributeValue"])):
            status = "Rejected"
        return {"attributeStatus": status, **_place(wanted)}

    def _find(self, wanted: Request) -> tuple[str, str]:
        component, variable = wanted["component"]["name"], wanted["variable"]
        path = f"{component}.{variable['name']}" + (f"[{variable['instance']}]" if "instance" in variable else "")
        if wanted.get("attributeType", "Actual") != "Actual":
            return path, "NotSupportedAttributeType"
        if path in self._it.configuration:
            return path, "Accepted"
        is_known = any(each.startswith(f"{component}.") for each in self._it.configuration)
        return path, "UnknownVariable" if is_known else "UnknownComponent"

    def _get_base_report(self, request: Request) -> Later:
        it = self._it
        if request["reportBase"] == "SummaryInventory":
            yield {"status": "NotSupported"}
            return
        yield {"status": "Accepted"}
        items = [self._described(path) for path in it.configuration]
        for start in range(0, len(items), REPORT_SIZE):
            part, is_last = items[start : start + REPORT_SIZE], start + REPORT_SIZE >= len(items)
            report = {"requestId": request["requestId"], "generatedAt": self._now(), "tbc": not is_last, "seqNo": start // REPORT_SIZE}
            it.client.call("NotifyReport", {**report, "reportData": part}, wait=True)

    def _described(self, path: str) -> Request:
        configuration = self._it.configuration
        component, _, name = path.partition(".")
        name, _, instance = name.rstrip("]").partition("[")
        attribute = {"value": configuration.text(path), "mutability": "ReadOnly" if configuration.is_readonly(path) else "ReadWrite"}
        return {
            "component": {"name": component},
            "variable": {"name": name, **({"instance": instance} if instance else {})},
            "variableAttribute": [attribute],
            "variableCharacteristics": {"dataType": KINDS[configuration.kind(path)], "supportsMonitoring": False},
        }

    def _set_charging_profile(self, request: Request) -> Answer:
        it, profile = self._it, request["chargingProfile"]
        where = {profiles.MAX: (0,), profiles.DEFAULT: (0, 1)}.get(profiles.purpose(profile), (1,))
        if request["evseId"] not in where:
            return {"status": "Rejected"}
        return {"status": "Accepted" if it.ask(lambda: it.set_profile(profile)) else "Rejected"}

    def _clear_charging_profile(self, request: Request) -> Answer:
        criteria = request.get("chargingProfileCriteria", {})

        def matches(profile: dict[str, Any]) -> bool:
            if "chargingProfileId" in request:
                return profiles.number(profile) == int(request["chargingProfileId"])
            return all(criteria.get(name) in (None, profile[name]) for name in ("chargingProfilePurpose", "stackLevel"))

        return {"status": "Accepted" if self._it.ask(lambda: self._it.clear_profiles(matches)) else "Unknown"}

    def _get_composite_schedule(self, request: Request) -> Answer:
        it, unit, seconds = self._it, request.get("chargingRateUnit", "A"), request["duration"]
        if request["evseId"] not in (0, 1) or seconds <= 0:
            return {"status": "Rejected"}
        now, periods = it.ask(lambda: it.schedule(seconds, unit))
        schedule = {"evseId": request["evseId"], "duration": seconds, "scheduleStart": now, "chargingRateUnit": unit}
        return {"status": "Accepted", "schedule": {**schedule, "chargingSchedulePeriod": periods}}

    def _get_transaction_status(self, request: Request) -> Answer:
        it, wanted = self._it, request.get("transactionId")
        waiting = [each for each in it.client.outbox.pending() if each.action == "TransactionEvent"]
        if wanted is None:
            return {"messagesInQueue": bool(waiting)}
        session = it.ask(lambda: it.session)
        is_going_on = session is not None and session.handle == wanted
        return {"ongoingIndicator": is_going_on, "messagesInQueue": any(each.transaction == wanted for each in waiting)}

    def _send_local_list(self, request: Request) -> Answer:
        entries: dict[str, dict[str, Any] | None] = {}
        for each in request.get("localAuthorizationList", ()):
            info = each.get("idTokenInfo")
            known = None if info is None else {"status": info["status"], "expiry": info.get("cacheExpiryDateTime")}
            entries[each["idToken"]["idToken"]] = known
        is_full = request["updateType"] == "Full"
        return {"status": self._it.ask(lambda: self._it.authorization.update_list(request["versionNumber"], entries, is_full=is_full))}


def _place(wanted: Request) -> Request:
    return {name: wanted[name] for name in ("component", "variable", "attributeType") if name in wanted}


def _meter_value(reading: Reading, context: str, time: str) -> Request:
    values = [
        ("Energy.Active.Import.Register", round(reading.energy_wh), "Wh"),
        ("Power.Active.Import", round(reading.power_w), "W"),
        ("Current.Import", round(reading.current_a, 1), "A"),
        ("Voltage", round(reading.voltage_v, 1), "V"),
    ]
    sampled = [{"value": value, "context": context, "measurand": name, "unitOfMeasure": {"unit": unit}} for name, value, unit in values]
    return {"timestamp": time, "sampledValue": sampled}
