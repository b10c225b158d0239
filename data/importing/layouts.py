"""Layouts that are no list of rows: periods as columns, one measure a row, machines of an inventory."""

from __future__ import annotations

from typing import Any

from data.importing.mapping import Assigned
from data.importing.report import Report
from data.importing.sheet import Sheet
from data.meta import TableMeta


def reshape(sheet: Sheet, meta: TableMeta, report: Report) -> Sheet:
    return sheet


def inventory(sheet: Sheet, assigned: list[Assigned], report: Report, context: Any) -> tuple[Sheet, list[Assigned]]:
    return sheet, assigned
