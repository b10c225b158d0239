"""Reporting lines of 2023: how many chips reach the cluster line, and how long they need for the training line."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from analytics.chips.facts import number
from analytics.chips.totals import chips_at_line, training_days
from charts import numbers
from charts.chips import NOT_ADVICE
from charts.look import Look
from charts.params import ChartParams, many
from charts.params import number as amount
from charts.receipt import Receipt, assumed, input_row, worked
from charts.registry import Chart, Preset, register
from charts.template import new_figure, tokens
from charts.text import as_text
from charts.words import Words
from data.queries import chips
from data.snapshot import Snapshot

DEFAULT = ("a100-sxm-80", "h20", "h100-sxm", "h200-sxm", "b200", "gb200", "gb300", "mi300x", "ascend-910c", "tpu-v5p", "trainium2")


class Params(ChartParams):
    """The two lines, the utilisation, and which chips."""

    cluster_line: float = amount(
        1e20, ge=1e15, le=1e26, label="Cluster line", help="theoretical maximum to be reported", unit="op/s", log=True
    )
    run_line: float = amount(
        1e26, ge=1e18, le=1e32, label="Training line", help="operations of a training run to be reported", unit="FLOP", log=True
    )
    mfu: float = amount(0.4, ge=0.01, le=1, label="MFU", help="share of the dense 16-bit peak that does model arithmetic", step=0.05)
    chips: tuple[str, ...] = many(DEFAULT, label="Chips", help="chips counted", most=24)


def table(params: Params, snapshot: Snapshot) -> pd.DataFrame:
    """One row a chip: chips at the cluster line by 16-bit and by 8-bit rate, and days for the training line with the former."""
    out: list[dict[str, Any]] = []
    for chip_id in params.chips:
        row = chips.chip(snapshot, chip_id)
        wide = float(np.fmax(number(row["bf16_tflops_dense"]), number(row["fp16_tflops_dense"])))
        narrow = float(np.fmax(number(row["fp8_tflops_dense"]), number(row["int8_tops_dense"])))
        at_wide = chips_at_line(params.cluster_line, wide)
        out.append(
            {
                "chip_id": chip_id, "name": row["name"], "tflops_16_bit": wide, "tflops_8_bit": narrow, "chips_16_bit": at_wide,
                "chips_8_bit": chips_at_line(params.cluster_line, narrow), "days": training_days(params.run_line, at_wide, wide, params.mfu),
                "rung": row["rung"], "source": row["source"],
            }
        )  # fmt: skip
    columns = ["chip_id", "name", "tflops_16_bit", "tflops_8_bit", "chips_16_bit", "chips_8_bit", "days", "rung", "source"]
    frame = pd.DataFrame(out, columns=columns)
    return frame[frame["chips_16_bit"].notna()].sort_values("chips_16_bit", ascending=False, kind="stable", ignore_index=True)


def words(table: pd.DataFrame, params: Params) -> Words:
    """The count of H100 at the line, and the days."""
    if table.empty:
        return Words(
            "No chip with a dense 16-bit rate is chosen",
            empty="None of these chips has a published dense 16-bit rate.",
            way_out={"chips": list(DEFAULT)},
        )
    h100 = table[table["chip_id"] == "h100-sxm"]
    row = (h100 if len(h100) else table).iloc[0]
    either = f", {numbers.count(row['chips_8_bit'])} by the 8-bit" if row["chips_8_bit"] == row["chips_8_bit"] else ""
    finding = (
        f"{numbers.plain(params.cluster_line)} op/s take {numbers.count(row['chips_16_bit'])} {row['name']} by the dense 16-bit rate{either}; "
        f"at {numbers.share(params.mfu)} of that peak {numbers.plain(params.run_line)} FLOP take {row['days']:.3g} days"
    )
    subtitle = "Chips whose theoretical maxima add up to the line, log scale. Filled: dense 16-bit rate; hollow: dense 8-bit. The order states no precision."
    notes = (
        "Executive Order 14110 of 30 Oct 2023: runs over 1e26 operations (1e23 on biological sequences), and clusters over 1e20 op/s on "
        "networks over 100 Gbit/s. Revoked on 20 Jan 2025; the rule proposed in September 2024 was never final.",
        "At the line every chip needs the same time for the same run: both lines count operations.",
        NOT_ADVICE,
    )
    return Words(finding, subtitle, f"Dots by chip. {finding}.", "", "88 FR 75191 (2023-11-01); datasheets", notes)


def figure(table: pd.DataFrame, params: Params, look: Look) -> go.Figure:
    """Two dots a chip on a log axis."""
    t, n = tokens(look), len(table)
    fig = new_figure(
        look, height_px=look.height_px or max(240, 90 + 30 * n), margin={"l": 130 if look.phone else 210, "r": 60, "t": 20, "b": 48}
    )
    y = np.arange(n)[::-1]
    values = table[["chips_8_bit", "chips_16_bit"]].to_numpy(dtype=float)
    low, high = float(np.nanmin(values)) / (3.5 if look.phone else 1.7), float(np.nanmax(values)) * (2.6 if look.phone else 1.6)
    for i, (narrow, wide) in zip(y, values):
        if narrow == narrow:
            fig.add_shape(
                type="line", x0=float(narrow), x1=float(wide), y0=int(i), y1=int(i), line={"color": t["context"], "width": 2}, layer="below"
            )
    for column, symbol, side, kind in (
        ("chips_8_bit", "circle-open", "middle left", "8-bit"),
        ("chips_16_bit", "circle", "middle right", "16-bit"),
    ):
        own = table[column].notna().to_numpy()
        fig.add_scatter(
            x=table[column][own], y=y[own], mode="markers+text", marker={"size": 10, "symbol": symbol, "color": t["blue"], "line": {"width": 1.8, "color": t["blue"]}},
            text=[numbers.count(v) for v in table[column][own]], textposition=side, textfont={"size": 10 if look.phone else 11.5, "color": t["blue"]}, cliponaxis=False,
            customdata=table["name"][own].map(as_text), hovertemplate="%{customdata}, " + kind + ": %{x:,.0f} chips<extra></extra>",
        )  # fmt: skip
    fig.update_xaxes(
        range=np.log10([low, high]).tolist(),
        title_text="chips at the line",
        **numbers.log_ticks(low, high, numbers.count, 5 if look.phone else 8),
    )
    fig.update_yaxes(
        tickmode="array",
        tickvals=y,
        ticktext=[as_text(name, 16 if look.phone else 28) for name in table["name"]],
        range=[-0.7, n - 0.3],
        showgrid=False,
    )
    return fig


def receipt(params: Params, snapshot: Snapshot) -> Receipt:
    """Both formulas for the chip of the headline, and every rate with its source."""
    shown = table(params, snapshot)
    records = chips.records(shown)
    first = next((r for r in records if r["chip_id"] == "h100-sxm"), records[0] if records else None)
    lines = []
    if first:
        lines = [
            worked(chips_at_line, line_flop_per_s=params.cluster_line, dense_tflops=first["tflops_16_bit"]),
            worked(
                training_days,
                training_flop=params.run_line,
                chips=first["chips_16_bit"],
                dense_tflops=first["tflops_16_bit"],
                mfu=params.mfu,
            ),
        ]
    inputs = [
        input_row(chips.chip(snapshot, r["chip_id"]), f"{r['name']}, dense 16-bit", numbers.plain(r["tflops_16_bit"]), "TFLOPS")
        for r in records
    ]
    told = chips.rule_rows(snapshot)
    inputs += [
        input_row(told[rule], rule, told[rule]["expr"], as_of="announced_date")
        for rule in ("eo14110-model", "eo14110-cluster")
        if rule in told
    ]
    inputs.append(assumed("MFU", f"{params.mfu:g}"))
    return Receipt(
        lines,
        inputs,
        (NOT_ADVICE, "Networks are taken to be over the line's 100 Gbit/s."),
        ("No source gives a range for the lines; utilisation is yours.",),
    )


CHART = register(
    Chart(
        id="chips.reporting",
        page="chips",
        title="Reporting lines for runs and clusters",
        params=Params,
        table=table,
        figure=figure,
        receipt=receipt,
        words=words,
        options={"chips": chips.names},
        presets=(Preset("order", "The order of 2023", {}, claim="E7"),),
        heights=(430, 430),
    )
)
