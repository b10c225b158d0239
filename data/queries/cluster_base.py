"""One figure a quantity for a cluster: what models start from when a reader changes a stored cluster."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from analytics.clusters.power import pue_of
from data.queries import clusters
from data.queries.chips import records
from data.queries.kept import per_revision
from data.snapshot import Snapshot

_NO_CHIP = ("", "none", "unknown", "mixed")


@per_revision
def _usable(snapshot: Snapshot) -> pd.DataFrame:
    """One row a testimony with a known chip and a count or IT power: chips of several kinds added up, `mixed` where there are."""
    rows = clusters.rows(snapshot)
    rows = clusters.newest_editions(rows[rows["status"].ne("superseded")])
    known = set(snapshot.table("chips")["chip_id"])
    rows = rows[rows["chip_id"].isin(known) & ~rows["chip_id"].isin(_NO_CHIP)]
    rows = rows.assign(day=rows["online_day"].fillna(rows["as_of_day"]), servers=rows["capex_usd"].where(rows["capex_kind"] == "servers"))
    keys = ["cluster_id", "source", "phase", "as_of"]
    grouped = rows.sort_values("chip_count", ascending=False, kind="stable").groupby(keys, sort=False)
    out = grouped.first()
    out = out.assign(
        chip_count=grouped["chip_count"].sum(min_count=1),
        power_mw=grouped["power_mw"].max(),
        site_power_mw=grouped["site_power_mw"].max(),
        servers_usd=grouped["servers"].max(),
        mixed=grouped["chip_id"].nunique() > 1,
    ).reset_index()
    return out[(out["chip_count"] > 0) | (out["power_mw"] > 0)]


def names(snapshot: Snapshot) -> dict[str, str]:
    """Clusters that a change can start from, by name."""
    rows = _usable(snapshot).drop_duplicates("cluster_id").sort_values("name", kind="stable")
    return dict(zip(rows["cluster_id"], rows["name"]))


def base(snapshot: Snapshot, cluster_id: str) -> dict[str, Any]:
    """The newest testimony about a cluster that runs (else of its plans) with a chip and a count or power; ValueError for none.

    Of several on the same day the one with more figures is taken. Returns: the row with chip_count, power_mw, site_power_mw,
    servers_usd (NaN where not given), pue (NaN without both powers), mixed (several kinds of chip).
    """
    rows = _usable(snapshot)
    own = rows[rows["cluster_id"] == cluster_id]
    if own.empty:
        raise ValueError(f"no row about {cluster_id!r} gives a chip of the chips table with a count or IT power: choose another cluster")
    today = pd.Timestamp(snapshot.today)
    own = own.assign(
        runs=own["status"].isin(["operational", "retired"]) & (own["day"].isna() | (own["day"] <= today)),
        full=own[["chip_count", "power_mw", "site_power_mw", "servers_usd"]].notna().sum(axis=1),
    )
    row = records(own.sort_values(["runs", "day", "full", "source"], kind="stable", na_position="first"))[-1]
    it, site = float(row["power_mw"]), float(row["site_power_mw"])
    row["pue"] = float(pue_of(it, site)) if it > 0 and site >= it else float("nan")
    return (
        row
        | {name: float(row[name]) for name in ("chip_count", "power_mw", "site_power_mw", "servers_usd")}
        | {"mixed": bool(row["mixed"])}
    )


def later_without_chip(snapshot: Snapshot, row: dict[str, Any]) -> dict[str, Any] | None:
    """The last testimony about a running cluster after a row of `base` that names no single chip: it_mw, chips (NaN as None), day, source."""
    own = clusters.rows(snapshot)
    own = clusters.newest_editions(own[own["status"].eq("operational")])
    own = own[(own["cluster_id"] == row["cluster_id"]) & ~own["fleet"] & own["chip_id"].fillna("").isin(_NO_CHIP)]
    own = own.assign(day=own["online_day"].fillna(own["as_of_day"]))
    own = own[(own["day"] > row["day"]) & (own["day"] <= pd.Timestamp(snapshot.today)) & ((own["chip_count"] > 0) | (own["power_mw"] > 0))]
    if own.empty:
        return None
    last = own.sort_values(["day", "fact_key"], kind="stable").iloc[-1]
    figures = {name: float(v) if (v := last[column]) == v else None for name, column in (("it_mw", "power_mw"), ("chips", "chip_count"))}
    return figures | {"day": last["day"].date().isoformat(), "source": clusters.short_source(last["source"])}


@per_revision
def _site_ratios(snapshot: Snapshot) -> pd.DataFrame:
    rows = clusters.newest_editions(clusters.rows(snapshot))
    rows = rows[(rows["power_mw"] > 0) & (rows["site_power_mw"] >= rows["power_mw"]) & rows["country"].fillna("").ne("")]
    rows = rows.assign(pue=pue_of(rows["power_mw"], rows["site_power_mw"])) if len(rows) else rows.assign(pue=np.nan)
    return rows.groupby(["country", "cluster_id"])["pue"].median().reset_index()


def countries(snapshot: Snapshot) -> dict[str, str]:
    """Countries with stored sites that give both site and IT power."""
    return {str(c): str(c) for c in sorted(_site_ratios(snapshot)["country"].unique())}


def country_pue(snapshot: Snapshot, country: str) -> dict[str, Any] | None:
    """Median, low, high and number of the stored sites' PUE in a country; None where no site gives both powers."""
    rows = _site_ratios(snapshot)
    own = rows.loc[rows["country"] == country, "pue"].to_numpy(float)
    return {"pue": float(np.median(own)), "low": float(own.min()), "high": float(own.max()), "n": len(own)} if len(own) else None
