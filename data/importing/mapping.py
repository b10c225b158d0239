"""Which column is which field: by header, unit and values, with a confidence and a reason for each."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from rapidfuzz import process

from data.importing import resolve, units, vocabulary
from data.importing.evidence import fits, look
from data.importing.report import Refused, Report
from data.importing.sheet import Column, Sheet
from data.importing.text import fold
from data.meta import TableMeta, read_yaml

ACCEPTED = 0.5
TIE = 0.03
PRICED = re.compile(r"[$€£¥]|\b(?:usd|eur|gbp|cny|price|cost|rate|preis|prix)\b", re.IGNORECASE)
HOURLY = re.compile(r"(?:/|\bper\s*|-)\s*(?:h|hr|hour)\b|\bhourly\b", re.IGNORECASE)
MONEY = re.compile(r"(?:^|_)usd(?:_|$)")
PER_TOKENS = {1e3: "per 1K tokens", 1e6: "per token"}
FIGURES = ("POWER", "CHIP_COUNT_TOTAL", "ACCELERATOR_CORES", "GPUS_PER_NODE", "NODE", "VALUE")
CHIP_FIELDS = ("chip_id", "chip_count")
ORDINALS = (("secondary", "second", "2nd", "2", "ii", "b"), ("tertiary", "third", "3rd", "3", "iii", "c"), ("fourth", "4th", "4", "d"))


@dataclass
class Assigned:
    """One column and the field it fills; `slot` tells the second and third chip of a row apart."""

    column: Column
    field: str
    confidence: float
    why: str
    unit: str = ""
    scale: float = 1.0
    currency: str = ""
    slot: int = 0
    chip_id: str = ""  # where the header itself names the chip that is counted

    @property
    def current(self) -> bool:
        """Whether the header says that the figure is today's, not a plan's."""
        return bool(re.search(r"\b(?:current|currently|now|today|existing|live|operational)\b", fold(self.column.name)))


@cache
def known_layouts() -> list[dict[str, Any]]:
    """Return the layouts of public files whose publisher documents what the header leaves open."""
    return read_yaml(Path(__file__).parent / "known_layouts.yml")


def accepted_fields(table: str) -> list[str]:
    """Return what a column can be mapped to: the table's columns, then the fields the importer makes some of (in capitals)."""
    return sorted(vocabulary.fields(table), key=lambda field: (field.isupper(), field))


def known_layout(sheet: Sheet, table: str) -> dict[str, Any]:
    """Return the known layout of this header, or an empty dictionary."""
    names = {column.name for column in sheet.columns}
    if table == "clusters":
        for layout in known_layouts():
            if set(layout["columns"]) <= names:
                return layout
    return {}


def is_canonical(sheet: Sheet, meta: TableMeta) -> bool:
    """Tell whether every header is a column of the table, by its own name."""
    names = [column.name.strip().casefold() for column in sheet.columns]
    return bool(names) and len(set(names)) == len(names) and set(names) <= set(meta.columns)


def assign(sheet: Sheet, meta: TableMeta, report: Report, given: dict[str, Any] | None, layout: dict[str, Any]) -> list[Assigned]:
    """Assign columns to fields and write the mapping into the report; ties become questions, never a silent pick."""
    given_fields = _given(given, sheet, meta)
    if sheet.canonical and not given_fields:
        result = [
            _unitless(Assigned(column, column.name.strip().casefold(), 1.0, "the table's own column name"), meta)
            for column in sheet.columns
        ]
        _write(sheet, result, meta, report)
        return result
    fixed = {**layout.get("fields", {}), **given_fields}
    result, taken = _fixed(sheet, meta, fixed, given_fields)
    open_columns = [column for column in sheet.columns if column.name not in fixed and column.sample(1)]
    if not len(sheet.lines):
        open_columns = [column for column in sheet.columns if column.name not in fixed]
    asked: set[int] = set()
    result += _by_score(open_columns, meta, report, taken, asked)
    left = [column for column in open_columns if id(column) not in asked and all(item.column is not column for item in result)]
    result += _by_values(left, result, meta, {field for field, _ in taken})
    for item in result:
        _unit(item, meta)
    _without_figures(sheet, result, meta, report)
    _write(sheet, result, meta, report)
    return result


