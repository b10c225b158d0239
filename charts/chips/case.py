"""One case file: would this chip have met a clause, for this destination, on that day, and how close is each line?"""

from __future__ import annotations

import datetime
from typing import Any, Literal

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from analytics.chips.explain import change_words, single_changes, status_words, terms
from analytics.chips.facts import chip_facts, needed
from analytics.chips.metrics import PRECISION_BITS, performance_density, processing_performance
from charts import numbers
from charts.chips import NOT_ADVICE, OUTCOME_WORDS
from charts.labels import note
from charts.look import Look
from charts.params import ChartParams, choice, day, pick
from charts.receipt import Receipt, age_note, input_row, looked_up, worked
from charts.registry import Chart, Preset, register
from charts.template import new_figure, tokens
from charts.text import as_text
from charts.words import Words
from data.queries import chips
from data.snapshot import Snapshot

COLUMNS = (
    "clause",
    "eccn",
    "title",
    "status",
    "outcome",
    "term",
    "fact",
    "value",
    "threshold",
    "unit",
    "holds",
    "margin",
    "relative",
    "decides",
    "rung",
    "source",
)


class Params(ChartParams):
    """Which chip, to where, on which day."""

    chip: str = pick("h20", label="Chip", help="chip the question is about")
    dest: Literal["CN", "HK", "MO", "RU", "AE", "SA", "IN", "MY", "SG", "VN", "JP", "DE", "US"] = choice(
        "CN", label="Destination", help="where the chip would go", labels=chips.DESTINATIONS
    )
    on: datetime.date | None = day(None, label="On", help="day asked about; empty takes today")


def table(params: Params, snapshot: Snapshot) -> pd.DataFrame:
    """One row a term of every clause in force: its value, threshold and margin; attrs hold the overall outcome."""
    row, on = _chip(params, snapshot), params.on or snapshot.today
    book, facts = chips.rule_book(snapshot), chip_facts(row)
    answer = book.evaluate(facts, dest=params.dest, date=on.isoformat())
    question = book.question(facts, on.isoformat(), params.dest)
    told = snapshot.table("export_rules").drop_duplicates("rule_id").set_index("rule_id")
    out: list[dict[str, Any]] = []
    for clause in answer.clauses:
        rule = clause.rule
        if clause.status in ("other destination", "other goods", "not asked", "other company"):
            continue
        base = {
            "clause": rule.rule_id, "eccn": rule.eccn, "title": rule.title, "outcome": clause.outcome,
            "status": status_words(clause.status, clause.missing, rule),
            "decides": answer.deciding is not None and answer.deciding.rule.rule_id == rule.rule_id,
            "rung": told["rung"].get(rule.rule_id, ""), "source": told["source"].get(rule.rule_id, ""),
        }  # fmt: skip
        found = terms(rule.condition, question, book) if clause.status in ("met", "not met", "unknown") else []
        for term in [*found] if found else [None]:
            values = {} if term is None else {
                "term": term.words, "fact": term.name, "value": _text(term.value), "threshold": _text(term.threshold), "unit": term.unit,
                "holds": term.truth, "margin": term.margin, "relative": term.relative,
            }  # fmt: skip
            out.append(base | values)
    frame = pd.DataFrame(out, columns=list(COLUMNS))
    frame[["margin", "relative"]] = frame[["margin", "relative"]].astype(float)
    changes = [
        change_words(c) + f": {OUTCOME_WORDS[c.outcome]}" for c in single_changes(book, facts, dest=params.dest, date=on.isoformat())[:3]
    ]
    frame.attrs = {
        "name": row["name"], "outcome": answer.outcome, "on": on.isoformat(), "dest": params.dest,
        "deciding": answer.deciding.rule.rule_id if answer.deciding else "", "missing": list(answer.missing), "changes": changes,
        "in_force": len(answer.clauses),
    }  # fmt: skip
    return frame


def _chip(params: Params, snapshot: Snapshot) -> dict[str, Any]:
    rows = snapshot.table("chips")
    own = rows[rows["chip_id"] == params.chip]
    if own.empty:
        raise ValueError(f"no chip {params.chip!r} in the chips table; ids such as {', '.join(rows['chip_id'].head(3))} are accepted")
    return {str(name): value for name, value in own.iloc[0].items()}


def _text(value: Any) -> str:
    if value is None or value != value:
        return "unknown"
    return numbers.plain(value) if isinstance(value, float) else str(value)


def words(table: pd.DataFrame, params: Params) -> Words:
    """The answer in one sentence, and what would change it."""
    a = table.attrs
    where, on = chips.DESTINATIONS[a["dest"]], numbers.date(a["on"])
    outcome = OUTCOME_WORDS[a["outcome"]]
    because = (
        f", {needed(a['missing'])}" if a["outcome"] == "unknown" and a["missing"] else f", by {a['deciding']}" if a["deciding"] else ""
    )
    finding = f"{a['name']} {where} on {on}: {outcome}{because}"
    subtitle = (
        f"{a['in_force']} rules in force that day, {table['clause'].nunique()} of them about this chip and destination. Each mark is a term: "
        "its value over the threshold, log scale. Filled: the term holds; hollow: it does not."
    )
    notes = (NOT_ADVICE, *(f"Would change it: {change}." for change in a["changes"]))
    alt = f"{finding}. " + " ".join(notes[1:])
    if table.empty:
        return Words(
            finding, subtitle, alt, notes=notes, empty=f"No rule in force on {on} is about this chip {where}.", way_out={"on": "2023-11-17"}
        )
    return Words(finding, subtitle, alt, "", "15 CFR 774 and the notices named in the table; datasheets", notes)


