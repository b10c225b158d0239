"""Words and receipt of the price frontier."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd

from analytics.prices.blend import blended_usd_per_mtok, cached_blend_usd_per_mtok
from analytics.prices.rates import halving_months
from charts.numbers import date, dollars, listed
from charts.prices.level_figure import MOST_DOTS
from charts.prices.level_fit import rate_facts
from charts.prices.levels import Selection, benchmark_text, candidates, score_text
from charts.receipt import FormulaLine, InputRow, Receipt, input_row, looked_up, worked
from charts.words import Words
from data.snapshot import Snapshot

Facts = dict[Any, Any]
CREDIT = "providers' price pages; scores: Epoch AI, CC BY 4.0, and model cards"


def words(table: pd.DataFrame, params: Any) -> Words:
    """Title, subtitle and the rest, all from the table."""
    facts = table.attrs
    paid = table[table["price_usd_per_mtok"] > 0]
    if paid.empty:
        return _nothing(facts, params)
    records = paid[paid["record"]]
    first, last = records.iloc[0], records.iloc[-1]
    models = paid["model_id"].nunique()
    rate = facts["rate"]
    most = len(paid) - len(records) > MOST_DOTS
    dots = f"the {MOST_DOTS:,} cheapest of {len(paid):,}" if most else f"all {len(paid)}" if len(paid) > 1 else "the one"
    among = f"{_counted(len(paid), 'offer')} of {_counted(models, 'model')}"
    marks = f"Small dots: {dots} {among.split(' ', 1)[1]} that {_reach(len(paid))} the level. Line: {_records(len(records))}."
    if facts["test"]:
        marks += " Diamonds: the model under test; dotted: ten-fold a year from the first record."
    if facts.get("own"):
        marks += " Dashed: the best model of its day, at its developer's price."
    return Words(
        finding=_finding(facts, first, last, params),
        subtitle=f"$ / Mtok, {facts['blend']}, log scale. {marks}",
        alt=_alt(facts, records, rate),
        coverage=among + _left_out(facts["left_out"], params),
        credit=CREDIT,
        notes=(*_test_notes(facts), *_own_notes(facts), rate["why"] or _other_rates(rate)),
    )


def _counted(n: int, thing: str) -> str:
    return f"{n} {thing}{'' if n == 1 else 's'}"


def _reach(n: int) -> str:
    return "reaches" if n == 1 else "reach"


def _records(n: int) -> str:
    return f"the {n} that set a record" if n > 1 else "the one that set a record"


def _left_out(n: int, params: Any) -> str:
    if not n:
        return ""
    why = "lie outside the days chosen or are switched off" if params.since or params.until else "are switched off"
    return (
        f"; {n} more reach the level and {why}"
        if n > 1
        else f"; 1 more reaches the level and {why.replace('lie', 'lies').replace('are', 'is')}"
    )


def _finding(facts: Facts, first: pd.Series, last: pd.Series, params: Any) -> str:
    whose = f"{facts['level_name']}'s score" if facts["level_name"] else facts["level"]
    if params.buyable:
        who = f"{last['model']} at {last['provider']}"
        return f"Reaching {whose} costs {dollars(last['price_usd_per_mtok'])} per million tokens today ({who})"
    if len(facts["test"]):
        return _test_finding(facts)
    start = f"Reaching {whose} cost {dollars(first['price_usd_per_mtok'])} per million tokens in {first['date'][:4]}"
    until = f" by {date(params.until.isoformat())}" if params.until else ""
    if last["date"] == first["date"]:
        return f"{start}; no cheaper offer is listed{until or ' since'}"
    when = pd.Timestamp(last["date"]).strftime("%B %Y")
    return f"{start}; the lowest offer{until or ' since'}, in {when}, was {dollars(last['price_usd_per_mtok'])}"


def _test_finding(facts: Facts) -> str:
    last = facts["test"][-1]
    gap = last["tenfold_ratio"]
    where = "on" if 0.8 <= gap <= 1.25 else "above" if gap > 1 else "below"
    return (
        f"At {dollars(last['price'])} from {date(_iso(last['date_day']))}, {facts['test_name']} sits {where} a ten-fold-a-year line "
        f"from the first record ({gap:.2f}× its {dollars(last['tenfold_price'])})"
    )


def _other_rates(rate: Facts) -> str:
    without = f"; without any one record holder ÷ {rate['loo_low']:.3g} to ÷ {rate['loo_high']:.3g}" if "loo_low" in rate else ""
    total = f"{rate['total_fold']:,.0f}" if rate["total_fold"] >= 100 else f"{rate['total_fold']:.3g}"
    return (
        f"In all ÷ {total} in {rate['years']:.1f} years. Other ways to fit: errors in both price and date "
        f"÷ {rate['major_axis_fold']:.3g} a year, end points alone ÷ {rate['endpoint_fold']:.3g}{without}."
    )


def _own_notes(facts: Facts) -> list[str]:
    if not (own := facts.get("own")) or not own["steps"]:
        return []
    first, last, rate = own["steps"][0], own["steps"][-1], own["rate"]
    ends = f"{first['model']} {dollars(first['price'])} in {_iso(first['date_day'])[:4]}, {last['model']} {dollars(last['price'])} "
    ends = f"Best model of its day: {ends}from {date(_iso(last['date_day']))}"
    if rate["why"]:
        return [f"{ends}; {rate['n']} steps are too few for a rate."]
    fold = rate["fold"]
    way = f"÷ {fold:.3g}" if fold >= 1 else f"× {1 / fold:.3g}"
    span = f"÷ {rate['fold_low']:.2g} to ÷ {rate['fold_high']:.2g}"
    return [f"{ends}: {way} a year per token (90 %: {span}; R² {rate['r_squared']:.2f}, n {rate['n']})."]


def _test_notes(facts: Facts) -> list[str]:
    if facts["test_name"] and not facts["test"]:
        return [f"No offer of {facts['test_name']} that reaches the level is among these: no test is drawn."]
    out = []
    for f in facts["test"]:
        head = f"{facts['test_name']} at {dollars(f['price'])} from {date(_iso(f['date_day']))}"
        if "p" not in f:
            out.append(f"{head}: only {f['n']} records lie before it, too few for a test.")
            continue
        out.append(
            f"{head}: {f['ratio']:.2g}× the line through the {f['n']} records before it "
            f"(t = {f['t']:.2f}, {f['degrees']} degrees of freedom, p = {f['p']:.2g}): {f['verdict']} at 90 %."
        )
    return out


def _iso(day: float) -> str:
    return (pd.Timestamp(0) + pd.Timedelta(days=day)).strftime("%Y-%m-%d")


def _alt(facts: Facts, records: pd.DataFrame, rate: Facts) -> str:
    steps = listed([f"{r['model']} {dollars(r['price_usd_per_mtok'])} ({date(r['date'][:7])})" for r in records.to_dict("records")], 12)
    fall = rate["why"] or f"A line through them falls {rate['fold']:.3g}-fold a year, halving every {rate['halving_months']:.2g} months."
    return f"Price records for {facts['level']}, {facts['blend']}: {steps}. {fall}"


def _nothing(facts: Facts, params: Any) -> Words:
    best = facts["best"]
    if facts["left_out"] and (params.since or params.until):
        days = [f"from {date(params.since.isoformat())}"] if params.since else []
        days += [f"to {date(params.until.isoformat())}"] if params.until else []
        finding = f"No offer {' '.join(days)} reaches {facts['level']} under these switches"
        more = f"{finding}. Without the days chosen or other switches {_counted(facts['left_out'], 'offer')} would."
        return Words(finding=finding, credit=CREDIT, empty=more, way_out={"since": None, "until": None, "buyable": False})
    nearest = f" The highest score of a model on sale is {score_text(facts['benchmark'], best['score'])} "
    f"({best['model']})." if best else ""
    return Words(
        finding=f"No offer reaches {facts['level']} under these switches",
        credit=CREDIT,
        empty=f"No offer reaches {facts['level']} under these switches.{nearest}",
        way_out={"level": "own", "benchmark": facts["benchmark"], "threshold": round(best["score"], 4), "buyable": False}
        if best
        else {"level": "gpt4"},
    )


def receipt(params: Any, snapshot: Snapshot) -> Receipt:
    """The last record's price worked out, its rows, the rules, and how far the rate moves with the choices."""
    pick: Selection = params.picked()
    rows = candidates(snapshot, pick)
    rate = rate_facts(rows)
    records = rows[rows["record"]]
    formulas, inputs = ([], []) if records.empty else _headline(records, pick)
    if rate.get("fit"):
        formulas.append(looked_up("Fall per year", rate["fold"], "fold", f"least squares of log10 price on time over {rate['n']} records"))
        formulas.append(worked(halving_months, fold_per_year=rate["fold"]))
    return Receipt(formulas=tuple(formulas), inputs=tuple(inputs), assumptions=_rules(pick), error=_doubts(snapshot, pick, rate))


