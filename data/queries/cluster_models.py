"""What the cluster models take from the store: published parameters, training runs, power a chip and a grid's electricity."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from analytics.clusters.power import power_per_chip_w
from data.queries import clusters
from data.queries.chips import records
from data.snapshot import Snapshot

DRAWN = 40  # clusters of one chip in one chart

# Region → (its name in a sentence, energy and share whose quotient is all electricity of that year).
GRIDS = {
    "US": ("US electricity", "lbnl-us-twh-2023", "lbnl-us-share-2023"),
    "world": ("the world's electricity", "iea-world-twh-2024", "iea-world-share-2024"),
}
PUBLISHED = ("flop", "gpu_hours", "days", "mfu", "cost_usd", "power_mw")


def parameters(snapshot: Snapshot, *names: str) -> list[dict[str, Any]]:
    """Rows of published parameters by id, in the order asked for; those the store lacks are left out."""
    rows = {row["param_id"]: row for row in records(snapshot.table("cluster_parameters"))}
    return [rows[name] for name in names if name in rows]


def parameter(snapshot: Snapshot, name: str) -> dict[str, Any]:
    """One published parameter; ValueError where the store has none of that id."""
    found = parameters(snapshot, name)
    if not found:
        raise ValueError(f"the table cluster_parameters has no row {name!r}: import it or take the change back that removed it")
    return found[0]


def training_runs(snapshot: Snapshot) -> pd.DataFrame:
    """Published training runs, one row a run, stage and source, ordered by run, its pre-training first, and day."""
    rows = snapshot.table("training_runs")
    rows = rows.assign(later=rows["stage"].ne("pre-training")).sort_values(["run_id", "later", "as_of", "source"], kind="stable")
    return rows.drop(columns="later").reset_index(drop=True)


def run_names(snapshot: Snapshot) -> dict[str, str]:
    """Run id → name of the published training runs."""
    rows = training_runs(snapshot)
    return dict(zip(rows["run_id"], rows["name"]))


def watts_per_chip(snapshot: Snapshot) -> pd.DataFrame:
    """All-in IT power a chip [W] of clusters whose power was not worked out from their count.

    Returns: chip_id, name, chip_count, power_mw, watts, measured (by a meter, during a benchmark), rung and source columns; ordered by chip and watts.
    """
    rows = clusters.rows(snapshot)
    own = rows[(rows["chip_count"] > 0) & (rows["power_mw"] > 0) & (rows["chip_id"] != "mixed")]
    own = own[
        ~own["power_basis"].fillna("").str.contains("chip_count|share by count") & ~own["count_basis"].fillna("").str.contains("power")
    ]
    out = own.assign(watts=power_per_chip_w(own["power_mw"], own["chip_count"]), measured=own["power_basis"].eq("measured"))
    out = out[np.isfinite(out["watts"])].sort_values(["chip_id", "watts", "fact_key"], kind="stable")
    columns = [
        "chip_id",
        "name",
        "phase",
        "chip_count",
        "power_mw",
        "watts",
        "measured",
        "power_basis",
        "rung",
        "source",
        "source_url",
        "as_of",
    ]
    return out[[*columns, "single_source", "not_reread"]].reset_index(drop=True)


def spread(rows: pd.DataFrame, limit: int = DRAWN) -> pd.DataFrame:
    """At most `limit` of the rows, evenly spread over their order, the first and the last among them."""
    if len(rows) <= limit:
        return rows
    return rows.iloc[np.linspace(0, len(rows) - 1, limit).round().astype(int)]


def grid_rows(snapshot: Snapshot, region: str) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """The energy of data centres and their share whose quotient is a region's electricity; None where the store lacks one."""
    _, energy, share = GRIDS[region]
    rows = {row["total_id"]: row for row in records(snapshot.table("world_totals"))}
    return (rows[energy], rows[share]) if energy in rows and share in rows else None
