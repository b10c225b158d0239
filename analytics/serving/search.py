"""The best layout: every way to spread a model over chips, what fits, what is fastest or cheapest, and the front between the two."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analytics.accounting import Numbers
from analytics.checks import one_number, require_at_least, require_positive, require_whole
from analytics.serving.chips import Chip, counted
from analytics.serving.fleet import Deployment, Fleet
from analytics.serving.layout import Layout, rank_kv_bytes
from analytics.serving.pools import disaggregated
from analytics.serving.precision import Precision
from analytics.serving.run import BATCH_LADDER, Workload, check_batch, steady_state
from analytics.serving.shapes import Shape
from analytics.serving.step import PASS_TOKENS

#: Most chips a layout is looked for: as many as a layout may name on one axis.
MOST_CHIPS = 16_384


def layouts(shape: Shape, chips: int, domain: int = 8, pipelines: bool = False) -> list[Layout]:
    """Ways engines spread a model over exactly `chips` chips.

    Tensor parallelism stays inside one fast domain (its all-reduces run twice a layer); the rest is attention-data parallelism.
    Experts are spread over all chips of a stage, over the tensor group, or split like the rest. `pipelines` also tries stages.
    Parameters: shape; chips, at least 1; domain, chips joined by the fast link. Returns: layouts possible for the shape.
    """
    chips = require_whole("chips", chips, 1, MOST_CHIPS)
    found = []
    for stages in _divisors(chips) if pipelines else [1]:
        for tensor in _divisors(chips // stages):
            if tensor > domain:
                continue
            data = chips // stages // tensor
            spreads = {1, tensor * data} if shape.moe_layers else {1}
            for expert in sorted(spreads):
                layout = Layout(tensor=tensor, data=data, expert=expert, pipeline=stages)
                whole_copies = data > 1 and expert == 1 and shape.moe_layers > 0
                if layout.problem(shape) is None and not whole_copies:
                    found.append(layout)
    return found


def most_sequences(shape: Shape, chip: Chip, chips: int, precision: Precision, context: Numbers) -> tuple[np.ndarray, list[str]]:
    """Most sequences at a context that fit on `chips` chips together, over the layouts, and the layout that holds them.

    Parameters: shape; chip; chips; precision; context [tokens], array. Returns: sequences (float, 0 where the weights alone do not
    fit), and for each context the layout in words ("" where nothing fits). Independent replicas of fewer chips count too.
    """
    context = np.atleast_1d(require_positive("context", context, "tokens"))
    chips = require_whole("chips", chips, 1, MOST_CHIPS)
    best = np.zeros(context.shape)
    words = [""] * context.size
    for group in _divisors(chips):
        for layout in layouts(shape, group, chip.domain):
            deployment = Deployment(shape, chip, layout, precision)
            per_rank = np.floor(deployment.memory().free / rank_kv_bytes(deployment.cached_shape, layout, precision, context))
            held = np.maximum(per_rank, 0.0) * layout.data * (chips // group)
            name = layout.describe() if group == chips else f"{chips // group} x {layout.describe()}"
            words = [name if better else old for better, old in zip(held > best, words)]
            best = np.maximum(best, held)
    return best, words


def _divisors(n: int) -> list[int]:
    return [d for d in range(1, n + 1) if n % d == 0]


@dataclass(frozen=True)
class Candidates:
    """Every configuration tried, flat arrays: deployment, batch of a replica and what it does; NaN where it does not fit."""

    which: np.ndarray
    batch: np.ndarray
    tokens_per_s_per_chip: np.ndarray  #: output tokens; over the chips of both pools where prefill has its own
    tokens_per_s_per_user: np.ndarray
    ttft_s: np.ndarray
    prefill_which: np.ndarray  #: deployment of the prefill pool, -1 where prefill and decode share chips
    prefill_chips_per_chip: np.ndarray  #: chips of the prefill pool for each decoding chip

    @property
    def fit(self) -> np.ndarray:
        """Whether each fits in memory."""
        return np.isfinite(self.tokens_per_s_per_chip)

    @property
    def size(self) -> int:
        """How many there are."""
        return int(self.which.size)


@dataclass(frozen=True)
class Limits:
    """What a configuration has to keep: least speed of a user [tok/s], longest first token [s], most chips of a replica."""

    tokens_per_s_per_user: float = 0.0
    ttft_s: float = np.inf
    chips: float = np.inf

    def __post_init__(self) -> None:
        for name in ("tokens_per_s_per_user", "ttft_s", "chips"):
            object.__setattr__(self, name, one_number(f"limits: {name}", getattr(self, name)))
        if not (self.tokens_per_s_per_user >= 0 and self.ttft_s > 0 and self.chips >= 1):
            raise ValueError(
                "limits must be a speed of 0 or more, a first token above 0 s and at least one chip, "
                f"got {self.tokens_per_s_per_user:g} tok/s, {self.ttft_s:g} s and {self.chips:g} chips"
            )


class NoLayout(ValueError):
    """No configuration keeps the limits; the sentence says how far the best one gets."""


def candidates(fleet: Fleet, workload: Workload, batches: np.ndarray | None = None, pools: str = "both") -> Candidates:
    """Every deployment of a fleet at every batch of a ladder, in steady state.

    Parameters: fleet of any chips, layouts and precisions; workload of scalar lengths; batches of a replica [sequences], by default
    the ladder from 1 to 65,536; pools: "shared" (prefill and decode on the same chips), "separate" (a prefill pool of the same chips
    that just keeps up, the quickest or the most productive layout), or "both". Returns: Candidates. A batch counts where it fits in
    memory at the end of its answers and within what an engine holds.
    """
    if pools not in ("shared", "separate", "both"):
        raise ValueError(f"pools must be shared, separate or both, got {pools!r}")
    ladder = BATCH_LADDER if batches is None else np.unique(check_batch(batches))
    if not ladder.size:
        raise ValueError("batches to try must be at least one, got none")
    every = np.arange(len(fleet.deployments))
    most = np.minimum(fleet.largest_batch(every, workload.final_context), fleet.most_per_rank * fleet.data)
    top = np.maximum(np.floor(most), 1.0)[:, None]  # the largest batch itself is a candidate too
    batch = np.minimum(np.broadcast_to(ladder, (every.size, ladder.size)), top)
    batch = np.where(np.diff(batch, axis=1, prepend=0.0) > 0, batch, np.nan)
    which = np.broadcast_to(every[:, None], batch.shape)
    fits = np.isfinite(batch) & (most[:, None] >= 1)
    at, on = which[fits], batch[fits]
    if not at.size:
        empty = np.full(every.size, np.nan)
        return Candidates(every, np.ones(every.size), empty, empty, empty, np.full(every.size, -1), empty)
    parts = []
    if pools != "separate":
        state = steady_state(fleet, at, on, workload)
        alone = np.full(at.size, -1)
        parts.append((at, on, state.output_tokens_per_s_per_chip, 1.0 / state.step_s, state.ttft_s, alone, np.zeros(at.size)))
    if pools != "shared":
        prompts = np.maximum(np.floor(PASS_TOKENS / (np.asarray(workload.input_tokens) - workload.cached_tokens)), 1.0) * fleet.data
        for many in (prompts, fleet.data):
            prefill = _prefill_pool(fleet, workload, many, most)[at]
            split = disaggregated(fleet, prefill, at, on, workload, many[prefill])
            ratio = split.prefill_chips_per_decode_chip
            parts.append((at, on, split.output_tokens_per_s_per_chip, 1.0 / split.decode_step_s, split.ttft_s, prefill, ratio))
    return Candidates(*(np.concatenate([np.broadcast_to(part[i], part[0].shape) for part in parts]) for i in range(7)))


def _prefill_pool(fleet: Fleet, workload: Workload, prompts: np.ndarray, most: np.ndarray) -> np.ndarray:
    """For each deployment the one of the same model, chip and format that prefills most prompts per second and chip."""
    every = np.arange(len(fleet.deployments))
    time = fleet.prefill_s(every, prompts, workload.input_tokens, workload.cached_tokens)
    rate = np.where(most >= 1, prompts / time / fleet.chips, -np.inf)
    found: dict[tuple, int] = {}
    keys = [(d.shape, d.chip.chip_id, d.precision) for d in fleet.deployments]
    for i in np.argsort(rate, kind="stable"):
        found[keys[i]] = int(i)  # rising, so the last one is the best
    return np.array([found[key] for key in keys])


def best(fleet: Fleet, found: Candidates, limits: Limits | None = None, usd_per_chip_hour: Numbers | None = None) -> int:
    """Index into `found` of the highest throughput per chip within limits, or of the lowest cost when rents are given.

    Parameters: fleet; found, of `candidates`; limits; usd_per_chip_hour of each deployment [USD/h] (one value or one a deployment).
    Returns: index. Errors: NoLayout with a sentence: which limit is out of reach and the best that is not.
    """
    limits = limits or Limits()
    where = _chips_named(fleet)
    if not found.fit.any():
        needed = min(fleet.deployments, key=lambda d: -d.memory().free)
        raise NoLayout(f"no layout holds {needed.shape.name} on {where}: {needed.shortage(1, 1)}")
    small = found.fit & (fleet.chips[found.which] <= limits.chips)
    if not small.any():
        least = fleet.chips[found.which[found.fit]].min()
        raise NoLayout(f"no layout of {counted(limits.chips)} holds the model on {where}; the smallest that does has {least:g}")
    quick = small & (found.tokens_per_s_per_user >= limits.tokens_per_s_per_user)
    if not quick.any():
        fastest = np.max(found.tokens_per_s_per_user[small])
        raise NoLayout(f"no layout reaches {limits.tokens_per_s_per_user:g} tok/s per user on {where}; the best is {fastest:.0f}")
    prompt = quick & (found.ttft_s <= limits.ttft_s)
    if not prompt.any():
        soonest = np.min(found.ttft_s[quick])
        raise NoLayout(f"no layout gives the first token within {limits.ttft_s:g} s on {where}; the soonest is {soonest:.2g} s")
    rent = require_positive("rent of a chip", 1.0 if usd_per_chip_hour is None else usd_per_chip_hour, "USD an hour")
    if rent.size not in (1, len(fleet.deployments)):
        raise ValueError(f"rents must be one value or {len(fleet.deployments)}, one a deployment, got {rent.size}")
    rent = np.broadcast_to(rent, len(fleet.deployments))
    value = np.where(prompt, found.tokens_per_s_per_chip / rent[found.which], -np.inf)
    return int(np.argmax(value))


def best_at_speeds(found: Candidates, tokens_per_s_per_user: Numbers, keep: np.ndarray | None = None) -> np.ndarray:
    """The candidate with the highest throughput per chip at each of many speeds a user must get.

    Parameters: found, of `candidates`; tokens_per_s_per_user, any shape [tok/s], 0 or more (a doubtful model's factor divides it);
    keep: booleans, which candidates take part (one chip, or a first token within limits, say). Returns: indices into `found`, -1
    where no candidate reaches the speed. The front is sorted once, so ten thousand speeds cost a search in a short list.
    """
    speeds = require_at_least("speed of a user", tokens_per_s_per_user, 0, "tok/s")
    front = pareto(found, keep)  # slowest users first, so the highest throughput first: the first that is quick enough is the best
    at = np.searchsorted(found.tokens_per_s_per_user[front], speeds)
    return np.where(at < front.size, np.append(front, -1)[at], -1)


def pareto(found: Candidates, keep: np.ndarray | None = None) -> np.ndarray:
    """Indices of the front of tokens/s per chip against tokens/s per user, slowest users first.

    keep: booleans, which candidates take part (one chip, say). A candidate is on the front when none is at least as good in both
    and better in one.
    """
    take = found.fit if keep is None else found.fit & keep
    index = np.flatnonzero(take)
    order = index[np.lexsort((-found.tokens_per_s_per_chip[index], -found.tokens_per_s_per_user[index]))]
    rates = found.tokens_per_s_per_chip[order]
    ahead = np.concatenate([[-np.inf], np.maximum.accumulate(rates)[:-1]])
    return order[rates > ahead][::-1]


def _chips_named(fleet: Fleet) -> str:
    names = list(dict.fromkeys(d.chip.chip_id for d in fleet.deployments))
    return "this chip" if len(names) == 1 else f"these {len(names)} chips"
