"""Layouts that are no list of rows: periods as columns, one measure a row, additions instead of stocks."""

from __future__ import annotations

import datetime
import re

import numpy as np

from data.importing import dates, ends, numbers, rentals, resolve, units, vocabulary
from data.importing.report import Report
from data.importing.sheet import Column, Sheet, encode
from data.importing.text import clean, fold, is_missing
from data.meta import TableMeta

_MONTH = r"(?:jan|feb|mär|mar|apr|may|mai|jun|jul|aug|sep|okt|oct|nov|dez|dec)[a-zäé]*"
PERIOD = re.compile(
    r"(?:\d{4}[ /-]*[qt][1-4]e?\b|\bt[1-4][ '’/-]*\d{2,4}e?\b|\b[1-4]t[ '’-]*\d{2,4}e?\b"
    r"|\bfy ?'?\d{2,4} ?[/-]?(?:q[1-4])?\b|\d{4}年? ?第?[1-4一二三四] ?(?:季度|四半期)"
    r"|\bq[1-4][ '’/-]*(?:fy|cy)?\d{2,4}e?\b|\b[1-4]q[ '’-]*\d{2,4}e?\b|\d{4}[ /-]*h[12]e?\b|\bh[12][ '’/-]+\d{2,4}e?\b"
    r"|\b[1-4]\. ?(?:quartal|quarter|trimestre) \d{4}\b|\b[12]\. ?(?:halbjahr|half|semestre) \d{4}\b"
    r"|\bh[12]\d{4}\b|\b[12]h[ '’-]*\d{2,4}e?\b"
    rf"|\b\d{{4}}-\d{{2}}-\d{{2}}|\b{_MONTH}[ .'’/-]*\d{{2,4}}\b"
    r"|\b\d{4}[-/]\d{1,2}\b|\b\d{1,2}/\d{4}\b|\b(?:fy|cy|ye)? ?20\d{2}e?\b)",
    re.IGNORECASE,
)
ADDED = re.compile(r"\b(?:added|additions?|new|incremental|increment|net new|zubau|neu|nouveaux?|per quarter|per month)\b", re.IGNORECASE)
MEASURE_CHOICES = ("IT power (MW)", "Site power (MW)", "GPUs", "leave-out")
DATE_HEADER = "online date"


def reshape(sheet: Sheet, meta: TableMeta, report: Report) -> Sheet:
    """Return the sheet as a list of rows: one row a thing and day, one column a measure."""
    if not len(sheet.lines):
        return sheet
    if meta.name == "gpu_rental_prices":
        return rentals.by_term(sheet, report)
    if meta.name != "clusters":
        return sheet
    sheet = _year_and_quarter(ends.joined(sheet, report), report)
    periods = _period_columns(sheet)
    measure = _named(sheet, "MEASURE")
    if periods:
        sheet = _unpivot(sheet, periods, measure, report)
    elif measure is not None and (value := _named(sheet, "VALUE")) is not None:
        sheet = _spread_measures(sheet, measure, value, report)
    return _stocks(sheet, report)


def _chip_in(caption: str) -> str:
    """Return the word of a caption that names a chip, where exactly one does: "H100 installed base (thousand)"."""
    found = {word for word in re.findall(r"[\w-]*\d[\w-]*", caption) if (named := resolve.chip(word)) and named.chip_id != "mixed"}
    return found.pop() if len(found) == 1 else ""


def _unit_of(text: str) -> str:
    """Return the unit, or the scale as a word, that a cell of units names: "MW", "k"."""
    scale, unit, _ = units.in_words(f"({text.strip().strip('()[]')})")
    return units.known(text) or unit or {1e3: "thousand", 1e6: "million"}.get(scale or 0, "")


def _named(sheet: Sheet, field: str) -> Column | None:
    names = vocabulary.fields("clusters")[field][0]
    return next((column for column in sheet.columns if fold(column.name) in names), None)


def _year_and_quarter(sheet: Sheet, report: Report) -> Sheet:
    """Join a year column and a quarter or month column into one date column."""
    by_name = {fold(column.name): column for column in sheet.columns}
    year = by_name.get("year") or by_name.get("jahr")
    part = by_name.get("quarter") or by_name.get("quartal") or by_name.get("month") or by_name.get("monat")
    if year is None or part is None:
        return sheet
    cells = []
    for year_code, part_code in zip(year.codes, part.codes):
        inner, outer = clean(part.texts[part_code]), clean(year.texts[year_code])
        digit = re.fullmatch(r"[qQ]?([1-4])", inner)
        quarterly = fold(part.name) in ("quarter", "quartal")
        cells.append(
            f"Q{digit[1]} {outer}"
            if digit and quarterly
            else f"{outer}-{int(inner):02d}"
            if inner.isdigit()
            else f"{inner} {outer}".strip()
        )
    joined = encode(DATE_HEADER, cells)
    report.warn(f'columns "{year.name}" and "{part.name}" are read together as the date')
    columns = [joined if column is year else column for column in sheet.columns if column is not part]
    return Sheet(columns, sheet.lines, sheet.header_line, sheet.caption, sheet.as_of)


