"""How software moves it: measured points of the same model by engine version and day, each chip in its colour."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from charts import numbers
from charts.look import Look
from charts.params import ChartParams, choice, number, pick
from charts.receipt import InputRow, Receipt, looked_up
from charts.registry import Chart, Preset, register
from charts.serving.draw import beside, log_axis, loose
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
        "chip",
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
    seen: dict[str, tuple[set, set, list]] = {}
    for chip, day, engine in zip(rows["chip_id"], rows["day"], rows["engine"]):
        days, engines, points = seen.setdefault(str(chip), (set(), set(), []))
        days.add(day)
        engines.add(engine)
        points.append(day)
    return sorted(seen, key=lambda chip: tuple(-len(found) for found in seen[chip]))


def _moved(table: pd.DataFrame, params: Params) -> tuple[str, pd.Series, pd.Series] | None:
    """The chip of most days with its best point of the first and of the last day."""
    column = params.quantity
    best = "idxmin" if column == "tpot_ms" else "idxmax"
    chips, table = table.attrs["chips"], loose(table)
    for chip in chips:
        own = table[table["chip_id"] == chip]
        days = sorted(own["day"].unique())
        if len(days) > 1:
            first, last = (own.loc[getattr(own.loc[own["day"] == day, column], best)()] for day in (days[0], days[-1]))
            return _called(own, chip), first, last
    return None


def _unlike(first: pd.Series, last: pd.Series) -> str:
    """What of the work differs between two points, as the end of a sentence: a ratio of theirs is not of software alone."""
    lengths = any(first[name] != last[name] for name in ("input_tokens", "output_tokens"))
    said = ["at other lengths"] if lengths else []
    said += ["without prefill" if last["phase"] == "decode" else "with prefill"] if first["phase"] != last["phase"] else []
    return f", {' and '.join(said)}" if said else ""


def _called(table: pd.DataFrame, chip_id: str) -> str:
    """What labels call a chip of the table; tables kept without names call it by its id."""
    return str(table.loc[table["chip_id"] == chip_id, "chip"].iloc[0]) if "chip" in table else chip_id


def words(table: pd.DataFrame, params: Params) -> Words:
    """From which value to which on the chip with most days; that lengths differ is said where they do."""
    name = QUANTITY_WORDS[params.quantity]
    if table.empty:
        return Words(
            f"No measured point of {params.model}",
            empty=f"No published run of {params.model} gives {name.lower()} at these lengths.",
            way_out={"model": "DeepSeek-R1", "quantity": "output_tok_s_per_gpu", "longest": 1_048_576},
        )
    moved, chips, table = _moved(table, params), table.attrs["chips"], loose(table)
    days = f"{numbers.date(table['day'].min())[-8:]} to {numbers.date(table['day'].max())[-8:]}"
    if moved:
        chip, first, last = moved
        ratio = last[params.quantity] / first[params.quantity]
        finding = (
            f"On {chip}, the best published {name[0].lower()}{name[1:]} of {params.model} went from {first[params.quantity]:,.0f} "
            f"({_engine(first['engine'])}, {first['day_text'].split(' ')[0]}) to {last[params.quantity]:,.0f} ({_engine(last['engine'])}, "
            f"{last['day_text'].split(' ')[0]}): {ratio:.2g} times{_unlike(first, last)}"
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
    alt = f"Points by day for {numbers.listed([_called(table, chip) for chip in chips], 6)}. {finding}."
    return Words(
        finding,
        subtitle,
        alt,
        f"{len(table)} points on {len(chips)} chips",
        "Published measurements, see each row",
        tuple(notes),
    )


def figure(table: pd.DataFrame, params: Params, look: Look) -> go.Figure:
    """Points by day and chip, with the best of each day joined."""
    height, t = look.height(), tokens(look)
    fig = new_figure(look, height_px=height)
    if table.empty:
        return fig
    chips, table, column = table.attrs["chips"], loose(table), params.quantity
    axis, low, high = log_axis(table[column].to_numpy(dtype=float), lambda v: f"{v:,.0f}")
    ends, labels, tones, joined = [], [], [], []
    x0, x1 = table["day"].min() - pd.Timedelta(days=25), table["day"].max() + pd.Timedelta(days=45)
    names, value = table["chip_id"].to_numpy(), table[column].to_numpy(dtype=float)
    day = ((table["day"] - x0) / pd.Timedelta(days=1)).to_numpy(dtype=float)
    dates = table["day"].dt.strftime("%Y-%m-%d").to_numpy()
    colour = {chip: t[SERIES[i]] if i < len(SERIES) else t["point"] for i, chip in enumerate(chips)}
    for chip in chips:
        own = names == chip
        days, first = np.unique(day[own], return_index=True)
        better = np.minimum if column == "tpot_ms" else np.maximum
        best = np.array([better.reduce(value[own][day[own] == d]) for d in days])
        if len(best) > 1:
            line = {"color": colour[chip], "width": 1.2}
            joined.append((days, best))
            fig.add_scatter(x=dates[own][first], y=best, mode="lines", line=line, hoverinfo="skip")
        ends.append((float(days[-1]), float(best[-1])))
        labels.append(as_text(_called(table, chip), 18))
        tones.append(colour[chip])
    marks = {
        "size": 8 if look.phone else 9.5,
        "color": [colour[chip] for chip in names],
        "symbol": [SYMBOLS.get(_engine(e), "star") for e in table["engine"]],
        "line": {"color": t["page"], "width": 0.8},
    }
    text = [_told({str(k): v for k, v in row.items()}, column) for row in table.to_dict("records")]
    fig.add_scatter(x=dates, y=value, mode="markers", marker=marks, text=text, hovertemplate="%{text}<extra></extra>", cliponaxis=False)
    margin = {"l": 60, "r": 16, "t": 20, "b": 44}
    fig.update_layout(margin=margin)
    fig.update_xaxes(range=[x0, x1], tickformat="%b %Y", dtick="M2" if not look.phone else "M4")
    fig.update_yaxes(**axis)
    box = (look.width_px - margin["l"] - margin["r"], height - margin["t"] - margin["b"])
    others = list(zip(day, value))
    span = float((x1 - x0) / pd.Timedelta(days=1))
    _beside_days(fig, look, ends, labels, tones, x0, span, (low, high), box, others, joined)
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
    joined: list,
) -> None:
    """Labels placed on days counted from the left edge, then moved to their dates."""
    before = fig.layout.annotations
    beside(fig, look, ends, labels, tones, x=(0.0, span, False), y=(*y, True), box_px=box, others=others, lines=joined)
    for mark in fig.layout.annotations[len(before) :]:
        mark.x = x0 + pd.Timedelta(days=float(mark.x))


def _told(row: dict[str, Any], column: str) -> str:
    lines = (
        f"<b>{row[column]:,.0f}</b> {QUANTITY_WORDS[column].lower()}, {as_text(row['model'])} on {as_text(row.get('chip', row['chip_id']))}",
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
        looked_up(f"Points on {_called(shown, chip)}", float((shown["chip_id"] == chip).sum()), "", "the measurements on record")
        for chip in shown.attrs["chips"]
    ]
    rows = [
        InputRow(
            f"{r['model']} on {r['chip']}, {r['input_tokens']:,.0f} in, {r['output_tokens']:,.0f} out",
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
