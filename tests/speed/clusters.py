"""The cluster charts with 100,000 rows against the shipped ones: computing anew, and a warm rerun (kept result, figure drawn)."""

from __future__ import annotations

import datetime
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

import charts
from charts import compute, registry
from charts.look import Look
from data.meta import load_meta
from data.revisions import TableChange
from data.settings import Settings
from data.store import Store

ROWS = 100_000
GROUPED: list[tuple[str, dict[str, str]]] = [("clusters.power", {"by": "owner"}), ("clusters.power", {"by": "chip"})]
TODAY = datetime.date(2026, 11, 23)


def generated(rows: int = ROWS, seed: int = 0) -> pd.DataFrame:
    """Made-up testimony: sites of four phases by one source, the last planned, powers log-normal, owners, countries and chips few."""
    rng = np.random.default_rng(seed)
    sites = np.arange(rows) // 4
    phase = np.arange(rows) % 4
    online = pd.Timestamp("2022-01-01") + pd.to_timedelta(rng.integers(0, 1400, rows // 4 + 1)[sites] + 150 * phase, unit="D")
    frame = pd.DataFrame(dict.fromkeys(load_meta("clusters").columns, ""), index=range(rows))
    power = np.exp(rng.normal(3, 1, rows // 4 + 1))[sites] * (phase + 1)
    told = {
        "cluster_id": [f"made-{s}" for s in sites], "name": [f"Made {s}" for s in sites], "owner": [f"Owner {s % 40}" for s in sites],
        "country": [("United States", "China", "Norway")[s % 3] for s in sites], "phase": phase.astype(str),
        "status": np.where((phase == 3) | (online > "2026-08-01"), "planned", "operational"), "as_of": "2026-08-01",
        "online_date": online.where(phase < 3, online + pd.Timedelta(days=900)).strftime("%Y-%m-%d"),
        "chip_id": np.array(["h100-sxm", "h200-sxm", "b200", "gb200"])[phase], "chip_count": (power * 700).astype(int),
        "latitude": rng.uniform(-40, 65, rows // 4 + 1)[sites].round(3), "longitude": rng.uniform(-160, 170, rows // 4 + 1)[sites].round(3),
        "power_mw": power.round(1), "site_power_mw": (1.3 * power).round(1), "source": "Generated", "confidence": "estimate", "evidence": "satellite",
    }  # fmt: skip
    return frame.assign(**told)


def figures() -> dict[str, dict]:
    """Seconds of each cluster chart on the large store, as ratios to the shipped one."""
    charts.load_all()
    out: dict[str, dict] = {}
    with tempfile.TemporaryDirectory() as folder:
        small = Store.open(Settings(home=Path(folder) / "shipped", today=TODAY))
        large = Store.open(Settings(home=Path(folder) / "large", today=TODAY))
        large.apply([TableChange("clusters", generated())], kind="import", author="speed")
        for chart_id, own in [*((c, {}) for c in sorted(registry.CHARTS) if c.startswith("clusters.")), *GROUPED]:
            chart = registry.get(chart_id)
            large_params: dict[str, str] = own | ({"source": "Generated"} if "source" in chart.params.model_fields else {})
            if chart_id == "clusters.file":
                large_params = {"cluster": "made-1"}
            if own:
                chart_id += f" {own['by']}"
            first, warm = {}, {}
            for name, store, params in (("shipped", small, own), ("large", large, large_params)):
                snapshot, state = store.snapshot(today=TODAY), chart.params(**params)
                first[name] = _seconds(lambda: compute.compute(chart, state, snapshot), 1)  # noqa: B023 - called at once
                warm[name] = _seconds(lambda: compute.compute(chart, state, snapshot).figure(Look()).to_json(), 5)  # noqa: B023
            against = "the shipped rows"
            for what, found in (("first", first), ("warm rerun", warm)):
                ratio = found["large"] / found["shipped"]
                out[f"{chart_id}, {ROWS:,} rows, {what}"] = {"figure": found["large"], "unit": "s", "ratio": ratio, "against": against}
        small.close()
        large.close()
    return out


def _seconds(work: Callable[[], object], times: int) -> float:
    """The shortest of several runs."""
    best = float("inf")
    for _ in range(times):
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
    return best
