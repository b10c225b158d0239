"""The charts of the page of inference cost in their order, with the parameters shown in their rows."""

from __future__ import annotations

GROUPS: dict[str, dict[str, str]] = {
    "How fast": {"prices.level": "Price of a level", "prices.rates": "Halving times"},
    "Prices": {
        "prices.hosts": "Same weights, all hosts",
        "prices.moves": "Price moves",
        "prices.ratios": "Output and cache ratios",
        "prices.speed": "Speed and price",
    },
    "Why": {"prices.factors": "R1 against o1", "prices.margin": "List price and cost", "prices.day": "DeepSeek's day"},
    "Per task": {"prices.tasks": "Cost per answer", "prices.task_trend": "Cost over time", "prices.arc": "ARC-AGI"},
    "GPU rental": {"prices.rent": "Rents", "prices.rent_per": "What a rent buys", "prices.payback": "Payback by chip"},
    "Claims": {"prices.plan": "A $200 plan", "prices.search": "A model in every search", "prices.elasticity": "Jevons"},
}
VIEWS: dict[str, str] = {chart: words for group in GROUPS.values() for chart, words in group.items()}
CONTROLS: dict[str, list[str]] = {
    "prices.level": ["level", "blend", "buyable"],
    "prices.rates": ["measure", "score", "quantised"],
    "prices.hosts": ["weights", "blend", "on"],
    "prices.moves": ["days", "blend"],
    "prices.ratios": ["measure", "first_party"],
    "prices.factors": ["margin_low", "margin_high", "host_low", "host_high"],
    "prices.margin": ["weights", "chip", "tok_s_per_user", "on"],
    "prices.day": ["prices", "usd_per_gpu_hour", "paid_share"],
    "prices.speed": ["model", "claims"],
    "prices.tasks": ["benchmark", "measure", "reasoning"],
    "prices.task_trend": ["benchmark", "view", "threshold", "until"],
    "prices.arc": ["dataset", "humans"],
    "prices.rent": ["chip", "tier", "term"],
    "prices.rent_per": ["per", "weights"],
    "prices.payback": ["utilisation", "usd_per_kwh", "pue"],
    "prices.plan": ["model", "cost_share", "median_queries", "log_sd"],
    "prices.search": ["level", "queries_per_s", "input_tokens", "output_tokens"],
    "prices.elasticity": ["price_fall", "elasticity", "gain"],
}
