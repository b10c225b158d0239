"""Editions of one source side by side, or a revision of this store: which sites were revised, and by how much."""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from charts import numbers
from charts.clusters.choices import QUANTITIES, QuantityName, facts_of, quantity, with_facts
from charts.clusters.power_figure import short_name
from charts.labels import note
from charts.look import Look
from charts.params import ChartParams, choice, number, pick
from charts.receipt import Receipt, age_note, input_row, looked_up
from charts.registry import Chart, Preset, register
from charts.template import new_figure, tokens
from charts.text import as_text
from charts.words import Words
from data.queries import cluster_files, clusters
from data.snapshot import Snapshot

ROW_PX = 26
SAME = 0.005  # a change of less than half a percent is rounding


class Params(ChartParams):
    """What is compared."""

    compare: str = pick("", label="Compare", help="two editions of a source, or a revision with the one before; empty takes the newest")
    quantity: QuantityName = quantity("site_power_mw")
    at: Literal["shared", "last"] = choice(
        "shared",
        label="Level",
        help="of two editions: what both say of the day the older one was read to, or the level each dates last",
        labels={"shared": "On the same day", "last": "Dated last, plans too"},
    )
    rows: int = number(24, ge=1, le=60, label="Rows", help="how many sites are listed, the most revised first")


def options(snapshot: Snapshot) -> dict[str, str]:
    """What can be compared: neighbouring editions of a source, the newest pair first, then revisions of this store."""
    pairs = cluster_files.edition_pairs(snapshot)
    editions = {key: " against ".join(_named(new, old)) for key, (old, new) in pairs.items()}
    found = editions | cluster_files.revised(snapshot)
    return {"": f"Newest: {next(iter(found.values()))}" if found else "Nothing to compare"} | found


def table(params: Params, snapshot: Snapshot) -> pd.DataFrame:
    """One row a site in both: level before and after, the day each was dated, ratio; sites in only one are counted."""
    key = params.compare or next((key for key in options(snapshot) if key), "")
    before, after, words_, day = _sides(snapshot, key)
    until = day if params.at == "shared" else None
    old, new = _level(before, params.quantity, until), _level(after, params.quantity, until)
    joined = old.add_suffix("_before").join(new.add_suffix("_after"), how="inner")
    out = pd.DataFrame(
        {
            "cluster_id": joined.index.astype(str),
            "name": joined["name_after"].to_numpy(),
            "before": joined["value_before"].to_numpy(float),
            "after": joined["value_after"].to_numpy(float),
            "day_before": joined["online_day_before"].to_numpy(),
            "day_after": joined["online_day_after"].to_numpy(),
            "as_of_before": joined["as_of_before"].to_numpy(),
            "as_of_after": joined["as_of_after"].to_numpy(),
            "source": joined["source_after"].to_numpy(),
            "source_url": joined["source_url_after"].to_numpy(),
            "rung": joined["rung_after"].to_numpy(),
        }
    )
    out["ratio"] = out["after"] / out["before"]
    out["change"] = out["ratio"] - 1
    order = np.argsort(-np.abs(np.log(out["ratio"].to_numpy(float))), kind="stable")
    changed = out[out["change"].abs() > SAME]
    facts = {
        "compare": key,
        "words": words_,
        "day": None if until is None else until.date().isoformat(),
        "sites": len(out),
        "revised": len(changed),
        "lowest": float(changed["change"].min()) if len(changed) else None,
        "highest": float(changed["change"].max()) if len(changed) else None,
        "only_before": list(_some(set(old["name"]) - set(new["name"]))),
        "only_after": list(_some(set(new["name"]) - set(old["name"]))),
        "elsewhere": "" if len(out) else _elsewhere(before, after, until),
        "today": snapshot.today.isoformat(),
        "epoch": bool(len(after)) and bool(after["source"].str.startswith("Epoch AI").any()),
    }
    return with_facts(out.iloc[order].head(params.rows).reset_index(drop=True), facts)


def _some(names: set[str]) -> tuple[int, str]:
    """How many names there are, and the first of them in words."""
    return len(names), numbers.listed(sorted(names), 4)


def _elsewhere(before: pd.DataFrame, after: pd.DataFrame, until: pd.Timestamp | None) -> str:
    """The quantity most sites have in both, "" where none has any."""
    shared = {q: len(_level(before, q, until).index.intersection(_level(after, q, until).index)) for q in QUANTITIES}
    best = max(shared, key=lambda q: shared[q])
    return best if shared[best] else ""


