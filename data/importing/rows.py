"""Rows of a table from a sheet: every mapped column parsed and checked, rejects listed, defaults filled in."""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from data.importing import cells, places, resolve, vocabulary
from data.importing.columns import Coded, Days, Numbers, Rows, taken, to_arrow
from data.importing.mapping import MONEY, Assigned
from data.importing.money import with_currencies
from data.importing.repeats import without_repeats
from data.importing.report import Report, lines_text
from data.importing.sheet import Sheet
from data.importing.text import clean, fold, is_broken_reference, one_line, slug, without_footnotes
from data.meta import TableMeta

TAGS = re.compile(r"\s*#(confident|likely|speculative|unlikely|unconfirmed|confirmed)\b", re.IGNORECASE)
LONG_TEXT = frozenset({"quote_or_note", "note", "notes", "note_text"})
WHOLE_ROWS = 200_000
ANOTHER_NUMBER = re.compile(r"(?<![\w.,/-])\d")
NOT_READABLE = ("not a number", "not a date")


@dataclass
class Context:
    """What is known besides the file: the day, its name, how it is written, the publisher's layout."""

    today: datetime.date
    file_name: str
    delimiter: str = ","
    layout: dict[str, Any] = field(default_factory=dict)
    edition: str = ""


@dataclass
class Builder:
    """The rows under construction: one array a column, a mask of rejected rows."""

    sheet: Sheet
    assigned: list[Assigned]
    meta: TableMeta
    report: Report
    context: Context
    frame: Rows = field(default_factory=Rows)
    parsed: dict[tuple[str, int], Numbers] = field(default_factory=dict)
    days: dict[str, Days] = field(default_factory=dict)
    bad: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=bool))

    def __post_init__(self) -> None:
        self.lines = self.sheet.lines
        self.size = len(self.lines)
        self.bad = np.zeros(self.size, dtype=bool)
        self.given = {item.field for item in self.assigned}
        self.by_field = {(item.field, item.slot): item for item in self.assigned}

    def release(self) -> None:
        """Let go of everything parsed: the finished rows are all that is needed, and large files need the room."""
        for held in (self.frame, self.parsed, self.days, self.by_field, self.assigned, self.sheet.columns):
            held.clear()

    def item(self, name: str, slot: int = 0) -> Assigned | None:
        return self.by_field.get((name, slot))

    def reject(self, mask: np.ndarray, item: Assigned | None, reason: str, column: str = "", values: np.ndarray | None = None) -> None:
        """Reject the masked rows that are not rejected yet, each with its line, column and text."""
        for row in np.flatnonzero(mask & ~self.bad):
            if values is not None:
                shown = str(values[row])
            else:
                shown = item.column.texts[item.column.codes[row]] if item else ""
            self.report.reject(int(self.lines[row]), column or (item.column.name if item else ""), shown, reason)
        self.bad |= mask

    def line_list(self, mask: np.ndarray) -> str:
        return lines_text([int(line) for line in self.lines[np.flatnonzero(mask)][:2000]])

    def column(self, name: str) -> np.ndarray:
        """Return a column, all missing when the file has none."""
        self.add(name)
        return self.frame[name]

    def add(self, name: str) -> None:
        """See that a column is there, all missing when the file has none."""
        if name not in self.frame:
            none = np.full(self.size, np.nan)
            self.frame[name] = (
                none if self.meta.columns[name].numeric else Coded(none.astype(bool) * np.int32(-1), np.zeros(0, dtype=object))
            )


def build(builder: Builder) -> None:
    """Parse every mapped column of the table into the builder's frame and list what is out of bounds."""
    for item in builder.assigned:
        mask = cells.broken_rows(item)
        if mask.any():
            _reject_broken(builder, item, mask)
    decimal = cells.shown_decimal([item for item in builder.assigned if _is_number(builder, item)], builder.context.delimiter)
    row_units, row_money = _row_texts(builder, "ROW_UNIT"), _row_texts(builder, "ROW_CURRENCY")
    for item in builder.assigned:
        column = builder.meta.columns.get(item.field)
        if _is_number(builder, item):
            if row_money is not None and MONEY.search(item.field):
                item.column = with_currencies(item.column, row_money)
            powered = item.field in ("POWER", "power_mw", "site_power_mw")
            hints = cells.Hints(builder.context.delimiter, decimal, row_units if powered else None, row_money)
            parsed = cells.numbers_of(item, builder.meta, builder.report, builder.lines, hints)
            builder.parsed[(item.field, item.slot)] = parsed
            _number_errors(builder, item, parsed)
            if column is not None and item.slot == 0:
                builder.frame[item.field] = parsed.value
        elif column is not None and column.type == "date" or item.field == "RETIRED_DATE":
            days = cells.days_of(item, builder.report, builder.lines, keep_partial=builder.sheet.canonical)
            builder.days[item.field] = days
            _errors(builder, item, days.errors, days.codes)
            if column is not None:
                builder.frame[item.field] = days.coded
        elif column is not None and not column.numeric and item.slot == 0:
            builder.frame[item.field] = _text(builder, item)


