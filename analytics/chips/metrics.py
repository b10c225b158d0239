"""What a rule measures on a chip: processing performance, density, links, and the units analysts count chips in.

TFLOPS and TOPS are dense and count two operations per multiply-add; GB/s is 1e9 bytes per second. A value that is not
known is NaN and stays NaN: nothing here fills a gap.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from analytics.formula import formula

# Rate column -> bit length of the widest multiply input. TF32 is left out on purpose: its input is 19 bits wide, vendors
# print it at the 16-bit rate, and counted as 32 it would raise chips above every published figure.
PRECISION_BITS: dict[str, int] = {
    "fp64_tflops": 64,
    "fp32_tflops": 32,
    "bf16_tflops_dense": 16,
    "fp16_tflops_dense": 16,
    "fp8_tflops_dense": 8,
    "int8_tops_dense": 8,
    "fp6_tflops_dense": 6,
    "fp4_tflops_dense": 4,
}
PRECISION_NAMES = {name: name.split("_")[0].upper() for name in PRECISION_BITS}
TPP_SOURCE = "15 CFR part 774, supplement 1, ECCN 3A090, technical notes"


@formula(
    name="Total processing performance",
    symbol=r"\mathrm{TPP}",
    unit="",
    inputs={"dense_tops": ("R", "TOPS"), "bit_length": ("b", "bit")},
    source=TPP_SOURCE,
)
def processing_performance(dense_tops: Any, bit_length: Any) -> Any:
    """Processing performance at one precision: dense rate [1e12 operations/s] times bit length [bit] of the widest multiply input."""
    return dense_tops * bit_length


@formula(
    name="Performance density",
    symbol=r"\mathrm{PD}",
    unit="per mm²",
    inputs={"tpp": (r"\mathrm{TPP}", ""), "applicable_die_area_mm2": ("A", "mm²")},
    source=TPP_SOURCE,
)
def performance_density(tpp: Any, applicable_die_area_mm2: Any) -> Any:
    """TPP per mm² of applicable die area: every logic die made on a non-planar node, I/O dies included, memory left out."""
    return tpp / applicable_die_area_mm2


@formula(
    name="Aggregate I/O bandwidth, both directions",
    symbol=r"B_{\mathrm{io}}",
    unit="GB/s",
    inputs={
        "scale_up_bidirectional_gb_per_s": (r"B_{\mathrm{link}}", "GB/s"),
        "pcie_bidirectional_gb_per_s": (r"B_{\mathrm{pcie}}", "GB/s"),
    },
    source="87 FR 62186 (2022-10-13), ECCN 3A090: all inputs and outputs other than volatile memory",
)
def io_bandwidth(scale_up_bidirectional_gb_per_s: Any, pcie_bidirectional_gb_per_s: Any) -> Any:
    """Two-way transfer rate over all inputs and outputs but memory [GB/s]: scale-up link plus PCIe, each with both directions summed."""
    return scale_up_bidirectional_gb_per_s + pcie_bidirectional_gb_per_s


@formula(
    name="Memory bandwidth density",
    symbol=r"D_{\mathrm{mem}}",
    unit="GB/s per mm²",
    inputs={"stack_bandwidth_gb_per_s": ("B", "GB/s"), "stack_area_mm2": ("A", "mm²")},
    source="89 FR 96790 (2024-12-05), ECCN 3A090.c",
)
def memory_bandwidth_density(stack_bandwidth_gb_per_s: Any, stack_area_mm2: Any) -> Any:
    """Bandwidth of a memory stack or package over its footprint [GB/s per mm²]; a property of the memory part, not of the accelerator."""
    return stack_bandwidth_gb_per_s / stack_area_mm2


@formula(
    name="H100 equivalents",
    symbol=r"N_{\mathrm{H100e}}",
    unit="H100e",
    inputs={"chips": ("N", "chips"), "chip_rate": ("r", ""), "h100_rate": (r"r_{\mathrm{H100}}", "")},
    source="ratio of one stated rate; the basis must be named beside the result",
)
def h100_equivalents(chips: Any, chip_rate: Any, h100_rate: Any) -> Any:
    """Chips counted as H100s on one basis: the same rate (dense 16-bit, dense 8-bit, or memory bandwidth) of both chips."""
    return chips * chip_rate / h100_rate


@formula(
    name="Peak rate of a cluster",
    symbol=r"F",
    unit="FLOP/s",
    inputs={"chips": ("N", "chips"), "dense_tflops": ("R", "TFLOP/s")},
    source="sum of dense peak rates; no utilisation is taken off",
)
def cluster_flop_per_s(chips: Any, dense_tflops: Any) -> Any:
    """Theoretical maximum of a cluster [FLOP/s] from its chip count and one chip's dense rate [TFLOP/s]."""
    return chips * dense_tflops * 1e12


def performance_by_precision(rates: Mapping[str, Any]) -> dict[str, Any]:
    """Processing performance at every precision with a rate.

    Parameters: rates, precision column (see PRECISION_BITS) to dense rate [TOPS or TFLOPS], arrays broadcast, NaN unknown.
    Returns: the same names to rate x bits. Errors: ValueError for a negative rate; other columns are ignored.
    """
    result = {}
    for name, bits in PRECISION_BITS.items():
        if name not in rates:
            continue
        rate = np.asarray(rates[name], dtype=float)
        if np.any(rate < 0):
            raise ValueError(f"{name} must not be negative, got {float(np.nanmin(rate)):g}")
        result[name] = processing_performance(rate, bits)
    return result


def total_processing_performance(rates: Mapping[str, Any]) -> Any:
    """TPP of a package: the largest rate x bit length over all precisions but TF32.

    Parameters: rates as for `performance_by_precision`. Returns: TPP, NaN where no rate is known; a float for scalars.
    """
    by_precision = list(performance_by_precision(rates).values())
    if not by_precision:
        return np.nan
    result = by_precision[0]
    for other in by_precision[1:]:
        result = np.fmax(result, other)
    return result[()] if isinstance(result, np.ndarray) else result


def leading_precision(rates: Mapping[str, Any]) -> str:
    """The precision column that sets one chip's TPP, ties going to the wider; "" where no rate is known."""
    known = {name: float(value) for name, value in performance_by_precision(rates).items() if not np.isnan(value)}
    return max(known, key=lambda name: known[name]) if known else ""


def sparse_suspects(rates: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Where a dense rate looks like a figure with sparsity: at least 1.9 times the median of its 8- and 16-bit neighbours.

    On nearly every chip rate x bits is equal from 16 to 8 bits, so a value with 2:4 sparsity stands out by two. Some
    real designs stand out too (Gaudi 3 runs BF16 at its FP8 rate): the answer is a question to ask, not an error.

    Parameters: rates, as for `total_processing_performance`, arrays of one length or scalars. Returns: precision column
    to a boolean array, True where suspected; precisions without a suspect are left out.
    """
    narrow = {n: np.atleast_1d(v) for n, v in performance_by_precision(rates).items() if PRECISION_BITS[n] <= 16}
    narrow = {name: np.where(value > 0, value, np.nan) for name, value in narrow.items()}
    suspects = {}
    for name, value in narrow.items():
        others = [other for n, other in narrow.items() if n != name and PRECISION_BITS[n] in (8, 16)]
        if not others:
            continue
        level = np.ma.median(np.ma.masked_invalid(np.stack(np.broadcast_arrays(*others))), axis=0).filled(np.nan)
        found = np.nan_to_num(value / level) >= 1.9
        if found.any():
            suspects[name] = found
    return suspects
