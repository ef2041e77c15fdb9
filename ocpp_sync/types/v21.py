"""The messages of OCPP 2.1; made by ``python -m tools``, do not edit."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Literal, TypedDict

if sys.version_info >= (3, 11):
    from typing import NotRequired
elif TYPE_CHECKING:
    from typing_extensions import NotRequired

APNAuthenticationEnumType = Literal["PAP", "CHAP", "NONE", "AUTO"]
AttributeEnumType = Literal["Actual", "Target", "MinSet", "MaxSet"]
AuthorizationStatusEnumType = Literal[
    "Accepted",
    "Blocked",
    "ConcurrentTx",
    "Expired",
    "Invalid",
    "NoCredit",
    "NotAllowedTypeEVSE",
    "NotAtThisLocation",
    "NotAtThisTime",
    "Unknown",
]
AuthorizeCertificateStatusEnumType = Literal[
    "Accepted",
    "SignatureError",
    "CertificateExpired",
    "CertificateRevoked",
    "NoCertificateAvailable",
    "CertChainError",
    "ContractCancelled",
]
BatterySwapEventEnumType = Literal["BatteryIn", "BatteryOut", "BatteryOutTimeout"]
BootReasonEnumType = Literal[
    "ApplicationReset",
    "FirmwareUpdate",
    "LocalReset",
    "PowerUp",
    "RemoteReset",
    "ScheduledReset",
    "Triggered",
    "Unknown",
    "Watchdog",
]
CancelReservationStatusEnumType = Literal["Accepted", "Rejected"]
CertificateActionEnumType = Literal["Install", "Update"]
CertificateSignedStatusEnumType = Literal["Accepted", "Rejected"]
CertificateSigningUseEnumType = Literal["ChargingStationCertificate", "V2GCertificate", "V2G20Certificate"]
CertificateStatusEnumType = Literal["Good", "Revoked", "Unknown", "Failed"]
CertificateStatusSourceEnumType = Literal["CRL", "OCSP"]
ChangeAvailabilityStatusEnumType = Literal["Accepted", "Rejected", "Scheduled"]
ChargingProfileKindEnumType = Literal["Absolute", "Recurring", "Relative", "Dynamic"]
ChargingProfilePurposeEnumType = Literal[
    "ChargingStationExternalConstraints",
    "ChargingStationMaxProfile",
    "TxDefaultProfile",
    "TxProfile",
    "PriorityCharging",
    "LocalGeneration",
]
ChargingProfileStatusEnumType = Literal["Accepted", "Rejected"]
ChargingRateUnitEnumType = Literal["W", "A"]
ChargingStateEnumType = Literal["EVConnected", "Charging", "SuspendedEV", "SuspendedEVSE", "Idle"]
ClearCacheStatusEnumType = Literal["Accepted", "Rejected"]
ClearChargingProfileStatusEnumType = Literal["Accepted", "Unknown"]
ClearMessageStatusEnumType = Literal["Accepted", "Unknown", "Rejected"]
ClearMonitoringStatusEnumType = Literal["Accepted", "Rejected", "NotFound"]
ComponentCriterionEnumType = Literal["Active", "Available", "Enabled", "Problem"]
ConnectorStatusEnumType = Literal["Available", "Occupied", "Reserved", "Unavailable", "Faulted"]
ControlModeEnumType = Literal["ScheduledControl", "DynamicControl"]
CostDimensionEnumType = Literal["Energy", "MaxCurrent", "MinCurrent", "MaxPower", "MinPower", "IdleTIme", "ChargingTime"]
CostKindEnumType = Literal["CarbonDioxideEmission", "RelativePricePercentage", "RenewableGenerationPercentage"]
CustomerInformationStatusEnumType = Literal["Accepted", "Rejected", "Invalid"]
DERControlEnumType = Literal[
    "EnterService",
    "FreqDroop",
    "FreqWatt",
    "FixedPFAbsorb",
    "FixedPFInject",
    "FixedVar",
    "Gradients",
    "HFMustTrip",
    "HFMayTrip",
    "HVMustTrip",
    "HVMomCess",
    "HVMayTrip",
    "LimitMaxDischarge",
    "LFMustTrip",
    "LVMustTrip",
    "LVMomCess",
    "LVMayTrip",
    "PowerMonitoringMustTrip",
    "VoltVar",
    "VoltWatt",
    "WattPF",
    "WattVar",
]
DERControlStatusEnumType = Literal["Accepted", "Rejected", "NotSupported", "NotFound"]
DERUnitEnumType = Literal["Not_Applicable", "PctMaxW", "PctMaxVar", "PctWAvail", "PctVarAvail", "PctEffectiveV"]
DataEnumType = Literal["string", "decimal", "integer", "dateTime", "boolean", "OptionList", "SequenceList", "MemberList"]
DataTransferStatusEnumType = Literal["Accepted", "Rejected", "UnknownMessageId", "UnknownVendorId"]
DayOfWeekEnumType = Literal["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
DeleteCertificateStatusEnumType = Literal["Accepted", "Failed", "NotFound"]
DisplayMessageStatusEnumType = Literal[
    "Accepted",
    "NotSupportedMessageFormat",
    "Rejected",
    "NotSupportedPriority",
    "NotSupportedState",
    "UnknownTransaction",
    "LanguageNotSupported",
]
EnergyTransferModeEnumType = Literal[
    "AC_single_phase",
    "AC_two_phase",
    "AC_three_phase",
    "DC",
    "AC_BPT",
    "AC_BPT_DER",
    "AC_DER",
    "DC_BPT",
    "DC_ACDP",
    "DC_ACDP_BPT",
    "WPT",
]
EventNotificationEnumType = Literal["HardWiredNotification", "HardWiredMonitor", "PreconfiguredMonitor", "CustomMonitor"]
EventTriggerEnumType = Literal["Alerting", "Delta", "Periodic"]
EvseKindEnumType = Literal["AC", "DC"]
FirmwareStatusEnumType = Literal[
    "Downloaded",
    "DownloadFailed",
    "Downloading",
    "DownloadScheduled",
    "DownloadPaused",
    "Idle",
    "InstallationFailed",
    "Installing",
    "Installed",
    "InstallRebooting",
    "InstallScheduled",
    "InstallVerificationFailed",
    "InvalidSignature",
    "SignatureVerified",
]
GenericDeviceModelStatusEnumType = Literal["Accepted", "Rejected", "NotSupported", "EmptyResultSet"]
GenericStatusEnumType = Literal["Accepted", "Rejected"]
GetCertificateIdUseEnumType = Literal[
    "V2GRootCertificate",
    "MORootCertificate",
    "CSMSRootCertificate",
    "V2GCertificateChain",
    "ManufacturerRootCertificate",
    "OEMRootCertificate",
]
GetCertificateStatusEnumType = Literal["Accepted", "Failed"]
GetChargingProfileStatusEnumType = Literal["Accepted", "NoProfiles"]
GetDisplayMessagesStatusEnumType = Literal["Accepted", "Unknown"]
GetInstalledCertificateStatusEnumType = Literal["Accepted", "NotFound"]
GetVariableStatusEnumType = Literal["Accepted", "Rejected", "UnknownComponent", "UnknownVariable", "NotSupportedAttributeType"]
GridEventFaultEnumType = Literal[
    "CurrentImbalance",
    "LocalEmergency",
    "LowInputPower",
    "OverCurrent",
    "OverFrequency",
    "OverVoltage",
    "PhaseRotation",
    "RemoteEmergency",
    "UnderFrequency",
    "UnderVoltage",
    "VoltageImbalance",
]
HashAlgorithmEnumType = Literal["SHA256", "SHA384", "SHA512"]
InstallCertificateStatusEnumType = Literal["Accepted", "Rejected", "Failed"]
InstallCertificateUseEnumType = Literal[
    "V2GRootCertificate",
    "MORootCertificate",
    "ManufacturerRootCertificate",
    "CSMSRootCertificate",
    "OEMRootCertificate",
]
IslandingDetectionEnumType = Literal[
    "NoAntiIslandingSupport",
    "RoCoF",
    "UVP_OVP",
    "UFP_OFP",
    "VoltageVectorShift",
    "ZeroCrossingDetection",
    "OtherPassive",
    "ImpedanceMeasurement",
    "ImpedanceAtFrequency",
    "SlipModeFrequencyShift",
    "SandiaFrequencyShift",
    "SandiaVoltageShift",
    "FrequencyJump",
    "RCLQFactor",
    "OtherActive",
]
Iso15118EVCertificateStatusEnumType = Literal["Accepted", "Failed"]
LocationEnumType = Literal["Body", "Cable", "EV", "Inlet", "Outlet", "Upstream"]
LogEnumType = Literal["DiagnosticsLog", "SecurityLog", "DataCollectorLog"]
LogStatusEnumType = Literal["Accepted", "Rejected", "AcceptedCanceled"]
MeasurandEnumType = Literal[
    "Current.Export",
    "Current.Export.Offered",
    "Current.Export.Minimum",
    "Current.Import",
    "Current.Import.Offered",
    "Current.Import.Minimum",
    "Current.Offered",
    "Display.PresentSOC",
    "Display.MinimumSOC",
    "Display.TargetSOC",
    "Display.MaximumSOC",
    "Display.RemainingTimeToMinimumSOC",
    "Display.RemainingTimeToTargetSOC",
    "Display.RemainingTimeToMaximumSOC",
    "Display.ChargingComplete",
    "Display.BatteryEnergyCapacity",
    "Display.InletHot",
    "Energy.Active.Export.Interval",
    "Energy.Active.Export.Register",
    "Energy.Active.Import.Interval",
    "Energy.Active.Import.Register",
    "Energy.Active.Import.CableLoss",
    "Energy.Active.Import.LocalGeneration.Register",
    "Energy.Active.Net",
    "Energy.Active.Setpoint.Interval",
    "Energy.Apparent.Export",
    "Energy.Apparent.Import",
    "Energy.Apparent.Net",
    "Energy.Reactive.Export.Interval",
    "Energy.Reactive.Export.Register",
    "Energy.Reactive.Import.Interval",
    "Energy.Reactive.Import.Register",
    "Energy.Reactive.Net",
    "EnergyRequest.Target",
    "EnergyRequest.Minimum",
    "EnergyRequest.Maximum",
    "EnergyRequest.Minimum.V2X",
    "EnergyRequest.Maximum.V2X",
    "EnergyRequest.Bulk",
    "Frequency",
    "Power.Active.Export",
    "Power.Active.Import",
    "Power.Active.Setpoint",
    "Power.Active.Residual",
    "Power.Export.Minimum",
    "Power.Export.Offered",
    "Power.Factor",
    "Power.Import.Offered",
    "Power.Import.Minimum",
    "Power.Offered",
    "Power.Reactive.Export",
    "Power.Reactive.Import",
    "SoC",
    "Voltage",
    "Voltage.Minimum",
    "Voltage.Maximum",
]
MessageFormatEnumType = Literal["ASCII", "HTML", "URI", "UTF8", "QRCODE"]
MessagePriorityEnumType = Literal["AlwaysFront", "InFront", "NormalCycle"]
MessageStateEnumType = Literal["Charging", "Faulted", "Idle", "Unavailable", "Suspended", "Discharging"]
MessageTriggerEnumType = Literal[
    "BootNotification",
    "LogStatusNotification",
    "FirmwareStatusNotification",
    "Heartbeat",
    "MeterValues",
    "SignChargingStationCertificate",
    "SignV2GCertificate",
    "SignV2G20Certificate",
    "StatusNotification",
    "TransactionEvent",
    "SignCombinedCertificate",
    "PublishFirmwareStatusNotification",
    "CustomTrigger",
]
MobilityNeedsModeEnumType = Literal["EVCC", "EVCC_SECC"]
MonitorEnumType = Literal[
    "UpperThreshold",
    "LowerThreshold",
    "Delta",
    "Periodic",
    "PeriodicClockAligned",
    "TargetDelta",
    "TargetDeltaRelative",
]
MonitoringBaseEnumType = Literal["All", "FactoryDefault", "HardWiredOnly"]
MonitoringCriterionEnumType = Literal["ThresholdMonitoring", "DeltaMonitoring", "PeriodicMonitoring"]
MutabilityEnumType = Literal["ReadOnly", "WriteOnly", "ReadWrite"]
NotifyAllowedEnergyTransferStatusEnumType = Literal["Accepted", "Rejected"]
NotifyEVChargingNeedsStatusEnumType = Literal["Accepted", "Rejected", "Processing", "NoChargingProfile"]
OCPPInterfaceEnumType = Literal["Wired0", "Wired1", "Wired2", "Wired3", "Wireless0", "Wireless1", "Wireless2", "Wireless3", "Any"]
OCPPTransportEnumType = Literal["SOAP", "JSON"]
OCPPVersionEnumType = Literal["OCPP12", "OCPP15", "OCPP16", "OCPP20", "OCPP201", "OCPP21"]
OperationModeEnumType = Literal[
    "Idle",
    "ChargingOnly",
    "CentralSetpoint",
    "ExternalSetpoint",
    "ExternalLimits",
    "CentralFrequency",
    "LocalFrequency",
    "LocalLoadBalancing",
]
OperationalStatusEnumType = Literal["Inoperative", "Operative"]
PaymentStatusEnumType = Literal["Settled", "Canceled", "Rejected", "Failed"]
PhaseEnumType = Literal["L1", "L2", "L3", "N", "L1-N", "L2-N", "L3-N", "L1-L2", "L2-L3", "L3-L1"]
PowerDuringCessationEnumType = Literal["Active", "Reactive"]
PreconditioningStatusEnumType = Literal["Unknown", "Ready", "NotReady", "Preconditioning"]
PriorityChargingStatusEnumType = Literal["Accepted", "Rejected", "NoProfile"]
PublishFirmwareStatusEnumType = Literal[
    "Idle",
    "DownloadScheduled",
    "Downloading",
    "Downloaded",
    "Published",
    "DownloadFailed",
    "DownloadPaused",
    "InvalidChecksum",
    "ChecksumVerified",
    "PublishFailed",
]
ReadingContextEnumType = Literal[
    "Interruption.Begin",
    "Interruption.End",
    "Other",
    "Sample.Clock",
    "Sample.Periodic",
    "Transaction.Begin",
    "Transaction.End",
    "Trigger",
]
ReasonEnumType = Literal[
    "DeAuthorized",
    "EmergencyStop",
    "EnergyLimitReached",
    "EVDisconnected",
    "GroundFault",
    "ImmediateReset",
    "MasterPass",
    "Local",
    "LocalOutOfCredit",
    "Other",
    "OvercurrentFault",
    "PowerLoss",
    "PowerQuality",
    "Reboot",
    "Remote",
    "SOCLimitReached",
    "StoppedByEV",
    "TimeLimitReached",
    "Timeout",
    "ReqEnergyTransferRejected",
]
RecurrencyKindEnumType = Literal["Daily", "Weekly"]
RegistrationStatusEnumType = Literal["Accepted", "Pending", "Rejected"]
ReportBaseEnumType = Literal["ConfigurationInventory", "FullInventory", "SummaryInventory"]
RequestStartStopStatusEnumType = Literal["Accepted", "Rejected"]
ReservationUpdateStatusEnumType = Literal["Expired", "Removed", "NoTransaction"]
ReserveNowStatusEnumType = Literal["Accepted", "Faulted", "Occupied", "Rejected", "Unavailable"]
ResetEnumType = Literal["Immediate", "OnIdle", "ImmediateAndResume"]
ResetStatusEnumType = Literal["Accepted", "Rejected", "Scheduled"]
SendLocalListStatusEnumType = Literal["Accepted", "Failed", "VersionMismatch"]
SetMonitoringStatusEnumType = Literal["Accepted", "UnknownComponent", "UnknownVariable", "UnsupportedMonitorType", "Rejected", "Duplicate"]
SetNetworkProfileStatusEnumType = Literal["Accepted", "Rejected", "Failed"]
SetVariableStatusEnumType = Literal[
    "Accepted",
    "Rejected",
    "UnknownComponent",
    "UnknownVariable",
    "NotSupportedAttributeType",
    "RebootRequired",
]
TariffChangeStatusEnumType = Literal["Accepted", "Rejected", "TooManyElements", "ConditionNotSupported", "TxNotFound", "NoCurrencyChange"]
TariffClearStatusEnumType = Literal["Accepted", "Rejected", "NoTariff"]
TariffCostEnumType = Literal["NormalCost", "MinCost", "MaxCost"]
TariffGetStatusEnumType = Literal["Accepted", "Rejected", "NoTariff"]
TariffKindEnumType = Literal["DefaultTariff", "DriverTariff"]
TariffSetStatusEnumType = Literal["Accepted", "Rejected", "TooManyElements", "ConditionNotSupported", "DuplicateTariffId"]
TransactionEventEnumType = Literal["Ended", "Started", "Updated"]
TriggerMessageStatusEnumType = Literal["Accepted", "Rejected", "NotImplemented"]
TriggerReasonEnumType = Literal[
    "AbnormalCondition",
    "Authorized",
    "CablePluggedIn",
    "ChargingRateChanged",
    "ChargingStateChanged",
    "CostLimitReached",
    "Deauthorized",
    "EnergyLimitReached",
    "EVCommunicationLost",
    "EVConnectTimeout",
    "EVDeparted",
    "EVDetected",
    "LimitSet",
    "MeterValueClock",
    "MeterValuePeriodic",
    "OperationModeChanged",
    "RemoteStart",
    "RemoteStop",
    "ResetCommand",
    "RunningCost",
    "SignedDataReceived",
    "SoCLimitReached",
    "StopAuthorized",
    "TariffChanged",
    "TariffNotAccepted",
    "TimeLimitReached",
    "Trigger",
    "TxResumed",
    "UnlockCommand",
]
UnlockStatusEnumType = Literal["Unlocked", "UnlockFailed", "OngoingAuthorizedTransaction", "UnknownConnector"]
UnpublishFirmwareStatusEnumType = Literal["DownloadOngoing", "NoFirmware", "Unpublished"]
UpdateEnumType = Literal["Differential", "Full"]
UpdateFirmwareStatusEnumType = Literal["Accepted", "Rejected", "AcceptedCanceled", "InvalidCertificate", "RevokedCertificate"]
UploadLogStatusEnumType = Literal[
    "BadMessage",
    "Idle",
    "NotSupportedOperation",
    "PermissionDenied",
    "Uploaded",
    "UploadFailure",
    "Uploading",
    "AcceptedCanceled",
]
VPNEnumType = Literal["IKEv2", "IPSec", "L2TP", "PPTP"]
CustomDataType = dict[str, Any]
"""``vendorId``, a string of at most 255 characters, must be there; the other fields are the vendor's own."""


