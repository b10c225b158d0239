"""What the price figures share: margins, pixel positions, and names beside points."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from charts.labels import place, text_width
from charts.look import Look
from charts.numbers import log_ticks
from charts.prices.levels import bare_name
from charts.template import halo, new_figure, tokens
from charts.text import as_text
from data.queries.prices import day_number


@dataclass(frozen=True)
class Frame:
    """A plot area: size of the figure and its margins [px], ranges of its axes in data units (dates as ISO text)."""

    look: Look
    height: int
    left: int
    right: int
    top: int
    bottom: int
    x: tuple
    y: tuple
    x_log: bool = False
    y_log: bool = False

    @property
    def plot_width(self) -> float:
        """Width of the plot area [px]."""
        return self.look.width_px - self.left - self.right

    @property
    def plot_height(self) -> float:
        """Height of the plot area [px]."""
        return self.height - self.top - self.bottom

    def figure(self) -> go.Figure:
        """An empty figure with this frame's margins and axis ranges."""
        figure = new_figure(self.look, height_px=self.height)
        figure.update_layout(margin={"l": self.left, "r": self.right, "t": self.top, "b": self.bottom})
        figure.update_xaxes(range=self._axis(self.x, self.x_log))
        figure.update_yaxes(range=self._axis(self.y, self.y_log))
        return figure

    def pixels(self, xs: Sequence, ys: Sequence) -> np.ndarray:
        """Pixel positions (n, 2) in the figure, y downwards, of points in data units."""
        across = self._share(xs, self.x, self.x_log)
        up = self._share(ys, self.y, self.y_log)
        return np.column_stack([self.left + across * self.plot_width, self.top + (1 - up) * self.plot_height])

    def at(self, axis: str, value: object) -> object:
        """A data value as an annotation wants it: the logarithm on logarithmic axes."""
        log = self.x_log if axis == "x" else self.y_log
        return math.log10(float(value)) if log else value  # type: ignore[arg-type]

    @staticmethod
    def _axis(limits: tuple, log: bool) -> list:
        return [math.log10(v) for v in limits] if log else list(limits)

    @staticmethod
    def _share(values: Sequence, limits: tuple, log: bool) -> np.ndarray:
        numbers, ends = _numbers(values, log), _numbers(limits, log)
        return (numbers - ends[0]) / ((ends[1] - ends[0]) or 1.0)


def y_unit(figure: go.Figure, frame: Frame, text: str) -> None:
    """Write what the vertical axis counts above its upper end, upright, where it stays readable on a phone."""
    size = 10.5 if frame.look.phone else 11.5
    figure.add_annotation(
        x=0, xref="paper", xanchor="left", xshift=(2 if frame.look.phone else 8) - frame.left, y=1, yref="paper", yanchor="bottom", yshift=5, text=text,
        showarrow=False, align="left", font={"size": size, "color": tokens(frame.look)["mute"]},
    )  # fmt: skip


def round_dollars(value: float) -> str:
    """$50, $2, $0.50, $0.02: a tick of a logarithmic axis."""
    return f"${value:,.0f}" if value >= 1 else f"${value:.2f}" if value >= 0.1 else f"${value:g}"


def short_name(name: object, most: int = 28) -> str:
    """A model's name for a label: without what stands in brackets at its end, made safe for a figure."""
    return as_text(bare_name(str(name)), most)


