"""Accelerators that reached China: every sourced figure with its range, by route, in one unit at a time."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from charts import numbers
from charts.chips import NOT_ADVICE
from charts.look import Look
from charts.params import ChartParams, choice
from charts.receipt import Receipt, age_note, input_row, looked_up
from charts.registry import Chart, Preset, register
from charts.template import new_figure, tokens
from charts.text import as_text
from charts.words import Words
from data.queries import chips
from data.snapshot import Snapshot

UNITS = {"chips": "Chips", "h100e": "H100e", "packages": "Packages", "dies": "Dies", "stacks": "Memory stacks", "usd": "US dollars"}
UNIT_WORDS = {
    "chips": "chips",
    "h100e": "H100 equivalents (8-bit rate)",
    "packages": "packages",
    "dies": "dies",
    "stacks": "memory stacks",
    "usd": "US dollars",
}
YEARS = {"all": "All years", "2022": "2022", "2023": "2023", "2024": "2024", "2025": "2025", "2026": "2026"}
ROUTES = {
    "legal": "sold under the rules",
    "diverted": "diverted",
    "domestic": "made in China",
    "rented abroad": "rented abroad",
    "all": "all routes",
}


class Params(ChartParams):
    """Which unit and which year."""

    unit: Literal["chips", "h100e", "packages", "dies", "stacks", "usd"] = choice(
        "chips", label="Unit", help="figures of different units are never added or drawn together", labels=UNITS
    )
    year: Literal["all", "2022", "2023", "2024", "2025", "2026"] = choice(
        "all", label="Year", help="year in which the period ends", labels=YEARS
    )


def table(params: Params, snapshot: Snapshot) -> pd.DataFrame:
    """One row a figure: route, what, period, value with its own range; modelled quarters of one family summed by year."""
    rows = chips.flows_to_china(snapshot, params.unit)
    if params.year != "all":
        rows = rows[rows["year"].eq(params.year)]
    return rows.reset_index(drop=True)


def words(table: pd.DataFrame, params: Params) -> Words:
    """The span of figures for the route with most sources."""
    when = "" if params.year == "all" else f" for {params.year}"
    if table.empty:
        return Words(
            f"No figure in {UNIT_WORDS[params.unit]}{when}",
            empty=f"No source gives a flow to China in {UNIT_WORDS[params.unit]}{when}.",
            way_out={"unit": "chips", "year": "all"},
        )
    given = table[table["delivered"]] if table["delivered"].any() else table
    ends = given.assign(low_end=given["low"].fillna(given["value"]), high_end=given["high"].fillna(given["value"]))
    parts = []
    for route, own in ends.groupby("route", sort=False):
        low, high = own["low_end"].min(), own["high_end"].max()
        span = numbers.count(high) if low == high else f"{numbers.count(low)} to {numbers.count(high)}"
        parts.append(f"{ROUTES[str(route)]} {span} ({len(own)} {'figure' if len(own) == 1 else 'figures'})")
    finding = f"To China{when}, {UNIT_WORDS[params.unit]}: " + "; ".join(parts)
    subtitle = (
        f"{len(table)} figures from {table['source'].nunique()} sources, log scale, grouped by route. Round and filled: reported or modelled; hollow: a claim; diamond: orders, "
        "approvals, plans and forecasts, not deliveries. "
        "Line: the range its own source gives; none is drawn where none is given."
    )
    notes = (
        "Rows overlap (the same chips counted by two sources, parts inside wholes): they are not to be added.",
        *(("An H20 counts as 0.15 of an H100 here, blind to its memory bandwidth.",) if params.unit == "h100e" else ()),
        "Sums of modelled quarters are sums of medians; their interval is not known, so none is drawn.",
        NOT_ADVICE,
    )
    alt = f"Dots by route. {finding}."
    return Words(
        finding, subtitle, alt, "figures found, not all that moved", "Epoch AI, AI chip sales (CC BY 4.0); sources in the table", notes
    )


def figure(table: pd.DataFrame, params: Params, look: Look) -> go.Figure:
    """One row a figure, grouped by route."""
    t, own = tokens(look), table.reset_index(drop=True)
    height = look.height_px or max(260, 96 + (23 if look.phone else 26) * len(own))
    left, right = (150, 40) if look.phone else (360, 70)
    fig = new_figure(look, height_px=height, margin={"l": left, "r": right, "t": 24, "b": 48})
    y = np.arange(len(own))[::-1]
    low, high = own["low"].fillna(own["value"]), own["high"].fillna(own["value"])
    # A figure of zero has no place on a log axis: its number stands at the left edge.
    floor = float(low[low > 0].min()) / 1.6 if (low > 0).any() else 1.0
    ends = floor, max(float(high.max()), floor) * (3.0 if look.phone else 12.0)
    tones = {"legal": t["blue"], "diverted": t["rust"], "domestic": t["green"], "rented abroad": t["plum"], "all": t["ink"]}
    size = 9.5 if look.phone else 12
    labels = []
    for i, row in enumerate(own.to_dict("records")):
        tone = tones[row["route"]]
        if high[i] > low[i]:
            fig.add_shape(
                type="line", x0=float(low[i]), x1=float(high[i]), y0=int(y[i]), y1=int(y[i]), line={"color": tone, "width": 3}, opacity=0.45
            )
        if i and own["route"][i - 1] != row["route"]:
            fig.add_shape(type="line", x0=-0.4, x1=1, xref="paper", y0=y[i] + 0.5, y1=y[i] + 0.5, line={"color": t["grid"], "width": 1})
        first = i == 0 or own["route"][i - 1] != row["route"]
        head = f"<b>{ROUTES[row['route']].replace(' under the rules', '')}</b>  " if first else ""
        room = (12 if first else 26) if look.phone else 34
        labels.append(head + as_text(f"{row['what']}, {row['period']}", room))
        drawn = row["value"] == row["value"]
        text = (
            numbers.count(row["value"])
            if drawn
            else f"{numbers.count(low[i])} to {numbers.count(high[i])}"
            if low[i] != high[i]
            else f"up to {numbers.count(high[i])}"
        )
        basis = "" if look.phone else f'  <span style="color:{t["mute"]}">{as_text(row["basis"] or "", 46)}</span>'
        fig.add_annotation(
            x=float(np.log10(max(high[i], floor))), y=int(y[i]), xshift=9, xanchor="left", text=text + basis, showarrow=False, font={"size": size - 1, "color": tone}
        )  # fmt: skip
    drawn = own["value"].notna().to_numpy()
    hollow = own["rung"].eq("claim").to_numpy()
    symbols = [("circle" if d else "diamond") + ("-open" if h else "") for d, h in zip(own["delivered"][drawn], hollow[drawn])]
    colors = [tones[route] for route in own["route"][drawn]]
    fig.add_scatter(
        x=own["value"][drawn], y=y[drawn], mode="markers", cliponaxis=False,
        marker={"size": 10, "symbol": symbols, "color": colors, "line": {"width": 1.8, "color": colors}},
        customdata=own.loc[drawn, ["what", "basis", "source"]].fillna("").map(as_text).to_numpy(),
        hovertemplate="%{customdata[0]}: %{x:,.3s}<br>%{customdata[1]}<br>%{customdata[2]}<extra></extra>",
    )  # fmt: skip
    fig.update_xaxes(
        range=np.log10(ends).tolist(), title_text=UNIT_WORDS[params.unit], **numbers.log_ticks(*ends, numbers.count, 4 if look.phone else 8)
    )
    fig.update_yaxes(tickmode="array", tickvals=y, ticktext=labels, range=[-0.7, len(own) - 0.3], showgrid=False, tickfont={"size": size})
    return fig


def receipt(params: Params, snapshot: Snapshot) -> Receipt:
    """Every figure drawn with its source; sums of quarters named as such."""
    shown = table(params, snapshot)
    inputs = []
    for row in chips.records(shown):
        ends = [numbers.plain(v) for v in (row["low"], row["value"], row["high"]) if v == v]
        inputs.append(input_row(row, f"{row['what']}, {row['period']} ({ROUTES[row['route']]})", " / ".join(ends), UNIT_WORDS[params.unit]))
    sums = shown[shown["quarters"] > 1]
    lines = [
        looked_up(
            f"{r['what']}, {r['period']}",
            float(r["value"]),
            UNIT_WORDS[params.unit],
            f"sum of the medians of {r['quarters']} modelled quarters",
        )
        for r in chips.records(sums)
    ]
    return Receipt(
        lines,
        inputs,
        ("Nothing is added across sources, routes or units.",),
        tuple(filter(None, (age_note(shown["as_of"].tolist(), snapshot.today),))),
    )


CHART = register(
    Chart(
        id="chips.flows",
        page="chips",
        title="Accelerators to China, by route",
        params=Params,
        table=table,
        figure=figure,
        receipt=receipt,
        words=words,
        presets=(
            Preset("chips-2024", "Chips in 2024", {"year": "2024"}, claim="E5"),
            Preset("domestic", "Ascend packages", {"unit": "packages"}, claim="E10"),
            Preset("h100e", "In H100 equivalents", {"unit": "h100e"}),
        ),
        heights=(560, 520),
    )
)
