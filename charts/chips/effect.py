"""What a cut means: each chip against another for training, for long prompts and for long answers, by the serving model."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from analytics.chips.facts import number
from charts import numbers
from charts.chips import NOT_ADVICE
from charts.look import Look
from charts.params import ChartParams, many, pick
from charts.params import number as amount
from charts.receipt import Receipt, assumed, input_row, looked_up
from charts.registry import Chart, Preset, register
from charts.serving import chips as serving
from charts.serving import inputs, work
from charts.template import new_figure, tokens
from charts.text import as_text
from charts.words import Words
from data.queries import chips
from data.snapshot import Snapshot

WORK = {"training": "training, by dense 16-bit rate", "prompts": "long prompts", "answers": "long answers (reasoning)"}


class Params(ChartParams):
    """Which chips, against which, serving what."""

    chips: tuple[str, ...] = many(
        ("h20", "h20-141", "h800-sxm", "h200-sxm"), label="Chips", help="chips held against the one that counts as 1", most=10
    )
    against: str = pick("h100-sxm", label="Against", help="the chip that counts as 1")
    model: str = pick("DeepSeek-R1", label="Model", help="the model served")
    speed: float = amount(20, ge=0, le=1000, label="Speed", help="least output tokens per second of a user", unit="tok/s per user", step=5)


def _serving(params: Params) -> serving.Params:
    return serving.Params(chips=params.chips, against=params.against, model=params.model, speed=params.speed)


def table(params: Params, snapshot: Snapshot) -> pd.DataFrame:
    """One row a chip: its ratio for training, long prompts and long answers; NaN where a figure or a fit is missing."""
    served = serving.table(_serving(params), snapshot)
    base = _rate(chips.chip(snapshot, params.against))
    out: list[dict[str, Any]] = []
    for row in served.to_dict("records"):
        if row["chip_id"] == params.against:
            continue
        chip = chips.chip(snapshot, row["chip_id"])
        out.append(
            {
                "chip_id": row["chip_id"], "name": chip["name"], "training": _rate(chip) / base, "prompts": row["prefill_heavy_ratio"],
                "answers": row["decode_heavy_ratio"], "measured": bool(row["measured"]), "why_not": row["why_not"],
                "rung": chip["rung"], "source": chip["source"],
            }
        )  # fmt: skip
    frame = pd.DataFrame(out, columns=["chip_id", "name", "training", "prompts", "answers", "measured", "why_not", "rung", "source"])
    frame.attrs = {"model": served.attrs["model"], "against": served.attrs["against"], "band": served.attrs["band"]}
    return frame


def _rate(chip: dict[str, Any]) -> float:
    return float(np.fmax(number(chip["bf16_tflops_dense"]), number(chip["fp16_tflops_dense"])))


def words(table: pd.DataFrame, params: Params) -> Words:
    """How far apart training and reasoning stand for the chip cut most."""
    a = table.attrs
    known = table[table[["training", "answers"]].notna().all(axis=1)]
    if known.empty:
        why = next((w for w in table["why_not"] if w), "no chip is chosen")
        return Words(
            "Nothing to hold side by side",
            empty=f"No chip here has both ratios: {why}.",
            way_out={"chips": ["h20", "h800-sxm"], "speed": 0.0},
        )
    apart = known.assign(gap=known["answers"] / known["training"]).sort_values("gap", kind="stable").iloc[-1]
    finding = (
        f"{apart['name']} has {apart['training']:.2g} of {a['against']} for training, and by the model {apart['answers']:.2g} for long answers"
        + (f", {apart['prompts']:.2g} for long prompts" if apart["prompts"] == apart["prompts"] else "")
    )
    told_in, told_out = serving.LONG_PROMPT
    answer_in, answer_out = serving.LONG_ANSWER
    band = f" Thin line: {work.band_words(a['band'])}." if a["band"] else ""
    subtitle = (
        f"Times {a['against']}, log scale, {a['model']} at {params.speed:g} tok/s per user or more. Bar: training, by the dense 16-bit rate alone; "
        f"hollow dot: {told_in:,} tokens in, {told_out:,} out; filled dot: {answer_in:,} in, {answer_out:,} out.{band}"
    )
    notes = [
        NOT_ADVICE,
        "A claim of 2025 puts H20 at half to 60 % of H100 in practice; one press report of Nov 2023 puts a multi-GPU system near 50 %. No one number fits: the work decides.",
        *(f"{r['name']}: {r['why_not']}." for r in table.to_dict("records") if r["why_not"]),
    ]
    unmeasured = table.loc[~table["measured"].astype(bool), "name"].tolist()
    if unmeasured:
        notes.append(
            f"No kernel of {numbers.listed(unmeasured, 6)} itself was measured: a relative's efficiencies stand in, and the error is not known."
        )
    alt = (
        f"Marks by chip. {finding}. "
        + "; ".join(f"{r['name']}: training {r['training']:.2g}, answers {r['answers']:.2g}" for r in known.to_dict("records"))
        + "."
    )
    return Words(finding, subtitle, alt, f"{len(known)} of {len(table)} chips", "Ridgepoint serving model; datasheets", tuple(notes))


def figure(table: pd.DataFrame, params: Params, look: Look) -> go.Figure:
    """A row a chip: three marks on one log axis."""
    t, n = tokens(look), len(table)
    height = look.height_px or max(240, 110 + 58 * n)
    fig = new_figure(look, height_px=height, margin={"l": 92 if look.phone else 150, "r": 20, "t": 28, "b": 48})
    values = table[["training", "prompts", "answers"]].to_numpy(dtype=float)
    finite = values[np.isfinite(values)]
    if not finite.size:
        return fig
    band = table.attrs["band"]
    low, high = min(finite.min(), 0.9) * 0.7, max(finite.max(), 1.1) * 1.45
    y = np.arange(n)[::-1]
    fig.add_vline(x=1, line={"color": t["ink"], "width": 1})
    for i, row in zip(y, table.to_dict("records")):
        spread = [row[k] for k in ("training", "prompts", "answers") if row[k] == row[k]]
        if spread:
            fig.add_shape(
                type="line", x0=min(spread), x1=max(spread), y0=int(i), y1=int(i), line={"color": t["context"], "width": 2}, layer="below"
            )
        if band and row["measured"] and row["answers"] == row["answers"]:
            fig.add_shape(
                type="line",
                x0=row["answers"] * band["low"],
                x1=row["answers"] * band["high"],
                y0=i + 0.4,
                y1=i + 0.4,
                line={"color": t["blue"], "width": 1.2},
            )
    marks = {
        "training": {"symbol": "line-ns", "size": 15, "line": {"color": t["rust"], "width": 3}},
        "prompts": {"symbol": "circle-open", "size": 11, "color": t["blue"], "line": {"width": 2, "color": t["blue"]}},
        "answers": {"symbol": "circle", "size": 12, "color": t["blue"]},
    }
    for kind, marker in marks.items():
        known = table[kind].notna().to_numpy()
        # A number that stands on another's place is left to the hover.
        near, beside = (0.3 if look.phone else 0.12), {"training": ("prompts", "answers"), "prompts": ("answers",), "answers": ()}[kind]
        crowded = (
            np.any([(table[kind] / table[other] - 1).abs().lt(near) for other in beside], axis=0) if beside else np.zeros(n, dtype=bool)
        )
        text = np.where(crowded, "", [f"{v:.2g}×" for v in table[kind]])
        tone = t["rust"] if kind == "training" else t["blue"]
        fig.add_scatter(
            x=table[kind][known], y=y[known], mode="markers+text", marker=marker, text=text[known],
            textposition="bottom center" if kind != "answers" else "top center", textfont={"size": 10 if look.phone else 11, "color": tone},
            customdata=table["name"][known].map(as_text), hovertemplate="%{customdata}, " + WORK[kind] + ": %{x:.2g}×<extra></extra>", cliponaxis=False,
        )  # fmt: skip
    fig.update_xaxes(
        range=np.log10([low, high]).tolist(),
        title_text=f"times {as_text(table.attrs['against'])}",
        **numbers.log_ticks(low, high, lambda v: f"{v:g}×", 6),
    )
    fig.update_yaxes(
        tickvals=y, ticktext=[as_text(name, 13 if look.phone else 18) for name in table["name"]], range=[-0.7, n - 0.3], showgrid=False
    )
    return fig


def receipt(params: Params, snapshot: Snapshot) -> Receipt:
    """The dense 16-bit rates, and the serving model's rates for long answers with its measured error."""
    shown = table(params, snapshot)
    served = serving.receipt(_serving(params), snapshot)
    lines = [
        looked_up(
            f"{r['name']}, training",
            r["training"],
            f"times {shown.attrs['against']}",
            "dense 16-bit rates of both chips, equal utilisation",
        )
        for r in shown.to_dict("records")
        if r["training"] == r["training"]
    ]
    rows = [
        input_row(chip, f"{chip['name']}, dense 16-bit", numbers.plain(_rate(chip)), "TFLOPS")
        for chip in (chips.chip(snapshot, c) for c in dict.fromkeys((*params.chips, params.against)))
    ]
    assumptions = (NOT_ADVICE, "Training is taken to be bound by arithmetic, at equal utilisation, links left out.", *served.assumptions)
    return Receipt(
        (*lines, *served.formulas), (*rows, assumed("Speed of a user", f"{params.speed:g} or more", "tok/s")), assumptions, served.error
    )


CHART = register(
    Chart(
        id="chips.effect",
        page="chips",
        title="What the cut means for training and for reasoning",
        params=Params,
        table=table,
        figure=figure,
        receipt=receipt,
        words=words,
        options={"chips": inputs.chip_options, "against": inputs.chip_options, "model": inputs.model_options},
        presets=(
            Preset("h20", "H20 against H100", {}, claim="E3"),
            Preset("h20-reasoning", "H20 for reasoning", {"chips": ("h20", "h200-sxm")}, claim="E4"),
            Preset("dense", "Llama 70B in place of R1", {"model": "Llama-3.3-70B"}),
        ),
        heights=(460, 460),
    )
)
