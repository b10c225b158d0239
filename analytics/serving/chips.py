"""What the serving model needs to know of a chip: peak rates, memory, links, and whose kernel measurements stand in for its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from analytics.serving.precision import MATH

#: Chips that share a design with one whose kernels are measured, by the start of the chip id; the longest match counts.
#: Parts of other vendors take the measured chip of the same memory generation: an assumption, and marked as one.
RELATIVES = {
    "h20": "h200-sxm",
    "h800": "h100-sxm",
    "h100": "h100-sxm",
    "gh200": "h200-sxm",
    "h200": "h200-sxm",
    "a100": "a100-sxm-80",
    "a800": "a100-sxm-80",
    "a30": "a100-sxm-80",
    "a10": "l40s",
    "a40": "l40s",
    "v100": "a100-sxm-80",
    "p100": "a100-sxm-80",
    "t4": "l40s",
    "l4": "l40s",
    "l2": "l40s",
    "rtx": "l40s",
    "b100": "b200",
    "b30a": "b200",
    "b300": "gb300",
    "gb300": "gb300",
    "vr200": "gb300",
    "rubin": "gb300",
    "mi355": "b200",
    "mi350": "b200",
    "mi455": "gb300",
    "mi2": "a100-sxm-80",
    "mi1": "a100-sxm-80",
    "mi3": "h200-sxm",
    "tpu-v7": "b200",
    "trainium3": "b200",
}
DEFAULT_RELATIVE = "h100-sxm"
#: Rates the fractions of each measured chip are relative to: memory [B/s] and dense peaks [FLOP/s] of its row in the chips table.
REFERENCE_RATES: dict[str, tuple[float, dict[str, float]]] = {
    "a100-sxm-80": (2.039e12, {"bf16": 312e12, "int8": 624e12}),
    "h100-sxm": (3.352e12, {"bf16": 989.4e12, "fp8": 1979e12, "int8": 1979e12}),
    "h200-sxm": (4.8e12, {"bf16": 989.4e12, "fp8": 1979e12, "int8": 1979e12}),
    "b200": (7.7e12, {"bf16": 2250e12, "fp8": 4500e12, "fp4": 9000e12, "int8": 4500e12}),
    "gb200": (8.0e12, {"bf16": 2500e12, "fp8": 5000e12, "fp4": 10000e12, "int8": 5000e12}),
    "gb300": (8.0e12, {"bf16": 2500e12, "fp8": 5000e12, "fp4": 15000e12, "int8": 165e12}),
    "l40s": (0.864e12, {"bf16": 362.05e12, "fp8": 733e12, "int8": 733e12}),
}
#: Best 16-bit matrix product of a chip over its dense peak, where none of its kernels are measured here, and of the chips that stand in
#: (MAMF table of stas00/ml-engineering): the relative's compute efficiency is scaled by the ratio.
BEST_PRODUCT = {"mi300x": 668.4 / 1307.4, "mi325x": 784.9 / 1307.4, "mi355x": 1565 / 2516.6, "gaudi2": 418.7 / 432, "gaudi3": 1243 / 1678}
BEST_PRODUCT_OF_RELATIVE = {"h200-sxm": 794.5 / 989.4, "h100-sxm": 794.5 / 989.4, "b200": 1745 / 2250}


@dataclass(frozen=True)
class Chip:
    """One chip: dense peaks [FLOP/s] by math format, memory [B, B/s], links per direction [B/s], chips in one fast domain."""

    chip_id: str
    vendor: str
    peak_flops: Mapping[str, float]
    memory_bytes: float
    memory_bandwidth: float
    scale_up: float
    scale_out: float
    domain: int = 8  #: chips joined by the fast link (72 in an NVL72 rack)
    name: str = ""  #: what sentences call it; the id where there is none
    assumed: tuple[str, ...] = ()  #: what was filled in because the data has no figure

    def __post_init__(self) -> None:
        for name in ("memory_bytes", "memory_bandwidth", "scale_up", "scale_out"):
            if not getattr(self, name) > 0:
                raise ValueError(f"chip {self.chip_id!r}: {name} must be above 0, got {getattr(self, name)!r}")
        if not self.peak_flops.get("bf16", 0) > 0:
            raise ValueError(f"chip {self.chip_id!r}: a 16-bit peak rate is needed to model serving and none is known")

    def __hash__(self) -> int:
        return hash((self.chip_id, self.memory_bytes, self.memory_bandwidth))

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Chip:
        """A chip from a row of the chips table (columns as in data/sources/chips.csv); raises ValueError on missing essentials."""

        def number(column: str) -> float:
            try:
                value = float(row.get(column) or "nan")
            except (TypeError, ValueError):
                return 0.0
            return value if value == value else 0.0

        chip_id = str(row.get("chip_id"))
        bf16 = number("bf16_tflops_dense") or number("fp16_tflops_dense")
        peaks = {"bf16": bf16, "fp8": number("fp8_tflops_dense"), "fp4": number("fp4_tflops_dense"), "int8": number("int8_tops_dense")}
        missing = [name for name in ("memory_gb", "memory_bandwidth_gb_per_s") if not number(name)]
        if missing or not bf16:
            raise ValueError(
                f"chip {chip_id!r} cannot be modelled: no {' and no '.join(missing + ([] if bf16 else ['16-bit peak rate']))} on record"
            )
        assumed = []
        scale_up = number("scale_up_bidirectional_gb_per_s") or number("pcie_bidirectional_gb_per_s")
        if not scale_up:
            scale_up = 64.0
            assumed.append("scale-up link: PCIe 4.0 x16, 64 GB/s both ways")
        scale_out = number("scale_out_gbit_per_s")
        if not scale_out:
            scale_out = 400.0
            assumed.append("scale-out link: 400 Gbit/s per chip")
        rack = chip_id.startswith(("gb200", "gb300", "vr200"))
        return cls(
            chip_id=chip_id,
            vendor=str(row.get("vendor") or ""),
            peak_flops={name: value * 1e12 for name, value in peaks.items() if value},
            memory_bytes=number("memory_gb") * 1e9,
            memory_bandwidth=number("memory_bandwidth_gb_per_s") * 1e9,
            scale_up=scale_up * 1e9 / 2,
            scale_out=scale_out * 1e9 / 8,
            domain=72 if rack else 8,
            name=str(row.get("name") or ""),
            assumed=tuple(assumed),
        )

    def math_of(self, weights: str) -> str:
        """Math format a matrix product with these weights runs in: the chip's own low-precision units, else 16 bits."""
        wanted = MATH[weights]
        if weights == "mxfp4" and "fp4" not in self.peak_flops:  # weight-only kernels before Blackwell
            return "bf16"
        return wanted if wanted in self.peak_flops else "bf16"

    def peak(self, weights: str) -> float:
        """Dense peak [FLOP/s] of a matrix product with weights of this format."""
        return self.peak_flops[self.math_of(weights)]

    @property
    def product_scale(self) -> float:
        """Compute efficiency of matrix products relative to the chip whose kernels stand in; 1 where nothing better is known."""
        known = BEST_PRODUCT.get(self.chip_id)
        return known / BEST_PRODUCT_OF_RELATIVE.get(self.relative, known) if known else 1.0

    @property
    def relative(self) -> str:
        """Chip whose kernel measurements stand in when there are none for this one."""
        matches = [prefix for prefix in RELATIVES if self.chip_id.startswith(prefix)]
        return RELATIVES[max(matches, key=len)] if matches else DEFAULT_RELATIVE


def counted(count: float) -> str:
    """A number of chips in words: "1 chip", "8 chips"."""
    return f"{count:g} chip{'' if count == 1 else 's'}"
