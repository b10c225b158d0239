"""Drawing of what thinking costs: the distribution of lengths, or two panels of success and cost."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from charts import numbers
from charts.look import Look
from charts.serving.draw import beside, log_axis, token_ticks, tokens_text
from charts.template import SERIES, halo, new_figure, tokens

RULES = ("perfect judge", "verifier", "vote")
CHECKS = ("no checks", "checked as set", "checks that miss nothing")


def percent(share: float) -> str:
    """13 %, 0.3 %."""
    return f"{100 * share:.0f} %" if share >= 0.01 else f"{100 * share:.1g} %"


def cents(usd: float) -> str:
    """1.4 cents, $2.19."""
    return f"{100 * usd:.2g} cents" if usd < 1 else numbers.dollars(usd)


def figure(table: pd.DataFrame, params: Any, look: Look) -> go.Figure:
    """The distribution, or two panels: share solved and cost of a solved task."""
    if params.view == "lengths":
        return _bell(table, look)
    axis = "samples" if params.view == "samples" else "steps"
    return _panels(table, axis, RULES if axis == "samples" else CHECKS, look)


def _bell(table: pd.DataFrame, look: Look) -> go.Figure:
    height, t = look.height(460, 400), tokens(look)
    fig = new_figure(look, height_px=height)
    x = table["output_tokens"]
    told = [
        f"{n:,.0f} tokens: {cents(u)}; shorter answers write {100 * s:.0f} % of all tokens"
        for n, u, s in zip(x, table["usd_per_answer"], table["share_of_tokens_shorter"])
    ]
    fig.add_scatter(
        x=x,
        y=table["answers_per_log_length"],
        mode="lines",
        fill="tozeroy",
        fillcolor=t["band_blue"],
        line={"color": t["blue"], "width": 2},
        text=told,
        hovertemplate="%{text}<extra></extra>",
    )
    marks = [
        ("median", table.attrs["quantiles"]["0.5"], "0.5"),
        ("mean", table.attrs["mean"], "mean"),
        ("9 in 10 shorter", table.attrs["quantiles"]["0.9"], "0.9"),
        ("99 in 100", table.attrs["quantiles"]["0.99"], "0.99"),
    ]
    for i, (name, value, key) in enumerate(marks):
        fig.add_shape(
            type="line",
            x0=value,
            x1=value,
            y0=0,
            y1=1.47 - 0.13 * i,
            line={"color": t["ink"] if name != "mean" else t["rust"], "width": 1.2},
        )
        fig.add_annotation(
            x=np.log10(value),
            y=1.47 - 0.13 * i,
            yanchor="bottom",
            xanchor="left",
            xshift=4,
            yshift=-10,
            showarrow=False,
            align="left",
            text=f"<b>{name}</b> {tokens_text(value)}, {cents(table.attrs['usd'][key])}",
            font={"size": 11 if look.phone else 13, "color": t["rust"] if name == "mean" else t["ink"], "shadow": halo(look.theme)},
        )
    low, high = float(x.min()), float(x.max()) * (6 if look.phone else 2.2)
    fig.update_layout(margin={"l": 16, "r": 16, "t": 16, "b": 46})
    fig.update_xaxes(**token_ticks(low, high, tokens_text), range=[np.log10(low), np.log10(high)], title_text="Tokens of an answer")
    fig.update_yaxes(visible=False, range=[0, 1.6])
    return fig


def _panels(table: pd.DataFrame, axis: str, lines: tuple[str, ...], look: Look) -> go.Figure:
    """Share solved and cost of a solved task side by side, stacked on a phone."""
    height, t = look.height(500, 560), tokens(look)
    fig = new_figure(look, height_px=height)
    margin = {"l": 52, "r": 26, "t": 34, "b": 46}
    wide, tall = look.width_px - margin["l"] - margin["r"], height - margin["t"] - margin["b"]
    cost_axis, _, _ = log_axis(table["usd_per_solved"].to_numpy(dtype=float), numbers.dollars)
    points, labels, tones = [], [], []
    for i, name in enumerate(lines):
        own = table[table["line"] == name]
        tone = t[SERIES[i]]
        x = own[axis]
        told = [f"{name}, {n:,} {axis}: {percent(s)} solved" for n, s in zip(x, own["solved"])]
        fig.add_scatter(
            x=x, y=own["solved"] * 100, mode="lines", line={"color": tone, "width": 2.2}, text=told, hovertemplate="%{text}<extra></extra>"
        )
        told = [f"{name}, {n:,} {axis}: {numbers.dollars(u)} a solved task" for n, u in zip(x, own["usd_per_solved"])]
        fig.add_scatter(
            x=x,
            y=own["usd_per_solved"],
            mode="lines",
            line={"color": tone, "width": 2.2},
            text=told,
            hovertemplate="%{text}<extra></extra>",
            xaxis="x2",
            yaxis="y2",
        )
        at = int(len(own) * (0.8 if axis == "samples" else 0.55)) - i
        points.append((float(x.iloc[at]), float(own["solved"].iloc[at] * 100)))
        labels.append(name)
        tones.append(tone)
    first, last = float(table[axis].min()), float(table[axis].max())
    across = {**token_ticks(first, last, lambda v: f"{v:,.0f}", 6), "range": [np.log10(first), np.log10(last)]}
    if axis == "steps":
        across |= {"tickvals": [1, 10, 100, 1000], "ticktext": ["1", "10", "100", "1,000"]}
    top_y, low_y = ([0.58, 1], [0, 0.4]) if look.phone else ([0, 1], [0, 1])
    left_x, right_x = ([0, 1], [0, 1]) if look.phone else ([0, 0.45], [0.56, 1])
    name = "Samples a task" if axis == "samples" else "Steps of a task"
    fig.update_layout(
        margin=margin,
        xaxis={**across, "domain": left_x, "anchor": "y", "title": {"text": name}},
        yaxis={"domain": top_y, "range": [0, 104], "ticksuffix": " %"},
        xaxis2={**across, "domain": right_x, "anchor": "y2", "title": {"text": name}},
        yaxis2={**cost_axis, "domain": low_y, "anchor": "x2"},
    )
    for at_x, at_y, text in ((left_x[0], top_y[1], "<b>Tasks solved</b>"), (right_x[0], low_y[1], "<b>Cost of a solved task</b>")):
        fig.add_annotation(
            x=at_x,
            y=at_y,
            xref="paper",
            yref="paper",
            xanchor="left",
            yanchor="bottom",
            yshift=8,
            text=text,
            showarrow=False,
            font={"size": 11.5 if look.phone else 13},
        )
    box = (wide * (left_x[1] - left_x[0]), tall * (top_y[1] - top_y[0]))
    curves = [(own[axis], 100 * own["solved"]) for _, own in table.groupby("line")]
    beside(fig, look, points, labels, tones, x=(first, last, True), y=(0, 104, False), box_px=box, lines=curves)
    return fig
