"""What accepted rows would change: added, changed old to new, same, and what they contradict in other sources."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from data.consistency import FIGURES
from data.frames import fact_keys
from data.importing.columns import coded, is_among, to_frame
from data.incoming import as_arrow
from data.meta import TableMeta
from data.store import Store

LISTED = 1_000
ROW_BY_ROW = 50_000  # more rows than these are first held against the store by the database
CONTRADICTION = 0.02  # a relative difference between two sources from which on it is listed
COMPARED = ("chip_count", "power_mw", "site_power_mw", "capex_usd")


@dataclass
class Difference:
    """The rows to put and keys to remove, with what is said about them."""

    put: pa.Table
    remove: list[str] = field(default_factory=list)
    added: int = 0
    same: int = 0
    changed_count: int = 0
    changed: list[dict[str, Any]] = field(default_factory=list)
    conflicting: list[dict[str, Any]] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        return {
            "added": self.added,
            "changed": self.changed,
            "changed_count": self.changed_count,
            "same": self.same,
            "conflicting": self.conflicting,
        }  # fmt: skip


def against_store(table: pa.Table, store: Store, meta: TableMeta, present: list[str]) -> Difference:
    """Compare accepted rows with the newest state of the store.

    Parameters: `table`, rows in the table's columns with `_line`; `present`, the columns the file gives. Only ids (first
    column of the key) that the store has and that have a row unlike it are compared row by row: others are new, or the same.
    """
    lead = meta.key[0]
    if meta.columns[lead].numeric:
        return difference(to_frame(table), store.part(meta.name, list(meta.columns)), meta, present)
    known = is_among(coded(table[lead]), store.ids(meta.name))
    if not known.any():
        return Difference(table, added=len(table))
    met, unmet = table.filter(pa.array(known)), table.filter(pa.array(~known))
    ids = pc.unique(met[lead].cast(pa.string()))
    if len(met) > ROW_BY_ROW:
        ids = store.ids_that_differ(meta.name, met, [name for name in present if name in table.column_names])
    near = met.filter(pa.array(is_among(coded(met[lead]), ids)))
    result = difference(to_frame(near), store.part(meta.name, list(meta.columns), ids), meta, present)
    result.added += len(unmet)
    result.same += len(met) - len(near)
    result.put = _together(unmet, result.put) if len(unmet) else result.put
    return result


def _together(first: pa.Table, second: pa.Table) -> pa.Table:
    """Put two tables one under the other, texts plain, columns that one lacks empty."""

    def plain(table: pa.Table) -> pa.Table:
        kinds = {field.name: pa.string() if pa.types.is_dictionary(field.type) else field.type for field in table.schema}
        return table.cast(pa.schema(kinds.items()))

    return pa.concat_tables([plain(first), plain(second)], promote_options="default") if len(second) else first


def difference(frame: pd.DataFrame, existing: pd.DataFrame, meta: TableMeta, present: list[str]) -> Difference:
    """Compare accepted rows with the store's.

    Parameters: `frame`, rows in the table's columns with `_line`; `existing`, the store's rows with fact_key; `present`,
    the columns the file gives (a column it lacks keeps the store's value on a row that is there already).
    """
    new = frame.copy(deep=False)
    keys = np.asarray(fact_keys(new, meta), dtype=object)
    known = pd.Index(existing["fact_key"])
    place = known.get_indexer(pd.Index(keys))
    moved, remove = _moved(new, keys, existing, place, meta)
    place = np.where(moved >= 0, moved, place)
    there = place >= 0
    for name in meta.columns if there.any() else ():
        if name not in new:
            new[name] = pd.Series(
                np.full(len(new), np.nan if meta.columns[name].numeric else None, dtype=float if meta.columns[name].numeric else object)
            )
        if name not in present:
            values = new[name].to_numpy().copy()
            values[there] = existing[name].to_numpy()[place[there]]
            new[name] = pd.Series(values, dtype=values.dtype)
    changed = np.zeros(len(new), dtype=bool)
    differing: dict[str, np.ndarray] = {}
    for name in meta.columns if there.any() else ():
        unequal = _unequal(new[name].to_numpy(), existing[name].to_numpy(), place, there)
        if unequal.any():
            differing[name] = unequal
            changed |= unequal
    kept = new if not there.any() else new[changed | ~there].reset_index(drop=True)
    result = Difference(as_arrow(kept, meta).append_column("_line", pa.array(kept["_line"])), remove)
    result.added, result.same = int((~there).sum()), int((there & ~changed).sum())
    result.changed_count = int(changed.sum())
    for row in np.flatnonzero(changed)[:LISTED]:
        for name, unequal in differing.items():
            if unequal[row]:
                result.changed.append(
                    {
                        "line": int(frame["_line"].iloc[row]),
                        "key": {part: _plain(new[part].iloc[row]) for part in meta.key},
                        "column": name,
                        "old": _plain(existing[name].iloc[place[row]]), "new": _plain(new[name].iloc[row]),
                    }
                )  # fmt: skip
    if meta.name == "clusters":
        result.conflicting = _conflicts(kept, existing)
    return result


def _unequal(new: np.ndarray, old: np.ndarray, place: np.ndarray, there: np.ndarray) -> np.ndarray:
    result = np.zeros(len(new), dtype=bool)
    if not there.any():
        return result
    mine, theirs = new[there], old[place[there]]
    if mine.dtype.kind == "f":
        result[there] = ~((mine == theirs) | (np.isnan(mine) & np.isnan(theirs)))
    else:
        result[there] = mine != theirs
    return result


def _moved(new: pd.DataFrame, keys: np.ndarray, existing: pd.DataFrame, place: np.ndarray, meta: TableMeta) -> tuple[np.ndarray, list[str]]:
    """Pair a row whose key is new only by its online date with the one stored row it must be: a corrected date."""
    moved = np.full(len(new), -1)
    if "online_date" not in meta.key or not len(existing) or (place >= 0).all():
        return moved, []
    rest = [name for name in meta.key if name != "online_date"]
    mine = pd.MultiIndex.from_frame(new[rest].fillna(""))
    theirs = pd.MultiIndex.from_frame(existing[rest].fillna(""))
    once_mine = ~mine.duplicated(keep=False)
    once_theirs = ~theirs.duplicated(keep=False)
    position = pd.Series(np.flatnonzero(once_theirs), index=theirs[once_theirs])
    candidates = np.flatnonzero(once_mine & (place < 0))
    if not len(candidates) or not len(position):
        return moved, []
    found = position.reindex(mine[candidates]).to_numpy()
    hit = ~np.isnan(found.astype(float))
    moved[candidates[hit]] = found[hit].astype(int)
    return moved, [str(key) for key in existing["fact_key"].to_numpy()[moved[moved >= 0]]]


def _conflicts(put: pd.DataFrame, existing: pd.DataFrame) -> list[dict[str, Any]]:
    """List where another source says something else about the same cluster, phase and chip; derived values are no evidence."""
    found: list[dict[str, Any]] = []
    if not len(existing) or not len(put):
        return found
    wanted = set(zip(put["cluster_id"], put["phase"].fillna(""), put["chip_id"]))
    group = [
        row
        for row in zip(existing["cluster_id"], existing["phase"].fillna(""), existing["chip_id"], range(len(existing)))
        if row[:3] in wanted
    ]
    by_key: dict[tuple[str, str, str], list[int]] = {}
    for *key, position in group:
        by_key.setdefault(tuple(key), []).append(position)
    if not by_key:
        return found
    keys = zip(put["cluster_id"], put["phase"].fillna(""), put["chip_id"])
    concerned = put[np.fromiter((key in by_key for key in keys), dtype=bool, count=len(put))]
    for row in concerned.reindex(columns=list(existing.columns)).to_dict("records"):
        for position in by_key.get((row["cluster_id"], row["phase"] or "", row["chip_id"]), []):
            other = existing.iloc[position]
            if other["source"] == row["source"] or (
                row["online_date"] and other["online_date"] and row["online_date"] != other["online_date"]
            ):
                continue
            for name in COMPARED:
                mine, theirs = row[name], other[name]
                if is_derived(row, name) or is_derived(other, name) or np.isnan(mine) or np.isnan(theirs):
                    continue
                if abs(mine - theirs) > CONTRADICTION * max(abs(mine), abs(theirs)):
                    found.append(
                        {"cluster_id": row["cluster_id"], "phase": row["phase"], "chip_id": row["chip_id"], "column": name,
                         "upload": mine, "store": theirs,
                         "store_source": other["source"], "ratio": round(mine / theirs, 3) if theirs else None}
                    )  # fmt: skip
        if len(found) >= LISTED:
            break
    return found[:LISTED]


def is_derived(row: Any, name: str) -> bool:
    """Tell whether a value was computed from others, so that it says nothing about them."""
    basis = row[FIGURES[name]]
    return isinstance(basis, str) and basis.startswith("derived")


def _plain(value: Any) -> Any:
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return None
    return value.item() if isinstance(value, np.generic) else value
