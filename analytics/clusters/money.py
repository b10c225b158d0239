"""What a cluster costs: capital by part, a year's cost with cost of capital and lives, and a GPU-hour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from analytics.checks import require, require_positive, require_within
from analytics.clusters.power import HOURS_PER_YEAR
from analytics.formula import formula

# Epoch AI, AI Data Centers (August 2026), per GW of IT power in 2025 USD: equipment, construction, operation a year.
EPOCH_EQUIPMENT_USD_PER_GW, EPOCH_CONSTRUCTION_USD_PER_GW, EPOCH_OPERATION_USD_PER_GW_YEAR = 26.113e9, 11.769e9, 0.902e9


@formula(
    name="Capital recovery factor",
    symbol="CRF",
    unit="per year",
    inputs={"rate": ("r", "per year"), "life_years": ("n", "years")},
    source="annuity of 1 over n years at rate r",
)
def annuity(rate, life_years):
    """Share of a capital sum due each year so that it and its cost are paid over its life; rate above 0."""
    return rate / (1 - (1 + rate) ** (-life_years))


@formula(
    name="Cost of a year",
    symbol="C",
    unit="USD",
    inputs={
        "equipment_usd": ("K_{IT}", "USD"),
        "equipment_factor": ("CRF_{IT}", "per year"),
        "building_usd": ("K_b", "USD"),
        "building_factor": ("CRF_b", "per year"),
        "operation_usd": ("O", "USD"),
    },
    source="Epoch AI, data insight of May 2026: total cost of ownership per GW",
)
def yearly_cost_usd(equipment_usd, equipment_factor, building_usd, building_factor, operation_usd):
    """Annual cost of ownership [USD]: annuities of equipment and building plus operation."""
    return equipment_usd * equipment_factor + building_usd * building_factor + operation_usd


@formula(
    name="Capital per chip",
    symbol="k",
    unit="USD",
    inputs={"capex_usd": ("K", "USD"), "chip_count": ("N", "chips")},
    source="definition",
)
def capital_per_chip_usd(capex_usd, chip_count):
    """Capital [USD] per chip."""
    return capex_usd / chip_count


@formula(
    name="Cost of a GPU-hour",
    symbol="c_h",
    unit="USD/GPU-hour",
    inputs={
        "capex_usd": ("k", "USD"),
        "factor": ("CRF", "per year"),
        "chip_kw": ("p", "kW"),
        "colocation_usd_per_kw_month": ("c_{colo}", "USD/kW-month"),
        "pue": ("PUE", "1"),
        "load": ("u", "share"),
        "usd_per_kwh": ("e", "USD/kWh"),
        "hours_used": ("h", "h"),
    },
    source="annuity + colocation + electricity over the hours sold in a year",
)
def gpu_hour_usd(capex_usd, factor, chip_kw, colocation_usd_per_kw_month, pue, load, usd_per_kwh, hours_used):
    """Cost of one GPU-hour [USD] from capital per chip, colocation and electricity."""
    return (capex_usd * factor + chip_kw * colocation_usd_per_kw_month * 12 + chip_kw * pue * 8760 * load * usd_per_kwh) / hours_used


@formula(
    name="Price at which electricity is a share",
    symbol="e^*",
    unit="USD/kWh",
    inputs={"rest_usd": ("C_{rest}", "USD"), "share": ("s", "share"), "drawn_kwh": ("E", "kWh")},
    source="electricity is a share s of the total where it equals s/(1-s) of everything else",
)
def price_at_share_usd_per_kwh(rest_usd, share, drawn_kwh):
    """Price of electricity [USD/kWh] at which it makes up a share of a year's cost, everything else costing rest_usd."""
    return rest_usd * share / (1 - share) / drawn_kwh


def capital_recovery(rate: Any, life_years: Any) -> np.ndarray:
    """Capital recovery factor [per year]; a rate of 0 gives straight line.

    Errors: ValueError for a rate outside 0 to 1 or a life outside 0.25 to 60 years.
    """
    r, n = require_within("rate", rate, 0, 1, "per year"), require_within("life_years", life_years, 0.25, 60, "years")
    # Near 0 the closed form loses its digits: there its series in r is exact to 1e-11.
    small = r < 1e-4
    series = 1 / n + r * (n + 1) / (2 * n) + r**2 * (n**2 - 1) / (12 * n)
    return np.where(small, series, annuity(np.where(small, 0.05, r), n))


