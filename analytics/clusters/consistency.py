"""Do a cluster's own figures fit each other? Implied watts and dollars, and outliers in words.

Only figures that were reported or measured take part: a value derived from another (capex = MW × 37.9) would
confirm itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from analytics.clusters.money import capital_per_chip_usd
from analytics.clusters.power import power_per_chip_w

# Ranges outside which a figure is questioned: quantity -> (low, high, unit). Reading rules of this product, wide on
# purpose: from a bare inference card to a rack-scale chip with network; from servers alone to whole sites.
RANGES = {
    "power_per_chip_w": (300.0, 3000.0, "W a chip"),
    "capex_per_chip_usd": (10_000.0, 120_000.0, "USD a chip"),
    "capex_per_mw_usd": (20e6, 70e6, "USD per MW of IT"),
    "pue": (1.0, 1.6, "× PUE"),
    "h100e_per_chip": (0.05, 8.0, "H100e a chip"),
}


@dataclass(frozen=True)
class Implied:
    """Figures that a row's own values imply; NaN where it lacks what they need."""

    power_per_chip_w: np.ndarray
    capex_per_chip_usd: np.ndarray
    capex_per_mw_usd: np.ndarray
    pue: np.ndarray
    h100e_per_chip: np.ndarray

    def outliers(self, index: int) -> list[str]:
        """What is odd about one row, as sentences."""
        found = []
        for name, (low, high, unit) in RANGES.items():
            value = float(getattr(self, name)[index])
            if not np.isnan(value) and not low <= value <= high:
                found.append(
                    f"implies {_written(value)} {unit}: {'under' if value < low else 'over'} the usual {_written(low)} to {_written(high)}"
                )
        return found


def implied(
    chip_count: Any, power_mw: Any, site_power_mw: Any, capex_usd: Any, h100e: Any, *, derived: dict[str, Any] | None = None
) -> Implied:
    """What each row's own figures imply.

    Parameters: arrays (n,), NaN where a source gave none; derived, name of one of them to bool array (n,): True where
    that value was computed from others, so it is left out. Returns: Implied, arrays (n,).
    """
    values = {"chip_count": chip_count, "power_mw": power_mw, "site_power_mw": site_power_mw, "capex_usd": capex_usd, "h100e": h100e}
    own = {}
    for name, value in values.items():
        array = np.atleast_1d(np.asarray(value, dtype=float)).copy()
        array[~(array > 0)] = np.nan
        if derived and name in derived:
            array[np.atleast_1d(derived[name]).astype(bool)] = np.nan
        own[name] = array
    return Implied(
        power_per_chip_w(own["power_mw"], own["chip_count"]),
        capital_per_chip_usd(own["capex_usd"], own["chip_count"]),
        own["capex_usd"] / own["power_mw"],
        own["site_power_mw"] / own["power_mw"],
        own["h100e"] / own["chip_count"],
    )


def _written(value: float) -> str:
    if value >= 1e6:
        return f"{value / 1e6:,.0f}M"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
