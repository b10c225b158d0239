"""A model in every web search: what a year of answers costs as the price of a level falls."""

from __future__ import annotations

from typing import Literal

import pandas as pd
import plotly.graph_objects as go

from analytics.prices.search_cost import (
    MORGAN_STANLEY_QUERIES_PER_YEAR,
    SEMIANALYSIS_QUERIES_PER_S,
    SEMIANALYSIS_USD_PER_QUERY,
    search_usd_per_year,
)
from analytics.prices.tasks import task_cost_usd
from charts.look import Look
from charts.numbers import date, dollars, log_ticks
from charts.params import ChartParams, choice, number
from charts.prices.draw import Frame, name_points, short_name, stepped, y_unit
from charts.prices.levels import LEVELS, Selection, day_text, mark_records, priced
from charts.receipt import Receipt, assumed, input_row, worked
from charts.registry import Chart, Preset, register
from charts.template import tokens
from charts.words import Words
from data.queries.prices import scored_offers
from data.snapshot import Snapshot

SHOWN = {k: LEVELS[k].label for k in ("gpt35", "gpt4", "o1")}
CREDIT = "list prices: providers' pages; query volume: SemiAnalysis, 9 February 2023"


class Params(ChartParams):
    """State of the chart; defaults are the volume of SemiAnalysis and an answer of 350 tokens to 1,500."""

    level: Literal["gpt35", "gpt4", "o1"] = choice("gpt4", label="Level", help="How capable the model is to be.", labels=SHOWN)
    queries_per_s: float = number(SEMIANALYSIS_QUERIES_PER_S, ge=1, le=1e8, label="Queries a second", help="All web searches.", unit="1/s")
    input_tokens: int = number(1500, ge=1, le=1_000_000, label="Prompt", help="Tokens read for an answer.", unit="tokens")
    output_tokens: int = number(350, ge=1, le=100_000, label="Answer", help="Tokens of an answer.", unit="tokens")


def table(params: Params, snapshot: Snapshot) -> pd.DataFrame:
    """Price records of the level for this answer: date, model, cost of an answer [USD], cost of a year [USD]."""
    level = LEVELS[params.level]
    ratio = params.input_tokens / params.output_tokens
    rows = mark_records(priced(scored_offers(snapshot, level.benchmark, level.threshold), Selection(level, ratio=ratio)))
    rows = rows[rows["record"]]
    query = task_cost_usd(params.input_tokens, rows["input_usd_per_mtok"], params.output_tokens, rows["output_usd_per_mtok"])
    kept = ["provider", "input_usd_per_mtok", "output_usd_per_mtok", "effective_date", "end_date", "rung", "single_source", "not_reread",
            "source", "source_url"]  # fmt: skip
    out = pd.DataFrame(
        {
            "date": day_text(rows["from_day"]),
            "model": rows["model_name"].where(rows["model_name"].notna(), rows["model_id"]),
            "usd_per_query": query,
            "usd_per_year": search_usd_per_year(params.queries_per_s, query),
        }
    )
    out = pd.concat([out, rows[kept]], axis=1).reset_index(drop=True)
    published = search_usd_per_year(SEMIANALYSIS_QUERIES_PER_S, SEMIANALYSIS_USD_PER_QUERY)
    out.attrs = {"today": snapshot.today.isoformat(), "level": level.label, "published_usd": float(published)}
    return out


