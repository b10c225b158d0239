"""A run in steady state: throughput, time per token, first token and critical sizes of deployments under a workload."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from analytics.accounting import Numbers
from analytics.checks import numbers
from analytics.formula import formula
from analytics.serving import step
from analytics.serving.fleet import Fleet

#: Batches tried when a latency limit decides: 1 to 65,536, eight to the octave, rounded to whole sequences.
BATCH_LADDER = np.unique(np.round(2.0 ** (np.arange(16 * 8 + 1) / 8)))


@dataclass(frozen=True)
class Workload:
    """Requests of one kind, numbers or arrays: prompt, answer and cached prefix in tokens."""

    input_tokens: Numbers
    output_tokens: Numbers
    cached_tokens: Numbers = 0

    def __post_init__(self) -> None:
        for name, low in (("input_tokens", 1), ("output_tokens", 1), ("cached_tokens", 0)):
            value = numbers(f"workload: {name}", getattr(self, name))
            if not np.all((value >= low) & (value <= 1e8)):
                bad = value[~((value >= low) & (value <= 1e8))].flat[0]
                raise ValueError(f"workload: {name} must be from {low} to 100,000,000 tokens, got {bad:g}")
        if np.any(np.asarray(self.cached_tokens) >= np.asarray(self.input_tokens)):
            raise ValueError("workload: cached_tokens must be fewer than input_tokens: at least one token has to be computed")

    @property
    def mean_context(self) -> np.ndarray:
        """Tokens in the cache of a sequence while it decodes, on average: input + output / 2 (fixed lengths)."""
        return np.asarray(self.input_tokens, dtype=float) + np.asarray(self.output_tokens, dtype=float) / 2

    @property
    def final_context(self) -> np.ndarray:
        """Tokens a sequence ends with; what an engine reserves when it never evicts."""
        return np.asarray(self.input_tokens, dtype=float) + self.output_tokens


@dataclass(frozen=True)
class Evaluation:
    """What a batch of a workload does on deployments; arrays of one shape."""

    fits: np.ndarray
    largest_batch: np.ndarray
    prefill_s: np.ndarray
    decode_step_s: np.ndarray
    output_tokens_per_s_per_chip: np.ndarray  #: decoding alone, as on a decode-only replica; NaN where it does not fit
    tokens_per_s_per_user: np.ndarray


@dataclass(frozen=True)
class Steady:
    """A replica in steady state with prefill and decode on the same chips; arrays of one shape."""

    batch: np.ndarray
    step_s: np.ndarray  #: mean step, prefill work included: the time per output token of a user
    ttft_s: np.ndarray  #: admission to first token, without waiting for a slot
    output_tokens_per_s_per_chip: np.ndarray
    input_tokens_per_s_per_chip: np.ndarray
    prefill_share: np.ndarray  #: share of steps that carry a full load of prompt tokens


def check_batch(batch: Numbers) -> np.ndarray:
    """A batch as floats; raises ValueError when it is not positive."""
    batch = numbers("batch", batch)
    if not np.all((batch >= 1) & (batch <= 1e8)):
        raise ValueError(f"batch must be from 1 to 100,000,000 sequences, got {batch[~((batch >= 1) & (batch <= 1e8))].flat[0]:g}")
    return batch


def evaluate(fleet: Fleet, which: Numbers, batch: Numbers, workload: Workload) -> Evaluation:
    """Prefill and decode step time, memory fit and throughput of `batch` sequences of a replica; everything broadcasts.

    which: deployment index; batch: sequences of a replica; prefill is of one prompt; decode is at the mean context.
    """
    which = np.asarray(which)
    batch = check_batch(batch)
    largest = fleet.largest_batch(which, workload.final_context)
    decode = fleet.decode_step_s(which, batch, workload.mean_context)
    prefill = fleet.prefill_s(which, 1, workload.input_tokens, workload.cached_tokens)
    fits = batch <= largest
    rate = np.where(fits, batch / decode, np.nan)
    return Evaluation(fits, largest, prefill, decode, rate / fleet.chips[which], 1.0 / decode)


def evaluate_many(fleet: Fleet, which: Numbers, batch: Numbers, workload: Workload, threads: int = 2, block: int = 16_384) -> Evaluation:
    """`evaluate` for very many configurations: in blocks that stay in cache, on threads (numpy releases the interpreter lock)."""
    columns = np.broadcast_arrays(which, check_batch(batch), workload.input_tokens, workload.output_tokens, workload.cached_tokens)
    shape, flat = columns[0].shape, [column.ravel() for column in columns]
    if len(flat[0]) <= block:
        return evaluate(fleet, which, batch, workload)
    evaluate(fleet, flat[0][:1], flat[1][:1], Workload(*(column[:1] for column in flat[2:])))  # fills the fleet's tables before threads do

    def part(start: int) -> Evaluation:
        index, sequences, *lengths = (column[start : start + block] for column in flat)
        return evaluate(fleet, index, sequences, Workload(*lengths))

    with ThreadPoolExecutor(threads) as pool:
        parts = list(pool.map(part, range(0, len(flat[0]), block)))
    return Evaluation(
        *(np.concatenate([getattr(found, name) for found in parts]).reshape(shape) for name in Evaluation.__dataclass_fields__)
    )


def pass_budget(fleet: Fleet, which: np.ndarray, batch: np.ndarray, new_tokens: np.ndarray) -> np.ndarray:
    """Prompt tokens a full pass carries on a rank beside its decoding sequences: whole prompts where one fits, else a chunk."""
    room = np.maximum(step.PASS_TOKENS - batch / fleet.data[which], 256.0)
    return np.where(new_tokens <= room, np.floor(room / new_tokens) * new_tokens, room)


def steady_state(fleet: Fleet, which: Numbers, batch: Numbers, workload: Workload) -> Steady:
    """Continuous batching with chunked prefill; finished sequences are replaced at once.

    A step carries batch x input / output prompt tokens. Engines fill a pass with prompts as they come, so a share of the steps is
    full of prompt tokens and the rest only decodes. With attention-data ranks every rank waits for those that prefill;
    `Calibration.data_spread` says how far apart they prefill.
    """
    which = np.asarray(which)
    batch = check_batch(batch)
    new = np.asarray(workload.input_tokens, dtype=float) - workload.cached_tokens
    rank = batch / fleet.data[which]
    budget = pass_budget(fleet, which, batch, new)
    full = rank * new / workload.output_tokens / budget  # full passes per step; above 1 the step stretches over several
    spread = np.minimum(full * fleet.prefill_spread[which], np.maximum(full, 1.0))
    share = np.minimum(spread, 1.0)
    carried = np.where(spread > 0, budget * full / np.maximum(spread, 1e-30), 0.0)
    held = fleet.held_tokens(which, workload.input_tokens, workload.final_context)
    decode = fleet.decode_step_s(which, batch, workload.mean_context, held)
    # a pass in which some ranks prefill: the busiest has a full load, the mean rank `carried`
    inputs, cached, context = workload.input_tokens, workload.cached_tokens, workload.mean_context
    busy = fleet.mixed_step_s(which, batch, context, budget, inputs, cached, held)
    mean = fleet.mixed_step_s(which, batch, context, np.minimum(carried, budget), inputs, cached, held)
    loaded = 0.5 * (busy + mean)
    time = (1 - share) * decode + share * loaded * np.maximum(spread, 1.0)
    ttft = np.ceil(new / budget) * loaded
    rate = batch / time / fleet.chips[which]
    return Steady(batch + 0 * time, time, ttft, rate, rate * workload.input_tokens / workload.output_tokens, share)


def best_choice(
    fleet: Fleet, which: Numbers, workload: Workload, tpot_limit_s: float = np.inf, ttft_limit_s: float = np.inf
) -> tuple[int, Steady] | None:
    """The deployment among `which` and its batch with the highest throughput within limits, and its steady state; None where none is.

    Limits hold for the mean step and the first token without waiting. A batch is limited by memory and by the engine's setting
    (`Calibration.most_per_rank`). One workload at a time.
    """
    which = np.atleast_1d(which)
    fits = np.floor(np.minimum(fleet.largest_batch(which, workload.final_context), fleet.most_per_rank[which] * fleet.data[which]))
    which, fits = which[fits >= 1], fits[fits >= 1]
    if not len(which):
        return None
    ladder = BATCH_LADDER[: np.searchsorted(BATCH_LADDER, fits.max()) + 1]
    batches = np.minimum(ladder[None, :], fits[:, None])
    state = steady_state(fleet, which[:, None], batches, workload)
    allowed = (state.step_s <= tpot_limit_s) & (state.ttft_s <= ttft_limit_s)
    if not np.any(allowed):
        return None
    at = np.unravel_index(int(np.argmax(np.where(allowed, state.output_tokens_per_s_per_chip, -1.0))), batches.shape)
    return int(which[at[0]]), Steady(**{name: np.asarray(getattr(state, name))[at] for name in state.__dataclass_fields__})


def best_under_limits(
    fleet: Fleet, which: int, workload: Workload, tpot_limit_s: float = np.inf, ttft_limit_s: float = np.inf
) -> Steady | None:
    """The best steady state of one deployment within limits (`best_choice`); None where no batch keeps them."""
    found = best_choice(fleet, which, workload, tpot_limit_s, ttft_limit_s)
    return found[1] if found else None


@formula(
    name="Critical batch of a dense model",
    symbol="B^*",
    unit="sequences",
    inputs={"peak_flop_per_s": ("F", "FLOP/s"), "bandwidth_bytes_per_s": ("W", "B/s"), "bytes_per_weight": ("b_w", "B")},
    source="roofline: 2 FLOPs a weight and token against b_w bytes a weight; Pope et al., arXiv 2211.05102, section 3",
)
def critical_batch(peak_flop_per_s, bandwidth_bytes_per_s, bytes_per_weight):
    """Batch at which decode spends as long multiplying as reading weights, attention aside."""
    return peak_flop_per_s * bytes_per_weight / (2 * bandwidth_bytes_per_s)


@formula(
    name="Critical batch of a mixture of experts",
    symbol="B^*_{\\mathrm{MoE}}",
    unit="sequences",
    inputs={
        "peak_flop_per_s": ("F", "FLOP/s"),
        "bandwidth_bytes_per_s": ("W", "B/s"),
        "bytes_per_weight": ("b_w", "B"),
        "experts": ("E", ""),
        "experts_per_token": ("k", ""),
    },
    source="roofline of the routed part once nearly all experts are hit: weights of E experts against products with k",
)
def critical_batch_moe(peak_flop_per_s, bandwidth_bytes_per_s, bytes_per_weight, experts, experts_per_token):
    """Batch at which the routed experts of a decode step become compute-bound."""
    return experts / experts_per_token * peak_flop_per_s * bytes_per_weight / (2 * bandwidth_bytes_per_s)


@formula(
    name="Experts read by a step",
    symbol="E_{hit}",
    unit="experts",
    inputs={"experts": ("E", ""), "experts_per_token": ("k", ""), "tokens": ("n", "tokens")},
    source="expected distinct experts when n tokens choose k of E each, evenly and independently",
)
def experts_read(experts, experts_per_token, tokens):
    """Distinct experts of a layer that a step's tokens choose together."""
    return experts * (1 - (1 - experts_per_token / experts) ** tokens)


@formula(
    name="Critical context",
    symbol="S^*",
    unit="tokens",
    inputs={
        "active_params": ("N", ""),
        "bandwidth_bytes_per_s": ("W", "B/s"),
        "peak_flop_per_s": ("F", "FLOP/s"),
        "kv_bytes_per_token": ("k", "B"),
    },
    source="roofline: 2 N FLOPs a token against S k cache bytes a token; longer contexts are memory-bound at any batch",
)
def critical_context(active_params, bandwidth_bytes_per_s, peak_flop_per_s, kv_bytes_per_token):
    """Context beyond which reading a sequence's cache takes longer than multiplying its token, whatever the batch."""
    return 2 * active_params * bandwidth_bytes_per_s / (peak_flop_per_s * kv_bytes_per_token)