def figure(table: pd.DataFrame, params: Params, look: Look) -> go.Figure:
    """Each numeric term as its value over its threshold; the line is the threshold."""
    t = tokens(look)
    own = table[table["relative"].notna() & (table["relative"] > -1)].drop_duplicates(["clause", "term"]).reset_index(drop=True)
    height = look.height_px or max(260, 90 + 26 * len(own))
    left = 150 if look.phone else 330
    fig = new_figure(look, height_px=height, margin={"l": left, "r": 24, "t": 30, "b": 46})
    if own.empty:
        note(fig, look, "no numeric term to draw", x=0.5, y=0.5, xref="paper", yref="paper")
        return fig
    ratio = own["relative"] + 1
    low, high = min(float(ratio.min()), 0.8) / 1.2, max(float(ratio.max()), 1.25) * 1.25
    label = [
        f"{as_text(c, 20 if look.phone else 30)}" + ("" if look.phone else f" · {as_text(w, 34)}")
        for c, w in zip(own["clause"], own["term"])
    ]
    y = np.arange(len(own))[::-1]
    holds = own["holds"] == "true"
    for i in range(len(own)):
        fig.add_shape(type="line", x0=1, x1=float(ratio[i]), y0=y[i], y1=y[i], line={"color": t["context"], "width": 2}, layer="below")
    fig.add_vline(x=1, line={"color": t["rust"], "width": 1.5})
    fig.add_scatter(
        x=ratio, y=y, mode="markers", cliponaxis=False,
        marker={"size": 10, "color": t["blue"], "symbol": ["circle" if h else "circle-open" for h in holds], "line": {"width": 1.8, "color": t["blue"]}},
        customdata=np.column_stack([own["term"].map(as_text), own["value"], own["threshold"], own["unit"], own["status"].map(as_text)]),
        hovertemplate="%{customdata[0]}<br>value %{customdata[1]} %{customdata[3]}<br>%{customdata[4]}<extra></extra>",
    )  # fmt: skip
    fig.update_yaxes(tickmode="array", tickvals=y, ticktext=label, showgrid=False, range=[-0.7, len(own) - 0.3])
    fig.update_xaxes(
        title_text="value over threshold", range=np.log10([low, high]).tolist(), **numbers.log_ticks(low, high, lambda v: f"{v:g}×", 6)
    )
    return fig


def receipt(params: Params, snapshot: Snapshot) -> Receipt:
    """TPP, density, the clauses with their sources, and what was left unknown."""
    rows = chips.measured(snapshot)
    shown = table(params, snapshot)
    row = rows[rows["chip_id"] == params.chip].iloc[0]
    formulas, inputs = [], []
    if row["lead"]:
        formulas.append(worked(processing_performance, dense_tops=float(row[row["lead"]]), bit_length=PRECISION_BITS[row["lead"]]))
        inputs.append(input_row(row, f"{row['name']}, {row['lead'].split('_')[0].upper()} dense", numbers.plain(row[row["lead"]]), "TOPS"))
    if row["pd"] == row["pd"]:
        formulas.append(worked(performance_density, tpp=float(row["tpp"]), applicable_die_area_mm2=float(row["die_area_mm2"])))
        inputs.append(input_row(row, "Applicable die area", numbers.plain(row["die_area_mm2"]), "mm²"))
    formulas.append(looked_up(OUTCOME_WORDS[shown.attrs["outcome"]], None, "", shown.attrs["deciding"] or "no rule in force that applies"))
    rules = snapshot.table("export_rules").drop_duplicates("rule_id").set_index("rule_id", drop=False)
    for rule_id in dict.fromkeys(shown["clause"]):
        rule = rules.loc[rule_id]
        inputs.append(
            input_row(rule, f"{rule_id} ({rule['eccn'] or rule['role']})", str(rule["expr"] or "not evaluated"), as_of="announced_date")
        )
    unknown = shown.attrs["missing"]
    error = (
        f"Unknown stays unknown: {needed(unknown)}." if unknown else "Every fact the deciding clauses ask for is known.",
        age_note([row["as_of"]], snapshot.today),
    )
    return Receipt(
        formulas, inputs, (NOT_ADVICE, "Headquarters of the buyer are taken to be in the destination."), tuple(e for e in error if e)
    )


CHART = register(
    Chart(
        id="chips.case",
        page="chips",
        title="Case file: one chip, one destination, one day",
        params=Params,
        table=table,
        figure=figure,
        receipt=receipt,
        words=words,
        options={"chip": chips.names},
        presets=(
            Preset("h20-china-today", "H20 to China, today", {}, claim="E4"),
            Preset("h800-2022", "H800 to China, Nov 2022", {"chip": "h800-sxm", "on": "2022-11-15"}),
            Preset("h800-2023", "H800 to China, Nov 2023", {"chip": "h800-sxm", "on": "2023-11-17"}),
            Preset("h200-2026", "H200 to China, Feb 2026", {"chip": "h200-sxm", "on": "2026-02-01"}),
        ),
    )
)
