"""What is particular to clusters: names and phases, chips in one row, which power is meant, what the calendar says."""

from __future__ import annotations

import re

import numpy as np

from data.importing import cells, places, resolve
from data.importing.report import Refused
from data.importing.rows import Builder, chip_of, tidy
from data.importing.text import is_missing, slug

PHASE = re.compile(r"^(.*\S)[\s,:(–-]+(?:phase|ph\.?|stage|tranche|bauabschnitt)\s*([0-9]{1,2}[a-z]?|[ivx]{1,4})\)?$", re.IGNORECASE)
NAMELESS = re.compile(r"anonymi[sz]ed|undisclosed|unnamed|confidential|redacted|unknown|not disclosed", re.IGNORECASE)
WIDEST_MIDPOINT = 1.5  # the ends of a range of power or money whose middle is taken: at most this far apart
FILLED_DOWN = ("name", "cluster_id", "owner", "operator", "country", "region", "city", "status", "phase", "online_date")


def finish(builder: Builder) -> None:
    """Turn parsed columns into clusters' rows: one row a chip type, sums kept on the first."""
    if builder.sheet.canonical:
        _canonical(builder)
    else:
        _fill_down(builder)
        _places(builder)
        _names(builder)
        _power(builder)
        _operator(builder)
        _chips(builder)
        _single_values(builder)
        _status(builder)
        _confidence(builder)
    _power_order(builder)


def _canonical(builder: Builder) -> None:
    """Ranges and chips without an id in a file that has the table's own columns."""
    chip = builder.column("chip_id")
    chip[np.array([value is None for value in chip], dtype=bool)] = "unknown"
    parsed = builder.parsed.get(("chip_count", 0))
    if parsed is not None:
        _range_columns(builder, parsed.low, parsed.high)
    for name in ("power_mw", "site_power_mw", "capex_usd"):
        _midpoint(builder, name)


def _range_columns(builder: Builder, low: np.ndarray, high: np.ndarray) -> None:
    """Fill the low and high columns from ranges written into the count itself."""
    for name, ends in (("chip_count_low", low), ("chip_count_high", high)):
        column = builder.column(name)
        builder.frame[name] = np.where(np.isnan(column), ends, column)


def _fill_down(builder: Builder) -> None:
    """Give rows without a name what the merged cell above them says."""
    name, ident = builder.item("name"), builder.item("cluster_id")
    if name is None and ident is None:
        return
    lead = builder.column("name") if name else builder.column("cluster_id")
    other = builder.column("cluster_id") if name and ident else None
    empty = np.array([value is None for value in lead], dtype=bool)
    if other is not None:
        empty &= np.array([value is None for value in other], dtype=bool)
        for item in builder.assigned:
            if item.field == "FALLBACK_NAME":
                values = cells.texts_of(item, tidy)
                blank = np.array([value is None for value in builder.column("name")], dtype=bool)
                builder.column("name")[blank] = values[blank]
    holds = np.zeros(builder.size, dtype=bool)
    for (field, _), parsed in builder.parsed.items():
        if field not in ("latitude", "longitude"):
            holds |= ~np.isnan(parsed.value)
    rows = np.flatnonzero(empty & holds)
    filled = []
    for row in rows:
        if row == 0:
            continue
        for field in FILLED_DOWN:
            if field in builder.frame and builder.frame[field][row] is None:
                builder.frame[field][row] = builder.frame[field][row - 1]
        for item in builder.assigned:
            if item.field in ("LOCATION", "COORDINATES") and not item.column.texts[item.column.codes[row]].strip():
                item.column.codes[row] = item.column.codes[row - 1]
        filled.append(int(builder.lines[row]))
    if filled:
        mask = np.isin(builder.lines, filled)
        builder.report.warn(f"{builder.line_list(mask)}: no name, so name, place and date are taken from the row above (a merged cell)")


