"""Price to reach a capability level: every offer as a dot, the records as steps, the rate with its doubts."""

from __future__ import annotations

import datetime

import pandas as pd

from charts.params import ChartParams, choice, day, flag, number, pick
from charts.prices.level_figure import figure
from charts.prices.level_fit import own_facts, rate_facts, test_facts
from charts.prices.level_words import receipt, words
from charts.prices.levels import (
    BENCHMARKS,
    BLENDS,
    LEVELS,
    Benchmark,
    BlendName,
    Level,
    LevelName,
    Selection,
    bare_name,
    benchmark_text,
    best_of_its_day,
    blend_text,
    day_text,
    mark_records,
    priced,
)
from charts.registry import Chart, Preset, register
from data.queries.prices import ScoreChoice, last_scored_release, reaching, scored_steps
from data.snapshot import Snapshot

LEVEL_LABELS = {name: level.label for name, level in LEVELS.items()} | {"own": "Own benchmark and score"}
BLEND_LABELS = {"b31": "3:1 in:out", "avg": "1:1 in:out", "out": "Output only", "own": "Own ratio"}
SCORE_LABELS = {"best": "Best score", "median": "Median score", "lowest": "Lowest score"}


# Columns of the price rows that the table passes on.
CARRIED = [
    "input_usd_per_mtok", "cached_input_usd_per_mtok", "output_usd_per_mtok", "effective_date", "end_date", "last_seen", "buyable", "free",
    "tier", "quantised", "model_id", "weights_id", "scored_as", "score_source", "rung", "source", "source_url",
]  # fmt: skip


class SelectionParams(ChartParams):
    """Which offers count, and how they are priced: shared by the charts of the frontier."""

    score: ScoreChoice = choice("best", label="Score", help="Which of several published scores of a model counts.", labels=SCORE_LABELS)
    cache_hit_share: float = number(0, ge=0, le=1, label="Cache hits", help="Share of the input billed at the cached price.", step=0.05)
    batch: bool = flag(False, label="Batch price", help="Use the batch price where a provider has one.")
    quantised: bool = flag(False, label="Quantised too", help="Let in offers known to run below the released precision.")
    off_peak: bool = flag(False, label="Off-peak too", help="Let in prices that hold only at night.")
    free: bool = flag(False, label="Free tiers too", help="Show free offers; a price of zero is never fitted.")
    buyable: bool = flag(False, label="Buyable today", help="Only offers seen within 60 days in a table that drops withdrawn models.")
    open_only: bool = flag(False, label="Open weights only", help="Only models whose weights are public.")
    since: datetime.date | None = day(None, label="From", help="First day; an offer in force that day counts from it.")
    until: datetime.date | None = day(None, label="To", help="Last day an offer may start.")

    def selection(self, level: Level, ratio: float) -> Selection:
        """These switches for one level and blend."""
        switches = {name: getattr(self, name) for name in SelectionParams.model_fields if name not in ("since", "until")}
        since, until = (d.isoformat() if d else "" for d in (self.since, self.until))
        return Selection(level=level, ratio=ratio, since=since, until=until, **switches)


class Params(SelectionParams):
    """State of the chart."""

    level: LevelName = choice("gpt4", label="Level", help="Capability to be reached.", labels=LEVEL_LABELS)
    blend: BlendName = choice("b31", label="Price", help="How input and output are weighted into one price.", labels=BLEND_LABELS)
    benchmark: Benchmark = choice(
        "GPQA-Diamond", label="Own benchmark", help="Benchmark of an own level.", labels={name: benchmark_text(name) for name in BENCHMARKS}
    )
    threshold: float = number(0.5, ge=0, le=200, label="Own score", help="Least score of an own level: a fraction, or points of the index.")
    ratio: float = number(3, ge=0, le=1000, label="Own ratio", help="Input tokens per output token of an own blend; 0 is output only.")
    own: bool = flag(False, label="Best model too", help="Also draw what the best model of its day cost at its developer.")
    test: str = pick("", label="Test a model", help="A model whose price is held against the trend of the others.")

    def picked(self) -> Selection:
        """The offers that these parameters let in."""
        level = LEVELS.get(self.level) or Level("", self.benchmark, self.threshold)
        return self.selection(level, BLENDS.get(self.blend, self.ratio))