def figure(table: pd.DataFrame, params: Params, look: Look) -> go.Figure:
    """Cost of a year as steps over time, with the estimate published in 2023 as a hollow mark."""
    t, f = tokens(look), table.attrs
    if table.empty:
        return Frame(look, look.height(440, 420), 62, 24, 16, 36, ("2022-01-01", f["today"]), (1.0, 10.0), y_log=True).figure()
    values = [*table["usd_per_year"], f["published_usd"]]
    low, high = min(values) / 2, max(values) * 2
    start = min("2023-01-01", f"{table['date'].min()[:4]}-01-01")
    frame = Frame(
        look,
        look.height(440, 420),
        62 if not look.phone else 50,
        90 if not look.phone else 14,
        28,
        36,
        (start, f["today"]),
        (low, high),
        y_log=True,
    )
    out = frame.figure()
    y_unit(out, frame, "$ a year")
    out.update_yaxes(**log_ticks(low, high, dollars, 10), title_text=None)
    out.update_xaxes(type="date", dtick="M12", tickformat="%Y", hoverformat="%d %b %Y")
    xs, ys = [*table["date"], f["today"]], [*table["usd_per_year"], table["usd_per_year"].iloc[-1]]
    out.add_scatter(x=xs, y=ys, mode="lines", line={"shape": "hv", "color": t["ink"], "width": 2}, hoverinfo="skip")
    out.add_scatter(
        x=table["date"], y=table["usd_per_year"], mode="markers", marker={"size": 8, "color": t["ink"]}, cliponaxis=False,
        text=[
            f"{short_name(m)}: {dollars(q)} an answer, {dollars(y)} a year"
            for m, q, y in zip(table["model"], table["usd_per_query"], table["usd_per_year"])
        ],
        hovertemplate="%{text}<extra></extra>",
    )  # fmt: skip
    out.add_scatter(
        x=["2023-02-09"], y=[f["published_usd"]], mode="markers",
        marker={"size": 10, "color": t["page"], "line": {"width": 2, "color": t["rust"]}},
        text=["SemiAnalysis: 0.36 cents a query"], hovertemplate="%{text}<extra></extra>",
    )  # fmt: skip
    step = max(1, len(table) // 3) if look.phone else 1
    named = table.iloc[::step]
    x = [*named["date"], "2023-02-09"]
    y = [*named["usd_per_year"], f["published_usd"]]
    texts = [f"{short_name(m)} <b>{dollars(v)}</b>" for m, v in zip(named["model"], named["usd_per_year"])]
    texts.append(f"{'estimate' if look.phone else 'SemiAnalysis, ChatGPT'} <b>{dollars(f['published_usd'])}</b>")
    inks = [t["ink"]] * len(named) + [t["rust"]]
    name_points(out, frame, x, y, texts, colors=inks, obstacles=stepped(frame, xs, ys))
    return out


def words(table: pd.DataFrame, params: Params) -> Words:
    """Title and the rest, from the table."""
    f = table.attrs
    if table.empty:
        return Words(
            finding=f"No offer reaches {f['level']}", empty=f"No offer reaches {f['level']}.", way_out={"level": "gpt4"}, credit=CREDIT
        )
    first, last = table.iloc[0], table.iloc[-1]
    level = f["level"].split(" (")[0]
    return Words(
        finding=f"Answering every search with {'an' if level[0] in 'aeio' else 'a'} {level}-level model would have cost "
        f"{dollars(first['usd_per_year'])} a year in "
        f"{first['date'][:4]}; at the lowest offer since, {dollars(last['usd_per_year'])}",
        subtitle=f"$ a year at list price, log scale: {params.queries_per_s:,.0f} queries a second of {params.input_tokens:,} "
        "tokens in and "
        f"{params.output_tokens:,} out. Steps: cheapest model of the level; hollow: an estimate published in February 2023.",
        alt="; ".join(f"{date(d[:7])} {m} {dollars(y)}" for d, m, y in table[["date", "model", "usd_per_year"]].itertuples(index=False)),
        coverage=f"query volume is disputed: {SEMIANALYSIS_QUERIES_PER_S * 31_536_000 / MORGAN_STANLEY_QUERIES_PER_YEAR:.1f}-fold "
        "between two estimates of 2023",
        credit=CREDIT,
    )


def receipt(params: Params, snapshot: Snapshot) -> Receipt:
    """First and last record worked, with their prices."""
    made = table(params, snapshot)
    formulas, inputs = [], []
    for r in () if made.empty else (made.iloc[0], made.iloc[-1]):
        formulas.append(
            worked(
                task_cost_usd,
                input_tokens=params.input_tokens,
                input_usd_per_mtok=r["input_usd_per_mtok"],
                output_tokens=params.output_tokens,
                output_usd_per_mtok=r["output_usd_per_mtok"],
            )
        )
        formulas.append(worked(search_usd_per_year, queries_per_s=params.queries_per_s, usd_per_query=float(r["usd_per_query"])))
        for side in ("input", "output"):
            inputs.append(
                input_row(r, f"{r['model']}, {r['provider']}: {side}", f"{r[f'{side}_usd_per_mtok']:g}", "$/Mtok", as_of="effective_date")
            )
    inputs += [
        assumed("Queries a second", f"{params.queries_per_s:,.0f}", "1/s", "SemiAnalysis, 9 February 2023, unless set by you"),
        assumed("Tokens of an answer", f"{params.input_tokens:,} in, {params.output_tokens:,} out", ""),
    ]
    return Receipt(
        formulas=tuple(formulas),
        inputs=tuple(inputs),
        assumptions=("List prices, one answer a query, no caching; a provider's own cost is lower by its margin.",),
        error=("Morgan Stanley took 3.3 trillion queries a year, a third of this volume; at 0.2 cents each that is $6.6 billion.",),
    )


CHART = register(
    Chart(
        id="prices.search",
        page="prices",
        title="A model in every search",
        params=Params,
        table=table,
        figure=figure,
        receipt=receipt,
        words=words,
        presets=(
            Preset("gpt4", "GPT-4 level", {}, claim="I8"),
            Preset("o1", "o1 level, 4,000 tokens of thought", {"level": "o1", "output_tokens": 4000}, claim="I8"),
            Preset("low", "A third of the volume", {"queries_per_s": 104_642}, claim="I8"),
        ),
        heights=(440, 420),
    )
)
