"""Distil measured operator times into data/sources/kernel_efficiency.csv: the fraction of the roofline each kernel reaches.

The operator tables are those of the Python package aiconfigurator-core (NVIDIA, Apache-2.0), measured per GPU and engine version.
It is needed only here. In an environment of its own:

    python -m venv /tmp/aic && /tmp/aic/bin/pip install aiconfigurator-core==0.12.0
    PYTHONPATH=. /tmp/aic/bin/python tools/distil_kernel_efficiency.py

For every measurement the roofline time is max(bytes / memory bandwidth, FLOPs / dense peak) with the datasheet rates of
data/sources/chips.csv and the bytes and FLOPs of analytics/accounting.py; the fraction is roofline time over measured time. Measurements
are collected at the nearest node of a coarse grid over the shape (logarithmic distance) and the median per node is kept, at most 1.
Points that a straight line between their neighbours along the first axis gives back within 5 % (log-log) are left out.
"""

from __future__ import annotations

import csv
import importlib.metadata
from pathlib import Path
from typing import Any

import aiconfigurator_core
import numpy as np
import pandas as pd

from analytics import accounting

ROOT = Path(__file__).resolve().parent.parent
TABLES = Path(aiconfigurator_core.__file__).parent / "systems" / "data"
OUTPUT = ROOT / "data" / "sources" / "kernel_efficiency.csv"
SOURCE = "aic"  # short for aiconfigurator-core; the metadata beside the table spells it out
VERSION = importlib.metadata.version("aiconfigurator-core")

#: Folder of the package -> chip_id of data/sources/chips.csv.
SYSTEMS = {
    "a100_sxm": "a100-sxm-80",
    "h100_sxm": "h100-sxm",
    "h200_sxm": "h200-sxm",
    "b200_sxm": "b200",
    "gb200": "gb200",
    "gb300": "gb300",
    "l40s": "l40s",
}
#: Format in the package -> (format here, bytes per weight, bytes per activation, peak the product runs at).
FORMATS = {
    "bfloat16": ("bf16", 2.0, 2.0, "bf16_tflops_dense"),
    "fp8": ("fp8", 1.0, 1.0, "fp8_tflops_dense"),
    "fp8_block": ("fp8_block", 1.0, 1.0, "fp8_tflops_dense"),
    "nvfp4": ("nvfp4", 0.5625, 0.5625, "fp4_tflops_dense"),
    "w4a16_mxfp4": ("mxfp4", 0.53125, 2.0, "bf16_tflops_dense"),
    "w4a8_mxfp4_mxfp8": ("mxfp4", 0.53125, 1.0, "fp8_tflops_dense"),
}
CACHE = {"bfloat16": ("bf16", 2.0), "fp8": ("fp8", 1.0)}
#: When several kernels serve one shape the engine picks the fastest; the routing skew is the milder of the two measured.
ROUTING = "power_law_1.01"
#: Expert shapes kept (hidden x ffn): each stands for models near it.
EXPERT_WEIGHTS = [2048 * 768, 4096 * 1536, 2880 * 2880, 7168 * 2048, 5120 * 8192, 4096 * 14336]
COLUMNS = [
    "op",
    "chip_id",
    "dtype",
    "rows",
    "weights",
    "experts",
    "streams",
    "context",
    "group",
    "head_dim",
    "ranks",
    "payload",
    "fraction",
]


def powers(first: int, last: int, step: int = 1) -> list[float]:
    """Powers of two from 2^first to 2^last."""
    return [2.0**e for e in range(first, last + 1, step)]


class Chip:
    """Datasheet rates of one chip."""

    def __init__(self, row: dict[str, str]) -> None:
        self.chip_id = row["chip_id"]
        self.bandwidth = float(row["memory_bandwidth_gb_per_s"]) * 1e9
        self.link = float(row["scale_up_bidirectional_gb_per_s"] or row["pcie_bidirectional_gb_per_s"]) * 1e9 / 2
        self.rows = row

    def peak(self, column: str) -> float:
        """Dense peak [FLOP/s]; NaN where the chip has no such unit."""
        return float(self.rows[column]) * 1e12 if self.rows[column] else float("nan")


