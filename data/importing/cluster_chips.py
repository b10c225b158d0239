"""The chips of a cluster's row: several types in one row, counts inside cells, counts from accelerator cores."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from data.importing import numbers, resolve
from data.importing.columns import computed, missing
from data.importing.mapping import Assigned
from data.importing.report import Refused
from data.importing.rows import Builder, chip_of
from data.importing.text import clean, fold, is_missing

SYSTEMS = re.compile(r"system|server|node|rack|pod\b|pods|box")
CHIPS = re.compile(r"gpu|chip|accelerator|xpu|tpu")
WHOLE = re.compile(r"\b(?:racks?|servers?|nodes?|systems?|pods?|boxes|cabinets?|machines?|trays?)\b(?![\s-]*scale)", re.IGNORECASE)
RACK = re.compile(r"\bNVL[\s-]?(\d{2,3})\b", re.IGNORECASE)


def range_columns(builder: Builder, low: np.ndarray, high: np.ndarray) -> None:
    """Fill the low and high columns from ranges written into the count itself."""
    for name, ends in (("chip_count_low", low), ("chip_count_high", high)):
        column = builder.column(name)
        builder.frame[name] = np.where(np.isnan(column), ends, column)


def _slots(builder: Builder) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return (chip ids, counts) of each chip slot of a row; the first slot always exists."""
    slots = []
    numbers = sorted({item.slot for item in builder.assigned if item.field in ("chip_id", "chip_count")} | {0})
    for slot in numbers:
        id_item, count_item = builder.item("chip_id", slot), builder.item("chip_count", slot)
        ids = np.full(builder.size, None, dtype=object)
        if id_item is not None:
            texts = id_item.column.texts
            ids = np.array([chip_of(text, id_item.column.name, builder.report) for text in texts] or [None], dtype=object)[
                id_item.column.codes
            ]
        counts = np.full(builder.size, np.nan)
        parsed = builder.parsed.get(("chip_count", slot))
        if parsed is not None and count_item is not None:
            counts = parsed.value.copy()
            if id_item is not None or SYSTEMS.search(fold(count_item.column.name)):
                factors = _chips_per_system(id_item, count_item, builder)
                counts *= factors
                parsed.low, parsed.high = parsed.low * factors, parsed.high * factors
            if count_item.chip_id:
                ids[~np.isnan(counts) & (counts != 0)] = count_item.chip_id
                counts[counts == 0] = np.nan
            else:
                for code, rest in parsed.rest.items():
                    named = resolve.chip(rest)
                    if named:
                        ids[(parsed.codes == code) & missing(ids)] = named.chip_id
        slots.append((ids, counts))
    return slots


def _chips_per_system(id_item: Assigned | None, count_item: Assigned, builder: Builder) -> np.ndarray:
    """Return how many chips one counted thing has, where a row names systems ("DGX H100") and the count may be of these."""
    factors = np.ones(builder.size)
    header = fold(count_item.column.name)
    if CHIPS.search(header):
        return factors
    of_systems = bool(SYSTEMS.search(header))
    if of_systems:
        factors[:] = np.nan  # racks of chips nobody says how many of
    for code, text in enumerate(id_item.column.texts if id_item else ()):
        if id_item is None or is_missing(text):
            continue
        here, shown = id_item.column.codes == code, clean(text)[:60]
        if resolve.chips_with_counts(text):
            factors[here] = 1.0  # "8x H100": see _times
            continue
        named, rack, whole = resolve.chip(text), RACK.search(text), bool(WHOLE.search(text))
        each = float(named.chips_per_system if named and named.chips_per_system > 1 else rack[1] if rack else 1)
        if each > 1 and (of_systems or whole):
            factors[here] = each
        elif each > 1:
            answer = builder.report.ask(
                f"systems:{shown}",
                f'Does "{count_item.column.name}" count "{shown}" as systems of {each:g} chips, or chips?',
                ("systems", "chips"),
                "chips",
            )
            factors[here] = each if answer == "systems" else 1.0
        elif whole:
            answer = builder.report.ask(
                f"systems:{shown}",
                f'How many chips has one of the "{shown}" that "{count_item.column.name}" counts, or does it count chips?',
                ("each=<number of chips>", "chips", "leave-empty"),
                "leave-empty",
            )
            factors[here] = {"chips": 1.0, "leave-empty": np.nan}.get(answer) or number_each(answer, f"systems:{shown}")
        if (factors[here] > 1).any():
            builder.report.warn(f'"{shown}" has {factors[here][0]:g} chips a system: "{count_item.column.name}" is multiplied by it')
    if np.isnan(factors).any():
        builder.report.warn(
            f'"{count_item.column.name}" counts systems, and how many chips one has is not said: chips are left empty there'
        )
    return factors


