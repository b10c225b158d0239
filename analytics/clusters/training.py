"""Training runs: FLOP, days, dollars, energy, and the largest run a cluster can do."""

from __future__ import annotations

from typing import Any

import numpy as np

from analytics.checks import require, require_positive, require_within
from analytics.clusters.goodput import daly_efficiency
from analytics.formula import formula


@formula(
    name="Training compute",
    symbol="C",
    unit="FLOP",
    inputs={"active_parameters": ("N", "parameters"), "tokens": ("D", "tokens")},
    source="Kaplan et al. 2020, arXiv 2001.08361, section 2.1: six FLOP per parameter and token",
)
def training_flop(active_parameters, tokens):
    """FLOP of a run: six per active parameter and token, attention left out."""
    return 6 * active_parameters * tokens


@formula(
    name="Attention compute",
    symbol="C_{att}",
    unit="FLOP",
    inputs={"layers": ("L", "layers"), "width": ("h", "width"), "context": ("S", "tokens"), "tokens": ("D", "tokens")},
    source="Narayanan et al. 2021, arXiv 2104.04473: 12 L h S FLOP a token forward and backward, halved by the causal mask",
)
def attention_flop(layers, width, context, tokens):
    """FLOP of causal attention over a run: 6 L h S per token, width being heads × head size."""
    return 6 * layers * width * context * tokens


@formula(
    name="Compute of a mixture of experts",
    symbol="C_{MoE}",
    unit="FLOP",
    inputs={"dense_flop": ("C", "FLOP"), "saving": ("m", "share")},
    source="a share m less for the same score than a dense model",
)
def moe_flop(dense_flop, saving):
    """FLOP of a mixture of experts that reaches a dense model's score with a share `saving` less."""
    return dense_flop * (1 - saving)


@formula(
    name="Days of a run",
    symbol="t",
    unit="days",
    inputs={
        "flop": ("C", "FLOP"),
        "chips": ("N", "chips"),
        "peak_flop_per_s": ("F", "FLOP/s"),
        "mfu": ("MFU", "share"),
        "goodput": ("g", "share"),
    },
    source="definition of MFU: Chowdhery et al. 2022, arXiv 2204.02311",
)
def run_days(flop, chips, peak_flop_per_s, mfu, goodput):
    """Days a run takes on chips of a dense peak rate, at an MFU and with the share of time not lost to failures."""
    return flop / (chips * peak_flop_per_s * mfu * goodput) / 86400


@formula(
    name="Model FLOP utilisation",
    symbol="MFU",
    unit="share",
    inputs={"flop": ("C", "FLOP"), "gpu_hours": ("H", "GPU-hours"), "peak_flop_per_s": ("F", "FLOP/s")},
    source="Chowdhery et al. 2022, arXiv 2204.02311",
)
def mfu_of(flop, gpu_hours, peak_flop_per_s):
    """MFU implied by a run's FLOP and its GPU-hours."""
    return flop / (gpu_hours * 3600 * peak_flop_per_s)


@formula(
    name="Cost of a run",
    symbol="c",
    unit="USD",
    inputs={"gpu_hours": ("H", "GPU-hours"), "usd_per_gpu_hour": ("r", "USD/GPU-hour")},
    source="definition; DeepSeek-V3 technical report, table 1, uses 2 USD",
)
def run_cost_usd(gpu_hours, usd_per_gpu_hour):
    """Dollars of a run at a rental rate."""
    return gpu_hours * usd_per_gpu_hour


@formula(
    name="Cost of the programme",
    symbol="c_{all}",
    unit="USD",
    inputs={"run_usd": ("c", "USD"), "multiple": ("k", "×")},
    source="final run plus research and ablations of k times the run",
)
def programme_cost_usd(run_usd, multiple):
    """Run plus research where research costs `multiple` times the run on top of it."""
    return run_usd * (1 + multiple)


