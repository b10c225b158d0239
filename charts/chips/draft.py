"""Draft a rule: the reader's own expression on the plane, what it catches, and what of that no clause catches today."""

from __future__ import annotations

import datetime
from typing import Any, Literal

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from analytics.chips.explain import in_words
from analytics.chips.facts import chip_facts, needed, number
from analytics.chips.grammar import names as names_in
from analytics.chips.grammar import parse
from analytics.chips.logic import Evaluator
from analytics.chips.names import NAMES
from analytics.chips.rules import OUTCOMES
from charts import numbers
from charts.chips import NOT_ADVICE, OUTCOME_WORDS
from charts.chips.regions import PLANE_LABELS, PLANES, Regions, draw, points, regions
from charts.look import Look
from charts.params import ChartParams, choice, day, pick
from charts.params import words as free_text
from charts.receipt import Receipt, assumed, looked_up
from charts.registry import Chart, Preset, register
from charts.template import new_figure
from charts.words import Words
from data.queries import chips
from data.snapshot import Snapshot

MARGIN = {"l": 66, "r": 20, "t": 22, "b": 58}
# Limits of the AI OVERWATCH Act (bill of 2025-12-18) as summarised in the rules table: a draft somebody did write.
OVERWATCH = "tpp >= 4800 or (tpp >= 2400 and pd >= 1.6)"


class Params(ChartParams):
    """The expression, where it is drawn, and the day and destination it is compared on."""

    expr: str = free_text(
        OVERWATCH,
        label="Rule",
        help="an expression: tpp, pd, memory_bandwidth_gb_per_s, io_total_bidirectional_gb_per_s, marketing, designer_hq; and, or, not, + and comparisons",
        most=1000,
        area=True,
    )
    plane: Literal["memory_io", "tpp_pd", "io_tpp", "tpp_memory"] = choice(
        "tpp_pd", label="Plane", help="the two facts drawn", labels=PLANE_LABELS
    )
    on: datetime.date | None = day(None, label="On", help="day whose rules it is compared with; empty takes today")
    dest: chips.Destination = choice("CN", label="Destination", help="where the chip would go", labels=chips.DESTINATIONS)
    base: str = pick("h20", label="Other facts as", help="chip whose other facts hold over the whole plane")


def table(params: Params, snapshot: Snapshot) -> pd.DataFrame:
    """One row a chip: whether the draft catches it (true, false, unknown) and what the rules of the day say."""
    condition = parse(params.expr)
    book, on = chips.rule_book(snapshot), (params.on or snapshot.today).isoformat()
    x_name, y_name = PLANES[params.plane]
    out: list[dict[str, Any]] = []
    for row in chips.records(chips.measured(snapshot)):
        facts = book.question(chip_facts(row), on, params.dest)
        caught = Evaluator(facts, book.groups.members)(condition).word
        outcome = book.evaluate(chip_facts(row), dest=params.dest, date=on).outcome
        missing = [name for name in names_in(condition) if number_missing(facts.get(name))]
        out.append(
            {
                "chip_id": row["chip_id"], "name": row["name"], "x": number(facts.get(x_name)), "y": number(facts.get(y_name)),
                "caught": caught, "outcome": outcome, "newly": caught == "true" and outcome == "no_clause_met",
                "needs": needed(missing) if caught == "unknown" else "", "square": row["marketing"] == "not datacenter",
                "rung": row["rung"], "source": row["source"],
            }
        )  # fmt: skip
    base = chips.chip(snapshot, params.base)

    def catches(facts: dict[str, Any], *, dest: str, date: str) -> np.ndarray:
        truth = Evaluator(book.question(facts, date, dest), book.groups.members)(condition)
        code = np.where(truth.unknown, OUTCOMES.index("unknown"), OUTCOMES.index("no_clause_met"))
        return np.where(truth.true, OUTCOMES.index("licence_required"), code)

    found = regions(
        book, chip_facts(base), number(base["die_area_mm2"]), params.plane, dest=params.dest, date=on, outcomes=catches, extra=condition
    )
    frame = pd.DataFrame(out)
    frame = frame[frame["x"].notna() | frame["y"].notna()].reset_index(drop=True)
    frame.attrs = {"on": on, "base": base["name"], "regions": found.to_json(), "words": in_words(condition)}
    return frame