def _is_number(builder: Builder, item: Assigned) -> bool:
    column = builder.meta.columns.get(item.field)
    if item.field in ("latitude", "longitude") and not builder.sheet.canonical:
        return False  # degrees, minutes and seconds: read as places
    return item.field in ("POWER", "CHIP_COUNT_TOTAL", "ACCELERATOR_CORES") or (column is not None and column.numeric)


def _row_texts(builder: Builder, name: str) -> list[str] | None:
    item = builder.item(name)
    return [item.column.texts[code] for code in item.column.codes] if item else None


def _reject_broken(builder: Builder, item: Assigned, mask: np.ndarray) -> None:
    builder.reject(mask, item, "a broken spreadsheet reference: the formula behind it failed, so the row cannot be trusted")


def _number_errors(builder: Builder, item: Assigned, parsed: Numbers) -> None:
    """Reject values out of the column's bounds; words where a number belongs are left empty in foreign files."""
    _errors(builder, item, parsed.errors, parsed.codes)
    name = {"POWER": "site_power_mw", "CHIP_COUNT_TOTAL": "chip_count"}.get(item.field, item.field)
    column = builder.meta.columns.get(name)
    if column is None:
        return
    value = parsed.value
    with np.errstate(invalid="ignore"):
        if column.minimum is not None:
            builder.reject(value < column.minimum, item, f"below {column.minimum:g}, the least that {name} can be{_unit(column.unit)}")
        if column.maximum is not None:
            builder.reject(value > column.maximum, item, f"above {column.maximum:g}, the most that {name} is taken for{_unit(column.unit)}")
        tiny = (np.abs(value) < 1e-9) & (value != 0)
        builder.reject(tiny, item, "too small to be meant: nearer to nothing than any measurement")
        if column.type == "integer":
            whole = np.round(value)
            off = (
                np.abs(value - whole) > 1e-6 * np.maximum(1.0, np.abs(value))
                if "chips" in column.unit
                else np.zeros(len(value), dtype=bool)
            )
            builder.reject(off & ~parsed.ranged & ~parsed.approximate, item, "not a whole number, and chips cannot be cut")
            if "/" not in column.unit:
                parsed.value = np.where(np.isfinite(value), whole, value)
                parsed.low, parsed.high = np.round(parsed.low), np.round(parsed.high)
    if not builder.sheet.canonical:
        _left_over(builder, item, parsed)
    nan_words = item.column.matching(r"(?i)^\s*[+-]?nan\s*$")
    if len(nan_words):
        builder.report.warn(
            f'column "{item.column.name}": "{item.column.texts[nan_words[0]].strip()}" is no number and is stored as missing'
        )


def _left_over(builder: Builder, item: Assigned, parsed: Numbers) -> None:
    """Name the cells that hold a second number which is not read: "500 MW / 1 GW"."""
    for code, rest in parsed.rest.items():
        text = item.column.texts[code].strip()
        if ANOTHER_NUMBER.search(rest) and code not in parsed.errors and not resolve.chip(rest) and not resolve.chips_with_counts(text):
            where = builder.line_list(parsed.codes == code)
            builder.report.warn(f'column "{item.column.name}", {where}: of "{text[:60]}" only the first number is read')


def _unit(unit: str) -> str:
    return f" ({unit})" if unit else ""


