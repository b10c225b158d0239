"""Columns of cells into columns of values: each distinct text is parsed once, then spread over the rows."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data.importing import dates, numbers, units
from data.importing.mapping import MONEY, Assigned, target_unit
from data.importing.numbers import Quantity
from data.importing.report import Refused, Report, lines_text
from data.importing.text import clean, is_broken_reference, is_missing, visible
from data.meta import TableMeta

PLAIN_NUMBER = r"^-?[0-9]+(\.[0-9]+)?$"
MANY = 500
RATE_CHOICE = "rate=<USD for one unit>@<YYYY-MM-DD>"


@dataclass
class Numbers:
    """A number column, one entry a row; `flags` are sets of distinct texts by what was noticed."""

    value: np.ndarray
    low: np.ndarray
    high: np.ndarray
    approximate: np.ndarray
    planned: np.ndarray
    ranged: np.ndarray
    errors: dict[int, str] = field(default_factory=dict)  # code -> reason
    rest: dict[int, str] = field(default_factory=dict)  # code -> words left over
    notes: dict[int, str] = field(default_factory=dict)  # code -> how the value came about
    codes: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=np.int32))
    texts: list[str] = field(default_factory=list)


@dataclass
class Days:
    """A date column, one entry a row: ISO text or None."""

    value: np.ndarray
    unsure: np.ndarray
    planned: np.ndarray
    errors: dict[int, str] = field(default_factory=dict)
    codes: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=np.int32))
    texts: list[str] = field(default_factory=list)


def numbers_of(
    item: Assigned,
    meta: TableMeta,
    report: Report,
    lines: np.ndarray,
    delimiter: str,
    row_units: list[str] | None,
    row_money: list[str] | None,
) -> Numbers:
    """Parse a number column into the field's unit; units and currencies may come from the cell, the row or the header."""
    column = item.column
    quantities = _quantities(item, report, delimiter)
    target = target_unit(item.field, meta)
    money = bool(MONEY.search(item.field))
    size = len(column.texts)
    value, low, high = (np.full(size, np.nan) for _ in range(3))
    flags = np.zeros((3, size), dtype=bool)
    result = Numbers(value, low, high, flags[0], flags[1], flags[2], codes=column.codes, texts=column.texts)
    unit_default = item.unit or _asked_unit(item, quantities, target, report, row_units)
    foreign: dict[str, list[int]] = {}
    plain = quantities.pop(-1, None)
    if plain is not None:
        value[:] = plain * ((units.factor(unit_default, target) or 1.0) * item.scale)
    for code, quantity in quantities.items():
        if quantity.error:
            result.errors[code] = quantity.error
        if quantity.warning:
            report.warn(f'column "{column.name}": {quantity.warning} ({column.texts[code][:40]!r}, {_lines_of(column.codes, code, lines)})')
        if quantity.rest:
            result.rest[code] = quantity.rest
        unit = quantity.unit or unit_default
        factor = units.factor(unit, target) if target and unit else 1.0
        if factor is None:
            result.errors[code] = f"{unit} cannot be read as {target}"
            continue
        if not quantity.scaled_in_cell and not (quantity.unit and item.unit and quantity.unit != item.unit):
            factor *= item.scale
        scaled = quantity.scaled(factor)
        if money and scaled.currency and scaled.currency != "USD":
            foreign.setdefault(scaled.currency, []).append(code)
            result.notes[code] = f"{column.texts[code].strip()}"
        value[code], low[code], high[code] = scaled.value, scaled.low, scaled.high
        flags[0][code], flags[1][code] = quantity.approximate, quantity.planned
        flags[2][code] = not np.isnan(quantity.low) and not np.isnan(quantity.high)
    if money:
        signed = {code for code, quantity in quantities.items() if quantity.currency}
        _money(item, result, signed, foreign, report, row_money)
    codes = column.codes
    for name in ("value", "low", "high", "approximate", "planned", "ranged"):
        setattr(result, name, getattr(result, name)[codes])
    if row_units is not None and target:
        factors = np.array([(units.factor(units.known(unit), target) or np.nan) if unit.strip() else 1.0 for unit in row_units])
        for name in ("value", "low", "high"):
            setattr(result, name, getattr(result, name) * factors)
    return result


