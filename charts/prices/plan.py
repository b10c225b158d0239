"""A $200 plan against metered cost: who uses how much decides."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from analytics.prices.subscription import break_even_queries, mean_queries, plan_account
from analytics.prices.tasks import task_cost_usd
from charts.labels import note
from charts.look import Look
from charts.numbers import count, dollars, log_ticks
from charts.params import ChartParams, choice, number
from charts.prices.draw import Frame, round_dollars, y_unit
from charts.receipt import Receipt, assumed, input_row, worked
from charts.registry import Chart, Preset, register
from charts.template import tokens
from charts.words import Words
from data.queries.prices import offers
from data.snapshot import Snapshot

MODELS = {"o1": "o1", "o1-pro": "o1-pro", "o3": "o3", "gpt-4o": "GPT-4o"}
CREDIT = "list prices: OpenAI's price pages; use: your assumption"


class Params(ChartParams):
    """State of the chart."""

    model: Literal["o1", "o1-pro", "o3", "gpt-4o"] = choice("o1", label="Model", help="Model the subscribers use.", labels=MODELS)
    plan_usd: float = number(200, ge=1, le=10_000, label="Plan", help="Price of the plan.", unit="$/month")
    input_tokens: int = number(2000, ge=0, le=1_000_000, label="Prompt", help="Tokens of a prompt.", unit="tokens")
    output_tokens: int = number(10_000, ge=1, le=1_000_000, label="Answer", help="Tokens of an answer, thinking included.", unit="tokens")
    cost_share: float = number(0.25, ge=0.01, le=1, label="Cost share", help="Cost over list price: 1 less the gross margin.", step=0.05)
    median_queries: float = number(300, ge=0.1, le=100_000, label="Median use", help="Queries a month of the subscriber in the middle.")
    log_sd: float = number(1, ge=0, le=4, label="Spread", help="Standard deviation of the logarithm of use; 0 means all alike.", step=0.1)


def _price(snapshot: Snapshot, model: str) -> pd.Series:
    rows = offers(snapshot)
    rows = rows[rows["model_id"].eq(model) & rows["provider"].eq("OpenAI") & (rows["output_usd_per_mtok"] > 0)]
    if rows.empty:
        raise ValueError(f"no list price of {model} by its developer")
    return rows.sort_values("start_day", kind="stable").iloc[0]


def _list_cost(params: Params, row: pd.Series) -> float:
    prices = float(row["input_usd_per_mtok"]), float(row["output_usd_per_mtok"])
    return float(task_cost_usd(params.input_tokens, prices[0], params.output_tokens, prices[1]))


def table(params: Params, snapshot: Snapshot) -> pd.DataFrame:
    """Queries a month against cost at list price and at cost, and the share of subscribers a decade of use; account in attrs."""
    query = _list_cost(params, _price(snapshot, params.model))
    cost = query * params.cost_share
    account = plan_account(params.plan_usd, cost, params.median_queries, params.log_sd)
    middle = float(break_even_queries(params.plan_usd, params.cost_share, query))
    low, high = min(1.0, middle / 10, params.median_queries / 20), max(middle * 20, params.median_queries * 60)
    use = np.geomspace(low, high, 160)
    density = np.zeros_like(use)
    if params.log_sd > 0:
        z = np.log(use / params.median_queries) / params.log_sd
        density = np.exp(-(z**2) / 2) / (params.log_sd * np.sqrt(2 * np.pi)) * np.log(10)
    out = pd.DataFrame({"queries_per_month": use, "list_usd": use * query, "cost_usd": use * cost, "subscribers_per_decade": density})
    out.attrs = {
        "query_list_usd": query,
        "query_cost_usd": cost,
        "break_even": middle,
        "break_even_list": float(break_even_queries(params.plan_usd, 1.0, query)),
        "mean_use": float(account.mean_use),
        "mean_cost": float(account.cost_usd),
        "profit": float(account.profit_usd),
        "losing_share": float(account.losing_share),
        "losing_cost_share": float(account.losing_cost_share),
    }
    return out


def figure(table: pd.DataFrame, params: Params, look: Look) -> go.Figure:
    """Cost lines over use, the plan's price across, and how subscribers are spread over use as an area at the bottom."""
    t, f = tokens(look), table.attrs
    use = table["queries_per_month"]
    low, high = float(table["cost_usd"].min()), float(table["list_usd"].max())
    frame = Frame(look, look.height(440, 420), 62 if not look.phone else 48, 24, 28, 52, (use.min(), use.max()), (low, high), True, True)
    out = frame.figure()
    y_unit(out, frame, "$ a month")
    out.update_xaxes(**log_ticks(use.min(), use.max(), count, 5 if look.phone else 10), title_text="queries a month")
    out.update_yaxes(**log_ticks(low, high, round_dollars, 9), title_text=None)
    peak = float(table["subscribers_per_decade"].max())
    if peak > 0:
        top = 10 ** (np.log10(low) + 0.35 * (np.log10(high) - np.log10(low)) * table["subscribers_per_decade"] / peak)
        x = [*use, *use[::-1]]
        out.add_scatter(
            x=x, y=[*top, *([low] * len(use))], mode="lines", line_width=0, fill="toself", fillcolor=t["zone"], hoverinfo="skip"
        )
        note(out, look, "how many subscribers use this much", x=np.log10(params.median_queries), y=np.log10(low), yshift=14)
    for column, ink, dash in (("list_usd", t["point"], "5px,3px"), ("cost_usd", t["rust"], "solid")):
        out.add_scatter(
            x=use,
            y=table[column],
            mode="lines",
            line={"color": ink, "width": 2, "dash": dash},
            hovertemplate="%{x:.3g} queries: $%{y:.3g}<extra></extra>",
        )
    out.add_hline(y=params.plan_usd, line={"color": t["blue"], "width": 2})
    for x, text, ink, shift in (
        (f["break_even"], f"<b>{count(f['break_even'])}</b> at cost", t["rust"], -14),
        (f["break_even_list"], f"<b>{count(f['break_even_list'])}</b> at list price", t["point"], 14),
    ):
        out.add_scatter(x=[x], y=[params.plan_usd], mode="markers", marker={"size": 10, "color": ink}, hoverinfo="skip")
        out.add_annotation(
            x=np.log10(x), y=np.log10(params.plan_usd), text=text, showarrow=False, yshift=shift, xshift=6 if shift < 0 else -6,
            xanchor="left" if shift < 0 else "right", font={"size": 11 if look.phone else 12.5, "color": ink},
        )  # fmt: skip
    note(out, look, f"the plan: {dollars(params.plan_usd)}", x=1, xref="paper", xanchor="right", y=np.log10(params.plan_usd), yshift=9)
    return out


