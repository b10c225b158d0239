"""The drawing of the power chain: a ladder from chip to site, and bars of watts a chip by generation."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from charts import numbers
from charts.labels import note
from charts.look import Look
from charts.template import new_figure, tokens
from charts.text import as_text
from data.queries.chips import records


def figure(table: pd.DataFrame, params: Any, look: Look) -> go.Figure:
    """The ladder, or the generations."""
    return _generations(table, params, look) if params.show == "generations" else _ladder(table, look)


def _watts(mw: float) -> str:
    watts = mw * 1e6
    return f"{watts:,.0f} W" if watts < 10_000 else numbers.power(mw) if mw >= 1 else f"{watts / 1e3:.3g} kW"


def _ladder(table: pd.DataFrame, look: Look) -> go.Figure:
    height, t = look.height(470, 430), tokens(look)
    fig = new_figure(look, height_px=height, margin={"l": 84 if look.phone else 110, "r": 16, "t": 12, "b": 52})
    n, each = len(table), table["each_mw"].to_numpy(float)
    y = np.arange(n)[::-1]
    low, high = float(each.min()) / 3, float(each.max()) * (60 if look.phone else 25)
    fig.add_scatter(x=each[:-1], y=y[:-1], mode="lines", line={"color": t["context"], "width": 2, "shape": "vh"}, hoverinfo="skip")
    totals = table["unit"].eq("").to_numpy()
    for part, tone in ((~totals, t["blue"]), (totals, t["rust"])):
        own = table[part]
        fig.add_scatter(
            x=own["each_mw"], y=y[part], mode="markers", marker={"size": 11, "color": tone}, cliponaxis=False,
            text=[f"{r['step']}: {_watts(r['each_mw'])}<br>{r['basis']}" for r in own.to_dict("records")], hovertemplate="%{text}<extra></extra>",
        )  # fmt: skip
    for place, row in zip(y, table.to_dict("records")):
        text = f"<b>{_watts(row['each_mw'])}</b>"
        if row["unit"] and row["step"] != "Chip, all-in":
            text += f" · {numbers.chips(row['count'])} {row['unit']}"
        elif not look.phone:
            text += f" · {row['basis']}"
        tone = t["rust"] if not row["unit"] else t["ink"]
        note(
            fig,
            look,
            text,
            x=np.log10(row["each_mw"]),
            y=int(place),
            xanchor="left",
            xshift=13,
            font={"size": 11 if look.phone else 12.5, "color": tone},
        )
    _ticks(fig, table, y, t, look)
    fig.update_xaxes(
        range=[np.log10(low), np.log10(high)], title_text="power of one", **numbers.log_ticks(low, high, _tick, 4 if look.phone else 7)
    )
    fig.update_yaxes(tickvals=y, ticktext=table["step"].tolist(), range=[-0.6, n - 0.4], showgrid=False)
    return fig


def _tick(mw: float) -> str:
    return f"{mw * 1e6:g} W" if mw < 1e-3 else f"{mw * 1e3:g} kW" if mw < 1 else f"{mw:g} MW" if mw < 1e3 else f"{mw / 1e3:g} GW"


def _ticks(fig: go.Figure, table: pd.DataFrame, y: np.ndarray, t: dict[str, str], look: Look) -> None:
    """Published all-in watts as ticks and brackets just above the all-in chip."""
    at = float(y[list(table["step"]).index("Chip, all-in")]) + 0.36
    x: list[float | None] = []
    text: list[str | None] = []
    for row in table.attrs["published"]:
        span = [row["low"] / 1e6, row["high"] / 1e6] if row["low"] < row["high"] else [row["value"] / 1e6]
        hover = f"{as_text(row['label'], 60)}: {row['value']:,.0f} W<br>{as_text(row['source'], 60)}"
        x += [*span, None]
        text += [*[hover] * len(span), None]
    fig.add_scatter(
        x=x, y=[None if v is None else at for v in x], mode="lines+markers", line={"color": t["plum"], "width": 2}, text=text,
        marker={"symbol": "line-ns", "size": 9, "line": {"color": t["plum"], "width": 2}}, hovertemplate="%{text}<extra></extra>",
    )  # fmt: skip
    if table.attrs["published"]:
        far = max(row["high"] for row in table.attrs["published"]) / 1e6
        note(
            fig,
            look,
            "published",
            x=np.log10(far),
            y=at,
            xanchor="left",
            xshift=9,
            font={"size": 10 if look.phone else 11, "color": t["plum"]},
        )


def _generations(table: pd.DataFrame, params: Any, look: Look) -> go.Figure:
    names = list(dict.fromkeys(table["chip"]))
    n, t = len(names), tokens(look)
    height = look.height_px or max(240, 90 + (54 if look.phone else 58) * n)
    fig = new_figure(look, height_px=height, margin={"l": 96 if look.phone else 150, "r": 20, "t": 12, "b": 52})
    if not n:
        return fig
    place = {name: n - 1 - i for i, name in enumerate(names)}
    wide = float(table["watts"].max()) * (1.28 if look.phone else 1.12)
    style: dict[str, dict[str, Any]] = {
        "site": {"color": "rgba(0,0,0,0)", "line": {"color": t["axis"], "width": 1.2}},
        "all-in": {"color": t["band_blue"], "line": {"color": t["blue"], "width": 1}},
        "chip": {"color": t["blue"], "line": {"width": 0}},
    }
    for kind, marker in style.items():
        own = table[table["kind"] == kind]
        said = {"site": "at the site, peak", "all-in": "all-in, IT", "chip": "rated"}[kind]
        fig.add_bar(
            x=own["watts"], y=[place[c] for c in own["chip"]], orientation="h", marker=marker, width=0.42,
            hovertemplate="%{x:,.0f} W " + said + "<extra></extra>",
        )  # fmt: skip
    for row in table[table["kind"] == "range"].to_dict("records"):
        fig.add_scatter(
            x=[row["low_w"], row["high_w"]], y=[place[row["chip"]] + 0.33] * 2, mode="lines+markers", line={"color": t["plum"], "width": 2},
            marker={"symbol": "line-ns", "size": 9, "line": {"color": t["plum"], "width": 2}},
            text=[f"{as_text(row['label'], 60)}: {row['low_w']:,.0f} to {row['high_w']:,.0f} W a chip<br>{as_text(row['source'], 60)}"] * 2,
            hovertemplate="%{text}<extra></extra>",
        )  # fmt: skip
    seen = table[table["kind"] == "cluster"]
    if len(seen):
        firm = seen["rung"].isin(["primary", "reported"])
        fig.add_scatter(
            x=seen["watts"], y=[place[c] - 0.33 for c in seen["chip"]], mode="markers", hovertemplate="%{text}<extra></extra>",
            marker={"size": 8, "color": [t["rust"] if f else t["page"] for f in firm], "line": {"color": t["rust"], "width": 1.5}},
            text=[_seen(r) for r in records(seen)],
        )  # fmt: skip
    for row in table[table["kind"] == "all-in"].to_dict("records"):
        reach = row["watts"] * params.peak_pue
        rated = row["watts"] / params.overhead
        text = f"{rated:,.0f} → {row['watts']:,.0f} W"
        note(
            fig,
            look,
            text,
            x=reach,
            y=place[row["chip"]],
            xanchor="left",
            xshift=6,
            font={"size": 10.5 if look.phone else 12, "color": t["ink"]},
        )
        wide = max(wide, reach * (1.42 if look.phone else 1.16))
    fig.update_layout(barmode="overlay")
    fig.update_xaxes(range=[0, wide], title_text="W a chip", tickformat=",d", nticks=5 if look.phone else 9)
    fig.update_yaxes(
        tickvals=list(place.values()), ticktext=[as_text(c, 14 if look.phone else 20) for c in names], range=[-0.6, n - 0.4], showgrid=False
    )
    return fig


def _seen(row: dict[str, Any]) -> str:
    metered = ", metered in a benchmark" if row["measured"] else ""
    return f"{as_text(row['label'], 60)}: {row['watts']:,.0f} W{metered}<br>{as_text(row['source'], 60)}"
