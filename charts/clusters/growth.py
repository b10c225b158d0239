"""Growth of the largest cluster: every record over time, and the rate fitted to it with its doubt."""

from __future__ import annotations

import datetime
import math
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from analytics.prices.fit import fit_log_linear
from analytics.prices.student_t import critical_value
from charts import numbers
from charts.clusters.choices import (
    OPTIONS,
    QUANTITIES,
    VOICES,
    QuantityName,
    SelectionParams,
    credit,
    facts_of,
    nothing,
    quantity,
    source_facts,
    unheard,
    voice_words,
    with_facts,
)
from charts.clusters.power_figure import short_name
from charts.labels import note, place
from charts.look import Look
from charts.params import choice, day, flag
from charts.receipt import Receipt, age_note, input_row, looked_up
from charts.registry import Chart, Preset, register
from charts.template import new_figure, tokens
from charts.text import as_text
from charts.words import Words
from data.queries import clusters
from data.snapshot import Snapshot

LEVEL = 0.9
MOST_POINTS = 200


class Params(SelectionParams):
    """Which records are fitted."""

    voices: clusters.Voices = choice("all", label="Testimony", help="whose records count", labels=VOICES)
    quantity: QuantityName = quantity("chip_count")
    since: datetime.date | None = day(None, label="From", help="records before this day are not fitted")
    plans: bool = flag(False, label="Plans too", help="let records that are only planned enter the line of records")


def table(params: Params, snapshot: Snapshot) -> pd.DataFrame:
    """Every dated level with `record` where it beat all before it; attrs hold the fit of log10(record) on time."""
    rows = clusters.selected(snapshot, params.selection())
    dated = clusters.levels(rows, params.quantity)
    dated = dated[(dated["value"] > 0) & (params.plans | ~dated["planned"].astype(bool))] if len(dated) else dated
    dated = dated.sort_values(["online_day", "value"], ascending=[True, False], kind="stable").reset_index(drop=True)
    best = dated["value"].cummax()
    record = dated["value"].gt(best.shift().fillna(0))
    out = pd.DataFrame(
        {
            "day": dated["online_day"],
            "name": dated["name"],
            "value": dated["value"],
            "record": record,
            **{c: dated[c] for c in ("cluster_id", "phase", "planned", "rung", "source", "source_url", "as_of") if c in dated},
        }
    )
    facts = source_facts(params, snapshot, rows) | {"fit": _fit(out, params), "levels": len(out)}
    kept = out["record"] | out["value"].rank(ascending=False, method="first").le(MOST_POINTS)
    return with_facts(out[kept].reset_index(drop=True), facts)


def _fit(levels: pd.DataFrame, params: Params) -> dict[str, Any] | None:
    """The line through the records' log10: n, R², growth a year with its 90 % interval, and the line with its band."""
    used = levels[levels["record"].astype(bool)]
    if params.since is not None:
        used = used[used["day"] >= pd.Timestamp(params.since)]
    if len(used) < 3 or used["day"].nunique() < 3:
        return None
    days = ((used["day"] - pd.Timestamp(0)) / pd.Timedelta(days=1)).to_numpy(float)
    fit = fit_log_linear(days, used["value"].to_numpy(float))
    grid = np.linspace(days.min(), days.max(), 40)
    low, high = fit.fold_interval(LEVEL)
    middle, reach = fit.price(grid), critical_value(LEVEL, fit.n - 2) * fit.prediction_sd(grid)
    return {
        "n": fit.n,
        "r_squared": fit.r_squared,
        "growth": 1 / fit.fold_per_year,
        "growth_low": 1 / high,
        "growth_high": 1 / low,
        "doubling_months": abs(fit.halving_months),
        "days": [f"{d:%Y-%m-%d}" for d in pd.to_datetime(grid, unit="D")],
        "line": middle.tolist(),
        "band_low": (middle * 10.0**-reach).tolist(),
        "band_high": (middle * 10.0**reach).tolist(),
    }


