"""``call()``, ``send()``, ``on()`` and ``api`` with OCPP 1.6; made by ``python -m tools``, do not edit."""
# ruff: noqa: D102, N802

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar, overload

from . import v16 as m
from .handlers import Handler, Register

if TYPE_CHECKING:
    from typing_extensions import Unpack

_H = TypeVar("_H", bound=Callable[..., Any])


class StationCall(Protocol):
    """What a charge point calls."""

    @overload
    def __call__(
        self, action: Literal["Authorize"], payload: m.AuthorizeRequest, *, timeout: float | None = None, wait: bool = False
    ) -> m.AuthorizeResponse: ...
    @overload
    def __call__(
        self, action: Literal["BootNotification"], payload: m.BootNotificationRequest, *, timeout: float | None = None, wait: bool = False
    ) -> m.BootNotificationResponse: ...
    @overload
    def __call__(
        self, action: Literal["DataTransfer"], payload: m.DataTransferRequest, *, timeout: float | None = None, wait: bool = False
    ) -> m.DataTransferResponse: ...
    @overload
    def __call__(
        self,
        action: Literal["DiagnosticsStatusNotification"],
        payload: m.DiagnosticsStatusNotificationRequest,
        *,
        timeout: float | None = None,
        wait: bool = False,
    ) -> m.DiagnosticsStatusNotificationResponse: ...
    @overload
    def __call__(
        self,
        action: Literal["FirmwareStatusNotification"],
        payload: m.FirmwareStatusNotificationRequest,
        *,
        timeout: float | None = None,
        wait: bool = False,
    ) -> m.FirmwareStatusNotificationResponse: ...
    @overload
    def __call__(
        self, action: Literal["Heartbeat"], payload: m.HeartbeatRequest | None = None, *, timeout: float | None = None, wait: bool = False
    ) -> m.HeartbeatResponse: ...
    @overload
    def __call__(
        self,
        action: Literal["LogStatusNotification"],
        payload: m.LogStatusNotificationRequest,
        *,
        timeout: float | None = None,
        wait: bool = False,
    ) -> m.LogStatusNotificationResponse: ...
    @overload
    def __call__(
        self, action: Literal["MeterValues"], payload: m.MeterValuesRequest, *, timeout: float | None = None, wait: bool = False
    ) -> m.MeterValuesResponse: ...
    @overload
    def __call__(
        self,
        action: Literal["SecurityEventNotification"],
        payload: m.SecurityEventNotificationRequest,
        *,
        timeout: float | None = None,
        wait: bool = False,
    ) -> m.SecurityEventNotificationResponse: ...
    @overload
    def __call__(
        self, action: Literal["SignCertificate"], payload: m.SignCertificateRequest, *, timeout: float | None = None, wait: bool = False
    ) -> m.SignCertificateResponse: ...
    @overload
    def __call__(
        self,
        action: Literal["SignedFirmwareStatusNotification"],
        payload: m.SignedFirmwareStatusNotificationRequest,
        *,
        timeout: float | None = None,
        wait: bool = False,
    ) -> m.SignedFirmwareStatusNotificationResponse: ...
    @overload
    def __call__(
        self, action: Literal["StartTransaction"], payload: m.StartTransactionRequest, *, timeout: float | None = None, wait: bool = False
    ) -> m.StartTransactionResponse: ...
    @overload
    def __call__(
        self,
        action: Literal["StatusNotification"],
        payload: m.StatusNotificationRequest,
        *,
        timeout: float | None = None,
        wait: bool = False,
    ) -> m.StatusNotificationResponse: ...
    @overload
    def __call__(
        self, action: Literal["StopTransaction"], payload: m.StopTransactionRequest, *, timeout: float | None = None, wait: bool = False
    ) -> m.StopTransactionResponse: ...


