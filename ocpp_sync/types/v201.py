"""The messages of OCPP 2.0.1; made by ``python -m tools``, do not edit."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Literal, TypedDict

if sys.version_info >= (3, 11):
    from typing import NotRequired
elif TYPE_CHECKING:
    from typing_extensions import NotRequired

APNAuthenticationEnumType = Literal["CHAP", "NONE", "PAP", "AUTO"]
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
CertificateSigningUseEnumType = Literal["ChargingStationCertificate", "V2GCertificate"]
ChangeAvailabilityStatusEnumType = Literal["Accepted", "Rejected", "Scheduled"]
ChargingLimitSourceEnumType = Literal["EMS", "Other", "SO", "CSO"]
ChargingProfileKindEnumType = Literal["Absolute", "Recurring", "Relative"]
ChargingProfilePurposeEnumType = Literal[
    "ChargingStationExternalConstraints",
    "ChargingStationMaxProfile",
    "TxDefaultProfile",
    "TxProfile",
]
ChargingProfileStatusEnumType = Literal["Accepted", "Rejected"]
ChargingRateUnitEnumType = Literal["W", "A"]
ChargingStateEnumType = Literal["Charging", "EVConnected", "SuspendedEV", "SuspendedEVSE", "Idle"]
ClearCacheStatusEnumType = Literal["Accepted", "Rejected"]
ClearChargingProfileStatusEnumType = Literal["Accepted", "Unknown"]
ClearMessageStatusEnumType = Literal["Accepted", "Unknown"]
ClearMonitoringStatusEnumType = Literal["Accepted", "Rejected", "NotFound"]
ComponentCriterionEnumType = Literal["Active", "Available", "Enabled", "Problem"]
ConnectorEnumType = Literal[
    "cCCS1",
    "cCCS2",
    "cG105",
    "cTesla",
    "cType1",
    "cType2",
    "s309-1P-16A",
    "s309-1P-32A",
    "s309-3P-16A",
    "s309-3P-32A",
    "sBS1361",
    "sCEE-7-7",
    "sType2",
    "sType3",
    "Other1PhMax16A",
    "Other1PhOver16A",
    "Other3Ph",
    "Pan",
    "wInductive",
    "wResonant",
    "Undetermined",
    "Unknown",
]
ConnectorStatusEnumType = Literal["Available", "Occupied", "Reserved", "Unavailable", "Faulted"]
CostKindEnumType = Literal["CarbonDioxideEmission", "RelativePricePercentage", "RenewableGenerationPercentage"]
CustomerInformationStatusEnumType = Literal["Accepted", "Rejected", "Invalid"]
DataEnumType = Literal["string", "decimal", "integer", "dateTime", "boolean", "OptionList", "SequenceList", "MemberList"]
DataTransferStatusEnumType = Literal["Accepted", "Rejected", "UnknownMessageId", "UnknownVendorId"]
DeleteCertificateStatusEnumType = Literal["Accepted", "Failed", "NotFound"]
DisplayMessageStatusEnumType = Literal[
    "Accepted",
    "NotSupportedMessageFormat",
    "Rejected",
    "NotSupportedPriority",
    "NotSupportedState",
    "UnknownTransaction",
]
EnergyTransferModeEnumType = Literal["DC", "AC_single_phase", "AC_two_phase", "AC_three_phase"]
EventNotificationEnumType = Literal["HardWiredNotification", "HardWiredMonitor", "PreconfiguredMonitor", "CustomMonitor"]
EventTriggerEnumType = Literal["Alerting", "Delta", "Periodic"]
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
]
GetCertificateStatusEnumType = Literal["Accepted", "Failed"]
GetChargingProfileStatusEnumType = Literal["Accepted", "NoProfiles"]
GetDisplayMessagesStatusEnumType = Literal["Accepted", "Unknown"]
GetInstalledCertificateStatusEnumType = Literal["Accepted", "NotFound"]
GetVariableStatusEnumType = Literal["Accepted", "Rejected", "UnknownComponent", "UnknownVariable", "NotSupportedAttributeType"]
HashAlgorithmEnumType = Literal["SHA256", "SHA384", "SHA512"]
IdTokenEnumType = Literal["Central", "eMAID", "ISO14443", "ISO15693", "KeyCode", "Local", "MacAddress", "NoAuthorization"]
InstallCertificateStatusEnumType = Literal["Accepted", "Rejected", "Failed"]
InstallCertificateUseEnumType = Literal["V2GRootCertificate", "MORootCertificate", "CSMSRootCertificate", "ManufacturerRootCertificate"]
Iso15118EVCertificateStatusEnumType = Literal["Accepted", "Failed"]
LocationEnumType = Literal["Body", "Cable", "EV", "Inlet", "Outlet"]
LogEnumType = Literal["DiagnosticsLog", "SecurityLog"]
LogStatusEnumType = Literal["Accepted", "Rejected", "AcceptedCanceled"]
MeasurandEnumType = Literal[
    "Current.Export",
    "Current.Import",
    "Current.Offered",
    "Energy.Active.Export.Register",
    "Energy.Active.Import.Register",
    "Energy.Reactive.Export.Register",
    "Energy.Reactive.Import.Register",
    "Energy.Active.Export.Interval",
    "Energy.Active.Import.Interval",
    "Energy.Active.Net",
    "Energy.Reactive.Export.Interval",
    "Energy.Reactive.Import.Interval",
    "Energy.Reactive.Net",
    "Energy.Apparent.Net",
    "Energy.Apparent.Import",
    "Energy.Apparent.Export",
    "Frequency",
    "Power.Active.Export",
    "Power.Active.Import",
    "Power.Factor",
    "Power.Offered",
    "Power.Reactive.Export",
    "Power.Reactive.Import",
    "SoC",
    "Voltage",
]
MessageFormatEnumType = Literal["ASCII", "HTML", "URI", "UTF8"]
MessagePriorityEnumType = Literal["AlwaysFront", "InFront", "NormalCycle"]
MessageStateEnumType = Literal["Charging", "Faulted", "Idle", "Unavailable"]
MessageTriggerEnumType = Literal[
    "BootNotification",
    "LogStatusNotification",
    "FirmwareStatusNotification",
    "Heartbeat",
    "MeterValues",
    "SignChargingStationCertificate",
    "SignV2GCertificate",
    "StatusNotification",
    "TransactionEvent",
    "SignCombinedCertificate",
    "PublishFirmwareStatusNotification",
]
MonitorEnumType = Literal["UpperThreshold", "LowerThreshold", "Delta", "Periodic", "PeriodicClockAligned"]
MonitoringBaseEnumType = Literal["All", "FactoryDefault", "HardWiredOnly"]
MonitoringCriterionEnumType = Literal["ThresholdMonitoring", "DeltaMonitoring", "PeriodicMonitoring"]
MutabilityEnumType = Literal["ReadOnly", "WriteOnly", "ReadWrite"]
NotifyEVChargingNeedsStatusEnumType = Literal["Accepted", "Rejected", "Processing"]
OCPPInterfaceEnumType = Literal["Wired0", "Wired1", "Wired2", "Wired3", "Wireless0", "Wireless1", "Wireless2", "Wireless3"]
OCPPTransportEnumType = Literal["JSON", "SOAP"]
OCPPVersionEnumType = Literal["OCPP12", "OCPP15", "OCPP16", "OCPP20"]
OperationalStatusEnumType = Literal["Inoperative", "Operative"]
PhaseEnumType = Literal["L1", "L2", "L3", "N", "L1-N", "L2-N", "L3-N", "L1-L2", "L2-L3", "L3-L1"]
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
    "Local",
    "LocalOutOfCredit",
    "MasterPass",
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
]
RecurrencyKindEnumType = Literal["Daily", "Weekly"]
RegistrationStatusEnumType = Literal["Accepted", "Pending", "Rejected"]
ReportBaseEnumType = Literal["ConfigurationInventory", "FullInventory", "SummaryInventory"]
RequestStartStopStatusEnumType = Literal["Accepted", "Rejected"]
ReservationUpdateStatusEnumType = Literal["Expired", "Removed"]
ReserveNowStatusEnumType = Literal["Accepted", "Faulted", "Occupied", "Rejected", "Unavailable"]
ResetEnumType = Literal["Immediate", "OnIdle"]
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
TransactionEventEnumType = Literal["Ended", "Started", "Updated"]
TriggerMessageStatusEnumType = Literal["Accepted", "Rejected", "NotImplemented"]
TriggerReasonEnumType = Literal[
    "Authorized",
    "CablePluggedIn",
    "ChargingRateChanged",
    "ChargingStateChanged",
    "Deauthorized",
    "EnergyLimitReached",
    "EVCommunicationLost",
    "EVConnectTimeout",
    "MeterValueClock",
    "MeterValuePeriodic",
    "TimeLimitReached",
    "Trigger",
    "UnlockCommand",
    "StopAuthorized",
    "EVDeparted",
    "EVDetected",
    "RemoteStop",
    "RemoteStart",
    "AbnormalCondition",
    "SignedDataReceived",
    "ResetCommand",
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

    energyAmount: int
    evMinCurrent: int
    evMaxCurrent: int
    evMaxVoltage: int
    customData: NotRequired[CustomDataType]


class APNType(TypedDict):
    """Used in NetworkConnectionProfileType."""

    apn: str
    """At most 512 characters."""
    apnAuthentication: APNAuthenticationEnumType
    apnUserName: NotRequired[str]
    """At most 20 characters."""
    apnPassword: NotRequired[str]
    """At most 20 characters."""
    simPin: NotRequired[int]
    preferredNetwork: NotRequired[str]
    """At most 6 characters."""
    useOnlyPreferredNetwork: NotRequired[bool]
    """Default false."""
    customData: NotRequired[CustomDataType]


class AdditionalInfoType(TypedDict):
    """Used in IdTokenType."""

    additionalIdToken: str
    """At most 36 characters."""
    type: str
    """At most 50 characters."""
    customData: NotRequired[CustomDataType]


class AuthorizationData(TypedDict):
    """Used in SendLocalListRequest."""

    idToken: IdTokenType
    idTokenInfo: NotRequired[IdTokenInfoType]
    customData: NotRequired[CustomDataType]


class CertificateHashDataChainType(TypedDict):
    """Used in GetInstalledCertificateIdsResponse."""

    certificateHashData: CertificateHashDataType
    certificateType: GetCertificateIdUseEnumType
    childCertificateHashData: NotRequired[list[CertificateHashDataType]]
    """1 to 4 items."""
    customData: NotRequired[CustomDataType]


class CertificateHashDataType(TypedDict):
    """Used in CustomerInformationRequest, DeleteCertificateRequest, CertificateHashDataChainType."""

    hashAlgorithm: HashAlgorithmEnumType
    issuerNameHash: str
    """At most 128 characters."""
    issuerKeyHash: str
    """At most 128 characters."""
    serialNumber: str
    """At most 40 characters."""
    customData: NotRequired[CustomDataType]


class ChargingLimitType(TypedDict):
    """Used in NotifyChargingLimitRequest."""

    chargingLimitSource: ChargingLimitSourceEnumType
    isGridCritical: NotRequired[bool]
    customData: NotRequired[CustomDataType]


class ChargingNeedsType(TypedDict):
    """Used in NotifyEVChargingNeedsRequest."""

    requestedEnergyTransfer: EnergyTransferModeEnumType
    acChargingParameters: NotRequired[ACChargingParametersType]
    dcChargingParameters: NotRequired[DCChargingParametersType]
    departureTime: NotRequired[str]
    """Date and time of ISO 8601."""
    customData: NotRequired[CustomDataType]


class ChargingProfileCriterionType(TypedDict):
    """Used in GetChargingProfilesRequest."""

    chargingProfilePurpose: NotRequired[ChargingProfilePurposeEnumType]
    stackLevel: NotRequired[int]
    chargingProfileId: NotRequired[list[int]]
    """At least 1 item."""
    chargingLimitSource: NotRequired[list[ChargingLimitSourceEnumType]]
    """1 to 4 items."""
    customData: NotRequired[CustomDataType]


class ChargingProfileType(TypedDict):
    """Used in ReportChargingProfilesRequest, RequestStartTransactionRequest, SetChargingProfileRequest."""

    id: int
    stackLevel: int
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
    customData: NotRequired[CustomDataType]


class ChargingSchedulePeriodType(TypedDict):
    """Used in ChargingScheduleType, CompositeScheduleType."""

    startPeriod: int
    limit: float
    numberPhases: NotRequired[int]
    phaseToUse: NotRequired[int]
    customData: NotRequired[CustomDataType]


class ChargingScheduleType(TypedDict):
    """Used in NotifyChargingLimitRequest, NotifyEVChargingScheduleRequest, ChargingProfileType."""

    id: int
    chargingRateUnit: ChargingRateUnitEnumType
    chargingSchedulePeriod: list[ChargingSchedulePeriodType]
    """1 to 1024 items."""
    startSchedule: NotRequired[str]
    """Date and time of ISO 8601."""
    duration: NotRequired[int]
    minChargingRate: NotRequired[float]
    salesTariff: NotRequired[SalesTariffType]
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
    chargingProfilePurpose: NotRequired[ChargingProfilePurposeEnumType]
    stackLevel: NotRequired[int]
    customData: NotRequired[CustomDataType]


class ClearMonitoringResultType(TypedDict):
    """Used in ClearVariableMonitoringResponse."""

    status: ClearMonitoringStatusEnumType
    id: int
    statusInfo: NotRequired[StatusInfoType]
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

    chargingSchedulePeriod: list[ChargingSchedulePeriodType]
    """At least 1 item."""
    evseId: int
    duration: int
    scheduleStart: str
    """Date and time of ISO 8601."""
    chargingRateUnit: ChargingRateUnitEnumType
    customData: NotRequired[CustomDataType]


class ConsumptionCostType(TypedDict):
    """Used in SalesTariffEntryType."""

    startValue: float
    cost: list[CostType]
    """1 to 3 items."""
    customData: NotRequired[CustomDataType]


class CostType(TypedDict):
    """Used in ConsumptionCostType."""

    costKind: CostKindEnumType
    amount: int
    amountMultiplier: NotRequired[int]
    customData: NotRequired[CustomDataType]


class DCChargingParametersType(TypedDict):
    """Used in ChargingNeedsType."""

    evMaxCurrent: int
    evMaxVoltage: int
    energyAmount: NotRequired[int]
    evMaxPower: NotRequired[int]
    stateOfCharge: NotRequired[int]
    """0 to 100."""
    evEnergyCapacity: NotRequired[int]
    fullSoC: NotRequired[int]
    """0 to 100."""
    bulkSoC: NotRequired[int]
    """0 to 100."""
    customData: NotRequired[CustomDataType]


class EVSEType(TypedDict):
    """Used in ChangeAvailabilityRequest, TransactionEventRequest, TriggerMessageRequest, ComponentType."""

    id: int
    connectorId: NotRequired[int]
    customData: NotRequired[CustomDataType]


class EventDataType(TypedDict):
    """Used in NotifyEventRequest."""

    eventId: int
    timestamp: str
    """Date and time of ISO 8601."""
    trigger: EventTriggerEnumType
    actualValue: str
    """At most 2500 characters."""
    component: ComponentType
    eventNotificationType: EventNotificationEnumType
    variable: VariableType
    cause: NotRequired[int]
    techCode: NotRequired[str]
    """At most 50 characters."""
    techInfo: NotRequired[str]
    """At most 500 characters."""
    cleared: NotRequired[bool]
    transactionId: NotRequired[str]
    """At most 36 characters."""
    variableMonitoringId: NotRequired[int]
    customData: NotRequired[CustomDataType]


class FirmwareType(TypedDict):
    """Used in UpdateFirmwareRequest."""

    location: str
    """At most 512 characters."""
    retrieveDateTime: str
    """Date and time of ISO 8601."""
    installDateTime: NotRequired[str]
    """Date and time of ISO 8601."""
    signingCertificate: NotRequired[str]
    """At most 5500 characters."""
    signature: NotRequired[str]
    """At most 800 characters."""
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


class IdTokenInfoType(TypedDict):
    """Used in AuthorizeResponse, TransactionEventResponse, AuthorizationData."""

    status: AuthorizationStatusEnumType
    cacheExpiryDateTime: NotRequired[str]
    """Date and time of ISO 8601."""
    chargingPriority: NotRequired[int]
    language1: NotRequired[str]
    """At most 8 characters."""
    evseId: NotRequired[list[int]]
    """At least 1 item."""
    groupIdToken: NotRequired[IdTokenType]
    language2: NotRequired[str]
    """At most 8 characters."""
    personalMessage: NotRequired[MessageContentType]
    customData: NotRequired[CustomDataType]


class IdTokenType(TypedDict):
    """Used in AuthorizeRequest, CustomerInformationRequest, RequestStartTransactionRequest, ReserveNowRequest and 3 more."""

    idToken: str
    """At most 36 characters."""
    type: IdTokenEnumType
    additionalInfo: NotRequired[list[AdditionalInfoType]]
    """At least 1 item."""
    customData: NotRequired[CustomDataType]


class LogParametersType(TypedDict):
    """Used in GetLogRequest."""

    remoteLocation: str
    """At most 512 characters."""
    oldestTimestamp: NotRequired[str]
    """Date and time of ISO 8601."""
    latestTimestamp: NotRequired[str]
    """Date and time of ISO 8601."""
    customData: NotRequired[CustomDataType]


class MessageContentType(TypedDict):
    """Used in TransactionEventResponse, IdTokenInfoType, MessageInfoType."""

    format: MessageFormatEnumType
    content: str
    """At most 512 characters."""
    language: NotRequired[str]
    """At most 8 characters."""
    customData: NotRequired[CustomDataType]


class MessageInfoType(TypedDict):
    """Used in NotifyDisplayMessagesRequest, SetDisplayMessageRequest."""

    id: int
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

    ocppVersion: OCPPVersionEnumType
    ocppTransport: OCPPTransportEnumType
    ocppCsmsUrl: str
    """At most 512 characters."""
    messageTimeout: int
    securityProfile: int
    ocppInterface: OCPPInterfaceEnumType
    apn: NotRequired[APNType]
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
    """At most 512 characters."""
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
    salesTariffEntry: list[SalesTariffEntryType]
    """1 to 1024 items."""
    salesTariffDescription: NotRequired[str]
    """At most 32 characters."""
    numEPriceLevels: NotRequired[int]
    customData: NotRequired[CustomDataType]


class SampledValueType(TypedDict):
    """Used in MeterValueType."""

    value: float
    context: NotRequired[ReadingContextEnumType]
    """Default "Sample.Periodic"."""
    measurand: NotRequired[MeasurandEnumType]
    """Default "Energy.Active.Import.Register"."""
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
    component: ComponentType
    variable: VariableType
    id: NotRequired[int]
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
    id: NotRequired[int]
    statusInfo: NotRequired[StatusInfoType]
    customData: NotRequired[CustomDataType]


class SetVariableDataType(TypedDict):
    """Used in SetVariablesRequest."""

    attributeValue: str
    """At most 1000 characters."""
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
    """At most 2500 characters."""
    signingMethod: str
    """At most 50 characters."""
    encodingMethod: str
    """At most 50 characters."""
    publicKey: str
    """At most 2500 characters."""
    customData: NotRequired[CustomDataType]


class StatusInfoType(TypedDict):
    """Used in BootNotificationResponse, CancelReservationResponse, CertificateSignedResponse, ChangeAvailabilityResponse and 38 more."""

    reasonCode: str
    """At most 20 characters."""
    additionalInfo: NotRequired[str]
    """At most 512 characters."""
    customData: NotRequired[CustomDataType]


class TransactionType(TypedDict):
    """Used in TransactionEventRequest."""

    transactionId: str
    """At most 36 characters."""
    chargingState: NotRequired[ChargingStateEnumType]
    timeSpentCharging: NotRequired[int]
    stoppedReason: NotRequired[ReasonEnumType]
    remoteStartId: NotRequired[int]
    customData: NotRequired[CustomDataType]


class UnitOfMeasureType(TypedDict):
    """Used in SampledValueType."""

    unit: NotRequired[str]
    """At most 20 characters; default "Wh"."""
    multiplier: NotRequired[int]
    """Default 0."""
    customData: NotRequired[CustomDataType]


class VPNType(TypedDict):
    """Used in NetworkConnectionProfileType."""

    server: str
    """At most 512 characters."""
    user: str
    """At most 20 characters."""
    password: str
    """At most 20 characters."""
    key: str
    """At most 255 characters."""
    type: VPNEnumType
    group: NotRequired[str]
    """At most 20 characters."""
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
    valuesList: NotRequired[str]
    """At most 1000 characters."""
    customData: NotRequired[CustomDataType]


class VariableMonitoringType(TypedDict):
    """Used in MonitoringDataType."""

    id: int
    transaction: bool
    value: float
    type: MonitorEnumType
    severity: int
    customData: NotRequired[CustomDataType]


class VariableType(TypedDict):
    """Used in ComponentVariableType, EventDataType, GetVariableDataType, GetVariableResultType and 6 more."""

    name: str
    """At most 50 characters."""
    instance: NotRequired[str]
    """At most 50 characters."""
    customData: NotRequired[CustomDataType]


class AuthorizeRequest(TypedDict):
    """Authorize, sent by the charge point."""

    idToken: IdTokenType
    certificate: NotRequired[str]
    """At most 5500 characters."""
    iso15118CertificateHashData: NotRequired[list[OCSPRequestDataType]]
    """1 to 4 items."""
    customData: NotRequired[CustomDataType]


class AuthorizeResponse(TypedDict):
    """The answer to Authorize."""

    idTokenInfo: IdTokenInfoType
    certificateStatus: NotRequired[AuthorizeCertificateStatusEnumType]
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


class ClearDisplayMessageRequest(TypedDict):
    """ClearDisplayMessage, sent by the CSMS."""

    id: int
    customData: NotRequired[CustomDataType]


class ClearDisplayMessageResponse(TypedDict):
    """The answer to ClearDisplayMessage."""

    status: ClearMessageStatusEnumType
    statusInfo: NotRequired[StatusInfoType]
    customData: NotRequired[CustomDataType]


class ClearVariableMonitoringRequest(TypedDict):
    """ClearVariableMonitoring, sent by the CSMS."""

    id: list[int]
    """At least 1 item."""
    customData: NotRequired[CustomDataType]


class ClearVariableMonitoringResponse(TypedDict):
    """The answer to ClearVariableMonitoring."""

    clearMonitoringResult: list[ClearMonitoringResultType]
    """At least 1 item."""
    customData: NotRequired[CustomDataType]


class ClearedChargingLimitRequest(TypedDict):
    """ClearedChargingLimit, sent by the charge point."""

    chargingLimitSource: ChargingLimitSourceEnumType
    evseId: NotRequired[int]
    customData: NotRequired[CustomDataType]


class ClearedChargingLimitResponse(TypedDict):
    """The answer to ClearedChargingLimit."""

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
    """At most 5600 characters."""
    customData: NotRequired[CustomDataType]


class Get15118EVCertificateResponse(TypedDict):
    """The answer to Get15118EVCertificate."""

    status: Iso15118EVCertificateStatusEnumType
    exiResponse: str
    """At most 7500 characters."""
    statusInfo: NotRequired[StatusInfoType]
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


class GetCertificateStatusRequest(TypedDict):
    """GetCertificateStatus, sent by the charge point."""

    ocspRequestData: OCSPRequestDataType
    customData: NotRequired[CustomDataType]


class GetCertificateStatusResponse(TypedDict):
    """The answer to GetCertificateStatus."""

    status: GetCertificateStatusEnumType
    statusInfo: NotRequired[StatusInfoType]
    ocspResult: NotRequired[str]
    """At most 5500 characters."""
    customData: NotRequired[CustomDataType]


class GetChargingProfilesRequest(TypedDict):
    """GetChargingProfiles, sent by the CSMS."""

    requestId: int
    chargingProfile: ChargingProfileCriterionType
    evseId: NotRequired[int]
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
    chargingRateUnit: NotRequired[ChargingRateUnitEnumType]
    customData: NotRequired[CustomDataType]


class GetCompositeScheduleResponse(TypedDict):
    """The answer to GetCompositeSchedule."""

    status: GenericStatusEnumType
    statusInfo: NotRequired[StatusInfoType]
    schedule: NotRequired[CompositeScheduleType]
    customData: NotRequired[CustomDataType]


class GetDisplayMessagesRequest(TypedDict):
    """GetDisplayMessages, sent by the CSMS."""

    requestId: int
    id: NotRequired[list[int]]
    """At least 1 item."""
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
    """At most 5500 characters."""
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
    customData: NotRequired[CustomDataType]


class LogStatusNotificationResponse(TypedDict):
    """The answer to LogStatusNotification."""

    customData: NotRequired[CustomDataType]


class MeterValuesRequest(TypedDict):
    """MeterValues, sent by the charge point."""

    evseId: int
    meterValue: list[MeterValueType]
    """At least 1 item."""
    customData: NotRequired[CustomDataType]


class MeterValuesResponse(TypedDict):
    """The answer to MeterValues."""

    customData: NotRequired[CustomDataType]


class NotifyChargingLimitRequest(TypedDict):
    """NotifyChargingLimit, sent by the charge point."""

    chargingLimit: ChargingLimitType
    chargingSchedule: NotRequired[list[ChargingScheduleType]]
    """At least 1 item."""
    evseId: NotRequired[int]
    customData: NotRequired[CustomDataType]


class NotifyChargingLimitResponse(TypedDict):
    """The answer to NotifyChargingLimit."""

    customData: NotRequired[CustomDataType]


class NotifyCustomerInformationRequest(TypedDict):
    """NotifyCustomerInformation, sent by the charge point."""

    data: str
    """At most 512 characters."""
    seqNo: int
    generatedAt: str
    """Date and time of ISO 8601."""
    requestId: int
    tbc: NotRequired[bool]
    """Default false."""
    customData: NotRequired[CustomDataType]


class NotifyCustomerInformationResponse(TypedDict):
    """The answer to NotifyCustomerInformation."""

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

    chargingNeeds: ChargingNeedsType
    evseId: int
    maxScheduleTuples: NotRequired[int]
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


class NotifyReportRequest(TypedDict):
    """NotifyReport, sent by the charge point."""

    requestId: int
    generatedAt: str
    """Date and time of ISO 8601."""
    seqNo: int
    reportData: NotRequired[list[ReportDataType]]
    """At least 1 item."""
    tbc: NotRequired[bool]
    """Default false."""
    customData: NotRequired[CustomDataType]


class NotifyReportResponse(TypedDict):
    """The answer to NotifyReport."""

    customData: NotRequired[CustomDataType]


class PublishFirmwareRequest(TypedDict):
    """PublishFirmware, sent by the CSMS."""

    location: str
    """At most 512 characters."""
    checksum: str
    """At most 32 characters."""
    requestId: int
    retries: NotRequired[int]
    retryInterval: NotRequired[int]
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
    """Each at most 512 characters; at least 1 item."""
    requestId: NotRequired[int]
    customData: NotRequired[CustomDataType]


class PublishFirmwareStatusNotificationResponse(TypedDict):
    """The answer to PublishFirmwareStatusNotification."""

    customData: NotRequired[CustomDataType]


class ReportChargingProfilesRequest(TypedDict):
    """ReportChargingProfiles, sent by the charge point."""

    requestId: int
    chargingLimitSource: ChargingLimitSourceEnumType
    chargingProfile: list[ChargingProfileType]
    """At least 1 item."""
    evseId: int
    tbc: NotRequired[bool]
    """Default false."""
    customData: NotRequired[CustomDataType]


class ReportChargingProfilesResponse(TypedDict):
    """The answer to ReportChargingProfiles."""

    customData: NotRequired[CustomDataType]


class RequestStartTransactionRequest(TypedDict):
    """RequestStartTransaction, sent by the CSMS."""

    idToken: IdTokenType
    remoteStartId: int
    evseId: NotRequired[int]
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
    reservationUpdateStatus: ReservationUpdateStatusEnumType
    customData: NotRequired[CustomDataType]


class ReservationStatusUpdateResponse(TypedDict):
    """The answer to ReservationStatusUpdate."""

    customData: NotRequired[CustomDataType]


class ReserveNowRequest(TypedDict):
    """ReserveNow, sent by the CSMS."""

    id: int
    expiryDateTime: str
    """Date and time of ISO 8601."""
    idToken: IdTokenType
    connectorType: NotRequired[ConnectorEnumType]
    evseId: NotRequired[int]
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
    chargingProfile: ChargingProfileType
    customData: NotRequired[CustomDataType]


class SetChargingProfileResponse(TypedDict):
    """The answer to SetChargingProfile."""

    status: ChargingProfileStatusEnumType
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
    connectorId: int
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
    transactionInfo: TransactionType
    meterValue: NotRequired[list[MeterValueType]]
    """At least 1 item."""
    offline: NotRequired[bool]
    """Default false."""
    numberOfPhasesUsed: NotRequired[int]
    cableMaxCurrent: NotRequired[int]
    reservationId: NotRequired[int]
    evse: NotRequired[EVSEType]
    idToken: NotRequired[IdTokenType]
    customData: NotRequired[CustomDataType]


class TransactionEventResponse(TypedDict):
    """The answer to TransactionEvent."""

    totalCost: NotRequired[float]
    chargingPriority: NotRequired[int]
    idTokenInfo: NotRequired[IdTokenInfoType]
    updatedPersonalMessage: NotRequired[MessageContentType]
    customData: NotRequired[CustomDataType]


class TriggerMessageRequest(TypedDict):
    """TriggerMessage, sent by the CSMS."""

    requestedMessage: MessageTriggerEnumType
    evse: NotRequired[EVSEType]
    customData: NotRequired[CustomDataType]


class TriggerMessageResponse(TypedDict):
    """The answer to TriggerMessage."""

    status: TriggerMessageStatusEnumType
    statusInfo: NotRequired[StatusInfoType]
    customData: NotRequired[CustomDataType]


class UnlockConnectorRequest(TypedDict):
    """UnlockConnector, sent by the CSMS."""

    evseId: int
    connectorId: int
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


class UpdateFirmwareRequest(TypedDict):
    """UpdateFirmware, sent by the CSMS."""

    requestId: int
    firmware: FirmwareType
    retries: NotRequired[int]
    retryInterval: NotRequired[int]
    customData: NotRequired[CustomDataType]


class UpdateFirmwareResponse(TypedDict):
    """The answer to UpdateFirmware."""

    status: UpdateFirmwareStatusEnumType
    statusInfo: NotRequired[StatusInfoType]
    customData: NotRequired[CustomDataType]
