"""Rents by the day, week, month or year where the table holds those of an hour: divided by the hours of the period."""

from __future__ import annotations

import re

import numpy as np

from data.importing.rows import Builder

FIELD = "usd_per_gpu_hour"
HOURS = {"day": 24.0, "week": 168.0, "month": 730.0, "year": 8760.0}  # a month is a twelfth of a year of 365 days, as clouds bill it
_UNITS = {"d": "day", "w": "week", "m": "month", "y": "year", "a": "year"}  # by the first letter of every word that PERIOD takes
HOURLY = re.compile(
    r"(?<!\d)(?<!\d )(?:\b(?:hours?|hourly|hrs?)\b|/\s*h\b|(?:gpu|chip|card|accelerator)s?[\s-]*h(?:rs?|ours?)?\b)", re.IGNORECASE
)
_NO_TERM = r"(?![\s-]*(?:commit|reserv|term|contract|plan))"  # how long it is rented, not what the price is for
PERIOD = re.compile(
    rf"(?:\bper|/|\ba|\beach|\b(?:gpu|chip|card|accelerator|node|server|instance)s?)[\s/-]*(?P<unit>days?|weeks?|months?|mo|years?|yrs?)\b{_NO_TERM}"
    rf"|\b(?P<word>daily|weekly|monthly|yearly|annual|annually)\b{_NO_TERM}",
    re.IGNORECASE,
)


def settle(builder: Builder) -> None:
    """Turn rents into those of an hour; a cell's own words come before those of its header, and an hour named there stays."""
    item = builder.item(FIELD)
    if item is None:
        return
    header = f"{item.column.name} {item.column.unit_hint}".replace("_", " ")
    of_header = _hours(header) or 1.0
    by_code = np.array([_hours(text) or of_header for text in item.column.texts] or [1.0])
    hours = by_code[item.column.codes]
    values = builder.column(FIELD)
    longer = np.isfinite(values) & (hours != 1.0)
    if not longer.any():
        return
    values[longer] = values[longer] / hours[longer]
    told = ", ".join(f"{HOURS[unit]:,.0f} hours a {unit}" for unit in HOURS if (hours[longer] == HOURS[unit]).any())
    builder.report.warn(f'column "{item.column.name}", {builder.line_list(longer)}: not by the hour, so divided by {told}')


def _hours(text: str) -> float | None:
    """Return the hours of the period that a header or a cell names: 1 for an hour, None where it names none."""
    if HOURLY.search(text):
        return 1.0
    found = PERIOD.search(text)
    if not found:
        return None
    return HOURS[_UNITS[(found["unit"] or found["word"])[0].casefold()]]
