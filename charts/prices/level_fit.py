"""The rate of a price frontier with its doubts, as plain facts that a table can carry."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from analytics.prices.fit import LogLinearFit, errors_in_variables, fit_log_linear, why_no_rate
from analytics.prices.frontier import frontier
from analytics.prices.rates import endpoint_rate, trend_usd_per_mtok, years_between
from analytics.prices.robustness import leave_one_model_out, trend_test

BAND_LEVEL = 0.9


def rate_facts(rows: pd.DataFrame) -> dict[str, Any]:
    """Fit, interval, errors-in-variables and leave-one-out of the records among candidates (`levels.candidates`).

    Returns JSON-able facts: `n`; `why` (why there is no rate, "" where there is one); and with a rate: fit (fields of
    LogLinearFit), fold, fold_low, fold_high (90 %), halving_months, endpoint_fold, total_fold, major_axis_fold, inverse_fold, loo_low,
    loo_high, loo_low_model, loo_high_model.
    """
    records = rows[rows["record"]]
    facts = records_rate(records["from_day"], records["price_usd_per_mtok"])
    if facts["why"]:
        return facts
    without = leave_one_model_out(rows["from_day"], rows["price_usd_per_mtok"], rows["model_id"])
    known = np.flatnonzero(np.isfinite(without.fold_per_year))
    if known.size:
        least, most = (known[pick(without.fold_per_year[known])] for pick in (np.argmin, np.argmax))
        facts |= {
            "loo_low": float(without.fold_per_year[least]),
            "loo_high": float(without.fold_per_year[most]),
            "loo_low_model": str(without.models[least]),
            "loo_high_model": str(without.models[most]),
        }
    return facts


def records_rate(days: pd.Series, prices: pd.Series) -> dict[str, Any]:
    """The line through records: `n`, `why`, and with a rate the facts of `rate_facts` that need no other candidates."""
    facts: dict[str, Any] = {"n": len(days), "why": why_no_rate(len(days))}
    if facts["why"]:
        return facts
    day, price = days.to_numpy(dtype=float), prices.to_numpy(dtype=float)
    fit, other = fit_log_linear(day, price), errors_in_variables(day, price)
    low, high = fit.fold_interval(BAND_LEVEL)
    return facts | {
        "fit": asdict(fit),
        "fold": fit.fold_per_year,
        "fold_low": low,
        "fold_high": high,
        "halving_months": fit.halving_months,
        "r_squared": fit.r_squared,
        "endpoint_fold": endpoint_rate(day, price),
        "total_fold": float(price[0] / price[-1]),
        "years": float(years_between(day[0], day[-1])),
        "major_axis_fold": other.reduced_major_axis,
        "inverse_fold": other.inverse_ols,
    }


def own_facts(rows: pd.DataFrame) -> dict[str, Any]:
    """Steps of the best model of its day (`levels.best_of_its_day`) and the line through their prices (`records_rate`)."""
    names = rows["model_name"].where(rows["model_name"].notna(), rows["model_id"])
    steps = [
        {"date_day": float(day), "model": str(name), "price": float(price), "score": float(score)}
        for day, name, price, score in zip(rows["from_day"], names, rows["price_usd_per_mtok"], rows["score"])
    ]
    return {"steps": steps, "rate": records_rate(rows["from_day"], rows["price_usd_per_mtok"])}


def stored_fit(facts: dict[str, Any]) -> LogLinearFit | None:
    """The fit that `rate_facts` stored, or None where there was no rate."""
    return LogLinearFit(**facts["fit"]) if facts.get("fit") else None


def test_facts(rows: pd.DataFrame, model: str) -> list[dict[str, Any]]:
    """Each offer of one model by its developer against two lines that know nothing of it.

    The lines: ten-fold a year from the first record; and the fit to the records before the offer, the model left out. Returns
    one dict an offer, in order of date: date_day, price, tenfold_price, tenfold_ratio, n; and where the records before it are four or
    more: expected, ratio, t, degrees, p, verdict.
    """
    own = rows[rows["weights_id"].eq(model) & (rows["price_usd_per_mtok"] > 0)]
    first_party = own[own["provider"].eq(own["developer"])]
    own = first_party if len(first_party) else own
    start = rows[rows["record"]]
    out: list[dict[str, Any]] = []
    for offer in own.sort_values("from_day", kind="stable").to_dict("records"):
        day, price = float(offer["from_day"]), float(offer["price_usd_per_mtok"])
        # Records among the others alone: one that an earlier offer of the model undercut counts again.
        others = rows[rows["weights_id"].ne(model) & (rows["from_day"] < day)]
        before = others.iloc[frontier(others["from_day"], others["price_usd_per_mtok"])]
        line = float(trend_usd_per_mtok(start["price_usd_per_mtok"].iloc[0], 10.0, years_between(start["from_day"].iloc[0], day)))
        fact: dict[str, Any] = {"date_day": day, "price": price, "tenfold_price": line, "tenfold_ratio": price / line, "n": len(before)}
        if not why_no_rate(len(before)):
            test = trend_test(fit_log_linear(before["from_day"], before["price_usd_per_mtok"]), day, price)
            fact |= {"expected": test.expected, "ratio": test.ratio, "t": test.t, "degrees": test.degrees, "p": test.p}
            fact["verdict"] = test.verdict(BAND_LEVEL)
        out.append(fact)
    return out
