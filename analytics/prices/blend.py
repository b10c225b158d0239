"""One price from several: input, cached input and output weighted by how a request uses them."""

from __future__ import annotations

from typing import Any

import numpy as np

from analytics.checks import require, require_share
from analytics.formula import formula


@formula(
    name="Blended price",
    symbol="P",
    unit="USD/Mtok",
    inputs={
        "input_usd_per_mtok": ("P_{in}", "USD/Mtok"),
        "output_usd_per_mtok": ("P_{out}", "USD/Mtok"),
        "input_per_output_token": ("r", ""),
    },
    source="weighted mean by tokens; r = 3 is Artificial Analysis's blend until 2025, r = 1 that of a16z (12 Nov 2024), r = 0 output only",
)
def blended_usd_per_mtok(input_usd_per_mtok, output_usd_per_mtok, input_per_output_token):
    """Mean price of a token when r input tokens are sent for each output token [USD/Mtok]."""
    return (input_per_output_token * input_usd_per_mtok + output_usd_per_mtok) / (input_per_output_token + 1)


@formula(
    name="Blended price with cache hits",
    symbol="P",
    unit="USD/Mtok",
    inputs={
        "input_usd_per_mtok": ("P_{in}", "USD/Mtok"),
        "cached_usd_per_mtok": ("P_{cache}", "USD/Mtok"),
        "output_usd_per_mtok": ("P_{out}", "USD/Mtok"),
        "input_per_output_token": ("r", ""),
        "cache_hit_share": ("h", ""),
    },
    source="weighted mean by tokens; a share h of the input is billed at the cached price",
)
def cached_blend_usd_per_mtok(input_usd_per_mtok, cached_usd_per_mtok, output_usd_per_mtok, input_per_output_token, cache_hit_share):
    """Mean price of a token when a share h of the input hits the prompt cache [USD/Mtok]."""
    mixed_input = (1 - cache_hit_share) * input_usd_per_mtok + cache_hit_share * cached_usd_per_mtok
    return (input_per_output_token * mixed_input + output_usd_per_mtok) / (input_per_output_token + 1)


def price_usd_per_mtok(
    input_usd_per_mtok: Any,
    output_usd_per_mtok: Any,
    *,
    input_per_output_token: Any = 3.0,
    cached_usd_per_mtok: Any = None,
    cache_hit_share: Any = 0.0,
    batch_factor: Any = 1.0,
) -> np.ndarray:
    """Price per million tokens under a blend, cache hits and a batch factor.

    Parameters (broadcast): input and output list price [USD/Mtok], 0 or more; input_per_output_token r, 0 or more (0 = output
    price only); cached_usd_per_mtok [USD/Mtok], None or NaN where the provider has no cached price (the input price then
    holds); cache_hit_share h in [0, 1]; batch_factor, the fraction of list price paid, NaN = no batch service (list price).
    Returns: array [USD/Mtok], NaN where a list price is missing. Errors: ValueError.
    """
    entry, exit_, ratio = (np.asarray(v, dtype=float) for v in (input_usd_per_mtok, output_usd_per_mtok, input_per_output_token))
    require(~(entry < 0), "input price", entry, "0 or more")
    require(~(exit_ < 0), "output price", exit_, "0 or more")
    require(np.isfinite(ratio) & (ratio >= 0), "input tokens per output token", ratio, "0 or more")
    require_share("cache hit share", cache_hit_share)
    cached = entry if cached_usd_per_mtok is None else np.asarray(cached_usd_per_mtok, dtype=float)
    cached = np.where(np.isnan(cached), entry, cached)
    require(~(cached < 0), "cached input price", cached, "0 or more")
    factor = np.asarray(batch_factor, dtype=float)
    require(~(factor <= 0) & ~(factor > 1), "batch factor", factor, "in (0, 1]")
    blended = cached_blend_usd_per_mtok(entry, cached, exit_, ratio, np.asarray(cache_hit_share, dtype=float))
    return np.asarray(blended * np.where(np.isnan(factor), 1.0, factor))
