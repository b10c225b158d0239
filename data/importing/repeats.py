"""Rows that say the same key twice: exact repeats are counted once, contradicting ones rejected."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data.importing.columns import Coded, taken
from data.importing.report import Report, lines_text
from data.meta import TableMeta

MOST_CODES = 2**62


def without_repeats(columns: dict[str, np.ndarray | Coded], meta: TableMeta, report: Report) -> dict[str, np.ndarray | Coded]:
    """Return the columns with each key once: the first row stands, equal ones are dropped, others rejected."""
    together = joint_codes(_codes(columns[name], exact=name == "alias") for name in meta.key)
    ordered = np.sort(together)
    if (ordered[1:] != ordered[:-1]).all():
        return columns
    del ordered
    group = _factorized(together)
    order = np.full(int(group.max()) + 1, -1, dtype=np.int64)
    order[group[::-1]] = np.arange(len(group))[::-1]  # the first row of each group is written last
    first = order[group]
    repeated = first != np.arange(len(group))
    differs = np.zeros(len(group), dtype=bool)
    at_fault = np.full(len(group), "", dtype=object)
    for name, held in columns.items():
        if name == "_line" or (name == "name" and meta.name == "clusters"):
            continue
        values = _codes(held, exact=name not in meta.key)
        unequal = repeated & (values != values[first])
        at_fault[unequal & ~differs] = name
        differs |= unequal
    lines = columns["_line"]
    assert isinstance(lines, np.ndarray)
    key = ", ".join(meta.key)
    for row in np.flatnonzero(differs):
        name = at_fault[row]
        other = _shown(columns[name], first[row]) or "nothing"
        report.reject(
            int(lines[row]), name, _shown(columns[name], row), f"contradicts line {lines[first[row]]}, which has {other} for the same {key}"
        )
    same = [int(line) for line in lines[repeated & ~differs]]
    if same:
        report.warn(f"{lines_text(same)}: exact repeat of an earlier row, counted once")
    kept = np.flatnonzero(~repeated)
    return {name: taken(held, kept) for name, held in columns.items()}


def joint_codes(columns: Iterable[np.ndarray]) -> np.ndarray:
    """Return one number a row that is equal where the codes (-1 and up) of all columns are."""
    together, most = None, 1
    for codes in columns:
        size = int(codes.max(initial=-1)) + 2
        if together is None:
            together, most = codes.astype(np.int64) + 1, size
            continue
        if most > MOST_CODES // size:
            together = _factorized(together)
            most = int(together.max(initial=-1)) + 2
        together, most = together * size + (codes + 1), most * size
    assert together is not None
    return together


def _codes(held: np.ndarray | Coded, exact: bool) -> np.ndarray:
    """Return equal numbers for equal values; texts compare without case and outer blanks unless `exact`."""
    if not isinstance(held, Coded):
        return _factorized(held)
    if not held.distinct:
        return held.codes
    texts = held.arrow
    if not exact and pc.all(pc.string_is_ascii(texts)).as_py():
        texts = pc.ascii_lower(pc.ascii_trim_whitespace(texts))
    elif not exact:
        texts = pa.array([text.strip().casefold() for text in held.values], type=pa.string())
    folded = _factorized(texts)
    return np.where(held.codes >= 0, folded[held.codes], -1)


def _factorized(values: np.ndarray | pa.Array) -> np.ndarray:
    """Return equal numbers, from 0, for equal values."""
    if isinstance(values, np.ndarray):
        return np.unique(values, return_inverse=True)[1]
    return values.dictionary_encode().indices.to_numpy().astype(np.int64, copy=False)


def _shown(held: np.ndarray | Coded, row: int | np.integer) -> str:
    if isinstance(held, Coded):
        return "" if held.codes[row] < 0 else str(held.values[held.codes[row]])
    return "" if np.isnan(held[row]) else f"{held[row]:.12g}"
