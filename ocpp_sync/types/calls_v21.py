"""``call()``, ``send()``, ``on()`` and ``api`` with OCPP 2.1; made by ``python -m tools``, do not edit."""
# ruff: noqa: D102, N802

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar, overload

from . import v21 as m
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
        self, action: Literal["BatterySwap"], payload: m.BatterySwapRequest, *, timeout: float | None = None, wait: bool = False
    ) -> m.BatterySwapResponse: ...
    @overload
    def __call__(
        self, action: Literal["BootNotification"], payload: m.BootNotificationRequest, *, timeout: float | None = None, wait: bool = False
    ) -> m.BootNotificationResponse: ...
    @overload
    def __call__(
        self,
        action: Literal["ClearedChargingLimit"],
        payload: m.ClearedChargingLimitRequest,
        *,
        timeout: float | None = None,
        wait: bool = False,
    ) -> m.ClearedChargingLimitResponse: ...
    @overload
    def __call__(
        self,
        action: Literal["ClosePeriodicEventStream"],
        payload: m.ClosePeriodicEventStreamRequest,
        *,
        timeout: float | None = None,
        wait: bool = False,
    ) -> m.ClosePeriodicEventStreamResponse: ...
    @overload
    def __call__(
        self, action: Literal["DataTransfer"], payload: m.DataTransferRequest, *, timeout: float | None = None, wait: bool = False
    ) -> m.DataTransferResponse: ...
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
        self,
        action: Literal["Get15118EVCertificate"],
        payload: m.Get15118EVCertificateRequest,
        *,
        timeout: float | None = None,
        wait: bool = False,
    ) -> m.Get15118EVCertificateResponse: ...
    @overload
    def __call__(
        self,
        action: Literal["GetCertificateChainStatus"],
        payload: m.GetCertificateChainStatusRequest,
        *,
        timeout: float | None = None,
        wait: bool = False,
    ) -> m.GetCertificateChainStatusResponse: ...
    @overload
    def __call__(
        self,
        action: Literal["GetCertificateStatus"],
        payload: m.GetCertificateStatusRequest,
        *,
        timeout: float | None = None,
        wait: bool = False,
    ) -> m.GetCertificateStatusResponse: ...
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
        action: Literal["NotifyChargingLimit"],
        payload: m.NotifyChargingLimitRequest,
        *,
        timeout: float | None = None,
        wait: bool = False,
    ) -> m.NotifyChargingLimitResponse: ...
    @overload
    def __call__(
        self,
        action: Literal["NotifyCustomerInformation"],
        payload: m.NotifyCustomerInformationRequest,
        *,
        timeout: float | None = None,
        wait: bool = False,
    ) -> m.NotifyCustomerInformationResponse: ...
    @overload
    def __call__(
        self, action: Literal["NotifyDERAlarm"], payload: m.NotifyDERAlarmRequest, *, timeout: float | None = None, wait: bool = False
    ) -> m.NotifyDERAlarmResponse: ...
    @overload
    def __call__(
        self,
        action: Literal["NotifyDERStartStop"],
        payload: m.NotifyDERStartStopRequest,
        *,
        timeout: float | None = None,
        wait: bool = False,
    ) -> m.NotifyDERStartStopResponse: ...
    @overload
    def __call__(
        self,
        action: Literal["NotifyDisplayMessages"],
        payload: m.NotifyDisplayMessagesRequest,
        *,
        timeout: float | None = None,
        wait: bool = False,
    ) -> m.NotifyDisplayMessagesResponse: ...
    @overload
    def __call__(
        self,
        action: Literal["NotifyEVChargingNeeds"],
        payload: m.NotifyEVChargingNeedsRequest,
        *,
        timeout: float | None = None,
        wait: bool = False,
    ) -> m.NotifyEVChargingNeedsResponse: ...
    @overload
    def __call__(
        self,
        action: Literal["NotifyEVChargingSchedule"],
        payload: m.NotifyEVChargingScheduleRequest,
        *,
        timeout: float | None = None,
        wait: bool = False,
    ) -> m.NotifyEVChargingScheduleResponse: ...
    @overload
    def __call__(
        self, action: Literal["NotifyEvent"], payload: m.NotifyEventRequest, *, timeout: float | None = None, wait: bool = False
    ) -> m.NotifyEventResponse: ...
    @overload
    def __call__(
        self,
        action: Literal["NotifyMonitoringReport"],
        payload: m.NotifyMonitoringReportRequest,
        *,
        timeout: float | None = None,
        wait: bool = False,
    ) -> m.NotifyMonitoringReportResponse: ...
    @overload
    def __call__(
        self,
        action: Literal["NotifyPriorityCharging"],
        payload: m.NotifyPriorityChargingRequest,
        *,
        timeout: float | None = None,
        wait: bool = False,
    ) -> m.NotifyPriorityChargingResponse: ...
    @overload
    def __call__(
        self, action: Literal["NotifyReport"], payload: m.NotifyReportRequest, *, timeout: float | None = None, wait: bool = False
    ) -> m.NotifyReportResponse: ...
    @overload
    def __call__(
        self, action: Literal["NotifySettlement"], payload: m.NotifySettlementRequest, *, timeout: float | None = None, wait: bool = False
    ) -> m.NotifySettlementResponse: ...
    @overload
    def __call__(
        self,
        action: Literal["OpenPeriodicEventStream"],
        payload: m.OpenPeriodicEventStreamRequest,
        *,
        timeout: float | None = None,
        wait: bool = False,
    ) -> m.OpenPeriodicEventStreamResponse: ...
    @overload
    def __call__(
        self,
        action: Literal["PublishFirmwareStatusNotification"],
        payload: m.PublishFirmwareStatusNotificationRequest,
        *,
        timeout: float | None = None,
        wait: bool = False,
    ) -> m.PublishFirmwareStatusNotificationResponse: ...
    @overload
    def __call__(
        self,
        action: Literal["PullDynamicScheduleUpdate"],
        payload: m.PullDynamicScheduleUpdateRequest,
        *,
        timeout: float | None = None,
        wait: bool = False,
    ) -> m.PullDynamicScheduleUpdateResponse: ...
    @overload
    def __call__(
        self,
        action: Literal["ReportChargingProfiles"],
        payload: m.ReportChargingProfilesRequest,
        *,
        timeout: float | None = None,
        wait: bool = False,
    ) -> m.ReportChargingProfilesResponse: ...
    @overload
    def __call__(
        self, action: Literal["ReportDERControl"], payload: m.ReportDERControlRequest, *, timeout: float | None = None, wait: bool = False
    ) -> m.ReportDERControlResponse: ...
    @overload
    def __call__(
        self,
        action: Literal["ReservationStatusUpdate"],
        payload: m.ReservationStatusUpdateRequest,
        *,
        timeout: float | None = None,
        wait: bool = False,
    ) -> m.ReservationStatusUpdateResponse: ...
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
        action: Literal["StatusNotification"],
        payload: m.StatusNotificationRequest,
        *,
        timeout: float | None = None,
        wait: bool = False,
    ) -> m.StatusNotificationResponse: ...
    @overload
    def __call__(
        self, action: Literal["TransactionEvent"], payload: m.TransactionEventRequest, *, timeout: float | None = None, wait: bool = False
    ) -> m.TransactionEventResponse: ...
    @overload
    def __call__(
        self,
        action: Literal["VatNumberValidation"],
        payload: m.VatNumberValidationRequest,
        *,
        timeout: float | None = None,
        wait: bool = False,
    ) -> m.VatNumberValidationResponse: ...


class StationSend(Protocol):
    """What a charge point sends."""

    def __call__(self, action: Literal["NotifyPeriodicEventStream"], payload: m.NotifyPeriodicEventStreamRequest) -> None:
        """What a charge point sends."""


