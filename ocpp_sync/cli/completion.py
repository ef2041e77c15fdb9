"""``ocpp-sync completion bash|zsh|fish``: completion in the shell, by argcomplete (needs the extra ``completion``)."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from importlib import import_module
from typing import Any

from ocpp_sync.fields import named_schemas
from ocpp_sync.schemas import VERSIONS, actions, definitions
from ocpp_sync.standard import configuration_keys, variables

from .parser import CommandParser
from .payloads import schema_at

__all__ = ["EXAMPLES", "add_arguments", "complete", "run"]

EXAMPLES = """\
  eval "$(ocpp-sync completion bash)"                  in ~/.bashrc
  eval "$(ocpp-sync completion zsh)"                   in ~/.zshrc, after compinit
  ocpp-sync completion fish > ~/.config/fish/completions/ocpp-sync.fish
"""

_PROGRAM = "ocpp-sync"
_FILES = {"FILE", "DIR", "PAYLOAD"}  # the metavars of what is one
_DEFAULT_VERSION = "2.0.1"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("shell", choices=("bash", "zsh", "fish"), help="which shell is to complete")


def run(arguments: argparse.Namespace) -> int:
    """Run it."""
    try:
        from argcomplete.shell_integration import shellcode
    except ImportError:
        print("ocpp-sync: this command needs the package 'argcomplete': pip install 'ocpp-sync[completion]'", file=sys.stderr)
        return 1
    print(shellcode([_PROGRAM], shell=arguments.shell))
    return 0


def complete() -> None:
    """Answer the shell, which asks what the word at the cursor may become, and end the process; called if it has set ``_ARGCOMPLETE``."""
    try:
        import argcomplete
    except ImportError:
        raise SystemExit(1) from None  # it was there when the shell was told of it
    argcomplete.autocomplete(_parser(os.environ.get("COMP_LINE", "")), always_complete_options=False)


def _parser(line: str) -> CommandParser:
    """All commands; the arguments of only that one which the line names, since nothing else need be imported."""
    from . import COMMANDS

    parser = CommandParser(_PROGRAM, "")
    commands = parser.add_subparsers()
    for name, summary in {**COMMANDS, "help": "more about a command"}.items():
        command = commands.add_parser(name, help=summary, description=summary)
        if name == "help":
            command.add_argument("command", choices=list(COMMANDS))
        elif name in line.split():
            import_module(f".{name}", __package__).add_arguments(command)
            _add_completers(command)
    return parser


# --- What the arguments of all commands may be, by their names


def _add_completers(parser: CommandParser) -> None:
    for argument in parser.arguments():
        completer = _COMPLETERS.get(argument.dest)
        if completer is None and argument.choices is None and argument.nargs != 0 and argument.metavar not in _FILES:
            completer = _nothing
        if completer is not None:
            argument.completer = completer  # type: ignore[attr-defined]


def _nothing(**asked: Any) -> Iterable[str]:
    return ()


def _urls(**asked: Any) -> Iterable[str]:
    return ("ws://localhost:9220", "wss://")


def _several_versions(*, prefix: str, **asked: Any) -> Iterable[str]:
    before, comma, _ = prefix.rpartition(",")
    return [f"{before}{comma}{version}" for version in VERSIONS if version not in before.split(",")]


def _sent_by_station(*, parsed_args: Any, **asked: Any) -> Iterable[str]:
    return [action.name for action in actions(_version(parsed_args)).values() if action.sent_by != "CSMS"]


def _payload_or_field(*, prefix: str, parsed_args: Any, **asked: Any) -> Iterable[str]:
    if prefix.startswith("@"):
        from argcomplete.completers import FilesCompleter

        return [f"@{name}" for name in FilesCompleter()(prefix=prefix[1:])]
    version = _version(parsed_args)
    action = actions(version).get(str(getattr(parsed_args, "action", "")))
    return [] if action is None else _fields(version, action.request, prefix)


def _names(*, parsed_args: Any, **asked: Any) -> Iterable[str]:
    version = _version(parsed_args)
    keys = configuration_keys() if version == "1.6" else variables(version=version)
    return [*actions(version), *named_schemas(version), *keys]


def _version(arguments: Any) -> str:
    version = getattr(arguments, "versions", None) or getattr(arguments, "version", None) or _DEFAULT_VERSION
    return str(version if isinstance(version, str) else version[0])


_COMPLETERS: dict[str, Callable[..., Iterable[str]]] = {
    "url": _urls,
    "versions": _several_versions,
    "action": _sent_by_station,
    "items": _payload_or_field,
    "name": _names,
}


# --- Fields


def _fields(version: str, request: Mapping[str, Any], prefix: str) -> Sequence[str]:
    """``field=``, ``object.field=``, ``array[0].field=``; or, behind the ``=``, the values that a field may have."""
    known = definitions(version)
    path, equals, _ = prefix.partition("=")
    if equals:
        schema = schema_at(request, path, known) or {}
        values = ("true", "false") if schema.get("type") == "boolean" else schema.get("enum", ())
        return [f"{path}={value}" for value in values]
    outer, dot, _ = path.rpartition(".")
    around = schema_at(request, outer, known) if dot else request
    found = [name for name in _inside(around, known, f"{outer}{dot}") if name.startswith(path)]
    while len(found) == 1 and found[0].endswith("."):
        # A shell would put a space behind the one word there is.
        found = list(_inside(schema_at(request, found[0][:-1], known), known, found[0]))
    return found


def _inside(schema: Mapping[str, Any] | None, known: Mapping[str, Any], before: str) -> Iterator[str]:
    names = (schema or {}).get("properties", {})
    for name in sorted(names, key=lambda name: name == "customData"):  # hardly ever meant
        path = f"{before}{name}"
        inner = schema_at(schema, name, known) or {}
        if inner.get("type") == "array":
            path, inner = f"{path}[0]", schema_at(schema, f"{name}[0]", known) or {}
        yield f"{path}." if inner.get("type") == "object" else f"{path}="