def newest(system: str, family: str, name: str, engine: str = "trtllm") -> pd.DataFrame | None:
    """The newest table of an operator measured for a system, or None."""
    found = sorted(
        (TABLES / system / family / engine).glob(f"*/{name}.parquet"), key=lambda p: [int(x) if x.isdigit() else -1 for x in _parts(p)]
    )
    return pd.read_parquet(found[-1]) if found else None


def _parts(path: Path) -> list[str]:
    return path.parent.name.replace("rc", ".").split(".")


def collect(frame: pd.DataFrame, axes: dict[str, list[float]], tolerance: float = 1.6) -> pd.DataFrame:
    """Median fraction per grid node; a measurement further than `tolerance` from every node of an axis is left out."""
    keep = frame["fraction"].notna() & (frame["fraction"] > 0)
    snapped = {}
    for name, nodes in axes.items():
        grid = np.log(np.asarray(sorted(nodes)))
        value = np.log(frame[name].to_numpy(dtype=float))
        nearest = np.abs(value[:, None] - grid[None, :]).argmin(axis=1)
        keep &= np.abs(value - grid[nearest]) <= np.log(tolerance)
        snapped[name] = np.asarray(sorted(nodes))[nearest]
    out = pd.DataFrame(snapped).assign(fraction=frame["fraction"].to_numpy())[keep.to_numpy()]
    return thin(out.groupby(list(axes), as_index=False)["fraction"].median(), list(axes))


def thin(cells: pd.DataFrame, axes: list[str], tolerance: float = 0.05) -> pd.DataFrame:
    """The cells without those that interpolation between kept ones along the first axis gives back within `tolerance`."""
    kept = []
    cells = cells.assign(fraction=cells["fraction"].clip(upper=1.0)).sort_values(axes)
    for _, curve in cells.groupby(axes[1:], sort=False):
        x, y = np.log(curve[axes[0]].to_numpy()), np.log(curve["fraction"].to_numpy())
        keep, pending = {0, len(x) - 1}, [(0, len(x) - 1)]
        while pending:
            first, last = pending.pop()
            if last - first < 2:
                continue
            off = np.abs(np.interp(x[first : last + 1], x[[first, last]], y[[first, last]]) - y[first : last + 1])
            if off.max() > tolerance:
                worst = first + int(off.argmax())
                keep.add(worst)
                pending += [(first, worst), (worst, last)]
        kept.append(curve.iloc[sorted(keep)])
    return pd.concat(kept) if kept else cells


def gemm(system: str, chip: Chip) -> list[dict[str, Any]]:
    """Matrix products: rows m, weights n k, the quantisation of activations taken out.

    The measured low-precision products quantise their input first; engines fuse that with the operation before. Its time is
    the excess of the narrowest product (n = 32) over the 16-bit one at the same m and k.
    """
    frame = newest(system, "gemm", "gemm_perf")
    if frame is None:
        return []
    rows = []
    frame = frame.groupby(["gemm_dtype", "m", "n", "k"], as_index=False).latency.min()
    narrow = frame[frame.n == 32].set_index(["gemm_dtype", "m", "k"]).latency
    frame = frame[(frame.n >= 256) & (frame.k >= 256) & (frame.n / frame.k).between(1 / 10, 10)]
    for name, part in frame.groupby("gemm_dtype"):
        if name not in FORMATS:
            continue
        dtype, weight, act, peak = FORMATS[str(name)]
        moved = accounting.gemm_bytes(part.m, part.n, part.k, act, weight, 2.0)
        ideal = np.maximum(moved / chip.bandwidth, accounting.gemm_flops(part.m, part.n, part.k) / chip.peak(peak))
        quantise = _at(narrow, str(name), part) - _at(narrow, "bfloat16", part) if name != "bfloat16" else 0.0 * part.latency.to_numpy()
        time = part.latency.to_numpy() - np.clip(np.nan_to_num(quantise), 0.0, 0.7 * part.latency.to_numpy())
        part = part.assign(rows=part.m, weights=part.n * part.k.astype(float), fraction=ideal / (time * 1e-3))
        cells = collect(part, {"rows": [1.0, 4.0, *powers(4, 15)], "weights": powers(20, 30, 2)}, 1.45)
        rows += [{"op": "gemm", "dtype": dtype, **cell} for cell in cells.to_dict("records")]
    return rows


