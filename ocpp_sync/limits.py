"""What a server allows those who connect to it."""

from __future__ import annotations

from dataclasses import dataclass, fields

__all__ = ["Limits"]


@dataclass(frozen=True)
class Limits:
    """The limits of an :class:`OcppServer`; the defaults touch no charge point that behaves well. None is no limit.

    Attributes:
        handshake_timeout: Seconds that a client has for TLS and its HTTP request; whoever is slower is cut off.
        max_connections: How many connections there may be at a time; one more is refused with 503, or cut off if it comes by TLS.
        max_connections_per_address: How many of these from one address.
        max_header_size: Bytes of an HTTP request with its headers; a longer one is refused with 431.
        max_header_count: How many headers a request may have, 100 at most; one with more is refused with 431.
        first_message_timeout: Seconds that a charge point has for its first message after it has connected; then it is closed with 1008.
            By default it may be silent: after a mere reconnect it has nothing to say (rule D1).
        max_bad_messages: How many messages in a row may be unreadable; with the last one the link is closed with 1002.
        max_message_rate: Messages a second that a charge point may send, on the average of ten seconds; beyond, it is closed with 1008.
        max_unsent: Bytes that may wait for a charge point that does not read, and about twice as many in the system; beyond, nothing
            more is read from it, and calls to it wait.
        stall_timeout: Seconds after which a charge point is cut off if it takes none of what waits for it.

    Raises:
        ValueError: One of them is not above zero, or None where a number is needed.
    """

    handshake_timeout: float = 10.0
    max_connections: int | None = 5000
    max_connections_per_address: int | None = 2000
    max_header_size: int = 64 * 1024
    max_header_count: int = 100
    first_message_timeout: float | None = None
    max_bad_messages: int = 100
    max_message_rate: float | None = None
    max_unsent: int = 64 * 1024
    stall_timeout: float = 30.0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            # "not >", so that NaN is refused too.
            if (value is None and "None" not in str(field.type)) or (value is not None and not value > 0):
                raise ValueError(f"{field.name} must be above zero, not {value!r}")
        if self.max_header_count > 100:
            raise ValueError(f"max_header_count is at most 100, not {self.max_header_count}")
