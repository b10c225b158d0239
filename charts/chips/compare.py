"""Two to six chips side by side on compute, memory and links: what a cut-down variant lost, and what it kept."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from analytics.chips.facts import number
from analytics.chips.metrics import PRECISION_BITS, PRECISION_NAMES, processing_performance
from charts import numbers
from charts.chips import NOT_ADVICE
from charts.look import Look
from charts.params import ChartParams, many
from charts.receipt import Receipt, age_note, input_row, looked_up, worked
from charts.registry import Chart, Preset, register
from charts.template import new_figure, tokens
from charts.text import as_text
from charts.words import Words
from data.queries import chips
from data.snapshot import Snapshot

# axis, measure, unit, columns of the chips table of which the largest known is taken
MEASURES: tuple[tuple[str, str, str, tuple[str, ...]], ...] = (
    ("compute", "TPP", "", ("tpp",)),
    ("compute", "density", "per mm²", ("pd",)),
    ("compute", "dense 8-bit", "TOPS", ("fp8_tflops_dense", "int8_tops_dense")),
    ("compute", "dense 16-bit", "TFLOPS", ("bf16_tflops_dense", "fp16_tflops_dense")),
    ("compute", "FP64", "TFLOPS", ("fp64_tflops",)),
    ("memory", "memory bandwidth", "GB/s", ("memory_bandwidth_gb_per_s",)),
    ("memory", "memory", "GB", ("memory_gb",)),
    ("links", "scale-up link", "GB/s", ("scale_up_bidirectional_gb_per_s",)),
    ("links", "I/O with PCIe", "GB/s", ("io_total_bidirectional_gb_per_s",)),
)
CUT, RAISED = 0.98, 1.02  # within 2 %: data sheets round, so it counts as kept
_CAP = 2.0


class Params(ChartParams):
    """Which chips; the first is what the others are held against."""

    chips: tuple[str, ...] = many(("h100-sxm", "h800-sxm", "h20"), label="Chips", help="two to six chips; the first counts as 1", most=6)


def table(params: Params, snapshot: Snapshot) -> pd.DataFrame:
    """One row a chip and measure: value, ratio to the first chip (NaN where either is not published) and whether it was cut."""
    rows = {row["chip_id"]: row for row in chips.records(chips.measured(snapshot))}
    for chip_id in params.chips:
        chips.chip(snapshot, chip_id)
    out: list[dict[str, Any]] = []
    for chip_id in dict.fromkeys(params.chips):
        for axis, measure, unit, columns in MEASURES:
            value, base = (np.fmax.reduce([number(rows[c].get(column)) for column in columns]) for c in (chip_id, params.chips[0]))
            ratio = float(value / base) if base > 0 else float("nan")
            change = "" if ratio != ratio else "cut" if ratio < CUT else "raised" if ratio > RAISED else "kept"
            out.append(
                {
                    "chip_id": chip_id, "name": rows[chip_id]["name"], "axis": axis, "measure": measure, "value": float(value), "unit": unit,
                    "ratio": ratio, "change": change, "rung": rows[chip_id]["rung"], "source": rows[chip_id]["source"],
                }
            )  # fmt: skip
    return pd.DataFrame(out, columns=["chip_id", "name", "axis", "measure", "value", "unit", "ratio", "change", "rung", "source"])


def words(table: pd.DataFrame, params: Params) -> Words:
    """What each chip lost most and gained most against the first."""
    if len(set(params.chips)) < 2:
        return Words(
            "Choose two chips or more",
            empty="One chip alone has nothing to be compared with.",
            way_out={"chips": ["h100-sxm", "h800-sxm", "h20"]},
        )
    first = str(table["name"].iloc[0])
    told = []
    for name, own in table[table["chip_id"] != params.chips[0]].groupby("name", sort=False):
        known = own[own["ratio"].notna() & own["measure"].ne("FP64")].sort_values("ratio", kind="stable")
        if known.empty:
            told.append(f"{name} has no published figure in common")
            continue
        low, high = known.iloc[0], known.iloc[-1]
        parts = [f"cuts {low['measure']} to {low['ratio']:.2g}×"] if low["change"] == "cut" else []
        parts += [f"raises {high['measure']} to {high['ratio']:.3g}×"] if high["change"] == "raised" else []
        told.append(f"{name} " + (" and ".join(parts) if parts else "keeps every published figure"))
    finding = f"Against {first}, " + "; ".join(told[:3])
    unknown = sorted(set(table.loc[table["ratio"].isna(), "name"]))
    subtitle = (
        f"Data-sheet figures, dense rates, links with both directions summed. Bar: times {first} (vertical line at 1); "
        "figure: the value itself. A figure nobody published is a dash."
    )
    notes = [NOT_ADVICE, "Within 2 % counts as kept."]
    notes += told[3:]
    if unknown:
        notes.append(f"Not every figure is published for {numbers.listed(unknown)}.")
    alt = f"Table of bars, {table['name'].nunique()} chips by {len(MEASURES)} measures. {'; '.join(told)}."
    return Words(finding, subtitle, alt, "", "datasheets and reports named in the table", tuple(notes))


def figure(table: pd.DataFrame, params: Params, look: Look) -> go.Figure:
    """A column a chip, a row a measure, a bar from 0 with the line at 1."""
    t = tokens(look)
    shown = list(dict.fromkeys(table["chip_id"]))[: 3 if look.phone else 6]
    height = look.height(480, 470)
    left = 96 if look.phone else 150
    fig = new_figure(look, height_px=height, margin={"l": left, "r": 10, "t": 58 if look.phone else 46, "b": 16})
    rows, n = len(MEASURES), len(shown)
    tone = {"cut": t["rust"], "raised": t["green"], "kept": t["context"], "": t["context"]}
    size, room = (9.5 if look.phone else 12), 0.46
    for column, chip_id in enumerate(shown):
        own = table[table["chip_id"] == chip_id].reset_index(drop=True)
        name = str(own["name"].iloc[0])
        known = own[own["ratio"].notna()]
        length = known["ratio"].clip(upper=_CAP) / _CAP * room
        fig.add_bar(
            x=length, y=rows - 1 - known.index, base=column, orientation="h", width=0.42, marker={"color": [tone[c] for c in known["change"]], "line": {"width": 0}},
            customdata=np.column_stack([known["name"].map(as_text), known["measure"], [f"{v:.3g}" for v in known["ratio"]], known["change"]]),
            hovertemplate="%{customdata[0]}<br>%{customdata[1]}: %{customdata[2]}× (%{customdata[3]})<extra></extra>",
        )  # fmt: skip
        line = column + room / _CAP
        fig.add_shape(type="line", x0=line, x1=line, y0=-0.5, y1=rows - 0.5, line={"color": t["axis"], "width": 1}, layer="below")
        for i, row in own.iterrows():
            unit = "" if look.phone or not row["unit"] else f" {row['unit']}"
            written = numbers.plain(round(row["value"]) if row["value"] >= 100 else float(format(row["value"], ".3g")))
            text = f"{written}{unit}" if row["value"] == row["value"] else "–"
            if row["ratio"] > _CAP:
                text = "▸ " + text
            end = column + room * max(min(row["ratio"], _CAP) if row["ratio"] == row["ratio"] else 0, 1) / _CAP + 0.025
            fig.add_annotation(
                x=end,
                y=rows - 1 - int(str(i)),
                text=text,
                showarrow=False,
                xanchor="left",
                font={"size": size, "color": t["ink"] if row["change"] in ("cut", "raised") else t["mute"]},
            )
        fig.add_annotation(
            x=column,
            y=rows - 0.45,
            yanchor="bottom",
            xanchor="left",
            showarrow=False,
            align="left",
            text=f"<b>{'<br>'.join(as_text(part, 13) for part in name.split(' ', 1)) if look.phone else as_text(name, 24)}</b>",
            font={"size": size + 1, "color": t["ink"]},
        )
    for at in np.flatnonzero(np.array([m[0] for m in MEASURES[1:]]) != np.array([m[0] for m in MEASURES[:-1]])):
        fig.add_shape(type="line", x0=0, x1=1, xref="paper", y0=rows - 1.5 - at, y1=rows - 1.5 - at, line={"color": t["grid"], "width": 1})
    fig.update_layout(barmode="overlay")
    fig.update_xaxes(range=[-0.02 * n, n], visible=False)
    labels = [m[1].replace("memory b", "mem. b") if look.phone else m[1] for m in MEASURES]
    fig.update_yaxes(tickmode="array", tickvals=list(range(rows - 1, -1, -1)), ticktext=labels, range=[-0.6, rows - 0.4], showgrid=False)
    return fig


def receipt(params: Params, snapshot: Snapshot) -> Receipt:
    """TPP of the first two chips worked out, and every chip's row with its source."""
    rows = {row["chip_id"]: row for row in chips.records(chips.measured(snapshot))}
    formulas, inputs = [], []
    for chip_id in params.chips:
        row = chips.chip(snapshot, chip_id) | rows[chip_id]
        if row["lead"]:
            formulas.append(worked(processing_performance, dense_tops=float(row[row["lead"]]), bit_length=PRECISION_BITS[row["lead"]]))
            inputs.append(input_row(row, f"{row['name']}, {PRECISION_NAMES[row['lead']]} dense", numbers.plain(row[row["lead"]]), "TOPS"))
        else:
            formulas.append(looked_up(f"{row['name']}, TPP", None, "", "no published dense rate"))
        inputs.append(input_row(row, f"{row['name']}, memory bandwidth", numbers.plain(row["memory_bandwidth_gb_per_s"]), "GB/s"))
    ages = age_note([rows[c]["as_of"] for c in params.chips], snapshot.today)
    return Receipt(
        formulas,
        inputs,
        (NOT_ADVICE, "The largest published rate of 8 and of 16 bits counts; TF32 is left out."),
        tuple(filter(None, (ages,))),
    )


