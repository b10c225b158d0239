"""200,000 price rows through the store and the charts of prices, against the shipped rows."""

from __future__ import annotations

import csv
import datetime
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import charts
from charts import registry
from charts.look import Look
from data import shipped
from data.settings import Settings
from data.snapshot import Snapshot
from data.store import Store

ROWS = 200_000
TODAY = datetime.date(2026, 11, 23)
COPIED = ("model_id", "model_name", "developer", "weights_id", "tier", "mode")
PRICES = ("input_usd_per_mtok", "cached_input_usd_per_mtok", "output_usd_per_mtok")
CHARTS = ("prices.level", "prices.rates", "prices.hosts", "prices.moves", "prices.ratios", "prices.search")


def write(path: Path) -> None:
    """Write the rows: the shipped dated offers again and again, each time at another host, on other days, at other prices."""
    chance = random.Random(20_261_124)
    rows = [r for r in shipped.rows("api_prices") if len(str(r["effective_date"])) == 10]
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow([*COPIED, "provider", "effective_date", *PRICES, "source"])
        for i in range(ROWS):
            host, row = i // len(rows), rows[i % len(rows)]
            day = datetime.date.fromisoformat(str(row["effective_date"])) + datetime.timedelta(days=host % 300)
            factor = chance.uniform(0.5, 2)
            figures = ["" if row[c] in (None, "") else f"{float(row[c]) * factor:.5g}" for c in PRICES]
            out.writerow(
                [*("" if row[c] is None else row[c] for c in COPIED), f"{row['provider']} {host}", day.isoformat(), *figures, "generated"]
            )


def _taken(chart_id: str, snapshot: Snapshot, times: int) -> float:
    """Least time of table, words and figure of a chart in its default state [s]."""
    chart, best = registry.get(chart_id), float("inf")
    params = chart.params()
    for _ in range(times):
        start = time.perf_counter()
        table = chart.table(params, snapshot)
        chart.words(table, params)
        chart.figure(table, params, Look())
        best = min(best, time.perf_counter() - start)
    return best


def figures() -> dict[str, dict[str, object]]:
    """Seconds from the file to the revision, and milliseconds of each chart against the same chart of the shipped rows."""
    charts.load_all()
    folder = Path(tempfile.mkdtemp())
    try:
        path, home = folder / "prices.csv", folder / "home"
        write(path)
        few = Store.open(Settings(home=home, today=TODAY))
        shipped_rows = few.snapshot(today=TODAY)
        count = len(shipped_rows.table("api_prices"))
        before = {name: _taken(name, shipped_rows, 3) for name in CHARTS}
        few.close()
        command = [sys.executable, "-m", "data", "import", str(path), "--table", "api_prices", "--commit"]
        start = time.perf_counter()
        subprocess.run(command, env={**os.environ, "RIDGEPOINT_HOME": str(home)}, check=True, stdout=subprocess.DEVNULL)
        written = time.perf_counter() - start
        store = Store.open(Settings(home=home, today=TODAY))
        snapshot = store.snapshot(today=TODAY)
        start = time.perf_counter()
        rows = len(snapshot.table("api_prices"))
        loaded = time.perf_counter() - start
        out: dict[str, dict[str, object]] = {
            f"prices: {ROWS:,} rows, file to revision": {"figure": written, "unit": "s", "ratio": None, "against": ""},
            f"prices: {rows:,} rows out of the store": {"figure": loaded * 1e3, "unit": "ms", "ratio": None, "against": ""},
        }
        for name in CHARTS:
            taken = _taken(name, snapshot, 2)
            out[f"prices: {name} on {rows:,} rows"] = {
                "figure": taken * 1e3,
                "unit": "ms",
                "ratio": taken / before[name],
                "against": f"the same chart on {count} rows, {rows / count:.0f} times fewer",
            }
        store.close()
        return out
    finally:
        shutil.rmtree(folder, ignore_errors=True)
