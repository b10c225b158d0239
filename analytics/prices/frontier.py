"""Two lines of records: the offers cheaper than every offer before them, and those of the best model of its day."""

from __future__ import annotations

from typing import Any

import numpy as np

from analytics.checks import require


def frontier(days: Any, price: Any) -> np.ndarray:
    """Indices of the offers that set a record, in order of time.

    An offer enters when it is strictly cheaper than every earlier offer; of several on one day only the cheapest can. Prices
    that are zero, negative or missing never enter (their logarithm does not exist). A record stays after the offer is
    withdrawn.

    Parameters: days (n,) day numbers; price (n,) [any one unit]. Returns: int array, strictly falling in price.
    Errors: ValueError where the lengths differ or a day is missing.
    """
    when, cost = _pair(days, price)
    usable = np.flatnonzero(np.isfinite(cost) & (cost > 0))
    order = usable[np.lexsort((cost[usable], when[usable]))]
    if not order.size:
        return order
    sorted_cost = cost[order]
    before = np.concatenate([[np.inf], np.minimum.accumulate(sorted_cost)[:-1]])
    return order[sorted_cost < before]


def record_scores(days: Any, score: Any, price: Any) -> np.ndarray:
    """Indices of the offers of the best model of its day: those that scored higher than everything before, in order of time.

    Of several on one day only the best can enter, of equal ones the cheapest. Offers without a positive price never enter.

    Parameters: days (n,) day numbers; score (n,); price (n,) [any one unit]. Returns: int array, strictly rising in score.
    Errors: ValueError where the lengths differ or a day is missing.
    """
    when, cost = _pair(days, price)
    points = np.asarray(score, dtype=float).ravel()
    if points.shape != when.shape:
        raise ValueError(f"days and scores must be of one length, got {when.size} and {points.size}")
    usable = np.flatnonzero(np.isfinite(cost) & (cost > 0) & np.isfinite(points))
    order = usable[np.lexsort((cost[usable], -points[usable], when[usable]))]
    if not order.size:
        return order
    before = np.concatenate([[-np.inf], np.maximum.accumulate(points[order])[:-1]])
    return order[points[order] > before]


def lowest_in_force(at_days: Any, start_days: Any, end_days: Any, price: Any) -> np.ndarray:
    """Lowest price among the offers in force on each day: it rises when a cheap offer ends.

    Parameters: at_days (m,); start_days, end_days, price (n,), end NaN = still offered. An offer holds from its start to the
    day before its end. Returns: (m,) price, NaN where nothing was on offer.
    """
    start, cost = _pair(start_days, price)
    end = np.asarray(end_days, dtype=float).ravel()
    end = np.where(np.isnan(end), np.inf, end)
    usable = np.isfinite(cost) & (cost > 0)
    start, end, cost = start[usable], end[usable], cost[usable]
    out = np.full(np.size(at_days), np.nan)
    for i, day in enumerate(np.asarray(at_days, dtype=float).ravel()):
        held = cost[(start <= day) & (day < end)]
        if held.size:
            out[i] = held.min()
    return out


def _pair(days: Any, price: Any) -> tuple[np.ndarray, np.ndarray]:
    when, cost = np.asarray(days, dtype=float).ravel(), np.asarray(price, dtype=float).ravel()
    if when.shape != cost.shape:
        raise ValueError(f"days and prices must be of one length, got {when.size} and {cost.size}")
    require(np.isfinite(when), "day", when, "a date")
    return when, cost
