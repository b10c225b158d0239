"""What the serving model works from, as of a revision: shapes, chips, kernel efficiencies, constants, measurements and their errors."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import pandas as pd

from analytics.serving import Calibration, Chip, KernelTable, Shape
from analytics.serving.benchmark_rows import Names
from data.queries.bench import own_efficiencies
from data.snapshot import Snapshot

# Kernel tables of recent states of kernel_efficiency; compiled curves hang on their identity, so the same state must give the same object.
_KERNELS: OrderedDict[int, KernelTable] = OrderedDict()
_KEPT = 4


@dataclass(frozen=True)
class ServingInputs:
    """Everything a serving calculation needs, by name; `not_modelled` says why a chip is missing."""

    shapes: dict[str, Shape]
    chips: dict[str, Chip]
    not_modelled: dict[str, str]
    kernels: KernelTable
    constants: list[dict[str, Any]]

    def calibration(self, engine: str = "") -> Calibration:
        """The constants of an engine, or the general set."""
        return Calibration.from_rows(self.constants, engine)


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as mappings, missing values as None."""
    return [{str(k): v for k, v in row.items()} for row in table.astype(object).where(table.notna(), None).to_dict("records")]


def kernel_table(snapshot: Snapshot) -> KernelTable:
    """The kernel efficiencies of a revision, our own measurements over them; the same object as long as the rows are the same."""
    rows = snapshot.table("kernel_efficiency").drop(columns=["fact_key", "row_rev", "origin", "source_id"], errors="ignore")
    own = own_efficiencies(snapshot)
    state = hash((tuple(pd.util.hash_pandas_object(rows, index=False).tolist()), repr(own)))
    if state not in _KERNELS:
        _KERNELS[state] = KernelTable.from_rows(records(rows), own)
        while len(_KERNELS) > _KEPT:
            _KERNELS.popitem(last=False)
    _KERNELS.move_to_end(state)
    return _KERNELS[state]


def serving_inputs(snapshot: Snapshot) -> ServingInputs:
    """Shapes, chips, kernels and constants of a revision."""
    chips: dict[str, Chip] = {}
    missing: dict[str, str] = {}
    for row in records(snapshot.table("chips")):
        try:
            chips[str(row["chip_id"])] = Chip.from_row(row)
        except ValueError as error:
            missing[str(row["chip_id"])] = str(error)
    shapes = {str(row["model"]): Shape.from_row(row) for row in records(snapshot.table("models"))}
    return ServingInputs(shapes, chips, missing, kernel_table(snapshot), records(snapshot.table("serving_calibration")))


def measurements(snapshot: Snapshot) -> pd.DataFrame:
    """Published measurements as they stand in the table, ordered by key."""
    return snapshot.table("serving_measurements")


def residuals(snapshot: Snapshot) -> pd.DataFrame:
    """Errors of the model on published runs, ordered by row."""
    return snapshot.table("serving_residuals").sort_values("row", kind="stable", ignore_index=True)


def names(snapshot: Snapshot) -> Names:
    """Spellings of models and chips of a revision."""
    tables = ("models", "chips", "model_shape_aliases", "chip_aliases")
    return Names(*(records(snapshot.table(table)) for table in tables))
