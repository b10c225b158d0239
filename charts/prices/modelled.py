"""Modelled cost of open weights on rented chips: the best of a few layouts within a speed limit, at the rents of the last year."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from analytics.prices.provider import rented_usd_per_mtok
from analytics.serving import Calibration, Chip, Deployment, Fleet, KernelTable, Layout, Precision, Shape, Workload, best_under_limits
from data.queries.rentals import rents
from data.snapshot import Snapshot

# Weights with a known shape that independent hosts sell -> (row of models.csv, format its weights were released or are served in).
SERVED = {
    "deepseek-r1": ("DeepSeek-R1", "fp8_block"),
    "deepseek-v3": ("DeepSeek-V3", "fp8_block"),
    "llama-3.1-405b-instruct": ("Llama-3.1-405B", "fp8"),
    "llama-3.3-70b-instruct": ("Llama-3.3-70B", "fp8"),
    "llama-3.1-70b-instruct": ("Llama-3.1-70B", "fp8"),
    "llama-3.1-8b-instruct": ("Llama-3.1-8B", "fp8"),
    "gpt-oss-120b": ("gpt-oss-120b", "mxfp4"),
    "gpt-oss-20b": ("gpt-oss-20b", "mxfp4"),
    "qwen3-235b-a22b": ("Qwen3-235B-A22B", "fp8"),
    "kimi-k2": ("Kimi-K2", "fp8_block"),
}
# Layouts tried, smallest first; one that the shape or the memory forbids is skipped.
LAYOUTS = tuple(Layout(tensor=n) for n in (1, 2, 4, 8, 16)) + tuple(Layout(data=n, expert=n) for n in (8, 16, 32))
RENT_WINDOW_DAYS = 365


@dataclass(frozen=True)
class Served:
    """The best layout found: its name, batch, output tokens/s per chip, tokens/s per user; None where no layout fits."""

    layout: str
    batch: float
    output_tok_s_per_chip: float
    tok_s_per_user: float


def best_served(
    snapshot: Snapshot, weights: str, chip_id: str, input_tokens: int, output_tokens: int, tok_s_per_user: float
) -> Served | None:
    """The layout of LAYOUTS with most output tokens/s per chip that still gives each user this speed; None where none can.

    Errors: ValueError for weights without a shape or a chip without the rates the model needs.
    """
    if weights not in SERVED:
        raise ValueError(f"no model shape for {weights!r}; known are {', '.join(SERVED)}")
    shape_name, fmt = SERVED[weights]
    shape, chip = _row(snapshot, "models", "model", shape_name), _row(snapshot, "chips", "chip_id", chip_id)
    kernels, calibration = _tables(snapshot)
    deployments = []
    for layout in LAYOUTS:
        model = Shape.from_row(shape)
        if layout.problem(model) is None:
            deployments.append(Deployment(model, Chip.from_row(chip), layout, Precision.of(fmt)))
    fleet = Fleet(deployments, kernels, calibration)
    workload = Workload(input_tokens, output_tokens)
    found = [(i, best_under_limits(fleet, i, workload, tpot_limit_s=1 / tok_s_per_user)) for i in range(len(deployments))]
    reached = [(float(state.output_tokens_per_s_per_chip), i, state) for i, state in found if state is not None]
    if not reached:
        return None
    rate, i, state = max(reached, key=lambda item: item[0])
    return Served(deployments[i].layout.describe(), float(state.batch), rate, 1 / float(state.step_s))


def rent_range(snapshot: Snapshot, chip_id: str) -> pd.DataFrame:
    """Rents of sellers (no averages, no spot) for one chip in the year up to today: the rows, cheapest first; may be empty."""
    rows = rents(snapshot)
    today = float((np.datetime64(snapshot.today) - np.datetime64("1970-01-01")).astype(int))
    recent = rows["day"].between(today - RENT_WINDOW_DAYS, today)
    kept = rows[rows["chip_id"].eq(chip_id) & recent & rows["provider_tier"].ne("index") & rows["term"].ne("spot")]
    return kept.sort_values(["usd_per_gpu_hour", "fact_key"], kind="stable", ignore_index=True)


def blended_cost_usd_per_mtok(usd_per_gpu_hour: float, served: Served, input_per_output_token: float, busy_share: float) -> float:
    """Rent per million tokens, input and output counted alike, of a chip that is busy this share of the time [USD/Mtok]."""
    tokens = served.output_tok_s_per_chip * (1 + input_per_output_token) * busy_share
    return float(rented_usd_per_mtok(usd_per_gpu_hour, tokens))


def _row(snapshot: Snapshot, table: str, key: str, name: str) -> dict[str, object]:
    rows = snapshot.table(table)
    found = rows[rows[key].eq(name)]
    if found.empty:
        raise ValueError(f"{table} has no row {name!r}")
    return {str(k): ("" if v is None or (isinstance(v, float) and np.isnan(v)) else v) for k, v in found.iloc[0].items()}


def _records(snapshot: Snapshot, table: str) -> list[dict[Any, Any]]:
    rows = snapshot.table(table).astype(object)
    return rows.where(rows.notna(), "").to_dict("records")


_loaded: dict[tuple[str, int], tuple[KernelTable, Calibration]] = {}


def _tables(snapshot: Snapshot) -> tuple[KernelTable, Calibration]:
    """Measured kernels and fitted constants of a revision, read once."""
    key = (str(snapshot.store.home), snapshot.rev)
    if key not in _loaded:
        kernels, constants = (_records(snapshot, name) for name in ("kernel_efficiency", "serving_calibration"))
        while len(_loaded) >= 4:
            _loaded.pop(next(iter(_loaded)))
        _loaded[key] = (KernelTable.from_rows(kernels), Calibration.from_rows(constants))
    return _loaded[key]
