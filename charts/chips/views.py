"""The charts of the export controls page in their order, with the parameters shown in their rows."""

from __future__ import annotations

VIEWS = {
    "chips.case": "Case file",
    "chips.plane": "Plane",
    "chips.regime": "Regimes",
    "chips.clauses": "Chip by clause",
    "chips.compare": "What was cut",
    "chips.effect": "What it means",
    "chips.design": "Design a chip",
    "chips.draft": "Draft a rule",
    "chips.flows": "To China",
    "chips.stock": "Stock",
    "chips.caps": "Caps",
    "chips.resale": "Resale",
    "chips.reporting": "Reporting",
}
CONTROLS = {
    "chips.case": ["chip", "dest", "on"],
    "chips.plane": ["show", "dest", "on"],
    "chips.regime": ["plane", "on", "dest"],
    "chips.clauses": ["chips", "dest", "on", "chinese_parent"],
    "chips.compare": ["chips"],
    "chips.effect": ["chips", "against", "model", "speed"],
    "chips.design": ["tops", "bandwidth", "link", "on"],
    "chips.draft": ["expr", "plane", "dest"],
    "chips.flows": ["unit", "year"],
    "chips.stock": ["owners"],
    "chips.caps": ["allowance", "chips"],
    "chips.resale": ["servers", "price", "resale", "journey"],
    "chips.reporting": ["cluster_line", "run_line", "mfu", "chips"],
}
