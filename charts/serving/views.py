"""The charts of the serving page in their order, with the parameters shown in their rows."""

from __future__ import annotations

VIEWS = {
    "serving.memory": "Memory of a conversation",
    "serving.cost": "Cost by chip and speed",
    "serving.token_time": "Time of a token",
    "serving.attention": "MLA and others",
    "serving.experts": "Experts",
}
CONTROLS = {
    "serving.memory": ["view", "models", "batch", "chip"],
    "serving.cost": ["model", "chips", "measure", "speed"],
    "serving.token_time": ["view", "model", "chip", "batch"],
    "serving.attention": ["model", "chip", "context"],
    "serving.experts": ["view", "models", "model"],
}
