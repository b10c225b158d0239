"""Which of many rows are worth a closer look: new clusters under names of their own, and figures that may not fit together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from analytics.clusters.consistency import RATIOS, implied
from data import consistency
from data.importing import physics
from data.importing.columns import Coded, coded, is_among, to_frame
from data.importing.repeats import joint_codes
from data.store import Store

WEIGHED_ROWS = 2_000  # rows that may be odd and are looked at one by one; beyond them only their number is told
COMPARED = 5_000  # new clusters whose names are held against the known ones
TESTIMONY = ("cluster_id", "phase", "source", "as_of")
PLACED = ["cluster_id", "name", "owner", "operator", "latitude", "longitude"]
WEIGHED = [*TESTIMONY, "chip_id", *consistency.FIGURES, *sorted(set(consistency.FIGURES.values()))]


@dataclass(frozen=True)
class Beside:
    """What new clusters are held beside: the places and names of the store's clusters, their ratios, and the chips."""

    placed: pd.DataFrame
    others: dict[tuple[str, str], consistency.Peers]
    chips: pd.DataFrame
    rev: int

    @classmethod
    def of(cls, store: Store) -> Beside:
        """Read it from a store's newest state."""
        rev = store.head()  # asked first: what is read later is of this revision or a newer one
        chips = store.state("chips", rev)
        existing = store.part("clusters", sorted({*WEIGHED, *PLACED}))
        return cls(existing[PLACED], consistency.peers(consistency.ratios(existing, chips)) if len(existing) else {}, chips, rev)


def same_sites(put: pa.Table, beside: Beside) -> list[physics.SameSite]:
    """Return new clusters that may be known ones under another name."""
    known = pa.array(beside.placed["cluster_id"].unique(), pa.string())
    ids = coded(put["cluster_id"])
    fresh = np.flatnonzero(~is_among(ids, known))
    first = fresh[~pd.Series(ids.codes[fresh]).duplicated().to_numpy()][:COMPARED]
    return physics.same_sites(
        to_frame(put.select([name for name in PLACED if name in put.column_names]).take(pa.array(first))), beside.placed
    )


def implausible(put: pa.Table, beside: Beside) -> list[str]:
    """Return sentences about rows whose figures do not fit together, each figure held beside those of the store's clusters."""
    testimony = joint_codes(coded(put[name]).codes for name in TESTIMONY if name in put.column_names)
    rows = _doubtful(put, pd.Series(testimony).duplicated(keep=False).to_numpy(), beside.others, beside.chips)
    looked_at = rows[np.isin(testimony[rows], testimony[rows[:WEIGHED_ROWS]])]  # a testimony is never cut in two
    if not len(rows):
        return []
    names = [name for name in put.column_names if name in WEIGHED or name == "_line"]
    said = physics.implausible(to_frame(put.select(names).take(pa.array(looked_at))), beside.others, beside.chips)
    if len(rows) > len(looked_at):
        said.append(f"{len(rows) - len(looked_at):,} more rows may have figures that do not fit together: none of these is listed")
    return said


def _doubtful(put: pa.Table, several: np.ndarray, others: dict[tuple[str, str], consistency.Peers], chips: pd.DataFrame) -> np.ndarray:
    """Return the rows that can have a ratio out of range, and those of testimonies with `several` rows: no row left out is odd."""
    chip = Coded.of(np.zeros(0, dtype=object)) if "chip_id" not in put.column_names else coded(put["chip_id"])
    rated = chips.drop_duplicates("chip_id").set_index("chip_id")["tdp_w"].astype(float)
    figures = {name: _own(put, name) for name in consistency.FIGURES}
    by_chip = np.append(rated.reindex(chip.values).to_numpy(dtype=float), [np.nan]) if len(chip.codes) else np.array([np.nan])
    codes = chip.codes if len(chip.codes) else np.full(len(put), -1)
    found = implied(*(figures[name] for name in ("chip_count", "power_mw", "site_power_mw", "capex_usd", "h100e")), rated_w=by_chip[codes])
    ratios = {name: getattr(found, name) for name in RATIOS}
    return np.flatnonzero(several | consistency.doubtful(codes, [*chip.values, ""], ratios, others))


def _own(put: pa.Table, name: str) -> np.ndarray:
    """Return a column of figures without those that were computed from others."""
    if name not in put.column_names:
        return np.full(len(put), np.nan)
    values = put[name].to_numpy().astype(float)
    basis = consistency.FIGURES[name]
    if basis not in put.column_names:
        return values
    derived = pc.fill_null(pc.starts_with(put[basis].cast(pa.string()), "derived"), False)
    return np.where(derived.to_numpy(), np.nan, values)