def _headline(records: pd.DataFrame, pick: Selection) -> tuple[list[FormulaLine], list[InputRow]]:
    first, last = records.iloc[0], records.iloc[-1]
    values = {
        "input_usd_per_mtok": last["input_usd_per_mtok"],
        "output_usd_per_mtok": last["output_usd_per_mtok"],
        "input_per_output_token": pick.ratio,
    }
    cached = last["cached_input_usd_per_mtok"]
    if pick.cache_hit_share and cached == cached:
        line = worked(cached_blend_usd_per_mtok, cached_usd_per_mtok=cached, cache_hit_share=pick.cache_hit_share, **values)
    else:
        line = worked(blended_usd_per_mtok, **values)
    inputs: list[InputRow] = []
    for row, what in ((last, "last record"), (first, "first record")):
        name = f"{row['model_name'] or row['model_id']}, {row['provider']} ({what}{_standing(row)})"
        price = {"as_of": "effective_date"}
        inputs.append(input_row(row, f"{name}: input", f"{row['input_usd_per_mtok']:g}", "$/Mtok", **price))
        if pick.cache_hit_share and row["cached_input_usd_per_mtok"] == row["cached_input_usd_per_mtok"]:
            inputs.append(input_row(row, f"{name}: cached input", f"{row['cached_input_usd_per_mtok']:g}", "$/Mtok", **price))
        inputs.append(input_row(row, f"{name}: output", f"{row['output_usd_per_mtok']:g}", "$/Mtok", **price))
        score = score_text(pick.level.benchmark, row["score"])
        inputs.append(
            InputRow(
                f"{row['scored_as']}: {benchmark_text(pick.level.benchmark)}",
                score,
                "",
                row["score_source"],
                row["score_source_url"] or "",
                "reported",
            )
        )
    return [line], inputs


