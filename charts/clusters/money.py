"""What a cluster costs: capital by part, a year with cost of capital and lives, a GPU-hour, and electricity's share of it."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pandas as pd

from analytics.clusters import money, power
from charts import numbers
from charts.clusters import money_figure
from charts.clusters.choices import facts_of, with_facts
from charts.params import ChartParams, choice, flag, number
from charts.receipt import FormulaLine, InputRow, Receipt, age_note, assumed, input_row, looked_up, worked
from charts.registry import Chart, Preset, register
from charts.words import Words
from data.queries import cluster_models
from data.snapshot import Snapshot

FIFTH = 0.2
# Life of servers [years] → a gigawatt's cost of a year as printed in Epoch AI's data insight of May 2026.
EPOCH_PRINTS = {3: "$12B", 5: "$8.5B", 7: "$7B"}
MEASURES = {
    "year": ("Cost of a year", "USD a year"),
    "capital": ("Capital", "USD"),
    "life": ("Cost over the years", "USD"),
    "hour": ("Cost of a GPU-hour", "USD a GPU-hour"),
}
BASES = {"gigawatt": "Per gigawatt of IT", "server": "Per 8-GPU server", "section": "Abilene, section by section"}
SAID = {
    "gigawatt": "from Epoch AI's figures per gigawatt of IT",
    "server": "from the price of an 8-GPU server",
    "section": "from Abilene's first section, scaled",
}
ROWS = {
    "gigawatt": ("compute_per_gw_it", "construction_per_gw_it", "capex_per_gw_it", "opex_per_gw_it", "electricity_per_gw_it"),
    "server": ("server8_usd", "power_cost_share"),
    "section": (
        "stargate_it_mw",
        "stargate_site_mw",
        "stargate_first_servers_usd",
        "stargate_first_dc_usd",
        "stargate_servers_usd",
        "stargate_tco_usd",
    ),
}


class Params(ChartParams):
    """What is built from which published parts, and how it is paid for."""

    measure: Literal["year", "capital", "life", "hour"] = choice(
        "year", label="Show", help="what the bars measure", labels={k: v[0] for k, v in MEASURES.items()}
    )
    basis: Literal["gigawatt", "server", "section"] = choice(
        "gigawatt", label="Built from", help="the published parts the cluster is put together from", labels=BASES
    )
    it_mw: float = number(1_000, ge=0.01, le=100_000, label="IT power", help="of the whole cluster", unit="MW", log=True)
    chip_w: float = number(
        1_390, ge=50, le=20_000, label="All-in power", help="IT power a chip; sets how many chips there are", unit="W", step=10
    )
    rate: float = number(0.065, ge=0, le=1, label="Cost of capital", help="a year; 0 spreads capital evenly", step=0.005)
    life_years: float = number(
        5, ge=0.25, le=60, label="Life of servers", help="years their capital is paid back over", unit="years", step=0.5
    )
    building_years: float = number(
        14, ge=0.25, le=60, label="Life of the building", help="years its capital is paid back over", unit="years", step=1
    )
    years: float = number(5, ge=0.25, le=60, label="Years counted", help="for the cost over the years", unit="years", step=0.5)
    usd_per_mwh: float = number(65, ge=0, le=5_000, label="Electricity", help="price at the site", unit="$/MWh", step=5)
    pue: float = number(1.3, ge=1, le=3, label="PUE", help="site over IT energy", step=0.01)
    load: float = number(0.81, ge=0.01, le=1, label="Load", help="mean share of IT power that is drawn", step=0.01)
    utilisation: float = number(1, ge=0.01, le=1, label="Hours used", help="share of hours that are sold or used", step=0.05)
    own_server: bool = flag(False, label="Server price given", help="take the price below in place of the published range")
    server_usd: float = number(
        245_000, ge=0, le=5_000_000, label="Server", help="price of an 8-GPU server; 0 for one written off", unit="$", step=1000
    )
    network_usd: float = number(6_000, ge=0, le=200_000, label="Network", help="network a chip, on a server's price", unit="$", step=500)
    colocation: float = number(
        130, ge=0, le=2_000, label="Colocation", help="rent of building, power and cooling plant", unit="$/kW-month", step=5
    )
    section_mw: float = number(200, ge=0.1, le=10_000, label="Section", help="IT power of the published section", unit="MW", step=10)


def _value(snapshot: Snapshot, name: str, key: str = "value") -> float:
    return float(cluster_models.parameter(snapshot, name)[key])


def _parts(params: Params, snapshot: Snapshot) -> list[dict[str, Any]]:
    """Parts with capital [USD], its range, life and running cost a year; electricity is always the last."""
    chips, gw = _chips(params), params.it_mw / 1e3
    kw = params.it_mw * 1e3
    if params.basis == "gigawatt":
        stated = _value(snapshot, "opex_per_gw_it") - _value(snapshot, "electricity_per_gw_it")
        parts = [
            _part("Servers, network", gw * _value(snapshot, "compute_per_gw_it"), params.life_years),
            _part("Building, power", gw * _value(snapshot, "construction_per_gw_it"), params.building_years),
            _part("Staff, upkeep", 0.0, 1.0, running=gw * stated),
        ]
    elif params.basis == "server":
        low, mid, high = (_value(snapshot, "server8_usd", k) for k in ("low", "value", "high"))
        if params.own_server:
            low = mid = high = params.server_usd
        parts = [
            _part("Servers", chips * mid / 8, params.life_years, low=chips * low / 8, high=chips * high / 8),
            _part("Network", chips * params.network_usd, params.life_years),
            _part("Colocation", 0.0, 1.0, running=kw * params.colocation * 12),
        ]
    else:
        low, mid, high = (_value(snapshot, "stargate_first_servers_usd", k) for k in ("low", "value", "high"))
        sections = params.it_mw / params.section_mw
        parts = [
            _part("Servers", sections * mid, params.life_years, low=sections * low, high=sections * high),
            _part("Colocation", 0.0, 1.0, running=kw * params.colocation * 12),
        ]
    energy = float(power.energy_per_year_mwh(params.it_mw, params.load, params.pue))
    parts.append(_part("Electricity", 0.0, 1.0, running=float(money.electricity_usd(energy, params.usd_per_mwh))))
    return parts


def _part(
    name: str, capital: float, life: float, *, running: float = 0.0, low: float | None = None, high: float | None = None
) -> dict[str, Any]:
    kind = "electricity" if name == "Electricity" else "capital" if capital else "running"
    low, high = (capital if v is None else v for v in (low, high))
    return {
        "part": name,
        "kind": kind,
        "capital_usd": capital,
        "low_usd": low,
        "high_usd": high,
        "life_years": life,
        "running_usd": running,
    }


def _chips(params: Params) -> float:
    n = float(power.site_to_chips(params.it_mw, params.chip_w, pue=1))
    if n < 1:
        raise ValueError(f"it_mw must feed at least one chip of {params.chip_w:g} W, got {params.it_mw:g} MW")
    return n


def idle(params: Params) -> frozenset[str]:
    """What the basis and the measure do not ask for."""
    own = {
        "gigawatt": {"own_server", "server_usd", "network_usd", "colocation", "section_mw"},
        "server": {"building_years", "section_mw", *(() if params.own_server else ("server_usd",))},
        "section": {"building_years", "own_server", "server_usd", "network_usd"},
    }[params.basis]
    asked = {"life": "years", "hour": "utilisation"}
    return frozenset(own | {name for measure, name in asked.items() if measure != params.measure})


def table(params: Params, snapshot: Snapshot) -> pd.DataFrame:
    """One row a part and their total: capital, a year, over the years and a GPU-hour, with low and high where inputs have them."""
    out = pd.DataFrame(_parts(params, snapshot))
    chips = _chips(params)
    for end in ("low", "", "high"):
        capital = out[f"{end or 'capital'}_usd"]
        out[f"year{'_' + end if end else ''}_usd"] = money.yearly_by_part(capital, out["life_years"], out["running_usd"], params.rate)
    total = out.drop(columns=["part", "kind", "life_years"]).sum()
    out = pd.concat([out, pd.DataFrame([{"part": "Total", "kind": "total", "life_years": np.nan, **total}])], ignore_index=True)
    if params.basis == "gigawatt":  # the published range is of the whole capital, not of a part
        _spread_total(out, params, snapshot)
    out = out.rename(columns={"low_usd": "capital_low_usd", "high_usd": "capital_high_usd"})
    for end in ("", "_low", "_high"):
        out[f"life{end}_usd"] = out[f"year{end}_usd"] * params.years
        out[f"hour{end}_usd"] = money.hour_of_year_usd(out[f"year{end}_usd"], chips, params.utilisation)
    year, bill = float(out["year_usd"].iloc[-1]), float(out["year_usd"].iloc[-2])
    kwh = float(power.energy_per_year_mwh(params.it_mw, params.load, params.pue)) * 1e3
    straight = money.yearly_by_part(out["capital_usd"][:-1], out["life_years"][:-1], out["running_usd"][:-1], 0.0)
    facts = {
        "chips": chips,
        "straight_usd": float(straight.sum()) * params.years,
        "share": float(money.electricity_share(bill, year)),
        "fifth_usd_per_kwh": float(money.price_at_share_usd_per_kwh(year - bill, FIFTH, kwh)),
        "published": _published(params, snapshot),
        "today": snapshot.today.isoformat(),
    }
    return with_facts(out, facts)


def _spread_total(out: pd.DataFrame, params: Params, snapshot: Snapshot) -> None:
    central = _value(snapshot, "compute_per_gw_it") + _value(snapshot, "construction_per_gw_it")
    last, own = len(out) - 1, out[out["kind"] == "capital"]
    capital, paid, year = float(own["capital_usd"].sum()), float(own["year_usd"].sum()), float(out["year_usd"].iloc[-1])
    for end in ("low", "high"):
        times = _value(snapshot, "capex_per_gw_it", end) / central
        if times == times:
            out.loc[last, f"{end}_usd"] = capital * times
            out.loc[last, f"year_{end}_usd"] = year + paid * (times - 1)


def _published(params: Params, snapshot: Snapshot) -> list[dict[str, Any]]:
    """Published totals of the same thing, scaled to the power asked for."""
    out: list[dict[str, Any]] = []
    if params.basis == "section":
        scale = params.it_mw / _value(snapshot, "stargate_it_mw")
        wanted = {"capital": ("stargate_servers_usd",), "life": ("stargate_tco_usd",)}.get(params.measure, ())
        for row in cluster_models.parameters(snapshot, *wanted):
            out.append({"label": str(row["description"]), "value": float(row["value"]) * scale, "source": str(row["source"])})
    return out


def _write(measure: str) -> Any:
    return (lambda v: f"${v:,.2f}") if measure == "hour" else numbers.dollars


def words(table: pd.DataFrame, params: Params) -> Words:
    """Finding: the total by the measure, and electricity's share."""
    a, write = facts_of(table), _write(params.measure)
    total = table.iloc[-1]
    value, low, high = (float(total[f"{params.measure}{end}_usd"]) for end in ("", "_low", "_high"))
    span = f", {write(low)} to {write(high)} by the published range," if high > low * 1.0001 else ""
    what = {
        "year": f"costs {write(value)} a year{span}",
        "capital": f"takes {write(value)} of capital{span}",
        "life": f"costs {write(value)} over {params.years:g} years{span}",
        "hour": f"costs {write(value)} a GPU-hour{span}",
    }[params.measure].rstrip(",")
    finding = f"A cluster of {numbers.power(params.it_mw)} IT {what}; electricity is {numbers.share(a['share'])} of its cost and passes 20 % at ${a['fifth_usd_per_kwh']:.3f}/kWh"
    name, unit = MEASURES[params.measure]
    subtitle = (
        f"{name} by part, {unit}, {SAID[params.basis]}: {numbers.chips(a['chips'])} chips at {params.chip_w:,.0f} W, cost of capital {numbers.share(params.rate)} a year, "
        f"servers {params.life_years:g} years. Whisker: the inputs' own low and high."
    )
    notes = [
        f"{p['label']}: {numbers.dollars(p['value'])} ({p['source']}); the parts give {value / p['value']:.2f} times that."
        for p in a["published"]
    ]
    verdict = "holds" if a["share"] < FIFTH else "fails"
    notes.append(
        f"“Power is under 20 % of a cluster's cost” {verdict} here, at ${params.usd_per_mwh:g}/MWh; written-off servers would raise electricity's share."
    )
    if params.basis == "section":
        notes.append(
            "Two readings of one source: $50B is servers alone; $100B is total cost of ownership, which needs rent, energy and the cost of capital on top."
        )
    if params.basis == "gigawatt":
        notes.append(
            "The range of capital per gigawatt runs from Bernstein's 35 to NVIDIA's 60 billion; it is of the whole, not of a part."
        )
    alt = (
        f"Bars of {name.lower()} by part. {finding}. "
        + "; ".join(f"{r['part']} {write(r[params.measure + '_usd'])}" for r in table.to_dict("records"))
        + "."
    )
    credit = (
        "Ridgepoint cost model; Epoch AI (CC BY 4.0)" if params.basis == "gigawatt" else "Ridgepoint cost model; Lex Fridman Podcast #459"
    )
    return Words(finding, subtitle, alt, "", credit, tuple(notes))


