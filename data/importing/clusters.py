"""What is particular to clusters: names and phases, chips in one row, which power is meant, what the calendar says."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from data.importing import cells, places
from data.importing.cluster_chips import range_columns, spread_chips
from data.importing.cluster_names import fill_down, name_rows
from data.importing.columns import Numbers, missing
from data.importing.mapping import Assigned
from data.importing.rows import Builder
from data.importing.text import is_missing

TARGET = re.compile(r"target|expected|planned|projected|forecast|scheduled|\beta\b|estimated|geplant|prévu", re.IGNORECASE)
WIDEST_MIDPOINT = 1.5  # the ends of a range of power or money whose middle is taken: at most this far apart


def finish(builder: Builder) -> None:
    """Turn parsed columns into clusters' rows: one row a chip type, sums kept on the first."""
    if builder.sheet.canonical:
        _canonical(builder)
    else:
        fill_down(builder)
        _places(builder)
        name_rows(builder)
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
    builder.add("chip_id")
    builder.frame.fill("chip_id", "unknown")
    parsed = builder.parsed.get(("chip_count", 0))
    if parsed is not None:
        range_columns(builder, parsed.low, parsed.high)
    for name in ("power_mw", "site_power_mw", "capex_usd"):
        _midpoint(builder, name)


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
    _states(builder)
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


def _states(builder: Builder) -> None:
    """Write states of the USA by name, and name the country where every region is such a state and no column gives one."""
    region = builder.column("region")
    known = {row: places.us_state(region[row]) for row in np.flatnonzero(~missing(region))}
    if not known or not all(known.values()):
        return
    country = builder.column("country")
    for row, name in known.items():
        if country[row] in (None, "United States"):
            region[row] = name
            if builder.item("country") is None:
                country[row] = "United States"


def _degree(text: str) -> float:
    value = places.degrees(text)
    return np.nan if value is None else value


def _power(builder: Builder) -> None:
    """Put a power whose basis the header leaves open where the publisher or the user says, else with the site's."""
    item = builder.item("POWER")
    parsed = builder.parsed.get(("POWER", 0))
    if item is None or parsed is None:
        return
    said = _basis_in_cells(item)
    known = builder.context.layout.get("power") or (said[0] if len(set(said)) == 1 else "")
    taken = [name for name in ("power_mw", "site_power_mw") if builder.item(name) is not None]
    if known:
        choice = "IT" if known == "it" else "site"
        who = "its publisher documents" if builder.context.layout.get("power") else "its cells say"
        builder.report.warn(f'column "{item.column.name}" is {choice} power, as {who}')
    elif len(taken) == 2:
        builder.report.warn(f'column "{item.column.name}" is left out: IT and site power have columns of their own')
        return
    elif not taken and any(said):
        _by_cell(builder, item, parsed, said)
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
        if f"power:{item.column.name}" not in builder.report.used_answers:
            builder.report.warn(f'column "{item.column.name}" does not say whether it is IT or site power: shown as {choice} power')
    if choice == "leave-out":
        return
    name = "power_mw" if choice == "IT" else "site_power_mw"
    for told in builder.report.mapping:
        if told["column"] == item.column.name:
            told["field"] = name
    builder.frame[name] = parsed.value
    builder.parsed[(name, 0)] = parsed


def _basis_in_cells(item: Assigned) -> list[str]:
    """Return for each distinct filled cell which power it says it is, "it", "site" or "": "10 MW (IT)"."""
    kinds = (("it", r"\b(?:IT|critical)\b"), ("site", r"\b(?:site|facility|utility|total)\b"))
    texts = [text for text in item.column.texts if not is_missing(text)]
    return [next((basis for basis, words in kinds if re.search(words, text)), "") for text in texts]


