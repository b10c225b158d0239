"""What output costs against input, and cached input against fresh, year by year."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from charts.look import Look
from charts.params import ChartParams, choice, flag
from charts.prices.draw import Frame, y_unit
from charts.receipt import Receipt, input_row, looked_up
from charts.registry import Chart, Preset, register
from charts.template import halo, tokens
from charts.text import as_text
from charts.words import Words
from data.queries.prices import price_ratios, tier_ratios
from data.snapshot import Snapshot

MEASURES = {
    "output_over_input": "Output over input",
    "cached_over_input": "Cached over input",
    "batch_over_list": "Batch over list",
    "tier_over_standard": "Other tiers over standard",
}
WHAT = {
    "output_over_input": "Output price over input price of one offer",
    "cached_over_input": "Price of cached input over fresh input of one offer",
    "batch_over_list": "Batch price over list price of one offer",
    "tier_over_standard": "Output price of off-peak (▽), turbo (◇) and priority (△) offers over the standard price beside them",
}
SHAPES = {"off-peak": "triangle-down", "turbo": "diamond", "priority": "triangle-up"}
CREDIT = "providers' price pages and dated price tables"
CLAIM = {"output_over_input": 4.0}


class Params(ChartParams):
    """State of the chart."""

    measure: Literal["output_over_input", "cached_over_input", "batch_over_list", "tier_over_standard"] = choice(
        "output_over_input", label="Ratio", help="Which two prices of an offer are divided.", labels=MEASURES
    )
    first_party: bool = flag(
        True, label="Developers only", help="Only offers of the developer itself; hosts of open weights often price 1:1."
    )


def table(params: Params, snapshot: Snapshot) -> pd.DataFrame:
    """One row an offer with the ratio; attrs give median, quartiles and count a year."""
    if params.measure == "tier_over_standard":
        rows = tier_ratios(snapshot)
    else:
        rows = price_ratios(snapshot)
        rows = rows[rows[params.measure].notna() & (rows["first_party"] | (not params.first_party))]
        rows = rows.assign(ratio=rows[params.measure], beside="")
    kept = [
        "model_name", "model_id", "provider", "effective_date", "year", "ratio", "input_usd_per_mtok", "cached_input_usd_per_mtok",
        "output_usd_per_mtok", "tier", "beside", "rung", "single_source", "not_reread", "source", "source_url",
    ]  # fmt: skip
    rows = rows.sort_values(["effective_date", "fact_key"], kind="stable")
    out = rows[kept].reset_index(drop=True)
    groups = out.groupby("year")["ratio"]
    out.attrs = {
        "years": [int(y) for y in groups.size().index],
        "median": [float(v) for v in groups.median()],
        "low": [float(v) for v in groups.quantile(0.25)],
        "high": [float(v) for v in groups.quantile(0.75)],
        "count": [int(v) for v in groups.size()],
        "today": snapshot.today.isoformat(),
    }
    return out


def figure(table: pd.DataFrame, params: Params, look: Look) -> go.Figure:
    """Every offer as a dot at its date, the year's median as a bar with its quartiles as a band."""
    t, facts = tokens(look), table.attrs
    low, high = (table["ratio"].min() * 0.85, table["ratio"].max() * 1.2) if len(table) else (0.1, 10.0)
    high *= (high / low) ** (0.09 if look.phone else 0.075)  # a row above every dot, for the medians in figures
    first = f"{facts['years'][0]}-01-01" if facts["years"] else "2023-01-01"
    frame = Frame(
        look,
        look.height(440, 400),
        56 if not look.phone else 40,
        24,
        28,
        36,
        (first, f"{facts['today'][:4]}-12-31"),
        (low, high),
        y_log=True,
    )
    out = frame.figure()
    y_unit(out, frame, "times")
    steps = [0.02, 0.05, 0.1, 0.2, 0.25, 0.5, 1, 2, 3, 4, 5, 6, 8, 10, 15, 20]
    shown = [v for v in steps if low <= v <= high]
    out.update_yaxes(type="log", tickvals=shown, ticktext=[f"{v:g}×" for v in shown], title_text=None)
    out.update_xaxes(type="date", dtick="M12", tickformat="%Y")
    size = 8 if params.measure == "tier_over_standard" else 5
    dots = {"size": size, "color": t["dot"], "symbol": [SHAPES.get(k, "circle") for k in table["tier"]]}
    out.add_scatter(
        x=table["effective_date"], y=table["ratio"], mode="markers", marker=dots,
        text=[f"{as_text(n or i)}, {as_text(p)}" for n, i, p in zip(table["model_name"], table["model_id"], table["provider"])],
        hovertemplate="%{text}: %{y:.3g}×<extra></extra>",
    )  # fmt: skip
    for year, median, q1, q3, n in zip(*(facts[k] for k in ("years", "median", "low", "high", "count"))):
        a, b = f"{year}-01-15", f"{year}-12-15"
        if n >= 4:
            out.add_scatter(
                x=[a, b, b, a], y=[q1, q1, q3, q3], mode="lines", line_width=0, fill="toself", fillcolor=t["band_blue"], hoverinfo="skip"
            )
        out.add_scatter(x=[a, b], y=[median, median], mode="lines", line={"color": t["blue"], "width": 2.6}, hoverinfo="skip")
        count = "" if look.phone else f" <span style='color:{t['mute']}'>n {n}</span>"
        out.add_annotation(
            x=f"{year}-07-01", y=1, yref="paper", yanchor="top", showarrow=False, text=f"<b>{median:.3g}</b>×{count}",
            font={"size": 11 if look.phone else 12.5, "color": t["blue"], "shadow": halo(look.theme)},
        )  # fmt: skip
    if params.measure in CLAIM:
        out.add_hline(y=CLAIM[params.measure], line={"color": t["rust"], "width": 1, "dash": "2px,3px"})
        out.add_annotation(
            x=0, xref="paper", xanchor="left", xshift=6, y=np.log10(4), yshift=9, showarrow=False,
            text="claim: 4×" if look.phone else "the claim: input a quarter of output", font={"size": 11, "color": t["rust"]},
        )  # fmt: skip
    return out


