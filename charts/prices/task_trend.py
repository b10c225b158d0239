"""Cost of a task at a score over time: the cheapest model that reaches it, beside what the best model of its day costs."""

from __future__ import annotations

import datetime
from typing import Any, Literal

import numpy as np
import pandas as pd

from analytics.prices.fit import errors_in_variables, why_no_rate
from analytics.prices.frontier import frontier, record_scores
from analytics.prices.pooled import pooled_curves
from analytics.prices.rates import halving_months
from analytics.prices.tasks import cost_per_solved_usd
from charts.numbers import date, dollars, listed, share
from charts.params import ChartParams, choice, day, number
from charts.prices.level_fit import records_rate
from charts.prices.levels import day_text
from charts.prices.task_trend_figure import figure
from charts.receipt import FormulaLine, InputRow, Receipt, assumed, input_row, looked_up, worked
from charts.registry import Chart, Preset, register
from charts.words import Words
from data.queries.tasks import dated_runs
from data.snapshot import Snapshot

BENCHMARKS = {"WeirdML": "WeirdML", "Aider polyglot": "Aider polyglot"}
CREDIT = "costs and scores: WeirdML and Aider, in part by way of Epoch AI (CC BY 4.0)"
# Levels put together: every tenth part of the score.
LEVELS = tuple(k / 10 for k in range(1, 10))
PUBLISHED = "H. T. Ihle (LessWrong, 2025) found 2.37, 1.99 and 1.67 months for WeirdML"


class Params(ChartParams):
    """State of the chart."""

    benchmark: Literal["WeirdML", "Aider polyglot"] = choice(
        "WeirdML", label="Test", help="Tests whose source states what a task cost.", labels=BENCHMARKS
    )
    view: Literal["level", "all"] = choice(
        "level",
        label="View",
        help="One score in dollars, or every tenth of the score as a ratio to its first cost.",
        labels={"level": "One score", "all": "All scores together"},
    )
    threshold: float = number(0.3, ge=0.01, le=1, label="Score", help="Least share of the test that is right.", step=0.05)
    until: datetime.date | None = day(None, label="To", help="Last day a model may have come out; empty is today.")


def table(params: Params, snapshot: Snapshot) -> pd.DataFrame:
    """One row a run of a model, by day of release, with the records of cost and of score marked; curves and rates in attrs."""
    last = (np.datetime64(params.until or snapshot.today) - np.datetime64("1970-01-01")).astype(int)
    rows = dated_runs(snapshot, params.benchmark)
    rows = rows[rows["day"] <= last].reset_index(drop=True)
    reaches = (rows["score"] >= params.threshold).to_numpy()
    cheapest, best = np.zeros(len(rows), dtype=bool), np.zeros(len(rows), dtype=bool)
    cheapest[np.flatnonzero(reaches)[frontier(rows["day"][reaches], rows["cost_usd_per_task"][reaches])]] = True
    best[record_scores(rows["day"], rows["score"], rows["cost_usd_per_task"])] = True
    bare = rows["model_as_named"].str.replace(r"-?\(?20\d\d-?[01]\d-?[0-3]\d\)?", "", regex=True).str.strip()
    named = [f"{n} ({e})" if e else n for n, e in zip(bare, rows["effort"])]
    kept = ["model_id", "effort", "score", "released_from", "as_of", "rung", "single_source", "not_reread", "source", "source_url", "note"]
    out = pd.DataFrame({"date": day_text(rows["day"]), "model": named, "usd_per_task": rows["cost_usd_per_task"], "record": cheapest})
    out = pd.concat([out.assign(best=best, reaches=reaches), rows[kept]], axis=1)
    scored = str(rows["as_of"].max()) if len(rows) else snapshot.today.isoformat()
    out.attrs = {
        "benchmark": params.benchmark,
        "threshold": params.threshold,
        "end": (params.until or snapshot.today).isoformat(),
        "scored_until": min(scored, (params.until or snapshot.today).isoformat()),
        "top": float(rows["score"].max()) if len(rows) else None,
        "rate": records_rate(rows["day"][cheapest], rows["cost_usd_per_task"][cheapest]),
        "best_rate": records_rate(rows["day"][best], rows["cost_usd_per_task"][best]),
        "pooled": _pooled(rows, min(float(last), _day(scored))),
    }
    return out