def spread_chips(builder: Builder) -> None:
    """Make one row a chip type; counts given with the chips in one cell are read too; power and cost stay on the first."""
    _from_cores(builder)
    slots = _slots(builder)
    total = builder.parsed.get(("CHIP_COUNT_TOTAL", 0))
    several = _times(builder, _cells_with_counts(builder))
    no_chip = builder.context.layout.get("no_chip", "unknown")
    take: list[int] = []
    chip_ids: list[str] = []
    counts: list[float] = []
    for row in range(builder.size):
        pairs: list[tuple[str | None, float]] = [(chip.chip_id, float(chip.count or 0)) for chip in several.get(row, ())] or [
            (ids[row], float(number[row])) for ids, number in slots if ids[row] is not None or not np.isnan(number[row])
        ]
        if not pairs:
            pairs = [(None, np.nan)]
        named = [pair for pair in pairs if pair[0] is not None]
        if len(pairs) > 1 and len(named) < len(pairs):
            pairs = named or [(None, float(np.nansum([number for _, number in pairs])))]
        if total is not None and not np.isnan(total.value[row]) and len(pairs) == 1 and (np.isnan(pairs[0][1]) or pairs[0][0] is None):
            pairs = [(pairs[0][0], float(total.value[row]))]
        merged: dict[str, float] = {}
        for chip_id, number in pairs:
            key = chip_id or no_chip
            merged[key] = merged[key] + number if key in merged else number
        for chip_id, number in merged.items():
            take.append(row)
            chip_ids.append(chip_id)
            counts.append(number)
    parsed = builder.parsed.get(("chip_count", 0))
    if parsed is not None:
        range_columns(builder, parsed.low, parsed.high)
    _spread(builder, np.array(take, dtype=np.int64))
    builder.frame["chip_id"] = np.array(chip_ids, dtype=object)
    builder.frame["chip_count"] = np.array(counts, dtype=float)
    _ends_in_cells(builder, take, several)
    _middle_of_ends(builder)


def _ends_in_cells(builder: Builder, take: list[int], several: dict[int, tuple[resolve.Chip, ...]]) -> None:
    """Keep the ends of ranges written beside their chips, "15-20k H100", and mark such counts and approximate ones as estimates."""
    low, high, confidence = (builder.column(name) for name in ("chip_count_low", "chip_count_high", "confidence"))
    for at, row in enumerate(take):
        same = [chip for chip in several.get(row, ()) if chip.chip_id == builder.frame["chip_id"][at]]
        if any(chip.low == chip.low for chip in same):
            low[at] = sum(chip.low if chip.low == chip.low else chip.count or 0 for chip in same)
        if any(chip.high == chip.high for chip in same):
            high[at] = sum(chip.high if chip.high == chip.high else chip.count or 0 for chip in same)
        if any(chip.approximate for chip in same) and confidence[at] is None and not builder.context.layout.get("confidence"):
            confidence[at] = "estimate"


def _middle_of_ends(builder: Builder) -> None:
    """Take the middle where a file gives the low and the high count in columns of their own and no count."""
    count, low, high = builder.frame["chip_count"], builder.column("chip_count_low"), builder.column("chip_count_high")
    rows = np.isnan(count) & ~np.isnan(low) & ~np.isnan(high)
    if rows.any():
        count[rows] = np.round((low[rows] + high[rows]) / 2)
        confidence = builder.column("confidence")
        confidence[rows & missing(confidence)] = "estimate"
        builder.report.warn(f"{builder.line_list(rows)}: the count is the middle of the low and the high one")


def _cells_with_counts(builder: Builder) -> dict[int, tuple[resolve.Chip, ...]]:
    """Return row -> chips with their own counts, where one cell lists several, or one in another order: "8x H100, 4x A100"."""
    found: dict[int, tuple[resolve.Chip, ...]] = {}
    for field in ("chip_id", "chip_count"):
        item = builder.item(field)
        if item is None:
            continue
        for code, text in enumerate(item.column.texts):
            named = resolve.chips_with_counts(text)
            if not named or (field == "chip_count" and len(named) < 2 and not _unread(builder, code)):
                continue
            for row in np.flatnonzero(item.column.codes == code):
                found[int(row)] = named
    return found


