"""Tables of the store: numbered migrations for its own tables, and event tables made from each meta.yml."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb

from data.meta import TableMeta, load_meta, table_names

MIGRATIONS = Path(__file__).parent / "migrations"
EVENT_COLUMNS = ("fact_key", "rev", "event", "origin", "source_id")


class StoreTooNew(ValueError):
    """The store was written by a later version."""


def migrate(connection: duckdb.DuckDBPyConnection) -> None:
    """Bring a store to this version's tables, one transaction a step; StoreTooNew where it is from a later version."""
    connection.execute("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL)")
    steps = {int(p.name[:4]): p for p in MIGRATIONS.glob("[0-9][0-9][0-9][0-9]_*.sql")}
    current = _version(connection, max(steps))
    for version in sorted(v for v in steps if v > current):
        connection.execute("BEGIN")
        connection.execute(steps[version].read_text(encoding="utf-8"))
        connection.execute("INSERT INTO schema_version VALUES (?)", [version])
        connection.execute("COMMIT")
    held = _columns_held(connection)
    for name in table_names():
        _make_event_tables(connection, load_meta(name), held)


def refuse_other_versions(connection: duckdb.DuckDBPyConnection) -> None:
    """Say so where a store that cannot be written is not at this version; StoreTooNew for a later one, ValueError for an earlier."""
    newest = max(int(p.name[:4]) for p in MIGRATIONS.glob("[0-9][0-9][0-9][0-9]_*.sql"))
    current = _version(connection, newest)
    have = {row[0] for row in connection.execute("SELECT table_name FROM information_schema.tables").fetchall()}
    missing = [name for name in table_names() if events(load_meta(name)) not in have]
    if current < newest or missing:
        raise ValueError(
            f"the store is at schema version {current} with {len(missing)} tables missing, and its folder cannot be written: "
            "make the folder writable for one start, and it is brought up to date"
        )


def _version(connection: duckdb.DuckDBPyConnection, newest: int) -> int:
    """The store's schema version; StoreTooNew where this program does not know it."""
    row = connection.execute("SELECT coalesce(max(version), 0) FROM schema_version").fetchone()
    assert row is not None
    if row[0] > newest:
        raise StoreTooNew(f"the store is at schema version {row[0]}; this version of Ridgepoint knows {newest}: start a newer version")
    return int(row[0])


def _columns_held(connection: duckdb.DuckDBPyConnection) -> dict[str, dict[str, str]]:
    """Columns of every table and view, each with "BASE TABLE" or "VIEW"; asked once, as the catalogue takes its time."""
    held: dict[str, dict[str, str]] = {}
    for table, column, kind in connection.execute(
        """SELECT c.table_name, c.column_name, t.table_type FROM information_schema.columns c
           JOIN information_schema.tables t USING (table_schema, table_name)"""
    ).fetchall():
        held.setdefault(table, {})[column] = kind
    return held


def _make_event_tables(connection: duckdb.DuckDBPyConnection, meta: TableMeta, have: dict[str, dict[str, str]]) -> None:
    """Create the table of events and the view of the current state, or add columns the meta has gained."""
    fixed = "fact_key VARCHAR NOT NULL, rev BIGINT NOT NULL, event VARCHAR NOT NULL, origin VARCHAR NOT NULL, source_id VARCHAR"
    kinds = {c.name: "DOUBLE" if c.numeric else "VARCHAR" for c in meta.columns.values()}
    if events(meta) not in have:
        connection.execute(f"CREATE TABLE {events(meta)} ({fixed}, {', '.join(f'{quoted(c)} {kind}' for c, kind in kinds.items())})")
    for name in set(kinds) - set(have.get(events(meta), kinds)):
        connection.execute(f"ALTER TABLE {events(meta)} ADD COLUMN {quoted(name)} {kinds[name]}")
    held = have.get(current(meta), {})
    if "BASE TABLE" in held.values():  # earlier versions kept a second copy of every current fact
        connection.execute("BEGIN")
        connection.execute(f"DROP TABLE {current(meta)}")
        connection.execute(f"INSERT INTO superseded SELECT '{meta.name}', fact_key, rev, ended_in FROM ({ends(meta)})")
        _make_view(connection, meta)
        connection.execute("COMMIT")
    elif set(kinds) - set(held):
        _make_view(connection, meta)


def _make_view(connection: duckdb.DuckDBPyConnection, meta: TableMeta) -> None:
    columns = ", ".join([*EVENT_COLUMNS, *(quoted(c) for c in meta.columns)])
    connection.execute(
        f"""CREATE OR REPLACE VIEW {current(meta)} AS SELECT {columns} FROM {events(meta)} e
            WHERE e.event = 'put' AND NOT EXISTS (
                SELECT 1 FROM superseded s WHERE s.table_name = '{meta.name}' AND s.fact_key = e.fact_key AND s.rev = e.rev)"""
    )


def ends(meta: TableMeta) -> str:
    """Query of the events that a newer one of the same fact ended, from the events alone: fact_key, rev, ended_in."""
    return f"""SELECT fact_key, rev, lead(rev) OVER (PARTITION BY fact_key ORDER BY rev) AS ended_in FROM {events(meta)}
               QUALIFY ended_in IS NOT NULL"""


def events(meta: TableMeta) -> str:
    """Name of the table of events."""
    return f"facts_{_safe(meta.name)}"


def current(meta: TableMeta) -> str:
    """Name of the view of the current state."""
    return f"now_{_safe(meta.name)}"


def quoted(name: str) -> str:
    """A column name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def _safe(name: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise ValueError(f"table name {name!r}: small letters, digits and _ are accepted")
    return name
