"""Payback by chip: months until today's rent has returned what a GPU and its share of the server cost."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from analytics.prices.rental import electricity_usd_per_gpu_hour, months_to_payback, payback_months
from charts.look import Look
from charts.numbers import date, dollars
from charts.params import ChartParams, number
from charts.prices.draw import RangeRow, range_rows
from charts.prices.modelled import RENT_WINDOW_DAYS, rent_range
from charts.receipt import InputRow, Receipt, assumed, input_row, worked
from charts.registry import Chart, Preset, register
from charts.words import Words
from data.queries.rentals import chip_rates, hardware
from data.snapshot import Snapshot

CREDIT = "rents: providers' lists; prices: quotes and press; power: data sheets"
# A DGX H100 draws at most 10.2 kW for eight 0.7 kW GPUs (NVIDIA data sheet): 1.82 times the chips.
SERVER_OVER_CHIPS = 1.82


class Params(ChartParams):
    """State of the chart."""

    utilisation: float = number(0.8, ge=0.05, le=1, label="Rented", help="Share of hours that are rented out.", step=0.05)
    usd_per_kwh: float = number(0.08, ge=0, le=1, label="Power price", help="Price of electricity.", unit="$/kWh", step=0.01)
    pue: float = number(1.25, ge=1, le=3, label="PUE", help="Power of the building over power of the servers.", step=0.05)


def table(params: Params, snapshot: Snapshot) -> pd.DataFrame:
    """One row a chip with a US price and a rent of the last year: months at the highest and the lowest rent."""
    bought, rates, power = hardware(snapshot, "us"), chip_rates(snapshot), snapshot.table("chips").set_index("chip_id")["tdp_w"]
    whole = bought[~bought["kind"].eq("cluster node")]
    rows = []
    for chip, own in whole.groupby("chip_id", sort=True):
        listed = rent_range(snapshot, str(chip))
        if listed.empty:
            continue
        own = own.assign(whole=own["kind"].isin(["server", "rack"]))
        price = own.sort_values(["whole", "day", "fact_key"], kind="stable").iloc[-1]
        low, high = float(price["price_low_usd"]) / price["units"], float(price["price_high_usd"]) / price["units"]
        kw = float(power.get(chip, np.nan)) / 1000 * SERVER_OVER_CHIPS
        running = float(electricity_usd_per_gpu_hour(kw, params.pue, params.usd_per_kwh)) if kw == kw else 0.0
        ends = (float(listed["usd_per_gpu_hour"].min()), float(listed["usd_per_gpu_hour"].max()))
        fast, slow = (
            float(months_to_payback(capital, rent, utilisation=params.utilisation, operating_usd_per_gpu_hour=running))
            for capital, rent in ((low, ends[1]), (high, ends[0]))
        )
        rows.append(
            {
                "chip": str(rates["name"].get(chip, chip)),
                "chip_id": str(chip),
                "months_low": fast,
                "months_high": slow,
                "capital_low_usd": low,
                "capital_high_usd": high,
                "item": price["item"],
                "price_date": price["date"],
                "price_kind": price["kind"],
                "rent_low_usd_per_hour": ends[0],
                "rent_high_usd_per_hour": ends[1],
                "rents": len(listed),
                "rent_last_date": listed["date"].max(),
                "running_usd_per_hour": running,
                "power_known": kw == kw,
                "rung": price["rung"],
                "source": price["source"],
            }
        )
    out, never = pd.DataFrame(rows), []
    if len(out):
        pays = np.isfinite(out["months_low"])
        never = out.loc[~pays, "chip"].tolist()
        out = out[pays].sort_values("months_low", kind="stable", ignore_index=True)
        out["months_high"] = out["months_high"].where(np.isfinite(out["months_high"]))
    out.attrs = {"today": snapshot.today.isoformat(), "utilisation": params.utilisation, "never": never}
    return out


def figure(table: pd.DataFrame, params: Params, look: Look) -> go.Figure:
    """A bar a chip, from the cheapest purchase at the highest rent to the dearest at the lowest."""
    rows = [
        RangeRow(
            r["chip"],
            r["months_low"],
            None,
            r["months_high"] if r["months_high"] == r["months_high"] else r["months_low"],
            "blue" if r["price_kind"] in ("server", "rack") else "point",
            note=_span(r["rent_low_usd_per_hour"], r["rent_high_usd_per_hour"])
            + ("" if r["months_high"] == r["months_high"] else "; never at the lowest"),
        )
        for r in table.to_dict("records")
    ]
    return range_rows(rows, look, lambda v: f"{v:g}", unit="months", log=False)


def _span(low: float, high: float) -> str:
    return f"{dollars(low)} an hour" if low == high else f"{dollars(low)} to {dollars(high)} an hour"


def _months(row: Any) -> str:
    """'18 to 42 months'; where the lowest rent does not cover the running cost '18 months or never'."""
    low, high = f"{row['months_low']:,.0f}", f"{row['months_high']:,.0f}"
    if row["months_high"] != row["months_high"]:
        return f"{low} months or never"
    return f"{low} months" if low == high else f"{low} to {high} months"


def words(table: pd.DataFrame, params: Params) -> Words:
    """Title and the rest, from the table."""
    never = table.attrs["never"]
    if table.empty:
        nothing = "No chip has both a US price and a rent listed in the last year."
        if never:
            nothing = f"Rented {params.utilisation:.0%} of the time, no chip's rent covers its electricity.".replace("%", " %")
        return Words(finding="No chip can be paid back on these facts", empty=nothing, credit=CREDIT)
    first = table.iloc[0]
    return Words(
        finding=f"At the last year's rents {first['chip']} pays itself back soonest: in {_months(first)}, rented "
        f"{params.utilisation:.0%} of the time".replace("%", " %"),
        subtitle="Months of rent, less electricity, that return the purchase price per GPU. Bars: dearest rent and cheapest "
        "purchase to cheapest "
        "rent and dearest purchase. Strong: price of a server or rack; pale: of a card alone, so the server comes on top.",
        alt="; ".join(f"{r['chip']} {_months(r)}" for r in table.to_dict("records")),
        coverage=f"{len(table)} chips with a US price and at least one rent within {RENT_WINDOW_DAYS} days"
        + (f"; never paid back, since electricity takes the whole rent: {', '.join(never)}" if never else ""),
        credit=CREDIT,
    )


def receipt(params: Params, snapshot: Snapshot) -> Receipt:
    """The first chip's payback worked at its highest rent, and the rows used."""
    made = table(params, snapshot)
    if made.empty:
        return Receipt(assumptions=("A chip needs a US price and a rent of the last year.",))
    first = made.iloc[0]
    power = snapshot.table("chips").set_index("chip_id")["tdp_w"]
    formulas = []
    if first["power_known"]:
        kw = float(power[first["chip_id"]]) / 1000 * SERVER_OVER_CHIPS
        formulas.append(worked(electricity_usd_per_gpu_hour, kw_per_gpu=kw, pue=params.pue, usd_per_kwh=params.usd_per_kwh))
    formulas.append(
        worked(
            payback_months,
            capital_usd_per_gpu=first["capital_low_usd"],
            usd_per_gpu_hour=first["rent_high_usd_per_hour"],
            operating_usd_per_gpu_hour=first["running_usd_per_hour"],
            utilisation=params.utilisation,
        )
    )
    bought = hardware(snapshot, "us")
    inputs: list[InputRow] = []
    for r in made.to_dict("records"):
        row = bought[bought["chip_id"].eq(r["chip_id"]) & bought["item"].eq(r["item"]) & bought["date"].eq(r["price_date"])].iloc[0]
        inputs.append(
            input_row(row, f"{r['chip']}: {r['item']}", f"{row['price_low_usd']:g} to {row['price_high_usd']:g}", "$", as_of="date")
        )
        listed = rent_range(snapshot, r["chip_id"])
        for _, rent in listed.iloc[[0, -1]].drop_duplicates("fact_key").iterrows():
            inputs.append(
                input_row(
                    rent, f"{r['chip']}: rent at {rent['provider']}, {rent['term']}", f"{rent['usd_per_gpu_hour']:g}", "$/h", as_of="date"
                )
            )
    inputs += [
        assumed("Share of hours rented", f"{params.utilisation:g}"),
        assumed("Price of power", f"{params.usd_per_kwh:g}", "$/kWh"),
        assumed("PUE", f"{params.pue:g}"),
    ]
    return Receipt(
        formulas=tuple(formulas),
        inputs=tuple(inputs),
        assumptions=(
            f"A server draws {SERVER_OVER_CHIPS:g} times its chips (DGX H100: 10.2 kW for eight of 0.7 kW); chips without a stated "
            "power run free.",
            "No building, network, staff, interest or resale value: a real payback is later.",
        ),
        error=(f"Newest price of a server or rack, else of a card; the oldest used is of {date(min(made['price_date']))}.",),
    )


CHART = register(
    Chart(
        id="prices.payback",
        page="prices",
        title="Payback by chip",
        params=Params,
        table=table,
        figure=figure,
        receipt=receipt,
        words=words,
        presets=(Preset("today", "At today's rents", {}, claim="I7"), Preset("full", "Always rented", {"utilisation": 1}, claim="I7")),
        heights=(300, 380),
    )
)
