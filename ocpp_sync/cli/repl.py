"""``ocpp-sync repl URL IDENTITY``: be a charge point at a Python prompt."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import Any

import ocpp_sync
from ocpp_sync import ConnectionClosed, OcppClient
from ocpp_sync.connection import Connection
from ocpp_sync.schemas import actions

from .connecting import accept_requests, add_connection_arguments, boot_payload, client_from, connect, recorder_from
from .frames import FramePrinter
from .prompt import CurrentOutput, interact
from .watch import FrameWatch, LastFrames

__all__ = ["EXAMPLES", "add_arguments", "caller", "interact", "lookups", "run"]

EXAMPLES = """\
  ocpp-sync repl ws://localhost:9220 CP1
  ocpp-sync repl ws://localhost:9220 CP1 --version 1.6 --no-ipython
  ocpp-sync repl ws://localhost:9220 CP1 < session.py     run a script; it ends with the first exception, and status 1
"""

_NAMES = """\
  client                      the OcppClient; api: the same with a function for each action
  boot()                      register, with or without fields, and send heartbeats from then on
  call("Authorize", idTag=…)  send a request: fields, or a payload as a dict
  on("Reset", function)       answer the CSMS; what has no handler gets the shortest response that says yes
  frames                      the last ones; frames[-1].payload
  skeleton, describe          a payload to begin with, and what may be in it: describe("Authorize")
  validate, utcnow, connect   check a payload; the time as OCPP writes it; try once more to connect"""
_LEAVE = "Ctrl-C ends a call, Ctrl-D the prompt."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    add_connection_arguments(parser)
    parser.add_argument("--no-connect", action="store_true", help="do not connect yet: connect() does")
    parser.add_argument("--no-ipython", action="store_true", help="use Python's own prompt, even if IPython is installed")
    parser.add_argument("--quiet", action="store_true", help="do not show the frames; they are in frames nevertheless")
    parser.add_argument_group("at the prompt", f"{_NAMES}\n{_LEAVE}")
    parser.add_argument_group(
        "exit status",
        "0  the prompt has ended                   2  wrong arguments\n"
        "1  a script has failed                    5  a script has not got a connection",
    )


def run(arguments: argparse.Namespace) -> int:
    """Run it."""
    out: Any = CurrentOutput("stdout" if sys.stdin.isatty() else "stderr")  # what a script prints is its own
    frames, watch = LastFrames(), FrameWatch()
    leaving = False

    def connected() -> None:
        if client.link_number > 1:
            out.write(f"-- connected again, with OCPP {client.version}\n")

    def closed(code: int, reason: str) -> None:
        if not leaving:
            out.write(f"-- {ConnectionClosed(code, reason)}\n")

    with recorder_from(arguments) as recorder, client_from(arguments, recorder=recorder) as client:
        client.on("frame", lambda direction, text: frames.append(watch.take(direction, text)))
        if not arguments.quiet:
            client.on("frame", FramePrinter(out).show)
        client.on("connect", connected)
        client.on("close", closed)
        accept_requests(client)
        if not arguments.no_connect:
            try:
                connect(client, arguments)
            except ConnectionClosed as error:
                print(f"ocpp-sync: {error}", file=sys.stderr)
                if not sys.stdin.isatty():
                    return 5
        try:
            return interact(_names(client, arguments, frames), _banner(client), ipython=not arguments.no_ipython)
        finally:
            leaving = True


def _banner(client: OcppClient) -> str:
    state = f"is connected, with OCPP {client.version}" if client.connected else "is not connected"
    return f"The charge point {client.identity} {state}.\n\n{_NAMES}\n\n{_LEAVE}"


def _names(client: OcppClient, arguments: argparse.Namespace, frames: LastFrames) -> dict[str, Any]:
    def boot(payload: dict[str, Any] | None = None, /, *, timeout: float | None = None, **fields: Any) -> dict[str, Any]:
        """Register with the CSMS, and wait until it accepts; see client.boot()."""
        request = boot_payload(client.actions.version) if payload is None and not fields else {**(payload or {}), **fields}
        return client.boot(request, timeout=timeout)

    def connect_again() -> OcppClient:
        """Connect to the URL of the command line."""
        # Not by the function for commands, which ends the program if an argument is found to be wrong.
        return client.connect(arguments.url, dict(arguments.header or ()), timeout=arguments.timeout)

    def on(name: str, handler: Any = None) -> Any:
        """Register a handler; see client.on()."""
        return client.on(name, handler)

    on.completions = lambda: _sent_to(client)  # type: ignore[attr-defined]
    return {
        "client": client,
        "api": client.api,
        "boot": boot,
        "call": caller(lambda: client),
        "connect": connect_again,
        "frames": frames,
        "on": on,
        **lookups(lambda: client.actions.version),
    }


def _sent_to(client: OcppClient) -> list[str]:
    return sorted(action.name for action in actions(client.actions.key).values() if action.sent_by != "CS")


def caller(connection: Callable[[], Connection]) -> Callable[..., Any]:
    """``call()`` for a prompt: the fields are arguments.

    Args:
        connection: What it calls by, asked each time.
    """

    def call(action: str, payload: dict[str, Any] | None = None, /, **fields: Any) -> Any:
        """Send a request, and return the response.

        For example call("Reset", type="Soft"), or call("Reset", {"type": "Soft"}, timeout=5).

        What is a SEND of OCPP 2.1 is sent, and not answered. If a field is called timeout, the time-out is called timeout_.
        """
        to = connection()
        entry = actions(to.actions.key).get(action)
        has_timeout = entry is not None and "timeout" in entry.request.get("properties", ())
        timeout = fields.pop("timeout_" if has_timeout else "timeout", None)
        request = {**(payload or {}), **fields}
        if entry is not None and entry.is_send:
            return to.send(action, request)
        return to.call(action, request, timeout=timeout)

    call.completions = lambda: connection().actions  # type: ignore[attr-defined]
    return call


def lookups(version: Callable[[], str]) -> dict[str, Any]:
    """``skeleton``, ``describe`` and ``validate`` for a prompt, each for a version that need not be named; and ``utcnow``.

    Args:
        version: The version, asked each time.
    """

    def with_version(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*given: Any, **options: Any) -> Any:
            return function(*given, **{"version": version(), **options})

        call.__name__ = call.__qualname__ = function.__name__
        call.__doc__ = function.__doc__
        call.completions = lambda: _action_names(version())  # type: ignore[attr-defined]
        return call

    found = {function.__name__: with_version(function) for function in (ocpp_sync.skeleton, ocpp_sync.describe, ocpp_sync.validate)}
    return {**found, "utcnow": ocpp_sync.utcnow}


def _action_names(version: str) -> Sequence[str]:
    return sorted(actions(version))
