"""Small drawings that carry one figure: a step line with its two end dates, a strip of ticks, a few bars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from charts import numbers
from charts.look import Look
from charts.template import new_figure, tokens
from charts.text import as_text

HEIGHT_PX = 80


@dataclass(frozen=True)
class Steps:
    """A level over time, the last point marked."""

    days: Sequence[Any]
    values: Sequence[float]
    log: bool = False


@dataclass(frozen=True)
class Strip:
    """One tick a thing on a logarithmic line, one of them marked, with lines of a rule."""

    values: Sequence[float]
    marked: float
    lines: Sequence[float]


@dataclass(frozen=True)
class Bars:
    """A few values side by side, the first in front."""

    names: Sequence[str]
    values: Sequence[float]


def spark(shape: Steps | Strip | Bars, look: Look) -> go.Figure:
    """The drawing of a shape, 80 pixels high."""
    figure = new_figure(look, height_px=HEIGHT_PX, margin={"l": 4, "r": 10, "t": 6, "b": 20})
    figure.update_xaxes(showline=False, ticks="", showticklabels=False, fixedrange=True, title_text=None)
    figure.update_yaxes(showgrid=False, showticklabels=False, fixedrange=True, title_text=None)
    {Steps: _steps, Strip: _strip, Bars: _bars}[type(shape)](figure, shape, look)  # type: ignore[operator]
    return figure


def _steps(figure: go.Figure, shape: Steps, look: Look) -> None:
    t = tokens(look)
    days = pd.to_datetime(pd.Series(list(shape.days)))
    figure.add_scatter(x=days, y=list(shape.values), mode="lines", line={"color": t["blue"], "width": 2, "shape": "hv"}, hoverinfo="skip")
    figure.add_scatter(
        x=[days.iloc[-1]], y=[shape.values[-1]], mode="markers", marker={"color": t["blue"], "size": 7}, cliponaxis=False, hoverinfo="skip"
    )
    if shape.log:
        figure.update_yaxes(type="log")
    for x, day, anchor in ((0, days.iloc[0], "left"), (1, days.iloc[-1], "right")):
        text = numbers.date(f"{day:%Y-%m}")
        figure.add_annotation(
            x=x, y=0, xref="paper", yref="paper", yanchor="top", yshift=-4, xanchor=anchor, text=text, showarrow=False,
            font={"size": 11, "color": t["mute"]},
        )  # fmt: skip


def _strip(figure: go.Figure, shape: Strip, look: Look) -> None:
    t = tokens(look)
    figure.add_scatter(
        x=list(shape.values), y=[0.0] * len(shape.values), mode="markers", hoverinfo="skip",
        marker={"symbol": "line-ns-open", "size": 30, "color": t["point"], "line": {"width": 1}},
    )  # fmt: skip
    figure.add_scatter(x=[shape.marked], y=[0.0], mode="markers", marker={"color": t["blue"], "size": 9}, hoverinfo="skip")
    for line in shape.lines:
        figure.add_vline(x=line, line={"color": t["rust"], "width": 1, "dash": "2px,2px"})
        figure.add_annotation(
            x=_log10(line), y=0, yref="paper", yanchor="top", yshift=-3, text=numbers.plain(line), showarrow=False,
            font={"size": 10.5, "color": t["mute"]},
        )  # fmt: skip
    figure.update_xaxes(type="log")
    figure.update_yaxes(range=[-1, 1])


def _bars(figure: go.Figure, shape: Bars, look: Look) -> None:
    t = tokens(look)
    figure.add_bar(
        x=list(shape.values)[::-1], y=[as_text(n, 14) for n in shape.names][::-1], orientation="h", hoverinfo="skip",
        marker={"color": ([t["context"]] * (len(shape.values) - 1) + [t["blue"]])},
        text=[numbers.plain(round(v)) for v in shape.values][::-1], textposition="outside", textfont={"size": 11}, cliponaxis=False,
    )  # fmt: skip
    figure.update_layout(bargap=0.35, margin={"l": 56, "r": 48, "t": 2, "b": 2})
    figure.update_yaxes(showticklabels=True, tickfont={"size": 11})


def _log10(value: float) -> float:
    import math

    return math.log10(value)
