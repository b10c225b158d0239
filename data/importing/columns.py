"""What a parsed column holds: one entry a row, and what was noticed by distinct text."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from data.importing.sheet import Column


@dataclass
class Numbers:
    """A number column, one entry a row; `flags` are sets of distinct texts by what was noticed."""

    value: np.ndarray
    low: np.ndarray
    high: np.ndarray
    approximate: np.ndarray
    planned: np.ndarray
    ranged: np.ndarray
    errors: dict[int, str] = field(default_factory=dict)  # code -> reason
    rest: dict[int, str] = field(default_factory=dict)  # code -> words left over
    notes: dict[int, str] = field(default_factory=dict)  # code -> how the value came about
    codes: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=np.int32))
    texts: list[str] = field(default_factory=list)


@dataclass
class Days:
    """A date column, one entry a row: ISO text or None."""

    value: np.ndarray
    unsure: np.ndarray
    planned: np.ndarray
    errors: dict[int, str] = field(default_factory=dict)
    codes: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=np.int32))
    texts: list[str] = field(default_factory=list)


def missing(values: np.ndarray) -> np.ndarray:
    """Return a mask of the missing entries of a text column."""
    return np.asarray(values == None, dtype=bool)  # noqa: E711 - element by element


def computed(values: np.ndarray, column: Column) -> Numbers:
    """Return a number column that was computed rather than parsed."""
    size = len(values)
    none, no = np.full(size, np.nan), np.zeros(size, dtype=bool)
    return Numbers(values, none.copy(), none.copy(), no.copy(), no.copy(), no.copy(), codes=column.codes, texts=column.texts)
