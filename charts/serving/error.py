"""How wrong the serving model is: predicted against measured for every published run, each with its source."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from analytics.serving.residuals import errors
from charts import numbers
from charts.labels import note
from charts.look import Look
from charts.params import ChartParams, choice, many
from charts.receipt import InputRow, Receipt, looked_up
from charts.registry import Chart, Preset, register
from charts.serving.draw import beside
from charts.serving.kept import kept
from charts.serving.measured import compared
from charts.template import SERIES, new_figure, tokens
from charts.text import as_text
from charts.words import Words
from data.snapshot import Snapshot

GROUPS = {"kind": "By kind of run", "model": "By model", "chip": "By chip"}
COLUMNS = {"kind": "family", "model": "model", "chip": "chip"}
RATIOS = {"left_out": "Left out of the fit", "fitted": "As fitted"}


class Params(ChartParams):
    """Which runs, and how they are told apart."""

    by: Literal["kind", "model", "chip"] = choice("kind", label="Colours", help="what the colours of the marks tell apart", labels=GROUPS)
    ratio: Literal["left_out", "fitted"] = choice(
        "left_out",
        label="Error",
        help="predictions with the run's model or chip left out of the fit, the worse; or with all in it",
        labels=RATIOS,
    )
    models: tuple[str, ...] = many((), label="Models", help="models shown; none chosen means all")
    chips: tuple[str, ...] = many((), label="Chips", help="chips shown; none chosen means all")


def table(params: Params, snapshot: Snapshot) -> pd.DataFrame:
    """One row per published run: measured, predicted, their ratio, lengths, engine, source."""
    rows = compared(snapshot)
    if params.models:
        rows = rows[rows["model"].isin(params.models)]
    if params.chips:
        rows = rows[rows["chip_id"].isin(params.chips)]
    out = rows.reset_index(drop=True).copy()
    if params.ratio == "fitted":
        out["ratio"], out["predicted"] = out["fitted"], out["measured"] * out["fitted"]
    out["group"] = out[COLUMNS[params.by]]
    out = out.rename(
        columns={"measured": "measured_tok_s_per_gpu", "predicted": "predicted_tok_s_per_gpu", "ratio": "predicted_over_measured"}
    )
    found = {str(name): errors(own["predicted_over_measured"]) for name, own in out.groupby("group")}
    out.attrs = {"groups": {name: e.as_dict() for name, e in found.items() if e}, "all": len(compared(snapshot))}
    return out.drop(columns=["fitted"])


def words(table: pd.DataFrame, params: Params) -> Words:
    """Median error and share within a quarter of the largest kind, and which run is farthest off."""
    if table.empty:
        return Words(
            "No run chosen", empty="No published run of these models on these chips has been compared.", way_out={"models": (), "chips": ()}
        )
    ratios = table["predicted_over_measured"]
    how = "with its model or chip left out of the fit" if params.ratio == "left_out" else "with nothing left out of the fit"
    kinds = table["family"].value_counts()
    first = errors(table.loc[table["family"] == kinds.index[0], "predicted_over_measured"])
    assert first is not None
    finding = (
        f"Half of {first.n} {kinds.index[0]}s are predicted within {100 * first.median_absolute_error:.0f} %, "
        f"{100 * first.within_25_percent:.0f} % of them within a quarter"
    )
    subtitle = (
        f"Predicted against measured output tok/s per GPU (both log), {len(table)} published runs, each predicted {how}. "
        "Diagonal: exact; shaded: within a quarter. One mark a run; click it for its source."
    )
    worst = table.iloc[int(np.argmax(np.abs(np.log(ratios.to_numpy(dtype=float)))))]
    notes = [
        f"Farthest off: {worst['model']} on {worst['chip' if 'chip' in worst else 'chip_id']}, {worst['input_tokens']:,.0f} in and {worst['output_tokens']:,.0f} out: "
        f"predicted {worst['predicted_over_measured']:.2f} of measured."
    ]
    notes += [
        f"{name}: n {e['n']:.0f}, median error {100 * e['median_absolute_error']:.0f} %, "
        f"{100 * e['within_25_percent']:.0f} % within a quarter, mean ratio {e['geometric_mean_ratio']:.2f}."
        for name, e in sorted(table.attrs["groups"].items(), key=lambda item: -item[1]["n"])[:6]
    ]
    told = f"{len(table)} of {table.attrs['all']} runs that could be compared"
    coverage = f"{told}; server and interactive runs keep to latency limits and stand apart."
    alt = f"Points along a diagonal: predicted against measured tokens per second. {finding}."
    return Words(
        finding, subtitle, alt, coverage, "Published measurements, see each row; predictions by the Ridgepoint serving model", tuple(notes)
    )


def figure(table: pd.DataFrame, params: Params, look: Look) -> go.Figure:
    """Points by group on two logarithmic axes with the diagonal and the quarter around it."""
    height, t = look.height(560, 460), tokens(look)
    fig = new_figure(look, height_px=height)
    if table.empty:
        return fig
    both = table[["measured_tok_s_per_gpu", "predicted_tok_s_per_gpu"]].to_numpy(dtype=float)
    low, high = both.min() * 0.7, both.max() * 1.4
    edge = np.array([low, high])
    fig.add_scatter(
        x=[*edge, *edge[::-1]],
        y=[*(edge * 0.75), *(edge[::-1] * 1.25)],
        fill="toself",
        fillcolor=t["zone"],
        line={"width": 0},
        mode="lines",
        hoverinfo="skip",
    )
    fig.add_scatter(x=edge, y=edge, mode="lines", line={"color": t["axis"], "width": 1}, hoverinfo="skip")
    order = table["group"].value_counts()
    symbols = ("circle", "diamond", "square", "triangle-up", "x")
    ends, labels, tones = [], [], []
    for i, name in enumerate(order.index):
        own = table[table["group"] == name]
        named = i < len(SERIES)
        tone = t[SERIES[i]] if named else t["point"]
        text = [_told(row) for row in own.to_dict("records")]
        fig.add_scatter(
            x=own["measured_tok_s_per_gpu"],
            y=own["predicted_tok_s_per_gpu"],
            mode="markers",
            text=text,
            hovertemplate="%{text}<extra></extra>",
            customdata=[[str(row)] for row in own["row"]],
            cliponaxis=False,
            marker={
                "size": 7 if look.phone else 8.5,
                "color": tone,
                "symbol": symbols[i % len(symbols)],
                "line": {"color": t["page"], "width": 0.8},
            },
        )
        if named:
            far = own.iloc[int(np.argmax(np.abs(np.log(own["predicted_over_measured"].to_numpy(dtype=float)))))]
            ends.append((float(far["measured_tok_s_per_gpu"]), float(far["predicted_tok_s_per_gpu"])))
            labels.append(as_text(name, 26))
            tones.append(tone)
    margin = {"l": 60, "r": 16, "t": 18, "b": 48}
    fig.update_layout(margin=margin)
    ticks = numbers.log_ticks(low, high, lambda v: f"{v:,.0f}", 7 if look.phone else 10)
    fig.update_xaxes(
        range=[np.log10(low), np.log10(high)], title_text="Measured output tok/s per GPU", showgrid=True, gridcolor=t["grid"], **ticks
    )
    fig.update_yaxes(range=[np.log10(low), np.log10(high)], title_text="" if look.phone else "Predicted", **ticks)
    note(fig, look, "exact", x=np.log10(high), y=np.log10(high), xanchor="right", yanchor="bottom", textangle=0, xshift=-14)
    box = (look.width_px - margin["l"] - margin["r"], height - margin["t"] - margin["b"])
    others = [(float(x), float(y)) for x, y in both]
    beside(fig, look, ends, labels, tones, x=(low, high, True), y=(low, high, True), box_px=box, others=others)
    return fig


def _told(row: dict) -> str:
    lines = (
        f"<b>{as_text(row['model'])}</b> on {as_text(row.get('chip', row['chip_id']))}, {row['input_tokens']:,.0f} in, {row['output_tokens']:,.0f} out",
        f"measured {row['measured_tok_s_per_gpu']:,.0f}, predicted {row['predicted_tok_s_per_gpu']:,.0f} tok/s per GPU: "
        f"{row['predicted_over_measured']:.2f}",
        f"{as_text(row['engine'])}, {as_text(row['day_text'], 40)}",
        as_text(row["source"], 90),
    )
    return "<br>".join(lines)


def receipt(params: Params, snapshot: Snapshot) -> Receipt:
    """Error figures of each group, the runs farthest off with their sources, and how they were left out."""
    shown = table(params, snapshot)
    if shown.empty:
        return Receipt(assumptions=("No run is chosen, so no error is stated.",))
    lines = [
        looked_up(f"Median absolute error, {name}", 100 * e["median_absolute_error"], "%", f"{e['n']:.0f} runs, predicted over measured")
        for name, e in shown.attrs["groups"].items()
    ]
    off = np.abs(np.log(shown["predicted_over_measured"].to_numpy(dtype=float)))
    rows = [
        InputRow(
            f"{r['model']} on {r['chip']}, {r['input_tokens']:,.0f} in, {r['output_tokens']:,.0f} out",
            f"{r['measured_tok_s_per_gpu']:,.0f}",
            f"tok/s per GPU, predicted {r['predicted_tok_s_per_gpu']:,.0f}",
            str(r["source"]),
            "",
            "reported",
            (),
            str(r["day_text"]),
        )
        for r in shown.iloc[np.argsort(-off)[:12]].to_dict("records")
    ]
    how = "Each run is predicted with its model, then with its chip, left out of the fit of the constants; the worse of the two counts."
    assumptions = (
        how if params.ratio == "left_out" else "Constants are fitted on all runs shown here, so this error flatters.",
        "A few constants hold for all models and chips; none is fitted for one model on one chip.",
        "Blank layouts are predicted on the best layout that fits; submissions keep the best submitter of a cell, an upward bias.",
    )
    e = errors(shown["predicted_over_measured"])
    assert e is not None
    within = f"median {100 * e.median_absolute_error:.0f} %, {100 * e.within_25_percent:.0f} % within a quarter"
    overall = f"All {e.n} runs: {within}, mean ratio {e.geometric_mean_ratio:.2f}."
    return Receipt(tuple(lines), tuple(rows), assumptions, (overall,))


@kept
def _models(snapshot: Snapshot) -> dict[str, str]:
    return {str(name): str(name) for name in sorted(compared(snapshot)["model"].dropna().unique())}


@kept
def _chips(snapshot: Snapshot) -> dict[str, str]:
    rows = compared(snapshot)
    return dict(sorted(set(zip(rows["chip_id"], rows["chip"])), key=lambda pair: pair[1]))


CHART = register(
    Chart(
        id="serving.error",
        page="serving",
        title="Predicted against measured",
        params=Params,
        table=table,
        figure=figure,
        receipt=receipt,
        words=words,
        options={"models": _models, "chips": _chips},
        presets=(
            Preset("all", "Every published run", {}, claim="R10"),
            Preset("by-model", "By model", {"by": "model"}),
            Preset("by-chip", "By chip", {"by": "chip"}),
        ),
        heights=(560, 460),
    )
)
