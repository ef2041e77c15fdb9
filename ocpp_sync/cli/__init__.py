"""The command ``ocpp-sync``. Each of its commands is a module of its own, imported when it is run."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from ocpp_sync import __version__

from .parser import CommandParser, closest
from .stopping import stoppable

__all__ = ["COMMANDS", "main"]

# A module has add_arguments(parser), run(arguments) -> exit status, and EXAMPLES for its --help.
COMMANDS = {
    "demo": "run a charge point through a charging session against a server, over a real socket",
    "serve": "run a CSMS for the bench, which answers every charge point and shows what they say",
    "simulate": "run a charge point, or many, that behave as real ones do",
    "call": "send one request as a charge point, and print the response",
    "repl": "be a charge point at a Python prompt",
    "show": "read a recording, each answer beside its call",
    "replay": "play one side of a recording against a live peer, and tell where the answers differ",
    "validate": "check each frame of a log against the schemas",
    "schema": "look up the fields of a message, or the actions of OCPP",
    "outbox": "look into the outbox of a charge point, and decide about single messages",
    "certs": "make a test CA, and certificates for a server and for charge points",
    "passwd": "keep the password of a charge point in a file, as a hash",
    "completion": "print what makes the shell complete these commands",
}

_EXAMPLES = """\
  ocpp-sync serve                                        a CSMS at ws://localhost:9220
  ocpp-sync simulate ws://localhost:9220 CP1             a charge point for it
  ocpp-sync call ws://localhost:9220 CP1 Heartbeat       one request
  ocpp-sync schema BootNotification                      what may be in a message
  ocpp-sync COMMAND --help                               more about a command
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        argv: The arguments; None are those of the process.

    Returns:
        The exit status: 0 if all went well, 1 if not, 2 for wrong arguments, 130 after Ctrl-C or SIGINT and 143 after SIGTERM in a command
        that these break off. A command may have more, which its ``--help`` tells.
    """
    _open_missing_streams()
    arguments = sys.argv[1:] if argv is None else list(argv)
    if "_ARGCOMPLETE" in os.environ:
        from .completion import complete

        complete()
    name = _command(arguments)
    module = import_module(f".{name}", __name__)
    parsed = command_parser(name).parse(arguments[1:])
    with stoppable() as came:
        try:
            status: int = module.run(parsed)
            sys.stdout.flush()
        except KeyboardInterrupt:
            return 128 + (came[0] if came else signal.SIGINT)
        except BrokenPipeError:
            # Whoever read has had enough, as in "ocpp-sync demo | head". Python would complain once more at its end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 1
        except OSError as error:
            print(f"ocpp-sync: {error}", file=sys.stderr)
            return 1
    return status


def _open_missing_streams() -> None:
    """A stream that the shell has closed, as in ``ocpp-sync serve >&-``, is None: what is written to it goes nowhere."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            # It takes the descriptor that is free, so that no file or socket gets what is meant for the stream.
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115 (it stays open)


def command_parser(name: str) -> CommandParser:
    """The parser of a command."""
    module: Any = import_module(f".{name}", __name__)
    summary = COMMANDS[name]
    parser = CommandParser(f"ocpp-sync {name}", f"{summary[0].upper()}{summary[1:]}.", module.EXAMPLES)
    module.add_arguments(parser)
    return parser


def _command(arguments: Sequence[str]) -> str:
    """The command's name, which comes first; ``--help``, ``--version`` and what is no command end the program here."""
    description = "Tools for OCPP-J, the protocol of EV chargers."
    parser = CommandParser("ocpp-sync", description, _EXAMPLES, usage="ocpp-sync [--version] COMMAND …")
    parser.add_argument("--version", action="version", version=f"ocpp-sync {__version__}")
    listed = parser.add_argument_group("commands")
    for name, summary in COMMANDS.items():
        listed.add_argument(name, nargs="?", help=summary)
    first = arguments[0] if arguments else ""
    if first == "help":
        if len(arguments) > 1:
            command_parser(_command(arguments[1:2])).parse(["--help"])
        parser.parse_args(["--help"])
    if first not in COMMANDS:
        if first.startswith("-"):
            parser.parse_args(arguments[:1])
        parser.error(f"{first!r} is no command{closest(first, COMMANDS)}" if first and first[0] != "-" else "a command is missing")
    return first
