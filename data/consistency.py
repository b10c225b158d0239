"""Ratios that the clusters' own figures imply, row by row, beside those of other clusters of the chip; for charts and for uploads."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from analytics.clusters.consistency import RATIOS, implied, question

FIGURES = {
    "chip_count": "count_basis",
    "power_mw": "power_basis",
    "site_power_mw": "power_basis",
    "capex_usd": "capex_basis",
    "h100e": "h100e_basis",
}
# What one source says of one cluster at one time; chips of several kinds stand in rows of their own, power and capital once.
_TESTIMONY = ["cluster_id", "phase", "source", "as_of"]
NO_CHIP = ("", "none", "unknown", "mixed")


def ratios(rows: pd.DataFrame, chips: pd.DataFrame) -> pd.DataFrame:
    """One row a testimony with a column for each ratio; figures computed from others take no part.

    Parameters: rows of the table clusters (columns it lacks count as blank); chips, the table chips. Returns: the first row
    of each testimony with chip_count summed over its kinds of chip, chip_id "mixed" where these differ, and the columns of
    RATIOS, NaN where figures are missing; the index is that of the first rows.
    """
    own = rows.copy()
    for name, basis in FIGURES.items():
        values = pd.to_numeric(own[name], errors="coerce") if name in own else pd.Series(np.nan, index=own.index)
        said = own[basis].fillna("").astype(str) if basis in own else pd.Series("", index=own.index)
        own[name] = values.mask(said.str.startswith("derived").to_numpy(bool))
    rated = own["chip_id"].map(chips.drop_duplicates("chip_id").set_index("chip_id")["tdp_w"]).astype(float)
    own["rated"] = rated * own["chip_count"]
    keys = [own[name].fillna("").astype(str) if name in own else pd.Series("", index=own.index) for name in _TESTIMONY]
    label = pd.MultiIndex.from_arrays(keys).factorize()[0]
    groups = own.groupby(label, sort=False)
    size = groups["chip_id"].transform("size").to_numpy()
    first = ~pd.Series(label, index=own.index).duplicated()
    out = own[first].copy()
    several = size[first.to_numpy()] > 1
    at = label[first.to_numpy()]
    for name in ("chip_count", "h100e", "rated"):  # a sum over kinds of chip, unless one of them is unknown
        whole = groups[name].sum(min_count=1).where(groups[name].count() == groups["chip_id"].size())
        out[name] = whole.to_numpy()[at]
    for name in ("power_mw", "site_power_mw", "capex_usd"):
        out[name] = groups[name].max().to_numpy()[at]
    out["chip_id"] = np.where(several, "mixed", out["chip_id"].fillna("").astype(str))
    with np.errstate(invalid="ignore", divide="ignore"):
        found = implied(
            *(out[name].to_numpy(float) for name in ("chip_count", "power_mw", "site_power_mw", "capex_usd", "h100e")),
            rated_w=(out["rated"] / out["chip_count"]).to_numpy(float),
        )
    return out.assign(**{name: getattr(found, name) for name in RATIOS}).drop(columns="rated")


def peers(known: pd.DataFrame) -> dict[tuple[str, str], dict[str, float]]:
    """What clusters show by chip and ratio: (chip_id, ratio) → cluster_id → median of its testimonies; `known` comes from `ratios`."""
    out: dict[tuple[str, str], dict[str, float]] = {}
    told = known[~known["chip_id"].isin(NO_CHIP)]
    for name in RATIOS:
        middle = told[told[name].notna()].groupby(["chip_id", "cluster_id"])[name].median().reset_index()
        for chip_id, cluster_id, value in zip(middle["chip_id"], middle["cluster_id"], middle[name]):
            out.setdefault((str(chip_id), name), {})[str(cluster_id)] = float(value)
    return out


def questions(row: dict[str, Any], others: dict[tuple[str, str], dict[str, float]]) -> dict[str, str]:
    """What is odd about one row of `ratios`: ratio → sentence. Other clusters are those of the row's chip, itself left out."""
    found = {}
    for name in RATIOS:
        beside = others.get((str(row["chip_id"]), name), {})
        values = [value for cluster_id, value in beside.items() if cluster_id != row["cluster_id"]]
        said = question(name, float(row[name]), values, str(row["chip_id"]))
        if said:
            found[name] = said
    return found
