"""Large plain files: the same table as `records` and `sheet` find, read column by column without a Python object a cell."""

from __future__ import annotations

import mmap
import os
import re
from concurrent.futures import ThreadPoolExecutor
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
BLOCK_BYTES = 4 << 20
MOSTLY_DISTINCT = 0.95  # a column whose blocks share fewer texts than this leaves: equal ones are not looked for
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
    blocks = {name: arrow.column(index).chunks for index, name in enumerate(names)}
    del arrow
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        made = list(pool.map(lambda name: _column(name, blocks.pop(name)), names))  # each column's blocks are gone once it is coded
    columns = [column for column in made if column is not None]
    if len(columns) < len(names):
        return None
    pa.default_memory_pool().release_unused()
    if pc.any(pc.equal(columns[0].arrow, columns[0].name)).as_py():
        return None  # the header again, somewhere below
    lines = np.arange(found.header_line + 1, found.header_line + 1 + size, dtype=np.int64)
    report.read = size
    return Sheet(columns, lines, found.header_line, found.caption, found.as_of)


def _column(name: str, blocks: list[pa.DictionaryArray]) -> Column | None:
    """Join the blocks of a column, each coded by itself; None where a cell is over-long.

    Where the blocks have next to no text in common their texts are put one after another: finding the few equal ones would take
    as much room again as the texts themselves.
    """
    if any((pc.max(pc.utf8_length(block.dictionary)).as_py() or 0) > records.CELL_LIMIT for block in blocks):
        return None
    sizes = [len(block.dictionary) for block in blocks]
    if len(blocks) > 1 and 2 * sum(sizes) > sum(map(len, blocks)):
        ends = pa.concat_arrays([blocks[0].dictionary, blocks[-1].dictionary])
        if len(pc.unique(ends)) > MOSTLY_DISTINCT * len(ends):
            starts = np.cumsum([0, *sizes[:-1]])
            codes = np.concatenate([block.indices.to_numpy() + np.int32(start) for block, start in zip(blocks, starts)])
            texts = [block.dictionary for block in blocks]
            blocks.clear()
            return Column(name, codes.astype(np.int32, copy=False), _joined(texts))
    coded = pa.chunked_array(blocks).unify_dictionaries()
    codes = np.concatenate([block.indices.to_numpy() for block in coded.chunks])
    return Column(name, codes.astype(np.int32, copy=False), coded.chunk(0).dictionary)


def _joined(arrays: list[pa.StringArray]) -> pa.StringArray:
    """Put texts one after another, letting go of each array once it is copied: of a large column there is no room for two."""
    data = np.empty(sum(array.buffers()[2].size if array.buffers()[2] else 0 for array in arrays), dtype=np.uint8)
    offsets = [np.zeros(1, dtype=np.int32)]
    end = 0
    arrays.reverse()
    while arrays:
        array = arrays.pop()
        own = np.frombuffer(array.buffers()[1], dtype=np.int32)[array.offset : array.offset + len(array) + 1]
        size = int(own[-1] - own[0])
        if size:
            data[end : end + size] = np.frombuffer(array.buffers()[2], dtype=np.uint8)[own[0] : own[-1]]
        offsets.append(own[1:] - own[0] + np.int32(end))
        end += size
    ends = np.concatenate(offsets)
    return pa.StringArray.from_buffers(len(ends) - 1, pa.py_buffer(ends), pa.py_buffer(data[:end]))


def _arrow(path: Path, dialect: Dialect, header_line: int, width: int) -> pa.Table | None:
    """Read every row as text, each block's cells by its distinct texts; None when a row has another number of cells."""
    names = [str(index) for index in range(width)]
    try:
        return pacsv.read_csv(
            path,
            read_options=pacsv.ReadOptions(column_names=names, skip_rows=header_line, block_size=BLOCK_BYTES),
            parse_options=pacsv.ParseOptions(delimiter=dialect.delimiter, newlines_in_values=False, ignore_empty_lines=False),
            convert_options=pacsv.ConvertOptions(
                column_types={name: pa.dictionary(pa.int32(), pa.string()) for name in names},
                strings_can_be_null=False,
                quoted_strings_can_be_null=False,
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
