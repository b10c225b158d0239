"""Every timed operation in the plane of intensity and rate, under the ceilings the same session measured."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from analytics.bench.roofline import achieved_gb_per_s, roofline_tflop_per_s
from charts import numbers
from charts.labels import note
from charts.look import Look
from charts.measured import common
from charts.params import ChartParams, choice, pick
from charts.receipt import Receipt, looked_up, worked
from charts.registry import Chart, Preset, register
from charts.template import new_figure, tokens
from charts.words import Words
from data.queries import bench
from data.snapshot import Snapshot

FAMILIES = {"all": "All operations", "attn": "Attention", "gemm": "Matrix products", "moe": "Expert products", "step": "Decode steps"}
KEPT = [
    "op",
    "backend",
    "dtype",
    "dtype_kv",
    "shape",
    "intensity",
    "tflop_per_s",
    "gb_per_s",
    "median_us",
    "p10_us",
    "p90_us",
    "n",
    "pred_us",
    "ratio_pred",
    "frac_ceiling",
    "bytes_min",
    "flops",
    "status",
    "measured_on",
]


class Params(ChartParams):
    """Whose measurements, and of what."""

    device: str = pick("", label="Device", help="whose records are drawn; empty takes a GPU where one was measured")
    family: Literal["all", "attn", "gemm", "moe", "step"] = choice(
        "all", label="Operations", help="which operations are drawn", labels=FAMILIES
    )


def table(params: Params, snapshot: Snapshot) -> pd.DataFrame:
    """One row a record with arithmetic in it: intensity [FLOP/B], rate [TFLOP/s]; attrs hold the ceilings."""
    device = common.device_of(params.device, snapshot)
    rows = common.timed(snapshot, device)
    rows = rows[(rows["flops"] > 0) & (rows["intensity"] > 0) & (rows["op"] != "collective")]
    if params.family != "all":
        rows = rows[rows["op"].str.split(".").str[0] == params.family]
    out = rows[KEPT].reset_index(drop=True)
    measured = bench.ceilings(snapshot, device)
    start = dict(zip(measured["what"], measured["start"]))
    rates = {what.split("_")[1]: value for what, value in start.items() if what.startswith("gemm_")}
    read = start.get("read_gb_per_s")
    out.attrs.update(common.facts(rows, device))
    out.attrs |= {"read_gb_per_s": read, "rates": rates}
    return out


def words(table: pd.DataFrame, params: Params) -> Words:
    """How near the best of them came to its ceiling."""
    a = table.attrs
    if table.empty or not a["read_gb_per_s"]:
        return Words("Nothing measured yet", empty=common.NOTHING, way_out={"device": "", "family": "all"})
    rates = a["rates"]
    best = {dtype: rate for dtype, rate in rates.items() if dtype in set(table["dtype"])}
    ridge = {dtype: rate * 1e3 / a["read_gb_per_s"] for dtype, rate in best.items()}
    shown = max(ridge, key=lambda d: (d == "bf16", ridge[d])) if ridge else None
    below = int((table["intensity"] < ridge[shown]).sum()) if shown else len(table)
    finding = f"{common.short_device(a['device'])}: {below} of {len(table)} measured operations lie where memory is the limit"
    if shown:
        finding += f", left of {numbers.plain(round(ridge[shown], 1))} FLOP a byte in {shown}"
    subtitle = (
        f"Rate over intensity, both scales logarithmic. Lines: the read bandwidth ({common.bandwidth(a['read_gb_per_s'])}) "
        f"and matrix rates measured in the same session. Filled: steady; hollow: noisy. Only bytes that must move are counted."
    )
    top = table.sort_values("frac_ceiling", ascending=False).iloc[0]
    reached = numbers.share(top["frac_ceiling"])
    alt = f"{finding}. Nearest to its ceiling: {common.name_of(top['op'])} on {top['backend']}, {top['shape']}, {reached}."
    return Words(finding, subtitle, alt, "", common.credit(table), common.doubts(table))


def figure(table: pd.DataFrame, params: Params, look: Look) -> go.Figure:
    """Points in colours by operation under one memory slope and a flat line for each number format."""
    height = look.height(560, 430)
    fig, t, a = new_figure(look, height_px=height), tokens(look), table.attrs
    if table.empty or not a["read_gb_per_s"]:
        return fig
    x0, x1 = float(table["intensity"].min()) / 2, float(table["intensity"].max()) * 3
    top = max([*a["rates"].values(), float(table["tflop_per_s"].max())]) * 1.6
    low = float(table["tflop_per_s"].min()) / 2
    x = np.geomspace(x0, x1, 120)
    for dtype, rate in sorted(a["rates"].items(), key=lambda item: -item[1]):
        if dtype not in set(table["dtype"]):
            continue
        y = roofline_tflop_per_s(x, a["read_gb_per_s"], rate)
        fig.add_scatter(x=x, y=y, mode="lines", line={"color": t["axis"], "width": 1.5}, hoverinfo="skip")
        note(fig, look, f"{dtype} {common.flop_rate(rate)}", x=np.log10(x1), y=np.log10(rate), xanchor="right", yanchor="bottom", yshift=1)
    margin = {"l": 84 if not look.phone else 74, "r": 20, "t": 20, "b": 52}
    common.cloud(fig, look, table, "intensity", "tflop_per_s", ((x0, x1), (low, top)), margin, height)
    fig.update_xaxes(title_text="FLOP a byte", range=[np.log10(x0), np.log10(x1)], **numbers.log_ticks(x0, x1, numbers.plain))
    fig.update_yaxes(title_text="", range=[np.log10(low), np.log10(top)], **numbers.log_ticks(low, top, common.flop_rate))
    fig.update_layout(margin=margin)
    return fig


def receipt(params: Params, snapshot: Snapshot) -> Receipt:
    """The record nearest to its ceiling, worked through."""
    shown = table(params, snapshot)
    a = shown.attrs
    if shown.empty or not a["read_gb_per_s"]:
        return Receipt(assumptions=("No record of this device holds a time, so nothing is computed.",))
    row = shown.sort_values("frac_ceiling", ascending=False).iloc[0]
    formulas = [looked_up("Read bandwidth", a["read_gb_per_s"], "GB/s", "the ceilings measured at the start of the session")]
    rate = a["rates"].get(row["dtype"])
    if rate:
        formulas.append(
            worked(roofline_tflop_per_s, intensity=row["intensity"], bandwidth_gb_per_s=a["read_gb_per_s"], rate_tflop_per_s=rate)
        )
    formulas.append(worked(achieved_gb_per_s, bytes_min=row["bytes_min"], median_us=row["median_us"]))
    inputs = [
        common.row_input(row, f"{common.name_of(row['op'])}, {row['shape']}, {row['backend']}", common.micros(row["median_us"])),
        common.row_input(row, "Bytes that must move", numbers.number_of_bytes(row["bytes_min"])),
        common.row_input(row, "FLOPs", numbers.count(row["flops"])),
    ]
    inputs += [common.row_input(row, f"Matrix rate, {dtype}", common.flop_rate(value)) for dtype, value in a["rates"].items()]
    spread = f"The ten and ninety per cent points of that time are {common.micros(row['p10_us'])} and {common.micros(row['p90_us'])}."
    return Receipt(tuple(formulas), tuple(inputs), ("Intensity counts each byte once, as an ideal kernel moves it.",), (spread,))


CHART = register(
    Chart(
        id="measured.roofline",
        page="measured",
        title="Roofline with measured points",
        params=Params,
        table=table,
        figure=figure,
        receipt=receipt,
        words=words,
        options={"device": bench.devices},
        presets=(Preset("all", "All operations", {}), Preset("attention", "Attention", {"family": "attn"})),
        heights=(560, 430),
    )
)