def number_missing(value: Any) -> bool:
    """Whether a fact is not known."""
    return value is None or value == "" or value != value


def words(table: pd.DataFrame, params: Params) -> Words:
    """How many the draft catches and which of them nothing catches today."""
    a = table.attrs
    caught, newly, unknown = table[table["caught"] == "true"], table[table["newly"]], table[table["caught"] == "unknown"]
    where, on = chips.DESTINATIONS[params.dest], numbers.date(a["on"])
    finding = f"This draft catches {len(caught)} of {len(table)} chips {where}; " + (
        f"{len(newly)} of them meet no clause on {on}: {numbers.listed(newly['name'], 4)}"
        if len(newly)
        else f"none that meets no clause on {on}"
    )
    let_go = table[(table["caught"] == "false") & ~table["outcome"].isin(["no_clause_met", "unknown"])]
    subtitle = (
        f"Draft: {a['words']}. Shaded: points it catches, the other facts being {a['base']}'s. Large marks: caught by the draft and by no clause "
        f"of {on}; squares: consumer chips; hollow: the draft cannot be answered; on the axis: that figure is not published."
    )
    notes = [NOT_ADVICE]
    if len(let_go):
        notes.append(f"Under a clause on {on} and not caught by the draft: {numbers.listed(let_go['name'], 6)} ({len(let_go)}).")
    if len(unknown):
        notes.append(f"Unknown for {len(unknown)}: " + "; ".join(f"{n} {k}" for k, n in unknown["needs"].value_counts().items() if k) + ".")
    alt = f"Plane with the points a drafted rule catches. {finding}. " + " ".join(notes[1:])
    return Words(
        finding,
        subtitle,
        alt,
        f"{len(table)} chips with one figure or both",
        "the reader's own expression; rules and datasheets as in the receipt",
        tuple(notes),
    )


def figure(table: pd.DataFrame, params: Params, look: Look) -> go.Figure:
    """The draft's region and the chips, those newly caught in front."""
    height = look.height(600, 460)
    margin = MARGIN | ({"l": 44, "r": 12} if look.phone else {})
    fig = new_figure(look, height_px=height, margin=margin)
    draw(
        fig,
        Regions.from_json(table.attrs["regions"]),
        params.plane,
        look,
        table,
        labels={"licence_required": "caught by the draft", "no_clause_met": "not caught"},
    )
    said = table["caught"].map({"true": "caught", "false": "not caught", "unknown": "cannot be answered"})
    told = "draft: " + said + " · today: " + table["outcome"].map(OUTCOME_WORDS)
    points(
        fig,
        table.assign(front=table["newly"], hollow=table["caught"].eq("unknown"), told=told),
        look,
        params.plane,
        margin,
        height,
        most=14,
    )
    return fig


def receipt(params: Params, snapshot: Snapshot) -> Receipt:
    """The draft as it was read, and the names it turns on."""
    condition = parse(params.expr)
    shown = table(params, snapshot)
    formulas = (looked_up("chips the draft catches", float((shown["caught"] == "true").sum()), "chips", f"the expression: {params.expr}"),)
    inputs = [assumed("Draft, as read", in_words(condition))]
    inputs += [assumed(name, NAMES[name].words, NAMES[name].unit, "name in the grammar of rules") for name in names_in(condition)]
    return Receipt(
        formulas,
        inputs,
        (NOT_ADVICE, "The draft is asked of every chip alike; destination and company conditions are those it states."),
        (),
    )


CHART = register(
    Chart(
        id="chips.draft",
        page="chips",
        title="Draft a rule",
        params=Params,
        table=table,
        figure=figure,
        receipt=receipt,
        words=words,
        options={"base": chips.names},
        presets=(
            Preset("overwatch", "AI OVERWATCH Act (bill)", {"expr": OVERWATCH}),
            Preset(
                "memory",
                "A line at 4 TB/s of memory",
                {"expr": "memory_bandwidth_gb_per_s >= 4000 and marketing == 'datacenter'", "plane": "tpp_memory"},
            ),
            Preset(
                "before-letters",
                "The line of 2025, asked in 2024",
                {"expr": "memory_bandwidth_gb_per_s + io_total_bidirectional_gb_per_s >= 1700", "plane": "memory_io", "on": "2024-12-01"},
            ),
        ),
        heights=(600, 460),
    )
)
