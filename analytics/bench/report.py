"""Records as tables for people, and two sessions side by side."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from analytics.bench import fields
from analytics.bench import record as records

SAME = 0.02  # two medians closer than this are the same


def shape_text(params: dict[str, Any]) -> str:
    """The shape of a case in one line."""
    return " ".join(f"{name}={value}" for name, value in params.items() if value not in (None, 0, ""))


def _cell(value: float | None, digits: int = 3) -> str:
    return "" if value is None else f"{value:,.{digits}g}" if abs(value) < 1000 else f"{value:,.0f}"


def table(rows: Iterable[dict[str, Any]]) -> str:
    """Markdown: what was measured, predicted and reached, with every row that has a status of its own."""
    heads = ["operation", "shape", "dtype", "backend", "measured µs (p10–p90)", "predicted µs", "measured / predicted"]
    heads += ["GB/s", "TFLOP/s", "of ceiling", "status"]
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    for row in records.newest(rows):
        dtype = row["dtype"] + (f", {row['dtype_kv']} KV" if row["dtype_kv"] else "")
        spread = f"{_cell(row['median_us'])} ({_cell(row['p10_us'])}–{_cell(row['p90_us'])})" if row["median_us"] else ""
        if row["value"] is not None and not row["median_us"]:
            spread = f"{row['value_name']} {_cell(row['value'], 4)}"
        share = f"{row['frac_ceiling']:.0%}" if row["frac_ceiling"] else ""
        status = row["status"] + (f": {row['message']}" if row["message"] else "")
        cells = [
            row["op"],
            shape_text(row["params"]),
            dtype,
            row["backend"],
            spread,
            _cell(row["pred_us"]),
            _cell(row["ratio_pred"]),
            _cell(row["gb_per_s"]),
            _cell(row["tflop_per_s"]),
            share,
            status,
        ]
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines)


def compare(first: Iterable[dict[str, Any]], second: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows measured in both: the ratio of medians (second over first) and a verdict.

    SAME within 2 %; FASTER or SLOWER where the 10-90 % ranges do not overlap; UNDECIDED where the medians differ and the ranges overlap.
    """
    known = {row["row_key"]: row for row in records.newest(first) if row["status"] in fields.TIMED and row["median_us"]}
    out = []
    for row in records.newest(second):
        other = known.get(row["row_key"])
        if other is None or row["status"] not in fields.TIMED or not row["median_us"]:
            continue
        ratio = row["median_us"] / other["median_us"]
        if abs(ratio - 1) <= SAME:
            verdict = "SAME"
        elif row["p10_us"] > other["p90_us"]:
            verdict = "SLOWER"
        elif row["p90_us"] < other["p10_us"]:
            verdict = "FASTER"
        else:
            verdict = "UNDECIDED"
        out.append({"op": row["op"], "shape": shape_text(row["params"]), "backend": row["backend"], "ratio": ratio, "verdict": verdict})
    return out


def statuses(rows: Iterable[dict[str, Any]]) -> dict[str, int]:
    """How many of the newest rows have each status, the most frequent first."""
    counts: dict[str, int] = {}
    for row in records.newest(rows):
        counts[row["status"]] = counts.get(row["status"], 0) + 1
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