class StationOn(Protocol):
    """What a charge point handles."""

    @overload
    def __call__(self, name: Literal["CancelReservation"]) -> Register[m.CancelReservationRequest, m.CancelReservationResponse]: ...
    @overload
    def __call__(
        self, name: Literal["CancelReservation"], handler: Handler[m.CancelReservationRequest, m.CancelReservationResponse]
    ) -> Handler[m.CancelReservationRequest, m.CancelReservationResponse]: ...
    @overload
    def __call__(self, name: Literal["CertificateSigned"]) -> Register[m.CertificateSignedRequest, m.CertificateSignedResponse]: ...
    @overload
    def __call__(
        self, name: Literal["CertificateSigned"], handler: Handler[m.CertificateSignedRequest, m.CertificateSignedResponse]
    ) -> Handler[m.CertificateSignedRequest, m.CertificateSignedResponse]: ...
    @overload
    def __call__(self, name: Literal["ChangeAvailability"]) -> Register[m.ChangeAvailabilityRequest, m.ChangeAvailabilityResponse]: ...
    @overload
    def __call__(
        self, name: Literal["ChangeAvailability"], handler: Handler[m.ChangeAvailabilityRequest, m.ChangeAvailabilityResponse]
    ) -> Handler[m.ChangeAvailabilityRequest, m.ChangeAvailabilityResponse]: ...
    @overload
    def __call__(self, name: Literal["ChangeConfiguration"]) -> Register[m.ChangeConfigurationRequest, m.ChangeConfigurationResponse]: ...
    @overload
    def __call__(
        self, name: Literal["ChangeConfiguration"], handler: Handler[m.ChangeConfigurationRequest, m.ChangeConfigurationResponse]
    ) -> Handler[m.ChangeConfigurationRequest, m.ChangeConfigurationResponse]: ...
    @overload
    def __call__(self, name: Literal["ClearCache"]) -> Register[m.ClearCacheRequest, m.ClearCacheResponse]: ...
    @overload
    def __call__(
        self, name: Literal["ClearCache"], handler: Handler[m.ClearCacheRequest, m.ClearCacheResponse]
    ) -> Handler[m.ClearCacheRequest, m.ClearCacheResponse]: ...
    @overload
    def __call__(
        self, name: Literal["ClearChargingProfile"]
    ) -> Register[m.ClearChargingProfileRequest, m.ClearChargingProfileResponse]: ...
    @overload
    def __call__(
        self, name: Literal["ClearChargingProfile"], handler: Handler[m.ClearChargingProfileRequest, m.ClearChargingProfileResponse]
    ) -> Handler[m.ClearChargingProfileRequest, m.ClearChargingProfileResponse]: ...
    @overload
    def __call__(self, name: Literal["DataTransfer"]) -> Register[m.DataTransferRequest, m.DataTransferResponse]: ...
    @overload
    def __call__(
        self, name: Literal["DataTransfer"], handler: Handler[m.DataTransferRequest, m.DataTransferResponse]
    ) -> Handler[m.DataTransferRequest, m.DataTransferResponse]: ...
    @overload
    def __call__(self, name: Literal["DeleteCertificate"]) -> Register[m.DeleteCertificateRequest, m.DeleteCertificateResponse]: ...
    @overload
    def __call__(
        self, name: Literal["DeleteCertificate"], handler: Handler[m.DeleteCertificateRequest, m.DeleteCertificateResponse]
    ) -> Handler[m.DeleteCertificateRequest, m.DeleteCertificateResponse]: ...
    @overload
    def __call__(
        self, name: Literal["ExtendedTriggerMessage"]
    ) -> Register[m.ExtendedTriggerMessageRequest, m.ExtendedTriggerMessageResponse]: ...
    @overload
    def __call__(
        self, name: Literal["ExtendedTriggerMessage"], handler: Handler[m.ExtendedTriggerMessageRequest, m.ExtendedTriggerMessageResponse]
    ) -> Handler[m.ExtendedTriggerMessageRequest, m.ExtendedTriggerMessageResponse]: ...
    @overload
    def __call__(
        self, name: Literal["GetCompositeSchedule"]
    ) -> Register[m.GetCompositeScheduleRequest, m.GetCompositeScheduleResponse]: ...
    @overload
    def __call__(
        self, name: Literal["GetCompositeSchedule"], handler: Handler[m.GetCompositeScheduleRequest, m.GetCompositeScheduleResponse]
    ) -> Handler[m.GetCompositeScheduleRequest, m.GetCompositeScheduleResponse]: ...
    @overload
    def __call__(self, name: Literal["GetConfiguration"]) -> Register[m.GetConfigurationRequest, m.GetConfigurationResponse | None]: ...
    @overload
    def __call__(
        self, name: Literal["GetConfiguration"], handler: Handler[m.GetConfigurationRequest, m.GetConfigurationResponse | None]
    ) -> Handler[m.GetConfigurationRequest, m.GetConfigurationResponse | None]: ...
    @overload
    def __call__(self, name: Literal["GetDiagnostics"]) -> Register[m.GetDiagnosticsRequest, m.GetDiagnosticsResponse | None]: ...
    @overload
    def __call__(
        self, name: Literal["GetDiagnostics"], handler: Handler[m.GetDiagnosticsRequest, m.GetDiagnosticsResponse | None]
    ) -> Handler[m.GetDiagnosticsRequest, m.GetDiagnosticsResponse | None]: ...
    @overload
    def __call__(
        self, name: Literal["GetInstalledCertificateIds"]
    ) -> Register[m.GetInstalledCertificateIdsRequest, m.GetInstalledCertificateIdsResponse]: ...
    @overload
    def __call__(
        self,
        name: Literal["GetInstalledCertificateIds"],
        handler: Handler[m.GetInstalledCertificateIdsRequest, m.GetInstalledCertificateIdsResponse],
    ) -> Handler[m.GetInstalledCertificateIdsRequest, m.GetInstalledCertificateIdsResponse]: ...
    @overload
    def __call__(self, name: Literal["GetLocalListVersion"]) -> Register[m.GetLocalListVersionRequest, m.GetLocalListVersionResponse]: ...
    @overload
    def __call__(
        self, name: Literal["GetLocalListVersion"], handler: Handler[m.GetLocalListVersionRequest, m.GetLocalListVersionResponse]
    ) -> Handler[m.GetLocalListVersionRequest, m.GetLocalListVersionResponse]: ...
    @overload
    def __call__(self, name: Literal["GetLog"]) -> Register[m.GetLogRequest, m.GetLogResponse]: ...
    @overload
    def __call__(
        self, name: Literal["GetLog"], handler: Handler[m.GetLogRequest, m.GetLogResponse]
    ) -> Handler[m.GetLogRequest, m.GetLogResponse]: ...
    @overload
    def __call__(self, name: Literal["InstallCertificate"]) -> Register[m.InstallCertificateRequest, m.InstallCertificateResponse]: ...
    @overload
    def __call__(
        self, name: Literal["InstallCertificate"], handler: Handler[m.InstallCertificateRequest, m.InstallCertificateResponse]
    ) -> Handler[m.InstallCertificateRequest, m.InstallCertificateResponse]: ...
    @overload
    def __call__(
        self, name: Literal["RemoteStartTransaction"]
    ) -> Register[m.RemoteStartTransactionRequest, m.RemoteStartTransactionResponse]: ...
    @overload
    def __call__(
        self, name: Literal["RemoteStartTransaction"], handler: Handler[m.RemoteStartTransactionRequest, m.RemoteStartTransactionResponse]
    ) -> Handler[m.RemoteStartTransactionRequest, m.RemoteStartTransactionResponse]: ...
    @overload
    def __call__(
        self, name: Literal["RemoteStopTransaction"]
    ) -> Register[m.RemoteStopTransactionRequest, m.RemoteStopTransactionResponse]: ...
    @overload
    def __call__(
        self, name: Literal["RemoteStopTransaction"], handler: Handler[m.RemoteStopTransactionRequest, m.RemoteStopTransactionResponse]
    ) -> Handler[m.RemoteStopTransactionRequest, m.RemoteStopTransactionResponse]: ...
    @overload
    def __call__(self, name: Literal["ReserveNow"]) -> Register[m.ReserveNowRequest, m.ReserveNowResponse]: ...
    @overload
    def __call__(
        self, name: Literal["ReserveNow"], handler: Handler[m.ReserveNowRequest, m.ReserveNowResponse]
    ) -> Handler[m.ReserveNowRequest, m.ReserveNowResponse]: ...
    @overload
    def __call__(self, name: Literal["Reset"]) -> Register[m.ResetRequest, m.ResetResponse]: ...
    @overload
    def __call__(
        self, name: Literal["Reset"], handler: Handler[m.ResetRequest, m.ResetResponse]
    ) -> Handler[m.ResetRequest, m.ResetResponse]: ...
    @overload
    def __call__(self, name: Literal["SendLocalList"]) -> Register[m.SendLocalListRequest, m.SendLocalListResponse]: ...
    @overload
    def __call__(
        self, name: Literal["SendLocalList"], handler: Handler[m.SendLocalListRequest, m.SendLocalListResponse]
    ) -> Handler[m.SendLocalListRequest, m.SendLocalListResponse]: ...
    @overload
    def __call__(self, name: Literal["SetChargingProfile"]) -> Register[m.SetChargingProfileRequest, m.SetChargingProfileResponse]: ...
    @overload
    def __call__(
        self, name: Literal["SetChargingProfile"], handler: Handler[m.SetChargingProfileRequest, m.SetChargingProfileResponse]
    ) -> Handler[m.SetChargingProfileRequest, m.SetChargingProfileResponse]: ...
    @overload
    def __call__(
        self, name: Literal["SignedUpdateFirmware"]
    ) -> Register[m.SignedUpdateFirmwareRequest, m.SignedUpdateFirmwareResponse]: ...
    @overload
    def __call__(
        self, name: Literal["SignedUpdateFirmware"], handler: Handler[m.SignedUpdateFirmwareRequest, m.SignedUpdateFirmwareResponse]
    ) -> Handler[m.SignedUpdateFirmwareRequest, m.SignedUpdateFirmwareResponse]: ...
    @overload
    def __call__(self, name: Literal["TriggerMessage"]) -> Register[m.TriggerMessageRequest, m.TriggerMessageResponse]: ...
    @overload
    def __call__(
        self, name: Literal["TriggerMessage"], handler: Handler[m.TriggerMessageRequest, m.TriggerMessageResponse]
    ) -> Handler[m.TriggerMessageRequest, m.TriggerMessageResponse]: ...
    @overload
    def __call__(self, name: Literal["UnlockConnector"]) -> Register[m.UnlockConnectorRequest, m.UnlockConnectorResponse]: ...
    @overload
    def __call__(
        self, name: Literal["UnlockConnector"], handler: Handler[m.UnlockConnectorRequest, m.UnlockConnectorResponse]
    ) -> Handler[m.UnlockConnectorRequest, m.UnlockConnectorResponse]: ...
    @overload
    def __call__(self, name: Literal["UpdateFirmware"]) -> Register[m.UpdateFirmwareRequest, m.UpdateFirmwareResponse | None]: ...
    @overload
    def __call__(
        self, name: Literal["UpdateFirmware"], handler: Handler[m.UpdateFirmwareRequest, m.UpdateFirmwareResponse | None]
    ) -> Handler[m.UpdateFirmwareRequest, m.UpdateFirmwareResponse | None]: ...
    @overload
    def __call__(self, name: Literal["*", "connect", "registration", "outbox", "close", "error", "frame"]) -> Callable[[_H], _H]: ...
    @overload
    def __call__(self, name: Literal["*", "connect", "registration", "outbox", "close", "error", "frame"], handler: _H) -> _H: ...


