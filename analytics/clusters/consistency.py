"""Do a cluster's own figures fit each other? Implied watts and dollars, what others of the chip show, and outliers in words.

Only figures that were reported or measured take part: a value derived from another (capex = MW × 37.9) would
confirm itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from analytics.clusters.money import capital_per_chip_usd
from analytics.clusters.power import power_per_chip_w
from analytics.formula import formula

PEERS = 4  # fewer other clusters than these say nothing of what is usual for a chip
APART = 1.1  # a figure is questioned from a tenth outside of what the others show: sources round


@dataclass(frozen=True)
class Ratio:
    """A ratio of two figures of one cluster: words, the range it is questioned outside of, and how it is written."""

    label: str
    low: float
    high: float
    unit: str
    write: Callable[[float], str]

    def written(self, value: float) -> str:
        """A value with its unit: "3,400 W a chip", "$90M per MW of IT"."""
        return f"{self.write(value)} {self.unit}"


def _plain(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _dollars(value: float) -> str:
    return f"${value / 1e6:,.3g}M" if value >= 1e6 else f"${value:,.0f}"


# Ranges outside which a figure is questioned. Reading rules of this product, wide on purpose: from a bare inference card
# to a rack-scale chip with network; from servers alone to whole sites; site power may exceed IT power by a peak PUE of 1.6.
RATIOS: dict[str, Ratio] = {
    "power_per_chip_w": Ratio("IT power a chip", 300.0, 3000.0, "W a chip", _plain),
    "site_power_per_chip_w": Ratio("Site power a chip", 300.0, 4800.0, "W a chip at the site", _plain),
    "power_over_rated": Ratio("IT power over rated chip power", 1.0, 3.0, "× the chips' rated power", _plain),
    "capex_per_chip_usd": Ratio("Capital a chip", 10_000.0, 120_000.0, "a chip", _dollars),
    "capex_per_mw_usd": Ratio("Capital per MW of IT", 20e6, 70e6, "per MW of IT", _dollars),
    "pue": Ratio("Site over IT power", 1.0, 1.6, "× PUE", _plain),
    "h100e_per_chip": Ratio("H100e a chip", 0.05, 8.0, "H100e a chip", _plain),
}


@formula(
    name="IT power over rated chip power",
    symbol="o",
    unit="1",
    inputs={"it_power_mw": ("P_{IT}", "MW"), "chip_count": ("N", "chips"), "rated_w": ("P_{chip}", "W")},
    source="definition",
)
def power_over_rated(it_power_mw, chip_count, rated_w):
    """IT power of a cluster [MW] over the rated power of its chips alone [W]; under 1 the chips would draw more than there is."""
    return it_power_mw * 1e6 / (chip_count * rated_w)


@dataclass(frozen=True)
class Implied:
    """Figures that a row's own values imply; NaN where it lacks what they need."""

    power_per_chip_w: np.ndarray
    site_power_per_chip_w: np.ndarray
    power_over_rated: np.ndarray
    capex_per_chip_usd: np.ndarray
    capex_per_mw_usd: np.ndarray
    pue: np.ndarray
    h100e_per_chip: np.ndarray

    def outliers(self, index: int) -> list[str]:
        """What is odd about one row, as sentences."""
        found = (question(name, float(getattr(self, name)[index])) for name in RATIOS)
        return [sentence for sentence in found if sentence]


def implied(
    chip_count: Any,
    power_mw: Any,
    site_power_mw: Any,
    capex_usd: Any,
    h100e: Any,
    *,
    rated_w: Any = np.nan,
    derived: dict[str, Any] | None = None,
) -> Implied:
    """What each row's own figures imply.

    Parameters: arrays (n,), NaN where a source gave none; rated_w of the row's chip [W]; derived, name of one of the
    figures to bool array (n,): True where that value was computed from others, so it is left out. Returns: Implied, arrays
    (n,); site power a chip stands only where a row gives no IT power of its own.
    """
    values = {"chip_count": chip_count, "power_mw": power_mw, "site_power_mw": site_power_mw, "capex_usd": capex_usd, "h100e": h100e}
    own = {}
    for name, value in values.items():
        array = np.atleast_1d(np.asarray(value, dtype=float)).copy()
        array[~(array > 0)] = np.nan
        if derived and name in derived:
            array[np.atleast_1d(derived[name]).astype(bool)] = np.nan
        own[name] = array
    site_alone = np.where(np.isnan(own["power_mw"]), own["site_power_mw"], np.nan)
    return Implied(
        power_per_chip_w(own["power_mw"], own["chip_count"]),
        power_per_chip_w(site_alone, own["chip_count"]),
        power_over_rated(own["power_mw"], own["chip_count"], np.asarray(rated_w, dtype=float)),
        capital_per_chip_usd(own["capex_usd"], own["chip_count"]),
        own["capex_usd"] / own["power_mw"],
        own["site_power_mw"] / own["power_mw"],
        own["h100e"] / own["chip_count"],
    )


def question(name: str, value: float, others: int = 0, least: float = np.nan, most: float = np.nan, chip: str = "") -> str:
    """What is odd about one implied figure, as a sentence; "" where nothing is.

    Parameters: name in RATIOS; value, NaN for none; others, how many other clusters of the chip show the figure, with the least and the
    most of them; chip, its name. A figure is questioned outside its usual range, or more than a tenth outside of what at least four
    others show.
    """
    ratio = RATIOS[name]
    if np.isnan(value):
        return ""
    enough = others >= PEERS
    low, high = (least, most) if enough else (ratio.low, ratio.high)
    unusual = not ratio.low <= value <= ratio.high
    apart = enough and not low / APART <= value <= high * APART
    if not unusual and not apart:
        return ""
    said = f"implies {ratio.written(value)}"
    if unusual:
        side = "under" if value < ratio.low else "over"
        said += f": {side} the usual {ratio.write(ratio.low)} to {ratio.write(ratio.high)}"
    if enough:
        said += f"; {others} other clusters of {chip or 'this chip'} lie between {ratio.write(low)} and {ratio.write(high)}"
    return said