class StationOn(Protocol):
    """What a charge point handles."""

    @overload
    def __call__(self, name: Literal["AFRRSignal"]) -> Register[m.AFRRSignalRequest, m.AFRRSignalResponse]: ...
    @overload
    def __call__(
        self, name: Literal["AFRRSignal"], handler: Handler[m.AFRRSignalRequest, m.AFRRSignalResponse]
    ) -> Handler[m.AFRRSignalRequest, m.AFRRSignalResponse]: ...
    @overload
    def __call__(
        self, name: Literal["AdjustPeriodicEventStream"]
    ) -> Register[m.AdjustPeriodicEventStreamRequest, m.AdjustPeriodicEventStreamResponse]: ...
    @overload
    def __call__(
        self,
        name: Literal["AdjustPeriodicEventStream"],
        handler: Handler[m.AdjustPeriodicEventStreamRequest, m.AdjustPeriodicEventStreamResponse],
    ) -> Handler[m.AdjustPeriodicEventStreamRequest, m.AdjustPeriodicEventStreamResponse]: ...
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
    def __call__(
        self, name: Literal["ChangeTransactionTariff"]
    ) -> Register[m.ChangeTransactionTariffRequest, m.ChangeTransactionTariffResponse]: ...
    @overload
    def __call__(
        self,
        name: Literal["ChangeTransactionTariff"],
        handler: Handler[m.ChangeTransactionTariffRequest, m.ChangeTransactionTariffResponse],
    ) -> Handler[m.ChangeTransactionTariffRequest, m.ChangeTransactionTariffResponse]: ...
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
    def __call__(self, name: Literal["ClearDERControl"]) -> Register[m.ClearDERControlRequest, m.ClearDERControlResponse]: ...
    @overload
    def __call__(
        self, name: Literal["ClearDERControl"], handler: Handler[m.ClearDERControlRequest, m.ClearDERControlResponse]
    ) -> Handler[m.ClearDERControlRequest, m.ClearDERControlResponse]: ...
    @overload
    def __call__(self, name: Literal["ClearDisplayMessage"]) -> Register[m.ClearDisplayMessageRequest, m.ClearDisplayMessageResponse]: ...
    @overload
    def __call__(
        self, name: Literal["ClearDisplayMessage"], handler: Handler[m.ClearDisplayMessageRequest, m.ClearDisplayMessageResponse]
    ) -> Handler[m.ClearDisplayMessageRequest, m.ClearDisplayMessageResponse]: ...
    @overload
    def __call__(self, name: Literal["ClearTariffs"]) -> Register[m.ClearTariffsRequest, m.ClearTariffsResponse]: ...
    @overload
    def __call__(
        self, name: Literal["ClearTariffs"], handler: Handler[m.ClearTariffsRequest, m.ClearTariffsResponse]
    ) -> Handler[m.ClearTariffsRequest, m.ClearTariffsResponse]: ...
    @overload
    def __call__(
        self, name: Literal["ClearVariableMonitoring"]
    ) -> Register[m.ClearVariableMonitoringRequest, m.ClearVariableMonitoringResponse]: ...
    @overload
    def __call__(
        self,
        name: Literal["ClearVariableMonitoring"],
        handler: Handler[m.ClearVariableMonitoringRequest, m.ClearVariableMonitoringResponse],
    ) -> Handler[m.ClearVariableMonitoringRequest, m.ClearVariableMonitoringResponse]: ...
    @overload
    def __call__(self, name: Literal["CostUpdated"]) -> Register[m.CostUpdatedRequest, m.CostUpdatedResponse | None]: ...
    @overload
    def __call__(
        self, name: Literal["CostUpdated"], handler: Handler[m.CostUpdatedRequest, m.CostUpdatedResponse | None]
    ) -> Handler[m.CostUpdatedRequest, m.CostUpdatedResponse | None]: ...
    @overload
    def __call__(self, name: Literal["CustomerInformation"]) -> Register[m.CustomerInformationRequest, m.CustomerInformationResponse]: ...
    @overload
    def __call__(
        self, name: Literal["CustomerInformation"], handler: Handler[m.CustomerInformationRequest, m.CustomerInformationResponse]
    ) -> Handler[m.CustomerInformationRequest, m.CustomerInformationResponse]: ...
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
    def __call__(self, name: Literal["GetBaseReport"]) -> Register[m.GetBaseReportRequest, m.GetBaseReportResponse]: ...
    @overload
    def __call__(
        self, name: Literal["GetBaseReport"], handler: Handler[m.GetBaseReportRequest, m.GetBaseReportResponse]
    ) -> Handler[m.GetBaseReportRequest, m.GetBaseReportResponse]: ...
    @overload
    def __call__(self, name: Literal["GetChargingProfiles"]) -> Register[m.GetChargingProfilesRequest, m.GetChargingProfilesResponse]: ...
    @overload
    def __call__(
        self, name: Literal["GetChargingProfiles"], handler: Handler[m.GetChargingProfilesRequest, m.GetChargingProfilesResponse]
    ) -> Handler[m.GetChargingProfilesRequest, m.GetChargingProfilesResponse]: ...
    @overload
    def __call__(
        self, name: Literal["GetCompositeSchedule"]
    ) -> Register[m.GetCompositeScheduleRequest, m.GetCompositeScheduleResponse]: ...
    @overload
    def __call__(
        self, name: Literal["GetCompositeSchedule"], handler: Handler[m.GetCompositeScheduleRequest, m.GetCompositeScheduleResponse]
    ) -> Handler[m.GetCompositeScheduleRequest, m.GetCompositeScheduleResponse]: ...
    @overload
    def __call__(self, name: Literal["GetDERControl"]) -> Register[m.GetDERControlRequest, m.GetDERControlResponse]: ...
    @overload
    def __call__(
        self, name: Literal["GetDERControl"], handler: Handler[m.GetDERControlRequest, m.GetDERControlResponse]
    ) -> Handler[m.GetDERControlRequest, m.GetDERControlResponse]: ...
    @overload
    def __call__(self, name: Literal["GetDisplayMessages"]) -> Register[m.GetDisplayMessagesRequest, m.GetDisplayMessagesResponse]: ...
    @overload
    def __call__(
        self, name: Literal["GetDisplayMessages"], handler: Handler[m.GetDisplayMessagesRequest, m.GetDisplayMessagesResponse]
    ) -> Handler[m.GetDisplayMessagesRequest, m.GetDisplayMessagesResponse]: ...
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
    def __call__(self, name: Literal["GetMonitoringReport"]) -> Register[m.GetMonitoringReportRequest, m.GetMonitoringReportResponse]: ...
    @overload
    def __call__(
        self, name: Literal["GetMonitoringReport"], handler: Handler[m.GetMonitoringReportRequest, m.GetMonitoringReportResponse]
    ) -> Handler[m.GetMonitoringReportRequest, m.GetMonitoringReportResponse]: ...
    @overload
    def __call__(
        self, name: Literal["GetPeriodicEventStream"]
    ) -> Register[m.GetPeriodicEventStreamRequest, m.GetPeriodicEventStreamResponse | None]: ...
    @overload
    def __call__(
        self,
        name: Literal["GetPeriodicEventStream"],
        handler: Handler[m.GetPeriodicEventStreamRequest, m.GetPeriodicEventStreamResponse | None],
    ) -> Handler[m.GetPeriodicEventStreamRequest, m.GetPeriodicEventStreamResponse | None]: ...
    @overload
    def __call__(self, name: Literal["GetReport"]) -> Register[m.GetReportRequest, m.GetReportResponse]: ...
    @overload
    def __call__(
        self, name: Literal["GetReport"], handler: Handler[m.GetReportRequest, m.GetReportResponse]
    ) -> Handler[m.GetReportRequest, m.GetReportResponse]: ...
    @overload
    def __call__(self, name: Literal["GetTariffs"]) -> Register[m.GetTariffsRequest, m.GetTariffsResponse]: ...
    @overload
    def __call__(
        self, name: Literal["GetTariffs"], handler: Handler[m.GetTariffsRequest, m.GetTariffsResponse]
    ) -> Handler[m.GetTariffsRequest, m.GetTariffsResponse]: ...
    @overload
    def __call__(
        self, name: Literal["GetTransactionStatus"]
    ) -> Register[m.GetTransactionStatusRequest, m.GetTransactionStatusResponse]: ...
    @overload
    def __call__(
        self, name: Literal["GetTransactionStatus"], handler: Handler[m.GetTransactionStatusRequest, m.GetTransactionStatusResponse]
    ) -> Handler[m.GetTransactionStatusRequest, m.GetTransactionStatusResponse]: ...
    @overload
    def __call__(self, name: Literal["GetVariables"]) -> Register[m.GetVariablesRequest, m.GetVariablesResponse]: ...
    @overload
    def __call__(
        self, name: Literal["GetVariables"], handler: Handler[m.GetVariablesRequest, m.GetVariablesResponse]
    ) -> Handler[m.GetVariablesRequest, m.GetVariablesResponse]: ...
    @overload
    def __call__(self, name: Literal["InstallCertificate"]) -> Register[m.InstallCertificateRequest, m.InstallCertificateResponse]: ...
    @overload
    def __call__(
        self, name: Literal["InstallCertificate"], handler: Handler[m.InstallCertificateRequest, m.InstallCertificateResponse]
    ) -> Handler[m.InstallCertificateRequest, m.InstallCertificateResponse]: ...
    @overload
    def __call__(
        self, name: Literal["NotifyAllowedEnergyTransfer"]
    ) -> Register[m.NotifyAllowedEnergyTransferRequest, m.NotifyAllowedEnergyTransferResponse]: ...
    @overload
    def __call__(
        self,
        name: Literal["NotifyAllowedEnergyTransfer"],
        handler: Handler[m.NotifyAllowedEnergyTransferRequest, m.NotifyAllowedEnergyTransferResponse],
    ) -> Handler[m.NotifyAllowedEnergyTransferRequest, m.NotifyAllowedEnergyTransferResponse]: ...
    @overload
    def __call__(
        self, name: Literal["NotifyWebPaymentStarted"]
    ) -> Register[m.NotifyWebPaymentStartedRequest, m.NotifyWebPaymentStartedResponse | None]: ...
    @overload
    def __call__(
        self,
        name: Literal["NotifyWebPaymentStarted"],
        handler: Handler[m.NotifyWebPaymentStartedRequest, m.NotifyWebPaymentStartedResponse | None],
    ) -> Handler[m.NotifyWebPaymentStartedRequest, m.NotifyWebPaymentStartedResponse | None]: ...
    @overload
    def __call__(self, name: Literal["PublishFirmware"]) -> Register[m.PublishFirmwareRequest, m.PublishFirmwareResponse]: ...
    @overload
    def __call__(
        self, name: Literal["PublishFirmware"], handler: Handler[m.PublishFirmwareRequest, m.PublishFirmwareResponse]
    ) -> Handler[m.PublishFirmwareRequest, m.PublishFirmwareResponse]: ...
    @overload
    def __call__(self, name: Literal["RequestBatterySwap"]) -> Register[m.RequestBatterySwapRequest, m.RequestBatterySwapResponse]: ...
    @overload
    def __call__(
        self, name: Literal["RequestBatterySwap"], handler: Handler[m.RequestBatterySwapRequest, m.RequestBatterySwapResponse]
    ) -> Handler[m.RequestBatterySwapRequest, m.RequestBatterySwapResponse]: ...
    @overload
    def __call__(
        self, name: Literal["RequestStartTransaction"]
    ) -> Register[m.RequestStartTransactionRequest, m.RequestStartTransactionResponse]: ...
    @overload
    def __call__(
        self,
        name: Literal["RequestStartTransaction"],
        handler: Handler[m.RequestStartTransactionRequest, m.RequestStartTransactionResponse],
    ) -> Handler[m.RequestStartTransactionRequest, m.RequestStartTransactionResponse]: ...
    @overload
    def __call__(
        self, name: Literal["RequestStopTransaction"]
    ) -> Register[m.RequestStopTransactionRequest, m.RequestStopTransactionResponse]: ...
    @overload
    def __call__(
        self, name: Literal["RequestStopTransaction"], handler: Handler[m.RequestStopTransactionRequest, m.RequestStopTransactionResponse]
    ) -> Handler[m.RequestStopTransactionRequest, m.RequestStopTransactionResponse]: ...
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
    def __call__(self, name: Literal["SetDERControl"]) -> Register[m.SetDERControlRequest, m.SetDERControlResponse]: ...
    @overload
    def __call__(
        self, name: Literal["SetDERControl"], handler: Handler[m.SetDERControlRequest, m.SetDERControlResponse]
    ) -> Handler[m.SetDERControlRequest, m.SetDERControlResponse]: ...
    @overload
    def __call__(self, name: Literal["SetDefaultTariff"]) -> Register[m.SetDefaultTariffRequest, m.SetDefaultTariffResponse]: ...
    @overload
    def __call__(
        self, name: Literal["SetDefaultTariff"], handler: Handler[m.SetDefaultTariffRequest, m.SetDefaultTariffResponse]
    ) -> Handler[m.SetDefaultTariffRequest, m.SetDefaultTariffResponse]: ...
    @overload
    def __call__(self, name: Literal["SetDisplayMessage"]) -> Register[m.SetDisplayMessageRequest, m.SetDisplayMessageResponse]: ...
    @overload
    def __call__(
        self, name: Literal["SetDisplayMessage"], handler: Handler[m.SetDisplayMessageRequest, m.SetDisplayMessageResponse]
    ) -> Handler[m.SetDisplayMessageRequest, m.SetDisplayMessageResponse]: ...
    @overload
    def __call__(self, name: Literal["SetMonitoringBase"]) -> Register[m.SetMonitoringBaseRequest, m.SetMonitoringBaseResponse]: ...
    @overload
    def __call__(
        self, name: Literal["SetMonitoringBase"], handler: Handler[m.SetMonitoringBaseRequest, m.SetMonitoringBaseResponse]
    ) -> Handler[m.SetMonitoringBaseRequest, m.SetMonitoringBaseResponse]: ...
    @overload
    def __call__(self, name: Literal["SetMonitoringLevel"]) -> Register[m.SetMonitoringLevelRequest, m.SetMonitoringLevelResponse]: ...
    @overload
    def __call__(
        self, name: Literal["SetMonitoringLevel"], handler: Handler[m.SetMonitoringLevelRequest, m.SetMonitoringLevelResponse]
    ) -> Handler[m.SetMonitoringLevelRequest, m.SetMonitoringLevelResponse]: ...
    @overload
    def __call__(self, name: Literal["SetNetworkProfile"]) -> Register[m.SetNetworkProfileRequest, m.SetNetworkProfileResponse]: ...
    @overload
    def __call__(
        self, name: Literal["SetNetworkProfile"], handler: Handler[m.SetNetworkProfileRequest, m.SetNetworkProfileResponse]
    ) -> Handler[m.SetNetworkProfileRequest, m.SetNetworkProfileResponse]: ...
    @overload
    def __call__(
        self, name: Literal["SetVariableMonitoring"]
    ) -> Register[m.SetVariableMonitoringRequest, m.SetVariableMonitoringResponse]: ...
    @overload
    def __call__(
        self, name: Literal["SetVariableMonitoring"], handler: Handler[m.SetVariableMonitoringRequest, m.SetVariableMonitoringResponse]
    ) -> Handler[m.SetVariableMonitoringRequest, m.SetVariableMonitoringResponse]: ...
    @overload
    def __call__(self, name: Literal["SetVariables"]) -> Register[m.SetVariablesRequest, m.SetVariablesResponse]: ...
    @overload
    def __call__(
        self, name: Literal["SetVariables"], handler: Handler[m.SetVariablesRequest, m.SetVariablesResponse]
    ) -> Handler[m.SetVariablesRequest, m.SetVariablesResponse]: ...
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
    def __call__(self, name: Literal["UnpublishFirmware"]) -> Register[m.UnpublishFirmwareRequest, m.UnpublishFirmwareResponse]: ...
    @overload
    def __call__(
        self, name: Literal["UnpublishFirmware"], handler: Handler[m.UnpublishFirmwareRequest, m.UnpublishFirmwareResponse]
    ) -> Handler[m.UnpublishFirmwareRequest, m.UnpublishFirmwareResponse]: ...
    @overload
    def __call__(
        self, name: Literal["UpdateDynamicSchedule"]
    ) -> Register[m.UpdateDynamicScheduleRequest, m.UpdateDynamicScheduleResponse]: ...
    @overload
    def __call__(
        self, name: Literal["UpdateDynamicSchedule"], handler: Handler[m.UpdateDynamicScheduleRequest, m.UpdateDynamicScheduleResponse]
    ) -> Handler[m.UpdateDynamicScheduleRequest, m.UpdateDynamicScheduleResponse]: ...
    @overload
    def __call__(self, name: Literal["UpdateFirmware"]) -> Register[m.UpdateFirmwareRequest, m.UpdateFirmwareResponse]: ...
    @overload
    def __call__(
        self, name: Literal["UpdateFirmware"], handler: Handler[m.UpdateFirmwareRequest, m.UpdateFirmwareResponse]
    ) -> Handler[m.UpdateFirmwareRequest, m.UpdateFirmwareResponse]: ...
    @overload
    def __call__(self, name: Literal["UsePriorityCharging"]) -> Register[m.UsePriorityChargingRequest, m.UsePriorityChargingResponse]: ...
    @overload
    def __call__(
        self, name: Literal["UsePriorityCharging"], handler: Handler[m.UsePriorityChargingRequest, m.UsePriorityChargingResponse]
    ) -> Handler[m.UsePriorityChargingRequest, m.UsePriorityChargingResponse]: ...
    @overload
    def __call__(self, name: Literal["*", "connect", "registration", "outbox", "close", "error", "frame"]) -> Callable[[_H], _H]: ...
    @overload
    def __call__(self, name: Literal["*", "connect", "registration", "outbox", "close", "error", "frame"], handler: _H) -> _H: ...


