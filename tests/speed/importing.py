"""A million rows by the command line, from the file to the committed revision, against DuckDB merely reading the same file."""

from __future__ import annotations

import datetime
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb

from data.settings import Settings
from data.store import Store

ROWS = 1_000_000
TURNS = 3
CHIPS = ("h100-sxm", "NVIDIA H100 SXM5 80GB", "gb200", "H200", "MI300X", "trainium2", "A100")
COLUMNS = {
    "cluster_id": "VARCHAR", "country": "VARCHAR", "as_of": "DATE", "online_date": "DATE", "chip_id": "VARCHAR", "chip_count": "VARCHAR",
    "power_mw": "DOUBLE", "source": "VARCHAR",
}  # fmt: skip


def write(path: Path, rows: int = ROWS) -> None:
    """Write the table: plain figures, some ranges ("12,345+", "~9000"), chips by several spellings."""
    chance = random.Random(1)
    first = datetime.date(2020, 1, 1)
    days = [(first + datetime.timedelta(days=number)).isoformat() for number in range(2_400)]
    with path.open("w", encoding="utf-8") as file:
        file.write(",".join(COLUMNS) + "\n")
        for row in range(rows):
            chips = chance.randrange(8, 200_000)
            kind = chance.random()
            count = f'"{chips:,}+"' if kind < 0.02 else f"~{chips}" if kind < 0.04 else str(chips)
            file.write(
                f"site-{row % 50_000},United States,2026-0{1 + row % 9}-01,{chance.choice(days)},{CHIPS[row % 7]},{count},"
                f"{chips * 0.0014:.3f},List {row // 50_000}\n"
            )


def figures() -> dict[str, dict]:
    """Wall time of the whole import and the largest process's memory.

    The import is a process from its start to its end, into a new store each time. It is held against a bare read by a running
    DuckDB into a table that is kept as its rows are, in a database file; against the same into memory; and against a process
    that does nothing but that read into a file. Of each the fastest of several turns counts, taken in turn.
    """
    folder = Path(tempfile.mkdtemp())
    try:
        path = folder / "million.csv"
        write(path)
        kept, bare, alone, first = [], [], [], []
        for turn in range(TURNS):
            home = folder / f"home-{turn}"
            Store.open(Settings(home=home)).close()
            kept.append(_bare(path, str(folder / f"kept-{turn}.duckdb")))
            bare.append(_bare(path, ":memory:"))
            alone.append(_bare_process(path, str(folder / f"alone-{turn}.duckdb")))
            first.append(_import(path, home))
        again = _import(path, home)  # finds every row there already
        memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e3
        whole, reading = min(first), "DuckDB reading the same file into a typed table"
        held = {
            "importing: 1,000,000 rows, file to revision": (whole, min(kept), f"{reading} of a database file"),
            "importing: the same file again, nothing to write": (again, min(kept), f"{reading} of a database file"),
            "importing: 1,000,000 rows, against a read into memory": (whole, min(bare), f"{reading} in memory, which is gone afterwards"),
            "importing: 1,000,000 rows, against a process that merely reads": (
                whole, min(alone), f"a process of its own: Python starts, loads DuckDB, then {reading.removeprefix('DuckDB ')} of a database file",
            ),
        }  # fmt: skip
        found = {
            name: {"figure": took, "unit": "s", "ratio": took / beside, "against": words} for name, (took, beside, words) in held.items()
        }
        return {**found, "importing: largest process": {"figure": memory, "unit": "MB", "ratio": None, "against": ""}}
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _import(path: Path, home: Path) -> float:
    command = [sys.executable, "-m", "data", "import", str(path), "--commit"]
    start = time.perf_counter()
    subprocess.run(command, env={**os.environ, "RIDGEPOINT_HOME": str(home)}, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def _bare(path: Path, database: str) -> float:
    start = time.perf_counter()
    connection = duckdb.connect(database)
    connection.execute("CREATE TABLE t AS SELECT * FROM read_csv(?, header=true, columns=?)", [str(path), COLUMNS])
    connection.close()
    return time.perf_counter() - start


def _bare_process(path: Path, database: str) -> float:
    program = (
        "import sys, duckdb\n"
        "connection = duckdb.connect(sys.argv[2])\n"
        f"connection.execute('CREATE TABLE t AS SELECT * FROM read_csv(?, header=true, columns=?)', [sys.argv[1], {COLUMNS!r}])\n"
        "connection.close()\n"
    )
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", program, str(path), database], check=True)
    return time.perf_counter() - start
