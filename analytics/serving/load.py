"""Serving under load: from an arrival rate to time to first token and per output token, as percentiles, and the rate a limit allows.

A replica decodes all admitted sequences together. With n of them a step takes t(n); prompts that arrive stop it, so at arrival rate a
each decode step is stretched by 1 / (1 - a p), p the prefill time of a prompt. Counted in decode time alone, prompts arrive in batches:
one, and all that came while it and they were read, the customers of a busy period (mean 1 / (1 - a p), after Borel 1942). The number
present is then a chain that batches lift and that falls at rate min(n, B) / (O t(min(n, B))); beyond B sequences wait for a slot. With
geometric batches of the same two moments it has a product form. Without prompts it is a birth and death chain, whose stationary
distribution as processor sharing does not depend on how lengths are distributed (Kelly, 1979), only on their mean.

First token = wait for a slot (the chance from the chain, the length exponential with the Pollaczek-Khinchine mean of the queue whose
service is a prefill and the time between two departures of a full batch) + rest of the running step (uniform) + wait for prompts ahead
(the same mean, of prefills alone) + own prefill. Time per token = that of an answer of mean length: how many decode beside it, and how
many prompts happen to interrupt it (a delay busy period: Kleinrock, Queueing Systems I, 5.10). Checked against an event simulation in the
tests. Left out: prompts that arrive while others are read hold those back as well, so where prompts take over half of the chip the time
per token comes out up to a third too short.

Measured with 64 slots, steps of 10 ms and 0.4 ms a sequence, prompts of 50 ms and answers of 200 tokens: the 95th percentile of the first
token is 0.13, 0.70 and 4.6 s at 85, 90 and 95 % of the highest rate; eight event simulations of 20,000 requests each have a mean of
0.12 (from 0.11 to 0.15), 0.84 (from 0.25 to 2.1) and 4.5 s (from 2.8 to 6.9). From 30 to 95 % the median is 1 to 10 % above the mean of
the simulated medians. That is of this shape: with prompts of 10 ms and answers of 500 tokens at 95 %, where one jam can last through most
of a run, simulated medians go from 0.03 to 1.3 s and the model says 0.04. The tests hold this shape to 15 % in the median, and in the 95th
percentile to 10 to 15 % up to 80 % of the highest rate and to half at 90 and 95 %, against means of two to six runs of 8,000 requests.

Two numbers say all about the chain of a replica: its load r, arrivals over the rate at which B sequences leave, and how lumpy arrivals
are in decode time. So many questions to one replica (draws of a doubtful rate, length, prefill or step) are answered from one table.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from analytics.accounting import Numbers
from analytics.checks import numbers, one_number, require, require_at_least, require_positive
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


#: Loads at which a replica's table is made: even in r^(1/4), closer where it is nearly idle and where it is nearly full.
LOADS = np.linspace(0.03, 1.0, 513) ** 4
#: Steps of lumpiness in the table of a capacity.
LUMPS = 5
#: Batches at which an engine's limit of sequences is tried when a capacity is searched.
BOUNDS = 24


@dataclass(frozen=True)
class UnderLoad:
    """A replica under load; arrays of the broadcast shape, percentiles in a last axis in the order of `shares`."""

    stable: np.ndarray  #: whether it keeps up; where not, all else is inf or NaN
    busy_sequences: np.ndarray  #: mean sequences being decoded
    waiting: np.ndarray  #: mean requests without a slot
    wait_chance: np.ndarray  #: share of requests that find no slot
    utilisation: np.ndarray  #: arrival rate over the highest the replica keeps up with
    ttft_s: np.ndarray
    tpot_s: np.ndarray  #: of an answer of mean length, its time after the first token over its tokens
    mean_tpot_s: np.ndarray
    tokens_per_s: np.ndarray


def _lumpiness(busy: np.ndarray, cv: Numbers) -> np.ndarray:
    """Chance q that a batch of arrivals in decode time goes on: geometric batches with the two moments of those of a busy period.

    With ρ = a p the share of prefill and N the customers of an M/G/1 busy period, E[N²] / E[N] = (1 + ρ² cv²) / (1 - ρ)² (Kleinrock, Queueing
    Systems I, 5.9); of geometric batches it is (1 + q) / (1 - q).
    """
    spread = (1 + (busy * cv) ** 2) / (1 - busy) ** 2
    return np.minimum(1 - 2 / (spread + 1), 1 - 1e-9)


def _chain(steps: np.ndarray, load: np.ndarray, lumps: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """What the chain of a replica looks like at loads r and lumpiness q, its waiting room aside; one row of figures for each.

    With m_n the rate at which one of n leaves over that of B, what crosses from n to n + 1 balances where
    w_(n+1) m_(n+1) = w_n ((1 - q) r + q m_n); over r and summed it is also how often an arrival finds n. With w_n the weight of n present
    and A their sum over 0..B: ln w_B/A, mean n, mean step of states 1..B, mean step that an arrival joins; then for each share the step
    that this share of tokens does not exceed, waiting requests counted (a token is made with n + 1 present as often as an arrival finds n).
    """
    most = steps.size
    n = np.arange(most + 1.0)
    leave = np.concatenate([[0.0], n[1:] / steps * (steps[-1] / most)])
    cross = lumps[:, None] * leave[:-1] + ((1 - lumps) * load)[:, None]
    log_weight = np.zeros((load.size, most + 1))
    np.cumsum(np.log(cross / leave[1:]), axis=1, out=log_weight[:, 1:])
    log_weight -= log_weight.max(axis=1, keepdims=True)
    weight = np.exp(log_weight)
    total = weight.sum(axis=1)
    chance = weight / total[:, None]
    found = chance[:, :-1] * cross / load[:, None]
    below = np.cumsum(found, axis=1) * _unfilled(chance[:, -1], _beyond_full(load, lumps))[:, None]
    slowest = np.maximum.accumulate(steps)  # measured kernels are not monotone to the percent
    at = [np.minimum((below < share).sum(axis=1), most - 1) for share in shares]
    means = [chance @ n, chance[:, 1:] @ steps, found @ steps]
    return np.stack([log_weight[:, -1] - np.log(total), *means, *(slowest[i] for i in at)], axis=-1)


def _beyond_full(load: np.ndarray, lumps: Numbers) -> np.ndarray:
    """Ratio s of the weights of two numbers present that follow each other, where all slots are taken."""
    return load + lumps * (1 - load)


def _unfilled(full: np.ndarray, ratio: np.ndarray) -> np.ndarray:
    """Share of the states without a waiting room that stays when there is one: (1 - s) / (1 - s + s w_B/A)."""
    return (1 - ratio) / (1 - ratio + full * ratio)


def _full(last: np.ndarray, load: np.ndarray, lumps: Numbers) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Share of states that stays with a waiting room, share of decode time with all slots taken, share of arrivals that find it so."""
    ratio = _beyond_full(load, lumps)
    taken = last / (1 - ratio + ratio * last)
    return _unfilled(last, ratio), taken, taken * ratio / load


