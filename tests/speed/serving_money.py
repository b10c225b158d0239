"""Speed of what is built on the step model: 10,000 draws of each result, and the search for the best layout."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from analytics.prices.tasks import cost_per_solved_usd
from analytics.serving import (
    Calibration,
    Chip,
    Deployment,
    Fleet,
    KernelTable,
    Precision,
    Shape,
    Workload,
    agents,
    doubt,
    lengths,
    load,
    money,
    prefix_cache,
    sampling,
    steady_state,
)
from analytics.serving.search import Limits, best, best_at_speeds, candidates, layouts, pareto
from analytics.serving.speculative import speculate
from data import shipped

DRAWS = 10_000


def _seconds(call: Callable[[], Any], times: int = 5) -> float:
    """Best of a few runs after one that is not counted [s]."""
    call()
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        call()
        taken.append(time.perf_counter() - start)
    return min(taken)


def fleet(chips: tuple[str, ...], sizes: tuple[int, ...], model: str = "DeepSeek-R1") -> Fleet:
    """Every layout of a model on these chips."""
    shape = next(Shape.from_row(row) for row in shipped.rows("models") if row["model"] == model)
    rows = {row["chip_id"]: row for row in shipped.rows("chips")}
    every = [
        Deployment(shape, chip, layout, Precision.of("fp8"))
        for chip in (Chip.from_row(rows[name]) for name in chips)
        for n in sizes
        for layout in layouts(shape, n, chip.domain)
    ]
    kernels = KernelTable.from_rows(shipped.rows("kernel_efficiency"))
    return Fleet(every, kernels, Calibration.from_rows(shipped.rows("serving_calibration")))


def _results() -> dict[str, tuple[Callable[..., Any], dict[str, Any]]]:
    """Each kind of result as a function of doubtful inputs."""
    eight = fleet(("h200-sxm",), (8,))
    which = len(eight.deployments) - 1
    steps = eight.decode_step_s(which, np.arange(1, 65), 2048)
    rule = sampling.plurality(16, np.ones(20))
    popular = prefix_cache.zipf(300, 0.9)
    pair = fleet(("h100-sxm", "h200-sxm"), (8, 16, 32))
    every = candidates(pair, Workload(1024, 8192))
    on = np.array([pair.deployments[i].chip.chip_id for i in every.which])
    day = 1 + 0.5 * np.sin(np.arange(24) / 24 * 2 * np.pi)

    def output_cost(rent: Any, use: Any, context: Any, error: Any) -> Any:
        state = steady_state(eight, which, 64.0, Workload(context, 8192))
        return money.output_cost_usd_per_mtok(rent, state.output_tokens_per_s_per_chip * error, use)

    def best_cost(h100: Any, h200: Any, speed: Any, error: Any) -> Any:
        costs = []
        for chip, rent in (("h100-sxm", h100), ("h200-sxm", h200)):
            at = best_at_speeds(every, speed / error, on == chip)
            costs.append(np.where(at >= 0, rent / (every.tokens_per_s_per_chip[at] * error * 3600e-6), np.inf))
        return np.minimum(*costs)

    def split_cost(rent: Any, hit: Any, output: Any) -> Any:
        weights = money.split_weights("time", 1e-5, 2e-3, 1e-7)
        return money.token_costs(rent * 24, 1000 * (1 - hit), 1000 * hit, output, weights).output

    rent, use = doubt.Range(1.5, 2, 4), doubt.Range(0.3, 0.6, 0.9)
    error = doubt.Residual(0.0, 0.15, 19, 20)
    slower = doubt.Range(0.8, 1.0, 1.25)
    return {
        "first token under load": (
            lambda rate, prefill, step: load.under_load(rate, steps, prefill, 500.0, (0.95,), step_factor=step).ttft_s[..., 0],
            {"rate": doubt.Range(0.5, 1.0, 2.0), "prefill": doubt.Range(0.08, 0.1, 0.12), "step": slower},
        ),
        "time per token under load": (
            lambda rate, length: load.under_load(rate, steps, 0.1, length, (0.5,)).tpot_s[..., 0],
            {"rate": doubt.Range(0.5, 1.0, 2.0), "length": doubt.Range(300, 500, 700)},
        ),
        "rate within limits": (
            lambda prefill, length, step: load.capacity(steps, prefill, length, 2.0, 0.08, step_factor=step)[0],
            {"prefill": doubt.Range(0.08, 0.1, 0.12), "length": doubt.Range(300, 500, 700), "step": slower},
        ),
        "hits of a cache in three tiers": (
            lambda hbm, host: 1 - prefix_cache.hits_by_tier(popular, 2000.0, np.stack([hbm, host, hbm + host], axis=-1)).miss_share,
            {"hbm": doubt.Range(5e3, 1e4, 3e4), "host": doubt.Range(5e4, 1e5, 2e5)},
        ),
        "speed-up by drafts": (
            lambda accepted, context: speculate(eight, which, 64, context, accepted, 3, 0.05).speed_up,
            {"accepted": doubt.Range(0.6, 0.8, 0.9), "context": doubt.Range(1024, 4096, 16_384)},
        ),
        "lowest cost at a speed over all layouts": (
            best_cost,
            {"h100": rent, "h200": doubt.Range(2, 2.6, 5), "speed": doubt.Range(20, 30, 40), "error": error},
        ),
        "cost of output tokens": (output_cost, {"rent": rent, "use": use, "context": doubt.Range(512, 1024, 4096), "error": error}),
        "cost split over kinds of token": (
            split_cost,
            {"rent": rent, "hit": doubt.Range(0.2, 0.5, 0.8), "output": doubt.Range(100, 200, 400)},
        ),
        "least volume that pays for hosting": (
            lambda rent, rate, price: money.hosting_against_api(1e9, day, rate, 8 * rent, price).break_even_tokens_per_day,
            {"rent": rent, "rate": doubt.Range(5e3, 1e4, 2e4), "price": doubt.Range(0.5, 1, 2)},
        ),
        "cache of a growing answer": (
            lambda mean, sigma: lengths.mean_resident_context(1024, lengths.LogNormal.of_mean(mean, sigma)),
            {"mean": doubt.Range(2000, 8000, 20_000), "sigma": doubt.Range(0.3, 0.7, 1.2)},
        ),
        "cost of a solved task by vote": (
            lambda rate, cost: cost_per_solved_usd(16 * cost, sampling.solved(rate, rule)),
            {"rate": doubt.Range(0.2, 0.3, 0.5), "cost": doubt.Range(0.01, 0.02, 0.05)},
        ),
        "solved with a verifier": (
            lambda p, r, f: sampling.solved_by_verifier(p, 16, r, f),
            {"p": doubt.Range(0.2, 0.3, 0.5), "r": doubt.Range(0.7, 0.9, 0.99), "f": doubt.Range(0.01, 0.1, 0.3)},
        ),
        "solved of mixed difficulty": (
            lambda a, b: sampling.any_right_mixed(sampling.Spread(a, b), 1024),
            {"a": doubt.Range(0.05, 0.13, 0.4), "b": doubt.Range(0.03, 0.06, 0.2)},
        ),
        "agent of fifty steps": (
            lambda r, d: agents.agent_run(50, r, output_per_step=500, detects_wrong=d, retries=2).solved,
            {"r": doubt.Range(0.9, 0.97, 0.99), "d": doubt.Range(0.2, 0.5, 0.9)},
        ),
    }


def figures() -> dict[str, dict[str, Any]]:
    """Milliseconds of 10,000 draws with the ratio to 10,000 plain evaluations, and of a search over more than 50,000 candidates."""
    out: dict[str, dict[str, Any]] = {}
    for name, (result, inputs) in _results().items():
        drawn = _seconds(lambda result=result, inputs=inputs: doubt.propagate(result, inputs, DRAWS))
        plain = {k: v.central if isinstance(v, doubt.Range | doubt.Residual) else v for k, v in inputs.items()}
        one = _seconds(lambda result=result, plain=plain: result(**plain), 20)
        out[f"10,000 draws: {name}"] = {
            "figure": round(drawn * 1e3, 2),
            "unit": "ms",
            "ratio": round(drawn / (one * DRAWS), 5),
            "against": "one plain evaluation x 10,000",
        }
    wide = fleet(("h100-sxm", "h200-sxm", "b200", "gb200", "h20", "mi300x"), (8, 16, 32, 64))
    ladder = np.unique(np.round(np.geomspace(1, 65_536, 1_200)))

    def search() -> int:
        found = candidates(wide, Workload(1024, 8192), ladder)
        best(wide, found, Limits(tokens_per_s_per_user=30))
        pareto(found)
        return found.batch.size

    tried = 3 * len(wide.deployments) * ladder.size  # prefill together, and apart in two ways
    counted = search()
    taken = _seconds(search)
    out["best layout and front over all candidates"] = {
        "figure": round(taken * 1e3, 1),
        "unit": f"ms for {tried:,} candidates, {counted:,} of them within memory",
        "ratio": round(taken / tried * 50_000, 4),
        "against": "one second for 50,000 candidates",
    }
    return out