def _without_figures(sheet: Sheet, result: list[Assigned], meta: TableMeta, report: Report) -> None:
    """Warn where a file has columns of figures and none of them is mapped: its rows would hold names alone."""
    places = ("latitude", "longitude")
    if any(item.field not in places and (item.field in FIGURES or _figures(meta, item.field)) for item in result):
        return
    mapped = {id(item.column) for item in result}
    left = [column for column in sheet.columns if id(column) not in mapped and (seen := look(column)).filled and seen.numeric > 0.6]
    if left:
        named = ", ".join(f'"{column.name[:40]}"' for column in left[:5])
        report.warn(f"no column of figures is known: {named} left out; map a column to the field it is")


def _figures(meta: TableMeta, field: str) -> bool:
    return field.startswith("CHIP:") or (field in meta.columns and meta.columns[field].numeric)


def _unitless(item: Assigned, meta: TableMeta) -> Assigned:
    item.unit = target_unit(item.field, meta)
    item.currency = "USD" if MONEY.search(item.field) else ""
    return item


def _given(given: dict[str, Any] | None, sheet: Sheet, meta: TableMeta) -> dict[str, str | None]:
    """Check a mapping the user made or kept: {"Header": "field" or null} or {"columns": {...}}."""
    if not given:
        return {}
    pairs = given.get("columns", given) if isinstance(given, dict) else given
    if isinstance(pairs, list):
        pairs = {item["column"]: item.get("field") for item in pairs if isinstance(item, dict) and "column" in item}
    if not isinstance(pairs, dict):
        raise Refused('a mapping is a JSON object {"columns": {"header in the file": "field of the table, or null"}}')
    accepted = vocabulary.fields(meta.name)
    names = {column.name for column in sheet.columns}
    result: dict[str, str | None] = {}
    for header, target in pairs.items():
        field = target.get("field") if isinstance(target, dict) else target
        if field in (None, ""):
            result[header] = None
            continue
        if field not in accepted and not str(field).startswith("CHIP:"):
            near = process.extractOne(str(field), list(accepted))
            hint = f'; nearest is "{near[0]}"' if near else ""
            raise Refused(f'the mapping sends "{header}" to "{field}", which is no field of {meta.name}{hint}')
        result[header] = str(field)
    return {header: field for header, field in result.items() if header in names}


def _fixed(
    sheet: Sheet, meta: TableMeta, fixed: dict[str, str | None], given: dict[str, str | None]
) -> tuple[list[Assigned], set[tuple[str, int]]]:
    result, taken = [], set()
    for column in sheet.columns:
        field = fixed.get(column.name)
        if field is None:
            continue
        slot = 0
        while (field, slot) in taken and field in CHIP_FIELDS:
            slot += 1
        if (field, slot) in taken:
            raise Refused(f'two columns are mapped to "{field}": the second is "{column.name}"; map one of them to null')
        taken.add((field, slot))
        result.append(Assigned(column, field, 1.0, "set by you" if column.name in given else "known layout of this publisher", slot=slot))
    return result, taken


def _by_score(columns: list[Column], meta: TableMeta, report: Report, taken: set[tuple[str, int]], asked: set[int]) -> list[Assigned]:
    fields = vocabulary.fields(meta.name)
    candidates: list[tuple[float, int, Assigned]] = []
    for position, column in enumerate(columns):
        seen = look(column)
        named = resolve.chip(
            re.sub(r"\b(?:count|gpus?|chips?|number|qty|units|thousands?|millions?)\b|[#()]", " ", column.name, flags=re.IGNORECASE).strip()
            or "-"
        )
        if (
            meta.name == "clusters"
            and named
            and named.chip_id not in ("mixed", "none", "unknown")
            and seen.numeric >= 0.5
            and seen.chip < 0.5
        ):
            item = Assigned(
                column, "chip_count", 0.9, f"the header names the chip {named.chip_id}", slot=100 + position, chip_id=named.chip_id
            )
            candidates.append((0.9, position, item))
            continue
        slot = _ordinal(column.name)
        for field in fields:
            score, why = vocabulary.score(column.name, meta.name, field)
            if column.alternative:
                lower, lower_why = vocabulary.score(column.alternative, meta.name, field)
                if lower - 0.05 > score:
                    score, why = lower - 0.05, lower_why
            if score < 0.3:
                continue
            factor = fits(field, seen, meta)
            score = min(1.05, score * factor) * (0.0 if _wrong_unit(column, field, meta) else 1.0)
            if score >= ACCEPTED:
                if factor < 1:
                    why += ", but its cells are unlike it"
                item = Assigned(
                    column,
                    field,
                    round(min(score, 1.0), 2),
                    why,
                    slot=slot if field in CHIP_FIELDS else position if field == "FALLBACK_NAME" else 0,
                )
                candidates.append((score, position, item))
    return _settle(_listed_machines(candidates), report, taken, asked)


