"""Resale: what the same server or card was sold for in China and in the United States, and the arithmetic of a claim."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from analytics.chips.totals import resale_gain
from charts import numbers
from charts.chips import NOT_ADVICE
from charts.look import Look
from charts.params import ChartParams, number
from charts.receipt import Receipt, assumed, input_row, worked
from charts.registry import Chart, Preset, register
from charts.template import new_figure, tokens
from charts.text import as_text
from charts.words import Words
from data.queries import chips
from data.snapshot import Snapshot


class Params(ChartParams):
    """The claim's figures; the defaults are the claim's own."""

    servers: float = number(1, ge=1, le=1e6, label="Servers", help="servers resold", step=1)
    price: float = number(250_000, ge=1, le=1e8, label="Price", help="of one eight-GPU server; the claim says 250,000", unit="$")
    resale: float = number(300_000, ge=1, le=1e8, label="Resale", help="of the same server; the claim says about 300,000", unit="$")
    journey: float = number(5_000, ge=0, le=1e6, label="Journey", help="one first-class seat; the claim says 3,000 to 5,000", unit="$")
    per_journey: float = number(
        1, ge=0.1, le=1000, label="Servers a journey", help="how many servers one journey carries: an assumption", step=1
    )


def table(params: Params, snapshot: Snapshot) -> pd.DataFrame:
    """One row a price pair: a price in China over the nearest price in the United States of the same chip and size; the claim last."""
    frame = chips.price_pairs(snapshot)
    claim = {
        "what": "the claim's server", "when": "2025-02-03", "china_usd": params.resale, "us_usd": params.price, "ratio": params.resale / params.price,
        "us_when": "2025-02-03", "kind": "claim", "source": "Lex Fridman Podcast #459 (2025-02-03)", "rung": "claim",
    }  # fmt: skip
    out = pd.concat([frame, pd.DataFrame([claim])], ignore_index=True) if len(frame) else pd.DataFrame([claim])
    gain = resale_gain(params.servers, params.resale, params.price, params.journey, params.per_journey)
    out.attrs = {"gain": float(gain), "margin": float(gain / (params.servers * params.price))}
    return out


def words(table: pd.DataFrame, params: Params) -> Words:
    """The claim's gain beside the ratios found."""
    found = table[table["rung"] != "claim"]
    span = (
        f"; {len(found)} price pairs found range from {found['ratio'].min():.2g} to {found['ratio'].max():.3g} times"
        if len(found)
        else "; no price pair was found"
    )
    servers = "one server" if params.servers == 1 else f"{numbers.plain(params.servers)} servers"
    gained = f"{'keeps' if params.servers == 1 else 'keep'} {numbers.dollars(table.attrs['gain'])}"
    finding = f"By the claim's figures {servers} resold at {params.resale / params.price:.2g} times the price {gained}{span}"
    subtitle = (
        "Price in China over the price nearest in time in the United States for the same chip and number of GPUs. Filled: prices reported; hollow: the claim, or your figures. "
        "Date: of the price in China."
    )
    notes = (
        "The gain leaves out freight, the chance of loss and penalties; servers a journey are an assumption, no source gives them.",
        "Grey-market prices are asked or reported, seldom paid on record; two dates apart are two markets.",
        NOT_ADVICE,
    )
    alt = f"Dots of price ratios. {finding}."
    return Words(
        finding, subtitle, alt, f"{len(found)} pairs", "press and reseller prices named in the table; a claim of February 2025", notes
    )


def figure(table: pd.DataFrame, params: Params, look: Look) -> go.Figure:
    """A row a pair, the line at 1."""
    t, own = tokens(look), table.reset_index(drop=True)
    n = len(own)
    fig = new_figure(
        look, height_px=look.height_px or max(240, 100 + 34 * n), margin={"l": 150 if look.phone else 300, "r": 60, "t": 20, "b": 48}
    )
    y, claim = np.arange(n)[::-1], own["rung"].eq("claim").to_numpy()
    tone = [t["rust"] if c else t["blue"] for c in claim]
    fig.add_vline(x=1, line={"color": t["axis"], "width": 1.5})
    for i, ratio, colour in zip(y, own["ratio"], tone):
        fig.add_shape(type="line", x0=1, x1=float(ratio), y0=int(i), y1=int(i), line={"color": t["context"], "width": 2}, layer="below")
        side = 10 if ratio >= 1 else -10
        fig.add_annotation(
            x=float(ratio), y=int(i), xshift=side, xanchor="left" if side > 0 else "right", text=f"{ratio:.3g}×", showarrow=False,
            font={"size": 11, "color": colour},
        )  # fmt: skip
    symbols = ["circle-open" if c else "circle" for c in claim]
    fig.add_scatter(
        x=own["ratio"], y=y, mode="markers", cliponaxis=False, marker={"size": 11, "color": tone, "symbol": symbols, "line": {"width": 2, "color": tone}},
        customdata=np.column_stack([own["what"].map(as_text), own["china_usd"].map(numbers.dollars), own["us_usd"].map(numbers.dollars), own["us_when"].map(numbers.date)]),
        hovertemplate="%{customdata[0]}<br>%{customdata[1]} in China, %{customdata[2]} in the US (%{customdata[3]})<extra></extra>",
    )  # fmt: skip
    low, high = min(0.5, float(own["ratio"].min()) * 0.85), max(1.6, float(own["ratio"].max()) * 1.2)
    between = "<br>" if look.phone else ", "
    labels = [f"{as_text(w, 24 if look.phone else 34)}{between}{numbers.date(d)}" for w, d in zip(own["what"], own["when"])]
    fig.update_xaxes(range=[low, high], title_text="times the price in the United States", ticksuffix="×")
    fig.update_yaxes(
        tickmode="array", tickvals=y, ticktext=labels, range=[-0.7, n - 0.3], showgrid=False, tickfont={"size": 10 if look.phone else 12}
    )
    return fig


def receipt(params: Params, snapshot: Snapshot) -> Receipt:
    """The claim's arithmetic, and every price with its source."""
    line = worked(
        resale_gain,
        servers=params.servers,
        resale_usd=params.resale,
        price_usd=params.price,
        journey_usd=params.journey,
        servers_per_journey=params.per_journey,
    )
    inputs = []
    for row in chips.records(table(params, snapshot)):
        if row["rung"] != "claim":
            inputs.append(input_row(row, f"{row['what']}, China", numbers.plain(row["china_usd"]), "$", as_of="when"))
            inputs.append(
                input_row(
                    row | {"source": row["us_source"], "source_url": row["us_source_url"]},
                    f"{row['us_what']}, United States",
                    numbers.plain(row["us_usd"]),
                    "$",
                    as_of="us_when",
                )
            )
    inputs.append(assumed("Servers a journey", f"{params.per_journey:g}", why="an assumption; no source gives it"))
    return Receipt(
        (line,),
        inputs,
        (NOT_ADVICE, "Price, resale and seat are the claim's unless you set them."),
        ("No source gives a range for the claim.",),
    )


CHART = register(
    Chart(
        id="chips.resale",
        page="chips",
        title="Resale: prices in China over prices in the United States",
        params=Params,
        table=table,
        figure=figure,
        receipt=receipt,
        words=words,
        presets=(
            Preset("claim", "The claim's server", {}, claim="E8"),
            Preset("thousand", "A thousand servers", {"servers": 1000}, claim="E8"),
        ),
        heights=(420, 420),
    )
)
