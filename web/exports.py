"""A chart's table and figure as files: CSV and XLSX that no spreadsheet runs, exact Parquet and JSON, HTML that stands alone."""

from __future__ import annotations

import datetime
import html
import io
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from data.frames import csv_text
from web.images import TOPO_FOLDER

if TYPE_CHECKING:
    import plotly.graph_objects as go
    from openpyxl.worksheet.worksheet import Worksheet

# What makes a spreadsheet read a cell as a formula, in the full-width forms of East Asian keyboards too.
_FORMULA_STARTS = frozenset("=+-@\t\r\n|%＝＋－＠")
_NUMBER = re.compile(r"[+-]?\d[\d,]*\.?\d*(e[+-]?\d+)?%?", re.IGNORECASE)
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
_CELL_LIMIT = 32_767  # characters a spreadsheet's cell holds

MEDIA_TYPES = {
    "json": "application/json",
    "csv": "text/csv; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "png": "image/png",
    "svg": "image/svg+xml",
    "html": "text/html; charset=utf-8",
}


def neutral(text: str) -> str:
    """Return text that a spreadsheet shows instead of running: a leading apostrophe where it would read a formula.

    Text that is a plain number ("-5", "+3.2%") stays as it is.
    """
    start = text.lstrip(" \u00a0\u200b\ufeff")[:1]
    if start and start in _FORMULA_STARTS and not _NUMBER.fullmatch(text.strip()):
        return "'" + text
    return text


def csv_bytes(table: pd.DataFrame) -> bytes:
    """Return a table as UTF-8 CSV: numbers by their shortest exact text, missing as blank, formula cells neutralised."""
    return csv_text(_neutralised(table)).encode("utf-8")


def _neutralised(table: pd.DataFrame) -> pd.DataFrame:
    out = pd.DataFrame(index=table.index)
    for name in table.columns:
        values = table[name]
        if pd.api.types.is_datetime64_any_dtype(values.dtype):
            out[neutral(str(name))] = [_moment(v) for v in values]
        elif pd.api.types.is_numeric_dtype(values.dtype):
            out[neutral(str(name))] = values
        else:
            out[neutral(str(name))] = pd.Series(
                [None if _missing(v) else neutral(_text(v)) for v in values], index=table.index, dtype=object
            )
    return out


def json_rows(table: pd.DataFrame) -> dict[str, Any]:
    """Return a table as `{"columns": [{"name", "type"}], "rows": [{...}]}` of plain values; missing numbers are null."""
    columns = [{"name": str(name), "type": _type_word(table[name])} for name in table.columns]
    lists = [[_plain(v) for v in table[name]] for name in table.columns]
    names = [str(name) for name in table.columns]
    return {"columns": columns, "rows": [dict(zip(names, row)) for row in zip(*lists)]}


def xlsx_bytes(table: pd.DataFrame, about: Iterable[tuple[str, Any]], sheets: Mapping[str, Sequence[Sequence[Any]]] | None = None) -> bytes:
    """Return a workbook: the table, what it is and where it is from, and further sheets.

    Parameters: the table; pairs of label and value for the sheet "about"; rows of further sheets by name, the first row a header.
    Text is written as text, so nothing in it is run.
    """
    from openpyxl import Workbook

    book = Workbook(write_only=False)
    sheet = book.active
    assert sheet is not None
    sheet.title = "table"
    _write_rows(sheet, [[str(name) for name in table.columns], *(list(row) for row in table.itertuples(index=False, name=None))])
    sheet.freeze_panes = "A2"
    _write_rows(book.create_sheet("about"), [list(pair) for pair in about])
    for name, rows in (sheets or {}).items():
        _write_rows(book.create_sheet(name), [list(row) for row in rows])
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def _write_rows(sheet: Worksheet, rows: Iterable[list[Any]]) -> None:
    for y, row in enumerate(rows, 1):
        for x, value in enumerate(row, 1):
            value = _cell(value)
            if value is None:
                continue
            cell = sheet.cell(y, x)
            if isinstance(value, str):
                cell.value = value
                cell.data_type = "s"  # even where it begins with "="
                cell.quotePrefix = neutral(value) != value  # and stays text when somebody edits it
            else:
                cell.value = value


