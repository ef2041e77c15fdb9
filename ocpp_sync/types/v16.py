"""The messages of OCPP 1.6; made by ``python -m tools``, do not edit."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Literal, TypedDict

if sys.version_info >= (3, 11):
    from typing import NotRequired
elif TYPE_CHECKING:
    from typing_extensions import NotRequired

AuthorizationStatus = Literal["Accepted", "Blocked", "Expired", "Invalid", "ConcurrentTx"]
AvailabilityStatus = Literal["Accepted", "Rejected", "Scheduled"]
AvailabilityType = Literal["Inoperative", "Operative"]
CancelReservationStatus = Literal["Accepted", "Rejected"]
CertificateSignedStatusEnumType = Literal["Accepted", "Rejected"]
CertificateUseEnumType = Literal["CentralSystemRootCertificate", "ManufacturerRootCertificate"]
ChargePointErrorCode = Literal[
    "ConnectorLockFailure",
    "EVCommunicationError",
    "GroundFailure",
    "HighTemperature",
    "InternalError",
    "LocalListConflict",
    "NoError",
    "OtherError",
    "OverCurrentFailure",
    "PowerMeterFailure",
    "PowerSwitchFailure",
    "ReaderFailure",
    "ResetFailure",
    "UnderVoltage",
    "OverVoltage",
    "WeakSignal",
]
ChargePointStatus = Literal[
    "Available",
    "Preparing",
    "Charging",
    "SuspendedEVSE",
    "SuspendedEV",
    "Finishing",
    "Reserved",
    "Unavailable",
    "Faulted",
]
ChargingProfileKindType = Literal["Absolute", "Recurring", "Relative"]
ChargingProfilePurposeType = Literal["ChargePointMaxProfile", "TxDefaultProfile", "TxProfile"]
ChargingProfileStatus = Literal["Accepted", "Rejected", "NotSupported"]
ChargingRateUnitType = Literal["A", "W"]
ClearCacheStatus = Literal["Accepted", "Rejected"]
ClearChargingProfileStatus = Literal["Accepted", "Unknown"]
ConfigurationStatus = Literal["Accepted", "Rejected", "RebootRequired", "NotSupported"]
DataTransferStatus = Literal["Accepted", "Rejected", "UnknownMessageId", "UnknownVendorId"]
DeleteCertificateStatusEnumType = Literal["Accepted", "Failed", "NotFound"]
DiagnosticsStatus = Literal["Idle", "Uploaded", "UploadFailed", "Uploading"]
FirmwareStatus = Literal["Downloaded", "DownloadFailed", "Downloading", "Idle", "InstallationFailed", "Installing", "Installed"]
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
GenericStatusEnumType = Literal["Accepted", "Rejected"]
GetCompositeScheduleStatus = Literal["Accepted", "Rejected"]
GetInstalledCertificateStatusEnumType = Literal["Accepted", "NotFound"]
HashAlgorithmEnumType = Literal["SHA256", "SHA384", "SHA512"]
InstallCertificateStatusEnumType = Literal["Accepted", "Failed", "Rejected"]
Location = Literal["Cable", "EV", "Inlet", "Outlet", "Body"]
LogEnumType = Literal["DiagnosticsLog", "SecurityLog"]
LogStatusEnumType = Literal["Accepted", "Rejected", "AcceptedCanceled"]
Measurand = Literal[
    "Energy.Active.Export.Register",
    "Energy.Active.Import.Register",
    "Energy.Reactive.Export.Register",
    "Energy.Reactive.Import.Register",
    "Energy.Active.Export.Interval",
    "Energy.Active.Import.Interval",
    "Energy.Reactive.Export.Interval",
    "Energy.Reactive.Import.Interval",
    "Power.Active.Export",
    "Power.Active.Import",
    "Power.Offered",
    "Power.Reactive.Export",
    "Power.Reactive.Import",
    "Power.Factor",
    "Current.Import",
    "Current.Export",
    "Current.Offered",
    "Voltage",
    "Frequency",
    "Temperature",
    "SoC",
    "RPM",
]
MessageTrigger = Literal[
    "BootNotification",
    "DiagnosticsStatusNotification",
    "FirmwareStatusNotification",
    "Heartbeat",
    "MeterValues",
    "StatusNotification",
]
MessageTriggerEnumType = Literal[
    "BootNotification",
    "LogStatusNotification",
    "FirmwareStatusNotification",
    "Heartbeat",
    "MeterValues",
    "SignChargePointCertificate",
    "StatusNotification",
]
Phase = Literal["L1", "L2", "L3", "N", "L1-N", "L2-N", "L3-N", "L1-L2", "L2-L3", "L3-L1"]
ReadingContext = Literal[
    "Interruption.Begin",
    "Interruption.End",
    "Sample.Clock",
    "Sample.Periodic",
    "Transaction.Begin",
    "Transaction.End",
    "Trigger",
    "Other",
]
Reason = Literal[
    "EmergencyStop",
    "EVDisconnected",
    "HardReset",
    "Local",
    "Other",
    "PowerLoss",
    "Reboot",
    "Remote",
    "SoftReset",
    "UnlockCommand",
    "DeAuthorized",
]
RecurrencyKindType = Literal["Daily", "Weekly"]
RegistrationStatus = Literal["Accepted", "Pending", "Rejected"]
RemoteStartStopStatus = Literal["Accepted", "Rejected"]
ReservationStatus = Literal["Accepted", "Faulted", "Occupied", "Rejected", "Unavailable"]
ResetStatus = Literal["Accepted", "Rejected"]
ResetType = Literal["Hard", "Soft"]
TransactionUnitOfMeasure = Literal[
    "Wh",
    "kWh",
    "varh",
    "kvarh",
    "W",
    "kW",
    "VA",
    "kVA",
    "var",
    "kvar",
    "A",
    "V",
    "K",
    "Celcius",
    "Celsius",
    "Fahrenheit",
    "Percent",
]
TriggerMessageStatus = Literal["Accepted", "Rejected", "NotImplemented"]
TriggerMessageStatusEnumType = Literal["Accepted", "Rejected", "NotImplemented"]
UnitOfMeasure = Literal[
    "Wh",
    "kWh",
    "varh",
    "kvarh",
    "W",
    "kW",
    "VA",
    "kVA",
    "var",
    "kvar",
    "A",
    "V",
    "K",
    "Celcius",
    "Celsius",
    "Fahrenheit",
    "Percent",
    "Hertz",
]
UnlockStatus = Literal["Unlocked", "UnlockFailed", "NotSupported"]
UpdateFirmwareStatusEnumType = Literal["Accepted", "Rejected", "AcceptedCanceled", "InvalidCertificate", "RevokedCertificate"]
UpdateStatus = Literal["Accepted", "Failed", "NotSupported", "VersionMismatch"]
UpdateType = Literal["Differential", "Full"]
UploadLogStatusEnumType = Literal[
    "BadMessage",
    "Idle",
    "NotSupportedOperation",
    "PermissionDenied",
    "Uploaded",
    "UploadFailure",
    "Uploading",
]
ValueFormat = Literal["Raw", "SignedData"]


class AuthorizationData(TypedDict):
    """Used in SendLocalListRequest."""

    idTag: str
    """At most 20 characters."""
    idTagInfo: NotRequired[IdTagInfo]


class CertificateHashDataType(TypedDict):
    """Used in DeleteCertificateRequest, GetInstalledCertificateIdsResponse."""

    hashAlgorithm: HashAlgorithmEnumType
    issuerNameHash: str
    """At most 128 characters."""
    issuerKeyHash: str
    """At most 128 characters."""
    serialNumber: str
    """At most 40 characters."""


class ChargingProfile(TypedDict):
    """Used in RemoteStartTransactionRequest, SetChargingProfileRequest."""

    chargingProfileId: int
    stackLevel: int
    chargingProfilePurpose: ChargingProfilePurposeType
    chargingProfileKind: ChargingProfileKindType
    chargingSchedule: ChargingSchedule
    transactionId: NotRequired[int]
    recurrencyKind: NotRequired[RecurrencyKindType]
    validFrom: NotRequired[str]
    """Date and time of ISO 8601."""
    validTo: NotRequired[str]
    """Date and time of ISO 8601."""


class ChargingSchedule(TypedDict):
    """Used in GetCompositeScheduleResponse, ChargingProfile."""

    chargingRateUnit: ChargingRateUnitType
    chargingSchedulePeriod: list[ChargingSchedulePeriod]
    duration: NotRequired[int]
    startSchedule: NotRequired[str]
    """Date and time of ISO 8601."""
    minChargingRate: NotRequired[float]
    """A multiple of 0.1."""


class ChargingSchedulePeriod(TypedDict):
    """Used in ChargingSchedule."""

    startPeriod: int
    limit: float
    """A multiple of 0.1."""
    numberPhases: NotRequired[int]


class FirmwareType(TypedDict):
    """Used in SignedUpdateFirmwareRequest."""

    location: str
    """At most 512 characters."""
    retrieveDateTime: str
    """Date and time of ISO 8601."""
    signingCertificate: str
    """At most 5500 characters."""
    signature: str
    """At most 800 characters."""
    installDateTime: NotRequired[str]
    """Date and time of ISO 8601."""


class IdTagInfo(TypedDict):
    """Used in AuthorizeResponse, StartTransactionResponse, StopTransactionResponse, AuthorizationData."""

    status: AuthorizationStatus
    expiryDate: NotRequired[str]
    """Date and time of ISO 8601."""
    parentIdTag: NotRequired[str]
    """At most 20 characters."""


class KeyValue(TypedDict):
    """Used in GetConfigurationResponse."""

    key: str
    """At most 50 characters."""
    readonly: bool
    value: NotRequired[str]
    """At most 500 characters."""


class LogParametersType(TypedDict):
    """Used in GetLogRequest."""

    remoteLocation: str
    """At most 512 characters."""
    oldestTimestamp: NotRequired[str]
    """Date and time of ISO 8601."""
    latestTimestamp: NotRequired[str]
    """Date and time of ISO 8601."""


class MeterValue(TypedDict):
    """Used in MeterValuesRequest."""

    timestamp: str
    """Date and time of ISO 8601."""
    sampledValue: list[SampledValue]
    """At least 1 item."""


class SampledValue(TypedDict):
    """Used in MeterValue."""

    value: str
    context: NotRequired[ReadingContext]
    format: NotRequired[ValueFormat]
    measurand: NotRequired[Measurand]
    phase: NotRequired[Phase]
    location: NotRequired[Location]
    unit: NotRequired[UnitOfMeasure]


class TransactionData(TypedDict):
    """Used in StopTransactionRequest."""

    timestamp: str
    """Date and time of ISO 8601."""
    sampledValue: list[TransactionSampledValue]


class TransactionSampledValue(TypedDict):
    """Used in TransactionData."""

    value: str
    context: NotRequired[ReadingContext]
    format: NotRequired[ValueFormat]
    measurand: NotRequired[Measurand]
    phase: NotRequired[Phase]
    location: NotRequired[Location]
    unit: NotRequired[TransactionUnitOfMeasure]


class AuthorizeRequest(TypedDict):
    """Authorize, sent by the charge point."""

    idTag: str
    """At most 20 characters."""


class AuthorizeResponse(TypedDict):
    """The answer to Authorize."""

    idTagInfo: IdTagInfo


class BootNotificationRequest(TypedDict):
    """BootNotification, sent by the charge point."""

    chargePointVendor: str
    """At most 20 characters."""
    chargePointModel: str
    """At most 20 characters."""
    chargePointSerialNumber: NotRequired[str]
    """At most 25 characters."""
    chargeBoxSerialNumber: NotRequired[str]
    """At most 25 characters."""
    firmwareVersion: NotRequired[str]
    """At most 50 characters."""
    iccid: NotRequired[str]
    """At most 20 characters."""
    imsi: NotRequired[str]
    """At most 20 characters."""
    meterType: NotRequired[str]
    """At most 25 characters."""
    meterSerialNumber: NotRequired[str]
    """At most 25 characters."""


class BootNotificationResponse(TypedDict):
    """The answer to BootNotification."""

    status: RegistrationStatus
    currentTime: str
    """Date and time of ISO 8601."""
    interval: int


class CancelReservationRequest(TypedDict):
    """CancelReservation, sent by the CSMS."""

    reservationId: int


class CancelReservationResponse(TypedDict):
    """The answer to CancelReservation."""

    status: CancelReservationStatus


class CertificateSignedRequest(TypedDict):
    """CertificateSigned, sent by the CSMS."""

    certificateChain: str
    """At most 10000 characters."""


class CertificateSignedResponse(TypedDict):
    """The answer to CertificateSigned."""

    status: CertificateSignedStatusEnumType


class ChangeAvailabilityRequest(TypedDict):
    """ChangeAvailability, sent by the CSMS."""

    connectorId: int
    type: AvailabilityType


class ChangeAvailabilityResponse(TypedDict):
    """The answer to ChangeAvailability."""

    status: AvailabilityStatus


class ChangeConfigurationRequest(TypedDict):
    """ChangeConfiguration, sent by the CSMS."""

    key: str
    """At most 50 characters."""
    value: str
    """At most 500 characters."""


class ChangeConfigurationResponse(TypedDict):
    """The answer to ChangeConfiguration."""

    status: ConfigurationStatus


class ClearCacheRequest(TypedDict):
    """ClearCache, sent by the CSMS."""


class ClearCacheResponse(TypedDict):
    """The answer to ClearCache."""

    status: ClearCacheStatus


class ClearChargingProfileRequest(TypedDict):
    """ClearChargingProfile, sent by the CSMS."""

    id: NotRequired[int]
    connectorId: NotRequired[int]
    chargingProfilePurpose: NotRequired[ChargingProfilePurposeType]
    stackLevel: NotRequired[int]


class ClearChargingProfileResponse(TypedDict):
    """The answer to ClearChargingProfile."""

    status: ClearChargingProfileStatus


class DataTransferRequest(TypedDict):
    """DataTransfer, sent by either side."""

    vendorId: str
    """At most 255 characters."""
    messageId: NotRequired[str]
    """At most 50 characters."""
    data: NotRequired[str]


class DataTransferResponse(TypedDict):
    """The answer to DataTransfer."""

    status: DataTransferStatus
    data: NotRequired[str]


class DeleteCertificateRequest(TypedDict):
    """DeleteCertificate, sent by the CSMS."""

    certificateHashData: CertificateHashDataType


class DeleteCertificateResponse(TypedDict):
    """The answer to DeleteCertificate."""

    status: DeleteCertificateStatusEnumType


class DiagnosticsStatusNotificationRequest(TypedDict):
    """DiagnosticsStatusNotification, sent by the charge point."""

    status: DiagnosticsStatus


class DiagnosticsStatusNotificationResponse(TypedDict):
    """The answer to DiagnosticsStatusNotification."""


class ExtendedTriggerMessageRequest(TypedDict):
    """ExtendedTriggerMessage, sent by the CSMS."""

    requestedMessage: MessageTriggerEnumType
    connectorId: NotRequired[int]


class ExtendedTriggerMessageResponse(TypedDict):
    """The answer to ExtendedTriggerMessage."""

    status: TriggerMessageStatusEnumType


class FirmwareStatusNotificationRequest(TypedDict):
    """FirmwareStatusNotification, sent by the charge point."""

    status: FirmwareStatus


class FirmwareStatusNotificationResponse(TypedDict):
    """The answer to FirmwareStatusNotification."""


class GetCompositeScheduleRequest(TypedDict):
    """GetCompositeSchedule, sent by the CSMS."""

    connectorId: int
    duration: int
    chargingRateUnit: NotRequired[ChargingRateUnitType]


class GetCompositeScheduleResponse(TypedDict):
    """The answer to GetCompositeSchedule."""

    status: GetCompositeScheduleStatus
    connectorId: NotRequired[int]
    scheduleStart: NotRequired[str]
    """Date and time of ISO 8601."""
    chargingSchedule: NotRequired[ChargingSchedule]


class GetConfigurationRequest(TypedDict):
    """GetConfiguration, sent by the CSMS."""

    key: NotRequired[list[str]]
    """Each at most 50 characters."""


class GetConfigurationResponse(TypedDict):
    """The answer to GetConfiguration."""

    configurationKey: NotRequired[list[KeyValue]]
    unknownKey: NotRequired[list[str]]
    """Each at most 50 characters."""


class GetDiagnosticsRequest(TypedDict):
    """GetDiagnostics, sent by the CSMS."""

    location: str
    """URI."""
    retries: NotRequired[int]
    retryInterval: NotRequired[int]
    startTime: NotRequired[str]
    """Date and time of ISO 8601."""
    stopTime: NotRequired[str]
    """Date and time of ISO 8601."""


class GetDiagnosticsResponse(TypedDict):
    """The answer to GetDiagnostics."""

    fileName: NotRequired[str]
    """At most 255 characters."""


class GetInstalledCertificateIdsRequest(TypedDict):
    """GetInstalledCertificateIds, sent by the CSMS."""

    certificateType: CertificateUseEnumType


class GetInstalledCertificateIdsResponse(TypedDict):
    """The answer to GetInstalledCertificateIds."""

    status: GetInstalledCertificateStatusEnumType
    certificateHashData: NotRequired[list[CertificateHashDataType]]
    """At least 1 item."""


class GetLocalListVersionRequest(TypedDict):
    """GetLocalListVersion, sent by the CSMS."""


class GetLocalListVersionResponse(TypedDict):
    """The answer to GetLocalListVersion."""

    listVersion: int


class GetLogRequest(TypedDict):
    """GetLog, sent by the CSMS."""

    log: LogParametersType
    logType: LogEnumType
    requestId: int
    retries: NotRequired[int]
    retryInterval: NotRequired[int]


class GetLogResponse(TypedDict):
    """The answer to GetLog."""

    status: LogStatusEnumType
    filename: NotRequired[str]
    """At most 255 characters."""


class HeartbeatRequest(TypedDict):
    """Heartbeat, sent by the charge point."""


class HeartbeatResponse(TypedDict):
    """The answer to Heartbeat."""

    currentTime: str
    """Date and time of ISO 8601."""


class InstallCertificateRequest(TypedDict):
    """InstallCertificate, sent by the CSMS."""

    certificateType: CertificateUseEnumType
    certificate: str
    """At most 5500 characters."""


class InstallCertificateResponse(TypedDict):
    """The answer to InstallCertificate."""

    status: InstallCertificateStatusEnumType


class LogStatusNotificationRequest(TypedDict):
    """LogStatusNotification, sent by the charge point."""

    status: UploadLogStatusEnumType
    requestId: NotRequired[int]


class LogStatusNotificationResponse(TypedDict):
    """The answer to LogStatusNotification."""


class MeterValuesRequest(TypedDict):
    """MeterValues, sent by the charge point."""

    connectorId: int
    meterValue: list[MeterValue]
    """At least 1 item."""
    transactionId: NotRequired[int]


class MeterValuesResponse(TypedDict):
    """The answer to MeterValues."""


class RemoteStartTransactionRequest(TypedDict):
    """RemoteStartTransaction, sent by the CSMS."""

    idTag: str
    """At most 20 characters."""
    connectorId: NotRequired[int]
    chargingProfile: NotRequired[ChargingProfile]


class RemoteStartTransactionResponse(TypedDict):
    """The answer to RemoteStartTransaction."""

    status: RemoteStartStopStatus


class RemoteStopTransactionRequest(TypedDict):
    """RemoteStopTransaction, sent by the CSMS."""

    transactionId: int


class RemoteStopTransactionResponse(TypedDict):
    """The answer to RemoteStopTransaction."""

    status: RemoteStartStopStatus


class ReserveNowRequest(TypedDict):
    """ReserveNow, sent by the CSMS."""

    connectorId: int
    expiryDate: str
    """Date and time of ISO 8601."""
    idTag: str
    """At most 20 characters."""
    reservationId: int
    parentIdTag: NotRequired[str]
    """At most 20 characters."""


class ReserveNowResponse(TypedDict):
    """The answer to ReserveNow."""

    status: ReservationStatus


class ResetRequest(TypedDict):
    """Reset, sent by the CSMS."""

    type: ResetType


class ResetResponse(TypedDict):
    """The answer to Reset."""

    status: ResetStatus


class SecurityEventNotificationRequest(TypedDict):
    """SecurityEventNotification, sent by the charge point."""

    type: str
    """At most 50 characters."""
    timestamp: str
    """Date and time of ISO 8601."""
    techInfo: NotRequired[str]
    """At most 255 characters."""


class SecurityEventNotificationResponse(TypedDict):
    """The answer to SecurityEventNotification."""


class SendLocalListRequest(TypedDict):
    """SendLocalList, sent by the CSMS."""

    listVersion: int
    updateType: UpdateType
    localAuthorizationList: NotRequired[list[AuthorizationData]]


class SendLocalListResponse(TypedDict):
    """The answer to SendLocalList."""

    status: UpdateStatus


class SetChargingProfileRequest(TypedDict):
    """SetChargingProfile, sent by the CSMS."""

    connectorId: int
    csChargingProfiles: ChargingProfile


class SetChargingProfileResponse(TypedDict):
    """The answer to SetChargingProfile."""

    status: ChargingProfileStatus


class SignCertificateRequest(TypedDict):
    """SignCertificate, sent by the charge point."""

    csr: str
    """At most 5500 characters."""


class SignCertificateResponse(TypedDict):
    """The answer to SignCertificate."""

    status: GenericStatusEnumType


class SignedFirmwareStatusNotificationRequest(TypedDict):
    """SignedFirmwareStatusNotification, sent by the charge point."""

    status: FirmwareStatusEnumType
    requestId: NotRequired[int]


class SignedFirmwareStatusNotificationResponse(TypedDict):
    """The answer to SignedFirmwareStatusNotification."""


class SignedUpdateFirmwareRequest(TypedDict):
    """SignedUpdateFirmware, sent by the CSMS."""

    requestId: int
    firmware: FirmwareType
    retries: NotRequired[int]
    retryInterval: NotRequired[int]


class SignedUpdateFirmwareResponse(TypedDict):
    """The answer to SignedUpdateFirmware."""

    status: UpdateFirmwareStatusEnumType


class StartTransactionRequest(TypedDict):
    """StartTransaction, sent by the charge point."""

    connectorId: int
    idTag: str
    """At most 20 characters."""
    meterStart: int
    timestamp: str
    """Date and time of ISO 8601."""
    reservationId: NotRequired[int]


class StartTransactionResponse(TypedDict):
    """The answer to StartTransaction."""

    idTagInfo: IdTagInfo
    transactionId: int


class StatusNotificationRequest(TypedDict):
    """StatusNotification, sent by the charge point."""

    connectorId: int
    errorCode: ChargePointErrorCode
    status: ChargePointStatus
    info: NotRequired[str]
    """At most 50 characters."""
    timestamp: NotRequired[str]
    """Date and time of ISO 8601."""
    vendorId: NotRequired[str]
    """At most 255 characters."""
    vendorErrorCode: NotRequired[str]
    """At most 50 characters."""


class StatusNotificationResponse(TypedDict):
    """The answer to StatusNotification."""


class StopTransactionRequest(TypedDict):
    """StopTransaction, sent by the charge point."""

    meterStop: int
    timestamp: str
    """Date and time of ISO 8601."""
    transactionId: int
    idTag: NotRequired[str]
    """At most 20 characters."""
    reason: NotRequired[Reason]
    transactionData: NotRequired[list[TransactionData]]


class StopTransactionResponse(TypedDict):
    """The answer to StopTransaction."""

    idTagInfo: NotRequired[IdTagInfo]


class TriggerMessageRequest(TypedDict):
    """TriggerMessage, sent by the CSMS."""

    requestedMessage: MessageTrigger
    connectorId: NotRequired[int]


class TriggerMessageResponse(TypedDict):
    """The answer to TriggerMessage."""

    status: TriggerMessageStatus


class UnlockConnectorRequest(TypedDict):
    """UnlockConnector, sent by the CSMS."""

    connectorId: int


class UnlockConnectorResponse(TypedDict):
    """The answer to UnlockConnector."""

    status: UnlockStatus


class UpdateFirmwareRequest(TypedDict):
    """UpdateFirmware, sent by the CSMS."""

    location: str
    """URI."""
    retrieveDate: str
    """Date and time of ISO 8601."""
    retries: NotRequired[int]
    retryInterval: NotRequired[int]


class UpdateFirmwareResponse(TypedDict):
    """The answer to UpdateFirmware."""