class StationApi(Protocol):
    """The functions of a charge point."""

    def Authorize(
        self, *, timeout: float | None = None, wait: bool = False, **fields: Unpack[m.AuthorizeRequest]
    ) -> m.AuthorizeResponse: ...
    def BatterySwap(
        self, *, timeout: float | None = None, wait: bool = False, **fields: Unpack[m.BatterySwapRequest]
    ) -> m.BatterySwapResponse: ...
    def BootNotification(
        self, *, timeout: float | None = None, wait: bool = False, **fields: Unpack[m.BootNotificationRequest]
    ) -> m.BootNotificationResponse: ...
    def ClearedChargingLimit(
        self, *, timeout: float | None = None, wait: bool = False, **fields: Unpack[m.ClearedChargingLimitRequest]
    ) -> m.ClearedChargingLimitResponse: ...
    def ClosePeriodicEventStream(
        self, *, timeout: float | None = None, wait: bool = False, **fields: Unpack[m.ClosePeriodicEventStreamRequest]
    ) -> m.ClosePeriodicEventStreamResponse: ...
    def DataTransfer(
        self, *, timeout: float | None = None, wait: bool = False, **fields: Unpack[m.DataTransferRequest]
    ) -> m.DataTransferResponse: ...
    def FirmwareStatusNotification(
        self, *, timeout: float | None = None, wait: bool = False, **fields: Unpack[m.FirmwareStatusNotificationRequest]
    ) -> m.FirmwareStatusNotificationResponse: ...
    def Get15118EVCertificate(
        self, *, timeout: float | None = None, wait: bool = False, **fields: Unpack[m.Get15118EVCertificateRequest]
    ) -> m.Get15118EVCertificateResponse: ...
    def GetCertificateChainStatus(
        self, *, timeout: float | None = None, wait: bool = False, **fields: Unpack[m.GetCertificateChainStatusRequest]
    ) -> m.GetCertificateChainStatusResponse: ...
    def GetCertificateStatus(
        self, *, timeout: float | None = None, wait: bool = False, **fields: Unpack[m.GetCertificateStatusRequest]
    ) -> m.GetCertificateStatusResponse: ...
    def Heartbeat(
        self, *, timeout: float | None = None, wait: bool = False, **fields: Unpack[m.HeartbeatRequest]
    ) -> m.HeartbeatResponse: ...
    def LogStatusNotification(
        self, *, timeout: float | None = None, wait: bool = False, **fields: Unpack[m.LogStatusNotificationRequest]
    ) -> m.LogStatusNotificationResponse: ...
    def MeterValues(
        self, *, timeout: float | None = None, wait: bool = False, **fields: Unpack[m.MeterValuesRequest]
    ) -> m.MeterValuesResponse: ...
    def NotifyChargingLimit(
        self, *, timeout: float | None = None, wait: bool = False, **fields: Unpack[m.NotifyChargingLimitRequest]
    ) -> m.NotifyChargingLimitResponse: ...
    def NotifyCustomerInformation(
        self, *, timeout: float | None = None, wait: bool = False, **fields: Unpack[m.NotifyCustomerInformationRequest]
    ) -> m.NotifyCustomerInformationResponse: ...
    def NotifyDERAlarm(
        self, *, timeout: float | None = None, wait: bool = False, **fields: Unpack[m.NotifyDERAlarmRequest]
    ) -> m.NotifyDERAlarmResponse: ...
    def NotifyDERStartStop(
        self, *, timeout: float | None = None, wait: bool = False, **fields: Unpack[m.NotifyDERStartStopRequest]
    ) -> m.NotifyDERStartStopResponse: ...
    def NotifyDisplayMessages(
        self, *, timeout: float | None = None, wait: bool = False, **fields: Unpack[m.NotifyDisplayMessagesRequest]
    ) -> m.NotifyDisplayMessagesResponse: ...
    def NotifyEVChargingNeeds(
        self, *, timeout: float | None = None, wait: bool = False, **fields: Unpack[m.NotifyEVChargingNeedsRequest]
    ) -> m.NotifyEVChargingNeedsResponse: ...
    def NotifyEVChargingSchedule(
        self, *, timeout: float | None = None, wait: bool = False, **fields: Unpack[m.NotifyEVChargingScheduleRequest]
    ) -> m.NotifyEVChargingScheduleResponse: ...
    def NotifyEvent(
        self, *, timeout: float | None = None, wait: bool = False, **fields: Unpack[m.NotifyEventRequest]
    ) -> m.NotifyEventResponse: ...
    def NotifyMonitoringReport(
        self, *, timeout: float | None = None, wait: bool = False, **fields: Unpack[m.NotifyMonitoringReportRequest]
    ) -> m.NotifyMonitoringReportResponse: ...
    def NotifyPeriodicEventStream(self, **fields: Unpack[m.NotifyPeriodicEventStreamRequest]) -> None: ...
    def NotifyPriorityCharging(
        self, *, timeout: float | None = None, wait: bool = False, **fields: Unpack[m.NotifyPriorityChargingRequest]
    ) -> m.NotifyPriorityChargingResponse: ...
    def NotifyReport(
        self, *, timeout: float | None = None, wait: bool = False, **fields: Unpack[m.NotifyReportRequest]
    ) -> m.NotifyReportResponse: ...
    def NotifySettlement(
        self, *, timeout: float | None = None, wait: bool = False, **fields: Unpack[m.NotifySettlementRequest]
    ) -> m.NotifySettlementResponse: ...
    def OpenPeriodicEventStream(
        self, *, timeout: float | None = None, wait: bool = False, **fields: Unpack[m.OpenPeriodicEventStreamRequest]
    ) -> m.OpenPeriodicEventStreamResponse: ...
    def PublishFirmwareStatusNotification(
        self, *, timeout: float | None = None, wait: bool = False, **fields: Unpack[m.PublishFirmwareStatusNotificationRequest]
    ) -> m.PublishFirmwareStatusNotificationResponse: ...
    def PullDynamicScheduleUpdate(
        self, *, timeout: float | None = None, wait: bool = False, **fields: Unpack[m.PullDynamicScheduleUpdateRequest]
    ) -> m.PullDynamicScheduleUpdateResponse: ...
    def ReportChargingProfiles(
        self, *, timeout: float | None = None, wait: bool = False, **fields: Unpack[m.ReportChargingProfilesRequest]
    ) -> m.ReportChargingProfilesResponse: ...
    def ReportDERControl(
        self, *, timeout: float | None = None, wait: bool = False, **fields: Unpack[m.ReportDERControlRequest]
    ) -> m.ReportDERControlResponse: ...
    def ReservationStatusUpdate(
        self, *, timeout: float | None = None, wait: bool = False, **fields: Unpack[m.ReservationStatusUpdateRequest]
    ) -> m.ReservationStatusUpdateResponse: ...
    def SecurityEventNotification(
        self, *, timeout: float | None = None, wait: bool = False, **fields: Unpack[m.SecurityEventNotificationRequest]
    ) -> m.SecurityEventNotificationResponse: ...
    def SignCertificate(
        self, *, timeout: float | None = None, wait: bool = False, **fields: Unpack[m.SignCertificateRequest]
    ) -> m.SignCertificateResponse: ...
    def StatusNotification(
        self, *, timeout: float | None = None, wait: bool = False, **fields: Unpack[m.StatusNotificationRequest]
    ) -> m.StatusNotificationResponse: ...
    def TransactionEvent(
        self, *, timeout: float | None = None, wait: bool = False, **fields: Unpack[m.TransactionEventRequest]
    ) -> m.TransactionEventResponse: ...
    def VatNumberValidation(
        self, *, timeout: float | None = None, wait: bool = False, **fields: Unpack[m.VatNumberValidationRequest]
    ) -> m.VatNumberValidationResponse: ...


