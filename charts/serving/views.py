"""The charts of the serving page in their order, with the parameters shown in their rows."""

from __future__ import annotations

VIEWS = {
    "serving.memory": "Memory of a conversation",
}
CONTROLS = {
    "serving.memory": ["view", "models", "batch", "chip"],
}
