"""Deployments behind the serving charts: every sensible layout of a model on chips, compiled once a revision."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from analytics.serving import Calibration, Chip, Deployment, Fleet, KernelTable, Layout, Precision, Shape, Workload
from analytics.serving.search import Candidates, NoLayout, candidates, layouts
from charts.serving import inputs
from charts.serving.kept import kept
from data.queries.serving import kernel_table, records
from data.snapshot import Snapshot

#: Chips a replica may take; the rack-scale parts also as a whole rack.
SIZES = (1, 2, 4, 8, 16, 32, 64, 128)
RACK = 72
_FLEETS: OrderedDict[tuple, Fleet] = OrderedDict()
_FOUND: OrderedDict[tuple, tuple[Fleet, Candidates]] = OrderedDict()
_KEPT = 128
_LOCK = threading.Lock()

Made = TypeVar("Made")


@dataclass(frozen=True)
class Base:
    """Kernel efficiencies and constants of a revision."""

    kernels: KernelTable
    calibration: Calibration
    measured_chips: frozenset[str]


@kept
def base(snapshot: Snapshot) -> Base:
    """What every fleet of a revision works from; read once a revision."""
    kernels = kernel_table(snapshot)
    constants = records(snapshot.table("serving_calibration"))
    return Base(kernels, Calibration.from_rows(constants), frozenset(kernels.chips()))


def sizes_of(chip: Chip, most: int = 128) -> tuple[int, ...]:
    """Replica sizes to try on a chip."""
    every = sorted({*SIZES, *([RACK] if chip.domain == RACK else [])})
    return tuple(n for n in every if n <= most)


def sensible_layouts(shape: Shape, chip: Chip, sizes: Iterable[int]) -> list[Layout]:
    """Layouts worth trying: tensor parallelism to at most 8, experts spread over the stage wherever there are any."""
    found = []
    for n in sizes:
        for layout in layouts(shape, n, min(chip.domain, 8)):
            spread = shape.moe_layers == 0 or layout.expert == layout.stage_chips or layout.chips <= 2
            if spread:
                found.append(layout)
    return found


def fitting(shape: Shape, chip: Chip, precision: Precision, context: float, most: int = 128) -> list[Deployment]:
    """Deployments of a model on a chip that hold at least one sequence at a context; the NoLayout says what is short."""
    every = [Deployment(shape, chip, layout, precision) for layout in sensible_layouts(shape, chip, sizes_of(chip, most))]
    good = [d for d in every if not d.shortage(1, context)]
    if not good:
        largest = max(every, key=lambda d: d.layout.chips)
        raise NoLayout(f"{shape.name} at {context:,.0f} tokens does not fit on {server(largest)}: {largest.shortage(1, context)}")
    least = min(d.layout.chips for d in good)
    return [d for d in good if d.layout.chips <= max(8 * least, 72)]


def server(deployment: Deployment) -> str:
    """The chips of a deployment in words: "8 × H100 SXM5", "your chip"."""
    chip, count = deployment.chip, deployment.layout.chips
    name = inputs.chip_name({"name": chip.name or chip.chip_id})
    return f"{count} × {name}" if count > 1 else name


def fleet(snapshot: Snapshot, deployments: list[Deployment]) -> Fleet:
    """A fleet of these deployments; the same ones at the same revision are stacked once."""
    own = base(snapshot)
    key = (
        id(own.kernels),
        own.calibration,
        tuple((d.shape, d.chip, d.layout, d.precision) for d in deployments),
    )
    return _remembered(_FLEETS, key, lambda: Fleet(deployments, own.kernels, own.calibration))


def searched(
    snapshot: Snapshot, shape: Shape, chip: Chip, precision: Precision, workload: Workload, pools: str, most: int = 128
) -> tuple[Fleet, Candidates]:
    """Every configuration of a model on a chip for a workload, with its fleet; limits and rents are no part of it, so it is kept.

    Errors: NoLayout with what is short where the model does not fit.
    """
    own = base(snapshot)
    lengths = tuple(float(v) for v in (workload.input_tokens, workload.output_tokens, workload.cached_tokens))
    key = (id(own.kernels), own.calibration, shape, chip, precision, lengths, pools, most)

    def found() -> tuple[Fleet, Candidates]:
        stacked = fleet(snapshot, fitting(shape, chip, precision, float(workload.final_context), most))
        return stacked, candidates(stacked, workload, pools=pools)

    return _remembered(_FOUND, key, found)


def _remembered(kept_ones: OrderedDict[tuple, Made], key: tuple, make: Callable[[], Made]) -> Made:
    """What was made for a key, made now if it is not there; pages and requests ask from several threads."""
    with _LOCK:
        if key in kept_ones:
            kept_ones.move_to_end(key)
            return kept_ones[key]
    made = make()
    with _LOCK:
        kept_ones[key] = made
        while len(kept_ones) > _KEPT:
            kept_ones.popitem(last=False)
    return made


def measured(snapshot: Snapshot, chip: Chip) -> bool:
    """Whether kernels of this very chip have been measured."""
    return chip.chip_id in base(snapshot).measured_chips


def layout_words(deployment: Deployment, batch: float) -> str:
    """A configuration in words: "8 chips, attention split over 8 conversations' ranks and experts over 8, 256 at once"."""
    layout = deployment.layout
    parts = []
    if layout.tensor > 1:
        parts.append(f"every matrix split over {layout.tensor}")
    if layout.data > 1:
        parts.append(f"conversations spread over {layout.data} ranks")
    if layout.expert > 1:
        parts.append(f"experts over {layout.expert}")
    chips = f"{layout.chips} chips" if layout.chips > 1 else "one chip"
    how = f" with {', '.join(parts)}" if parts else ""
    return f"{chips}{how}, {batch:,.0f} conversations at once"


def gained(values: np.ndarray) -> float:
    """Largest finite value, NaN where there is none."""
    known = values[np.isfinite(values)]
    return float(known.max()) if known.size else float("nan")
