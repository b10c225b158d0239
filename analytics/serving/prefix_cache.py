"""Prefix caches: how often a prompt's beginning is still held, in HBM, host memory or on disk, and what that saves.

Least-recently-used eviction after Che's approximation: an item is still held when it was asked for within the characteristic time of
the cache, the time after which a cache of this size has turned over once (Che, Tung and Wang, 2002; exact in the limit of many items).
A hierarchy that moves what one tier evicts into the next is one such cache of the summed size, read at the summed boundaries.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analytics.accounting import Numbers
from analytics.checks import require, require_positive
from analytics.formula import formula


def zipf(items: int, exponent: float) -> np.ndarray:
    """Popularity of `items` prefixes, most popular first, falling with rank**-exponent; adds up to 1."""
    if not 1 <= items <= 10_000_000:
        raise ValueError(f"prefixes must be from 1 to 10,000,000, got {items}")
    require(0 <= exponent <= 5, "exponent of popularity", exponent, "from 0 to 5")
    weight = np.arange(1.0, items + 1) ** -exponent
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


@dataclass(frozen=True)
class TierHits:
    """Shares of prefix tokens found, by tier in the order given, and missed; with the time each tier keeps an item."""

    hit_share: np.ndarray  #: by tier
    miss_share: float
    keeps_s: np.ndarray  #: characteristic time up to and including this tier [s]; inf where everything fits


def hits_by_tier(requests_per_s: Numbers, prefix_tokens: Numbers, capacity_tokens: Numbers) -> TierHits:
    """Hits of a hierarchy of caches by tokens.

    Parameters: requests_per_s of each prefix (n values, above 0); prefix_tokens, its length (n values or one); capacity_tokens of each
    tier, fastest first (0 or more; a faster tier's evictions move on to the next). Returns: TierHits.
    """
    rate = require_positive("requests per second of a prefix", requests_per_s)
    size = np.broadcast_to(require_positive("length of a prefix", prefix_tokens, "tokens"), rate.shape)
    capacity = np.atleast_1d(np.asarray(capacity_tokens, dtype=float))
    require(np.isfinite(capacity) & (capacity >= 0), "capacity of a tier", capacity, "0 tokens or more")
    weight = rate * size / (rate * size).sum()
    keeps = np.array([_turnover(rate, size, whole) for whole in np.cumsum(capacity)])
    reach = np.array([float((weight * held_chance(rate, time)).sum()) if np.isfinite(time) else 1.0 for time in keeps])
    return TierHits(np.diff(reach, prepend=0.0), float(1 - reach[-1]), keeps)


def _turnover(rate: np.ndarray, size: np.ndarray, capacity: float) -> float:
    """Characteristic time [s]: held tokens then equal the capacity; found by bisection in its logarithm."""
    if capacity <= 0:
        return 0.0
    if capacity >= size.sum():
        return np.inf
    low, high = np.log(1e-9 / rate.max()), np.log(1e3 / rate.min())
    for _ in range(80):
        mid = (low + high) / 2
        held = (size * -np.expm1(-rate * np.exp(mid))).sum()
        low, high = (mid, high) if held < capacity else (low, mid)
    return float(np.exp((low + high) / 2))


def tier_tokens(capacity_bytes: Numbers, kv_bytes_per_token: float, resident_tokens: Numbers = 0.0) -> np.ndarray:
    """Tokens of prefixes a tier holds: its bytes over the cache bytes of a token, less what running sequences take (0 or more)."""
    per_token = require_positive("cache bytes of a token", kv_bytes_per_token, "B")
    return np.maximum(np.asarray(capacity_bytes, dtype=float) / per_token - np.asarray(resident_tokens, dtype=float), 0.0)


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

    Parameters: hit_share by tier; prefix_tokens of prompt_tokens can be shared; prefill_s_per_token of computing a token [s];
    fetch_s of fetching a token, by tier [s] (0 for HBM). A tier slower than computing is not used. Returns: PrefixSaving.
    """
    hits, fetch = np.atleast_1d(np.asarray(hit_share, dtype=float)), np.atleast_1d(np.asarray(fetch_s, dtype=float))
    require((hits >= 0) & (hits <= 1 + 1e-12), "hit share", hits, "from 0 to 1")
    require(hits.sum() <= 1 + 1e-9, "sum of hit shares", hits.sum(), "at most 1")
    prefix, prompt = np.asarray(prefix_tokens, dtype=float), require_positive("prompt", prompt_tokens, "tokens")
    require((prefix >= 0) & (prefix <= prompt), "shared prefix", prefix + 0 * prompt, "from 0 tokens to the whole prompt")
    compute = require_positive("prefill time of a token", prefill_s_per_token, "s")
    worth = fetch < compute[..., None] if compute.ndim else fetch < compute
    used = np.where(worth, hits, 0.0)
    return PrefixSaving(1 - used.sum(axis=-1) * prefix / prompt, (used * fetch).sum(axis=-1) * prefix, worth)
