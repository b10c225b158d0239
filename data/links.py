"""Links: what a chart showed, kept so that it can be shown again.

A link keeps its page, chart, every parameter, the revision, the version of the model, the day taken as today and the very table that
was drawn (Parquet, named by its SHA-256). The same of all that gives the same link. Links are never changed.
"""

from __future__ import annotations

import base64
import datetime
import hashlib
import io
import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from data.blobs import Blobs
from data.store import Store

SCHEMA_VERSION = 2
ID_LENGTH = 12  # 60 bits of the hash: a clash is looked for when a link is made
_ID = re.compile(r"[a-z2-7]{12,52}")

# A step takes the state {"page", "chart", "params"} of a link of version n and returns that of version n + 1, changing nothing else.
Step = Callable[[dict[str, Any]], dict[str, Any]]


def _without_prompt_of_attention(state: dict[str, Any]) -> dict[str, Any]:
    """Version 1 to 2: the attention chart kept a prompt and a cached share that its context already settled."""
    if state["chart"] != "serving.attention":
        return state
    gone = ("input_tokens", "cached_share")
    return state | {"params": {name: value for name, value in state["params"].items() if name not in gone}}


STEPS: dict[int, Step] = {1: _without_prompt_of_attention}


class UnknownLink(ValueError):
    """A link this store does not have."""


@dataclass(frozen=True)
class Link:
    """One link as it was made; `params` in today's names, `schema_version` as it was kept."""

    id: str
    page: str
    chart: str
    params: dict[str, Any]
    schema_version: int
    rev: int
    model: str
    table_sha256: str
    receipt: dict[str, Any]
    words: dict[str, Any]
    today: datetime.date
    created: datetime.datetime


def save(
    store: Store,
    *,
    page: str,
    chart: str,
    params: dict[str, Any],
    rev: int,
    model: str,
    table: pd.DataFrame,
    receipt: dict[str, Any],
    words: dict[str, Any],
    today: datetime.date,
) -> Link:
    """Keep what a chart shows and return its link; the same state and table give the link that is already there.

    Parameters: the page and chart by name; every parameter as JSON values; the revision and model version computed with; the table
    drawn, with its `attrs`; receipt and words as JSON values; the day taken as today.
    Errors: ReadOnly where the store cannot be written, OSError where the table cannot.
    """
    params, receipt, words = (plain(value) for value in (params, receipt, words))
    content = parquet(table)
    sha256 = hashlib.sha256(content).hexdigest()
    state = {"page": page, "chart": chart, "params": params, "schema_version": SCHEMA_VERSION, "rev": rev, "model": model, "table": sha256}
    name = base64.b32encode(hashlib.sha256(canonical(state).encode()).digest()).decode().lower().rstrip("=")
    same = "SELECT page, chart, params, schema_version, rev, model, table_sha256 FROM links WHERE id = ?"
    with store.writing() as cursor:
        for length in range(ID_LENGTH, len(name) + 1):
            row = cursor.execute(same, [name[:length]]).fetchone()
            if row is None:
                break
            if row == (page, chart, canonical(params), SCHEMA_VERSION, rev, model, sha256):
                return _read(store, name[:length])
        _blobs(store).put(content)  # whole and on the disk before the row names it
        now = datetime.datetime.now(datetime.UTC).replace(tzinfo=None)
        values = [name[:length], page, chart, canonical(params), SCHEMA_VERSION, rev, model, sha256, canonical(receipt), canonical(words)]
        cursor.execute("INSERT INTO links VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", [*values, today, now])
    return _read(store, name[:length])


def is_id(text: str) -> bool:
    """Whether a text can be the id of a link."""
    return bool(_ID.fullmatch(text))


def load(store: Store, link_id: str) -> Link:
    """Return a link by its id. Errors: UnknownLink."""
    if not is_id(link_id):
        raise UnknownLink(f"there is no link {link_id[:60]!r}; a link's name has at least {ID_LENGTH} small letters and digits from 2 to 7")
    return _read(store, link_id)


def table_of(store: Store, link: Link) -> pd.DataFrame:
    """Return the table a link showed, with its `attrs`. Errors: UnknownLink where its file is gone or damaged."""
    try:
        content = _blobs(store).get(link.table_sha256)
    except (KeyError, OSError) as error:
        raise UnknownLink(f"the table that link {link.id} showed cannot be read; restore blobs/ from a backup") from error
    if hashlib.sha256(content).hexdigest() != link.table_sha256:
        raise UnknownLink(f"the table that link {link.id} showed is damaged on disk; restore blobs/ from a backup")
    return from_parquet(content)


def upgraded(state: dict[str, Any], version: int, steps: dict[int, Step] | None = None) -> dict[str, Any]:
    """Return the state {"page", "chart", "params"} of a link kept at a version, in today's names."""
    steps = STEPS if steps is None else steps
    for step in sorted(n for n in steps if n >= version):
        state = steps[step](state)
    return state


def canonical(value: Any) -> str:
    """Return JSON text that is the same for the same value: sorted keys, no spaces, no NaN."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def plain(value: Any) -> Any:
    """Return a value as JSON holds it: no NaN or infinity (null), tuples as lists, days by ISO 8601."""
    if isinstance(value, dict):
        return {str(name): plain(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value]
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value.isoformat() if isinstance(value, (datetime.date, datetime.datetime)) else value


def parquet(table: pd.DataFrame) -> bytes:
    """Return a table as Parquet, exact, with its `attrs`."""
    buffer = io.BytesIO()
    table.to_parquet(buffer, engine="pyarrow", index=False, compression="zstd")
    return buffer.getvalue()


def from_parquet(content: bytes) -> pd.DataFrame:
    """Return the table of `parquet`; each column has the type it had, object with None included."""
    kept = pq.read_table(io.BytesIO(content))
    table = kept.to_pandas()
    was_object = [c["name"] for c in (kept.schema.pandas_metadata or {}).get("columns", []) if c["numpy_type"] == "object"]
    texts = [c for c in was_object if isinstance(table[c].dtype, pd.StringDtype)]
    attrs = table.attrs
    table = table.assign(**{c: table[c].astype(object).where(table[c].notna(), None) for c in texts})
    table.attrs = attrs
    return table


def _blobs(store: Store) -> Blobs:
    return Blobs(store.home / "blobs")


def _read(store: Store, link_id: str) -> Link:
    select = """SELECT id, page, chart, params, schema_version, rev, model, table_sha256, receipt, words, today, created
                FROM links WHERE id = ?"""
    with store.cursor() as cursor:
        row = cursor.execute(select, [link_id]).fetchone()
    if row is None:
        raise UnknownLink(f"there is no link {link_id!r} here")
    state = upgraded({"page": row[1], "chart": row[2], "params": json.loads(row[3])}, row[4])
    return Link(
        id=row[0],
        page=state["page"],
        chart=state["chart"],
        params=state["params"],
        schema_version=row[4],
        rev=row[5],
        model=row[6],
        table_sha256=row[7],
        receipt=json.loads(row[8]),
        words=json.loads(row[9]),
        today=row[10],
        created=row[11],
    )