class StationApi(Protocol):
    """The functions of a charge point."""

    def Authorize(
        self, *, timeout: float | None = None, wait: bool = False, **fields: Unpack[m.AuthorizeRequest]
    ) -> m.AuthorizeResponse: ...
    def BootNotification(
        self, *, timeout: float | None = None, wait: bool = False, **fields: Unpack[m.BootNotificationRequest]
    ) -> m.BootNotificationResponse: ...
    def DataTransfer(
        self, *, timeout: float | None = None, wait: bool = False, **fields: Unpack[m.DataTransferRequest]
    ) -> m.DataTransferResponse: ...
    def DiagnosticsStatusNotification(
        self, *, timeout: float | None = None, wait: bool = False, **fields: Unpack[m.DiagnosticsStatusNotificationRequest]
    ) -> m.DiagnosticsStatusNotificationResponse: ...
    def FirmwareStatusNotification(
        self, *, timeout: float | None = None, wait: bool = False, **fields: Unpack[m.FirmwareStatusNotificationRequest]
    ) -> m.FirmwareStatusNotificationResponse: ...
    def Heartbeat(
        self, *, timeout: float | None = None, wait: bool = False, **fields: Unpack[m.HeartbeatRequest]
    ) -> m.HeartbeatResponse: ...
    def LogStatusNotification(
        self, *, timeout: float | None = None, wait: bool = False, **fields: Unpack[m.LogStatusNotificationRequest]
    ) -> m.LogStatusNotificationResponse: ...
    def MeterValues(
        self, *, timeout: float | None = None, wait: bool = False, **fields: Unpack[m.MeterValuesRequest]
    ) -> m.MeterValuesResponse: ...
    def SecurityEventNotification(
        self, *, timeout: float | None = None, wait: bool = False, **fields: Unpack[m.SecurityEventNotificationRequest]
    ) -> m.SecurityEventNotificationResponse: ...
    def SignCertificate(
        self, *, timeout: float | None = None, wait: bool = False, **fields: Unpack[m.SignCertificateRequest]
    ) -> m.SignCertificateResponse: ...
    def SignedFirmwareStatusNotification(
        self, *, timeout: float | None = None, wait: bool = False, **fields: Unpack[m.SignedFirmwareStatusNotificationRequest]
    ) -> m.SignedFirmwareStatusNotificationResponse: ...
    def StartTransaction(
        self, *, timeout: float | None = None, wait: bool = False, **fields: Unpack[m.StartTransactionRequest]
    ) -> m.StartTransactionResponse: ...
    def StatusNotification(
        self, *, timeout: float | None = None, wait: bool = False, **fields: Unpack[m.StatusNotificationRequest]
    ) -> m.StatusNotificationResponse: ...
    def StopTransaction(
        self, *, timeout: float | None = None, wait: bool = False, **fields: Unpack[m.StopTransactionRequest]
    ) -> m.StopTransactionResponse: ...


