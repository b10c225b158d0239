"""How wrong predictions have been: error figures of a set of ratios, and the band a family of measurements has earned."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from analytics.serving.doubt import BAND_SHARE, Residual

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
    """Where a new measurement should lie: measured = predicted x (low to high) for a share of them, learnt from n of a family."""

    low: float
    high: float
    n: int
    family: str
    share: float = BAND_SHARE


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
    """The band of measured over predicted in a family (rows of serving_residuals.csv), each row at its worst left-out ratio.

    Runs of one model miss together, so models are its groups (`Residual.of`). None where fewer than eight rows were measured: no band
    is drawn from a handful.
    """
    mine = [row for row in rows if row["family"] == family]
    if len(mine) < FEWEST_ROWS:
        return None
    low, high = Residual.of([1 / worst_left_out(row) for row in mine], [str(row.get("model")) for row in mine]).factors()
    return Band(low, high, len(mine), family)


def band_of_new_chip(rows: Iterable[Mapping[str, Any]], family: str) -> Band | None:
    """The band for a chip of which nothing was measured: runs predicted without their chip, chips as the groups that miss together.

    Parameters: rows of serving_residuals.csv; family. Returns: a band never narrower than `band`; None where that has none or fewer than
    three runs were left out with their chip.
    """
    rows = list(rows)
    usual = band(rows, family)
    mine = [r for r in rows if r["family"] == family and r["ratio_without_chip"] not in (None, "")]
    mine = [r for r in mine if r["ratio_without_chip"] == r["ratio_without_chip"]]
    if usual is None or len(mine) < 3:
        return None
    apart = Residual.of([1 / float(r["ratio_without_chip"]) for r in mine], [str(r["chip_id"]) for r in mine])
    low, high = apart.factors()
    return Band(min(low, usual.low), max(high, usual.high), len(mine), family)


@dataclass(frozen=True)
class Coverage:
    """How many left-out measurements of a family fell within a band made without any run of their group."""

    n: int
    groups: int
    inside: int
    width: float  #: high over low of the median band


def coverage(rows: Iterable[Mapping[str, Any]], family: str, left_out: str) -> Coverage | None:
    """Left-out measurements inside their band: constants fitted, and band made, without their model or without their chip.

    Parameters: rows of serving_residuals.csv; family; left_out, "model" or "chip". Returns: Coverage, None without enough rows.
    """
    if left_out not in ("model", "chip"):
        raise ValueError(f"left_out must be model or chip, got {left_out!r}")
    column = f"ratio_without_{left_out}"
    mine = [row for row in rows if row["family"] == family and row[column] not in (None, "") and row[column] == row[column]]
    measured = np.array([1 / float(row[column]) for row in mine])
    models = np.array([row["model"] for row in mine])
    group = models if left_out == "model" else np.array([row["chip_id"] for row in mine])
    names = np.unique(group)
    if not mine or any((group != name).sum() < FEWEST_ROWS for name in names):
        return None
    inside, widths = 0, []
    for name in names:
        others = group != name
        low, high = Residual.of(measured[others], models[others]).factors()
        inside += int(((measured[~others] >= low) & (measured[~others] <= high)).sum())
        widths += [high / low] * int((~others).sum())
    return Coverage(len(mine), names.size, inside, float(np.median(widths)))