def _listed_machines(candidates: list[tuple[float, int, Assigned]]) -> list[tuple[float, int, Assigned]]:
    """Take the column that names machines as the nodes where another one counts them: NODELIST beside NODES."""
    counts = {position for _, position, item in candidates if item.field == "NODE" and look(item.column).numeric == 1}
    if not any(item.field == "NODE" and position not in counts for _, position, item in candidates):
        return candidates
    return [found for found in candidates if found[2].field != "NODE" or found[1] not in counts]


def _settle(candidates: list[tuple[float, int, Assigned]], report: Report, taken: set[tuple[str, int]], asked: set[int]) -> list[Assigned]:
    """Pick the best column for each field; two equally good ones are asked about and neither is taken."""
    result: list[Assigned] = []
    used: set[int] = set()
    candidates.sort(key=lambda item: (-item[0], item[1]))
    for score, position, item in candidates:
        key = (item.field, item.slot)
        if position in used or key in taken:
            continue
        if item.field == "POWER" and score < 0.7 and taken & {("power_mw", 0), ("site_power_mw", 0)}:
            continue
        rivals = [
            (other_position, other)
            for other_score, other_position, other in candidates
            if (other.field, other.slot) == key
            and other_position not in used
            and other_score >= score - TIE
            and _best_use(candidates, other_position, other)
        ]
        if len(rivals) > 1 and not _same_cells([other.column for _, other in rivals]):
            labels = tuple(f"{_place(other.column)}" for _, other in rivals)
            answer = report.ask(
                f"column:{item.field}",
                f"Two or more columns can be {item.field}: which one is it?",
                (*_unique(labels), "none"),
                "none",
            )
            taken.add(key)
            for label, (other_position, other) in zip(_unique(labels), rivals):
                used.add(other_position)
                asked.add(id(other.column))
                if answer == label:
                    other.why = "chosen by your answer"
                    result.append(other)
            continue
        used.add(position)
        taken.add(key)
        result.append(item)
    return result


def _best_use(candidates: list[tuple[float, int, Assigned]], position: int, item: Assigned) -> bool:
    """Tell whether no other field suits the column clearly better."""
    own = [score for score, other, found in candidates if other == position and found.field == item.field]
    best = max(score for score, other, _ in candidates if other == position)
    return max(own) >= best - TIE


def _same_cells(columns: list[Column]) -> bool:
    first = columns[0]
    return all([other.texts[code] for code in other.codes] == [first.texts[code] for code in first.codes] for other in columns[1:])


def _place(column: Column) -> str:
    example = next(iter(column.sample(1)), "empty")
    return f"{column.name} (such as {example[:30]})"


