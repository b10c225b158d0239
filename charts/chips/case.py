"""One case file: would this chip have met a clause, for this destination, on that day, and how close is each line?"""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from analytics.chips.explain import change_words, in_words, single_changes, status_words, terms, unknown_words
from analytics.chips.facts import chip_facts
from analytics.chips.metrics import PRECISION_BITS, performance_density, processing_performance
from analytics.chips.rules import Answer, RuleBook
from charts import numbers
from charts.chips import NOT_ADVICE, OUTCOME_WORDS
from charts.labels import note
from charts.look import Look
from charts.params import ChartParams, choice, day, flag, pick
from charts.receipt import Receipt, age_note, input_row, looked_up, worked
from charts.registry import Chart, Preset, register
from charts.template import new_figure, tokens
from charts.text import as_text
from charts.words import Words
from data.queries import chips
from data.queries.chips import Destination
from data.snapshot import Snapshot

COLUMNS = (
    "clause", "eccn", "title", "status", "outcome", "says", "term", "fact", "value", "threshold", "unit", "holds", "margin", "relative",
    "decides", "rung", "not_reread", "source",
)  # fmt: skip


class Params(ChartParams):
    """Which chip, to where, on which day."""

    chip: str = pick("h20", label="Chip", help="chip the question is about")
    dest: Destination = choice("CN", label="Destination", help="where the chip would go", labels=chips.DESTINATIONS)
    on: datetime.date | None = day(None, label="On", help="day asked about; empty takes today")
    chinese_parent: bool = flag(False, label="Chinese parent", help="the buyer's ultimate parent is headquartered in China")
    from_us: bool = flag(
        True, label="Sent from the US", help="off: sent on from another country, which the case-by-case policy of 2026 leaves out"
    )


def table(params: Params, snapshot: Snapshot) -> pd.DataFrame:
    """One row a term of every clause in force: its value, threshold and margin; attrs hold the overall outcome."""
    row, on = chips.chip(snapshot, params.chip), params.on or snapshot.today
    book, facts, hq = (
        chips.rule_book(snapshot),
        chip_facts(row) | {"export_from_us": params.from_us},
        "CN" if params.chinese_parent else None,
    )
    answer = book.evaluate(facts, dest=params.dest, date=on.isoformat(), hq=hq)
    question = book.question(facts, on.isoformat(), params.dest, hq)
    frame = term_rows(answer, question, book, chips.rule_rows(snapshot))
    changes = [
        change_words(c) + f": {OUTCOME_WORDS[c.outcome]}"
        for c in single_changes(book, facts, dest=params.dest, date=on.isoformat(), hq=hq)[:3]
    ]
    frame.attrs = {
        "name": row["name"], "outcome": answer.outcome, "on": on.isoformat(), "dest": params.dest,
        "deciding": answer.deciding.rule.rule_id if answer.deciding else "", "open": unknown_words(answer), "changes": changes,
        "in_force": len(answer.clauses), "own": facts.get("designer_hq") == params.dest,
    }  # fmt: skip
    return frame


