"""R1 against o1: the price ratio as named factors with ranges, under both readings of the source's sentence."""

from __future__ import annotations

import datetime

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from analytics.prices.factors import architecture_factor, by_host_multiple, by_host_price, host_factor, margin_factor
from charts.look import Look
from charts.numbers import date, dollars
from charts.params import ChartParams, day, number
from charts.prices.draw import RangeRow, range_rows
from charts.receipt import Receipt, assumed, input_row, worked
from charts.registry import Chart, Preset, register
from charts.words import Words
from data.queries.prices import hosts_of
from data.snapshot import Snapshot

DEAR, CHEAP = "o1", "deepseek-r1"
READINGS = {"dollars": "read as dollars a million", "multiple": "read as a multiple"}
CREDIT = "list prices: OpenAI and DeepSeek price pages; margin and host figures: the podcast of 3 February 2025"


class Params(ChartParams):
    """State of the chart. Defaults are the source's own words: margin above 75 %, 4 to 5 times; hosts at 5 to 7."""

    margin_low: float = number(0.75, ge=-1, le=0.99, label="Margin, least", help="Least gross margin of o1 on its list price.", step=0.01)
    margin_high: float = number(0.80, ge=-1, le=0.99, label="Margin, most", help="Greatest gross margin of o1.", step=0.01)
    host_low: float = number(
        5, ge=0.01, le=1000, label="Hosts, least", help="Least figure of the sentence that hosts make money at 5 to 7."
    )
    host_high: float = number(7, ge=0.01, le=1000, label="Hosts, most", help="Greatest figure of that sentence.")
    on: datetime.date = day(datetime.date(2025, 2, 28), label="Prices of", help="The day whose list prices are compared.")


def _offer(snapshot: Snapshot, weights: str, on: datetime.date) -> pd.Series:
    """The developer's standard offer of a model on a day. Errors: ValueError where there is none."""
    rows = hosts_of(snapshot, weights)
    at = float((np.datetime64(on) - np.datetime64("1970-01-01")).astype(int))
    own = rows["provider"].eq(rows["developer"]) & rows["tier"].eq("standard")
    rows = rows[own & (rows["start_day"] <= at) & ~(rows["end_day"] <= at)]
    if rows.empty:
        raise ValueError(f"no list price of {weights} by its developer on {on.isoformat()}; choose a day of 2025 up to 27 May")
    return rows.iloc[-1]


def _hosts(snapshot: Snapshot, on: datetime.date) -> pd.DataFrame:
    rows = hosts_of(snapshot, CHEAP)
    at = float((np.datetime64(on) - np.datetime64("1970-01-01")).astype(int))
    others = rows["provider"].str.contains("DeepSeek|OpenRouter") | rows["tier"].ne("standard")
    return rows[~others & (rows["start_day"] <= at) & ~(rows["end_day"] <= at) & (rows["output_usd_per_mtok"] > 0)]


def table(params: Params, snapshot: Snapshot) -> pd.DataFrame:
    """One row a reading and factor: least and greatest value over the corners of the ranges."""
    dear, cheap = _offer(snapshot, DEAR, params.on), _offer(snapshot, CHEAP, params.on)
    p1, p2 = float(dear["output_usd_per_mtok"]), float(cheap["output_usd_per_mtok"])
    margins = np.array([[params.margin_low], [params.margin_high]])
    hosts = np.array([params.host_low, params.host_high])
    rows = [{"reading": "", "factor": "o1 over R1, output", "low": p1 / p2, "high": p1 / p2}]
    for reading, split in (("dollars", by_host_price(p1, p2, margins, hosts)), ("multiple", by_host_multiple(p1, p2, margins, hosts))):
        for factor in ("margin", "architecture", "host"):
            values = getattr(split, factor)
            rows.append({"reading": READINGS[reading], "factor": factor, "low": float(values.min()), "high": float(values.max())})
    seen = _hosts(snapshot, params.on)
    out = pd.DataFrame(rows)
    out.attrs = {
        "on": params.on.isoformat(),
        "dear": p1,
        "cheap": p2,
        "hosts_seen": len(seen),
        "host_median": float(seen["output_usd_per_mtok"].median()) if len(seen) else None,
        "host_least": float(seen["output_usd_per_mtok"].min()) if len(seen) else None,
        "host_most": float(seen["output_usd_per_mtok"].max()) if len(seen) else None,
    }
    return out