def _finding(table: pd.DataFrame, params: Params, first: tuple[int, float], last: tuple[int, float]) -> str:
    if params.measure == "tier_over_standard":
        low, high = table["ratio"].min(), table["ratio"].max()
        return f"Off-peak, turbo and priority offers cost {low:.2g} to {high:.2g} times the standard price beside them"
    name = MEASURES[params.measure]
    years, medians = table.attrs["years"], table.attrs["median"]
    turns = any((b - a) * (last[1] - first[1]) < 0 for a, b in zip(medians, medians[1:]))
    if turns and len(years) <= 6:  # the ends alone would hide the way between them
        return f"{name} had a median of " + ", ".join(f"{m:.3g} in {y}" for y, m in zip(years, medians))
    if first[1] == last[1]:
        return f"{name} has stayed at a median of {last[1]:.3g} from {first[0]} to {last[0]}"
    return f"{name} went from a median of {first[1]:.3g} in {first[0]} to {last[1]:.3g} in {last[0]}"


def words(table: pd.DataFrame, params: Params) -> Words:
    """Title and the rest, from the table."""
    facts = table.attrs
    if table.empty:
        nothing = "No offer lists both prices under these switches."
        return Words(finding="No offer lists both prices", empty=nothing, way_out={"first_party": False}, credit=CREDIT)
    name = MEASURES[params.measure].lower()
    own = " of developers" if params.first_party and params.measure != "tier_over_standard" else ""
    first, last = facts["years"][0], facts["years"][-1]
    m0, m1 = facts["median"][0], facts["median"][-1]
    return Words(
        finding=_finding(table, params, (first, m0), (last, m1)),
        subtitle=f"{WHAT[params.measure]}, log scale. Marks: {len(table)} offers{own}, at the day they began. Bars: median of a year, "
        "in figures at the top; band: its middle half, where four offers or more.",
        alt=f"Median {name}: " + ", ".join(f"{y} {m:.3g} (n {n})" for y, m, n in zip(facts["years"], facts["median"], facts["count"])),
        coverage=f"{len(table)} offers with both prices",
        credit=CREDIT,
    )


def receipt(params: Params, snapshot: Snapshot) -> Receipt:
    """The last year's median and the offers nearest to it."""
    made = table(params, snapshot)
    if made.empty:
        return Receipt(assumptions=("Offers without both prices are left out.",))
    facts = made.attrs
    last, median = facts["years"][-1], facts["median"][-1]
    near = made[made["year"].eq(last)].assign(gap=lambda d: (d["ratio"] - median).abs()).nsmallest(3, "gap")
    return Receipt(
        formulas=(looked_up(f"Median of {last}", median, "", f"{facts['count'][-1]} offers of the year"),),
        inputs=tuple(
            input_row(r, f"{r['model_name'] or r['model_id']}, {r['provider']}", f"{r['ratio']:.3g}", as_of="effective_date")
            for _, r in near.iterrows()
        ),
        assumptions=(
            "An offer counts once, in the year it began; off-peak, turbo and free rows are compared by themselves, under other tiers.",
            "Beside another tier stands the same house's standard price, else the median of all standard offers of the same weights.",
            "Developers' own stores include Vertex AI (Google), Bailian (Alibaba), Bedrock (Amazon) and Azure (Microsoft's own models).",
        ),
        error=(f"Middle half of {last}: {facts['low'][-1]:.3g} to {facts['high'][-1]:.3g}.",),
    )


CHART = register(
    Chart(
        id="prices.ratios",
        page="prices",
        title="Output and cached input against input",
        params=Params,
        table=table,
        figure=figure,
        receipt=receipt,
        words=words,
        presets=(
            Preset("output", "Input a quarter of output?", {}, claim="I4"),
            Preset("cached", "Prompt caching", {"measure": "cached_over_input", "first_party": False}, claim="I4"),
            Preset("batch", "Batch", {"measure": "batch_over_list"}),
            Preset("tiers", "Off-peak, turbo, priority", {"measure": "tier_over_standard"}),
            Preset("hosts", "With hosts of open weights", {"first_party": False}, claim="I4"),
        ),
        heights=(440, 400),
    )
)
