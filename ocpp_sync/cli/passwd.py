"""``ocpp-sync passwd FILE IDENTITY``: keep the password of a charge point, as a hash."""

from __future__ import annotations

import argparse
import getpass
import sys

from ocpp_sync.handshake import hex_password
from ocpp_sync.passwords import PasswordFile

__all__ = ["EXAMPLES", "add_arguments", "run"]

EXAMPLES = """\
  ocpp-sync passwd passwords.txt CP1                   asks for the password twice
  ocpp-sync passwd passwords.txt CP1 --hex < key.txt   an AuthorizationKey of 1.6
  ocpp-sync passwd passwords.txt CP1 --remove
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("file", help="the password file, made if it is not there")
    parser.add_argument("identity", help="the identity of the charge point")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--hex", action="store_true", help="the password is a 1.6 AuthorizationKey in hexadecimal digits")
    what.add_argument("--remove", action="store_true", help="remove the identity instead")


def run(arguments: argparse.Namespace) -> int:
    """Run it: ask for the password twice on a terminal, else read it from the first line of the standard input."""
    try:
        passwords = PasswordFile.create(arguments.file)
        if arguments.remove:
            passwords.remove(arguments.identity)
        else:
            password = _ask()
            passwords.set(arguments.identity, hex_password(password) if arguments.hex else password)
    except ValueError as error:
        print(f"ocpp-sync: {error}", file=sys.stderr)
        return 1
    except KeyError:
        print(f"ocpp-sync: {arguments.identity} is not in {arguments.file}", file=sys.stderr)
        return 1
    return 0


def _ask() -> str:
    # Never as an argument: those are seen by everybody on the machine.
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    password = getpass.getpass("Password: ")
    if getpass.getpass("Again: ") != password:
        raise ValueError("the two passwords are not the same")
    return password
