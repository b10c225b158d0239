"""How software moves it: measured points of the same model by engine version and day, each chip in its colour."""

from __future__ import annotations

from typing import Any, Literal

import pandas as pd
import plotly.graph_objects as go

from charts import numbers
from charts.look import Look
from charts.params import ChartParams, choice, number, pick
from charts.receipt import InputRow, Receipt, looked_up
from charts.registry import Chart, Preset, register
from charts.serving.draw import beside, log_axis
from charts.serving.kept import kept
from charts.serving.measured import QUANTITY_WORDS, runs
from charts.template import SERIES, new_figure, tokens
from charts.text import as_text
from charts.words import Words
from data.snapshot import Snapshot

Quantity = Literal["output_tok_s_per_gpu", "input_tok_s_per_gpu", "tpot_ms"]
SYMBOLS = {"TensorRT-LLM": "circle", "SGLang": "diamond", "vLLM": "square", "DeepSeek": "triangle-up"}


class Params(ChartParams):
    """Which model and quantity, and which lengths count as the same work."""

    model: str = pick("DeepSeek-R1", label="Model", help="the model; others of the same shape stand with it")
    quantity: Quantity = choice(
        "output_tok_s_per_gpu",
        label="Quantity",
        help="what was measured",
        labels={k: v for k, v in QUANTITY_WORDS.items() if k != "ttft_ms"},
    )
    longest: int = number(
        1_048_576,
        ge=128,
        le=1_048_576,
        label="Tokens in and out, at most",
        help="leaves out runs of longer requests",
        unit="tokens",
        log=True,
    )


def _engine(name: str) -> str:
    return next((known for known in SYMBOLS if name.startswith(known)), "other")


def table(params: Params, snapshot: Snapshot) -> pd.DataFrame:
    """Measured points of the model: chip, day, engine, value, lengths, source; ordered by chip and day."""
    rows = runs(snapshot)
    shape = rows.loc[rows["model"] == params.model, "shape"]
    rows = rows[rows["shape"].eq(shape.iloc[0]) if len(shape) else rows["model"].eq(params.model)]
    rows = rows[rows["quantity"].eq(params.quantity) & (rows["input_tokens"] + rows["output_tokens"] <= params.longest)]
    columns = [
        "chip_id",
        "day",
        "day_text",
        "engine",
        "measured",
        "model",
        "input_tokens",
        "output_tokens",
        "phase",
        "weights",
        "gpus",
        "load",
        "source",
        "rung",
        "notes",
    ]
    out = rows.sort_values(["chip_id", "day", "engine", "input_tokens", "output_tokens", "measured"], kind="stable")[columns].reset_index(
        drop=True
    )
    out = out.rename(columns={"measured": params.quantity})
    out.attrs = {"quantity": params.quantity, "chips": _chips(out)}
    return out


def _chips(rows: pd.DataFrame) -> list[str]:
    """Chips, those with most days and engines first."""
    if rows.empty:
        return []
    seen = rows.groupby("chip_id").agg(days=("day", "nunique"), engines=("engine", "nunique"), points=("day", "size"))
    return [str(name) for name in seen.sort_values(["days", "engines", "points"], ascending=False, kind="stable").index]


def _moved(table: pd.DataFrame, params: Params) -> tuple[str, pd.Series, pd.Series] | None:
    """The chip of most days with its best point of the first and of the last day."""
    column = params.quantity
    best = "idxmin" if column == "tpot_ms" else "idxmax"
    for chip in table.attrs["chips"]:
        own = table[table["chip_id"] == chip]
        days = sorted(own["day"].unique())
        if len(days) > 1:
            first, last = (own.loc[getattr(own.loc[own["day"] == day, column], best)()] for day in (days[0], days[-1]))
            return chip, first, last
    return None


