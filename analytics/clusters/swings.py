"""Power swings of synchronous training and what flattening them takes.

All chips compute, then all exchange weights: power follows a rectangular wave between the two levels. A buffer
stores the difference to the mean; dummy work lifts the low level instead; a floor does part of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from analytics.checks import require, require_positive, require_within
from analytics.formula import formula


@formula(
    name="Swing",
    symbol=r"\Delta P",
    unit="MW",
    inputs={"chip_count": ("N", "chips"), "compute_w": ("p_h", "W"), "exchange_w": ("p_l", "W")},
    source="rectangular wave between compute and exchange",
)
def swing_mw(chip_count, compute_w, exchange_w):
    """Height of the swing [MW] of chips that draw compute_w while computing and exchange_w while exchanging."""
    return chip_count * (compute_w - exchange_w) / 1e6


@formula(
    name="Mean power",
    symbol=r"\bar P",
    unit="MW",
    inputs={"chip_count": ("N", "chips"), "compute_w": ("p_h", "W"), "exchange_w": ("p_l", "W"), "duty": ("d", "share")},
    source="rectangular wave between compute and exchange",
)
def mean_power_mw(chip_count, compute_w, exchange_w, duty):
    """Mean power [MW] where a share `duty` of each step computes."""
    return chip_count * (duty * compute_w + (1 - duty) * exchange_w) / 1e6


@formula(
    name="Energy of the buffer",
    symbol="E",
    unit="MJ",
    inputs={"swing_mw": (r"\Delta P", "MW"), "duty": ("d", "share"), "step_s": ("T", "s")},
    source="area of a rectangular wave above its mean",
)
def buffer_energy_mj(swing_mw, duty, step_s):
    """Energy [MJ] a store must take up and give back each step to keep the grid's draw flat."""
    return swing_mw * duty * (1 - duty) * step_s


@formula(
    name="Energy of a ramp",
    symbol="E_{ramp}",
    unit="kWh",
    inputs={"power_mw": ("P", "MW"), "ramp_s": ("t", "s")},
    source="linear ramp: half of power times time",
)
def ramp_energy_kwh(power_mw, ramp_s):
    """Energy [kWh] that lets a load stop at once while the grid sees a linear ramp of `ramp_s` seconds."""
    return power_mw * 1000 * ramp_s / 3600 / 2


@formula(
    name="Store as bought",
    symbol="E_{store}",
    unit="MJ",
    inputs={"energy_mj": ("E", "MJ"), "round_trip": (r"\eta", "1"), "depth": ("d_{use}", "1")},
    source="energy it must move, over its round-trip efficiency and the share of it that may be used",
)
def store_as_bought_mj(energy_mj, round_trip, depth):
    """Energy [MJ] of a store that has to move energy_mj each step."""
    return energy_mj / round_trip / depth


@formula(
    name="Energy of dummy work",
    symbol="E_{dummy}",
    unit="MWh a year",
    inputs={"swing_mw": (r"\Delta P", "MW"), "duty": ("d", "1")},
    source="the low level lifted to the high one, 8,760 h",
)
def dummy_energy_mwh(swing_mw, duty):
    """Energy a year [MWh] of work that keeps every chip at its higher power while weights are exchanged."""
    return swing_mw * (1 - duty) * 8760


@formula(
    name="Ramp",
    symbol=r"\dot P",
    unit="MW/s",
    inputs={"swing_mw": (r"\Delta P", "MW"), "edge_s": ("t_{edge}", "s")},
    source="swing over the time of its edge",
)
def ramp_mw_per_s(swing_mw, edge_s):
    """How fast power changes [MW/s] where the whole swing takes edge_s seconds."""
    return swing_mw / edge_s


@dataclass(frozen=True)
class Flattening:
    """What it takes to hide the swing; arrays of the inputs' broadcast shape."""

    swing_mw: np.ndarray
    mean_mw: np.ndarray
    high_mw: np.ndarray
    low_mw: np.ndarray
    buffer_mj: np.ndarray
    buffer_mw: np.ndarray
    dummy_share: np.ndarray
    dummy_mwh_per_year: np.ndarray
    dummy_usd_per_year: np.ndarray
    floor_swing_mw: np.ndarray
    floor_share: np.ndarray
    floor_mwh_per_year: np.ndarray
    floor_usd_per_year: np.ndarray
    ramp_mw_per_s: np.ndarray