def words(table: pd.DataFrame, params: Params) -> Words:
    """Title and the rest, from the table."""
    f = table.attrs
    verdict = f"earns {dollars(f['profit'])}" if f["profit"] >= 0 else f"loses {dollars(-f['profit'])}"
    return Words(
        finding=f"With a median of {count(params.median_queries)} {MODELS[params.model]} queries and spread {params.log_sd:g}, a "
        f"{dollars(params.plan_usd)} plan "
        f"{verdict} a month per subscriber",
        subtitle="$ a month over queries a month, log scales. Solid: cost; dashed: list price; level line: the plan. Shaded: "
        "lognormal use.",
        alt=f"Break-even at {count(f['break_even'])} queries at cost, {count(f['break_even_list'])} at list price.",
        coverage=f"{f['losing_share']:.0%} of subscribers cost more than they pay; they cause {f['losing_cost_share']:.0%} of the "
        f"cost".replace("%", " %"),
        credit=CREDIT,
        notes=(
            f"Mean use is {count(f['mean_use'])} queries a month, {dollars(f['mean_cost'])} of cost; one query costs "
            f"{dollars(f['query_cost_usd'])}.",
        ),
    )


def receipt(params: Params, snapshot: Snapshot) -> Receipt:
    """Cost of a query, break-even and mean use worked; list price with its source, use as assumed."""
    row = _price(snapshot, params.model)
    query = _list_cost(params, row)
    return Receipt(
        formulas=(
            worked(
                task_cost_usd,
                input_tokens=params.input_tokens,
                input_usd_per_mtok=row["input_usd_per_mtok"],
                output_tokens=params.output_tokens,
                output_usd_per_mtok=row["output_usd_per_mtok"],
            ),
            worked(break_even_queries, plan_usd_per_month=params.plan_usd, cost_share_of_list=params.cost_share, list_usd_per_query=query),
            worked(mean_queries, median_queries=params.median_queries, log_sd=params.log_sd),
        ),
        inputs=(
            input_row(row, f"{MODELS[params.model]}: input", f"{row['input_usd_per_mtok']:g}", "$/Mtok", as_of="effective_date"),
            input_row(row, f"{MODELS[params.model]}: output", f"{row['output_usd_per_mtok']:g}", "$/Mtok", as_of="effective_date"),
            assumed("Cost over list price", f"{params.cost_share:g}"),
            assumed("Median use and spread", f"{params.median_queries:g}, {params.log_sd:g}", "queries/month"),
        ),
        assumptions=(
            "Use is lognormal; no provider publishes it. The model's first list price is taken.",
            "A subscriber costs only his queries: no free users, no staff.",
        ),
        error=("Spread decides the sign: raise it from 1 to 2 and the same median turns profit into loss.",),
    )


CHART = register(
    Chart(
        id="prices.plan",
        page="prices",
        title="A $200 plan under heavy use",
        params=Params,
        table=table,
        figure=figure,
        receipt=receipt,
        words=words,
        presets=(
            Preset("moderate", "Moderate spread", {}, claim="I6"),
            Preset("heavy", "Heavy tail", {"log_sd": 2}, claim="I6"),
            Preset("pro", "o1-pro at list price", {"model": "o1-pro", "cost_share": 1, "median_queries": 30}, claim="I6"),
        ),
        heights=(440, 420),
    )
)