class ACChargingParametersType(TypedDict):
    """Used in ChargingNeedsType."""

    energyAmount: float
    evMinCurrent: float
    evMaxCurrent: float
    evMaxVoltage: float
    customData: NotRequired[CustomDataType]


class APNType(TypedDict):
    """Used in NetworkConnectionProfileType."""

    apn: str
    """At most 2000 characters."""
    apnAuthentication: APNAuthenticationEnumType
    apnUserName: NotRequired[str]
    """At most 50 characters."""
    apnPassword: NotRequired[str]
    """At most 64 characters."""
    simPin: NotRequired[int]
    preferredNetwork: NotRequired[str]
    """At most 6 characters."""
    useOnlyPreferredNetwork: NotRequired[bool]
    """Default false."""
    customData: NotRequired[CustomDataType]


class AbsolutePriceScheduleType(TypedDict):
    """Used in ChargingScheduleType."""

    timeAnchor: str
    """Date and time of ISO 8601."""
    priceScheduleID: int
    """At least 0."""
    currency: str
    """At most 3 characters."""
    language: str
    """At most 8 characters."""
    priceAlgorithm: str
    """At most 2000 characters."""
    priceRuleStacks: list[PriceRuleStackType]
    """1 to 1024 items."""
    priceScheduleDescription: NotRequired[str]
    """At most 160 characters."""
    minimumCost: NotRequired[RationalNumberType]
    maximumCost: NotRequired[RationalNumberType]
    taxRules: NotRequired[list[TaxRuleType]]
    """1 to 10 items."""
    overstayRuleList: NotRequired[OverstayRuleListType]
    additionalSelectedServices: NotRequired[list[AdditionalSelectedServicesType]]
    """1 to 5 items."""
    customData: NotRequired[CustomDataType]


class AdditionalInfoType(TypedDict):
    """Used in IdTokenType."""

    additionalIdToken: str
    """At most 255 characters."""
    type: str
    """At most 50 characters."""
    customData: NotRequired[CustomDataType]


class AdditionalSelectedServicesType(TypedDict):
    """Used in AbsolutePriceScheduleType."""

    serviceFee: RationalNumberType
    serviceName: str
    """At most 80 characters."""
    customData: NotRequired[CustomDataType]


class AddressType(TypedDict):
    """Used in NotifySettlementRequest, VatNumberValidationResponse."""

    name: str
    """At most 50 characters."""
    address1: str
    """At most 100 characters."""
    city: str
    """At most 100 characters."""
    country: str
    """At most 50 characters."""
    address2: NotRequired[str]
    """At most 100 characters."""
    postalCode: NotRequired[str]
    """At most 20 characters."""
    customData: NotRequired[CustomDataType]


class AuthorizationData(TypedDict):
    """Used in SendLocalListRequest."""

    idToken: IdTokenType
    idTokenInfo: NotRequired[IdTokenInfoType]
    customData: NotRequired[CustomDataType]


class BatteryDataType(TypedDict):
    """Used in BatterySwapRequest."""

    evseId: int
    """At least 0."""
    serialNumber: str
    """At most 50 characters."""
    soC: float
    """0 to 100."""
    soH: float
    """0 to 100."""
    productionDate: NotRequired[str]
    """Date and time of ISO 8601."""
    vendorInfo: NotRequired[str]
    """At most 500 characters."""
    customData: NotRequired[CustomDataType]


class CertificateHashDataChainType(TypedDict):
    """Used in GetInstalledCertificateIdsResponse."""

    certificateHashData: CertificateHashDataType
    certificateType: GetCertificateIdUseEnumType
    childCertificateHashData: NotRequired[list[CertificateHashDataType]]
    """1 to 4 items."""
    customData: NotRequired[CustomDataType]


class CertificateHashDataType(TypedDict):
    """Used in CustomerInformationRequest, DeleteCertificateRequest, SignCertificateRequest, CertificateHashDataChainType and 2 more."""

    hashAlgorithm: HashAlgorithmEnumType
    issuerNameHash: str
    """At most 128 characters."""
    issuerKeyHash: str
    """At most 128 characters."""
    serialNumber: str
    """At most 40 characters."""
    customData: NotRequired[CustomDataType]


class CertificateStatusRequestInfoType(TypedDict):
    """Used in GetCertificateChainStatusRequest."""

    certificateHashData: CertificateHashDataType
    source: CertificateStatusSourceEnumType
    urls: list[str]
    """Each at most 2000 characters; 1 to 5 items."""
    customData: NotRequired[CustomDataType]


class CertificateStatusType(TypedDict):
    """Used in GetCertificateChainStatusResponse."""

    certificateHashData: CertificateHashDataType
    source: CertificateStatusSourceEnumType
    status: CertificateStatusEnumType
    nextUpdate: str
    """Date and time of ISO 8601."""
    customData: NotRequired[CustomDataType]


class ChargingLimitType(TypedDict):
    """Used in NotifyChargingLimitRequest."""

    chargingLimitSource: str
    """At most 20 characters."""
    isLocalGeneration: NotRequired[bool]
    isGridCritical: NotRequired[bool]
    customData: NotRequired[CustomDataType]


class ChargingNeedsType(TypedDict):
    """Used in NotifyEVChargingNeedsRequest."""

    requestedEnergyTransfer: EnergyTransferModeEnumType
    acChargingParameters: NotRequired[ACChargingParametersType]
    derChargingParameters: NotRequired[DERChargingParametersType]
    evEnergyOffer: NotRequired[EVEnergyOfferType]
    dcChargingParameters: NotRequired[DCChargingParametersType]
    v2xChargingParameters: NotRequired[V2XChargingParametersType]
    availableEnergyTransfer: NotRequired[list[EnergyTransferModeEnumType]]
    """At least 1 item."""
    controlMode: NotRequired[ControlModeEnumType]
    mobilityNeedsMode: NotRequired[MobilityNeedsModeEnumType]
    departureTime: NotRequired[str]
    """Date and time of ISO 8601."""
    customData: NotRequired[CustomDataType]


class ChargingPeriodType(TypedDict):
    """Used in CostDetailsType."""

    startPeriod: str
    """Date and time of ISO 8601."""
    dimensions: NotRequired[list[CostDimensionType]]
    """At least 1 item."""
    tariffId: NotRequired[str]
    """At most 60 characters."""
    customData: NotRequired[CustomDataType]


class ChargingProfileCriterionType(TypedDict):
    """Used in GetChargingProfilesRequest."""

    chargingProfilePurpose: NotRequired[ChargingProfilePurposeEnumType]
    stackLevel: NotRequired[int]
    """At least 0."""
    chargingProfileId: NotRequired[list[int]]
    """At least 1 item."""
    chargingLimitSource: NotRequired[list[str]]
    """Each at most 20 characters; 1 to 4 items."""
    customData: NotRequired[CustomDataType]


class ChargingProfileType(TypedDict):
    """Used in ReportChargingProfilesRequest, RequestStartTransactionRequest, SetChargingProfileRequest."""

    id: int
    stackLevel: int
    """At least 0."""
    chargingProfilePurpose: ChargingProfilePurposeEnumType
    chargingProfileKind: ChargingProfileKindEnumType
    chargingSchedule: list[ChargingScheduleType]
    """1 to 3 items."""
    recurrencyKind: NotRequired[RecurrencyKindEnumType]
    validFrom: NotRequired[str]
    """Date and time of ISO 8601."""
    validTo: NotRequired[str]
    """Date and time of ISO 8601."""
    transactionId: NotRequired[str]
    """At most 36 characters."""
    maxOfflineDuration: NotRequired[int]
    invalidAfterOfflineDuration: NotRequired[bool]
    dynUpdateInterval: NotRequired[int]
    dynUpdateTime: NotRequired[str]
    """Date and time of ISO 8601."""
    priceScheduleSignature: NotRequired[str]
    """At most 256 characters."""
    customData: NotRequired[CustomDataType]


class ChargingSchedulePeriodType(TypedDict):
    """Used in ChargingScheduleType, CompositeScheduleType."""

    startPeriod: int
    limit: NotRequired[float]
    limit_L2: NotRequired[float]
    limit_L3: NotRequired[float]
    numberPhases: NotRequired[int]
    """0 to 3."""
    phaseToUse: NotRequired[int]
    """0 to 3."""
    dischargeLimit: NotRequired[float]
    """At most 0."""
    dischargeLimit_L2: NotRequired[float]
    """At most 0."""
    dischargeLimit_L3: NotRequired[float]
    """At most 0."""
    setpoint: NotRequired[float]
    setpoint_L2: NotRequired[float]
    setpoint_L3: NotRequired[float]
    setpointReactive: NotRequired[float]
    setpointReactive_L2: NotRequired[float]
    setpointReactive_L3: NotRequired[float]
    preconditioningRequest: NotRequired[bool]
    evseSleep: NotRequired[bool]
    v2xBaseline: NotRequired[float]
    operationMode: NotRequired[OperationModeEnumType]
    v2xFreqWattCurve: NotRequired[list[V2XFreqWattPointType]]
    """1 to 20 items."""
    v2xSignalWattCurve: NotRequired[list[V2XSignalWattPointType]]
    """1 to 20 items."""
    customData: NotRequired[CustomDataType]


class ChargingScheduleType(TypedDict):
    """Used in NotifyChargingLimitRequest, NotifyEVChargingScheduleRequest, ChargingProfileType."""

    id: int
    chargingRateUnit: ChargingRateUnitEnumType
    chargingSchedulePeriod: list[ChargingSchedulePeriodType]
    """1 to 1024 items."""
    limitAtSoC: NotRequired[LimitAtSoCType]
    startSchedule: NotRequired[str]
    """Date and time of ISO 8601."""
    duration: NotRequired[int]
    minChargingRate: NotRequired[float]
    powerTolerance: NotRequired[float]
    signatureId: NotRequired[int]
    """At least 0."""
    digestValue: NotRequired[str]
    """At most 88 characters."""
    useLocalTime: NotRequired[bool]
    randomizedDelay: NotRequired[int]
    """At least 0."""
    salesTariff: NotRequired[SalesTariffType]
    absolutePriceSchedule: NotRequired[AbsolutePriceScheduleType]
    priceLevelSchedule: NotRequired[PriceLevelScheduleType]
    customData: NotRequired[CustomDataType]