def _pair(name: str, label: str, *ids: str, claim: str = "") -> Preset:
    return Preset(name, label, {"chips": ids}, claim=claim)


CHART = register(
    Chart(
        id="chips.compare",
        page="chips",
        title="What was cut: chips side by side",
        params=Params,
        table=table,
        figure=figure,
        receipt=receipt,
        words=words,
        options={"chips": chips.names},
        presets=(
            _pair("hopper", "H100, H800, H20", "h100-sxm", "h800-sxm", "h20", claim="E2"),
            _pair("h20-h200", "H100, H20, H200", "h100-sxm", "h20", "h20-141", "h200-sxm", claim="E1"),
            _pair("a800", "A100 and A800", "a100-sxm-80", "a800-sxm-80"),
            _pair("ada", "L40S and L20", "l40s", "l20"),
            _pair("consumer", "RTX 4090 and 4090 D", "rtx4090", "rtx4090d"),
            _pair("amd", "MI300X and MI308X", "mi300x", "mi308x"),
            _pair("blackwell", "B300 and B30A (proposed)", "b300", "b30a"),
            _pair("ascend", "Ascend 910, 910B, 910C, H100", "h100-sxm", "ascend-910", "ascend-910b", "ascend-910c", claim="E10"),
        ),
        heights=(480, 470),
    )
)
