"""Measured kernel efficiencies: which fraction of its roofline an operation reaches at a shape, interpolated from a table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from analytics.accounting import Numbers

#: Shape axes of each operation, in the order of the grid. All are logarithmic.
AXES = {
    "gemm": ("rows", "weights"),
    "expert_gemm": ("rows", "weights", "experts"),
    "attention_decode": ("streams", "context", "group", "head_dim"),
    "attention_prefill": ("rows", "streams", "head_dim"),
    "mla_decode": ("streams", "context", "group"),
    "mla_prefill": ("rows", "streams"),
    "all_reduce": ("payload", "ranks"),
    "all_gather": ("payload", "ranks"),
    "reduce_scatter": ("payload", "ranks"),
    "all_to_all": ("payload", "ranks"),
}


@dataclass(frozen=True)
class _Grid:
    nodes: tuple[np.ndarray, ...]  # log2 of the nodes of each axis
    log_fraction: np.ndarray

    def __call__(self, values: list[np.ndarray]) -> np.ndarray:
        """Multilinear interpolation of the log fraction; outside the grid the edge holds."""
        lower, weight = [], []
        for nodes, value in zip(self.nodes, values, strict=True):
            x = np.log2(np.maximum(np.asarray(value, dtype=float), 1e-9))
            if len(nodes) == 1:
                lower.append(np.zeros(np.shape(x), dtype=int))
                weight.append(np.zeros(np.shape(x)))
                continue
            cell = np.clip(np.searchsorted(nodes, x) - 1, 0, len(nodes) - 2)
            lower.append(cell)
            weight.append(np.clip((x - nodes[cell]) / (nodes[cell + 1] - nodes[cell]), 0.0, 1.0))
        total: Any = 0.0
        for corner in range(2 ** len(values)):
            at, share = [], np.asarray(1.0)
            for axis, (cell, w) in enumerate(zip(lower, weight, strict=True)):
                high = corner >> axis & 1
                at.append(np.minimum(cell + high, len(self.nodes[axis]) - 1))
                share = share * (w if high else 1.0 - w)
            total = total + share * self.log_fraction[tuple(np.broadcast_arrays(*at))]
        return np.exp(total)


@dataclass
class KernelTable:
    """Fractions of the roofline by operation, chip, format and shape; `sources` names where each came from."""

    grids: dict[tuple[str, str, str], _Grid] = field(default_factory=dict, repr=False)
    sources: dict[tuple[str, str, str], str] = field(default_factory=dict, repr=False)

    @classmethod
    def from_rows(cls, rows: Iterable[Mapping[str, Any]], own: Iterable[Mapping[str, Any]] = ()) -> KernelTable:
        """A table from rows of data/sources/kernel_efficiency.csv; rows of `own` benchmarks of the same layout override them.

        Where own rows exist for an operation, chip and format, they replace the distilled ones as a whole: fractions of two
        timing methods are not mixed inside one curve.
        """
        table = cls()
        for group in (rows, own):
            curves: dict[tuple[str, str, str], dict[tuple[float, ...], float]] = {}
            for row in group:
                op = str(row["op"])
                if op not in AXES:
                    raise ValueError(f"kernel efficiency: op must be one of {', '.join(AXES)}, got {op!r}")
                key = (op, str(row["chip_id"]), str(row["dtype"]))
                fraction = float(row["fraction"])
                if not 0 < fraction <= 1:
                    raise ValueError(f"kernel efficiency: fraction of {'/'.join(key)} must be in (0, 1], got {fraction}")
                curves.setdefault(key, {})[tuple(float(row[axis]) for axis in AXES[op])] = fraction
                table.sources[key] = f"{row.get('source', '')} {row.get('version', '')}".strip()
            table.grids.update({key: _grid(points) for key, points in curves.items()})
        return table

    def chips(self) -> set[str]:
        """Chips with at least one measured curve."""
        return {chip for _, chip, _ in self.grids}

    def key(self, op: str, chip_id: str, relative: str, dtype: str) -> tuple[str, str, str] | None:
        """The curve used for an operation on a chip: its own, its relative's, then the same with 16-bit elements."""
        for fmt in (dtype, {"fp8_block": "fp8", "int8": "fp8", "int4": "mxfp4"}.get(dtype, dtype), "bf16"):
            for chip in (chip_id, relative):
                if (op, chip, fmt) in self.grids:
                    return op, chip, fmt
        return None

    def fraction(self, key: tuple[str, str, str], **axes: Numbers) -> np.ndarray:
        """Fraction of the roofline reached at a shape (axes of the operation as keywords, broadcast)."""
        return self.grids[key]([np.asarray(axes[name], dtype=float) for name in AXES[key[0]]])


def _grid(points: dict[tuple[float, ...], float]) -> _Grid:
    """A full grid from scattered nodes: holes along the first axis are interpolated, the rest take the nearest filled node."""
    where = np.log2(np.asarray(list(points)))
    values = np.log(np.asarray(list(points.values())))
    nodes = tuple(np.unique(where[:, axis]) for axis in range(where.shape[1]))
    full = np.full([len(axis) for axis in nodes], np.nan)
    index = tuple(np.searchsorted(axis, where[:, i]) for i, axis in enumerate(nodes))
    full[index] = values
    curves = full.reshape(len(nodes[0]), -1)  # the table leaves out points that interpolation along the first axis gives back
    for curve in curves.T:
        known_at = ~np.isnan(curve)
        if known_at.any():
            curve[:] = np.interp(nodes[0], nodes[0][known_at], curve[known_at])
    holes = np.argwhere(np.isnan(full))
    if len(holes):
        filled = np.argwhere(~np.isnan(full))
        known = full[tuple(filled.T)]
        for start in range(0, len(holes), 256):  # in slices: the distance table of a big grid would be large
            part = holes[start : start + 256]
            distance = np.abs(part[:, None, :] - filled[None, :, :]).sum(axis=2)
            full[tuple(part.T)] = known[distance.argmin(axis=1)]
    return _Grid(nodes, full)