class ChargingScheduleUpdateType(TypedDict):
    """Used in PullDynamicScheduleUpdateResponse, UpdateDynamicScheduleRequest."""

    limit: NotRequired[float]
    limit_L2: NotRequired[float]
    limit_L3: NotRequired[float]
    dischargeLimit: NotRequired[float]
    """At most 0."""
    dischargeLimit_L2: NotRequired[float]
    """At most 0."""
    dischargeLimit_L3: NotRequired[float]
    """At most 0."""
    setpoint: NotRequired[float]
    setpoint_L2: NotRequired[float]
    setpoint_L3: NotRequired[float]
    setpointReactive: NotRequired[float]
    setpointReactive_L2: NotRequired[float]
    setpointReactive_L3: NotRequired[float]
    customData: NotRequired[CustomDataType]


class ChargingStationType(TypedDict):
    """Used in BootNotificationRequest."""

    model: str
    """At most 20 characters."""
    vendorName: str
    """At most 50 characters."""
    serialNumber: NotRequired[str]
    """At most 25 characters."""
    modem: NotRequired[ModemType]
    firmwareVersion: NotRequired[str]
    """At most 50 characters."""
    customData: NotRequired[CustomDataType]


class ClearChargingProfileType(TypedDict):
    """Used in ClearChargingProfileRequest."""

    evseId: NotRequired[int]
    """At least 0."""
    chargingProfilePurpose: NotRequired[ChargingProfilePurposeEnumType]
    stackLevel: NotRequired[int]
    """At least 0."""
    customData: NotRequired[CustomDataType]


class ClearMonitoringResultType(TypedDict):
    """Used in ClearVariableMonitoringResponse."""

    status: ClearMonitoringStatusEnumType
    id: int
    """At least 0."""
    statusInfo: NotRequired[StatusInfoType]
    customData: NotRequired[CustomDataType]


class ClearTariffsResultType(TypedDict):
    """Used in ClearTariffsResponse."""

    status: TariffClearStatusEnumType
    statusInfo: NotRequired[StatusInfoType]
    tariffId: NotRequired[str]
    """At most 60 characters."""
    customData: NotRequired[CustomDataType]


class ComponentType(TypedDict):
    """Used in ComponentVariableType, EventDataType, GetVariableDataType, GetVariableResultType and 7 more."""

    name: str
    """At most 50 characters."""
    evse: NotRequired[EVSEType]
    instance: NotRequired[str]
    """At most 50 characters."""
    customData: NotRequired[CustomDataType]


class ComponentVariableType(TypedDict):
    """Used in GetMonitoringReportRequest, GetReportRequest."""

    component: ComponentType
    variable: NotRequired[VariableType]
    customData: NotRequired[CustomDataType]


class CompositeScheduleType(TypedDict):
    """Used in GetCompositeScheduleResponse."""

    evseId: int
    """At least 0."""
    duration: int
    scheduleStart: str
    """Date and time of ISO 8601."""
    chargingRateUnit: ChargingRateUnitEnumType
    chargingSchedulePeriod: list[ChargingSchedulePeriodType]
    """At least 1 item."""
    customData: NotRequired[CustomDataType]


class ConstantStreamDataType(TypedDict):
    """Used in GetPeriodicEventStreamResponse, OpenPeriodicEventStreamRequest."""

    id: int
    """At least 0."""
    params: PeriodicEventStreamParamsType
    variableMonitoringId: int
    """At least 0."""
    customData: NotRequired[CustomDataType]


class ConsumptionCostType(TypedDict):
    """Used in SalesTariffEntryType."""

    startValue: float
    cost: list[CostType]
    """1 to 3 items."""
    customData: NotRequired[CustomDataType]


class CostDetailsType(TypedDict):
    """Used in TransactionEventRequest."""

    totalCost: TotalCostType
    totalUsage: TotalUsageType
    chargingPeriods: NotRequired[list[ChargingPeriodType]]
    """At least 1 item."""
    failureToCalculate: NotRequired[bool]
    failureReason: NotRequired[str]
    """At most 500 characters."""
    customData: NotRequired[CustomDataType]


class CostDimensionType(TypedDict):
    """Used in ChargingPeriodType."""

    type: CostDimensionEnumType
    volume: float
    customData: NotRequired[CustomDataType]


class CostType(TypedDict):
    """Used in ConsumptionCostType."""

    costKind: CostKindEnumType
    amount: int
    amountMultiplier: NotRequired[int]
    customData: NotRequired[CustomDataType]


class DCChargingParametersType(TypedDict):
    """Used in ChargingNeedsType."""

    evMaxCurrent: float
    evMaxVoltage: float
    evMaxPower: NotRequired[float]
    evEnergyCapacity: NotRequired[float]
    energyAmount: NotRequired[float]
    stateOfCharge: NotRequired[int]
    """0 to 100."""
    fullSoC: NotRequired[int]
    """0 to 100."""
    bulkSoC: NotRequired[int]
    """0 to 100."""
    customData: NotRequired[CustomDataType]


class DERChargingParametersType(TypedDict):
    """Used in ChargingNeedsType."""

    evSupportedDERControl: NotRequired[list[DERControlEnumType]]
    """At least 1 item."""
    evOverExcitedMaxDischargePower: NotRequired[float]
    evOverExcitedPowerFactor: NotRequired[float]
    evUnderExcitedMaxDischargePower: NotRequired[float]
    evUnderExcitedPowerFactor: NotRequired[float]
    maxApparentPower: NotRequired[float]
    maxChargeApparentPower: NotRequired[float]
    maxChargeApparentPower_L2: NotRequired[float]
    maxChargeApparentPower_L3: NotRequired[float]
    maxDischargeApparentPower: NotRequired[float]
    maxDischargeApparentPower_L2: NotRequired[float]
    maxDischargeApparentPower_L3: NotRequired[float]
    maxChargeReactivePower: NotRequired[float]
    maxChargeReactivePower_L2: NotRequired[float]
    maxChargeReactivePower_L3: NotRequired[float]
    minChargeReactivePower: NotRequired[float]
    minChargeReactivePower_L2: NotRequired[float]
    minChargeReactivePower_L3: NotRequired[float]
    maxDischargeReactivePower: NotRequired[float]
    maxDischargeReactivePower_L2: NotRequired[float]
    maxDischargeReactivePower_L3: NotRequired[float]
    minDischargeReactivePower: NotRequired[float]
    minDischargeReactivePower_L2: NotRequired[float]
    minDischargeReactivePower_L3: NotRequired[float]
    nominalVoltage: NotRequired[float]
    nominalVoltageOffset: NotRequired[float]
    maxNominalVoltage: NotRequired[float]
    minNominalVoltage: NotRequired[float]
    evInverterManufacturer: NotRequired[str]
    """At most 50 characters."""
    evInverterModel: NotRequired[str]
    """At most 50 characters."""
    evInverterSerialNumber: NotRequired[str]
    """At most 50 characters."""
    evInverterSwVersion: NotRequired[str]
    """At most 50 characters."""
    evInverterHwVersion: NotRequired[str]
    """At most 50 characters."""
    evIslandingDetectionMethod: NotRequired[list[IslandingDetectionEnumType]]
    """At least 1 item."""
    evIslandingTripTime: NotRequired[float]
    evMaximumLevel1DCInjection: NotRequired[float]
    evDurationLevel1DCInjection: NotRequired[float]
    evMaximumLevel2DCInjection: NotRequired[float]
    evDurationLevel2DCInjection: NotRequired[float]
    evReactiveSusceptance: NotRequired[float]
    evSessionTotalDischargeEnergyAvailable: NotRequired[float]
    customData: NotRequired[CustomDataType]


class DERCurveGetType(TypedDict):
    """Used in ReportDERControlRequest."""

    curve: DERCurveType
    id: str
    """At most 36 characters."""
    curveType: DERControlEnumType
    isDefault: bool
    isSuperseded: bool
    customData: NotRequired[CustomDataType]


class DERCurvePointsType(TypedDict):
    """Used in DERCurveType."""

    x: float
    y: float
    customData: NotRequired[CustomDataType]


class DERCurveType(TypedDict):
    """Used in SetDERControlRequest, DERCurveGetType, LimitMaxDischargeType."""

    curveData: list[DERCurvePointsType]
    """1 to 10 items."""
    priority: int
    """At least 0."""
    yUnit: DERUnitEnumType
    hysteresis: NotRequired[HysteresisType]
    reactivePowerParams: NotRequired[ReactivePowerParamsType]
    voltageParams: NotRequired[VoltageParamsType]
    responseTime: NotRequired[float]
    startTime: NotRequired[str]
    """Date and time of ISO 8601."""
    duration: NotRequired[float]
    customData: NotRequired[CustomDataType]


class EVAbsolutePriceScheduleEntryType(TypedDict):
    """Used in EVAbsolutePriceScheduleType."""

    duration: int
    evPriceRule: list[EVPriceRuleType]
    """1 to 8 items."""
    customData: NotRequired[CustomDataType]


class EVAbsolutePriceScheduleType(TypedDict):
    """Used in EVEnergyOfferType."""

    timeAnchor: str
    """Date and time of ISO 8601."""
    currency: str
    """At most 3 characters."""
    evAbsolutePriceScheduleEntries: list[EVAbsolutePriceScheduleEntryType]
    """1 to 1024 items."""
    priceAlgorithm: str
    """At most 2000 characters."""
    customData: NotRequired[CustomDataType]


class EVEnergyOfferType(TypedDict):
    """Used in ChargingNeedsType."""

    evPowerSchedule: EVPowerScheduleType
    evAbsolutePriceSchedule: NotRequired[EVAbsolutePriceScheduleType]
    customData: NotRequired[CustomDataType]


class EVPowerScheduleEntryType(TypedDict):
    """Used in EVPowerScheduleType."""

    duration: int
    power: float
    customData: NotRequired[CustomDataType]


class EVPowerScheduleType(TypedDict):
    """Used in EVEnergyOfferType."""

    evPowerScheduleEntries: list[EVPowerScheduleEntryType]
    """1 to 1024 items."""
    timeAnchor: str
    """Date and time of ISO 8601."""
    customData: NotRequired[CustomDataType]


class EVPriceRuleType(TypedDict):
    """Used in EVAbsolutePriceScheduleEntryType."""

    energyFee: float
    powerRangeStart: float
    customData: NotRequired[CustomDataType]


class EVSEType(TypedDict):
    """Used in ChangeAvailabilityRequest, TransactionEventRequest, TriggerMessageRequest, ComponentType."""

    id: int
    """At least 0."""
    connectorId: NotRequired[int]
    """At least 0."""
    customData: NotRequired[CustomDataType]


class EnterServiceGetType(TypedDict):
    """Used in ReportDERControlRequest."""

    enterService: EnterServiceType
    id: str
    """At most 36 characters."""
    customData: NotRequired[CustomDataType]


class EnterServiceType(TypedDict):
    """Used in SetDERControlRequest, EnterServiceGetType."""

    priority: int
    """At least 0."""
    highVoltage: float
    lowVoltage: float
    highFreq: float
    lowFreq: float
    delay: NotRequired[float]
    randomDelay: NotRequired[float]
    rampRate: NotRequired[float]
    customData: NotRequired[CustomDataType]


class EventDataType(TypedDict):
    """Used in NotifyEventRequest."""

    eventId: int
    """At least 0."""
    timestamp: str
    """Date and time of ISO 8601."""
    trigger: EventTriggerEnumType
    actualValue: str
    """At most 2500 characters."""
    component: ComponentType
    eventNotificationType: EventNotificationEnumType
    variable: VariableType
    cause: NotRequired[int]
    """At least 0."""
    techCode: NotRequired[str]
    """At most 50 characters."""
    techInfo: NotRequired[str]
    """At most 500 characters."""
    cleared: NotRequired[bool]
    transactionId: NotRequired[str]
    """At most 36 characters."""
    variableMonitoringId: NotRequired[int]
    """At least 0."""
    severity: NotRequired[int]
    """At least 0."""
    customData: NotRequired[CustomDataType]


class FirmwareType(TypedDict):
    """Used in UpdateFirmwareRequest."""

    location: str
    """At most 2000 characters."""
    retrieveDateTime: str
    """Date and time of ISO 8601."""
    installDateTime: NotRequired[str]
    """Date and time of ISO 8601."""
    signingCertificate: NotRequired[str]
    """At most 5500 characters."""
    signature: NotRequired[str]
    """At most 800 characters."""
    customData: NotRequired[CustomDataType]


class FixedPFGetType(TypedDict):
    """Used in ReportDERControlRequest."""

    fixedPF: FixedPFType
    id: str
    """At most 36 characters."""
    isDefault: bool
    isSuperseded: bool
    customData: NotRequired[CustomDataType]


class FixedPFType(TypedDict):
    """Used in SetDERControlRequest, FixedPFGetType."""

    priority: int
    """At least 0."""
    displacement: float
    excitation: bool
    startTime: NotRequired[str]
    """Date and time of ISO 8601."""
    duration: NotRequired[float]
    customData: NotRequired[CustomDataType]


class FixedVarGetType(TypedDict):
    """Used in ReportDERControlRequest."""

    fixedVar: FixedVarType
    id: str
    """At most 36 characters."""
    isDefault: bool
    isSuperseded: bool
    customData: NotRequired[CustomDataType]


class FixedVarType(TypedDict):
    """Used in SetDERControlRequest, FixedVarGetType."""

    priority: int
    """At least 0."""
    setpoint: float
    unit: DERUnitEnumType
    startTime: NotRequired[str]
    """Date and time of ISO 8601."""
    duration: NotRequired[float]
    customData: NotRequired[CustomDataType]


class FreqDroopGetType(TypedDict):
    """Used in ReportDERControlRequest."""

    freqDroop: FreqDroopType
    id: str
    """At most 36 characters."""
    isDefault: bool
    isSuperseded: bool
    customData: NotRequired[CustomDataType]


class FreqDroopType(TypedDict):
    """Used in SetDERControlRequest, FreqDroopGetType."""

    priority: int
    """At least 0."""
    overFreq: float
    underFreq: float
    overDroop: float
    underDroop: float
    responseTime: float
    startTime: NotRequired[str]
    """Date and time of ISO 8601."""
    duration: NotRequired[float]
    customData: NotRequired[CustomDataType]


class GetVariableDataType(TypedDict):
    """Used in GetVariablesRequest."""

    component: ComponentType
    variable: VariableType
    attributeType: NotRequired[AttributeEnumType]
    """Default "Actual"."""
    customData: NotRequired[CustomDataType]


