"""Measured times against those expected before they were taken."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from analytics.bench.fit import fit
from analytics.bench.roofline import expected_time_us, measured_over_expected
from charts import numbers
from charts.labels import note
from charts.look import Look
from charts.measured import common
from charts.params import ChartParams, many, pick
from charts.receipt import Receipt, looked_up, worked
from charts.registry import Chart, Preset, register
from charts.template import new_figure, tokens
from charts.words import Words
from data.queries import bench
from data.snapshot import Snapshot

KEPT = [
    "op",
    "backend",
    "dtype",
    "dtype_kv",
    "shape",
    "median_us",
    "p10_us",
    "p90_us",
    "n",
    "pred_us",
    "pred_bound",
    "ratio_pred",
    "floor_us",
    "bytes_min",
    "flops",
    "ceiling_gb_per_s",
    "ceiling_tflop_per_s",
    "status",
    "measured_on",
]


def operations(snapshot: Snapshot) -> dict[str, str]:
    """Operations that were measured: name -> words."""
    found = bench.measurements(snapshot)
    present = set(found.loc[found["ratio_pred"].notna(), "op"])
    return {op: words for op, words in common.OPERATIONS.items() if op in present}


class Params(ChartParams):
    """Whose measurements, and of what."""

    device: str = pick("", label="Device", help="whose records are drawn; empty takes a GPU where one was measured")
    ops: tuple[str, ...] = many((), label="Operations", help="operations drawn; none means all")


def table(params: Params, snapshot: Snapshot) -> pd.DataFrame:
    """One row a record with a prediction; attrs hold the fits with their error on the records left out."""
    device = common.device_of(params.device, snapshot)
    rows = common.timed(snapshot, device)
    rows = rows[rows["ratio_pred"].notna()]
    if params.ops:
        rows = rows[rows["op"].isin(params.ops)]
    out = rows[KEPT].reset_index(drop=True)
    own = [row for row in bench.rows(snapshot) if row["device"] == device]
    out.attrs.update(common.facts(rows, device))
    out.attrs |= {
        "fits": [
            {
                "op": f.op,
                "backend": f.backend,
                "dtype": f.dtype,
                "efficiency": f.efficiency,
                "overhead_us": f.overhead_us,
                "n": f.n_fitted,
                "held_out": f.n_held_out,
                "error": f.held_out_median_error,
                "worst": f.held_out_worst_error,
            }
            for f in fit(own)
            if not params.ops or f.op in params.ops
        ]
    }
    return out


def words(table: pd.DataFrame, params: Params) -> Words:
    """How many came within a quarter of what was expected, and what the fits do on records left out."""
    if table.empty:
        return Words("Nothing measured yet", empty=common.NOTHING, way_out={"device": "", "ops": []})
    near = int((table["ratio_pred"].between(0.8, 1.25)).sum())
    device = common.short_device(table.attrs["device"])
    middle = float(table["ratio_pred"].median())
    finding = (
        f"{device}: {near} of {len(table)} measured times lie within a quarter of what was expected; the median is {middle:.2g} times it"
    )
    subtitle = (
        "Measured over expected time, both logarithmic. Expected: the longer of bytes at the measured bandwidth and FLOPs at the "
        "measured rate, and the launches, stored before the timing. On the diagonal "
        "they agree; above it the operation is slower than its ceilings allow."
    )
    fits = table.attrs["fits"]
    notes = list(common.doubts(table))
    if fits:
        errors = [f["error"] for f in fits]
        notes.insert(
            0,
            f"With one efficiency and one overhead fitted for each of {len(fits)} operations on every other record, the median error "
            f"on the records left out is {numbers.share(float(np.median(errors)))}.",
        )
    worst = table.sort_values("ratio_pred", ascending=False).iloc[0]
    alt = f"{finding}. Furthest: {common.name_of(worst['op'])}, {worst['shape']} on {worst['backend']}, {worst['ratio_pred']:.3g} times."
    return Words(finding, subtitle, alt, "", common.credit(table), tuple(notes))


def figure(table: pd.DataFrame, params: Params, look: Look) -> go.Figure:
    """Points by operation around the diagonal."""
    height = look.height(560, 430)
    fig, t = new_figure(look, height_px=height), tokens(look)
    if table.empty:
        return fig
    low = float(min(table["pred_us"].min(), table["median_us"].min())) / 1.6
    high = float(max(table["pred_us"].max(), table["median_us"].max())) * 1.6
    ends = [low, high]
    fig.add_scatter(x=ends, y=[v * 1.25 for v in ends], mode="lines", line={"width": 0}, hoverinfo="skip")
    fig.add_scatter(
        x=ends, y=[v / 1.25 for v in ends], mode="lines", line={"width": 0}, fill="tonexty", fillcolor=t["zone"], hoverinfo="skip"
    )
    fig.add_scatter(x=ends, y=ends, mode="lines", line={"color": t["axis"], "width": 1.5}, hoverinfo="skip")
    margin = {"l": 72, "r": 20, "t": 20, "b": 50}
    common.cloud(fig, look, table, "pred_us", "median_us", ((low, high), (low, high)), margin, height)
    note(
        fig, look, "as expected, ± a quarter", x=np.log10(high) - 0.05, y=np.log10(high) - 0.05, xanchor="right", yanchor="top", yshift=-18
    )
    span = [np.log10(low), np.log10(high)]
    fig.update_xaxes(title_text="expected", range=span, **numbers.log_ticks(low, high, common.micros, most=8 if not look.phone else 5))
    fig.update_yaxes(range=span, **numbers.log_ticks(low, high, common.micros, most=8))
    fig.update_layout(margin=margin)
    return fig


def receipt(params: Params, snapshot: Snapshot) -> Receipt:
    """The record in the middle of the ratios, worked through, and every fit with its error."""
    shown = table(params, snapshot)
    if shown.empty:
        return Receipt(assumptions=("No record of this device holds a time, so nothing is computed.",))
    row = shown.sort_values("ratio_pred", kind="stable").iloc[len(shown) // 2]
    formulas = []
    if numbers.known(row["ceiling_gb_per_s"]) and numbers.known(row["ceiling_tflop_per_s"]):
        formulas.append(
            worked(
                expected_time_us,
                bytes_min=row["bytes_min"],
                bandwidth_gb_per_s=row["ceiling_gb_per_s"],
                flops=row["flops"],
                rate_tflop_per_s=row["ceiling_tflop_per_s"],
                floor_us=row["floor_us"],
            )
        )
    else:
        formulas.append(looked_up("Expected time", float(row["pred_us"]), "µs", "the session's ceilings"))
    formulas.append(worked(measured_over_expected, median_us=row["median_us"], pred_us=row["pred_us"]))
    inputs = [common.row_input(row, f"{common.name_of(row['op'])}, {row['shape']}, {row['backend']}", common.micros(row["median_us"]))]
    errors = [
        f"{common.name_of(f['op'])}, {f['backend']}, {f['dtype']}: {numbers.share(f['efficiency'])} of the ceiling "
        f"plus {f['overhead_us']:.3g} µs; error on {f['held_out']} records left out: "
        f"median {numbers.share(f['error'])}, worst {numbers.share(f['worst'])}."
        for f in shown.attrs["fits"]
    ]
    return Receipt(
        tuple(formulas),
        tuple(inputs),
        ("Nothing is fitted to an operation before it is predicted: the ratio is its inefficiency.",),
        tuple(errors) or ("Too few records to fit.",),
    )


CHART = register(
    Chart(
        id="measured.predicted",
        page="measured",
        title="Measured against expected times",
        params=Params,
        table=table,
        figure=figure,
        receipt=receipt,
        words=words,
        options={"device": bench.devices, "ops": operations},
        presets=(
            Preset("all", "All operations", {}),
            Preset("attention", "Attention", {"ops": ("attn.decode", "attn.mla", "attn.prefill")}),
        ),
        heights=(560, 430),
    )
)
