"""Reads one file into accepted rows: detect, split, find the table, map, parse, check. Runs in the import's own process."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from data.importing import (
    bulk,
    clusters,
    detect,
    devices,
    inventory,
    layouts,
    mapping,
    other_tables,
    records,
    required,
    rows,
    sheet,
    sparsity,
)
from data.importing.cluster_names import need_a_name
from data.importing.columns import to_frame
from data.importing.remembered import header_id
from data.importing.report import Report
from data.meta import load_meta

if TYPE_CHECKING:
    import pandas as pd

Progress = Callable[[str], None]
READ_AT_ONCE = 1 << 30


@dataclass
class Reading:
    """What one file gave: accepted rows in the table's columns (with `_line`), the report, and the header it was mapped by."""

    table: pa.Table
    report: Report
    header: list[str]
    layout: str
    mapping: dict[str, str | None]
    present: list[str]

    @property
    def frame(self) -> pd.DataFrame:
        """The accepted rows as a frame."""
        return to_frame(self.table)


def read(
    path: Path,
    table: str,
    name: str,
    today: datetime.date,
    given: dict[str, Any] | None = None,
    answers: dict[str, str] | None = None,
    progress: Progress = lambda stage: None,
    remembered: dict[str, dict[str, Any]] | None = None,
) -> Reading:
    """Read the file at `path` into rows of `table`; raise Refused with one sentence when it cannot be read at all."""
    meta = load_meta(table)
    report = Report(answers={str(key): str(value) for key, value in (answers or {}).items()})
    progress("detecting")
    dialect = detect.detect(path)
    for note in dialect.notes:
        report.warn(note)
    progress("splitting")
    found = bulk.read(path, dialect, table, report)
    if found is None:
        text = detect.decode(path.read_bytes(), dialect.encoding)
        lines = devices.listed(text) or records.split(text, dialect.delimiter, dialect.skip_lines)
        found = sheet.find(lines, table, report)
        del text
    progress("mapping")
    header = [column.name for column in found.columns]
    given = given or _remembered(header, remembered or {}, report)
    found.canonical = mapping.is_canonical(found, meta) and not (table == "clusters" and inventory.lists_machines(found))
    layout = mapping.known_layout(found, table)
    context = rows.Context(today, name, dialect.delimiter, layout, _edition(report))
    if not found.canonical:
        found = layouts.reshape(found, meta, report)
    assigned = mapping.assign(found, meta, report, given, layout)
    if table == "clusters":
        found, assigned = inventory.inventory(found, assigned, report, context)
    fields = {item["column"]: item["field"] for item in report.mapping}
    builder = rows.Builder(found, assigned, meta, report, context)
    if table == "clusters":
        need_a_name(builder, header)
    progress("parsing")
    if layout.get("currency"):
        for item in assigned:
            if mapping.MONEY.search(item.field) and not item.currency:
                item.currency = layout["currency"]
    if table == "chips":
        sparsity.prefer_dense(builder)
    rows.build(builder)
    if table == "clusters":
        clusters.finish(builder)
    else:
        other_tables.finish(builder)
    progress("checking")
    rows.check_bounds(builder)
    rows.defaults(builder)
    required.ask_for_file(builder)
    rows.check_required(builder)
    made = rows.to_table(builder)
    report.kept = len(made)
    if not report.read:
        report.warn("the file has a header and no rows below it: there is nothing to import")
    report.check_answers()
    present = [name for name in builder.frame if name in builder.given or not builder.frame.missing(name).all()]
    builder.release()
    return Reading(made, report, header, layout.get("title", ""), fields, present)


def _remembered(header: list[str], remembered: dict[str, dict[str, Any]], report: Report) -> dict[str, Any] | None:
    """Return the mapping remembered for this header, taking over its answers where the user gave none."""
    found = remembered.get(header_id(header))
    if found is None:
        return None
    for id, answer in found.get("answers", {}).items():
        report.answers.setdefault(id, answer)
        report.used_answers.add(id)
    report.warn(f"the mapping and the answers remembered for this header on {found.get('of', 'an earlier day')} are used")
    return {"columns": found["columns"]}


def _edition(report: Report) -> str:
    """Return the day the user says the file is of: it replaces today as the day of the data."""
    from data.importing import dates
    from data.importing.report import Refused

    answer = report.answers.get("edition", "").strip()
    if not answer:
        return ""
    report.used_answers.add("edition")
    value = dates.parse(answer)
    if value.date is None:
        raise Refused(f'the edition "{answer}" is not a date such as 2026-08-01')
    return value.date.isoformat()