class GetVariableResultType(TypedDict):
    """Used in GetVariablesResponse."""

    attributeStatus: GetVariableStatusEnumType
    component: ComponentType
    variable: VariableType
    attributeStatusInfo: NotRequired[StatusInfoType]
    attributeType: NotRequired[AttributeEnumType]
    """Default "Actual"."""
    attributeValue: NotRequired[str]
    """At most 2500 characters."""
    customData: NotRequired[CustomDataType]


class GradientGetType(TypedDict):
    """Used in ReportDERControlRequest."""

    gradient: GradientType
    id: str
    """At most 36 characters."""
    customData: NotRequired[CustomDataType]


class GradientType(TypedDict):
    """Used in SetDERControlRequest, GradientGetType."""

    priority: int
    """At least 0."""
    gradient: float
    softGradient: float
    customData: NotRequired[CustomDataType]


class HysteresisType(TypedDict):
    """Used in DERCurveType."""

    hysteresisHigh: NotRequired[float]
    hysteresisLow: NotRequired[float]
    hysteresisDelay: NotRequired[float]
    hysteresisGradient: NotRequired[float]
    customData: NotRequired[CustomDataType]


class IdTokenInfoType(TypedDict):
    """Used in AuthorizeResponse, TransactionEventResponse, AuthorizationData."""

    status: AuthorizationStatusEnumType
    cacheExpiryDateTime: NotRequired[str]
    """Date and time of ISO 8601."""
    chargingPriority: NotRequired[int]
    groupIdToken: NotRequired[IdTokenType]
    language1: NotRequired[str]
    """At most 8 characters."""
    language2: NotRequired[str]
    """At most 8 characters."""
    evseId: NotRequired[list[int]]
    """Each at least 0; at least 1 item."""
    personalMessage: NotRequired[MessageContentType]
    customData: NotRequired[CustomDataType]


class IdTokenType(TypedDict):
    """Used in AuthorizeRequest, BatterySwapRequest, CustomerInformationRequest, RequestBatterySwapRequest and 5 more."""

    idToken: str
    """At most 255 characters."""
    type: str
    """At most 20 characters."""
    additionalInfo: NotRequired[list[AdditionalInfoType]]
    """At least 1 item."""
    customData: NotRequired[CustomDataType]


class LimitAtSoCType(TypedDict):
    """Used in ChargingScheduleType."""

    soc: int
    """0 to 100."""
    limit: float
    customData: NotRequired[CustomDataType]


class LimitMaxDischargeGetType(TypedDict):
    """Used in ReportDERControlRequest."""

    id: str
    """At most 36 characters."""
    isDefault: bool
    isSuperseded: bool
    limitMaxDischarge: LimitMaxDischargeType
    customData: NotRequired[CustomDataType]


class LimitMaxDischargeType(TypedDict):
    """Used in SetDERControlRequest, LimitMaxDischargeGetType."""

    priority: int
    """At least 0."""
    pctMaxDischargePower: NotRequired[float]
    powerMonitoringMustTrip: NotRequired[DERCurveType]
    startTime: NotRequired[str]
    """Date and time of ISO 8601."""
    duration: NotRequired[float]
    customData: NotRequired[CustomDataType]


class LogParametersType(TypedDict):
    """Used in GetLogRequest."""

    remoteLocation: str
    """At most 2000 characters."""
    oldestTimestamp: NotRequired[str]
    """Date and time of ISO 8601."""
    latestTimestamp: NotRequired[str]
    """Date and time of ISO 8601."""
    customData: NotRequired[CustomDataType]


class MessageContentType(TypedDict):
    """Used in TransactionEventResponse, IdTokenInfoType, MessageInfoType, TariffType."""

    format: MessageFormatEnumType
    content: str
    """At most 1024 characters."""
    language: NotRequired[str]
    """At most 8 characters."""
    customData: NotRequired[CustomDataType]


class MessageInfoType(TypedDict):
    """Used in NotifyDisplayMessagesRequest, SetDisplayMessageRequest."""

    id: int
    """At least 0."""
    priority: MessagePriorityEnumType
    message: MessageContentType
    display: NotRequired[ComponentType]
    state: NotRequired[MessageStateEnumType]
    startDateTime: NotRequired[str]
    """Date and time of ISO 8601."""
    endDateTime: NotRequired[str]
    """Date and time of ISO 8601."""
    transactionId: NotRequired[str]
    """At most 36 characters."""
    messageExtra: NotRequired[list[MessageContentType]]
    """1 to 4 items."""
    customData: NotRequired[CustomDataType]


class MeterValueType(TypedDict):
    """Used in MeterValuesRequest, TransactionEventRequest."""

    sampledValue: list[SampledValueType]
    """At least 1 item."""
    timestamp: str
    """Date and time of ISO 8601."""
    customData: NotRequired[CustomDataType]


class ModemType(TypedDict):
    """Used in ChargingStationType."""

    iccid: NotRequired[str]
    """At most 20 characters."""
    imsi: NotRequired[str]
    """At most 20 characters."""
    customData: NotRequired[CustomDataType]


class MonitoringDataType(TypedDict):
    """Used in NotifyMonitoringReportRequest."""

    component: ComponentType
    variable: VariableType
    variableMonitoring: list[VariableMonitoringType]
    """At least 1 item."""
    customData: NotRequired[CustomDataType]


class NetworkConnectionProfileType(TypedDict):
    """Used in SetNetworkProfileRequest."""

    ocppInterface: OCPPInterfaceEnumType
    ocppTransport: OCPPTransportEnumType
    messageTimeout: int
    ocppCsmsUrl: str
    """At most 2000 characters."""
    securityProfile: int
    """At least 0."""
    apn: NotRequired[APNType]
    ocppVersion: NotRequired[OCPPVersionEnumType]
    identity: NotRequired[str]
    """At most 48 characters."""
    basicAuthPassword: NotRequired[str]
    """At most 64 characters."""
    vpn: NotRequired[VPNType]
    customData: NotRequired[CustomDataType]


class OCSPRequestDataType(TypedDict):
    """Used in AuthorizeRequest, GetCertificateStatusRequest."""

    hashAlgorithm: HashAlgorithmEnumType
    issuerNameHash: str
    """At most 128 characters."""
    issuerKeyHash: str
    """At most 128 characters."""
    serialNumber: str
    """At most 40 characters."""
    responderURL: str
    """At most 2000 characters."""
    customData: NotRequired[CustomDataType]


class OverstayRuleListType(TypedDict):
    """Used in AbsolutePriceScheduleType."""

    overstayRule: list[OverstayRuleType]
    """1 to 5 items."""
    overstayPowerThreshold: NotRequired[RationalNumberType]
    overstayTimeThreshold: NotRequired[int]
    customData: NotRequired[CustomDataType]


class OverstayRuleType(TypedDict):
    """Used in OverstayRuleListType."""

    overstayFee: RationalNumberType
    startTime: int
    overstayFeePeriod: int
    overstayRuleDescription: NotRequired[str]
    """At most 32 characters."""
    customData: NotRequired[CustomDataType]


class PeriodicEventStreamParamsType(TypedDict):
    """Used in AdjustPeriodicEventStreamRequest, ConstantStreamDataType, SetMonitoringDataType."""

    interval: NotRequired[int]
    """At least 0."""
    values: NotRequired[int]
    """At least 0."""
    customData: NotRequired[CustomDataType]


class PriceLevelScheduleEntryType(TypedDict):
    """Used in PriceLevelScheduleType."""

    duration: int
    priceLevel: int
    """At least 0."""
    customData: NotRequired[CustomDataType]


class PriceLevelScheduleType(TypedDict):
    """Used in ChargingScheduleType."""

    priceLevelScheduleEntries: list[PriceLevelScheduleEntryType]
    """1 to 100 items."""
    timeAnchor: str
    """Date and time of ISO 8601."""
    priceScheduleId: int
    """At least 0."""
    numberOfPriceLevels: int
    """At least 0."""
    priceScheduleDescription: NotRequired[str]
    """At most 32 characters."""
    customData: NotRequired[CustomDataType]


class PriceRuleStackType(TypedDict):
    """Used in AbsolutePriceScheduleType."""

    duration: int
    priceRule: list[PriceRuleType]
    """1 to 8 items."""
    customData: NotRequired[CustomDataType]


class PriceRuleType(TypedDict):
    """Used in PriceRuleStackType."""

    energyFee: RationalNumberType
    powerRangeStart: RationalNumberType
    parkingFeePeriod: NotRequired[int]
    carbonDioxideEmission: NotRequired[int]
    """At least 0."""
    renewableGenerationPercentage: NotRequired[int]
    """0 to 100."""
    parkingFee: NotRequired[RationalNumberType]
    customData: NotRequired[CustomDataType]


class PriceType(TypedDict):
    """Used in TariffType, TotalCostType."""

    exclTax: NotRequired[float]
    inclTax: NotRequired[float]
    taxRates: NotRequired[list[TaxRateType]]
    """1 to 5 items."""
    customData: NotRequired[CustomDataType]


class RationalNumberType(TypedDict):
    """Used in AbsolutePriceScheduleType, AdditionalSelectedServicesType, OverstayRuleListType, OverstayRuleType and 2 more."""

    exponent: int
    value: int
    customData: NotRequired[CustomDataType]


class ReactivePowerParamsType(TypedDict):
    """Used in DERCurveType."""

    vRef: NotRequired[float]
    autonomousVRefEnable: NotRequired[bool]
    autonomousVRefTimeConstant: NotRequired[float]
    customData: NotRequired[CustomDataType]


class RelativeTimeIntervalType(TypedDict):
    """Used in SalesTariffEntryType."""

    start: int
    duration: NotRequired[int]
    customData: NotRequired[CustomDataType]


class ReportDataType(TypedDict):
    """Used in NotifyReportRequest."""

    component: ComponentType
    variable: VariableType
    variableAttribute: list[VariableAttributeType]
    """1 to 4 items."""
    variableCharacteristics: NotRequired[VariableCharacteristicsType]
    customData: NotRequired[CustomDataType]


class SalesTariffEntryType(TypedDict):
    """Used in SalesTariffType."""

    relativeTimeInterval: RelativeTimeIntervalType
    ePriceLevel: NotRequired[int]
    """At least 0."""
    consumptionCost: NotRequired[list[ConsumptionCostType]]
    """1 to 3 items."""
    customData: NotRequired[CustomDataType]


class SalesTariffType(TypedDict):
    """Used in ChargingScheduleType."""

    id: int
    """At least 0."""
    salesTariffEntry: list[SalesTariffEntryType]
    """1 to 1024 items."""
    salesTariffDescription: NotRequired[str]
    """At most 32 characters."""
    numEPriceLevels: NotRequired[int]
    """At least 0."""
    customData: NotRequired[CustomDataType]


class SampledValueType(TypedDict):
    """Used in MeterValueType."""

    value: float
    measurand: NotRequired[MeasurandEnumType]
    """Default "Energy.Active.Import.Register"."""
    context: NotRequired[ReadingContextEnumType]
    """Default "Sample.Periodic"."""
    phase: NotRequired[PhaseEnumType]
    location: NotRequired[LocationEnumType]
    """Default "Outlet"."""
    signedMeterValue: NotRequired[SignedMeterValueType]
    unitOfMeasure: NotRequired[UnitOfMeasureType]
    customData: NotRequired[CustomDataType]


class SetMonitoringDataType(TypedDict):
    """Used in SetVariableMonitoringRequest."""

    value: float
    type: MonitorEnumType
    severity: int
    """At least 0."""
    component: ComponentType
    variable: VariableType
    id: NotRequired[int]
    """At least 0."""
    periodicEventStream: NotRequired[PeriodicEventStreamParamsType]
    transaction: NotRequired[bool]
    """Default false."""
    customData: NotRequired[CustomDataType]


class SetMonitoringResultType(TypedDict):
    """Used in SetVariableMonitoringResponse."""

    status: SetMonitoringStatusEnumType
    type: MonitorEnumType
    component: ComponentType
    variable: VariableType
    severity: int
    """At least 0."""
    id: NotRequired[int]
    """At least 0."""
    statusInfo: NotRequired[StatusInfoType]
    customData: NotRequired[CustomDataType]


class SetVariableDataType(TypedDict):
    """Used in SetVariablesRequest."""

    attributeValue: str
    """At most 2500 characters."""
    component: ComponentType
    variable: VariableType
    attributeType: NotRequired[AttributeEnumType]
    """Default "Actual"."""
    customData: NotRequired[CustomDataType]


class SetVariableResultType(TypedDict):
    """Used in SetVariablesResponse."""

    attributeStatus: SetVariableStatusEnumType
    component: ComponentType
    variable: VariableType
    attributeType: NotRequired[AttributeEnumType]
    """Default "Actual"."""
    attributeStatusInfo: NotRequired[StatusInfoType]
    customData: NotRequired[CustomDataType]


class SignedMeterValueType(TypedDict):
    """Used in SampledValueType."""

    signedMeterData: str
    """At most 32768 characters."""
    encodingMethod: str
    """At most 50 characters."""
    signingMethod: NotRequired[str]
    """At most 50 characters."""
    publicKey: NotRequired[str]
    """At most 2500 characters."""
    customData: NotRequired[CustomDataType]


class StatusInfoType(TypedDict):
    """Used in AFRRSignalResponse, AdjustPeriodicEventStreamResponse, BootNotificationResponse, CancelReservationResponse and 57 more."""

    reasonCode: str
    """At most 20 characters."""
    additionalInfo: NotRequired[str]
    """At most 1024 characters."""
    customData: NotRequired[CustomDataType]


class StreamDataElementType(TypedDict):
    """Used in NotifyPeriodicEventStreamRequest."""

    t: float
    v: str
    """At most 2500 characters."""
    customData: NotRequired[CustomDataType]


class TariffAssignmentType(TypedDict):
    """Used in GetTariffsResponse."""

    tariffId: str
    """At most 60 characters."""
    tariffKind: TariffKindEnumType
    validFrom: NotRequired[str]
    """Date and time of ISO 8601."""
    evseIds: NotRequired[list[int]]
    """Each at least 0; at least 1 item."""
    idTokens: NotRequired[list[str]]
    """Each at most 255 characters; at least 1 item."""
    customData: NotRequired[CustomDataType]


