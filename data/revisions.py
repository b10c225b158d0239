"""Revisions: append-only events of facts, the state they add up to, and taking one back."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa

from data.frames import typed
from data.incoming import Arrival, incoming
from data.meta import TableMeta, load_meta
from data.schema import EVENT_COLUMNS, current, events, quoted

if TYPE_CHECKING:
    import pandas as pd


class NothingToWrite(ValueError):
    """No row differs from what the store has."""


@dataclass(frozen=True)
class TableChange:
    """What to do to one table: rows to put (canonical columns, each key once) and keys to remove."""

    table: str
    put: pd.DataFrame | pa.Table | None = None
    remove: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Revision:
    """A revision that was written: its number and, per table, how many facts it added, changed and removed."""

    rev: int
    counts: dict[str, dict[str, int]]


def _columns(meta: TableMeta) -> str:
    return ", ".join([*EVENT_COLUMNS, *(quoted(c) for c in meta.columns)])


def state(cursor: duckdb.DuckDBPyConnection, meta: TableMeta, rev: int) -> pd.DataFrame:
    """Facts of a table as of a revision, ordered by key: the newest event of each key, where it is no removal."""
    newest = cursor.execute("SELECT coalesce(max(rev), 0) FROM revision_tables WHERE table_name = ?", [meta.name]).fetchone()
    if newest and rev >= newest[0]:
        sql, values = f"SELECT {_columns(meta)} FROM {current(meta)} ORDER BY fact_key", []
    else:
        sql = f"""SELECT {_columns(meta)} FROM {events(meta)} e
                  WHERE e.rev <= ? AND e.event = 'put' AND NOT EXISTS (
                      SELECT 1 FROM superseded s WHERE s.table_name = '{meta.name}' AND s.fact_key = e.fact_key AND s.rev = e.rev
                          AND s.ended_in <= ?)
                  ORDER BY fact_key"""
        values = [rev, rev]
    return _plain(cursor.execute(sql, values).to_arrow_table().to_pandas(), meta)


def history(cursor: duckdb.DuckDBPyConnection, meta: TableMeta, rev: int) -> pd.DataFrame:
    """Every event of a table's facts up to a revision, by revision and key, with `event`: put or remove."""
    sql = f"SELECT {_columns(meta)} FROM {events(meta)} WHERE rev <= ? ORDER BY rev, fact_key"
    frame = cursor.execute(sql, [rev]).to_arrow_table().to_pandas()
    return _plain(frame, meta).assign(event=frame["event"].astype(object))


def part(cursor: duckdb.DuckDBPyConnection, meta: TableMeta, columns: list[str], ids: pa.Array | None = None) -> pd.DataFrame:
    """Some columns of the current facts, ordered by key; with `ids` those alone whose first key column is one of them."""
    chosen = ", ".join(quoted(c) for c in ["fact_key", *columns])
    sql = f"SELECT {chosen} FROM {current(meta)}"
    if ids is not None:
        cursor.register("wanted_ids", pa.table({"id": ids}))
        sql += f" WHERE coalesce({quoted(meta.key[0])}, '') IN (SELECT coalesce(id, '') FROM wanted_ids)"
    frame = cursor.execute(f"{sql} ORDER BY fact_key").to_arrow_table().to_pandas()
    out = typed(frame, meta, given_only=True)
    return out[[c for c in columns if c in out]].assign(fact_key=frame["fact_key"].astype(object))


def size(cursor: duckdb.DuckDBPyConnection, meta: TableMeta) -> int:
    """How many current facts a table has."""
    row = cursor.execute(f"SELECT count(*) FROM {current(meta)}").fetchone()
    assert row is not None
    return int(row[0])


def ids(cursor: duckdb.DuckDBPyConnection, meta: TableMeta) -> pa.Array:
    """The first key column's values among the current facts, each once."""
    found = cursor.execute(f"SELECT DISTINCT {quoted(meta.key[0])} AS id FROM {current(meta)}").to_arrow_table()
    return found["id"].combine_chunks()


