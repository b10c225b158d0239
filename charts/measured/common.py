"""What the charts of measurements share: the device, names of operations, formats, credit and the empty page's sentence."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from charts import numbers
from charts.labels import place
from charts.look import Look
from charts.receipt import InputRow
from charts.template import SERIES, tokens
from charts.text import as_text
from data.queries import bench
from data.snapshot import Snapshot

OPERATIONS = {
    "bw.read": "reading memory",
    "bw.write": "writing memory",
    "bw.copy": "copying memory",
    "bw.triad": "triad",
    "bw.gather": "reading pages",
    "gemm": "matrix product",
    "attn.decode": "decode attention",
    "attn.mla": "latent decode attention",
    "attn.prefill": "prefill attention",
    "kv.append": "cache append",
    "kv.copy": "copying cache pages",
    "kv.evict": "evicting pages",
    "kv.offload": "offload",
    "kv.restore": "restore",
    "moe.grouped": "expert products",
    "step": "decode step",
    "graph": "graph",
    "collective": "collective",
    "capacity": "largest batch",
    "energy": "energy",
}
NOTHING = (
    "No benchmark record of this device is in the store. Run `python -m analytics.bench run --suite quick --out records.jsonl` "
    "on the machine and bring the file here."
)
MEASURED_BY = "Ridgepoint benchmark suite, own measurement"


def device_of(asked: str, snapshot: Snapshot) -> str:
    """The device asked for, or the one the page opens on."""
    return asked or bench.default_device(snapshot)


def timed(snapshot: Snapshot, device: str) -> pd.DataFrame:
    """Rows of a device that hold a time and are ok or noisy."""
    rows = bench.measurements(snapshot, device)
    return rows[rows["median_us"].notna() & rows["status"].isin(("ok", "noisy"))].reset_index(drop=True)


def name_of(op: str) -> str:
    return OPERATIONS.get(op, op)


def short_device(device: str) -> str:
    """A device's name for titles: "CPU, AMD EPYC", "NVIDIA H200"."""
    return "CPU, " + device.removeprefix("cpu: ") if device.startswith("cpu: ") else device


def micros(value: Any) -> str:
    """A time given in microseconds: 12 µs, 3.4 ms."""
    return numbers.seconds(float(value) / 1e6) if numbers.known(value) else "unknown"


def bandwidth(value: Any) -> str:
    """GB/s below 1000, TB/s above."""
    if not numbers.known(value):
        return "unknown"
    return f"{value / 1000:.3g} TB/s" if value >= 1000 else f"{value:.3g} GB/s"


def flop_rate(value: Any) -> str:
    """A rate given in TFLOP/s: 34 GFLOP/s, 790 TFLOP/s."""
    if not numbers.known(value):
        return "unknown"
    return f"{value:.3g} TFLOP/s" if value >= 1 else f"{value * 1000:.3g} GFLOP/s"


def credit(table: pd.DataFrame) -> str:
    """Who measured it, on what, when."""
    when = table.attrs.get("measured_on") or ""
    software = table.attrs.get("software") or ""
    return " · ".join(part for part in (f"{MEASURED_BY}, {numbers.date(when)}" if when else MEASURED_BY, software) if part)


def facts(rows: pd.DataFrame, device: str) -> dict[str, Any]:
    """The attrs every chart of measurements carries."""
    last = rows.sort_values("started_utc").iloc[-1] if len(rows) else None
    return {
        "device": device,
        "gpu": bool(len(rows)) and str(rows["device_kind"].iloc[0]) == "cuda",
        "measured_on": None if last is None else str(last["measured_on"]),
        "software": "" if last is None else f"torch {last['torch']}, suite {last['suite_version']}",
        "noisy": int((rows["status"] == "noisy").sum()) if len(rows) else 0,
    }


def doubts(table: pd.DataFrame) -> tuple[str, ...]:
    """Notes on what the rows cannot bear."""
    out = []
    if table.attrs.get("device") and not table.attrs.get("gpu"):
        out.append("Measured on a CPU: the same code and checks as on a GPU, but no statement about any GPU.")
    if table.attrs.get("noisy"):
        n = table.attrs["noisy"]
        out.append(
            f"{numbers.in_words(n).capitalize()} {'row is' if n == 1 else 'rows are'} noisy (quartiles over 5 % apart) and drawn hollow."
        )
    return tuple(out)


