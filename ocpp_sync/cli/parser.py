"""The arguments of a command, and errors about them that say what to type."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator, Sequence
from typing import Any, NoReturn

__all__ = ["CommandParser", "closest"]


class CommandParser(argparse.ArgumentParser):
    """Takes options anywhere among the arguments, and names what was probably meant.

    Args:
        prog: How it is called.
        description: What it does, a sentence.
        examples: Lines for the end of ``--help``.
        options: As for :class:`argparse.ArgumentParser`.
    """

    def __init__(self, prog: str, description: str, examples: str = "", **options: Any) -> None:
        super().__init__(
            prog=prog,
            description=description,
            epilog=f"examples:\n{examples.rstrip()}" if examples else None,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
            **options,
        )
        self._short_usage = ""
        self._example = re.split(r"\s{2,}", examples.strip())[0]

    def parse(self, arguments: Sequence[str]) -> argparse.Namespace:
        """Parse; wrong arguments end the program with status 2."""
        self._short_usage = self._usage_without_options()
        try:
            return self.parse_intermixed_args(arguments)
        except TypeError:  # it has commands of its own, which argparse cannot do with options anywhere
            return self.parse_args(arguments)

    def arguments(self) -> Iterator[argparse.Action]:
        """All arguments, those of its own commands too."""
        for argument in self._actions:
            if argument.nargs == argparse.PARSER:
                commands: Any = argument.choices
                for command in commands.values():
                    yield from command.arguments()
            else:
                yield argument

    def error(self, message: str) -> NoReturn:
        """Say what is wrong, what was probably meant, and where to read more."""
        sys.stderr.write(self._short_usage or self.format_usage())
        message = _without_values(message)
        self.exit(2, f"{self.prog}: {message}{self._hint(message)}\nMore: {self.prog} --help\n")

    def _usage_without_options(self) -> str:
        """The usage, in which options, of which there may be many, are one word."""
        formatter = self._get_formatter()
        formatter.add_usage(self.usage, self._get_positional_actions(), [])
        return formatter.format_help().rstrip().replace(self.prog, f"{self.prog} [OPTION …]", 1) + "\n"

    def _hint(self, message: str) -> str:
        if (wrong := re.search(r"unrecognized arguments: (-\S+)", message)) is not None:
            return closest(wrong[1], self._option_string_actions)
        if "are required" in message and self._example:
            return f"\nFor example: {self._example}"
        if (wrong := re.search(r"invalid choice: '([^']*)' \(choose from (.*)\)", message)) is not None:
            return closest(wrong[1], [choice.strip("'") for choice in wrong[2].split(", ")])
        return ""


def _without_values(message: str) -> str:
    """The message about unknown options without what was to be their values: one of them may be a password."""
    head, separator, words = message.partition("unrecognized arguments: ")
    options = [word.partition("=")[0] for word in words.split() if re.match(r"-.", word)]
    return f"{head}{separator}{' '.join(options)}" if options else message


def closest(word: str, known: Any) -> str:
    """``"; did you mean …?"``, or nothing if no known word is like this one."""
    from difflib import get_close_matches

    by_folded = {str(name).lower(): str(name) for name in known}
    found = get_close_matches(word.lower(), by_folded, 1)
    return f"; did you mean {by_folded[found[0]]}?" if found else ""
