"""What a demand for answers takes, by chip: chips, megawatts, dollars; or how many answers a limit on one of these allows."""

from __future__ import annotations

import contextlib
from typing import Any, Literal

import numpy as np
import pandas as pd

from analytics.chips.facts import chip_facts
from analytics.clusters import fleet as demand
from analytics.clusters.power import EPOCH_OVERHEAD, it_power_mw, site_power_mw
from analytics.serving.search import Limits, NoLayout, best
from charts import numbers
from charts.chips import OUTCOME_WORDS
from charts.clusters import fleet_figure, fleet_words
from charts.clusters.choices import with_facts
from charts.clusters.fleet_words import DEFAULT_CHIPS, LIMITS, MEASURES
from charts.params import choice, many, number
from charts.receipt import Receipt
from charts.registry import Chart, Preset, register
from charts.serving import fleets, inputs, work
from charts.serving.work import WorkParams
from data.queries import chips
from data.queries.chip_costs import capital_row
from data.queries.chips import DESTINATIONS, Destination
from data.snapshot import Snapshot

#: SemiAnalysis, 9 February 2023: 320,000 web searches a second.
SEARCHES_PER_DAY = 320_000.0 * 86_400


class Params(WorkParams):
    """The demand and what it must keep, the chips side by side, and what power and money cost."""

    limit: Literal["none", "power", "capital", "chips"] = choice(
        "none", label="Question", help="size a fleet, or what a limit allows", labels=LIMITS
    )
    measure: Literal["chips", "site_mw", "capital_usd", "usd_per_year", "usd_per_query"] = choice(
        "chips", label="Show", help="what the bars stand for", labels={k: v for k, v in MEASURES.items() if k != "queries"}
    )
    input_tokens: int = number(1_500, ge=1, le=1_048_576, label="Input", help="tokens of a prompt", unit="tokens", log=True)
    output_tokens: int = number(
        350, ge=1, le=1_048_576, label="Output", help="tokens of an answer, reasoning included", unit="tokens", log=True
    )
    queries: float = number(1e9, ge=1, le=1e13, label="Queries", help="queries of a mean day", unit="a day", log=True)
    speed: float = number(
        30.0, ge=1, le=1000, label="Speed", help="least output tokens per second of a user", unit="tok/s per user", log=True
    )
    first_s: float = number(10.0, ge=0.01, le=3600, label="First token", help="longest wait for the first token", unit="s")
    limit_mw: float = number(100.0, ge=0.001, le=100_000, label="Site power there is", help="where power is the limit", unit="MW", log=True)
    limit_musd: float = number(
        1_000.0, ge=0.01, le=10_000_000, label="Capital there is", help="where capital is the limit", unit="$ million", log=True
    )
    limit_chips: int = number(
        100_000, ge=1, le=100_000_000, label="Chips there are", help="where chips are the limit", unit="chips", log=True
    )
    chips: tuple[str, ...] = many(DEFAULT_CHIPS, label="Chips", help="chips side by side; at most eight", most=8)
    peak: float = number(2.0, ge=1, le=100, label="Peak over mean", help="busiest hour over the mean of the day", unit="×", step=0.1)
    utilisation: float = number(0.8, ge=0.01, le=1, label="Utilisation", help="share of its rate a chip serves at the peak", step=0.05)
    overhead: float = number(EPOCH_OVERHEAD, ge=1, le=5, label="Overhead", help="IT power over rated chip power", unit="×", step=0.01)
    pue: float = number(1.12, ge=1, le=3, label="PUE", help="site over IT power", step=0.01)
    usd_per_kwh: float = number(0.08, ge=0, le=5, label="Electricity", help="price", unit="$/kWh", step=0.01)
    load: float = number(0.8, ge=0.01, le=1, label="Load", help="mean share of IT power drawn", step=0.05)
    rate: float = number(0.10, ge=0, le=1, label="Cost of capital", help="a year", step=0.01)
    life_years: float = number(5.0, ge=0.25, le=60, label="Life", help="years a server earns", unit="years", step=0.5)
    colocation: float = number(
        130.0, ge=0, le=2000, label="Colocation", help="building and cooling, without electricity", unit="$/kW-month"
    )
    dest: Destination = choice("CN", label="Export", help="where the chips would go", labels=DESTINATIONS)


def _hour(params: Params) -> dict[str, float]:
    return {
        "rate": params.rate, "life_years": params.life_years, "colocation_usd_per_kw_month": params.colocation, "load": params.load,
        "usd_per_kwh": params.usd_per_kwh,
    }  # fmt: skip