class CsmsCall(Protocol):
    """What the CSMS calls."""

    @overload
    def __call__(
        self, action: Literal["CancelReservation"], payload: m.CancelReservationRequest, *, timeout: float | None = None
    ) -> m.CancelReservationResponse: ...
    @overload
    def __call__(
        self, action: Literal["CertificateSigned"], payload: m.CertificateSignedRequest, *, timeout: float | None = None
    ) -> m.CertificateSignedResponse: ...
    @overload
    def __call__(
        self, action: Literal["ChangeAvailability"], payload: m.ChangeAvailabilityRequest, *, timeout: float | None = None
    ) -> m.ChangeAvailabilityResponse: ...
    @overload
    def __call__(
        self, action: Literal["ChangeConfiguration"], payload: m.ChangeConfigurationRequest, *, timeout: float | None = None
    ) -> m.ChangeConfigurationResponse: ...
    @overload
    def __call__(
        self, action: Literal["ClearCache"], payload: m.ClearCacheRequest | None = None, *, timeout: float | None = None
    ) -> m.ClearCacheResponse: ...
    @overload
    def __call__(
        self, action: Literal["ClearChargingProfile"], payload: m.ClearChargingProfileRequest | None = None, *, timeout: float | None = None
    ) -> m.ClearChargingProfileResponse: ...
    @overload
    def __call__(
        self, action: Literal["DataTransfer"], payload: m.DataTransferRequest, *, timeout: float | None = None
    ) -> m.DataTransferResponse: ...
    @overload
    def __call__(
        self, action: Literal["DeleteCertificate"], payload: m.DeleteCertificateRequest, *, timeout: float | None = None
    ) -> m.DeleteCertificateResponse: ...
    @overload
    def __call__(
        self, action: Literal["ExtendedTriggerMessage"], payload: m.ExtendedTriggerMessageRequest, *, timeout: float | None = None
    ) -> m.ExtendedTriggerMessageResponse: ...
    @overload
    def __call__(
        self, action: Literal["GetCompositeSchedule"], payload: m.GetCompositeScheduleRequest, *, timeout: float | None = None
    ) -> m.GetCompositeScheduleResponse: ...
    @overload
    def __call__(
        self, action: Literal["GetConfiguration"], payload: m.GetConfigurationRequest | None = None, *, timeout: float | None = None
    ) -> m.GetConfigurationResponse: ...
    @overload
    def __call__(
        self, action: Literal["GetDiagnostics"], payload: m.GetDiagnosticsRequest, *, timeout: float | None = None
    ) -> m.GetDiagnosticsResponse: ...
    @overload
    def __call__(
        self, action: Literal["GetInstalledCertificateIds"], payload: m.GetInstalledCertificateIdsRequest, *, timeout: float | None = None
    ) -> m.GetInstalledCertificateIdsResponse: ...
    @overload
    def __call__(
        self, action: Literal["GetLocalListVersion"], payload: m.GetLocalListVersionRequest | None = None, *, timeout: float | None = None
    ) -> m.GetLocalListVersionResponse: ...
    @overload
    def __call__(self, action: Literal["GetLog"], payload: m.GetLogRequest, *, timeout: float | None = None) -> m.GetLogResponse: ...
    @overload
    def __call__(
        self, action: Literal["InstallCertificate"], payload: m.InstallCertificateRequest, *, timeout: float | None = None
    ) -> m.InstallCertificateResponse: ...
    @overload
    def __call__(
        self, action: Literal["RemoteStartTransaction"], payload: m.RemoteStartTransactionRequest, *, timeout: float | None = None
    ) -> m.RemoteStartTransactionResponse: ...
    @overload
    def __call__(
        self, action: Literal["RemoteStopTransaction"], payload: m.RemoteStopTransactionRequest, *, timeout: float | None = None
    ) -> m.RemoteStopTransactionResponse: ...
    @overload
    def __call__(
        self, action: Literal["ReserveNow"], payload: m.ReserveNowRequest, *, timeout: float | None = None
    ) -> m.ReserveNowResponse: ...
    @overload
    def __call__(self, action: Literal["Reset"], payload: m.ResetRequest, *, timeout: float | None = None) -> m.ResetResponse: ...
    @overload
    def __call__(
        self, action: Literal["SendLocalList"], payload: m.SendLocalListRequest, *, timeout: float | None = None
    ) -> m.SendLocalListResponse: ...
    @overload
    def __call__(
        self, action: Literal["SetChargingProfile"], payload: m.SetChargingProfileRequest, *, timeout: float | None = None
    ) -> m.SetChargingProfileResponse: ...
    @overload
    def __call__(
        self, action: Literal["SignedUpdateFirmware"], payload: m.SignedUpdateFirmwareRequest, *, timeout: float | None = None
    ) -> m.SignedUpdateFirmwareResponse: ...
    @overload
    def __call__(
        self, action: Literal["TriggerMessage"], payload: m.TriggerMessageRequest, *, timeout: float | None = None
    ) -> m.TriggerMessageResponse: ...
    @overload
    def __call__(
        self, action: Literal["UnlockConnector"], payload: m.UnlockConnectorRequest, *, timeout: float | None = None
    ) -> m.UnlockConnectorResponse: ...
    @overload
    def __call__(
        self, action: Literal["UpdateFirmware"], payload: m.UpdateFirmwareRequest, *, timeout: float | None = None
    ) -> m.UpdateFirmwareResponse: ...


