"""Promised against seen: each dated plan beside the day it was reached, late by how many months, or still due."""

from __future__ import annotations

from typing import Any, Literal

import pandas as pd
import plotly.graph_objects as go

from charts import numbers
from charts.clusters.choices import QUANTITIES, QuantityName, facts_of, quantity, with_facts
from charts.clusters.power_figure import short_name
from charts.labels import note
from charts.look import Look
from charts.params import ChartParams, choice, many, number, pick
from charts.params import words as text
from charts.receipt import Receipt, age_note, input_row, looked_up
from charts.registry import Chart, Preset, register
from charts.template import new_figure, tokens
from charts.text import as_text
from charts.words import Words
from data.queries import clusters
from data.queries.promises import promises
from data.snapshot import Snapshot

ROW_PX = 24
_SETTLED = ("early", "on time", "late", "overdue", "due")
_SAID = {outcome: outcome for outcome in (*_SETTLED, "replaced", "not watched")} | {"due": "due, unconfirmed", "open": ""}


class Params(ChartParams):
    """Which promises, and who is asked what was seen."""

    quantity: QuantityName = quantity()
    source: str = pick("", label="Seen by", help="the source that is asked what runs; the first takes the newest edition of the site table")
    show: Literal["all", "settled"] = choice(
        "all",
        label="Show",
        help="all promises, or only those whose day has come",
        labels={"all": "All promises", "settled": "Day has come"},
    )
    owners: tuple[str, ...] = many((), label="Owner", help="only sites of these owners")
    find: str = text("", label="Find", help="only sites whose name has these letters", most=80)
    rows: int = number(24, ge=1, le=60, label="Rows", help="how many promises are listed")


def table(params: Params, snapshot: Snapshot) -> pd.DataFrame:
    """One row a promise, by its day."""
    every = promises(snapshot, params.quantity, params.source)
    if params.owners:
        every = every[every["owner_name"].isin(params.owners)]
    if word := params.find.casefold().strip():
        every = every[every["name"].str.casefold().str.contains(word, regex=False)]
    counts = every["outcome"].value_counts().to_dict()
    shown = every[every["outcome"].isin(_SETTLED)] if params.show == "settled" else every
    witness = params.source or clusters.default_source(snapshot)
    read = clusters.read_to(snapshot, witness)
    reached = every[every["reached_day"].notna()]["slip_months"]
    facts = {
        "witness": clusters.short_source(witness),
        "read_to": None if read is None else read.date().isoformat(),
        "today": snapshot.today.isoformat(),
        "counts": {str(k): int(v) for k, v in counts.items()},
        "promises": len(every),
        "median_slip": float(reached.median()) if len(reached) else None,
        "revisions": int(every["first_rev"].nunique()) if len(every) else 0,
    }
    return with_facts(shown.head(params.rows).drop(columns="owner_name").reset_index(drop=True), facts)


def words(table: pd.DataFrame, params: Params) -> Words:
    """Finding: how many promises are due, kept and late."""
    q, a = QUANTITIES[params.quantity], facts_of(table)
    credit = f"{a['witness']}, read to {numbers.date(a['read_to'])} · CC BY 4.0" if a["witness"].startswith("Epoch AI") else a["witness"]
    if table.empty:
        return Words(
            f"No dated promise of {q.noun}",
            empty=f"No row says beforehand when a level of {q.noun} will be reached"
            + (" and has its day behind it." if params.show == "settled" else "."),
            way_out={"quantity": "power_mw", "show": "all", "owners": (), "find": "", "source": ""},
            credit=credit,
        )
    counts = a["counts"]
    due, late, kept = (
        counts.get("due", 0) + counts.get("overdue", 0),
        counts.get("late", 0),
        counts.get("on time", 0) + counts.get("early", 0),
    )
    parts = []
    if due:
        parts.append(f"{numbers.in_words(due)} {'plan is' if due == 1 else 'plans are'} due but unconfirmed")
    if late or kept:
        reached = f"of {numbers.in_words(late + kept)} reached, {numbers.in_words(late)} {'was' if late == 1 else 'were'} late"
        parts.append(reached if late + kept > 1 else f"the one reached was {'late' if late else 'in time'}")
    finding = "; ".join(parts) or f"None of {a['promises']} plans is due yet"
    finding = finding[0].upper() + finding[1:]
    subtitle = (
        f"Plans of {q.noun} by the day promised; {a['promises']} in all sources and {a['revisions']} "
        f"{'revision' if a['revisions'] == 1 else 'revisions'} of this store. Hollow: promised; filled: first seen at 95 % of it by "
        f"{a['witness']} (read to {numbers.date(a['read_to'])}); line: the slip."
    )
    several = late + kept > 1
    slip = f"{'Median slip of those' if several else 'Slip of the one'} reached: {a['median_slip'] or 0:+.1f} months."
    notes = [slip] if a["median_slip"] is not None else []
    alt = f"{len(table)} promises of {q.noun} by date. {finding}."
    return Words(finding, subtitle, alt, "", credit, tuple(notes))