def row_input(row: Any, label: str, value: str, unit: str = "") -> InputRow:
    """An input out of a record."""
    return InputRow(label, value, unit, MEASURED_BY, "", "primary", ("noisy",) if row["status"] == "noisy" else (), str(row["measured_on"]))


def hover(row: Any) -> str:
    """One record in a few lines, safe for a figure."""
    kv = f", {row['dtype_kv']} cache" if isinstance(row["dtype_kv"], str) else ""
    lines = [
        f"<b>{as_text(name_of(row['op']))}</b> · {as_text(row['backend'])} · {as_text(row['dtype'])}{as_text(kv)}",
        as_text(row["shape"]),
        f"{micros(row['median_us'])} (p10 {micros(row['p10_us'])}, p90 {micros(row['p90_us'])}, n {numbers.plain(row['n'])})",
    ]
    if numbers.known(row["pred_us"]):
        lines.append(f"expected {micros(row['pred_us'])}, measured ÷ expected {row['ratio_pred']:.3g}")
    return "<br>".join(lines)


def colour(look: Look, place_in_order: int) -> str:
    """Colours for the first five groups, grey for the rest."""
    t = tokens(look)
    return t[SERIES[place_in_order]] if place_in_order < len(SERIES) else t["point"]


def cloud(
    figure: go.Figure,
    look: Look,
    rows: pd.DataFrame,
    x: str,
    y: str,
    spans: tuple[tuple[float, float], tuple[float, float]],
    margin: dict[str, int],
    height: int,
) -> None:
    """Points by operation in a plane of two logarithmic axes, hollow where noisy, each operation named once beside one of its points.

    Parameters: rows with op, status and the columns x and y; spans, the axes' ends; margin and height [px] of the figure.
    """
    order = list(rows.groupby("op").size().sort_values(ascending=False, kind="stable").index)
    (x0, x1), (y0, y1) = (tuple(np.log10(span)) for span in spans)
    wide, tall = look.width_px - margin["l"] - margin["r"], height - margin["t"] - margin["b"]

    def pixels(part: pd.DataFrame) -> list[tuple[float, float]]:
        across = (np.log10(part[x]) - x0) / (x1 - x0) * wide
        down = (1 - (np.log10(part[y]) - y0) / (y1 - y0)) * tall
        return list(zip(across.astype(float), down.astype(float)))

    size = 10.5 if look.phone else 12.0
    anchors = []
    for i, op in enumerate(order):
        own = rows[rows["op"] == op].sort_values(x, kind="stable")
        tone = colour(look, i)
        figure.add_scatter(
            x=own[x],
            y=own[y],
            mode="markers",
            cliponaxis=False,
            text=[hover(row) for _, row in own.iterrows()],
            hovertemplate="%{text}<extra></extra>",
            marker={
                "size": 7 if look.phone else 9,
                "color": [tone if status == "ok" else tokens(look)["page"] for status in own["status"]],
                "line": {"color": tone, "width": 1.6},
            },
        )
        anchors.append(own.iloc[[len(own) // 2]])
    named = order[: 5 if look.phone else 12]
    texts = [name_of(op) for op in named]
    points = [pixels(anchor)[0] for anchor in anchors[: len(named)]]
    for i, found in enumerate(place(points, texts, size, (0, 0, wide, tall), obstacles=pixels(rows))):
        if found is not None:
            figure.add_annotation(
                x=float(np.log10(anchors[i][x].iloc[0])),
                y=float(np.log10(anchors[i][y].iloc[0])),
                ax=found.dx,
                ay=found.dy,
                text=texts[i],
                showarrow=True,
                arrowhead=0,
                arrowwidth=0.8,
                arrowcolor=colour(look, i) if found.radius > 9 else "rgba(0,0,0,0)",
                font={"color": colour(look, i), "size": size},
            )
