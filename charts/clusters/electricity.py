"""Electricity of data centres: what was measured, what is projected, and what was claimed, as a share or in terawatt-hours."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from charts import numbers
from charts.clusters.choices import with_facts
from charts.labels import note, place
from charts.look import Look
from charts.params import ChartParams, choice
from charts.receipt import FormulaLine, Receipt, age_note, input_row, looked_up
from charts.registry import Chart, Preset, register
from charts.template import SERIES, new_figure, tokens
from charts.text import as_text
from charts.words import Words
from data.queries import world
from data.snapshot import Snapshot, earliest_day, latest_day

METRICS = {
    "share": ("data-centre share of electricity", "Share of electricity", "%"),
    "twh": ("data-centre electricity", "Electricity", "TWh"),
    "gw": ("data-centre power demand", "Power demand", "GW"),
}
# The feed's 95 GW for the United States contradicts the same house's world figure: it is listed, never drawn.
_CONTRADICTED = ("gs-us-gw-2027",)


class Params(ChartParams):
    """What of, and where."""

    region: Literal["US", "world"] = choice("US", label="Region", help="where", labels={"US": "United States", "world": "World"})
    measure: Literal["share", "twh", "gw"] = choice(
        "share",
        label="Measure",
        help="as a share of all electricity, as energy a year, or as power",
        labels={k: f"{n}, {u}" for k, (_, n, u) in METRICS.items()},
    )


def table(params: Params, snapshot: Snapshot) -> pd.DataFrame:
    """One row a figure: the middle day of its period, value or low and high, kind (estimate, projection), source."""
    metric, _, unit = METRICS[params.measure]
    rows = world.totals(snapshot, metric)
    rows = rows[(rows["region"] == params.region) & (rows["unit"] == unit) & ~rows["total_id"].isin(_CONTRADICTED)]
    start = earliest_day(rows["period_start"]).fillna(earliest_day(rows["period_end"]))
    end = latest_day(rows["period_end"])
    kept = ["total_id", "value", "low", "high", "kind", "basis", "source", "source_url", "as_of", "rung", "single_source", "not_reread"]
    out = rows[kept].assign(day=start + (end - start) / 2)
    out["day"] = out["day"].dt.normalize()
    return with_facts(out.sort_values(["day", "total_id"], kind="stable", ignore_index=True), {"today": snapshot.today.isoformat()})


def _write(value: Any, unit: str) -> str:
    return f"{numbers.plain(value)} {unit}"


def _told(row: pd.Series, unit: str) -> str:
    if row["value"] == row["value"]:
        return _write(row["value"], unit)
    return f"{numbers.plain(row['low'])} to {_write(row['high'], unit)}"


def words(table: pd.DataFrame, params: Params) -> Words:
    """Finding: the last estimate and the range projected."""
    _, name, unit = METRICS[params.measure]
    where = "the United States" if params.region == "US" else "the world"
    if table.empty:
        said = f"No source in the store gives this measure for {where}."
        return Words("No such figure", empty=said, way_out={"region": "US", "measure": "share"})
    measured = table[(table["kind"] == "estimate") & (table["rung"] != "claim")]
    projected = table[(table["kind"] == "projection") & (table["rung"] != "claim")]
    parts = []
    if len(measured):
        last = measured.iloc[-1]
        parts.append(f"data centres took {_told(last, unit)} {'of electricity ' if unit == '%' else ''}in {where} in {last['day'].year}")
    if len(projected):
        first = projected.iloc[0]
        parts.append(f"{_told(first, unit)} {'is' if first['value'] == first['value'] else 'are'} projected for {first['day'].year}")
    finding = "; ".join(parts) or f"Only claims are stored for {where}"
    finding = finding[0].upper() + finding[1:]
    sources = [s.split(",")[0] for s in dict.fromkeys(table["source"])]
    subtitle = (
        f"{name} of all data centres, AI and other, in {unit}. Filled: estimates; bars and hollow dots: projections; diamonds: claims."
    )
    notes = (
        ["Bases differ: LBNL counts national use from equipment up, BloombergNEF and Goldman Sachs give capacity."]
        if params.measure == "gw"
        else []
    )
    alt = f"{len(table)} figures of data-centre electricity by year. {finding}."
    return Words(finding, subtitle, alt, "", f"{numbers.listed(sources, 3)}", tuple(notes))


def figure(table: pd.DataFrame, params: Params, look: Look) -> go.Figure:
    """Points and bars by source, named beside them."""
    height, t = look.height(), tokens(look)
    _, _, unit = METRICS[params.measure]
    fig = new_figure(look, height_px=height)
    if table.empty:
        return fig
    table = table.assign(day=pd.to_datetime(table["day"]), middle=table["value"].fillna((table["low"] + table["high"]) / 2))
    high = float(table[["middle", "high"]].max().max()) * 1.18
    start, end = table["day"].min() - pd.Timedelta(days=320), table["day"].max() + pd.Timedelta(days=500 if look.phone else 900)
    sources = list(dict.fromkeys(table["source"]))
    for i, source in enumerate(sources):
        tone = t[SERIES[i % len(SERIES)]]
        own = table[table["source"] == source]
        ranged = own[own["low"].notna() & own["high"].notna()]
        claim = bool((own["rung"] == "claim").any())
        points = own[own["value"].notna()]
        if len(points) > 1:
            line = {"color": tone, "width": 1.2, "dash": "2px,3px" if claim else "solid"}
            past = points[points["kind"] == "estimate"]
            fig.add_scatter(x=past["day"], y=past["value"], mode="lines", line=line, hoverinfo="skip")
        if len(ranged):
            mid = (ranged["low"] + ranged["high"]) / 2
            fig.add_scatter(
                x=ranged["day"], y=mid, mode="markers", hoverinfo="text", text=[_hover(r, unit) for _, r in ranged.iterrows()],
                marker={"size": 1, "color": tone},
                error_y={"type": "data", "array": ranged["high"] - mid, "color": tone, "thickness": 2, "width": 7},
            )  # fmt: skip
        fill = [tone if k == "estimate" and not claim else t["page"] for k in points["kind"]]
        fig.add_scatter(
            x=points["day"], y=points["value"], mode="markers",
            hovertemplate="%{text}<extra></extra>", text=[_hover(r, unit) for _, r in points.iterrows()],
            marker={"size": 10, "symbol": "diamond" if claim else "circle", "color": fill, "line": {"color": tone, "width": 1.8}},
        )  # fmt: skip
    margin = {"l": 52 if look.phone else 66, "r": 24, "t": 20, "b": 40}
    fig.update_layout(margin=margin)
    fig.update_xaxes(range=[start, end], tickformat="%Y", dtick="M48" if look.phone else "M24", tickangle=0)
    fig.update_yaxes(range=[0, high], ticksuffix=f" {unit}", nticks=6)
    plot = (look.width_px - margin["l"] - margin["r"], height - margin["t"] - margin["b"])
    at = [((r["day"] - start).days / (end - start).days * plot[0], plot[1] * (1 - r["middle"] / high)) for _, r in table.iterrows()]
    texts = [
        _told(r, unit) if look.phone else f"{r['source'].split(',')[0].split(' (')[0][:24]}: {_told(r, unit)}" for _, r in table.iterrows()
    ]
    bars = [
        (x, plot[1] * (1 - v / high)) for (x, _), (_, r) in zip(at, table.iterrows()) for v in np.linspace(r["low"], r["high"], 9) if v == v
    ]
    pasts = [
        [at[i] for i in np.flatnonzero((table["source"] == source) & table["value"].notna() & (table["kind"] == "estimate"))]
        for source in sources
    ]
    spots = place(at, texts, 11.5, (0, 0, *plot), obstacles=bars, lines=pasts)
    for (_, row), text, spot in zip(table.iterrows(), texts, spots):
        if spot is not None:
            tone = t[SERIES[sources.index(row["source"]) % len(SERIES)]]
            note(
                fig,
                look,
                as_text(text, 48),
                x=row["day"],
                y=row["middle"],
                xshift=spot.dx,
                yshift=-spot.dy,
                font={"size": 11 if look.phone else 11.5, "color": tone},
            )
    return fig


def _hover(row: pd.Series, unit: str) -> str:
    return f"{row['day'].year}: {_told(row, unit)}, {row['kind']}<br>{as_text(row['source'])}<br>{as_text(row['basis'])}"


def receipt(params: Params, snapshot: Snapshot) -> Receipt:
    """Every figure with its source, and the arithmetic between energy and share where one source gives both."""
    shown = table(params, snapshot)
    _, name, unit = METRICS[params.measure]
    if shown.empty:
        return Receipt(assumptions=("No figure is stored.",))
    rows = [input_row(r, f"{r['day'].year}, {r['kind']}: {r['basis']}", _told(r, unit)) for _, r in shown.iterrows()]
    lines: list[FormulaLine] = []
    both = snapshot.table("world_totals").set_index("total_id")
    if params.measure == "share" and params.region == "US" and {"lbnl-us-twh-2023", "lbnl-us-share-2023"} <= set(both.index):
        implied = float(both.loc[["lbnl-us-twh-2023"], "value"].iloc[0]) / float(both.loc[["lbnl-us-share-2023"], "value"].iloc[0]) * 100
        lines.append(looked_up("All electricity in 2023, implied", round(implied), "TWh", "LBNL's energy over LBNL's share"))
    stated = shown[shown["value"].notna()]
    own = stated[(stated["rung"] != "claim") & (stated["kind"] == "estimate")]
    if len(own) or len(stated):
        last = (own if len(own) else stated).iloc[-1]
        lines.insert(0, looked_up(f"{name}, {last['day'].year}", float(last["value"]), unit, str(last["source"])))
    claim = shown[shown["rung"] == "claim"]
    errors = ["Ranges are the source's own low and high cases, not intervals.", age_note(shown["as_of"].tolist(), snapshot.today)]
    if len(claim) and params.measure == "share":
        errors.insert(
            0, "The claim of 2 to 3 % stands under LBNL's 4.4 % for 2023; its 10 % for 2028 to 2030 lies within LBNL's range for 2028."
        )
    return Receipt(lines, rows, ("All data centres, AI and other, as each source bounds them.",), errors)


CHART = register(
    Chart(
        id="clusters.electricity",
        page="clusters",
        title="Electricity of data centres",
        params=Params,
        table=table,
        figure=figure,
        receipt=receipt,
        words=words,
        presets=(
            Preset("us-share", "US share of electricity", {}, claim="C13"),
            Preset("us-twh", "US terawatt-hours", {"measure": "twh"}, claim="C13"),
        ),
        heights=(460, 380),
    )
)
