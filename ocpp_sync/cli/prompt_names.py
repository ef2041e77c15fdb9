"""What a person at the prompt of a server has at hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from .repl import caller, lookups

if TYPE_CHECKING:
    from ocpp_sync import OcppClientConnection, OcppServer
    from ocpp_sync.csms import Csms

    from .watch import LastFrames

__all__ = ["BANNER", "prompt_names"]

BANNER = """\
  cps                         who is connected, by identity; cp: the one that came last, cp.identity
  call("Reset", type="Soft")  send a request to the latest; call("Reset", "CP1", type="Soft") to that one; a dict can be the payload
  wait_for("CP1")             wait until it is connected
  frames                      the last ones; frames[-1].payload
  csms.charge_points          what is known of each; csms.transactions, csms.problems
  server, stats()             the OcppServer; its figures
  skeleton, describe          a payload to begin with, and what may be in it: describe("Reset")
  validate, utcnow            check a payload; the time as OCPP writes it

Ctrl-C ends a call, Ctrl-D the prompt and the server."""

_DEFAULT_VERSION = "2.0.1"


def prompt_names(server: OcppServer, csms: Csms, frames: LastFrames) -> dict[str, Any]:
    """The names, and what they stand for."""
    latest = _Latest(server)

    def call(action: str, /, *where_and_what: Any, **fields: Any) -> Any:
        """Send a request to the latest charge point, or to the one that is named, and return the response.

        For example call("Reset", type="Soft"), or call("Reset", "CP1", {"type": "Soft"}, timeout=5).
        """
        connection, payload = _told(server, latest, where_and_what)
        return caller(lambda: connection)(action, payload, **fields)

    def stats() -> dict[str, Any]:
        """The figures of the server so far."""
        return server.stats

    def version() -> str:
        connection = latest.newest()
        return (connection and connection.version) or _DEFAULT_VERSION

    call.completions = lambda: latest.needed().actions  # type: ignore[attr-defined]
    return {
        "server": server,
        "csms": csms,
        "cps": _Connections(server),
        "cp": latest,
        "call": call,
        "frames": frames,
        "wait_for": server.wait_for,
        "stats": stats,
        **lookups(version),
    }


class _Connections(Mapping[str, "OcppClientConnection[Any]"]):
    """The charge points that are connected at this moment, by identity."""

    def __init__(self, server: OcppServer) -> None:
        self._server = server

    def __getitem__(self, identity: str) -> OcppClientConnection[Any]:
        return self._server[identity]

    def __iter__(self) -> Iterator[str]:
        return iter(self._server.connections)

    def __len__(self) -> int:
        return len(self._server.connections)

    def __repr__(self) -> str:
        return repr(self._server.connections)


class _Latest:
    """The charge point that came last and is still there; it can be used as if it were the connection itself."""

    def __init__(self, server: OcppServer) -> None:
        self._server = server

    def newest(self) -> OcppClientConnection[Any] | None:
        """The connection itself; None if there is none."""
        connections = self._server.connections  # the oldest first
        return connections[next(reversed(connections))] if connections else None

    def needed(self) -> OcppClientConnection[Any]:
        """The connection itself.

        Raises:
            LookupError: There is none.
        """
        connection = self.newest()
        if connection is None:
            raise LookupError("no charge point is connected")
        return connection

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # what a prompt looks for to show it
            raise AttributeError(name)
        return getattr(self.needed(), name)

    def __dir__(self) -> list[str]:
        connection = self.newest()
        return [] if connection is None else dir(connection)

    def __repr__(self) -> str:
        return repr(self.newest() or "no charge point is connected")


def _told(server: OcppServer, latest: _Latest, told: tuple[Any, ...]) -> tuple[OcppClientConnection[Any], dict[str, Any]]:
    """Who is meant, by its identity or as a connection, and the payload."""
    rest = list(told)
    where = rest.pop(0) if rest and not isinstance(rest[0], Mapping) else latest
    payload = rest.pop(0) if rest else {}
    if rest or not isinstance(payload, Mapping):
        raise TypeError(
            'after the action comes an identity, if it is not the latest, then a dict or fields: call("Reset", "CP1", type="Soft")'
        )
    if isinstance(where, str):
        return server[where], dict(payload)
    return where.needed() if isinstance(where, _Latest) else where, dict(payload)