def ids_that_differ(cursor: duckdb.DuckDBPyConnection, meta: TableMeta, rows: pa.Table, given: list[str]) -> pa.Array:
    """First key column's values that have a row in `rows` which is new, or which differs in a `given` column."""
    same = " AND ".join(f"n.{quoted(c)} IS NOT DISTINCT FROM i.{quoted(c)}" for c in given if c not in meta.key) or "true"
    with incoming(cursor, rows, meta):
        found = cursor.execute(
            f"""SELECT DISTINCT i.{quoted(meta.key[0])} AS id FROM incoming i LEFT JOIN {current(meta)} n ON n.fact_key = i.fact_key
                WHERE n.fact_key IS NULL OR NOT ({same})"""
        ).to_arrow_table()
    return found["id"].combine_chunks().cast(pa.string())


def _plain(frame: pd.DataFrame, meta: TableMeta) -> pd.DataFrame:
    """Numbers as float64 and text as object with None, whatever the reader made of them."""
    import pandas as pd

    fixed = frame[list(EVENT_COLUMNS)].rename(columns={"rev": "row_rev"}).drop(columns="event")
    for name in ("fact_key", "origin", "source_id"):
        fixed[name] = fixed[name].astype(object)
    return pd.concat([typed(frame, meta), fixed.reset_index(drop=True)], axis=1)


def write(
    cursor: duckdb.DuckDBPyConnection,
    changes: list[TableChange],
    *,
    kind: str,
    author: str,
    file_name: str | None,
    sha256: str | None,
    note: str | None,
    today: datetime.date,
    origin: str,
) -> Revision:
    """Append one revision inside the caller's transaction; ValueError where there is nothing to write."""
    rev = next_rev(cursor)
    counts = {}
    for change in changes:
        meta = load_meta(change.table)
        counted = _write_table(cursor, meta, change, rev, origin)
        if any(counted.values()):
            counts[meta.name] = counted
    if not counts:
        raise NothingToWrite("nothing to write: no row differs from what the store has")
    record(cursor, rev, counts, kind=kind, author=author, file_name=file_name, sha256=sha256, note=note, today=today)
    return Revision(rev, counts)


def next_rev(cursor: duckdb.DuckDBPyConnection) -> int:
    """The number the next revision gets."""
    row = cursor.execute("SELECT coalesce(max(rev), 0) + 1 FROM revisions").fetchone()
    assert row is not None
    return int(row[0])


def record(cursor: duckdb.DuckDBPyConnection, rev: int, counts: dict[str, dict[str, int]], **facts: object) -> None:
    """Write the revision's own row and its counts."""
    now = datetime.datetime.now(datetime.UTC).replace(tzinfo=None)
    order = ("kind", "author", "file_name", "sha256", "note", "today")
    cursor.execute(
        "INSERT INTO revisions (rev, time, kind, author, file_name, sha256, note, today) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [rev, now, *(facts.get(name) for name in order)],
    )
    for name, c in counts.items():
        cursor.execute("INSERT INTO revision_tables VALUES (?, ?, ?, ?, ?)", [rev, name, c["added"], c["changed"], c["removed"]])


def _write_table(cursor: duckdb.DuckDBPyConnection, meta: TableMeta, change: TableChange, rev: int, origin: str) -> dict[str, int]:
    """Put and remove facts of one table; rows equal to what is there are left out."""
    counts = {"added": 0, "changed": 0, "removed": 0}
    if change.put is not None and len(change.put):
        with incoming(cursor, change.put, meta, rev, origin) as arrival:
            counts |= _put(cursor, meta, arrival, rev, len(change.put))
    return counts | _remove(cursor, meta, change.remove, rev, origin)


