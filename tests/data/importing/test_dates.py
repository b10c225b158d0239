"""Cells of date columns: the first day named, its precision, and what cannot be told."""

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.importing.dates import parse, shown_order


@pytest.mark.parametrize(
    ("text", "day", "precision"),
    [
        ("2025-02-13", "2025-02-13", "day"),
        ("2025-02-13T23:30:00-08:00", "2025-02-13", "day"),
        ("30 September 2025", "2025-09-30", "day"),
        ("Sept 30, 2025", "2025-09-30", "day"),
        ("01.03.2025", "2025-03-01", "day"),
        ("Oct. 2025", "2025-10-01", "month"),
        ("März 2025", "2025-03-01", "month"),
        ("03.2025", "2025-03-01", "month"),
        ("2025.03", "2025-03-01", "month"),
        ("2025年3月", "2025-03-01", "month"),
        ("Q4 2026", "2026-10-01", "quarter"),
        ("3Q25E", "2025-07-01", "quarter"),
        ("H1 2026", "2026-01-01", "half"),
        ("2025–26", "2025-01-01", "year"),
        ("by 2026", "2026-01-01", "year"),
        ("mid-2026", "2026-01-01", "year"),
        ("2026 (planned)", "2026-01-01", "year"),
        ("45537", "2024-09-02", "day"),
    ],
)
def test_dates(text, day, precision):
    found = parse(text)
    assert found.date is not None and (found.date.isoformat(), found.precision) == (day, precision)


@pytest.mark.parametrize("text", ["2025-02-30", "0001-01-01", "9999-12-31", "soon", "2025-13", "31/02/2025"])
def test_no_date(text):
    assert parse(text).date is None and parse(text).error


def test_two_readings_need_an_order():
    assert parse("03/04/2025").ambiguous
    assert parse("03/04/2025", "day-first").date == datetime.date(2025, 4, 3)
    assert parse("03/04/2025", "month-first").date == datetime.date(2025, 3, 4)
    assert shown_order(["13/02/2025", "01/02/2025"]) == "day-first"
    assert shown_order(["13/02/2025", "02/13/2025"]) == "both"


@given(st.dates(datetime.date(1950, 1, 1), datetime.date(2099, 12, 31)))
def test_any_day_reads_back(day):
    assert parse(day.isoformat()).date == day
    assert parse(day.strftime("%d %B %Y")).date == day


@given(st.text(max_size=40))
def test_any_text_gets_an_answer(text):
    found = parse(text)
    assert found.date is None or 1940 <= found.date.year <= 2100