def table(params: Params, snapshot: Snapshot) -> pd.DataFrame:
    """Offers that reach the level, ordered by day, with the records marked; the rate and its doubts in attrs."""
    chosen = params.picked()
    level = chosen.level
    steps = scored_steps(snapshot, level.benchmark, chosen.score)
    reached = reaching(steps, level.threshold)
    rows = mark_records(priced(reached, chosen))
    out = pd.DataFrame(
        {
            "date": day_text(rows["from_day"]),
            "model": rows["model_name"].where(rows["model_name"].notna(), rows["model_id"]),
            "provider": rows["provider"],
            "price_usd_per_mtok": rows["price_usd_per_mtok"],
            "record": rows["record"],
            "score": rows["score"],
        }
    )
    out = pd.concat([out, rows[CARRIED]], axis=1)
    zone, later = last_scored_release(snapshot, level.benchmark)
    best = steps.iloc[steps["score"].argmax()] if len(steps) else None
    out.attrs = {
        "level": level.label,
        "level_name": level.name,
        "benchmark": level.benchmark,
        "threshold": level.threshold,
        "blend": blend_text(chosen.ratio, chosen.cache_hit_share, chosen.batch),
        "today": snapshot.today.isoformat(),
        "zone_from": zone,
        "zone_scored_later": later,
        "left_out": len(reached) - len(rows),
        "best": {"model": str(best["model_name"] or best["model_id"]), "score": float(best["score"])} if best is not None else None,
        "rate": rate_facts(rows),
        "own": own_facts(best_of_its_day(steps, chosen)) if params.own else None,
        "test_name": _models(snapshot).get(params.test, params.test) if params.test else "",
        "test": test_facts(rows, params.test) if params.test else [],
    }
    return out


def _models(snapshot: Snapshot) -> dict[str, str]:
    rows = snapshot.table("api_prices")
    ids = rows["weights_id"].where(rows["weights_id"].notna(), rows["model_id"])
    names = [bare_name(name or model) for name, model in zip(rows["model_name"], ids)]
    return {"": "No test"} | dict(sorted(zip(ids, names)))


CHART = register(
    Chart(
        id="prices.level",
        page="prices",
        title="Price to reach a level",
        params=Params,
        table=table,
        figure=figure,
        receipt=receipt,
        words=words,
        options={"test": _models},
        presets=(
            Preset("gpt4", "GPT-4 level", {"level": "gpt4"}, claim="I2"),
            Preset("gpt3", "GPT-3 level, 1,200×", {"level": "gpt3", "blend": "avg", "quantised": True}, claim="I1"),
            Preset("v3", "DeepSeek V3 on the trend?", {"level": "gpt4", "test": "deepseek-v3"}, claim="I1"),
            Preset("gpt4_output", "GPT-4 level, output price", {"level": "gpt4_mmlu", "blend": "out", "quantised": True}, claim="I2"),
            Preset("gpt35", "GPT-3.5 level", {"level": "gpt35"}),
            Preset("o1", "o1 level", {"level": "o1"}),
            Preset("buyable", "Buyable today", {"level": "gpt4", "buyable": True}, claim="I2"),
            Preset("cached", "With half the input cached", {"level": "gpt4", "cache_hit_share": 0.5}, claim="I4"),
            Preset(
                "a16z",
                "As a16z counted",
                {"level": "gpt3", "blend": "avg", "quantised": True, "since": "2021-11-18", "until": "2024-10-15"},
            ),
            Preset(
                "a16z_83",
                "As a16z counted, MMLU 83",
                {
                    "level": "own",
                    "benchmark": "MMLU",
                    "threshold": 0.83,
                    "blend": "avg",
                    "quantised": True,
                    "since": "2023-03-01",
                    "until": "2024-11-12",
                },
            ),
            Preset("epoch", "As Epoch counted", {"level": "gpt4", "quantised": True, "until": "2025-03-12"}),
            Preset(
                "epoch_gpt4o",
                "GPT-4o's level, as Epoch counted",
                {"level": "own", "benchmark": "GPQA-Diamond", "threshold": 0.4789, "quantised": True, "until": "2025-03-12"},
            ),
            Preset("best_model", "The best model's own price", {"level": "gpt4", "own": True}, claim="I2"),
            Preset("price_of_progress", "Open weights only", {"level": "gpt4", "open_only": True}),
        ),
    )
)
