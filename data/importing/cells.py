"""Columns of cells into columns of values: each distinct text is parsed once, then spread over the rows."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data.importing import dates, numbers, units
from data.importing.columns import Coded, Days, Numbers
from data.importing.mapping import MONEY, Assigned, target_unit
from data.importing.money import to_dollars
from data.importing.numbers import Quantity
from data.importing.report import Refused, Report, lines_text
from data.importing.text import clean, is_broken_reference, is_missing, visible
from data.meta import TableMeta

PLAIN_NUMBER = r"^-?[0-9]+(\.[0-9]+)?$"
THOUSANDS = re.compile(r"\s*[~≈]?\s*[1-9]\d{0,2}(?:\.\d{3})+(?![\d.,eE])")
PLAIN_TEXT = r"^[!-~]([ -~]*[!-~])?$"  # printable ASCII without outer blanks: neither trimming nor NFC changes it
MANY = 500


@dataclass(frozen=True)
class Hints:
    """What is known beside a column's own cells: the delimiter, the decimal mark other columns show, units and currencies by row."""

    delimiter: str = ","
    decimal: str = ""
    row_units: list[str] | None = None
    row_money: list[str] | None = None


def numbers_of(
    item: Assigned,
    meta: TableMeta,
    report: Report,
    lines: np.ndarray,
    hints: Hints,
) -> Numbers:
    """Parse a number column into the field's unit; units and currencies may come from the cell, the row or the header."""
    column = item.column
    quantities, plain = _quantities(item, report, hints)
    target = target_unit(item.field, meta)
    money = bool(MONEY.search(item.field))
    size = column.distinct
    value, low, high = (np.full(size, np.nan) for _ in range(3))
    flags = np.zeros((3, size), dtype=bool)
    result = Numbers(value, low, high, flags[0], flags[1], flags[2], column, column.codes)
    unit_default = item.unit or _asked_unit(item, quantities, plain, target, report, hints)
    foreign: dict[str, list[int]] = {}
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
        to_dollars(item, result, signed, foreign, report, hints.row_money)
    codes = column.codes
    for name in ("value", "low", "high", "approximate", "planned", "ranged"):
        setattr(result, name, getattr(result, name)[codes])
    if hints.row_units is not None and target:
        factors = np.array([(units.factor(units.known(unit), target) or np.nan) if unit.strip() else 1.0 for unit in hints.row_units])
        for name in ("value", "low", "high"):
            setattr(result, name, getattr(result, name) * factors)
    return result


def _quantities(item: Assigned, report: Report, hints: Hints) -> tuple[dict[int, Quantity], np.ndarray | None]:
    """Parse the distinct texts by code; where there are many, plain numbers come as one array instead (NaN where not plain)."""
    if item.column.distinct <= MANY:
        texts = item.column.texts
        mark = _mark(item, texts, report, hints)
        return {code: numbers.parse(text, mark) for code, text in enumerate(texts)}, None
    array = item.column.arrow
    is_plain = pc.match_substring_regex(array, PLAIN_NUMBER)
    codes = np.flatnonzero(~np.asarray(is_plain))
    odd = array.take(pa.array(codes)).to_pylist()
    mark = _mark(item, odd if hints.delimiter != ";" else item.column.texts, report, hints)
    if mark == ",":
        return {code: numbers.parse(text, mark) for code, text in enumerate(item.column.texts)}, None
    plain = pc.cast(pc.if_else(is_plain, array, pa.scalar(None, pa.string())), pa.float64()).to_numpy(zero_copy_only=False)
    return {int(code): numbers.parse(text, mark) for code, text in zip(codes, odd)}, plain


def _mark(item: Assigned, texts: list[str], report: Report, hints: Hints) -> str:
    """Return the decimal mark of a column: as its cells show, as other columns show, or as the user says."""
    mark, how = numbers.decimal_mark(texts, hints.delimiter)
    if how == "shown":
        return mark
    counted = item.field in ("chip_count", "CHIP_COUNT_TOTAL")
    grouped = [text for text in texts if THOUSANDS.match(text)] if counted or how == "ambiguous" else []
    if counted and any(not text.rstrip().endswith("000") for text in grouped):
        return ","  # chips are whole, so 23.536 of them are thousands
    if hints.decimal == "," or (hints.decimal and not (counted and grouped)):
        return hints.decimal
    if not grouped:
        return mark
    answer = report.ask(
        f"decimal:{item.column.name}",
        f'In column "{item.column.name}", is {grouped[0].strip()[:20]} a number of thousands, or is the point a decimal mark?',
        ("thousands", "decimal"),
        "decimal",
    )
    return "," if answer == "thousands" else "."


def shown_decimal(items: list[Assigned], delimiter: str) -> str:
    """Return the decimal mark that number columns of a file show, or an empty text when none or several do."""
    shown = set()
    for item in items:
        mark, how = numbers.decimal_mark(item.column.sample(300), delimiter)
        if how == "shown" and any(mark in text for text in item.column.sample(300)):
            shown.add(mark)
    return shown.pop() if len(shown) == 1 else ""


