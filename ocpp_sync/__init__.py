"""A synchronous, threaded OCPP-J library.

:class:`OcppClient` is a charge point's connection, :class:`OcppServer` a small CSMS, and both end in blocking calls::

    client = OcppClient("CP1111", version="1.6").connect("ws://csms.example/ocpp")
    client.call("BootNotification", {"chargePointVendor": "eParking", "chargePointModel": "NECU-T2"})

Each name is imported when it is first used, and so is what it needs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .backoff import Backoff as Backoff
    from .client import OcppClient as OcppClient
    from .data_transfer import DataTransfers as DataTransfers
    from .data_transfer import transfer_data as transfer_data
    from .descriptions import describe as describe
    from .enumerations import compare_enumeration as compare_enumeration
    from .errors import CallError as CallError
    from .errors import CallTimeout as CallTimeout
    from .errors import CertificateError as CertificateError
    from .errors import ConnectionClosed as ConnectionClosed
    from .errors import DataTransferError as DataTransferError
    from .errors import FileError as FileError
    from .errors import HandshakeError as HandshakeError
    from .errors import InvalidPayload as InvalidPayload
    from .errors import MalformedMessage as MalformedMessage
    from .errors import NotAccepted as NotAccepted
    from .errors import NotConnected as NotConnected
    from .errors import OcppError as OcppError
    from .errors import OutboxError as OutboxError
    from .errors import OutboxFull as OutboxFull
    from .errors import RejectHandshake as RejectHandshake
    from .errors import ScenarioError as ScenarioError
    from .errors import ScenarioFailure as ScenarioFailure
    from .errors import SchemaError as SchemaError
    from .errors import StateError as StateError
    from .handshake import hex_password as hex_password
    from .limits import Limits as Limits
    from .outbox import Delivery as Delivery
    from .outbox import OutboxSettings as OutboxSettings
    from .server import OcppServer as OcppServer
    from .server_connection import OcppClientConnection as OcppClientConnection
    from .skeletons import skeleton as skeleton
    from .standard import configuration_keys as configuration_keys
    from .standard import variables as variables
    from .timestamps import format_time as format_time
    from .timestamps import parse_time as parse_time
    from .timestamps import utcnow as utcnow
    from .validation import validate as validate

__version__ = "0.1.0"

_HOMES = {
    "Backoff": "backoff",
    "CallError": "errors",
    "CallTimeout": "errors",
    "CertificateError": "errors",
    "ConnectionClosed": "errors",
    "DataTransferError": "errors",
    "DataTransfers": "data_transfer",
    "Delivery": "outbox",
    "HandshakeError": "errors",
    "InvalidPayload": "errors",
    "Limits": "limits",
    "MalformedMessage": "errors",
    "NotAccepted": "errors",
    "NotConnected": "errors",
    "OcppClient": "client",
    "OcppClientConnection": "server_connection",
    "OcppError": "errors",
    "OcppServer": "server",
    "FileError": "errors",
    "StateError": "errors",
    "ScenarioError": "errors",
    "ScenarioFailure": "errors",
    "OutboxError": "errors",
    "OutboxFull": "errors",
    "OutboxSettings": "outbox",
    "RejectHandshake": "errors",
    "SchemaError": "errors",
    "compare_enumeration": "enumerations",
    "configuration_keys": "standard",
    "describe": "descriptions",
    "format_time": "timestamps",
    "hex_password": "handshake",
    "parse_time": "timestamps",
    "skeleton": "skeletons",
    "transfer_data": "data_transfer",
    "utcnow": "timestamps",
    "validate": "validation",
    "variables": "standard",
}

__all__ = [*_HOMES, "__version__"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = globals()[name] = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
