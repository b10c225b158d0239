"""The charts of the serving page in their order, with the parameters shown in their rows: those of them that the state draws."""

from __future__ import annotations

VIEWS = {
    "serving.cost": "Cost by chip",
    "serving.memory": "Memory",
    "serving.token_time": "Time of a token",
    "serving.attention": "MLA and others",
    "serving.experts": "Experts",
    "serving.thinking": "Thinking",
    "serving.chips": "Which chip",
    "serving.versions": "Software",
    "serving.error": "How wrong",
}
CONTROLS = {
    "serving.cost": ["model", "chips", "measure", "speed"],
    "serving.memory": ["view", "models", "batch", "chip"],
    "serving.token_time": ["view", "model", "chip", "batch"],
    "serving.attention": ["model", "chip", "context"],
    "serving.experts": ["view", "models", "model", "batch"],
    "serving.thinking": ["view", "output_tokens", "sigma", "success", "step_reliability", "detects"],
    "serving.chips": ["model", "chips", "per", "speed"],
    "serving.versions": ["model", "quantity"],
    "serving.error": ["by", "models", "chips"],
}
