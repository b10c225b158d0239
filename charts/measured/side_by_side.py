"""The same case on several backends, or on several devices, side by side."""

from __future__ import annotations

from collections import Counter
from typing import Literal

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from analytics.bench.roofline import measured_over_expected
from charts import numbers
from charts.labels import text_width
from charts.look import Look
from charts.measured import common
from charts.params import ChartParams, choice, number, pick
from charts.receipt import Receipt, worked
from charts.registry import Chart, Preset, register
from charts.template import new_figure, tokens
from charts.text import as_text
from charts.words import Words
from data.queries import bench
from data.snapshot import Snapshot

BY = {"backend": "Backends of one device", "device": "Devices, best backend each"}


class Params(ChartParams):
    """What is compared, and which cases."""

    by: Literal["backend", "device"] = choice("backend", label="Compare", help="what stands side by side in a row", labels=BY)
    device: str = pick("", label="Device", help="whose backends are compared; empty takes a GPU where one was measured")
    op: str = pick("", label="Operation", help="which operation; empty takes all that can be compared")
    rows: int = number(24, ge=4, le=80, label="Rows", help="how many cases are drawn, those with the longest times first")


def operations(snapshot: Snapshot) -> dict[str, str]:
    """Operations with a timed record: name -> words."""
    found = bench.measurements(snapshot)
    present = set(found.loc[found["median_us"].notna(), "op"])
    return {"": "All operations", **{op: words for op, words in common.OPERATIONS.items() if op in present}}


def table(params: Params, snapshot: Snapshot) -> pd.DataFrame:
    """One row for each case and contestant: median [µs], time over that of the fastest, and rows that could not run with their reason."""
    device = common.device_of(params.device, snapshot)
    rows = bench.measurements(snapshot, device if params.by == "backend" else "")
    if params.op:
        rows = rows[rows["op"] == params.op]
    rows = rows[rows["value_name"].isna() | rows["median_us"].notna()].copy()
    kv = rows["dtype_kv"].where(rows["dtype_kv"].notna(), "")
    rows["case"] = [
        " · ".join((common.name_of(op), shape, dtype + (f", {k} cache" if k else "")))
        for op, shape, dtype, k in zip(rows["op"], rows["shape"], rows["dtype"], kv)
    ]
    timed = rows[rows["median_us"].notna() & rows["status"].isin(("ok", "noisy"))].copy()
    timed["contestant"] = timed["backend"] if params.by == "backend" else timed["device"]
    timed = timed.sort_values(["case", "contestant", "median_us"], kind="stable").drop_duplicates(["case", "contestant"])
    many = timed.groupby("case")["contestant"].transform("size") > 1
    compared = timed[many].copy()
    compared["slower"] = compared["median_us"] / compared.groupby("case")["median_us"].transform("min")
    longest = compared.groupby("case")["median_us"].max().sort_values(ascending=False, kind="stable").index[: params.rows]
    out = compared[compared["case"].isin(longest)].sort_values(["case", "contestant"], kind="stable")
    kept = [
        "case",
        "contestant",
        "op",
        "backend",
        "device",
        "dtype",
        "dtype_kv",
        "shape",
        "median_us",
        "p10_us",
        "p90_us",
        "n",
        "slower",
        "gb_per_s",
        "tflop_per_s",
        "pred_us",
        "ratio_pred",
        "status",
        "measured_on",
    ]
    out = out[kept].reset_index(drop=True)
    absent = rows[rows["status"].isin(("unsupported", "oom", "timeout", "wrong", "failed", "impossible"))]
    reasons = Counter(zip(absent["backend"], absent["status"], absent["message"].fillna("")))
    out.attrs.update(common.facts(rows[rows["median_us"].notna()], device))
    out.attrs |= {
        "cases": int(compared["case"].nunique()),
        "absent": [
            {"backend": b, "status": s, "message": m, "rows": n}
            for (b, s, m), n in sorted(reasons.items(), key=lambda item: (-item[1], item[0]))
        ],
    }
    return out


def words(table: pd.DataFrame, params: Params) -> Words:
    """Who is fastest most often."""
    absent = table.attrs["absent"]
    notes = [f"{a['backend']}: {a['rows']} {'row' if a['rows'] == 1 else 'rows'} {a['status']}, {a['message']}" for a in absent[:4]]
    if table.empty:
        one = "on one backend only" if params.by == "backend" else "on one device only"
        told = (
            f"Every case in the store was measured {one}. " + " ".join(f"{n}." for n in notes)
            if table.attrs["measured_on"]
            else common.NOTHING
        )
        return Words("Nothing to set side by side yet", empty=told.strip(), way_out={"by": "backend", "device": "", "op": ""})
    wins = table[table["slower"] == 1]["contestant"].value_counts()
    cases = table["case"].nunique()
    finding = f"{wins.index[0]} is fastest in {int(wins.iloc[0])} of {cases} cases measured more than once"
    subtitle = "Time over that of the fastest in its row, logarithmic; dots at 1 are the fastest. "
    own = f"Backends of {common.short_device(table.attrs['device'])}, timed in turn within one process."
    subtitle += own if params.by == "backend" else "Best backend of each device."
    worst = table.sort_values("slower", ascending=False).iloc[0]
    alt = f"{finding}. Furthest behind: {worst['contestant']} in {worst['case']}, {worst['slower']:.3g} times the fastest."
    shown = f"{cases} of {table.attrs['cases']} comparable cases"
    return Words(finding, subtitle, alt, shown, common.credit(table), (*common.doubts(table), *notes))