def _day(text: str) -> float:
    return float((np.datetime64(text) - np.datetime64("1970-01-01")).astype("timedelta64[D]").astype(int))


def _pooled(rows: pd.DataFrame, until_day: float) -> dict[str, Any]:
    """Curves of LEVELS as ratios to their first cost, and halving times [months] of the three lines through all of them."""
    curves = pooled_curves(rows["day"], rows["cost_usd_per_task"], rows["score"], LEVELS, until_day)
    facts: dict[str, Any] = {"n": int(curves.days.size), "curves": []}
    for i in np.unique(curves.level):
        own = curves.level == i
        months = curves.days[own] * 12 / 365.25
        facts["curves"].append({"level": LEVELS[int(i)], "months": months.round(3).tolist(), "ratio": curves.ratio[own].tolist()})
    if curves.days.size and np.unique(curves.days).size > 1 and not np.all(curves.ratio == 1):
        three = errors_in_variables(curves.days, curves.ratio)
        folds = {"ols": three.ols, "major_axis": three.reduced_major_axis, "inverse": three.inverse_ols}
        facts |= {f"{name}_months": float(halving_months(fold)) for name, fold in folds.items()}
        facts |= {f"{name}_fold": float(fold) for name, fold in folds.items()}
    return facts


def words(table: pd.DataFrame, params: Params) -> Words:
    """Title and the rest, from the table."""
    return _together(table) if params.view == "all" else _one(table)


def _together(table: pd.DataFrame) -> Words:
    f = table.attrs["pooled"]
    name = table.attrs["benchmark"]
    if "major_axis_months" not in f:
        nothing = f"No score of {name} was reached more cheaply by {date(table.attrs['end'])}."
        return Words(finding=nothing[:-1], empty=nothing, way_out={"view": "all", "until": None}, credit=CREDIT)
    curves = f["curves"]
    return Words(
        finding=f"The cost of a score on {name} halves every {f['major_axis_months']:.2g} months "
        f"({f['inverse_months']:.2g} to {f['ols_months']:.2g}, by where the error is put)",
        subtitle=f"Lowest cost of a task over its first cost, log scale, by months since a model first reached the score. {len(curves)} "
        "scores, sampled monthly. Dashed: errors in both cost and time.",
        alt="; ".join(f"{share(c['level'])}: {c['ratio'][-1]:.3g} times its first cost after {c['months'][-1]:.0f} months" for c in curves),
        coverage=f"{f['n']} monthly samples of {len(curves)} scores; {len(table)} runs",
        credit=CREDIT,
        notes=(
            f"Halving time in months: least squares {f['ols_months']:.2f}, errors in both {f['major_axis_months']:.2f}, all error in "
            f"time {f['inverse_months']:.2f}.",
            "Samples of one curve hang together, so no interval is given.",
        ),
    )


def _one(table: pd.DataFrame) -> Words:
    f = table.attrs
    level = f"{share(f['threshold'])} on {f['benchmark']}"
    records, best = table[table["record"]], table[table["best"]]
    if records.empty:
        nearest = f" The best run is right on {share(f['top'])}." if f["top"] else ""
        way = {"threshold": max(0.01, np.floor(100 * f["top"]) / 100), "until": None} if f["top"] else {"until": None, "threshold": 0.3}
        return Words(
            finding=f"No run reaches {level} by {date(f['end'])}",
            empty=f"No run reaches {level} by {date(f['end'])}.{nearest}",
            way_out=way,
            credit=CREDIT,
        )
    first, last, one, now = records.iloc[0], records.iloc[-1], best.iloc[0], best.iloc[-1]
    cheap = f"{share(f['threshold'])} on {f['benchmark']} cost {_usd(first['usd_per_task'])} a task in {first['date'][:4]}"
    fell = f" and {_usd(last['usd_per_task'])} since, with {last['model']}" if len(records) > 1 else ""
    return Words(
        finding=f"{cheap}{fell}; the best model of its day went from {_usd(one['usd_per_task'])} to {_usd(now['usd_per_task'])}",
        subtitle=f"$ per task as the source states it, log scale, by the day the model came out. Line: the {len(records)} that reached the "
        f"score more cheaply than any before; dashed: the {len(best)} that scored higher than any before. Dots: other runs.",
        alt=f"Cheapest at {level}: {_steps(records)}. Best of its day: {_steps(best)}.",
        coverage=f"{int(table['reaches'].sum())} of {len(table)} runs of {table['model'].nunique()} models and efforts reach the score",
        credit=CREDIT,
        notes=(f"Cheapest: {_rate_words(f['rate'])}", f"Best model of its day: {_rate_words(f['best_rate'])}"),
    )