def figure(table: pd.DataFrame, params: Params, look: Look) -> go.Figure:
    """One row a promise: name and level, the day promised, the day seen, what became of it."""
    t, q = tokens(look), QUANTITIES[params.quantity]
    height = look.height() if look.card else max(90 + ROW_PX * len(table), 170)
    fig = new_figure(look, height_px=height)
    if table.empty:
        return fig
    table = table.assign(promised_day=pd.to_datetime(table["promised_day"]), reached_day=pd.to_datetime(table["reached_day"]))
    today, read = pd.Timestamp(table.attrs["today"]), pd.Timestamp(table.attrs["read_to"] or table.attrs["today"])
    days = [*table["promised_day"], *table["reached_day"].dropna(), today]
    start, end = min(days) - pd.Timedelta(days=60), max(days) + pd.Timedelta(days=60)
    y = list(range(len(table)))
    lines_x, lines_y = [], []
    for i, row in table.iterrows():
        until = (
            row["reached_day"] if pd.notna(row["reached_day"]) else today if row["outcome"] in ("due", "overdue") else row["promised_day"]
        )
        lines_x += [row["promised_day"], until, None]
        lines_y += [i, i, None]
    fig.add_scatter(x=lines_x, y=lines_y, mode="lines", line={"color": t["rust"], "width": 2}, hoverinfo="skip")
    hover = [_hover(r, q) for _, r in table.iterrows()]
    ids = table["cluster_id"].tolist()
    fig.add_scatter(
        x=table["promised_day"], y=y, mode="markers", text=hover, hovertemplate="%{text}<extra></extra>", customdata=ids,
        marker={"size": 9, "color": t["page"], "line": {"color": t["blue"], "width": 1.7}},
    )  # fmt: skip
    seen = table[table["reached_day"].notna()]
    fig.add_scatter(
        x=seen["reached_day"], y=list(seen.index), mode="markers",
        text=[hover[i] for i in seen.index], hovertemplate="%{text}<extra></extra>",
        customdata=[ids[i] for i in seen.index], marker={"size": 9, "color": t["blue"]},
    )  # fmt: skip
    fig.update_layout(
        margin={"l": 150 if look.phone else 330, "r": 84 if look.phone else 150, "t": 44, "b": 28},
        shapes=[
            {"type": "line", "x0": today, "x1": today, "y0": 0, "y1": 1, "yref": "paper", "line": {"color": t["ink"], "width": 1}},
            {
                "type": "line",
                "x0": read,
                "x1": read,
                "y0": 0,
                "y1": 1,
                "yref": "paper",
                "line": {"color": t["mute"], "width": 1, "dash": "2px,3px"},
            },
        ],
    )
    names = [
        f"{as_text(short_name(str(r['name'])), 14 if look.phone else 30)} <b>{q.write(r['promised'])}</b>" for _, r in table.iterrows()
    ]
    fig.update_yaxes(
        range=[len(table) - 0.4, -0.6],
        tickvals=y,
        ticktext=names,
        showgrid=False,
        tickfont={"size": 11 if look.phone else 12, "color": t["ink"]},
    )
    fig.update_xaxes(range=[start, end], dtick="M12", tickformat="%Y", showgrid=True, gridcolor=t["grid"], tickangle=0)
    note(fig, look, "<b>Today</b>", x=today, y=1, yref="paper", yanchor="bottom", yshift=4, font_color=t["ink"])
    for i, row in table.iterrows():
        said = _SAID[row["outcome"]]
        if pd.notna(row["slip_months"]) and said in ("late", "early", "overdue"):
            said = f"{said} {abs(row['slip_months']):.0f} mo"
        if said:
            tone = t["rust"] if row["outcome"] in ("late", "overdue", "due") else t["mute"]
            short = said.replace(", unconfirmed", "") if look.phone else said
            note(fig, look, short, x=1, xref="paper", y=i, xanchor="left", xshift=8, font={"size": 11 if look.phone else 12, "color": tone})
    return fig


def _hover(row: pd.Series, q: Any) -> str:
    said = f"{as_text(row['name'])}, {as_text(row['phase'])}: {q.write(row['promised'])} by {numbers.date(row['promised_day'].date())}"
    said += f"<br>said {numbers.date(row['said_on'])} by {as_text(clusters.short_source(row['promised_by']))}"
    seen = f"seen {numbers.date(row['reached_day'].date())}" if pd.notna(row["reached_day"]) else f"seen now: {q.write(row['seen_now'])}"
    return f"{said}<br>{seen}"


def receipt(params: Params, snapshot: Snapshot) -> Receipt:
    """The promises whose day has come, each with who made it."""
    shown = table(params, snapshot)
    if shown.empty:
        return Receipt(assumptions=("No promise has a day.",))
    q, a = QUANTITIES[params.quantity], shown.attrs
    settled = shown[shown["outcome"].isin(_SETTLED)]
    rows = [
        input_row(
            r,
            f"{r['name']}, by {numbers.date(pd.Timestamp(r['promised_day']))}: {r['outcome']}",
            q.write(r["promised"]),
            source="promised_by",
            as_of="said_on",
        )
        for _, r in (settled if len(settled) else shown).head(12).iterrows()
    ]
    lines = []
    if a["median_slip"] is not None:
        lines.append(looked_up("Median slip", round(a["median_slip"], 1), "months", "promises that were reached"))
    rules = (
        "A promise is a level with a day, said before that day. It is reached when the source first sees at least 95 % of it.",
        "Within a month of its day counts as on time. A day given as a month or year is its last day.",
    )
    errors = (
        f"What happened after {numbers.date(a['read_to'])} is not known to {a['witness']}: such plans are due, not late.",
        age_note(shown["said_on"].tolist(), snapshot.today),
    )
    return Receipt(lines, rows, rules, errors)


CHART = register(
    Chart(
        id="clusters.promised",
        page="clusters",
        title="Promised against seen",
        params=Params,
        table=table,
        figure=figure,
        receipt=receipt,
        words=words,
        options={"source": clusters.sources, "owners": lambda snapshot: clusters.values_of(snapshot, "owners")},
        presets=(
            Preset("power", "IT power promised", {}),
            Preset("settled", "Only those due", {"show": "settled"}),
            Preset("abilene", "Abilene's promises", {"find": "abilene", "quantity": "chip_count"}, claim="C7"),
        ),
        heights=(680, 680),
    )
)