def _period_columns(sheet: Sheet) -> dict[str, list[tuple[Column, str]]]:
    """Return what the header says besides the period -> columns with their period as text, where a header names periods."""
    groups: dict[str, list[tuple[Column, str]]] = {}
    precision: dict[str, set[str]] = {}
    for column in sheet.columns:
        match = PERIOD.search(column.name)
        if not match or resolve.chip(column.name):
            continue
        value = dates.parse(match[0])
        sample = [text for text in column.sample(100) if not is_missing(text)]
        if value.date is None or value.serial:
            continue
        if sample and sum(not (found := numbers.parse(text)).error and not found.missing for text in sample) < 0.5 * len(sample):
            continue
        rest = " ".join((column.name[: match.start()] + " " + column.name[match.end() :]).split()).strip(" -–,:/")
        groups.setdefault(rest, []).append((column, match[0]))
        precision.setdefault(rest, set()).add(value.precision)
    return {
        rest: columns
        for rest, columns in groups.items()
        if len({dates.parse(text).date for _, text in columns}) == len(columns)
        and len(columns) >= (3 if precision[rest] == {"year"} else 2)
    }


def _label(text: str, unit: str, sheet: Sheet, sample: list[str], report: Report) -> str:
    """Return a header for a measure: what the file calls it, else what its title or cells say, else the user's answer."""
    shown = clean(text)
    shown = shown.strip("()[] ") if units.known(shown) else shown
    if shown and fold(shown) not in ("value", "wert"):
        bare_unit = units.known(shown)
        if not bare_unit:
            return shown
        unit = unit or bare_unit
    caption = " ".join(sheet.caption)
    scale, caption_unit, _ = units.in_words(caption)
    unit = unit or caption_unit
    if unit and units.factor(unit, "MW") is not None or any(units.factor(numbers.parse(cell).unit or "-", "MW") for cell in sample[:50]):
        kind = (
            "IT power"
            if re.search(r"\bIT\b|\bcritical\b", caption)
            else "Site power"
            if re.search(r"\b(?:site|facility|utility)\b", caption, re.I)
            else "Power"
        )
        return f"{kind} ({unit})" if unit else kind
    if re.search(r"\b(?:gpus?|chips?|accelerators?|xpus?)\b", caption, re.IGNORECASE) or _chip_in(caption):
        what = _chip_in(caption) or "GPUs"
        return f"{what} (thousand)" if scale == 1e3 else f"{what} (million)" if scale == 1e6 else what
    answer = report.ask(
        "measure", "What do the columns of periods hold? Neither their headers nor a title say.", MEASURE_CHOICES, "leave-out"
    )
    if answer == "GPUs" and scale in (1e3, 1e6):
        return "GPUs (thousand)" if scale == 1e3 else "GPUs (million)"
    return "left out" if answer == "leave-out" else answer


def _unpivot(sheet: Sheet, periods: dict[str, list[tuple[Column, str]]], measure: Column | None, report: Report) -> Sheet:
    """Make one row a thing and period from columns of periods."""
    wide = {id(column) for columns in periods.values() for column, _ in columns}
    unit_column = _named(sheet, "ROW_UNIT")
    keys = [
        column
        for column in sheet.columns
        if id(column) not in wide and column is not measure and not (column is unit_column and measure is not None)
    ]
    entities = [column.by_text() for column in keys]
    rows: dict[tuple[object, ...], dict[str, str]] = {}
    origin: dict[tuple[object, ...], int] = {}
    labels: dict[tuple[str, str, str], str] = {}
    for rest, columns in periods.items():
        sample = [text for column, _ in columns[:3] for text in column.sample(20)]
        for row in range(len(sheet.lines)):
            said = measure.texts[measure.codes[row]] if measure is not None else ""
            unit = _unit_of(unit_column.texts[unit_column.codes[row]]) if unit_column is not None and measure is not None else ""
            kind = (rest, said, unit)
            if kind not in labels:
                labels[kind] = _label(f"{rest} {said}".strip(), unit, sheet, sample, report)
            entity: tuple[object, ...] = tuple(int(codes[row]) for codes in entities)
            entity = entity if any(column.texts[column.codes[row]].strip() for column in keys) else (*entity, row)
            for column, period in columns:
                cell = column.texts[column.codes[row]]
                if is_missing(cell):
                    continue
                key = (entity, period)
                rows.setdefault(key, {})[labels[kind]] = f"{cell} {unit}".strip() if unit and not re.search(r"[A-Za-z]", cell) else cell
                origin.setdefault(key, row)
    order = sorted(rows, key=lambda key: (origin[key], str(_day(str(key[1])))))
    taken = np.array([origin[key] for key in order], dtype=np.int64)
    made = [column.take(taken) for column in keys] + [encode(DATE_HEADER, [str(key[1]) for key in order])]
    made += [encode(label, [rows[key].get(label, "") for key in order]) for label in dict.fromkeys(labels.values()) if label != "left out"]
    first, last = order[0][1] if order else "", order[-1][1] if order else ""
    report.warn(
        f"the file has periods as columns (such as {first} and {last}): each filled cell becomes a row of its own, dated by its period"
    )
    report.read = len(order) + len(report.rejected_rows)
    return Sheet(made, sheet.lines[taken] if len(order) else sheet.lines[:0], sheet.header_line, sheet.caption, sheet.as_of)