def figure(table: pd.DataFrame, params: Params, look: Look) -> go.Figure:
    """A dot plot: a row for each case, a colour for each contestant."""
    t = tokens(look)
    cases = table.groupby("case")["slower"].max().sort_values(kind="stable").index.tolist() if len(table) else []
    height = look.height_px or max(look.height(300, 300), 90 + (26 if not look.phone else 34) * len(cases))
    fig = new_figure(look, height_px=height)
    if table.empty:
        return fig
    place = {case: i for i, case in enumerate(cases)}
    high = max(float(table["slower"].max()) * 1.25, 2.0)
    names = table.groupby("contestant")["slower"].median().sort_values(kind="stable").index.tolist()
    for case, own in table.groupby("case"):
        ends = [float(own["slower"].min()), float(own["slower"].max())]
        fig.add_scatter(x=ends, y=[place[str(case)]] * 2, mode="lines", line={"color": t["grid"], "width": 3}, hoverinfo="skip")
    for i, name in enumerate(names):
        own = table[table["contestant"] == name]
        tone = common.colour(look, i)
        fig.add_scatter(
            x=own["slower"],
            y=[place[c] for c in own["case"]],
            mode="markers",
            cliponaxis=False,
            text=[common.hover(row) for _, row in own.iterrows()],
            hovertemplate="%{text}<extra></extra>",
            marker={
                "size": 9 if look.phone else 11,
                "color": [tone if s == "ok" else t["page"] for s in own["status"]],
                "line": {"color": tone, "width": 1.6},
            },
        )
    left = 170 if look.phone else 400
    lines = _legend(fig, names, look, left)
    longest = 30 if look.phone else 64
    fig.update_yaxes(
        tickvals=list(place.values()),
        ticktext=[as_text(c, longest) for c in place],
        range=[-0.7, len(cases) - 0.3],
        showgrid=False,
        tickfont={"size": 10 if look.phone else 11.5},
    )
    fig.update_xaxes(
        title_text="times the fastest", range=[np.log10(0.93), np.log10(high)], **numbers.log_ticks(1.0, high, lambda v: f"{v:g} ×")
    )
    fig.update_layout(margin={"l": left, "r": 24, "t": 20 + 20 * lines, "b": 50})
    return fig


def _legend(fig: go.Figure, names: list[str], look: Look, left: int) -> int:
    """The contestants' names in their colours above the plot, as many to a line as fit; returns the number of lines."""
    size = 10.5 if look.phone else 12.5
    start = 8 - left if look.phone else 0
    room = look.width_px - 24 - left
    at, line, placed = float(start), 0, []
    for i, name in enumerate(names):
        text = f"● {as_text(name, 40)}"
        wide = text_width(text, size) + 18
        if at + wide > room and at > start:
            at, line = float(start), line + 1
        placed.append((i, text, at, line))
        at += wide
    for i, text, x, row in placed:
        fig.add_annotation(
            x=0,
            y=1,
            xref="paper",
            yref="paper",
            xanchor="left",
            yanchor="bottom",
            xshift=x,
            yshift=4 + 20 * (line - row),
            showarrow=False,
            text=text,
            font={"color": common.colour(look, i), "size": size},
        )
    return line + 1


def receipt(params: Params, snapshot: Snapshot) -> Receipt:
    """The row with the widest gap, and the reasons of those that could not run."""
    shown = table(params, snapshot)
    absent = tuple(f"{a['backend']} ({a['rows']}): {a['status']}, {a['message']}" for a in shown.attrs["absent"][:8])
    if shown.empty:
        return Receipt(assumptions=("No case was timed more than once, so nothing is compared.", *absent))
    case = shown.sort_values("slower", ascending=False)["case"].iloc[0]
    own = shown[shown["case"] == case].sort_values("median_us", kind="stable")
    formulas = [
        worked(measured_over_expected, median_us=row["median_us"], pred_us=row["pred_us"])
        for _, row in own.iterrows()
        if numbers.known(row["pred_us"])
    ]
    inputs = [common.row_input(row, f"{case}, {row['contestant']}", common.micros(row["median_us"])) for _, row in own.iterrows()]
    spreads = [f"{row['contestant']}: p10 {common.micros(row['p10_us'])}, p90 {common.micros(row['p90_us'])}." for _, row in own.iterrows()]
    return Receipt(
        tuple(formulas),
        tuple(inputs),
        ("Every backend was checked against the same reference before and after its timing.", *absent),
        tuple(spreads),
    )


CHART = register(
    Chart(
        id="measured.side_by_side",
        page="measured",
        title="Backends and devices side by side",
        params=Params,
        table=table,
        figure=figure,
        receipt=receipt,
        words=words,
        options={"device": bench.devices, "op": operations},
        presets=(Preset("backends", "Backends", {}), Preset("devices", "Devices", {"by": "device"})),
        heights=(540, 540),
    )
)
