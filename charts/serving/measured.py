"""Published runs as the charts draw them: resolved to models and chips, with source, day and the model's error."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analytics.serving.benchmark_rows import Case, read_cases
from analytics.serving.residuals import worst_left_out
from charts.serving.kept import kept
from charts.serving.work import chip_label
from data.queries.serving import measurements, names, records, residuals
from data.snapshot import Snapshot

QUANTITY_WORDS = {
    "output_tok_s_per_gpu": "Output tok/s per GPU",
    "input_tok_s_per_gpu": "Input tok/s per GPU",
    "tpot_ms": "Time per output token, ms",
    "ttft_ms": "Time to first token, ms",
}


@kept
def runs(snapshot: Snapshot) -> pd.DataFrame:
    """Every published run of a whole model, one row per measured quantity: model, chip, lengths, engine, day, source.

    `shape` names the first model on record of the same shape, so that DeepSeek-R1 and V3 stand together.
    """
    table = measurements(snapshot)
    cases = read_cases(records(table), names(snapshot))
    shapes = _shape_names(snapshot, cases)
    rows = []
    for case, (_, row) in zip(cases, table.iterrows()):
        if case.shape is None or case.chip is None or case.kernel_note:
            continue
        for quantity, value in case.measured.items():
            rows.append(
                {
                    "model": case.shape.name,
                    "shape": shapes[case.shape.name],
                    "chip_id": case.chip.chip_id,
                    "chip": chip_label(snapshot, case.chip.chip_id),
                    "quantity": quantity,
                    "measured": value,
                    "input_tokens": case.input_tokens,
                    "output_tokens": case.output_tokens,
                    "phase": case.phase,
                    "family": case.family,
                    "engine": case.engine,
                    "day_text": str(row["date"]),
                    "gpus": case.total_chips,
                    "source": case.source,
                    "notes": str(row["notes"] or ""),
                    "weights": str(row["weights_precision"] or ""),
                    "rung": row["rung"],
                    "load": str(row["concurrency_or_batch"] or ""),
                }
            )
    out = pd.DataFrame(rows)
    out["day"] = out["day_text"].map(_day)
    return out


def _shape_names(snapshot: Snapshot, cases: list[Case]) -> dict[str, str]:
    """Model name → the shortest name of a model with the same layers, widths and experts among these runs."""
    groups: dict[tuple, list[str]] = {}
    for case in cases:
        if case.shape is not None:
            s = case.shape
            groups.setdefault((s.layers, s.hidden, s.heads, s.kv_heads, s.experts, s.index_topk), []).append(s.name)
    return {name: min(set(found), key=lambda n: (len(n), n)) for found in groups.values() for name in found}


def _day(text: str) -> pd.Timestamp:
    """First day of a date given as a year, month or day, words after it ignored; missing where it is none."""
    first = text.strip().split(" ")[0]
    return pd.Timestamp({4: f"{first}-01-01", 7: f"{first}-01"}.get(len(first), first))


@kept
def compared(snapshot: Snapshot) -> pd.DataFrame:
    """Runs the model has been held against: measured and predicted output tok/s per GPU, with its model or chip left out of the fit.

    `ratio` is predicted over measured at the worse of the two; `fitted` the ratio with nothing left out.
    """
    rows = residuals(snapshot)
    rows = rows[rows["measured"].notna() & rows["ratio"].notna()].reset_index(drop=True)
    if rows.empty:
        return rows.assign(chip="", predicted=np.nan, fitted=np.nan, source="", engine="", day_text="", notes="")
    rows["chip"] = [chip_label(snapshot, str(chip)) for chip in rows["chip_id"]]
    worst = np.array([worst_left_out(row) for row in records(rows)])
    rows = rows.assign(fitted=rows["ratio"], ratio=worst, predicted=rows["measured"] * worst)
    known = runs(snapshot)
    known = known[known["quantity"] == "output_tok_s_per_gpu"].drop_duplicates(
        ["family", "model", "chip_id", "input_tokens", "output_tokens", "measured"]
    )
    keys = ["model", "chip_id", "family", "measured", "input_tokens", "output_tokens"]
    facts = ["source", "engine", "day_text", "notes", "weights", "gpus"]
    return rows[
        ["row", "family", "model", "chip_id", "chip", "input_tokens", "output_tokens", "measured", "predicted", "ratio", "fitted"]
    ].merge(known[[*keys, *facts]], on=keys, how="left")
