"""What the station says and obeys in OCPP 1.6."""

from __future__ import annotations

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

ERRORS = {
    Cause.METER_UNREADABLE: "PowerMeterFailure",
    Cause.METER_STUCK: "PowerMeterFailure",
    Cause.OVER_CURRENT: "OverCurrentFailure",
    Cause.OVER_TEMPERATURE: "HighTemperature",
    Cause.WATCHDOG: "InternalError",
    Cause.THREAD_FAILED: "InternalError",
}
REASONS = {"ImmediateReset": "SoftReset"}  # the others are called the same


class Dialect:
    """OCPP 1.6 for a controller."""

    def __init__(self, controller: Controller) -> None:
        self._it = controller
        self.handlers: dict[str, Callable[[Request], Answer | Later]] = {
            "ChangeAvailability": self._change_availability,
            "ChangeConfiguration": self._change_configuration,
            "ClearCache": lambda request: {"status": "Rejected"},  # there is no cache
            "ClearChargingProfile": self._clear_charging_profile,
            "GetCompositeSchedule": self._get_composite_schedule,
            "GetConfiguration": self._get_configuration,
            "GetLocalListVersion": self._get_local_list_version,
            "RemoteStartTransaction": self._remote_start,
            "RemoteStopTransaction": self._remote_stop,
            "Reset": self._reset,
            "SendLocalList": self._send_local_list,
            "SetChargingProfile": self._set_charging_profile,
            "TriggerMessage": self._trigger_message,
            "UnlockConnector": self._unlock,
        }

    # --- What it says

    def boot(self, reason: str) -> Request:
        """The BootNotification; 1.6 does not ask for a reason."""
        it = self._it.settings.station
        serial = {"chargePointSerialNumber": it.serial} if it.serial else {}
        return {"chargePointVendor": it.vendor, "chargePointModel": it.model, "firmwareVersion": it.firmware, **serial}

    def authorize(self, tag: str) -> tuple[str, Request]:
        """The question whether somebody may charge."""
        return "Authorize", {"idTag": tag}

    def token_status(self, response: Answer) -> str | None:
        """What an answer says of a token."""
        status: str | None = response.get("idTagInfo", {}).get("status")
        return status

    def wire_state(self, state: str) -> str:
        """What a state is called: the program has the words of 1.6."""
        return state

    def status(self, state: str, reasons: Mapping[Cause, str]) -> None:
        """The state of the connector."""
        errors = {**ERRORS, Cause.BOARD: self._it.board_error}
        error = next((errors[cause] for cause in reasons if cause in errors), "NoError")
        info = {"info": next(iter(reasons.values()))[:50]} if reasons else {}
        self._put("StatusNotification", connectorId=1, errorCode=error, status=state, **info, timestamp=self._now())

    def started(self, session: Session) -> Delivery:
        """The begin of a transaction."""
        begin = round(session.begin.energy_wh)
        return self._put("StartTransaction", connectorId=1, idTag=session.tag, meterStart=begin, timestamp=format_time(session.started))

    def sampled(self, session: Session, reading: Reading, context: str) -> None:
        """The meter in the course of a transaction."""
        self._meter_values(reading, context, transactionId=session.handle)

    def flow_changed(self, session: Session) -> None:
        """Nothing: the state says it."""

    def ended(self, session: Session, reading: Reading, reason: str) -> Delivery:
        """The end of a transaction."""
        tag = {"idTag": session.tag} if reason == "Local" else {}
        stop = max(round(reading.energy_wh), round(session.begin.energy_wh))
        return self._stop(session.handle, stop, REASONS.get(reason, reason), **tag)

    def abandoned(self, left: Any, reading: Reading) -> None:
        """The end of a transaction that another run of the program has begun."""
        self._stop(left.handle, max(round(reading.energy_wh), left.start["meterStart"]), "PowerLoss")

    def transaction_id(self, session: Session) -> int | None:
        """What the CSMS calls a transaction; None if it has not said so yet."""
        return self._it.client.outbox.transaction_id(session.handle)

    def _stop(self, handle: str, meter_stop: int, reason: str, **more: Any) -> Delivery:
        return self._put("StopTransaction", transactionId=handle, meterStop=meter_stop, reason=reason, timestamp=self._now(), **more)

    def _meter_values(self, reading: Reading, context: str, **transaction: Any) -> None:
        values = [
            ("Energy.Active.Import.Register", f"{reading.energy_wh:.0f}", "Wh"),
            ("Power.Active.Import", f"{reading.power_w:.0f}", "W"),
            ("Current.Import", f"{reading.current_a:.1f}", "A"),
            ("Voltage", f"{reading.voltage_v:.1f}", "V"),
        ]
        sampled = [{"value": value, "context": context, "measurand": measurand, "unit": unit} for measurand, value, unit in values]
        self._put("MeterValues", connectorId=1, **transaction, meterValue=[{"timestamp": self._now(), "sampledValue": sampled}])

    def _put(self, action: str, **payload: Any) -> Delivery:
        return self._it.client.outbox.put(action, payload)

    def _now(self) -> str:
        return format_time(self._it.client.now())

    # --- What it obeys; handlers run in a thread of the client

    def _remote_start(self, request: Request) -> Later:
        it, profile = self._it, request.get("chargingProfile")
        is_possible = request.get("connectorId", 1) == 1 and it.ask(it.why_not) is None
        if profile is not None and (profiles.purpose(profile) != profiles.TX or profiles.why_not(profile, -1) is not None):
            is_possible = False
        yield {"status": "Accepted" if is_possible else "Rejected"}
        if is_possible:
            is_known = not it.configuration.flag("ask_remote")
            it.post(lambda: it.begin(request["idTag"], is_known=is_known, profile=profile))

    def _remote_stop(self, request: Request) -> Later:
        it = self._it
        session = it.ask(lambda: it.session)
        is_mine = session is not None and self.transaction_id(session) == request["transactionId"]
        yield {"status": "Accepted" if is_mine else "Rejected"}
        if is_mine:
            it.post(lambda: it.end_session("Remote") if it.session is session else None)

    def _reset(self, request: Request) -> Later:
        yield {"status": "Accepted"}
        is_hard = request["type"] == "Hard"
        self._it.memory.keep(boot_reason="RemoteReset")
        self._it.stop("reboot" if is_hard else "restart", "HardReset" if is_hard else "SoftReset")

    def _change_availability(self, request: Request) -> Answer:
        if request["connectorId"] not in (0, 1):
            return {"status": "Rejected"}
        return {"status": self._it.ask(lambda: self._it.set_availability(request["type"] == "Operative"))}

    def _unlock(self, request: Request) -> Answer:
        unlocked = self._it.ask(self._it.unlock) if request["connectorId"] == 1 else None
        return {"status": {None: "NotSupported", True: "Unlocked", False: "UnlockFailed"}[unlocked]}

    def _trigger_message(self, request: Request) -> Later:
        it, wanted = self._it, request["requestedMessage"]
        triggered: dict[str, Callable[[], object]] = {
            "BootNotification": lambda: None,  # the client sends it
            "Heartbeat": lambda: it.client.call("Heartbeat"),
            "MeterValues": lambda: it.ask(self._triggered_values),
            "StatusNotification": lambda: it.ask(it.report),
        }
        if request.get("connectorId", 1) not in (0, 1):
            yield {"status": "Rejected"}
        elif wanted not in triggered:
            yield {"status": "NotImplemented"}
        else:
            yield {"status": "Accepted"}
            with suppress(OcppError):
                triggered[wanted]()

    def _triggered_values(self) -> None:
        session = self._it.session
        self._meter_values(self._it.read_meter(), "Trigger", **({} if session is None else {"transactionId": session.handle}))

    def _get_configuration(self, request: Request) -> Answer:
        it = self._it.configuration
        keys = request.get("key") or list(it)
        known = [{"key": key, "readonly": it.is_readonly(key), "value": it.text(key)} for key in keys if key in it]
        return {"configurationKey": known, "unknownKey": [key for key in keys if key not in it]}

    def _change_configuration(self, request: Request) -> Answer:
        it, key = self._it, request["key"]
        if key not in it.configuration:
            return {"status": "NotSupported"}
        return {"status": "Accepted" if it.ask(lambda: it.configuration.set(key, request["value"])) else "Rejected"}

    def _set_charging_profile(self, request: Request) -> Answer:
        it, profile = self._it, request["csChargingProfiles"]
        is_for_station = profiles.purpose(profile) == profiles.MAX
        if request["connectorId"] not in ((0,) if is_for_station else (0, 1) if profiles.purpose(profile) == profiles.DEFAULT else (1,)):
            return {"status": "Rejected"}
        return {"status": "Accepted" if it.ask(lambda: it.set_profile(profile)) else "Rejected"}

    def _clear_charging_profile(self, request: Request) -> Answer:
        wanted = request.get("chargingProfilePurpose")

        def matches(profile: dict[str, Any]) -> bool:
            if "id" in request:
                return profiles.number(profile) == int(request["id"])
            return wanted in (None, profile["chargingProfilePurpose"]) and request.get("stackLevel") in (None, profile["stackLevel"])

        return {"status": "Accepted" if self._it.ask(lambda: self._it.clear_profiles(matches)) else "Unknown"}

    def _get_composite_schedule(self, request: Request) -> Answer:
        it, unit, seconds = self._it, request.get("chargingRateUnit", "A"), request["duration"]
        if request["connectorId"] not in (0, 1) or seconds <= 0:
            return {"status": "Rejected"}
        now, periods = it.ask(lambda: it.schedule(seconds, unit))
        schedule = {"duration": seconds, "startSchedule": now, "chargingRateUnit": unit, "chargingSchedulePeriod": periods}
        return {"status": "Accepted", "connectorId": request["connectorId"], "scheduleStart": now, "chargingSchedule": schedule}

    def _send_local_list(self, request: Request) -> Answer:
        entries: dict[str, dict[str, Any] | None] = {}
        for each in request.get("localAuthorizationList", ()):
            info = each.get("idTagInfo")
            entries[each["idTag"]] = None if info is None else {"status": info["status"], "expiry": info.get("expiryDate")}
        if not self._it.configuration.flag("use_list"):
            return {"status": "NotSupported"}
        is_full = request["updateType"] == "Full"
        return {"status": self._it.ask(lambda: self._it.authorization.update_list(request["listVersion"], entries, is_full=is_full))}

    def _get_local_list_version(self, request: Request) -> Answer:
        return {"listVersion": self._it.authorization.list_version if self._it.configuration.flag("use_list") else -1}
