"""How far one number hangs on one model: leave each out; and whether a price is on a trend."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from analytics.prices.fit import MINIMUM_POINTS, LogLinearFit, fit_log_linear
from analytics.prices.frontier import frontier
from analytics.prices.student_t import two_sided_p


@dataclass(frozen=True)
class LeaveOneOut:
    """Refits without each model of the frontier: model labels, fold per year (NaN where under four records are left), n."""

    models: np.ndarray
    fold_per_year: np.ndarray
    n: np.ndarray

    @property
    def fold_range(self) -> tuple[float, float]:
        """Least and greatest fold per year; (NaN, NaN) where no refit has enough records."""
        known = self.fold_per_year[np.isfinite(self.fold_per_year)]
        return (float(known.min()), float(known.max())) if known.size else (float("nan"), float("nan"))


def leave_one_model_out(days: Any, price: Any, models: Any) -> LeaveOneOut:
    """Frontier and fit again without each model that holds a record.

    All offers of a model go at once, so another model's offer may take the record. Leaving out a model that holds no record
    changes nothing and is not tried.

    Parameters: days, price, models (n,) of all candidates. Returns: LeaveOneOut in order of first record.
    """
    when, cost, labels = np.asarray(days, dtype=float), np.asarray(price, dtype=float), np.asarray(models, dtype=object)
    holders = list(dict.fromkeys(labels[frontier(when, cost)]))
    folds, counts = np.full(len(holders), np.nan), np.zeros(len(holders), dtype=int)
    # Sorted once: without a model, the records are where the running minimum of the rest falls.
    order = np.lexsort((cost, when))
    order = order[np.isfinite(cost[order]) & (cost[order] > 0)]
    when, cost = when[order], cost[order]
    codes = {name: i for i, name in enumerate(holders)}
    holder_of = np.array([codes.get(name, -1) for name in labels[order]])
    for i in range(len(holders)):
        rest = np.where(holder_of == i, np.inf, cost)
        before = np.concatenate([[np.inf], np.minimum.accumulate(rest)[:-1]])
        records = np.flatnonzero(rest < before)
        counts[i] = records.size
        if records.size >= MINIMUM_POINTS:
            folds[i] = fit_log_linear(when[records], cost[records]).fold_per_year
    return LeaveOneOut(np.array(holders, dtype=object), folds, counts)


@dataclass(frozen=True)
class TrendTest:
    """Where a price stands against a line: ratio to it, t statistic, degrees of freedom and two-sided p."""

    expected: float
    ratio: float
    t: float
    degrees: int
    p: float

    def verdict(self, level: float = 0.9) -> str:
        """ "on the trend" where the prediction interval of this level contains the price, else "below" or "above"."""
        if not self.p < 1 - level:
            return "on the trend"
        return "below the trend" if self.ratio < 1 else "above the trend"


def trend_test(line: LogLinearFit, day: float, price: float) -> TrendTest:
    """Is a new price on a line fitted without it? t = (log P - log line) / prediction sd, n - 2 degrees of freedom.

    Parameters: line fitted to three points or more; day number; price in the line's unit, above 0. Errors: ValueError.
    """
    if line.n < 3:
        raise ValueError(f"a test against a line needs three points on it or more, got {line.n}")
    if not price > 0:
        raise ValueError(f"price must be above 0, got {price:g}")
    expected = float(line.price(day))
    gap, spread = float(np.log10(price / expected)), float(line.prediction_sd(day))
    t = gap / spread if spread > 0 else float(np.sign(gap) * np.inf) if gap else 0.0
    return TrendTest(expected, price / expected, t, line.n - 2, two_sided_p(t, line.n - 2))
