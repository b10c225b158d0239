"""Power secured at sites: grid connections, plants and contracts beside the power the site is seen or planned to take."""

from __future__ import annotations

import math
from typing import Any, Literal

import pandas as pd
import plotly.graph_objects as go

from charts import numbers
from charts.clusters.choices import facts_of, with_facts
from charts.clusters.power_figure import short_name
from charts.labels import note, text_width
from charts.look import Look
from charts.params import ChartParams, choice
from charts.params import words as text
from charts.receipt import Receipt, age_note, input_row, looked_up
from charts.registry import Chart, Preset, register
from charts.template import new_figure, tokens
from charts.text import as_text
from charts.words import Words
from data.queries import clusters
from data.snapshot import Snapshot

ROW_PX = 30
_FIRM = ("operating", "approved", "permitted", "signed", "under construction", "authorised", "allowed")


class Params(ChartParams):
    """Which sites and projects."""

    which: Literal["sites", "all"] = choice(
        "sites",
        label="Projects",
        help="projects of known clusters, or every project",
        labels={"sites": "Known clusters", "all": "Every project"},
    )
    find: str = text("", label="Find", help="only sites, kinds or partners with these letters", most=80)


def table(params: Params, snapshot: Snapshot) -> pd.DataFrame:
    """One row a power project with megawatts, by site; columns site_power_mw_seen and site_power_mw_planned of its cluster."""
    rows = snapshot.table("power_projects")
    rows = rows[rows["mw"] > 0]
    if params.which == "sites":
        rows = rows[rows["cluster_id"].notna()]
    if word := params.find.casefold().strip():
        every = rows[["site", "kind", "counterparty", "cluster_id"]].fillna("").agg(" ".join, axis=1)
        rows = rows[every.str.casefold().str.contains(word, regex=False)]
    facts = clusters.selected(snapshot, clusters.Selection(voices="newest"))
    today = pd.Timestamp(snapshot.today)
    seen = clusters.latest(facts, "site_power_mw", today).set_index("cluster_id")["value"]
    planned = clusters.latest(facts, "site_power_mw", pd.Timestamp("2100-01-01"), planned=True).set_index("cluster_id")["value"]
    names = clusters.names(snapshot)
    out = rows[
        [
            "cluster_id",
            "site",
            "kind",
            "mw",
            "status",
            "status_date",
            "target_date",
            "counterparty",
            "evidence",
            "source",
            "source_url",
            "as_of",
            "rung",
        ]
    ]
    out = out.assign(
        firm=out["status"].fillna("").map(lambda s: s.startswith(_FIRM)),
        name=[names.get(str(c), s) if c else s for c, s in zip(out["cluster_id"], out["site"])],
        site_power_mw_seen=out["cluster_id"].map(seen),
        site_power_mw_planned=out["cluster_id"].map(planned),
    )
    order = out.groupby("name")["mw"].transform("max")
    out = out.assign(order=order).sort_values(["order", "name", "mw"], ascending=[False, True, False], kind="stable").drop(columns="order")
    return with_facts(out.reset_index(drop=True), {"today": snapshot.today.isoformat(), "sites": int(out["name"].nunique())})


def words(table: pd.DataFrame, params: Params) -> Words:
    """Finding: the largest project that is firm."""
    a = facts_of(table)
    if table.empty:
        return Words(
            "No power project matches",
            empty="No project with these letters has megawatts." if params.find else "No known cluster has a power project.",
            way_out={"find": "", "which": "all"},
        )
    firm = table[table["firm"].astype(bool)].sort_values("mw", ascending=False, kind="stable")
    top = (firm if len(firm) else table).iloc[0]
    finding = f"{numbers.power(top['mw'])} of {top['kind']} for {top['name']} is the largest {'firm ' if len(firm) else ''}project"
    loose = table[~table["firm"].astype(bool)].sort_values("mw", ascending=False, kind="stable")
    if len(firm) and len(loose) and loose.iloc[0]["mw"] > top["mw"]:
        more = loose.iloc[0]
        finding += (
            f"; {numbers.power(more['mw'])} of {more['kind']}{'' if more['name'] == top['name'] else ' for ' + more['name']} is not firm"
        )
    subtitle = (
        f"{len(table)} power projects at {a['sites']} {'site' if a['sites'] == 1 else 'sites'}, log scale. Filled: operating, "
        "permitted, approved or signed; hollow: asked for, announced or claimed. Upright tick: site power seen running; "
        "dotted tick: planned in the end."
    )
    notes = ("Projects of one site overlap (a plant may feed what a contract sells), so they are never added up.",)
    return Words(finding, subtitle, f"{finding}. {len(table)} projects.", "", "Press, filings and companies; source on each row", notes)


