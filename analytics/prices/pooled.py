"""One rate from several levels: how the lowest cost of each fell since something first reached it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from analytics.checks import require, require_positive
from analytics.prices.rates import DAYS_PER_YEAR

DAYS_PER_MONTH = DAYS_PER_YEAR / 12


@dataclass(frozen=True)
class PooledCurves:
    """Samples of all curves, curve after curve: index of the level, days since its first day, lowest cost over the first cost."""

    level: np.ndarray
    days: np.ndarray
    ratio: np.ndarray


def pooled_curves(days: Any, cost: Any, score: Any, levels: Any, until_day: float) -> PooledCurves:
    """Lowest cost of each level, sampled monthly from the first day it was reached, as a ratio to that first cost.

    Parameters: days (n,) day numbers; cost (n,) [any one unit], above 0; score (n,); levels (m,), least scores; until_day, last day of
    a sample. Returns: PooledCurves; a level that nothing reaches by until_day has no sample. Errors: ValueError.
    Method: H. T. Ihle, "Inference costs for hard coding tasks halve roughly every two months" (LessWrong, 2025): costs of every month,
    so that each weighs the same, all thresholds normalised to start at 1 and put together.
    """
    when, paid, points = (np.asarray(v, dtype=float).ravel() for v in (days, cost, score))
    if not when.size == paid.size == points.size:
        raise ValueError(f"days, costs and scores must be of one length, got {when.size}, {paid.size} and {points.size}")
    require(np.isfinite(when), "day", when, "a date")
    require_positive("cost", paid)
    order = np.lexsort((paid, when))
    when, paid, points = when[order], paid[order], points[order]
    parts: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    for i, least in enumerate(np.asarray(levels, dtype=float).ravel()):
        reached = (points >= least) & (when <= until_day)
        if not reached.any():
            continue
        own, lowest = when[reached], np.minimum.accumulate(paid[reached])
        since = np.arange(0.0, until_day - own[0] + 1e-9, DAYS_PER_MONTH)
        # On the first day itself the cheapest of that day is the start.
        at = lowest[np.searchsorted(own, own[0] + since, side="right") - 1]
        parts.append((np.full(since.size, i), since, at / at[0]))
    if not parts:
        return PooledCurves(np.empty(0, dtype=int), np.empty(0), np.empty(0))
    level, since, ratio = (np.concatenate(column) for column in zip(*parts))
    return PooledCurves(level.astype(int), since, ratio)
