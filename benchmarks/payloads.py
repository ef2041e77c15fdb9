"""What the benchmarks send, as it is on the wire; it imports nothing, since the memory of those who send it is measured."""

from __future__ import annotations

from typing import Any

_NOW = "2026-01-01T00:00:00Z"
_PERIODIC = {"context": "Sample.Periodic", "location": "Outlet"}  # as stations send it

REQUESTS: dict[str, dict[str, dict[str, Any]]] = {
    "1.6": {
        "BootNotification": {"chargePointVendor": "eParking", "chargePointModel": "NECU-T2"},
        "Heartbeat": {},
        "MeterValues": {
            "connectorId": 1,
            "transactionId": 7,
            "meterValue": [
                {
                    "timestamp": _NOW,
                    "sampledValue": [
                        {**_PERIODIC, "value": "230.1", "measurand": "Voltage", "unit": "V"},
                        {**_PERIODIC, "value": "16.0", "measurand": "Current.Import", "unit": "A"},
                        {**_PERIODIC, "value": "12345", "measurand": "Energy.Active.Import.Register", "unit": "Wh"},
                    ],
                }
            ],
        },
        "DataTransfer": {"vendorId": "slow"},
    },
    "2.0.1": {
        "BootNotification": {"reason": "PowerUp", "chargingStation": {"vendorName": "eParking", "model": "NECU-T2"}},
        "Heartbeat": {},
        "TransactionEvent": {
            "eventType": "Updated",
            "timestamp": _NOW,
            "triggerReason": "MeterValuePeriodic",
            "seqNo": 3,
            "transactionInfo": {"transactionId": "a1b2c3d4", "chargingState": "Charging"},
            "evse": {"id": 1, "connectorId": 1},
            "meterValue": [
                {
                    "timestamp": _NOW,
                    "sampledValue": [
                        {**_PERIODIC, "value": 230.1, "measurand": "Voltage", "unitOfMeasure": {"unit": "V"}},
                        {**_PERIODIC, "value": 16.0, "measurand": "Current.Import", "unitOfMeasure": {"unit": "A"}},
                        {**_PERIODIC, "value": 12345.0, "measurand": "Energy.Active.Import.Register", "unitOfMeasure": {"unit": "Wh"}},
                    ],
                }
            ],
        },
    },
}