def term_rows(answer: Answer, question: dict[str, Any], book: RuleBook, told: dict[str, dict[str, Any]]) -> pd.DataFrame:
    """One row a term of every clause of an answer that is about the chip and its destination."""
    out: list[dict[str, Any]] = []
    for clause in answer.clauses:
        rule = clause.rule
        if clause.status in ("other destination", "other goods", "not asked", "other company"):
            continue
        row = told.get(rule.rule_id, {})
        base = {
            "clause": rule.rule_id, "eccn": rule.eccn, "title": rule.title, "outcome": clause.outcome,
            "status": status_words(clause.status, clause.missing, rule),
            "decides": answer.deciding is not None and answer.deciding.rule.rule_id == rule.rule_id,
            "rung": row.get("rung", ""), "not_reread": bool(row.get("not_reread", False)), "source": row.get("source", ""),
            "says": in_words(rule.condition) if rule.condition is not None else "",
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
    # The clause that decides first, then those met, then those unknown; within a clause its own order.
    order = np.where(frame["decides"], 0, np.where(frame["status"] == "met", 1, np.where(frame["status"].str.startswith("unknown"), 2, 3)))
    return frame.assign(order=order).sort_values("order", kind="stable", ignore_index=True).drop(columns="order")


def _text(value: Any) -> str:
    if value is None or value != value:
        return "unknown"
    if isinstance(value, (bool, np.bool_)):
        return "yes" if value else "no"
    return numbers.plain(value) if isinstance(value, float) else str(value)


def words(table: pd.DataFrame, params: Params) -> Words:
    """The answer in one sentence, and what would change it."""
    a = table.attrs
    where, on = chips.DESTINATIONS[a["dest"]], numbers.date(a["on"])
    outcome = OUTCOME_WORDS[a["outcome"]]
    because = f", {a['open']}" if a["open"] else f", by {a['deciding']}" if a["deciding"] else ""
    whose = " for a Chinese parent" if params.chinese_parent and a["dest"] != "CN" else ""
    finding = f"{a['name']} {where}{whose} on {on}: {outcome}{because}"
    subtitle = (
        f"{a['in_force']} rules in force that day, {table['clause'].nunique()} of them about this chip and destination. Each mark is a term: "
        "its value over the threshold, log scale. Filled: the term holds; hollow: it does not. "
        "Clauses that only repeat these terms are in the list."
    )
    said = [f"Would change it: {change}." for change in a["changes"]]
    alt = f"{finding}. " + " ".join(said)
    deciding = table[table["decides"]]
    if len(deciding) and deciding["rung"].iloc[0] != "primary":
        said.append(f"{a['deciding']} is {deciding['rung'].iloc[0]}: its text was not published or could not be confirmed.")
    if a.get("own"):
        said.append("Designed in the country asked about: this classifies the chip, it is not an export.")
    notes = (*said, NOT_ADVICE)
    if table.empty:
        return Words(
            finding, subtitle, alt, notes=notes, empty=f"No rule in force on {on} is about this chip {where}.", way_out={"on": "2023-11-17"}
        )
    return Words(finding, subtitle, alt, "", "15 CFR 774 and the notices named in the list; datasheets", notes)


def figure(table: pd.DataFrame, params: Params, look: Look) -> go.Figure:
    """The numeric terms of every clause."""
    return terms_figure(table, look)


def terms_figure(table: pd.DataFrame, look: Look) -> go.Figure:
    """Each numeric term as its value over its threshold; the line is the threshold."""
    t = tokens(look)
    own = table[table["relative"].notna() & (table["relative"] > -1)].drop_duplicates(["clause", "term"])
    own = own[own["clause"].isin(_own_terms(own))].reset_index(drop=True)
    starts = [i for i in range(len(own)) if i == 0 or own["clause"][i - 1] != own["clause"][i]]
    rows = len(own) + (len(starts) if look.phone else 0)  # a narrow screen names each clause on a row of its own
    height = max(look.height_px or 0, 90 + (19 if look.phone else 24) * rows, 260)
    fig = new_figure(look, height_px=height, margin={"l": 128 if look.phone else 330, "r": 24, "t": 30, "b": 46})
    if own.empty:
        note(fig, look, "no numeric term to draw", x=0.5, y=0.5, xref="paper", yref="paper")
        return fig
    ratio, y = own["relative"] + 1, np.arange(len(own), dtype=float)[::-1]
    if look.phone:
        y = rows - 1.0 - np.arange(len(own)) - np.array([sum(start <= i for start in starts) for i in range(len(own))])
    low, high = min(float(ratio.min()), 0.8) / (3.0 if look.phone else 2.0), max(float(ratio.max()), 1.25) * (2.2 if look.phone else 1.5)
    size = 9.5 if look.phone else 12
    labels = []
    for i, row in enumerate(own.to_dict("records")):
        first, top = i in starts, y[i] + (1.5 if look.phone else 0.5)
        if first and i:
            fig.add_shape(type="line", x0=-0.5, x1=1, xref="paper", y0=top, y1=top, line={"color": t["grid"], "width": 1})
        term = row["term"].replace("performance density", "density").replace(" per mm²", "").replace(" bandwidth", "")
        clause = as_text(row["clause"], 24)
        if first and look.phone:
            fig.add_annotation(
                x=0, xref="paper", xshift=-124, xanchor="left", y=y[i] + 1, text=f"<b>{clause}</b>", showarrow=False, font={"size": size, "color": t["mute"]}
            )  # fmt: skip
        labels.append(as_text(term, 22) if look.phone else f"<b>{clause}</b>  {as_text(term, 30)}" if first else as_text(term, 30))
        fig.add_shape(
            type="line", x0=1, x1=float(ratio[i]), y0=float(y[i]), y1=float(y[i]), line={"color": t["context"], "width": 2}, layer="below"
        )
        above = row["margin"] >= 0
        margin = f"{'+' if above else '−'}{numbers.plain(float(format(abs(row['margin']), '.3g' if abs(row['margin']) < 1000 else '.0f')))}"
        fig.add_annotation(
            x=float(np.log10(ratio[i])), y=float(y[i]), text=margin if look.phone else f"{row['value']} ({margin})", showarrow=False,
            xanchor="left" if above else "right", xshift=9 if above else -9, font={"size": size - 1, "color": t["mute"]},
        )  # fmt: skip
    fig.add_vline(x=1, line={"color": t["rust"], "width": 1.5})
    holds = own["holds"] == "true"
    fig.add_scatter(
        x=ratio, y=y, mode="markers", cliponaxis=False,
        marker={"size": 10, "color": t["blue"], "symbol": ["circle" if h else "circle-open" for h in holds], "line": {"width": 1.8, "color": t["blue"]}},
        customdata=own[["term", "value", "unit", "status", "clause"]].map(as_text).to_numpy(),
        hovertemplate="%{customdata[4]}: %{customdata[0]}<br>value %{customdata[1]} %{customdata[2]}<br>clause %{customdata[3]}<extra></extra>",
    )  # fmt: skip
    fig.update_yaxes(tickmode="array", tickvals=y, ticktext=labels, showgrid=False, range=[-0.7, rows - 0.3], tickfont={"size": size})
    fig.update_xaxes(
        title_text="value over threshold", range=np.log10([low, high]).tolist(), **numbers.log_ticks(low, high, lambda v: f"{v:g}×", 6)
    )
    return fig


def _own_terms(terms_of: pd.DataFrame) -> list[str]:
    """Clauses with a term that no clause before them has: the others would draw the same marks again."""
    drawn: set[str] = set()
    kept = []
    for clause, own in terms_of.groupby("clause", sort=False)["term"]:
        if not set(own) <= drawn:
            kept.append(str(clause))
            drawn |= set(own)
    return kept


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
    unknown = shown.attrs["open"]
    error = (
        f"Unknown stays unknown: {unknown}." if unknown else "Every fact the deciding clauses ask for is known.",
        age_note([row["as_of"]], snapshot.today),
    )
    return Receipt(
        formulas,
        inputs,
        (
            NOT_ADVICE,
            f"Headquarters of the buyer are taken to be in {'China' if params.chinese_parent else 'the destination'}.",
            f"The chip is taken to be sent {'from the United States' if params.from_us else 'on from another country'}.",
        ),
        tuple(e for e in error if e),
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