def figure(table: pd.DataFrame, params: Params, look: Look) -> go.Figure:
    """One row a site, one mark a project."""
    t = tokens(look)
    sites = list(dict.fromkeys(table["name"]))[: 12 if look.phone else 26] if len(table) else []
    fig = new_figure(look, height_px=look.height() if look.card else max(90 + ROW_PX * len(sites), 200))
    if table.empty:
        return fig
    row_of = {name: i for i, name in enumerate(sites)}
    own = table[table["name"].isin(sites)]
    for column, dash in (("site_power_mw_seen", "solid"), ("site_power_mw_planned", "2px,2px")):
        x: list[Any] = []
        y: list[Any] = []
        for name, value in own.drop_duplicates("name").set_index("name")[column].dropna().items():
            x += [value, value, None]
            y += [row_of[name] - 0.36, row_of[name] + 0.36, None]
        fig.add_scatter(x=x, y=y, mode="lines", line={"color": t["rust"], "width": 2, "dash": dash}, hoverinfo="skip")
    for firm, fill in ((True, t["blue"]), (False, t["page"])):
        part = own[own["firm"].astype(bool) == firm]
        fig.add_scatter(
            x=part["mw"], y=[row_of[n] for n in part["name"]], mode="markers",
            marker={"size": 10, "color": fill, "line": {"color": t["blue"], "width": 1.7}},
            customdata=part["cluster_id"].fillna("").tolist(),
            text=[_hover(r) for _, r in part.iterrows()], hovertemplate="%{text}<extra></extra>",
        )  # fmt: skip
    values = pd.concat([own["mw"], own["site_power_mw_seen"].dropna(), own["site_power_mw_planned"].dropna()])
    low, high = float(values.min()) * 0.75, float(values.max()) * 1.35
    ticks = numbers.log_ticks(low, high, numbers.power, most=4 if look.phone else 8)
    fig.update_xaxes(range=[math.log10(low), math.log10(high)], showgrid=True, gridcolor=t["grid"], **ticks)
    names = [as_text(short_name(n), 16 if look.phone else 36) for n in sites]
    fig.update_yaxes(
        range=[len(sites) - 0.4, -0.6], tickvals=list(range(len(sites))), ticktext=names, tickfont={"size": 12, "color": t["ink"]}
    )
    fig.update_layout(margin={"l": 124 if look.phone else 250, "r": 20, "t": 20, "b": 36})
    if not look.phone:
        per_decade = (look.width_px - 270) / math.log10(high / low)
        for name, part in own.groupby("name", sort=False):
            best = part.sort_values("mw", ascending=False, kind="stable").iloc[0]
            inside = best["mw"] < high / 2.2
            said = as_text(best["kind"], 26)
            ticks_px = [
                per_decade * math.log10(v / best["mw"]) for v in (best["site_power_mw_seen"], best["site_power_mw_planned"]) if v > 0
            ]
            across = [px for px in ticks_px if -2 <= px <= 14 + text_width(said, 11)]
            where = {"xanchor": "left", "xshift": max([10, *(px + 8 for px in across)])} if inside else {"xanchor": "right", "xshift": -10}
            note(fig, look, said, x=math.log10(best["mw"]), y=row_of[str(name)], font_size=11, **where)
    return fig


def _hover(row: pd.Series) -> str:
    parts = [f"{as_text(row['kind'])}, {numbers.power(row['mw'])}: {as_text(row['status'])}"]
    if row["status_date"]:
        parts[0] += f", {numbers.date(row['status_date'])}"
    if row["target_date"]:
        parts.append(f"by {numbers.date(row['target_date'])}")
    if row["counterparty"]:
        parts.append(as_text(row["counterparty"], 60))
    return "<br>".join(parts)


def receipt(params: Params, snapshot: Snapshot) -> Receipt:
    """The projects of the site with the largest."""
    shown = table(params, snapshot)
    if shown.empty:
        return Receipt(assumptions=("No project has megawatts.",))
    first = shown.iloc[0]
    own = shown[shown["name"] == first["name"]]
    line = looked_up(f"{first['kind']}, {first['name']}", float(first["mw"]), "MW", str(first["source"]))
    rows = [input_row(r, f"{r['kind']}: {r['status']}", numbers.power(r["mw"])) for _, r in own.iterrows()]
    return Receipt(
        (line,),
        rows,
        ("Projects of one site overlap and are never added up.",),
        ("No source gives a range.", age_note(own["as_of"].tolist(), snapshot.today)),
    )


CHART = register(
    Chart(
        id="clusters.secured",
        page="clusters",
        title="Power secured by site",
        params=Params,
        table=table,
        figure=figure,
        receipt=receipt,
        words=words,
        presets=(
            Preset("louisiana", "Gas plants in Louisiana", {"find": "hyperion"}, claim="C10"),
            Preset("talen", "Nuclear beside a data centre", {"find": "talen"}, claim="C10"),
            Preset("memphis", "Gas turbines in Memphis", {"find": "colossus"}, claim="C6"),
            Preset("abilene", "Abilene's 2.2 GW", {"find": "abilene"}, claim="C7"),
        ),
        heights=(600, 520),
    )
)