def receipt(params: Params, snapshot: Snapshot) -> Receipt:
    """Annuities, the year, the GPU-hour and the price that makes electricity a fifth; the published parts."""
    shown = table(params, snapshot)
    total = shown.iloc[-1]
    energy = float(power.energy_per_year_mwh(params.it_mw, params.load, params.pue))
    year, bill = float(total["year_usd"]), float(shown["year_usd"].iloc[-2])
    factor = float(money.capital_recovery(params.rate, params.life_years))
    lines: list[FormulaLine] = [_factor(params.rate, params.life_years)]
    if params.basis == "gigawatt":
        lines.append(_factor(params.rate, params.building_years))
    lines.append(worked(power.energy_per_year_mwh, it_power_mw=params.it_mw, load=params.load, mean_pue=params.pue))
    lines.append(worked(money.electricity_usd, energy_mwh=energy, usd_per_mwh=params.usd_per_mwh))
    capital = shown[shown["kind"] == "capital"]
    servers = float(capital[capital["part"] != "Building, power"]["capital_usd"].sum())
    building = float(capital[capital["part"] == "Building, power"]["capital_usd"].sum())
    running = float(shown.iloc[:-1]["running_usd"].sum())
    lines.append(
        worked(
            money.yearly_cost_usd, equipment_usd=servers, equipment_factor=factor, building_usd=building,
            building_factor=float(money.capital_recovery(params.rate, params.building_years)), operation_usd=running,
        )
    )  # fmt: skip
    lines.append(worked(money.capital_per_chip_usd, capex_usd=servers + building, chip_count=shown.attrs["chips"]))
    lines.append(worked(money.hour_of_year_usd, year_usd=year, chips=shown.attrs["chips"], utilisation=params.utilisation))
    lines.append(worked(money.electricity_share, electricity_usd=bill, total_usd=year))
    lines.append(worked(money.price_at_share_usd_per_kwh, rest_usd=year - bill, share=FIFTH, drawn_kwh=energy * 1e3))
    inputs: list[InputRow] = []
    for row in cluster_models.parameters(snapshot, *ROWS[params.basis], "power_cost_share"):
        if row["param_id"] in {"power_cost_share"} and any(i.label == row["description"] for i in inputs):
            continue
        span = " to ".join(numbers.plain(row[k]) for k in ("low", "high") if row[k] == row[k])
        value = numbers.plain(row["value"]) if row["value"] == row["value"] else ""
        inputs.append(
            input_row(row, str(row["description"]), f"{value} ({span})" if value and span else value or f"up to {span}", str(row["unit"]))
        )
    inputs += [
        assumed("Cost of capital and lives", f"{params.rate:g} a year; {params.life_years:g} and {params.building_years:g}", "years"),
        assumed("Electricity, PUE and load", f"${params.usd_per_mwh:g}/MWh, {params.pue:g}, {params.load:g}"),
    ]
    if params.basis != "gigawatt":
        inputs.append(assumed("Colocation", f"{params.colocation:g}", "$/kW-month", "set by you; quotes run from 100 to 250"))
    assumptions = (
        "Epoch AI prints no cost of capital: 6.5 % is inferred from its results, $12B, $8.5B and $7B a year for server lives of 3, 5 and 7 years.",
        "Colocation is taken without electricity: where a quote includes it, set the price of electricity to 0.",
    )
    errors = ["No audited cost of a GPU-hour is published: the error is not known."]
    if params.basis == "gigawatt":
        ours = {life: float(money.ownership(1, equipment_life_years=life).total_usd) for life in EPOCH_PRINTS}
        told = [
            f"{numbers.dollars(ours[life])} at {life} years of life where Epoch AI prints {text}" for life, text in EPOCH_PRINTS.items()
        ]
        errors = [f"By these parts a gigawatt costs a year {numbers.listed(told)}."]
    if params.basis == "section":
        errors = [
            f"{p['label']}: the parts give {float(total[params.measure + '_usd']) / p['value']:.2f} times the figure."
            for p in shown.attrs["published"]
        ]
    errors.append(age_note([i.as_of for i in inputs if i.as_of], snapshot.today))
    return Receipt(lines, inputs, assumptions, [e for e in errors if e])


