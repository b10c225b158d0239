"""What a rent buys: dollars an hour per GPU, per PFLOP/s, per TB/s, and per million tokens served."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from analytics.prices.provider import rented_usd_per_mtok
from analytics.prices.rental import usd_per_pflop_per_s_hour, usd_per_tb_per_s_hour
from charts.look import Look
from charts.numbers import dollars
from charts.params import ChartParams, choice, number
from charts.prices.draw import RangeRow, range_rows
from charts.prices.margin import Weights
from charts.prices.modelled import RENT_WINDOW_DAYS, SERVED, best_served, blended_cost_usd_per_mtok, model_error, rent_range
from charts.receipt import InputRow, Receipt, assumed, input_row, looked_up, worked
from charts.registry import Chart, Preset, register
from charts.words import Words
from data.queries.rentals import chip_rates, rents
from data.queries.serving import ServingInputs, serving_inputs
from data.snapshot import Snapshot

MEASURES = {"hour": "Per hour", "pflop": "Per PFLOP/s", "bandwidth": "Per TB/s", "mtok": "Per million tokens"}
UNITS = {
    "hour": "$ per GPU-hour",
    "pflop": "$ per hour of one dense 16-bit PFLOP/s",
    "bandwidth": "$ per hour of one TB/s of memory bandwidth",
    "mtok": "modelled $ / Mtok",
}
CREDIT = "rents: providers' lists; rates: data sheets; tokens: Ridgepoint's serving model"


class Params(ChartParams):
    """State of the chart."""

    per: Literal["hour", "pflop", "bandwidth", "mtok"] = choice("hour", label="Per", help="What the rent is divided by.", labels=MEASURES)
    weights: Weights = choice(
        "llama-3.3-70b-instruct", label="Model", help="Weights served, for tokens.", labels={k: shape for k, (shape, _) in SERVED.items()}
    )
    tok_s_per_user: float = number(20, ge=1, le=500, label="Speed", help="Least tokens a second each user gets.", unit="tok/s")
    input_tokens: int = number(3000, ge=1, le=200_000, label="Prompt", help="Tokens of a prompt.", unit="tokens")
    output_tokens: int = number(1000, ge=1, le=100_000, label="Answer", help="Tokens of an answer.", unit="tokens")


def _divided(params: Params, inputs: ServingInputs | None, chip: str, rent: float, rates: pd.DataFrame) -> tuple[float, str]:
    """Rent over the chosen yardstick, and what it was divided by in words; NaN where a rate is not known."""
    row = rates.loc[[chip]].iloc[0]
    if params.per == "pflop":
        flops = float(row["dense_tflop_per_s"])
        return float(usd_per_pflop_per_s_hour(rent, flops)), f"{flops:g} TFLOP/s dense 16-bit"
    if params.per == "bandwidth":
        band = float(row["hbm_bandwidth_gb_per_s"])
        return float(usd_per_tb_per_s_hour(rent, band)), f"{band:g} GB/s"
    if inputs is not None:
        try:
            served = best_served(inputs, params.weights, chip, params.input_tokens, params.output_tokens, params.tok_s_per_user)
        except ValueError:
            # A chip without the rates the serving model needs has no cost per token.
            return np.nan, "no rates for the serving model"
        if served is None:
            return np.nan, "too slow or too small for this model"
        cost = blended_cost_usd_per_mtok(rent, served, params.input_tokens / params.output_tokens, 1.0)
        return cost, f"{served.output_tok_s_per_chip:,.0f} output tok/s, {served.layout}"
    return rent, "one GPU"


def table(params: Params, snapshot: Snapshot) -> pd.DataFrame:
    """One row a chip: least and greatest rent of the last year over the yardstick; chips without a rate have no value."""
    rates = chip_rates(snapshot)
    inputs = serving_inputs(snapshot) if params.per == "mtok" else None
    rows = []
    for chip in sorted(set(rents(snapshot)["chip_id"])):
        listed = rent_range(snapshot, chip)
        if listed.empty or chip not in rates.index:
            continue
        low, high = float(listed["usd_per_gpu_hour"].min()), float(listed["usd_per_gpu_hour"].max())
        value, by = _divided(params, inputs, chip, low, rates)
        rows.append(
            {
                "chip": str(rates["name"][chip]),
                "chip_id": chip,
                "low": value,
                "high": value * high / low,
                "divided_by": by,
                "rent_low_usd_per_hour": low,
                "rent_high_usd_per_hour": high,
                "rents": len(listed),
            }
        )
    out = pd.DataFrame(
        rows, columns=["chip", "chip_id", "low", "high", "divided_by", "rent_low_usd_per_hour", "rent_high_usd_per_hour", "rents"]
    )
    out = out.sort_values(["low", "chip"], kind="stable", ignore_index=True)
    out.attrs = {"today": snapshot.today.isoformat(), "model": SERVED[params.weights][0]}
    return out


def figure(table: pd.DataFrame, params: Params, look: Look) -> go.Figure:
    """A bar a chip from its least to its greatest rent, cheapest first."""
    known = table[table["low"].notna()]
    rows = [
        RangeRow(
            r["chip"],
            r["low"],
            None,
            r["high"],
            "blue",
            note=f"{r['rents']} rent{'' if r['rents'] == 1 else 's'}" + ("" if look.phone else f", {r['divided_by']}"),
        )
        for r in known.to_dict("records")
    ]
    return range_rows(rows, look, dollars, unit=UNITS[params.per])


def words(table: pd.DataFrame, params: Params) -> Words:
    """Title and the rest, from the table."""
    known = table[table["low"].notna()]
    if known.empty:
        nothing = "No chip with a rent of the last year has a rate to divide it by."
        return Words(finding="Nothing to divide a rent by", empty=nothing, way_out={"per": "hour"}, credit=CREDIT)
    first, last = known.iloc[0], known.iloc[-1]
    what = {
        "hour": "an hour",
        "pflop": "per dense PFLOP/s and hour",
        "bandwidth": "per TB/s and hour",
        "mtok": f"per million {table.attrs['model']} tokens",
    }
    without = table[table["low"].isna()]["chip"].tolist()
    return Words(
        finding=f"Cheapest {what[params.per]} is {first['chip']}, from {dollars(first['low'])}; {last['chip']} starts at "
        f"{dollars(last['low'])}",
        subtitle=f"{UNITS[params.per]}, log scale. Bars: from the least to the greatest rent of sellers in the last year, spot and "
        "averages left out.",
        alt="; ".join(f"{r['chip']} {dollars(r['low'])} to {dollars(r['high'])}" for r in known.to_dict("records")),
        coverage=f"{len(known)} chips" + (f"; not drawn: {', '.join(without)}" if without else ""),
        credit=CREDIT,
    )


def receipt(params: Params, snapshot: Snapshot) -> Receipt:
    """The cheapest chip worked, and the least and greatest rent of each."""
    made = table(params, snapshot)
    known = made[made["low"].notna()]
    if known.empty:
        return Receipt(assumptions=("A chip needs a rent of the last year and a rate.",))
    first, rates = known.iloc[0], chip_rates(snapshot)
    rent, row = float(first["rent_low_usd_per_hour"]), rates.loc[[str(first["chip_id"])]].iloc[0]
    formulas = []
    if params.per == "pflop":
        formulas.append(worked(usd_per_pflop_per_s_hour, usd_per_gpu_hour=rent, dense_tflop_per_s=float(row["dense_tflop_per_s"])))
    elif params.per == "bandwidth":
        formulas.append(worked(usd_per_tb_per_s_hour, usd_per_gpu_hour=rent, hbm_bandwidth_gb_per_s=float(row["hbm_bandwidth_gb_per_s"])))
    elif params.per == "mtok":
        tokens = rent / float(first["low"]) * 1e6 / 3600
        formulas.append(
            looked_up("Tokens a second of a chip, input and output", tokens, "tok/s", f"the serving model: {first['divided_by']}")
        )
        formulas.append(worked(rented_usd_per_mtok, usd_per_hour=rent, tokens_per_s=tokens))
    else:
        formulas.append(looked_up(f"Least rent of {first['chip']}", rent, "$/h", f"{first['rents']} rents of the last year"))
    inputs: list[InputRow] = []
    for r in known.to_dict("records"):
        listed = rent_range(snapshot, r["chip_id"])
        for _, own in listed.iloc[[0, -1]].drop_duplicates("fact_key").iterrows():
            inputs.append(
                input_row(own, f"{r['chip']} at {own['provider']}, {own['term']}", f"{own['usd_per_gpu_hour']:g}", "$/h", as_of="date")
            )
    if params.per == "mtok":
        inputs.append(assumed("Prompt and answer", f"{params.input_tokens:,} and {params.output_tokens:,}", "tokens"))
    return Receipt(
        formulas=tuple(formulas),
        inputs=tuple(inputs),
        assumptions=(
            f"Rents of sellers within {RENT_WINDOW_DAYS} days; averages of many sellers and spot prices are left out.",
            "Rates are dense peaks of data sheets; tokens count input and output alike, on a fleet that never idles.",
        ),
        error=("Few rents a chip: one cheap seller moves the lower end.", *(model_error(snapshot) if params.per == "mtok" else ())),
    )


CHART = register(
    Chart(
        id="prices.rent_per",
        page="prices",
        title="What a rent buys",
        params=Params,
        table=table,
        figure=figure,
        receipt=receipt,
        words=words,
        presets=(
            Preset("pflop", "Per PFLOP/s", {"per": "pflop"}, claim="I7"),
            Preset("bandwidth", "Per TB/s", {"per": "bandwidth"}, claim="I7"),
            Preset("mtok", "Per million tokens", {"per": "mtok"}, claim="R2"),
        ),
        heights=(480, 520),
    )
)
