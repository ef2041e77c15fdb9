"""docs/cli.md shows what the commands print."""

from __future__ import annotations

import difflib

from tools.transcripts import PAGE, comparable, fresh


def test_the_page_shows_what_is_printed_now() -> None:
    page = PAGE.read_text(encoding="utf-8")
    old, new = comparable(page).splitlines(), comparable(fresh(page)).splitlines()
    assert list(difflib.unified_diff(old, new, "docs/cli.md", "now", n=0, lineterm="")) == []
