"""Rows on their way into the store: keyed and sourced by the database itself, without a Python object a row."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data.frames import key_text, sources_of, typed
from data.meta import TableMeta
from data.schema import quoted

if TYPE_CHECKING:
    import pandas as pd

NEEDS_ESCAPE = '["\\\\\\x00-\\x1f]'


def as_arrow(rows: pd.DataFrame | pa.Table, meta: TableMeta) -> pa.Table:
    """The given columns of a table and its whole key: numbers as float64, text plain or by its distinct values, missing null.

    Errors: ValueError naming the column and the first value that is no number.
    """
    if isinstance(rows, pa.Table):
        table = rows.select([name for name in meta.columns if name in rows.column_names])
        for name in meta.key:
            if name not in table.column_names:
                table = table.append_column(name, pa.nulls(len(table), pa.float64() if meta.columns[name].numeric else pa.string()))
        return table
    frame = typed(rows, meta, given_only=True)
    kinds = {name: pa.float64() if meta.columns[name].numeric else pa.string() for name in map(str, frame)}
    return pa.table({name: pa.array(frame[name].to_numpy(), type=kind, from_pandas=True) for name, kind in kinds.items()})


@dataclass(frozen=True)
class Arrival:
    """Rows that the view `incoming` shows: their sources (source_id, title, url, each once) and what their keys say.

    `unique`: no key stands twice; False where only the database can tell. `leads`: the texts of the key's first column, None
    where it is a number, or blank or missing somewhere.
    """

    sources: pd.DataFrame
    unique: bool
    leads: pa.Array | None


@contextlib.contextmanager
def incoming(
    cursor: duckdb.DuckDBPyConnection, rows: pd.DataFrame | pa.Table, meta: TableMeta, rev: int = 0, origin: str = "upload"
) -> Iterator[Arrival]:
    """Show rows as the view `incoming`, in the columns of an event, while the block runs; gives what is known of them."""
    given = as_arrow(rows, meta)
    parts = [_coded(given[name]) for name in meta.key]
    for name, part in zip(meta.key, parts):
        given = given.append_column(f"key of {name}", _json_texts(part))
    cursor.register("given", given)
    by = [name for name in (meta.source_column, meta.source_url_column) if name and name in given.column_names]
    distinct = cursor.execute(f"SELECT DISTINCT {', '.join(map(quoted, by)) or 1} FROM given").to_arrow_table().to_pandas()
    sources = sources_of(distinct.astype(object), meta)
    spelled = {f"source {i}": pa.array(distinct[name], type=pa.string(), from_pandas=True) for i, name in enumerate(by)}
    cursor.register("given_sources", pa.table({**spelled, "source_id": pa.array(sources["source_id"], type=pa.string())}))
    meets = " AND ".join(f"g.{quoted(name)} IS NOT DISTINCT FROM s.{quoted(f'source {i}')}" for i, name in enumerate(by)) or "true"
    key = ", ',', ".join(f"coalesce({quoted(f'key of {name}')}, '\"\"')" for name in meta.key)
    columns = [
        f"g.{quoted(name)}" if name in given.column_names else f"NULL::{'DOUBLE' if column.numeric else 'VARCHAR'} AS {quoted(name)}"
        for name, column in meta.columns.items()
    ]
    cursor.execute(
        f"""CREATE OR REPLACE TEMP VIEW incoming AS
            SELECT concat('[', {key}, ']') AS fact_key, {int(rev)}::BIGINT AS rev, 'put' AS event, '{origin.replace("'", "''")}' AS origin,
                   s.source_id, {", ".join(columns)}
            FROM given g LEFT JOIN given_sources s ON {meets}"""
    )
    try:
        yield Arrival(sources.drop_duplicates("source_id"), _all_different(parts), _texts_of(parts[0]))
    finally:
        with contextlib.suppress(duckdb.Error):  # an aborted transaction drops the view itself
            cursor.execute("DROP VIEW incoming")
        cursor.unregister("given")
        cursor.unregister("given_sources")


def _coded(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column by its distinct values, the same ones in every chunk."""
    coded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    return coded.unify_dictionaries()


def _all_different(parts: list[pa.ChunkedArray]) -> bool:
    """Whether no two rows have the same values in all of these coded columns; False where their codes do not tell."""
    together, most = np.zeros(len(parts[0]), dtype=np.int64), 1
    for part in parts:
        if not part.num_chunks or part.type.value_type not in (pa.string(), pa.large_string()):
            return False
        distinct = part.chunk(0).dictionary
        most *= len(distinct) + 1
        if most > 2**62 or len(pc.unique(distinct)) < len(distinct) or pc.any(pc.equal(distinct, "")).as_py():
            return False
        codes = np.concatenate([chunk.indices.fill_null(-1).to_numpy(zero_copy_only=False) for chunk in part.chunks])
        together = together * (len(distinct) + 1) + (codes + 1)
    together.sort()
    return bool((together[1:] != together[:-1]).all())


def _texts_of(part: pa.ChunkedArray) -> pa.Array | None:
    """The distinct texts of a coded column; None where it has numbers, or blank or missing values, which are one key."""
    if not part.num_chunks or part.null_count or part.type.value_type not in (pa.string(), pa.large_string()):
        return None
    distinct = part.chunk(0).dictionary
    return None if pc.any(pc.equal(distinct, "")).as_py() else distinct


def _json_texts(coded: pa.ChunkedArray) -> pa.ChunkedArray:
    """The JSON text of each value of a coded key column; every distinct value is written once."""
    if not coded.num_chunks:
        return pa.chunked_array([], type=pa.string())
    distinct = coded.chunk(0).dictionary
    if pa.types.is_string(distinct.type) and not pc.any(pc.match_substring_regex(distinct, NEEDS_ESCAPE)).as_py():
        texts = pc.binary_join_element_wise('"', distinct, '"', "")
    else:
        texts = pa.array([json.dumps(key_text(value), ensure_ascii=False) for value in distinct.to_pylist()], type=pa.string())
    return pa.chunked_array([pa.DictionaryArray.from_arrays(chunk.indices, texts) for chunk in coded.chunks])
