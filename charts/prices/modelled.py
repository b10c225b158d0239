"""Modelled cost of open weights on rented chips: the best of a few layouts within a speed limit, at the rents of the last year."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analytics.prices.provider import rented_usd_per_mtok
from analytics.serving import Deployment, Fleet, Layout, Precision, Workload, best_under_limits
from analytics.serving.residuals import errors
from data.queries.rentals import rents
from data.queries.serving import ServingInputs, residuals
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
    inputs: ServingInputs, weights: str, chip_id: str, input_tokens: int, output_tokens: int, tok_s_per_user: float
) -> Served | None:
    """The layout of LAYOUTS with most output tokens/s per chip that still gives each user this speed; None where none can.

    Errors: ValueError for weights without a shape or a chip without the rates the model needs.
    """
    if weights not in SERVED:
        raise ValueError(f"no model shape for {weights!r}; known are {', '.join(SERVED)}")
    if chip_id not in inputs.chips:
        raise ValueError(inputs.not_modelled.get(chip_id, f"no chip {chip_id!r}"))
    shape_name, fmt = SERVED[weights]
    shape, chip = inputs.shapes[shape_name], inputs.chips[chip_id]
    deployments = [Deployment(shape, chip, layout, Precision.of(fmt)) for layout in LAYOUTS if layout.problem(shape) is None]
    fleet = Fleet(deployments, inputs.kernels, inputs.calibration())
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


def model_error(snapshot: Snapshot) -> tuple[str, ...]:
    """How far the serving model's output rates were from published runs of models it was not fitted on, in a sentence; () without any."""
    found = errors(residuals(snapshot)["ratio_without_model"])
    if found is None:
        return ()
    return (
        f"Output rates of the serving model against {found.n} published runs, each model left out of its own fit: median error "
        f"{100 * found.median_absolute_error:.0f} %, {100 * found.within_25_percent:.0f} % within 25 %; it multiplies straight into "
        "the cost.",
    )
