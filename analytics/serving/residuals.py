"""How wrong predictions have been: error figures of a set of ratios, and the band a family of measurements has earned."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

#: Rows a family needs before a band is drawn.
FEWEST_ROWS = 8


@dataclass(frozen=True)
class Errors:
    """Error figures of predicted over measured ratios."""

    n: int
    median_absolute_error: float
    within_25_percent: float
    geometric_mean_ratio: float

    def as_dict(self) -> dict[str, float | int]:
        """Plain numbers for JSON."""
        return {
            "n": self.n,
            "median_absolute_error": round(self.median_absolute_error, 4),
            "within_25_percent": round(self.within_25_percent, 4),
            "geometric_mean_ratio": round(self.geometric_mean_ratio, 4),
        }


@dataclass(frozen=True)
class Band:
    """Where measurements of a family lay against predictions: measured = predicted x (low to high) for 80 % of n rows."""

    low: float
    high: float
    n: int
    family: str


def errors(ratios: ArrayLike) -> Errors | None:
    """Error figures of ratios (predicted / measured, positive); None without any."""
    values = np.asarray(ratios, dtype=float)
    values = values[np.isfinite(values) & (values > 0)]
    if not len(values):
        return None
    off = np.abs(values - 1)
    return Errors(len(values), float(np.median(off)), float(np.mean(off <= 0.25)), float(np.exp(np.mean(np.log(values)))))


def worst_left_out(row: Mapping[str, Any]) -> float:
    """The worse of a row's ratios without its model and without its chip; its plain ratio where it was never left out."""
    found = [
        float(row[name])
        for name in ("ratio_without_model", "ratio_without_chip")
        if row.get(name) not in (None, "") and row[name] == row[name]
    ]
    return max(found, key=lambda ratio: abs(np.log(ratio))) if found else float(row["ratio"])


def band(rows: Iterable[Mapping[str, Any]], family: str) -> Band | None:
    """The 10 to 90 % band of measured over predicted in a family (rows of serving_residuals.csv), each row at its worst left-out ratio.

    None where fewer than eight rows were measured: no band is drawn from a handful.
    """
    ratios = np.array([worst_left_out(row) for row in rows if row["family"] == family])
    if len(ratios) < FEWEST_ROWS:
        return None
    low, high = np.quantile(1 / ratios, [0.1, 0.9])
    return Band(float(low), float(high), len(ratios), family)