def _errors(builder: Builder, item: Assigned, errors: dict[int, str], codes: np.ndarray) -> None:
    for code, reason in errors.items():
        mask = codes == code
        if not builder.sheet.canonical and reason.startswith(NOT_READABLE):
            text = item.column.texts[code].strip()
            named = resolve.chips_with_counts(text) if (builder.meta.name, item.field) == ("clusters", "chip_count") else []
            if len(named) > 1 or (named and builder.item("chip_id") is None):
                continue  # "H100: 10,000; B200: 5,000" is read with its chips
            builder.report.warn(
                f'column "{item.column.name}", {builder.line_list(mask)}: "{text[:60]}" is {reason.split(" (")[0]}, left empty'
            )
        else:
            builder.reject(mask, item, reason)


def _text(builder: Builder, item: Assigned) -> Coded:
    """Parse a text column: exact in canonical files, tidied in foreign ones, words of closed lists translated."""
    canonical, name = builder.sheet.canonical, item.field
    column = builder.meta.columns[name]
    if column.choices:
        return _choices(builder, item)
    if name == "country":
        return _countries(builder, item)
    if name == "chip_id" and builder.meta.name != "chips":
        return _chips(builder, item)
    if canonical:
        return cells.texts_of(item, cells.trimmed_text if name in builder.meta.key else cells.exact_text)
    if name.endswith("_id"):
        return cells.texts_of(item, lambda text: _identifier(text))
    if name in LONG_TEXT:
        return cells.texts_of(item, cells.foreign_text)
    tags = {match.casefold() for text in item.column.texts for match in TAGS.findall(text)}
    if tags:
        builder.report.warn(f'column "{item.column.name}": the marks {", ".join("#" + tag for tag in sorted(tags))} are taken off')
    result = cells.texts_of(item, tidy)
    if name == "city":
        shown = [text.title() if text.isupper() and len(text) > 3 else text for text in result.values]
        result = Coded.spread(np.array(shown, dtype=object), result.codes) if shown else result
    return result


def tidy(text: str) -> str | None:
    """Return a short text of a foreign file on one line, without footnotes, marks and its own outer quotation marks."""
    shown = cells.foreign_text(text)
    if shown is None:
        return None
    shown = one_line(TAGS.sub("", without_footnotes(shown)))
    if len(shown) > 2 and shown[0] == shown[-1] == '"' and shown.count('"') == 2:
        shown = shown[1:-1].strip()
    return shown or None


def _identifier(text: str) -> str | None:
    shown = clean(text)
    return (slug(shown) if " " in shown else shown) or None


def _choices(builder: Builder, item: Assigned) -> Coded:
    column = builder.meta.columns[item.field]
    known = {fold(choice): choice for choice in column.choices}
    translated = vocabulary.translations(item.field) if item.field in ("status", "confidence") else {}
    unknown: dict[int, str] = {}

    def change(text: str) -> str | None:
        shown = without_footnotes(clean(text))
        if fold(shown) not in known and cells.foreign_text(shown) is None:
            return None
        plain = fold(re.sub(r"\(.*?\)", "", shown)) or fold(shown)
        found = known.get(plain) or translated.get(plain)
        return found if found in column.choices else f"\0{shown}"

    changed = np.array([change(text) for text in item.column.texts] or [None], dtype=object)
    for code, result in enumerate(changed):
        if result and result.startswith("\0"):
            unknown[code], changed[code] = result[1:], None
    values = Coded.spread(changed, item.column.codes)
    for code, shown in unknown.items():
        mask = item.column.codes == code
        if builder.sheet.canonical:
            builder.reject(mask, item, f"not one of the words for {item.field}: {', '.join(column.choices)}")
        else:
            builder.report.warn(f'column "{item.column.name}": "{shown[:60]}" is not a word for {item.field} that is known; left empty')
    return values


def _countries(builder: Builder, item: Assigned) -> Coded:
    unknown: list[str] = []

    def change(text: str) -> str | None:
        if not clean(text):
            return None
        named = places.country(text)
        if named:
            return named
        shown = tidy(text)
        if shown:
            unknown.append(shown)
        return shown

    values = cells.texts_of(item, change)
    if unknown:
        builder.report.warn(f'column "{item.column.name}": not a country that is known, kept as written: {", ".join(unknown[:5])[:200]}')
    return values


def _chips(builder: Builder, item: Assigned) -> Coded:
    if builder.meta.name != "clusters":
        counted = [code for code in item.column.matching(r"\d") if resolve.chips_with_counts(item.column.texts[code])]
        reason = "counts chips, and a row here is about one: name the chip alone, with its figures for one chip"
        builder.reject(np.isin(item.column.codes, counted), item, reason)
    return cells.texts_of(item, lambda text: chip_of(text, item.column.name, builder.report))


