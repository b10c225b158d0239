"""Rents and prices of accelerators: who lets them, on which term, and what one costs to buy."""

from __future__ import annotations

import pandas as pd

from data.queries.prices import day_number
from data.snapshot import Snapshot

# General clouds with regions of their own; everybody else who owns GPUs is a neocloud, who resells others' a marketplace.
_HYPERSCALERS = ("aws", "azure", "google", "oracle", "alibaba", "hyperscaler")
_MARKETPLACES = ("vast.ai", "community", "marketplace", "long-tail")
# Medians, averages, ranges and assumptions of many sellers: drawn apart, never as a seller.
_INDICES = ("market", "average", "index", "semianalysis", "range mid", "mid-tier", "assumption", "podcast", "small clouds")
TIERS = ("hyperscaler", "neocloud", "marketplace", "index")


def provider_tier(provider: str) -> str:
    """Which of TIERS a seller's name belongs to; "index" for figures about many sellers, and for assumptions."""
    name = provider.casefold()
    if any(word in name for word in _INDICES):
        return "index"
    if any(word in name for word in _HYPERSCALERS):
        return "hyperscaler"
    return "marketplace" if any(word in name for word in _MARKETPLACES) else "neocloud"


def rents(snapshot: Snapshot) -> pd.DataFrame:
    """Every rent that is a price: rows without suspect = 1 and without term "assumed", plus day and provider_tier.

    Ordered by chip, day, provider.
    """
    rows = snapshot.table("gpu_rental_prices")
    rows = rows[rows["suspect"].ne(1) & rows["term"].ne("assumed") & (rows["usd_per_gpu_hour"] > 0)]
    rows = rows.assign(day=day_number(rows["date"]), provider_tier=rows["provider"].map(provider_tier))
    return rows.sort_values(["chip_id", "day", "provider", "fact_key"], kind="stable", ignore_index=True)


def left_out(snapshot: Snapshot) -> pd.DataFrame:
    """Rents kept out of curves: columns of the table, in key order, with suspect_reason ("an assumption, not a price" for those)."""
    rows = snapshot.table("gpu_rental_prices")
    rows = rows[rows["suspect"].eq(1) | rows["term"].eq("assumed")].reset_index(drop=True)
    return rows.assign(suspect_reason=rows["suspect_reason"].fillna("an assumption, not a price"))


def hardware(snapshot: Snapshot, market: str = "us") -> pd.DataFrame:
    """Prices to buy whole servers or cards on one market, plus day and usd_per_gpu (middle price over its GPUs).

    An end that a row does not state is its middle price, a middle it does not state lies halfway between its ends; rows without any
    price are left out. So are bills of materials, programmes and prices per GB: nobody buys at them.
    """
    rows = snapshot.table("hardware_prices")
    rows = rows[
        rows["market"].fillna("").str.startswith(market) & ~rows["kind"].isin(["bill of materials", "programme", "cost per GB HBM"])
    ]
    rows = rows[rows["units"] > 0]
    ends = rows[["price_low_usd", "price_high_usd"]].astype(float)
    middle = rows["price_mid_usd"].astype(float).fillna(ends.mean(axis=1))
    low, high = (ends[name].fillna(middle) for name in ends)
    rows = rows.assign(price_low_usd=low, price_high_usd=high, price_mid_usd=middle)[(low > 0) & (high > 0)]
    rows = rows.assign(day=day_number(rows["date"]), usd_per_gpu=rows["price_mid_usd"] / rows["units"])
    return rows.sort_values(["chip_id", "day", "fact_key"], kind="stable", ignore_index=True)


def chip_rates(snapshot: Snapshot) -> pd.DataFrame:
    """Name, dense 16-bit rate [TFLOP/s] and memory bandwidth [GB/s] of every chip, indexed by chip_id; NaN where not known."""
    rows = snapshot.table("chips").set_index("chip_id")
    wanted = {"name": "name", "bf16_tflops_dense": "dense_tflop_per_s", "memory_bandwidth_gb_per_s": "hbm_bandwidth_gb_per_s"}
    return rows[list(wanted)].rename(columns=wanted)