class TariffConditionsFixedType(TypedDict):
    """Used in TariffFixedPriceType."""

    startTimeOfDay: NotRequired[str]
    endTimeOfDay: NotRequired[str]
    dayOfWeek: NotRequired[list[DayOfWeekEnumType]]
    """1 to 7 items."""
    validFromDate: NotRequired[str]
    validToDate: NotRequired[str]
    evseKind: NotRequired[EvseKindEnumType]
    paymentBrand: NotRequired[str]
    """At most 20 characters."""
    paymentRecognition: NotRequired[str]
    """At most 20 characters."""
    customData: NotRequired[CustomDataType]


class TariffConditionsType(TypedDict):
    """Used in TariffEnergyPriceType, TariffTimePriceType."""

    startTimeOfDay: NotRequired[str]
    endTimeOfDay: NotRequired[str]
    dayOfWeek: NotRequired[list[DayOfWeekEnumType]]
    """1 to 7 items."""
    validFromDate: NotRequired[str]
    validToDate: NotRequired[str]
    evseKind: NotRequired[EvseKindEnumType]
    minEnergy: NotRequired[float]
    maxEnergy: NotRequired[float]
    minCurrent: NotRequired[float]
    maxCurrent: NotRequired[float]
    minPower: NotRequired[float]
    maxPower: NotRequired[float]
    minTime: NotRequired[int]
    maxTime: NotRequired[int]
    minChargingTime: NotRequired[int]
    maxChargingTime: NotRequired[int]
    minIdleTime: NotRequired[int]
    maxIdleTime: NotRequired[int]
    customData: NotRequired[CustomDataType]


class TariffEnergyPriceType(TypedDict):
    """Used in TariffEnergyType."""

    priceKwh: float
    conditions: NotRequired[TariffConditionsType]
    customData: NotRequired[CustomDataType]


class TariffEnergyType(TypedDict):
    """Used in TariffType."""

    prices: list[TariffEnergyPriceType]
    """At least 1 item."""
    taxRates: NotRequired[list[TaxRateType]]
    """1 to 5 items."""
    customData: NotRequired[CustomDataType]


class TariffFixedPriceType(TypedDict):
    """Used in TariffFixedType."""

    priceFixed: float
    conditions: NotRequired[TariffConditionsFixedType]
    customData: NotRequired[CustomDataType]


class TariffFixedType(TypedDict):
    """Used in TariffType."""

    prices: list[TariffFixedPriceType]
    """At least 1 item."""
    taxRates: NotRequired[list[TaxRateType]]
    """1 to 5 items."""
    customData: NotRequired[CustomDataType]


class TariffTimePriceType(TypedDict):
    """Used in TariffTimeType."""

    priceMinute: float
    conditions: NotRequired[TariffConditionsType]
    customData: NotRequired[CustomDataType]


class TariffTimeType(TypedDict):
    """Used in TariffType."""

    prices: list[TariffTimePriceType]
    """At least 1 item."""
    taxRates: NotRequired[list[TaxRateType]]
    """1 to 5 items."""
    customData: NotRequired[CustomDataType]


class TariffType(TypedDict):
    """Used in AuthorizeResponse, ChangeTransactionTariffRequest, SetDefaultTariffRequest."""

    tariffId: str
    """At most 60 characters."""
    currency: str
    """At most 3 characters."""
    description: NotRequired[list[MessageContentType]]
    """1 to 10 items."""
    energy: NotRequired[TariffEnergyType]
    validFrom: NotRequired[str]
    """Date and time of ISO 8601."""
    chargingTime: NotRequired[TariffTimeType]
    idleTime: NotRequired[TariffTimeType]
    fixedFee: NotRequired[TariffFixedType]
    reservationTime: NotRequired[TariffTimeType]
    reservationFixed: NotRequired[TariffFixedType]
    minCost: NotRequired[PriceType]
    maxCost: NotRequired[PriceType]
    customData: NotRequired[CustomDataType]


class TaxRateType(TypedDict):
    """Used in PriceType, TariffEnergyType, TariffFixedType, TariffTimeType."""

    type: str
    """At most 20 characters."""
    tax: float
    stack: NotRequired[int]
    """At least 0."""
    customData: NotRequired[CustomDataType]


class TaxRuleType(TypedDict):
    """Used in AbsolutePriceScheduleType."""

    taxRuleID: int
    """At least 0."""
    appliesToEnergyFee: bool
    appliesToParkingFee: bool
    appliesToOverstayFee: bool
    appliesToMinimumMaximumCost: bool
    taxRate: RationalNumberType
    taxRuleName: NotRequired[str]
    """At most 100 characters."""
    taxIncludedInPrice: NotRequired[bool]
    customData: NotRequired[CustomDataType]


class TotalCostType(TypedDict):
    """Used in CostDetailsType."""

    currency: str
    """At most 3 characters."""
    typeOfCost: TariffCostEnumType
    total: TotalPriceType
    fixed: NotRequired[PriceType]
    energy: NotRequired[PriceType]
    chargingTime: NotRequired[PriceType]
    idleTime: NotRequired[PriceType]
    reservationTime: NotRequired[PriceType]
    reservationFixed: NotRequired[PriceType]
    customData: NotRequired[CustomDataType]


class TotalPriceType(TypedDict):
    """Used in TotalCostType."""

    exclTax: NotRequired[float]
    inclTax: NotRequired[float]
    customData: NotRequired[CustomDataType]


class TotalUsageType(TypedDict):
    """Used in CostDetailsType."""

    energy: float
    chargingTime: int
    idleTime: int
    reservationTime: NotRequired[int]
    customData: NotRequired[CustomDataType]


class TransactionLimitType(TypedDict):
    """Used in TransactionEventResponse, TransactionType."""

    maxCost: NotRequired[float]
    maxEnergy: NotRequired[float]
    maxTime: NotRequired[int]
    maxSoC: NotRequired[int]
    """0 to 100."""
    customData: NotRequired[CustomDataType]


class TransactionType(TypedDict):
    """Used in TransactionEventRequest."""

    transactionId: str
    """At most 36 characters."""
    chargingState: NotRequired[ChargingStateEnumType]
    timeSpentCharging: NotRequired[int]
    stoppedReason: NotRequired[ReasonEnumType]
    remoteStartId: NotRequired[int]
    operationMode: NotRequired[OperationModeEnumType]
    tariffId: NotRequired[str]
    """At most 60 characters."""
    transactionLimit: NotRequired[TransactionLimitType]
    customData: NotRequired[CustomDataType]


class UnitOfMeasureType(TypedDict):
    """Used in SampledValueType."""

    unit: NotRequired[str]
    """At most 20 characters; default "Wh"."""
    multiplier: NotRequired[int]
    """Default 0."""
    customData: NotRequired[CustomDataType]


class V2XChargingParametersType(TypedDict):
    """Used in ChargingNeedsType."""

    minChargePower: NotRequired[float]
    minChargePower_L2: NotRequired[float]
    minChargePower_L3: NotRequired[float]
    maxChargePower: NotRequired[float]
    maxChargePower_L2: NotRequired[float]
    maxChargePower_L3: NotRequired[float]
    minDischargePower: NotRequired[float]
    minDischargePower_L2: NotRequired[float]
    minDischargePower_L3: NotRequired[float]
    maxDischargePower: NotRequired[float]
    maxDischargePower_L2: NotRequired[float]
    maxDischargePower_L3: NotRequired[float]
    minChargeCurrent: NotRequired[float]
    maxChargeCurrent: NotRequired[float]
    minDischargeCurrent: NotRequired[float]
    maxDischargeCurrent: NotRequired[float]
    minVoltage: NotRequired[float]
    maxVoltage: NotRequired[float]
    evTargetEnergyRequest: NotRequired[float]
    evMinEnergyRequest: NotRequired[float]
    evMaxEnergyRequest: NotRequired[float]
    evMinV2XEnergyRequest: NotRequired[float]
    evMaxV2XEnergyRequest: NotRequired[float]
    targetSoC: NotRequired[int]
    """0 to 100."""
    customData: NotRequired[CustomDataType]


class V2XFreqWattPointType(TypedDict):
    """Used in ChargingSchedulePeriodType."""

    frequency: float
    power: float
    customData: NotRequired[CustomDataType]


class V2XSignalWattPointType(TypedDict):
    """Used in ChargingSchedulePeriodType."""

    signal: int
    power: float
    customData: NotRequired[CustomDataType]


class VPNType(TypedDict):
    """Used in NetworkConnectionProfileType."""

    server: str
    """At most 2000 characters."""
    user: str
    """At most 50 characters."""
    password: str
    """At most 64 characters."""
    key: str
    """At most 255 characters."""
    type: VPNEnumType
    group: NotRequired[str]
    """At most 50 characters."""
    customData: NotRequired[CustomDataType]


class VariableAttributeType(TypedDict):
    """Used in ReportDataType."""

    type: NotRequired[AttributeEnumType]
    """Default "Actual"."""
    value: NotRequired[str]
    """At most 2500 characters."""
    mutability: NotRequired[MutabilityEnumType]
    """Default "ReadWrite"."""
    persistent: NotRequired[bool]
    """Default false."""
    constant: NotRequired[bool]
    """Default false."""
    customData: NotRequired[CustomDataType]


class VariableCharacteristicsType(TypedDict):
    """Used in ReportDataType."""

    dataType: DataEnumType
    supportsMonitoring: bool
    unit: NotRequired[str]
    """At most 16 characters."""
    minLimit: NotRequired[float]
    maxLimit: NotRequired[float]
    maxElements: NotRequired[int]
    """At least 1."""
    valuesList: NotRequired[str]
    """At most 1000 characters."""
    customData: NotRequired[CustomDataType]


class VariableMonitoringType(TypedDict):
    """Used in MonitoringDataType."""

    id: int
    """At least 0."""
    transaction: bool
    value: float
    type: MonitorEnumType
    severity: int
    """At least 0."""
    eventNotificationType: EventNotificationEnumType
    customData: NotRequired[CustomDataType]


class VariableType(TypedDict):
    """Used in ComponentVariableType, EventDataType, GetVariableDataType, GetVariableResultType and 6 more."""

    name: str
    """At most 50 characters."""
    instance: NotRequired[str]
    """At most 50 characters."""
    customData: NotRequired[CustomDataType]


class VoltageParamsType(TypedDict):
    """Used in DERCurveType."""

    hv10MinMeanValue: NotRequired[float]
    hv10MinMeanTripDelay: NotRequired[float]
    powerDuringCessation: NotRequired[PowerDuringCessationEnumType]
    customData: NotRequired[CustomDataType]


class AFRRSignalRequest(TypedDict):
    """AFRRSignal, sent by the CSMS."""

    timestamp: str
    """Date and time of ISO 8601."""
    signal: int
    customData: NotRequired[CustomDataType]


class AFRRSignalResponse(TypedDict):
    """The answer to AFRRSignal."""

    status: GenericStatusEnumType
    statusInfo: NotRequired[StatusInfoType]
    customData: NotRequired[CustomDataType]


class AdjustPeriodicEventStreamRequest(TypedDict):
    """AdjustPeriodicEventStream, sent by the CSMS."""

    id: int
    """At least 0."""
    params: PeriodicEventStreamParamsType
    customData: NotRequired[CustomDataType]


class AdjustPeriodicEventStreamResponse(TypedDict):
    """The answer to AdjustPeriodicEventStream."""

    status: GenericStatusEnumType
    statusInfo: NotRequired[StatusInfoType]
    customData: NotRequired[CustomDataType]


class AuthorizeRequest(TypedDict):
    """Authorize, sent by the charge point."""

    idToken: IdTokenType
    certificate: NotRequired[str]
    """At most 10000 characters."""
    iso15118CertificateHashData: NotRequired[list[OCSPRequestDataType]]
    """1 to 4 items."""
    customData: NotRequired[CustomDataType]


class AuthorizeResponse(TypedDict):
    """The answer to Authorize."""

    idTokenInfo: IdTokenInfoType
    certificateStatus: NotRequired[AuthorizeCertificateStatusEnumType]
    allowedEnergyTransfer: NotRequired[list[EnergyTransferModeEnumType]]
    """At least 1 item."""
    tariff: NotRequired[TariffType]
    customData: NotRequired[CustomDataType]


class BatterySwapRequest(TypedDict):
    """BatterySwap, sent by the charge point."""

    batteryData: list[BatteryDataType]
    """At least 1 item."""
    eventType: BatterySwapEventEnumType
    idToken: IdTokenType
    requestId: int
    customData: NotRequired[CustomDataType]


class BatterySwapResponse(TypedDict):
    """The answer to BatterySwap."""

    customData: NotRequired[CustomDataType]


class BootNotificationRequest(TypedDict):
    """BootNotification, sent by the charge point."""

    chargingStation: ChargingStationType
    reason: BootReasonEnumType
    customData: NotRequired[CustomDataType]


class BootNotificationResponse(TypedDict):
    """The answer to BootNotification."""

    currentTime: str
    """Date and time of ISO 8601."""
    interval: int
    status: RegistrationStatusEnumType
    statusInfo: NotRequired[StatusInfoType]
    customData: NotRequired[CustomDataType]


class CancelReservationRequest(TypedDict):
    """CancelReservation, sent by the CSMS."""

    reservationId: int
    """At least 0."""
    customData: NotRequired[CustomDataType]


class CancelReservationResponse(TypedDict):
    """The answer to CancelReservation."""

    status: CancelReservationStatusEnumType
    statusInfo: NotRequired[StatusInfoType]
    customData: NotRequired[CustomDataType]


class CertificateSignedRequest(TypedDict):
    """CertificateSigned, sent by the CSMS."""

    certificateChain: str
    """At most 10000 characters."""
    certificateType: NotRequired[CertificateSigningUseEnumType]
    requestId: NotRequired[int]
    customData: NotRequired[CustomDataType]


class CertificateSignedResponse(TypedDict):
    """The answer to CertificateSigned."""

    status: CertificateSignedStatusEnumType
    statusInfo: NotRequired[StatusInfoType]
    customData: NotRequired[CustomDataType]


class ChangeAvailabilityRequest(TypedDict):
    """ChangeAvailability, sent by the CSMS."""

    operationalStatus: OperationalStatusEnumType
    evse: NotRequired[EVSEType]
    customData: NotRequired[CustomDataType]


class ChangeAvailabilityResponse(TypedDict):
    """The answer to ChangeAvailability."""

    status: ChangeAvailabilityStatusEnumType
    statusInfo: NotRequired[StatusInfoType]
    customData: NotRequired[CustomDataType]


