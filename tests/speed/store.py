"""As-of queries on a store of a million facts and a hundred revisions."""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path

import duckdb

FACTS, REVISIONS, TOUCHED = 1_000_000, 100, 10_000


def figures() -> dict[str, dict]:
    """Time of an as-of query through the store's own SQL shape, against counting the same table's events."""
    home = Path(tempfile.mkdtemp())
    try:
        con = duckdb.connect(str(home / "speed.duckdb"))
        con.execute(
            f"""CREATE TABLE facts AS SELECT 'key-' || i AS fact_key, 1::BIGINT AS rev, 'put' AS op, random() AS value FROM range({FACTS}) t(i);
                CREATE TABLE now AS SELECT * FROM facts"""
        )
        for rev in range(2, REVISIONS + 1):
            con.execute(
                f"INSERT INTO facts SELECT 'key-' || ((i * 97 + {rev} * 7919) % {FACTS}), {rev}, 'put', random() FROM range({TOUCHED}) t(i)"
            )
        scan = _best(lambda: con.execute("SELECT count(*), sum(value) FROM facts").fetchall())
        sql = """SELECT count(*), sum(value) FROM facts e WHERE e.rev <= $1 AND e.op = 'put' AND NOT EXISTS (
                     SELECT 1 FROM facts n WHERE n.rev > 1 AND n.fact_key = e.fact_key AND n.rev > e.rev AND n.rev <= $1)"""
        out = {}
        for rev in (50, 100):
            taken = _best(lambda rev=rev: con.execute(sql, [rev]).fetchall())
            out[f"store: as of revision {rev} of 100, 1,000,000 facts"] = {
                "figure": 1000 * taken,
                "unit": "ms",
                "ratio": taken / scan,
                "against": "a full scan of the events",
            }
        con.close()
        return out
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _best(call, repeats: int = 3) -> float:
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return min(times)
