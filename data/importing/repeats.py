"""Rows that say the same key twice: exact repeats are counted once, contradicting ones rejected."""

from __future__ import annotations

import numpy as np
import pandas as pd

from data.importing.report import Report, lines_text
from data.meta import TableMeta


def without_repeats(frame: pd.DataFrame, meta: TableMeta, report: Report) -> pd.DataFrame:
    """Return the rows with each key once: the first stands, equal ones are dropped, others rejected."""
    codes = pd.DataFrame({name: _codes(frame[name], exact=name == "alias") for name in meta.key})
    repeated = codes.duplicated(keep="first").to_numpy()
    if not repeated.any():
        return frame
    group = codes.groupby(list(meta.key), sort=False).ngroup().to_numpy()
    order = np.full(group.max() + 1, -1, dtype=np.int64)
    order[group[::-1]] = np.arange(len(group))[::-1]  # the first row of each group is written last
    first = order[group]
    differs = np.zeros(len(frame), dtype=bool)
    at_fault = np.full(len(frame), "", dtype=object)
    for name in frame.columns.drop("_line"):
        if name == "name" and meta.name == "clusters":
            continue
        values = _codes(frame[name], exact=name not in meta.key)
        unequal = repeated & (values != values[first])
        at_fault[unequal & ~differs] = name
        differs |= unequal
    lines = frame["_line"].to_numpy()
    key = ", ".join(meta.key)
    for row in np.flatnonzero(differs):
        name = at_fault[row]
        other = _shown(frame[name].iloc[first[row]]) or "nothing"
        report.reject(
            int(lines[row]),
            name,
            _shown(frame[name].iloc[row]),
            f"contradicts line {lines[first[row]]}, which has {other} for the same {key}",
        )
    same = [int(line) for line in lines[repeated & ~differs]]
    if same:
        report.warn(f"{lines_text(same)}: exact repeat of an earlier row, counted once")
    return frame[~repeated].reset_index(drop=True)


def _codes(values: pd.Series, exact: bool) -> np.ndarray:
    """Return equal numbers for equal values; texts compare without case and outer blanks unless `exact`."""
    codes, distinct = pd.factorize(values.to_numpy())
    if exact or values.dtype.kind == "f":
        return codes
    folded, _ = pd.factorize(np.array([str(text).strip().casefold() for text in distinct], dtype=object))
    return np.where(codes >= 0, folded[codes], -1) if len(folded) else codes


def _shown(value: object) -> str:
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return ""
    return f"{value:.12g}" if isinstance(value, float) else str(value)