class ChangeTransactionTariffRequest(TypedDict):
    """ChangeTransactionTariff, sent by the CSMS."""

    tariff: TariffType
    transactionId: str
    """At most 36 characters."""
    customData: NotRequired[CustomDataType]


class ChangeTransactionTariffResponse(TypedDict):
    """The answer to ChangeTransactionTariff."""

    status: TariffChangeStatusEnumType
    statusInfo: NotRequired[StatusInfoType]
    customData: NotRequired[CustomDataType]


class ClearCacheRequest(TypedDict):
    """ClearCache, sent by the CSMS."""

    customData: NotRequired[CustomDataType]


class ClearCacheResponse(TypedDict):
    """The answer to ClearCache."""

    status: ClearCacheStatusEnumType
    statusInfo: NotRequired[StatusInfoType]
    customData: NotRequired[CustomDataType]


class ClearChargingProfileRequest(TypedDict):
    """ClearChargingProfile, sent by the CSMS."""

    chargingProfileId: NotRequired[int]
    chargingProfileCriteria: NotRequired[ClearChargingProfileType]
    customData: NotRequired[CustomDataType]


class ClearChargingProfileResponse(TypedDict):
    """The answer to ClearChargingProfile."""

    status: ClearChargingProfileStatusEnumType
    statusInfo: NotRequired[StatusInfoType]
    customData: NotRequired[CustomDataType]


class ClearDERControlRequest(TypedDict):
    """ClearDERControl, sent by the CSMS."""

    isDefault: bool
    controlType: NotRequired[DERControlEnumType]
    controlId: NotRequired[str]
    """At most 36 characters."""
    customData: NotRequired[CustomDataType]


class ClearDERControlResponse(TypedDict):
    """The answer to ClearDERControl."""

    status: DERControlStatusEnumType
    statusInfo: NotRequired[StatusInfoType]
    customData: NotRequired[CustomDataType]


class ClearDisplayMessageRequest(TypedDict):
    """ClearDisplayMessage, sent by the CSMS."""

    id: int
    """At least 0."""
    customData: NotRequired[CustomDataType]


class ClearDisplayMessageResponse(TypedDict):
    """The answer to ClearDisplayMessage."""

    status: ClearMessageStatusEnumType
    statusInfo: NotRequired[StatusInfoType]
    customData: NotRequired[CustomDataType]


class ClearTariffsRequest(TypedDict):
    """ClearTariffs, sent by the CSMS."""

    tariffIds: NotRequired[list[str]]
    """Each at most 60 characters; at least 1 item."""
    evseId: NotRequired[int]
    """At least 0."""
    customData: NotRequired[CustomDataType]


class ClearTariffsResponse(TypedDict):
    """The answer to ClearTariffs."""

    clearTariffsResult: list[ClearTariffsResultType]
    """At least 1 item."""
    customData: NotRequired[CustomDataType]


class ClearVariableMonitoringRequest(TypedDict):
    """ClearVariableMonitoring, sent by the CSMS."""

    id: list[int]
    """Each at least 0; at least 1 item."""
    customData: NotRequired[CustomDataType]


class ClearVariableMonitoringResponse(TypedDict):
    """The answer to ClearVariableMonitoring."""

    clearMonitoringResult: list[ClearMonitoringResultType]
    """At least 1 item."""
    customData: NotRequired[CustomDataType]


class ClearedChargingLimitRequest(TypedDict):
    """ClearedChargingLimit, sent by the charge point."""

    chargingLimitSource: str
    """At most 20 characters."""
    evseId: NotRequired[int]
    """At least 0."""
    customData: NotRequired[CustomDataType]


class ClearedChargingLimitResponse(TypedDict):
    """The answer to ClearedChargingLimit."""

    customData: NotRequired[CustomDataType]


class ClosePeriodicEventStreamRequest(TypedDict):
    """ClosePeriodicEventStream, sent by the charge point."""

    id: int
    """At least 0."""
    customData: NotRequired[CustomDataType]


class ClosePeriodicEventStreamResponse(TypedDict):
    """The answer to ClosePeriodicEventStream."""

    customData: NotRequired[CustomDataType]


class CostUpdatedRequest(TypedDict):
    """CostUpdated, sent by the CSMS."""

    totalCost: float
    transactionId: str
    """At most 36 characters."""
    customData: NotRequired[CustomDataType]


class CostUpdatedResponse(TypedDict):
    """The answer to CostUpdated."""

    customData: NotRequired[CustomDataType]


class CustomerInformationRequest(TypedDict):
    """CustomerInformation, sent by the CSMS."""

    requestId: int
    """At least 0."""
    report: bool
    clear: bool
    customerCertificate: NotRequired[CertificateHashDataType]
    idToken: NotRequired[IdTokenType]
    customerIdentifier: NotRequired[str]
    """At most 64 characters."""
    customData: NotRequired[CustomDataType]


class CustomerInformationResponse(TypedDict):
    """The answer to CustomerInformation."""

    status: CustomerInformationStatusEnumType
    statusInfo: NotRequired[StatusInfoType]
    customData: NotRequired[CustomDataType]


class DataTransferRequest(TypedDict):
    """DataTransfer, sent by either side."""

    vendorId: str
    """At most 255 characters."""
    messageId: NotRequired[str]
    """At most 50 characters."""
    data: NotRequired[Any]
    customData: NotRequired[CustomDataType]


class DataTransferResponse(TypedDict):
    """The answer to DataTransfer."""

    status: DataTransferStatusEnumType
    statusInfo: NotRequired[StatusInfoType]
    data: NotRequired[Any]
    customData: NotRequired[CustomDataType]


class DeleteCertificateRequest(TypedDict):
    """DeleteCertificate, sent by the CSMS."""

    certificateHashData: CertificateHashDataType
    customData: NotRequired[CustomDataType]


class DeleteCertificateResponse(TypedDict):
    """The answer to DeleteCertificate."""

    status: DeleteCertificateStatusEnumType
    statusInfo: NotRequired[StatusInfoType]
    customData: NotRequired[CustomDataType]


class FirmwareStatusNotificationRequest(TypedDict):
    """FirmwareStatusNotification, sent by the charge point."""

    status: FirmwareStatusEnumType
    requestId: NotRequired[int]
    statusInfo: NotRequired[StatusInfoType]
    customData: NotRequired[CustomDataType]


class FirmwareStatusNotificationResponse(TypedDict):
    """The answer to FirmwareStatusNotification."""

    customData: NotRequired[CustomDataType]


class Get15118EVCertificateRequest(TypedDict):
    """Get15118EVCertificate, sent by the charge point."""

    iso15118SchemaVersion: str
    """At most 50 characters."""
    action: CertificateActionEnumType
    exiRequest: str
    """At most 11000 characters."""
    maximumContractCertificateChains: NotRequired[int]
    """At least 0."""
    prioritizedEMAIDs: NotRequired[list[str]]
    """Each at most 255 characters; 1 to 8 items."""
    customData: NotRequired[CustomDataType]


class Get15118EVCertificateResponse(TypedDict):
    """The answer to Get15118EVCertificate."""

    status: Iso15118EVCertificateStatusEnumType
    exiResponse: str
    """At most 17000 characters."""
    statusInfo: NotRequired[StatusInfoType]
    remainingContracts: NotRequired[int]
    """At least 0."""
    customData: NotRequired[CustomDataType]


class GetBaseReportRequest(TypedDict):
    """GetBaseReport, sent by the CSMS."""

    requestId: int
    reportBase: ReportBaseEnumType
    customData: NotRequired[CustomDataType]


class GetBaseReportResponse(TypedDict):
    """The answer to GetBaseReport."""

    status: GenericDeviceModelStatusEnumType
    statusInfo: NotRequired[StatusInfoType]
    customData: NotRequired[CustomDataType]


class GetCertificateChainStatusRequest(TypedDict):
    """GetCertificateChainStatus, sent by the charge point."""

    certificateStatusRequests: list[CertificateStatusRequestInfoType]
    """1 to 4 items."""
    customData: NotRequired[CustomDataType]


class GetCertificateChainStatusResponse(TypedDict):
    """The answer to GetCertificateChainStatus."""

    certificateStatus: list[CertificateStatusType]
    """1 to 4 items."""
    customData: NotRequired[CustomDataType]


class GetCertificateStatusRequest(TypedDict):
    """GetCertificateStatus, sent by the charge point."""

    ocspRequestData: OCSPRequestDataType
    customData: NotRequired[CustomDataType]


class GetCertificateStatusResponse(TypedDict):
    """The answer to GetCertificateStatus."""

    status: GetCertificateStatusEnumType
    statusInfo: NotRequired[StatusInfoType]
    ocspResult: NotRequired[str]
    """At most 18000 characters."""
    customData: NotRequired[CustomDataType]


class GetChargingProfilesRequest(TypedDict):
    """GetChargingProfiles, sent by the CSMS."""

    requestId: int
    chargingProfile: ChargingProfileCriterionType
    evseId: NotRequired[int]
    """At least 0."""
    customData: NotRequired[CustomDataType]


class GetChargingProfilesResponse(TypedDict):
    """The answer to GetChargingProfiles."""

    status: GetChargingProfileStatusEnumType
    statusInfo: NotRequired[StatusInfoType]
    customData: NotRequired[CustomDataType]


class GetCompositeScheduleRequest(TypedDict):
    """GetCompositeSchedule, sent by the CSMS."""

    duration: int
    evseId: int
    """At least 0."""
    chargingRateUnit: NotRequired[ChargingRateUnitEnumType]
    customData: NotRequired[CustomDataType]


class GetCompositeScheduleResponse(TypedDict):
    """The answer to GetCompositeSchedule."""

    status: GenericStatusEnumType
    statusInfo: NotRequired[StatusInfoType]
    schedule: NotRequired[CompositeScheduleType]
    customData: NotRequired[CustomDataType]


class GetDERControlRequest(TypedDict):
    """GetDERControl, sent by the CSMS."""

    requestId: int
    isDefault: NotRequired[bool]
    controlType: NotRequired[DERControlEnumType]
    controlId: NotRequired[str]
    """At most 36 characters."""
    customData: NotRequired[CustomDataType]


class GetDERControlResponse(TypedDict):
    """The answer to GetDERControl."""

    status: DERControlStatusEnumType
    statusInfo: NotRequired[StatusInfoType]
    customData: NotRequired[CustomDataType]


class GetDisplayMessagesRequest(TypedDict):
    """GetDisplayMessages, sent by the CSMS."""

    requestId: int
    id: NotRequired[list[int]]
    """Each at least 0; at least 1 item."""
    priority: NotRequired[MessagePriorityEnumType]
    state: NotRequired[MessageStateEnumType]
    customData: NotRequired[CustomDataType]


class GetDisplayMessagesResponse(TypedDict):
    """The answer to GetDisplayMessages."""

    status: GetDisplayMessagesStatusEnumType
    statusInfo: NotRequired[StatusInfoType]
    customData: NotRequired[CustomDataType]


class GetInstalledCertificateIdsRequest(TypedDict):
    """GetInstalledCertificateIds, sent by the CSMS."""

    certificateType: NotRequired[list[GetCertificateIdUseEnumType]]
    """At least 1 item."""
    customData: NotRequired[CustomDataType]


class GetInstalledCertificateIdsResponse(TypedDict):
    """The answer to GetInstalledCertificateIds."""

    status: GetInstalledCertificateStatusEnumType
    statusInfo: NotRequired[StatusInfoType]
    certificateHashDataChain: NotRequired[list[CertificateHashDataChainType]]
    """At least 1 item."""
    customData: NotRequired[CustomDataType]


class GetLocalListVersionRequest(TypedDict):
    """GetLocalListVersion, sent by the CSMS."""

    customData: NotRequired[CustomDataType]


class GetLocalListVersionResponse(TypedDict):
    """The answer to GetLocalListVersion."""

    versionNumber: int
    customData: NotRequired[CustomDataType]


class GetLogRequest(TypedDict):
    """GetLog, sent by the CSMS."""

    log: LogParametersType
    logType: LogEnumType
    requestId: int
    retries: NotRequired[int]
    """At least 0."""
    retryInterval: NotRequired[int]
    customData: NotRequired[CustomDataType]


class GetLogResponse(TypedDict):
    """The answer to GetLog."""

    status: LogStatusEnumType
    statusInfo: NotRequired[StatusInfoType]
    filename: NotRequired[str]
    """At most 255 characters."""
    customData: NotRequired[CustomDataType]


class GetMonitoringReportRequest(TypedDict):
    """GetMonitoringReport, sent by the CSMS."""

    requestId: int
    componentVariable: NotRequired[list[ComponentVariableType]]
    """At least 1 item."""
    monitoringCriteria: NotRequired[list[MonitoringCriterionEnumType]]
    """1 to 3 items."""
    customData: NotRequired[CustomDataType]


class GetMonitoringReportResponse(TypedDict):
    """The answer to GetMonitoringReport."""

    status: GenericDeviceModelStatusEnumType
    statusInfo: NotRequired[StatusInfoType]
    customData: NotRequired[CustomDataType]


class GetPeriodicEventStreamRequest(TypedDict):
    """GetPeriodicEventStream, sent by the CSMS."""

    customData: NotRequired[CustomDataType]


class GetPeriodicEventStreamResponse(TypedDict):
    """The answer to GetPeriodicEventStream."""

    constantStreamData: NotRequired[list[ConstantStreamDataType]]
    """At least 1 item."""
    customData: NotRequired[CustomDataType]


class GetReportRequest(TypedDict):
    """GetReport, sent by the CSMS."""

    requestId: int
    componentVariable: NotRequired[list[ComponentVariableType]]
    """At least 1 item."""
    componentCriteria: NotRequired[list[ComponentCriterionEnumType]]
    """1 to 4 items."""
    customData: NotRequired[CustomDataType]


class GetReportResponse(TypedDict):
    """The answer to GetReport."""

    status: GenericDeviceModelStatusEnumType
    statusInfo: NotRequired[StatusInfoType]
    customData: NotRequired[CustomDataType]


class GetTariffsRequest(TypedDict):
    """GetTariffs, sent by the CSMS."""

    evseId: int
    """At least 0."""
    customData: NotRequired[CustomDataType]


class GetTariffsResponse(TypedDict):
    """The answer to GetTariffs."""

    status: TariffGetStatusEnumType
    statusInfo: NotRequired[StatusInfoType]
    tariffAssignments: NotRequired[list[TariffAssignmentType]]
    """At least 1 item."""
    customData: NotRequired[CustomDataType]