def _put(cursor: duckdb.DuckDBPyConnection, meta: TableMeta, arrival: Arrival, rev: int, size: int) -> dict[str, int]:
    """Append the rows of the view `incoming` that are new or differ, and their sources."""
    e, now, columns = events(meta), current(meta), _columns(meta)
    known = _known(cursor, meta, arrival, size)
    if not arrival.unique and _pair(cursor, "SELECT 0, count(DISTINCT hash(fact_key)) FROM incoming")[1] < size:
        twice = cursor.execute("SELECT fact_key FROM incoming GROUP BY fact_key HAVING count(*) > 1 ORDER BY fact_key LIMIT 1").fetchone()
        if twice:
            raise ValueError(f"{meta.name}: the key {twice[0]} stands twice; each fact once is accepted")
    cursor.register("incoming_sources", arrival.sources)
    cursor.execute(
        """INSERT INTO sources SELECT source_id, title, url, ? FROM incoming_sources
           WHERE source_id NOT IN (SELECT source_id FROM sources)""",
        [rev],
    )
    cursor.unregister("incoming_sources")
    if not known:
        cursor.execute(f"INSERT INTO {e} ({columns}) SELECT {columns} FROM incoming")
        return {"added": size}
    same = " AND ".join(f"n.{quoted(c)} IS NOT DISTINCT FROM i.{quoted(c)}" for c in meta.columns)
    cursor.execute(
        f"""CREATE TEMP TABLE fresh AS SELECT i.*, n.fact_key IS NOT NULL AS known FROM incoming i
            LEFT JOIN {now} n ON n.fact_key = i.fact_key WHERE n.fact_key IS NULL OR NOT ({same})"""
    )
    added, changed = _pair(cursor, "SELECT count(*) FILTER (NOT known), count(*) FILTER (known) FROM fresh")
    cursor.execute("ALTER TABLE fresh DROP known")
    _append(cursor, meta, "fresh")
    cursor.execute("DROP TABLE fresh")
    return {"added": added, "changed": changed}


def _known(cursor: duckdb.DuckDBPyConnection, meta: TableMeta, arrival: Arrival, size: int) -> bool:
    """Whether the view `incoming` has a fact that there are events of."""
    e = events(meta)
    if arrival.leads is not None:  # a fact cannot be known where nothing is known of its key's first column
        cursor.register("leads", pa.table({"lead": arrival.leads}))
        met, stored = _pair(cursor, f"SELECT count(*) FILTER ({quoted(meta.key[0])} IN (SELECT lead FROM leads)), count(*) FROM {e}")
        cursor.unregister("leads")
        if not met:
            return False
    else:
        _, stored = _pair(cursor, f"SELECT 0, count(*) FROM {e}")
    if size > stored:  # the smaller side is the one to be held in memory
        return bool(_pair(cursor, f"SELECT 0, count(*) FROM incoming WHERE fact_key IN (SELECT fact_key FROM {e})")[1])
    return bool(_pair(cursor, f"SELECT 0, count(*) FROM {e} WHERE fact_key IN (SELECT fact_key FROM incoming)")[1])


def _pair(cursor: duckdb.DuckDBPyConnection, sql: str) -> tuple[int, int]:
    row = cursor.execute(sql).fetchone()
    assert row is not None
    return int(row[0]), int(row[1])


def _remove(cursor: duckdb.DuckDBPyConnection, meta: TableMeta, keys: list[str], rev: int, origin: str) -> dict[str, int]:
    """Append the end of these facts; returns how many there were."""
    counts = {"removed": 0}
    if keys:
        cursor.register("leaving", pa.table({"fact_key": pa.array(keys, type=pa.string())}))
        columns = ", ".join(quoted(c) for c in meta.columns)
        cursor.execute(
            f"""CREATE TEMP TABLE gone AS SELECT fact_key, $1::BIGINT AS rev, 'remove' AS event, $2 AS origin, source_id, {columns}
                FROM {current(meta)} WHERE fact_key IN (SELECT fact_key FROM leaving)""",
            [rev, origin],
        )
        cursor.unregister("leaving")
        row = cursor.execute("SELECT count(*) FROM gone").fetchone()
        assert row is not None
        counts["removed"] = int(row[0])
        _append(cursor, meta, "gone")
        cursor.execute("DROP TABLE gone")
    return counts


