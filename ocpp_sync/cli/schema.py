"""``ocpp-sync schema [NAME]``: look up messages, enumerations, configuration keys and variables of OCPP, or list them."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence

from ocpp_sync.checks import SIDES
from ocpp_sync.descriptions import describe
from ocpp_sync.enumerations import compare_enumeration
from ocpp_sync.schemas import VERSIONS, senders
from ocpp_sync.standard import ConfigurationKey, Variable, configuration_keys, variables

__all__ = ["EXAMPLES", "add_arguments", "run"]

EXAMPLES = """\
  ocpp-sync schema BootNotification --version 1.6      the fields of the request
  ocpp-sync schema BootNotification --response
  ocpp-sync schema --from CSMS --version 2.0.1         what a CSMS may send
  ocpp-sync schema --variables --find heartbeat
  ocpp-sync schema ReasonEnumType --compare
"""

_DEFAULT_VERSION = "2.0.1"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument(
        "name",
        metavar="NAME",
        nargs="?",
        help="an action, a data type, an enumeration, a configuration key, a variable or a component; without one, all actions are listed",
    )
    parser.add_argument(
        "--version", choices=VERSIONS, help=f"the version of OCPP; of a NAME {_DEFAULT_VERSION} if not given, of the list all"
    )
    parser.add_argument("--json", action="store_true", help="JSON: an object for a NAME, one on a line for each entry of the list")
    parser.add_argument("--response", action="store_true", help="the answer to the action instead of its request")
    parser.add_argument("--depth", type=int, metavar="N", help="fields of N levels only")
    parser.add_argument("--compare", action="store_true", help="the values that the enumeration NAME has in each version")
    listed = parser.add_argument_group("of the list")
    listed.add_argument("--find", metavar="TEXT", default="", help="only what has this in its name, whatever its case")
    listed.add_argument(
        "--variables", action="store_true", help="the configuration keys of 1.6 and the variables of 2.x instead of actions"
    )
    listed.add_argument("--from", dest="sender", choices=SIDES, help="actions that the charge point (CS), or the CSMS, may send")


def run(arguments: argparse.Namespace) -> int:
    """Run it."""
    if arguments.name is None:
        versions = VERSIONS if arguments.version is None else [arguments.version]
        if arguments.variables:
            return _list_variables(versions, arguments.find.lower(), arguments.json)
        return _list(versions, arguments.find.lower(), arguments.sender, arguments.json)
    version = arguments.version or _DEFAULT_VERSION
    kind = "response" if arguments.response else "request"
    try:
        found = (
            compare_enumeration(arguments.name)
            if arguments.compare
            else describe(arguments.name, version=version, kind=kind, depth=arguments.depth)
        )
    except ValueError as error:
        print(f"ocpp-sync: {error}", file=sys.stderr)
        return 1
    print(json.dumps(found.as_dict(), indent=2) if arguments.json else found)
    return 0


def _list(versions: Sequence[str], text: str, sender: str | None, as_json: bool) -> int:
    found: dict[tuple[str, str], list[str]] = {}
    for version in versions:
        for action, side in senders(version).items():
            if text in action.lower() and (sender is None or side in (sender, "both")):
                found.setdefault((action, side), []).append(version)
    width = max((len(action) for action, _ in found), default=0)
    for (action, sent_by), where in sorted(found.items()):
        if as_json:
            print(json.dumps({"action": action, "requestFrom": sent_by, "versions": where}))
        else:
            print(f"{action:<{width}}  {SIDES.get(sent_by, 'either side'):<12}  {', '.join(where)}")
    if not found:
        print("ocpp-sync: there is no such action", file=sys.stderr)
    return 0 if found else 1


def _list_variables(versions: Sequence[str], text: str, as_json: bool) -> int:
    found: dict[ConfigurationKey | Variable, list[str]] = {}
    for version in versions:
        for item in _variables(version):
            if text in item.path.lower():
                found.setdefault(item, []).append(version)
    width = max((len(item.path) for item in found), default=0)
    for item, where in sorted(found.items(), key=lambda entry: (entry[0].path, entry[1])):
        if as_json:
            print(json.dumps({**item.as_dict(), "versions": where}))
        else:
            print(f"{item.path:<{width}}  {item.type or '':<16}  {_access(item):<18}  {item.unit or '':<19}  {', '.join(where)}")
    if not found:
        print("ocpp-sync: there is no such configuration key or variable", file=sys.stderr)
    return 0 if found else 1


def _variables(version: str) -> Iterator[ConfigurationKey | Variable]:
    yield from configuration_keys().values() if version == "1.6" else variables(version=version).values()


def _access(item: ConfigurationKey | Variable) -> str:
    return item.accessibility if isinstance(item, ConfigurationKey) else item.mutability or ""
