"""The drawing of power swings: levels over time, the floor's trade, or the spectrum with the band that utilities limit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from charts import numbers
from charts.labels import EndLabel, end_labels, margin_for, note
from charts.look import Look
from charts.template import new_figure, tokens

TONES = {"raw": "blue", "floor": "plum", "dummy": "rust", "storage": "green"}


def figure(table: pd.DataFrame, params: Any, look: Look) -> go.Figure:
    """The view asked for."""
    return {"time": _time, "floor": _floor, "spectrum": _spectrum}[params.show](table, params, look)


def _time(table: pd.DataFrame, params: Any, look: Look) -> go.Figure:
    height, t, a = look.height(460, 400), tokens(look), table.attrs
    high, low, mean = a["high_mw"], a["low_mw"], a["mean_mw"]
    labels = [
        EndLabel(high, "dummy work", t["rust"], f"+{numbers.share(a['dummy_share'])} energy"),
        EndLabel(mean, "storage", t["green"], f"flat at {numbers.power(mean)}"),
        EndLabel(low, "as it is", t["blue"], f"swings {numbers.power(a['swing_mw'])}"),
    ]
    if a["floor"]:
        labels.insert(
            2,
            EndLabel(
                high - a["floor"]["swing_mw"],
                "floor",
                t["plum"],
                f"+{numbers.share(a['floor']['share'])} energy, swings {numbers.power(a['floor']['swing_mw'])}",
            ),
        )
    margin = {"l": 60 if look.phone else 72, "r": margin_for(labels, look), "t": 24, "b": 52}
    fig = new_figure(look, height_px=height, margin=margin)
    cut = next((row["high"] for row in a["limits"] if row["param_id"] == "rack_storage_cut" and row["high"]), None)
    top = high * 1.16
    for way in ("floor", "raw", "dummy", "storage"):
        own = table[table["way"] == way]
        if len(own):
            fig.add_scatter(
                x=own["seconds"], y=own["mw"], mode="lines", hovertemplate="%{x:.3g} s: %{y:.4g} MW<extra></extra>",
                line={"color": t[TONES[way]], "width": 2.4 if way == "raw" else 1.8, "dash": "solid" if way in ("raw", "floor") else "6px,4px"},
            )  # fmt: skip
    end = float(table["seconds"].max())
    if params.limit_mw and params.limit_mw < a["swing_mw"]:
        fig.add_hrect(y0=high - params.limit_mw, y1=high, fillcolor=t["zone"], line_width=0, layer="below")
        note(
            fig,
            look,
            f"allowed swing {numbers.power(params.limit_mw)}",
            x=end * 0.01,
            y=high - params.limit_mw,
            xanchor="left",
            yshift=9,
            font={"size": 11, "color": t["mute"]},
        )
    if cut and high * (1 - cut) >= mean:
        fig.add_hline(y=high * (1 - cut), line={"color": t["mute"], "width": 1, "dash": "2px,3px"})
        said = (
            f"GB300 rack storage: peak −{numbers.share(cut)} at most"
            if look.phone
            else f"peak with GB300 rack storage, up to {numbers.share(cut)} lower, as published"
        )
        note(
            fig,
            look,
            said,
            x=end * 0.01,
            y=high * (1 - cut),
            xanchor="left",
            yshift=-9,
            font={"size": 10.5 if look.phone else 11, "color": t["mute"]},
        )
    fig.update_xaxes(range=[0, end], title_text="seconds", nticks=5 if look.phone else 8)
    fig.update_yaxes(range=[0, top], title_text="" if look.phone else "IT power, MW", ticksuffix=" MW" if look.phone else "", nticks=6)
    end_labels(fig, labels, look, x_end=end, y_range=(0, top), log=False, plot_px=height - margin["t"] - margin["b"])
    return fig


def _floor(table: pd.DataFrame, params: Any, look: Look) -> go.Figure:
    height, t, a = look.height(460, 400), tokens(look), table.attrs
    fig = new_figure(look, height_px=height, margin={"l": 60 if look.phone else 72, "r": 28, "t": 24, "b": 52})
    share = table["extra_energy_share"] * 100
    hover = [
        f"floor {w:,.0f} W: {numbers.power(s)} of swing left<br>+{e:.1f} % energy, {numbers.dollars(d)} a year"
        for w, s, e, d in zip(table["floor_w"], table["swing_left_mw"], share, table["extra_usd_per_year"])
    ]
    fig.add_scatter(
        x=share,
        y=table["swing_left_mw"],
        mode="lines",
        line={"color": t["blue"], "width": 2.4},
        text=hover,
        hovertemplate="%{text}<extra></extra>",
    )
    marks = [
        (0, float(table["swing_left_mw"].iloc[0]), "no floor", "left", 10, 10),
        (float(share.iloc[-1]), 0.0, "dummy work: flat", "right", -50, 10),
    ]
    if a["floor"]:
        marks.append(
            (
                a["floor"]["share"] * 100,
                a["floor"]["swing_mw"],
                f"floor {params.floor_w:,.0f} W: {numbers.power(a['floor']['swing_mw'])}, +{numbers.share(a['floor']['share'])}",
                "left",
                10,
                10,
            )
        )
    fig.add_scatter(
        x=[m[0] for m in marks],
        y=[m[1] for m in marks],
        mode="markers",
        marker={"size": 9, "color": t["blue"]},
        hoverinfo="skip",
        cliponaxis=False,
    )
    for x, y, text, anchor, dx, dy in marks:
        note(fig, look, text, x=x, y=y, xanchor=anchor, xshift=dx, yshift=dy, font={"size": 11 if look.phone else 12.5, "color": t["ink"]})
    if params.limit_mw:
        fig.add_hline(y=params.limit_mw, line={"color": t["rust"], "width": 1.2, "dash": "5px,3px"})
        note(
            fig,
            look,
            f"allowed swing {numbers.power(params.limit_mw)}",
            x=float(share.max()),
            y=params.limit_mw,
            xanchor="right",
            yshift=9,
            font={"size": 11, "color": t["rust"]},
        )
    seen = next((row["low"] for row in a["limits"] if row["param_id"] == "llama3_swing"), None)
    if seen and seen < a["swing_mw"]:
        fig.add_hline(y=seen, line={"color": t["mute"], "width": 1, "dash": "2px,3px"})
        said = f"{numbers.power(seen)}: “tens of megawatts”" + ("" if look.phone else ", Llama 3")
        note(
            fig, look, said, x=0, y=seen, xanchor="left", xshift=8, yshift=9, font={"size": 10.5 if look.phone else 11, "color": t["mute"]}
        )
    fig.update_xaxes(range=[0, max(float(share.max()) * 1.04, 0.1)], title_text="energy added, % of the mean", ticksuffix=" %", nticks=6)
    top = max(float(table["swing_left_mw"].max()), params.limit_mw, 1e-6) * 1.14
    fig.update_yaxes(range=[0, top], title_text="" if look.phone else "swing left, MW", ticksuffix=" MW" if look.phone else "", nticks=6)
    return fig


def _spectrum(table: pd.DataFrame, params: Any, look: Look) -> go.Figure:
    height, t, a = look.height(460, 400), tokens(look), table.attrs
    fig = new_figure(look, height_px=height, margin={"l": 60 if look.phone else 72, "r": 24, "t": 28, "b": 52})
    own = table[table["amplitude_mw"] > a["swing_mw"] * 1e-4]
    if own.empty:
        return fig
    band = next((row for row in a["limits"] if row["param_id"] == "swing_band"), None)
    first = float(own["frequency_hz"].min())
    low, high = min(first, band["low"] if band else first) / 1.6, max(float(own["frequency_hz"].max()), band["high"] if band else 0) * 1.6
    floor = max(float(own["amplitude_mw"].min()) / 1.6, float(own["amplitude_mw"].max()) / 2000)
    top = float(own["amplitude_mw"].max()) * 2
    if band:
        fig.add_vrect(x0=band["low"], x1=band["high"], fillcolor=t["tint_notice"], line_width=0, layer="below")
        said = (
            f"{band['low']:g} to {band['high']:g} Hz: limited"
            if look.phone
            else f"{band['low']:g} to {band['high']:g} Hz: limited by utilities, as published"
        )
        note(
            fig,
            look,
            said,
            x=np.log10(band["low"]),
            y=1,
            yref="paper",
            xanchor="left",
            xshift=6,
            yanchor="top",
            font={"size": 11 if look.phone else 12, "color": t["notice"]},
        )
    stems_x, stems_y = [], []
    for f, m in zip(own["frequency_hz"], own["amplitude_mw"]):
        stems_x += [f, f, None]
        stems_y += [floor, m, None]
    fig.add_scatter(x=stems_x, y=stems_y, mode="lines", line={"color": t["blue"], "width": 1.4}, hoverinfo="skip")
    fig.add_scatter(
        x=own["frequency_hz"],
        y=own["amplitude_mw"],
        mode="markers",
        marker={"size": 6, "color": t["blue"]},
        hovertemplate="%{x:.3g} Hz: %{y:.3g} MW<extra></extra>",
    )
    head = own.loc[own["amplitude_mw"].idxmax()]
    note(
        fig, look, f"{head['frequency_hz']:.3g} Hz: ±{numbers.power(head['amplitude_mw'])}", x=np.log10(head["frequency_hz"]), y=np.log10(head["amplitude_mw"]),
        xanchor="left", xshift=9, yshift=4, font={"size": 11 if look.phone else 12.5, "color": t["blue"]},
    )  # fmt: skip
    fig.update_xaxes(
        range=[np.log10(low), np.log10(high)],
        title_text="frequency",
        **numbers.log_ticks(low, high, lambda v: f"{v:g} Hz", 5 if look.phone else 9),
    )
    fig.update_yaxes(
        range=[np.log10(floor), np.log10(top)],
        title_text="" if look.phone else "amplitude, MW",
        **numbers.log_ticks(floor, top, numbers.power, 6),
    )
    return fig