def words(table: pd.DataFrame, params: Params) -> Words:
    """From which value to which on the chip with most days; that lengths differ is said where they do."""
    name = QUANTITY_WORDS[params.quantity]
    if table.empty:
        return Words(
            f"No measured point of {params.model}",
            empty=f"No published run of {params.model} gives {name.lower()} at these lengths.",
            way_out={"model": "DeepSeek-R1", "quantity": "output_tok_s_per_gpu", "longest": 1_048_576},
        )
    moved = _moved(table, params)
    days = f"{numbers.date(table['day'].min())[-8:]} to {numbers.date(table['day'].max())[-8:]}"
    if moved:
        chip, first, last = moved
        ratio = last[params.quantity] / first[params.quantity]
        finding = (
            f"On {chip}, the best published {name[0].lower()}{name[1:]} of {params.model} went from {first[params.quantity]:,.0f} "
            f"({_engine(first['engine'])}, {first['day_text'].split(' ')[0]}) to {last[params.quantity]:,.0f} ({_engine(last['engine'])}, "
            f"{last['day_text'].split(' ')[0]}): {ratio:.2g} times"
        )
    else:
        finding = f"{len(table)} published points of {params.model}, none of one chip on two days"
    subtitle = (
        f"{name} (log) by day of publication, {days}; {len(table)} measured points. Circle: TensorRT-LLM, diamond: SGLang, square: vLLM, "
        "triangle: DeepSeek's own. Thin line: best point of each day of a chip."
    )
    lengths = table[["input_tokens", "output_tokens"]].drop_duplicates()
    notes = [f"Lengths, layouts and load differ between points ({len(lengths)} pairs of lengths), so steps are not software alone."]
    if table["day_text"].str.contains("approx").any():
        notes.append("A file without a day stands at the month its repository gives it.")
    alt = f"Points by day for {numbers.listed(table.attrs['chips'], 6)}. {finding}."
    return Words(
        finding,
        subtitle,
        alt,
        f"{len(table)} points on {len(table.attrs['chips'])} chips",
        "Published measurements, see each row",
        tuple(notes),
    )


def figure(table: pd.DataFrame, params: Params, look: Look) -> go.Figure:
    """Points by day and chip, with the best of each day joined."""
    height, t = look.height(), tokens(look)
    fig = new_figure(look, height_px=height)
    if table.empty:
        return fig
    column = params.quantity
    axis, low, high = log_axis(table[column].to_numpy(dtype=float), lambda v: f"{v:,.0f}")
    ends, labels, tones = [], [], []
    x0, x1 = table["day"].min() - pd.Timedelta(days=25), table["day"].max() + pd.Timedelta(days=45)
    for i, chip in enumerate(table.attrs["chips"]):
        own = table[table["chip_id"] == chip].sort_values("day", kind="stable")
        tone = t[SERIES[i]] if i < len(SERIES) else t["point"]
        best = own.groupby("day", sort=True)[column].agg("min" if column == "tpot_ms" else "max")
        if len(best) > 1:
            fig.add_scatter(x=best.index, y=best.to_numpy(), mode="lines", line={"color": tone, "width": 1.2}, hoverinfo="skip")
        marks = {
            "size": 8 if look.phone else 9.5,
            "color": tone,
            "symbol": [SYMBOLS.get(_engine(e), "star") for e in own["engine"]],
            "line": {"color": t["page"], "width": 0.8},
        }
        text = [_told(row, column) for row in own.to_dict("records")]
        fig.add_scatter(
            x=own["day"], y=own[column], mode="markers", marker=marks, text=text, hovertemplate="%{text}<extra></extra>", cliponaxis=False
        )
        ends.append((float((best.index[-1] - x0) / pd.Timedelta(days=1)), float(best.iloc[-1])))
        labels.append(as_text(chip, 18))
        tones.append(tone)
    margin = {"l": 60, "r": 16, "t": 20, "b": 44}
    fig.update_layout(margin=margin)
    fig.update_xaxes(range=[x0, x1], tickformat="%b %Y", dtick="M2" if not look.phone else "M4")
    fig.update_yaxes(**axis)
    box = (look.width_px - margin["l"] - margin["r"], height - margin["t"] - margin["b"])
    others = [(float((d - x0) / pd.Timedelta(days=1)), float(v)) for d, v in zip(table["day"], table[column])]
    span = float((x1 - x0) / pd.Timedelta(days=1))
    _beside_days(fig, look, ends, labels, tones, x0, span, (low, high), box, others)
    return fig