@formula(
    name="Share of electricity in the cost",
    symbol="s",
    unit="share",
    inputs={"electricity_usd": ("C_e", "USD"), "total_usd": ("C", "USD")},
    source="definition",
)
def electricity_share(electricity_usd, total_usd):
    """Share of a cost that is electricity [0..1]."""
    return electricity_usd / total_usd


@formula(
    name="Electricity of a year",
    symbol="C_e",
    unit="USD",
    inputs={"energy_mwh": ("E", "MWh"), "usd_per_mwh": ("e", "USD/MWh")},
    source="definition",
)
def electricity_usd(energy_mwh, usd_per_mwh):
    """Dollars that a year's energy costs."""
    return energy_mwh * usd_per_mwh


@formula(
    name="Cost of a GPU-hour",
    symbol="c_h",
    unit="USD/GPU-hour",
    inputs={"year_usd": ("C", "USD"), "chips": ("N", "chips"), "utilisation": ("u", "1")},
    source="a year's cost over the hours sold or used, 8,760 a chip",
)
def hour_of_year_usd(year_usd, chips, utilisation):
    """Cost of one GPU-hour [USD] of a cluster that costs year_usd a year."""
    return year_usd / chips / utilisation / 8760


def yearly_by_part(capital_usd: Any, life_years: Any, running_usd: Any, rate: Any) -> np.ndarray:
    """What each part costs a year [USD]: the annuity of its capital over its life plus what it takes to run.

    Parameters (broadcast, one element a part): capital_usd, 0 for none; life_years; running_usd a year; rate, the cost
    of capital. Errors: ValueError for negative amounts and for lives or rates out of range.
    """
    capital, running = _require_amount("capital_usd", capital_usd), _require_amount("running_usd", running_usd)
    return capital * capital_recovery(rate, life_years) + running


@dataclass(frozen=True)
class Ownership:
    """Parts of a year's cost [USD] and what they add up to."""

    equipment_usd: np.ndarray
    building_usd: np.ndarray
    operation_usd: np.ndarray
    total_usd: np.ndarray


def ownership(
    it_gw: Any,
    *,
    equipment_usd_per_gw: Any = EPOCH_EQUIPMENT_USD_PER_GW,
    building_usd_per_gw: Any = EPOCH_CONSTRUCTION_USD_PER_GW,
    operation_usd_per_gw_year: Any = EPOCH_OPERATION_USD_PER_GW_YEAR,
    rate: Any = 0.065,
    equipment_life_years: Any = 5.0,
    building_life_years: Any = 14.0,
) -> Ownership:
    """A year's cost of owning a site.

    Parameters (broadcast): it_gw [GW of IT]; capital and operation per GW [USD]; rate, the cost of capital; lives.
    Returns: Ownership. The defaults are Epoch AI's per-GW figures; the rate of 6.5 % is inferred from its results.
    """
    gw = require_positive("it_gw", it_gw, "GW")
    for name, value in (
        ("equipment_usd_per_gw", equipment_usd_per_gw),
        ("building_usd_per_gw", building_usd_per_gw),
        ("operation_usd_per_gw_year", operation_usd_per_gw_year),
    ):
        _require_amount(name, value)
    equipment = gw * equipment_usd_per_gw * capital_recovery(rate, equipment_life_years)
    building = gw * building_usd_per_gw * capital_recovery(rate, building_life_years)
    operation = gw * np.asarray(operation_usd_per_gw_year, dtype=float)
    return Ownership(equipment, building, operation, equipment + building + operation)


@dataclass(frozen=True)
class GpuHour:
    """A GPU-hour's cost [USD], its parts, electricity's share and the price at which that share passes a fifth."""

    total_usd: np.ndarray
    capital_usd: np.ndarray
    colocation_usd: np.ndarray
    electricity_usd: np.ndarray
    electricity_share: np.ndarray
    usd_per_kwh_at_fifth: np.ndarray


