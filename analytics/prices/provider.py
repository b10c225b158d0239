"""What a provider earns: cost of a token on rented GPUs, revenue of a day, margin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from analytics.checks import require, require_positive, require_share
from analytics.formula import formula


@formula(
    name="Cost of tokens on rented hardware",
    symbol="C",
    unit="USD/Mtok",
    inputs={"usd_per_hour": ("R", "USD/h"), "tokens_per_s": ("T", "tok/s")},
    source="rent of an hour over the tokens of an hour",
)
def rented_usd_per_mtok(usd_per_hour, tokens_per_s):
    """Rent paid per million tokens served [USD/Mtok]."""
    return usd_per_hour / (tokens_per_s * 3600) * 1e6


@formula(
    name="Gross margin",
    symbol="m",
    unit="",
    inputs={"price_usd": ("P", "USD"), "cost_usd": ("C", "USD")},
    source="(revenue - cost) / revenue",
)
def gross_margin(price_usd, cost_usd):
    """Share of the price left after cost; negative where sold below cost. Price and cost in one unit."""
    return (price_usd - cost_usd) / price_usd


@formula(
    name="Profit over cost",
    symbol="q",
    unit="",
    inputs={"price_usd": ("P", "USD"), "cost_usd": ("C", "USD")},
    source="(revenue - cost) / cost; DeepSeek's 545 % is this one",
)
def profit_over_cost(price_usd, cost_usd):
    """Profit per dollar of cost (5.45 is "545 %"); not the gross margin."""
    return (price_usd - cost_usd) / cost_usd


@formula(
    name="Rent of a fleet",
    symbol="C",
    unit="USD",
    inputs={
        "nodes": ("N", ""),
        "gpus_per_node": ("g", ""),
        "hours": ("t", "h"),
        "usd_per_gpu_hour": ("R", "USD/h"),
    },
    source="nodes x GPUs a node x hours x rent",
)
def fleet_rent_usd(nodes, gpus_per_node, hours, usd_per_gpu_hour):
    """Rent of a fleet over a time [USD]."""
    return nodes * gpus_per_node * hours * usd_per_gpu_hour


@formula(
    name="Revenue at list price",
    symbol="V",
    unit="USD",
    inputs={
        "hit_mtok": ("n_{hit}", "Mtok"),
        "hit_usd_per_mtok": ("P_{hit}", "USD/Mtok"),
        "miss_mtok": ("n_{miss}", "Mtok"),
        "miss_usd_per_mtok": ("P_{miss}", "USD/Mtok"),
        "output_mtok": ("n_{out}", "Mtok"),
        "output_usd_per_mtok": ("P_{out}", "USD/Mtok"),
    },
    source="tokens of each kind at the list price of that kind",
)
def list_revenue_usd(hit_mtok, hit_usd_per_mtok, miss_mtok, miss_usd_per_mtok, output_mtok, output_usd_per_mtok):
    """Revenue if every token were billed at list price [USD]."""
    return hit_mtok * hit_usd_per_mtok + miss_mtok * miss_usd_per_mtok + output_mtok * output_usd_per_mtok


@dataclass(frozen=True)
class ServedDay:
    """A provider's tokens and fleet over a time, as disclosed.

    input_mtok, of which hit_mtok from cache, and output_mtok [million tokens]; nodes of gpus_per_node for hours.
    """

    input_mtok: float
    hit_mtok: float
    output_mtok: float
    nodes: float
    gpus_per_node: float = 8
    hours: float = 24


# DeepSeek, "Day 6: One More Thing, DeepSeek-V3/R1 Inference System Overview" (open-infra-index, 1 March 2025): 24 hours to noon of
# 28 February 2025 (UTC+8).
DEEPSEEK_DAY = ServedDay(input_mtok=608_000, hit_mtok=342_000, output_mtok=168_000, nodes=226.75)
DEEPSEEK_DISCLOSED = {
    "revenue_usd": 562_027.0,
    "cost_usd": 87_072.0,
    "profit_over_cost": 5.45,
    "usd_per_gpu_hour": 2.0,
    "node_input_tok_per_s": 73_700.0,
    "node_output_tok_per_s": 14_800.0,
}


@dataclass(frozen=True)
class DayAccount:
    """Account of a served day: money in USD, prices in USD/Mtok; arrays where an input was one."""

    cost_usd: np.ndarray
    revenue_usd: np.ndarray
    profit_over_cost: np.ndarray
    gross_margin: np.ndarray
    cost_usd_per_output_mtok: np.ndarray
    cost_usd_per_mtok: np.ndarray


def day_account(
    day: ServedDay, usd_per_gpu_hour: Any, hit_usd_per_mtok: Any, miss_usd_per_mtok: Any, output_usd_per_mtok: Any, paid_share: Any = 1.0
) -> DayAccount:
    """Cost, revenue and margin of a served day at list prices.

    Parameters (broadcast): rent [USD per GPU-hour]; prices of cache hits, other input and output [USD/Mtok]; paid_share in
    (0, 1], the share of tokens that is billed (the web and app are free). Returns: DayAccount. Errors: ValueError.
    """
    require_positive("rent", usd_per_gpu_hour)
    require_share("paid share", paid_share)
    for name, value in (("cache hit price", hit_usd_per_mtok), ("input price", miss_usd_per_mtok), ("output price", output_usd_per_mtok)):
        require(np.asarray(value, dtype=float) >= 0, name, value, "0 or more")
    rent, paid = np.asarray(usd_per_gpu_hour, dtype=float), np.asarray(paid_share, dtype=float)
    require(paid > 0, "paid share", paid, "in (0, 1]")
    hit, miss, out = (np.asarray(v, dtype=float) for v in (hit_usd_per_mtok, miss_usd_per_mtok, output_usd_per_mtok))
    cost = fleet_rent_usd(day.nodes, day.gpus_per_node, day.hours, rent)
    revenue = paid * list_revenue_usd(day.hit_mtok, hit, day.input_mtok - day.hit_mtok, miss, day.output_mtok, out)
    return DayAccount(
        cost_usd=np.asarray(cost),
        revenue_usd=np.asarray(revenue),
        profit_over_cost=np.asarray(profit_over_cost(revenue, cost)),
        gross_margin=np.asarray(gross_margin(np.where(revenue > 0, revenue, np.nan), cost)),
        cost_usd_per_output_mtok=np.asarray(cost / day.output_mtok),
        cost_usd_per_mtok=np.asarray(cost / (day.input_mtok + day.output_mtok)),
    )


def nodes_needed(day: ServedDay, node_input_tok_per_s: float, node_output_tok_per_s: float) -> tuple[float, float]:
    """Prefill and decode nodes that these per-node rates [tok/s] would need for the day's tokens: a check on the disclosure."""
    require_positive("throughput of a node", [node_input_tok_per_s, node_output_tok_per_s])
    seconds = day.hours * 3600
    return day.input_mtok * 1e6 / seconds / node_input_tok_per_s, day.output_mtok * 1e6 / seconds / node_output_tok_per_s
