"""Rates of fall: fold per year, halving time, and the price a steady rate predicts."""

from __future__ import annotations

from typing import Any

import numpy as np

from analytics.checks import require_positive
from analytics.formula import formula

DAYS_PER_YEAR = 365.25


@formula(
    name="Halving time",
    symbol="T_{1/2}",
    unit="months",
    inputs={"fold_per_year": ("F", "")},
    source="P(t) = P_0 F^{-t} set to half; 12 months a year",
)
def halving_months(fold_per_year):
    """Months in which a price falling F-fold a year halves; infinite at F = 1, negative where prices rise."""
    return 12 * np.log(2) / np.log(fold_per_year)


@formula(
    name="Fall per year between two prices",
    symbol="F",
    unit="",
    inputs={"total_fold": ("P_0/P_n", ""), "years": ("t", "years")},
    source="geometric mean of the yearly fall between the end points",
)
def endpoint_fold_per_year(total_fold, years):
    """Fold per year of a total fall over some years."""
    return total_fold ** (1 / years)


@formula(
    name="Price on a steady trend",
    symbol="P",
    unit="USD/Mtok",
    inputs={
        "start_usd_per_mtok": ("P_0", "USD/Mtok"),
        "fold_per_year": ("F", ""),
        "years": ("t", "years"),
    },
    source="P(t) = P_0 F^{-t}",
)
def trend_usd_per_mtok(start_usd_per_mtok, fold_per_year, years):
    """Price after t years of falling F-fold a year [USD/Mtok]."""
    return start_usd_per_mtok / fold_per_year**years


def years_between(first_day: Any, last_day: Any) -> np.ndarray:
    """Years of 365.25 days from one day number to another."""
    return (np.asarray(last_day, dtype=float) - np.asarray(first_day, dtype=float)) / DAYS_PER_YEAR


def endpoint_rate(days: Any, price: Any) -> float:
    """Fold per year from the first to the last point of a frontier (ordered by day); NaN where both fall on one day.

    Parameters: days (n,), price (n,) positive. Errors: ValueError for fewer than two points or a price of 0 or less.
    """
    when, cost = np.asarray(days, dtype=float).ravel(), np.asarray(price, dtype=float).ravel()
    if when.size < 2:
        raise ValueError(f"a rate needs two points or more, got {when.size}")
    require_positive("price", cost)
    years = float(years_between(when[0], when[-1]))
    return float(endpoint_fold_per_year(cost[0] / cost[-1], years)) if years > 0 else float("nan")
