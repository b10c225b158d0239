"""Ratios of changed over base as bars from 1, with both values beside them."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from charts import numbers
from charts.look import Look
from charts.template import new_figure, tokens
from charts.text import as_text

# name -> (label, how it is written)
QUANTITIES: dict[str, tuple[str, Any]] = {
    "chips": ("Chips", numbers.count),
    "it_mw": ("IT power", numbers.power),
    "site_mw": ("Site power", numbers.power),
    "eflops": ("Dense 16-bit compute", lambda v: f"{v:,.0f} EFLOP/s" if v >= 100 else f"{v:.3g} EFLOP/s"),
    "hbm_pb_s": ("Memory bandwidth", lambda v: f"{v:,.0f} PB/s" if v >= 100 else f"{v:.3g} PB/s"),
    "goodput": ("Time that counts, one job", numbers.share),
    "days_1e26": ("Days to 1e26 FLOP", lambda v: f"{v:,.0f} days" if v >= 100 else f"{v:.3g} days"),
    "servers_usd": ("Servers", numbers.dollars),
    "energy_gwh": ("Electricity a year", lambda v: f"{v:,.0f} GWh" if v >= 100 else f"{v:.3g} GWh"),
    "electricity_usd": ("Electricity bill a year", numbers.dollars),
    "usd_per_hour": ("Cost of a chip-hour", numbers.dollars),
    "usd_per_year": ("Cost of a year", numbers.dollars),
    "usd_per_eflop_day": ("Cost an EFLOP/s-day", numbers.dollars),
}


def figure(table: pd.DataFrame, params: Any, look: Look) -> go.Figure:
    """A row a quantity: its name, base, a bar of the ratio from the line at 1, the ratio, changed."""
    t = tokens(look)
    shown = table[table["ratio"].notna() & (table["ratio"] > 0)].reset_index(drop=True)
    height = look.height(96 + 30 * len(shown), 96 + 36 * len(shown))
    left, right = (132, 14) if look.phone else (320, 150)
    fig = new_figure(look, height_px=height, margin={"l": left, "r": right, "t": 40, "b": 40})
    if shown.empty:
        return fig
    reach = max(float(shown["ratio"].max()), 1 / float(shown["ratio"].min()), 1.3) ** (1.7 if look.phone else 1.3)
    low, high = 1 / reach, reach
    same = (shown["ratio"] - 1).abs() < 0.005
    tone = [t["context"] if s else t["blue"] if r > 1 else t["rust"] for s, r in zip(same, shown["ratio"])]
    size = 10.5 if look.phone else 12.5
    notes: list[dict[str, Any]] = []
    shapes: list[dict[str, Any]] = [
        {"type": "line", "x0": 1, "x1": 1, "y0": 0, "y1": 1, "yref": "paper", "line": {"color": t["ink"], "width": 1}}
    ]
    written = [(QUANTITIES[r["quantity"]][1](r["base"]), QUANTITIES[r["quantity"]][1](r["changed"])) for _, r in shown.iterrows()]
    fig.add_scatter(
        x=shown["ratio"], y=list(range(len(shown))), mode="markers", marker={"size": 9, "color": tone}, hovertemplate="%{text}<extra></extra>",
        text=[f"{as_text(label)}: {a} to {b}, {r:.3g} ×" for label, (a, b), r in zip(shown["label"], written, shown["ratio"])],
    )  # fmt: skip
    for i, row in shown.iterrows():
        shapes.append(
            {
                "type": "line",
                "x0": 1,
                "x1": row["ratio"],
                "y0": i,
                "y1": i,
                "line": {"color": tone[int(str(i))], "width": 7},
                "layer": "below",
            }
        )
        up = row["ratio"] >= 1
        base = {"y": i, "showarrow": False}
        side = {"xanchor": "left" if up else "right", "xshift": 9 if up else -9}
        notes.append(
            base | side | {"x": math.log10(row["ratio"]), "text": f"<b>{row['ratio']:.3g} ×</b>", "font": {"size": size, "color": t["ink"]}}
        )
        before, after = written[int(str(i))]
        edge = {"xref": "paper", "x": 0}
        drop = 7 if look.phone else 0
        notes.append(
            base
            | edge
            | {
                "xanchor": "left",
                "xshift": -left + 6,
                "yshift": drop,
                "text": as_text(row["label"]),
                "font": {"size": size, "color": t["ink"]},
            }
        )
        if look.phone:
            told = before if before == after else f"{before} → {after}"
            notes.append(
                base
                | edge
                | {"xanchor": "left", "xshift": -left + 6, "yshift": -8, "text": told, "font": {"size": 9.5, "color": t["mute"]}}
            )
        else:
            notes.append(base | edge | {"xanchor": "right", "xshift": -14, "text": before, "font": {"size": size, "color": t["mute"]}})
            notes.append(
                base
                | {
                    "xref": "paper",
                    "x": 1,
                    "xanchor": "right",
                    "xshift": right - 12,
                    "text": f"<b>{after}</b>",
                    "font": {"size": size, "color": t["ink"]},
                }
            )
    if not look.phone:
        head = {
            "yref": "paper",
            "y": 1,
            "yanchor": "bottom",
            "yshift": 8,
            "showarrow": False,
            "xref": "paper",
            "font": {"size": 11.5, "color": t["mute"], "weight": 600},
        }
        notes.append(head | {"x": 0, "xanchor": "right", "xshift": -14, "text": "Base"})
        notes.append(head | {"x": 1, "xanchor": "right", "xshift": right - 12, "text": "Changed"})
    ticks = numbers.log_ticks(low, high, lambda v: f"{v:g} ×", most=3 if look.phone else 7)
    fig.update_layout(shapes=shapes, annotations=notes)
    title = "Changed over base" if look.phone else "Changed over base (times, log)"
    fig.update_xaxes(range=[math.log10(low), math.log10(high)], title_text=title, showgrid=True, gridcolor=t["grid"], tickangle=0, **ticks)
    fig.update_yaxes(range=[len(shown) - 0.4, -0.6], showticklabels=False, showgrid=False)
    return fig
