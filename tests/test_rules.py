"""The table of rules and tests is complete and up to date."""

from __future__ import annotations

import pytest

from .rules import PAGE, RULES, page, proofs


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_has_a_test(rule: str) -> None:
    assert proofs().get(rule)


def test_a_test_names_no_unknown_rule() -> None:
    assert set(proofs()) <= set(RULES)


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m tests.rules"
