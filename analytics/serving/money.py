"""What tokens cost to serve: shared cost split by kind of token, per answer, per MW and joule, and hosting oneself against an API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from analytics.accounting import Numbers
from analytics.checks import require, require_at_least, require_positive, require_within
from analytics.formula import formula

#: Ways to split the cost of chips that serve input and output together: a choice, not a fact.
SPLITS = {
    "output": "all of it on output tokens",
    "time": "by the chip time each kind of token takes",
    "tokens": "the same for every token, cached ones included",
    "price": "in proportion to list prices",
}


@formula(
    name="Cost of output tokens on rented chips",
    symbol="C",
    unit="USD/Mtok",
    inputs={
        "usd_per_gpu_hour": ("p", "USD/h"),
        "tokens_per_s_per_gpu": ("X", "tok/s"),
        "utilisation": ("u", ""),
    },
    source="rent of a chip-hour over the tokens of that hour; u is the share of hours in which it serves",
)
def output_cost_usd_per_mtok(usd_per_gpu_hour, tokens_per_s_per_gpu, utilisation):
    """All cost on output tokens [USD per million]."""
    return usd_per_gpu_hour * 1e6 / (3600 * tokens_per_s_per_gpu * utilisation)


@formula(
    name="Cost of an answer",
    symbol="c",
    unit="USD",
    inputs={
        "input_tokens": ("I", "tokens"),
        "cached_tokens": ("I_c", "tokens"),
        "output_tokens": ("O", "tokens"),
        "input_usd_per_mtok": ("P_i", "USD/Mtok"),
        "cached_usd_per_mtok": ("P_c", "USD/Mtok"),
        "output_usd_per_mtok": ("P_o", "USD/Mtok"),
    },
    source="tokens of each kind at its cost or price; hidden reasoning tokens are output",
)
def answer_cost_usd(input_tokens, cached_tokens, output_tokens, input_usd_per_mtok, cached_usd_per_mtok, output_usd_per_mtok):
    """Cost of one answer; `input_tokens` includes those that come from the cache [USD]."""
    return (
        (input_tokens - cached_tokens) * input_usd_per_mtok + cached_tokens * cached_usd_per_mtok + output_tokens * output_usd_per_mtok
    ) / 1e6


@formula(
    name="Output tokens per joule",
    symbol="e",
    unit="tok/J",
    inputs={"tokens_per_s_per_gpu": ("X", "tok/s"), "it_power_w_per_gpu": ("W", "W"), "pue": ("\\mathrm{PUE}", "")},
    source="tokens a second over the site power of a chip with its share of the server",
)
def tokens_per_joule(tokens_per_s_per_gpu, it_power_w_per_gpu, pue):
    """Tokens per joule drawn by the site."""
    return tokens_per_s_per_gpu / (it_power_w_per_gpu * pue)


@formula(
    name="Output tokens per second and megawatt",
    symbol="x",
    unit="tok/s/MW",
    inputs={"tokens_per_s_per_gpu": ("X", "tok/s"), "it_power_w_per_gpu": ("W", "W"), "pue": ("\\mathrm{PUE}", "")},
    source="tokens a second over site power; 1 MW is 1e6 W",
)
def tokens_per_s_per_mw(tokens_per_s_per_gpu, it_power_w_per_gpu, pue):
    """Tokens a second that one megawatt of site power serves."""
    return tokens_per_s_per_gpu * 1e6 / (it_power_w_per_gpu * pue)


@formula(
    name="Earnings of a chip-hour",
    symbol="E",
    unit="USD/h",
    inputs={
        "tokens_per_s_per_gpu": ("X", "tok/s"),
        "usd_per_mtok": ("P", "USD/Mtok"),
        "utilisation": ("u", ""),
    },
    source="tokens of an hour at their mean price; u is the share of hours in which it serves",
)
def earned_usd_per_gpu_hour(tokens_per_s_per_gpu, usd_per_mtok, utilisation):
    """What a chip takes in an hour; less its rent it is the margin of a chip-hour [USD/h]."""
    return 3600 * tokens_per_s_per_gpu * utilisation * usd_per_mtok / 1e6


@formula(
    name="Electricity of a million tokens",
    symbol="C_e",
    unit="USD/Mtok",
    inputs={
        "it_power_w_per_gpu": ("W", "W"),
        "pue": ("\\mathrm{PUE}", ""),
        "tokens_per_s_per_gpu": ("X", "tok/s"),
        "usd_per_kwh": ("p_e", "USD/kWh"),
    },
    source="joules of a token at the price of a kilowatt-hour, 3.6e6 J",
)
def electricity_usd_per_mtok(it_power_w_per_gpu, pue, tokens_per_s_per_gpu, usd_per_kwh):
    """Electricity that a million tokens take at the site [USD per million]."""
    return it_power_w_per_gpu * pue / tokens_per_s_per_gpu * usd_per_kwh / 3.6


@formula(
    name="Break-even utilisation of own chips",
    symbol="u^*",
    unit="",
    inputs={
        "usd_per_gpu_hour": ("p", "USD/h"),
        "tokens_per_s_per_gpu": ("X", "tok/s"),
        "api_usd_per_mtok": ("P", "USD/Mtok"),
    },
    source="the utilisation at which rent per token equals the price of the API; above 1 hosting never pays",
)
def break_even_utilisation(usd_per_gpu_hour, tokens_per_s_per_gpu, api_usd_per_mtok):
    """Share of hours a chip must serve at full rate for its tokens to cost what the API asks."""
    return usd_per_gpu_hour * 1e6 / (3600 * tokens_per_s_per_gpu * api_usd_per_mtok)


@dataclass(frozen=True)
class TokenCosts:
    """Cost of a million tokens of each kind [USD/Mtok]; NaN for a kind of which there are none."""

    input: np.ndarray
    cached_input: np.ndarray
    output: np.ndarray


def split_weights(
    split: str,
    prefill_s_per_token: Numbers = 0.0,
    decode_s_per_token: Numbers = 0.0,
    cached_s_per_token: Numbers = 0.0,
    list_prices: tuple[Numbers, Numbers, Numbers] = (0.0, 0.0, 0.0),
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Weights of an uncached input, a cached input and an output token under a way to split; only their ratios matter.

    Parameters: split, one of SPLITS; chip time a token takes [s] for "time"; list prices (input, cached, output) for "price".
    """
    if split not in SPLITS:
        raise ValueError(f"split must be one of {', '.join(SPLITS)}, got {split!r}")
    given: tuple[Any, Any, Any] = {
        "output": (0.0, 0.0, 1.0),
        "time": (prefill_s_per_token, cached_s_per_token, decode_s_per_token),
        "tokens": (1.0, 1.0, 1.0),
        "price": list_prices,
    }[split]
    weights = [
        require_at_least(f"weight of {name} tokens", w, 0) for name, w in zip(("input", "cached input", "output"), given, strict=True)
    ]
    require(weights[0] + weights[1] + weights[2] > 0, f"the sum of weights for the split by {split}", sum(weights), "above 0")
    return weights[0], weights[1], weights[2]


