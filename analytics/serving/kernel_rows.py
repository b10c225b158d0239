"""Published kernel figures (attention, expert exchange) next to what the efficiency table gives for the same operation."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from analytics import accounting
from analytics.serving.benchmark_rows import Case, Names
from analytics.serving.chips import DEFAULT_RELATIVE, Chip
from analytics.serving.collectives import expert_exchange_s
from analytics.serving.kernels import KernelTable
from analytics.serving.step import SPARSE_RATE

#: Width and choices of DeepSeek-V3 experts, which the published exchange kernels are measured on.
HIDDEN, TOP_K = 7168, 8


def compare(cases: Sequence[Case], kernels: KernelTable, names: Names) -> list[dict[str, Any]]:
    """One item per figure in a kernel row's note: row, kernel, predicted, measured, ratio, unit; predicted null where not modelled."""
    out = []
    for case in cases:
        if not case.kernel_note:
            continue
        for measured, unit, chip_word in _figures(case.kernel_note):
            chip = names.chip(chip_word) if chip_word else case.chip
            predicted = _predict(case, chip, kernels, unit) if chip is not None else None
            out.append(
                {
                    "row": case.row,
                    "kernel": f"{case.engine}, {case.model}, {chip.chip_id if chip else case.hardware}",
                    "predicted": None if predicted is None else float(f"{predicted:.4g}"),
                    "measured": measured,
                    "ratio": None if predicted is None else round(predicted / measured, 3),
                    "unit": unit,
                }
            )
    return out


def _figures(note: str) -> list[tuple[float, str, str]]:
    """The figures of a note: value, unit, and the chip where the note names another one for it."""
    text = note.split("):", 1)[-1]
    out = []
    for match in re.finditer(r"(\d+(?:\.\d+)?)\s*(TFLOP/s|PFLOP/s|GB/s|TB/s|ms\b)", text):
        value, unit = float(match[1]), match[2]
        if unit in ("PFLOP/s", "TB/s"):
            value, unit = value * 1000, {"PFLOP/s": "TFLOP/s", "TB/s": "GB/s"}[unit]
        named = re.search(r"\b(B200|H100|H800)\s*$", text[: match.start()]) or re.match(r"\s*on (B200|H100|H800)\b", text[match.end() :])
        out.append((value, unit, named[1] if named else ""))
    return [figure for figure in out if figure[1] != "GB/s" or "TB/s" not in note or "ms" not in note]  # a derived rate repeats the time


def _predict(case: Case, chip: Chip, kernels: KernelTable, unit: str) -> float | None:
    engine = case.engine.lower()
    if "deepep" in engine:
        return _exchange(case, chip, kernels)
    key_of = (
        {"decode": "mla_decode", "prefill": "mla_prefill"}
        if "mla" in engine
        else {"decode": "attention_decode", "prefill": "attention_prefill"}
    )
    op = key_of.get(case.phase)
    if op is None:
        return None
    fmt = "fp8" if "fp8" in str(case.kernel_note.lower().split("tflop")[0]) or "1.2 pflop" in case.kernel_note.lower() else "bf16"
    key = kernels.key(op, chip.chip_id, chip.relative, fmt) or kernels.key(op, DEFAULT_RELATIVE, DEFAULT_RELATIVE, fmt)
    if key is None:
        return None
    peak = chip.peak("fp8" if key[2] == "fp8" and op == "attention_prefill" else "bf16")
    if unit == "ms":
        return _one_attention(case, chip, kernels)
    sparse = SPARSE_RATE if "sparse" in engine else 1.0
    if op == "mla_prefill":
        return float(np.max(kernels.fraction(key, rows=2.0 ** np.arange(10, 15), streams=1024)) * peak / 1e12)
    if op == "attention_prefill":
        return float(np.max(kernels.fraction(key, rows=2.0 ** np.arange(10, 15), streams=1024, head_dim=128)) * peak / 1e12)
    batch, context = np.meshgrid(2.0 ** np.arange(4, 10), 2.0 ** np.arange(10, 16))
    heads = 128 if unit == "TFLOP/s" else 16
    flops = np.asarray(accounting.mla_decode_flops(batch, context, heads))
    moved = np.asarray(accounting.mla_decode_kv_bytes(batch, context)) + accounting.mla_decode_io_bytes(batch, heads)
    fraction = kernels.fraction(key, streams=batch, context=context, group=heads)
    time = np.maximum(flops / peak / sparse, moved / chip.memory_bandwidth) / fraction
    return float(np.max(flops / time) / 1e12 if unit == "TFLOP/s" else np.max(moved / time) / 1e9)


def _one_attention(case: Case, chip: Chip, kernels: KernelTable) -> float | None:
    """Time of the single decode attention a note gives in milliseconds: heads, head width, batch and context from the row [ms]."""
    found = re.search(r"(\d+)q/(\d+)kv heads d(\d+)", case.model)
    if not found:
        return None
    heads, kv_heads, width = (int(x) for x in found.groups())
    kv_bytes = 1.0 if "0.4040" in case.kernel_note or "55%" in case.kernel_note else 2.0
    key = kernels.key("attention_decode", chip.chip_id, chip.relative, "fp8" if kv_bytes == 1 else "bf16")
    if key is None:
        return None
    batch, context = 64.0, 2048.0
    moved = accounting.decode_attention_kv_bytes(batch, context, kv_heads, width, kv_bytes) + accounting.decode_attention_io_bytes(
        batch, heads, width
    )
    fraction = kernels.fraction(key, streams=batch * kv_heads, context=context, group=heads / kv_heads, head_dim=width)
    return float(moved / chip.memory_bandwidth / fraction * 1e3)


def _exchange(case: Case, chip: Chip, kernels: KernelTable) -> float | None:
    """Logical rate of expert dispatch and combine, 8,192 tokens a rank [GB/s]: bytes to distinct destinations over time."""
    found = re.search(r"EP(\d+)(?:x(\d+))?", case.engine)
    if not found:
        return None
    ranks = int(found[1]) * int(found[2] or 1)
    nodes = int(found[2] or 1)
    tokens, fp8 = 8192.0, 1 + 4 / 128
    time = float(expert_exchange_s(chip, kernels, tokens, TOP_K, HIDDEN, ranks, fp8, True, ranks))
    to = float(accounting.distinct_destinations(TOP_K, nodes if nodes > 1 else ranks))
    return tokens * to * HIDDEN * (fp8 + 2) / time / 1e9
