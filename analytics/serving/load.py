"""Serving under load: from an arrival rate to time to first token and per output token, as percentiles, and the rate a limit allows.

A replica decodes all admitted sequences together. With n of them a step takes t(n); prompts that arrive take chip time too, so at
arrival rate a each decode step is stretched by 1 / (1 - a p), p the prefill time of a prompt. The number present is then a birth and
death chain: births at rate a, deaths at rate min(n, B) / (O t(min(n, B))), beyond B sequences wait for a slot. For processor sharing
its stationary distribution does not depend on how lengths are distributed (Kelly, 1979), only on their mean.

First token = wait for a slot (exponential tail, as in M/M/c) + rest of the running step (uniform) + wait for prompts ahead (the
Pollaczek-Khinchine mean, exponential) + own prefill. Checked against an event simulation in the tests.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analytics.accounting import Numbers
from analytics.checks import require, require_positive
from analytics.formula import formula

#: Shares of requests reported by default.
SHARES = (0.5, 0.9, 0.95, 0.99)


@formula(
    name="Sequences in flight",
    symbol="N",
    unit="sequences",
    inputs={
        "requests_per_s": ("\\lambda", "1/s"),
        "ttft_s": ("\\mathrm{TTFT}", "s"),
        "output_tokens": ("O", "tokens"),
        "tpot_s": ("\\mathrm{TPOT}", "s"),
    },
    source="Little's law, L = λ W: a request stays for its first token and then a step a token",
)
def sequences_in_flight(requests_per_s, ttft_s, output_tokens, tpot_s):
    """Requests in the system at an arrival rate."""
    return requests_per_s * (ttft_s + (output_tokens - 1) * tpot_s)


@dataclass(frozen=True)
class UnderLoad:
    """A replica under load; arrays of the shape of the arrival rates, percentiles in a last axis in the order of `shares`."""

    stable: np.ndarray  #: whether it keeps up; where not, all else is inf or NaN
    busy_sequences: np.ndarray  #: mean sequences being decoded
    waiting: np.ndarray  #: mean requests without a slot
    wait_chance: np.ndarray  #: share of requests that find no slot
    utilisation: np.ndarray  #: arrival rate over the highest the replica keeps up with
    ttft_s: np.ndarray
    tpot_s: np.ndarray
    mean_tpot_s: np.ndarray
    tokens_per_s: np.ndarray


def under_load(
    requests_per_s: Numbers,
    step_s: np.ndarray,
    prefill_s: float,
    output_tokens: float,
    shares: tuple[float, ...] = SHARES,
    prefill_cv: float = 0.0,
) -> UnderLoad:
    """Percentiles of first-token and per-token times of one replica at arrival rates.

    Parameters: requests_per_s, any shape [1/s]; step_s, decode step with 1, 2, ... B sequences [s] (B = length, the most admitted);
    prefill_s of one prompt [s]; output_tokens, mean length of an answer; shares of requests, as 0.95; prefill_cv, standard deviation
    over mean of prefill times. Returns: UnderLoad. Errors: ValueError.
    """
    rate = require_positive("arrival rate", requests_per_s, "requests per second")
    steps = require_positive("decode step", step_s, "s")
    if steps.ndim != 1:
        raise ValueError(f"decode steps must be one list, by number of sequences, got shape {steps.shape}")
    prompt = float(require_positive("prefill time", prefill_s, "s"))
    length = float(require_positive("output tokens", output_tokens, "tokens"))
    require((np.asarray(shares) > 0) & (np.asarray(shares) < 1), "share of requests", shares, "between 0 and 1")
    flat = rate.ravel()[:, None]
    n = np.arange(1, steps.size + 1)
    free = 1 - flat * prompt  # chip time left for decoding
    keeps_up = free > 0
    stretched = steps / np.where(keeps_up, free, 1.0)
    leave = n / (length * stretched)  # requests finishing per second with n decoding
    last = leave[:, -1:]
    load = flat / last
    stable = (keeps_up & (load < 1))[:, 0]
    ratio = np.where(stable[:, None], load, 0.5)
    log_weight = np.concatenate([np.zeros((flat.size, 1)), np.cumsum(np.log(flat / leave), axis=1)], axis=1)
    weight = np.exp(log_weight - log_weight.max(axis=1, keepdims=True))
    tail = weight[:, -1:] * ratio / (1 - ratio)  # all states with waiting requests
    total = weight.sum(axis=1, keepdims=True) + tail
    present = weight / total
    full = (weight[:, -1:] + tail) / total  # a request that finds B or more decoding waits
    waiting = (tail / total / (1 - ratio))[:, 0]
    in_service = present[:, 1:].copy()
    in_service[:, -1:] = full
    busy = (in_service * n).sum(axis=1)
    tokens = in_service * n / stretched  # tokens per second made in each state
    made = tokens.sum(axis=1)
    order = np.argsort(stretched, axis=1)
    by_time = np.take_along_axis(stretched, order, axis=1)
    share_made = np.cumsum(np.take_along_axis(tokens, order, axis=1), axis=1) / np.maximum(made, 1e-300)[:, None]
    at = np.stack([np.minimum((share_made < s).sum(axis=1), steps.size - 1) for s in shares], axis=1)
    tpot = np.take_along_axis(by_time, at, axis=1)
    mean_step = (in_service * stretched).sum(axis=1) / np.maximum(in_service.sum(axis=1), 1e-300)
    slot_rate = np.maximum(last[:, 0] - flat[:, 0], 1e-12)
    occupied = np.clip(flat[:, 0] * prompt, 0, 1 - 1e-9)
    ahead_mean = occupied * prompt * (1 + prefill_cv**2) / 2 / (1 - occupied)
    prompt_rate = np.where(occupied > 0, occupied / np.maximum(ahead_mean, 1e-15), np.inf)
    in_step = 1 - present[:, 0]
    ttft = _first_token(np.asarray(shares), full[:, 0], slot_rate, occupied, prompt_rate, mean_step * in_step, prompt)

    def shaped(values: np.ndarray, otherwise: float) -> np.ndarray:
        good = stable.reshape((-1,) + (1,) * (values.ndim - 1))
        return np.where(good, values, otherwise).reshape(rate.shape + values.shape[1:])

    return UnderLoad(
        stable.reshape(rate.shape),
        shaped(busy, float(steps.size)),
        shaped(waiting, np.inf),
        shaped(full[:, 0], 1.0),
        (rate / highest_rate(steps, prompt, length)),
        shaped(ttft, np.inf),
        shaped(tpot, np.inf),
        shaped(busy / np.maximum(made, 1e-300), np.inf),
        shaped(flat[:, 0] * length, np.nan),
    )


def _first_token(
    shares: np.ndarray, slot: np.ndarray, slot_rate: np.ndarray, prompt: np.ndarray, prompt_rate: np.ndarray, step: np.ndarray, own: float
) -> np.ndarray:
    """Quantiles of wait for a slot + wait for prompts + rest of a step + own prefill, by bisection of the distribution."""
    grid = (np.arange(6) + 0.5) / 6  # rest of the step, uniform: six equal parts

    def beyond(x: np.ndarray) -> np.ndarray:
        """Chance that the waits exceed x; each is zero with some chance, else exponential."""
        y = x[:, None] - step[:, None] * grid
        a, b = np.where(slot_rate == prompt_rate, slot_rate * (1 + 1e-9), slot_rate)[:, None], prompt_rate[:, None]
        ea, eb = np.exp(-a * np.maximum(y, 0)), np.exp(-np.minimum(b, 1e12) * np.maximum(y, 0))
        b = np.minimum(b, 1e12)
        both = (a * eb - b * ea) / (a - b)
        p, q = slot[:, None], prompt[:, None]
        over = p * (1 - q) * ea + q * (1 - p) * eb + p * q * both
        return np.where(y < 0, 1.0, over).mean(axis=1)

    out = np.empty((slot.size, shares.size))
    top = step + 60 / slot_rate + 60 / np.minimum(prompt_rate, 1e12)
    for i, share in enumerate(shares):
        low, high = np.zeros(slot.size), top.copy()
        for _ in range(32):
            mid = (low + high) / 2
            over = beyond(mid) > 1 - share
            low, high = np.where(over, mid, low), np.where(over, high, mid)
        out[:, i] = (low + high) / 2 + own
    return out


def highest_rate(step_s: np.ndarray, prefill_s: float, output_tokens: float) -> float:
    """Arrival rate a replica just keeps up with [1/s]: prefill and a full batch share the chip, 1 / (p + O t(B) / B)."""
    steps = require_positive("decode step", step_s, "s")
    best = (steps * output_tokens / np.arange(1, steps.size + 1))[-1]
    return float(1.0 / (prefill_s + best))


def capacity(
    step_s: np.ndarray,
    prefill_s: float,
    output_tokens: float,
    ttft_limit_s: float = np.inf,
    tpot_limit_s: float = np.inf,
    share: float = 0.95,
) -> tuple[float, str]:
    """Highest arrival rate at which this share of requests stays within both limits [1/s], and what stops it there.

    Parameters as in `under_load`; limits above 0. Returns: rate (0 where even a lone request misses a limit) and "memory or chip time",
    "first token" or "time per token". The batch may be held below B: the best bound is searched.
    """
    steps = require_positive("decode step", step_s, "s")
    for name, limit in (("limit of the first token", ttft_limit_s), ("limit per token", tpot_limit_s)):
        require(limit > 0, name, limit, "above 0 s")
    if prefill_s >= ttft_limit_s:
        return 0.0, "first token"
    if steps[0] > tpot_limit_s:
        return 0.0, "time per token"
    best, why = 0.0, "time per token"
    for bound in np.unique(np.round(np.geomspace(1, steps.size, 24)).astype(int)):
        own = steps[:bound]
        low, high = 0.0, highest_rate(own, prefill_s, output_tokens)
        if high <= best:
            continue
        tries = np.linspace(low, high, 66)[1:-1]
        for _ in range(3):
            state = under_load(tries, own, prefill_s, output_tokens, (share,))
            good = (state.ttft_s[:, 0] <= ttft_limit_s) & (state.tpot_s[:, 0] <= tpot_limit_s)
            at = np.flatnonzero(good)
            inside = at[-1] if at.size else -1
            lower = tries[inside] if inside >= 0 else low
            upper = tries[inside + 1] if inside + 1 < tries.size else high
            found, failing = lower, min(inside + 1, tries.size - 1)
            reason = "first token" if state.ttft_s[failing, 0] > ttft_limit_s else "time per token"
            reason = "memory or chip time" if inside == tries.size - 1 else reason
            low = lower
            tries = np.linspace(lower, upper, 34)[1:-1]
        if found > best:
            best, why = float(found), reason
    return best, why
