"""Speed of the price frontier on 200,000 price rows."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from analytics.prices.blend import price_usd_per_mtok
from analytics.prices.fit import fit_log_linear
from analytics.prices.frontier import frontier
from analytics.prices.robustness import leave_one_model_out

ROWS = 200_000


def _milliseconds(run: Callable[[], object], times: int = 5) -> float:
    best = float("inf")
    for _ in range(times):
        start = time.perf_counter()
        run()
        best = min(best, time.perf_counter() - start)
    return best * 1000


def figures() -> dict[str, dict[str, object]]:
    """Milliseconds for blending, frontier and fit, and leaving out each record holder, against one plain pass of Python."""
    rng = np.random.default_rng(20_261_123)
    days = rng.integers(18_000, 20_700, ROWS).astype(float)
    entry = 60 / 10 ** ((days - 18_000) / 365.25) * rng.lognormal(1, 1, ROWS)
    exit_, models = entry * rng.uniform(1, 5, ROWS), rng.integers(0, 500, ROWS)

    def blend() -> np.ndarray:
        return price_usd_per_mtok(entry, exit_, cached_usd_per_mtok=entry / 10, cache_hit_share=0.5)

    price = blend()

    def fit() -> object:
        chosen = frontier(days, price)
        return fit_log_linear(days[chosen], price[chosen])

    def plain() -> list[int]:
        lowest, kept = float("inf"), []
        for i in sorted(range(ROWS), key=lambda i: (days[i], price[i])):
            if price[i] < lowest:
                lowest = price[i]
                kept.append(i)
        return kept

    slow = _milliseconds(plain, 1)
    out: dict[str, dict[str, object]] = {}
    for name, run in {
        "prices.blend_200k": blend,
        "prices.frontier_and_fit_200k": fit,
        "prices.leave_one_out_200k": lambda: leave_one_model_out(days, price, models),
    }.items():
        took = _milliseconds(run)
        out[name] = {
            "figure": round(took, 1),
            "unit": "ms",
            "ratio": round(slow / took, 1),
            "against": "a plain Python frontier of the same rows",
        }
    return out
