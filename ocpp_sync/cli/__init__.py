"""The command ``ocpp-sync``. Each of its commands is a module of its own, imported when it is run."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from ocpp_sync import __version__

__all__ = ["main"]

# A module has add_arguments(parser) and run(arguments) -> exit status.
_COMMANDS = {
    "demo": "run a charge point through a charging session against a server, over a real socket",
    "certs": "make a test CA, and certificates for a server and for charge points",
    "passwd": "keep the password of a charge point in a file, as a hash",
    "outbox": "look into the outbox of a charge point, and decide about single messages",
    "schema": "look up the fields of a message, or the actions of OCPP",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        argv: The arguments; None are those of the process.

    Returns:
        The exit status: 0 if all went well, 1 if not, 2 for wrong arguments, 130 after Ctrl-C.
    """
    parser = argparse.ArgumentParser(prog="ocpp-sync", description="Tools for OCPP-J, the protocol of EV chargers.")
    parser.add_argument("--version", action="version", version=f"ocpp-sync {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    arguments = sys.argv[1:] if argv is None else list(argv)
    for name, summary in _COMMANDS.items():
        command = commands.add_parser(name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.")
        if name in arguments:
            import_module(f".{name}", __name__).add_arguments(command)
    parsed = parser.parse_args(arguments)
    try:
        status: int = import_module(f".{parsed.command}", __name__).run(parsed)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Whoever read has had enough, as in "ocpp-sync demo | head". Python would complain once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        print(f"ocpp-sync: {error}", file=sys.stderr)
        return 1
    return status
