"""Records -> efficiencies for the serving model: how far each operation is from its roofline, with the error on records left out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from analytics.bench import record as records

INVERSION = 0.10  # a larger shape this much faster than a smaller one marks both

#: Axes of a sweep: rows that agree in all else are ordered by these, and time may not fall along them.
_GROWING = ("B", "S", "M", "n", "T", "bytes", "pages", "blocks")


@dataclass(frozen=True)
class EfficiencyFit:
    """t = t0 + roofline / e over the records of one operation on one device, fitted on every other record and tried on the rest."""

    device: str
    op: str
    backend: str
    dtype: str
    overhead_us: float  # t0
    efficiency: float  # e, against the ceilings measured in the session
    n_fitted: int
    n_held_out: int
    held_out_median_error: float | None  # median of |predicted / measured - 1|
    held_out_worst_error: float | None


def usable(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The newest record of each key that holds a time, is `ok`, and lies on no inversion."""
    good = [row for row in records.newest(rows) if row["status"] == "ok" and row["median_us"]]
    marked = {key for pair in inversions(good) for key in pair}
    return [row for row in good if row["row_key"] not in marked]


def inversions(rows: Sequence[dict[str, Any]]) -> list[tuple[str, str]]:
    """Pairs of row keys (smaller, larger shape) of one sweep where the larger is more than 10 % faster, so that one of them is wrong."""
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in rows:
        if row["median_us"]:
            for axis in _GROWING:
                if isinstance(row["params"].get(axis), (int, float)):
                    rest = tuple(sorted((name, repr(value)) for name, value in row["params"].items() if name != axis))
                    groups.setdefault((row["device"], row["op"], row["backend"], row["dtype"], row["dtype_kv"], axis, rest), []).append(row)
    out = []
    for key, members in groups.items():
        axis = key[5]
        members.sort(key=lambda row: row["params"][axis])
        for small, large in zip(members, members[1:]):
            if large["params"][axis] > small["params"][axis] and large["median_us"] < (1 - INVERSION) * small["median_us"]:
                out.append((small["row_key"], large["row_key"]))
    return out


def roofline_us(row: dict[str, Any], basis: str = "ceiling") -> float | None:
    """max(bytes / W, FLOPs / F) of a record [us], by the ceilings of its session or by the vendor's figures (`basis` "spec")."""
    bandwidth, rate = row[f"{basis}_gb_per_s"], row[f"{basis}_tflop_per_s"]
    memory = row["bytes_min"] / bandwidth / 1e3 if bandwidth and row["bytes_min"] else 0.0
    flops = row["flops"] / rate / 1e6 if rate and row["flops"] else 0.0
    return max(memory, flops) or None


def _solve(roofline: np.ndarray, measured: np.ndarray) -> tuple[float, float]:
    """t0 >= 0 and 1 / e of measured = t0 + roofline / e, least squares of the relative error."""
    matrix = np.stack([1 / measured, roofline / measured], axis=1)
    overhead, slope = np.linalg.lstsq(matrix, np.ones(len(measured)), rcond=None)[0]
    if overhead < 0 or slope <= 0:
        ratio = roofline / measured
        overhead, slope = 0.0, float(ratio.sum() / (ratio * ratio).sum())
    return float(overhead), float(slope)


def fit(rows: Iterable[dict[str, Any]]) -> list[EfficiencyFit]:
    """One fit per (device, operation, backend, dtype) with four usable records or more; half are held out, alternating by size."""
    groups: dict[tuple[str, str, str, str], list[tuple[float, float]]] = {}
    for row in usable(rows):
        expected = roofline_us(row)
        if expected is not None:
            dtype = row["dtype"] if not row["dtype_kv"] else f"{row['dtype']}, {row['dtype_kv']} cache"
            groups.setdefault((row["device"], row["op"], row["backend"], dtype), []).append((expected, row["median_us"]))
    out = []
    for (device, op, backend, dtype), points in sorted(groups.items()):
        if len(points) < 4:
            continue
        points.sort()
        roofline, measured = np.array(points).T
        used = np.zeros(len(points), dtype=bool)
        used[::2] = True
        overhead, slope = _solve(roofline[used], measured[used])
        error = np.abs((overhead + slope * roofline[~used]) / measured[~used] - 1)
        out.append(
            EfficiencyFit(
                device,
                op,
                backend,
                dtype,
                overhead,
                1 / slope,
                int(used.sum()),
                int((~used).sum()),
                float(np.median(error)),
                float(error.max()),
            )
        )
    return out