class CsmsOn(Protocol):
    """What the CSMS handles."""

    @overload
    def __call__(self, name: Literal["Authorize"]) -> Register[m.AuthorizeRequest, m.AuthorizeResponse]: ...
    @overload
    def __call__(
        self, name: Literal["Authorize"], handler: Handler[m.AuthorizeRequest, m.AuthorizeResponse]
    ) -> Handler[m.AuthorizeRequest, m.AuthorizeResponse]: ...
    @overload
    def __call__(self, name: Literal["BootNotification"]) -> Register[m.BootNotificationRequest, m.BootNotificationResponse]: ...
    @overload
    def __call__(
        self, name: Literal["BootNotification"], handler: Handler[m.BootNotificationRequest, m.BootNotificationResponse]
    ) -> Handler[m.BootNotificationRequest, m.BootNotificationResponse]: ...
    @overload
    def __call__(self, name: Literal["DataTransfer"]) -> Register[m.DataTransferRequest, m.DataTransferResponse]: ...
    @overload
    def __call__(
        self, name: Literal["DataTransfer"], handler: Handler[m.DataTransferRequest, m.DataTransferResponse]
    ) -> Handler[m.DataTransferRequest, m.DataTransferResponse]: ...
    @overload
    def __call__(
        self, name: Literal["DiagnosticsStatusNotification"]
    ) -> Register[m.DiagnosticsStatusNotificationRequest, m.DiagnosticsStatusNotificationResponse | None]: ...
    @overload
    def __call__(
        self,
        name: Literal["DiagnosticsStatusNotification"],
        handler: Handler[m.DiagnosticsStatusNotificationRequest, m.DiagnosticsStatusNotificationResponse | None],
    ) -> Handler[m.DiagnosticsStatusNotificationRequest, m.DiagnosticsStatusNotificationResponse | None]: ...
    @overload
    def __call__(
        self, name: Literal["FirmwareStatusNotification"]
    ) -> Register[m.FirmwareStatusNotificationRequest, m.FirmwareStatusNotificationResponse | None]: ...
    @overload
    def __call__(
        self,
        name: Literal["FirmwareStatusNotification"],
        handler: Handler[m.FirmwareStatusNotificationRequest, m.FirmwareStatusNotificationResponse | None],
    ) -> Handler[m.FirmwareStatusNotificationRequest, m.FirmwareStatusNotificationResponse | None]: ...
    @overload
    def __call__(self, name: Literal["Heartbeat"]) -> Register[m.HeartbeatRequest, m.HeartbeatResponse]: ...
    @overload
    def __call__(
        self, name: Literal["Heartbeat"], handler: Handler[m.HeartbeatRequest, m.HeartbeatResponse]
    ) -> Handler[m.HeartbeatRequest, m.HeartbeatResponse]: ...
    @overload
    def __call__(
        self, name: Literal["LogStatusNotification"]
    ) -> Register[m.LogStatusNotificationRequest, m.LogStatusNotificationResponse | None]: ...
    @overload
    def __call__(
        self,
        name: Literal["LogStatusNotification"],
        handler: Handler[m.LogStatusNotificationRequest, m.LogStatusNotificationResponse | None],
    ) -> Handler[m.LogStatusNotificationRequest, m.LogStatusNotificationResponse | None]: ...
    @overload
    def __call__(self, name: Literal["MeterValues"]) -> Register[m.MeterValuesRequest, m.MeterValuesResponse | None]: ...
    @overload
    def __call__(
        self, name: Literal["MeterValues"], handler: Handler[m.MeterValuesRequest, m.MeterValuesResponse | None]
    ) -> Handler[m.MeterValuesRequest, m.MeterValuesResponse | None]: ...
    @overload
    def __call__(
        self, name: Literal["SecurityEventNotification"]
    ) -> Register[m.SecurityEventNotificationRequest, m.SecurityEventNotificationResponse | None]: ...
    @overload
    def __call__(
        self,
        name: Literal["SecurityEventNotification"],
        handler: Handler[m.SecurityEventNotificationRequest, m.SecurityEventNotificationResponse | None],
    ) -> Handler[m.SecurityEventNotificationRequest, m.SecurityEventNotificationResponse | None]: ...
    @overload
    def __call__(self, name: Literal["SignCertificate"]) -> Register[m.SignCertificateRequest, m.SignCertificateResponse]: ...
    @overload
    def __call__(
        self, name: Literal["SignCertificate"], handler: Handler[m.SignCertificateRequest, m.SignCertificateResponse]
    ) -> Handler[m.SignCertificateRequest, m.SignCertificateResponse]: ...
    @overload
    def __call__(
        self, name: Literal["SignedFirmwareStatusNotification"]
    ) -> Register[m.SignedFirmwareStatusNotificationRequest, m.SignedFirmwareStatusNotificationResponse | None]: ...
    @overload
    def __call__(
        self,
        name: Literal["SignedFirmwareStatusNotification"],
        handler: Handler[m.SignedFirmwareStatusNotificationRequest, m.SignedFirmwareStatusNotificationResponse | None],
    ) -> Handler[m.SignedFirmwareStatusNotificationRequest, m.SignedFirmwareStatusNotificationResponse | None]: ...
    @overload
    def __call__(self, name: Literal["StartTransaction"]) -> Register[m.StartTransactionRequest, m.StartTransactionResponse]: ...
    @overload
    def __call__(
        self, name: Literal["StartTransaction"], handler: Handler[m.StartTransactionRequest, m.StartTransactionResponse]
    ) -> Handler[m.StartTransactionRequest, m.StartTransactionResponse]: ...
    @overload
    def __call__(
        self, name: Literal["StatusNotification"]
    ) -> Register[m.StatusNotificationRequest, m.StatusNotificationResponse | None]: ...
    @overload
    def __call__(
        self, name: Literal["StatusNotification"], handler: Handler[m.StatusNotificationRequest, m.StatusNotificationResponse | None]
    ) -> Handler[m.StatusNotificationRequest, m.StatusNotificationResponse | None]: ...
    @overload
    def __call__(self, name: Literal["StopTransaction"]) -> Register[m.StopTransactionRequest, m.StopTransactionResponse | None]: ...
    @overload
    def __call__(
        self, name: Literal["StopTransaction"], handler: Handler[m.StopTransactionRequest, m.StopTransactionResponse | None]
    ) -> Handler[m.StopTransactionRequest, m.StopTransactionResponse | None]: ...
    @overload
    def __call__(self, name: Literal["*", "close", "error", "frame"]) -> Callable[[_H], _H]: ...
    @overload
    def __call__(self, name: Literal["*", "close", "error", "frame"], handler: _H) -> _H: ...


