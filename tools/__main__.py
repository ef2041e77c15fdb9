"""``python -m tools [--check]``: write the files that are made, where they are out of date."""

from __future__ import annotations

import argparse

from . import __doc__ as summary
from .generated import ROOT, stale, write
from .make_calls import calls_files
from .make_messages import messages_files
from .make_standard import standard_files
from .make_types import types_files
from .make_wiring import wiring_files


def main() -> None:
    """Write the files that are out of date, or with ``--check`` only name them.

    Raises:
        SystemExit: With ``--check``, if there are any.
    """
    parser = argparse.ArgumentParser(prog="python -m tools", description=summary)
    parser.add_argument("--check", action="store_true", help="write nothing, and fail if a file is out of date")
    only_check = parser.parse_args().check
    files = {**types_files(), **calls_files(), **messages_files(), **standard_files(), **wiring_files()}
    old = stale(files)
    if only_check and old:
        raise SystemExit(f"out of date: {', '.join(str(path.relative_to(ROOT)) for path in old)}")
    write({path: files[path] for path in old})


if __name__ == "__main__":
    main()