def flattening(
    chip_count: Any,
    compute_w: Any,
    exchange_w: Any,
    duty: Any,
    step_s: Any,
    *,
    edge_s: Any = 0.1,
    floor_w: Any = None,
    usd_per_mwh: Any = 70.0,
    round_trip: Any = 0.9,
    depth: Any = 0.8,
) -> Flattening:
    """The swing of a synchronous run and four ways to hide it.

    Parameters (all broadcast): chip_count; compute_w and exchange_w [W per chip, all-in]; duty [share of a step that
    computes]; step_s [s]; edge_s [s] the load takes from one level to the other; floor_w [W] a power floor between the
    two (None: exchange_w, so none); usd_per_mwh of electricity; round_trip efficiency and usable depth of the store.
    Returns: Flattening; buffer sizes are of the store as bought (divided by efficiency and depth).
    Errors: ValueError for values out of range, exchange above compute, a floor outside the two levels.
    """
    n, high = require_positive("chip_count", chip_count, "chips"), require_positive("compute_w", compute_w, "W")
    low = require_within("exchange_w", exchange_w, 0, 1e5, "W")
    require(high >= low, "exchange_w", low, "no more than compute_w")
    d, t = require_within("duty", duty, 0, 1), require_positive("step_s", step_s, "s")
    floor = low if floor_w is None else np.asarray(floor_w, dtype=float)
    require((floor >= low) & (floor <= high), "floor_w", floor, "between exchange_w and compute_w")
    round_trip, depth = require_within("round_trip", round_trip, 0.1, 1), require_within("depth", depth, 0.05, 1)
    usd = np.asarray(usd_per_mwh, dtype=float)
    require(np.isfinite(usd) & (usd >= 0), "usd_per_mwh", usd, "0 USD/MWh or above")
    edge = require_positive("edge_s", edge_s, "s")
    swing, mean = swing_mw(n, high, low), mean_power_mw(n, high, low, d)
    high_mw, low_mw = n * high / 1e6, n * low / 1e6
    extra_mw = swing * (1 - d)
    energy = dummy_energy_mwh(swing, d)
    floor_energy = dummy_energy_mwh(n * (floor - low) / 1e6, d)
    return Flattening(
        swing_mw=swing,
        mean_mw=mean,
        high_mw=high_mw + 0 * mean,
        low_mw=low_mw + 0 * mean,
        buffer_mj=store_as_bought_mj(buffer_energy_mj(swing, d, t), round_trip, depth),
        buffer_mw=np.maximum(high_mw - mean, mean - low_mw),
        dummy_share=extra_mw / mean,
        dummy_mwh_per_year=energy,
        dummy_usd_per_year=energy * usd,
        floor_swing_mw=n * (high - floor) / 1e6 + 0 * mean,
        floor_share=n * (floor - low) * (1 - d) / 1e6 / mean,
        floor_mwh_per_year=floor_energy + 0 * mean,
        floor_usd_per_year=floor_energy * usd + 0 * mean,
        ramp_mw_per_s=ramp_mw_per_s(swing, edge),
    )


def harmonics(swing: Any, duty: Any, step_s: Any, count: int = 10) -> tuple[np.ndarray, np.ndarray]:
    """Where the swing's energy sits: frequencies and amplitudes of the rectangular wave's Fourier series.

    Parameters: swing [MW], duty [share], step_s [s], scalars; count of harmonics.
    Returns: frequency_hz, amplitude_mw, each (count,). Amplitude of harmonic k is 2 ΔP |sin(π k d)| / (π k).
    """
    k = np.arange(1, count + 1)
    d = require_within("duty", duty, 0, 1)
    return k / require_positive("step_s", step_s, "s"), 2 * float(swing) * np.abs(np.sin(np.pi * k * d)) / (np.pi * k)
