"""Speculative decoding and multi-token prediction: tokens gained against the cost of drafting and of verifying at a batch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analytics.accounting import Numbers
from analytics.checks import numbers, require, require_positive, require_whole, require_within
from analytics.formula import formula
from analytics.serving.fleet import Fleet
from analytics.serving.run import check_batch

MOST_DRAFT = 64


def tokens_per_verification(acceptance: Numbers, draft_tokens: Numbers) -> np.ndarray:
    """Expected tokens of a verification step: (1 - a^(g+1)) / (1 - a), at a = 1 all g + 1.

    Parameters (broadcast): acceptance a, chance that a drafted token is accepted, the same and independent for each, in [0, 1];
    draft_tokens g from 0 to 64. Leviathan et al., arXiv 2211.17192, equation 1.
    """
    a = require_within("acceptance", acceptance, 0, 1)
    g = numbers("draft tokens", draft_tokens)
    require((g >= 0) & (g <= MOST_DRAFT) & (g == np.floor(g)), "draft tokens", g, f"a whole number from 0 to {MOST_DRAFT}")
    one = a >= 1
    safe = np.where(one, 0.0, a)
    return np.where(one, g + 1, (1 - safe ** (g + 1)) / (1 - safe))


@formula(
    name="Speed-up by speculation",
    symbol="s",
    unit="",
    inputs={
        "tokens_per_step": ("n", "tokens"),
        "draft_tokens": ("g", "tokens"),
        "draft_cost": ("c", ""),
        "verify_cost": ("v", ""),
    },
    source="Leviathan et al., arXiv 2211.17192, theorem 3.8, with the verification as dear as the batch makes it",
)
def speed_up(tokens_per_step, draft_tokens, draft_cost, verify_cost):
    """Tokens per time over those without speculation; costs are in plain decode steps (a drafted token, a verification)."""
    return tokens_per_step / (draft_tokens * draft_cost + verify_cost)


def verify_step_s(fleet: Fleet, which: Numbers, batch: Numbers, context: Numbers, draft_tokens: Numbers) -> np.ndarray:
    """Time of one step that verifies g drafted tokens of each sequence [s]; everything broadcasts.

    Matrix products, experts, collectives and host work run on batch x (g + 1) tokens; the cache of a sequence is read once for all of
    them, so attention takes longer only where g + 1 tokens make it compute-bound (latent attention is near that already).
    """
    which, g = np.asarray(which), numbers("draft tokens", draft_tokens)
    context = require_positive("context", context, "tokens")
    tokens = check_batch(batch) * (g + 1)
    plain, wide = fleet.decode_step(which, batch, context), fleet.decode_step(which, tokens, context)
    intensity = _attention_intensity(fleet, which, context)
    stretch = np.maximum(intensity * (g + 1), 1.0) / np.maximum(intensity, 1.0)
    host = plain.host  # sampling and scheduling run once a step and sequence
    return wide.weights + wide.flops + wide.activations + wide.communication + wide.launch + host + plain.kv * stretch


def _attention_intensity(fleet: Fleet, which: Numbers, context: Numbers) -> np.ndarray:
    """FLOPs per cache byte of decode attention at a context over those at which the chip turns compute-bound."""
    which, context = np.broadcast_arrays(which, np.asarray(context, dtype=float))
    near, far = np.maximum(context / 2, 2.0), np.maximum(context, 4.0)
    out = np.zeros(which.shape)
    for i in np.unique(which):
        d, here = fleet.deployments[i], which == i
        flops = np.asarray(d.shape.decode_flops(far[here])) - d.shape.decode_flops(near[here])
        cached = np.asarray(d.shape.kv_bytes_per_sequence(far[here], d.precision.kv))
        cached = cached - d.shape.kv_bytes_per_sequence(near[here], d.precision.kv)
        ridge = d.chip.peak(d.precision.attention) / d.chip.memory_bandwidth
        out[here] = np.where(cached > 0, flops / np.where(cached > 0, cached, 1.0) / ridge, 0.0)
    return out


@dataclass(frozen=True)
class Speculation:
    """Decoding with speculation at a batch; arrays of one shape."""

    draft_tokens: np.ndarray
    tokens_per_step: np.ndarray
    step_s: np.ndarray  #: drafting and verifying
    speed_up: np.ndarray  #: over plain decoding of the same batch
    tokens_per_s_per_user: np.ndarray


def speculate(
    fleet: Fleet, which: Numbers, batch: Numbers, context: Numbers, acceptance: Numbers, draft_tokens: Numbers, draft_cost: Numbers = 0.0
) -> Speculation:
    """Speed of decoding with g drafted tokens; draft_cost is the time of drafting one, in plain decode steps (0 to 1)."""
    cost = require_within("cost of a drafted token", draft_cost, 0, 1)
    gained = tokens_per_verification(acceptance, draft_tokens)
    batch, context = check_batch(batch), require_positive("context", context, "tokens")
    plain = fleet.decode_step_s(which, batch, context)
    verify = verify_step_s(fleet, which, batch, context, draft_tokens)
    g = np.asarray(draft_tokens, dtype=float)
    verify = np.where(g == 0, plain, verify)
    step = g * cost * plain + verify
    return Speculation(g + 0 * step, gained + 0 * step, step, np.asarray(speed_up(gained, g, cost, verify / plain)), gained / step)


def best_draft(
    fleet: Fleet, which: Numbers, batch: Numbers, context: Numbers, acceptance: Numbers, draft_cost: Numbers = 0.0, most: int = 8
) -> Speculation:
    """The draft length from 0 to `most` with the highest speed at each batch; 0 where speculation only costs."""
    given = np.broadcast_arrays(which, numbers("batch", batch), numbers("context", context), numbers("acceptance", acceptance))
    which, batch, context, acceptance = given
    g = np.arange(require_whole("most draft tokens", most, 0, MOST_DRAFT) + 1)
    every = speculate(fleet, which[..., None], batch[..., None], context[..., None], acceptance[..., None], g, draft_cost)
    at = np.argmax(every.tokens_per_s_per_user, axis=-1)[..., None]
    return Speculation(**{name: np.take_along_axis(getattr(every, name), at, -1)[..., 0] for name in every.__dataclass_fields__})
