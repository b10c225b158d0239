"""Prefix caches: how often a prompt's beginning is still held, in HBM, host memory or on disk, and what that saves.

Least-recently-used eviction after Che's approximation: an item is still held when it was asked for within the characteristic time of
the cache, the time after which a cache of this size has turned over once (Che, Tung and Wang, 2002; exact in the limit of many items).
A hierarchy that moves what one tier evicts into the next is one such cache of the summed size, read at the summed boundaries.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analytics.accounting import Numbers
from analytics.checks import numbers, one_number, require, require_at_least, require_positive, require_whole, require_within
from analytics.formula import formula


def zipf(items: int, exponent: float) -> np.ndarray:
    """Popularity of `items` prefixes, most popular first, falling with rank**-exponent; adds up to 1."""
    items = require_whole("prefixes", items, 1, 10_000_000)
    steep = one_number("exponent of popularity", require_within("exponent of popularity", exponent, 0, 5))
    weight = np.arange(1.0, items + 1) ** -steep
    return weight / weight.sum()


@formula(
    name="Chance that a prefix is still held",
    symbol="h",
    unit="",
    inputs={"requests_per_s": ("\\lambda", "1/s"), "turnover_s": ("T", "s")},
    source="Che, Tung and Wang, IEEE JSAC 20(7), 2002: asked for within the time in which the cache turns over once",
)
def held_chance(requests_per_s, turnover_s):
    """Hit chance of a prefix asked for at this rate, least recently used evicted first."""
    return 1 - np.exp(-requests_per_s * turnover_s)


#: Most prefixes counted one by one; more are put together by how often they are asked for, 4,096 classes over their range.
CLASSES = 4096
#: Times at which a cache's turnover is worked out, evenly in their logarithm; between them it is interpolated.
TIMES = 1024


@dataclass(frozen=True)
class TierHits:
    """Shares of prefix tokens found, by tier in the last axis in the order given, and missed; with the time each tier keeps an item."""

    hit_share: np.ndarray  #: by tier
    miss_share: np.ndarray
    keeps_s: np.ndarray  #: characteristic time up to and including this tier [s]; inf where everything fits


def hits_by_tier(requests_per_s: Numbers, prefix_tokens: Numbers, capacity_tokens: Numbers) -> TierHits:
    """Hits of a hierarchy of caches by tokens.

    Parameters: requests_per_s of each prefix (n values, above 0); prefix_tokens, its length (n values or one); capacity_tokens of each
    tier in the last axis, fastest first (0 or more; a faster tier's evictions move on to the next), any axes before it, so many
    capacities are answered at once. Returns: TierHits. Errors: ValueError.
    """
    rate = np.atleast_1d(require_positive("requests per second of a prefix", requests_per_s))
    if rate.ndim != 1 or not rate.size:
        raise ValueError(f"requests per second must be one list of at least one prefix, got shape {rate.shape}")
    size = require_positive("length of a prefix", prefix_tokens, "tokens")
    if size.shape not in ((), (1,), rate.shape):
        raise ValueError(f"lengths of prefixes must be one value or {rate.size}, one a prefix, got shape {size.shape}")
    size = np.broadcast_to(size, rate.shape)
    capacity = np.atleast_1d(require_at_least("capacity of a tier", capacity_tokens, 0, "tokens"))
    if not capacity.size:
        raise ValueError("a hierarchy of caches needs at least one tier")
    rate, size = _classes(rate, size)
    whole = np.cumsum(capacity, axis=-1)
    # held tokens and hits at times from "nothing is asked for twice" to "everything is"
    times = np.geomspace(1e-9 / rate.max(), 1e3 / rate.min(), TIMES)
    chance = held_chance(rate, times[:, None])
    held, hits = chance @ size, chance @ (rate * size / (rate * size).sum())
    keeps = np.exp(np.interp(np.log(np.maximum(whole, 1e-300)), np.log(held), np.log(times)))
    reach = np.interp(whole, np.concatenate([[0.0], held]), np.concatenate([[0.0], hits]))
    everything = whole >= size.sum()
    keeps = np.where(everything, np.inf, np.where(whole > 0, keeps, 0.0))
    reach = np.where(everything, 1.0, reach)
    return TierHits(np.diff(reach, axis=-1, prepend=0.0), 1 - reach[..., -1], keeps)


def _classes(rate: np.ndarray, size: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """At most CLASSES prefixes that stand for all: those asked for about as often together, at their tokens' mean rate."""
    if rate.size <= CLASSES:
        return rate, size
    span = np.log(rate / rate.min())
    index = np.minimum((span * (CLASSES / max(span.max(), 1e-12))).astype(int), CLASSES - 1)
    tokens, asked = np.bincount(index, size, CLASSES), np.bincount(index, rate * size, CLASSES)
    filled = tokens > 0
    return asked[filled] / tokens[filled], tokens[filled]


def tier_tokens(capacity_bytes: Numbers, kv_bytes_per_token: float, resident_tokens: Numbers = 0.0) -> np.ndarray:
    """Tokens of prefixes a tier holds: its bytes over the cache bytes of a token, less what running sequences take (0 or more)."""
    per_token = require_positive("cache bytes of a token", kv_bytes_per_token, "B")
    held = require_at_least("capacity of a tier", capacity_bytes, 0, "B") / per_token
    return np.maximum(held - require_at_least("tokens of running sequences", resident_tokens, 0), 0.0)


@formula(
    name="Time to bring a cached token back",
    symbol="t_f",
    unit="s",
    inputs={"kv_bytes_per_token": ("k", "B"), "tier_bytes_per_s": ("W_t", "B/s")},
    source="bytes of a token's cache over the bandwidth of the tier",
)
def fetch_s_per_token(kv_bytes_per_token, tier_bytes_per_s):
    """Time to read the cache of one token from a tier [s]."""
    return kv_bytes_per_token / tier_bytes_per_s


@dataclass(frozen=True)
class PrefixSaving:
    """What the caches save; arrays of the broadcast shape."""

    prefill_share: np.ndarray  #: prefill work left, 1 without caches
    fetch_s: np.ndarray  #: time of fetching the hits of one prompt, tiers one after the other
    worth_it: np.ndarray  #: by tier: fetching a token is quicker than computing it


def saving(
    hit_share: Numbers, prefix_tokens: Numbers, prompt_tokens: Numbers, prefill_s_per_token: Numbers, fetch_s: Numbers
) -> PrefixSaving:
    """Prefill left when the beginnings of prompts are held.

    Parameters (broadcast, tiers in the last axis): hit_share by tier; prefix_tokens of prompt_tokens can be shared;
    prefill_s_per_token of computing a token [s]; fetch_s of fetching a token, by tier [s] (0 for HBM). A tier slower than computing is not used. Returns: PrefixSaving.
    """
    hits = np.atleast_1d(numbers("hit share", hit_share))
    fetch = np.atleast_1d(require_at_least("time of fetching a token", fetch_s, 0, "s"))
    require((hits >= 0) & (hits <= 1 + 1e-12), "hit share", hits, "from 0 to 1")
    require(hits.sum(axis=-1) <= 1 + 1e-9, "sum of hit shares", hits.sum(axis=-1), "at most 1")
    prefix, prompt = numbers("shared prefix", prefix_tokens), require_positive("prompt", prompt_tokens, "tokens")
    require((prefix >= 0) & (prefix <= prompt), "shared prefix", prefix + 0 * prompt, "from 0 tokens to the whole prompt")
    compute = require_positive("prefill time of a token", prefill_s_per_token, "s")
    worth = fetch < compute[..., None]
    used = np.where(worth, hits, 0.0)
    return PrefixSaving(1 - used.sum(axis=-1) * prefix / prompt, (used * fetch).sum(axis=-1) * prefix, worth)