class CsmsApi(Protocol):
    """The functions of the CSMS."""

    def CancelReservation(
        self, *, timeout: float | None = None, **fields: Unpack[m.CancelReservationRequest]
    ) -> m.CancelReservationResponse: ...
    def CertificateSigned(
        self, *, timeout: float | None = None, **fields: Unpack[m.CertificateSignedRequest]
    ) -> m.CertificateSignedResponse: ...
    def ChangeAvailability(
        self, *, timeout: float | None = None, **fields: Unpack[m.ChangeAvailabilityRequest]
    ) -> m.ChangeAvailabilityResponse: ...
    def ChangeConfiguration(
        self, *, timeout: float | None = None, **fields: Unpack[m.ChangeConfigurationRequest]
    ) -> m.ChangeConfigurationResponse: ...
    def ClearCache(self, *, timeout: float | None = None, **fields: Unpack[m.ClearCacheRequest]) -> m.ClearCacheResponse: ...
    def ClearChargingProfile(
        self, *, timeout: float | None = None, **fields: Unpack[m.ClearChargingProfileRequest]
    ) -> m.ClearChargingProfileResponse: ...
    def DataTransfer(self, *, timeout: float | None = None, **fields: Unpack[m.DataTransferRequest]) -> m.DataTransferResponse: ...
    def DeleteCertificate(
        self, *, timeout: float | None = None, **fields: Unpack[m.DeleteCertificateRequest]
    ) -> m.DeleteCertificateResponse: ...
    def ExtendedTriggerMessage(
        self, *, timeout: float | None = None, **fields: Unpack[m.ExtendedTriggerMessageRequest]
    ) -> m.ExtendedTriggerMessageResponse: ...
    def GetCompositeSchedule(
        self, *, timeout: float | None = None, **fields: Unpack[m.GetCompositeScheduleRequest]
    ) -> m.GetCompositeScheduleResponse: ...
    def GetConfiguration(
        self, *, timeout: float | None = None, **fields: Unpack[m.GetConfigurationRequest]
    ) -> m.GetConfigurationResponse: ...
    def GetDiagnostics(self, *, timeout: float | None = None, **fields: Unpack[m.GetDiagnosticsRequest]) -> m.GetDiagnosticsResponse: ...
    def GetInstalledCertificateIds(
        self, *, timeout: float | None = None, **fields: Unpack[m.GetInstalledCertificateIdsRequest]
    ) -> m.GetInstalledCertificateIdsResponse: ...
    def GetLocalListVersion(
        self, *, timeout: float | None = None, **fields: Unpack[m.GetLocalListVersionRequest]
    ) -> m.GetLocalListVersionResponse: ...
    def GetLog(self, *, timeout: float | None = None, **fields: Unpack[m.GetLogRequest]) -> m.GetLogResponse: ...
    def InstallCertificate(
        self, *, timeout: float | None = None, **fields: Unpack[m.InstallCertificateRequest]
    ) -> m.InstallCertificateResponse: ...
    def RemoteStartTransaction(
        self, *, timeout: float | None = None, **fields: Unpack[m.RemoteStartTransactionRequest]
    ) -> m.RemoteStartTransactionResponse: ...
    def RemoteStopTransaction(
        self, *, timeout: float | None = None, **fields: Unpack[m.RemoteStopTransactionRequest]
    ) -> m.RemoteStopTransactionResponse: ...
    def ReserveNow(self, *, timeout: float | None = None, **fields: Unpack[m.ReserveNowRequest]) -> m.ReserveNowResponse: ...
    def Reset(self, *, timeout: float | None = None, **fields: Unpack[m.ResetRequest]) -> m.ResetResponse: ...
    def SendLocalList(self, *, timeout: float | None = None, **fields: Unpack[m.SendLocalListRequest]) -> m.SendLocalListResponse: ...
    def SetChargingProfile(
        self, *, timeout: float | None = None, **fields: Unpack[m.SetChargingProfileRequest]
    ) -> m.SetChargingProfileResponse: ...
    def SignedUpdateFirmware(
        self, *, timeout: float | None = None, **fields: Unpack[m.SignedUpdateFirmwareRequest]
    ) -> m.SignedUpdateFirmwareResponse: ...
    def TriggerMessage(self, *, timeout: float | None = None, **fields: Unpack[m.TriggerMessageRequest]) -> m.TriggerMessageResponse: ...
    def UnlockConnector(self, *, timeout: float | None = None, **fields: Unpack[m.UnlockConnectorRequest]) -> m.UnlockConnectorResponse: ...
    def UpdateFirmware(self, *, timeout: float | None = None, **fields: Unpack[m.UpdateFirmwareRequest]) -> m.UpdateFirmwareResponse: ...