def words(table: pd.DataFrame, params: Params) -> Words:
    """Finding: how fast the largest grows."""
    q, a = QUANTITIES[params.quantity], facts_of(table)
    if table.empty:
        empty, way_out = nothing(params, a, q.noun)
        return Words(f"No dated {q.noun} to rank", empty=empty, way_out=way_out, credit=credit(a))
    records = table[table["record"].astype(bool)]
    last, fit = records.iloc[-1], a["fit"]
    if fit:
        pace = f"doubles every {fit['doubling_months']:.0f} months" if fit["growth"] > 1 else "has not grown"
        finding = f"The largest cluster {pace}; {last['name']} holds the record with {q.of(last['value'])}"
    else:
        finding = f"{last['name']} holds the record with {q.of(last['value'])}"
    subtitle = (
        f"{q.label} of every site when it came online, {voice_words(a)}, log scale. Large dots: records, {len(records)} of {a['levels']:,}"
    )
    notes = []
    if fit:
        subtitle += f"; dashed: fit to {fit['n']} records, band: 90 % prediction interval."
        notes.append(
            f"×{fit['growth']:.2f} a year (90 % interval {fit['growth_low']:.2f} to {fit['growth_high']:.2f}), doubling every "
            f"{fit['doubling_months']:.1f} months, R² {fit['r_squared']:.2f}, n = {fit['n']}. Records are dependent on each other by "
            "making, so the interval is too narrow rather than too wide."
        )
    else:
        subtitle += "."
        notes.append("Fewer than three records on different days: no rate is fitted.")
    if a["levels"] > len(table):
        notes.append(f"The {MOST_POINTS:,} largest levels are drawn, and every record.")
    if a["filters"]:
        subtitle += f" Only {a['filters']}."
    return Words(finding, subtitle, f"Dots of {q.noun} by date. {finding}.", "", credit(a), tuple(notes))


def figure(table: pd.DataFrame, params: Params, look: Look) -> go.Figure:
    """Grey dots, records in front with their names, the fitted line and its band."""
    height, t, q = look.height(), tokens(look), QUANTITIES[params.quantity]
    fig = new_figure(look, height_px=height)
    if table.empty:
        return fig
    table = table.assign(day=pd.to_datetime(table["day"]), record=table["record"].astype(bool))
    others, records, fit = table[~table["record"]], table[table["record"]], table.attrs["fit"]
    if fit:
        fig.add_scatter(x=fit["days"], y=fit["band_low"], mode="lines", line={"width": 0}, hoverinfo="skip")
        fig.add_scatter(
            x=fit["days"], y=fit["band_high"], mode="lines", line={"width": 0}, fill="tonexty", fillcolor=t["band_blue"], hoverinfo="skip"
        )
        fig.add_scatter(
            x=fit["days"], y=fit["line"], mode="lines", line={"color": t["blue"], "width": 1.5, "dash": "5px,3px"}, hoverinfo="skip"
        )
    for part, size, tone in ((others, 5, t["dot"]), (records, 9, t["blue"])):
        filled = part["rung"].isin(["primary", "reported"])
        fig.add_scatter(
            x=part["day"], y=part["value"], mode="markers", cliponaxis=False, customdata=part["cluster_id"].tolist(),
            marker={"size": size, "color": [tone if f else t["page"] for f in filled], "line": {"color": tone, "width": 1.4}},
            text=[_hover(r, q) for _, r in part.iterrows()], hovertemplate="%{text}<extra></extra>",
        )  # fmt: skip
    low, high = float(table["value"].min()) * 0.7, float(table["value"].max()) * 1.8
    start, end = table["day"].min() - pd.Timedelta(days=60), table["day"].max() + pd.Timedelta(days=120)
    margin = {"l": 52 if look.phone else 66, "r": 24, "t": 24, "b": 40}
    fig.update_layout(margin=margin)
    fig.update_xaxes(range=[start, end], tickformat="%Y", dtick="M24" if look.phone else "M12", tickangle=0)
    fig.update_yaxes(range=[math.log10(low), math.log10(high)], **numbers.log_ticks(low, high, q.write, most=8))
    plot = (look.width_px - margin["l"] - margin["r"], height - margin["t"] - margin["b"])
    _names(fig, records.tail(6 if look.phone else 14), others, (start, end), (low, high), plot, look)
    return fig


