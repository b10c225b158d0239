"""DeepSeek's disclosed day: rent, revenue at list prices, and the two numbers readers confuse."""

from __future__ import annotations

from typing import Literal

import pandas as pd
import plotly.graph_objects as go

from analytics.prices.provider import (
    DEEPSEEK_DAY,
    DEEPSEEK_DISCLOSED,
    day_account,
    fleet_rent_usd,
    gross_margin,
    list_revenue_usd,
    nodes_needed,
    profit_over_cost,
)
from charts.look import Look
from charts.numbers import dollars
from charts.params import ChartParams, choice, number
from charts.prices.draw import RangeRow, range_rows
from charts.receipt import InputRow, Receipt, input_row, worked
from charts.registry import Chart, Preset, register
from charts.words import Words
from data.queries.prices import hosts_of
from data.snapshot import Snapshot

SOURCE = "DeepSeek, V3/R1 inference system overview (day 6)"
URL = "https://github.com/deepseek-ai/open-infra-index"
PRICES = {"r1": ("R1", "deepseek-r1", "2025-01-20"), "v3": ("V3", "deepseek-v3", "2025-02-08")}


class Params(ChartParams):
    """State of the chart; defaults are the disclosure's own assumptions."""

    prices: Literal["r1", "v3"] = choice(
        "r1", label="Billed at", help="Whose list prices every token is billed at.", labels={"r1": "R1 prices", "v3": "V3 prices"}
    )
    usd_per_gpu_hour: float = number(
        2, ge=0.05, le=50, label="Rent", help="Rent of an H800 for an hour; the disclosure takes $2.", unit="$/h", step=0.1
    )
    paid_share: float = number(
        1, ge=0.01, le=1, label="Paid share", help="Share of tokens that is billed: web and app are free.", step=0.05
    )


def _price(snapshot: Snapshot, which: str) -> pd.Series:
    name, weights, start = PRICES[which]
    rows = hosts_of(snapshot, weights)
    found = rows[rows["provider"].eq("DeepSeek") & rows["effective_date"].eq(start)]
    if found.empty:
        raise ValueError(f"the price of DeepSeek {name} from {start} is not in the table")
    return found.iloc[0]


def table(params: Params, snapshot: Snapshot) -> pd.DataFrame:
    """Cost and revenue of the day [USD] as computed and as disclosed; attrs carry margins and checks."""
    account = {}
    for which in PRICES:
        p = _price(snapshot, which)
        account[which] = day_account(
            DEEPSEEK_DAY,
            params.usd_per_gpu_hour,
            p["cached_input_usd_per_mtok"],
            p["input_usd_per_mtok"],
            p["output_usd_per_mtok"],
            params.paid_share,
        )
    mine = account[params.prices]
    rows = [
        {"line": "Rent of the fleet", "usd": float(mine.cost_usd), "disclosed_usd": DEEPSEEK_DISCLOSED["cost_usd"]},
        {"line": "Revenue at R1 prices", "usd": float(account["r1"].revenue_usd), "disclosed_usd": DEEPSEEK_DISCLOSED["revenue_usd"]},
        {"line": "Revenue at V3 prices", "usd": float(account["v3"].revenue_usd), "disclosed_usd": None},
    ]
    prefill, decode = nodes_needed(DEEPSEEK_DAY, DEEPSEEK_DISCLOSED["node_input_tok_per_s"], DEEPSEEK_DISCLOSED["node_output_tok_per_s"])
    out = pd.DataFrame(rows)
    out.attrs = {
        "profit_over_cost": float(mine.profit_over_cost),
        "gross_margin": float(mine.gross_margin),
        "usd_per_output_mtok": float(mine.cost_usd_per_output_mtok),
        "usd_per_mtok": float(mine.cost_usd_per_mtok),
        "revenue": float(mine.revenue_usd),
        "cost": float(mine.cost_usd),
        "nodes_needed": prefill + decode,
        "disclosed_profit": DEEPSEEK_DISCLOSED["profit_over_cost"],
    }
    return out


def figure(table: pd.DataFrame, params: Params, look: Look) -> go.Figure:
    """Dots: computed; hollow dots below: disclosed."""
    rows = []
    for r in table.to_dict("records"):
        on = r["line"].startswith("Rent") or PRICES[params.prices][0] in r["line"]
        rows.append(RangeRow(r["line"], None, r["usd"], None, "blue" if on else "point", note=dollars(r["usd"])))
        if r["disclosed_usd"] == r["disclosed_usd"] and r["disclosed_usd"]:
            rows.append(RangeRow("as disclosed", None, r["disclosed_usd"], None, "rust", hollow=True, note=dollars(r["disclosed_usd"])))
    return range_rows(rows, look, dollars, unit="$ for the day", log=False)


