"""Power, chips, H100 equivalents or capital online over time, by site, user, owner, country or chip."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pandas as pd

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
from charts.clusters.power_figure import figure
from charts.clusters.power_receipt import receipt_of
from charts.params import choice, flag, number
from charts.receipt import Receipt
from charts.registry import Chart, Preset, register
from charts.words import Words
from data.queries import clusters, world
from data.queries.kept import per_revision
from data.snapshot import Snapshot, earliest_day

MOST_LINES = 60
MOST_STEPS = 900
MOST_CLAIMS = 60
EVENT_KINDS = ("cluster online", "cluster announced", "power", "incident")


class Params(SelectionParams):
    """What to add up, by what, from whom."""

    by: Literal["site", "owner", "user", "country", "chip"] = choice("site", label="Group", help="what each line stands for", labels=GROUPS)
    quantity: QuantityName = quantity()
    lines: int = number(11, ge=1, le=40, label="Lines named", help="how many lines are named; the rest is pale context")
    log: bool = flag(True, label="Log scale", help="logarithmic or linear axis")
    claims: bool = flag(True, label="Claims", help="show what other voices claim about sites as hollow diamonds")
    events: bool = flag(True, label="Events", help="mark dated events of clusters and their power, quietly")


def table(params: Params, snapshot: Snapshot) -> pd.DataFrame:
    """Levels by line and day: line, group, day, value, planned, and of sites the row's facts; attrs hold days, claims and events."""
    rows = clusters.selected(snapshot, params.selection())
    facts = source_facts(params, snapshot, rows)
    dated = clusters.dated(snapshot, params.selection(), params.quantity, params.by == "chip")
    out = _sites(dated, params) if params.by == "site" else _groups(dated, params)
    seen = out[~out["planned"].astype(bool)].drop_duplicates("line", keep="last")
    total = float(seen["value"].sum()) if params.voices != "all" or params.by != "site" else 0.0
    peak = out.groupby("line")["value"].max().sort_values(ascending=False, kind="stable")
    kept = list(peak.index[: max(MOST_LINES, params.lines)])
    facts |= {
        "quantity": params.quantity,
        "lines": len(peak),
        "sites": int(dated["cluster_id"].nunique()),
        "total": total,
        "seen": {str(n): float(v) for n, v in seen.set_index("line")["value"].sort_values(ascending=False).head(12).items()},
        "seen_lines": len(seen),
        "undated": int(rows.loc[~rows["cluster_id"].isin(dated["cluster_id"]), "cluster_id"].nunique()),
        "claims": _claims(snapshot, params) if params.claims and params.by == "site" else [],
        "events": _events(snapshot, out) if params.events else [],
        "world": world.coverage(snapshot, params.quantity, total, snapshot.today),
    }
    out, period = _thinned(out[out["line"].isin(kept)].reset_index(drop=True))
    return with_facts(out, facts | {"period": period})


