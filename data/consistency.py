"""Ratios that the clusters' own figures imply, row by row, beside those of other clusters of the chip; for charts and for uploads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from analytics.clusters.consistency import APART, RATIOS, implied, question

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


@dataclass(frozen=True)
class Peers:
    """What clusters of a chip show of one ratio: how many there are, and the two least and two most with whose they are."""

    clusters: frozenset[str]
    least: tuple[tuple[float, str], ...]
    most: tuple[tuple[float, str], ...]

    def without(self, cluster_id: str) -> tuple[int, float, float]:
        """Number, least and most of the clusters other than one; NaN where there is none."""
        count = len(self.clusters) - (cluster_id in self.clusters)
        low, high = (next((value for value, whose in ends if whose != cluster_id), np.nan) for ends in (self.least, self.most))
        return count, low, high

    def inner(self) -> tuple[float, float] | None:
        """The second least and the second most; None where fewer than three clusters show the ratio."""
        return (self.least[1][0], self.most[1][0]) if len(self.clusters) > 2 else None


def peers(known: pd.DataFrame) -> dict[tuple[str, str], Peers]:
    """What clusters show by chip and ratio, each by the median of its testimonies; `known` comes from `ratios`."""
    out: dict[tuple[str, str], Peers] = {}
    told = known[~known["chip_id"].isin(NO_CHIP)]
    for name in RATIOS:
        middle = told[told[name].notna()].groupby(["chip_id", "cluster_id"])[name].median().reset_index().sort_values(name, kind="stable")
        for chip_id, own in middle.groupby("chip_id"):
            pairs = list(zip(own[name].astype(float), own["cluster_id"].astype(str)))
            out[str(chip_id), name] = Peers(frozenset(whose for _, whose in pairs), tuple(pairs[:2]), tuple(pairs[:-3:-1]))
    return out


def doubtful(
    codes: np.ndarray, chip_ids: Sequence[object], figures: Mapping[str, np.ndarray], others: dict[tuple[str, str], Peers]
) -> np.ndarray:
    """Which rows may raise a question: no row left out does, whichever cluster it is of.

    Parameters: codes, place of each row's chip in `chip_ids`; figures, the ratio of each row by its name, NaN for none. A cluster's own
    testimony is left out of what others show: without it the range may end at the second value from the end.
    """
    odd = np.zeros(len(codes), dtype=bool)
    for name, usual in RATIOS.items():
        known = [others.get((str(chip_id), name)) for chip_id in chip_ids]
        inner = [beside.inner() if beside else None for beside in known]
        low = np.array([max(usual.low, ends[0] / APART) if ends else usual.low for ends in inner])
        high = np.array([min(usual.high, ends[1] * APART) if ends else usual.high for ends in inner])
        with np.errstate(invalid="ignore"):
            odd |= (figures[name] < low[codes]) | (figures[name] > high[codes])
    return odd


def asked_of_all(every: pd.DataFrame, others: dict[tuple[str, str], Peers]) -> dict[int, dict[str, str]]:
    """`questions` of every row that raises one, by its place; `every` comes from `ratios`."""
    codes, chip_ids = pd.factorize(every["chip_id"].astype(str))
    odd = doubtful(codes, list(chip_ids), {name: every[name].to_numpy(float) for name in RATIOS}, others)
    places = np.flatnonzero(odd)
    rows = every.iloc[places][["chip_id", "cluster_id", *RATIOS]].to_dict("records")
    found = {int(place): questions({str(c): v for c, v in row.items()}, others) for place, row in zip(places, rows)}
    return {place: said for place, said in found.items() if said}


def questions(row: dict[str, Any], others: dict[tuple[str, str], Peers]) -> dict[str, str]:
    """What is odd about one row of `ratios`: ratio → sentence. Other clusters are those of the row's chip, itself left out."""
    found = {}
    for name in RATIOS:
        beside = others.get((str(row["chip_id"]), name))
        count, low, high = beside.without(str(row["cluster_id"])) if beside else (0, np.nan, np.nan)
        if said := question(name, float(row[name]), count, low, high, str(row["chip_id"])):
            found[name] = said
    return found
