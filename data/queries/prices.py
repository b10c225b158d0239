"""Token prices: offers with the score of the weights behind them, moves, ratios and what can be bought today."""

from __future__ import annotations

import datetime
from typing import Literal

import numpy as np
import pandas as pd

from data.snapshot import Snapshot, earliest_day

ScoreChoice = Literal["best", "median", "lowest"]
# Kinds of alias that name weights; a moving name is resolved by the price row's own weights_id, a mode is no model.
_WEIGHT_ALIASES = ("same_weights", "snapshot", "base_of_sold")
# "Buyable today": a table that deletes dead models showed the price within these days.
SEEN_WITHIN_DAYS = 60
DROPS_DEAD = "table that drops dead models"
# Stores that sell the developer's own models under another name.
_OWN_STORES = {"Vertex AI": "Google", "Alibaba Bailian": "Alibaba", "Z.ai": "Zhipu", "AWS Bedrock": "Amazon", "Azure": "Microsoft"}


def day_number(dates: pd.Series) -> pd.Series:
    """Days since 1970-01-01 of dates given as a year, month or day (their first day); NaN where blank. float64."""
    days = earliest_day(dates)
    return ((days - pd.Timestamp(0)) / pd.Timedelta(days=1)).astype(float)


def offers(snapshot: Snapshot) -> pd.DataFrame:
    """Every price row, ordered by key, with start_day, end_day, seen_day (day numbers) and `buyable` (bool).

    Buyable today: not ended, and seen within 60 days in a table that removes withdrawn models. Rows of an upload carry no such
    basis: there "not ended and started or seen within 60 days" is taken.
    """
    rows = snapshot.table("api_prices")
    today = float((snapshot.today - datetime.date(1970, 1, 1)).days)
    start, end, seen = (day_number(rows[c]) for c in ("effective_date", "end_date", "last_seen"))
    open_row = end.isna() | (end > today)
    recent = seen >= today - SEEN_WITHIN_DAYS
    by_table = rows["last_seen_basis"].eq(DROPS_DEAD) & recent
    by_upload = rows["last_seen_basis"].isna() & (np.fmax(seen, start) >= today - SEEN_WITHIN_DAYS)
    return rows.assign(start_day=start, end_day=end, seen_day=seen, buyable=open_row & (start <= today) & (by_table | by_upload))


def scores(snapshot: Snapshot, benchmark: str, choice: ScoreChoice = "best") -> pd.DataFrame:
    """What each model scores on a benchmark, and from when: one row per model and release of a scored version.

    A name can outlive its weights (Gemini 1.5 Pro of May and of September 2024), so a score counts from the release of the
    version that was scored; undated scores count from the start. Columns: model_id (aliases resolved), since_day, until_day (-inf
    and inf at the ends), score (best, median or lowest of the scores known by then, over sources and efforts), score_source,
    score_source_url, score_version, score_count. Errors: ValueError for an unknown benchmark, naming the known ones.
    """
    rows = snapshot.table("capability")
    known = sorted(rows["benchmark"].dropna().unique())
    if benchmark not in known:
        raise ValueError(f"benchmark must be one of {', '.join(known)}, got {benchmark!r}")
    rows = rows[rows["benchmark"].eq(benchmark) & rows["score"].notna()]
    since = day_number(rows["model_release_date"]).fillna(-np.inf)
    rows = rows.assign(model_id=rows["model_id"].map(_Weights(snapshot)), since_day=since)
    rows = rows.sort_values(["model_id", "since_day", "score", "fact_key"], kind="stable")
    steps: list[dict[str, object]] = []
    known_rows: list[tuple] = []
    records = list(rows[["model_id", "since_day", "score", "source", "source_url", "model_version"]].itertuples(index=False, name=None))
    for i, record in enumerate(records):
        if i and records[i - 1][0] != record[0]:
            known_rows = []
        known_rows.append(record)
        if i + 1 == len(records) or records[i + 1][:2] != record[:2]:  # the last score of a model known by this day
            steps.append(_step(known_rows, choice))
    out = pd.DataFrame(steps)
    out["until_day"] = out.groupby("model_id")["since_day"].shift(-1).fillna(np.inf)
    return out


