"""Designing a chip against the rules: what a design measures, and the best one of a stated space that meets no clause.

The design space is dies x dense 8-bit rate x die area x memory stacks x link. It is a space of data-sheet figures: it
says what a clause leaves room for, not what can be made or sold.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from analytics.chips.facts import is_missing
from analytics.chips.metrics import io_bandwidth, performance_density, processing_performance
from analytics.chips.rules import OUTCOMES, RuleBook
from analytics.formula import formula

NO_CLAUSE = OUTCOMES.index("no_clause_met")


@formula(
    name="Memory bandwidth of stacks",
    symbol="B",
    unit="GB/s",
    inputs={"stacks": ("n", "stacks"), "pin_rate_gbit_per_s": ("r", "Gbit/s"), "bus_width_bit": ("w", "bit")},
    source="JEDEC JESD235 and JESD238: 1,024 data pins a stack; 3.6 Gbit/s HBM2E, 6.4 HBM3",
)
def stack_bandwidth(stacks: Any, pin_rate_gbit_per_s: Any, bus_width_bit: Any) -> Any:
    """Bandwidth of memory stacks [GB/s] from their pin rate and width."""
    return stacks * pin_rate_gbit_per_s * bus_width_bit / 8


@formula(
    name="Decode rate by roofline",
    symbol=r"T_{\mathrm{decode}}",
    unit="tok/s",
    inputs={
        "users": ("b", "users"),
        "weight_gb": (r"W", "GB"),
        "kv_gb_per_user": (r"k", "GB"),
        "gflop_per_token": (r"f", "GFLOP"),
        "memory_bandwidth_gb_per_s": ("B", "GB/s"),
        "dense_tops": ("R", "TOPS"),
    },
    source="roofline of one decode step: every weight and each user's KV cache read once, every operation once; no losses",
)
def roofline_decode_rate(
    users: Any, weight_gb: Any, kv_gb_per_user: Any, gflop_per_token: Any, memory_bandwidth_gb_per_s: Any, dense_tops: Any
) -> Any:
    """Upper bound of tokens a second one chip decodes for `users` at once: the slower of reading memory and computing."""
    read_s = (weight_gb + users * kv_gb_per_user) / memory_bandwidth_gb_per_s
    compute_s = users * gflop_per_token / (dense_tops * 1000)
    return users / np.maximum(read_s, compute_s)


@dataclass(frozen=True)
class Design:
    """Data-sheet figures of a chip that need not exist; scalars or arrays that broadcast.

    dies; dense_8bit_tops_per_die [TOPS]; die_area_mm2 of one die [mm²]; memory_bandwidth_gb_per_s and memory_gb of the
    package; scale_up_bidirectional_gb_per_s and pcie_bidirectional_gb_per_s [GB/s, both directions].
    """

    dies: Any = 1.0
    dense_8bit_tops_per_die: Any = 296.0
    die_area_mm2: Any = 814.0
    memory_bandwidth_gb_per_s: Any = 4000.0
    memory_gb: Any = 96.0
    scale_up_bidirectional_gb_per_s: Any = 900.0
    pcie_bidirectional_gb_per_s: Any = 128.0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = np.asarray(getattr(self, field.name), dtype=float)
            zero_allowed = field.name in ("scale_up_bidirectional_gb_per_s", "pcie_bidirectional_gb_per_s", "dense_8bit_tops_per_die")
            if np.any(value < 0) or (not zero_allowed and np.any(value == 0)):
                raise ValueError(f"{field.name} must be {'0 or more' if zero_allowed else 'over 0'}, got {float(np.nanmin(value)):g}")

    @property
    def dense_tops(self) -> Any:
        """Dense 8-bit rate of the package [TOPS]."""
        return np.asarray(self.dies, dtype=float) * self.dense_8bit_tops_per_die

    def facts(self, *, marketing: str = "datacenter", vendor: str = "") -> dict[str, Any]:
        """What the rules may ask of the design; the 8-bit rate is taken to lead, as it does where 16-bit is half of it."""
        tpp = processing_performance(self.dense_tops, 8)
        return {
            "chip_id": "design",
            "marketing": marketing,
            "tpp": tpp,
            "pd": performance_density(tpp, np.asarray(self.dies, dtype=float) * self.die_area_mm2),
            "io_total_bidirectional_gb_per_s": io_bandwidth(
                np.asarray(self.scale_up_bidirectional_gb_per_s, dtype=float), self.pcie_bidirectional_gb_per_s
            ),
            "memory_bandwidth_gb_per_s": np.asarray(self.memory_bandwidth_gb_per_s, dtype=float),
        } | ({"vendor": vendor} if vendor else {})


def design_space(axes: Mapping[str, Sequence[float]]) -> Design:
    """Every combination of the given values of a Design's fields, flattened.

    Parameters: axes, field of Design to the values it may take; fields left out keep their default.
    Returns: a Design of equal-length arrays. Errors: ValueError for an unknown field, an empty axis or over 2,000,000 designs.
    """
    known = [field.name for field in fields(Design)]
    for name, values in axes.items():
        if name not in known:
            raise ValueError(f"a design has no {name}; it has {', '.join(known)}")
        if not len(values):
            raise ValueError(f"the axis {name} of the design space is empty")
    count = int(np.prod([len(values) for values in axes.values()])) if axes else 1
    if count > 2_000_000:
        raise ValueError(f"a design space of {count:,} designs; at most 2,000,000 are accepted")
    mesh = np.meshgrid(*(np.asarray(values, dtype=float) for values in axes.values()), indexing="ij")
    return Design(**{name: grid.ravel() for name, grid in zip(axes, mesh, strict=True)})


def best_design(
    space: Design,
    score: Any,
    book: RuleBook,
    *,
    dest: str,
    date: Any,
    hq: str | None = None,
    marketing: str = "datacenter",
    vendor: str = "",
) -> tuple[int | None, np.ndarray]:
    """The design of the highest score that meets no clause for a destination on a day.

    Parameters: space; score, one number a design, higher is better, NaN never wins; the rest as for `RuleBook.evaluate`.
    Returns: its position (None where every design meets a clause or is unknown) and the outcome of every design.
    """
    outcome = book.outcomes(space.facts(marketing=marketing, vendor=vendor), dest=dest, date=date, hq=hq)
    outcome = np.broadcast_to(outcome, np.shape(space.dense_tops))
    allowed = np.where((outcome == NO_CLAUSE) & ~np.isnan(score), score, -np.inf)
    if not allowed.size or not np.isfinite(allowed.max()):
        return None, outcome
    return int(np.argmax(allowed)), outcome


def design_at(space: Design, position: int) -> Design:
    """One design of a space, as scalars."""
    values = {field.name: getattr(space, field.name) for field in fields(Design)}
    return Design(
        **{name: float(value[position]) if np.ndim(value) else float(value) for name, value in values.items() if not is_missing(value)}
    )
