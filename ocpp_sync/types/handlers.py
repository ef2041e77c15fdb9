"""The handlers of requests, as types."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Protocol, TypeAlias, TypeVar

__all__ = ["Answer", "Handler", "PlainHandler", "Register"]

Request = TypeVar("Request", covariant=True)
Response = TypeVar("Response", contravariant=True)
_Request = TypeVar("_Request")
_Response = TypeVar("_Response")

Answer: TypeAlias = _Response | Iterator[_Response]
"""What a handler may return: the response; or it is a generator, which yields the response once and goes on."""

Handler: TypeAlias = Callable[[_Request], Answer[_Response]]
"""The handler of an action: it is called with the request."""

PlainHandler: TypeAlias = Callable[[dict[str, Any]], Answer[dict[str, Any] | None]]
"""A handler that says of its request and response that they are dicts, and no more."""


class Register(Protocol[Request, Response]):
    """The decorator that ``on("Reset")`` is."""

    # A lambda would pass as a plain handler, whatever it returns; so it is one for decorators only.
    def __call__(self, handler: Handler[Request, Response] | PlainHandler) -> Callable[[Any], Any]:
        """Register the handler."""
        ...
