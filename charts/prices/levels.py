"""Levels, blends and switches of the price frontier: what the charts of a level share."""

from __future__ import annotations

import re
import typing
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from analytics.prices.blend import price_usd_per_mtok
from analytics.prices.frontier import frontier, record_scores
from data.queries.prices import ScoreChoice, scored_offers
from data.snapshot import Snapshot

LevelName = Literal["gpt3", "gpt35", "gpt4", "gpt4_mmlu", "gpt4_eci", "o1", "own"]
BlendName = Literal["b31", "avg", "out", "own"]
Benchmark = Literal["MMLU", "GPQA-Diamond", "Epoch-ECI", "MATH-L5", "OTIS-Mock-AIME-2024-2025", "ARC-AGI-1-semi-private"]


@dataclass(frozen=True)
class Level:
    """A capability level: a benchmark, the least score, and the model it is named after."""

    name: str
    benchmark: str
    threshold: float

    @property
    def score_text(self) -> str:
        """The condition as readers write it: "GPQA Diamond ≥ 35.7 %"."""
        return f"{benchmark_text(self.benchmark)} ≥ {score_text(self.benchmark, self.threshold)}"

    @property
    def label(self) -> str:
        """Name and condition: "GPT-4 (GPQA Diamond ≥ 35.7 %)"."""
        return f"{self.name} ({self.score_text})" if self.name else self.score_text


# Thresholds are the named model's own published score: GPT-3 0.439 (Hendrycks et al. 2021; 0.42 is a16z's level), GPT-3.5 0.70 and
# GPT-4 0.864 on MMLU (GPT-4 technical report), GPT-4 0.357 on GPQA Diamond (GPQA paper), o1 0.757 (DeepSeek-R1 paper), GPT-4
# 126.09 on the Epoch Capabilities Index (March 2026).
LEVELS: dict[str, Level] = {
    "gpt3": Level("GPT-3", "MMLU", 0.42),
    "gpt35": Level("GPT-3.5", "MMLU", 0.70),
    "gpt4": Level("GPT-4", "GPQA-Diamond", 0.357),
    "gpt4_mmlu": Level("GPT-4", "MMLU", 0.86),
    "gpt4_eci": Level("GPT-4", "Epoch-ECI", 126),
    "o1": Level("o1", "GPQA-Diamond", 0.757),
}
# Input tokens per output token.
BENCHMARKS: tuple[str, ...] = typing.get_args(Benchmark)
BLENDS: dict[str, float] = {"b31": 3.0, "avg": 1.0, "out": 0.0}
_BENCHMARKS = {
    "GPQA-Diamond": "GPQA Diamond",
    "Epoch-ECI": "Epoch Capabilities Index",
    "MATH-L5": "MATH level 5",
    "OTIS-Mock-AIME-2024-2025": "OTIS Mock AIME",
    "ARC-AGI-1-semi-private": "ARC-AGI-1",
}


def benchmark_text(benchmark: str) -> str:
    """A benchmark's name as printed."""
    return _BENCHMARKS.get(benchmark, benchmark)


def score_text(benchmark: str, score: float) -> str:
    """A score as printed: index points, or per cent."""
    return f"{score:g}" if benchmark == "Epoch-ECI" else f"{score * 100:.3g} %"


def blend_text(ratio: float, cache_hit_share: float = 0.0, batch: bool = False) -> str:
    """A blend in words: "3:1 in:out, no cache"."""
    weights = "output price" if ratio == 0 else f"{ratio:g}:1 in:out"
    if ratio > 0:
        weights += f", {cache_hit_share * 100:.3g} % cache hits" if cache_hit_share else ", no cache"
    return weights + (", batch" if batch else "")


@dataclass(frozen=True)
class Selection:
    """Which offers count and how they are priced."""

    level: Level
    ratio: float = 3.0
    cache_hit_share: float = 0.0
    batch: bool = False
    score: ScoreChoice = "best"
    quantised: bool = False
    off_peak: bool = False
    free: bool = False
    buyable: bool = False
    open_only: bool = False
    since: str = ""
    until: str = ""


