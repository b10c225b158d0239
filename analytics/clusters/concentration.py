"""How concentrated holdings are: the Herfindahl-Hirschman index and the share of the largest."""

from __future__ import annotations

from typing import Any

import numpy as np


def herfindahl(holdings: Any) -> float:
    """Herfindahl-Hirschman index of holdings.

    Parameters: holdings, array (n,) of non-negative amounts [any one unit]. Returns: sum of squared shares, 1/n for n equal
    holdings to 1 for one holder. Errors: ValueError for a negative amount or a total of zero.
    Formula: sum_i (x_i / sum x)^2; Hirschman, The Paternity of an Index, American Economic Review 54 (1964).
    """
    shares = _shares(holdings)
    return float((shares**2).sum())


def largest_share(holdings: Any, count: int = 4) -> float:
    """Share of the total that the `count` largest holdings have together, in 0 to 1; ValueError as for `herfindahl`."""
    if count < 1:
        raise ValueError(f"count must be at least 1, got {count}")
    return float(np.sort(_shares(holdings))[::-1][:count].sum())


def _shares(holdings: Any) -> np.ndarray:
    amounts = np.asarray(holdings, dtype=float).ravel()
    if np.isnan(amounts).any() or (amounts < 0).any():
        worst = amounts[np.isnan(amounts) | (amounts < 0)][0]
        raise ValueError(f"holdings must be non-negative numbers, got {worst:g}")
    if not amounts.sum() > 0:
        raise ValueError("holdings must add up to more than zero")
    return amounts / amounts.sum()