@formula(
    name="Energy of a run",
    symbol="E",
    unit="MWh",
    inputs={"gpu_hours": ("H", "GPU-hours"), "chip_kw": ("p", "kW"), "pue": ("PUE", "1")},
    source="definition: all-in power of a chip, at the site's meter",
)
def run_energy_mwh(gpu_hours, chip_kw, pue):
    """Energy of a run at the site's meter [MWh]."""
    return gpu_hours * chip_kw * pue / 1000


@formula(
    name="Largest run",
    symbol="C_{max}",
    unit="FLOP",
    inputs={
        "chips": ("N", "chips"),
        "peak_flop_per_s": ("F", "FLOP/s"),
        "mfu": ("MFU", "1"),
        "goodput": ("g", "1"),
        "days": ("t", "days"),
    },
    source="definition of MFU; goodput by Daly 2006",
)
def largest_flop(chips, peak_flop_per_s, mfu, goodput, days):
    """FLOP that reach the model in so many days."""
    return chips * peak_flop_per_s * mfu * goodput * days * 86400


def plan(
    flop: Any,
    chips: Any,
    peak_flop_per_s: Any,
    *,
    mfu: Any = 0.4,
    usd_per_gpu_hour: Any = 2.0,
    chip_kw: Any = 1.4,
    pue: Any = 1.12,
    mtbf_gpu_hours: Any = np.inf,
    checkpoint_s: Any = 60.0,
    restart_s: Any = 300.0,
) -> dict[str, np.ndarray]:
    """Days, GPU-hours, dollars and energy of a run, failures included.

    Parameters (broadcast): flop; chips; peak_flop_per_s dense; mfu; usd_per_gpu_hour; chip_kw all-in IT [kW]; pue;
    mtbf_gpu_hours, inf for none; checkpoint_s and restart_s [s].
    Returns: goodput [share], days, gpu_hours, usd, energy_mwh at the site's meter; infinite where the goodput is 0.
    """
    c, n = require_positive("flop", flop, "FLOP"), require_positive("chips", chips, "chips")
    f = require_positive("peak_flop_per_s", peak_flop_per_s, "FLOP/s")
    share = require_within("mfu", mfu, 0.001, 1)
    good = daly_efficiency(n, mtbf_gpu_hours, checkpoint_s, restart_s)["efficiency"]
    kw, site = require_positive("chip_kw", chip_kw, "kW"), require_within("pue", pue, 1, 3)
    rate = np.asarray(usd_per_gpu_hour, dtype=float)
    require(np.isfinite(rate) & (rate >= 0), "usd_per_gpu_hour", rate, "0 USD or above")
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):  # where failures leave no time the run never ends
        days = run_days(c, n, f, share, good)
        hours = days * 24 * n
        usd = np.where(rate == 0, 0.0, run_cost_usd(hours, rate))
        energy = run_energy_mwh(hours, kw, site)
    good = np.broadcast_to(good, np.shape(days)).copy()
    return {"goodput": good, "days": days, "gpu_hours": hours, "usd": usd, "energy_mwh": energy}


def largest_run_flop(
    chips: Any,
    peak_flop_per_s: Any,
    days: Any = 90.0,
    *,
    mfu: Any = 0.4,
    mtbf_gpu_hours: Any = 50_677.0,
    checkpoint_s: Any = 60.0,
    restart_s: Any = 300.0,
) -> np.ndarray:
    """FLOP of the largest synchronous run a cluster finishes in so many days, failures included.

    The default MTBF per GPU is that of Llama 3's 54 days on 16,384 GPUs with 419 interruptions (arXiv 2407.21783).
    """
    n = require_positive("chips", chips, "chips")
    good = daly_efficiency(n, mtbf_gpu_hours, checkpoint_s, restart_s)["efficiency"]
    rate, share = require_positive("peak_flop_per_s", peak_flop_per_s, "FLOP/s"), require_within("mfu", mfu, 0.001, 1)
    return largest_flop(n, rate, share, good, require_positive("days", days, "days"))
