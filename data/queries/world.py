"""Published totals of the world, to say how much of it the rows on show are."""

from __future__ import annotations

import datetime

import pandas as pd

from data.queries.kept import per_revision
from data.snapshot import Snapshot, latest_day

FOUR_VENDORS = "NVIDIA + TPU + Trainium + AMD"
# quantity of clusters -> (metric of world_totals, unit, what the world's figure counts)
COMPARABLE = {
    "power_mw": ("cumulative accelerator power", "MW", "chip power alone, without servers"),
    "h100e": ("cumulative compute sold", "H100e", "sold since the first quarter counted, nothing retired"),
}

UNCOUNTED = {
    "site_power_mw": "site power",
    "chip_count": "accelerators of all makers",
    "h100e_16bit": "H100 equivalents by 16-bit rates",
    "capex_usd": "capital",
}


@per_revision
def totals(snapshot: Snapshot, metric: str, owner: str | None = None) -> pd.DataFrame:
    """Rows of one metric, with the period's last day as `day`, ordered by it."""
    table = snapshot.table("world_totals")
    own = table[(table["metric"] == metric) & ((table["owner"] == owner) if owner else True)]
    return own.assign(day=latest_day(own["period_end"])).sort_values(["day", "fact_key"], kind="stable", ignore_index=True)


def coverage(snapshot: Snapshot, quantity: str, total: float, today: datetime.date) -> str:
    """What share of the newest comparable world total these rows are, in words with its source; "" without a total."""
    if not total > 0:
        return ""
    if quantity not in COMPARABLE:
        return f"No published total of the world counts {UNCOUNTED.get(quantity, 'this')} at AI sites, so no share of it is given."
    metric, unit, counts = COMPARABLE[quantity]
    rows = totals(snapshot, metric, FOUR_VENDORS)
    rows = rows[(rows["unit"] == unit) & (rows["day"] <= pd.Timestamp(today)) & rows["value"].notna()]
    if rows.empty:
        return ""
    last = rows.iloc[-1]
    world, ours = float(last["value"]), float(total)
    scale = "GW" if unit == "MW" else "million H100e"
    divide = 1e3 if unit == "MW" else 1e6
    return (
        f"Seen running here: {ours / divide:.1f} {scale}; the four largest vendors had sold {world / divide:.1f} {scale} by "
        f"{last['day'].date():%B %Y} ({counts}; {last['source'].split(' (')[0]}): {100 * ours / world:.0f} % on unlike terms."
    )
