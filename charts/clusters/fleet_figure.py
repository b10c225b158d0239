"""Bars by chip with the band of the error, and what follows from the fleet in columns beside them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from charts import numbers
from charts.clusters.fleet_words import write
from charts.clusters.power_figure import linear_ticks
from charts.look import Look
from charts.template import new_figure, tokens
from charts.text import as_text

ROW_PX = 46


def figure(table: pd.DataFrame, params: Any, look: Look) -> go.Figure:
    """A bar a chip; chips, megawatts, capital, a year, rent, a query and the export clause in columns; on a phone below the name."""
    t = tokens(look)
    shown = table[table["value"].notna()].reset_index(drop=True)
    height = max(104 + (ROW_PX + (10 if look.phone else 0)) * len(shown), 210) if not look.card else look.height()
    fig = new_figure(look, height_px=height)
    if shown.empty:
        return fig
    columns = [] if look.phone else _columns(shown, params)
    right = sum(width for _, width, _ in columns) + 16
    margin = {"l": 84 if look.phone else 120, "r": right, "t": 38, "b": 46}
    own = write(params)
    top = float(np.nanmax(shown[["value", "high"]].to_numpy(float))) * (1.28 if look.phone else 1.2)
    y = list(range(len(shown)))
    told = [
        f"{as_text(r['chip'])}: {own(r['value'])}, {r['tok_s']:,.0f} tok/s a chip<br>{as_text(r['layout'], 160)}<br>{as_text(r['clause'])}"
        for _, r in shown.iterrows()
    ]
    fig.add_bar(
        x=shown["value"], y=y, orientation="h", width=0.36, text=told, textposition="none", hovertemplate="%{text}<extra></extra>",
        marker={"color": [t["blue"] if m else t["context"] for m in shown["measured"].astype(bool)], "line": {"width": 0}},
    )  # fmt: skip
    spread = shown[shown["low"].notna() & shown["high"].notna()]
    if len(spread):
        fig.add_scatter(
            x=spread["value"], y=list(spread.index), mode="markers", hoverinfo="skip", marker={"size": 0.1, "color": t["ink"]},
            error_x={
                "type": "data", "symmetric": False, "array": (spread["high"] - spread["value"]).clip(lower=0),
                "arrayminus": (spread["value"] - spread["low"]).clip(lower=0), "color": t["ink"], "thickness": 1.3, "width": 4,
            },
        )  # fmt: skip
    size = 10.5 if look.phone else 12.5
    notes: list[dict[str, Any]] = []
    for i, row in shown.iterrows():
        end = max(row["value"], row["high"] if row["high"] == row["high"] else 0)
        notes.append(
            {
                "x": end,
                "y": i,
                "text": f"<b>{own(row['value'])}</b>",
                "xanchor": "left",
                "xshift": 8,
                "showarrow": False,
                "font": {"size": size, "color": t["ink"]},
            }
        )
        if look.phone:
            told_below = " · ".join(
                part
                for part in (
                    _short(row["site_mw"], numbers.power),
                    _short(
                        row["usd_per_query"] if params.measure != "usd_per_query" or params.limit != "none" else float("nan"),
                        lambda v: f"{numbers.dollars(v * 1000)} per 1,000",
                    ),
                    as_text(row["clause"], 31),
                )
                if part
            )
            notes.append(
                {
                    "x": 0,
                    "y": i,
                    "text": told_below,
                    "xanchor": "left",
                    "xshift": 2,
                    "yshift": 19,
                    "showarrow": False,
                    "font": {"size": 10, "color": t["mute"]},
                }
            )
    left = 12.0
    for heading, width, texts in columns:
        base = {"xref": "paper", "x": 1, "xanchor": "right", "xshift": left + width - 6, "showarrow": False, "align": "right"}
        notes.append(
            base
            | {
                "yref": "paper",
                "y": 1,
                "yanchor": "bottom",
                "yshift": 6,
                "text": heading,
                "font": {"size": 11.5, "color": t["mute"], "weight": 600},
            }
        )
        notes += [base | {"y": i, "text": text, "font": {"size": size, "color": t["ink"]}} for i, text in enumerate(texts)]
        left += width
    ticks = linear_ticks(top)
    if look.phone:
        ticks = ticks[:: max(1, len(ticks) // 3)]
    title = {
        "none": {
            "chips": "Chips",
            "site_mw": "Site power (MW, GW)",
            "capital_usd": "Capital (USD)",
            "usd_per_year": "USD a year",
            "usd_per_query": "USD per 1,000 queries",
        }[params.measure]
    }
    fig.update_layout(margin=margin, annotations=notes, bargap=0.4)
    fig.update_xaxes(
        range=[0, top], tickvals=ticks, ticktext=[own(v) if v else "0" for v in ticks], showgrid=True, gridcolor=t["grid"], tickangle=0,
        title_text=title.get(params.limit, "Queries a day"),
    )  # fmt: skip
    fig.update_yaxes(
        tickmode="array",
        tickvals=y,
        ticktext=[f"<b>{as_text(c, 14)}</b>" for c in shown["chip"]],
        range=[len(shown) - 0.5, -0.6],
        showgrid=False,
    )
    return fig


def _short(value: Any, write: Any) -> str:
    return write(value) if value == value else ""


def _columns(shown: pd.DataFrame, params: Any) -> list[tuple[str, int, list[str]]]:
    """Heading, width [px] and texts; what the bars show is not written twice."""
    every = [
        ("chips", "Chips", 66, numbers.count), ("site_mw", "Site", 70, numbers.power), ("capital_usd", "Servers", 72, numbers.dollars),
        ("usd_per_year", "Owned, a year", 98, numbers.dollars), ("rent_per_year", "Rented, a year", 102, numbers.dollars),
        ("usd_per_query", "1,000 queries", 96, lambda v: numbers.dollars(v * 1000)),
    ]  # fmt: skip
    drawn = params.measure if params.limit == "none" else "queries"
    out = [(head, width, [_short(v, write) or "–" for v in shown[name]]) for name, head, width, write in every if name != drawn]
    return [*out, ("Export", 196, [as_text(c, 30) for c in shown["clause"]])]