class CsmsCall(Protocol):
    """What the CSMS calls."""

    @overload
    def __call__(
        self, action: Literal["AFRRSignal"], payload: m.AFRRSignalRequest, *, timeout: float | None = None
    ) -> m.AFRRSignalResponse: ...
    @overload
    def __call__(
        self, action: Literal["AdjustPeriodicEventStream"], payload: m.AdjustPeriodicEventStreamRequest, *, timeout: float | None = None
    ) -> m.AdjustPeriodicEventStreamResponse: ...
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
        self, action: Literal["ChangeTransactionTariff"], payload: m.ChangeTransactionTariffRequest, *, timeout: float | None = None
    ) -> m.ChangeTransactionTariffResponse: ...
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
        self, action: Literal["ClearDERControl"], payload: m.ClearDERControlRequest, *, timeout: float | None = None
    ) -> m.ClearDERControlResponse: ...
    @overload
    def __call__(
        self, action: Literal["ClearDisplayMessage"], payload: m.ClearDisplayMessageRequest, *, timeout: float | None = None
    ) -> m.ClearDisplayMessageResponse: ...
    @overload
    def __call__(
        self, action: Literal["ClearTariffs"], payload: m.ClearTariffsRequest | None = None, *, timeout: float | None = None
    ) -> m.ClearTariffsResponse: ...
    @overload
    def __call__(
        self, action: Literal["ClearVariableMonitoring"], payload: m.ClearVariableMonitoringRequest, *, timeout: float | None = None
    ) -> m.ClearVariableMonitoringResponse: ...
    @overload
    def __call__(
        self, action: Literal["CostUpdated"], payload: m.CostUpdatedRequest, *, timeout: float | None = None
    ) -> m.CostUpdatedResponse: ...
    @overload
    def __call__(
        self, action: Literal["CustomerInformation"], payload: m.CustomerInformationRequest, *, timeout: float | None = None
    ) -> m.CustomerInformationResponse: ...
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
        self, action: Literal["GetBaseReport"], payload: m.GetBaseReportRequest, *, timeout: float | None = None
    ) -> m.GetBaseReportResponse: ...
    @overload
    def __call__(
        self, action: Literal["GetChargingProfiles"], payload: m.GetChargingProfilesRequest, *, timeout: float | None = None
    ) -> m.GetChargingProfilesResponse: ...
    @overload
    def __call__(
        self, action: Literal["GetCompositeSchedule"], payload: m.GetCompositeScheduleRequest, *, timeout: float | None = None
    ) -> m.GetCompositeScheduleResponse: ...
    @overload
    def __call__(
        self, action: Literal["GetDERControl"], payload: m.GetDERControlRequest, *, timeout: float | None = None
    ) -> m.GetDERControlResponse: ...
    @overload
    def __call__(
        self, action: Literal["GetDisplayMessages"], payload: m.GetDisplayMessagesRequest, *, timeout: float | None = None
    ) -> m.GetDisplayMessagesResponse: ...
    @overload
    def __call__(
        self,
        action: Literal["GetInstalledCertificateIds"],
        payload: m.GetInstalledCertificateIdsRequest | None = None,
        *,
        timeout: float | None = None,
    ) -> m.GetInstalledCertificateIdsResponse: ...
    @overload
    def __call__(
        self, action: Literal["GetLocalListVersion"], payload: m.GetLocalListVersionRequest | None = None, *, timeout: float | None = None
    ) -> m.GetLocalListVersionResponse: ...
    @overload
    def __call__(self, action: Literal["GetLog"], payload: m.GetLogRequest, *, timeout: float | None = None) -> m.GetLogResponse: ...
    @overload
    def __call__(
        self, action: Literal["GetMonitoringReport"], payload: m.GetMonitoringReportRequest, *, timeout: float | None = None
    ) -> m.GetMonitoringReportResponse: ...
    @overload
    def __call__(
        self,
        action: Literal["GetPeriodicEventStream"],
        payload: m.GetPeriodicEventStreamRequest | None = None,
        *,
        timeout: float | None = None,
    ) -> m.GetPeriodicEventStreamResponse: ...
    @overload
    def __call__(
        self, action: Literal["GetReport"], payload: m.GetReportRequest, *, timeout: float | None = None
    ) -> m.GetReportResponse: ...
    @overload
    def __call__(
        self, action: Literal["GetTariffs"], payload: m.GetTariffsRequest, *, timeout: float | None = None
    ) -> m.GetTariffsResponse: ...
    @overload
    def __call__(
        self, action: Literal["GetTransactionStatus"], payload: m.GetTransactionStatusRequest | None = None, *, timeout: float | None = None
    ) -> m.GetTransactionStatusResponse: ...
    @overload
    def __call__(
        self, action: Literal["GetVariables"], payload: m.GetVariablesRequest, *, timeout: float | None = None
    ) -> m.GetVariablesResponse: ...
    @overload
    def __call__(
        self, action: Literal["InstallCertificate"], payload: m.InstallCertificateRequest, *, timeout: float | None = None
    ) -> m.InstallCertificateResponse: ...
    @overload
    def __call__(
        self, action: Literal["NotifyAllowedEnergyTransfer"], payload: m.NotifyAllowedEnergyTransferRequest, *, timeout: float | None = None
    ) -> m.NotifyAllowedEnergyTransferResponse: ...
    @overload
    def __call__(
        self, action: Literal["NotifyWebPaymentStarted"], payload: m.NotifyWebPaymentStartedRequest, *, timeout: float | None = None
    ) -> m.NotifyWebPaymentStartedResponse: ...
    @overload
    def __call__(
        self, action: Literal["PublishFirmware"], payload: m.PublishFirmwareRequest, *, timeout: float | None = None
    ) -> m.PublishFirmwareResponse: ...
    @overload
    def __call__(
        self, action: Literal["RequestBatterySwap"], payload: m.RequestBatterySwapRequest, *, timeout: float | None = None
    ) -> m.RequestBatterySwapResponse: ...
    @overload
    def __call__(
        self, action: Literal["RequestStartTransaction"], payload: m.RequestStartTransactionRequest, *, timeout: float | None = None
    ) -> m.RequestStartTransactionResponse: ...
    @overload
    def __call__(
        self, action: Literal["RequestStopTransaction"], payload: m.RequestStopTransactionRequest, *, timeout: float | None = None
    ) -> m.RequestStopTransactionResponse: ...
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
        self, action: Literal["SetDERControl"], payload: m.SetDERControlRequest, *, timeout: float | None = None
    ) -> m.SetDERControlResponse: ...
    @overload
    def __call__(
        self, action: Literal["SetDefaultTariff"], payload: m.SetDefaultTariffRequest, *, timeout: float | None = None
    ) -> m.SetDefaultTariffResponse: ...
    @overload
    def __call__(
        self, action: Literal["SetDisplayMessage"], payload: m.SetDisplayMessageRequest, *, timeout: float | None = None
    ) -> m.SetDisplayMessageResponse: ...
    @overload
    def __call__(
        self, action: Literal["SetMonitoringBase"], payload: m.SetMonitoringBaseRequest, *, timeout: float | None = None
    ) -> m.SetMonitoringBaseResponse: ...
    @overload
    def __call__(
        self, action: Literal["SetMonitoringLevel"], payload: m.SetMonitoringLevelRequest, *, timeout: float | None = None
    ) -> m.SetMonitoringLevelResponse: ...
    @overload
    def __call__(
        self, action: Literal["SetNetworkProfile"], payload: m.SetNetworkProfileRequest, *, timeout: float | None = None
    ) -> m.SetNetworkProfileResponse: ...
    @overload
    def __call__(
        self, action: Literal["SetVariableMonitoring"], payload: m.SetVariableMonitoringRequest, *, timeout: float | None = None
    ) -> m.SetVariableMonitoringResponse: ...
    @overload
    def __call__(
        self, action: Literal["SetVariables"], payload: m.SetVariablesRequest, *, timeout: float | None = None
    ) -> m.SetVariablesResponse: ...
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
        self, action: Literal["UnpublishFirmware"], payload: m.UnpublishFirmwareRequest, *, timeout: float | None = None
    ) -> m.UnpublishFirmwareResponse: ...
    @overload
    def __call__(
        self, action: Literal["UpdateDynamicSchedule"], payload: m.UpdateDynamicScheduleRequest, *, timeout: float | None = None
    ) -> m.UpdateDynamicScheduleResponse: ...
    @overload
    def __call__(
        self, action: Literal["UpdateFirmware"], payload: m.UpdateFirmwareRequest, *, timeout: float | None = None
    ) -> m.UpdateFirmwareResponse: ...
    @overload
    def __call__(
        self, action: Literal["UsePriorityCharging"], payload: m.UsePriorityChargingRequest, *, timeout: float | None = None
    ) -> m.UsePriorityChargingResponse: ...


