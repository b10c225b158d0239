"""Large plain files: the same table as `records` and `sheet` find, read column by column without a Python object a cell."""

from __future__ import annotations

import mmap
import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from data.importing import records, sheet
from data.importing.detect import Dialect, decode
from data.importing.report import Report
from data.importing.sheet import Column, Sheet

LEAST_BYTES = 4_000_000
HEAD_BYTES = 400_000
LOOKED_AT = 200  # rows at either end that are looked at for titles, unit rows, totals and footnotes


def read(path: Path, dialect: Dialect, table: str, report: Report) -> Sheet | None:
    """Return the table of a large file, or None where it is small or not plain: then the careful reader has to do it.

    Plain means UTF-8, one line a row, no zero bytes, no blank lines, a header in one row, no over-long cells.
    """
    if (
        path.stat().st_size < LEAST_BYTES
        or dialect.encoding not in ("utf-8", "utf-8-sig")
        or dialect.skip_lines
        or dialect.delimiter in ("|", " ")
    ):
        return None
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        if data.find(b"\0") >= 0 or (data.find(b"\r") >= 0 and re.search(rb"\r[^\n]", data)):
            return None
        head, tail = data[:HEAD_BYTES], data[-HEAD_BYTES:]
    head = head[: head.rfind(b"\n") + 1]
    first = records.split(decode(head, dialect.encoding), dialect.delimiter, limit=LOOKED_AT)
    trial = Report()
    found = sheet.find(first, table, trial)
    names = [column.name for column in found.columns]
    header_at = first.lines.index(found.header_line)
    if trial.rejects or len(found.lines) != len(first.rows) - header_at - 1 or len(names) != len(first.rows[header_at]) or len(names) < 2:
        return None
    arrow = _arrow(path, dialect, found.header_line, len(names))
    if arrow is None:
        return None
    size = arrow.num_rows
    if not _alike(tail, dialect, names, table):
        return None
    columns = []
    for name in names:
        chunked = arrow.column(0)
        arrow = arrow.remove_column(0)  # so that each column's text is gone once it is coded
        if (pc.max(pc.utf8_length(chunked)).as_py() or 0) > records.CELL_LIMIT:
            return None
        coded = pc.dictionary_encode(chunked).combine_chunks()
        coded = coded.chunk(0) if isinstance(coded, pa.ChunkedArray) else coded
        codes = coded.indices.to_numpy(zero_copy_only=False).astype(np.int32, copy=False)
        columns.append(Column(name, codes, coded.dictionary))
    pa.default_memory_pool().release_unused()
    if pc.any(pc.equal(columns[0].arrow, columns[0].name)).as_py():
        return None  # the header again, somewhere below
    lines = np.arange(found.header_line + 1, found.header_line + 1 + size, dtype=np.int64)
    report.read = size
    return Sheet(columns, lines, found.header_line, found.caption, found.as_of)


def _arrow(path: Path, dialect: Dialect, header_line: int, width: int) -> pa.Table | None:
    """Read every row as text; None when a row has another number of cells."""
    names = [str(index) for index in range(width)]
    try:
        return pacsv.read_csv(
            path,
            read_options=pacsv.ReadOptions(column_names=names, skip_rows=header_line, block_size=8 << 20),
            parse_options=pacsv.ParseOptions(delimiter=dialect.delimiter, newlines_in_values=False, ignore_empty_lines=False),
            convert_options=pacsv.ConvertOptions(
                column_types={name: pa.string() for name in names}, strings_can_be_null=False, quoted_strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid:
        return None


def _alike(tail: bytes, dialect: Dialect, names: list[str], table: str) -> bool:
    """Tell whether the last rows are rows like the others, no total and no footnote."""
    tail = tail[tail.find(b"\n") + 1 :]
    last = records.split(decode(tail, "utf-8"), dialect.delimiter)
    last.rows, last.lines = [names, *last.rows[-LOOKED_AT:]], [0, *last.lines[-LOOKED_AT:]]
    trial = Report()
    try:
        found = sheet.find(last, table, trial)
    except ValueError:
        return False
    return len(found.lines) == len(last.rows) - 1 and not trial.rejects