def _served(params: Params, snapshot: Snapshot, chip_id: str, most: float = np.inf) -> tuple[float, str, float]:
    """Output tokens per second and chip of the best layout of at most so many chips, that layout, and its chips.

    Errors: NoLayout where none keeps the speeds asked for.
    """
    if most < 1:
        raise NoLayout("the limit allows less than one chip")
    shape = inputs.model(snapshot, params.model, params.config)
    chip = inputs.chip(snapshot, chip_id, params.own_chip)
    precision = inputs.precision(shape, params.weights, params.kv)
    needs = np.inf
    for pools in dict.fromkeys((params.pools, "shared") if params.pools == "both" else (params.pools,)):
        own, found = fleets.searched(snapshot, shape, chip, precision, params.workload, pools)
        at = best(own, found, Limits(params.speed, params.first_s, most))
        prefill = int(found.prefill_which[at])
        needs = float(own.chips[found.which[at]] + (own.chips[prefill] if prefill >= 0 else 0))
        if needs <= most:
            return float(found.tokens_per_s_per_chip[at]), fleets.layout_words(own.deployments[found.which[at]], found.batch[at]), needs
    raise NoLayout(f"its pools for prompts and answers take {needs:,.0f} chips, more than the {most:,.0f} there are")


def _least(params: Params, snapshot: Snapshot, chip_id: str, most: float) -> tuple[float, str, float]:
    """As `_served`; where the demand is less than that layout serves, the one that takes the fewest chips."""

    def takes(found: tuple[float, str, float]) -> float:
        asked = demand.chips_for_demand(params.queries, params.output_tokens, params.peak, found[0], params.utilisation)
        return max(float(asked), found[2])

    served = _served(params, snapshot, chip_id, most)
    size = 1.0
    while params.limit == "none" and size < takes(served) <= served[2]:
        with contextlib.suppress(NoLayout):
            served = min(served, _served(params, snapshot, chip_id, size), key=takes)
        size *= 2
    return served


def _most(params: Params, chip_w: float, price: float) -> float:
    """Whole chips that the limit allows; infinite without one, or where the chip's power or price is not known."""
    each = {"none": np.nan, "power": chip_w, "capital": price, "chips": 1.0}[params.limit]
    if each != each:
        return np.inf
    within = demand.queries_within(
        params.limit, _amount(params), 1, 1, it_w_per_chip=chip_w * params.overhead if chip_w == chip_w else 1.0,
        capex_usd_per_chip=price if price == price else 1.0, pue=params.pue,
    )  # fmt: skip
    return float(within["chips"])


def _clause(params: Params, snapshot: Snapshot, row: dict[str, Any]) -> str:
    if row["chip_id"] == inputs.OWN:
        return "not on record"
    answer = chips.rule_book(snapshot).evaluate(chip_facts(row), dest=params.dest, date=snapshot.today.isoformat())
    return OUTCOME_WORDS[answer.outcome]


def _amount(params: Params) -> float:
    return {"power": params.limit_mw, "capital": params.limit_musd * 1e6, "chips": float(params.limit_chips)}[params.limit]


def idle(params: Params) -> frozenset[str]:
    """A demand has no limit; a limit is answered in queries, and the other limits are not asked about."""
    limits = {"power": "limit_mw", "capital": "limit_musd", "chips": "limit_chips"}
    rest = {name for limit, name in limits.items() if limit != params.limit}
    return frozenset(rest if params.limit == "none" else rest | {"queries", "measure"})


def table(params: Params, snapshot: Snapshot) -> pd.DataFrame:
    """One row a chip: rate served, chips, megawatts, capital, cost a year and a query, rent, export clause; low and high by the error band."""
    band = work.error_band(snapshot)
    out = [_row(params, snapshot, chip_id, band) for chip_id in dict.fromkeys(params.chips)]
    columns = [
        "chip_id", "chip", "tok_s", "value", "low", "high", "chips", "it_mw", "site_mw", "capital_usd", "usd_per_year", "rent_per_year",
        "usd_per_query", "usd_per_mtok", "queries", "usd_per_chip", "clause", "layout", "layout_chips", "why_not", "measured",
    ]  # fmt: skip
    frame = pd.DataFrame(out, columns=columns)
    ascending = params.limit == "none"
    frame = frame.sort_values("value", ascending=ascending, kind="stable", na_position="last", ignore_index=True)
    shape = inputs.model(snapshot, params.model, params.config)
    return with_facts(frame, {"model": shape.name, "band": work.band_facts(band), "today": snapshot.today.isoformat()})


