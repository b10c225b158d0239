"""The replay of a finite run: requests queued at once, admission, filling, waves and draining, for many runs side by side."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analytics.accounting import Numbers
from analytics.serving.fleet import Fleet
from analytics.serving.run import Workload, pass_budget

#: Slices an answer is cut into; between slice borders the batch is held constant. Doubling moves throughput by under 1 %.
SLICES = 48


@dataclass(frozen=True)
class Replay:
    """Outcome of finite runs; arrays over runs."""

    seconds: np.ndarray
    output_tokens_per_s_per_chip: np.ndarray  #: NaN where not a single sequence fits
    mean_batch: np.ndarray
    largest_batch: np.ndarray


def replay(
    fleet: Fleet, which: Numbers, workload: Workload, requests: Numbers, most_per_rank: Numbers = 2048, slices: int = SLICES
) -> Replay:
    """Runs of `requests` equal requests that all wait at the start.

    A request is admitted when its input and output fit the cache for good (no eviction), the engine's limit of sequences a rank
    (`most_per_rank`) allows it and the pass has room for its prompt. which, workload, requests, most_per_rank broadcast to runs.
    """
    which, new, output, total, most = np.broadcast_arrays(
        np.atleast_1d(which),
        np.asarray(workload.input_tokens, dtype=float) - workload.cached_tokens,
        np.asarray(workload.output_tokens, dtype=float),
        np.asarray(requests, dtype=float),
        np.asarray(most_per_rank, dtype=float),
    )
    if not np.all(total >= 1):
        raise ValueError(f"requests must be at least 1, got {total.min():g}")
    inputs = np.broadcast_to(np.asarray(workload.input_tokens, dtype=float), which.shape)
    cached = np.broadcast_to(np.asarray(workload.cached_tokens, dtype=float), which.shape)
    data = fleet.data[which]
    fits = np.minimum(fleet.largest_batch(which, inputs + output), most * data)
    runs = fits >= 1
    cap = np.maximum(fits, 1.0)
    ring = np.zeros((slices, len(which)))  # requests by the slice they were admitted in
    left = total.astype(float).copy()
    steps = output / slices  # decode steps of a slice
    seconds, weighted, peak = np.zeros(len(which)), np.zeros(len(which)), np.zeros(len(which))
    age = np.arange(slices)[:, None]
    now = 0
    while np.any(runs & ((left > 1e-9) | (ring.sum(axis=0) > 1e-9))):
        ring[now % slices] = 0.0  # the oldest finish
        batch = ring.sum(axis=0)
        budget = pass_budget(fleet, which, np.maximum(batch, 1.0), new)
        admitted = np.minimum(np.minimum(cap - batch, left), steps * budget * data / new)
        admitted = np.where(runs, np.maximum(admitted, 0.0), 0.0)
        # when less than a fifth of a request would go in by rounding of slices, wait: whole requests only near the end
        ring[now % slices] = admitted
        left = left - admitted
        active = batch + admitted
        ages = np.take(ring, (now - age[:, 0]) % slices, axis=0)
        mean_age = (ages * (age + 0.5)).sum(axis=0) / np.maximum(active, 1e-12) * steps
        context = inputs + mean_age
        decode = fleet.decode_step_s(which, np.maximum(active, 1.0), context)
        passes = admitted * new / data / budget  # full passes of a rank in this slice
        spread = np.minimum(passes * fleet.prefill_spread[which], np.maximum(steps, passes))
        busy = fleet.mixed_step_s(which, active, context, budget, inputs, cached)
        carried = np.where(passes > 0, budget * passes / np.maximum(spread, 1e-30), 0.0)
        mean = fleet.mixed_step_s(which, active, context, carried, inputs, cached)
        time = np.maximum(steps - spread, 0.0) * decode + spread * 0.5 * (busy + mean)
        time = np.where(active > 1e-9, time, 0.0)
        seconds += time
        weighted += time * active
        peak = np.maximum(peak, active)
        now += 1
        if now > 2_000_000:
            raise ValueError("the run is too long to replay: fewer requests or shorter answers are needed")
    with np.errstate(invalid="ignore", divide="ignore"):
        rate = np.where(runs, total * output / seconds / fleet.chips[which], np.nan)
        return Replay(np.where(runs, seconds, np.nan), rate, np.where(runs, weighted / seconds, np.nan), np.where(runs, peak, 0.0))
