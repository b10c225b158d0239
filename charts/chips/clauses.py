"""Chip by clause: which rules in force on a day each chip meets, and the outcome of all together."""

from __future__ import annotations

import datetime
import re
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from analytics.chips.explain import in_words, status_words, unknown_words
from analytics.chips.facts import chip_facts
from charts import numbers
from charts.chips import NOT_ADVICE, OUTCOME_WORDS
from charts.look import Look
from charts.params import ChartParams, choice, day, flag, many
from charts.receipt import Receipt, input_row, looked_up
from charts.registry import Chart, Preset, register
from charts.template import new_figure, tokens
from charts.text import as_text
from charts.words import Words
from data.queries import chips
from data.queries.chips import DESTINATIONS, Destination
from data.snapshot import Snapshot

DEFAULT = (
    "a100-sxm-80", "a800-sxm-80", "h100-sxm", "h800-sxm", "h20", "h200-sxm", "b200", "b30a", "l40s", "l20", "l4", "l2",
    "rtx4090", "rtx4090d", "rtx5090d", "mi300x", "mi308x", "gaudi3-hl328", "ascend-910c",
)  # fmt: skip
_LIFT = ("exclusion", "exception")
# What a phone's narrow margins hold: a family before the number, and the longest outcomes, in fewer letters.
_FAMILY = re.compile(r"^(?:GeForce|Instinct|Tesla|Cambricon|Moore Threads|Alibaba T-Head|Data Center GPU) ")
_SHORT = {
    "licence_presumption_of_denial": "denial presumed",
    "licence_case_by_case": "case by case",
    "notification_nac": "notify (NAC)",
    "revenue_share_or_tariff": "share or tariff",
}
_ASIDE = ("other destination", "not asked")


class Params(ChartParams):
    """Which chips, where to, on which day, for whom."""

    chips: tuple[str, ...] = many(DEFAULT, label="Chips", help="chips, one a row", most=40)
    dest: Destination = choice("CN", label="Destination", help="where the chip would go", labels=DESTINATIONS)
    on: datetime.date | None = day(None, label="On", help="day asked about; empty takes today")
    chinese_parent: bool = flag(False, label="Chinese parent", help="the buyer's ultimate parent is headquartered in China")


def table(params: Params, snapshot: Snapshot) -> pd.DataFrame:
    """One row a chip and clause: met, not met, unknown (with what is missing) or why it does not bind; and the overall outcome."""
    book, on = chips.rule_book(snapshot), (params.on or snapshot.today).isoformat()
    out: list[dict[str, Any]] = []
    own: list[str] = []
    for chip_id in params.chips:
        row = chips.chip(snapshot, chip_id)
        facts = chip_facts(row)
        if facts.get("designer_hq") == params.dest:
            own.append(row["name"])
        answer = book.evaluate(facts, dest=params.dest, date=on, hq="CN" if params.chinese_parent else None)
        for clause in answer.clauses:
            rule = clause.rule
            if not rule.evaluable or clause.status in _ASIDE:
                continue
            out.append(
                {
                    "chip_id": chip_id, "name": row["name"], "clause": rule.rule_id, "role": rule.role,
                    "status": clause.status if clause.status in ("met", "not met", "unknown") else "does not bind",
                    "why": status_words(clause.status, clause.missing, rule), "outcome": answer.outcome,
                    "decides": answer.deciding is not None and answer.deciding.rule.rule_id == rule.rule_id,
                    "needs": unknown_words(answer), "rung": row["rung"], "source": rule.source,
                }
            )  # fmt: skip
    columns = ["chip_id", "name", "clause", "role", "status", "why", "outcome", "decides", "needs", "rung", "source"]
    frame = pd.DataFrame(out, columns=columns)
    bound = set(frame.loc[frame["status"] != "does not bind", "clause"])
    frame = frame[frame["clause"].isin(bound)].reset_index(drop=True)
    frame.attrs = {"on": on, "in_force": len(book.in_force(on)), "own": own}
    return frame


def words(table: pd.DataFrame, params: Params) -> Words:
    """How many of the chips meet a clause, and what is unknown."""
    a = table.attrs
    where, on = chips.DESTINATIONS[params.dest], numbers.date(a["on"])
    if table.empty:
        return Words(
            f"No rule in force on {on} binds these chips {where}",
            empty=f"No rule in force on {on} is about these chips {where}." if params.chips else "No chip is chosen.",
            way_out={"dest": "CN", "chips": list(DEFAULT)},
        )
    per_chip = table.drop_duplicates("chip_id")
    free, unknown = per_chip[per_chip["outcome"] == "no_clause_met"], per_chip[per_chip["outcome"] == "unknown"]
    caught = len(per_chip) - len(free) - len(unknown)
    finding = f"{where[0].upper() + where[1:]} on {on}, {caught} of {len(per_chip)} chips meet a clause" + (
        f"; none is met by {numbers.listed(free['name'], 4)}" if len(free) else ""
    )
    subtitle = (
        f"Rows: chips; columns: the {table['clause'].nunique()} rules of {a['in_force']} in force that are about a chip to this destination. "
        "Square: met; ring: the one that decides; small dot: not met; question mark: a fact is missing; blank: does not bind."
    )
    notes = [NOT_ADVICE]
    if a.get("own"):
        notes.append(f"Designed in the country asked about, so classified and not exported: {numbers.listed(a['own'], 6)}.")
    if len(unknown):
        notes.append("Unknown: " + "; ".join(f"{r['name']} {r['needs']}" for r in unknown.to_dict("records")) + ".")
    alt = (
        f"Table of chips by clauses. {finding}. "
        + "; ".join(f"{r['name']}: {OUTCOME_WORDS[r['outcome']]}" for r in per_chip.to_dict("records"))
        + "."
    )
    return Words(finding, subtitle, alt, f"{len(per_chip)} chips", "15 CFR 774 and the notices in the receipt; datasheets", tuple(notes))