def _named(newer: str, older: str) -> tuple[str, str]:
    """Names of two editions, the older one by what sets it apart: "TOP500 list, June 2025" and "November 2024"."""
    new, old, shared = clusters.short_source(newer), clusters.short_source(older), clusters.family(newer)
    apart = old.removeprefix(shared).strip(" ,()")
    return new, apart if old.startswith(shared) and apart else old


def _sides(snapshot: Snapshot, key: str) -> tuple[pd.DataFrame, pd.DataFrame, str, pd.Timestamp | None]:
    """Rows before and after, their names, and the day both know; ValueError where the store has no such pair."""
    every = clusters.rows(snapshot)
    if key == "":
        return every.iloc[:0], every.iloc[:0], "", None
    if key.startswith("rev:"):
        text = key.removeprefix("rev:")
        if not text.isdigit() or not 2 <= int(text) <= snapshot.rev:
            raise ValueError(f"compare={key}: revisions 2 to {snapshot.rev} can be compared with the one before")
        rev = int(text)
        old, new = (snapshot.store.snapshot(r, today=snapshot.today) for r in (rev - 1, rev))
        after = clusters.rows(new)
        touched = set(after.loc[after["row_rev"] == rev, "cluster_id"])
        before = clusters.rows(old)
        return (
            before[before["cluster_id"].isin(touched)],
            after[after["cluster_id"].isin(touched)],
            f"revision {rev}|revision {rev - 1}",
            None,
        )
    pairs = cluster_files.edition_pairs(snapshot)
    if key not in pairs:
        raise ValueError(
            f"compare={key}: the store has no two such editions; it has {numbers.listed(pairs, 4) or 'one edition of each source'}"
        )
    older, newer = pairs[key]
    before = every[every["source"] == older]
    return before, every[every["source"] == newer], "|".join(_named(newer, older)), before["as_of_day"].max()


def _level(rows: pd.DataFrame, quantity_: str, until: pd.Timestamp | None) -> pd.DataFrame:
    """Each cluster's level that is dated last, by a day where one is given; what has no date of its own holds when it is said."""
    rows = rows[~rows["fleet"] & (rows["status"] != "superseded")].assign(planned=False)
    dated = clusters.levels(rows.assign(online_day=rows["online_day"].fillna(rows["as_of_day"])), quantity_)
    dated = dated[(dated["value"] > 0) & (True if until is None else dated["online_day"] <= until)]
    dated = dated.sort_values(["online_day", "as_of_day"], kind="stable")
    return dated.drop_duplicates("cluster_id", keep="last").set_index("cluster_id")


def words(table: pd.DataFrame, params: Params) -> Words:
    """Finding: how many sites were revised, within which range."""
    q, a = QUANTITIES[params.quantity], facts_of(table)
    newer, _, older = a["words"].partition("|")
    credit = f"{newer}, {older}" + (" · Epoch AI, CC BY 4.0" if a["epoch"] else "")
    if table.empty:
        why = "The store holds one edition of each source and no later revision of cluster rows." if not a["compare"] else (
            f"No site has {q.noun} in both {newer} and {older}"
            + (f", but some have {QUANTITIES[a['elsewhere']].noun}." if a["elsewhere"] else ".")
        )  # fmt: skip
        out = {"quantity": a["elsewhere"]} if a["elsewhere"] else {"compare": ""} if params.compare else None
        return Words("Nothing to compare", empty=why, way_out=out)
    if a["revised"]:
        span = f"{100 * a['lowest']:+.0f} %" + (f" to {100 * a['highest']:+.0f} %" if a["revised"] > 1 else "")
        finding = f"{newer} against {older}: {a['revised']} {'site' if a['revised'] == 1 else 'sites'} revised, {span}".replace("-", "−")
    else:
        finding = f"{newer} against {older}: {a['sites']} sites in both, none revised"
    finding = finding[0].upper() + finding[1:]
    level = f"what each says of {numbers.date(a['day'])}" if a["day"] else "the level each dates last"
    subtitle = f"{q.label}, {level}, at {a['sites']} sites in both. Hollow: before; filled: after. Log scale, most revised first."
    notes = []
    for (count, names), said in ((a["only_after"], "new"), (a["only_before"], "no longer there")):
        if count:
            when = " by that day" if a["day"] else ""
            notes.append(f"{count:,} {'site is' if count == 1 else 'sites are'} {said}{when}: {names}.")
    return Words(finding, subtitle, f"{finding}.", "", credit, tuple(notes))


