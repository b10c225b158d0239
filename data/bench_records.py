"""Benchmark records between their JSON Lines form and the table of facts, and their import as one revision."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from analytics.bench import fields
from analytics.bench import record as records
from data.meta import load_meta
from data.revisions import TableChange
from data.store import Store

TABLE = "bench_records"


def to_frame(rows: Iterable[dict[str, Any]]) -> pd.DataFrame:
    """Records -> rows of the table in canonical columns."""
    out = []
    for row in rows:
        plain: dict[str, Any] = {"measured_on": str(row["started_utc"])[:10]}
        for field in fields.FIELDS:
            value = row[field.name]
            if field.kind == "params":
                value = json.dumps(value, separators=(",", ":"))
            elif field.kind == "boolean" and value is not None:
                value = "true" if value else "false"
            plain[field.name] = value
        out.append(plain)
    return pd.DataFrame(out, columns=list(load_meta(TABLE).columns))


def from_frame(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of the table -> records, as they were measured."""
    out = []
    for plain in frame.to_dict("records"):
        row: dict[str, Any] = {}
        for field in fields.FIELDS:
            value = plain[field.name]
            if value is None or (isinstance(value, float) and np.isnan(value)):
                row[field.name] = None
            elif field.kind == "params":
                row[field.name] = json.loads(value)
            elif field.kind == "boolean":
                row[field.name] = value == "true"
            elif field.kind == "integer":
                row[field.name] = int(value)
            else:
                row[field.name] = value
        out.append(row)
    return out


def import_records(store: Store, content: bytes, file_name: str, *, author: str = "", note: str | None = None) -> dict[str, Any]:
    """Put a record file into the store as one revision; {"revision", "rows", "added", "changed", "known"}.

    Nothing is written, and `revision` is None, where the store has every row already. Errors: RecordError (ValueError) naming
    line and field, for the whole file; ReadOnly where the store takes no writing.
    """
    rows = records.parse_text(content, file_name or "file")
    frame = to_frame(rows)
    outcome: dict[str, Any] = {"revision": None, "rows": len(rows), "added": 0, "changed": 0, "known": len(rows)}
    held = store.snapshot().table(TABLE)
    columns = list(load_meta(TABLE).columns)
    if len(held) and _same(frame, held[columns]):
        return outcome
    revision = store.apply(
        [TableChange(TABLE, frame)],
        kind="import",
        author=author,
        file_name=file_name,
        sha256=hashlib.sha256(content).hexdigest(),
        note=note or f"{len(rows)} benchmark records",
    )
    counts = revision.counts[TABLE]
    outcome.update(
        revision=revision.rev, added=counts["added"], changed=counts["changed"], known=len(rows) - counts["added"] - counts["changed"]
    )
    return outcome


def _same(new: pd.DataFrame, held: pd.DataFrame) -> bool:
    """Whether every new row is held already, value for value."""
    key = ["session_id", "row_key"]
    known = {tuple(row[k] for k in key): row for row in from_frame(held)}
    return all(known.get(tuple(row[k] for k in key)) == row for row in from_frame(new))
