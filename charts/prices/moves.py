"""Price moves of the last weeks: old and new price of every offer that changed."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from analytics.prices.blend import blended_usd_per_mtok, price_usd_per_mtok
from charts.look import Look
from charts.numbers import date, dollars, in_words
from charts.params import ChartParams, choice, number
from charts.prices.draw import RangeRow, range_rows, round_dollars
from charts.prices.level import BLEND_LABELS
from charts.prices.levels import BLENDS, BlendName, bare_name, blend_text
from charts.receipt import Receipt, input_row, worked
from charts.registry import Chart, Preset, register
from charts.words import Words
from data.queries.prices import moves
from data.snapshot import Snapshot

CREDIT = "providers' price pages and dated price tables"
MOST_ROWS = {False: 24, True: 10}


class Params(ChartParams):
    """State of the chart."""

    days: int = number(31, ge=1, le=3000, label="Looking back", help="How far back a change may lie.", unit="days")
    blend: BlendName = choice("b31", label="Price", help="How input and output are weighted into one price.", labels=BLEND_LABELS)
    ratio: float = number(3, ge=0, le=1000, label="Own ratio", help="Input tokens per output token of an own blend.")

    def weight(self) -> float:
        """Input tokens per output token."""
        return BLENDS.get(self.blend, self.ratio)


def table(params: Params, snapshot: Snapshot) -> pd.DataFrame:
    """One row a changed price, newest first: the offer, old and new price, the ratio, and the row's source."""
    today = float((np.datetime64(snapshot.today) - np.datetime64("1970-01-01")).astype(int))
    everything = moves(snapshot, -np.inf)
    before = price_usd_per_mtok(everything["previous_input"], everything["previous_output"], input_per_output_token=params.weight())
    now = price_usd_per_mtok(everything["input_usd_per_mtok"], everything["output_usd_per_mtok"], input_per_output_token=params.weight())
    out = everything.assign(old_usd_per_mtok=before, new_usd_per_mtok=now)
    out = out[(out["old_usd_per_mtok"] > 0) & (out["new_usd_per_mtok"] > 0)]
    out = out.assign(
        model=[bare_name(name or model) for name, model in zip(out["model_name"], out["model_id"])],
        ratio=out["new_usd_per_mtok"] / out["old_usd_per_mtok"],
    )
    kept = [
        "model", "provider", "tier", "effective_date", "previous_date", "old_usd_per_mtok", "new_usd_per_mtok", "ratio", "previous_input",
        "previous_output", "input_usd_per_mtok", "output_usd_per_mtok", "weights_id", "last_seen", "rung", "single_source", "not_reread",
        "source", "source_url",
    ]  # fmt: skip
    recent = out["start_day"].between(today - params.days, today)
    shown = out[recent].sort_values(["start_day", "fact_key"], ascending=[False, True], kind="stable")[kept].reset_index(drop=True)
    past = out[out["start_day"] <= today]
    last = past["effective_date"].max() if len(past) else None
    shown.attrs = {
        "days": params.days,
        "blend": blend_text(params.weight()),
        "today": snapshot.today.isoformat(),
        "last_move": last,
        "last_days": int(today - past["start_day"].max()) if len(past) else None,
    }
    return shown


def figure(table: pd.DataFrame, params: Params, look: Look) -> go.Figure:
    """Dot at the new price, bar back to the old one; falls in one colour, rises in another."""
    rows = [
        RangeRow(
            f"{r['model']}, {r['provider']}",
            min(r["old_usd_per_mtok"], r["new_usd_per_mtok"]),
            r["new_usd_per_mtok"],
            max(r["old_usd_per_mtok"], r["new_usd_per_mtok"]),
            "blue" if r["ratio"] <= 1 else "rust",
            note=f"{dollars(r['old_usd_per_mtok'])} → {dollars(r['new_usd_per_mtok'])}, {date(r['effective_date'])}",
        )
        for r in table.head(MOST_ROWS[look.phone]).to_dict("records")
    ]
    return range_rows(rows, look, round_dollars, unit=f"$ / Mtok, {table.attrs['blend']}")


def words(table: pd.DataFrame, params: Params) -> Words:
    """Title and the rest, from the table."""
    facts = table.attrs
    if table.empty:
        nearest = f" The last change is of {date(facts['last_move'])}." if facts["last_move"] else ""
        return Words(
            finding=f"No listed price moved in the last {facts['days']:,} days",
            empty=f"No listed price moved in the last {facts['days']:,} days.{nearest}",
            way_out={"days": int(facts["last_days"] + 31)} if facts["last_days"] is not None else None,
            credit=CREDIT,
        )
    fell, rose = int((table["ratio"] < 1).sum()), int((table["ratio"] > 1).sum())
    one = table.iloc[table["ratio"].map(np.log).abs().argmax()]
    verb = "fell" if one["ratio"] < 1 else "rose"
    return Words(
        finding=f"In the last {facts['days']:,} days {in_words(fell)} listed prices fell and {in_words(rose) if rose else 'none'} rose; "
        f"{one['model']} at {one['provider']} {verb} most, "
        f"from {dollars(one['old_usd_per_mtok'])} to {dollars(one['new_usd_per_mtok'])}",
        subtitle=f"$ / Mtok, {facts['blend']}, log scale. Dot: new price; line back to the old one. {len(table)} changes, newest first.",
        alt="; ".join(
            f"{m} at {p} {dollars(a)} to {dollars(b)}"
            for m, p, a, b in table.head(12)[["model", "provider", "old_usd_per_mtok", "new_usd_per_mtok"]].itertuples(index=False)
        ),
        coverage=f"{len(table)} changes of offers that had a price before; first offers are no changes",
        credit=CREDIT,
    )


def receipt(params: Params, snapshot: Snapshot) -> Receipt:
    """The largest move worked out with its two rows."""
    made = table(params, snapshot)
    if made.empty:
        return Receipt(assumptions=("A change is a new row of the same model, provider, tier and mode at another price.",))
    one = made.iloc[made["ratio"].map(np.log).abs().argmax()]
    sides = (("old", "previous_input", "previous_output"), ("new", "input_usd_per_mtok", "output_usd_per_mtok"))
    return Receipt(
        formulas=tuple(
            worked(blended_usd_per_mtok, input_usd_per_mtok=one[a], output_usd_per_mtok=one[b], input_per_output_token=params.weight())
            for _, a, b in sides
        ),
        inputs=tuple(
            input_row(one, f"{one['model']}, {one['provider']}: {which} {side}", f"{one[column]:g}", "$/Mtok", as_of="effective_date")
            for which, a, b in sides
            for side, column in (("input", a), ("output", b))
        ),
        assumptions=("A change is a new row of the same model, provider, tier and mode at another price.",),
        error=("The day of a change seen only in a price table is the day that table first showed it.",),
    )


CHART = register(
    Chart(
        id="prices.moves",
        page="prices",
        title="Price moves",
        params=Params,
        table=table,
        figure=figure,
        receipt=receipt,
        words=words,
        presets=(
            Preset("month", "This month", {}),
            Preset("year", "This year", {"days": 365}),
            Preset("all", "Every change on record", {"days": 3000}),
        ),
        heights=(420, 420),
    )
)
