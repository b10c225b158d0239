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
from data.snapshot import Snapshot, earliest_day

MOST_LINES = 80
EVENT_KINDS = ("cluster online", "cluster announced", "power", "incident")


class Params(SelectionParams):
    """What to add up, by what, from whom."""

    by: Literal["site", "owner", "user", "country", "chip"] = choice("site", label="Group", help="what each line stands for", labels=GROUPS)
    quantity: QuantityName = quantity()
    lines: int = number(11, ge=1, le=40, label="Lines named", help="how many lines are named; the rest is pale context")
    log: bool = flag(True, label="Log scale", help="logarithmic or linear axis")
    claims: bool = flag(True, label="Claims", help="show what other voices claim about sites as hollow diamonds")
    events: bool = flag(False, label="Events", help="mark dated events of clusters and their power")


def table(params: Params, snapshot: Snapshot) -> pd.DataFrame:
    """Levels by line and day: line, group, day, value, planned, and of sites the row's facts; attrs hold days, claims and events."""
    rows = clusters.selected(snapshot, params.selection())
    facts = source_facts(params, snapshot, rows)
    dated = clusters.levels(rows, params.quantity, per_chip=params.by == "chip")
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
    out = out[out["line"].isin(kept)].reset_index(drop=True)
    return with_facts(out, facts)


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
    column = GROUP_COLUMNS[params.by]
    dated = dated.assign(group=dated[column].fillna("").replace("", "not stated").astype(str))
    # A site's level belongs, from each of its own days on, to the groups told that day and to no other.
    level = dated.pivot_table(index="online_day", columns=["cluster_id", "group"], values="value", aggfunc="sum").sort_index()
    told = level.T.groupby(level="cluster_id").transform(lambda v: v.notna().any()).T
    level = level.where(level.notna() | ~told, 0.0).ffill().fillna(0.0)
    sums, sites = level.T.groupby(level="group").sum().T, (level > 0).T.groupby(level="group").sum().T
    changed = dated.groupby(["group", "online_day"])["planned"].max()
    parts = []
    for name in sums:
        own = sums[name]
        index = own.index[own.ne(own.shift()) & (own.ne(0) | own.cummax().gt(0))]
        planned = [bool(changed.get((name, d), False)) for d in index]
        parts.append(
            pd.DataFrame(
                {
                    "line": str(name),
                    "group": str(name),
                    "day": index,
                    "value": own.loc[index].to_numpy(),
                    "planned": np.maximum.accumulate(np.array(planned, dtype=bool)) if planned else [],
                    "sites": sites[name].loc[index].to_numpy(),
                }
            )
        )
    return pd.concat(parts, ignore_index=True) if parts else empty


def _claims(snapshot: Snapshot, params: Params) -> list[dict[str, Any]]:
    """What other voices claim about sites that run: chips of several kinds added up, one mark a telling."""
    rows = clusters.rows(snapshot)
    mine = params.source or clusters.default_source(snapshot)
    own = rows[(rows["rung"] == "claim") & (rows["source"] != mine) & ~rows["fleet"] & (rows["status"] != "superseded")]
    own = own[own["status"].ne("claimed") & own[params.quantity].notna()]
    own = own.assign(day=own["online_day"].fillna(own["as_of_day"])).dropna(subset=["day"])
    own = own[own["day"] <= pd.Timestamp(snapshot.today)]
    if params.find or params.owners or params.users or params.countries:
        narrow = params.selection()
        wide = clusters.Selection(voices="all", owners=narrow.owners, users=narrow.users, countries=narrow.countries, find=narrow.find)
        own = own[own["cluster_id"].isin(clusters.selected(snapshot, wide)["cluster_id"])]
    told = own.groupby(["cluster_id", "name", "phase", "day", "source"], sort=True)[params.quantity].sum(min_count=1).reset_index()
    return [
        {"name": r["name"], "day": r["day"].date().isoformat(), "value": float(r[params.quantity]), "source": r["source"]}
        for _, r in told.sort_values(["day", "cluster_id"], kind="stable").iterrows()
    ]


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
        + ("; hollow diamonds: claims by one voice." if a["claims"] else ".")
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