def _cell(value: Any) -> Any:
    value = value.item() if isinstance(value, np.generic) else value
    if _missing(value):
        return None
    if isinstance(value, float) and not np.isfinite(value):
        return str(value)
    if isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, pd.Timestamp):
        return value.tz_convert(None).to_pydatetime() if value.tzinfo else value.to_pydatetime()
    if isinstance(value, datetime.date):
        return value
    return _NOT_IN_XML.sub("", _text(value))[:_CELL_LIMIT]


def html_bytes(figure: go.Figure, *, title: str, alt: str, lines: Sequence[str]) -> bytes:
    """Return a page that stands alone: the figure with its library inside, a title, and lines of text under it."""
    drawn = figure.to_html(full_html=False, include_plotlyjs=True, config={"displaylogo": False, "responsive": True})
    under = "".join(f"<p>{html.escape(line)}</p>" for line in lines if line)
    page = (
        f"<!doctype html>\n<html lang='en'>\n<meta charset='utf-8'>\n<meta name='viewport' content='width=device-width'>\n"
        f"<title>{html.escape(title)} · Ridgepoint</title>\n"
        "<style>body{font:14px/1.5 system-ui,sans-serif;margin:1rem auto;max-width:1200px;padding:0 1rem;color:#1a1a1a}"
        "p{margin:.2rem 0;color:#5f5f5f}</style>\n"
        f"{_shapes(figure)}<div role='figure' aria-label='{html.escape(alt, quote=True)}'>{drawn}</div>\n{under}</html>\n"
    )
    return page.encode("utf-8")


def _shapes(figure: go.Figure) -> str:
    """The shapes of the maps in a figure, put where plotly.js looks before it asks the network for them."""
    plots = {trace.geo or "geo" for trace in figure.data if trace.type in ("scattergeo", "choropleth")}
    names = {f"{figure.layout[plot].scope or 'world'}_{figure.layout[plot].resolution or 110}m" for plot in plots}
    held = {name: (TOPO_FOLDER / f"{name}.json") for name in sorted(names)}
    inside = ",".join(f'"{name}":{path.read_text(encoding="utf-8")}' for name, path in held.items() if path.is_file())
    return f"<script>window.PlotlyGeoAssets={{topojson:{{{inside}}}}}</script>\n" if inside else ""


def figure_json(figure: go.Figure) -> dict[str, Any]:
    """Return a figure as plain JSON values, the same for the same figure."""
    made: dict[str, Any] = json.loads(figure.to_json())
    return made


def file_name(chart_id: str, rev: int, form: str) -> str:
    """Return the name a download gets: the chart, the revision and the form."""
    return f"{re.sub(r'[^A-Za-z0-9._-]', '-', chart_id)}-r{rev}.{form}"


def _type_word(values: pd.Series) -> str:
    kinds = pd.api.types
    if kinds.is_bool_dtype(values.dtype):
        return "boolean"
    if kinds.is_integer_dtype(values.dtype):
        return "integer"
    if kinds.is_numeric_dtype(values.dtype):
        return "number"
    return "date" if kinds.is_datetime64_any_dtype(values.dtype) else "text"


def _plain(value: Any) -> Any:
    value = value.item() if isinstance(value, np.generic) else value
    if _missing(value) or (isinstance(value, float) and not np.isfinite(value)):
        return None
    if isinstance(value, pd.Timestamp):
        return _moment(value)
    if isinstance(value, (bool, int, float, str, list, dict)):
        return value
    return _text(value)


def _missing(value: Any) -> bool:
    return value is None or value is pd.NaT or value is pd.NA or (isinstance(value, float) and np.isnan(value))


def _moment(value: Any) -> str | None:
    """A day where the time is midnight, else a moment, both by ISO 8601."""
    if _missing(value):
        return None
    return value.date().isoformat() if value == value.normalize() and value.tzinfo is None else value.isoformat()


def _text(value: Any) -> str:
    if isinstance(value, (list, tuple, np.ndarray)):
        return ", ".join(_text(v) for v in value)
    return value.isoformat() if isinstance(value, (datetime.date, datetime.datetime)) else str(value)
