"""How a station is configured: the keys of OCPP 1.6, the device model of 2.x, and what the station asks of either."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from .. import configuration_keys, variables
from .energy import MEASURANDS
from .profiles import MAX_PERIODS, MAX_PROFILES, MAX_STACK_LEVEL

__all__ = ["ITEMS_PER_MESSAGE", "Configuration", "SetResult", "Setting"]

ITEMS_PER_MESSAGE = 20
_MAX_KEYS = 50
_LIST_LENGTH = 500

# What the station asks for, and where it stands: in 1.6, and in 2.x.
_NAMES = {
    "aligned interval": ("ClockAlignedDataInterval", "AlignedDataCtrlr.Interval"),
    "aligned measurands": ("MeterValuesAlignedData", "AlignedDataCtrlr.Measurands"),
    "authorize remote start": ("AuthorizeRemoteTxRequests", "AuthCtrlr.AuthorizeRemoteStart"),
    "cache": ("AuthorizationCacheEnabled", "AuthCacheCtrlr.Enabled"),
    "connection timeout": ("ConnectionTimeOut", "TxCtrlr.EVConnectionTimeOut"),
    "ended measurands": ("StopTxnSampledData", "SampledDataCtrlr.TxEndedMeasurands"),
    "heartbeat interval": ("HeartbeatInterval", "OCPPCommCtrlr.HeartbeatInterval"),
    "list": ("LocalAuthListEnabled", "LocalAuthListCtrlr.Enabled"),
    "message attempts": ("TransactionMessageAttempts", "OCPPCommCtrlr.MessageAttempts[TransactionEvent]"),
    "message retry interval": ("TransactionMessageRetryInterval", "OCPPCommCtrlr.MessageAttemptInterval[TransactionEvent]"),
    "offline authorization": ("LocalAuthorizeOffline", "AuthCtrlr.LocalAuthorizeOffline"),
    "offline unknown": ("AllowOfflineTxForUnknownId", "AuthCtrlr.OfflineTxForUnknownIdEnabled"),
    "password": ("AuthorizationKey", "SecurityCtrlr.BasicAuthPassword"),
    "ping interval": ("WebSocketPingInterval", "OCPPCommCtrlr.WebSocketPingInterval"),
    "preauthorize": ("LocalPreAuthorize", "AuthCtrlr.LocalPreAuthorize"),
    "sample interval": ("MeterValueSampleInterval", "SampledDataCtrlr.TxUpdatedInterval"),
    "sampled measurands": ("MeterValuesSampledData", "SampledDataCtrlr.TxUpdatedMeasurands"),
    "started measurands": ("StopTxnSampledData", "SampledDataCtrlr.TxStartedMeasurands"),
    "stop on disconnect": ("StopTransactionOnEVSideDisconnect", "TxCtrlr.StopTxOnEVSideDisconnect"),
    "stop on invalid": ("StopTransactionOnInvalidId", "TxCtrlr.StopTxOnInvalidId"),
}

_SAMPLED = "Energy.Active.Import.Register,Power.Active.Import,Current.Import,Voltage,SoC"
_ENERGY = "Energy.Active.Import.Register"

_KEYS_16 = {
    "AllowOfflineTxForUnknownId": "false",
    "AuthorizationCacheEnabled": "true",
    "AuthorizeRemoteTxRequests": "false",
    "AuthorizationKey": "",
    "ChargeProfileMaxStackLevel": str(MAX_STACK_LEVEL),
    "ChargingScheduleAllowedChargingRateUnit": "Current,Power",
    "ChargingScheduleMaxPeriods": str(MAX_PERIODS),
    "ClockAlignedDataInterval": "0",
    "ConnectionTimeOut": "120",
    "ConnectorPhaseRotation": "0.RST,1.RST",
    "CpoName": "",
    "GetConfigurationMaxKeys": str(_MAX_KEYS),
    "HeartbeatInterval": "300",
    "LocalAuthListEnabled": "true",
    "LocalAuthListMaxLength": "1000",
    "LocalAuthorizeOffline": "true",
    "LocalPreAuthorize": "false",
    "MaxChargingProfilesInstalled": str(MAX_PROFILES),
    "MeterValueSampleInterval": "60",
    "MeterValuesAlignedData": _ENERGY,
    "MeterValuesSampledData": _SAMPLED,
    "NumberOfConnectors": "1",
    "ReserveConnectorZeroSupported": "false",
    "ResetRetries": "1",
    "SecurityProfile": "0",
    "SendLocalListMaxLength": "100",
    "StopTransactionOnEVSideDisconnect": "true",
    "StopTransactionOnInvalidId": "true",
    "StopTxnAlignedData": "",
    "StopTxnSampledData": "",
    "SupportedFeatureProfiles": "Core,FirmwareManagement,LocalAuthListManagement,Reservation,SmartCharging,RemoteTrigger",
    "SupportedFileTransferProtocols": "FTP,HTTP,HTTPS",
    "TransactionMessageAttempts": "3",
    "TransactionMessageRetryInterval": "60",
    "UnlockConnectorOnEVSideDisconnect": "true",
    "WebSocketPingInterval": "30",
}

_VARIABLES_2X = {
    "AlignedDataCtrlr.Interval": "0",
    "AlignedDataCtrlr.Measurands": _ENERGY,
    "AlignedDataCtrlr.TxEndedInterval": "0",
    "AlignedDataCtrlr.TxEndedMeasurands": "",
    "AuthCacheCtrlr.Enabled": "true",
    "AuthCtrlr.AuthorizeRemoteStart": "false",
    "AuthCtrlr.LocalAuthorizeOffline": "true",
    "AuthCtrlr.LocalPreAuthorize": "false",
    "AuthCtrlr.OfflineTxForUnknownIdEnabled": "false",
    "ClockCtrlr.TimeSource": "Heartbeat",
    "DeviceDataCtrlr.ItemsPerMessage[GetReport]": str(ITEMS_PER_MESSAGE),
    "DeviceDataCtrlr.ItemsPerMessage[GetVariables]": str(_MAX_KEYS),
    "DeviceDataCtrlr.ItemsPerMessage[SetVariables]": str(_MAX_KEYS),
    "LocalAuthListCtrlr.Enabled": "true",
    "LocalAuthListCtrlr.ItemsPerMessage": "100",
    "OCPPCommCtrlr.FileTransferProtocols": "FTP,HTTP,HTTPS",
    "OCPPCommCtrlr.HeartbeatInterval": "300",
    "OCPPCommCtrlr.MessageAttemptInterval[TransactionEvent]": "60",
    "OCPPCommCtrlr.MessageAttempts[TransactionEvent]": "3",
    "OCPPCommCtrlr.MessageTimeout[Default]": "30",
    "OCPPCommCtrlr.NetworkConfigurationPriority": "1",
    "OCPPCommCtrlr.NetworkProfileConnectionAttempts": "3",
    "OCPPCommCtrlr.OfflineThreshold": "60",
    "OCPPCommCtrlr.ResetRetries": "1",
    "OCPPCommCtrlr.UnlockOnEVSideDisconnect": "true",
    "OCPPCommCtrlr.WebSocketPingInterval": "30",
    "SampledDataCtrlr.TxEndedInterval": "0",
    "SampledDataCtrlr.TxEndedMeasurands": _ENERGY,
    "SampledDataCtrlr.TxStartedMeasurands": _ENERGY,
    "SampledDataCtrlr.TxUpdatedInterval": "60",
    "SampledDataCtrlr.TxUpdatedMeasurands": _SAMPLED,
    "SecurityCtrlr.BasicAuthPassword": "",
    "SecurityCtrlr.OrganizationName": "ocpp_sync",
    "SecurityCtrlr.SecurityProfile": "0",
    "SmartChargingCtrlr.Enabled": "true",
    "SmartChargingCtrlr.LimitChangeSignificance": "1",
    "SmartChargingCtrlr.PeriodsPerSchedule": str(MAX_PERIODS),
    "SmartChargingCtrlr.ProfileStackLevel": str(MAX_STACK_LEVEL),
    "SmartChargingCtrlr.RateUnit": "A,W",
    "TxCtrlr.EVConnectionTimeOut": "120",
    "TxCtrlr.StopTxOnEVSideDisconnect": "true",
    "TxCtrlr.StopTxOnInvalidId": "true",
    "TxCtrlr.TxStartPoint": "PowerPathClosed",
    "TxCtrlr.TxStopPoint": "EVConnected,Authorized",
}

# What is fixed here although the standard lets others change it, and what holds from the next start on only.
_FIXED = {"SecurityProfile", "TxCtrlr.TxStartPoint", "TxCtrlr.TxStopPoint", "OCPPCommCtrlr.NetworkConfigurationPriority"}
_FROM_BOOT_ON = {"WebSocketPingInterval", "OCPPCommCtrlr.WebSocketPingInterval"}

_LISTS = ("CSL", "MemberList", "SequenceList")
_ORDERED_BY_MEASURAND = re.compile(r"Measurands$|^MeterValues|^StopTxn")
_PASSWORDS = {"AuthorizationKey": re.compile(r"(?:[0-9A-Fa-f]{2}){16,20}"), "SecurityCtrlr.BasicAuthPassword": re.compile(r".{16,40}")}


class SetResult(Enum):
    """What becomes of a new value."""

    DONE = "done"
    REBOOT = "reboot"
    REFUSED = "refused"


@dataclass(frozen=True)
class Setting:
    """A configuration key, or a variable of the device model.

    Attributes:
        component: The component; empty in 1.6.
        name: The key, or the variable.
        instance: Of the variable; None is none.
        evse: Of the component; None is the station's.
        connector: Of the component; None is the EVSE's.
        value: What it is: a text, or a function that says.
        type: As the standard calls it.
        mutability: ``"R"``, ``"RW"`` or ``"W"``.
        unit: Of the value; None has none.
        values: What it may be; empty is not a list of some.
    """

    component: str
    name: str
    instance: str | None
    evse: int | None
    connector: int | None
    value: str | Callable[[], str]
    type: str
    mutability: str
    unit: str | None = None
    values: tuple[str, ...] = ()

    @property
    def path(self) -> str:
        """Its name in one."""
        name = self.name if self.instance is None else f"{self.name}[{self.instance}]"
        return f"{self.component}.{name}" if self.component else name

    @property
    def address(self) -> tuple[str, int | None, int | None]:
        """Where it is: its path, the EVSE, and the connector."""
        return self.path.lower(), self.evse, self.connector

    @property
    def text(self) -> str:
        """Its value now."""
        return self.value() if callable(self.value) else self.value

    def takes(self, value: str) -> bool:
        """Whether it can have a value."""
        if self.path in _PASSWORDS:
            return _PASSWORDS[self.path].fullmatch(value) is not None
        if self.type == "boolean":
            return value.lower() in ("true", "false")
        if self.type in ("integer", "decimal"):
            return re.fullmatch(r"\d{1,9}" if self.type == "integer" else r"\d{1,9}(\.\d{1,6})?", value) is not None
        if _ORDERED_BY_MEASURAND.search(self.name) and self.type in _LISTS:
            return set(_members(value)) <= set(MEASURANDS)
        if self.values:
            return set(_members(value) if self.type in _LISTS else [value]) <= set(self.values)
        return len(value) <= _LIST_LENGTH


class Configuration:
    """All settings of a station; its lock guards them.

    Args:
        version: The version of OCPP.
        settings: What there is.
        changed: Told of the name, by which the station asks, of each setting that has a new value.
    """

    def __init__(self, version: str, settings: Iterable[Setting], changed: Callable[[str], object] = lambda name: None) -> None:
        self._place = 0 if version == "1.6" else 1
        self._settings = {setting.address: setting for setting in settings}
        self._after_boot: dict[tuple[str, int | None, int | None], str] = {}
        self._changed = changed

    @classmethod
    def standard(
        cls, version: str, values: Mapping[str, str | Callable[[], str]], changed: Callable[[str], object], extra: Iterable[Setting] = ()
    ) -> Configuration:
        """What a station usually has, with some values of its own, and more settings."""
        make = _settings_16 if version == "1.6" else _settings_2x
        return cls(version, [*make(version, values), *extra], changed)

    def __iter__(self) -> Any:
        return iter(list(self._settings.values()))

    def find(self, path: str, evse: int | None = None, connector: int | None = None) -> Setting | None:
        """The setting of a path, whatever the case; None if there is none."""
        return self._settings.get((path.lower(), evse, connector))

    def has_component(self, name: str, evse: int | None = None, connector: int | None = None) -> bool:
        """Whether there is a component."""
        where = (evse, connector)
        return any(it.component.lower() == name.lower() and (it.evse, it.connector) == where for it in self)

    def set(self, setting: Setting, value: str) -> SetResult:
        """Give a setting a new value, as the CSMS wants it."""
        if setting.mutability == "R" or callable(setting.value) or not setting.takes(value):
            return SetResult.REFUSED
        if setting.path in _FROM_BOOT_ON:
            self._after_boot[setting.address] = value
            return SetResult.REBOOT
        self._store(setting, value)
        return SetResult.DONE

    def put(self, path: str, value: str) -> None:
        """Give a setting a value, whatever it is: for the station, and whoever sets it up.

        Raises:
            ValueError: There is no such setting, or it cannot have that value.
        """
        setting = self.find(path)
        if setting is None:
            from difflib import get_close_matches

            near = get_close_matches(path, [each.path for each in self], 1)
            raise ValueError(f"{path!r} is no setting of this station{f'; did you mean {near[0]!r}?' if near else ''}")
        if not setting.takes(value):
            raise ValueError(f"{setting.path} cannot be {value!r}")
        self._store(setting, value)

    def boot(self) -> None:
        """What holds from the next start on holds now."""
        pending, self._after_boot = self._after_boot, {}
        for address, value in pending.items():
            self._store(self._settings[address], value)

    def text(self, name: str) -> str:
        """The value of what the station asks for by a name of its own."""
        setting = self._settings[_NAMES[name][self._place].lower(), None, None]
        return setting.text

    def number(self, name: str) -> float:
        """The same as a number."""
        return float(self.text(name))

    def flag(self, name: str) -> bool:
        """The same as yes or no."""
        return self.text(name).lower() == "true"

    def members(self, name: str) -> tuple[str, ...]:
        """The same as a list."""
        return _members(self.text(name))

    def path(self, name: str) -> str:
        """Where it stands."""
        return _NAMES[name][self._place]

    def _store(self, setting: Setting, value: str) -> None:
        self._settings[setting.address] = replace(setting, value=value)
        for name, places in _NAMES.items():
            if places[self._place].lower() == setting.address[0]:
                self._changed(name)


def _members(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _settings_16(version: str, values: Mapping[str, str | Callable[[], str]]) -> Iterable[Setting]:
    known = configuration_keys()
    for name, value in {**_KEYS_16, **values}.items():
        key = known[name]
        mutability = "R" if name in _FIXED else "RW" if "RW" in key.accessibility else key.accessibility
        yield Setting("", name, None, None, None, value, key.type, mutability, key.unit, key.values if name not in _OPEN else ())


def _settings_2x(version: str, values: Mapping[str, str | Callable[[], str]]) -> Iterable[Setting]:
    known = variables(version=version)
    for path, value in {**_VARIABLES_2X, **values}.items():
        it = known[path]
        mutability = "R" if path in _FIXED else _MUTABILITIES.get(it.mutability or "", "RW")
        unit = it.unit.partition(",")[0] if it.unit else None
        yield Setting(it.component, it.name, it.instance, None, None, value, it.type or "string", mutability, unit, it.values)


_OPEN = {"ConnectorPhaseRotation"}  # whose members say more than what the standard lists
_MUTABILITIES = {"ReadOnly": "R", "WriteOnly": "W", "ReadWrite": "RW", "ReadOnly/ReadWrite": "RW"}
