"""A server whose answers a test changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..server import OcppServer
from ..validation import ValidationPolicy
from .possible import EVERY
from .replies import Replies

if TYPE_CHECKING:
    from ..server_connection import OcppClientConnection

__all__ = ["AdjustableServer"]


class _Policy(ValidationPolicy):
    """A policy that lets all answers to some actions go out.

    Attributes:
        unchecked: These actions.
    """

    __slots__ = ("unchecked",)

    def __init__(self, validation: str | Mapping[str, str], keys: Mapping[str, str]) -> None:
        super().__init__(validation, keys.values())
        self.unchecked: set[str] = set()

    def mode(self, direction: str, action: str) -> str:
        return "off" if direction == "out" and action in self.unchecked else super().mode(direction, action)


class AdjustableServer(OcppServer):
    """An :class:`~ocpp_sync.OcppServer` that shows frames as they are.

    Args:
        validation: As that of the server.
        options: Its other options.

    Attributes:
        versions: What it speaks, the preferred one first.
        keys: Of each version the key of its schemas.
        spoken: The keys of those that it speaks.
        policy: What becomes of invalid payloads.
    """

    def __init__(self, *, validation: str | Mapping[str, str] = "strict", **options: Any) -> None:
        super().__init__(**{"redact": False, **options}, validation=validation)
        self.keys: Mapping[str, str] = self._options["keys"]
        self.versions = self._versions
        self.spoken = [self.keys[version] for version in self._versions]
        self.policy = self._options["validation"] = _Policy(validation, self.keys)

    @property
    def spoken_now(self) -> list[str]:
        """The keys of the versions that connected charge points speak."""
        return [self.keys[version] for version in {connection.version for connection in self.connections.values()} if version is not None]

    def replies(self, action: str) -> Replies:
        """What is to be replied to an action instead of what its handler does, or that of ``"*"``."""
        before = self._handlers.action(action)
        if isinstance(before, Replies):
            return before

        def as_before(charge_point: OcppClientConnection, request: dict[str, Any]) -> Any:
            if before is not None:
                return before(charge_point, request)
            every = self._handlers.action(EVERY)
            assert every is not None  # that of the CSMS, or one that has taken its place
            return every(charge_point, action, request)

        return self.on(action, Replies(as_before))