def token_costs(
    total_usd: Numbers, input_mtok: Numbers, cached_mtok: Numbers, output_mtok: Numbers, weights: tuple[Numbers, Numbers, Numbers]
) -> TokenCosts:
    """Cost per million of each kind of token when a shared cost is split by weight; what is split adds up to the total.

    Parameters (broadcast): total cost [USD]; tokens of each kind [million], input_mtok without the cached ones; weights of a token of
    each kind (`split_weights`). Returns: TokenCosts. Errors: ValueError where nothing with weight is served.
    """
    kinds = (("input", input_mtok), ("cached input", cached_mtok), ("output", output_mtok))
    tokens = [require_at_least(f"{name} tokens", n, 0, "million") for name, n in kinds]
    total = require_at_least("total cost", total_usd, 0, "USD")
    whole = sum(np.asarray(w, dtype=float) * n for w, n in zip(weights, tokens, strict=True))
    require(whole > 0, "tokens that carry cost", whole, "above 0: this split puts all cost on tokens that are not served")
    unit = total / whole
    costs = [np.where(n > 0, unit * np.asarray(w, dtype=float), np.nan) for w, n in zip(weights, tokens, strict=True)]
    return TokenCosts(*costs)


@dataclass(frozen=True)
class Hosting:
    """A day of serving oneself against buying from an API; money in USD per day."""

    self_usd: np.ndarray
    api_usd: np.ndarray
    replicas_by_hour: np.ndarray
    utilisation: np.ndarray  #: tokens served over tokens the rented replicas could serve
    break_even_tokens_per_day: np.ndarray  #: least volume with this load curve at which hosting costs no more; inf where it never does


