"""Renting a GPU: payback of buying it, what rents imply about depreciation, and price per unit of performance."""

from __future__ import annotations

from typing import Any

import numpy as np

from analytics.checks import require, require_positive
from analytics.formula import formula

HOURS_PER_MONTH = 365.25 * 24 / 12


@formula(
    name="Payback of a GPU",
    symbol="T",
    unit="months",
    inputs={
        "capital_usd_per_gpu": ("K", "USD"),
        "usd_per_gpu_hour": ("R", "USD/h"),
        "operating_usd_per_gpu_hour": ("O", "USD/h"),
        "utilisation": ("u", ""),
    },
    source="capital over the monthly rent of the hours rented out, less running cost of all hours; 730.5 hours a month",
)
def payback_months(capital_usd_per_gpu, usd_per_gpu_hour, operating_usd_per_gpu_hour, utilisation):
    """Months of rent that return the price of a GPU and its share of the server [months]."""
    return capital_usd_per_gpu / ((usd_per_gpu_hour * utilisation - operating_usd_per_gpu_hour) * 730.5)


@formula(
    name="Running cost of a GPU",
    symbol="O",
    unit="USD/h",
    inputs={"kw_per_gpu": ("p", "kW"), "pue": ("PUE", ""), "usd_per_kwh": ("e", "USD/kWh")},
    source="electricity: IT power x PUE x price of a kWh",
)
def electricity_usd_per_gpu_hour(kw_per_gpu, pue, usd_per_kwh):
    """Electricity of one GPU with its share of the server and the building [USD/h]."""
    return kw_per_gpu * pue * usd_per_kwh


@formula(
    name="Fall of rent per year",
    symbol="d",
    unit="",
    inputs={"first_usd_per_hour": ("R_0", "USD/h"), "last_usd_per_hour": ("R_1", "USD/h"), "years": ("t", "years")},
    source="constant yearly rate between two rents of one seller and term: 1 - (R_1 / R_0)^(1/t)",
)
def implied_depreciation_per_year(first_usd_per_hour, last_usd_per_hour, years):
    """Share of its rent that a chip loses in a year; negative where the rent rose."""
    return 1 - (last_usd_per_hour / first_usd_per_hour) ** (1 / years)


@formula(
    name="Rent per compute",
    symbol="R_F",
    unit="USD/PFLOP·h",
    inputs={"usd_per_gpu_hour": ("R", "USD/h"), "dense_tflop_per_s": ("F", "TFLOP/s")},
    source="rent over dense peak rate",
)
def usd_per_pflop_per_s_hour(usd_per_gpu_hour, dense_tflop_per_s):
    """Rent of one dense PFLOP/s for an hour [USD]."""
    return usd_per_gpu_hour / (dense_tflop_per_s / 1000)


@formula(
    name="Rent per bandwidth",
    symbol="R_B",
    unit="USD/TB/s·h",
    inputs={"usd_per_gpu_hour": ("R", "USD/h"), "hbm_bandwidth_gb_per_s": ("B", "GB/s")},
    source="rent over memory bandwidth",
)
def usd_per_tb_per_s_hour(usd_per_gpu_hour, hbm_bandwidth_gb_per_s):
    """Rent of one TB/s of memory bandwidth for an hour [USD]."""
    return usd_per_gpu_hour / (hbm_bandwidth_gb_per_s / 1000)


def months_to_payback(
    capital_usd_per_gpu: Any, usd_per_gpu_hour: Any, *, utilisation: Any = 1.0, operating_usd_per_gpu_hour: Any = 0.0
) -> np.ndarray:
    """Months until rent has returned the capital; infinite where the rent never covers the running cost.

    Parameters (broadcast): capital [USD per GPU], rent [USD/h] above 0; utilisation in (0, 1]; running cost [USD/h], 0 or more.
    Returns: array [months]. Errors: ValueError.
    """
    capital, rent, used, running = (
        np.asarray(v, dtype=float) for v in (capital_usd_per_gpu, usd_per_gpu_hour, utilisation, operating_usd_per_gpu_hour)
    )
    require_positive("capital per GPU", capital)
    require_positive("rent", rent)
    require((used > 0) & (used <= 1), "utilisation", used, "in (0, 1]")
    require(running >= 0, "running cost", running, "0 or more")
    earned = rent * used - running
    safe = np.where(earned > 0, rent, (running + 1) / used)
    return np.where(earned > 0, payback_months(capital, safe, running, used), np.inf)
