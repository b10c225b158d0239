"""Fitting the few constants of the model to published runs, and what the fit is worth on models and chips it has not seen.

Maximum a posteriori with a heavy-tailed error: residuals are log(predicted / measured), every constant has a prior centred on what is
known of it (kernels as measured, gaps of about 10 us a layer), and rows no model can explain lose their pull.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
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
    Prior("sequence_s", 3e-6, 1.0, "s", "a few us a token and rank for sampling, detokenising and bookkeeping"),
    Prior("request_s", 1e-3, 0.5, "s", "reading a prompt, planning its pages, answering: about a millisecond of Python"),
    Prior("data_spread", 0.2, 1.0, "", "ranks start together and drift apart"),
    Prior("expert_skew", 0.2, 1.0, "", "busiest of a few ranks under mildly skewed routing"),
)
#: Engines whose host constants are fitted on their own rows, with the constants that may differ from the general set, and what is known.
ENGINE_PRIORS = {
    "MLPerf": (
        Prior("gemm", 0.9, 0.10, "", "as in the general set, tuned further by submitters"),
        Prior("request_s", 2e-4, 1.0, "s", "a C++ executor without Python on the path of a request"),
        Prior("sequence_s", 2e-6, 1.0, "s", "as in the general set"),
        Prior("step_s", 5e-4, 1.0, "s", "as in the general set"),
    )
}
#: What publications say of engines, taken as given and not fitted.
ENGINE_FACTS = {
    "DeepSeek": {"overlap": (1.0, "dual-batch overlap, open-infra-index day 6"), "expert_skew": (0.0, "expert load balancer, the same")},
    "SGLang": {"overlap": (1.0, "two-batch overlap, lmsys.org blog 2025-05")},
    "vLLM": {"overlap": (1.0, "dual-batch overlap, vLLM blog on wide EP")},
}
#: Typical error of one row as a log ratio; residuals far beyond it are discounted.
ROW_ERROR = 0.10
#: Limits of sequences per rank tried: powers of two that engines set.
MOST_PER_RANK = (512.0, 1024.0, 2048.0)
#: Rounds of the search at each limit, before the best one is pursued.
FIRST_ROUNDS = 2


@dataclass(frozen=True)
class Task:
    """One fit: the rows it uses, the constants it may move and the set it starts from."""

    engine: str
    priors: Sequence[Prior]
    base: Calibration
    most_choices: Sequence[float] = MOST_PER_RANK

    def uses(self, case: Case) -> bool:
        """Whether a row is fitted: finite runs for the general set, unlimited (Offline) MLPerf rows for its harness."""
        if "output_tok_s_per_gpu" not in case.measured or case.shape is None or case.kernel_note:
            return False
        return case.mlperf == "Offline" if self.engine == "MLPerf" else bool(case.requests)

    def calibration(self, log_values: np.ndarray, most: float) -> Calibration:
        """The set at a point of the search."""
        values: dict[str, Any] = {prior.name: float(np.exp(v)) for prior, v in zip(self.priors, log_values, strict=True)}
        if "data_spread" in values:
            values["data_spread"] = min(values["data_spread"], 1.0)
        return dataclasses.replace(self.base, **values, most_per_rank=most)


def general_task() -> Task:
    """The fit of the constants that hold for every engine without its own."""
    return Task("", PRIORS, Calibration())


def engine_task(engine: str, general: Calibration) -> Task:
    """The fit of one engine's host constants on top of the general set."""
    return Task(engine, ENGINE_PRIORS[engine], general, (*MOST_PER_RANK, 4096.0))


def ratios(predictor: Predictor, calibration: Calibration, cases: Sequence[Case]) -> np.ndarray:
    """Predicted over measured output rate of cases, each on the stated layout or the best that fits."""
    predictor.calibrate(lambda case: calibration)
    offline = predictor.offline([case for case in cases if case.requests])
    return np.array([predictor.one(case, offline).values["output_tok_s_per_gpu"] / case.measured["output_tok_s_per_gpu"] for case in cases])


