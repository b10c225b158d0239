"""What the charts of measurements share: the device, names of operations, formats, credit and the empty page's sentence."""

from __future__ import annotations

from typing import Any

import pandas as pd

from charts import numbers
from charts.receipt import InputRow
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
