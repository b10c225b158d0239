"""Which cluster a row is about: ids from names, phases, merged cells, rows that are whole fleets."""

from __future__ import annotations

import re

import numpy as np

from data.importing import cells
from data.importing.columns import missing
from data.importing.mapping import Assigned
from data.importing.report import Refused
from data.importing.rows import Builder, tidy
from data.importing.sheet import encode
from data.importing.text import slug

PHASE = re.compile(r"^(.*\S)[\s,:(–-]+(?:phase|ph\.?|stage|tranche|bauabschnitt)\s*([0-9]{1,2}[a-z]?|[ivx]{1,4})\)?$", re.IGNORECASE)
NAMELESS = re.compile(r"anonymi[sz]ed|undisclosed|unnamed|confidential|redacted|unknown|not disclosed", re.IGNORECASE)
FILLED_DOWN = ("name", "cluster_id", "owner", "operator", "country", "region", "city", "status", "phase", "online_date")


def fill_down(builder: Builder) -> None:
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
                values = cells.texts_of(item, tidy).plain()
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


def name_rows(builder: Builder) -> None:
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


def _fleets(builder: Builder, company: Assigned) -> None:
    """Name rows by their company, and region where there is one, and mark them as fleets, which charts keep out of totals."""
    region = builder.item("region")
    names = []
    for row in range(builder.size):
        parts = [company.column.texts[company.column.codes[row]], region.column.texts[region.column.codes[row]] if region else "", "fleet"]
        names.append(" ".join(part.strip() for part in parts if part.strip()))
    for field, cells_of in (("name", names), ("phase", ["fleet"] * builder.size)):
        item = Assigned(encode(field, cells_of), field, 0.5, "rows are fleets of companies")
        builder.assigned.append(item)
        builder.by_field[(field, 0)] = item
    builder.report.warn("rows are stored as fleets of their companies: they overlap sites and stay out of totals and maps")


def need_a_name(builder: Builder, columns: list[str]) -> None:
    """Raise Refused when nothing says which cluster a row is about; rows by company are offered as whole fleets."""
    company = builder.item("owner") or builder.item("operator")
    if company and not builder.item("name") and not builder.item("cluster_id") and len(builder.assigned) > 1:
        answer = builder.report.ask(
            "rows_are",
            f'No column names a cluster: is each row the whole fleet of its "{company.column.name}"?',
            ("fleets", "refuse"),
            "fleets",
        )
        if answer == "fleets":
            _fleets(builder, company)
            return
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