def chip_of(text: str, header: str, report: Report) -> str | None:
    """Return the chip id a cell names; "unknown" with a warning, or a question when a known spelling is very like it."""
    shown = clean(text)
    if shown in resolve.chip_ids():
        return shown
    if cells.foreign_text(text) is None or is_broken_reference(shown):
        return None
    if resolve.chips_with_counts(text):
        return None  # several chips, each with its count: read where rows are made
    named = resolve.chip(text)
    if named:
        if named.assumed:
            report.warn(f'column "{header}": "{shown[:60]}" is read as {named.chip_id} ({named.assumed})')
        return named.chip_id
    near = resolve.proposal(shown)
    if near and (proposed := resolve.chip(near)):
        answer = report.ask(
            f"chip:{shown[:60]}", f'Is "{shown[:60]}" the chip {near}?', (proposed.chip_id, "unknown", "chip=<id of the chip>"), "unknown"
        )
        return answer.removeprefix("chip=") if answer.removeprefix("chip=") in resolve.chip_ids() else "unknown"
    report.warn(f'column "{header}": "{shown[:60]}" is no chip that is known; stored as unknown')
    return "unknown"


def defaults(builder: Builder) -> None:
    """Fill in what the file as a whole says: the day of the data, the source, the publisher's own confidence."""
    meta, context = builder.meta, builder.context
    as_of, source = meta.as_of_column, meta.source_column
    if as_of and meta.columns[as_of].required or as_of == "as_of":
        day = context.edition or builder.sheet.as_of or context.today.isoformat()
        _fill(builder, str(as_of), day, "the day of the upload" if day == context.today.isoformat() else "the edition of the file")
    if source:
        _fill(builder, source, context.layout.get("source") or f"Upload: {context.file_name}", "the source")
    if meta.source_url_column and context.layout.get("source_url"):
        _fill(builder, meta.source_url_column, context.layout["source_url"], "")
    if "confidence" in meta.columns and context.layout.get("confidence"):
        _fill(builder, "confidence", context.layout["confidence"], "")


def _fill(builder: Builder, name: str, value: str, what: str) -> None:
    builder.add(name)
    empty = builder.frame.fill(name, value)
    if empty and what and name not in builder.context.layout:
        builder.report.warn(f'{empty:,} row(s) name no {name}: "{value}" ({what}) is stored')


def check_bounds(builder: Builder) -> None:
    """Reject rows whose finished figures (sums, rates applied, filled from the row above) are out of bounds."""
    for name, column in builder.meta.columns.items():
        if not column.numeric or name not in builder.frame:
            continue
        values = builder.frame[name]
        shown = np.array([_shown(value) for value in values], dtype=object) if len(values) < 10_000 else values
        with np.errstate(invalid="ignore"):
            if column.minimum is not None:
                builder.reject(values < column.minimum, None, f"below {column.minimum:g}{_unit(column.unit)}", name, shown)
            if column.maximum is not None:
                builder.reject(values > column.maximum, None, f"above {column.maximum:g}{_unit(column.unit)}", name, shown)
        builder.reject(np.isinf(values), None, "infinite: a finite number is needed", name, shown)


def _shown(value: float) -> str:
    return "" if np.isnan(value) else f"{value:.12g}"


def check_required(builder: Builder) -> None:
    """Reject rows without a value in a required column."""
    for name, column in builder.meta.columns.items():
        if column.required:
            builder.add(name)
            builder.reject(
                builder.frame.missing(name), builder.item(name), f"no {name}, which every row of {builder.meta.name} needs", column=name
            )


def to_table(builder: Builder) -> pa.Table:
    """Return the kept rows in the table's columns with their line, repeats dropped and conflicting repeats rejected."""
    whole = builder.size <= WHOLE_ROWS  # a column without any value is left out of very large files
    kept: dict[str, np.ndarray | Coded] = {}
    good = None if not builder.bad.any() else np.flatnonzero(~builder.bad)
    for name in builder.meta.columns:
        if not whole and name not in builder.meta.key and (name not in builder.frame or builder.frame.missing(name).all()):
            continue
        builder.add(name)
        kept[name] = taken(builder.frame.held(name), good)
    kept["_line"] = taken(builder.lines, good)
    return to_arrow(without_repeats(kept, builder.meta, builder.report))
