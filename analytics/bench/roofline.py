"""The formulas of the benchmarks: the time expected of a case, the roofline, and what a time achieved."""

from __future__ import annotations

import numpy as np

from analytics.formula import formula

_WILLIAMS = "Williams, Waterman, Patterson, Roofline (CACM 2009), with a term for the launches"


@formula(
    name="Expected time",
    symbol="t_{exp}",
    unit="µs",
    inputs={
        "bytes_min": ("b", "B"),
        "bandwidth_gb_per_s": ("W", "GB/s"),
        "flops": ("f", "FLOP"),
        "rate_tflop_per_s": ("F", "TFLOP/s"),
        "floor_us": ("t_0", "µs"),
    },
    source=_WILLIAMS,
)
def expected_time_us(bytes_min, bandwidth_gb_per_s, flops, rate_tflop_per_s, floor_us):
    """Time of a case [µs]: the longer of its bytes [B] at a bandwidth [GB/s] and its FLOPs at a rate [TFLOP/s], plus its launches [µs]."""
    return np.maximum(bytes_min / (bandwidth_gb_per_s * 1e3), flops / (rate_tflop_per_s * 1e6)) + floor_us


@formula(
    name="Roofline",
    symbol="F_{max}",
    unit="TFLOP/s",
    inputs={"intensity": ("I", "FLOP/B"), "bandwidth_gb_per_s": ("W", "GB/s"), "rate_tflop_per_s": ("F", "TFLOP/s")},
    source="Williams, Waterman, Patterson, Roofline (CACM 2009)",
)
def roofline_tflop_per_s(intensity, bandwidth_gb_per_s, rate_tflop_per_s):
    """Highest rate [TFLOP/s] at an intensity [FLOP/B], by bandwidth [GB/s] and arithmetic [TFLOP/s]."""
    return np.minimum(intensity * bandwidth_gb_per_s / 1e3, rate_tflop_per_s)


@formula(
    name="Achieved bandwidth",
    symbol="W_{got}",
    unit="GB/s",
    inputs={"bytes_min": ("b", "B"), "median_us": ("t", "µs")},
    source="definition; only the bytes that must move are counted",
)
def achieved_gb_per_s(bytes_min, median_us):
    """Bandwidth [GB/s] that a median time [µs] means for the bytes that must move [B]."""
    return bytes_min / (median_us * 1e3)


@formula(
    name="Measured over expected",
    symbol="r",
    unit="×",
    inputs={"median_us": ("t", "µs"), "pred_us": ("t_{exp}", "µs")},
    source="definition",
)
def measured_over_expected(median_us, pred_us):
    """How many times the expected time [µs] the measured median [µs] is."""
    return median_us / pred_us