def _asked_unit(
    item: Assigned, quantities: dict[int, Quantity], plain: np.ndarray | None, target: str, report: Report, hints: Hints
) -> str:
    """Ask for the unit of power where the header names none: of all cells, or of those bare beside others in kW or GW."""
    if target != "MW" or hints.row_units is not None:
        return ""
    units_seen = {quantity.unit for quantity in quantities.values() if quantity.unit}
    bare = any(not quantity.missing and not quantity.error and not quantity.unit for quantity in quantities.values())
    if units_seen == {"MW"} or not (bare or plain is not None):
        return ""
    example = next((item.column.texts[code].strip() for code, found in quantities.items() if found.value and not found.unit), "")
    why = f"Cells such as {example[:20]} name none." if units_seen else "Neither its header nor its cells say."
    return report.ask(
        f"unit:{item.column.name}",
        f'In which unit is column "{item.column.name}"? {why}',
        ("MW", "kW", "GW", "W"),
        "MW",
    )


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
    parsed = _fiscal_years(column.name, texts, parsed, order, report)
    if shown == "both":
        report.warn(
            f'column "{column.name}" holds dates with the day first and with the month first; only those that can be read one way are taken'
        )
    elif order:
        report.warn(f'column "{column.name}": dates are read {order}, as the other dates of the column show')
    errors: dict[int, str] = {}
    values = np.empty(len(texts), dtype=object)
    partial: dict[str, list[int]] = {}
    for code, (text, value) in enumerate(zip(texts, parsed)):
        values[code] = None
        if value.error:
            errors[code] = value.error
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
    for said in sorted({value.warning for value in parsed if value.warning}):
        report.warn(f'column "{column.name}": {said}')
    unsure = np.array([value.unsure for value in parsed], dtype=bool)[column.codes] if texts else np.zeros(0, dtype=bool)
    planned = np.array([value.planned for value in parsed], dtype=bool)[column.codes] if texts else np.zeros(0, dtype=bool)
    last = np.array([day.isoformat() if (day := dates.until(value)) else "" for value in parsed], dtype=object)
    return Days(Coded.spread(values, column.codes), unsure, planned, column.codes, errors, last)


def _fiscal_years(name: str, texts: list[str], parsed: list[dates.DateValue], order: str, report: Report) -> list[dates.DateValue]:
    """Ask when the fiscal years of a column begin, and read its fiscal dates by the answer."""
    found = [code for code, value in enumerate(parsed) if value.fiscal]
    if not found:
        return parsed
    answer = report.ask(
        f"fiscal:{name}",
        f'Column "{name}" holds fiscal years ({texts[found[0]][:20]}): on which day did fiscal year 2025 begin, or are they calendar years?',
        ("calendar", "begins=<YYYY-MM-DD>", "leave-empty"),
        "calendar",
    )
    if answer == "calendar":
        return parsed
    result, start = list(parsed), None
    if answer != "leave-empty":
        start = dates.parse(answer.removeprefix("begins=")).date
        if start is None or start.day != 1:
            raise Refused(f'the answer "{answer[:40]}" to question fiscal:{name} needs the first day of a month, such as begins=2024-07-01')
    for code in found:
        result[code] = dates.parse(texts[code], order, start) if start else dates.DateValue()
    return result


def texts_of(item: Assigned, change: Callable[[str], str | None]) -> Coded:
    """Change each distinct text once and spread the results over the rows (None for a missing one)."""
    if change in (exact_text, trimmed_text) and item.column.distinct > MANY:
        array = item.column.arrow
        odd = np.flatnonzero(~np.asarray(pc.match_substring_regex(array, PLAIN_TEXT)))
        if not len(odd):
            return Coded(item.column.codes, array)
        mask = np.zeros(len(array), dtype=bool)
        mask[odd] = True
        done = pa.array([change(text) for text in array.take(pa.array(odd)).to_pylist()], type=pa.string())
        return Coded.merged(pc.replace_with_mask(array, pa.array(mask), done), item.column.codes)
    changed = np.empty(item.column.distinct, dtype=object)
    for code, text in enumerate(item.column.texts):
        changed[code] = change(text)
    return Coded.spread(changed, item.column.codes)


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
    codes = [code for code in item.column.matching(r"^\s*#") if is_broken_reference(item.column.texts[code])]
    return np.isin(item.column.codes, codes)


def _lines_of(codes: np.ndarray, code: int, lines: np.ndarray) -> str:
    return lines_text([int(line) for line in lines[np.flatnonzero(codes == code)][:50]])


def is_after(days: np.ndarray, today: datetime.date) -> np.ndarray:
    """Return a mask of ISO dates later than today."""
    limit = today.isoformat()
    return np.array([isinstance(day, str) and day > limit for day in days], dtype=bool)
