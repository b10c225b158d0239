"""Fitting the few constants of the model to published runs, and what the fit is worth on models and chips it has not seen.

Maximum a posteriori with a heavy-tailed error: residuals are log(predicted / measured), every constant has a prior centred on what is
known of it (kernels as measured, gaps of about 10 us a layer), and rows no model can explain lose their pull.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from analytics.serving.benchmark_rows import Case
from analytics.serving.calibration import Calibration
from analytics.serving.predict import Predictor


@dataclass(frozen=True)
class Prior:
    """What is known of a constant before any fit: its likely value and how far off, as a factor exp(spread)."""

    name: str
    value: float
    spread: float
    unit: str
    why: str


PRIORS = (
    Prior("gemm", 1.0, 0.10, "", "kernels run in an engine as they were measured alone, within 10 %"),
    Prior("experts", 1.0, 0.10, "", "the same"),
    Prior("attention", 1.0, 0.10, "", "the same"),
    Prior("exchange", 1.0, 0.30, "", "overlap shortens, contention lengthens"),
    Prior("layer_s", 10e-6, 0.7, "s", "router, norms, rotary and gaps between kernels: about ten launches of 1 us"),
    Prior("step_s", 1e-3, 1.0, "s", "scheduler and sampler, partly hidden"),
    Prior("sequence_s", 2e-6, 1.0, "s", "about 1 us a token and rank for detokenising and bookkeeping"),
    Prior("request_s", 2e-3, 1.0, "s", "reading a prompt, planning its pages, launching its pass without a graph, answering"),
    Prior("data_spread", 0.2, 1.0, "", "ranks start together and drift apart"),
    Prior("expert_skew", 0.2, 1.0, "", "busiest of a few ranks under mildly skewed routing"),
)
#: Typical error of one row as a log ratio; residuals far beyond it are discounted.
ROW_ERROR = 0.10
#: Limits of sequences per rank tried: powers of two that engines set.
MOST_PER_RANK = (512.0, 1024.0, 2048.0)


def _calibration(log_values: np.ndarray, most: float) -> Calibration:
    values: dict[str, Any] = {prior.name: float(np.exp(v)) for prior, v in zip(PRIORS, log_values, strict=True)}
    values["data_spread"] = min(values["data_spread"], 1.0)
    return Calibration(**values, most_per_rank=most)


def run_ratios(predictor: Predictor, calibration: Calibration, cases: Sequence[Case]) -> np.ndarray:
    """Predicted over measured output of finite runs, the best layout where several were possible."""
    predictor.calibrate(lambda case: calibration)
    rates = predictor.offline()
    return np.array([np.nanmax(rates[case.row]) / case.measured["output_tok_s_per_gpu"] for case in cases])


def fit(predictor: Predictor, cases: Sequence[Case], most_choices: Sequence[float] = MOST_PER_RANK, rounds: int = 8) -> Calibration:
    """The constants that explain the finite runs among `cases` best, priors included."""
    used = [case for case in cases if case.requests and "output_tok_s_per_gpu" in case.measured]
    if not used:
        raise ValueError("no finite runs with a measured output rate to fit on")
    mean = np.log([prior.value for prior in PRIORS])
    spread = np.array([prior.spread for prior in PRIORS])
    best: tuple[float, Calibration] | None = None
    for most in most_choices:

        def residuals(v: np.ndarray, most: float = most) -> np.ndarray:
            return np.log(run_ratios(predictor, _calibration(v, most), used))

        x, loss = _levenberg(residuals, mean, spread, rounds)
        if best is None or loss < best[0]:
            best = loss, _calibration(x, most)
    assert best is not None
    models, chips = len({c.model for c in used}), len({c.chip.chip_id for c in used if c.chip})
    return dataclasses.replace(best[1], fitted_on=f"{len(used)} offline runs of {models} models on {chips} chips")


def _levenberg(
    residuals: Callable[[np.ndarray], np.ndarray], mean: np.ndarray, spread: np.ndarray, rounds: int
) -> tuple[np.ndarray, float]:
    """Damped Gauss-Newton on the heavy-tailed loss with Gaussian priors; returns the point and its loss."""

    def loss_of(r: np.ndarray, v: np.ndarray) -> float:
        return float(np.sum(np.log1p((r / ROW_ERROR) ** 2 / 3) * 2) + np.sum(((v - mean) / spread) ** 2) / 2)

    x, damping = mean.copy(), 1e-2
    r = residuals(x)
    loss = loss_of(r, x)
    for _ in range(rounds):
        h = 0.03
        jacobian = np.stack([(residuals(x + h * unit) - r) / h for unit in np.eye(len(x))], axis=1)
        weight = 4 / 3 / (1 + (r / ROW_ERROR) ** 2 / 3) / ROW_ERROR**2
        curvature = (jacobian * weight[:, None]).T @ jacobian + np.diag(1 / spread**2)
        gradient = jacobian.T @ (weight * r) + (x - mean) / spread**2
        improved = False
        for _ in range(5):
            step = np.linalg.solve(curvature + damping * np.diag(np.diag(curvature)), -gradient)
            trial = x + np.clip(step, -0.5, 0.5)
            trial_r = residuals(trial)
            trial_loss = loss_of(trial_r, trial)
            if trial_loss < loss:
                gain, x, r, loss, improved = loss - trial_loss, trial, trial_r, trial_loss, True
                damping = max(damping / 5, 1e-4)
                break
            damping *= 5
        if not improved or gain < 0.02:
            break
    return x, loss


def left_out(
    predictor: Predictor, cases: Sequence[Case], group: Callable[[Case], str], most: Sequence[float] = MOST_PER_RANK, rounds: int = 6
) -> dict[int, float]:
    """Ratio of every finite run when the constants are fitted without its group (its model, its chip), by row number."""
    used = [case for case in cases if case.requests and "output_tok_s_per_gpu" in case.measured]
    out: dict[int, float] = {}
    for name in sorted({group(case) for case in used}):
        test = [case for case in used if group(case) == name]
        train = [case for case in used if group(case) != name]
        if not train:
            continue
        constants = fit(predictor, train, most, rounds)
        out.update({case.row: float(ratio) for case, ratio in zip(test, run_ratios(predictor, constants, test), strict=True)})
    return out
