"""Is everything in the store sound? Every fault as a sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from data.blobs import Blobs
from data.meta import load_meta, table_names
from data.schema import current, ends, events, quoted

if TYPE_CHECKING:
    from data.store import Store


def faults(store: Store) -> list[str]:
    """What does not hold: revision numbers, events and their ends, current state, counts, sources, uploads, links."""
    found = _revisions(store)
    for name in table_names():
        found += _table(store, name)
    return found + _files(store)


def _revisions(store: Store) -> list[str]:
    revs = store.frame("SELECT rev FROM revisions ORDER BY rev")["rev"].tolist()
    found = [] if revs == list(range(1, len(revs) + 1)) else [f"revision numbers have gaps: {revs[:20]}"]
    orphans = store.one("SELECT count(*) FROM revision_tables WHERE rev NOT IN (SELECT rev FROM revisions)")
    if orphans:
        found.append(f"{orphans} table counts belong to no revision")
    return found


def _table(store: Store, name: str) -> list[str]:
    meta = load_meta(name)
    e, now = events(meta), current(meta)
    columns = ", ".join(quoted(c) for c in ("fact_key", "rev", "origin", "source_id", *meta.columns))
    newest = f"SELECT {columns} FROM {e} x WHERE event = 'put' AND NOT EXISTS (SELECT 1 FROM {e} n WHERE n.fact_key = x.fact_key AND n.rev > x.rev)"
    noted = f"SELECT fact_key, rev, ended_in FROM superseded WHERE table_name = '{name}'"
    tests = {
        f"SELECT count(*) FROM {e} WHERE rev NOT IN (SELECT rev FROM revisions)": "events of no revision",
        f"SELECT count(*) FROM (SELECT fact_key, rev FROM {e} GROUP BY ALL HAVING count(*) > 1)": "facts written twice in one revision",
        f"SELECT count(*) FROM {e} WHERE event NOT IN ('put', 'remove') OR origin NOT IN ('shipped', 'upload')": "events of an unknown kind",
        f"SELECT count(*) FROM (({newest} EXCEPT SELECT {columns} FROM {now}) UNION ALL (SELECT {columns} FROM {now} EXCEPT {newest}))": (
            "rows where the current state and the events differ"
        ),
        f"""SELECT count(*) FROM (({ends(meta)} EXCEPT ALL {noted}) UNION ALL ({noted} EXCEPT ALL {ends(meta)}))""": (
            "ends of facts that do not follow from the events"
        ),
        f"SELECT count(*) FROM {now} WHERE source_id IS NULL OR source_id NOT IN (SELECT source_id FROM sources)": (
            "rows whose source is unknown"
        ),
        f"""SELECT count(*) FROM (SELECT rev, count(*) AS n FROM {e} GROUP BY rev) w
            FULL JOIN (SELECT rev, added + changed + removed AS n FROM revision_tables WHERE table_name = '{name}') c USING (rev)
            WHERE w.n IS DISTINCT FROM c.n""": "revisions whose counts do not match their events",
    }
    return [f"{name}: {n} {what}" for sql, what in tests.items() if (n := store.one(sql))]


def _files(store: Store) -> list[str]:
    uploads = set(store.frame("SELECT upload_id FROM uploads")["upload_id"])
    linked = set(store.frame("SELECT table_sha256 FROM links")["table_sha256"])
    found = Blobs(store.home / "uploads").faults(uploads) + Blobs(store.home / "blobs").faults(linked)
    beyond = store.one("SELECT count(*) FROM links WHERE rev NOT IN (SELECT rev FROM revisions)")
    return found + ([f"{beyond} links point to a revision that does not exist"] if beyond else [])
