"""IT power coming online a quarter, by owner: what was added, what is planned."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from charts.clusters.choices import (
    GROUP_COLUMNS,
    GROUPS,
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
from charts.clusters.power_figure import linear_ticks
from charts.labels import note
from charts.look import Look
from charts.params import choice, number
from charts.receipt import Receipt, age_note, input_row, looked_up
from charts.registry import Chart, Preset, register
from charts.template import SERIES, new_figure, tokens
from charts.text import as_text
from charts.words import Words
from data.queries import clusters, world
from data.snapshot import Snapshot

OTHERS = "others"


class Params(SelectionParams):
    """What comes online, by whom."""

    by: Literal["owner", "user", "country"] = choice(
        "owner", label="Group", help="what the colours stand for", labels={k: GROUPS[k] for k in ("owner", "user", "country")}
    )
    quantity: QuantityName = quantity()
    quarters: int = number(16, ge=4, le=40, label="Quarters", help="how many quarters up to the last one planned")


def table(params: Params, snapshot: Snapshot) -> pd.DataFrame:
    """Quarter, group, added (sum of rises and falls of its sites' levels in the quarter), planned, sites."""
    rows = clusters.selected(snapshot, params.selection())
    steps = _steps(rows, params)
    facts = source_facts(params, snapshot, rows)
    if steps.empty:
        return with_facts(pd.DataFrame({"quarter": [], "group": [], "added": [], "planned": [], "sites": []}), facts)
    seen = float(steps.loc[~steps["planned"].astype(bool), "rise"].sum())
    steps["quarter"] = steps["online_day"].dt.to_period("Q").astype(str)
    by_group = steps.groupby("group")["rise"].sum().sort_values(ascending=False, kind="stable")
    top = list(by_group.index[:5])
    steps["group"] = steps["group"].where(steps["group"].isin(top), OTHERS)
    out = (
        steps.groupby(["quarter", "group", "planned"], sort=True).agg(added=("rise", "sum"), sites=("cluster_id", "nunique")).reset_index()
    )
    kept = sorted(out["quarter"].unique())[-params.quarters :]
    out = out[out["quarter"].isin(kept)].reset_index(drop=True)
    return with_facts(out, facts | {"top": top, "world": world.coverage(snapshot, params.quantity, seen, snapshot.today)})


def _steps(rows: pd.DataFrame, params: Params) -> pd.DataFrame:
    """Each change of a site's level: how much it rose or fell against its own level before."""
    dated = clusters.levels(rows, params.quantity).sort_values(["cluster_id", "source", "online_day"], kind="stable")
    if params.voices == "all" and len(dated):
        voice = dated.sort_values(["as_of_day", "source"], kind="stable").drop_duplicates("cluster_id", keep="last")
        dated = dated[dated["source"] == dated["cluster_id"].map(voice.set_index("cluster_id")["source"])]
    before = dated.groupby(["cluster_id", "source"])["value"].shift().fillna(0.0)
    group = dated[GROUP_COLUMNS[params.by]].fillna("").replace("", "not stated")
    return dated.assign(rise=dated["value"] - before, group=group)


def words(table: pd.DataFrame, params: Params) -> Words:
    """Finding: the largest quarter seen and the largest planned."""
    q, a = QUANTITIES[params.quantity], facts_of(table)
    if table.empty:
        empty, way_out = nothing(params, a, q.noun)
        return Words(f"Nothing dated comes online in {q.noun}", empty=empty, way_out=way_out, credit=credit(a))
    seen = table[~table["planned"].astype(bool)].groupby("quarter")["added"].sum()
    plan = table[table["planned"].astype(bool)].groupby("quarter")["added"].sum()
    parts = []
    if len(seen):
        parts.append(f"{q.of(seen.max())} came online in {_quarter(str(seen.idxmax()))}, the most so far")
    if len(plan):
        parts.append(f"{q.write(plan.max())} {'are' if parts else 'is'} planned for {_quarter(str(plan.idxmax()))}")
    finding = "; ".join(parts)
    finding = finding[0].upper() + finding[1:]
    subtitle = (
        f"{q.label} added a quarter, {GROUPS[params.by].lower()}, {voice_words(a)}. Filled bars: seen running; hatched: planned. "
        "Falls count below zero." + (f" Only {a['filters']}." if a["filters"] else "")
    )
    year = seen.tail(4).sum()
    alt = f"Stacked bars of {q.noun} added each quarter. {finding}. The last four quarters seen added {q.write(year)}."
    return Words(finding, subtitle, alt, a.get("world", ""), credit(a))


def _quarter(text: str) -> str:
    return f"Q{text[-1]} {text[:4]}"


def figure(table: pd.DataFrame, params: Params, look: Look) -> go.Figure:
    """Stacked bars, owners from the bottom by size; labels of owners at the right."""
    height, t, q = look.height(), tokens(look), QUANTITIES[params.quantity]
    fig = new_figure(look, height_px=height)
    if table.empty:
        return fig
    quarters = [str(p) for p in pd.period_range(table["quarter"].min(), table["quarter"].max(), freq="Q")]
    groups = [*table.attrs["top"], OTHERS]
    up, down = pd.Series(0.0, index=quarters), pd.Series(0.0, index=quarters)
    tones = [t[name] for name in SERIES] + [t["context"]]
    for group, tone in zip(groups, tones if len(groups) == len(tones) else [*tones[: len(groups) - 1], t["context"]]):
        for planned in (False, True):
            own = table[(table["group"] == group) & (table["planned"].astype(bool) == planned)].groupby("quarter")["added"].sum()
            if own.empty:
                continue
            values = own.reindex(quarters)
            drawn = values.fillna(0.0)
            base = up.where(drawn >= 0, down)  # stacked here: falls go below zero, rises above
            up, down = up + drawn.clip(lower=0), down + drawn.clip(upper=0)
            fig.add_bar(
                x=quarters, y=values, base=base, width=0.72, name=group,
                marker={"color": tone if not planned else t["page"], "line": {"color": tone, "width": 1},
                        "pattern": {"shape": "/" if planned else "", "fgcolor": tone, "size": 5, "solidity": 0.35}},
                text=[
                    f"{as_text(group)}, {_quarter(str(k))}: {q.write(v)}{', planned' if planned else ''}" if v == v else ""
                    for k, v in values.items()
                ],
                textposition="none", hovertemplate="%{text}<extra></extra>",
            )  # fmt: skip
    sums = table.assign(up=table["added"].clip(lower=0)).groupby("quarter")["up"].sum()
    falls = table.assign(down=table["added"].clip(upper=0)).groupby("quarter")["down"].sum()
    high, low = float(sums.max()) * 1.12, float(falls.min()) * 1.2
    ticks = linear_ticks(high)
    fig.update_layout(barmode="overlay", margin={"l": 52 if look.phone else 66, "r": 20, "t": 64 if look.phone else 44, "b": 40})
    fig.update_yaxes(range=[low, high], tickvals=ticks, ticktext=[q.write(v) for v in ticks], zeroline=True, zerolinecolor=t["axis"])
    every = max(1, int(np.ceil(len(quarters) / (5 if look.phone else 12))))
    shown = quarters[::every]
    fig.update_xaxes(
        tickvals=shown, ticktext=[f"Q{k[-1]}<br>{k[:4]}" if k[-1] == "1" or k == shown[0] or look.phone else f"Q{k[-1]}" for k in shown]
    )
    _names(fig, table, groups, look)
    return fig


def _names(fig: go.Figure, table: pd.DataFrame, groups: list[str], look: Look) -> None:
    """The groups named in their colours above the bars, in the order they are stacked."""
    t = tokens(look)
    tones = [t[name] for name in SERIES]
    said = [
        f'<span style="color:{tones[i] if g != OTHERS and i < len(tones) else t["mute"]}"><b>{as_text(g, 22)}</b></span>'
        for i, g in enumerate(groups)
        if (table["group"] == g).any()
    ]
    lines = [said[i : i + 3] for i in range(0, len(said), 3)] if look.phone else [said]
    text = "<br>".join("   ".join(line) for line in lines)
    note(fig, look, text, x=0, y=1, xref="paper", yref="paper", xanchor="left", yanchor="bottom", yshift=8)


def receipt(params: Params, snapshot: Snapshot) -> Receipt:
    """The sites that came online in the largest quarter seen."""
    shown = table(params, snapshot)
    if shown.empty:
        return Receipt(assumptions=("No dated row has this quantity.",))
    q = QUANTITIES[params.quantity]
    seen = shown[~shown["planned"].astype(bool)]
    sums = (seen if len(seen) else shown).groupby("quarter")["added"].sum()
    best = str(sums.idxmax())
    steps = _steps(clusters.selected(snapshot, params.selection()), params)
    own = steps[(steps["online_day"].dt.to_period("Q").astype(str) == best) & (~steps["planned"] if len(seen) else steps["planned"])]
    own = own.sort_values("rise", ascending=False, kind="stable")
    line = looked_up(
        f"{q.label} added in {_quarter(best)}", float(sums.max()), q.unit, f"the rises and falls of {own['cluster_id'].nunique()} sites"
    )
    rows = [
        input_row(r, f"{r['name']}: level {q.write(r['value'])}", f"{'+' if r['rise'] >= 0 else ''}{q.write(r['rise'])}")
        for _, r in own.head(12).iterrows()
    ]
    return Receipt(
        (line,),
        rows,
        (
            "Rows are cumulative snapshots, so a quarter's addition is the change of each site's level.",
            "The day is when a source first saw it run.",
        ),
        ("No range is given by the source. Sites outside the source are not counted.", age_note(own["as_of"].tolist(), snapshot.today)),
    )


CHART = register(
    Chart(
        id="clusters.quarters",
        page="clusters",
        title="Coming online by quarter",
        params=Params,
        table=table,
        figure=figure,
        receipt=receipt,
        words=words,
        idle=unheard,
        options=OPTIONS,
        presets=(Preset("by-owner", "Gigawatts a quarter", {}), Preset("by-user", "By user", {"by": "user"})),
        heights=(480, 430),
    )
)
