"""The arguments of a command, and errors about them that say what to type."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
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

    def parse(self, arguments: Sequence[str]) -> argparse.Namespace:
        """Parse; wrong arguments end the program with status 2."""
        try:
            return self.parse_intermixed_args(arguments)
        except TypeError:  # it has commands of its own, which argparse cannot do with options anywhere
            return self.parse_args(arguments)

    def error(self, message: str) -> NoReturn:
        """Say what is wrong, what was probably meant, and where to read more."""
        self.print_usage(sys.stderr)
        self.exit(2, f"{self.prog}: {message}{self._hint(message)}\nMore: {self.prog} --help\n")

    def _hint(self, message: str) -> str:
        if (wrong := re.search(r"unrecognized arguments: (-\S+)", message)) is not None:
            return closest(wrong[1].partition("=")[0], self._option_string_actions)
        if (wrong := re.search(r"invalid choice: '([^']*)' \(choose from (.*)\)", message)) is not None:
            return closest(wrong[1], [choice.strip("'") for choice in wrong[2].split(", ")])
        return ""


def closest(word: str, known: Any) -> str:
    """``"; did you mean …?"``, or nothing if no known word is like this one."""
    from difflib import get_close_matches

    by_folded = {str(name).lower(): str(name) for name in known}
    found = get_close_matches(word.lower(), by_folded, 1)
    return f"; did you mean {by_folded[found[0]]}?" if found else ""