def name_points(
    figure: go.Figure,
    frame: Frame,
    xs: Sequence,
    ys: Sequence,
    texts: Sequence[str],
    *,
    colors: Sequence[str] | str | None = None,
    obstacles: np.ndarray | None = None,
    first: Sequence[int] = (),
) -> None:
    """Write a name beside each point where there is room, with a thin leader where it had to move away.

    Parameters: figure and its frame; points in data units; texts (may hold our own <b>); colors, one or one each; obstacles, pixel
    positions not to cover; first, indices that choose first.
    """
    if not len(texts):
        return
    look, t = frame.look, tokens(frame.look)
    size = 10.5 if look.phone else 12
    box = (float(frame.left) + 2, float(frame.top) - 4, float(look.width_px - 4), float(frame.height - frame.bottom) - 2)
    points = frame.pixels(xs, ys)
    around = [] if obstacles is None else [tuple(p) for p in obstacles]
    placed = place([tuple(p) for p in points], texts, size, box, obstacles=around, first=first)
    inks = [colors or t["ink"]] * len(texts) if colors is None or isinstance(colors, str) else list(colors)
    for x, y, text, spot, ink in zip(xs, ys, texts, placed, inks):
        if spot is None:
            continue
        leader = spot.radius > 18
        figure.add_annotation(
            x=frame.at("x", x), y=frame.at("y", y), text=text, font={"size": size, "color": ink, "shadow": halo(look.theme)},
            showarrow=leader, ax=spot.dx, ay=spot.dy, arrowhead=0, arrowwidth=0.8, arrowcolor=t["axis"], standoff=4,
            xshift=0 if leader else spot.dx, yshift=0 if leader else -spot.dy,
        )  # fmt: skip


def stepped(frame: Frame, xs: Iterable, ys: Iterable, every_px: float = 6.0) -> np.ndarray:
    """Pixel positions along a step line (horizontal first), so that names keep off it."""
    corners = frame.pixels(list(xs), list(ys))
    path = [corners[:1]]
    for a, b in zip(corners[:-1], corners[1:]):
        for p, q in ((a, np.array([b[0], a[1]])), (np.array([b[0], a[1]]), b)):
            n = max(2, int(np.abs(q - p).max() / every_px))
            path.append(p + np.linspace(0, 1, n)[:, None] * (q - p))
    return np.vstack(path)


def _numbers(values: Sequence, log: bool) -> np.ndarray:
    array = np.asarray(values)
    if array.dtype.kind in "OUSM":
        array = np.asarray(day_number(pd.Series([str(v) for v in values], dtype=object)), dtype=float)
    array = array.astype(float)
    return np.log10(np.maximum(array, 1e-300)) if log else array


@dataclass(frozen=True)
class RangeRow:
    """One row of a range figure: its name, least, middle and greatest value (None where not given), and how it is marked."""

    label: str
    low: float | None
    middle: float | None
    high: float | None
    color: str = "blue"
    hollow: bool = False
    note: str = ""
    group: str = ""


def range_rows(
    rows: Sequence[RangeRow],
    look: Look,
    write: Callable[[float], str],
    *,
    unit: str,
    log: bool = True,
    marks: Sequence[tuple[float, str]] = (),
) -> go.Figure:
    """Rows of dot and whisker on one shared axis; a row without a middle is a bar from least to greatest.

    Parameters: rows from top to bottom; write formats a value; unit, what the axis counts; log scale or linear from zero; marks, vertical lines with words.
    """
    t = tokens(look)
    size = 11 if look.phone else 12.5
    rows = [replace(r, low=None, middle=r.low, high=None) if r.middle is None and r.low == r.high else r for r in rows]
    values = [v for r in rows for v in (r.low, r.middle, r.high) if v is not None and (v > 0 or not log)] + [m for m, _ in marks]
    low, high = (min(values), max(values)) if values else (1.0, 10.0)
    pad = (high / low) ** 0.06 if log and high > low else 1.3
    limits = (low / pad, high * pad) if log else (min(0.0, low * 1.1), high * 1.12 if high > 0 else 1.0)
    labels = [as_text(r.label, 60) for r in rows]
    left = 14 if look.phone else int(min(max((text_width(x, size) for x in labels), default=60) + 26, 420))
    notes = [text_width(r.note, size - 1) for r in rows]
    right = 16 if look.phone else int(min(max(notes, default=0) + 24, 360))
    step = 44 if look.phone else 32
    needed = 34 + 58 + step * max(len(rows), 1)
    height = look.height_px if look.card and look.height_px else needed
    frame = Frame(look, height, left, right, 30 if marks else 14, 58, limits, (len(rows) - 0.5, -0.5), x_log=log)
    figure = frame.figure()
    figure.update_yaxes(visible=False)
    figure.update_xaxes(showgrid=True, gridcolor=t["grid"], title_text=unit)
    if log:
        figure.update_xaxes(**log_price_ticks(limits[0], limits[1], write, 5 if look.phone else 9))
    else:
        figure.update_xaxes(tickvals=(ticks := linear_ticks(*limits)), ticktext=[write(v) for v in ticks])
    for i, r in enumerate(rows):
        _one_range(figure, frame, i, r, labels[i], write, size)
    for value, text in marks:
        figure.add_vline(x=value, line={"color": t["mute"], "width": 1, "dash": "2px,3px"})
        figure.add_annotation(
            x=frame.at("x", value), y=1, yref="paper", yanchor="bottom", text=text, showarrow=False,
            font={"size": size - 1, "color": t["mute"]},
        )  # fmt: skip
    return figure


