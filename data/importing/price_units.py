"""Prices of an upload that cannot be per million tokens: a sentence a column, with the likely unit."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analytics.prices.price_unit import HIGHEST_USD_PER_MTOK, LOWEST_USD_PER_MTOK, likely_units, unit_warning

COLUMNS = ("input_usd_per_mtok", "cached_input_usd_per_mtok", "output_usd_per_mtok")


def misread(frame: pd.DataFrame) -> list[str]:
    """Return a sentence for each price column of the rows put that looks like another unit than dollars a million tokens.

    Where only some rows lie outside what tokens ever cost, or all together fit no unit, those are judged by themselves.
    """
    said = []
    for column in COLUMNS:
        if column not in frame:
            continue
        prices = frame[column].to_numpy(dtype=float)
        prices = prices[np.isfinite(prices) & (prices > 0)]
        odd = prices[(prices < LOWEST_USD_PER_MTOK) | (prices > HIGHEST_USD_PER_MTOK)]
        few = 0 < odd.size < prices.size / 2 or (odd.size < prices.size and not likely_units(prices))
        warning = unit_warning(odd if few else prices)
        if warning:
            where = f'column "{column}", {odd.size} of {prices.size} rows' if few else f'column "{column}"'
            said.append(f'{where}: {warning}; give the header its unit ("USD per token") and upload again')
    return said