def _places(builder: Builder) -> None:
    """Split addresses into country, region and city, and pairs of coordinates into two numbers."""
    location = builder.item("LOCATION")
    if location:
        split = [places.split_location(text) for text in location.column.texts]
        for name in ("country", "region", "city"):
            values = (
                np.array([part.get(name) for part in split], dtype=object)[location.column.codes] if split else np.zeros(0, dtype=object)
            )
            column = builder.column(name)
            blank = np.array([value is None for value in column], dtype=bool)
            column[blank] = values[blank]
    for name, limit in (("latitude", 90), ("longitude", 180)):
        item = builder.item(name)
        if item is None:
            continue
        values = np.array([_degree(text) for text in item.column.texts])[item.column.codes]
        unread = np.isnan(values) & np.array([not is_missing(text) for text in item.column.texts], dtype=bool)[item.column.codes]
        if unread.any():
            builder.report.warn(f'column "{item.column.name}", {builder.line_list(unread)}: not a coordinate, left empty')
        builder.frame[name] = values
        with np.errstate(invalid="ignore"):
            builder.reject(np.abs(values) > limit, item, f"outside -{limit} to {limit} degrees")
    both = builder.item("COORDINATES")
    if both:
        pairs = [places.coordinates(text) for text in both.column.texts]
        unread_texts = [text for text, pair in zip(both.column.texts, pairs) if pair is None and not is_missing(text)]
        if unread_texts:
            builder.report.warn(f'column "{both.column.name}": "{unread_texts[0][:40]}" is not a pair of coordinates, left empty')
        for position, (name, limit) in enumerate((("latitude", 90), ("longitude", 180))):
            values = np.array([pair[position] if pair else np.nan for pair in pairs], dtype=float)[both.column.codes]
            column = builder.column(name)
            builder.frame[name] = np.where(np.isnan(column), values, column)
            with np.errstate(invalid="ignore"):
                builder.reject(np.abs(values) > limit, both, f"outside -{limit} to {limit} degrees of {name}")


def _degree(text: str) -> float:
    value = places.degrees(text)
    return np.nan if value is None else value


def _names(builder: Builder) -> None:
    """Make ids from names; a trailing "Phase 2" becomes the phase; nameless clusters are numbered, never merged."""
    names, ids, phases = builder.column("name"), builder.column("cluster_id"), builder.column("phase")
    prefix = builder.context.layout.get("id_prefix", "")
    has_ids = builder.item("cluster_id") is not None
    counts: dict[str, int] = {}
    nameless = [name for name in names if isinstance(name, str) and NAMELESS.search(name)]
    for row in range(builder.size):
        name = names[row]
        if ids[row] is not None:
            ids[row] = prefix + str(ids[row])
            if name is None:
                names[row] = str(ids[row])
            continue
        if name is None:
            continue
        match = None if has_ids else PHASE.match(name)
        if match:
            names[row] = name = match[1].rstrip(" (,-–")
            phases[row] = phases[row] or match[2].upper()
        made = slug(name)
        if not made:
            continue
        if NAMELESS.search(name) and nameless.count(name) > 1:
            counts[made] = counts.get(made, 0) + 1
            made = f"{made}-{counts[made]}"
        ids[row] = made
    without = np.array([value is None for value in ids], dtype=bool)
    item = builder.item("name") or builder.item("cluster_id")
    if item is None and any(question.id in ("column:name", "column:cluster_id") for question in builder.report.questions):
        builder.report.warn("no row is shown until the question about the name column is answered")
        builder.bad |= without
        return
    builder.reject(without, item, "no name and no id: which cluster it is cannot be told")


def _power(builder: Builder) -> None:
    """Put a power whose basis the header leaves open where the publisher or the user says, else with the site's."""
    item = builder.item("POWER")
    parsed = builder.parsed.get(("POWER", 0))
    if item is None or parsed is None:
        return
    known = builder.context.layout.get("power")
    taken = [name for name in ("power_mw", "site_power_mw") if builder.item(name) is not None]
    if known:
        choice = "IT" if known == "it" else "site"
        builder.report.warn(f'column "{item.column.name}" is {choice} power, as its publisher documents')
    elif len(taken) == 2:
        builder.report.warn(f'column "{item.column.name}" is left out: IT and site power have columns of their own')
        return
    elif taken:
        choice = "site" if taken == ["power_mw"] else "leave-out"
        choice = builder.report.ask(
            f"power:{item.column.name}",
            f'Is "{item.column.name}" IT power or site power? Another column is {taken[0]}.',
            ("IT", "site", "leave-out"),
            choice,
        )
    else:
        choice = builder.report.ask(
            f"power:{item.column.name}",
            f'Is "{item.column.name}" IT power (the machines) or site power (with cooling and losses)? The header does not say.',
            ("IT", "site", "leave-out"),
            "site",
        )
        builder.report.warn(f'column "{item.column.name}" does not say whether it is IT or site power: shown as {choice} power')
    if choice == "leave-out":
        return
    name = "power_mw" if choice == "IT" else "site_power_mw"
    builder.frame[name] = parsed.value
    builder.parsed[(name, 0)] = parsed