def _row(params: Params, snapshot: Snapshot, chip_id: str, band: Any) -> dict[str, Any]:
    row = inputs.chip_row(snapshot, chip_id, params.own_chip)
    told: dict[str, Any] = {
        "chip_id": chip_id, "chip": work.short(inputs.chip_name(row)), "clause": _clause(params, snapshot, row), "why_not": "", "layout": "",
        "measured": fleets.measured(snapshot, inputs.chip(snapshot, chip_id, params.own_chip)),
    }  # fmt: skip
    price, chip_w = _price(snapshot, chip_id, row), _number(row.get("tdp_w"))
    try:
        rate, told["layout"], told["layout_chips"] = _least(params, snapshot, chip_id, _most(params, chip_w, price))
    except NoLayout as wrong:
        return told | {"why_not": str(wrong)}
    told |= {"tok_s": rate, "usd_per_chip": price}
    scale = 1000.0 if params.limit == "none" and params.measure == "usd_per_query" else 1.0
    for name, factor in (("value", 1.0), ("high", band.low if band else None), ("low", band.high if band else None)):
        if factor is None:
            continue
        sized = _sized(params, snapshot, chip_id, rate * factor, chip_w, price, told["layout_chips"])
        told[name] = sized.get("queries" if params.limit != "none" else params.measure, float("nan")) * scale
        if name == "value":
            told |= sized
    if params.limit != "none":  # a quicker chip serves more: low and high change places
        told["low"], told["high"] = told.get("high"), told.get("low")
    missing = [words for words, value in (("power", chip_w), ("price", price)) if value != value]
    if missing:
        told["why_not"] = f"no {numbers.listed(missing)} of this chip on record"
    return told


def _sized(params: Params, snapshot: Snapshot, chip_id: str, rate: float, chip_w: float, price: float, least: float) -> dict[str, float]:
    """Chips, at least those of one layout, and what follows from them, as far as power and price are on record."""
    served = params.queries
    if params.limit != "none":
        needs = {"power": chip_w, "capital": price, "chips": 1.0}[params.limit]
        if needs != needs:
            return {}
        within = demand.queries_within(
            params.limit, _amount(params), params.output_tokens, rate,
            it_w_per_chip=chip_w * params.overhead if chip_w == chip_w else 1.0, capex_usd_per_chip=price if price == price else 1.0, pue=params.pue,
            peak_over_mean=params.peak, utilisation=params.utilisation,
        )  # fmt: skip
        served = float(within["queries_per_day"])
        n = float(within["chips"])
    else:
        n = max(float(demand.chips_for_demand(served, params.output_tokens, params.peak, rate, params.utilisation)), least)
    out = {"chips": n, "queries": served}
    rent = work.rent(snapshot, chip_id)
    if rent:
        out["rent_per_year"] = rent.usd_per_hour * n * 8760
    if chip_w == chip_w:
        it = float(it_power_mw(n, chip_w, params.overhead))
        out |= {"it_mw": it, "site_mw": float(site_power_mw(it, params.pue))}
    if price == price:
        out["capital_usd"] = n * price
    if chip_w == chip_w and price == price and served > 0 and n > 0:
        sized = demand.size(
            served, params.output_tokens, rate, chip_w=chip_w, overhead=params.overhead, pue=params.pue, capex_usd_per_chip=price,
            peak_over_mean=params.peak, utilisation=params.utilisation, chips=n, **_hour(params),
        )  # fmt: skip
        out |= {name: float(getattr(sized, name)) for name in ("usd_per_year", "usd_per_query", "usd_per_mtok")}
    return out


def _number(value: Any) -> float:
    return float(value) if value is not None and value == value else float("nan")


def _price(snapshot: Snapshot, chip_id: str, row: dict[str, Any]) -> float:
    if chip_id == inputs.OWN:
        return _number(row.get("price_usd"))
    found = capital_row(snapshot, chip_id)
    return float(found["usd_per_chip"]) if found else float("nan")


def receipt(params: Params, snapshot: Snapshot) -> Receipt:
    """The leading chip worked out, with the rows it rests on."""
    return fleet_words.receipt(table(params, snapshot), params, snapshot)


CHART = register(
    Chart(
        id="clusters.fleet",
        page="clusters",
        title="What a demand takes",
        params=Params,
        table=table,
        figure=fleet_figure.figure,
        receipt=receipt,
        words=fleet_words.words,
        idle=idle,
        options={"model": inputs.model_options, "chips": inputs.chip_options},
        presets=(
            Preset("search", "A frontier model in every web search", {"queries": SEARCHES_PER_DAY, "measure": "usd_per_query"}, claim="I8"),
            Preset("site-100", "Queries on an inference site of 100 MW", {"limit": "power", "limit_mw": 100.0}, claim="C16"),
            Preset("site-30", "Queries on an inference site of 30 MW", {"limit": "power", "limit_mw": 30.0}, claim="C16"),
            Preset("half-million", "500,000 chips for answers", {"limit": "chips", "limit_chips": 500_000}, claim="C16"),
            Preset(
                "gpt3",
                "Every search on GPT-3's size, in 2023",
                {
                    "model": "GPT-3-175B",
                    "queries": SEARCHES_PER_DAY,
                    "chips": ("a100-sxm-80",),
                    "weights": "bf16",
                    "kv": "bf16",
                    "speed": 15.0,
                    "measure": "capital_usd",
                },
                claim="I8",
            ),
        ),
        heights=(420, 420),
    )
)