def _append(cursor: duckdb.DuckDBPyConnection, meta: TableMeta, rows: str) -> None:
    """Append the events of a temporary table; what they take the place of is no longer current."""
    _supersede(cursor, meta, rows)
    cursor.execute(f"INSERT INTO {events(meta)} ({_columns(meta)}) SELECT {_columns(meta)} FROM {rows} ORDER BY fact_key")


def _supersede(cursor: duckdb.DuckDBPyConnection, meta: TableMeta, rows: str) -> None:
    """Note which events end because newer ones of the same facts, in `rows`, are about to be appended."""
    cursor.execute(
        f"""INSERT INTO superseded SELECT '{meta.name}', e.fact_key, e.rev, r.rev
            FROM {rows} r JOIN {events(meta)} e ON e.fact_key = r.fact_key
            WHERE NOT EXISTS (
                SELECT 1 FROM superseded s WHERE s.table_name = '{meta.name}' AND s.fact_key = e.fact_key AND s.rev = e.rev)"""
    )


def undo(cursor: duckdb.DuckDBPyConnection, rev: int, *, author: str, note: str | None, today: datetime.date) -> Revision:
    """Give every fact a revision touched, and nobody touched since, the value it had before."""
    kind = cursor.execute("SELECT kind FROM revisions WHERE rev = ?", [rev]).fetchone()
    if rev == 1 and kind and kind[0] == "shipped":
        raise ValueError("revision 1 is the shipped facts themselves and cannot be taken back; later revisions can")
    new, counts, kept = next_rev(cursor), {}, 0
    tables = [r[0] for r in cursor.execute("SELECT table_name FROM revision_tables WHERE rev = ? ORDER BY table_name", [rev]).fetchall()]
    for name in tables:
        meta = load_meta(name)
        e = events(meta)
        values = ", ".join(f"CASE WHEN p.fact_key IS NULL THEN now.{quoted(c)} ELSE p.{quoted(c)} END AS {quoted(c)}" for c in meta.columns)
        cursor.execute(
            f"""CREATE TEMP TABLE touched AS SELECT fact_key, event,
                    EXISTS (SELECT 1 FROM {e} l WHERE l.fact_key = t.fact_key AND l.rev > t.rev) AS later
                FROM {e} t WHERE rev = ?""",
            [rev],
        )
        cursor.execute(
            f"""CREATE TEMP TABLE back AS
                SELECT t.fact_key, {new}::BIGINT AS rev, coalesce(p.event, 'remove') AS event,
                       coalesce(p.origin, now.origin) AS origin, coalesce(p.source_id, now.source_id) AS source_id, {values}
                FROM touched t
                LEFT JOIN (SELECT * FROM {e} x WHERE x.rev < {rev} AND NOT EXISTS (
                    SELECT 1 FROM {e} n WHERE n.fact_key = x.fact_key AND n.rev > x.rev AND n.rev < {rev})) p USING (fact_key)
                LEFT JOIN (SELECT * FROM {e} WHERE rev = {rev}) now USING (fact_key)
                WHERE NOT t.later"""
        )
        row = cursor.execute(
            """SELECT count(*) FILTER (b.event = 'put' AND t.event = 'remove'), count(*) FILTER (b.event = 'put' AND t.event = 'put'),
                      count(*) FILTER (b.event = 'remove' AND t.event = 'put') FROM back b JOIN touched t USING (fact_key)"""
        ).fetchone()
        later = cursor.execute("SELECT count(*) FROM touched WHERE later").fetchone()
        assert row is not None and later is not None
        kept += int(later[0])
        if any(row):
            counts[name] = {"added": int(row[0]), "changed": int(row[1]), "removed": int(row[2])}
            _append(cursor, meta, "back")
        cursor.execute("DROP TABLE touched")
        cursor.execute("DROP TABLE back")
    if not counts:
        raise ValueError(f"nothing of revision {rev} is left to take back: every fact it touched was changed again since")
    words = f"undo of revision {rev}" + (f"; {kept} facts changed again since then were left" if kept else "")
    record(cursor, new, counts, kind="undo", author=author, note=f"{words}. {note}" if note else words, today=today)
    return Revision(new, counts)
