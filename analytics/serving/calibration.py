"""The few physical constants that are fitted to published end-to-end measurements, each for all models and chips alike."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Calibration:
    """Constants between kernels and an engine. One set holds for every model and chip; an engine may have its own host times."""

    gemm: float = 1.0  #: time of matrix products over the measured kernel
    experts: float = 1.0  #: time of routed experts over the measured kernel
    attention: float = 1.0  #: time of attention over the measured kernel
    exchange: float = 1.0  #: time of collectives over the measured one
    elementwise_efficiency: float = 0.8  #: share of memory bandwidth between products (aiconfigurator-core system files: 0.8)
    layer_s: float = 10e-6  #: gaps and small kernels of one layer and pass [s]
    step_s: float = 1e-3  #: host time of one engine step [s]
    sequence_s: float = 1e-6  #: host time of one sequence and step on its rank [s]
    request_s: float = 1e-3  #: host time of admitting and finishing a request on its rank [s]
    data_spread: float = 0.2  #: how far prefills of attention-data ranks fall into different steps: 0 all together, 1 all apart
    expert_skew: float = 0.2  #: extra products of the busiest expert rank, times (1 - 1 / ranks)
    overlap: float = 0.0  #: share of compute behind which exchanges between ranks hide (two micro-batches in turn: 1)
    most_per_rank: float = 2048.0  #: sequences an engine holds on one attention rank at most
    fitted_on: str = ""  #: what the set was fitted on, as a sentence

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if isinstance(value, str):
                continue
            if not 0 <= value <= 65_536:
                raise ValueError(f"calibration: {field.name} must be from 0 to 65,536, got {value!r}")
        if min(self.gemm, self.experts, self.attention, self.exchange, self.elementwise_efficiency) < 0.1 or self.most_per_rank < 1:
            raise ValueError("calibration: factors of kernel times must be at least 0.1 and most_per_rank at least 1")
        if max(self.elementwise_efficiency, self.data_spread, self.overlap) > 1:
            raise ValueError("calibration: elementwise_efficiency, data_spread and overlap are shares and must be at most 1")

    @classmethod
    def from_rows(cls, rows: Iterable[Mapping[str, Any]], engine: str = "") -> Calibration:
        """The constants of an engine from rows (engine, constant, value); constants without an engine hold for all."""
        names = {field.name for field in dataclasses.fields(cls)} - {"fitted_on"}
        found: dict[str, float] = {}
        fitted_on = ""
        for row in sorted(rows, key=lambda row: str(row.get("engine") or "")):  # general first, so that the engine's own wins
            if str(row.get("engine") or "") not in ("", engine):
                continue
            if row["constant"] not in names:
                raise ValueError(f"calibration: unknown constant {row['constant']!r}, known are {', '.join(sorted(names))}")
            found[str(row["constant"])] = float(row["value"])
            fitted_on = str(row.get("fitted_on") or fitted_on)
        return cls(**found, fitted_on=fitted_on)
