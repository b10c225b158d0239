"""Bandwidth of decode attention over batch and context: where reading the cache comes near the memory's own speed."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from analytics.bench.roofline import achieved_gb_per_s
from charts import numbers
from charts.labels import EndLabel, end_labels, margin_for, note
from charts.look import Look
from charts.measured import common
from charts.params import ChartParams, choice, pick
from charts.receipt import Receipt, looked_up, worked
from charts.registry import Chart, Preset, register
from charts.template import new_figure, tokens
from charts.text import as_text
from charts.words import Words
from data.queries import bench
from data.snapshot import Snapshot

OPS = {"attn.decode": "GQA, MHA and MQA", "attn.mla": "Latent (MLA)"}
AXES = {"bytes": "Over bytes read", "batch": "Over batch, a line for each context"}
CACHES = {"any": "Any layout", "contiguous": "Contiguous", "paged": "Paged"}


class Params(ChartParams):
    """Which decode attention, on which device."""

    device: str = pick("", label="Device", help="whose records are drawn; empty takes a GPU where one was measured")
    op: Literal["attn.decode", "attn.mla"] = choice("attn.decode", label="Attention", help="kind of cache that is read", labels=OPS)
    layout: Literal["any", "contiguous", "paged"] = choice("any", label="Layout", help="contiguous or paged caches, or both", labels=CACHES)
    over: Literal["bytes", "batch"] = choice("bytes", label="Axis", help="what the horizontal axis is", labels=AXES)
    dtype_kv: Literal["any", "bf16", "fp8"] = choice(
        "any", label="Cache format", help="number format of the cache", labels={"any": "Any format", "bf16": "bf16", "fp8": "fp8"}
    )


def table(params: Params, snapshot: Snapshot) -> pd.DataFrame:
    """One row a record: batch, context, line (heads, layout, format, backend), bandwidth [GB/s] and its share of the read ceiling."""
    device = common.device_of(params.device, snapshot)
    rows = common.timed(snapshot, device)
    rows = rows[rows["op"] == params.op]
    paged = rows["page"].fillna(0) > 0
    if params.layout != "any":
        rows = rows[paged == (params.layout == "paged")]
    cache = rows["dtype_kv"].where(rows["dtype_kv"].notna(), rows["dtype"])
    if params.dtype_kv != "any":
        rows = rows[cache == params.dtype_kv]
    out = rows[
        [
            "backend",
            "dtype",
            "dtype_kv",
            "B",
            "S",
            "H",
            "K",
            "page",
            "window",
            "op",
            "shape",
            "gb_per_s",
            "frac_ceiling",
            "ceiling_gb_per_s",
            "bytes_min",
            "median_us",
            "p10_us",
            "p90_us",
            "n",
            "pred_us",
            "ratio_pred",
            "pred_bound",
            "status",
            "measured_on",
        ]
    ].copy()
    out["share"] = out["gb_per_s"] / out["ceiling_gb_per_s"]
    out["line"] = [_line(row) for _, row in out.iterrows()]
    if params.over == "batch":
        out["line"] = [f"{context:,.0f} tokens, {line}" for context, line in zip(out["S"], out["line"])]
    out["x"] = out["bytes_min"] if params.over == "bytes" else out["B"]
    out = out.sort_values(["line", "S", "B", "backend"], kind="stable", ignore_index=True)
    out.attrs.update(common.facts(rows, device))
    return out


def _line(row: pd.Series) -> str:
    heads = f"{row['H']:.0f}/{row['K']:.0f}" if numbers.known(row["K"]) else f"{row['H']:.0f} heads"
    parts = [heads, f"page {row['page']:.0f}" if numbers.known(row["page"]) and row["page"] else "contiguous"]
    if isinstance(row["dtype_kv"], str):
        parts.append(f"{row['dtype_kv']} cache")
    if numbers.known(row["window"]) and row["window"]:
        parts.append(f"window {row['window']:.0f}")
    return ", ".join([*parts, str(row["backend"])])


def words(table: pd.DataFrame, params: Params) -> Words:
    """The best share reached, and from how large a cache."""
    if table.empty:
        return Words(
            "No decode attention measured yet",
            empty=common.NOTHING,
            way_out={"device": "", "layout": "any", "dtype_kv": "any", "op": "attn.decode"},
        )
    best = table.sort_values("share", ascending=False).iloc[0]
    device = common.short_device(table.attrs["device"])
    finding = f"{device}: decode attention reads its cache at {_share(best['share'])} of the measured read bandwidth at best"
    n, small = len(table), table.sort_values("bytes_min").iloc[0]
    subtitle = (
        f"Bandwidth over {'the cache that a step reads' if params.over == 'bytes' else 'the batch, a line for each context'}, "
        f"both axes logarithmic; {numbers.in_words(n)} {'shape' if n == 1 else 'shapes'}. "
        f"Dashed: read bandwidth measured in the session. Each line: query heads / KV heads, layout, backend. Hollow: noisy."
    )
    alt = (
        f"{finding}: {best['shape']} on {best['backend']}, {common.bandwidth(best['gb_per_s'])}. "
        f"The smallest cache, {numbers.number_of_bytes(small['bytes_min'])}, reaches {_share(small['share'])}."
    )
    return Words(finding, subtitle, alt, "", common.credit(table), common.doubts(table))


def _share(value: float) -> str:
    return f"{100 * value:.0f} %" if value >= 0.1 else f"{100 * value:.1f} %"


def figure(table: pd.DataFrame, params: Params, look: Look) -> go.Figure:
    """A line for each kind of cache and backend over the bytes read; batch and context stand at each point's hover."""
    height = look.height(540, 430)
    fig, t = new_figure(look, height_px=height), tokens(look)
    if table.empty:
        return fig
    ceiling = float(table["ceiling_gb_per_s"].max())
    x0, x1 = float(table["x"].min()) / 1.5, float(table["x"].max()) * 1.5
    low, high = float(table["gb_per_s"].min()) / 1.6, max(ceiling, float(table["gb_per_s"].max())) * 1.35
    fig.add_hline(y=ceiling, line={"color": t["ink"], "width": 1, "dash": "5px,3px"})
    note(fig, look, f"read bandwidth {common.bandwidth(ceiling)}", x=np.log10(x0), y=np.log10(ceiling), xanchor="left", yanchor="bottom")
    order = table.groupby("line").agg(n=("line", "size"), top=("gb_per_s", "max")).sort_values(["n", "top"], ascending=False, kind="stable")
    labels = []
    for i, line in enumerate(order.index):
        own = table[table["line"] == line].sort_values(["x", "B"], kind="stable")
        tone = common.colour(look, i)
        fig.add_scatter(
            x=own["x"],
            y=own["gb_per_s"],
            mode="lines+markers",
            cliponaxis=False,
            text=[common.hover(row) for _, row in own.iterrows()],
            hovertemplate="%{text}<extra></extra>",
            line={"color": tone, "width": 1.5},
            marker={
                "size": 7 if look.phone else 8,
                "color": [tone if s == "ok" else t["page"] for s in own["status"]],
                "line": {"color": tone, "width": 1.6},
            },
        )
        if i < (3 if look.phone else 8):
            last = own.iloc[-1]
            labels.append(EndLabel(float(last["gb_per_s"]), f"{as_text(line, 44)} <b>{common.bandwidth(last['gb_per_s'])}</b>", tone))
    margin = {"l": 82 if not look.phone else 70, "r": min(margin_for(labels, look), look.width_px // 3), "t": 24, "b": 50}
    fig.update_layout(margin=margin)
    write, title = (numbers.number_of_bytes, "bytes a step reads in one layer") if params.over == "bytes" else (numbers.plain, "batch")
    ticks = numbers.log_ticks(x0, x1, write, most=8 if not look.phone else 4)
    fig.update_xaxes(title_text=title, range=[np.log10(x0), np.log10(x1)], **ticks)
    fig.update_yaxes(range=[np.log10(low), np.log10(high)], **numbers.log_ticks(low, high, common.bandwidth))
    end_labels(fig, labels, look, x_end=np.log10(x1), y_range=(low, high), log=True, plot_px=height - margin["t"] - margin["b"])
    return fig


def receipt(params: Params, snapshot: Snapshot) -> Receipt:
    """The shape that comes nearest to the ceiling, worked through."""
    shown = table(params, snapshot)
    if shown.empty:
        return Receipt(assumptions=("No record of this device fits, so nothing is computed.",))
    row = shown.sort_values("share", ascending=False).iloc[0]
    formulas = (
        worked(achieved_gb_per_s, bytes_min=row["bytes_min"], median_us=row["median_us"]),
        looked_up("Read bandwidth", float(row["ceiling_gb_per_s"]), "GB/s", "the ceilings measured at the start of the session"),
    )
    inputs = [
        common.row_input(row, f"{row['shape']}, {row['backend']}", common.micros(row["median_us"])),
        common.row_input(row, "Bytes that must move: keys, values, queries, outputs", numbers.number_of_bytes(row["bytes_min"])),
    ]
    spread = f"The ten and ninety per cent points of that time are {common.micros(row['p10_us'])} and {common.micros(row['p90_us'])}."
    small = "Small caches are bound by the launch, not by memory: compare their time with the expected one instead."
    return Receipt(tuple(formulas), tuple(inputs), ("A window counts only the tokens inside it.", small), (spread,))


CHART = register(
    Chart(
        id="measured.decode",
        page="measured",
        title="Decode bandwidth over batch and context",
        params=Params,
        table=table,
        figure=figure,
        receipt=receipt,
        words=words,
        options={"device": bench.devices},
        presets=(
            Preset("gqa", "GQA", {}),
            Preset("batch", "By batch and context", {"over": "batch"}),
            Preset("mla", "Latent attention", {"op": "attn.mla"}),
        ),
    )
)