def _factor(rate: float, life: float) -> FormulaLine:
    if rate >= 1e-4:
        return worked(money.annuity, rate=rate, life_years=life)
    return looked_up("Capital recovery factor", float(money.capital_recovery(rate, life)), "per year", f"straight line over {life:g} years")


CHART = register(
    Chart(
        id="clusters.money",
        page="clusters",
        title="What a cluster costs",
        params=Params,
        table=table,
        figure=money_figure.figure,
        receipt=receipt,
        words=words,
        idle=idle,
        presets=(
            Preset("abilene-servers", "Abilene: $50B of servers", {
                "basis": "section", "measure": "capital", "it_mw": 1800.0, "chip_w": 2090.0, "pue": 1.2222, "load": 0.8, "rate": 0.1, "usd_per_mwh": 50.0,
            }, claim="C7"),
            Preset("abilene-ownership", "Abilene: $100B in all", {
                "basis": "section", "measure": "life", "it_mw": 1800.0, "chip_w": 2090.0, "pue": 1.2222, "load": 0.8, "rate": 0.1, "usd_per_mwh": 50.0,
            }, claim="C7"),
            Preset("gpu-hour", "An H100-hour from a server's price", {
                "basis": "server", "measure": "hour", "it_mw": 140.0, "chip_w": 1400.0, "rate": 0.1, "usd_per_mwh": 80.0, "pue": 1.25, "load": 0.8,
            }, claim="C14"),
            Preset("written-off", "Servers written off", {
                "basis": "server", "measure": "hour", "it_mw": 75.0, "chip_w": 750.0, "own_server": True, "server_usd": 0.0, "network_usd": 0.0,
            }),
        ),
        heights=(380, 360),
    )
)  # fmt: skip