def figure(table: pd.DataFrame, params: Params, look: Look) -> go.Figure:
    """One row a site: before, after, and the change."""
    t, q = tokens(look), QUANTITIES[params.quantity]
    fig = new_figure(look, height_px=look.height() if look.card else max(90 + ROW_PX * len(table), 170))
    if table.empty:
        return fig
    y = list(range(len(table)))
    lines_x: list[Any] = []
    lines_y: list[Any] = []
    for i, (a, b) in enumerate(zip(table["before"], table["after"])):
        lines_x += [a, b, None]
        lines_y += [i, i, None]
    fig.add_scatter(x=lines_x, y=lines_y, mode="lines", line={"color": t["mute"], "width": 1.6}, hoverinfo="skip")
    hover = [
        f"{as_text(r['name'])}: {q.write(r['before'])} ({numbers.date(r['day_before'])}) → {q.write(r['after'])} "
        f"({numbers.date(r['day_after'])})"
        for _, r in table.iterrows()
    ]
    for column, fill in (("before", t["page"]), ("after", t["blue"])):
        marker = {"size": 9, "color": fill, "line": {"color": t["blue"], "width": 1.7}}
        ids = table["cluster_id"].tolist()
        fig.add_scatter(
            x=table[column], y=y, mode="markers", marker=marker, text=hover, customdata=ids, hovertemplate="%{text}<extra></extra>"
        )
    low, high = float(table[["before", "after"]].min().min()) * 0.8, float(table[["before", "after"]].max().max()) * 1.25
    fig.update_xaxes(
        range=[math.log10(low), math.log10(high)],
        showgrid=True,
        gridcolor=t["grid"],
        **numbers.log_ticks(low, high, q.write, most=3 if look.phone else 7),
    )
    names = [as_text(short_name(str(n)), 16 if look.phone else 34) for n in table["name"]]
    fig.update_yaxes(range=[len(table) - 0.4, -0.6], tickvals=y, ticktext=names, showgrid=False, tickfont={"size": 12, "color": t["ink"]})
    fig.update_layout(margin={"l": 120 if look.phone else 230, "r": 60 if look.phone else 90, "t": 20, "b": 36})
    for i, change in enumerate(table["change"]):
        text = f"{100 * change:+.0f} %".replace("-", "−") if abs(change) > SAME else "same"
        note(fig, look, text, x=1, xref="paper", y=i, xanchor="left", xshift=8, font_color=t["ink"] if abs(change) > SAME else t["mute"])
    return fig


def receipt(params: Params, snapshot: Snapshot) -> Receipt:
    """The rows after the change, most revised first."""
    shown = table(params, snapshot)
    if shown.empty:
        return Receipt(assumptions=("Nothing is compared.",))
    q, first = QUANTITIES[params.quantity], shown.iloc[0]
    line = looked_up(
        f"Change of {first['name']}",
        round(100 * float(first["change"]), 1),
        "%",
        f"{q.write(first['before'])} before, {q.write(first['after'])} after",
    )
    rows = [
        input_row(r, f"{r['name']}: was {q.write(r['before'])}", q.write(r["after"]), as_of="as_of_after")
        for _, r in shown.head(12).iterrows()
    ]
    rule = (
        f"Compared is what each edition says of {numbers.date(shown.attrs['day'])}, the day the older one was read to; plans stay out."
        if shown.attrs["day"]
        else "Compared is each site's level that is dated last, plans too, so growth since the older edition counts as change."
    )
    return Receipt((line,), rows, (rule,), (age_note(shown["as_of_after"].tolist(), snapshot.today),))


CHART = register(
    Chart(
        id="clusters.editions",
        page="clusters",
        title="Editions side by side",
        params=Params,
        table=table,
        figure=figure,
        receipt=receipt,
        words=words,
        options={"compare": options},
        presets=(
            Preset("newest", "The newest edition", {}),
            Preset("plans", "Plans, edition against edition", {"at": "last", "quantity": "h100e"}),
        ),
        heights=(560, 520),
    )
)
