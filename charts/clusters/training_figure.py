"""The drawing of training runs: the largest run or the days by cluster size, or ours over published."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from charts import numbers
from charts.labels import note
from charts.look import Look
from charts.serving.draw import beside
from charts.template import new_figure, tokens
from charts.text import as_text
from data.queries.chips import records


def figure(table: pd.DataFrame, params: Any, look: Look) -> go.Figure:
    """The view asked for."""
    return {"largest": _largest, "days": _days, "published": _published}[params.show](table, params, look)


def _flop(value: float) -> str:
    mantissa, exponent = f"{value:.0e}".split("e")
    return f"{mantissa}e{int(exponent)}"


def _frame(look: Look, x: tuple[float, float], y: tuple[float, float], ticks: Any, title: str) -> tuple[go.Figure, tuple[float, float]]:
    height = look.height(480, 420)
    margin = {"l": 56 if look.phone else 76, "r": 24, "t": 22, "b": 52}
    fig = new_figure(look, height_px=height, margin=margin)
    fig.update_xaxes(
        range=np.log10(x).tolist(), title_text="chips of one job", **numbers.log_ticks(*x, numbers.count, 5 if look.phone else 10)
    )
    fig.update_yaxes(range=np.log10(y).tolist(), title_text="" if look.phone else title, **ticks)
    return fig, (look.width_px - margin["l"] - margin["r"], height - margin["t"] - margin["b"])


def _largest(table: pd.DataFrame, params: Any, look: Look) -> go.Figure:
    t, a = tokens(look), table.attrs
    x = (float(table["chips"].min()), float(table["chips"].max()))
    marks = [r for r in a["runs"] if x[0] <= r["chips"] <= x[1]]
    best = table["largest_flop"]
    low = min([float(table["ideal_flop"].min()), *(r["flop"] for r in marks)]) / 2
    high = float(table["ideal_flop"].max()) * 2
    fig, box = _frame(look, x, (low, high), numbers.log_ticks(low, high, _flop, 7), f"FLOP in {params.days:g} days")
    fig.add_scatter(
        x=table["chips"], y=table["ideal_flop"], mode="lines", line={"color": t["mute"], "width": 1.4, "dash": "6px,4px"}, hoverinfo="skip"
    )
    shown = best.where(best > low / 100)
    fig.add_scatter(
        x=table["chips"], y=shown, mode="lines", line={"color": t["blue"], "width": 2.6}, customdata=table["goodput"] * 100,
        hovertemplate="%{x:,.0f} chips: %{y:.3g} FLOP<br>%{customdata:.0f} % of the time counts<extra></extra>",
    )  # fmt: skip
    points = [(r["chips"], r["flop"]) for r in marks]
    own = (float(params.chips), a["largest_flop"])
    if marks:
        fig.add_scatter(
            x=[p[0] for p in points], y=[p[1] for p in points], mode="markers", marker={"size": 9, "color": t["page"], "line": {"color": t["rust"], "width": 2}},
            text=[f"{as_text(r['name'])}: {r['flop']:.3g} FLOP on {r['chips']:,.0f} chips<br>{as_text(r['source'])}" for r in marks], hovertemplate="%{text}<extra></extra>",
        )  # fmt: skip
    texts, colors = [as_text(r["name"], 24) for r in marks], [t["rust"]] * len(marks)
    if x[0] <= own[0] <= x[1] and own[1] > low:
        fig.add_scatter(x=[own[0]], y=[own[1]], mode="markers", marker={"size": 12, "color": t["blue"]}, hoverinfo="skip")
        points, texts, colors = [*points, own], [*texts, f"{numbers.chips(own[0])}: {own[1]:.2e}".replace("e+", "e")], [*colors, t["blue"]]
    beside(fig, look, points, texts, colors, x=(*x, True), y=(low, high, True), box_px=box)
    _threshold(fig, look, a["threshold_flop"], x[0])
    last = float(table["ideal_flop"].iloc[-1])
    note(
        fig,
        look,
        "without failures",
        x=np.log10(x[1]),
        y=np.log10(last),
        xanchor="right",
        yshift=12,
        xshift=-26,
        font={"size": 11, "color": t["mute"]},
    )
    return fig


def _threshold(fig: go.Figure, look: Look, flop: float | None, left: float) -> None:
    if not flop:
        return
    t = tokens(look)
    fig.add_hline(y=flop, line={"color": t["plum"], "width": 1.2, "dash": "2px,3px"})
    said = "1e26: reporting, 2023 to Jan 2025" if look.phone else "1e26 FLOP: US reporting threshold, October 2023 to January 2025"
    note(
        fig,
        look,
        said,
        x=np.log10(left),
        y=np.log10(flop),
        xanchor="left",
        xshift=6,
        yshift=9,
        font={"size": 10.5 if look.phone else 11.5, "color": t["plum"]},
    )


def _days(table: pd.DataFrame, params: Any, look: Look) -> go.Figure:
    t, a = tokens(look), table.attrs
    x = (float(table["chips"].min()), float(table["chips"].max()))
    low = float(table[["ideal_days", "threshold_days"]].min().min()) / 1.6
    high = min(float(table[["ideal_days", "threshold_days"]].max().max()) * 1.6, max(a["days"] * 30, 3000))
    fig, box = _frame(look, x, (low, high), numbers.log_ticks(low, high, lambda v: f"{v:,g} d", 7), "days")
    lines = (("ideal_days", t["mute"], "6px,4px", 1.4), ("threshold_days", t["plum"], "2px,3px", 1.6), ("days", t["blue"], "solid", 2.6))
    for name, tone, dash, width in lines:
        own = table[table[name].notna() & np.isfinite(table[name]) & (table[name] < high * 3)]
        fig.add_scatter(
            x=own["chips"], y=own[name], mode="lines", line={"color": tone, "width": width, "dash": dash},
            hovertemplate="%{x:,.0f} chips: %{y:.3g} days<extra></extra>",
        )  # fmt: skip
    fig.add_hline(y=params.days, line={"color": t["axis"], "width": 1})
    note(
        fig,
        look,
        f"{params.days:g} days",
        x=np.log10(x[1]),
        y=np.log10(params.days),
        xanchor="right",
        xshift=-4,
        yshift=9,
        font={"size": 11, "color": t["mute"]},
    )
    spots, texts, tones = [], [], []
    if x[0] <= params.chips <= x[1] and low < a["days"] < high:
        fig.add_scatter(x=[params.chips], y=[a["days"]], mode="markers", marker={"size": 12, "color": t["blue"]}, hoverinfo="skip")
        spots, texts, tones = (
            [(float(params.chips), a["days"])],
            [f"{numbers.chips(params.chips)} chips: {a['days']:.3g} days"],
            [t["blue"]],
        )
    seen = table[(table["threshold_days"] < high * 0.8) & (table["threshold_days"] > low)]
    if len(seen):
        at = seen.iloc[len(seen) // 4]
        spots, texts, tones = [*spots, (float(at["chips"]), float(at["threshold_days"]))], [*texts, "1e26 FLOP"], [*tones, t["plum"]]
    beside(fig, look, spots, texts, tones, x=(*x, True), y=(low, high, True), box_px=box)
    return fig


def _published(table: pd.DataFrame, params: Any, look: Look) -> go.Figure:
    table = table[table["ratio"] > 0].reset_index(drop=True)  # a price of 0 has no place on a log axis
    t, n = tokens(look), len(table)
    height = look.height_px or max(220, 110 + 46 * n)
    fig = new_figure(look, height_px=height, margin={"l": 100 if look.phone else 190, "r": 20, "t": 26, "b": 52})
    if not n:
        return fig
    y = np.arange(n)[::-1]
    ends = pd.concat([table["ratio"], table["ours"] / table["low"], table["ours"] / table["high"]]).dropna()
    low, high = min(float(ends.min()), 0.8) / 1.5, max(float(ends.max()), 1.25) * (9 if look.phone else 2.6)
    fig.add_vline(x=1, line={"color": t["ink"], "width": 1})
    for place, row in zip(y, records(table)):
        if row["low"] == row["low"] and row["high"] == row["high"]:
            fig.add_scatter(
                x=[row["ours"] / row["high"], row["ours"] / row["low"]],
                y=[int(place)] * 2,
                mode="lines",
                line={"color": t["blue"], "width": 2},
                hoverinfo="skip",
            )
    firm = table["rung"].eq("primary")
    fig.add_scatter(
        x=table["ratio"], y=y, mode="markers", marker={"size": 11, "color": [t["blue"] if f else t["page"] for f in firm], "line": {"color": t["blue"], "width": 2}},
        text=[f"{r['quantity']}: {r['ratio']:.3g} × published<br>{as_text(r['source'])}" for r in table.to_dict("records")], hovertemplate="%{text}<extra></extra>",
    )  # fmt: skip
    for place, row in zip(y, records(table)):
        far = max(v for v in (row["ratio"], row["ours"] / row["low"] if row["low"] == row["low"] else 0))
        pair = f"{_value(row, row['ours'])} / {_value(row, row['published'])}"
        text = f"<b>{row['ratio']:.2f}×</b>  {pair}" + ("" if look.phone else " published")
        note(
            fig,
            look,
            text,
            x=np.log10(far),
            y=int(place),
            xanchor="left",
            xshift=11,
            font={"size": 10.5 if look.phone else 12, "color": t["ink"]},
        )
    names = [
        r["quantity"] if r["stage"] == "pre-training" or look.phone else f"{r['quantity']}, {r['stage']}" for r in table.to_dict("records")
    ]
    fig.update_xaxes(
        range=np.log10([low, high]).tolist(),
        title_text="ours over published",
        **numbers.log_ticks(low, high, lambda v: f"{v:g}×", 4 if look.phone else 7),
    )
    fig.update_yaxes(tickvals=y, ticktext=[as_text(v, 17 if look.phone else 30) for v in names], range=[-0.6, n - 0.4], showgrid=False)
    return fig


def _value(row: dict[str, Any], value: float) -> str:
    unit = row["unit"]
    if unit == "FLOP":
        return f"{value:.2e}".replace("e+", "e")
    return {"USD": numbers.dollars, "share": numbers.share, "MW": numbers.power}.get(
        unit, lambda v: f"{numbers.count(v)} {'h' if unit == 'GPU-hours' else unit}"
    )(value)