def _standing(row: pd.Series) -> str:
    """Weights behind a name of their own, and how long the price is known to have held."""
    weights = row["weights_id"]
    behind = f"; answered by {weights}" if isinstance(weights, str) and weights != row["model_id"] else ""
    if isinstance(row["end_date"], str):
        return f"{behind}; ended {date(row['end_date'])}"
    return behind + (f"; last seen {date(row['last_seen'])}" if isinstance(row["last_seen"], str) else "")


def _rules(pick: Selection) -> tuple[str, ...]:
    return (
        f"An offer counts when the weights that answer score at least {score_text(pick.level.benchmark, pick.level.threshold)} on "
        f"{benchmark_text(pick.level.benchmark)}; {pick.score} of several published scores; "
        "a score counts from the release of the version scored.",
        "A record is an offer strictly cheaper than every offer before it; it stays on the line when the offer ends.",
        "The interval treats the records as independent; they were chosen for being low, so it describes scatter and promises no coverage.",
        "A blank cached price counts as the input price; prices are list prices without volume discounts.",
    )


def _doubts(snapshot: Snapshot, pick: Selection, rate: Facts) -> tuple[str, ...]:
    if rate["why"]:
        return (rate["why"],)
    out = []
    folds = {choice: rate_facts(candidates(snapshot, replace(pick, score=choice))) for choice in ("best", "median", "lowest")}
    said = [
        f"{choice} score ÷ {f['fold']:.3g}" if f.get("fit") else f"{choice} score: {f['n']} records, no rate" for choice, f in folds.items()
    ]
    out.append("Score choice: " + ", ".join(said) + " a year.")
    other = rate_facts(candidates(snapshot, replace(pick, quantised=not pick.quantised)))
    out.append(
        f"With quantised offers {'out' if pick.quantised else 'in'}: " + (f"÷ {other['fold']:.3g}." if other.get("fit") else "no rate.")
    )
    early = rate_facts(candidates(snapshot, replace(pick, until="2024-12-31")))
    out.append(f"Cut at December 2024: {early['n']} records" + (f", ÷ {early['fold']:.3g} a year." if early.get("fit") else ", no rate."))
    out.append(
        f"Least squares ÷ {rate['fold']:.3g} (90 %: {rate['fold_low']:.3g} to {rate['fold_high']:.3g}); errors in both price and date "
        f"÷ {rate['major_axis_fold']:.3g}; all error in the date ÷ {rate['inverse_fold']:.3g}; "
        f"end points alone ÷ {rate['endpoint_fold']:.3g}."
    )
    if "loo_low" in rate:
        out.append(
            f"Leaving out one record holder at a time: ÷ {rate['loo_low']:.3g} without {rate['loo_low_model']} "
            f"to ÷ {rate['loo_high']:.3g} without {rate['loo_high_model']}."
        )
    out.append("Models released after the last scored one have no score yet, so a cheaper offer may exist: the shaded zone.")
    return tuple(out)
