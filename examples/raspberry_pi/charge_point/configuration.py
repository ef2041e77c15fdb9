"""Configuration keys of 1.6 and variables of 2.0.1: one table, with the names of both."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from typing import NamedTuple

from .memory import Memory


class Key(NamedTuple):
    """Something that can be configured.

    Attributes:
        name: What the program calls it.
        names: In 1.6, and in 2.0.1; empty is not in this version.
        kind: ``bool``, ``int`` or ``str``.
        default: Its value at first.
        is_readonly: Whether the CSMS may not change it.
    """

    name: str
    names: tuple[str, str]
    kind: type
    default: str
    is_readonly: bool = False


KEYS = (
    Key("heartbeat", ("HeartbeatInterval", "OCPPCommCtrlr.HeartbeatInterval"), int, "300"),
    Key("meter_interval", ("MeterValueSampleInterval", "SampledDataCtrlr.TxUpdatedInterval"), int, "60"),
    Key("use_list", ("LocalAuthListEnabled", "LocalAuthListCtrlr.Enabled"), bool, "true"),
    Key("list_first", ("LocalPreAuthorize", "AuthCtrlr.LocalPreAuthorize"), bool, "false"),
    Key("offline_known", ("LocalAuthorizeOffline", "AuthCtrlr.LocalAuthorizeOffline"), bool, "true"),
    Key("offline_unknown", ("AllowOfflineTxForUnknownId", "AuthCtrlr.OfflineTxForUnknownIdEnabled"), bool, "false"),
    Key("ask_remote", ("AuthorizeRemoteTxRequests", "AuthCtrlr.AuthorizeRemoteStart"), bool, "false"),
    Key("stop_on_invalid", ("StopTransactionOnInvalidId", "TxCtrlr.StopTxOnInvalidId"), bool, "true"),
    Key("plug_timeout", ("ConnectionTimeOut", "TxCtrlr.EVConnectionTimeOut"), int, "120"),
    Key("attempts", ("TransactionMessageAttempts", "OCPPCommCtrlr.MessageAttempts[TransactionEvent]"), int, "3"),
    Key("retry", ("TransactionMessageRetryInterval", "OCPPCommCtrlr.MessageAttemptInterval[TransactionEvent]"), int, "60"),
    # What is fixed here, and must be there to be asked for.
    Key("", ("StopTransactionOnEVSideDisconnect", "TxCtrlr.StopTxOnEVSideDisconnect"), bool, "true", True),
    Key("", ("UnlockConnectorOnEVSideDisconnect", "OCPPCommCtrlr.UnlockOnEVSideDisconnect"), bool, "false", True),
    Key("", ("ClockAlignedDataInterval", "AlignedDataCtrlr.Interval"), int, "0", True),
    Key("", ("ResetRetries", "OCPPCommCtrlr.ResetRetries"), int, "0", True),
    Key("", ("WebSocketPingInterval", "OCPPCommCtrlr.WebSocketPingInterval"), int, "30", True),
    Key("", ("ChargeProfileMaxStackLevel", "SmartChargingCtrlr.ProfileStackLevel"), int, "9", True),
    Key("", ("ChargingScheduleAllowedChargingRateUnit", "SmartChargingCtrlr.RateUnit"), str, "Current,Power", True),
    Key("", ("ChargingScheduleMaxPeriods", "SmartChargingCtrlr.PeriodsPerSchedule"), int, "24", True),
    Key("", ("MaxChargingProfilesInstalled", ""), int, "20", True),
    Key("", ("ConnectorPhaseRotation", ""), str, "0.RST,1.RST", True),
    Key("", ("GetConfigurationMaxKeys", ""), int, "50", True),
    Key("", ("LocalAuthListMaxLength", ""), int, "1000", True),
    Key("", ("SendLocalListMaxLength", ""), int, "1000", True),
    Key("", ("MeterValuesAlignedData", "AlignedDataCtrlr.Measurands"), str, "", True),
    Key("", ("MeterValuesSampledData", "SampledDataCtrlr.TxUpdatedMeasurands"), str, "", True),
    Key("", ("StopTxnAlignedData", ""), str, "", True),
    Key("", ("StopTxnSampledData", ""), str, "", True),
    Key("", ("NumberOfConnectors", ""), int, "1", True),
    Key("", ("SupportedFeatureProfiles", ""), str, "Core,LocalAuthListManagement,SmartCharging,RemoteTrigger", True),
    Key("", ("", "TxCtrlr.TxStartPoint"), str, "PowerPathClosed", True),
    Key("", ("", "TxCtrlr.TxStopPoint"), str, "EVConnected,Authorized", True),
    Key("", ("", "ClockCtrlr.TimeSource"), str, "Heartbeat", True),
    Key("", ("SecurityProfile", "SecurityCtrlr.SecurityProfile"), int, "0", True),
)
_MEASURANDS = "Energy.Active.Import.Register,Power.Active.Import,Current.Import,Voltage"
_OF_UNIT = {"2.0.1": "A,W"}


class Configuration:
    """The values; those that the CSMS has set are kept.

    Args:
        version: Of OCPP.
        memory: Where they are kept.
        first: Values from config.toml, by the names of either version, that hold until the CSMS sets others.
        fixed: Values of read-only keys that this station alone knows, by their names in 1.6.

    Raises:
        ValueError: One of ``first`` is no key, or cannot have that value.
    """

    def __init__(self, version: str, memory: Memory, first: Mapping[str, str], fixed: Mapping[str, str] | None = None) -> None:
        self._place = 0 if version == "1.6" else 1
        self._memory = memory
        self._keys = {key.names[self._place]: key for key in KEYS if key.names[self._place]}
        self._fixed = {self._name(name): value for name, value in {"MeterValuesSampledData": _MEASURANDS, **(fixed or {})}.items()}
        if version in _OF_UNIT:
            self._fixed[self._name("ChargingScheduleAllowedChargingRateUnit")] = _OF_UNIT[version]
        others = {key.names[1 - self._place]: name for name, key in self._keys.items()}
        self._first = {others.get(name, name): value for name, value in first.items()}
        self.changed: Callable[[], object] = lambda: None
        for name, value in self._first.items():
            if name not in self._keys:
                near = get_close_matches(name, list(self._keys), 1)
                hint = f"; did you mean {near[0]}?" if near else ""
                raise ValueError(f"configuration.{name} is no key of OCPP {version} that is known here{hint}")
            if self._keys[name].is_readonly or not _fits(self._keys[name], value):
                raise ValueError(f"configuration.{name}: {value!r} is no value that this key of OCPP {version} can have here")

    def _name(self, name_of_16: str) -> str:
        return next(key.names[self._place] for key in KEYS if key.names[0] == name_of_16)

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __contains__(self, name: object) -> bool:
        return name in self._keys

    def is_readonly(self, name: str) -> bool:
        """Whether the CSMS may not change a key."""
        return self._keys[name].is_readonly

    def kind(self, name: str) -> type:
        """``bool``, ``int`` or ``str``."""
        return self._keys[name].kind

    def text(self, name: str) -> str:
        """The value of a key, by its name on the wire."""
        key = self._keys[name]
        kept: str | None = self._memory["configuration"].get(name)
        return kept or self._fixed.get(name) or self._first.get(name) or key.default

    def set(self, name: str, value: str) -> bool:
        """The CSMS sets a key; false if it cannot have that value."""
        key = self._keys[name]
        if key.is_readonly or not _fits(key, value):
            return False
        self._memory.keep(configuration={**self._memory["configuration"], name: value})
        self.changed()
        return True

    def _own(self, name: str) -> str:
        return self.text(next(key.names[self._place] for key in KEYS if key.name == name))

    def flag(self, name: str) -> bool:
        """Yes or no, by the program's name."""
        return self._own(name).lower() == "true"

    def number(self, name: str) -> int:
        """A number, by the program's name."""
        return int(self._own(name))


def _fits(key: Key, value: str) -> bool:
    if key.kind is bool:
        return value.lower() in ("true", "false")
    return value.isascii() and value.isdigit() and len(value) <= 9 and not (key.name == "attempts" and int(value) < 1)
