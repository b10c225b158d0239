"""The plane of a regime: which points met which clause on a day, and which chips fell in or out since another day."""

from __future__ import annotations

import datetime
from typing import Any, Literal

import pandas as pd
import plotly.graph_objects as go

from analytics.chips.explain import in_words
from analytics.chips.facts import chip_facts, number
from analytics.chips.rules import RuleBook
from analytics.chips.text import plain
from charts import numbers
from charts.chips import NOT_ADVICE, OUTCOME_WORDS
from charts.chips.regions import AXES, PLANE_LABELS, PLANES, Regions, draw, points, regions
from charts.look import Look
from charts.params import ChartParams, choice, day, pick
from charts.receipt import Receipt, input_row, looked_up
from charts.registry import Chart, Preset, register
from charts.template import new_figure
from charts.words import Words
from data.queries import chips
from data.snapshot import Snapshot

MARGIN = {"l": 66, "r": 20, "t": 22, "b": 58}


class Params(ChartParams):
    """Which two facts, which day, and against which earlier day."""

    plane: Literal["memory_io", "tpp_pd", "io_tpp", "tpp_memory"] = choice(
        "memory_io", label="Plane", help="the two facts drawn; each regime turned on its own", labels=PLANE_LABELS
    )
    on: datetime.date = day(datetime.date(2025, 5, 1), label="On", help="day asked about")
    since: datetime.date | None = day(
        None, label="Against", help="earlier day compared with; empty takes the day before rules last changed"
    )
    dest: chips.Destination = choice("CN", label="Destination", help="where the chip would go", labels=chips.DESTINATIONS)
    base: str = pick("h20", label="Other facts as", help="chip whose vendor, market and other facts hold over the whole plane")


def table(params: Params, snapshot: Snapshot) -> pd.DataFrame:
    """One row a chip: both facts, its own outcome on the day and on the earlier day; attrs hold the regions."""
    book, on = chips.rule_book(snapshot), params.on.isoformat()
    since = params.since.isoformat() if params.since else _before(book, on)
    x_name, y_name = PLANES[params.plane]
    rows = chips.measured(snapshot)
    out: list[dict[str, Any]] = []
    for row in chips.records(rows):
        facts = chip_facts(row)
        now, then = (book.evaluate(facts, dest=params.dest, date=d) for d in (on, since))
        out.append(
            {
                "chip_id": row["chip_id"], "name": row["name"], "x": number(facts.get(x_name)), "y": number(facts.get(y_name)),
                "outcome": now.outcome, "clause": now.deciding.rule.rule_id if now.deciding else "", "outcome_before": then.outcome,
                "moved": now.outcome != then.outcome, "square": row["marketing"] == "not datacenter", "rung": row["rung"], "source": row["source"],
                "later": plain(row.get("announced_date"))[:10] > on,
            }
        )  # fmt: skip
    frame = pd.DataFrame(out)
    frame = frame[frame["x"].notna() | frame["y"].notna()].reset_index(drop=True)
    base = chips.chip(snapshot, params.base)
    found = regions(book, chip_facts(base), number(base["die_area_mm2"]), params.plane, dest=params.dest, date=on, outcomes=book.outcomes)
    frame.attrs = {"on": on, "since": since, "base": base["name"], "regions": found.to_json()}
    return frame


def _before(book: RuleBook, on: str) -> str:
    """The day before the rules in force last changed, on or before a day."""
    turns = [turn for rule in book.rules if rule.evaluable for turn in (rule.begins, rule.ends) if turn and turn <= on]
    return (datetime.date.fromisoformat(max(turns, default=on)) - datetime.timedelta(days=1)).isoformat()