def _step(known: list[tuple], choice: ScoreChoice) -> dict[str, object]:
    """A model's score out of (model_id, since_day, score, source, source_url, model_version) rows, the newest last."""
    picked = (min if choice == "lowest" else max)(known, key=lambda row: row[2])
    median = choice == "median" and len(known) > 1
    return {
        "model_id": known[-1][0],
        "since_day": known[-1][1],
        "score": float(np.median([row[2] for row in known])) if median else picked[2],
        "score_source": f"median of {len(known)} scores" if median else picked[3],
        "score_source_url": None if median else picked[4],
        "score_version": None if median else picked[5],
        "score_count": len(known),
    }


def scored_steps(snapshot: Snapshot, benchmark: str, choice: ScoreChoice = "best", sold: pd.DataFrame | None = None) -> pd.DataFrame:
    """Offers with the score of their weights, one row an offer and release of a scored version while the offer held.

    Parameters: sold, `offers` where they are at hand. Columns: of `offers`, from_day (the offer's start, or that release if later),
    scored_as, and of `scores`. Joined on the weights that answered (weights_id), then on the model name, each through its aliases;
    scored_as is the id that matched.
    """
    rows = offers(snapshot) if sold is None else sold
    known, resolve = scores(snapshot, benchmark, choice), _Weights(snapshot)
    weights, model = rows["weights_id"].map(resolve), rows["model_id"].map(resolve)
    ids = set(known["model_id"])
    matched = weights.where(weights.isin(ids), model.where(model.isin(ids)))
    joined = rows.assign(scored_as=matched)[matched.notna()].merge(
        known.rename(columns={"model_id": "scored_as"}), on="scored_as", how="inner"
    )
    joined["from_day"] = np.maximum(joined["start_day"], joined["since_day"])
    held = joined["from_day"] < np.minimum(joined["end_day"].fillna(np.inf), joined["until_day"])
    return joined[held].drop(columns=["since_day", "until_day"]).sort_values(["fact_key", "from_day"], kind="stable", ignore_index=True)


def reaching(steps: pd.DataFrame, threshold: float) -> pd.DataFrame:
    """Of `scored_steps`, each offer from the first day it gave a score of threshold or more: one row an offer, by key."""
    return steps[steps["score"] >= threshold].drop_duplicates("fact_key").reset_index(drop=True)


def scored_offers(snapshot: Snapshot, benchmark: str, threshold: float = -np.inf, choice: ScoreChoice = "best") -> pd.DataFrame:
    """Offers of weights that score threshold or more, one row an offer: `reaching` of `scored_steps`."""
    return reaching(scored_steps(snapshot, benchmark, choice), threshold)


def last_scored_release(snapshot: Snapshot, benchmark: str) -> tuple[str | None, int]:
    """Latest release date among scored models, and how many later models have a score without a release date.

    After that day a cheap new model is unscored, so a frontier can only be too high there.
    """
    rows = snapshot.table("capability")
    rows = rows[rows["benchmark"].eq(benchmark) & rows["score"].notna()]
    released = rows["model_release_date"].dropna()
    if released.empty:
        return None, 0
    last = released.max()
    later = rows[rows["model_release_date"].isna() & (rows["as_of"].fillna("") > last)]
    return str(last), int(later["model_id"].nunique())


def hosts_of(snapshot: Snapshot, weights: str) -> pd.DataFrame:
    """Every priced offer of one model's weights, ordered by start, provider. Errors: ValueError for weights nobody priced."""
    rows, resolve = offers(snapshot), _Weights(snapshot)
    ids = rows["weights_id"].where(rows["weights_id"].notna(), rows["model_id"]).map(resolve)
    found = rows[ids.eq(resolve(weights) or weights)]
    if found.empty:
        raise ValueError(f"no price row for the model {weights!r}")
    return found.sort_values(["start_day", "provider", "fact_key"], kind="stable", ignore_index=True)


def weights_with_hosts(snapshot: Snapshot, least: int = 4) -> list[str]:
    """Weights sold by at least this many providers, most providers first."""
    rows, resolve = offers(snapshot), _Weights(snapshot)
    ids = rows["weights_id"].where(rows["weights_id"].notna(), rows["model_id"]).map(resolve)
    counts = rows.groupby(ids)["provider"].nunique()
    counts = counts[counts >= least].sort_index().sort_values(ascending=False, kind="stable")
    return [str(name) for name in counts.index]


