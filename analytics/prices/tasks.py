"""What a finished task costs: tokens of a task, price of an answer, and what each further point of score costs."""

from __future__ import annotations

from typing import Any

import numpy as np

from analytics.checks import require_positive
from analytics.formula import formula


@formula(
    name="Cost per task",
    symbol="C",
    unit="USD",
    inputs={
        "input_tokens": ("n_{in}", "tok"),
        "input_usd_per_mtok": ("P_{in}", "USD/Mtok"),
        "output_tokens": ("n_{out}", "tok"),
        "output_usd_per_mtok": ("P_{out}", "USD/Mtok"),
    },
    source="tokens billed x list price; output tokens include hidden reasoning",
)
def task_cost_usd(input_tokens, input_usd_per_mtok, output_tokens, output_usd_per_mtok):
    """Cost of one answer at list price [USD]."""
    return (input_tokens * input_usd_per_mtok + output_tokens * output_usd_per_mtok) / 1e6


@formula(
    name="Cost per solved task",
    symbol="C_s",
    unit="USD",
    inputs={"cost_usd_per_task": ("C", "USD"), "score": ("s", "")},
    source="cost of all tasks over the tasks solved",
)
def cost_per_solved_usd(cost_usd_per_task, score):
    """Cost of all tries over the tasks solved [USD]; the score is the share solved, above 0."""
    return cost_usd_per_task / score


@formula(
    name="Cost per further solved task",
    symbol="C_m",
    unit="USD",
    inputs={
        "cheap_usd_per_task": ("C_1", "USD"),
        "cheap_score": ("s_1", ""),
        "dear_usd_per_task": ("C_2", "USD"),
        "dear_score": ("s_2", ""),
    },
    source="extra cost over extra tasks solved between two runs of one test",
)
def marginal_cost_per_solved_usd(cheap_usd_per_task, cheap_score, dear_usd_per_task, dear_score):
    """What each task costs that only the dearer run solves [USD]."""
    return (dear_usd_per_task - cheap_usd_per_task) / (dear_score - cheap_score)


@formula(
    name="Tokens of a sample",
    symbol="n",
    unit="tok",
    inputs={"total_tokens": ("N", "tok"), "tasks": ("k", ""), "samples_per_task": ("m", "")},
    source="tokens of a run over its samples",
)
def tokens_per_sample(total_tokens, tasks, samples_per_task):
    """Mean tokens of one sample of a run."""
    return total_tokens / (tasks * samples_per_task)


def cost_frontier(cost_usd_per_task: Any, score: Any) -> np.ndarray:
    """Indices of the systems no other beats on cost and score at once, from cheapest to dearest.

    Parameters: cost_usd_per_task (n,), score (n,); costs that are missing or not above 0 never enter (the axis is logarithmic).
    Returns: int array; score rises strictly along it. Errors: ValueError where the lengths differ.
    """
    cost, points = np.asarray(cost_usd_per_task, dtype=float).ravel(), np.asarray(score, dtype=float).ravel()
    if cost.shape != points.shape:
        raise ValueError(f"costs and scores must be of one length, got {cost.size} and {points.size}")
    usable = np.flatnonzero(np.isfinite(cost) & (cost > 0) & np.isfinite(points))
    order = usable[np.lexsort((-points[usable], cost[usable]))]
    if not order.size:
        return order
    best_before = np.concatenate([[-np.inf], np.maximum.accumulate(points[order])[:-1]])
    return order[points[order] > best_before]


def usd_per_mtok_of_run(total_usd: Any, total_tokens: Any) -> np.ndarray:
    """Price per million tokens that a run paid, from its bill and its tokens [USD/Mtok]."""
    require_positive("tokens of the run", total_tokens)
    return np.asarray(np.asarray(total_usd, dtype=float) / np.asarray(total_tokens, dtype=float) * 1e6)
