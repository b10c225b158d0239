"""A line through the logarithm of prices over time: how fast a price falls, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from analytics.checks import require_positive
from analytics.prices.rates import DAYS_PER_YEAR
from analytics.prices.student_t import critical_value

MINIMUM_POINTS = 4


@dataclass(frozen=True)
class LogLinearFit:
    """log10 P = intercept + slope t, t in years since origin_day.

    slope [log10 per year]; residual_sd [log10]; mean_years and sum_squares of t describe where the points lie.
    """

    origin_day: float
    intercept: float
    slope: float
    n: int
    r_squared: float
    residual_sd: float
    mean_years: float
    sum_squares: float

    @property
    def fold_per_year(self) -> float:
        """How many times cheaper a year makes it: 10 ** -slope."""
        return float(10.0**-self.slope)

    @property
    def halving_months(self) -> float:
        """Months in which the price halves; infinite where it does not move."""
        return float("inf") if self.slope == 0 else float(-12 * np.log10(2) / self.slope)

    def fold_interval(self, level: float = 0.9) -> tuple[float, float]:
        """Confidence interval of the fold per year; (NaN, NaN) for fewer than three points."""
        if self.n < 3:
            return float("nan"), float("nan")
        reach = critical_value(level, self.n - 2) * self.residual_sd / np.sqrt(self.sum_squares)
        return float(10.0 ** (-self.slope - reach)), float(10.0 ** (-self.slope + reach))

    def price(self, days: Any) -> np.ndarray:
        """Price on the line [unit of the fitted prices] at day numbers of any shape."""
        return np.asarray(10.0 ** (self.intercept + self.slope * self._years(days)))

    def prediction_sd(self, days: Any) -> np.ndarray:
        """Standard deviation of a new point about the line [log10]."""
        gap = self._years(days) - self.mean_years
        return np.asarray(self.residual_sd * np.sqrt(1 + 1 / self.n + gap**2 / self.sum_squares))

    def band(self, days: Any, level: float = 0.9) -> tuple[np.ndarray, np.ndarray]:
        """Prediction interval for a new point: (low, high) prices; NaN for fewer than three points."""
        middle = np.log10(self.price(days))
        if self.n < 3:
            return np.full_like(middle, np.nan), np.full_like(middle, np.nan)
        reach = critical_value(level, self.n - 2) * self.prediction_sd(days)
        return 10.0 ** (middle - reach), 10.0 ** (middle + reach)

    def _years(self, days: Any) -> np.ndarray:
        return (np.asarray(days, dtype=float) - self.origin_day) / DAYS_PER_YEAR


def fit_log_linear(days: Any, price: Any) -> LogLinearFit:
    """Ordinary least squares of log10 price on time.

    Parameters: days (n,) day numbers, two different ones at least; price (n,) positive. Returns: LogLinearFit.
    Errors: ValueError.
    Published use: Epoch AI, "LLM inference prices have fallen rapidly but unequally across tasks" (12 March 2025). The intervals
    assume independent errors; records are chosen for being low, so they describe the scatter rather than promise a coverage.
    """
    origin, years, logs = _coordinates(days, price)
    mean_years = float(years.mean())
    sum_squares = float(((years - mean_years) ** 2).sum())
    cross = float(((years - mean_years) * (logs - logs.mean())).sum())
    total = float(((logs - logs.mean()) ** 2).sum())
    slope = cross / sum_squares
    intercept = float(logs.mean() - slope * mean_years)
    left = float(((logs - intercept - slope * years) ** 2).sum())
    n = years.size
    return LogLinearFit(
        origin_day=origin,
        intercept=intercept,
        slope=slope,
        n=n,
        r_squared=1.0 if total == 0 else max(0.0, 1 - left / total),
        residual_sd=float(np.sqrt(left / (n - 2))) if n > 2 else float("nan"),
        mean_years=mean_years,
        sum_squares=sum_squares,
    )


@dataclass(frozen=True)
class ErrorsInVariables:
    """Fold per year under three beliefs about where the scatter comes from."""

    ols: float
    reduced_major_axis: float
    inverse_ols: float


def errors_in_variables(days: Any, price: Any) -> ErrorsInVariables:
    """Fold per year with all scatter in the price (OLS), shared in proportion to spread, or all in the date (inverse OLS).

    Parameters: as for fit_log_linear. Returns: ErrorsInVariables; NaN where price and date are uncorrelated.
    The middle line is the reduced major axis, Deming's line for an error ratio equal to the ratio of variances
    (W. A. Fuller, Measurement Error Models, 1987, section 1.3): slope = sign(s_xy) sqrt(s_yy / s_xx).
    """
    _, years, logs = _coordinates(days, price)
    x, y = years - years.mean(), logs - logs.mean()
    sxx, syy, sxy = float(x @ x), float(y @ y), float(x @ y)
    inverse = syy / sxy if sxy else float("nan")
    axis = float(np.sign(sxy) * np.sqrt(syy / sxx)) if sxy else float("nan")
    return ErrorsInVariables(ols=_fold(sxy / sxx), reduced_major_axis=_fold(axis), inverse_ols=_fold(inverse))


def deming_fold_per_year(days: Any, price: Any, error_ratio: float) -> float:
    """Fold per year of Deming's line, given the ratio of error variances of log10 price and of years (above 0).

    slope = (s_yy - d s_xx + sqrt((s_yy - d s_xx)^2 + 4 d s_xy^2)) / (2 s_xy); Fuller 1987, equation 1.3.7.
    """
    require_positive("error ratio", error_ratio)
    _, years, logs = _coordinates(days, price)
    x, y = years - years.mean(), logs - logs.mean()
    sxx, syy, sxy = float(x @ x), float(y @ y), float(x @ y)
    if not sxy:
        return float("nan")
    gap = syy - error_ratio * sxx
    return _fold((gap + float(np.hypot(gap, 2 * np.sqrt(error_ratio) * sxy))) / (2 * sxy))


def why_no_rate(n: int) -> str:
    """Why a frontier of n points gets no rate; "" where it gets one."""
    if n >= MINIMUM_POINTS:
        return ""
    points = {0: "No offer reaches this level", 1: "Only one price record reaches this level"}.get(
        n, f"Only {n} price records reach this level"
    )
    return f"{points}; a rate needs {MINIMUM_POINTS}."


def _fold(slope: float) -> float:
    with np.errstate(over="ignore"):
        return float(np.float64(10.0) ** -slope)


def _coordinates(days: Any, price: Any) -> tuple[float, np.ndarray, np.ndarray]:
    when, cost = np.asarray(days, dtype=float).ravel(), np.asarray(price, dtype=float).ravel()
    if when.shape != cost.shape:
        raise ValueError(f"days and prices must be of one length, got {when.size} and {cost.size}")
    if np.unique(when).size < 2:
        raise ValueError(f"a line needs points on two different days, got {np.unique(when).size}")
    require_positive("price", cost)
    return float(when.min()), (when - when.min()) / DAYS_PER_YEAR, np.log10(cost)
