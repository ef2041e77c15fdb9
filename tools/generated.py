"""Files that are made, not written: to disk, or compared with what is there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

__all__ = ["ROOT", "stale", "write"]

ROOT = Path(__file__).parent.parent


def stale(files: Mapping[Path, str]) -> list[Path]:
    """Those of the files that are not as they would be made now."""
    return [path for path, text in files.items() if not path.exists() or path.read_text(encoding="utf-8") != text]


def write(files: Mapping[Path, str]) -> None:
    """Write all of them, whatever is there."""
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