def figure(table: pd.DataFrame, params: Params, look: Look) -> go.Figure:
    """A grid of marks, the overall outcome at the end of each row."""
    t = tokens(look)
    rows, clauses = list(dict.fromkeys(table["chip_id"])), list(dict.fromkeys(table["clause"]))
    height = look.height_px or 180 + (22 if look.phone else 26) * len(rows)
    right, left = (96, 92) if look.phone else (210, 170)
    fig = new_figure(look, height_px=height, margin={"l": left, "r": right, "t": 140 if look.phone else 168, "b": 12})
    x = table["clause"].map(clauses.index).to_numpy()
    y = len(rows) - 1 - table["chip_id"].map(rows.index).to_numpy()
    marks: dict[str, dict[str, Any]] = {
        "met": {"symbol": "square", "size": 9 if look.phone else 13, "color": t["rust"]},
        "not met": {"symbol": "circle", "size": 4, "color": t["context"]},
    }
    told = table[["name", "clause", "why"]].map(as_text).to_numpy()
    hover = "%{customdata[0]}<br>%{customdata[1]}: %{customdata[2]}<extra></extra>"
    for status, marker in marks.items():
        own = table["status"].eq(status).to_numpy()
        if status == "met":  # an exclusion or exception that is met lifts a clause
            marker = marker | {"color": [t["green"] if role in _LIFT else t["rust"] for role in table["role"][own]]}
        fig.add_scatter(x=x[own], y=y[own], mode="markers", marker=marker, customdata=told[own], hovertemplate=hover)
    decides = (table["decides"] & table["status"].eq("met")).to_numpy()
    tones = [t["green"] if role in _LIFT else t["rust"] for role in table["role"][decides]]
    ring = {"symbol": "circle-open", "size": 16 if look.phone else 23, "color": tones, "line": {"width": 1.6}}
    fig.add_scatter(x=x[decides], y=y[decides], mode="markers", marker=ring, hoverinfo="skip")
    own = table["status"].eq("unknown").to_numpy()
    fig.add_scatter(
        x=x[own], y=y[own], mode="text", text=["?"] * int(own.sum()), textfont={"size": 13, "color": t["notice"]}, customdata=told[own], hovertemplate=hover
    )  # fmt: skip
    per_chip = table.drop_duplicates("chip_id")
    for row in per_chip.to_dict("records"):
        free = row["outcome"] == "no_clause_met"
        text = _SHORT.get(row["outcome"], OUTCOME_WORDS[row["outcome"]]) if look.phone else OUTCOME_WORDS[row["outcome"]]
        tone = t["mute"] if free else t["notice"] if row["outcome"] == "unknown" else t["denial"]
        fig.add_annotation(
            x=1, xref="paper", xshift=6, y=len(rows) - 1 - rows.index(row["chip_id"]), text=as_text(text, 17 if look.phone else 40), showarrow=False,
            xanchor="left", font={"size": 9.5 if look.phone else 12, "color": tone},
        )  # fmt: skip
    size = 9 if look.phone else 11
    fig.update_xaxes(
        side="top", tickmode="array", tickvals=list(range(len(clauses))), ticktext=[as_text(c, 30) for c in clauses], tickangle=-55, tickfont={"size": size},
        range=[-0.6, len(clauses) - 0.4], showline=False, showgrid=True, gridcolor=t["grid"], ticks="",
    )  # fmt: skip
    full = per_chip.set_index("chip_id")["name"]
    names = [as_text(_FAMILY.sub("", full[c]), 14) if look.phone else as_text(full[c], 26) for c in rows]
    fig.update_yaxes(
        tickmode="array",
        tickvals=list(range(len(rows) - 1, -1, -1)),
        ticktext=names,
        range=[-0.6, len(rows) - 0.4],
        tickfont={"size": 10 if look.phone else 12},
    )
    return fig


def receipt(params: Params, snapshot: Snapshot) -> Receipt:
    """Every clause drawn, in words, with its source."""
    shown, told, book = table(params, snapshot), chips.rule_rows(snapshot), chips.rule_book(snapshot)
    inputs = []
    for rule_id in dict.fromkeys(shown["clause"]):
        rule = book.rule(rule_id)
        inputs.append(input_row(told[rule_id], rule_id, in_words(rule.condition) if rule.condition else "", as_of="announced_date"))
    met = float(shown.loc[shown["status"] == "met", "chip_id"].nunique())
    hq = "China" if params.chinese_parent else "the destination"
    return Receipt(
        (looked_up("chips that meet at least one drawn clause", met, "chips", "the rules in force that day"),),
        inputs,
        (
            NOT_ADVICE,
            f"The buyer's headquarters are taken to be in {hq}.",
            "Conditions, guidance and duties are drawn and do not decide the outcome.",
        ),
        (),
    )


CHART = register(
    Chart(
        id="chips.clauses",
        page="chips",
        title="Chip by clause",
        params=Params,
        table=table,
        figure=figure,
        receipt=receipt,
        words=words,
        options={"chips": chips.names},
        presets=(
            Preset("china-today", "To China, today", {}),
            Preset("china-2023", "To China, Dec 2023", {"on": "2023-12-01"}, claim="E3"),
            Preset("singapore", "To Singapore, Chinese parent", {"dest": "SG", "chinese_parent": True}),
            Preset("emirates", "To the Emirates, 2024", {"dest": "AE", "on": "2024-06-01"}),
        ),
        heights=(640, 560),
    )
)
