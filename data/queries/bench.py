"""Benchmark records as charts read them: typed, with the shape's numbers as columns, the newest row of each measurement."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from analytics.bench import record as records
from analytics.bench.fit import efficiencies
from analytics.bench.report import shape_text
from data.bench_records import TABLE, from_frame
from data.snapshot import Snapshot

#: Columns of the frame that `measurements` gives, beside the shape's own numbers.
KEPT = (
    "row_key", "session_id", "device_kind", "device", "op", "backend", "dtype", "dtype_kv", "kernel_variant", "cache_state", "timer", "n",
    "bytes_min", "flops", "intensity", "pred_us", "pred_bound", "floor_us", "ceiling_gb_per_s", "spec_gb_per_s", "ceiling_tflop_per_s",
    "spec_tflop_per_s", "p10_us", "median_us", "p90_us", "iqr_rel", "gb_per_s", "tflop_per_s", "frac_ceiling", "frac_spec", "ratio_pred",
    "value_name", "value", "value_pred", "err_rel_l2", "tolerance", "status", "message", "torch", "suite_version", "started_utc",
)  # fmt: skip
SHAPE = ("B", "S", "H", "K", "D", "page", "window", "M", "N", "n_tokens", "E", "T", "past", "layers", "bytes")


def rows(snapshot: Snapshot) -> list[dict[str, Any]]:
    """Every record of the store, ordered by key."""
    return from_frame(snapshot.table(TABLE))


def measurements(snapshot: Snapshot, device: str = "") -> pd.DataFrame:
    """The newest record of each measurement (of one device, or of all), ordered by operation, shape and backend.

    Ceilings of sessions are left out. Adds `shape` (one line), `measured_on` and the shape's numbers (NaN where an operation
    has none of that name; `n_tokens` is the n of expert products).
    """
    newest = [row for row in records.newest(rows(snapshot)) if row["op"] != "ceiling" and (not device or row["device"] == device)]
    out = pd.DataFrame([{name: row[name] for name in KEPT} for row in newest], columns=list(KEPT))
    numbers = ("n", "bytes_min", "flops", "intensity", "iqr_rel", "value", "value_pred", "err_rel_l2", "tolerance")
    for name in (*numbers, *(c for c in KEPT if c.endswith(("_us", "_per_s")) or c.startswith(("frac_", "ratio_")))):
        out[name] = pd.to_numeric(out[name]).astype(float)
    out["shape"] = [shape_text(row["params"]) for row in newest]
    out["measured_on"] = [row["started_utc"][:10] for row in newest]
    for name in SHAPE:
        own = "n" if name == "n_tokens" else name
        out[name] = np.array([_number(row["params"].get(own)) for row in newest], dtype=float)
    return out.sort_values(["op", "device", "dtype", "shape", "backend", "row_key"], kind="stable", ignore_index=True)


def _number(value: Any) -> float:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else np.nan


def devices(snapshot: Snapshot) -> dict[str, str]:
    """Devices that records name, GPUs first, then by the number of timed rows: name -> words."""
    counts: dict[tuple[str, str], int] = {}
    for row in records.newest(rows(snapshot)):
        if row["op"] != "ceiling" and row["median_us"] is not None:
            key = (row["device_kind"], row["device"])
            counts[key] = counts.get(key, 0) + 1
    order = sorted(counts.items(), key=lambda item: (item[0][0] != "cuda", -item[1], item[0][1]))
    first = f"Default: {order[0][0][1]}" if order else "No device measured"
    return {"": first, **{device: f"{device} ({n} timed)" for (_, device), n in order}}


def default_device(snapshot: Snapshot) -> str:
    """The device a page opens on: a GPU where one was measured, else the CPU with most rows, "" where nothing was."""
    return next((device for device in devices(snapshot) if device), "")


def ceilings(snapshot: Snapshot, device: str) -> pd.DataFrame:
    """Ceilings of the newest session of a device: what, value at the start and at the end, drift. Empty where there is none."""
    own = [row for row in rows(snapshot) if row["op"] == "ceiling" and row["device"] == device]
    columns = ["what", "start", "end", "drift_rel", "session_id", "started_utc"]
    if not own:
        return pd.DataFrame(columns=columns)
    last = max(own, key=lambda row: row["started_utc"])["session_id"]
    found: dict[str, dict[str, Any]] = {}
    for row in own:
        if row["session_id"] == last:
            what = row["params"]["what"]
            found.setdefault(what, {"what": what, "session_id": last, "started_utc": row["started_utc"]})[row["params"]["when"]] = row[
                "value"
            ]
    out = pd.DataFrame([found[what] for what in sorted(found)], columns=columns)
    for name in ("start", "end"):
        out[name] = pd.to_numeric(out[name]).astype(float)
    out["drift_rel"] = out["end"] / out["start"] - 1
    return out[out["start"].notna()].reset_index(drop=True)


def chips_of_devices(snapshot: Snapshot) -> dict[str, str]:
    """Device name as the driver gives it -> chip id, for the devices of records that the chip names know."""
    aliases = snapshot.table("chip_aliases")
    known = {_plain(alias): chip for alias, chip in zip(aliases["alias"], aliases["chip_id"]) if chip}
    names = {row["device"] for row in rows(snapshot)}
    return {name: known[_plain(name)] for name in sorted(names) if _plain(name) in known}


def _plain(name: str) -> str:
    return name.removeprefix("NVIDIA ").strip().lower()


def own_efficiencies(snapshot: Snapshot) -> list[dict[str, Any]]:
    """Efficiencies our own records give, in the layout of kernel_efficiency: `KernelTable.from_rows(rows, own=...)` takes them."""
    if not len(snapshot.table(TABLE)):
        return []
    return efficiencies(rows(snapshot), chips_of_devices(snapshot))
