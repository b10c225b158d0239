"""The charts of the export controls page by subject, in their order, with the parameters shown in their rows."""

from __future__ import annotations

GROUPS: dict[str, dict[str, str]] = {
    "Which chip": {
        "chips.case": "Case file",
        "chips.clauses": "Chip by clause",
        "chips.plane": "TPP and density",
        "chips.regime": "Who fell in and out",
    },
    "What was cut": {"chips.compare": "Side by side", "chips.effect": "Training and reasoning"},
    "What if": {"chips.design": "Design a chip", "chips.draft": "Draft a rule"},
    "Flows": {"chips.flows": "To China, by route", "chips.stock": "Stock", "chips.resale": "Resale", "chips.subsidies": "Subsidies"},
    "Limits": {"chips.caps": "Caps and exception", "chips.reporting": "Reporting lines"},
}
VIEWS: dict[str, str] = {chart: words for group in GROUPS.values() for chart, words in group.items()}
CONTROLS: dict[str, list[str]] = {
    "chips.case": ["chip", "dest", "on", "chinese_parent"],
    "chips.clauses": ["chips", "dest", "on", "chinese_parent"],
    "chips.plane": ["show", "dest", "on"],
    "chips.regime": ["plane", "on", "dest"],
    "chips.compare": ["chips"],
    "chips.effect": ["chips", "against", "model", "speed"],
    "chips.design": ["tops", "bandwidth", "link", "on"],
    "chips.draft": ["expr", "plane", "dest"],
    "chips.flows": ["unit", "year"],
    "chips.stock": ["owners"],
    "chips.resale": ["servers", "price", "resale", "journey"],
    "chips.subsidies": ["per", "country", "yuan"],
    "chips.caps": ["allowance", "chips"],
    "chips.reporting": ["cluster_line", "run_line", "mfu", "chips"],
}
