"""Which of many rows are worth a closer look: new clusters under names of their own, and figures that may not fit together."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from analytics.clusters.consistency import RATIOS, implied
from data import consistency
from data.importing import physics
from data.importing.columns import Coded, to_frame
from data.importing.repeats import joint_codes
from data.store import Store

WEIGHED_ROWS = 2_000  # rows that may be odd and are looked at one by one; beyond them only their number is told
COMPARED = 5_000  # new clusters whose names are held against the known ones
TESTIMONY = ("cluster_id", "phase", "source", "as_of")
PLACED = ["cluster_id", "name", "owner", "operator", "latitude", "longitude"]
WEIGHED = [*TESTIMONY, "chip_id", *consistency.FIGURES, *sorted(set(consistency.FIGURES.values()))]


def same_sites(put: pa.Table, store: Store) -> list[physics.SameSite]:
    """Return new clusters that may be known ones under another name."""
    known = store.part("clusters", PLACED)
    fresh = put.filter(pc.invert(pc.is_in(put["cluster_id"].cast(pa.string()), pa.array(known["cluster_id"].unique(), pa.string()))))
    first = np.flatnonzero(~pd.Series(_codes(fresh, "cluster_id")).duplicated().to_numpy())[:COMPARED]
    return physics.same_sites(to_frame(fresh.take(pa.array(first)).select([name for name in PLACED if name in fresh.column_names])), known)


def implausible(put: pa.Table, store: Store) -> list[str]:
    """Return sentences about rows whose figures do not fit together, each figure held beside those of the store's clusters."""
    chips = store.state("chips", store.head())
    existing = store.part("clusters", WEIGHED)
    others = consistency.peers(consistency.ratios(existing, chips)) if len(existing) else {}
    testimony = joint_codes(_codes(put, name) for name in TESTIMONY if name in put.column_names)
    rows = _doubtful(put, pd.Series(testimony).duplicated(keep=False).to_numpy(), others, chips)
    looked_at = rows[np.isin(testimony[rows], testimony[rows[:WEIGHED_ROWS]])]  # a testimony is never cut in two
    if not len(rows):
        return []
    names = [name for name in put.column_names if name in WEIGHED or name == "_line"]
    said = physics.implausible(to_frame(put.take(pa.array(looked_at)).select(names)), others, chips)
    if len(rows) > len(looked_at):
        said.append(f"{len(rows) - len(looked_at):,} more rows may have figures that do not fit together: none of these is listed")
    return said


def _doubtful(put: pa.Table, several: np.ndarray, others: dict[tuple[str, str], consistency.Peers], chips: pd.DataFrame) -> np.ndarray:
    """Return the rows that can have a ratio out of range, and those of testimonies with `several` rows: no row left out is odd."""
    chip = Coded.of(np.zeros(0, dtype=object)) if "chip_id" not in put.column_names else _coded(put, "chip_id")
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


def _coded(put: pa.Table, name: str) -> Coded:
    column = put[name] if pa.types.is_dictionary(put.schema.field(name).type) else put[name].dictionary_encode()
    chunks = column.unify_dictionaries().chunks
    codes = [chunk.indices.fill_null(-1).to_numpy(zero_copy_only=False) for chunk in chunks] or [np.zeros(0, dtype=np.int32)]
    return Coded(np.concatenate(codes), np.array(chunks[0].dictionary.to_pylist() if chunks else [], dtype=object))


def _codes(put: pa.Table, name: str) -> np.ndarray:
    return _coded(put, name).codes
