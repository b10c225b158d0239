"""A flat monthly plan against metered cost, where few people use most of it."""

from __future__ import annotations

from dataclasses import dataclass
from math import erf
from typing import Any

import numpy as np

from analytics.checks import require, require_positive
from analytics.formula import formula

_phi = np.vectorize(lambda z: 0.5 * (1 + erf(z / np.sqrt(2))), otypes=[float])


@formula(
    name="Break-even queries of a plan",
    symbol="N",
    unit="queries/month",
    inputs={
        "plan_usd_per_month": ("S", "USD/month"),
        "cost_share_of_list": ("k", ""),
        "list_usd_per_query": ("q", "USD"),
    },
    source="plan price over the cost of a query; k = 1 - gross margin",
)
def break_even_queries(plan_usd_per_month, cost_share_of_list, list_usd_per_query):
    """Queries a month at which serving a subscriber costs what he pays."""
    return plan_usd_per_month / (cost_share_of_list * list_usd_per_query)


@formula(
    name="Mean use under a lognormal",
    symbol="E[n]",
    unit="queries/month",
    inputs={"median_queries": ("m", "queries/month"), "log_sd": (r"\sigma", "")},
    source="mean of a lognormal distribution: m exp(sigma^2 / 2)",
)
def mean_queries(median_queries, log_sd):
    """Mean queries a month when use is lognormal with this median and log standard deviation."""
    return median_queries * np.exp(log_sd**2 / 2)


@dataclass(frozen=True)
class PlanAccount:
    """A plan's account per subscriber and month: arrays of the broadcast shape.

    break_even and mean use [queries/month]; cost and profit [USD/month]; losing_share, the share of subscribers who cost more
    than they pay; losing_cost_share, their share of all cost; loss_usd, the mean loss on them spread over all subscribers.
    """

    break_even: np.ndarray
    mean_use: np.ndarray
    cost_usd: np.ndarray
    profit_usd: np.ndarray
    losing_share: np.ndarray
    losing_cost_share: np.ndarray
    loss_usd: np.ndarray


def plan_account(plan_usd_per_month: Any, cost_usd_per_query: Any, median_queries: Any, log_sd: Any) -> PlanAccount:
    """Does a flat plan earn money when use is lognormal?

    Parameters (broadcast): plan price [USD/month], cost of a query [USD] and median use [queries/month], above 0; log_sd, the
    standard deviation of ln(use), 0 or more. Returns: PlanAccount. Errors: ValueError.
    Loss: E[max(0, c n - S)] of a lognormal, the undiscounted form of Black and Scholes (1973).
    """
    for name, value in (("plan price", plan_usd_per_month), ("cost of a query", cost_usd_per_query), ("median use", median_queries)):
        require_positive(name, value)
    plan, cost, median, sd = np.broadcast_arrays(
        *(np.asarray(v, dtype=float) for v in (plan_usd_per_month, cost_usd_per_query, median_queries, log_sd))
    )
    require(np.isfinite(sd) & (sd >= 0), "spread of use", sd, "0 or more")
    limit = plan / cost
    mean = mean_queries(median, sd)
    spreads = sd > 1e-9  # below, everybody is the median
    spread = np.where(spreads, sd, 1.0)
    above = np.where(spreads, 1 - _phi(np.log(limit / median) / spread), (median > limit).astype(float))
    use_above = np.where(spreads, _phi((np.log(median / limit) + sd**2) / spread), (median > limit).astype(float))
    return PlanAccount(
        break_even=limit,
        mean_use=np.asarray(mean),
        cost_usd=np.asarray(cost * mean),
        profit_usd=np.asarray(plan - cost * mean),
        losing_share=above,
        losing_cost_share=use_above,
        loss_usd=np.asarray(np.maximum(0.0, cost * mean * use_above - plan * above)),
    )