def moves(snapshot: Snapshot, since_day: float) -> pd.DataFrame:
    """Changes of price from since_day on: one row per offer that replaced an earlier price of the same model, provider, tier and mode.

    Columns: the new row's, and previous_input, previous_output [USD/Mtok], previous_date. First offers are no moves.
    """
    rows = offers(snapshot)
    rows["_line"] = list(zip(*(rows[c].fillna("") for c in ("model_id", "provider", "tier", "mode"))))
    rows = rows.sort_values(["start_day", "fact_key"], kind="stable")
    groups = rows.groupby("_line", sort=False)
    rows["previous_input"], rows["previous_output"] = groups["input_usd_per_mtok"].shift(), groups["output_usd_per_mtok"].shift()
    rows["previous_date"] = groups["effective_date"].shift()
    same = rows["previous_input"].eq(rows["input_usd_per_mtok"]) & rows["previous_output"].eq(rows["output_usd_per_mtok"])
    changed = rows[rows["previous_output"].notna() & ~same & (rows["start_day"] >= since_day)]
    return changed.drop(columns="_line").reset_index(drop=True)


def price_ratios(snapshot: Snapshot) -> pd.DataFrame:
    """Ratios of each offer with positive prices: year, first_party (bool), output_over_input, cached_over_input, batch_over_list.

    First party: the seller developed the model. A ratio is NaN where no cached or batch price is listed. Off-peak, free and
    turbo rows are left out: they repeat the standard row's ratio.
    """
    rows = offers(snapshot)
    usual = ~rows["tier"].isin(["off-peak", "free", "turbo", "priority"])
    rows = rows[usual & (rows["input_usd_per_mtok"] > 0) & (rows["output_usd_per_mtok"] > 0)].reset_index(drop=True)
    cached = rows["cached_input_usd_per_mtok"].where(rows["cached_input_usd_per_mtok"] > 0)
    return rows.assign(
        year=rows["effective_date"].str[:4].astype(int),
        first_party=rows["provider"].map(lambda name: _OWN_STORES.get(name, name)).eq(rows["developer"]),
        output_over_input=rows["output_usd_per_mtok"] / rows["input_usd_per_mtok"],
        cached_over_input=cached / rows["input_usd_per_mtok"],
        batch_over_list=rows["batch_discount"],
    )


def tier_ratios(snapshot: Snapshot) -> pd.DataFrame:
    """Output price of each off-peak, turbo or priority offer over the standard price beside it: year, ratio, standard_output, beside.

    Beside it: the same weights at the same house (its name without what stands in brackets) in force that day, else the median of
    all standard offers then in force; offers with neither are left out. Columns otherwise as `offers`.
    """
    rows, resolve = offers(snapshot), _Weights(snapshot)
    ids = rows["weights_id"].where(rows["weights_id"].notna(), rows["model_id"]).map(resolve)
    rows = rows.assign(_ids=ids, _house=rows["provider"].str.replace(r"\s*\([^()]*\)$", "", regex=True))
    rows = rows[rows["output_usd_per_mtok"] > 0]
    special = rows["tier"].isin(["off-peak", "turbo", "priority"])
    standard = rows[~special & rows["tier"].ne("free")]
    found = []
    for offer in rows[special].to_dict("records"):
        day = offer["start_day"]
        held = standard[standard["_ids"].eq(offer["_ids"]) & (standard["start_day"] <= day) & ~(standard["end_day"] <= day)]
        own = held[held["_house"].eq(offer["_house"])]
        pool, beside = (own, "the same house") if len(own) else (held, f"median of {len(held)} hosts")
        if len(pool):
            price = float(pool["output_usd_per_mtok"].median())
            found.append({**offer, "standard_output": price, "beside": beside, "ratio": offer["output_usd_per_mtok"] / price})
    out = pd.DataFrame(found, columns=[*rows.columns, "standard_output", "beside", "ratio"]).drop(columns=["_ids", "_house"])
    return out.assign(year=out["effective_date"].str[:4].astype(int))


class _Weights:
    """Maps an id to the id its weights are stored under; itself where no alias names it."""

    def __init__(self, snapshot: Snapshot):
        rows = snapshot.table("model_aliases")
        rows = rows[rows["kind"].isin(_WEIGHT_ALIASES)]
        # Where an id is both the same weights and a snapshot of two models, "same weights" wins.
        rows = rows.assign(rank=rows["kind"].map(_WEIGHT_ALIASES.index)).sort_values(["rank", "alias"], ascending=[False, True])
        self.names = dict(zip(rows["alias"], rows["model_id"]))

    def __call__(self, name: str | None) -> str | None:
        return self.names.get(name, name) if name is not None else None