def _thinned(steps: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """Steps as they are where there are few, else each line's last step in a month, quarter or year; and which."""
    for period, word in (("M", "month"), ("Q", "quarter"), ("Y", "year")):
        if len(steps) <= MOST_STEPS:
            break
        when = pd.to_datetime(steps["day"]).dt.to_period(period)
        steps = steps[~steps.assign(when=when).duplicated(["line", "planned", "when"], keep="last")].reset_index(drop=True)
        if len(steps) <= MOST_STEPS or period == "Y":
            return steps, word
    return steps, ""


def _sites(dated: pd.DataFrame, params: Params) -> pd.DataFrame:
    """One line a site, or a site and source where all voices are heard."""
    name = dated["name"].fillna(dated["cluster_id"]).astype(object)
    same = dated.assign(line=name).groupby("line")["cluster_id"].transform("nunique") > 1 if len(dated) else name.eq("")
    line = name.where(~same, name + " (" + dated["cluster_id"] + ")")
    if params.voices == "all":
        line = line + " · " + dated["source"].map(clusters.short_source)
    columns: dict[str, Any] = {"line": line, "group": dated["user_name"], "day": dated["online_day"], "value": dated["value"]}
    kept = ["planned", "cluster_id", "phase", "status", "chip_id", "source", "as_of", "rung"]
    out = pd.DataFrame(columns | {c: dated[c] for c in kept if c in dated})
    if "planned" not in out:
        out["planned"] = False
    return out.sort_values(["line", "day"], kind="stable", ignore_index=True)


def _groups(dated: pd.DataFrame, params: Params) -> pd.DataFrame:
    """Sum over sites of each group's level at every day one of them changes; a site speaks through its newest voice."""
    empty = pd.DataFrame({"line": [], "group": [], "day": pd.to_datetime([]), "value": [], "planned": pd.Series(dtype=bool), "sites": []})
    if dated.empty:
        return empty
    if params.voices == "all":
        voice = dated.sort_values(["as_of_day", "source"], kind="stable").drop_duplicates("cluster_id", keep="last")
        dated = dated[dated["source"] == dated["cluster_id"].map(voice.set_index("cluster_id")["source"])]
    group = dated[GROUP_COLUMNS[params.by]].fillna("").replace("", "not stated").astype(str)
    site = ["cluster_id", "online_day", "group"]
    told = dated.assign(group=group).groupby(site, as_index=False).agg(value=("value", "sum"), planned=("planned", "max"))
    # A site's level belongs, from each of its own days on, to the groups told that day and to no other.
    grid = told[site[:2]].drop_duplicates().merge(told[["cluster_id", "group"]].drop_duplicates(), on="cluster_id")
    grid = grid.merge(told, on=site, how="left").sort_values(["cluster_id", "group", "online_day"], kind="stable")
    level = grid["value"].fillna(0.0)
    before = level.groupby([grid["cluster_id"], grid["group"]], sort=False).shift().fillna(0.0)
    grid = grid.assign(rise=level - before, more=(level > 0).astype(int) - (before > 0).astype(int), planned=grid["planned"].eq(True))
    change = grid.groupby(["group", "online_day"], as_index=False).agg(
        rise=("rise", "sum"), more=("more", "sum"), planned=("planned", "max")
    )
    added = change.groupby("group", sort=False)
    change = change.assign(value=added["rise"].cumsum().round(6), sites=added["more"].cumsum())  # rounded: rises and falls cancel exactly
    change = change[change["rise"].abs() > 1e-6]
    planned = change.groupby("group", sort=False)["planned"].cummax()
    line = change["group"]
    out = {"line": line, "group": line, "day": change["online_day"], "value": change["value"], "planned": planned, "sites": change["sites"]}
    return pd.DataFrame(out).reset_index(drop=True)


def _claims(snapshot: Snapshot, params: Params) -> list[dict[str, Any]]:
    """What other voices claim about sites that run, up to today."""
    told = _told(snapshot, params.source or clusters.default_source(snapshot), params.quantity)
    told = told[told["day"] <= pd.Timestamp(snapshot.today)]
    if params.find or params.owners or params.users or params.countries:
        narrow = params.selection()
        wide = clusters.Selection(voices="all", owners=narrow.owners, users=narrow.users, countries=narrow.countries, find=narrow.find)
        told = told[told["cluster_id"].isin(clusters.selected(snapshot, wide)["cluster_id"])]
    own = told.tail(MOST_CLAIMS)[["name", "day", "value", "source"]]
    return [
        {"name": name, "day": day.date().isoformat(), "value": float(value), "source": source}
        for name, day, value, source in own.itertuples(index=False)
    ]


@per_revision
def _told(snapshot: Snapshot, witness: str, quantity: str) -> pd.DataFrame:
    """Claims of all but one voice by day: chips of several kinds added up, one row a telling."""
    rows = clusters.rows(snapshot)
    own = rows[(rows["rung"] == "claim") & (rows["source"] != witness) & ~rows["fleet"] & (rows["status"] != "superseded")]
    own = own[own["status"].ne("claimed") & own[quantity].notna()]
    own = own.assign(day=own["online_day"].fillna(own["as_of_day"])).dropna(subset=["day"])
    told = own.groupby(["cluster_id", "name", "phase", "day", "source"], sort=True)[quantity].sum(min_count=1).rename("value").reset_index()
    return told.sort_values(["day", "cluster_id"], kind="stable")


def _events(snapshot: Snapshot, drawn: pd.DataFrame) -> list[dict[str, str]]:
    """Dated events of clusters within the days drawn, newest last, at most twelve."""
    events = snapshot.table("events")
    own = events[(events["subject"] == "clusters") & events["kind"].isin(EVENT_KINDS)]
    own = own.assign(day=earliest_day(own["date"])).dropna(subset=["day"]).sort_values("day", kind="stable")
    if len(drawn):
        own = own[own["day"] >= drawn["day"].min()]
    return [
        {"day": r["day"].date().isoformat(), "text": r["text"], "kind": r["kind"], "source": r["source"]}
        for _, r in own.tail(12).iterrows()
    ]


def words(table: pd.DataFrame, params: Params) -> Words:
    """Finding, subtitle, alt text and coverage, from the table alone."""
    q, a = QUANTITIES[params.quantity], facts_of(table)
    if table.empty:
        undated = f"{a['undated']} sites are named without a date." if a["undated"] else ""
        empty, way_out = nothing(params, a, q.noun, undated)
        return Words(finding=f"No dated {q.noun} to draw", empty=empty, way_out=way_out, credit=credit(a))
    finding = _finding(table, params)
    named = min(params.lines, a["lines"])
    subtitle = (
        f"{q.label} online, {GROUPS[params.by].lower()}, {'log' if params.log else 'linear'} scale. {a['lines']} {KINDS[params.by]} "
        f"{voice_words(a)}{'; the ' + str(named) + ' largest named' if named < a['lines'] else ''}"
        + (f"; only {a['filters']}. " if a["filters"] else ". ")
        + (f"Solid line: seen up to {numbers.date(a['read_to'])}; dashed: planned" if a["read_to"] else "Dashed line: planned")
        + ("; hollow diamonds: claims by one voice" if a["claims"] else "")
        + ("; triangles: dated events." if a["events"] else ".")
    )
    notes = []
    if a["read_to"]:
        due = table[table["planned"] & (table["day"] <= pd.Timestamp(a["today"]))]
        if len(due):
            sites = sorted(set(due["line"]))
            count = f"{numbers.in_words(len(sites)).capitalize()} {'line has' if len(sites) == 1 else 'lines have'}"
            notes.append(f"{count} plans due by today but unconfirmed: {numbers.listed(sites, 5)}.")
    if params.voices == "all" and params.by != "site":
        notes.append("Sums take each site's newest voice, so that no site counts twice.")
    if a.get("period"):
        notes.append(f"Of the steps of a {a['period']} only the last is drawn.")
    if a["lines"] > MOST_LINES:
        notes.append(f"The {MOST_LINES} largest of {a['lines']:,} lines are drawn; totals count all.")
    top = numbers.listed([f"{n} {q.write(v)}" for n, v in list(a["seen"].items())[:3]])
    alt = f"Step lines of {q.noun} {GROUPS[params.by].lower()}. " + (f"Largest seen: {top}. " if top else "") + f"{finding}."
    return Words(finding, subtitle, alt, a["world"], credit(a), tuple(notes))


def _finding(table: pd.DataFrame, params: Params) -> str:
    """The title: what runs now, and what is planned beyond it."""
    q, a = QUANTITIES[params.quantity], facts_of(table)
    seen, peak = pd.Series(a["seen"], dtype=float), table.groupby("line")["value"].max()
    if seen.empty:
        return f"Nothing is seen running yet; the largest plan is {peak.idxmax()} with {q.write(peak.max())}"
    if params.by != "site" or params.voices == "all":
        share = f", {seen.iloc[0] / a['total']:.0%}".replace("%", " %") + " of what is seen" if a["total"] and a["seen_lines"] > 1 else ""
        return f"{seen.index[0]} leads with {q.write(seen.iloc[0])}{share}"
    mark = _round_down(float(seen.iloc[min(1, len(seen) - 1)]))
    above = int((seen >= mark).sum())
    more = int((peak >= 2 * mark).sum())
    running = f"{numbers.in_words(above).capitalize()} {'site runs' if above == 1 else 'sites run'} at least {q.of(mark)}"
    target = mark if more == 0 else _round_down(float(peak.sort_values(ascending=False).iloc[min(6, len(peak) - 1)]))
    reach = int((peak >= target).sum())
    if target <= mark or not reach or not table["planned"].any():
        return running
    end = table.loc[table["value"] >= target].groupby("line")["day"].min().max().year
    return f"{running}; {numbers.in_words(reach)} {'plans' if reach == 1 else 'plan'} to reach {q.write(target)} by the end of {end}"


def _round_down(value: float) -> float:
    """The nearest round figure below, to one digit."""
    step = 10 ** np.floor(np.log10(value))
    return float(np.floor(value / step) * step)


def receipt(params: Params, snapshot: Snapshot) -> Receipt:
    """How the largest level seen comes about."""
    return receipt_of(table(params, snapshot), params, snapshot)


CHART = register(
    Chart(
        id="clusters.power",
        page="clusters",
        title="Online over time",
        params=Params,
        table=table,
        figure=figure,
        receipt=receipt,
        words=words,
        idle=unheard,
        options=OPTIONS,
        presets=(
            Preset("by-site", "IT power by site", {}),
            Preset("by-user", "By user", {"by": "user"}),
            Preset("google", "Google, all sites", {"owners": ("Google",)}, claim="C9"),
            Preset("h100e", "H100 equivalents by user", {"by": "user", "quantity": "h100e"}),
            Preset("next", "Chips planned by site", {"quantity": "chip_count", "voices": "newest"}, claim="C16"),
            Preset("gigawatts", "Louisiana and its rivals", {"lines": 6, "log": False}, claim="C10"),
        ),
    )
)
