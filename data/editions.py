"""Shipped editions: a new data/sources/NAME.csv becomes a revision, and never overwrites what a user changed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import duckdb

from data import revisions, shipped
from data.frames import fact_keys
from data.meta import TableMeta, load_meta, table_names
from data.revisions import TableChange
from data.schema import events

if TYPE_CHECKING:
    from data.store import Store


def take_in(store: Store) -> None:
    """Write one revision of all shipped tables that are new or changed since the last start; nothing where none is."""
    with store.cursor() as cursor:
        have = dict(cursor.execute("SELECT table_name, sha256 FROM shipped_editions").fetchall())
    changed = {name: digest for name in table_names() if (digest := shipped.digest(load_meta(name))) != have.get(name)}
    if not changed:
        return
    with store._lane:
        changes, unsettled = [], []
        for name in changed:
            change, rows = _change(store, load_meta(name))
            changes.append(change)
            unsettled += rows
        _write(store, changes, unsettled, changed, first=not have)


def retake(store: Store) -> None:
    """Take in again the editions whose rows waited behind a user's change that an undo has taken back."""
    if not store.one("SELECT count(*) FROM unsettled"):
        return
    waiting = store.unsettled()
    freed = {name for name, own in waiting.groupby("table_name") if _freed(store, load_meta(str(name)), set(own["fact_key"]))}
    if freed:
        with store.writing(edition=True) as cursor:
            cursor.executemany("DELETE FROM shipped_editions WHERE table_name = ?", [[name] for name in freed])
        take_in(store)


def _freed(store: Store, meta: TableMeta, keys: set[str]) -> bool:
    """Whether one of these facts is no longer a user's."""
    with store.cursor() as cursor:
        return not keys <= _users(cursor, meta)


def _users(cursor: duckdb.DuckDBPyConnection, meta: TableMeta) -> set[str]:
    """Facts a user changed, added or took away: a fact that was added and undone is nobody's."""
    rows = cursor.execute(
        f"""SELECT fact_key FROM {events(meta)} e
            WHERE e.origin <> 'shipped' AND NOT EXISTS (SELECT 1 FROM {events(meta)} n WHERE n.fact_key = e.fact_key AND n.rev > e.rev)
              AND (e.event = 'put' OR EXISTS (SELECT 1 FROM {events(meta)} s WHERE s.fact_key = e.fact_key AND s.origin = 'shipped'))"""
    ).fetchall()
    return {row[0] for row in rows}


def _change(store: Store, meta: TableMeta) -> tuple[TableChange, list[tuple[str, str, str | None]]]:
    """What the shipped file changes, and the rows where a user's change stands in its way."""
    import pandas as pd

    put = shipped.frame(meta.name)
    keys = pd.Series(fact_keys(put, meta))
    with store.cursor() as cursor:
        now = revisions.state(cursor, meta, 2**62)
        theirs = _users(cursor, meta)
        ours = {r[0] for r in cursor.execute(f"SELECT DISTINCT fact_key FROM {events(meta)} WHERE origin = 'shipped'").fetchall()}
    users = now[now["origin"] != "shipped"].set_index("fact_key")
    unsettled: list[tuple[str, str, str | None]] = []
    for position in keys[keys.isin(theirs)].index:
        row = {c: (None if pd.isna(v) else v) for c, v in put.loc[position].items()}
        key = keys[position]
        same = key in users.index and all(_equal(users.loc[key, c], put.loc[position, c]) for c in meta.columns)
        if not same:
            unsettled.append((meta.name, key, json.dumps(row, ensure_ascii=False)))
    dropped = (set(users.index) & ours) - set(keys)
    unsettled += [(meta.name, key, None) for key in sorted(dropped)]
    gone = now[(now["origin"] == "shipped") & ~now["fact_key"].isin(set(keys))]["fact_key"]
    return TableChange(meta.name, put[~keys.isin(theirs)], list(gone)), unsettled


def _equal(a: object, b: object) -> bool:
    import pandas as pd

    return (pd.isna(a) and pd.isna(b)) or a == b  # type: ignore[call-overload]


def _write(
    store: Store, changes: list[TableChange], unsettled: list[tuple[str, str, str | None]], digests: dict[str, str], *, first: bool
) -> None:
    with store.writing(edition=True) as cursor:
        try:
            written = revisions.write(
                cursor,
                changes,
                kind="shipped",
                author="Ridgepoint",
                file_name=None,
                sha256=None,
                note="shipped facts" if first else f"new shipped edition of {', '.join(sorted(digests))}",
                today=store.settings.day(),
                origin="shipped",
            )
            rev = written.rev
        except revisions.NothingToWrite:  # same rows in another order, or only a user's rows differ
            rev = revisions.next_rev(cursor) - 1
        for name, digest in digests.items():
            cursor.execute("INSERT OR REPLACE INTO shipped_editions VALUES (?, ?, ?)", [name, digest, rev])
            cursor.execute("DELETE FROM unsettled WHERE table_name = ?", [name])
        for name, key, row in unsettled:
            cursor.execute("INSERT INTO unsettled VALUES (?, ?, ?, ?)", [name, key, rev, row])