def figure(table: pd.DataFrame, params: Params, look: Look) -> go.Figure:
    """Each factor as a bar from least to greatest on one logarithmic axis: lengths of one reading add up to the ratio."""
    names = {"margin": "o1's gross margin", "architecture": "architecture, size, engineering", "host": "DeepSeek against hosts"}
    rows = []
    for r in table.to_dict("records"):
        exact = r["low"] == r["high"]
        rows.append(
            RangeRow(
                names.get(r["factor"], r["factor"]),
                None if exact else r["low"],
                r["low"] if exact else None,
                None if exact else r["high"],
                {"": "ink", READINGS["dollars"]: "blue", READINGS["multiple"]: "rust"}[r["reading"]],
                note=f"{r['low']:.3g}×" if exact else f"{r['low']:.3g}× to {r['high']:.3g}×{', ' + r['reading'] if not look.phone else ''}",
            )
        )
    return range_rows(rows, look, lambda v: f"{v:g}×", unit="times", marks=((1.0, "no difference"),))


def words(table: pd.DataFrame, params: Params) -> Words:
    """Title and the rest, from the table."""
    facts = table.attrs
    ratio = facts["dear"] / facts["cheap"]
    multiple = table[table["reading"].eq(READINGS["multiple"])].set_index("factor")
    left = multiple.loc["architecture"]
    explained = [float(multiple[end]["margin"]) * float(multiple[end]["host"]) for end in ("low", "high")]
    seen = f"{facts['hosts_seen']} hosts asked {dollars(facts['host_least'])} to {dollars(facts['host_most'])}"
    hosts = f"{params.host_low:g}" + (f" to {params.host_high:g}" if params.host_high != params.host_low else "")
    return Words(
        finding=f"o1 costs {ratio:.3g} times R1 per output token; whether architecture explains much of it hangs on how "
        f"“hosts at {hosts}” is read",
        subtitle="Factors of the ratio of output list prices, log scale. Bars: least to greatest over the ranges; the factors of "
        "one reading "
        "multiply to the ratio. Upper three: dollars a million; lower three: a multiple of R1's price.",
        alt=f"{ratio:.3g} = margin x architecture x host. "
        + "; ".join(f"{r['factor']} {r['low']:.2g} to {r['high']:.2g} ({r['reading'] or 'list prices'})" for r in table.to_dict("records")),
        coverage=seen + f", median {dollars(facts['host_median'])}, on {date(facts['on'])}" if facts["hosts_seen"] else "",
        credit=CREDIT,
        notes=(
            f"Read as a multiple, margin and host alone make {explained[0]:.0f} to {explained[1]:.0f}×, which leaves "
            f"{left['low']:.2g} to {left['high']:.2g}× for architecture. Below 1× a host is dearer than o1's own cost, so shares "
            "would leave 0 to 100 %: no pie.",
        ),
    )


def receipt(params: Params, snapshot: Snapshot) -> Receipt:
    """The factors worked at the least margin and the greatest host figure, read as dollars."""
    dear, cheap = _offer(snapshot, DEAR, params.on), _offer(snapshot, CHEAP, params.on)
    p1, p2 = float(dear["output_usd_per_mtok"]), float(cheap["output_usd_per_mtok"])
    m, h = params.margin_low, params.host_high
    hosts = _hosts(snapshot, params.on).sort_values("output_usd_per_mtok", kind="stable")
    said = "said in the podcast of 3 February 2025"
    return Receipt(
        formulas=(
            worked(margin_factor, gross_margin=m),
            worked(architecture_factor, dear_list_usd_per_mtok=p1, gross_margin=m, host_usd_per_mtok=h),
            worked(host_factor, host_usd_per_mtok=h, cheap_list_usd_per_mtok=p2),
        ),
        inputs=(
            input_row(dear, "o1, output", f"{p1:g}", "$/Mtok", as_of="effective_date"),
            input_row(cheap, "DeepSeek R1, output", f"{p2:g}", "$/Mtok", as_of="effective_date"),
            assumed("Gross margin of o1", f"{params.margin_low:g} to {params.margin_high:g}", "", said),
            assumed("Hosts make money at", f"{params.host_low:g} to {params.host_high:g}", "$/Mtok or ×", said),
            *(
                input_row(r, f"R1 at {r['provider']}, output", f"{r['output_usd_per_mtok']:g}", "$/Mtok", as_of="effective_date")
                for _, r in hosts.iterrows()
            ),
        ),
        assumptions=(
            "The sentence “hosts make money at 5 to 7” can mean dollars a million tokens, or times DeepSeek's price: both are drawn.",
        ),
        error=("No margin of o1 is published: the range is a statement, and so is what follows from it.",),
    )


CHART = register(
    Chart(
        id="prices.factors",
        page="prices",
        title="R1 against o1: 27× as factors",
        params=Params,
        table=table,
        figure=figure,
        receipt=receipt,
        words=words,
        presets=(
            Preset("claim", "The claim's own ranges", {}, claim="I3"),
            Preset("worked", "Margin 75 %, hosts at $7", {"margin_high": 0.75, "host_low": 7}, claim="I3"),
        ),
        heights=(300, 400),
    )
)