def _usd(value: float) -> str:
    return dollars(value) if value >= 0.01 else f"{100 * value:.2g} ¢"


def _steps(rows: pd.DataFrame) -> str:
    return listed([f"{m} {_usd(v)} ({date(d[:7])})" for m, v, d in zip(rows["model"], rows["usd_per_task"], rows["date"])], 12)


def _rate_words(rate: dict[str, Any]) -> str:
    if rate["why"]:
        return f"{rate['n']} record{'s' if rate['n'] != 1 else ''}; a rate needs 4."
    fold, low, high = rate["fold"], rate["fold_low"], rate["fold_high"]
    tail = f"R² {rate['r_squared']:.2f}, n {rate['n']}"
    if fold >= 1:
        both = f"errors in both ÷ {_fold(rate['major_axis_fold'])}"
        return f"÷ {_fold(fold)} a year (90 %: ÷ {_fold(low)} to ÷ {_fold(high)}), {both}; {tail}."
    return f"× {_fold(1 / fold)} a year (90 %: × {_fold(1 / high)} to × {_fold(1 / low)}); {tail}."


def _fold(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.2g}" if value < 10 else f"{value:.3g}"


def receipt(params: Params, snapshot: Snapshot) -> Receipt:
    """The rates with how they come about, the cost of a solved task at the last record, and the rows of both lines."""
    made = table(params, snapshot)
    formulas: list[FormulaLine] = []
    if params.view == "all":
        pooled = made.attrs["pooled"]
        if "major_axis_months" in pooled:
            what = f"reduced major axis of log10 ratio on months over {pooled['n']} samples"
            formulas = [
                looked_up("Fall per year", pooled["major_axis_fold"], "fold", what),
                worked(halving_months, fold_per_year=pooled["major_axis_fold"]),
            ]
    else:
        rate, records = made.attrs["rate"], made[made["record"]]
        if not rate["why"]:
            what = f"least squares of log10 cost on time over {rate['n']} records"
            formulas = [looked_up("Fall per year", rate["fold"], "fold", what), worked(halving_months, fold_per_year=rate["fold"])]
        if len(records):
            last = records.iloc[-1]
            formulas.append(worked(cost_per_solved_usd, cost_usd_per_task=float(last["usd_per_task"]), score=float(last["score"])))
    inputs: list[InputRow] = [
        input_row(
            r, f"{r['model']} ({share(r['score'])}), out {date(r['date'])} by the {r['released_from']}", f"{r['usd_per_task']:.4g}", "$"
        )
        for _, r in made[made["record"] | made["best"]].iterrows()
    ]
    return Receipt(
        formulas=tuple(formulas),
        inputs=(*inputs, assumed("Least score", share(params.threshold))),
        assumptions=(
            "A run counts from the day its model came out, at the cost the test's own run was billed: older models were run later, at "
            "the prices of that day.",
            "A run of WeirdML is several submissions with feedback; a task of Aider is an exercise. Their dollars do not compare.",
            "Several efforts of one model are several runs.",
        ),
        error=(
            f"{PUBLISHED} by least squares, errors in both and all error in time; its levels are not stated, ours are tenths.",
            why_no_rate(made.attrs["rate"]["n"]) or "Records are chosen for being low: intervals describe scatter.",
        ),
    )


CHART = register(
    Chart(
        id="prices.task_trend",
        page="prices",
        title="Cost of a score over time",
        params=Params,
        table=table,
        figure=figure,
        receipt=receipt,
        words=words,
        presets=(
            Preset("weirdml", "WeirdML, 30 % right", {}, claim="I1"),
            Preset(
                "together", "All scores of WeirdML, to September 2025", {"view": "all", "until": datetime.date(2025, 9, 30)}, claim="I1"
            ),
            Preset("gpt4", "WeirdML at GPT-4's score", {"threshold": 0.12}, claim="I2"),
            Preset("aider", "Aider polyglot, 60 % right", {"benchmark": "Aider polyglot", "threshold": 0.6}),
            Preset("aider_together", "All scores of Aider polyglot", {"benchmark": "Aider polyglot", "view": "all"}),
        ),
        heights=(480, 430),
    )
)
