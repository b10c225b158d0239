"""Jevons: what use, spending, GPU-hours and rents do when tokens get cheaper, by elasticity."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from analytics.prices.demand import demand_outcome, demand_ratio, gpu_hours_ratio, implied_elasticity, rent_ratio, spend_ratio
from charts.labels import EndLabel, end_labels, margin_for, note
from charts.look import Look
from charts.numbers import plain
from charts.params import ChartParams, number
from charts.prices.draw import Frame, y_unit
from charts.receipt import InputRow, Receipt, assumed, worked
from charts.registry import Chart, Preset, register
from charts.template import tokens
from charts.words import Words
from data.snapshot import Snapshot

LINES = {"tokens": ("Tokens", "point"), "gpu_hours": ("GPU-hours", "green"), "spending": ("Spending", "blue"), "rent": ("Rent", "rust")}
# Tokens a month that Google says it processes: 9.7T (May 2024), 480T (May 2025), 3.2Q (May 2026).
GOOGLE = (("May 2024 to May 2025", 480 / 9.7), ("May 2025 to May 2026", 3200 / 480))
GOOGLE_SOURCE = "Google, statements of May 2025 and May 2026"
CREDIT = "constant elasticities; token volumes: statements by Google"


class Params(ChartParams):
    """State of the chart."""

    price_fall: float = number(10, ge=1.01, le=10_000, label="Price falls", help="How many times cheaper tokens get.", unit="fold")
    gain: float = number(
        10, ge=0.1, le=10_000, label="Tokens per GPU-hour", help="How many times more tokens a GPU-hour yields.", unit="fold"
    )
    capacity: float = number(2, ge=0.1, le=1000, label="Capacity grows", help="How many times more GPUs there are.", unit="fold")
    supply: float = number(2, ge=0.05, le=100, label="Supply elasticity", help="How strongly supply answers rents.")
    elasticity: float = number(1.5, ge=0, le=5, label="Demand elasticity", help="The elasticity that is read off.", step=0.1)


def table(params: Params, snapshot: Snapshot) -> pd.DataFrame:
    """Elasticity from 0 to 3 (or further) against the four ratios to before; attrs give the point read off."""
    e = np.round(np.linspace(0, max(3.0, params.elasticity), 121), 6)
    kwargs = {"tokens_per_gpu_hour_gain": params.gain, "capacity_ratio": params.capacity, "supply_elasticity": params.supply}
    made, one = (demand_outcome(1 / params.price_fall, at, **kwargs) for at in (e, params.elasticity))
    out = pd.DataFrame({"elasticity": e, **{k: np.asarray(getattr(made, k)) for k in LINES}})
    out.attrs = {
        "at": {k: float(getattr(one, k)) for k in LINES},
        "google": [[when, float(implied_elasticity(q, 1 / params.price_fall))] for when, q in GOOGLE],
    }
    return out


def figure(table: pd.DataFrame, params: Params, look: Look) -> go.Figure:
    """Four lines over elasticity, 1 = as before; the elasticity read off and those implied by Google's volumes as verticals."""
    t, f = tokens(look), table.attrs
    low = float(min(table[k].min() for k in LINES)) / 1.3
    high = float(min(max(table[k].max() for k in LINES), 1e4)) * 1.3
    x_end = float(table["elasticity"].max())
    labels = [EndLabel(min(float(table[k].iloc[-1]), high), name, t[ink]) for k, (name, ink) in LINES.items()]
    frame = Frame(
        look, look.height(440, 420), 62 if not look.phone else 50, margin_for(labels, look), 34, 52, (0, x_end), (low, high), y_log=True
    )
    out = frame.figure()
    y_unit(out, frame, "× before")
    exponents = range(int(np.ceil(np.log10(low))), int(np.floor(np.log10(high))) + 1)
    out.update_yaxes(type="log", tickvals=[10.0**k for k in exponents], ticktext=[f"{10.0**k:g}×" for k in exponents], title_text=None)
    out.update_xaxes(title_text="elasticity of demand", dtick=0.5)
    out.add_hline(y=1, line={"color": t["axis"], "width": 1})
    for k, (name, ink) in LINES.items():
        line = {"color": t[ink], "width": 2.2, "dash": "5px,3px" if k == "spending" else "solid"}
        told = f"{name} at %{{x:.2f}}: %{{y:.3g}}×<extra></extra>"
        out.add_scatter(x=table["elasticity"], y=table[k], mode="lines", line=line, hovertemplate=told)
    out.add_vline(x=params.elasticity, line={"color": t["ink"], "width": 1, "dash": "5px,3px"})
    dots = {"size": 8, "color": [t[ink] for _, ink in LINES.values()], "opacity": 1}
    out.add_scatter(x=[params.elasticity] * len(LINES), y=[f["at"][k] for k in LINES], mode="markers", marker=dots, hoverinfo="skip")
    for i, (when, e) in enumerate(f["google"]):
        if e <= x_end:
            out.add_vline(x=e, line={"color": t["mute"], "width": 1, "dash": "2px,3px"})
            text = f"{e:.2f}" if look.phone else f"Google, {when}: {e:.2f}"
            note(out, look, text, x=e, y=1, yref="paper", yanchor="bottom", yshift=2 + 14 * (i % 2))
    end_labels(out, labels, look, x_end=x_end, y_range=(low, high), log=True, plot_px=frame.plot_height)
    return out


