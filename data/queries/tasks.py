"""What a task takes: tokens and dollars per answer, scores, and the runs of ARC-AGI."""

from __future__ import annotations

import datetime

import numpy as np
import pandas as pd

from data.queries.prices import day_number, offers
from data.snapshot import Snapshot, latest_day

# Benchmarks of tokens_per_task as the score table names them.
SCORE_NAMES = {"GPQA Diamond": "GPQA-Diamond", "MATH level 5": "MATH-L5", "OTIS Mock AIME 2024-2025": "OTIS-Mock-AIME-2024-2025"}
# A host as the speed table names it, and as the price table does.
HOST_NAMES = {
    "Together": "Together AI",
    "Microsoft Azure": "Azure",
    "Amazon Bedrock standard": "AWS Bedrock",
    "Amazon Bedrock latency optimised": "AWS Bedrock",
}


def priced_on(snapshot: Snapshot, wanted: pd.DataFrame, provider: str | None = None) -> pd.DataFrame:
    """The offer of each model that was in force on a day: the developer's own where there is one, else the lowest output price.

    Parameters: wanted with columns model_id and day; provider, the name of a column of wanted that fixes the seller.
    Returns: input_usd_per_mtok, output_usd_per_mtok, price_provider, price_date, price_source, price_source_url on the index of
    wanted; missing where nobody listed a price that day.
    """
    rows = offers(snapshot)
    rows = rows[~rows["tier"].isin(["off-peak", "free", "priority"]) & (rows["output_usd_per_mtok"] > 0) & rows["quantised"].ne(1)]
    by_model = dict(tuple(rows.groupby("model_id")))
    picked = [
        _in_force(by_model.get(item["model_id"]), item["day"], item[provider] if provider else None) for item in wanted.to_dict("records")
    ]
    columns = {
        "input_usd_per_mtok": "input_usd_per_mtok",
        "output_usd_per_mtok": "output_usd_per_mtok",
        "price_provider": "provider",
        "price_date": "effective_date",
        "price_source": "source",
        "price_source_url": "source_url",
    }
    return pd.DataFrame({new: [None if p is None else p[old] for p in picked] for new, old in columns.items()}, index=wanted.index)


def _in_force(rows: pd.DataFrame | None, day: float, provider: str | None) -> pd.Series | None:
    if rows is None or np.isnan(day):
        return None
    rows = rows[(rows["start_day"] <= day) & (day < rows["end_day"].fillna(np.inf))]
    if provider is not None:
        rows = rows[rows["provider"].eq(provider)]
    own = rows[rows["provider"].eq(rows["developer"])]
    if len(own):
        return own.sort_values(["start_day", "fact_key"], kind="stable").iloc[-1]
    return rows.sort_values(["output_usd_per_mtok", "fact_key"], kind="stable").iloc[0] if len(rows) else None


def task_tokens(snapshot: Snapshot, benchmark: str) -> pd.DataFrame:
    """Tokens, cost and score per answer on one benchmark, with the price in force on the day of the run.

    Columns of tokens_per_task plus day, the columns of `priced_on`, is_reasoning, and score filled from the score table (same
    model, nearest effort) where the row has none; score_from names where it came from. Errors: ValueError for an unknown benchmark.
    """
    rows = snapshot.table("tokens_per_task")
    known = sorted(rows["benchmark"].dropna().unique())
    if benchmark not in known:
        raise ValueError(f"benchmark must be one of {', '.join(known)}, got {benchmark!r}")
    rows = rows[rows["benchmark"].eq(benchmark)].reset_index(drop=True)
    rows["day"] = day_number(rows["as_of"])
    rows = rows.join(priced_on(snapshot, rows))
    reasoning = offers(snapshot).groupby("model_id")["is_reasoning"].max()
    rows["is_reasoning"] = rows["model_id"].map(reasoning).eq(1)
    rows["score_from"] = rows["source"].where(rows["score"].notna(), None)
    if benchmark in SCORE_NAMES:
        rows = _with_scores(snapshot, rows, SCORE_NAMES[benchmark])
    return rows.sort_values("fact_key", kind="stable", ignore_index=True)


