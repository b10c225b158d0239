"""Drawing shared by the serving charts: a small table inside a figure, labels beside line ends, log axes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from charts import numbers
from charts.labels import place, text_width
from charts.look import Look
from charts.template import halo, tokens


def text_table(
    figure: go.Figure,
    look: Look,
    rows: Sequence[Sequence[str]],
    *,
    left: float,
    right: float,
    top: float,
    plot_px: float,
    first_share: float = 0.4,
    colors: Sequence[str] = (),
    title: str = "",
) -> None:
    """Write a small table into a figure, in paper coordinates; the first row is its head.

    Parameters: rows of cells; left, right and top of the table (0 to 1 of the plot area); plot_px, its height [px]; first_share,
    width of the first column; colors of the first cells below the head; title above it.
    """
    t, size = tokens(look), 11 if look.phone else 12.5
    step = (size + (9 if look.phone else 14)) / plot_px
    columns = len(rows[0])
    edges = [left + (right - left) * (first_share + (1 - first_share) * (i + 1) / max(columns - 1, 1)) for i in range(columns - 1)]
    common = {"xref": "paper", "yref": "paper", "showarrow": False, "yanchor": "top"}
    y = top
    notes: list[dict[str, Any]] = []
    rules: list[dict[str, Any]] = []
    if title:
        notes.append(
            common | {"x": left, "y": y, "text": f"<b>{title}</b>", "xanchor": "left", "font": {"size": size - 1, "color": t["mute"]}}
        )
        y -= step
    for i, row in enumerate(rows):
        tone = t["mute"] if i == 0 else t["ink"]
        for j, cell in enumerate(row):
            first = j == 0
            color = colors[i - 1] if first and i and i <= len(colors) else tone
            place_at = {"x": left, "xanchor": "left"} if first else {"x": edges[j - 1], "xanchor": "right"}
            text = f"<b>{cell}</b>" if first and i else cell
            notes.append(common | place_at | {"y": y, "text": text, "font": {"size": size, "color": color}})
        line, rule = y - step * 0.82, {"color": t["border"], "width": 1}
        rules.append({"type": "line", "x0": left, "x1": right, "y0": line, "y1": line, "xref": "paper", "yref": "paper", "line": rule})
        y -= step
    add(figure, notes, rules)


def loose(table: pd.DataFrame) -> pd.DataFrame:
    """The table without what it carries beyond rows, which pandas copies with every selection."""
    out = table.copy(deep=False)
    out.attrs = {}
    return out


def add(figure: go.Figure, notes: Sequence[dict[str, Any]], shapes: Sequence[dict[str, Any]] = ()) -> None:
    """Many annotations and shapes in one step: adding them singly, or merging them, takes time with the square of their number."""
    if notes:
        figure.layout.annotations = [*figure.layout.annotations, *notes]
    if shapes:
        figure.layout.shapes = [*figure.layout.shapes, *shapes]


def beside(
    figure: go.Figure,
    look: Look,
    points: Sequence[tuple[float, float]],
    texts: Sequence[str],
    colors: Sequence[str],
    *,
    x: tuple[float, float, bool],
    y: tuple[float, float, bool],
    box_px: tuple[float, float],
    others: Sequence[tuple[float, float]] = (),
    lines: Sequence[tuple[Any, Any]] = (),
) -> None:
    """Labels beside points, moved so that they cover neither each other nor `others`, and cross `lines` only where nothing else is free.

    Parameters: points in data units; x and y, the axes as (low, high, logarithmic); box_px, width and height of the plot [px];
    lines, curves as their x and y in data units.
    """

    def pixel(point: tuple[float, float]) -> tuple[float, float]:
        return _share(point[0], x) * box_px[0], (1 - _share(point[1], y)) * box_px[1]

    size = 10.5 if look.phone else 12.5
    curves = [[pixel((a, b)) for a, b in zip(*line)] for line in lines]
    spots = place([pixel(p) for p in points], texts, size, (0, 0, *box_px), obstacles=[pixel(p) for p in others], lines=curves)
    notes = []
    for point, text, color, spot in zip(points, texts, colors, spots):
        if spot is None:
            continue
        at = {"x": np.log10(point[0]) if x[2] else point[0], "y": np.log10(point[1]) if y[2] else point[1]}
        font = {"size": size, "color": color, "shadow": halo(look.theme)}
        notes.append(at | {"text": f"<b>{text}</b>", "showarrow": False, "xshift": spot.dx, "yshift": -spot.dy, "font": font})
    add(figure, notes)


def _share(value: float, axis: tuple[float, float, bool]) -> float:
    low, high, log = axis
    if log:
        low, high, value = np.log10(low), np.log10(high), np.log10(max(value, 1e-300))
    return float((value - low) / ((high - low) or 1))


def token_ticks(low: float, high: float, write: Callable[[float], str], most: int = 7) -> dict[str, Any]:
    """Ticks of a logarithmic axis of tokens or sequences at powers of two, times four where there would be too many."""
    for step in (1, 2, 3, 4):
        ticks = [2.0**e for e in range(int(np.ceil(np.log2(low))), int(np.floor(np.log2(high))) + 1, step)]
        if len(ticks) <= most:
            break
    return {"type": "log", "tickmode": "array", "tickvals": ticks, "ticktext": [write(v) for v in ticks]}


def tokens_text(value: float) -> str:
    """8k, 128k, 1M: tokens are written in units of 1,024."""
    if value >= 2**20:
        return f"{value / 2**20:.2g}M"
    if value >= 10_240:
        return f"{value / 1024:.0f}k"
    return f"{value / 1024:.2g}k".replace(".0k", "k") if value >= 1024 else f"{value:.0f}"


def label_margin(texts: Sequence[str], look: Look) -> int:
    """Left margin that holds these row labels [px]."""
    size = 10.5 if look.phone else 12.5
    return int(max((text_width(text, size) for text in texts), default=40)) + 16


def log_axis(
    values: np.ndarray, write: Callable[[float], str], *, low_by: float = 0.75, high_by: float = 1.35
) -> tuple[dict[str, Any], float, float]:
    """A logarithmic y axis around these values: plotly fields, low and high."""
    known = values[np.isfinite(values) & (values > 0)]
    low, high = (float(known.min()) * low_by, float(known.max()) * high_by) if known.size else (0.1, 10.0)
    return {"range": [np.log10(low), np.log10(high)], **numbers.log_ticks(low, high, write)}, low, high
