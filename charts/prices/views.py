"""The charts of the page of inference cost in their order, with the parameters shown in their rows."""

from __future__ import annotations

VIEWS = {
    "prices.level": "Price of a level",
    "prices.rates": "Halving times",
    "prices.hosts": "Same weights, all hosts",
    "prices.moves": "Price moves",
    "prices.ratios": "Output and cache ratios",
    "prices.factors": "R1 against o1",
    "prices.margin": "List price and cost",
    "prices.day": "DeepSeek's day",
    "prices.speed": "Speed and price",
}
CONTROLS = {
    "prices.level": ["level", "blend", "buyable", "test"],
    "prices.rates": ["measure", "score", "quantised"],
    "prices.hosts": ["weights", "blend", "on"],
    "prices.moves": ["days", "blend"],
    "prices.ratios": ["measure", "first_party"],
    "prices.factors": ["margin_low", "margin_high", "host_low", "host_high"],
    "prices.margin": ["weights", "chip", "tok_s_per_user", "on"],
    "prices.day": ["prices", "usd_per_gpu_hour", "paid_share"],
    "prices.speed": ["model", "claims"],
}