def _operator(builder: Builder) -> None:
    """Name the users as operators where a file names users and no operators."""
    users = builder.item("user")
    if users is None or builder.item("operator") is not None:
        return
    builder.frame["operator"] = builder.column("user").copy()
    builder.report.warn(f'column "{users.column.name}" names users and no column names operators: the users are stored as operators too')


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
            if count_item.chip_id:
                ids = np.where(np.isnan(counts) | (counts == 0), None, count_item.chip_id)
            else:
                for code, rest in parsed.rest.items():
                    named = resolve.chip(rest)
                    if named:
                        ids[(parsed.codes == code) & np.array([value is None for value in ids], dtype=bool)] = named.chip_id
        slots.append((ids, counts))
    return slots


def _chips(builder: Builder) -> None:
    """Make one row a chip type; counts given with the chips in one cell are read too; power and cost stay on the first."""
    _from_cores(builder)
    slots = _slots(builder)
    total = builder.parsed.get(("CHIP_COUNT_TOTAL", 0))
    several = _cells_with_counts(builder)
    no_chip = builder.context.layout.get("no_chip", "unknown")
    take: list[int] = []
    chip_ids: list[str] = []
    counts: list[float] = []
    for row in range(builder.size):
        pairs = several.get(row) or [
            (ids[row], float(number[row])) for ids, number in slots if ids[row] is not None or not np.isnan(number[row])
        ]
        if not pairs:
            pairs = [(None, np.nan)]
        named = [pair for pair in pairs if pair[0] is not None]
        if len(pairs) > 1 and len(named) < len(pairs):
            summed = float(np.nansum([number for _, number in pairs]))
            pairs = [(named[0][0] if len(named) == 1 and len(pairs) == 1 else None, summed)] if not named else named
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
        _range_columns(builder, parsed.low, parsed.high)
    _spread(builder, np.array(take, dtype=np.int64))
    builder.frame["chip_id"] = np.array(chip_ids, dtype=object)
    builder.frame["chip_count"] = np.array(counts, dtype=float)


def _cells_with_counts(builder: Builder) -> dict[int, list[tuple[str | None, float]]]:
    """Return row -> chips with their own counts, where one cell lists several: "8x H100, 4x A100"."""
    found: dict[int, list[tuple[str | None, float]]] = {}
    for field in ("chip_id", "chip_count"):
        item = builder.item(field)
        if item is None:
            continue
        for code, text in enumerate(item.column.texts):
            named = resolve.chips_with_counts(text)
            if not named or (field == "chip_count" and len(named) < 2):
                continue
            for row in np.flatnonzero(item.column.codes == code):
                found[int(row)] = [(chip.chip_id, float(chip.count or 0)) for chip in named]
    return found


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
    builder.parsed[("chip_count", 0)] = cells.Numbers(
        counts,
        np.full(builder.size, np.nan),
        np.full(builder.size, np.nan),
        *(np.zeros(builder.size, dtype=bool) for _ in range(3)),
        codes=item.column.codes,
    )
    builder.assigned.append(type(item)(item.column, "chip_count", item.confidence, "accelerator cores divided by the cores of the chip"))
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
        days.value, days.unsure, days.planned, days.codes = days.value[take], days.unsure[take], days.planned[take], days.codes[take]
    for item in builder.assigned:
        item.column.codes = item.column.codes[take] if len(item.column.codes) == builder.size else item.column.codes
    builder.lines, builder.bad = builder.lines[take], builder.bad[take]
    builder.sheet.lines = builder.lines
    builder.size = len(take)


def _single_values(builder: Builder) -> None:
    """Keep one value of a range of power or money when its ends are close, none when they are far apart."""
    for name in ("power_mw", "site_power_mw", "capex_usd"):
        _midpoint(builder, name)
    basis = {"capex_usd": "capex_basis", "power_mw": "power_basis", "site_power_mw": "power_basis"}
    for name, note in basis.items():
        parsed = builder.parsed.get((name, 0))
        for code, text in (parsed.notes if parsed is not None else {}).items():
            rows = (parsed.codes == code) & ~np.isnan(builder.column(name)) if parsed is not None else np.zeros(0, dtype=bool)
            if text.startswith("derived:"):
                builder.column(note)[rows] = text