def _one_range(figure: go.Figure, frame: Frame, i: int, r: RangeRow, label: str, write: Callable[[float], str], size: float) -> None:
    look, t = frame.look, tokens(frame.look)
    ink, log = t.get(r.color, t["ink"]), frame.x_log
    shown = [v for v in (r.low, r.middle, r.high) if v is not None and (v > 0 or not log)]
    if r.low is not None and r.high is not None and shown:
        ends = [max(r.low, frame.x[0]) if log else r.low, r.high]
        width = 2 if r.middle is not None else 9
        figure.add_scatter(
            x=ends,
            y=[i, i],
            mode="lines",
            line={"color": ink, "width": width},
            opacity=1 if r.middle is not None else 0.55,
            hoverinfo="skip",
        )
    if r.middle is not None and (r.middle > 0 or not log):
        face = t["page"] if r.hollow else ink
        figure.add_scatter(
            x=[r.middle], y=[i], mode="markers", marker={"size": 10, "color": face, "line": {"width": 2, "color": ink}},
            hovertemplate=f"{label}: {write(r.middle)}<extra></extra>",
        )  # fmt: skip
    text = label if not r.group else f"<span style='color:{t['mute']}'>{as_text(r.group, 40)}</span> {label}"
    where = {"xanchor": "left", "yshift": 15} if look.phone else {"xanchor": "right", "xshift": -10}
    font = {"size": size, "color": t["ink"], "shadow": halo(look.theme)}
    figure.add_annotation(x=0, xref="paper", y=i, text=text, showarrow=False, font=font, **where)
    if r.note:
        place_ = {"xanchor": "right", "yshift": 15} if look.phone else {"xanchor": "left", "xshift": 10}
        figure.add_annotation(x=1, xref="paper", y=i, text=r.note, showarrow=False, font={"size": size - 1, "color": t["mute"]}, **place_)


def log_price_ticks(low: float, high: float, write: Callable[[float], str], most: int = 9) -> dict:
    """`log_ticks`, or round steps where a narrow range would show fewer than three of those."""
    ticks = log_ticks(low, high, write, most)
    if len(ticks["tickvals"]) >= 3:
        return ticks
    values = [v for v in linear_ticks(low, high, min(most, 6)) if v > 0]
    texts = [write(v) for v in values]
    if any(text.startswith("$") for text in texts):  # to the last digit: a rounded tick would stand beside its place
        texts = [f"${v:.2f}" if v % 1 and round(v, 2) == round(v, 9) else f"${v:g}" for v in values]
    return ticks | {"tickvals": values, "ticktext": texts}


def linear_ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Round tick values from low to high."""
    span = (high - low) or 1.0
    raw = span / most
    unit = 10 ** math.floor(math.log10(raw))
    step = next(m * unit for m in (1, 2, 2.5, 5, 10) if m * unit >= raw)
    first = math.ceil(low / step - 1e-9)
    return [round(k * step, 12) for k in range(first, int(high / step + 1e-9) + 1)]
