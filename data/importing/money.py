"""Money in a column: which currency, and into US dollars only by a dated rate the user gives."""

from __future__ import annotations

import re

import numpy as np

from data.importing import dates, numbers, units
from data.importing.columns import Numbers
from data.importing.mapping import Assigned
from data.importing.report import Refused, Report
from data.importing.sheet import Column

YUAN_OR_YEN = "CNY or JPY"
YUAN_YEN = ("CNY", "JPY", "leave-empty")
RATE_CHOICE = "rate=<USD for one unit>@<YYYY-MM-DD>"


def with_currencies(column: Column, row_money: list[str]) -> Column:
    """Return the column with each row's currency before its bare numbers, where the rows name several: "EUR 1.50"."""
    names, money = np.unique(np.array([text.strip() for text in row_money], dtype=object), return_inverse=True)
    if len({units.CURRENCIES.get(str(name).casefold(), str(name)) for name in names if name}) < 2:
        return column
    distinct, pairs = np.unique(column.codes.astype(np.int64) * len(names) + money, return_inverse=True)
    texts = []
    for pair in distinct:
        text, currency = column.texts[pair // len(names)], str(names[pair % len(names)])
        texts.append(f"{currency} {text.strip()}" if currency and re.match(r"\s*[\d.,~]", text) and not _signed(text) else text)
    return Column(column.name, pairs.astype(np.int32), texts, column.alternative, column.unit_hint)


def _signed(text: str) -> bool:
    return bool(numbers.parse(text).currency)


def to_dollars(
    item: Assigned, result: Numbers, signed: set[int], foreign: dict[str, list[int]], report: Report, row_money: list[str] | None
) -> None:
    """Turn money into US dollars by the rates the user gives; without one the cells stay empty."""
    column = item.column
    default = item.currency
    if row_money is not None:
        by_row = {units.CURRENCIES.get(text.strip().casefold(), "") for text in row_money if text.strip()}
        default = by_row.pop() if len(by_row) == 1 else default
    filled = ~np.isnan(result.value)
    unsigned = [code for code in np.flatnonzero(filled) if int(code) not in signed] if not default else []
    if default and default != "USD":
        foreign.setdefault(default, []).extend(int(code) for code in np.flatnonzero(filled) if int(code) not in signed)
    if unsigned and len(unsigned):
        answer = report.ask(
            f"currency:{column.name}",
            f'In which currency is column "{column.name}"? Neither its header nor its cells say.',
            ("USD", "EUR", "GBP", "CNY", "JPY", "leave-empty"),
            "leave-empty",
        )
        if answer == "leave-empty":
            result.value[unsigned] = np.nan
            report.warn(f'column "{column.name}": no currency is named, so its cells are left empty')
        elif answer != "USD":
            foreign.setdefault(answer, []).extend(int(code) for code in unsigned)
    if YUAN_OR_YEN in foreign:
        codes = foreign.pop(YUAN_OR_YEN)
        which = report.ask(
            "currency:¥", f'Is ¥ yuan or yen ({column.texts[codes[0]].strip()[:40]} in column "{column.name}")?', YUAN_YEN, "leave-empty"
        )
        if which == "leave-empty":
            result.value[codes] = result.low[codes] = result.high[codes] = np.nan
            report.warn(f'column "{column.name}": {len(codes)} value(s) in ¥ are left empty, as it can be yuan or yen')
        else:
            foreign.setdefault(which, []).extend(codes)
    for currency, codes in foreign.items():
        _convert(item, result, currency, codes, report)


def _convert(item: Assigned, result: Numbers, currency: str, codes: list[int], report: Report) -> None:
    column = item.column
    example = column.texts[codes[0]].strip()
    answer = report.ask(
        f"rate:{currency}",
        f'Column "{column.name}" holds {currency} ({example[:40]}): give US dollars for one {currency} and the day of that rate, '
        "or leave these cells empty.",
        (RATE_CHOICE, "leave-empty"),
        "leave-empty",
    )
    rate = _rate(answer)
    if rate is None:
        result.value[codes] = result.low[codes] = result.high[codes] = np.nan
        report.warn(
            f'column "{column.name}": {len(codes)} value(s) in {currency} left empty, as no dated exchange rate is given ({example[:40]})'
        )
        return
    per_unit, day = rate
    for code in codes:
        result.value[code], result.low[code], result.high[code] = (
            result.value[code] * per_unit,
            result.low[code] * per_unit,
            result.high[code] * per_unit,
        )
        result.notes[code] = f"derived:{column.texts[code].strip()} x {per_unit:g} USD/{currency} of {day}"


def _rate(answer: str) -> tuple[float, str] | None:
    if not answer.startswith("rate="):
        return None
    amount, _, day = answer.removeprefix("rate=").partition("@")
    quantity = numbers.parse(amount)
    if quantity.error or quantity.missing or not 0 < quantity.value < 1e4:
        raise Refused(f'the rate "{amount}" is not a number of US dollars above 0, such as rate=1.08@2025-06-30')
    date = dates.parse(day)
    if date.date is None:
        raise Refused(f'the rate needs its day, such as rate=1.08@2025-06-30; got "{answer}"')
    return quantity.value, date.date.isoformat()