def _beside_days(
    fig: go.Figure,
    look: Look,
    ends: list,
    labels: list,
    tones: list,
    x0: Any,
    span: float,
    y: tuple[float, float],
    box: tuple[float, float],
    others: list,
) -> None:
    """Labels placed on days counted from the left edge, then moved to their dates."""
    before = len(fig.layout.annotations)
    beside(fig, look, ends, labels, tones, x=(0.0, span, False), y=(*y, True), box_px=box, others=others)
    for mark in fig.layout.annotations[before:]:
        mark.x = x0 + pd.Timedelta(days=float(mark.x))


def _told(row: dict[str, Any], column: str) -> str:
    lines = (
        f"<b>{row[column]:,.0f}</b> {QUANTITY_WORDS[column].lower()}, {as_text(row['model'])} on {as_text(row['chip_id'])}",
        f"{as_text(row['engine'])}, {as_text(row['day_text'], 40)}",
        f"{row['input_tokens']:,.0f} in, {row['output_tokens']:,.0f} out, {as_text(row['phase'])}",
        as_text(row["source"], 90),
    )
    return "<br>".join(lines)


def receipt(params: Params, snapshot: Snapshot) -> Receipt:
    """The two points of the title, every point's source, and what differs between them."""
    shown = table(params, snapshot)
    if shown.empty:
        return Receipt(assumptions=("No published run fits, so nothing is drawn.",))
    moved = _moved(shown, params)
    lines = []
    if moved:
        chip, first, last = moved
        ratio = float(last[params.quantity] / first[params.quantity])
        lines.append(
            looked_up(
                f"Last over first day, {chip}",
                ratio,
                "",
                f"{last['engine']}, {last['day_text']} over {first['engine']}, {first['day_text']}",
            )
        )
    lines += [
        looked_up(f"Points on {chip}", float((shown["chip_id"] == chip).sum()), "", "the measurements on record")
        for chip in shown.attrs["chips"]
    ]
    rows = [
        InputRow(
            f"{r['model']} on {r['chip_id']}, {r['input_tokens']:,.0f} in, {r['output_tokens']:,.0f} out",
            f"{r[params.quantity]:,.0f}",
            QUANTITY_WORDS[params.quantity],
            f"{r['engine']}: {r['source']}",
            "",
            str(r["rung"]),
            (),
            str(r["day_text"]),
        )
        for r in shown.head(24).to_dict("records")
    ]
    assumptions = (
        "Points are as published; nothing is scaled to one length, layout or precision.",
        "Models of the same shape stand together: DeepSeek-R1, R1-0528, V3 and V3.1.",
    )
    return Receipt(tuple(lines), tuple(rows), assumptions, ("Measured values; sources state no error.",))


@kept
def _models(snapshot: Snapshot) -> dict[str, str]:
    return {str(name): str(name) for name in sorted(runs(snapshot)["model"].unique(), key=str.lower)}


CHART = register(
    Chart(
        id="serving.versions",
        page="serving",
        title="Measured speed by software and day",
        params=Params,
        table=table,
        figure=figure,
        receipt=receipt,
        words=words,
        options={"model": _models},
        presets=(
            Preset("r1", "DeepSeek-R1", {}, claim="R10"),
            Preset("llama2", "Llama 2 70B, benchmark rounds", {"model": "Llama-2-70B"}),
        ),
    )
)