def _at(narrow: pd.Series, name: str, part: pd.DataFrame) -> np.ndarray:
    """Times of the narrowest product of a format at the m and k of other products."""
    return narrow.reindex(pd.MultiIndex.from_arrays([[name] * len(part), part.m, part.k])).to_numpy()


def expert_gemm(system: str, chip: Chip) -> list[dict[str, Any]]:
    """Routed feed-forward: rows = token-expert pairs per expert, weights h f, experts on the rank.

    On one rank the measurement with skewed routing is used, as traffic is; over several ranks the balanced one, so that the load of
    the busiest rank stays a quantity of the layout and is not hidden in the kernel.
    """
    frame = newest(system, "moe", "moe_perf")
    older = sorted(
        (TABLES / system / "moe" / "trtllm").glob("*/moe_perf.parquet"), key=lambda p: [int(x) if x.isdigit() else -1 for x in _parts(p)]
    )
    frame = pd.concat([pd.read_parquet(path) for path in older]) if older else frame
    if frame is None:
        return []
    frame = frame[(frame.moe_tp_size == 1) & (frame.kernel_source != "moe_torch_flow_nongated")]
    frame = frame[frame.distribution == np.where(frame.moe_ep_size == 1, ROUTING, "balanced")]
    rows = []
    for name, part in frame.groupby("moe_dtype"):
        if name not in FORMATS or (name == "w4a16_mxfp4" and (frame.moe_dtype == "w4a8_mxfp4_mxfp8").any()):
            continue
        dtype, weight, act, peak = FORMATS[str(name)]
        part = part.groupby(["num_tokens", "hidden_size", "inter_size", "topk", "num_experts", "moe_ep_size"], as_index=False).latency.min()
        share = 1.0 / part.moe_ep_size
        uniform = accounting.distinct_experts(part.num_tokens, part.num_experts, part.topk)
        dealt = np.minimum(part.num_experts, part.num_tokens * part.topk)  # balanced: pairs are dealt out in turn
        hit = np.maximum(np.where(part.moe_ep_size == 1, uniform, dealt) * share, 1.0)
        local_tokens = part.num_tokens * share
        moved = accounting.expert_gemm_bytes(
            local_tokens, part.num_experts, part.topk, part.hidden_size, part.inter_size, weight, act, True, hit
        )
        flops = accounting.expert_gemm_flops(local_tokens, part.topk, part.hidden_size, part.inter_size)
        ideal = np.maximum(moved / chip.bandwidth, flops / chip.peak(peak))
        part = part.assign(
            rows=part.num_tokens * part.topk / part.num_experts,
            weights=part.hidden_size * part.inter_size.astype(float),
            experts=part.num_experts * share,
            fraction=ideal / (part.latency * 1e-3),
        )
        cells = collect(part, {"rows": powers(-6, 12, 2), "weights": EXPERT_WEIGHTS, "experts": [4, 16, 32, 64, 128, 256]}, 1.42)
        rows += [{"op": "expert_gemm", "dtype": dtype, **cell} for cell in cells.to_dict("records")]
    return rows


