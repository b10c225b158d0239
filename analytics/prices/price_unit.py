"""Prices given per token or per thousand where per million is meant: the likely unit."""

from __future__ import annotations

from typing import Any

import numpy as np

# Token prices sold since 2020 lie between a small open model at a cut-price host ($0.0075 a million, August 2025) and a
# research model by call ($600 a million, o1-pro, March 2025); one factor of two beyond each end is still believable.
LOWEST_USD_PER_MTOK = 0.00375
HIGHEST_USD_PER_MTOK = 1200.0
TOKENS_PER_UNIT = {"per million tokens": 1e6, "per thousand tokens": 1e3, "per token": 1.0}


def likely_units(prices_usd: Any) -> list[str]:
    """Which units make a column of positive prices believable, most likely first.

    Parameters: prices_usd (n,) in one unknown unit; zeros and NaN are ignored.
    Returns: names from TOKENS_PER_UNIT for which every price falls between the lowest and highest ever sold, ordered by
    how near the median then lies to the middle (in logarithms) of that range; [] where none fits or no price is positive.
    """
    prices = np.asarray(prices_usd, dtype=float).ravel()
    prices = prices[np.isfinite(prices) & (prices > 0)]
    if not prices.size:
        return []
    middle = np.log10(LOWEST_USD_PER_MTOK * HIGHEST_USD_PER_MTOK) / 2
    fits: list[tuple[float, str]] = []
    for unit, tokens in TOKENS_PER_UNIT.items():
        per_mtok = prices * (1e6 / tokens)
        if per_mtok.min() >= LOWEST_USD_PER_MTOK and per_mtok.max() <= HIGHEST_USD_PER_MTOK:
            fits.append((abs(float(np.median(np.log10(per_mtok))) - middle), unit))
    return [unit for _, unit in sorted(fits)]


def unit_warning(prices_usd: Any) -> str:
    """A sentence naming the likely unit where prices cannot be per million tokens; "" where they can.

    Parameters: prices_usd (n,) as typed.
    """
    units = likely_units(prices_usd)
    prices = np.asarray(prices_usd, dtype=float).ravel()
    prices = prices[np.isfinite(prices) & (prices > 0)]
    if not prices.size or "per million tokens" in units:
        return ""
    shown = f"{float(np.median(prices)):g}"
    if not units:
        lowest, highest = LOWEST_USD_PER_MTOK, HIGHEST_USD_PER_MTOK
        return f"prices around {shown} fit no unit: a million tokens sold for {lowest:g} to {highest:g} dollars so far"
    factor = 1e6 / TOKENS_PER_UNIT[units[0]]
    return (
        f"prices around {shown} look like dollars {units[0]}; per million tokens they would be around {float(np.median(prices)) * factor:g}"
    )