def words(table: pd.DataFrame, params: Params) -> Words:
    """Title and the rest, from the table."""
    f = table.attrs
    name = PRICES[params.prices][0]
    return Words(
        finding=(
            f"DeepSeek's day earned {f['profit_over_cost']:.0%} over its rent at {name} prices: a gross margin of {f['gross_margin']:.1%}"
        ).replace("%", " %"),
        subtitle=f"24 hours to noon of 28 February 2025, USD. Filled: computed from the disclosed tokens and nodes; hollow: disclosed. "
        f"Rent ${params.usd_per_gpu_hour:g} per H800-hour, {params.paid_share:.0%} of tokens billed.".replace("%", " %"),
        alt=f"Rent {dollars(f['cost'])}, revenue {dollars(f['revenue'])}.",
        coverage="one day of one provider; web and app tokens are counted as if they were paid"
        if params.paid_share == 1
        else "one day of one provider",
        credit=SOURCE,
        notes=(
            f"Cost per million output tokens, all rent on output: {dollars(f['usd_per_output_mtok'])}; "
            f"per million of all tokens: {dollars(f['usd_per_mtok'])}.",
            f"Disclosed rates per node need {f['nodes_needed']:.1f} nodes for these tokens; {DEEPSEEK_DAY.nodes:g} were disclosed.",
        ),
    )


def receipt(params: Params, snapshot: Snapshot) -> Receipt:
    """Rent, revenue and both margins worked; tokens and prices with their sources."""
    p, d = _price(snapshot, params.prices), DEEPSEEK_DAY
    made = table(params, snapshot).attrs
    revenue = {
        "hit_mtok": d.hit_mtok,
        "hit_usd_per_mtok": p["cached_input_usd_per_mtok"],
        "miss_mtok": d.input_mtok - d.hit_mtok,
        "miss_usd_per_mtok": p["input_usd_per_mtok"],
        "output_mtok": d.output_mtok,
        "output_usd_per_mtok": p["output_usd_per_mtok"],
    }
    disclosed = [
        ("Input tokens", "608", "billion"),
        ("of these cache hits", "342", "billion"),
        ("Output tokens", "168", "billion"),
        ("Nodes of 8 H800, mean", "226.75", ""),
    ]
    name = PRICES[params.prices][0]
    sides = (("cached input", "cached_input_usd_per_mtok"), ("input", "input_usd_per_mtok"), ("output", "output_usd_per_mtok"))
    return Receipt(
        formulas=(
            worked(fleet_rent_usd, nodes=d.nodes, gpus_per_node=d.gpus_per_node, hours=d.hours, usd_per_gpu_hour=params.usd_per_gpu_hour),
            worked(list_revenue_usd, **revenue),
            worked(profit_over_cost, price_usd=made["revenue"], cost_usd=made["cost"]),
            worked(gross_margin, price_usd=made["revenue"], cost_usd=made["cost"]),
        ),
        inputs=(
            *(InputRow(label, value, unit, SOURCE, URL, "primary", ("single source",), "2025-03-01") for label, value, unit in disclosed),
            *(input_row(p, f"DeepSeek {name}: {side}", f"{p[column]:g}", "$/Mtok", as_of="effective_date") for side, column in sides),
        ),
        assumptions=(
            "Every token is billed at one model's list price; the disclosure says V3 is cheaper, the web and app are free, "
            "and nights are discounted.",
            "Rent only: no staff, no training, no idle fleet.",
        ),
        error=("Tokens are disclosed rounded to billions: revenue comes out 0.013 % above the disclosed $562,027.",),
    )


CHART = register(
    Chart(
        id="prices.day",
        page="prices",
        title="DeepSeek's disclosed day",
        params=Params,
        table=table,
        figure=figure,
        receipt=receipt,
        words=words,
        presets=(
            Preset("disclosed", "As disclosed", {}, claim="R9"),
            Preset("v3", "All at V3 prices", {"prices": "v3"}, claim="R9"),
            Preset("half", "Half the tokens paid", {"paid_share": 0.5}, claim="R9"),
        ),
        heights=(260, 330),
    )
)