def fit(predictor: Predictor, cases: Sequence[Case], task: Task, rounds: int = 8) -> Calibration:
    """The constants that explain the rows of a task among `cases` best, priors included."""
    used = [case for case in cases if task.uses(case)]
    if not used:
        raise ValueError("no rows to fit on: finite runs (all requests queued) or MLPerf Offline rows with an output rate are needed")
    mean = np.log([prior.value for prior in task.priors])
    spread = np.array([prior.spread for prior in task.priors])

    def residuals(v: np.ndarray, most: float) -> np.ndarray:
        return np.log(ratios(predictor, task.calibration(v, most), used))

    tried = [(*_levenberg(partial(residuals, most=most), mean, mean, spread, FIRST_ROUNDS), most) for most in task.most_choices]
    start, _, most = min(tried, key=lambda found: found[1])
    x, _ = _levenberg(partial(residuals, most=most), start, mean, spread, rounds)
    best = task.calibration(x, most)
    models, chips = len({c.model for c in used}), len({c.chip.chip_id for c in used if c.chip})
    kind = "MLPerf Offline rows" if task.engine else "offline runs"
    return dataclasses.replace(best, fitted_on=f"{len(used)} {kind}, {models} models, {chips} chips")


def _levenberg(
    residuals: Callable[[np.ndarray], np.ndarray], start: np.ndarray, mean: np.ndarray, spread: np.ndarray, rounds: int
) -> tuple[np.ndarray, float]:
    """Damped Gauss-Newton on the heavy-tailed loss with Gaussian priors; returns the point and its loss."""

    def loss_of(r: np.ndarray, v: np.ndarray) -> float:
        return float(np.sum(np.log1p((r / ROW_ERROR) ** 2 / 3) * 2) + np.sum(((v - mean) / spread) ** 2) / 2)

    x, damping = start.copy(), 1e-2
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


def left_out(predictor: Predictor, cases: Sequence[Case], task: Task, group: Callable[[Case], str], rounds: int = 5) -> dict[int, float]:
    """Ratio of every row of a task when the constants are fitted without its group (its model, its chip), by row number."""
    used = [case for case in cases if task.uses(case)]
    out: dict[int, float] = {}
    for name in sorted({group(case) for case in used}):
        test = [case for case in used if group(case) == name]
        train = [case for case in used if group(case) != name]
        if not train:
            continue
        constants = fit(predictor, train, task, rounds)
        out.update({case.row: float(ratio) for case, ratio in zip(test, ratios(predictor, constants, test), strict=True)})
    return out


def calibration_rows(general: Calibration, engines: Mapping[str, Calibration]) -> list[dict[str, str]]:
    """Rows of data/sources/serving_calibration.csv: the general set, what engines change, and what is known of them."""
    units = {"layer_s": "s", "step_s": "s", "sequence_s": "s", "request_s": "s"}

    def row(engine: str, constant: str, value: float, why: str) -> dict[str, str]:
        return {"engine": engine, "constant": constant, "value": f"{value:.4g}", "unit": units.get(constant, ""), "fitted_on": why}

    rows = [row("", "elementwise_efficiency", general.elementwise_efficiency, "not fitted: aiconfigurator-core system files")]
    rows += [row("", p.name, getattr(general, p.name), general.fitted_on) for p in PRIORS]
    rows.append(row("", "most_per_rank", general.most_per_rank, general.fitted_on))
    for engine, constants in engines.items():
        names = [prior.name for prior in ENGINE_PRIORS[engine]] + ["most_per_rank"]
        rows += [row(engine, name, getattr(constants, name), constants.fitted_on) for name in names]
    for engine, facts in ENGINE_FACTS.items():
        rows += [row(engine, name, value, f"not fitted: {why}") for name, (value, why) in facts.items()]
    return rows
