"""What rests on which source, over all tables."""

from __future__ import annotations

import pandas as pd

from data.meta import load_meta, table_names
from data.snapshot import Snapshot


def by_source(snapshot: Snapshot) -> pd.DataFrame:
    """One row a source: title, url, rows, tables, newest (the newest as_of), rungs, ordered by rows, most first.

    Addresses of rows marked as not re-read are left out: nobody has opened them.
    """
    parts = []
    for name in table_names():
        meta, rows = load_meta(name), snapshot.table(name)
        if not len(rows):
            continue
        day = rows[meta.as_of_column] if meta.as_of_column else pd.Series(None, index=rows.index, dtype=object)
        parts.append(pd.DataFrame({"source_id": rows["source_id"], "table": name, "as_of": day, "rung": rows["rung"]}))
    if not parts:
        return pd.DataFrame({"title": [], "url": [], "rows": [], "tables": [], "newest": [], "rungs": []})
    facts = pd.concat(parts, ignore_index=True).dropna(subset=["source_id"])
    grouped = facts.groupby("source_id")
    counted = pd.DataFrame(
        {
            "rows": grouped.size(),
            "tables": grouped["table"].agg(lambda names: ", ".join(sorted(set(names)))),
            "newest": grouped["as_of"].agg(lambda days: max((d for d in days if isinstance(d, str)), default="")),
            "rungs": grouped["rung"].agg(lambda words: ", ".join(sorted(set(words)))),
        }
    )
    joined = counted.join(snapshot.sources().set_index("source_id")[["title", "url"]])
    return joined.sort_values(["rows", "title"], ascending=[False, True], kind="stable").reset_index()


def tables(snapshot: Snapshot) -> pd.DataFrame:
    """One row a table of facts: name, title, about, rows, credit."""
    metas = [load_meta(name) for name in table_names()]
    return pd.DataFrame(
        [{"name": m.name, "title": m.title, "about": m.about, "rows": len(snapshot.table(m.name)), "credit": m.credit} for m in metas]
    )