#: A name further from its record than this would be read as another's.
NEAR_PX = 24


def _names(fig: go.Figure, records: pd.DataFrame, others: pd.DataFrame, x: tuple, y: tuple, plot: tuple[float, float], look: Look) -> None:
    span, low, high = (x[1] - x[0]).days, math.log10(y[0]), math.log10(y[1])

    def at(rows: pd.DataFrame) -> list[tuple[float, float]]:
        return [
            ((d - x[0]).days / span * plot[0], plot[1] * (1 - (math.log10(v) - low) / (high - low)))
            for d, v in zip(rows["day"], rows["value"])
        ]

    records = records.drop_duplicates("name", keep="last")  # a site that beat itself is named at its newest record
    texts = [as_text(short_name(str(n)), 26) for n in records["name"]]
    for (_, row), text, spot in zip(records.iterrows(), texts, place(at(records), texts, 11.5, (0, 0, *plot), obstacles=at(others))):
        if spot is not None and spot.radius <= NEAR_PX:
            ink = tokens(look)["ink"]
            note(
                fig, look, text, x=row["day"], y=math.log10(row["value"]), xshift=spot.dx, yshift=-spot.dy,
                font={"size": 10.5 if look.phone else 11.5, "color": ink},
            )  # fmt: skip


def _hover(row: pd.Series, q: Any) -> str:
    said = f"{as_text(row['name'])}: {q.write(row['value'])}<br>{numbers.date(row['day'].date())}"
    return f"{said}<br>{as_text(clusters.short_source(row['source']))}"


def receipt(params: Params, snapshot: Snapshot) -> Receipt:
    """The records the line goes through, and the fit."""
    shown = table(params, snapshot)
    if shown.empty:
        return Receipt(assumptions=("No level is dated.",))
    q, fit = QUANTITIES[params.quantity], shown.attrs["fit"]
    records = shown[shown["record"].astype(bool)].iloc[::-1]
    rows = [input_row(r, f"{r['name']}, {numbers.date(r['day'])}", q.write(r["value"])) for _, r in records.head(14).iterrows()]
    if not fit:
        return Receipt((), rows, (), ("Fewer than three records on different days: no rate is fitted.",))
    line = looked_up("Growth a year", round(fit["growth"], 3), "×", f"least squares of log10({q.label}) on time over {fit['n']} records")
    interval = f"90 % interval of the rate: {fit['growth_low']:.2f} to {fit['growth_high']:.2f}; R² {fit['r_squared']:.2f}, n = {fit['n']}."
    dependent = "Each record had to beat the last, so residuals are not independent and the interval is too narrow."
    return Receipt(
        (line,),
        rows,
        ("A record is a level above every level dated before it.",),
        (interval, dependent, age_note(records["as_of"].tolist(), snapshot.today)),
    )


CHART = register(
    Chart(
        id="clusters.growth",
        page="clusters",
        title="Growth of the largest cluster",
        params=Params,
        table=table,
        figure=figure,
        receipt=receipt,
        words=words,
        idle=unheard,
        options=OPTIONS,
        presets=(
            Preset("chips", "Chips in the largest cluster", {}, claim="C16"),
            Preset("power", "IT power of the largest", {"quantity": "power_mw"}),
            Preset("plans", "With plans", {"plans": True}, claim="C16"),
        ),
    )
)
