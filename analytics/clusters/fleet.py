"""How many chips, megawatts and dollars a demand for tokens takes, by chip; and what a limit allows.

This joins the four subjects: a model and its lengths give tokens, the serving model gives tokens per second per chip,
power and money follow. Peak hours size the fleet, the mean day sizes the energy bill.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from analytics.checks import require_positive, require_within
from analytics.clusters.money import GpuHour, gpu_hour
from analytics.clusters.power import it_power_mw, site_power_mw
from analytics.formula import formula


@formula(
    name="Chips for a demand",
    symbol="N",
    unit="chips",
    inputs={
        "queries_per_day": ("q", "per day"),
        "output_tokens": ("O", "tokens"),
        "peak_over_mean": ("k", "×"),
        "tok_s_per_chip": ("x", "tok/s per chip"),
        "utilisation": ("u", "share"),
    },
    source="demand at the peak over what one chip serves within its limits",
)
def chips_for_demand(queries_per_day, output_tokens, peak_over_mean, tok_s_per_chip, utilisation):
    """Chips that serve a day's queries at its peak; tok_s_per_chip counts output tokens with their prompts' prefill."""
    return np.ceil(queries_per_day * output_tokens / 86400 * peak_over_mean / (tok_s_per_chip * utilisation))


@dataclass(frozen=True)
class Fleet:
    """A fleet for a demand; arrays over chips."""

    chips: np.ndarray
    it_mw: np.ndarray
    site_mw: np.ndarray
    capital_usd: np.ndarray
    usd_per_year: np.ndarray
    usd_per_query: np.ndarray
    usd_per_mtok: np.ndarray
    hour: GpuHour


def size(
    queries_per_day: Any,
    output_tokens: Any,
    tok_s_per_chip: Any,
    *,
    chip_w: Any,
    overhead: Any = 1.82,
    pue: Any = 1.12,
    capex_usd_per_chip: Any,
    peak_over_mean: Any = 2.0,
    utilisation: Any = 0.8,
    chips: Any = None,
    **hour: Any,
) -> Fleet:
    """The fleet a demand takes, or what a fleet that there is costs while it serves a demand.

    Parameters (broadcast, usually over chips): queries_per_day; output_tokens a query; tok_s_per_chip served within the
    latency limits; chip_w [W]; overhead and pue [×]; capex_usd_per_chip; peak_over_mean of the day; utilisation of the
    peak hour; chips, where a limit set them (None: as many as the demand takes); further keywords go to money.gpu_hour.
    Returns: Fleet. Errors: ValueError for values out of range.
    """
    q, o = require_positive("queries_per_day", queries_per_day), require_positive("output_tokens", output_tokens, "tokens")
    x = require_positive("tok_s_per_chip", tok_s_per_chip, "tok/s")
    peak = require_within("peak_over_mean", peak_over_mean, 1, 100, "×")
    busy = require_within("utilisation", utilisation, 0.01, 1)
    n = chips_for_demand(q, o, peak, x, busy) if chips is None else require_positive("chips", chips, "chips")
    it = it_power_mw(n, require_positive("chip_w", chip_w, "W"), require_within("overhead", overhead, 1, 5, "×"))
    cost = gpu_hour(capex_usd_per_chip, it * 1e3 / n, pue=pue, **hour)
    year = cost.total_usd * n * 8760
    return Fleet(
        chips=n,
        it_mw=it,
        site_mw=site_power_mw(it, np.asarray(pue, dtype=float)),
        capital_usd=n * np.asarray(capex_usd_per_chip, dtype=float),
        usd_per_year=year,
        usd_per_query=year / (q * 365),
        usd_per_mtok=year / (q * 365 * o) * 1e6,
        hour=cost,
    )


def queries_within(
    limit: str, amount: Any, output_tokens: Any, tok_s_per_chip: Any, *, it_w_per_chip: Any, capex_usd_per_chip: Any, pue: Any = 1.12,
    peak_over_mean: Any = 2.0, utilisation: Any = 0.8,
) -> dict[str, np.ndarray]:  # fmt: skip
    """Queries a day that a limit on site power [MW], capital [USD] or chips allows.

    Parameters: limit, "power", "capital" or "chips"; amount of it; the rest as in `size`. Returns: chips, queries_per_day.
    """
    a = require_positive("amount", amount)
    per_chip = {
        "power": require_positive("it_w_per_chip", it_w_per_chip, "W") * require_within("pue", pue, 1, 3, "×") / 1e6,
        "capital": require_positive("capex_usd_per_chip", capex_usd_per_chip, "USD"),
        "chips": np.ones(()),
    }
    if limit not in per_chip:
        raise ValueError(f"limit must be power, capital or chips, got {limit!r}")
    n = np.floor(a / per_chip[limit] + 1e-9)
    served = (
        n
        * require_positive("tok_s_per_chip", tok_s_per_chip, "tok/s")
        * require_within("utilisation", utilisation, 0.01, 1)
        / require_within("peak_over_mean", peak_over_mean, 1, 100)
    )
    return {"chips": n + 0 * served, "queries_per_day": served * 86_400 / require_positive("output_tokens", output_tokens, "tokens")}