def critical_batches(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The batch where d ln t / d ln B of a decode step crosses 0.5, for each model shape, context and backend that was swept.

    Below it a step is paid for by reading weights, above it by work that grows with the batch. Interpolated in ln B between the
    slopes of neighbouring records; None where the sweep does not reach it.
    """
    groups: dict[tuple[Any, ...], list[tuple[int, float]]] = {}
    for row in usable(rows):
        if row["op"] == "step":
            rest = tuple(sorted((name, value) for name, value in row["params"].items() if name != "B"))
            groups.setdefault((row["device"], row["backend"], rest), []).append((row["params"]["B"], row["median_us"]))
    out = []
    for (device, backend, rest), points in sorted(groups.items(), key=repr):
        if len(points) < 3:
            continue
        points.sort()
        batch, time = np.log(np.array(points)).T
        slope = np.diff(time) / np.diff(batch)
        middle = (batch[1:] + batch[:-1]) / 2
        above = np.flatnonzero(slope >= 0.5)
        crossing: float | None = None
        if len(above) and above[0] > 0:
            i = int(above[0])
            share = (0.5 - slope[i - 1]) / (slope[i] - slope[i - 1])
            crossing = float(np.exp(middle[i - 1] + share * (middle[i] - middle[i - 1])))
        out.append({"device": device, "backend": backend, **dict(rest), "critical_batch": crossing, "n": len(points)})
    return out


def _axes(row: dict[str, Any]) -> dict[str, Any] | None:
    """Operation and shape axes of a record in the layout of `kernel_efficiency.csv`; None for what that table does not hold."""
    p = row["params"]
    plain = p.get("lengths", "equal") == "equal" and not p.get("window")
    if row["op"] == "gemm":
        return {"op": "gemm", "dtype": row["dtype"], "rows": p["M"], "weights": p["N"] * p["K"]}
    if row["op"] == "moe.grouped" and p["skew"] == "balanced":
        return {
            "op": "expert_gemm",
            "dtype": row["dtype"],
            "rows": p["n"] * p["k"] / p["E"],
            "weights": p["hidden"] * p["ffn"],
            "experts": p["E"],
        }
    if row["op"] == "attn.decode" and plain and p.get("Dv", p["D"]) == p["D"]:
        shape = {"streams": p["B"] * p["K"], "context": p["S"], "group": p["H"] // p["K"], "head_dim": p["D"]}
        return {"op": "attention_decode", "dtype": row["dtype_kv"] or row["dtype"], **shape}
    if row["op"] == "attn.mla" and plain:
        return {"op": "mla_decode", "dtype": row["dtype_kv"] or row["dtype"], "streams": p["B"], "context": p["S"], "group": p["H"]}
    if row["op"] == "attn.prefill" and not p["past"] and p["D"] == p["Dv"]:
        return {"op": "attention_prefill", "dtype": row["dtype"], "rows": p["T"], "streams": p["B"] * p["H"], "head_dim": p["D"]}
    return None


def efficiencies(rows: Iterable[dict[str, Any]], chip_of: dict[str, str]) -> list[dict[str, Any]]:
    """Rows in the layout of `kernel_efficiency.csv`: the fraction of the roofline that the best backend reaches at each shape.

    Parameters
    ----------
    rows : records, of any devices
    chip_of : device name -> chip id; records of other devices are left out, because their fractions have no chip to belong to

    The roofline is that of the vendor's figures, as in that table; a record without them is left out.
    """
    best: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in usable(rows):
        axes = _axes(row)
        expected = roofline_us(row, "spec")
        if axes is None or expected is None or row["device"] not in chip_of:
            continue
        fraction = expected / row["median_us"]
        if not 0 < fraction <= 1:
            continue
        name = {"op": axes.pop("op"), "chip_id": chip_of[row["device"]], "dtype": axes.pop("dtype")}
        key = (*name.values(), *sorted(axes.items()))
        if key not in best or fraction > best[key]["fraction"]:
            version = f"suite {row['suite_version']}, torch {row['torch']}, {row['started_utc'][:10]}"
            best[key] = {**name, **axes, "fraction": fraction, "source": f"own benchmark, {row['backend']}", "version": version}
    return [best[key] for key in sorted(best, key=repr)]


def goals(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The project's speed goals for a Hopper GPU against the records: each with the figure reached, or None where nothing was measured."""
    ok = [row for row in records.newest(rows) if row["status"] == "ok" and row["device_kind"] == "cuda"]

    def share(where: Any) -> list[float]:
        return [
            row["bytes_min"] / (row["median_us"] * 1e3) / row["ceiling_gb_per_s"] for row in ok if row["ceiling_gb_per_s"] and where(row)
        ]

    def ours(row: dict[str, Any], op: str) -> bool:
        return (
            row["op"] == op
            and row["backend"] == "triton"
            and not row["params"].get("window")
            and row["params"].get("lengths", "equal") == "equal"
        )

    def gqa(low: float, high: float, kv: str | None) -> Any:
        return lambda row: (
            ours(row, "attn.decode")
            and row["dtype_kv"] == kv
            and row["params"]["H"] > row["params"]["K"]
            and low <= row["bytes_min"] < high
        )

    mib = 2**20

    def mla(heads: int) -> Any:
        return lambda row: ours(row, "attn.mla") and not row["dtype_kv"] and row["params"]["H"] == heads and row["bytes_min"] >= 256 * mib

    rate, latent = [row["tflop_per_s"] for row in ok if mla(128)(row)], share(mla(16))
    paged = _paired(ok, lambda row: ours(row, "attn.decode"), "page")
    rivals, copies = _against_best(ok, ("attn.decode", "attn.mla")), _against_best(ok, ("bw.copy", "kv.copy"))
    lines = [
        ("GQA decode from 256 MB of cache, share of measured read bandwidth", 0.90, share(gqa(256 * mib, float("inf"), None))),
        ("GQA decode at 64 to 256 MB of cache, share of measured read bandwidth", 0.75, share(gqa(64 * mib, 256 * mib, None))),
        ("GQA decode with an fp8 cache from 256 MB, share of measured read bandwidth", 0.80, share(gqa(256 * mib, float("inf"), "fp8"))),
        ("Paged against contiguous GQA decode, ratio of speeds", 0.90, paged),
        ("Latent decode with 16 heads and a bf16 cache from 256 MB, share of measured read bandwidth", 0.80, latent),
        ("Latent decode with 128 heads and a bf16 cache, TFLOP/s", 450.0, rate),
        ("Our decode kernels against the best backend, ratio of speeds", 0.90, rivals),
        ("Our copies against the library's, ratio of speeds", 0.95, copies),
    ]
    return [
        {"goal": text, "at_least": bound, "lowest": min(values) if values else None, "shapes": len(values)} for text, bound, values in lines
    ]


def _paired(rows: list[dict[str, Any]], where: Any, axis: str) -> list[float]:
    """Speeds of paged over contiguous caches for shapes measured both ways."""
    found: dict[tuple[Any, ...], dict[bool, float]] = {}
    for row in rows:
        if where(row):
            key = (row["session_id"], row["dtype_kv"], *sorted((n, repr(v)) for n, v in row["params"].items() if n != axis))
            found.setdefault(key, {})[bool(row["params"][axis])] = row["median_us"]
    return [times[False] / times[True] for times in found.values() if len(times) == 2]


def _against_best(rows: list[dict[str, Any]], ops: tuple[str, ...]) -> list[float]:
    """Speed of our kernels over that of the fastest other backend, for every case of these operations timed on both in one session."""
    cases: dict[tuple[Any, ...], dict[str, float]] = {}
    for row in rows:
        if row["op"] in ops:
            key = (row["session_id"], row["op"], row["dtype_kv"], *sorted((n, repr(v)) for n, v in row["params"].items()))
            cases.setdefault(key, {})[row["backend"]] = row["median_us"]
    return [
        min(time for name, time in times.items() if name != "triton") / times["triton"]
        for times in cases.values()
        if "triton" in times and len(times) > 1
    ]