def _day(text: str) -> datetime.date:
    return dates.parse(text).date or datetime.date.min


def _spread_measures(sheet: Sheet, measure: Column, value: Column, report: Report) -> Sheet:
    """Make one column a measure from rows that each hold one measure and its value."""
    unit_column = _named(sheet, "ROW_UNIT")
    keys = [column for column in sheet.columns if column is not measure and column is not value and column is not unit_column]
    entities = [column.by_text() for column in keys]
    rows: dict[tuple[int, ...], dict[str, str]] = {}
    origin: dict[tuple[int, ...], int] = {}
    labels: dict[str, None] = {}
    for row in range(len(sheet.lines)):
        unit = clean(unit_column.texts[unit_column.codes[row]]) if unit_column is not None else ""
        said = clean(measure.texts[measure.codes[row]])
        cell = value.texts[value.codes[row]]
        key = tuple(int(codes[row]) for codes in entities)
        rows.setdefault(key, {}).setdefault(said, f"{cell} {unit}".strip() if _unit_of(unit) and not re.search(r"[A-Za-z]", cell) else cell)
        origin.setdefault(key, row)
        labels.setdefault(said)
    taken = np.array([origin[key] for key in rows], dtype=np.int64)
    made = [column.take(taken) for column in keys] + [
        encode(label, [found.get(label, "") for found in rows.values()]) for label in labels if label
    ]
    report.warn(f'the file has one measure a row (column "{measure.name}"): rows of the same thing and day are read as one')
    report.read = len(rows) + len(report.rejected_rows)
    return Sheet(made, sheet.lines[taken], sheet.header_line, sheet.caption, sheet.as_of)


def _stocks(sheet: Sheet, report: Report) -> Sheet:
    """Add up columns of additions ("MW added") over time: rows hold what stands on a day, not what came."""
    added = [column for column in sheet.columns if ADDED.search(column.name) and _mostly_numbers(column)]
    day = next(
        (
            column
            for column in sheet.columns
            if fold(column.name) in vocabulary.fields("clusters")["online_date"][0] + vocabulary.fields("clusters")["online_date"][1]
        ),
        None,
    )
    named = sum(vocabulary.fields("clusters")["name"], ())
    name = _named(sheet, "name") or next((column for column in sheet.columns if fold(column.name) in named), None)
    if not added or day is None or name is None:
        return sheet
    site = name.by_text()
    if len(np.unique(site)) == len(site):
        return sheet
    when = [_day(text) for text in day.texts]
    order = sorted(range(len(sheet.lines)), key=lambda row: (int(site[row]), when[day.codes[row]]))
    for column in added:
        sums: dict[int, float] = {}
        cells = [""] * len(sheet.lines)
        for row in order:
            found = numbers.parse(column.texts[column.codes[row]])
            if not found.missing and not found.error:
                sums[int(site[row])] = sums.get(int(site[row]), 0.0) + found.value
                cells[row] = repr(sums[int(site[row])])
        stock = encode(" ".join(ADDED.sub(" ", column.name).split()), cells)
        report.warn(f'column "{column.name}" holds additions: they are added up over time, since a row says what stands on its day')
        sheet.columns = [stock if other is column else other for other in sheet.columns]
    return sheet


def _mostly_numbers(column: Column) -> bool:
    sample = [text for text in column.sample(50) if not is_missing(text)]
    return bool(sample) and sum(not numbers.parse(text).error for text in sample) >= 0.6 * len(sample)