def _effect(at: dict[str, float]) -> str:
    """What rises, stays and falls: "spending and GPU-hours stay, rents fall"; a change under 0.05 % counts as none."""
    ways: dict[str, list[str]] = {"rise": [], "stay": [], "fall": []}
    for name, key in (("spending", "spending"), ("GPU-hours", "gpu_hours"), ("rents", "rent")):
        ways["stay" if abs(at[key] - 1) < 5e-4 else "rise" if at[key] > 1 else "fall"].append(name)
    told = []
    for verb, names in ways.items():
        if len(names) == 3:
            return f"spending, GPU-hours and rents all {verb}"
        if names:
            told.append(f"{' and '.join(names)} {verb}{'s' if names == ['spending'] else ''}")
    return ", ".join(told)


def words(table: pd.DataFrame, params: Params) -> Words:
    """Title and the rest, from the table."""
    at = table.attrs["at"]
    return Words(
        finding=f"If tokens get {params.price_fall:g} times cheaper and demand has an elasticity of {params.elasticity:g}, {_effect(at)}",
        subtitle="Ratios to before over the elasticity of demand, log scale; 1 is no change. Dashed: the elasticity read off; "
        "dotted: what Google's "
        "token volumes would imply if price alone explained them.",
        alt=", ".join(f"{LINES[k][0]} {plain(v)} times" for k, v in at.items()),
        coverage=f"at {params.elasticity:g}: " + ", ".join(f"{LINES[k][0].lower()} ×{plain(v)}" for k, v in at.items()),
        credit=CREDIT,
        notes=("Spending grows as prices fall only where the elasticity is above 1: then Jevons holds.",),
    )


def receipt(params: Params, snapshot: Snapshot) -> Receipt:
    """The four ratios and the implied elasticity worked."""
    price, e = 1 / params.price_fall, params.elasticity
    hours = float(gpu_hours_ratio(price, e, params.gain))
    return Receipt(
        formulas=(
            worked(demand_ratio, price_ratio=price, elasticity=e),
            worked(spend_ratio, price_ratio=price, elasticity=e),
            worked(gpu_hours_ratio, price_ratio=price, elasticity=e, tokens_per_gpu_hour_gain=params.gain),
            worked(rent_ratio, gpu_hours_ratio=hours, capacity_ratio=params.capacity, supply_elasticity=params.supply),
            worked(implied_elasticity, quantity_ratio=GOOGLE[0][1], price_ratio=price),
        ),
        inputs=(
            InputRow("Google, tokens a month, May 2024", "9.7", "trillion", GOOGLE_SOURCE, "", "claim", ("not re-read",)),
            InputRow("Google, tokens a month, May 2025", "480", "trillion", GOOGLE_SOURCE, "", "claim", ("not re-read",)),
            InputRow("Google, tokens a month, May 2026", "3,200", "trillion", GOOGLE_SOURCE, "", "claim", ("not re-read",)),
            assumed("Price falls", f"{params.price_fall:g}", "fold"),
            assumed("Tokens per GPU-hour", f"{params.gain:g}", "fold"),
            assumed("Capacity grows", f"{params.capacity:g}", "fold"),
            assumed("Supply elasticity", f"{params.supply:g}"),
        ),
        assumptions=("Elasticities are constant; use grows for reasons besides price, so the implied ones are upper bounds.",),
        error=("The implied elasticity takes the price fall you set for both years; it moves with it.",),
    )


CHART = register(
    Chart(
        id="prices.elasticity",
        page="prices",
        title="Jevons: elasticity of demand",
        params=Params,
        table=table,
        figure=figure,
        receipt=receipt,
        words=words,
        presets=(
            Preset("jevons", "Elasticity 1.5", {}, claim="I7"),
            Preset("below", "Elasticity 0.8", {"elasticity": 0.8}, claim="I7"),
            Preset("one", "The divide at 1", {"elasticity": 1}, claim="I7"),
        ),
        heights=(440, 420),
    )
)
