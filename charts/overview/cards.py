"""What the overview shows: six figures computed from the store, each with its receipt and the chart behind it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from analytics.chips.metrics import PRECISION_BITS, leading_precision, processing_performance, total_processing_performance
from charts import compute, numbers, registry
from charts.overview.spark import Bars, Steps, Strip
from charts.receipt import Receipt, age_note, input_row, looked_up, worked
from data.queries import clusters, rentals
from data.snapshot import Snapshot

# 3A090.a and .b, in force since 17 November 2023: 88 FR 73458.
TPP_LINES = (1600.0, 2400.0, 4800.0)
SHOWN_CHIP = "h20"


@dataclass(frozen=True)
class Card:
    """One figure: value and unit as written, what it is, where it leads, who says so."""

    topic: str
    value: str
    sentence: str
    chart: str
    to: str
    source: str
    shape: Steps | Strip | Bars
    receipt: Callable[[], Receipt]
    params: Mapping[str, Any] = field(default_factory=dict)


def cards(snapshot: Snapshot) -> list[Card]:
    """The cards that the store can fill and whose chart there is, in their order."""
    out = []
    for make in (running, largest, licensed, level, rent, serving):
        card = make(snapshot)
        if card is not None and card.chart in registry.CHARTS:
            out.append(card)
    return out


def running(snapshot: Snapshot) -> Card | None:
    """IT power that one source sees running."""
    source = clusters.default_source(snapshot)
    seen = _seen(snapshot, source)
    if seen.empty:
        return None
    levels = seen.pivot_table(index="online_day", columns="cluster_id", values="value", aggfunc="last").sort_index().ffill()
    total = levels.fillna(0).to_numpy().sum(axis=1)
    sites = int((levels.iloc[-1] > 0).sum())

    def receipt() -> Receipt:
        newest = seen.sort_values("online_day").groupby("cluster_id").last().sort_values("value", ascending=False)
        rows = [input_row(r, str(r["name"]), numbers.power(r["value"])) for _, r in newest.head(8).iterrows()]
        line = looked_up("IT power running", float(total[-1]), "MW", f"the sum of the latest level of {sites} sites")
        error = f"No range is given by the source. The largest 8 of {sites} sites are listed; the chart's table has all."
        return Receipt((line,), rows, ("Each site counts once, at its latest level.",), (error,))

    return Card(
        "Clusters",
        numbers.power(total[-1]),
        f"IT power running at {sites} sites one source can see. Not a world total.",
        "clusters.power",
        "IT power by site",
        _credit(snapshot, source),
        Steps(levels.index.tolist(), total.tolist()),
        receipt,
    )


def largest(snapshot: Snapshot) -> Card | None:
    """The largest site running."""
    source = clusters.default_source(snapshot)
    seen = _seen(snapshot, source)
    if seen.empty:
        return None
    newest = seen.sort_values("online_day").groupby("cluster_id").last().sort_values("value", ascending=False)
    first, second = newest.iloc[0], newest.iloc[1] if len(newest) > 1 else None
    record = seen.sort_values(["online_day", "value"]).assign(record=lambda d: d["value"].cummax())
    record = record.drop_duplicates("online_day", keep="last")
    follows = f" {second['name']} follows with {numbers.power(second['value'])}." if second is not None else ""

    def receipt() -> Receipt:
        line = looked_up(f"IT power, {first['name']}", float(first["value"]), "MW", str(first["source"]))
        rows = [input_row(r, str(r["name"]), numbers.power(r["value"])) for _, r in newest.head(3).iterrows()]
        return Receipt((line,), rows, (), ("No range is given by the source.", age_note([first["as_of"]], snapshot.today)))

    return Card(
        "Largest site",
        numbers.power(first["value"]),
        f"{first['name']}, IT power, since {numbers.date(str(first['online_date'])[:7])}.{follows}",
        "clusters.ranking",
        "Ranking of sites",
        _credit(snapshot, source),
        Steps(record["online_day"].tolist(), record["record"].tolist()),
        receipt,
    )


def licensed(snapshot: Snapshot) -> Card | None:
    """Total processing performance of the chip made to stay under the lines, and how far under it is."""
    chips = snapshot.table("chips")
    own = chips[chips["chip_id"] == SHOWN_CHIP]
    if own.empty:
        return None
    row = own.iloc[0]
    rates = {name: chips[name].to_numpy(float) for name in PRECISION_BITS if name in chips}
    tpp = pd.Series(total_processing_performance(rates), index=chips.index)
    value = float(tpp[own.index[0]])
    line = next((x for x in TPP_LINES if x > value), None)
    if value != value or line is None:
        return None
    precision = leading_precision({name: row[name] for name in rates})

    def receipt() -> Receipt:
        formula = worked(processing_performance, dense_tops=float(row[precision]), bit_length=float(PRECISION_BITS[precision]))
        rate = input_row(row, f"{precision.split('_')[0].upper()}, dense", numbers.plain(row[precision]), "TOPS")
        rule = f"The line at {numbers.plain(line)} is 3A090.b.1 of 15 CFR 774, in force since 17 November 2023 (88 FR 73458)."
        return Receipt((formula,), (rate,), (rule,), ("A screening aid, not legal advice.",))

    drawn = [float(v) for v in tpp if v == v and 200 <= v <= 100_000]
    return Card(
        "Export controls",
        f"{numbers.plain(value)} TPP",
        f"{str(row['name']).split(' ')[0]}, {numbers.plain(line - value)} below the first line of 3A090.b. Each tick is one chip.",
        "chips.plane",
        "TPP and density",
        f"BIS, {str(row['source']).split(';')[0]}",
        Strip(drawn, value, TPP_LINES[1:]),  # the nearest lines: a third label would run into them
        receipt,
    )


def level(snapshot: Snapshot) -> Card | None:
    """The lowest price at the level of GPT-4."""
    if "prices.level" not in registry.CHARTS:
        return None
    chart = registry.get("prices.level")
    made = compute.compute(chart, chart.params(), snapshot)
    if made.words.empty:
        return None
    records = made.table[made.table["record"].astype(bool)].sort_values("date", kind="stable")
    if records.empty:
        return None
    first, last, price = records.iloc[0], records.iloc[-1], "price_usd_per_mtok"
    return Card(
        "Inference cost",
        f"{numbers.dollars(last[price])} / Mtok",
        f"Lowest offer at GPT-4's level, 3:1 in:out, {numbers.date(str(last['date'])[:7])}. The first was {numbers.dollars(first[price])}.",
        "prices.level",
        "Price to reach a level",
        f"price pages · {numbers.date(last['date'])}",
        Steps(records["date"].tolist(), records[price].tolist(), log=True),
        lambda: made.receipt,
    )


def rent(snapshot: Snapshot) -> Card | None:
    """What an H100 rents for, at the provider with most dated prices."""
    rows = rentals.rents(snapshot)
    rows = rows[(rows["chip_id"] == "h100-sxm") & (rows["term"] == "on-demand") & (rows["provider_tier"] != "index")]
    if rows.empty:
        return None
    provider = rows.groupby("provider").size().sort_values(kind="stable").index[-1]
    own = rows[rows["provider"] == provider].sort_values(["day", "usd_per_gpu_hour"], kind="stable").drop_duplicates("day", keep="last")
    lowest, last = own.loc[own["usd_per_gpu_hour"].idxmin()], own.iloc[-1]
    direction = "up from" if last["usd_per_gpu_hour"] > lowest["usd_per_gpu_hour"] else "its lowest was"

    def receipt() -> Receipt:
        money = [
            input_row(r, f"On demand, {r['provider']}", numbers.dollars(r["usd_per_gpu_hour"]), "/ h", as_of="date")
            for _, r in own.iterrows()
        ]
        line = looked_up(f"H100 on demand, {provider}", float(last["usd_per_gpu_hour"]), "$ / GPU-hour", str(last["source"]))
        about = f"{provider} is the seller with most dated prices in the store ({len(own)})."
        return Receipt((line,), money, (about,), ("List prices of one seller, not an average.",))

    return Card(
        "Renting",
        f"{numbers.dollars(last['usd_per_gpu_hour'])} / h",
        f"One H100 on demand at {provider}: {direction} {numbers.dollars(lowest['usd_per_gpu_hour'])} "
        f"in {numbers.date(str(lowest['date'])[:7])}.",
        next((c for c in ("prices.rents", "prices.rent", "prices.rental") if c in registry.CHARTS), "prices.level"),
        "Rental prices",
        f"{provider} · {numbers.date(last['date'])}",
        Steps(pd.to_datetime(own["day"], unit="D"), own["usd_per_gpu_hour"].tolist()),
        receipt,
    )


def serving(snapshot: Snapshot) -> Card | None:
    """The highest measured whole-system throughput of DeepSeek-R1, and what the next chips reach in the same round."""
    rows = snapshot.table("serving_measurements")
    rows = rows[
        rows["model"].fillna("").str.startswith("DeepSeek-R1") & (rows["phase"] == "end2end") & rows["output_tok_s_per_gpu"].notna()
    ]
    if rows.empty:
        return None
    rows = rows.assign(round=rows["source"].str.split(r"\s\d|\(", regex=True).str[0].str.strip())
    best = rows.sort_values("output_tok_s_per_gpu", kind="stable").iloc[-1]
    same = rows[(rows["round"] == best["round"]) & (rows["concurrency_or_batch"] == best["concurrency_or_batch"])]
    by_chip = same.assign(chip=same["hardware"].str.replace("NVIDIA ", "").str.split("-").str[0])
    by_speed = by_chip.sort_values("output_tok_s_per_gpu", ascending=False, kind="stable")
    top = by_speed.drop_duplicates("chip").head(3)
    first = top.iloc[0]
    others = numbers.listed([f"{r['chip']} reaches {numbers.plain(round(r['output_tok_s_per_gpu']))}" for _, r in top.iloc[1:].iterrows()])

    def receipt() -> Receipt:
        line = looked_up("Output tokens", float(first["output_tok_s_per_gpu"]), "tok/s per GPU", str(first["source"]))
        shown = [
            input_row(
                r, f"{r['hardware']}, {r['n_gpus']} GPUs", numbers.plain(round(r["output_tok_s_per_gpu"])), "tok/s per GPU", as_of="date"
            )
            for _, r in top.iterrows()
        ]
        return Receipt((line,), shown, (str(first["notes"] or ""),), ("One submission each; no spread is published.",))

    return Card(
        "Serving",
        f"{numbers.plain(round(first['output_tok_s_per_gpu']))} tok/s per GPU",
        f"{first['model']} on {first['chip']}, {str(first['weights_precision']).upper()}, "
        f"{str(first['concurrency_or_batch']).lower()}; {others}.",
        next((c for c in ("serving.validation", "serving.measured", "serving.memory") if c in registry.CHARTS), "serving.memory"),
        "Serving",
        f"{first['round']} · {numbers.date(str(first['date'])[:10])}",
        Bars(top["chip"].tolist(), top["output_tok_s_per_gpu"].tolist()),
        receipt,
    )


def _seen(snapshot: Snapshot, source: str) -> pd.DataFrame:
    """Levels a source has seen running: dated up to the day it was read to."""
    rows, read = clusters.history(snapshot, source, "power_mw"), clusters.read_to(snapshot, source)
    return rows[rows["online_day"] <= read] if read is not None else rows.iloc[:0]


def _credit(snapshot: Snapshot, source: str) -> str:
    read = clusters.read_to(snapshot, source)
    return f"{source.split(',')[0]} · CC BY 4.0 · to {numbers.date(read.date())}" if read is not None else source