def _times(builder: Builder, several: dict[int, tuple[resolve.Chip, ...]]) -> dict[int, tuple[resolve.Chip, ...]]:
    """Multiply the counts of a cell of chips, "8x H100", by a count of machines beside it; a count of chips replaces a single one."""
    id_item, count_item, parsed = builder.item("chip_id"), builder.item("chip_count"), builder.parsed.get(("chip_count", 0))
    if id_item is None or count_item is None or parsed is None or id_item.column is count_item.column or count_item.chip_id:
        return several
    header = fold(count_item.column.name)
    for row, named in list(several.items()):
        text, things = clean(id_item.column.texts[id_item.column.codes[row]])[:60], float(parsed.value[row])
        each = sum(float(chip.count or 0) for chip in named)
        if np.isnan(things) or things == each or not resolve.chips_with_counts(id_item.column.texts[id_item.column.codes[row]]):
            continue
        if CHIPS.search(header):
            answer = "chips"
        elif SYSTEMS.search(header):
            answer = "systems"
        else:
            answer = builder.report.ask(
                f"systems:{text}",
                f'Does "{count_item.column.name}" count machines of "{text}", or chips?',
                ("systems", "chips"),
                "systems",
            )
        if answer == "systems":
            factor = things
            builder.report.warn(f'"{text}" is multiplied by "{count_item.column.name}", which counts machines of it')
            ends = each if len(named) == 1 else np.nan
            parsed.low[row], parsed.high[row] = parsed.low[row] * ends, parsed.high[row] * ends
        elif len(named) == 1:
            factor = things / each if each else np.nan
        else:
            continue
        several[row] = tuple(
            replace(chip, count=float(chip.count or 0) * factor, low=chip.low * factor, high=chip.high * factor) for chip in named
        )
    return several


def number_each(answer: str, question: str) -> float:
    """Return the number of an answer such as each=8; Refused when it is none."""
    found = numbers.parse(answer.removeprefix("each="))
    if found.error or found.missing or not 0 < found.value <= 100_000:
        raise Refused(f'the answer "{answer[:40]}" to question {question} needs a number of chips, such as each=8')
    return found.value


def _unread(builder: Builder, code: int) -> bool:
    """Whether a cell of the only chip column was not read as a number followed by its chip: "B200 (20k)", "2000x MI300X"."""
    parsed = builder.parsed.get(("chip_count", 0))
    if parsed is None or builder.item("chip_id") is not None:
        return False
    return code in parsed.errors or resolve.chip(parsed.rest.get(code, "")) is None


def _from_cores(builder: Builder) -> None:
    """Count chips from accelerator cores where the file counts cores: cores divided by the cores a chip shows."""
    item, parsed = builder.item("ACCELERATOR_CORES"), builder.parsed.get(("ACCELERATOR_CORES", 0))
    if item is None or parsed is None or builder.item("chip_count") is not None:
        return
    ids = builder.column("chip_id")
    counts = np.full(builder.size, np.nan)
    for row in np.flatnonzero(~np.isnan(parsed.value)):
        cores = resolve.ACCELERATOR_CORES.get(ids[row] or "")
        if cores:
            counts[row] = round(parsed.value[row] / cores)
            builder.column("count_basis")[row] = "derived:accelerator cores of the list"
        else:
            builder.report.warn(
                f"line {int(builder.lines[row])}: the cores of {ids[row] or 'this accelerator'} are not known, so its chips are not counted"
            )
    builder.frame["chip_count"] = counts
    builder.parsed[("chip_count", 0)] = computed(counts, item.column)
    builder.assigned.append(Assigned(item.column, "chip_count", item.confidence, "accelerator cores divided by the cores of the chip"))
    builder.by_field[("chip_count", 0)] = builder.assigned[-1]


def _spread(builder: Builder, take: np.ndarray) -> None:
    """Repeat rows that hold several chips; power, cost and equivalents stay on the first so that sums stay right."""
    if len(take) == builder.size and (take == np.arange(builder.size)).all():
        return
    again = np.concatenate([[False], take[1:] == take[:-1]])
    for name, values in list(builder.frame.items()):
        spread = values[take]
        if name in ("power_mw", "site_power_mw", "capex_usd", "h100e", "chip_count_low", "chip_count_high"):
            spread = np.where(again, np.nan, spread)
        builder.frame[name] = spread
    for parsed in {id(parsed): parsed for parsed in builder.parsed.values()}.values():
        for name in ("value", "low", "high", "approximate", "planned", "ranged", "codes"):
            setattr(parsed, name, getattr(parsed, name)[take])
    for days in builder.days.values():
        days.coded, days.unsure, days.planned, days.codes = days.coded.take(take), days.unsure[take], days.planned[take], days.codes[take]
    columns = {id(column): column for column in [*builder.sheet.columns, *(item.column for item in builder.assigned)]}
    for column in columns.values():
        column.codes = column.codes[take] if len(column.codes) == builder.size else column.codes
    builder.lines, builder.bad = builder.lines[take], builder.bad[take]
    builder.sheet.lines = builder.lines
    builder.size = len(take)
