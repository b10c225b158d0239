"""Images on the server: a browser kept alive against one started for each image, and a repeat from the cache."""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

from tools.serving import chromium
from web.images import ImageRenderer

COLD, WARM = 3, 8


def figures() -> dict[str, dict]:
    """Time to draw a figure of 6 lines x 200 points as PNG: cold, warm, and out of the cache."""
    folder = Path(tempfile.mkdtemp())
    try:
        cold = []
        for i in range(COLD):
            renderer = ImageRenderer(folder / "cold", browser_path=chromium())
            cold.append(_time(renderer, _figure(i)))
            renderer.close()
        renderer = ImageRenderer(folder / "warm", browser_path=chromium())
        renderer.draw(_figure(-1), "png")
        warm = [_time(renderer, _figure(i)) for i in range(WARM)]
        cached = [_time(renderer, _figure(i)) for i in range(WARM)]
        renderer.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    cold_s = sorted(cold)[len(cold) // 2]
    return {
        "web: image, browser started for it": {"figure": cold_s * 1000, "unit": "ms", "ratio": None, "against": None},
        "web: image, browser kept alive": _figure_of(sorted(warm)[len(warm) // 2], cold_s),
        "web: image, asked for again": _figure_of(sorted(cached)[len(cached) // 2], cold_s),
    }


def _figure_of(time_s: float, cold_s: float) -> dict[str, Any]:
    return {"figure": time_s * 1000, "unit": "ms", "ratio": time_s / cold_s, "against": "a browser started for it"}


def _time(renderer: ImageRenderer, figure: dict[str, Any]) -> float:
    start = time.perf_counter()
    renderer.draw(figure, "png")
    return time.perf_counter() - start


def _figure(number: int) -> dict[str, Any]:
    lines = [{"type": "scatter", "y": [(i * (k + 2) + number) % 97 for i in range(200)]} for k in range(6)]
    return {"data": lines, "layout": {"title": {"text": f"figure {number}"}}}