def words(table: pd.DataFrame, params: Params) -> Words:
    """Which chips fell in and out between the two days, and how to read the plane."""
    a = table.attrs
    if table.empty:
        return Words("No chip has either figure", empty="No chip in the table has a published figure for this plane.")
    free = "no_clause_met"
    into = table[(table["outcome_before"] == free) & ~table["outcome"].isin([free, "unknown"])]
    outof = table[(table["outcome"] == free) & ~table["outcome_before"].isin([free, "unknown"])]
    where, on, since = chips.DESTINATIONS[params.dest], numbers.date(a["on"]), numbers.date(a["since"])
    parts = [
        f"{len(part)} {verb} ({numbers.listed(part.sort_values('later', kind='stable')['name'] if 'later' in part else part['name'], 3)})"
        for part, verb in ((into, "fell under a clause"), (outof, "left every clause"))
        if len(part)
    ]
    changed = int(table["moved"].sum())
    finding = (
        f"From {since} to {on}, of {len(table)} chips {where}, " + " and ".join(parts)
        if parts
        else f"From {since} to {on}, none of {len(table)} chips {where} fell in or out"
        + (f", though {changed} changed their outcome" if changed else "")
    )
    x, y = (AXES[name][0] for name in PLANES[params.plane])
    missing = int((table["x"].isna() | table["y"].isna()).sum())
    subtitle = (
        f"{x} against {y[0].lower() + y[1:] if not y.startswith('I/O') else y}, log scales. Shading: the outcome on {on} of a chip at that point "
        f"whose other facts are {a['base']}'s. Large marks changed their outcome since {since}; squares: consumer chips; hollow: outcome unknown"
        + (f", {missing} of them on the axis because one figure is not published." if missing else ".")
    )
    outside = int(((table["x"] > AXES[PLANES[params.plane][0]][3]) | (table["y"] > AXES[PLANES[params.plane][1]][3])).sum())
    later = int(table["later"].sum()) if "later" in table else 0
    notes = (
        NOT_ADVICE,
        *([f"{outside} lie outside the frame."] if outside else []),
        *(
            [f"{later} of the chips were announced after {on}: they are classified by the rules of that day, not sold then."]
            if later
            else []
        ),
    )
    counts = table["outcome"].value_counts()
    alt = f"Plane of chips shaded by outcome. {'; '.join(f'{OUTCOME_WORDS[str(o)]}: {n}' for o, n in counts.items())}. {finding}."
    return Words(finding, subtitle, alt, f"{len(table)} chips", "15 CFR 774 and the notices in the receipt; datasheets", notes)


def figure(table: pd.DataFrame, params: Params, look: Look) -> go.Figure:
    """Shaded plane, chips on it, those that moved in front."""
    height = look.height(600, 460)
    margin = MARGIN | ({"l": 44, "r": 12} if look.phone else {})
    fig = new_figure(look, height_px=height, margin=margin)
    draw(fig, Regions.from_json(table.attrs["regions"]), params.plane, look, table)
    before, now = table["outcome_before"].map(OUTCOME_WORDS), table["outcome"].map(OUTCOME_WORDS)
    told = now.where(~table["moved"], before.str.cat(now, sep=" → ")).str.cat(table["clause"], sep=" ")
    shown = table.assign(front=table["moved"] & table["x"].notna() & table["y"].notna(), hollow=table["outcome"].eq("unknown"), told=told)
    points(fig, shown, look, params.plane, margin, height, most=14)
    return fig


def receipt(params: Params, snapshot: Snapshot) -> Receipt:
    """The expressions in force that day with their sources."""
    book, rows = chips.rule_book(snapshot), chips.rule_rows(snapshot)
    inputs, names = [], PLANES[params.plane]
    for rule in book.in_force(params.on):
        if rule.evaluable and rule.condition is not None and any(name in rule.expr for name in names):
            inputs.append(input_row(rows[rule.rule_id], rule.rule_id, in_words(rule.condition), as_of="announced_date"))
    shown = table(params, snapshot)
    formulas = (looked_up("chips with both figures", float(shown[["x", "y"]].notna().all(axis=1).sum()), "chips", "the chips table"),)
    assumed = (
        NOT_ADVICE,
        f"Over the plane every other fact is that of {shown.attrs['base']}; where density is no axis it follows TPP over that chip's die area.",
    )
    return Receipt(formulas, inputs, assumed, ("The lines are as exact as the notices; a chip's place is as good as its data sheet.",))


CHART = register(
    Chart(
        id="chips.regime",
        page="chips",
        title="Regions of a regime, and who fell in and out",
        params=Params,
        table=table,
        figure=figure,
        receipt=receipt,
        words=words,
        options={"base": chips.names},
        presets=(
            Preset("letters-2025", "April 2025: bandwidth", {}),
            Preset("october-2022", "October 2022: I/O and TPP", {"plane": "io_tpp", "on": "2022-10-21", "base": "a100-sxm-80"}, claim="E2"),
            Preset("october-2023", "October 2023: TPP and density", {"plane": "tpp_pd", "on": "2023-11-17"}, claim="E3"),
            Preset("window-2026", "January 2026: the window", {"plane": "tpp_memory", "on": "2026-01-15", "base": "h200-sxm"}),
            Preset(
                "tariff-2026", "January 2026: import duty", {"plane": "tpp_memory", "on": "2026-01-15", "base": "h200-sxm", "dest": "US"}
            ),
        ),
        heights=(600, 460),
    )
)