def candidates(snapshot: Snapshot, pick: Selection) -> pd.DataFrame:
    """Offers that reach the level under the switches, priced, ordered by day.

    Columns: of `scored_offers`, and price_usd_per_mtok, free (bool), record (bool: set a price record). With `since`, an offer in
    force on that day counts from it; with `until`, later offers are left out.
    """
    return mark_records(priced(scored_offers(snapshot, pick.level.benchmark, pick.level.threshold, pick.score), pick))


def priced(rows: pd.DataFrame, pick: Selection) -> pd.DataFrame:
    """The offers that the switches let in, with price_usd_per_mtok and free."""
    free = rows["tier"].eq("free") | ((rows["input_usd_per_mtok"] == 0) & (rows["output_usd_per_mtok"] == 0))
    keep = pd.Series(True, index=rows.index)
    if not pick.free:
        keep &= ~free
    if not pick.quantised:
        keep &= rows["quantised"].ne(1)
    if not pick.off_peak:
        keep &= rows["tier"].ne("off-peak")
    if pick.buyable:
        keep &= rows["buyable"]
    if pick.open_only:
        keep &= rows["open_weights"].eq(1)
    rows = rows.assign(free=free)[keep]
    if pick.since:
        first = _day(pick.since)
        rows = rows[~(rows["end_day"] <= first)].assign(from_day=lambda kept: np.maximum(kept["from_day"], first))
    if pick.until:
        rows = rows[rows["from_day"] <= _day(pick.until)]
    price = price_usd_per_mtok(
        rows["input_usd_per_mtok"],
        rows["output_usd_per_mtok"],
        input_per_output_token=pick.ratio,
        cached_usd_per_mtok=rows["cached_input_usd_per_mtok"],
        cache_hit_share=pick.cache_hit_share,
        batch_factor=rows["batch_discount"] if pick.batch else 1.0,
    )
    rows = rows.assign(price_usd_per_mtok=price)
    return rows[rows["price_usd_per_mtok"].notna()]


def best_of_its_day(steps: pd.DataFrame, pick: Selection) -> pd.DataFrame:
    """Of `scored_steps`, the developers' own standard offers of each model that scored higher than any before, by day.

    Priced as `priced` does; the switches that let offers in do not apply, since a developer's standard offer is none of those.
    """
    usual = replace(pick, quantised=True, off_peak=False, free=False, buyable=False, open_only=False)
    own = steps[steps["provider"].eq(steps["developer"]) & steps["tier"].eq("standard")]
    rows = priced(own, usual).reset_index(drop=True)
    return rows.iloc[record_scores(rows["from_day"], rows["score"], rows["price_usd_per_mtok"])].reset_index(drop=True)


def mark_records(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows ordered by day and price, with `record`: strictly cheaper than every row before."""
    rows = rows.sort_values(["from_day", "price_usd_per_mtok", "fact_key"], kind="stable", ignore_index=True)
    record = np.zeros(len(rows), dtype=bool)
    record[frontier(rows["from_day"], rows["price_usd_per_mtok"])] = True
    return rows.assign(record=record)


def _day(date: str) -> float:
    return float((np.datetime64(date) - np.datetime64("1970-01-01")).astype("timedelta64[D]").astype(int))


def day_text(days: pd.Series) -> pd.Series:
    """ISO dates of day numbers."""
    return (pd.Timestamp(0) + pd.to_timedelta(days, unit="D")).dt.strftime("%Y-%m-%d").astype(object)


def bare_name(name: str) -> str:
    """A model's name without what stands in brackets at its end: "Gemini 1.5 Flash (<=128k)" is Gemini 1.5 Flash."""
    return re.sub(r"\s*\([^()]*\)$", "", name)