class GetTransactionStatusRequest(TypedDict):
    """GetTransactionStatus, sent by the CSMS."""

    transactionId: NotRequired[str]
    """At most 36 characters."""
    customData: NotRequired[CustomDataType]


class GetTransactionStatusResponse(TypedDict):
    """The answer to GetTransactionStatus."""

    messagesInQueue: bool
    ongoingIndicator: NotRequired[bool]
    customData: NotRequired[CustomDataType]


class GetVariablesRequest(TypedDict):
    """GetVariables, sent by the CSMS."""

    getVariableData: list[GetVariableDataType]
    """At least 1 item."""
    customData: NotRequired[CustomDataType]


class GetVariablesResponse(TypedDict):
    """The answer to GetVariables."""

    getVariableResult: list[GetVariableResultType]
    """At least 1 item."""
    customData: NotRequired[CustomDataType]


class HeartbeatRequest(TypedDict):
    """Heartbeat, sent by the charge point."""

    customData: NotRequired[CustomDataType]


class HeartbeatResponse(TypedDict):
    """The answer to Heartbeat."""

    currentTime: str
    """Date and time of ISO 8601."""
    customData: NotRequired[CustomDataType]


class InstallCertificateRequest(TypedDict):
    """InstallCertificate, sent by the CSMS."""

    certificateType: InstallCertificateUseEnumType
    certificate: str
    """At most 10000 characters."""
    customData: NotRequired[CustomDataType]


class InstallCertificateResponse(TypedDict):
    """The answer to InstallCertificate."""

    status: InstallCertificateStatusEnumType
    statusInfo: NotRequired[StatusInfoType]
    customData: NotRequired[CustomDataType]


class LogStatusNotificationRequest(TypedDict):
    """LogStatusNotification, sent by the charge point."""

    status: UploadLogStatusEnumType
    requestId: NotRequired[int]
    statusInfo: NotRequired[StatusInfoType]
    customData: NotRequired[CustomDataType]


class LogStatusNotificationResponse(TypedDict):
    """The answer to LogStatusNotification."""

    customData: NotRequired[CustomDataType]


class MeterValuesRequest(TypedDict):
    """MeterValues, sent by the charge point."""

    evseId: int
    """At least 0."""
    meterValue: list[MeterValueType]
    """At least 1 item."""
    customData: NotRequired[CustomDataType]


class MeterValuesResponse(TypedDict):
    """The answer to MeterValues."""

    customData: NotRequired[CustomDataType]


class NotifyAllowedEnergyTransferRequest(TypedDict):
    """NotifyAllowedEnergyTransfer, sent by the CSMS."""

    transactionId: str
    """At most 36 characters."""
    allowedEnergyTransfer: list[EnergyTransferModeEnumType]
    """At least 1 item."""
    customData: NotRequired[CustomDataType]


class NotifyAllowedEnergyTransferResponse(TypedDict):
    """The answer to NotifyAllowedEnergyTransfer."""

    status: NotifyAllowedEnergyTransferStatusEnumType
    statusInfo: NotRequired[StatusInfoType]
    customData: NotRequired[CustomDataType]


class NotifyChargingLimitRequest(TypedDict):
    """NotifyChargingLimit, sent by the charge point."""

    chargingLimit: ChargingLimitType
    chargingSchedule: NotRequired[list[ChargingScheduleType]]
    """At least 1 item."""
    evseId: NotRequired[int]
    """At least 0."""
    customData: NotRequired[CustomDataType]


class NotifyChargingLimitResponse(TypedDict):
    """The answer to NotifyChargingLimit."""

    customData: NotRequired[CustomDataType]


class NotifyCustomerInformationRequest(TypedDict):
    """NotifyCustomerInformation, sent by the charge point."""

    data: str
    """At most 512 characters."""
    seqNo: int
    """At least 0."""
    generatedAt: str
    """Date and time of ISO 8601."""
    requestId: int
    """At least 0."""
    tbc: NotRequired[bool]
    """Default false."""
    customData: NotRequired[CustomDataType]


class NotifyCustomerInformationResponse(TypedDict):
    """The answer to NotifyCustomerInformation."""

    customData: NotRequired[CustomDataType]


class NotifyDERAlarmRequest(TypedDict):
    """NotifyDERAlarm, sent by the charge point."""

    controlType: DERControlEnumType
    timestamp: str
    """Date and time of ISO 8601."""
    gridEventFault: NotRequired[GridEventFaultEnumType]
    alarmEnded: NotRequired[bool]
    extraInfo: NotRequired[str]
    """At most 200 characters."""
    customData: NotRequired[CustomDataType]


class NotifyDERAlarmResponse(TypedDict):
    """The answer to NotifyDERAlarm."""

    customData: NotRequired[CustomDataType]


class NotifyDERStartStopRequest(TypedDict):
    """NotifyDERStartStop, sent by the charge point."""

    controlId: str
    """At most 36 characters."""
    started: bool
    timestamp: str
    """Date and time of ISO 8601."""
    supersededIds: NotRequired[list[str]]
    """Each at most 36 characters; 1 to 24 items."""
    customData: NotRequired[CustomDataType]


class NotifyDERStartStopResponse(TypedDict):
    """The answer to NotifyDERStartStop."""

    customData: NotRequired[CustomDataType]


class NotifyDisplayMessagesRequest(TypedDict):
    """NotifyDisplayMessages, sent by the charge point."""

    requestId: int
    messageInfo: NotRequired[list[MessageInfoType]]
    """At least 1 item."""
    tbc: NotRequired[bool]
    """Default false."""
    customData: NotRequired[CustomDataType]


class NotifyDisplayMessagesResponse(TypedDict):
    """The answer to NotifyDisplayMessages."""

    customData: NotRequired[CustomDataType]


class NotifyEVChargingNeedsRequest(TypedDict):
    """NotifyEVChargingNeeds, sent by the charge point."""

    evseId: int
    """At least 1."""
    chargingNeeds: ChargingNeedsType
    maxScheduleTuples: NotRequired[int]
    """At least 0."""
    timestamp: NotRequired[str]
    """Date and time of ISO 8601."""
    customData: NotRequired[CustomDataType]


class NotifyEVChargingNeedsResponse(TypedDict):
    """The answer to NotifyEVChargingNeeds."""

    status: NotifyEVChargingNeedsStatusEnumType
    statusInfo: NotRequired[StatusInfoType]
    customData: NotRequired[CustomDataType]


class NotifyEVChargingScheduleRequest(TypedDict):
    """NotifyEVChargingSchedule, sent by the charge point."""

    timeBase: str
    """Date and time of ISO 8601."""
    chargingSchedule: ChargingScheduleType
    evseId: int
    """At least 1."""
    selectedChargingScheduleId: NotRequired[int]
    """At least 0."""
    powerToleranceAcceptance: NotRequired[bool]
    customData: NotRequired[CustomDataType]


class NotifyEVChargingScheduleResponse(TypedDict):
    """The answer to NotifyEVChargingSchedule."""

    status: GenericStatusEnumType
    statusInfo: NotRequired[StatusInfoType]
    customData: NotRequired[CustomDataType]


class NotifyEventRequest(TypedDict):
    """NotifyEvent, sent by the charge point."""

    generatedAt: str
    """Date and time of ISO 8601."""
    seqNo: int
    """At least 0."""
    eventData: list[EventDataType]
    """At least 1 item."""
    tbc: NotRequired[bool]
    """Default false."""
    customData: NotRequired[CustomDataType]


class NotifyEventResponse(TypedDict):
    """The answer to NotifyEvent."""

    customData: NotRequired[CustomDataType]


class NotifyMonitoringReportRequest(TypedDict):
    """NotifyMonitoringReport, sent by the charge point."""

    requestId: int
    seqNo: int
    """At least 0."""
    generatedAt: str
    """Date and time of ISO 8601."""
    monitor: NotRequired[list[MonitoringDataType]]
    """At least 1 item."""
    tbc: NotRequired[bool]
    """Default false."""
    customData: NotRequired[CustomDataType]


class NotifyMonitoringReportResponse(TypedDict):
    """The answer to NotifyMonitoringReport."""

    customData: NotRequired[CustomDataType]


class NotifyPeriodicEventStreamRequest(TypedDict):
    """NotifyPeriodicEventStream, sent by the charge point; it is a SEND, never answered."""

    data: list[StreamDataElementType]
    """At least 1 item."""
    id: int
    """At least 0."""
    pending: int
    """At least 0."""
    basetime: str
    """Date and time of ISO 8601."""
    customData: NotRequired[CustomDataType]


class NotifyPriorityChargingRequest(TypedDict):
    """NotifyPriorityCharging, sent by the charge point."""

    transactionId: str
    """At most 36 characters."""
    activated: bool
    customData: NotRequired[CustomDataType]


class NotifyPriorityChargingResponse(TypedDict):
    """The answer to NotifyPriorityCharging."""

    customData: NotRequired[CustomDataType]


class NotifyReportRequest(TypedDict):
    """NotifyReport, sent by the charge point."""

    requestId: int
    generatedAt: str
    """Date and time of ISO 8601."""
    seqNo: int
    """At least 0."""
    reportData: NotRequired[list[ReportDataType]]
    """At least 1 item."""
    tbc: NotRequired[bool]
    """Default false."""
    customData: NotRequired[CustomDataType]


class NotifyReportResponse(TypedDict):
    """The answer to NotifyReport."""

    customData: NotRequired[CustomDataType]


class NotifySettlementRequest(TypedDict):
    """NotifySettlement, sent by the charge point."""

    pspRef: str
    """At most 255 characters."""
    status: PaymentStatusEnumType
    settlementAmount: float
    settlementTime: str
    """Date and time of ISO 8601."""
    transactionId: NotRequired[str]
    """At most 36 characters."""
    statusInfo: NotRequired[str]
    """At most 500 characters."""
    receiptId: NotRequired[str]
    """At most 50 characters."""
    receiptUrl: NotRequired[str]
    """At most 2000 characters."""
    vatCompany: NotRequired[AddressType]
    vatNumber: NotRequired[str]
    """At most 20 characters."""
    customData: NotRequired[CustomDataType]


class NotifySettlementResponse(TypedDict):
    """The answer to NotifySettlement."""

    receiptUrl: NotRequired[str]
    """At most 2000 characters."""
    receiptId: NotRequired[str]
    """At most 50 characters."""
    customData: NotRequired[CustomDataType]


class NotifyWebPaymentStartedRequest(TypedDict):
    """NotifyWebPaymentStarted, sent by the CSMS."""

    evseId: int
    """At least 0."""
    timeout: int
    customData: NotRequired[CustomDataType]


class NotifyWebPaymentStartedResponse(TypedDict):
    """The answer to NotifyWebPaymentStarted."""

    customData: NotRequired[CustomDataType]


class OpenPeriodicEventStreamRequest(TypedDict):
    """OpenPeriodicEventStream, sent by the charge point."""

    constantStreamData: ConstantStreamDataType
    customData: NotRequired[CustomDataType]


class OpenPeriodicEventStreamResponse(TypedDict):
    """The answer to OpenPeriodicEventStream."""

    status: GenericStatusEnumType
    statusInfo: NotRequired[StatusInfoType]
    customData: NotRequired[CustomDataType]


class PublishFirmwareRequest(TypedDict):
    """PublishFirmware, sent by the CSMS."""

    location: str
    """At most 2000 characters."""
    checksum: str
    """At most 32 characters."""
    requestId: int
    """At least 0."""
    retries: NotRequired[int]
    """At least 0."""
    retryInterval: NotRequired[int]
    """At least 0."""
    customData: NotRequired[CustomDataType]


class PublishFirmwareResponse(TypedDict):
    """The answer to PublishFirmware."""

    status: GenericStatusEnumType
    statusInfo: NotRequired[StatusInfoType]
    customData: NotRequired[CustomDataType]


class PublishFirmwareStatusNotificationRequest(TypedDict):
    """PublishFirmwareStatusNotification, sent by the charge point."""

    status: PublishFirmwareStatusEnumType
    location: NotRequired[list[str]]
    """Each at most 2000 characters; at least 1 item."""
    requestId: NotRequired[int]
    """At least 0."""
    statusInfo: NotRequired[StatusInfoType]
    customData: NotRequired[CustomDataType]


class PublishFirmwareStatusNotificationResponse(TypedDict):
    """The answer to PublishFirmwareStatusNotification."""

    customData: NotRequired[CustomDataType]


class PullDynamicScheduleUpdateRequest(TypedDict):
    """PullDynamicScheduleUpdate, sent by the charge point."""

    chargingProfileId: int
    customData: NotRequired[CustomDataType]


class PullDynamicScheduleUpdateResponse(TypedDict):
    """The answer to PullDynamicScheduleUpdate."""

    status: ChargingProfileStatusEnumType
    scheduleUpdate: NotRequired[ChargingScheduleUpdateType]
    statusInfo: NotRequired[StatusInfoType]
    customData: NotRequired[CustomDataType]


class ReportChargingProfilesRequest(TypedDict):
    """ReportChargingProfiles, sent by the charge point."""

    requestId: int
    chargingLimitSource: str
    """At most 20 characters."""
    chargingProfile: list[ChargingProfileType]
    """At least 1 item."""
    evseId: int
    """At least 0."""
    tbc: NotRequired[bool]
    """Default false."""
    customData: NotRequired[CustomDataType]


class ReportChargingProfilesResponse(TypedDict):
    """The answer to ReportChargingProfiles."""

    customData: NotRequired[CustomDataType]


class ReportDERControlRequest(TypedDict):
    """ReportDERControl, sent by the charge point."""

    requestId: int
    curve: NotRequired[list[DERCurveGetType]]
    """1 to 24 items."""
    enterService: NotRequired[list[EnterServiceGetType]]
    """1 to 24 items."""
    fixedPFAbsorb: NotRequired[list[FixedPFGetType]]
    """1 to 24 items."""
    fixedPFInject: NotRequired[list[FixedPFGetType]]
    """1 to 24 items."""
    fixedVar: NotRequired[list[FixedVarGetType]]
    """1 to 24 items."""
    freqDroop: NotRequired[list[FreqDroopGetType]]
    """1 to 24 items."""
    gradient: NotRequired[list[GradientGetType]]
    """1 to 24 items."""
    limitMaxDischarge: NotRequired[list[LimitMaxDischargeGetType]]
    """1 to 24 items."""
    tbc: NotRequired[bool]
    customData: NotRequired[CustomDataType]


class ReportDERControlResponse(TypedDict):
    """The answer to ReportDERControl."""

    customData: NotRequired[CustomDataType]