def gpu_hour(
    capex_usd: Any,
    chip_kw: Any,
    *,
    rate: Any = 0.10,
    life_years: Any = 5.0,
    colocation_usd_per_kw_month: Any = 130.0,
    pue: Any = 1.25,
    load: Any = 0.8,
    usd_per_kwh: Any = 0.08,
    utilisation: Any = 1.0,
) -> GpuHour:
    """What an hour of one GPU costs its owner.

    Parameters (broadcast): capex_usd per GPU with its share of server and network; chip_kw all-in IT [kW]; rate;
    life_years; colocation [USD/kW-month] without electricity; pue; load [share of rated power drawn]; usd_per_kwh;
    utilisation [share of hours sold]. Returns: GpuHour. Errors: ValueError for values out of range.
    """
    k, p = require_positive("capex_usd", capex_usd, "USD"), require_positive("chip_kw", chip_kw, "kW")
    factor = capital_recovery(rate, life_years)
    e = require_within("usd_per_kwh", usd_per_kwh, 0, 5, "USD")
    hours = HOURS_PER_YEAR * require_within("utilisation", utilisation, 0.01, 1)
    colocation = require_within("colocation_usd_per_kw_month", colocation_usd_per_kw_month, 0, 2000, "USD")
    drawn = p * require_within("pue", pue, 1, 3) * require_within("load", load, 0, 1) * HOURS_PER_YEAR
    capital_part, colocation_part, energy_part = k * factor / hours, p * colocation * 12 / hours, drawn * e / hours
    total = capital_part + colocation_part + energy_part
    with np.errstate(divide="ignore"):
        at_fifth = price_at_share_usd_per_kwh((capital_part + colocation_part) * hours, 0.2, drawn)
    return GpuHour(total, capital_part + 0 * total, colocation_part + 0 * total, energy_part + 0 * total, energy_part / total, at_fifth)


def build_from_parts(
    it_mw: Any,
    section_mw: Any,
    section_servers_usd: Any,
    *,
    rate: Any,
    years: Any,
    colocation_usd_per_kw_month: Any,
    site_mw: Any,
    load: Any,
    usd_per_mwh: Any,
) -> dict[str, np.ndarray]:
    """A campus rebuilt from one published section: servers, cost of capital, colocation, energy, and their total.

    Parameters (broadcast): it_mw of the campus; section_mw and section_servers_usd of one section; rate; years;
    colocation [USD/kW-month of IT]; site_mw; load; usd_per_mwh. Returns: servers_usd, capital_usd (annuity x years),
    colocation_usd, energy_usd, total_usd. With a rate of 0 the capital is the servers alone.
    """
    site, it = require_positive("site_mw", site_mw, "MW"), require_positive("it_mw", it_mw, "MW")
    require(site >= it, "site_mw", site, "at least the IT power")
    _require_amount("colocation_usd_per_kw_month", colocation_usd_per_kw_month)
    _require_amount("usd_per_mwh", usd_per_mwh)
    sections = it / require_positive("section_mw", section_mw, "MW")
    servers = sections * require_positive("section_servers_usd", section_servers_usd, "USD")
    n = require_within("years", years, 0.25, 60, "years")
    capital = servers * capital_recovery(rate, n) * n
    colocation = np.asarray(it_mw, dtype=float) * 1000 * colocation_usd_per_kw_month * 12 * n
    energy = site * require_within("load", load, 0, 1) * HOURS_PER_YEAR * n * usd_per_mwh
    return {
        "servers_usd": servers + 0 * capital,
        "capital_usd": capital,
        "colocation_usd": colocation + 0 * capital,
        "energy_usd": energy + 0 * capital,
        "total_usd": capital + colocation + energy,
    }


def _require_amount(name: str, value: Any) -> np.ndarray:
    array = np.asarray(value, dtype=float)
    require(np.isfinite(array) & (array >= 0), name, array, "0 USD or above")
    return array