def _by_cell(builder: Builder, item: Assigned, parsed: Numbers, said: list[str]) -> None:
    """Put each power where its own cell says it belongs; those that do not say are asked about."""
    bases = dict(zip([text for text in item.column.texts if not is_missing(text)], said))
    by_code = np.array([bases.get(text, "none") for text in item.column.texts], dtype=object)
    unsaid = [text for text, basis in bases.items() if not basis]
    answer = "leave-out"
    if unsaid:
        answer = builder.report.ask(
            f"power:{item.column.name}",
            f'Is "{unsaid[0].strip()[:30]}" in column "{item.column.name}" IT power or site power? Other cells of the column say.',
            ("IT", "site", "leave-out"),
            "site",
        )
        by_code[by_code == ""] = {"IT": "it", "site": "site", "leave-out": "none"}[answer]
    by_row = by_code[parsed.codes]
    builder.report.warn(f'column "{item.column.name}" holds IT power and site power: each is stored as its cell says')
    for name, basis in (("power_mw", "it"), ("site_power_mw", "site")):
        builder.frame[name] = np.where(by_row == basis, parsed.value, np.nan)
        builder.parsed[(name, 0)] = replace(parsed, value=builder.frame[name], ranged=parsed.ranged & (by_row == basis))
    for told in builder.report.mapping:
        if told["column"] == item.column.name:
            told["field"] = "power_mw"


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
                note[row] = f"derived:midpoint of {parsed.column.texts[parsed.codes[row]].strip()} stated"
        builder.report.warn(f'column "{label}", {builder.line_list(near)}: the middle of the range is stored, and its basis says so')


def _status(builder: Builder) -> None:
    """Fill in a status from what runs now or from the calendar; a day after today is a plan."""
    status, online = builder.column("status"), builder.column("online_date")
    future = cells.is_after(online, builder.context.today)
    retired = builder.days.get("RETIRED_DATE")
    blank = missing(status)
    current = next((item for item in builder.assigned if item.field in ("POWER", "power_mw", "site_power_mw") and item.current), None)
    item = builder.item("online_date")
    days = builder.days.get("online_date")
    aim = bool(item and TARGET.search(item.column.name))  # a target that has passed is due, not done
    dated = blank & ~missing(online)
    meant = future | aim | (days.planned if days is not None else False)
    status[dated] = np.where(meant[dated], "planned", "operational")
    if days is not None and not aim:
        _not_over(builder, status, dated & ~meant, days.until[days.codes] > builder.context.today.isoformat())
    if current is not None and builder.item("status") is None:
        value = builder.parsed[(current.field, current.slot)].value
        running = blank & ~dated & ~np.isnan(value)
        status[running] = np.where(value[running] > 0, "operational", "under construction")
    if retired is not None:
        until = retired.value
        ended = ~missing(until) & ~cells.is_after(until, builder.context.today) & (missing(status) | (status == "operational"))
        status[ended] = "retired"
    ahead = future & (status == "operational")
    if ahead.any():
        status[ahead] = "planned"
        builder.report.warn(
            f"{builder.line_list(ahead)}: the date is after {builder.context.today.isoformat()}, so the row is stored as planned"
        )
    if blank.any() and builder.item("status") is None:
        builder.report.warn("no column gives a status: it follows from the date or from what runs now")


def _not_over(builder: Builder, status: np.ndarray, dated: np.ndarray, ahead: np.ndarray) -> None:
    """Ask whether clusters dated by a period that is not over run already: a row of "2026" in November 2026."""
    item, days = builder.item("online_date"), builder.days["online_date"]
    rows = dated & ahead
    if item is None or not rows.any():
        return
    text = item.column.texts[days.codes[np.flatnonzero(rows)[0]]].strip()[:30]
    answer = builder.report.ask(
        f"running:{item.column.name}",
        f'{int(rows.sum())} row(s) are dated by a period that is not over ("{text}") and no column gives a status: do they run already?',
        ("operational", "planned", "leave-empty"),
        "planned",
    )
    status[rows] = None if answer == "leave-empty" else answer


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