def _quantities(item: Assigned, report: Report, delimiter: str) -> dict[int, Quantity]:
    """Parse the distinct texts; entry -1 holds plain numbers as an array when there are many of them."""
    texts = item.column.texts
    if len(texts) > MANY:
        array = pa.array(texts, type=pa.string())
        is_plain = pc.match_substring_regex(array, PLAIN_NUMBER)
        marks_needed = ~np.asarray(is_plain)
        odd = [texts[code] for code in np.flatnonzero(marks_needed)]
    else:
        is_plain, odd = None, texts
    mark, how = (
        numbers.decimal_mark(odd if any("," in text for text in odd) else [], delimiter)
        if is_plain is not None
        else numbers.decimal_mark(texts, delimiter)
    )
    if how == "ambiguous":
        example = next(text for text in texts if "." in text)
        answer = report.ask(
            f"decimal:{item.column.name}",
            f'In column "{item.column.name}", is {example.strip()[:20]} a number of thousands, or is the point a decimal mark?',
            ("thousands", "decimal"),
            "decimal",
        )
        mark = "," if answer == "thousands" else "."
    if is_plain is None or mark == ",":
        return {code: numbers.parse(text, mark) for code, text in enumerate(texts)}
    plain = pc.cast(pc.if_else(is_plain, array, pa.scalar(None, pa.string())), pa.float64()).to_numpy(zero_copy_only=False)
    result = {int(code): numbers.parse(texts[code], mark) for code in np.flatnonzero(marks_needed)}
    result[-1] = plain  # type: ignore[assignment]
    return result


def _asked_unit(item: Assigned, quantities: dict[int, Quantity], target: str, report: Report, row_units: list[str] | None) -> str:
    """Ask for the unit of a power column that names none, neither in the header nor in its cells."""
    if target != "MW" or item.field != "POWER" or row_units is not None:
        return ""
    units_seen = {quantity.unit for code, quantity in quantities.items() if code >= 0 and quantity.unit}
    bare = [
        quantity for code, quantity in quantities.items() if code < 0 or (not quantity.missing and not quantity.error and not quantity.unit)
    ]
    if units_seen or not bare:
        return ""
    return report.ask(
        f"unit:{item.column.name}",
        f'In which unit is column "{item.column.name}"? Neither its header nor its cells say.',
        ("MW", "kW", "GW", "W"),
        "MW",
    )


def _money(
    item: Assigned, result: Numbers, signed: set[int], foreign: dict[str, list[int]], report: Report, row_money: list[str] | None
) -> None:
    """Turn money into US dollars by the rates the user gives; without one the cells stay empty."""
    column = item.column
    default = item.currency
    if row_money is not None:
        by_row = {units.CURRENCIES.get(text.strip().casefold(), "") for text in row_money if text.strip()}
        default = by_row.pop() if len(by_row) == 1 else "several" if by_row else default
        if default == "several":
            report.warn(f'column "{column.name}" holds several currencies by row: only cells with their own sign are read')
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
    for currency, codes in foreign.items():
        _convert(item, result, currency, codes, report)


