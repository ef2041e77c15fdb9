"""DataTransfer, which carries what OCPP has no message for: between two sides that have agreed on a ``vendorId`` and what goes with it.

The data is any JSON. OCPP 2.x carries it as it is; OCPP 1.6 has only a text for it, so it goes as the text of that JSON. For a peer
that has agreed on plain text there is ``text=True``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from types import GeneratorType
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, overload

from .errors import DataTransferError, InvalidPayload, NotConnected
from .messages import read_json, write_json
from .validation import error_code

if TYPE_CHECKING:
    from .connection import Connection
    from .server import OcppServer

__all__ = ["DataTransfers", "transfer_data"]

_ACTION = "DataTransfer"

_Handler = Callable[..., Any]
_H = TypeVar("_H", bound=_Handler)


def transfer_data(
    connection: Connection,
    vendor_id: str,
    message_id: str | None = None,
    data: Any = None,
    *,
    text: bool = False,
    timeout: float | None = None,
) -> Any:
    """Send a DataTransfer, and wait for the data of its answer.

    ::

        price = transfer_data(client, "com.example", "GetPrice", {"kWh": 20})

    Args:
        connection: An :class:`OcppClient`, or a server's connection to a charge point.
        vendor_id: Whose message it is, most often a reversed domain name.
        message_id: Which one of that vendor; None is the only one.
        data: What goes with it: all that JSON can carry; None is nothing.
        text: Whether the other side takes and answers plain text: then ``data`` is a str, which OCPP 1.6 carries as it is.
        timeout: Seconds from now until the answer; None is the connection's ``call_timeout``.

    Returns:
        The data of the answer, None without any. In OCPP 1.6 a text that is no JSON comes as it is, and with ``text`` any text does.

    Raises:
        DataTransferError: The other side answered, but not with Accepted.
        InvalidPayload: JSON cannot carry the data, or it is no text though ``text`` is set; or what :meth:`Connection.call` says.
        CallError: The other side answered with a CALLERROR.
        CallTimeout: No answer came in time.
        NotConnected: There is no link.
        ConnectionClosed: The link was lost meanwhile.
    """
    version = connection.version
    if version is None:
        raise NotConnected
    request: dict[str, Any] = {"vendorId": vendor_id}
    if message_id is not None:
        request["messageId"] = message_id
    response = connection.call(_ACTION, {**request, **_data_field(data, version, text)}, timeout=timeout)
    answered = _decoded(response.get("data"), version, text)
    if response.get("status") != "Accepted":
        raise DataTransferError(str(response.get("status")), answered, response.get("statusInfo"))
    return answered


class _Entry(NamedTuple):
    handler: _Handler
    text: bool


class DataTransfers:
    """The handlers of the DataTransfers that come in, by vendor and message.

    ::

        transfers = DataTransfers(client)

        @transfers.on("com.example", "GetPrice")
        def price(data):
            return {"perKWh": 0.35}

    It is the handler of the action DataTransfer, so there can be one for each client, connection or server. What no handler is there
    for it answers as the standard says: UnknownVendorId, or UnknownMessageId.

    Args:
        end: An :class:`OcppClient`, a server's connection to a charge point, or an :class:`OcppServer`, whose handlers are called with
            the connection first.
    """

    def __init__(self, end: Connection | OcppServer) -> None:
        self._end: Any = end
        self._entries: dict[tuple[str | None, str | None], _Entry] = {}
        end.on(_ACTION, self._serve)

    @overload
    def on(self, vendor_id: str | None = None, message_id: str | None = None, *, text: bool = False) -> Callable[[_H], _H]: ...
    @overload
    def on(self, vendor_id: str | None, message_id: str | None, handler: _H, *, text: bool = False) -> _H: ...
    def on(
        self, vendor_id: str | None = None, message_id: str | None = None, handler: _H | None = None, *, text: bool = False
    ) -> _H | Callable[[_H], _H]:
        """Register a handler; without one, a decorator that does. A second one for the same ids replaces the first.

        A handler is called with the data, and returns the data of the answer; None is none. Ids that were left open come before the data:
        ``handler(message_id, data)`` for all messages of a vendor, ``handler(vendor_id, message_id, data)`` for all. It raises
        :class:`DataTransferError` to answer that it does not accept. A generator yields the data once, and goes on when the answer has
        gone out.

        Args:
            vendor_id: Whose messages it takes, in upper or lower case; None is everybody's.
            message_id: Which message, likewise; None is all, and those without an id. The handler with the most ids is taken.
            handler: The handler.
            text: Whether the two sides have agreed on plain text. Else JSON is decoded in OCPP 1.6, and other text comes as it is.

        Raises:
            TypeError: An id is no text, or the handler cannot be called.
        """
        for name in (vendor_id, message_id):
            if not (name is None or isinstance(name, str)):
                raise TypeError(f"on() takes a vendorId and a messageId, or None, not {name!r}")

        def register(handler: _H) -> _H:
            if not callable(handler):
                raise TypeError(f"the handler of {vendor_id!r}, {message_id!r} cannot be called: {handler!r}")
            self._entries[_folded(vendor_id), _folded(message_id)] = _Entry(handler, text)
            return handler

        return register if handler is None else register(handler)

    def _serve(self, *arguments: Any) -> dict[str, Any] | Iterator[dict[str, Any]]:
        *charge_point, request = arguments
        version: str = (charge_point[0] if charge_point else self._end).version
        vendor_id, message_id = request.get("vendorId"), request.get("messageId")
        vendor, message = _folded(vendor_id), _folded(message_id)
        for ids in ((vendor, message), (vendor, None), (None, message), (None, None)):
            if (entry := self._entries.get(ids)) is not None:
                break
        else:
            is_known = any(known in (vendor, None) for known, _ in self._entries)
            return {"status": "UnknownMessageId" if is_known else "UnknownVendorId"}
        open_ids = [name for name, fixed in zip((vendor_id, message_id), ids, strict=True) if fixed is None]
        data = _decoded(request.get("data"), version, entry.text)
        try:
            result = entry.handler(*charge_point, *open_ids, data)
        except DataTransferError as error:
            return _refusal(error, version, entry.text)
        if isinstance(result, GeneratorType):
            return _replies(result, version, entry.text)
        return _acceptance(result, version, entry.text)


def _replies(results: GeneratorType[Any, Any, Any], version: str, text: bool) -> Iterator[dict[str, Any]]:
    """What a generator yields, as the answer; its rest is run by whoever asks for more."""
    with closing(results):
        try:
            reply = _acceptance(next(results), version, text)
        except StopIteration as end:
            reply = _acceptance(end.value, version, text)
        except DataTransferError as error:
            reply = _refusal(error, version, text)
        yield reply
        yield from results


def _acceptance(data: Any, version: str, text: bool) -> dict[str, Any]:
    return {"status": "Accepted", **_data_field(data, version, text)}


def _refusal(error: DataTransferError, version: str, text: bool) -> dict[str, Any]:
    info = {} if error.status_info is None or version == "1.6" else {"statusInfo": error.status_info}
    return {"status": error.status, **_data_field(error.data, version, text), **info}


def _folded(name: Any) -> str | None:
    # Of 1.6 the ids are of a type that has no case; and no vendor tells two messages apart by that.
    return None if name is None else str(name).casefold()


def _data_field(data: Any, version: str, text: bool) -> dict[str, Any]:
    if data is None:
        return {}
    if text and not isinstance(data, str):
        raise _wrong_data(f"this must be a text, not {type(data).__name__}", version)
    if text or version != "1.6":
        return {"data": data}
    try:
        return {"data": write_json(data)}
    except ValueError as error:
        raise _wrong_data(str(error), version) from None


def _wrong_data(message: str, version: str) -> InvalidPayload:
    return InvalidPayload(_ACTION, "data", "type", message, error_code("type", version))


def _decoded(data: Any, version: str, text: bool) -> Any:
    if text or version != "1.6" or not isinstance(data, str):
        return data
    try:
        return read_json(data)
    except ValueError:
        return data