def attention_decode(system: str, chip: Chip) -> list[dict[str, Any]]:
    """Decode attention: streams = batch x KV heads, context, query heads per KV head, head width."""
    frame = newest(system, "attention", "generation_attention_perf")
    if frame is None:
        return []
    frame = frame[(frame.window_size == 0) & frame.head_dim.isin([64, 128])]
    rows = []
    for name, part in frame.groupby("kv_cache_dtype"):
        dtype, kv = CACHE[str(name)]
        heads_kv = np.where(part.num_key_value_heads == 0, part.num_heads, part.num_key_value_heads)
        context = part.isl + part.step
        moved = accounting.decode_attention_kv_bytes(part.batch_size, context, heads_kv, part.head_dim, kv)
        moved = moved + accounting.decode_attention_io_bytes(part.batch_size, part.num_heads, part.head_dim)
        flops = accounting.decode_attention_flops(part.batch_size, context, part.num_heads, part.head_dim)
        ideal = np.maximum(moved / chip.bandwidth, flops / chip.peak("bf16_tflops_dense"))
        part = part.assign(
            streams=part.batch_size * heads_kv, context=context, group=part.num_heads / heads_kv, fraction=ideal / (part.latency * 1e-3)
        )
        axes = {"streams": powers(0, 14, 2), "context": powers(5, 17, 2), "group": [1.0, 4.0, 8.0, 16.0], "head_dim": [64.0, 128.0]}
        cells = collect(part, axes, 1.42)
        rows += [{"op": "attention_decode", "dtype": dtype, **cell} for cell in cells.to_dict("records")]
    return rows


def attention_prefill(system: str, chip: Chip) -> list[dict[str, Any]]:
    """Causal attention of a prompt: rows = tokens, streams = batch x query heads, head width."""
    frame = newest(system, "attention", "context_attention_perf")
    if frame is None:
        return []
    frame = frame[(frame.window_size == 0) & frame.head_dim.isin([64, 128]) & (frame.isl >= 16)]
    rows = []
    for name, part in frame.groupby("attn_dtype"):
        dtype, _ = CACHE[str(name)]
        flops = accounting.prefill_attention_flops(part.batch_size, part.isl, part.num_heads, part.head_dim)
        ideal = flops / chip.peak("fp8_tflops_dense" if dtype == "fp8" else "bf16_tflops_dense")
        part = part.assign(rows=part.isl, streams=part.batch_size * part.num_heads, fraction=ideal / (part.latency * 1e-3))
        cells = collect(part, {"rows": powers(4, 14), "streams": powers(2, 10, 2), "head_dim": [64.0, 128.0]}, 1.42)
        rows += [{"op": "attention_prefill", "dtype": dtype, **cell} for cell in cells.to_dict("records")]
    return rows


def latent_attention(system: str, chip: Chip) -> list[dict[str, Any]]:
    """MLA cores: decode (streams = batch, context, group = heads on the rank) and prefill (rows, streams = batch x heads)."""
    rows = []
    frame = newest(system, "mla", "generation_mla_perf")
    if frame is not None:
        for name, part in frame.groupby("kv_cache_dtype"):
            dtype, kv = CACHE[str(name)]
            context = part.isl + part.step
            moved = accounting.mla_decode_kv_bytes(part.batch_size, context, kv_bytes=kv)
            moved = moved + accounting.mla_decode_io_bytes(part.batch_size, part.num_heads)
            flops = accounting.mla_decode_flops(part.batch_size, context, part.num_heads)
            peak = chip.peak("fp8_tflops_dense" if dtype == "fp8" and system[:2] in ("b2", "b3", "gb") else "bf16_tflops_dense")
            ideal = np.maximum(moved / chip.bandwidth, flops / peak)
            part = part.assign(
                streams=part.batch_size.astype(float),
                context=context,
                group=part.num_heads.astype(float),
                fraction=ideal / (part.latency * 1e-3),
            )
            axes = {"streams": powers(0, 10, 2), "context": powers(5, 17, 2), "group": [8.0, 16.0, 32.0, 64.0, 128.0]}
            rows += [{"op": "mla_decode", "dtype": dtype, **cell} for cell in collect(part, axes, 1.42).to_dict("records")]
    frame = newest(system, "mla", "context_mla_perf")
    if frame is not None:
        for name, part in frame.groupby("kv_cache_dtype"):
            dtype, _ = CACHE[str(name)]
            flops = accounting.prefill_attention_flops(part.batch_size, part.isl, part.num_heads, 192, value_dim=128)
            ideal = flops / chip.peak("bf16_tflops_dense")
            part = part.assign(rows=part.isl, streams=part.batch_size * part.num_heads, fraction=ideal / (part.latency * 1e-3))
            part = part[part.isl >= 16]
            cells = collect(part, {"rows": powers(4, 15), "streams": powers(4, 10, 2)}, 1.42)
            rows += [{"op": "mla_prefill", "dtype": dtype, **cell} for cell in cells.to_dict("records")]
    return rows


