import ssl
from collections.abc import Callable, Mapping
from os import PathLike
from typing import Any, Literal, NoReturn, Protocol, TypeAlias, TypedDict, overload

from typing_extensions import TypeVar

from .backoff import Backoff
from .client import OcppClient
from .clock import Clock
from .connection import Connection
from .outbox import OutboxSettings
from .server_connection import OcppClientConnection
from .types import calls_v16, calls_v21, calls_v201

Version: TypeAlias = Literal["1.6", "2.0.1", "2.1"]

VersionT = TypeVar("VersionT", bound=Version, covariant=True, default=Version)

_V16: TypeAlias = Literal["1.6"]
_V201: TypeAlias = Literal["2.0.1"]
_V21: TypeAlias = Literal["2.1"]
_H = TypeVar("_H", bound=Callable[..., Any])

# The options of OcppClient beside version, for the overloads of its __init__.
class ClientOptions(TypedDict, total=False):
    password: str | bytes | Callable[[], str | bytes] | None
    cafile: str | PathLike[str] | None
    certfile: str | PathLike[str] | None
    keyfile: str | PathLike[str] | None
    key_password: str | bytes | None
    ssl_context: ssl.SSLContext | None
    verify_time: bool
    call_timeout: float | None
    ping_interval: float | None
    pong_timeout: float
    reconnect: Backoff | None
    proxy: str | None
    source_address: str | tuple[str, int] | None
    validation: str | Mapping[str, str]
    max_message_size: int
    outbox: str | PathLike[str] | OutboxSettings | None
    schemas: Mapping[str, Any] | str | PathLike[str] | None
    redact: bool
    slow_handler: float | None
    clock: Clock

# --- A version chosen at run time

class _StationCall(Protocol):
    def __call__(
        self, action: str, payload: Mapping[str, Any] | None = None, *, timeout: float | None = None, wait: bool = False
    ) -> dict[str, Any]: ...

class _CsmsCall(Protocol):
    def __call__(self, action: str, payload: Mapping[str, Any] | None = None, *, timeout: float | None = None) -> dict[str, Any]: ...

class _Send(Protocol):
    def __call__(self, action: str, payload: Mapping[str, Any] | None = None) -> None: ...

class _On(Protocol):
    @overload
    def __call__(self, name: str) -> Callable[[_H], _H]: ...
    @overload
    def __call__(self, name: str, handler: _H) -> _H: ...

class _Api(Protocol):
    def __getattr__(self, name: str) -> Callable[..., dict[str, Any]]: ...

# --- A version that defines no SEND for this side

class _NothingToSend(Protocol):
    def __call__(self, action: NoReturn, payload: NoReturn = ...) -> None: ...

# --- Which of them a connection has

class typed_call:  # noqa: N801
    def __init__(self, method: Callable[..., dict[str, Any]]) -> None: ...
    @overload
    def __get__(self, instance: None, owner: type) -> Callable[..., dict[str, Any]]: ...
    @overload
    def __get__(self, instance: OcppClient[_V16], owner: type) -> calls_v16.StationCall: ...
    @overload
    def __get__(self, instance: OcppClient[_V201], owner: type) -> calls_v201.StationCall: ...
    @overload
    def __get__(self, instance: OcppClient[_V21], owner: type) -> calls_v21.StationCall: ...
    @overload
    def __get__(self, instance: OcppClientConnection[_V16], owner: type) -> calls_v16.CsmsCall: ...
    @overload
    def __get__(self, instance: OcppClientConnection[_V201], owner: type) -> calls_v201.CsmsCall: ...
    @overload
    def __get__(self, instance: OcppClientConnection[_V21], owner: type) -> calls_v21.CsmsCall: ...
    @overload
    def __get__(self, instance: OcppClient, owner: type) -> _StationCall: ...
    @overload
    def __get__(self, instance: Connection, owner: type) -> _CsmsCall: ...

class typed_send:  # noqa: N801
    def __init__(self, method: Callable[..., None]) -> None: ...
    @overload
    def __get__(self, instance: None, owner: type) -> Callable[..., None]: ...
    @overload
    def __get__(self, instance: OcppClient[_V21], owner: type) -> calls_v21.StationSend: ...
    @overload
    def __get__(self, instance: OcppClient[_V16] | OcppClient[_V201], owner: type) -> _NothingToSend: ...
    @overload
    def __get__(
        self, instance: OcppClientConnection[_V16] | OcppClientConnection[_V201] | OcppClientConnection[_V21], owner: type
    ) -> _NothingToSend: ...
    @overload
    def __get__(self, instance: Connection, owner: type) -> _Send: ...

class typed_on:  # noqa: N801
    def __init__(self, method: Callable[..., Any]) -> None: ...
    @overload
    def __get__(self, instance: None, owner: type) -> Callable[..., Any]: ...
    @overload
    def __get__(self, instance: OcppClient[_V16], owner: type) -> calls_v16.StationOn: ...
    @overload
    def __get__(self, instance: OcppClient[_V201], owner: type) -> calls_v201.StationOn: ...
    @overload
    def __get__(self, instance: OcppClient[_V21], owner: type) -> calls_v21.StationOn: ...
    @overload
    def __get__(self, instance: OcppClientConnection[_V16], owner: type) -> calls_v16.CsmsOn: ...
    @overload
    def __get__(self, instance: OcppClientConnection[_V201], owner: type) -> calls_v201.CsmsOn: ...
    @overload
    def __get__(self, instance: OcppClientConnection[_V21], owner: type) -> calls_v21.CsmsOn: ...
    @overload
    def __get__(self, instance: Connection, owner: type) -> _On: ...

class typed_api:  # noqa: N801
    def __init__(self, method: Callable[..., object]) -> None: ...
    @overload
    def __get__(self, instance: None, owner: type) -> property: ...
    @overload
    def __get__(self, instance: OcppClient[_V16], owner: type) -> calls_v16.StationApi: ...
    @overload
    def __get__(self, instance: OcppClient[_V201], owner: type) -> calls_v201.StationApi: ...
    @overload
    def __get__(self, instance: OcppClient[_V21], owner: type) -> calls_v21.StationApi: ...
    @overload
    def __get__(self, instance: OcppClientConnection[_V16], owner: type) -> calls_v16.CsmsApi: ...
    @overload
    def __get__(self, instance: OcppClientConnection[_V201], owner: type) -> calls_v201.CsmsApi: ...
    @overload
    def __get__(self, instance: OcppClientConnection[_V21], owner: type) -> calls_v21.CsmsApi: ...
    @overload
    def __get__(self, instance: Connection, owner: type) -> _Api: ...