def _between(table: np.ndarray, load: np.ndarray, lumps: np.ndarray, knots: np.ndarray, which: np.ndarray | int = 0) -> np.ndarray:
    """Rows of tables over even knots of lumpiness and LOADS (table, knot, load, figure), linear in lumpiness and r^(1/4)."""
    place = (np.sqrt(np.sqrt(np.clip(load, LOADS[0], LOADS[-1]))) - 0.03) * ((LOADS.size - 1) / 0.97)
    at = np.minimum(place.astype(int), LOADS.size - 2)
    part = (place - at)[:, None]
    row = np.clip((lumps - knots[0]) / (knots[1] - knots[0]), 0, knots.size - 1)
    knot = np.minimum(row.astype(int), knots.size - 2)
    corner = (which * knots.size + knot) * LOADS.size + at
    flat = table.reshape(-1, table.shape[-1])  # one index is several times quicker than three
    low, high = (flat.take(c, axis=0) * (1 - part) + flat.take(c + 1, axis=0) * part for c in (corner, corner + LOADS.size))
    return low + (high - low) * (row - knot)[:, None]


def _figures(steps: np.ndarray, load: np.ndarray, lumps: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """`_chain` of each load and lumpiness, or rows from a table where that takes fewer chains.

    Over a width h of lumpiness ln w_B/A bends by B h² / 8 at most: with h = 1 / (4 √B) by less than 1 %.
    """
    low, high = lumps.min(initial=1.0), lumps.max(initial=0.0) + 1e-9
    knots = np.linspace(low, high, 2 + int(4 * np.sqrt(steps.size) * max(high - low, 0)))
    if load.size <= knots.size * LOADS.size:
        return _chain(steps, load, lumps, shares)
    return _between(_tables(steps, knots, shares)[None], load, lumps, knots)


def _tables(steps: np.ndarray, knots: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """`_chain` at each knot of lumpiness and LOADS; shape (knots, loads, figures)."""
    return np.stack([_chain(steps, LOADS, np.full(LOADS.size, knot), shares) for knot in knots])


@functools.lru_cache(maxsize=64)
def _tables_of_bounds(steps: tuple[float, ...], bounds: tuple[int, ...], knots: tuple[float, ...], share: float) -> np.ndarray:
    """The tables of a replica whose batch is held below each bound; kept, since limits, rates and prompts are no part of them."""
    tables = np.stack([_tables(np.array(steps[:bound]), np.array(knots), np.array([share])) for bound in bounds])
    tables.flags.writeable = False
    return tables


def under_load(
    requests_per_s: Numbers,
    step_s: np.ndarray,
    prefill_s: Numbers,
    output_tokens: Numbers,
    shares: tuple[float, ...] = SHARES,
    prefill_cv: Numbers = 0.0,
    step_factor: Numbers = 1.0,
) -> UnderLoad:
    """Percentiles of first-token and per-token times of one replica at arrival rates.

    Parameters (all but the steps and shares broadcast): requests_per_s [1/s]; step_s, decode step with 1, 2, ... B sequences [s]
    (B = length, the most admitted); prefill_s of one prompt [s]; output_tokens, mean length of an answer; shares of requests, as
    0.95; prefill_cv, standard deviation over mean of prefill times; step_factor on all steps, for a doubtful model. Returns:
    UnderLoad. Errors: ValueError.
    """
    given = (
        require_positive("arrival rate", requests_per_s, "requests per second"),
        require_positive("prefill time", prefill_s, "s"),
        require_positive("output tokens", output_tokens, "tokens"),
        require_positive("factor on steps", step_factor),
        require_at_least("variation of prefill times", prefill_cv, 0),
    )
    steps = _steps(step_s)
    wanted = np.atleast_1d(numbers("share of requests", shares))
    require((wanted > 0) & (wanted < 1), "share of requests", wanted, "between 0 and 1")
    arrays = np.broadcast_arrays(*given)
    shape, (rate, prompt, length, factor, cv) = arrays[0].shape, (v.ravel() for v in arrays)
    free = 1 - rate * prompt  # chip time left for decoding
    stretch = factor / np.where(free > 0, free, 1.0)
    load = rate * length * stretch * steps[-1] / steps.size
    stable = (free > 0) & (load < 1)
    r = np.where(stable, load, 0.5)
    lumps = np.where(stable, _lumpiness(np.where(stable, rate * prompt, 0.0), cv), 0.0)
    chain = _figures(steps, r, lumps, wanted)
    last = np.exp(chain[:, 0])
    kept, taken, full = _full(last, r, lumps)
    waits = _waits(rate, r, lumps, prompt, cv, chain, steps[-1], stretch)
    busy = kept * (chain[:, 1] - steps.size * last) + steps.size * taken
    joined = kept * chain[:, 3] + steps[-1] * full
    z = np.array([_normal_quantile(share) for share in wanted])
    tpot = _per_token(z, chain[:, 4:], *(v[:, None] for v in (joined, stretch, rate * prompt, length * factor * rate * free / (1 + cv**2))))
    ttft = _first_token(wanted, *waits) + prompt[:, None]

    def shaped(values: np.ndarray, otherwise: float) -> np.ndarray:
        good = stable.reshape((-1,) + (1,) * (values.ndim - 1))
        return np.where(good, values, otherwise).reshape(shape + values.shape[1:])

    return UnderLoad(
        stable.reshape(shape),
        shaped(busy, float(steps.size)),
        shaped(rate * full / waits[1], np.inf),
        shaped(full, 1.0),
        (rate / highest_rate(steps, prompt, length * factor)).reshape(shape),
        shaped(ttft, np.inf),
        shaped(np.maximum(tpot, factor[:, None] * steps[0]), np.inf),
        shaped(joined * stretch, np.inf),
        shaped(rate * length, np.nan),
    )


def _normal_quantile(share: float) -> float:
    return NormalDist().inv_cdf(float(share))


def _per_token(
    z: Numbers, step: np.ndarray, mean_step: np.ndarray, stretch: np.ndarray, busy: np.ndarray, visits: np.ndarray
) -> np.ndarray:
    """Time per token that a share of answers does not exceed [s].

    Parameters: z, normal quantile of the share; step, bare step that this share of tokens does not exceed, and its mean [s]; stretch of
    steps by prompts; busy, share a p of the chip that prompts take; visits, of prompts to an answer a second of step, L a (1 - a p) / (1 + cv²).
    An answer of L tokens is work w = L s, stretched by prompts to a mean of w / (1 - a p) with variance w a p² (1 + cv²) / (1 - a p)³.
    What prompts add is taken as gamma, its quantile after Wilson and Hilferty (1931); its distance from the mean and that of the step
    are independent, so they add as squares where they point the same way.
    """
    root = 1 / (3 * np.sqrt(np.maximum(visits * mean_step, 1e-9)))
    added = np.maximum(1 + root * (z - root), 0.0)  # cubed, what prompts add over its mean
    middle = mean_step * stretch
    by_step, by_prompts = step * stretch - middle, middle * busy * (added * added * added - 1)
    together = np.copysign(np.sqrt(by_step * by_step + by_prompts * by_prompts), by_step)
    return middle + np.where(by_step * by_prompts > 0, together, by_step + by_prompts)


def _steps(step_s: Numbers) -> np.ndarray:
    steps = require_positive("decode step", step_s, "s")
    if steps.ndim != 1 or not steps.size:
        raise ValueError(f"decode steps must be one list, by number of sequences, got shape {steps.shape}")
    return steps


def _waits(
    rate: np.ndarray,
    load: np.ndarray,
    lumps: np.ndarray,
    prompt: np.ndarray,
    cv: Numbers,
    chain: np.ndarray,
    slowest: Numbers,
    stretch: np.ndarray,
) -> tuple[np.ndarray, ...]:
    """The waits before a prompt is read: chance and rate [1/s] of one for a slot and of one for prompts ahead, mean step found [s].

    A request that waits for a slot is behind others, each of which takes the time d between two departures of a full batch
    (exponential) and its own prefill: mean wait E[(d + p)²] / (2 E[d + p] (1 - a E[d + p])).
    """
    last = np.exp(chain[:, 0])
    kept, taken, full = _full(last, load, lumps)
    busy = np.clip(rate * prompt, 0, 1 - 1e-9)
    gap = (1 - busy) * load / rate
    service = gap + busy / rate
    square = service**2 + gap**2 + (prompt * np.asarray(cv)) ** 2
    slot_rate = np.maximum(2 * service * (1 - busy) * (1 - load) / square, 1e-12)
    step = (kept * (chain[:, 2] - slowest * last) + slowest * taken) * stretch
    return full, slot_rate, busy, 2 * (1 - busy) / (prompt * (1 + np.asarray(cv) ** 2)), step


def _beyond(
    x: np.ndarray, slot: np.ndarray, slot_rate: np.ndarray, prompt: np.ndarray, prompt_rate: np.ndarray, step: np.ndarray
) -> np.ndarray:
    """Chance that waits exceed x [s]: slot and prompts, each exponential with its chance, and the rest of a step, uniform."""
    a = np.where(np.abs(slot_rate - prompt_rate) < 1e-9 * prompt_rate, slot_rate * (1 + 1e-6), slot_rate)
    both = slot * prompt / (a - prompt_rate)
    inside = np.minimum(x, step)
    out = 1 - inside / np.maximum(step, 1e-300)  # the step alone is longer
    for rate, share in ((a, slot * (1 - prompt) - both * prompt_rate), (prompt_rate, prompt * (1 - slot) + both * a)):
        thin = rate * step < 1e-9
        mean = -np.expm1(-rate * inside) * np.exp(-rate * (x - inside)) / np.where(thin, 1.0, rate * step)
        out = out + share * np.where(thin, np.exp(-rate * x) * (inside / np.maximum(step, 1e-300)), mean)
    return out


def _first_token(
    shares: np.ndarray, slot: np.ndarray, slot_rate: np.ndarray, prompt: np.ndarray, prompt_rate: np.ndarray, step: np.ndarray
) -> np.ndarray:
    """Quantiles of the waits before a prompt is read, by bisection of their distribution."""
    low = np.zeros((slot.size, shares.size))
    high = low + (step + 60 / slot_rate + 60 / prompt_rate)[:, None]
    waits = tuple(v[:, None] for v in (slot, slot_rate, prompt, prompt_rate, step))
    for _ in range(32):
        middle = (low + high) / 2
        over = _beyond(middle, *waits) > 1 - shares
        low, high = np.where(over, middle, low), np.where(over, high, middle)
    return (low + high) / 2


def highest_rate(step_s: np.ndarray, prefill_s: Numbers, output_tokens: Numbers) -> np.ndarray:
    """Arrival rate a replica just keeps up with [1/s]: prefill and a full batch share the chip, 1 / (p + O t(B) / B); broadcasts."""
    steps = _steps(step_s)
    prompt = require_positive("prefill time", prefill_s, "s")
    return 1.0 / (prompt + require_positive("output tokens", output_tokens, "tokens") * steps[-1] / steps.size)


def capacity(
    step_s: np.ndarray,
    prefill_s: Numbers,
    output_tokens: Numbers,
    ttft_limit_s: Numbers = np.inf,
    tpot_limit_s: Numbers = np.inf,
    share: float = 0.95,
    step_factor: Numbers = 1.0,
) -> tuple[np.ndarray, np.ndarray]:
    """Highest arrival rate at which this share of requests stays within both limits [1/s], and what stops it there.

    Parameters as in `under_load` (prefill, length, limits above 0 and factor broadcast). Returns: rates (0 where even a lone request
    misses a limit) and for each "memory or chip time", "first token" or "time per token". The batch may be held below B: the largest
    of 24 bounds that keeps the time per token is taken, since a larger batch only shortens the wait. Rates are found by bisection.
    """
    share = one_number("share of requests", share)
    require(0 < share < 1, "share of requests", share, "between 0 and 1")
    given = [require_positive("prefill time", prefill_s, "s"), require_positive("output tokens", output_tokens, "tokens")]
    for name, limit in (("limit of the first token", ttft_limit_s), ("limit per token", tpot_limit_s)):
        given.append(numbers(name, limit))
        require(given[-1] > 0, name, given[-1], "above 0 s")
    arrays = np.broadcast_arrays(*given, require_positive("factor on steps", step_factor))
    shape, (prompt, length, ttft, tpot, factor) = arrays[0].shape, (v.ravel() for v in arrays)
    steps = _steps(step_s)
    bounds = np.unique(np.round(np.geomspace(1, steps.size, BOUNDS)).astype(int))
    most_busy = np.max(prompt / (prompt + length * factor * (steps[bounds - 1] / bounds).min()), initial=0.0)
    idle = 1 - float(_lumpiness(np.minimum(most_busy, 1 - 1e-9), 0.0))
    upper = 1 - 0.9 ** (np.floor(np.log(idle) / np.log(0.9)) + 1)  # in steps of a tenth of what is left to 1, so that tables are met again
    knots = np.linspace(0.0, upper, LUMPS)
    tables = _tables_of_bounds(tuple(steps), tuple(bounds), tuple(knots), share)
    kept, _, full = _full(np.exp(tables[..., 0]), LOADS, knots[:, None])
    mean_step = kept * tables[..., 3] + steps[bounds - 1, None, None] * full
    step_and_mean, z = np.stack([tables[..., 4], mean_step], axis=-1), _normal_quantile(share)
    pace = steps[bounds - 1] / bounds  # seconds of a full batch for a token

    def held(rate: np.ndarray, least: np.ndarray, most: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Place of the largest bound (-1: none) that keeps the time per token, whether it keeps up, and the first token."""
        busy = rate * prompt
        free = 1 - busy
        stretch = factor / np.maximum(free, 1e-12)
        work, visits = rate * length * stretch, length * factor * rate * np.maximum(free, 1e-12)
        lumps = _lumpiness(np.minimum(busy, most_busy), 0.0)
        low, high = least.copy(), most + 1  # places at a higher and at a lower rate: more arrivals never allow a larger bound
        while (open_rows := np.flatnonzero(high - low > 1)).size:
            middle = (low[open_rows] + high[open_rows]) // 2
            found = _between(step_and_mean, work[open_rows] * pace[middle], lumps[open_rows], knots, middle)
            fits = _per_token(z, found[:, 0], found[:, 1], stretch[open_rows], busy[open_rows], visits[open_rows]) <= tpot[open_rows]
            low[open_rows], high[open_rows] = np.where(fits, middle, low[open_rows]), np.where(fits, high[open_rows], middle)
        bound = np.maximum(low, 0)
        load = work * pace[bound]
        keeps_up = (free > 0) & (load < 1)
        r = np.where(keeps_up, load, 0.5)
        waits = _waits(rate, r, lumps, prompt, 0.0, _between(tables, r, lumps, knots, bound), steps[bounds[bound] - 1], stretch)
        soon = _beyond(np.maximum(ttft - prompt, 0.0), *waits) <= 1 - share
        return low, keeps_up, soon

    low, high = np.zeros(prompt.size), 1 / (prompt + length * factor * pace.min())
    least, most = np.full(prompt.size, -1), np.full(prompt.size, bounds.size - 1)
    for _ in range(14):
        middle = (low + high) / 2
        place, keeps_up, soon = held(middle, least, most)
        good = (place >= 0) & keeps_up & soon
        low, high = np.where(good, middle, low), np.where(good, high, middle)
        least, most = np.where(good, least, place), np.where(good, place, most)
    place, keeps_up, soon = held(high, least, most)
    why = np.where(
        (place < 0) | (~keeps_up & (place < bounds.size - 1)),
        "time per token",
        np.where(keeps_up & ~soon, "first token", "memory or chip time"),
    )
    late, slow = prompt >= ttft, factor * steps[0] > tpot
    rate = np.where(late | slow, 0.0, low)
    return rate.reshape(shape), np.where(late, "first token", np.where(slow, "time per token", why)).reshape(shape)
