"""How demand, spending, GPU-hours and rents answer a falling price of tokens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from analytics.checks import require, require_positive
from analytics.formula import formula


@formula(
    name="Tokens demanded",
    symbol="Q/Q_0",
    unit="",
    inputs={"price_ratio": ("P/P_0", ""), "elasticity": (r"\epsilon", "")},
    source="constant elasticity of demand: Q = Q_0 (P / P_0)^-e",
)
def demand_ratio(price_ratio, elasticity):
    """Tokens sold against before, when the price is price_ratio of what it was."""
    return price_ratio**-elasticity


@formula(
    name="Spending on tokens",
    symbol="S/S_0",
    unit="",
    inputs={"price_ratio": ("P/P_0", ""), "elasticity": (r"\epsilon", "")},
    source="price x quantity under constant elasticity: (P / P_0)^(1 - e)",
)
def spend_ratio(price_ratio, elasticity):
    """Spending against before; it grows as prices fall only where the elasticity exceeds 1."""
    return price_ratio ** (1 - elasticity)


@formula(
    name="GPU-hours needed",
    symbol="G/G_0",
    unit="",
    inputs={
        "price_ratio": ("P/P_0", ""),
        "elasticity": (r"\epsilon", ""),
        "tokens_per_gpu_hour_gain": ("g", ""),
    },
    source="tokens demanded over the gain in tokens per GPU-hour",
)
def gpu_hours_ratio(price_ratio, elasticity, tokens_per_gpu_hour_gain):
    """GPU-hours against before, when each hour also yields g times the tokens."""
    return price_ratio**-elasticity / tokens_per_gpu_hour_gain


@formula(
    name="Rent of a GPU-hour",
    symbol="R/R_0",
    unit="",
    inputs={
        "gpu_hours_ratio": ("G/G_0", ""),
        "capacity_ratio": ("K/K_0", ""),
        "supply_elasticity": (r"\eta", ""),
    },
    source="constant elasticity of supply around a grown capacity: (G / K)^(1 / eta)",
)
def rent_ratio(gpu_hours_ratio, capacity_ratio, supply_elasticity):
    """Rent against before, when capacity grew and supply answers price with this elasticity."""
    return (gpu_hours_ratio / capacity_ratio) ** (1 / supply_elasticity)


@formula(
    name="Elasticity that explains a growth",
    symbol=r"\epsilon",
    unit="",
    inputs={"quantity_ratio": ("Q/Q_0", ""), "price_ratio": ("P/P_0", "")},
    source="constant elasticity solved for e; an upper bound, because use grows for other reasons too",
)
def implied_elasticity(quantity_ratio, price_ratio):
    """Elasticity at which the price alone would explain the growth of use."""
    return -np.log(quantity_ratio) / np.log(price_ratio)


@dataclass(frozen=True)
class DemandOutcome:
    """Ratios to before: tokens, spending, GPU-hours, rent."""

    tokens: np.ndarray
    spending: np.ndarray
    gpu_hours: np.ndarray
    rent: np.ndarray


def demand_outcome(
    price_ratio: Any, elasticity: Any, *, tokens_per_gpu_hour_gain: Any = 1.0, capacity_ratio: Any = 1.0, supply_elasticity: Any = 1.0
) -> DemandOutcome:
    """What happens to use, spending, GPU-hours and rent when the price of tokens changes.

    Parameters (broadcast, ratios to before, above 0): price_ratio; tokens_per_gpu_hour_gain; capacity_ratio; supply_elasticity above
    0; elasticity, 0 or more. Returns: DemandOutcome. Errors: ValueError.
    """
    positive = {
        "price ratio": price_ratio,
        "gain in tokens per GPU-hour": tokens_per_gpu_hour_gain,
        "capacity ratio": capacity_ratio,
        "supply elasticity": supply_elasticity,
    }
    for name, value in positive.items():
        require_positive(name, value)
    price, e, gain, capacity, eta = np.broadcast_arrays(
        *(np.asarray(v, dtype=float) for v in (price_ratio, elasticity, tokens_per_gpu_hour_gain, capacity_ratio, supply_elasticity))
    )
    require(np.isfinite(e) & (e >= 0), "elasticity of demand", e, "0 or more")
    hours = gpu_hours_ratio(price, e, gain)
    return DemandOutcome(
        np.asarray(demand_ratio(price, e)),
        np.asarray(spend_ratio(price, e)),
        np.asarray(hours),
        np.asarray(rent_ratio(hours, capacity, eta)),
    )