def _convert(item: Assigned, result: Numbers, currency: str, codes: list[int], report: Report) -> None:
    column = item.column
    example = column.texts[codes[0]].strip()
    answer = report.ask(
        f"rate:{currency}",
        f'Column "{column.name}" holds {currency} ({example[:40]}): give US dollars for one {currency} and the day of that rate, or leave these cells empty.',
        (RATE_CHOICE, "leave-empty"),
        "leave-empty",
    )
    rate = _rate(answer)
    if rate is None:
        result.value[codes] = result.low[codes] = result.high[codes] = np.nan
        report.warn(
            f'column "{column.name}": {len(codes)} value(s) in {currency} left empty, because no dated exchange rate is given ({example[:40]})'
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


def days_of(item: Assigned, report: Report, lines: np.ndarray, keep_partial: bool) -> Days:
    """Parse a date column; dates that can be read two ways are asked about, `keep_partial` keeps ISO months and years as written."""
    column = item.column
    texts = [clean(text) for text in column.texts]
    shown = dates.shown_order(texts)
    order = shown if shown in ("day-first", "month-first") else ""
    parsed = [dates.parse(text, order) for text in texts]
    ambiguous = [code for code, value in enumerate(parsed) if value.ambiguous]
    if ambiguous:
        example = texts[ambiguous[0]]
        both = "; the column holds both orders" if shown == "both" else ""
        answer = report.ask(
            f"date_order:{column.name}",
            f'In column "{column.name}", is {example} day first or month first{both}?',
            ("day-first", "month-first", "leave-empty"),
            "leave-empty",
        )
        for code in ambiguous:
            if answer != "leave-empty":
                parsed[code] = dates.parse(texts[code], answer)
        if answer == "leave-empty":
            report.warn(f'column "{column.name}": {len(ambiguous)} date(s) such as {example} can be read two ways and are left empty')
    if shown == "both":
        report.warn(
            f'column "{column.name}" holds dates with the day first and with the month first; only those that can be read one way are taken'
        )
    elif order:
        report.warn(f'column "{column.name}": dates are read {order}, as the other dates of the column show')
    result = Days(np.array([], dtype=object), np.array([]), np.array([]), codes=column.codes, texts=column.texts)
    values = np.empty(len(texts), dtype=object)
    partial: dict[str, list[int]] = {}
    for code, (text, value) in enumerate(zip(texts, parsed)):
        values[code] = None
        if value.error:
            result.errors[code] = value.error
        if value.date is None:
            continue
        iso = value.date.isoformat()
        written = keep_partial and len(text) in (4, 7) and iso.startswith(text)
        values[code] = text if written else iso
        if value.precision != "day" and not written:
            partial.setdefault(value.precision, []).append(code)
        if value.serial:
            partial.setdefault("serial", []).append(code)
    for precision, codes in partial.items():
        what = "a spreadsheet's day number" if precision == "serial" else f"known to the {precision} only: its first day is stored"
        report.warn(f'column "{column.name}": {len(codes)} date(s) such as {texts[codes[0]]} = {values[codes[0]]}, {what}')
    for value in {value.warning for value in parsed if value.warning}:
        report.warn(f'column "{column.name}": {value}')
    result.value = values[column.codes]
    result.unsure = np.array([value.unsure for value in parsed], dtype=bool)[column.codes] if texts else np.zeros(0, dtype=bool)
    result.planned = np.array([value.planned for value in parsed], dtype=bool)[column.codes] if texts else np.zeros(0, dtype=bool)
    return result


def texts_of(item: Assigned, change: Callable[[str], str | None]) -> np.ndarray:
    """Change each distinct text once and spread the results over the rows (None for a missing one)."""
    changed = np.empty(len(item.column.texts), dtype=object)
    for code, text in enumerate(item.column.texts):
        changed[code] = change(text)
    return changed[item.column.codes] if len(changed) else np.empty(len(item.column.codes), dtype=object)


def exact_text(text: str) -> str | None:
    """Return the text as written, in NFC and without invisible characters; None when nothing is left."""
    shown = text if text.isascii() and text.isprintable() else visible(text)
    return shown if shown.strip() else None


def trimmed_text(text: str) -> str | None:
    """Return the text without outer blanks, in NFC and without invisible characters; None when nothing is left."""
    return clean(text) or None


def foreign_text(text: str) -> str | None:
    """Return the text, or None when it is a word for "no value"."""
    shown = clean(text)
    return None if is_missing(shown) else shown


def broken_rows(item: Assigned) -> np.ndarray:
    """Return a mask of rows whose cell is a broken spreadsheet reference."""
    bad = np.array([is_broken_reference(text) for text in item.column.texts], dtype=bool)
    return bad[item.column.codes] if len(bad) else np.zeros(len(item.column.codes), dtype=bool)


def _lines_of(codes: np.ndarray, code: int, lines: np.ndarray) -> str:
    return lines_text([int(line) for line in lines[np.flatnonzero(codes == code)][:50]])


def is_after(days: np.ndarray, today: datetime.date) -> np.ndarray:
    """Return a mask of ISO dates later than today."""
    limit = today.isoformat()
    return np.array([isinstance(day, str) and day > limit for day in days], dtype=bool)
