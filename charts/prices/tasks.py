"""Cost and tokens of an answer against the score: what thinking costs."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from analytics.prices.tasks import cost_frontier, cost_per_solved_usd, task_cost_usd
from charts.look import Look
from charts.numbers import count, dollars, log_ticks, share
from charts.params import ChartParams, choice, flag
from charts.prices.draw import Frame, name_points, stepped, y_unit
from charts.receipt import InputRow, Receipt, input_row, worked
from charts.registry import Chart, Preset, register
from charts.template import tokens
from charts.text import as_text
from charts.words import Words
from data.queries.tasks import task_tokens
from data.snapshot import Snapshot

BENCHMARKS = {
    "GPQA Diamond": "GPQA Diamond",
    "MATH level 5": "MATH level 5",
    "OTIS Mock AIME 2024-2025": "OTIS Mock AIME",
    "Aider polyglot": "Aider polyglot",
    "WeirdML": "WeirdML",
}
MEASURES = {"usd_per_answer": "Cost", "usd_per_solved": "Cost per solved", "output_tokens": "Output tokens"}
CREDIT = "tokens and scores: Epoch AI (CC BY 4.0), Aider, WeirdML; prices: providers' pages"


class Params(ChartParams):
    """State of the chart."""

    benchmark: Literal["GPQA Diamond", "MATH level 5", "OTIS Mock AIME 2024-2025", "Aider polyglot", "WeirdML"] = choice(
        "GPQA Diamond", label="Test", help="Tasks whose answers are counted.", labels=BENCHMARKS
    )
    measure: Literal["usd_per_answer", "usd_per_solved", "output_tokens"] = choice(
        "usd_per_answer", label="Measure", help="What an answer takes.", labels=MEASURES
    )
    reasoning: bool = flag(False, label="Reasoning only", help="Only models that think before they answer.")


def table(params: Params, snapshot: Snapshot) -> pd.DataFrame:
    """One row a model and effort with a score: tokens, cost per answer, cost per solved task, and whether it is on the frontier."""
    rows = task_tokens(snapshot, params.benchmark)
    if params.reasoning:
        rows = rows[rows["is_reasoning"]]
    # Where the source states a cost it holds; else output tokens at the list price of the day: input is not in the record.
    computed = task_cost_usd(0.0, 0.0, rows["avg_output_tokens"].astype(float), rows["output_usd_per_mtok"].astype(float))
    stated = rows["cost_usd_per_task"].notna()
    usd = rows["cost_usd_per_task"].where(stated, computed)
    rows = rows.assign(usd_per_answer=usd, cost_from=np.where(stated, "stated by the source", "output tokens at list price"))
    rows = rows[rows["score"].notna() & (rows["score"] > 0)]
    rows = rows.assign(usd_per_solved=cost_per_solved_usd(rows["usd_per_answer"], rows["score"]), output_tokens=rows["avg_output_tokens"])
    rows = rows[rows[params.measure].notna() & (rows[params.measure] > 0)].reset_index(drop=True)
    best = np.zeros(len(rows), dtype=bool)
    best[cost_frontier(rows[params.measure], rows["score"])] = True
    bare = rows["model_as_named"].str.replace(r"-?\(?20\d\d-?[01]\d-?[0-3]\d\)?", "", regex=True).str.strip()
    named = [f"{n} ({e})" if e else n for n, e in zip(bare, rows["effort"])]
    kept = [
        "model_id", "effort", "score", "output_tokens", "usd_per_answer", "usd_per_solved", "cost_from", "is_reasoning", "price_provider",
        "price_date", "output_usd_per_mtok", "n_answers", "as_of", "rung", "single_source", "not_reread", "source", "source_url",
        "score_from", "note",
    ]  # fmt: skip
    out = pd.concat([pd.DataFrame({"model": named, "frontier": best}), rows[kept]], axis=1)
    out.attrs = {"benchmark": BENCHMARKS[params.benchmark], "stated": bool(stated.any())}
    return out


def figure(table: pd.DataFrame, params: Params, look: Look) -> go.Figure:
    """Measure across (log), score up; filled: reasoning models; the line joins what nothing beats on both."""
    t = tokens(look)
    x = table[params.measure]
    low, high = (x.min() / 1.5, x.max() * 1.8) if len(table) else (0.001, 1.0)
    top = min(1.0, float(table["score"].max()) * 1.12) if len(table) else 1.0
    frame = Frame(look, look.height(480, 430), 56 if not look.phone else 44, 24, 28, 52, (low, high), (0, top), x_log=True)
    out = frame.figure()
    y_unit(out, frame, "score")
    write = count if params.measure == "output_tokens" else _usd
    out.update_xaxes(**log_ticks(low, high, write, 5 if look.phone else 10), title_text=_axis(params))
    out.update_yaxes(tickformat=".0%", title_text=None)
    best = table[table["frontier"]].sort_values(params.measure, kind="stable")
    out.add_scatter(
        x=best[params.measure], y=best["score"], mode="lines", line={"shape": "hv", "color": t["ink"], "width": 1.4}, hoverinfo="skip"
    )
    for thinks, face in ((False, t["page"]), (True, t["blue"])):
        own = table[table["is_reasoning"].eq(thinks)]
        out.add_scatter(
            x=own[params.measure], y=own["score"], mode="markers",
            marker={"size": 8, "color": face, "line": {"width": 1.6, "color": t["blue"] if thinks else t["point"]}},
            text=[_hover(r) for r in own.to_dict("records")], hovertemplate="%{text}<extra></extra>",
        )  # fmt: skip
    named = best.iloc[::-3] if look.phone else pd.concat([best, table[table["is_reasoning"] & ~table["frontier"]].nlargest(8, "score")])
    dots = np.vstack([frame.pixels(x.tolist(), table["score"].tolist()), stepped(frame, best[params.measure], best["score"])])
    texts = [as_text(m, 30) for m in named["model"]]
    name_points(
        out, frame, named[params.measure].tolist(), named["score"].tolist(), texts, obstacles=dots, first=range(min(len(best), len(named)))
    )
    return out


def _usd(value: float) -> str:
    return dollars(value) if value >= 0.01 else f"{value * 100:.2g} ¢"


def _axis(params: Params) -> str:
    return {"usd_per_answer": "$ per answer", "usd_per_solved": "$ per solved task", "output_tokens": "output tokens per answer"}[
        params.measure
    ]


def _hover(r: dict) -> str:
    head = f"<b>{as_text(r['model'])}</b>, {share(r['score'])}<br>"
    cost = (
        f"{_usd(r['usd_per_answer'])} an answer ({r['cost_from']})" if r["usd_per_answer"] == r["usd_per_answer"] else "no price that day"
    )
    return head + cost + (f"<br>{r['output_tokens']:,.0f} output tokens" if r["output_tokens"] == r["output_tokens"] else "")


def words(table: pd.DataFrame, params: Params) -> Words:
    """Title and the rest, from the table."""
    f = table.attrs
    if table.empty:
        nothing = f"{f['benchmark']} has no row with this measure and a score; its source states "
        return Words(
            finding=f"No {MEASURES[params.measure].lower()} for {f['benchmark']}",
            empty=nothing + ("a cost, not tokens." if f["stated"] else "tokens, not a cost."),
            way_out={"measure": "usd_per_answer", "reasoning": False},
            credit=CREDIT,
        )
    best = table[table["frontier"]].sort_values(params.measure, kind="stable")
    first, last = best.iloc[0], best.iloc[-1]
    write = count if params.measure == "output_tokens" else _usd
    unit = {"usd_per_answer": "an answer", "usd_per_solved": "a solved task", "output_tokens": "output tokens an answer"}[params.measure]
    counted = "Cost is output tokens at the list price of the day; input is not in the record."
    stated = "Cost as the source states it, input included." if f["stated"] else counted
    return Words(
        finding=f"On {f['benchmark']} {last['model']} reaches {share(last['score'])} at {write(last[params.measure])} {unit}; "
        f"{first['model']} reaches {share(first['score'])} at {write(first[params.measure])}",
        subtitle=f"Score against {_axis(params)}, log scale. Filled: {int(table['is_reasoning'].sum())} rows of reasoning models; "
        "hollow: others. "
        f"Line: what no other beats on both. {stated if params.measure != 'output_tokens' else ''}".strip(),
        alt="Frontier: "
        + "; ".join(f"{m} {share(s)} at {write(v)}" for m, s, v in zip(best["model"], best["score"], best[params.measure])),
        coverage=f"{len(table)} rows of {table['model_id'].nunique()} models",
        credit=CREDIT,
    )


def receipt(params: Params, snapshot: Snapshot) -> Receipt:
    """The dearest point of the frontier worked out, and the rows of the whole frontier."""
    made = table(params, snapshot)
    best = made[made["frontier"]].sort_values(params.measure, kind="stable")
    formulas = []
    if len(best):
        last = best.iloc[-1]
        if last["cost_from"].startswith("output") and last["output_tokens"] == last["output_tokens"]:
            price = float(last["output_usd_per_mtok"])
            formulas.append(
                worked(
                    task_cost_usd,
                    input_tokens=0,
                    input_usd_per_mtok=0,
                    output_tokens=float(last["output_tokens"]),
                    output_usd_per_mtok=price,
                )
            )
        if last["usd_per_answer"] == last["usd_per_answer"]:
            formulas.append(worked(cost_per_solved_usd, cost_usd_per_task=float(last["usd_per_answer"]), score=float(last["score"])))
    inputs: list[InputRow] = []
    for _, r in best.iterrows():
        if r["output_tokens"] == r["output_tokens"]:
            inputs.append(input_row(r, f"{r['model']}: output tokens", f"{r['output_tokens']:,.0f}", "tokens"))
        if r["cost_from"].startswith("stated"):
            inputs.append(input_row(r, f"{r['model']}: cost", f"{r['usd_per_answer']:.3g}", "$"))
        inputs.append(InputRow(f"{r['model']}: score", share(r["score"]), "", str(r["score_from"] or ""), "", "reported"))
    return Receipt(
        formulas=tuple(formulas),
        inputs=tuple(inputs),
        assumptions=(
            "Output tokens include hidden reasoning, as billed. Tokenizers differ between families.",
            "The price is the developer's own on the day of the run, else the lowest then listed.",
            "Where the token record has no score, the score table's best of the same model and effort is taken.",
        ),
        error=("Runs repeat a question 1 to 16 times; the spread between runs is not in the record.",),
    )


CHART = register(
    Chart(
        id="prices.tasks",
        page="prices",
        title="Cost per answer against score",
        params=Params,
        table=table,
        figure=figure,
        receipt=receipt,
        words=words,
        presets=(
            Preset("gpqa", "GPQA Diamond", {}, claim="R5"),
            Preset("tokens", "Tokens, reasoning models", {"measure": "output_tokens", "reasoning": True}, claim="R5"),
            Preset("aider", "Aider polyglot", {"benchmark": "Aider polyglot"}),
            Preset("weirdml", "WeirdML", {"benchmark": "WeirdML"}),
        ),
        heights=(480, 430),
    )
)