def _midpoint(builder: Builder, name: str) -> None:
    parsed = builder.parsed.get((name, 0))
    if parsed is None or not parsed.ranged.any():
        return
    with np.errstate(invalid="ignore", divide="ignore"):
        wide = parsed.ranged & ~(parsed.high <= WIDEST_MIDPOINT * parsed.low)
    column = builder.column(name)
    item = builder.item(name) or builder.item("POWER")
    label = item.column.name if item else name
    if wide.any():
        column[wide] = np.nan
        builder.report.warn(
            f'column "{label}", {builder.line_list(wide)}: the range is too wide for one value, left empty (see the file for its ends)'
        )
    near = parsed.ranged & ~wide
    if near.any():
        note = builder.column("capex_basis" if name == "capex_usd" else "power_basis")
        for row in np.flatnonzero(near):
            if note[row] is None:
                note[row] = f"derived:midpoint of {parsed.texts[parsed.codes[row]].strip()} stated"
        builder.report.warn(f'column "{label}", {builder.line_list(near)}: the middle of the range is stored, and its basis says so')


def _status(builder: Builder) -> None:
    """Fill in a status from what runs now or from the calendar; a day after today is a plan."""
    status, online = builder.column("status"), builder.column("online_date")
    future = cells.is_after(online, builder.context.today)
    retired = builder.days.get("RETIRED_DATE")
    blank = np.array([value is None for value in status], dtype=bool)
    current = next((item for item in builder.assigned if item.field in ("POWER", "power_mw", "site_power_mw") and item.current), None)
    for row in range(builder.size):
        if blank[row]:
            if online[row] is not None:
                status[row] = "planned" if future[row] else "operational"
            elif current is not None and builder.item("status") is None:
                value = builder.parsed[(current.field, current.slot)].value[row]
                if not np.isnan(value):
                    status[row] = "operational" if value > 0 else "under construction"
        if retired is not None and retired.value[row] is not None and status[row] in (None, "operational"):
            status[row] = "retired" if retired.value[row] <= builder.context.today.isoformat() else status[row]
    ahead = future & (status == "operational")
    if ahead.any():
        status[ahead] = "planned"
        builder.report.warn(
            f"{builder.line_list(ahead)}: the date is after {builder.context.today.isoformat()}, so the row is stored as planned"
        )
    if blank.any() and builder.item("status") is None:
        builder.report.warn("no column gives a status: it follows from the date or from what runs now")


def _confidence(builder: Builder) -> None:
    """Mark rows whose count, power or date the file itself calls approximate or planned."""
    confidence = builder.column("confidence")
    if builder.context.layout.get("confidence"):
        return
    about = np.zeros(builder.size, dtype=bool)
    for (field, _), parsed in builder.parsed.items():
        if field in ("chip_count", "power_mw", "site_power_mw", "POWER", "CHIP_COUNT_TOTAL"):
            about |= parsed.approximate
    blank = np.array([value is None for value in confidence], dtype=bool)
    confidence[blank & about] = "estimate"


def _power_order(builder: Builder) -> None:
    """Warn where the machines are said to take more than the whole site."""
    power, site = builder.column("power_mw"), builder.column("site_power_mw")
    with np.errstate(invalid="ignore"):
        over = (power > site) & ~builder.bad
    if over.any():
        row = int(np.flatnonzero(over)[0])
        builder.report.warn(
            f"{builder.line_list(over)}: IT power {power[row]:g} MW is above site power {site[row]:g} MW, which cannot be; kept as written"
        )


def need_a_name(builder: Builder, columns: list[str]) -> None:
    """Raise Refused when nothing says which cluster a row is about."""
    if (
        builder.item("name")
        or builder.item("cluster_id")
        or any(question.id in ("column:name", "column:cluster_id") for question in builder.report.questions)
    ):
        return
    raise Refused(
        f"no column names the cluster: the file has {', '.join(columns[:30])[:400]}; needed is a name or an id (such as name, cluster, site or facility), "
        "and further columns such as country, online date, chip, chip count, power in MW. Map a column to name or cluster_id and try again"
    )
