"""Editions of one source side by side, or a revision of this store: which sites were revised, and by how much."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from charts import numbers
from charts.clusters.choices import QUANTITIES, QuantityName, facts_of, quantity, with_facts
from charts.clusters.power_figure import short_name
from charts.labels import note
from charts.look import Look
from charts.params import ChartParams, number, pick
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
    quantity: QuantityName = quantity()
    rows: int = number(24, ge=1, le=60, label="Rows", help="how many sites are listed, the most revised first")


def options(snapshot: Snapshot) -> dict[str, str]:
    """What can be compared, newest first: revisions of this store, then pairs of editions."""
    pairs = cluster_files.edition_pairs(snapshot)
    editions = {key: f"{clusters.short_source(new)} against {clusters.short_source(old)}" for key, (old, new) in pairs.items()}
    found = cluster_files.revised(snapshot) | editions
    return {"": f"Newest: {next(iter(found.values()))}" if found else "Nothing to compare"} | found


def table(params: Params, snapshot: Snapshot) -> pd.DataFrame:
    """One row a site in both: level before and after (its last level, planned or not), ratio; sites in only one are counted."""
    choices = [key for key in options(snapshot) if key]
    key = params.compare or (choices[0] if choices else "")
    before, after, words_ = _sides(snapshot, key)
    old, new = _last(before, params.quantity), _last(after, params.quantity)
    joined = old.add_suffix("_before").join(new.add_suffix("_after"), how="inner")
    out = pd.DataFrame(
        {
            "cluster_id": joined.index.astype(str),
            "name": joined["name_after"].to_numpy(),
            "before": joined["value_before"].to_numpy(float),
            "after": joined["value_after"].to_numpy(float),
            "as_of_before": joined["as_of_before"].to_numpy(),
            "as_of_after": joined["as_of_after"].to_numpy(),
            "source": joined["source_after"].to_numpy(),
            "source_url": joined["source_url_after"].to_numpy(),
            "rung": joined["rung_after"].to_numpy(),
        }
    )
    out["ratio"] = out["after"] / out["before"]
    out["change"] = out["ratio"] - 1
    order = (
        (out["ratio"].map(lambda r: abs(math.log(r))) if len(out) else pd.Series(dtype=float))
        .sort_values(ascending=False, kind="stable")
        .index
    )
    changed = out[out["change"].abs() > SAME]
    facts = {
        "compare": key,
        "words": words_,
        "sites": len(out),
        "revised": len(changed),
        "lowest": float(changed["change"].min()) if len(changed) else None,
        "highest": float(changed["change"].max()) if len(changed) else None,
        "only_before": sorted(set(old["name"]) - set(new["name"])),
        "only_after": sorted(set(new["name"]) - set(old["name"])),
        "today": snapshot.today.isoformat(),
        "epoch": bool(len(after)) and bool(after["source"].str.startswith("Epoch AI").any()),
    }
    return with_facts(out.loc[order].head(params.rows).reset_index(drop=True), facts)


def _sides(snapshot: Snapshot, key: str) -> tuple[pd.DataFrame, pd.DataFrame, str]:
    """Rows before and after, and their names; ValueError where the store has no such pair."""
    every = clusters.rows(snapshot)
    if key == "":
        return every.iloc[:0], every.iloc[:0], ""
    if key.startswith("rev:"):
        text = key.removeprefix("rev:")
        if not text.isdigit() or not 2 <= int(text) <= snapshot.rev:
            raise ValueError(f"compare={key}: revisions 2 to {snapshot.rev} can be compared with the one before")
        rev = int(text)
        old, new = (snapshot.store.snapshot(r, today=snapshot.today) for r in (rev - 1, rev))
        after = clusters.rows(new)
        touched = set(after.loc[after["row_rev"] == rev, "cluster_id"])
        before = clusters.rows(old)
        return before[before["cluster_id"].isin(touched)], after[after["cluster_id"].isin(touched)], f"revision {rev}|revision {rev - 1}"
    pairs = cluster_files.edition_pairs(snapshot)
    if key not in pairs:
        raise ValueError(
            f"compare={key}: the store has no two such editions; it has {numbers.listed(pairs, 4) or 'one edition of each source'}"
        )
    older, newer = pairs[key]
    said = f"{clusters.short_source(newer)}|{clusters.short_source(older)}"
    return every[every["source"] == older], every[every["source"] == newer], said


def _last(rows: pd.DataFrame, quantity_: str) -> pd.DataFrame:
    """Each cluster's level that is dated last."""
    rows = rows[~rows["fleet"] & (rows["status"] != "superseded")].assign(planned=False)
    dated = clusters.levels(rows, quantity_).sort_values(["online_day", "as_of_day"], kind="stable")
    return dated[dated["value"] > 0].drop_duplicates("cluster_id", keep="last").set_index("cluster_id")


def words(table: pd.DataFrame, params: Params) -> Words:
    """Finding: how many sites were revised, within which range."""
    q, a = QUANTITIES[params.quantity], facts_of(table)
    newer, _, older = a["words"].partition("|")
    credit = f"{newer}, {older}" + (" · Epoch AI, CC BY 4.0" if a["epoch"] else "")
    if table.empty:
        why = "The store holds one edition of each source and no later revision of cluster rows." if not a["compare"] else (
            f"No site has {q.noun} in both {newer} and {older}. {len(a['only_after'])} are new, {len(a['only_before'])} are gone."
        )  # fmt: skip
        return Words("Nothing to compare", empty=why, way_out={"compare": "", "quantity": "chip_count"} if a["compare"] else None)
    if a["revised"]:
        span = f"{100 * a['lowest']:+.0f} %" + (f" to {100 * a['highest']:+.0f} %" if a["revised"] > 1 else "")
        finding = f"{newer} against {older}: {a['revised']} {'site' if a['revised'] == 1 else 'sites'} revised, {span}".replace("-", "−")
    else:
        finding = f"{newer} against {older}: {a['sites']} sites in both, none revised"
    finding = finding[0].upper() + finding[1:]
    subtitle = (
        f"{q.label}, the level dated last, at {a['sites']} sites in both. Hollow: before; filled: after. Log scale, most revised first."
    )
    notes = []
    for names, said in ((a["only_after"], "new"), (a["only_before"], "no longer there")):
        if names:
            notes.append(f"{len(names)} {'site is' if len(names) == 1 else 'sites are'} {said}: {numbers.listed(names, 4)}.")
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
    hover = [f"{as_text(r['name'])}: {q.write(r['before'])} → {q.write(r['after'])}" for _, r in table.iterrows()]
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
    rule = "Compared is each site's level that is dated last, so growth since the older edition counts as change too."
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
        presets=(Preset("newest", "The newest edition", {"quantity": "chip_count"}),),
        heights=(560, 520),
    )
)