class CsmsOn(Protocol):
    """What the CSMS handles."""

    @overload
    def __call__(self, name: Literal["Authorize"]) -> Register[m.AuthorizeRequest, m.AuthorizeResponse]: ...
    @overload
    def __call__(
        self, name: Literal["Authorize"], handler: Handler[m.AuthorizeRequest, m.AuthorizeResponse]
    ) -> Handler[m.AuthorizeRequest, m.AuthorizeResponse]: ...
    @overload
    def __call__(self, name: Literal["BatterySwap"]) -> Register[m.BatterySwapRequest, m.BatterySwapResponse | None]: ...
    @overload
    def __call__(
        self, name: Literal["BatterySwap"], handler: Handler[m.BatterySwapRequest, m.BatterySwapResponse | None]
    ) -> Handler[m.BatterySwapRequest, m.BatterySwapResponse | None]: ...
    @overload
    def __call__(self, name: Literal["BootNotification"]) -> Register[m.BootNotificationRequest, m.BootNotificationResponse]: ...
    @overload
    def __call__(
        self, name: Literal["BootNotification"], handler: Handler[m.BootNotificationRequest, m.BootNotificationResponse]
    ) -> Handler[m.BootNotificationRequest, m.BootNotificationResponse]: ...
    @overload
    def __call__(
        self, name: Literal["ClearedChargingLimit"]
    ) -> Register[m.ClearedChargingLimitRequest, m.ClearedChargingLimitResponse | None]: ...
    @overload
    def __call__(
        self, name: Literal["ClearedChargingLimit"], handler: Handler[m.ClearedChargingLimitRequest, m.ClearedChargingLimitResponse | None]
    ) -> Handler[m.ClearedChargingLimitRequest, m.ClearedChargingLimitResponse | None]: ...
    @overload
    def __call__(
        self, name: Literal["ClosePeriodicEventStream"]
    ) -> Register[m.ClosePeriodicEventStreamRequest, m.ClosePeriodicEventStreamResponse | None]: ...
    @overload
    def __call__(
        self,
        name: Literal["ClosePeriodicEventStream"],
        handler: Handler[m.ClosePeriodicEventStreamRequest, m.ClosePeriodicEventStreamResponse | None],
    ) -> Handler[m.ClosePeriodicEventStreamRequest, m.ClosePeriodicEventStreamResponse | None]: ...
    @overload
    def __call__(self, name: Literal["DataTransfer"]) -> Register[m.DataTransferRequest, m.DataTransferResponse]: ...
    @overload
    def __call__(
        self, name: Literal["DataTransfer"], handler: Handler[m.DataTransferRequest, m.DataTransferResponse]
    ) -> Handler[m.DataTransferRequest, m.DataTransferResponse]: ...
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
    def __call__(
        self, name: Literal["Get15118EVCertificate"]
    ) -> Register[m.Get15118EVCertificateRequest, m.Get15118EVCertificateResponse]: ...
    @overload
    def __call__(
        self, name: Literal["Get15118EVCertificate"], handler: Handler[m.Get15118EVCertificateRequest, m.Get15118EVCertificateResponse]
    ) -> Handler[m.Get15118EVCertificateRequest, m.Get15118EVCertificateResponse]: ...
    @overload
    def __call__(
        self, name: Literal["GetCertificateChainStatus"]
    ) -> Register[m.GetCertificateChainStatusRequest, m.GetCertificateChainStatusResponse]: ...
    @overload
    def __call__(
        self,
        name: Literal["GetCertificateChainStatus"],
        handler: Handler[m.GetCertificateChainStatusRequest, m.GetCertificateChainStatusResponse],
    ) -> Handler[m.GetCertificateChainStatusRequest, m.GetCertificateChainStatusResponse]: ...
    @overload
    def __call__(
        self, name: Literal["GetCertificateStatus"]
    ) -> Register[m.GetCertificateStatusRequest, m.GetCertificateStatusResponse]: ...
    @overload
    def __call__(
        self, name: Literal["GetCertificateStatus"], handler: Handler[m.GetCertificateStatusRequest, m.GetCertificateStatusResponse]
    ) -> Handler[m.GetCertificateStatusRequest, m.GetCertificateStatusResponse]: ...
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
        self, name: Literal["NotifyChargingLimit"]
    ) -> Register[m.NotifyChargingLimitRequest, m.NotifyChargingLimitResponse | None]: ...
    @overload
    def __call__(
        self, name: Literal["NotifyChargingLimit"], handler: Handler[m.NotifyChargingLimitRequest, m.NotifyChargingLimitResponse | None]
    ) -> Handler[m.NotifyChargingLimitRequest, m.NotifyChargingLimitResponse | None]: ...
    @overload
    def __call__(
        self, name: Literal["NotifyCustomerInformation"]
    ) -> Register[m.NotifyCustomerInformationRequest, m.NotifyCustomerInformationResponse | None]: ...
    @overload
    def __call__(
        self,
        name: Literal["NotifyCustomerInformation"],
        handler: Handler[m.NotifyCustomerInformationRequest, m.NotifyCustomerInformationResponse | None],
    ) -> Handler[m.NotifyCustomerInformationRequest, m.NotifyCustomerInformationResponse | None]: ...
    @overload
    def __call__(self, name: Literal["NotifyDERAlarm"]) -> Register[m.NotifyDERAlarmRequest, m.NotifyDERAlarmResponse | None]: ...
    @overload
    def __call__(
        self, name: Literal["NotifyDERAlarm"], handler: Handler[m.NotifyDERAlarmRequest, m.NotifyDERAlarmResponse | None]
    ) -> Handler[m.NotifyDERAlarmRequest, m.NotifyDERAlarmResponse | None]: ...
    @overload
    def __call__(
        self, name: Literal["NotifyDERStartStop"]
    ) -> Register[m.NotifyDERStartStopRequest, m.NotifyDERStartStopResponse | None]: ...
    @overload
    def __call__(
        self, name: Literal["NotifyDERStartStop"], handler: Handler[m.NotifyDERStartStopRequest, m.NotifyDERStartStopResponse | None]
    ) -> Handler[m.NotifyDERStartStopRequest, m.NotifyDERStartStopResponse | None]: ...
    @overload
    def __call__(
        self, name: Literal["NotifyDisplayMessages"]
    ) -> Register[m.NotifyDisplayMessagesRequest, m.NotifyDisplayMessagesResponse | None]: ...
    @overload
    def __call__(
        self,
        name: Literal["NotifyDisplayMessages"],
        handler: Handler[m.NotifyDisplayMessagesRequest, m.NotifyDisplayMessagesResponse | None],
    ) -> Handler[m.NotifyDisplayMessagesRequest, m.NotifyDisplayMessagesResponse | None]: ...
    @overload
    def __call__(
        self, name: Literal["NotifyEVChargingNeeds"]
    ) -> Register[m.NotifyEVChargingNeedsRequest, m.NotifyEVChargingNeedsResponse]: ...
    @overload
    def __call__(
        self, name: Literal["NotifyEVChargingNeeds"], handler: Handler[m.NotifyEVChargingNeedsRequest, m.NotifyEVChargingNeedsResponse]
    ) -> Handler[m.NotifyEVChargingNeedsRequest, m.NotifyEVChargingNeedsResponse]: ...
    @overload
    def __call__(
        self, name: Literal["NotifyEVChargingSchedule"]
    ) -> Register[m.NotifyEVChargingScheduleRequest, m.NotifyEVChargingScheduleResponse]: ...
    @overload
    def __call__(
        self,
        name: Literal["NotifyEVChargingSchedule"],
        handler: Handler[m.NotifyEVChargingScheduleRequest, m.NotifyEVChargingScheduleResponse],
    ) -> Handler[m.NotifyEVChargingScheduleRequest, m.NotifyEVChargingScheduleResponse]: ...
    @overload
    def __call__(self, name: Literal["NotifyEvent"]) -> Register[m.NotifyEventRequest, m.NotifyEventResponse | None]: ...
    @overload
    def __call__(
        self, name: Literal["NotifyEvent"], handler: Handler[m.NotifyEventRequest, m.NotifyEventResponse | None]
    ) -> Handler[m.NotifyEventRequest, m.NotifyEventResponse | None]: ...
    @overload
    def __call__(
        self, name: Literal["NotifyMonitoringReport"]
    ) -> Register[m.NotifyMonitoringReportRequest, m.NotifyMonitoringReportResponse | None]: ...
    @overload
    def __call__(
        self,
        name: Literal["NotifyMonitoringReport"],
        handler: Handler[m.NotifyMonitoringReportRequest, m.NotifyMonitoringReportResponse | None],
    ) -> Handler[m.NotifyMonitoringReportRequest, m.NotifyMonitoringReportResponse | None]: ...
    @overload
    def __call__(self, name: Literal["NotifyPeriodicEventStream"]) -> Register[m.NotifyPeriodicEventStreamRequest, None]: ...
    @overload
    def __call__(
        self, name: Literal["NotifyPeriodicEventStream"], handler: Handler[m.NotifyPeriodicEventStreamRequest, None]
    ) -> Handler[m.NotifyPeriodicEventStreamRequest, None]: ...
    @overload
    def __call__(
        self, name: Literal["NotifyPriorityCharging"]
    ) -> Register[m.NotifyPriorityChargingRequest, m.NotifyPriorityChargingResponse | None]: ...
    @overload
    def __call__(
        self,
        name: Literal["NotifyPriorityCharging"],
        handler: Handler[m.NotifyPriorityChargingRequest, m.NotifyPriorityChargingResponse | None],
    ) -> Handler[m.NotifyPriorityChargingRequest, m.NotifyPriorityChargingResponse | None]: ...
    @overload
    def __call__(self, name: Literal["NotifyReport"]) -> Register[m.NotifyReportRequest, m.NotifyReportResponse | None]: ...
    @overload
    def __call__(
        self, name: Literal["NotifyReport"], handler: Handler[m.NotifyReportRequest, m.NotifyReportResponse | None]
    ) -> Handler[m.NotifyReportRequest, m.NotifyReportResponse | None]: ...
    @overload
    def __call__(self, name: Literal["NotifySettlement"]) -> Register[m.NotifySettlementRequest, m.NotifySettlementResponse | None]: ...
    @overload
    def __call__(
        self, name: Literal["NotifySettlement"], handler: Handler[m.NotifySettlementRequest, m.NotifySettlementResponse | None]
    ) -> Handler[m.NotifySettlementRequest, m.NotifySettlementResponse | None]: ...
    @overload
    def __call__(
        self, name: Literal["OpenPeriodicEventStream"]
    ) -> Register[m.OpenPeriodicEventStreamRequest, m.OpenPeriodicEventStreamResponse]: ...
    @overload
    def __call__(
        self,
        name: Literal["OpenPeriodicEventStream"],
        handler: Handler[m.OpenPeriodicEventStreamRequest, m.OpenPeriodicEventStreamResponse],
    ) -> Handler[m.OpenPeriodicEventStreamRequest, m.OpenPeriodicEventStreamResponse]: ...
    @overload
    def __call__(
        self, name: Literal["PublishFirmwareStatusNotification"]
    ) -> Register[m.PublishFirmwareStatusNotificationRequest, m.PublishFirmwareStatusNotificationResponse | None]: ...
    @overload
    def __call__(
        self,
        name: Literal["PublishFirmwareStatusNotification"],
        handler: Handler[m.PublishFirmwareStatusNotificationRequest, m.PublishFirmwareStatusNotificationResponse | None],
    ) -> Handler[m.PublishFirmwareStatusNotificationRequest, m.PublishFirmwareStatusNotificationResponse | None]: ...
    @overload
    def __call__(
        self, name: Literal["PullDynamicScheduleUpdate"]
    ) -> Register[m.PullDynamicScheduleUpdateRequest, m.PullDynamicScheduleUpdateResponse]: ...
    @overload
    def __call__(
        self,
        name: Literal["PullDynamicScheduleUpdate"],
        handler: Handler[m.PullDynamicScheduleUpdateRequest, m.PullDynamicScheduleUpdateResponse],
    ) -> Handler[m.PullDynamicScheduleUpdateRequest, m.PullDynamicScheduleUpdateResponse]: ...
    @overload
    def __call__(
        self, name: Literal["ReportChargingProfiles"]
    ) -> Register[m.ReportChargingProfilesRequest, m.ReportChargingProfilesResponse | None]: ...
    @overload
    def __call__(
        self,
        name: Literal["ReportChargingProfiles"],
        handler: Handler[m.ReportChargingProfilesRequest, m.ReportChargingProfilesResponse | None],
    ) -> Handler[m.ReportChargingProfilesRequest, m.ReportChargingProfilesResponse | None]: ...
    @overload
    def __call__(self, name: Literal["ReportDERControl"]) -> Register[m.ReportDERControlRequest, m.ReportDERControlResponse | None]: ...
    @overload
    def __call__(
        self, name: Literal["ReportDERControl"], handler: Handler[m.ReportDERControlRequest, m.ReportDERControlResponse | None]
    ) -> Handler[m.ReportDERControlRequest, m.ReportDERControlResponse | None]: ...
    @overload
    def __call__(
        self, name: Literal["ReservationStatusUpdate"]
    ) -> Register[m.ReservationStatusUpdateRequest, m.ReservationStatusUpdateResponse | None]: ...
    @overload
    def __call__(
        self,
        name: Literal["ReservationStatusUpdate"],
        handler: Handler[m.ReservationStatusUpdateRequest, m.ReservationStatusUpdateResponse | None],
    ) -> Handler[m.ReservationStatusUpdateRequest, m.ReservationStatusUpdateResponse | None]: ...
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
        self, name: Literal["StatusNotification"]
    ) -> Register[m.StatusNotificationRequest, m.StatusNotificationResponse | None]: ...
    @overload
    def __call__(
        self, name: Literal["StatusNotification"], handler: Handler[m.StatusNotificationRequest, m.StatusNotificationResponse | None]
    ) -> Handler[m.StatusNotificationRequest, m.StatusNotificationResponse | None]: ...
    @overload
    def __call__(self, name: Literal["TransactionEvent"]) -> Register[m.TransactionEventRequest, m.TransactionEventResponse | None]: ...
    @overload
    def __call__(
        self, name: Literal["TransactionEvent"], handler: Handler[m.TransactionEventRequest, m.TransactionEventResponse | None]
    ) -> Handler[m.TransactionEventRequest, m.TransactionEventResponse | None]: ...
    @overload
    def __call__(self, name: Literal["VatNumberValidation"]) -> Register[m.VatNumberValidationRequest, m.VatNumberValidationResponse]: ...
    @overload
    def __call__(
        self, name: Literal["VatNumberValidation"], handler: Handler[m.VatNumberValidationRequest, m.VatNumberValidationResponse]
    ) -> Handler[m.VatNumberValidationRequest, m.VatNumberValidationResponse]: ...
    @overload
    def __call__(self, name: Literal["*", "close", "error", "frame"]) -> Callable[[_H], _H]: ...
    @overload
    def __call__(self, name: Literal["*", "close", "error", "frame"], handler: _H) -> _H: ...


