"""Who holds it: shares of what runs, how few hold most of it, and how that has changed."""

from __future__ import annotations

import datetime
from typing import Literal

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from analytics.clusters.concentration import herfindahl, largest_share
from charts import numbers
from charts.clusters.choices import (
    GROUP_COLUMNS,
    GROUPS,
    KINDS,
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
from charts.labels import note
from charts.look import Look
from charts.params import choice, day, flag
from charts.receipt import Receipt, age_note, input_row, looked_up
from charts.registry import Chart, Preset, register
from charts.template import new_figure, tokens
from charts.text import as_text
from charts.words import Words
from data.queries import clusters, world
from data.snapshot import Snapshot

SHOWN = 12


class Params(SelectionParams):
    """Whose shares, of what, when."""

    by: Literal["owner", "user", "country", "chip"] = choice(
        "owner", label="Group", help="whose shares", labels={k: GROUPS[k] for k in ("owner", "user", "country", "chip")}
    )
    quantity: QuantityName = quantity()
    on: datetime.date | None = day(None, label="As of", help="the day the shares are taken at; today when empty")
    plans: bool = flag(False, label="Plans too", help="let in what is planned by that day")


def table(params: Params, snapshot: Snapshot) -> pd.DataFrame:
    """Group, value, share, cumulative share and sites, largest first; attrs hold the index of concentration now and a year before."""
    on = params.on or snapshot.today
    rows = clusters.selected(snapshot, params.selection())
    now = _shares(rows, params, pd.Timestamp(on))
    before = _shares(rows, params, pd.Timestamp(on) - pd.DateOffset(years=1))
    facts = source_facts(params, snapshot, rows) | {
        "on": on.isoformat(),
        "groups": len(now),
        "total": float(now["value"].sum()),
        "herfindahl": float(herfindahl(now["value"])) if len(now) else None,
        "herfindahl_before": float(herfindahl(before["value"])) if len(before) else None,
        "top4": float(largest_share(now["value"], 4)) if len(now) else None,
        "top4_before": float(largest_share(before["value"], 4)) if len(before) else None,
        "world": world.coverage(snapshot, params.quantity, float(now["value"].sum()), snapshot.today),
    }
    return with_facts(now, facts)


def _shares(rows: pd.DataFrame, params: Params, day_: pd.Timestamp) -> pd.DataFrame:
    level = clusters.latest(rows, params.quantity, day_, planned=params.plans)
    level = level.sort_values(["as_of_day", "source"], kind="stable").drop_duplicates("cluster_id", keep="last")
    group = level[GROUP_COLUMNS[params.by]].fillna("").replace("", "not stated")
    out = level.assign(group=group).groupby("group").agg(value=("value", "sum"), sites=("cluster_id", "nunique")).reset_index()
    out = out.sort_values(["value", "group"], ascending=[False, True], kind="stable", ignore_index=True)
    total = out["value"].sum()
    return out.assign(share=out["value"] / total if total else np.nan, cumulative_share=out["value"].cumsum() / total if total else np.nan)


def words(table: pd.DataFrame, params: Params) -> Words:
    """Finding: how few hold most."""
    q, a = QUANTITIES[params.quantity], facts_of(table)
    if table.empty:
        empty, way_out = nothing(params, a, q.noun)
        return Words(f"Nobody has {q.noun} by {numbers.date(a['on'])}", empty=empty, way_out=way_out | {"on": None}, credit=credit(a))
    most = min(4, len(table))
    kinds = KINDS[params.by]
    finding = (
        f"{numbers.in_words(most).capitalize()} {kinds if most > 1 else kinds.rstrip('s')} hold {_percent(a['top4'])} of the {q.noun} seen"
    )
    if a["top4_before"] is not None:
        finding += f", against {_percent(a['top4_before'])} a year before"
    subtitle = (
        f"{q.label} {GROUPS[params.by].lower()} as of {numbers.date(a['on'])}, {voice_words(a)}: share of {q.write(a['total'])}. "
        f"{a['groups']} {kinds}; bars: share, line: shares added up." + (f" Only {a['filters']}." if a["filters"] else "")
    )
    notes = (f"Herfindahl index {a['herfindahl']:.3f}: as concentrated as {1 / a['herfindahl']:.1f} equal shares.",)
    top = numbers.listed([f"{r['group']} {_percent(r['share'])}" for _, r in table.head(5).iterrows()], 5)
    return Words(finding, subtitle, f"Shares of {q.noun}: {top}. {finding}.", a["world"], credit(a), notes)


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def figure(table: pd.DataFrame, params: Params, look: Look) -> go.Figure:
    """Horizontal bars of shares with the line of shares added up."""
    height, t, q = look.height(), tokens(look), QUANTITIES[params.quantity]
    fig = new_figure(look, height_px=height)
    if table.empty:
        return fig
    shown = table.head(8 if look.phone else SHOWN)
    names = [as_text(g, 14 if look.phone else 26) for g in shown["group"]]
    y = list(range(len(shown)))
    fig.add_bar(
        x=shown["share"], y=y, orientation="h", marker={"color": t["blue"]}, width=0.62,
        text=[f"<b>{_percent(s)}</b>" + ("" if look.phone else f"  {q.write(v)}") for s, v in zip(shown["share"], shown["value"])],
        textposition="outside", textfont={"size": 11 if look.phone else 12}, cliponaxis=False,
        hovertext=[f"{as_text(r['group'])}: {q.write(r['value'])}, {r['sites']} sites" for _, r in shown.iterrows()],
        hovertemplate="%{hovertext}<extra></extra>",
    )  # fmt: skip
    fig.add_scatter(
        x=shown["cumulative_share"].iloc[1:],  # the first is the bar beside it
        y=y[1:],
        mode="lines+markers",
        line={"color": t["rust"], "width": 1.6},
        marker={"size": 5},
        hoverinfo="skip",
    )
    last = float(shown["cumulative_share"].iloc[-1])
    note(fig, look, f"added up: {_percent(last)}", x=last, y=y[-1], xanchor="right", xshift=-8, font_color=t["rust"])
    fig.update_layout(margin={"l": 104 if look.phone else 180, "r": 24, "t": 16, "b": 36})
    fig.update_xaxes(
        range=[0, 1.04],
        tickvals=[0, 0.25, 0.5, 0.75, 1],
        ticktext=["0", "25 %", "50 %", "75 %", "100 %"],
        showgrid=True,
        gridcolor=t["grid"],
    )
    fig.update_yaxes(
        range=[len(shown) - 0.4, -0.6],
        tickvals=y,
        ticktext=names,
        showgrid=False,
        tickfont={"size": 11 if look.phone else 12.5, "color": t["ink"]},
    )
    return fig


def receipt(params: Params, snapshot: Snapshot) -> Receipt:
    """The sites of the largest holder, and the index."""
    shown = table(params, snapshot)
    if shown.empty:
        return Receipt(assumptions=("No level is dated by that day.",))
    q, a, first = QUANTITIES[params.quantity], shown.attrs, shown.iloc[0]
    rows = clusters.selected(snapshot, params.selection())
    own = rows[rows[GROUP_COLUMNS[params.by]].fillna("").replace("", "not stated") == first["group"]]
    level = clusters.latest(own, params.quantity, pd.Timestamp(a["on"]), planned=params.plans).drop_duplicates("cluster_id")
    lines = (
        looked_up(f"Share of {first['group']}", 100 * float(first["share"]), "%", f"{q.write(first['value'])} of {q.write(a['total'])}"),
        looked_up("Herfindahl index", round(a["herfindahl"], 4), "", f"the sum of the squared shares of {a['groups']} {KINDS[params.by]}"),
    )
    inputs = [input_row(r, str(r["name"]), q.write(r["value"])) for _, r in level.head(12).iterrows()]
    return Receipt(
        lines,
        inputs,
        ("Owner is who owns the site or the hardware; a tenant may hold most of the chips. Group by user to see tenants.",),
        ("Shares are of what these sources see, not of the world; no range is given.", age_note(level["as_of"].tolist(), snapshot.today)),
    )


CHART = register(
    Chart(
        id="clusters.concentration",
        page="clusters",
        title="Who holds it",
        params=Params,
        table=table,
        figure=figure,
        receipt=receipt,
        words=words,
        idle=unheard,
        options=OPTIONS,
        presets=(
            Preset("owners", "Owners", {}),
            Preset("users", "Users", {"by": "user"}),
            Preset("google", "Google against the rest", {"quantity": "h100e"}, claim="C9"),
        ),
        heights=(460, 400),
    )
)
