"""What is particular to clusters: names and phases, chips in one row, which power is meant, what the calendar says."""

from __future__ import annotations

import re

import numpy as np

from data.importing import cells, places
from data.importing.cluster_chips import range_columns, spread_chips
from data.importing.columns import missing
from data.importing.report import Refused
from data.importing.rows import Builder, tidy
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
        spread_chips(builder)
        _single_values(builder)
        _status(builder)
        _confidence(builder)
        _bases(builder)
    _power_order(builder)


def _canonical(builder: Builder) -> None:
    """Ranges and chips without an id in a file that has the table's own columns."""
    chip = builder.column("chip_id")
    chip[missing(chip)] = "unknown"
    parsed = builder.parsed.get(("chip_count", 0))
    if parsed is not None:
        range_columns(builder, parsed.low, parsed.high)
    for name in ("power_mw", "site_power_mw", "capex_usd"):
        _midpoint(builder, name)


def _fill_down(builder: Builder) -> None:
    """Give rows without a name what the merged cell above them says."""
    name, ident = builder.item("name"), builder.item("cluster_id")
    if name is None and ident is None:
        return
    lead = builder.column("name") if name else builder.column("cluster_id")
    other = builder.column("cluster_id") if name and ident else None
    empty = missing(lead)
    if other is not None:
        empty &= missing(other)
        for item in builder.assigned:
            if item.field == "FALLBACK_NAME":
                values = cells.texts_of(item, tidy)
                blank = missing(builder.column("name"))
                builder.column("name")[blank] = values[blank]
    holds = np.zeros(builder.size, dtype=bool)
    for (field, _), parsed in builder.parsed.items():
        if field not in ("latitude", "longitude"):
            holds |= ~np.isnan(parsed.value)
    rows = np.flatnonzero(empty & holds)
    _fill_groups(builder, lead)
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


def _fill_groups(builder: Builder, lead: np.ndarray) -> None:
    """Fill down a column left of the names whose cells were merged over a group of rows, when the user agrees it was."""
    lead_item = builder.item("name") or builder.item("cluster_id")
    columns = builder.sheet.columns
    position = next((index for index, column in enumerate(columns) if lead_item and column is lead_item.column), 0)
    for column in columns[:position]:
        item = next((item for item in builder.assigned if item.column is column and item.field in FILLED_DOWN), None)
        if item is None or item.field not in builder.frame:
            continue
        values = builder.frame[item.field]
        blank = missing(values)
        if builder.size < 3 or blank[0] or not blank.mean() >= 0.2 or not any(lead[row] is not None for row in np.flatnonzero(blank)):
            continue
        answer = builder.report.ask(
            f"fill_down:{column.name}",
            f'Column "{column.name}" is empty on {int(blank.sum())} rows below filled ones: does the value above go on (merged cells)?',
            ("fill", "leave-empty"),
            "fill",
        )
        if answer == "fill":
            for row in np.flatnonzero(blank):
                values[row] = values[row - 1]


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
            blank = missing(column)
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
    without = missing(ids)
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
    for told in builder.report.mapping:
        if told["column"] == item.column.name:
            told["field"] = name
    builder.frame[name] = parsed.value
    builder.parsed[(name, 0)] = parsed


def _operator(builder: Builder) -> None:
    """Name the users as operators where a file names users and no operators."""
    users = builder.item("user")
    if users is None or builder.item("operator") is not None:
        return
    builder.frame["operator"] = builder.column("user").copy()
    builder.report.warn(f'column "{users.column.name}" names users and no column names operators: the users are stored as operators too')


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
    blank = missing(status)
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
    blank = missing(confidence)
    confidence[blank & about] = "estimate"


def _bases(builder: Builder) -> None:
    """Say where power and cost come from as the publisher of a known layout documents it."""
    by_name = {column.name: column for column in builder.sheet.columns}
    valued = {"power_basis": ("power_mw", "site_power_mw"), "capex_basis": ("capex_usd",)}
    for basis, rule in builder.context.layout.get("bases", {}).items():
        there = np.zeros(builder.size, dtype=bool)
        for name in valued[basis]:
            there |= ~np.isnan(builder.column(name))
        column = by_name.get(rule.get("reported_in", ""))
        reported = np.zeros(builder.size, dtype=bool)
        if column is not None and len(column.codes) == builder.size:
            reported = np.array([not is_missing(text) for text in column.texts], dtype=bool)[column.codes]
        target = builder.column(basis)
        for row in np.flatnonzero(there):
            target[row] = target[row] or ("reported" if reported[row] else rule["otherwise"])


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
        f"no column names the cluster: the file has {', '.join(columns[:30])[:400]}; needed is a name or an id "
        "(such as name, cluster, site or facility), and further columns such as country, online date, chip, "
        "chip count, power in MW. Map a column to name or cluster_id and try again"
    )
