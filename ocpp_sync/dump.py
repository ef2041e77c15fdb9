"""What is going on in a client or a server, for the case that something hangs."""

from __future__ import annotations

import sys
import threading
import time
import traceback
from typing import TYPE_CHECKING, TextIO

from .messages import printable

if TYPE_CHECKING:
    from .client import OcppClient
    from .connection import Connection
    from .outbox import Outbox
    from .server import OcppServer

__all__ = ["dump_client", "dump_connection", "dump_outbox", "dump_server", "dump_threads"]

_PATIENCE = 0.2  # seconds for a lock; whoever holds it may be what hangs
_MAX_CALLS = 50
_MAX_CONNECTIONS = 200


def dump_client(client: OcppClient, file: TextIO | None) -> None:
    """Write down a client, and its registration."""
    dump_connection(client, file)
    status, interval = client.registration, client.heartbeat_interval
    _write(file, f"  registration: {status or 'none'}" + (f", a heartbeat every {interval:g} s" if status == "Accepted" else ""))


def dump_outbox(outbox: Outbox, file: TextIO | None) -> None:
    """Write down how much an outbox holds. It comes last: its disk may be what everybody waits for."""
    depth = outbox.depth(_PATIENCE)
    _write(file, "outbox: its file cannot be read now" if depth is None else f"outbox: {depth} messages wait")


def dump_server(server: OcppServer, file: TextIO | None) -> None:
    """Write down a server, and each of its connections."""
    connections = list(server.connections.values())
    _write(file, repr(server))
    for connection in connections[:_MAX_CONNECTIONS]:
        dump_connection(connection, file)
    if len(connections) > _MAX_CONNECTIONS:
        _write(file, f"… and {len(connections) - _MAX_CONNECTIONS} more")


def dump_connection(connection: Connection, file: TextIO | None) -> None:
    """Write down a connection: its link, its calls and who waits for them, its handlers."""
    state = connection.snapshot(_PATIENCE)
    names = _thread_names()
    _write(file, f"{connection!r}{'' if state.is_exact else ' (its lock is held by another thread: what follows may not fit together)'}")
    if state.link is not None:
        link = state.link
        unsent = ", some of it unsent" if link.stream.has_unsent else ""
        _write(file, f"  link: open for {state.open_for:.1f} s; {link.frames_in} frames in, {link.frames_out} out{unsent}")
        _write(file, f"  reading: {_reader(state.reader, names)}")
    for place, call in enumerate(state.calls[:_MAX_CALLS]):
        since, thread = state.now - call.waiter.since, names.get(call.waiter.thread, "a thread that has ended")
        kind = "in flight" if place == 0 and call.sent_at else "waits for its turn"
        sent = f", sent {state.now - call.sent_at:.1f} s ago" if call.sent_at else ""
        _write(file, f"  call: {call.action} ({call.message_id}) {kind} for {since:.1f} s{sent}; {thread} waits for it")
    if len(state.calls) > _MAX_CALLS:
        _write(file, f"  … and {len(state.calls) - _MAX_CALLS} more calls")
    for kind, began, runner in state.handlers:
        where = "" if runner is None else f" in {names.get(runner.ident or 0, runner.name)}"
        _write(file, f"  handler: {printable(kind)} for {max(0.0, time.monotonic() - began):.1f} s{where}")
    if state.waiting:
        _write(file, f"  {state.waiting} requests and events wait for the handlers")


def dump_threads(file: TextIO | None) -> None:
    """Write down all threads of the process, with their stacks."""
    names = _thread_names()
    for ident, frame in sys._current_frames().items():  # noqa: SLF001 (it is documented)
        _write(file, f"thread {names.get(ident, str(ident))}{' (this one)' if ident == threading.get_ident() else ''}")
        _write(file, "".join(traceback.format_stack(frame)).rstrip("\n"))


def _thread_names() -> dict[int, str]:
    return {thread.ident: repr(thread.name) for thread in threading.enumerate() if thread.ident is not None}


def _reader(ident: int | None, names: dict[int, str]) -> str:
    if ident is None:
        return "the server's threads, as the link has something to read"
    return names.get(ident, "a thread that has ended") if ident else "nobody at the moment; the reader comes back by itself"


def _write(file: TextIO | None, line: str) -> None:
    print(line, file=sys.stderr if file is None else file)