class RequestBatterySwapRequest(TypedDict):
    """RequestBatterySwap, sent by the CSMS."""

    idToken: IdTokenType
    requestId: int
    customData: NotRequired[CustomDataType]


class RequestBatterySwapResponse(TypedDict):
    """The answer to RequestBatterySwap."""

    status: GenericStatusEnumType
    statusInfo: NotRequired[StatusInfoType]
    customData: NotRequired[CustomDataType]


class RequestStartTransactionRequest(TypedDict):
    """RequestStartTransaction, sent by the CSMS."""

    idToken: IdTokenType
    remoteStartId: int
    evseId: NotRequired[int]
    """At least 1."""
    groupIdToken: NotRequired[IdTokenType]
    chargingProfile: NotRequired[ChargingProfileType]
    customData: NotRequired[CustomDataType]


class RequestStartTransactionResponse(TypedDict):
    """The answer to RequestStartTransaction."""

    status: RequestStartStopStatusEnumType
    statusInfo: NotRequired[StatusInfoType]
    transactionId: NotRequired[str]
    """At most 36 characters."""
    customData: NotRequired[CustomDataType]


class RequestStopTransactionRequest(TypedDict):
    """RequestStopTransaction, sent by the CSMS."""

    transactionId: str
    """At most 36 characters."""
    customData: NotRequired[CustomDataType]


class RequestStopTransactionResponse(TypedDict):
    """The answer to RequestStopTransaction."""

    status: RequestStartStopStatusEnumType
    statusInfo: NotRequired[StatusInfoType]
    customData: NotRequired[CustomDataType]


class ReservationStatusUpdateRequest(TypedDict):
    """ReservationStatusUpdate, sent by the charge point."""

    reservationId: int
    """At least 0."""
    reservationUpdateStatus: ReservationUpdateStatusEnumType
    customData: NotRequired[CustomDataType]


class ReservationStatusUpdateResponse(TypedDict):
    """The answer to ReservationStatusUpdate."""

    customData: NotRequired[CustomDataType]


class ReserveNowRequest(TypedDict):
    """ReserveNow, sent by the CSMS."""

    id: int
    """At least 0."""
    expiryDateTime: str
    """Date and time of ISO 8601."""
    idToken: IdTokenType
    connectorType: NotRequired[str]
    """At most 20 characters."""
    evseId: NotRequired[int]
    """At least 0."""
    groupIdToken: NotRequired[IdTokenType]
    customData: NotRequired[CustomDataType]


class ReserveNowResponse(TypedDict):
    """The answer to ReserveNow."""

    status: ReserveNowStatusEnumType
    statusInfo: NotRequired[StatusInfoType]
    customData: NotRequired[CustomDataType]


class ResetRequest(TypedDict):
    """Reset, sent by the CSMS."""

    type: ResetEnumType
    evseId: NotRequired[int]
    """At least 0."""
    customData: NotRequired[CustomDataType]


class ResetResponse(TypedDict):
    """The answer to Reset."""

    status: ResetStatusEnumType
    statusInfo: NotRequired[StatusInfoType]
    customData: NotRequired[CustomDataType]


class SecurityEventNotificationRequest(TypedDict):
    """SecurityEventNotification, sent by the charge point."""

    type: str
    """At most 50 characters."""
    timestamp: str
    """Date and time of ISO 8601."""
    techInfo: NotRequired[str]
    """At most 255 characters."""
    customData: NotRequired[CustomDataType]


class SecurityEventNotificationResponse(TypedDict):
    """The answer to SecurityEventNotification."""

    customData: NotRequired[CustomDataType]


class SendLocalListRequest(TypedDict):
    """SendLocalList, sent by the CSMS."""

    versionNumber: int
    updateType: UpdateEnumType
    localAuthorizationList: NotRequired[list[AuthorizationData]]
    """At least 1 item."""
    customData: NotRequired[CustomDataType]


class SendLocalListResponse(TypedDict):
    """The answer to SendLocalList."""

    status: SendLocalListStatusEnumType
    statusInfo: NotRequired[StatusInfoType]
    customData: NotRequired[CustomDataType]


class SetChargingProfileRequest(TypedDict):
    """SetChargingProfile, sent by the CSMS."""

    evseId: int
    """At least 0."""
    chargingProfile: ChargingProfileType
    customData: NotRequired[CustomDataType]


class SetChargingProfileResponse(TypedDict):
    """The answer to SetChargingProfile."""

    status: ChargingProfileStatusEnumType
    statusInfo: NotRequired[StatusInfoType]
    customData: NotRequired[CustomDataType]


class SetDERControlRequest(TypedDict):
    """SetDERControl, sent by the CSMS."""

    isDefault: bool
    controlId: str
    """At most 36 characters."""
    controlType: DERControlEnumType
    curve: NotRequired[DERCurveType]
    enterService: NotRequired[EnterServiceType]
    fixedPFAbsorb: NotRequired[FixedPFType]
    fixedPFInject: NotRequired[FixedPFType]
    fixedVar: NotRequired[FixedVarType]
    freqDroop: NotRequired[FreqDroopType]
    gradient: NotRequired[GradientType]
    limitMaxDischarge: NotRequired[LimitMaxDischargeType]
    customData: NotRequired[CustomDataType]


class SetDERControlResponse(TypedDict):
    """The answer to SetDERControl."""

    status: DERControlStatusEnumType
    statusInfo: NotRequired[StatusInfoType]
    supersededIds: NotRequired[list[str]]
    """Each at most 36 characters; 1 to 24 items."""
    customData: NotRequired[CustomDataType]


class SetDefaultTariffRequest(TypedDict):
    """SetDefaultTariff, sent by the CSMS."""

    evseId: int
    """At least 0."""
    tariff: TariffType
    customData: NotRequired[CustomDataType]


class SetDefaultTariffResponse(TypedDict):
    """The answer to SetDefaultTariff."""

    status: TariffSetStatusEnumType
    statusInfo: NotRequired[StatusInfoType]
    customData: NotRequired[CustomDataType]


class SetDisplayMessageRequest(TypedDict):
    """SetDisplayMessage, sent by the CSMS."""

    message: MessageInfoType
    customData: NotRequired[CustomDataType]


class SetDisplayMessageResponse(TypedDict):
    """The answer to SetDisplayMessage."""

    status: DisplayMessageStatusEnumType
    statusInfo: NotRequired[StatusInfoType]
    customData: NotRequired[CustomDataType]


class SetMonitoringBaseRequest(TypedDict):
    """SetMonitoringBase, sent by the CSMS."""

    monitoringBase: MonitoringBaseEnumType
    customData: NotRequired[CustomDataType]


class SetMonitoringBaseResponse(TypedDict):
    """The answer to SetMonitoringBase."""

    status: GenericDeviceModelStatusEnumType
    statusInfo: NotRequired[StatusInfoType]
    customData: NotRequired[CustomDataType]


class SetMonitoringLevelRequest(TypedDict):
    """SetMonitoringLevel, sent by the CSMS."""

    severity: int
    """At least 0."""
    customData: NotRequired[CustomDataType]


class SetMonitoringLevelResponse(TypedDict):
    """The answer to SetMonitoringLevel."""

    status: GenericStatusEnumType
    statusInfo: NotRequired[StatusInfoType]
    customData: NotRequired[CustomDataType]


class SetNetworkProfileRequest(TypedDict):
    """SetNetworkProfile, sent by the CSMS."""

    configurationSlot: int
    connectionData: NetworkConnectionProfileType
    customData: NotRequired[CustomDataType]


class SetNetworkProfileResponse(TypedDict):
    """The answer to SetNetworkProfile."""

    status: SetNetworkProfileStatusEnumType
    statusInfo: NotRequired[StatusInfoType]
    customData: NotRequired[CustomDataType]


class SetVariableMonitoringRequest(TypedDict):
    """SetVariableMonitoring, sent by the CSMS."""

    setMonitoringData: list[SetMonitoringDataType]
    """At least 1 item."""
    customData: NotRequired[CustomDataType]


class SetVariableMonitoringResponse(TypedDict):
    """The answer to SetVariableMonitoring."""

    setMonitoringResult: list[SetMonitoringResultType]
    """At least 1 item."""
    customData: NotRequired[CustomDataType]


class SetVariablesRequest(TypedDict):
    """SetVariables, sent by the CSMS."""

    setVariableData: list[SetVariableDataType]
    """At least 1 item."""
    customData: NotRequired[CustomDataType]


class SetVariablesResponse(TypedDict):
    """The answer to SetVariables."""

    setVariableResult: list[SetVariableResultType]
    """At least 1 item."""
    customData: NotRequired[CustomDataType]


class SignCertificateRequest(TypedDict):
    """SignCertificate, sent by the charge point."""

    csr: str
    """At most 5500 characters."""
    certificateType: NotRequired[CertificateSigningUseEnumType]
    hashRootCertificate: NotRequired[CertificateHashDataType]
    requestId: NotRequired[int]
    customData: NotRequired[CustomDataType]


class SignCertificateResponse(TypedDict):
    """The answer to SignCertificate."""

    status: GenericStatusEnumType
    statusInfo: NotRequired[StatusInfoType]
    customData: NotRequired[CustomDataType]


class StatusNotificationRequest(TypedDict):
    """StatusNotification, sent by the charge point."""

    timestamp: str
    """Date and time of ISO 8601."""
    connectorStatus: ConnectorStatusEnumType
    evseId: int
    """At least 0."""
    connectorId: int
    """At least 0."""
    customData: NotRequired[CustomDataType]


class StatusNotificationResponse(TypedDict):
    """The answer to StatusNotification."""

    customData: NotRequired[CustomDataType]


class TransactionEventRequest(TypedDict):
    """TransactionEvent, sent by the charge point."""

    eventType: TransactionEventEnumType
    timestamp: str
    """Date and time of ISO 8601."""
    triggerReason: TriggerReasonEnumType
    seqNo: int
    """At least 0."""
    transactionInfo: TransactionType
    costDetails: NotRequired[CostDetailsType]
    meterValue: NotRequired[list[MeterValueType]]
    """At least 1 item."""
    offline: NotRequired[bool]
    """Default false."""
    numberOfPhasesUsed: NotRequired[int]
    """0 to 3."""
    cableMaxCurrent: NotRequired[int]
    reservationId: NotRequired[int]
    """At least 0."""
    preconditioningStatus: NotRequired[PreconditioningStatusEnumType]
    evseSleep: NotRequired[bool]
    evse: NotRequired[EVSEType]
    idToken: NotRequired[IdTokenType]
    customData: NotRequired[CustomDataType]


class TransactionEventResponse(TypedDict):
    """The answer to TransactionEvent."""

    totalCost: NotRequired[float]
    chargingPriority: NotRequired[int]
    idTokenInfo: NotRequired[IdTokenInfoType]
    transactionLimit: NotRequired[TransactionLimitType]
    updatedPersonalMessage: NotRequired[MessageContentType]
    updatedPersonalMessageExtra: NotRequired[list[MessageContentType]]
    """1 to 4 items."""
    customData: NotRequired[CustomDataType]


class TriggerMessageRequest(TypedDict):
    """TriggerMessage, sent by the CSMS."""

    requestedMessage: MessageTriggerEnumType
    evse: NotRequired[EVSEType]
    customTrigger: NotRequired[str]
    """At most 50 characters."""
    customData: NotRequired[CustomDataType]


class TriggerMessageResponse(TypedDict):
    """The answer to TriggerMessage."""

    status: TriggerMessageStatusEnumType
    statusInfo: NotRequired[StatusInfoType]
    customData: NotRequired[CustomDataType]


class UnlockConnectorRequest(TypedDict):
    """UnlockConnector, sent by the CSMS."""

    evseId: int
    """At least 0."""
    connectorId: int
    """At least 0."""
    customData: NotRequired[CustomDataType]


class UnlockConnectorResponse(TypedDict):
    """The answer to UnlockConnector."""

    status: UnlockStatusEnumType
    statusInfo: NotRequired[StatusInfoType]
    customData: NotRequired[CustomDataType]


class UnpublishFirmwareRequest(TypedDict):
    """UnpublishFirmware, sent by the CSMS."""

    checksum: str
    """At most 32 characters."""
    customData: NotRequired[CustomDataType]


class UnpublishFirmwareResponse(TypedDict):
    """The answer to UnpublishFirmware."""

    status: UnpublishFirmwareStatusEnumType
    customData: NotRequired[CustomDataType]


class UpdateDynamicScheduleRequest(TypedDict):
    """UpdateDynamicSchedule, sent by the CSMS."""

    chargingProfileId: int
    scheduleUpdate: ChargingScheduleUpdateType
    customData: NotRequired[CustomDataType]


class UpdateDynamicScheduleResponse(TypedDict):
    """The answer to UpdateDynamicSchedule."""

    status: ChargingProfileStatusEnumType
    statusInfo: NotRequired[StatusInfoType]
    customData: NotRequired[CustomDataType]


class UpdateFirmwareRequest(TypedDict):
    """UpdateFirmware, sent by the CSMS."""

    requestId: int
    firmware: FirmwareType
    retries: NotRequired[int]
    """At least 0."""
    retryInterval: NotRequired[int]
    customData: NotRequired[CustomDataType]


class UpdateFirmwareResponse(TypedDict):
    """The answer to UpdateFirmware."""

    status: UpdateFirmwareStatusEnumType
    statusInfo: NotRequired[StatusInfoType]
    customData: NotRequired[CustomDataType]


class UsePriorityChargingRequest(TypedDict):
    """UsePriorityCharging, sent by the CSMS."""

    transactionId: str
    """At most 36 characters."""
    activate: bool
    customData: NotRequired[CustomDataType]


class UsePriorityChargingResponse(TypedDict):
    """The answer to UsePriorityCharging."""

    status: PriorityChargingStatusEnumType
    statusInfo: NotRequired[StatusInfoType]
    customData: NotRequired[CustomDataType]


class VatNumberValidationRequest(TypedDict):
    """VatNumberValidation, sent by the charge point."""

    vatNumber: str
    """At most 20 characters."""
    evseId: NotRequired[int]
    """At least 0."""
    customData: NotRequired[CustomDataType]


class VatNumberValidationResponse(TypedDict):
    """The answer to VatNumberValidation."""

    vatNumber: str
    """At most 20 characters."""
    status: GenericStatusEnumType
    company: NotRequired[AddressType]
    statusInfo: NotRequired[StatusInfoType]
    evseId: NotRequired[int]
    """At least 0."""
    customData: NotRequired[CustomDataType]
