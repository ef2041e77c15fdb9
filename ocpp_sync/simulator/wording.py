"""What a station says, whatever the version: what both :mod:`.messages16` and :mod:`.messages2x` can put into words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from .connector import Connector, Reason, State, Token, Transaction
from .energy import Reading
from .tokens import TokenInfo

__all__ = ["Identification", "Message", "Wording"]

Message = tuple[str, dict[str, Any]]
"""An action and its payload."""


class Identification(NamedTuple):
    """What a station says of itself.

    Attributes:
        vendor: Who has made it.
        model: What it is.
        serial: Its number.
        firmware: The version of its firmware.
    """

    vendor: str
    model: str
    serial: str
    firmware: str


class Wording(Protocol):
    """The messages of a version. All times are as OCPP writes them; None as a message is nothing to say."""

    def boot(self, who: Identification, reason: str) -> dict[str, Any]:
        """The BootNotification; the reason is one of 2.x."""

    def authorize(self, token: Token) -> dict[str, Any]:
        """The Authorize."""

    def token_info(self, response: dict[str, Any]) -> TokenInfo | None:
        """What a response says of a token."""

    def status(self, number: int, state: State, fault: str | None, time: str) -> dict[str, Any] | None:
        """The StatusNotification of a connector, or of the station, whose number is 0."""

    def started(self, connector: Connector, transaction: Transaction, trigger: str, values: Sequence[Reading], time: str) -> Message:
        """A transaction has begun; the trigger is one of 2.x."""

    def updated(self, connector: Connector, transaction: Transaction, trigger: str, time: str) -> Message | None:
        """Something else than the meter has changed in a transaction."""

    def metered(self, connector: Connector, transaction: Transaction, values: Sequence[Reading], context: str, time: str) -> Message:
        """The meter within a transaction."""

    def idle_metered(self, connector: Connector, values: Sequence[Reading], context: str, time: str) -> Message:
        """The meter outside of one."""

    def ended(self, connector: Connector, transaction: Transaction, reason: Reason, values: Sequence[Reading], time: str) -> Message:
        """A transaction has ended."""

    def abandoned(self, handle: str, start: dict[str, Any], registers: Mapping[int, float], time: str) -> Message:
        """A transaction of which nothing is known but its beginning, and the meters, has ended: the power was lost."""

    def reservation_ended(self, number: int, how: str) -> Message | None:
        """A reservation is over: ``"Expired"`` or ``"Removed"``."""

    def firmware(self, status: str, request_id: int | None) -> Message | None:
        """How far an update of the firmware is, by the words of 2.x."""

    def log(self, status: str, request_id: int | None) -> Message:
        """How far an upload of logs is, by the words of 2.x; without a request's id it is diagnostics, in 1.6."""