def collectives(system: str, chip: Chip) -> list[dict[str, Any]]:
    """All-reduce of the engine and NCCL all-gather, reduce-scatter, all-to-all inside a node: payload [B], ranks."""
    rows = []
    measured: list[tuple[str, pd.DataFrame]] = []
    custom = newest(system, "comm", "custom_allreduce_perf")
    if custom is not None:
        measured.append(("all_reduce", custom.assign(payload=custom.message_size * 2.0)))
    nccl = newest(system, "comm", "nccl_perf", "")
    found = sorted((TABLES / system / "comm" / "nccl").glob("*/nccl_perf.parquet"))
    nccl = pd.read_parquet(found[-1]) if found else nccl
    if nccl is not None:
        nccl = nccl[nccl.nccl_dtype == "half"]
        names = {"all_gather": "all_gather", "reduce_scatter": "reduce_scatter", "alltoall": "all_to_all"}
        measured += [(ours, nccl[nccl.op_name == theirs].assign(payload=nccl.message_size * 2.0)) for theirs, ours in names.items()]
    for op, part in measured:
        wire = accounting.all_reduce_wire_bytes(part.payload, part.num_gpus)
        if op != "all_reduce":
            wire = accounting.all_gather_wire_bytes(part.payload, part.num_gpus)
        part = part.assign(ranks=part.num_gpus.astype(float), fraction=wire / chip.link / (part.latency * 1e-3))
        cells = collect(part, {"payload": powers(10, 28, 2), "ranks": [2.0, 4.0, 8.0]}, 1.42)
        rows += [{"op": op, "dtype": "bf16", **cell} for cell in cells.to_dict("records")]
    return rows


def main() -> None:
    """Write the table and print its size."""
    with (ROOT / "data" / "sources" / "chips.csv").open(newline="") as file:
        chips = {row["chip_id"]: Chip(row) for row in csv.DictReader(file) if row["chip_id"] in SYSTEMS.values()}
    rows: list[dict[str, Any]] = []
    for system, chip_id in SYSTEMS.items():
        for measure in (gemm, expert_gemm, attention_decode, attention_prefill, latent_attention, collectives):
            found = measure(system, chips[chip_id])
            rows += [{"chip_id": chip_id, **row} for row in found]
    frame = pd.DataFrame(rows).reindex(columns=COLUMNS)
    frame["fraction"] = frame["fraction"].clip(upper=1.0)
    frame = frame.sort_values(COLUMNS[:-1]).assign(source=SOURCE, version=VERSION)
    with OUTPUT.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(frame.columns)
        for row in frame.itertuples(index=False):
            writer.writerow([_text(value) for value in row])
    print(f"{len(frame):,} rows, {OUTPUT.stat().st_size:,} bytes -> {OUTPUT}")
    print(
        frame.groupby(["op", "dtype"])
        .agg(rows=("fraction", "size"), chips=("chip_id", "nunique"), median=("fraction", "median"))
        .to_string()
    )


def _text(value: Any) -> str:
    if isinstance(value, float):
        return "" if np.isnan(value) else f"{value:.3g}" if value < 1 else f"{value:.10g}"
    return str(value)


if __name__ == "__main__":
    main()
