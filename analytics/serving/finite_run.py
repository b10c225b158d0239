"""The replay of a finite run: requests queued at once, admission, filling, waves and draining, for many runs side by side."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analytics.accounting import Numbers
from analytics.serving.fleet import Fleet
from analytics.serving.run import Workload, pass_budget

#: Slices an answer is cut into; between slice borders the batch is held constant. Doubling moves throughput by under 2 %.
SLICES = 48
#: Of runs longer than this many fillings of the cache, whole fillings are left out and passed at the pace of the middle ones; from half a
#: filling, because a whole one ends where admission pauses.
_REPLAYED, _PACE_FROM, _PACE_TO = 6.0, 2.5, 4.5


@dataclass(frozen=True)
class Replay:
    """Outcome of finite runs; arrays over runs."""

    seconds: np.ndarray
    output_tokens_per_s_per_chip: np.ndarray  #: NaN where not a single sequence fits
    mean_batch: np.ndarray
    largest_batch: np.ndarray


def replay(fleet: Fleet, which: Numbers, workload: Workload, requests: Numbers, slices: int = SLICES) -> Replay:
    """Runs of `requests` equal requests that all wait at the start.

    A request is admitted when its input and output fit the cache for good (no eviction), the engine's limit of sequences a rank
    (`Calibration.most_per_rank`) allows it and the pass has room for its prompt. which, workload and requests broadcast to runs.
    """
    which, new, output, total = np.broadcast_arrays(
        np.atleast_1d(which),
        np.asarray(workload.input_tokens, dtype=float) - workload.cached_tokens,
        np.asarray(workload.output_tokens, dtype=float),
        np.asarray(requests, dtype=float),
    )
    if not np.all(total >= 1):
        raise ValueError(f"requests must be at least 1, got {total.min():g}")
    inputs = np.broadcast_to(np.asarray(workload.input_tokens, dtype=float), which.shape)
    cached = np.broadcast_to(np.asarray(workload.cached_tokens, dtype=float), which.shape)
    data = fleet.data[which]
    fits = np.minimum(fleet.largest_batch(which, inputs + output), fleet.most_per_rank[which] * data)
    runs = fits >= 1
    cap = np.maximum(fits, 1.0)
    ring = np.zeros((slices, len(which)))  # requests by the slice they were admitted in
    replayed = total - np.maximum(np.floor(total / cap) - _REPLAYED, 0.0) * cap
    left = replayed.copy()
    marks = np.full((2, len(which)), np.nan)  # when the requests of _PACE_FROM and of _PACE_TO fillings had been admitted
    steps = output / slices  # decode steps of a slice
    seconds, weighted, peak = np.zeros(len(which)), np.zeros(len(which)), np.zeros(len(which))
    age = np.arange(slices)[:, None]
    held_at = fleet.held_tokens(which, inputs + age * steps, inputs + (age + 1) * steps)
    now = 0
    while np.any(runs & ((left > 1e-9) | (ring.sum(axis=0) > 1e-9))):
        ring[now % slices] = 0.0  # the oldest finish
        batch = ring.sum(axis=0)
        budget = pass_budget(fleet, which, np.maximum(batch, 1.0), new)
        admitted = np.minimum(np.minimum(cap - batch, left), steps * budget * data / new)
        admitted = np.where(runs, np.maximum(admitted, 0.0), 0.0)
        ring[now % slices] = admitted
        left = left - admitted
        active = batch + admitted
        ages = np.take(ring, (now - age[:, 0]) % slices, axis=0)
        held = (ages * held_at).sum(axis=0) / np.maximum(active, 1e-12)
        mean_age = (ages * (age + 0.5)).sum(axis=0) / np.maximum(active, 1e-12) * steps
        context = inputs + mean_age
        decode = fleet.decode_step_s(which, np.maximum(active, 1.0), context, held)
        passes = admitted * new / data / budget  # full passes of a rank in this slice
        spread = np.minimum(passes * fleet.prefill_spread[which], np.maximum(steps, passes))
        busy = fleet.mixed_step_s(which, active, context, budget, inputs, cached, held)
        carried = np.where(passes > 0, budget * passes / np.maximum(spread, 1e-30), 0.0)
        mean = fleet.mixed_step_s(which, active, context, carried, inputs, cached, held)
        time = np.maximum(steps - spread, 0.0) * decode + spread * 0.5 * (busy + mean)
        time = np.where(active > 1e-9, time, 0.0)
        seconds += time
        weighted += time * active
        peak = np.maximum(peak, active)
        taken = replayed - left
        for mark, fillings in zip(marks, (_PACE_FROM, _PACE_TO), strict=True):
            share = (fillings * cap - (taken - admitted)) / np.maximum(admitted, 1e-12)
            reached = np.isnan(mark) & (taken >= fillings * cap)
            mark[reached] = (seconds - (1 - share) * time)[reached]
        now += 1
        if now > 2_000_000:
            raise ValueError("the run is too long to replay: fewer requests or shorter answers are needed")
    with np.errstate(invalid="ignore", divide="ignore"):
        pace = (marks[1] - marks[0]) / ((_PACE_TO - _PACE_FROM) * cap)
        rest = np.where(replayed < total, (total - replayed) * pace, 0.0)
        weighted, seconds = weighted + rest * cap, seconds + rest
        rate = np.where(runs, total * output / seconds / fleet.chips[which], np.nan)
        return Replay(np.where(runs, seconds, np.nan), rate, np.where(runs, weighted / seconds, np.nan), np.where(runs, peak, 0.0))