def dated_runs(snapshot: Snapshot, benchmark: str) -> pd.DataFrame:
    """Runs of a benchmark with a cost and a score, each with the day its model came out: `task_tokens` and released, released_from.

    The day is, in this order: the release of the version that was scored; the day in the model's name; the earliest release of the
    model; its first price. Runs without any are left out.
    """
    rows = task_tokens(snapshot, benchmark)
    rows = rows[(rows["cost_usd_per_task"] > 0) & rows["score"].notna()]
    known = snapshot.table("capability")
    known = known[known["model_release_date"].notna()].sort_values(["model_release_date", "fact_key"], kind="stable")
    version = known.drop_duplicates("model_version").set_index("model_version")["model_release_date"]
    model = known.drop_duplicates("model_id").set_index("model_id")["model_release_date"]
    parts = rows["model_as_named"].str.extract(r"(20\d\d)-?([01]\d)-?([0-3]\d)$")
    priced = offers(snapshot).sort_values(["start_day", "fact_key"], kind="stable").drop_duplicates("model_id")
    choices = {
        "release of the version": rows["model_as_named"].map(version),
        "day in its name": parts[0] + "-" + parts[1] + "-" + parts[2],
        "release of the model": rows["model_id"].map(model),
        "first price": rows["model_id"].map(priced.set_index("model_id")["effective_date"]),
    }
    released = pd.Series(None, index=rows.index, dtype=object)
    origin = pd.Series("", index=rows.index, dtype=object)
    for name, days in choices.items():
        new = released.isna() & days.notna()
        released, origin = released.where(~new, days), origin.where(~new, name)
    rows = rows.assign(released=released, released_from=origin)[released.notna()]
    return rows.assign(day=day_number(rows["released"])).sort_values(["day", "fact_key"], kind="stable", ignore_index=True)


def _with_scores(snapshot: Snapshot, rows: pd.DataFrame, benchmark: str) -> pd.DataFrame:
    known = snapshot.table("capability")
    known = known[known["benchmark"].eq(benchmark) & known["score"].notna()].sort_values(["model_id", "score", "fact_key"], kind="stable")
    by_model = dict(tuple(known.groupby("model_id")))
    for i in rows.index[rows["score"].isna()]:
        found = by_model.get(str(rows.at[i, "model_id"]))
        if found is None:
            continue
        effort = str(rows.at[i, "effort"] or "").casefold()
        same = found[found["effort"].fillna("").str.casefold().eq(effort)]
        if effort and same.empty:
            continue
        best = (same if len(same) else found).iloc[-1]
        rows.at[i, "score"], rows.at[i, "score_from"] = best["score"], best["source"]
    return rows


def arc_runs(snapshot: Snapshot, dataset: str) -> pd.DataFrame:
    """Runs of one ARC-AGI data set with `usd_per_task`, `implied` (bool) and `restated` (bool), ordered by key.

    Where the cost was withheld but both runs state their tokens, usd_per_task is the first published run's price per token
    times the tokens of a task: `implied`. Errors: ValueError for an unknown data set.
    """
    rows = snapshot.table("arc_agi")
    known = sorted(rows["dataset"].dropna().unique())
    if dataset not in known:
        raise ValueError(f"data set must be one of {', '.join(known)}, got {dataset!r}")
    rows = rows[rows["dataset"].eq(dataset)].reset_index(drop=True)
    exact = rows["total_cost_usd"] / rows["n_tasks"]
    usd = exact.where(exact.notna(), rows["cost_per_task_usd"])
    paid = rows[rows["total_cost_usd"].notna() & rows["tokens_total"].notna()]
    implied = usd.isna() & rows["tokens_total"].notna()
    if len(paid):
        rate = float((paid["total_cost_usd"] / paid["tokens_total"]).iloc[0])
        usd = usd.where(~implied, rate * rows["tokens_total"] / rows["n_tasks"])
    return rows.assign(usd_per_task=usd, implied=implied & usd.notna(), restated=rows["note"].fillna("").str.startswith("RESTATED"))


def host_speeds(snapshot: Snapshot) -> pd.DataFrame:
    """Measured speeds of named hosts with the price of the same model at the same host on that day.

    Columns of host_speed plus day, price_host, tok_s (stated, else the middle of low and high, else missing) and the columns
    of `priced_on`. A date given as a year or month takes the price of its last day, or of today where that is still to come.
    """
    rows = snapshot.table("host_speed").reset_index(drop=True)
    middle = (rows["low"] + rows["high"]) / 2
    rows["tok_s"] = rows["output_tok_s"].where(rows["output_tok_s"].notna(), middle)
    last = ((latest_day(rows["as_of"]) - pd.Timestamp(0)) / pd.Timedelta(days=1)).astype(float)
    rows["day"] = np.minimum(last, float((snapshot.today - datetime.date(1970, 1, 1)).days))
    rows["price_host"] = rows["host"].map(lambda host: HOST_NAMES.get(host, host))
    return rows.join(priced_on(snapshot, rows, provider="price_host")).sort_values("fact_key", kind="stable", ignore_index=True)
