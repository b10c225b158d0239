"""Pictures of scale: goodput by chip count, efficiency by distance, and bandwidth beside latency by level."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from charts import numbers
from charts.labels import EndLabel, end_labels, margin_for, note
from charts.look import Look
from charts.template import SERIES, new_figure, tokens
from charts.text import as_text


def figure(table: pd.DataFrame, params: Any, look: Look) -> go.Figure:
    """The picture of the parameter `show`."""
    if table.empty:
        return new_figure(look, height_px=look.height())
    return {"goodput": _goodput, "sites": _sites, "hierarchy": _hierarchy}[params.show](table, params, look)


def _frame(look: Look, labels: list[EndLabel], x: tuple[float, float], ticks: dict[str, Any], title: str) -> go.Figure:
    """Shares of time from 0 to 100 % over a logarithmic axis, lines named at their ends."""
    height = look.height(480, 430)
    fig = new_figure(look, height_px=height)
    margin = {"l": 52 if look.phone else 66, "r": margin_for(labels, look), "t": 34, "b": 48}
    fig.update_layout(margin=margin)
    fig.update_xaxes(range=[math.log10(x[0]), math.log10(x[1])], title_text=title, tickangle=0, **ticks)
    fig.update_yaxes(range=[0, 1.02], tickvals=[0, 0.2, 0.4, 0.6, 0.8, 1], ticktext=["0", "20 %", "40 %", "60 %", "80 %", "100 %"])
    plot = height - margin["t"] - margin["b"]
    end_labels(fig, labels, look, x_end=math.log10(x[1]), y_range=(0, 1.02), log=False, plot_px=plot, top_px=20)
    return fig


def _at(fig: go.Figure, look: Look, x: float, text: str, right: bool) -> None:
    """An upright at what was asked about, named above the plot."""
    t = tokens(look)
    fig.add_shape(type="line", x0=x, x1=x, y0=0, y1=1, yref="paper", line={"color": t["ink"], "width": 1})
    side = {"xanchor": "right" if right else "left", "xshift": -2 if right else 2}
    note(fig, look, f"<b>{text}</b>", x=math.log10(x), y=1, yref="paper", yanchor="bottom", yshift=3, font_color=t["ink"], **side)


def _goodput(table: pd.DataFrame, params: Any, look: Look) -> go.Figure:
    t = tokens(look)
    own, fast = table[table["choice"] == "set"], table[table["choice"] == "fast"]
    high = max(2**21, params.chips * 1.5)
    both = own["efficiency"] * own["communication"]
    phone = look.phone
    labels = [
        EndLabel(
            float(fast["efficiency"].iloc[-1]),
            "Fast saves" if phone else f"Checkpoint {params.fast_checkpoint_s:g} s, restart {params.fast_restart_s:g} s",
            t["green"],
        ),
        EndLabel(
            float(own["efficiency"].iloc[-1]),
            "Exact" if phone else f"Checkpoint {params.checkpoint_s:g} s, restart {params.restart_s:g} s",
            t["blue"],
        ),
        EndLabel(float(both.iloc[-1]), "+ exchange" if phone else "The same, with exchange", t["plum"]),
        EndLabel(0.0, "First order" if phone else "Young's first order", t["rust"]),
    ]
    ticks = numbers.log_ticks(256, high, numbers.count, most=4 if phone else 8)
    fig = _frame(look, labels, (256, high), ticks, "Chips of one job")
    valid, past = own[own["in_range"].astype(bool)], own[~own["in_range"].astype(bool)]
    lines = [
        (fast, fast["efficiency"], t["green"], "solid", f"checkpoint {params.fast_checkpoint_s:g} s"),
        (own, own["efficiency"], t["blue"], "solid", f"checkpoint {params.checkpoint_s:g} s"),
        (own, both, t["plum"], "solid", "with exchange"),
        (valid, valid["first_order"], t["rust"], "6px,4px", "Young's first order"),
        (past, past["first_order"].clip(lower=0), t["rust"], "1.5px,4px", "Young's first order, past its range"),
    ]
    for rows, y, tone, dash, name in lines:
        fig.add_scatter(
            x=rows["chips"], y=y, mode="lines", line={"color": tone, "width": 2 if dash == "solid" else 1.6, "dash": dash},
            text=[f"{name}<br>{numbers.count(n)} chips: {numbers.share(v)}" for n, v in zip(rows["chips"], y)], hovertemplate="%{text}<extra></extra>",
        )  # fmt: skip
    a = table.attrs
    if len(past) and not phone:
        first = past.iloc[0]
        note(
            fig,
            look,
            "past its range",
            x=math.log10(first["chips"]),
            y=max(float(first["first_order"]), 0) - 0.05,
            xanchor="right",
            xshift=-6,
            font_color=t["rust"],
        )
    _at(fig, look, float(params.chips), f"{numbers.count(params.chips)} chips", params.chips > 40_000)
    fig.add_scatter(
        x=[params.chips] * 2, y=[a["efficiency"], a["fast"]], mode="markers", hoverinfo="skip",
        marker={"size": 9, "color": [t["blue"], t["green"]], "line": {"color": t["page"], "width": 1.5}},
    )  # fmt: skip
    for value, tone in ((a["efficiency"], t["blue"]), (a["fast"], t["green"])):
        up = value == max(a["efficiency"], a["fast"])
        note(
            fig,
            look,
            f"<b>{numbers.share(value)}</b>",
            x=math.log10(params.chips),
            y=value,
            xanchor="left" if up else "right",
            xshift=8 if up else -8,
            yshift=10 if up else -13,
            font_color=tone,
        )
    if a["published"]:
        fig.add_scatter(
            x=[16_384], y=[a["published"]], mode="markers", text=[f"Llama 3 paper: more than {numbers.share(a['published'])} on 16,384"],
            hovertemplate="%{text}<extra></extra>", marker={"size": 11, "color": "rgba(0,0,0,0)", "line": {"color": t["ink"], "width": 1.8}},
        )  # fmt: skip
        if not phone:
            note(
                fig,
                look,
                f"○ Llama 3 paper: over {numbers.share(a['published'])}",
                x=math.log10(16_384),
                y=a["published"],
                xanchor="right",
                xshift=-9,
                yshift=-46,
                font_color=t["ink"],
            )
    return fig


def _sites(table: pd.DataFrame, params: Any, look: Look) -> go.Figure:
    t = tokens(look)
    labels, lines = [], []
    for i, (steps, rows) in enumerate(table.groupby("steps", sort=True)):
        tone = t[SERIES[i % len(SERIES)]]
        name = "every step" if steps == 1 else f"every {steps:,} steps"
        labels.append(
            EndLabel(
                float(rows["efficiency"].iloc[-1]),
                name if not look.phone else name.replace("every ", "1 in ").replace("1 in step", "each step").replace(" steps", ""),
                tone,
            )
        )
        lines.append((rows, tone, name, steps == params.steps_between))
    ticks = numbers.log_ticks(1, 12_500, lambda v: f"{v:,.0f} mi", most=4 if look.phone else 8)
    fig = _frame(look, labels, (1, 12_500), ticks, "Fibre between two sites (miles)")
    for rows, tone, name, chosen in lines:
        fig.add_scatter(
            x=rows["miles"], y=rows["efficiency"], mode="lines", line={"color": tone, "width": 2.6 if chosen else 1.6},
            text=[f"{name}<br>{m:,.0f} miles: {numbers.share(v)}, exchange {numbers.seconds(s)}" for m, v, s in zip(rows["miles"], rows["efficiency"], rows["exchange_s"])],
            hovertemplate="%{text}<extra></extra>",
        )  # fmt: skip
    a = table.attrs
    _at(fig, look, params.miles, f"{params.miles:g} miles", params.miles > 200)
    fig.add_scatter(x=[params.miles], y=[a["efficiency"]], mode="markers", hoverinfo="skip", marker={"size": 10, "color": t["ink"]})
    note(
        fig,
        look,
        f"<b>{numbers.share(a['efficiency'])}</b>",
        x=math.log10(params.miles),
        y=a["efficiency"],
        xanchor="left",
        xshift=9,
        yshift=-11,
        font_color=t["ink"],
    )
    return fig


def _hierarchy(table: pd.DataFrame, params: Any, look: Look) -> go.Figure:
    t = tokens(look)
    height = look.height(420, 400)
    left = 66 if look.phone else 92
    fig = new_figure(look, height_px=height, margin={"l": left, "r": 20, "t": 42, "b": 20})
    rows = len(table)
    y = list(range(rows))
    stated = table["rung"].isin(["primary", "reported"]).to_numpy()
    size = 10.5 if look.phone else 12.5
    panels = (
        ("tb_per_s", "x", "Bandwidth a chip", (0.0, 0.47), lambda v: f"{numbers.number_of_bytes(v * 1e12)}/s", t["blue"], stated),
        ("latency_s", "x2", "Latency", (0.53, 1.0), numbers.seconds, t["rust"], table["latency_low_s"].notna().to_numpy()),
    )
    for column, axis, title, domain, write, tone, filled in panels:
        values = table[column].to_numpy(float)
        low, high = 10 ** math.floor(math.log10(np.nanmin(values)) - 0.2), 10 ** math.ceil(math.log10(np.nanmax(values)) + 0.8)
        fig.add_scatter(
            x=values, y=y, mode="markers", xaxis=axis, hovertemplate="%{text}<extra></extra>",
            text=[f"{as_text(r['label'])}: {write(r[column])}<br>{as_text(r['what'] if axis == 'x' else r['latency_basis'])}" for _, r in table.iterrows()],
            marker={"size": 10, "color": [tone if f else t["page"] for f in filled], "line": {"color": tone, "width": 1.8}},
        )  # fmt: skip
        for at, value in zip(y, values):
            line = {"color": tone, "width": 1}
            fig.add_shape(type="line", x0=low, x1=value, y0=at, y1=at, xref=axis, yref="y", line=line, layer="below", opacity=0.4)
            crowded = value > high**0.62 * low**0.38
            side = {"xanchor": "right" if crowded else "left", "xshift": -9 if crowded else 9, "yshift": 11 if crowded else 0}
            note(fig, look, write(value), x=math.log10(value), y=at, xref=axis, font_size=size, font_color=t["ink"], **side)
        ticks = numbers.log_ticks(low, high, write, most=3 if look.phone else 5)
        options = {
            "domain": domain,
            "range": [math.log10(low), math.log10(high)],
            "side": "top",
            "showline": False,
            "ticks": "",
            "tickangle": 0,
            "showgrid": True,
            "gridcolor": t["grid"],
        }
        fig.update_layout({axis.replace("x", "xaxis"): options | ticks | ({"anchor": "y"} if axis == "x2" else {})})
        fig.update_layout({axis.replace("x", "xaxis"): {"showticklabels": False}})
        note(
            fig,
            look,
            f"<b>{title}</b>",
            x=domain[0],
            xref="paper",
            y=1,
            yref="paper",
            yanchor="bottom",
            xanchor="left",
            yshift=8,
            font_size=size,
            font_color=tone,
        )
    fig.update_yaxes(tickmode="array", tickvals=y, ticktext=[as_text(n) for n in table["label"]], range=[rows - 0.4, -0.6], showgrid=False)
    return fig
