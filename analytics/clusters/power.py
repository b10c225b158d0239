"""Power of a cluster, from the chip to the site and back; energy in a year; share of a grid.

Overhead is what servers, network and storage draw per watt of chip; PUE is site power over IT power. Peak PUE sizes
the grid connection, mean PUE the energy bill. Epoch AI's GPU Clusters figures use overhead 1.82 (a DGX H100 at
10.2 kW over eight chips of 700 W) and a PUE by year; rack-scale systems need less overhead.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from analytics.checks import require, require_positive, require_within
from analytics.formula import formula

HOURS_PER_YEAR = 8760.0
EPOCH_OVERHEAD = 1.82


@formula(
    name="IT power",
    symbol="P_{IT}",
    unit="MW",
    inputs={"chip_count": ("N", "chips"), "chip_power_w": ("P_{chip}", "W"), "overhead": ("o", "1")},
    source="Epoch AI, GPU Clusters documentation (2025): chips × TDP × overhead",
)
def it_power_mw(chip_count, chip_power_w, overhead):
    """IT power of a cluster [MW]: chips, their power [W] and what servers, network and storage add [×]."""
    return chip_count * chip_power_w * overhead / 1e6


@formula(
    name="Site power",
    symbol="P_{site}",
    unit="MW",
    inputs={"it_power_mw": ("P_{IT}", "MW"), "pue": ("PUE", "1")},
    source="ISO/IEC 30134-2: PUE is facility over IT power",
)
def site_power_mw(it_power_mw, pue):
    """Power at the site's meter [MW] from IT power [MW] and PUE."""
    return it_power_mw * pue


@formula(
    name="Power per chip",
    symbol="p",
    unit="W",
    inputs={"it_power_mw": ("P_{IT}", "MW"), "chip_count": ("N", "chips")},
    source="definition",
)
def power_per_chip_w(it_power_mw, chip_count):
    """All-in IT power of one chip [W]."""
    return it_power_mw * 1e6 / chip_count


@formula(
    name="Chips a site feeds",
    symbol="N",
    unit="chips",
    inputs={"site_mw": ("P_{site}", "MW"), "pue": ("PUE", "1"), "power_per_chip": ("p", "W")},
    source="definition; a millionth of a chip is added so that rounding loses none",
)
def chips_fed(site_mw, pue, power_per_chip):
    """Whole chips that a site's power feeds at a PUE and an all-in IT power of one chip [W]."""
    return np.floor(site_mw * 1e6 / pue / power_per_chip + 0.000001)


@formula(
    name="Energy in a year",
    symbol="E",
    unit="MWh",
    inputs={"it_power_mw": ("P_{IT}", "MW"), "load": ("u", "share"), "mean_pue": ("PUE_{mean}", "1")},
    source="definition; mean PUE, not the peak that sizes the connection",
)
def energy_per_year_mwh(it_power_mw, load, mean_pue):
    """Energy of a year [MWh] at a load (share of IT power) and a mean PUE."""
    return it_power_mw * load * mean_pue * 8760


@formula(
    name="Share of a grid's electricity",
    symbol="s",
    unit="share",
    inputs={"energy_twh": ("E", "TWh"), "total_twh": ("E_{grid}", "TWh")},
    source="definition",
)
def share_of_grid(energy_twh, total_twh):
    """Share of a country's yearly electricity [0..1]."""
    return energy_twh / total_twh


@formula(
    name="Electricity of a grid",
    symbol="E_{grid}",
    unit="TWh",
    inputs={"energy_twh": ("E", "TWh"), "share": ("s", "share")},
    source="definition: a part over its share",
)
def grid_twh(energy_twh, share):
    """All electricity of a region [TWh] from a part of it and that part's share."""
    return energy_twh / share


@formula(
    name="Mean power",
    symbol=r"\bar P",
    unit="GW",
    inputs={"energy_twh": ("E", "TWh")},
    source="definition: energy of a year over its 8,760 hours",
)
def mean_power_gw(energy_twh):
    """Mean power [GW] of a year's energy [TWh]."""
    return energy_twh * 1000 / 8760


def epoch_pue(year: Any) -> np.ndarray:
    """PUE of AI sites by year as Epoch AI's GPU Clusters export uses it (back-computed from its rows, exact).

    Parameters: year, int or array. Returns: 1.17 to 2022, 1.14 in 2023, 1.12 in 2024, 1.10 from 2025.
    """
    return np.select([np.asarray(year) <= 2022, np.asarray(year) == 2023, np.asarray(year) == 2024], [1.17, 1.14, 1.12], 1.10)


def chip_to_site(
    chip_count: Any,
    chip_power_w: Any,
    *,
    overhead: Any = EPOCH_OVERHEAD,
    pue: Any = 1.12,
    chips_per_server: int = 8,
    servers_per_rack: int = 4,
    racks_per_hall: int = 200,
) -> dict[str, np.ndarray]:
    """Every step from the chip to the site's meter.

    Parameters: chip_count, chip_power_w [W], overhead [×], pue [×] broadcast; sizes of server, rack and hall are counts.
    Returns: chip_w, server_kw, rack_kw, hall_mw (of a full one), it_mw, site_mw, servers, racks, halls.
    Errors: ValueError for counts or power not above 0, overhead or PUE under 1.
    """
    n, w = require_positive("chip_count", chip_count, "chips"), require_positive("chip_power_w", chip_power_w, "W")
    o, p = require_within("overhead", overhead, 1, 5, "×"), require_within("pue", pue, 1, 3, "×")
    for name, size in (("chips_per_server", chips_per_server), ("servers_per_rack", servers_per_rack), ("racks_per_hall", racks_per_hall)):
        require_positive(name, size)
    server_kw = w * o * chips_per_server / 1e3
    it = it_power_mw(n, w, o)
    servers = np.ceil(n / chips_per_server)
    racks = np.ceil(servers / servers_per_rack)
    return {
        "chip_w": w + 0 * n,
        "server_kw": server_kw + 0 * n,
        "rack_kw": server_kw * servers_per_rack + 0 * n,
        "hall_mw": server_kw * servers_per_rack * racks_per_hall / 1e3 + 0 * n,
        "it_mw": it,
        "site_mw": site_power_mw(it, p),
        "servers": servers + 0 * it,
        "racks": racks + 0 * it,
        "halls": np.ceil(racks / racks_per_hall) + 0 * it,
    }


def site_to_chips(site_mw: Any, power_per_chip: Any, *, pue: Any = 1.12) -> np.ndarray:
    """How many chips a site's power feeds.

    Parameters: site_mw [MW], power_per_chip all-in at IT level [W], pue [×]. Returns: whole chips.
    Errors: ValueError for values not above 0 or PUE under 1.
    """
    mw, w = require_positive("site_mw", site_mw, "MW"), require_positive("power_per_chip", power_per_chip, "W")
    return chips_fed(mw, require_within("pue", pue, 1, 3, "×"), w)


def pue_of(it_mw: Any, site_mw: Any) -> np.ndarray:
    """PUE implied by IT and site power [MW]; ValueError where IT power exceeds site power."""
    it, site = require_positive("it_mw", it_mw, "MW"), require_positive("site_mw", site_mw, "MW")
    require(site >= it, "site_mw", site, "at least the IT power")
    return site / it