def hosting_against_api(
    tokens_per_day: Numbers,
    load_curve: Numbers,
    replica_tokens_per_s: Numbers,
    replica_usd_per_hour: Numbers,
    api_usd_per_mtok: Numbers,
    scaling: str = "peak",
) -> Hosting:
    """Own replicas against an API under a daily load curve.

    Parameters (all but the curve broadcast): tokens_per_day [tokens]; load_curve, relative demand of each hour (24 values, any scale);
    replica_tokens_per_s a replica serves within its limits [tok/s]; replica_usd_per_hour, rent of all its chips [USD/h];
    api_usd_per_mtok [USD/Mtok], blended as the tokens are counted; scaling: "peak" rents what the busiest hour needs all day,
    "hourly" rents and returns whole replicas by the hour and keeps at least one. Returns: Hosting. Errors: ValueError.
    """
    curve = require_at_least("load curve", load_curve, 0)
    if curve.shape != (24,):
        raise ValueError(f"load curve must have 24 values, one an hour, got {curve.size}")
    require_positive("load curve's sum", curve.sum())
    if scaling not in ("peak", "hourly"):
        raise ValueError(f"scaling must be peak or hourly, got {scaling!r}")
    volume, rate, rent, price = np.broadcast_arrays(
        require_positive("tokens per day", tokens_per_day),
        require_positive("tokens per second of a replica", replica_tokens_per_s),
        require_positive("rent of a replica", replica_usd_per_hour),
        require_positive("API price", api_usd_per_mtok),
    )
    share = curve / curve.sum()
    replicas = _replicas(volume / (rate * 3600), share, scaling)
    cost = replicas.sum(axis=-1) * rent
    return Hosting(
        cost,
        volume * price / 1e6,
        replicas,
        volume / (replicas.sum(axis=-1) * rate * 3600),
        rate * 3600 * _break_even(share, rate * 3600 * price / (1e6 * rent), scaling),
    )


def _replicas(volume: np.ndarray, share: np.ndarray, scaling: str) -> np.ndarray:
    """Whole replicas of each hour for a day's volume in replica-hours of tokens; shape of volume x 24."""
    by_hour = np.maximum(np.ceil(volume[..., None] * share - 1e-9), 1.0)
    return np.broadcast_to(by_hour.max(axis=-1, keepdims=True), by_hour.shape) if scaling == "peak" else by_hour


def _break_even(share: np.ndarray, worth: np.ndarray, scaling: str) -> np.ndarray:
    """Least daily volume, in replica-hours of tokens, at which rent is no more than the API's bill.

    worth: what a busy hour of a replica would cost from the API, over its rent. Rent is constant between the volumes at which some
    hour needs one more replica, and the bill grows, so each such interval is settled by one division. Searched up to 128 replicas in
    the busiest hour; beyond, whole replicas no longer matter.
    """
    hours = share[share > 1e-6 * share.max()]  # a hour below a 128th of the peak never needs a second replica
    steps = np.unique(np.concatenate([np.arange(1, 129) / s for s in hours]))
    steps = steps[steps <= 128 / hours.max() * (1 + 1e-12)]
    rents = _replicas(steps, share, scaling).sum(axis=-1)
    needed = np.minimum.accumulate(rents / (steps * (1 + 1e-9)))  # least worth that pays somewhere up to each interval
    at = np.searchsorted(-needed, -worth)  # first interval in which hosting pays
    inside = np.minimum(at, steps.size - 1)
    start = np.append(0.0, steps[:-1])[inside]
    return np.where(at < steps.size, np.maximum(rents[inside] / worth, start), np.inf)


def utilisation_of(load_curve: Numbers) -> float:
    """Mean over peak of a load curve: the utilisation of a fleet rented for its busiest hour, in (0, 1]."""
    curve = require_at_least("load curve", load_curve, 0)
    require_positive("load curve's peak", curve.max() if curve.size else 0.0)
    return float(curve.mean() / curve.max())


def margin_at_price(cost_usd_per_mtok: Numbers, price_usd_per_mtok: Numbers, utilisation: Numbers = 1.0) -> np.ndarray:
    """Gross margin of selling at a price tokens that cost this much at full load, served at a utilisation in (0, 1]."""
    busy = require_within("utilisation", utilisation, 1e-9, 1)
    return 1 - require_at_least("cost", cost_usd_per_mtok, 0) / busy / require_positive("price", price_usd_per_mtok)
