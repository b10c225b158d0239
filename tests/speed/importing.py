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

    The import is a process from its start to its end. It is held against a bare read inside a running process, into memory and
    into a file, and against a process that does nothing but that read into a file.
    """
    folder = Path(tempfile.mkdtemp())
    try:
        path, home = folder / "million.csv", folder / "home"
        write(path)
        Store.open(Settings(home=home)).close()
        bare = min(_bare(path, ":memory:") for _ in range(3))
        kept = min(_bare(path, str(folder / f"bare-{turn}.duckdb")) for turn in range(3))
        alone = min(_bare_process(path, str(folder / f"alone-{turn}.duckdb")) for turn in range(3))
        environment = {**os.environ, "RIDGEPOINT_HOME": str(home)}
        command = [sys.executable, "-m", "data", "import", str(path), "--commit"]
        times = []
        for _ in range(2):  # the second finds every row there already
            start = time.perf_counter()
            subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
            times.append(time.perf_counter() - start)
        memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e3
        against = "DuckDB reading the same file into a typed table"
        return {
            "importing: 1,000,000 rows, file to revision": {"figure": times[0], "unit": "s", "ratio": times[0] / bare, "against": against},
            "importing: the same file again, nothing to write": {
                "figure": times[1],
                "unit": "s",
                "ratio": times[1] / bare,
                "against": against,
            },
            "importing: 1,000,000 rows, against a process that merely reads": {
                "figure": times[0],
                "unit": "s",
                "ratio": times[0] / alone,
                "against": "a process of its own: Python starts, loads DuckDB, reads the same file into a typed table of a database file, ends",
            },
            "importing: 1,000,000 rows, against a read that is kept": {
                "figure": times[0],
                "unit": "s",
                "ratio": times[0] / kept,
                "against": "DuckDB reading the same file into a typed table of a database file",
            },
            "importing: largest process": {"figure": memory, "unit": "MB", "ratio": None, "against": ""},
        }
    finally:
        shutil.rmtree(folder, ignore_errors=True)


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
