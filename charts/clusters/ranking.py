"""Ranking of sites as of a day: one row a site, its level on a shared scale, other voices beside it, status, evidence and age."""

from __future__ import annotations

import datetime
import math
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from charts import numbers
from charts.clusters.choices import (
    OPTIONS,
    QUANTITIES,
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
from charts.clusters.power_receipt import derivations, inputs
from charts.look import Look
from charts.params import day, flag, number
from charts.receipt import Receipt, age_note, looked_up
from charts.registry import Chart, Preset, register
from charts.template import new_figure, tokens
from charts.text import as_text
from charts.words import Words
from data.queries import clusters, world
from data.snapshot import Snapshot

ROW_PX = 26
_KEPT = ["cluster_id", "name", "owner_name", "user_name", "country", "phase", "status", "chip_id", "evidence", "rung", "source", "as_of"]


class Params(SelectionParams):
    """Which sites, as of when."""

    quantity: QuantityName = quantity()
    on: datetime.date | None = day(None, label="As of", help="the day the levels are taken at; today when empty")
    plans: bool = flag(False, label="Plans too", help="let in what is planned by that day")
    rows: int = number(20, ge=1, le=60, label="Rows", help="how many sites are listed")


def table(params: Params, snapshot: Snapshot) -> pd.DataFrame:
    """One row a site, largest first: value, low and high over all voices, their number, IT power, H100e, chip, status, source, age."""
    on = min(params.on or snapshot.today, datetime.date(2100, 1, 1))
    rows = clusters.selected(snapshot, params.selection())
    now = clusters.latest(rows, params.quantity, pd.Timestamp(on), planned=params.plans)
    every = clusters.latest(
        clusters.selected(snapshot, clusters.Selection(voices="all")), params.quantity, pd.Timestamp(on), planned=params.plans
    )
    spread = every.groupby("cluster_id")["value"].agg(low="min", high="max", voices="size")
    out = now[_KEPT + ["value", "power_mw", "h100e"]].rename(columns={"owner_name": "owner", "user_name": "user"})
    out = out.join(spread, on="cluster_id")
    several = out["voices"].fillna(1) > 1
    out["low"], out["high"] = out["low"].where(several), out["high"].where(several)
    facts = source_facts(params, snapshot, rows) | {
        "on": on.isoformat(),
        "sites": len(out),
        "total": float(out["value"].sum()),
        "disagree": int((several & (out["high"] / out["low"] > 1.05)).sum()),
        "world": world.coverage(snapshot, params.quantity, float(out["value"].sum()), snapshot.today) if params.voices != "all" else "",
    }
    out = out.head(params.rows).reset_index(drop=True)
    out["age_days"] = [numbers.age_days(d, snapshot.today) for d in out["as_of"]]
    return with_facts(out, facts)


def words(table: pd.DataFrame, params: Params) -> Words:
    """Finding: who leads and by how much."""
    q, a = QUANTITIES[params.quantity], facts_of(table)
    if table.empty:
        empty, way_out = nothing(params, a, q.noun, "" if params.plans else "Plans are left out.")
        return Words(f"No site has {q.noun} by {numbers.date(a['on'])}", empty=empty, way_out=way_out | {"on": None}, credit=credit(a))
    first = table.iloc[0]
    finding = f"{first['name']} leads with {q.of(first['value'])}"
    others = table[table["cluster_id"] != first["cluster_id"]]
    if len(others):
        finding += f"; {others.iloc[0]['name']} follows with {q.write(others.iloc[0]['value'])}"
    subtitle = (
        f"{q.label} by site as of {numbers.date(a['on'])}, {voice_words(a)}, log scale. {len(table)} of {a['sites']} sites"
        + (f"; only {a['filters']}" if a["filters"] else "")
        + ". Filled dot: reported or measured; hollow: modelled or claimed. Line: what all voices say, only where several do; beside it how many and their ratio."
    )
    total = f"The {a['sites']} sites add up to {q.write(a['total'])}. " if params.voices != "all" else ""
    count = f"{numbers.in_words(a['disagree']).capitalize()} {'site has' if a['disagree'] == 1 else 'sites have'}"
    notes = [f"{count} voices more than 5 % apart."] if a["disagree"] else []
    top = numbers.listed([f"{r['name']} {q.write(r['value'])}" for _, r in table.head(5).iterrows()])
    return Words(finding, subtitle, f"Sites by {q.noun}: {top}. {finding}.", (total + a["world"]).strip(), credit(a), tuple(notes))


def figure(table: pd.DataFrame, params: Params, look: Look) -> go.Figure:
    """Rows with name, user, value, dot and whisker, chip, evidence and age; a phone keeps name, value, mark and age."""
    t, q = tokens(look), QUANTITIES[params.quantity]
    height = max(70 + ROW_PX * len(table), 150) if not look.card else look.height()
    fig = new_figure(look, height_px=height)
    if table.empty:
        return fig
    columns = _columns(table, q, look)
    left = sum(width for _, width, side, _ in columns if side == "left")
    right = sum(width for _, width, side, _ in columns if side == "right") + 14
    margin = {"l": left + 14, "r": right, "t": 36, "b": 8}
    low = float(table[["value", "low"]].min().min()) * 0.8
    high = float(table[["value", "high"]].max().max()) * 1.2
    ticks = numbers.log_ticks(low, high, q.write, most=2 if look.phone else 5)
    fig.update_layout(margin=margin)
    fig.update_xaxes(
        range=[math.log10(low), math.log10(high)],
        tickangle=0,
        side="top",
        showgrid=True,
        gridcolor=t["grid"],
        showline=False,
        ticks="",
        **ticks,
    )
    fig.update_yaxes(range=[len(table) - 0.5, -0.5], showticklabels=False, showgrid=False)
    y = list(range(len(table)))
    spread = table[table["low"].notna()]
    if len(spread):
        mid = (spread["low"] + spread["high"]) / 2
        fig.add_scatter(
            x=mid, y=list(spread.index), mode="markers", hoverinfo="skip", marker={"size": 0.1, "color": t["mute"]},
            error_x={
                "type": "data", "symmetric": False, "array": spread["high"] - mid, "arrayminus": mid - spread["low"],
                "color": t["mute"], "thickness": 1.4, "width": 4,
            },
        )  # fmt: skip
    filled = table["rung"].isin(["primary", "reported"])
    fig.add_scatter(
        x=table["value"], y=y, mode="markers", cliponaxis=False, customdata=table["cluster_id"].tolist(),
        text=[_hover(r, q) for _, r in table.iterrows()], hovertemplate="%{text}<extra></extra>",
        marker={"size": 9, "color": [t["blue"] if f else t["page"] for f in filled], "line": {"color": t["blue"], "width": 1.7}},
    )  # fmt: skip
    _write(fig, table, columns, margin, look)
    return fig


def _columns(table: pd.DataFrame, q: Any, look: Look) -> list[tuple[str, int, str, list[str]]]:
    """Heading, width [px], side and texts of each column of words."""
    ages = [numbers.age(None if d is None or d != d else int(d)) for d in table["age_days"]]
    values = [q.write(v) for v in table["value"]]
    if look.phone:
        names = [as_text(short_name(str(n)), 17) for n in table["name"]]
        return [("Site", 112, "left", names), (q.label.split(",")[0], 78, "left", values), ("Age", 42, "right", ages)]
    one = table.attrs["voices"] == "one"
    second = "user" if one else "source"
    named = table["user"] if one else table["source"].map(lambda s: clusters.short_source(s).removeprefix("Epoch AI, "))
    return [
        ("Site", 192, "left", [as_text(n, 26) for n in table["name"]]),
        ("Owner", 92, "left", [as_text(n, 12) for n in table["owner"]]),
        (second.capitalize(), 108 if one else 150, "left", [as_text(n, 15 if one else 22) for n in named]),
        (q.label.split(",")[0], 80, "left", values),
        ("Voices", 70, "right", [_apart(r) for _, r in table.iterrows()]),
        *([] if q.unit == "H100e" else [("H100e", 58, "right", [numbers.count(v) if v == v else "" for v in table["h100e"]])]),
        ("Chip", 88, "right", [as_text(c, 12) for c in table["chip_id"]]),
        ("Status", 80, "right", [as_text(s, 12) for s in table["status"]]),
        ("Evidence", 86, "right", [as_text(e, 12) for e in table["evidence"]]),
        ("Age", 46, "right", ages),
    ]


def _apart(row: pd.Series) -> str:
    """How many voices speak of a site, and how far apart they are."""
    if not row["voices"] > 1:
        return "1"
    ratio = row["high"] / row["low"]
    return f"{int(row['voices'])}, ×{ratio:.2f}" if ratio > 1.005 else f"{int(row['voices'])}, agree"


def _write(fig: go.Figure, table: pd.DataFrame, columns: list, margin: dict[str, int], look: Look) -> None:
    """The words of every column in one trace a column, old rows quiet."""
    t, size = tokens(look), 11 if look.phone else 12.5
    old = [bool(d is not None and d == d and d > numbers.OLD_DAYS) for d in table["age_days"]]
    annotations = []
    left, right = -margin["l"], 14.0
    for heading, width, side, texts in columns:
        offset, end = (left, left + width) if side == "left" else (right, right + width)
        numeric = heading in ("Age", "Voices", "H100e") or (side == "left" and heading not in ("Site", "Owner", "User", "Source"))
        place = {"xanchor": "right", "xshift": end - 10} if numeric else {"xanchor": "left", "xshift": offset}
        base = {"xref": "paper", "x": 0 if side == "left" else 1, "showarrow": False, "align": "left"} | place
        head = {"size": size - 1, "color": t["mute"], "weight": 600}
        annotations.append(base | {"yref": "paper", "y": 1, "yanchor": "bottom", "yshift": 6, "text": heading, "font": head})
        for i, text in enumerate(texts):
            font = {"size": size, "color": t["mute"] if old[i] else t["ink"], "weight": 600 if heading == "Site" and not old[i] else 400}
            annotations.append(base | {"y": i, "yanchor": "middle", "text": text, "font": font})
        left, right = (end, right) if side == "left" else (left, end)
    fig.update_layout(annotations=annotations)


def _hover(row: pd.Series, q: Any) -> str:
    said = (
        f"{as_text(row['name'])}: {q.write(row['value'])}<br>{as_text(clusters.short_source(row['source']))}, {numbers.date(row['as_of'])}"
    )
    if row["low"] == row["low"]:
        said += f"<br>{int(row['voices'])} voices: {q.write(row['low'])} to {q.write(row['high'])}"
    return said


def receipt(params: Params, snapshot: Snapshot) -> Receipt:
    """The row behind the first place and what other voices say."""
    shown = table(params, snapshot)
    if shown.empty:
        return Receipt(assumptions=("No site has this quantity by that day.",))
    q, first = QUANTITIES[params.quantity], shown.iloc[0]
    rows = clusters.rows(snapshot)
    own = rows[
        (rows["cluster_id"] == first["cluster_id"]) & (rows["source"] == first["source"]) & (rows["phase"] == first["phase"])
    ].sort_values("as_of_day", kind="stable")
    row = own.iloc[-1]
    line = looked_up(f"{q.label}, {first['name']}", float(first["value"]), q.unit, str(row["source"]))
    if first["low"] == first["low"]:
        ratio = first["high"] / first["low"]
        said = f"{int(first['voices'])} voices give {q.write(first['low'])} to {q.write(first['high'])}, a factor of {ratio:.2f}."
    else:
        said = "No other voice gives this quantity for this site by that day; no range is given, so none is drawn."
    return Receipt((line,), inputs(row), derivations(row), (said, age_note([row["as_of"]], snapshot.today)))


CHART = register(
    Chart(
        id="clusters.ranking",
        page="clusters",
        title="Ranking of sites",
        params=Params,
        table=table,
        figure=figure,
        receipt=receipt,
        words=words,
        idle=unheard,
        options=OPTIONS,
        presets=(
            Preset("today", "Ranking today", {}),
            Preset(
                "china",
                "China, 2021",
                {"countries": ("China",), "voices": "all", "quantity": "chip_count", "on": datetime.date(2021, 12, 31)},
                claim="C2",
            ),
            Preset("trainium", "Trainium2 sites", {"chips": ("trainium2",), "voices": "all", "quantity": "chip_count"}, claim="C8"),
            Preset(
                "end-2024", "At the end of 2024", {"on": datetime.date(2024, 12, 31), "voices": "all", "quantity": "chip_count"}, claim="C5"
            ),
        ),
        heights=(620, 620),
    )
)
