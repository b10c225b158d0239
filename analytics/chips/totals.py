"""Sums rules set limits on: TPP shipped to a country or a buyer, operations of a training run, peak rate of a cluster."""

from __future__ import annotations

from typing import Any

from analytics.formula import formula


@formula(
    name="Chips within a TPP allowance",
    symbol="N",
    unit="chips",
    inputs={"allowance_tpp": (r"T", "TPP"), "chip_tpp": (r"\mathrm{TPP}", "TPP")},
    source="90 FR 4544 (2025-01-15): allowances are sums of total processing performance",
)
def chips_within(allowance_tpp: Any, chip_tpp: Any) -> Any:
    """How many chips of one TPP an allowance of summed TPP holds; a fraction is left for the reader to round down."""
    return allowance_tpp / chip_tpp


@formula(
    name="Days of a training run",
    symbol="t",
    unit="days",
    inputs={
        "training_flop": ("C", "FLOP"),
        "chips": ("N", "chips"),
        "dense_tflops": ("R", "TFLOP/s"),
        "mfu": (r"\mathrm{MFU}", ""),
    },
    source="operations over sustained rate; MFU is the share of the dense peak that does model arithmetic",
)
def training_days(training_flop: Any, chips: Any, dense_tflops: Any, mfu: Any) -> Any:
    """Days a cluster needs for a training run of `training_flop` operations at a stated model FLOP utilisation."""
    return training_flop / (chips * dense_tflops * 1e12 * mfu) / 86400


@formula(
    name="Chips that reach a cluster line",
    symbol="N",
    unit="chips",
    inputs={"line_flop_per_s": ("F", "FLOP/s"), "dense_tflops": ("R", "TFLOP/s")},
    source="88 FR 75191 (2023-11-01), section 4.2: theoretical maximum of a co-located cluster; the order states no precision",
)
def chips_at_line(line_flop_per_s: Any, dense_tflops: Any) -> Any:
    """How many chips have a theoretical maximum of `line_flop_per_s` together."""
    return line_flop_per_s / (dense_tflops * 1e12)


@formula(
    name="Gain of a resale",
    symbol="G",
    unit="$",
    inputs={
        "servers": ("n", "servers"),
        "resale_usd": ("p_r", "$"),
        "price_usd": ("p", "$"),
        "journey_usd": ("c", "$ a journey"),
        "servers_per_journey": ("k", "servers a journey"),
    },
    source="arithmetic of a claim: difference of two prices, less one journey for every so many servers",
)
def resale_gain(servers: Any, resale_usd: Any, price_usd: Any, journey_usd: Any, servers_per_journey: Any) -> Any:
    """What a chain that resells servers keeps after its journeys; penalties, freight and the chance of loss are left out."""
    return servers * (resale_usd - price_usd) - servers / servers_per_journey * journey_usd


@formula(
    name="Amount in dollars",
    symbol="A",
    unit="bn $",
    inputs={"amount_bn_cny": (r"A_{\mathrm{CNY}}", "bn CNY"), "yuan_per_dollar": ("x", "CNY per $")},
    source="division by one exchange rate, an assumption the reader sets",
)
def in_dollars(amount_bn_cny: Any, yuan_per_dollar: Any) -> Any:
    """An amount of yuan [billions] in dollars [billions] at one stated rate."""
    return amount_bn_cny / yuan_per_dollar


@formula(
    name="Amount a year",
    symbol="a",
    unit="bn $ a year",
    inputs={"amount_bn_usd": ("A", "bn $"), "years": ("n", "years")},
    source="an even spread over the years the source states; how it is really spent is not published",
)
def amount_a_year(amount_bn_usd: Any, years: Any) -> Any:
    """An announced amount [billions] spread evenly over its stated years."""
    return amount_bn_usd / years