class CsmsApi(Protocol):
    """The functions of the CSMS."""

    def AFRRSignal(self, *, timeout: float | None = None, **fields: Unpack[m.AFRRSignalRequest]) -> m.AFRRSignalResponse: ...
    def AdjustPeriodicEventStream(
        self, *, timeout: float | None = None, **fields: Unpack[m.AdjustPeriodicEventStreamRequest]
    ) -> m.AdjustPeriodicEventStreamResponse: ...
    def CancelReservation(
        self, *, timeout: float | None = None, **fields: Unpack[m.CancelReservationRequest]
    ) -> m.CancelReservationResponse: ...
    def CertificateSigned(
        self, *, timeout: float | None = None, **fields: Unpack[m.CertificateSignedRequest]
    ) -> m.CertificateSignedResponse: ...
    def ChangeAvailability(
        self, *, timeout: float | None = None, **fields: Unpack[m.ChangeAvailabilityRequest]
    ) -> m.ChangeAvailabilityResponse: ...
    def ChangeTransactionTariff(
        self, *, timeout: float | None = None, **fields: Unpack[m.ChangeTransactionTariffRequest]
    ) -> m.ChangeTransactionTariffResponse: ...
    def ClearCache(self, *, timeout: float | None = None, **fields: Unpack[m.ClearCacheRequest]) -> m.ClearCacheResponse: ...
    def ClearChargingProfile(
        self, *, timeout: float | None = None, **fields: Unpack[m.ClearChargingProfileRequest]
    ) -> m.ClearChargingProfileResponse: ...
    def ClearDERControl(self, *, timeout: float | None = None, **fields: Unpack[m.ClearDERControlRequest]) -> m.ClearDERControlResponse: ...
    def ClearDisplayMessage(
        self, *, timeout: float | None = None, **fields: Unpack[m.ClearDisplayMessageRequest]
    ) -> m.ClearDisplayMessageResponse: ...
    def ClearTariffs(self, *, timeout: float | None = None, **fields: Unpack[m.ClearTariffsRequest]) -> m.ClearTariffsResponse: ...
    def ClearVariableMonitoring(
        self, *, timeout: float | None = None, **fields: Unpack[m.ClearVariableMonitoringRequest]
    ) -> m.ClearVariableMonitoringResponse: ...
    def CostUpdated(self, *, timeout: float | None = None, **fields: Unpack[m.CostUpdatedRequest]) -> m.CostUpdatedResponse: ...
    def CustomerInformation(
        self, *, timeout: float | None = None, **fields: Unpack[m.CustomerInformationRequest]
    ) -> m.CustomerInformationResponse: ...
    def DataTransfer(self, *, timeout: float | None = None, **fields: Unpack[m.DataTransferRequest]) -> m.DataTransferResponse: ...
    def DeleteCertificate(
        self, *, timeout: float | None = None, **fields: Unpack[m.DeleteCertificateRequest]
    ) -> m.DeleteCertificateResponse: ...
    def GetBaseReport(self, *, timeout: float | None = None, **fields: Unpack[m.GetBaseReportRequest]) -> m.GetBaseReportResponse: ...
    def GetChargingProfiles(
        self, *, timeout: float | None = None, **fields: Unpack[m.GetChargingProfilesRequest]
    ) -> m.GetChargingProfilesResponse: ...
    def GetCompositeSchedule(
        self, *, timeout: float | None = None, **fields: Unpack[m.GetCompositeScheduleRequest]
    ) -> m.GetCompositeScheduleResponse: ...
    def GetDERControl(self, *, timeout: float | None = None, **fields: Unpack[m.GetDERControlRequest]) -> m.GetDERControlResponse: ...
    def GetDisplayMessages(
        self, *, timeout: float | None = None, **fields: Unpack[m.GetDisplayMessagesRequest]
    ) -> m.GetDisplayMessagesResponse: ...
    def GetInstalledCertificateIds(
        self, *, timeout: float | None = None, **fields: Unpack[m.GetInstalledCertificateIdsRequest]
    ) -> m.GetInstalledCertificateIdsResponse: ...
    def GetLocalListVersion(
        self, *, timeout: float | None = None, **fields: Unpack[m.GetLocalListVersionRequest]
    ) -> m.GetLocalListVersionResponse: ...
    def GetLog(self, *, timeout: float | None = None, **fields: Unpack[m.GetLogRequest]) -> m.GetLogResponse: ...
    def GetMonitoringReport(
        self, *, timeout: float | None = None, **fields: Unpack[m.GetMonitoringReportRequest]
    ) -> m.GetMonitoringReportResponse: ...
    def GetPeriodicEventStream(
        self, *, timeout: float | None = None, **fields: Unpack[m.GetPeriodicEventStreamRequest]
    ) -> m.GetPeriodicEventStreamResponse: ...
    def GetReport(self, *, timeout: float | None = None, **fields: Unpack[m.GetReportRequest]) -> m.GetReportResponse: ...
    def GetTariffs(self, *, timeout: float | None = None, **fields: Unpack[m.GetTariffsRequest]) -> m.GetTariffsResponse: ...
    def GetTransactionStatus(
        self, *, timeout: float | None = None, **fields: Unpack[m.GetTransactionStatusRequest]
    ) -> m.GetTransactionStatusResponse: ...
    def GetVariables(self, *, timeout: float | None = None, **fields: Unpack[m.GetVariablesRequest]) -> m.GetVariablesResponse: ...
    def InstallCertificate(
        self, *, timeout: float | None = None, **fields: Unpack[m.InstallCertificateRequest]
    ) -> m.InstallCertificateResponse: ...
    def NotifyAllowedEnergyTransfer(
        self, *, timeout: float | None = None, **fields: Unpack[m.NotifyAllowedEnergyTransferRequest]
    ) -> m.NotifyAllowedEnergyTransferResponse: ...
    def NotifyWebPaymentStarted(
        self, *, timeout_: float | None = None, **fields: Unpack[m.NotifyWebPaymentStartedRequest]
    ) -> m.NotifyWebPaymentStartedResponse: ...
    def PublishFirmware(self, *, timeout: float | None = None, **fields: Unpack[m.PublishFirmwareRequest]) -> m.PublishFirmwareResponse: ...
    def RequestBatterySwap(
        self, *, timeout: float | None = None, **fields: Unpack[m.RequestBatterySwapRequest]
    ) -> m.RequestBatterySwapResponse: ...
    def RequestStartTransaction(
        self, *, timeout: float | None = None, **fields: Unpack[m.RequestStartTransactionRequest]
    ) -> m.RequestStartTransactionResponse: ...
    def RequestStopTransaction(
        self, *, timeout: float | None = None, **fields: Unpack[m.RequestStopTransactionRequest]
    ) -> m.RequestStopTransactionResponse: ...
    def ReserveNow(self, *, timeout: float | None = None, **fields: Unpack[m.ReserveNowRequest]) -> m.ReserveNowResponse: ...
    def Reset(self, *, timeout: float | None = None, **fields: Unpack[m.ResetRequest]) -> m.ResetResponse: ...
    def SendLocalList(self, *, timeout: float | None = None, **fields: Unpack[m.SendLocalListRequest]) -> m.SendLocalListResponse: ...
    def SetChargingProfile(
        self, *, timeout: float | None = None, **fields: Unpack[m.SetChargingProfileRequest]
    ) -> m.SetChargingProfileResponse: ...
    def SetDERControl(self, *, timeout: float | None = None, **fields: Unpack[m.SetDERControlRequest]) -> m.SetDERControlResponse: ...
    def SetDefaultTariff(
        self, *, timeout: float | None = None, **fields: Unpack[m.SetDefaultTariffRequest]
    ) -> m.SetDefaultTariffResponse: ...
    def SetDisplayMessage(
        self, *, timeout: float | None = None, **fields: Unpack[m.SetDisplayMessageRequest]
    ) -> m.SetDisplayMessageResponse: ...
    def SetMonitoringBase(
        self, *, timeout: float | None = None, **fields: Unpack[m.SetMonitoringBaseRequest]
    ) -> m.SetMonitoringBaseResponse: ...
    def SetMonitoringLevel(
        self, *, timeout: float | None = None, **fields: Unpack[m.SetMonitoringLevelRequest]
    ) -> m.SetMonitoringLevelResponse: ...
    def SetNetworkProfile(
        self, *, timeout: float | None = None, **fields: Unpack[m.SetNetworkProfileRequest]
    ) -> m.SetNetworkProfileResponse: ...
    def SetVariableMonitoring(
        self, *, timeout: float | None = None, **fields: Unpack[m.SetVariableMonitoringRequest]
    ) -> m.SetVariableMonitoringResponse: ...
    def SetVariables(self, *, timeout: float | None = None, **fields: Unpack[m.SetVariablesRequest]) -> m.SetVariablesResponse: ...
    def TriggerMessage(self, *, timeout: float | None = None, **fields: Unpack[m.TriggerMessageRequest]) -> m.TriggerMessageResponse: ...
    def UnlockConnector(self, *, timeout: float | None = None, **fields: Unpack[m.UnlockConnectorRequest]) -> m.UnlockConnectorResponse: ...
    def UnpublishFirmware(
        self, *, timeout: float | None = None, **fields: Unpack[m.UnpublishFirmwareRequest]
    ) -> m.UnpublishFirmwareResponse: ...
    def UpdateDynamicSchedule(
        self, *, timeout: float | None = None, **fields: Unpack[m.UpdateDynamicScheduleRequest]
    ) -> m.UpdateDynamicScheduleResponse: ...
    def UpdateFirmware(self, *, timeout: float | None = None, **fields: Unpack[m.UpdateFirmwareRequest]) -> m.UpdateFirmwareResponse: ...
    def UsePriorityCharging(
        self, *, timeout: float | None = None, **fields: Unpack[m.UsePriorityChargingRequest]
    ) -> m.UsePriorityChargingResponse: ...