def _unique(labels: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(label if labels.count(label) == 1 else f"{label} #{position + 1}" for position, label in enumerate(labels))


def _ordinal(header: str) -> int:
    tokens = fold(header).split()
    for slot, names in enumerate(ORDINALS, start=1):
        if any(token in names for token in tokens) and len(tokens) > 1:
            return slot
    match = re.search(r"[a-z](\d)$", fold(header).replace(" ", ""))
    return int(match[1]) - 1 if match and 1 <= int(match[1]) <= 4 else 0


def _wrong_unit(column: Column, field: str, meta: TableMeta) -> bool:
    """Tell whether the header's unit measures something else than the field."""
    _, unit, currency = units.in_words(column.name)
    if not unit:
        _, unit, currency = units.in_words(f"({column.unit_hint})") if column.unit_hint else (None, "", currency)
    target = target_unit(field, meta)
    if field == "GPUS_PER_NODE" and (currency or PRICED.search(column.name)):
        return True
    if currency and target and not MONEY.search(field) and target != "%":
        return field in ("POWER", "power_mw", "site_power_mw", "chip_count", "chip_count_low", "chip_count_high", "h100e")
    if not unit or not target:
        return bool(unit) and field in ("capex_usd", "chip_count", "h100e") and units.factor(unit, "MW") is not None
    return (
        units.factor(unit, target) is None
        and units.factor(target, unit) is None
        and (units.factor(unit, "MW") is not None or target in ("MW", "W", "chips"))
    )


def target_unit(field: str, meta: TableMeta) -> str:
    """Return the unit a field is stored in, spelled as data.importing.units spells it."""
    if field == "POWER":
        return "MW"
    column = meta.columns.get(field)
    name = column.unit if column else ""
    return {"TFLOP/s": "TFLOPS", "mm²": "mm2", "chips": "", "H100e": ""}.get(name, name)


def _by_values(columns: list[Column], result: list[Assigned], meta: TableMeta, taken: set[str]) -> list[Assigned]:
    """Assign by what the cells are, where the header says nothing: countries, chips, coordinates, addresses of pages, power units."""
    found: list[Assigned] = []
    have = {item.field for item in result} | taken
    tests = (
        ("country", "country", 0.8, "its cells are countries"), ("chip_id", "chip", 0.7, "its cells are chips"),
        ("source_url", "url", 0.8, "its cells are web addresses"), ("status", "status", 0.8, "its cells are words for a status"),
    )  # fmt: skip
    for column in columns:
        if not column.sample(1):
            continue
        seen = look(column)
        for field, attribute, least, why in tests:
            if field in meta.columns and field not in have and seen.filled >= 1 and getattr(seen, attribute) >= least:
                found.append(Assigned(column, field, 0.55, why))
                have.add(field)
                break
        else:
            _, unit, _ = units.in_words(column.name)
            powered = unit and units.factor(unit, "MW") is not None
            if powered and "power_mw" in meta.columns and seen.numeric > 0.5 and not have & {"POWER", "power_mw", "site_power_mw"}:
                found.append(Assigned(column, "POWER", 0.55, "the header has a unit of power"))
                have.add("POWER")
    hourly = [column for column in columns if PRICED.search(column.name) and HOURLY.search(column.name) and look(column).numeric > 0.5]
    if meta.name == "gpu_rental_prices" and "usd_per_gpu_hour" not in have and len(hourly) == 1:
        found.append(Assigned(hourly[0], "usd_per_gpu_hour", 0.55, "the header has money an hour"))
    return found


def _unit(item: Assigned, meta: TableMeta) -> None:
    """Read unit, scale and currency from the header and the unit row."""
    scale, unit, currency = units.in_words(item.column.name)
    if item.column.unit_hint:
        row_scale, row_unit, row_currency = units.in_words(f"({item.column.unit_hint})")
        scale, unit, currency = row_scale or scale, row_unit or unit, row_currency or currency
    column = meta.columns.get(item.field)
    numeric = (column is not None and column.numeric) or item.field in ("POWER", "CHIP_COUNT_TOTAL")
    if not numeric:
        return
    if item.field in ("chip_count", "CHIP_COUNT_TOTAL", "chip_count_low", "chip_count_high", "h100e"):
        unit = currency = ""
    item.unit, item.scale = unit, scale or 1.0
    if column is not None and column.unit.endswith("/Mtok"):
        item.unit, item.scale = "", _per_million(item.column.name)
    if column is not None and column.unit == "USD/GPU-hour" and unit in ("h", "USD/h"):
        item.unit = ""
    item.currency = currency if MONEY.search(item.field) else ""


def _per_million(header: str) -> float:
    """Return what a price is multiplied by to be per million tokens: headers say per token, per 1k or per million."""
    match = re.search(r"(?:/|per\s|p\.)\s*(?:1\s*)?(k|thousand|m|million|000)?\s*(?:tok|token)", header, re.IGNORECASE)
    if match is None:
        return 1.0
    amount = (match[1] or "").casefold()
    return 1e3 if amount in ("k", "thousand", "000") else 1.0 if amount else 1e6


def _write(sheet: Sheet, result: list[Assigned], meta: TableMeta, report: Report) -> None:
    by_column = {id(item.column): item for item in result}
    report.mapping = []
    for column in sheet.columns:
        item = by_column.get(id(column))
        if item is None:
            report.mapping.append(
                {"column": column.name, "field": None, "unit": "", "confidence": 0.0, "why": "no field of the table is like it: left out"}
            )
            continue
        field = item.field if item.slot in (0,) or item.slot >= 100 else f"{item.field} ({item.slot + 1})"
        stored = meta.columns.get(item.field)
        by_tokens = stored is not None and stored.unit.endswith("/Mtok")
        scales = PER_TOKENS if by_tokens else {1e3: "thousand", 1e6: "million", 1e9: "billion"}
        unit = " ".join(part for part in (item.currency, scales.get(item.scale, ""), item.unit) if part)
        report.mapping.append({"column": column.name, "field": field, "unit": unit, "confidence": item.confidence, "why": item.why})
