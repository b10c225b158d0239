"""Halving time by level and blend: a grid, because one number misleads."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from analytics.prices.rates import halving_months
from charts.look import Look
from charts.params import choice
from charts.prices.level import SelectionParams
from charts.prices.level_fit import rate_facts
from charts.prices.level_words import CREDIT
from charts.prices.levels import LEVELS, mark_records, priced
from charts.receipt import FormulaLine, Receipt, looked_up, worked
from charts.registry import Chart, Preset, register
from charts.template import new_figure, tokens
from charts.words import Words
from data.queries.prices import offers, reaching, scored_steps
from data.snapshot import Snapshot

# Blend -> input tokens per output token, share of input from cache (None: the switch decides).
COLUMNS: dict[str, tuple[float, float | None]] = {
    "Output only": (0.0, 0.0),
    "1:1 in:out": (1.0, None),
    "3:1 in:out": (3.0, None),
    "3:1, half cached": (3.0, 0.5),
    "10:1 in:out": (10.0, None),
}
# What a rate takes of an offer.
OFFER_COLUMNS = [
    "fact_key", "model_id", "weights_id", "tier", "quantised", "open_weights", "buyable", "start_day", "end_day", "input_usd_per_mtok",
    "cached_input_usd_per_mtok", "output_usd_per_mtok", "batch_discount",
]  # fmt: skip


class Params(SelectionParams):
    """State of the grid."""

    measure: Literal["halving", "fold"] = choice(
        "halving",
        label="Measure",
        help="Halving time, or how many times cheaper a year makes it.",
        labels={"halving": "Halving time", "fold": "Fall per year"},
    )


def table(params: Params, snapshot: Snapshot) -> pd.DataFrame:
    """One row a level and blend: records, fold per year with its 90 % interval, halving time [months], R²; NaN under four records."""
    out = []
    sold = offers(snapshot)[OFFER_COLUMNS]
    steps = {name: scored_steps(snapshot, name, params.score, sold) for name in {level.benchmark for level in LEVELS.values()}}
    for level in LEVELS.values():
        scored = reaching(steps[level.benchmark], level.threshold)
        for name, (ratio, hits) in COLUMNS.items():
            pick = params.selection(level, ratio)
            pick = pick if hits is None else type(pick)(**{**pick.__dict__, "cache_hit_share": hits})
            rate = rate_facts(mark_records(priced(scored, pick)))
            known = {k: rate.get(k, np.nan) for k in ("fold", "fold_low", "fold_high", "halving_months", "r_squared", "total_fold")}
            out.append({"level": level.label, "blend": name, "records": rate["n"], **known, "why": rate["why"]})
    return pd.DataFrame(out)


def figure(table: pd.DataFrame, params: Params, look: Look) -> go.Figure:
    """The grid: darker is faster; each cell gives the value, the number of records and R²."""
    t = tokens(look)
    column = "halving_months" if params.measure == "halving" else "fold"
    levels, blends = list(dict.fromkeys(table["level"])), list(dict.fromkeys(table["blend"]))
    if look.phone:
        blends = [b for b in blends if b in ("Output only", "3:1 in:out", "3:1, half cached")]
    grid = table.pivot(index="level", columns="blend", values=column).loc[levels, blends].to_numpy(dtype=float)
    speed = -np.log(np.where(grid > 0, grid, np.nan)) if params.measure == "halving" else np.log(np.where(grid > 0, grid, np.nan))
    cells = table.set_index(["level", "blend"])
    out = new_figure(look, height_px=look.height_px or (60 + (62 if look.phone else 58) * len(levels)))
    out.update_layout(margin={"l": 12 if look.phone else 250, "r": 12, "t": 48 if look.phone else 34, "b": 12})
    out.add_heatmap(
        z=speed, x=list(range(len(blends))), y=list(range(len(levels))), showscale=False, hoverinfo="skip", xgap=3,
        ygap=3 if not look.phone else 22,
        colorscale=[[0, t["panel"]], [1, t["band_blue"].replace(".13)", ".55)").replace(".16)", ".6)")]],
    )  # fmt: skip
    out.update_xaxes(side="top", tickvals=list(range(len(blends))), ticktext=blends, showline=False, ticks="")
    out.update_yaxes(
        autorange="reversed", showgrid=False, tickvals=list(range(len(levels))), ticktext=levels if not look.phone else [""] * len(levels)
    )
    for i, level in enumerate(levels):
        if look.phone:
            out.add_annotation(
                x=0, xref="paper", xanchor="left", y=i, yshift=27, text=level, showarrow=False, font={"size": 11, "color": t["mute"]}
            )
        for j, blend in enumerate(blends):
            out.add_annotation(
                x=j, y=i, showarrow=False, text=_cell(cells.loc[(level, blend)], params), font={"size": 13, "color": t["ink"]}
            )
    return out


def _cell(row: Any, params: Params) -> str:
    small = "<br><span style='font-size:10.5px'>"
    if row["why"]:
        return f"–{small}n {row['records']}, no rate</span>"
    value = f"{row['halving_months']:.1f}" if params.measure == "halving" else f"÷ {row['fold']:.3g}"
    return f"<b>{value}</b>{small}n {row['records']}, R² {row['r_squared']:.2f}</span>"


def words(table: pd.DataFrame, params: Params) -> Words:
    """Title and the rest, from the table."""
    known = table[table["why"].eq("")]
    if known.empty:
        why = "No level has four price records under these switches, so no rate is given."
        return Words(finding="No rate under these switches", empty=why, way_out={"buyable": False, "open_only": False}, credit=CREDIT)
    column, unit = ("halving_months", "months") if params.measure == "halving" else ("fold", "fold a year")
    low, high = known[column].min(), known[column].max()
    where_low, where_high = known.iloc[known[column].argmin()], known.iloc[known[column].argmax()]
    what = "Prices halve every" if params.measure == "halving" else "Prices fall"
    return Words(
        finding=f"{what} {low:.2g} to {high:.2g} {unit}, depending on the level and the blend alone",
        subtitle=f"{'Halving time [months]' if params.measure == 'halving' else 'Fall per year [fold]'} of the price frontier; "
        f"{params.score} score of a model. Small: price records on the line and R². Stronger blue is faster.",
        alt=f"Least: {low:.2g} {unit} at {where_low['level']}, {where_low['blend']}. "
        f"Greatest: {high:.2g} at {where_high['level']}, {where_high['blend']}.",
        coverage=f"{len(known)} of {len(table)} cells have the four records a rate needs",
        credit=CREDIT,
    )


def receipt(params: Params, snapshot: Snapshot) -> Receipt:
    """How each cell comes about, worked for the fastest."""
    made = table(params, snapshot)
    known = made[made["why"].eq("")]
    formulas: tuple[FormulaLine, ...] = ()
    if len(known):
        row = known.iloc[known["fold"].argmax()]
        cell = f"least squares of log10 price on time, {row['level']}, {row['blend']}, {row['records']} records"
        formulas = (looked_up("Fall per year", float(row["fold"]), "fold", cell), worked(halving_months, fold_per_year=float(row["fold"])))
    error = [
        f"{r['level']}, {r['blend']}: ÷ {r['fold']:.3g} a year, 90 % interval {r['fold_low']:.2g} to {r['fold_high']:.2g}."
        for r in known[known["blend"].eq("3:1 in:out")].to_dict("records")
    ]
    assumptions = ("Each cell is the frontier of the chart above with its own level and blend; the switches are the same.",)
    return Receipt(formulas=formulas, assumptions=assumptions, error=tuple(error))


CHART = register(
    Chart(
        id="prices.rates",
        page="prices",
        title="Halving time by level and blend",
        params=Params,
        table=table,
        figure=figure,
        receipt=receipt,
        words=words,
        presets=(
            Preset("halving", "Halving times", {}, claim="I1"),
            Preset("lowest", "With the lowest published score", {"score": "lowest"}, claim="I2"),
            Preset("fold", "Fall per year", {"measure": "fold"}),
        ),
        heights=(420, 440),
    )
)
