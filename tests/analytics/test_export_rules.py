"""The command line's reading of one question: what is refused before any rule is asked."""

from __future__ import annotations

import pytest

from analytics.chips.rules import RuleBook
from analytics.export_rules import answer
from data import shipped


@pytest.fixture(scope="module")
def book() -> RuleBook:
    return RuleBook.from_rows(shipped.rows("export_rules"), shipped.rows("country_groups"))


@pytest.fixture(scope="module")
def chips() -> dict[str, dict]:
    return {row["chip_id"]: row for row in shipped.rows("chips")}


@pytest.mark.parametrize("field", ["destination", "hq"])
@pytest.mark.parametrize("code", ["ZZ", "XX", "China", "C1", "CHN", "<b>"])
def test_a_country_that_does_not_exist_is_refused_and_not_judged(book, chips, field, code):
    question = {"chip_id": "h100-sxm", "date": "2026-01-01", "destination": "CN", field: code}
    with pytest.raises(ValueError, match=f"{field} must be a two-letter ISO 3166 country code, got '{code.upper()}'"):
        answer(question, book, chips)


def test_a_country_in_no_group_is_still_judged(book, chips):
    outcome, _ = answer({"chip_id": "h100-sxm", "date": "2024-01-01", "destination": "FJ"}, book, chips)
    assert outcome == "no_clause_met"
