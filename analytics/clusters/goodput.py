"""Scale: time lost to failures, to communication and to distance, and what doubling a cluster brings."""

from __future__ import annotations

from typing import Any

import numpy as np

from analytics.checks import require, require_positive, require_within
from analytics.formula import formula

# Llama 3 paper (arXiv 2407.21783): 419 unexpected interruptions in 54 days on 16,384 GPUs.
LLAMA3_MTBF_GPU_HOURS = 54 * 24 / 419 * 16_384


@formula(
    name="Mean time between failures of the job",
    symbol="M",
    unit="s",
    inputs={"mtbf_gpu_hours": ("m", "GPU-hours"), "chips": ("N", "chips")},
    source="independent failures: rates add",
)
def job_mtbf_s(mtbf_gpu_hours, chips):
    """Seconds between failures of a job that any chip's failure stops."""
    return mtbf_gpu_hours * 3600 / chips


@formula(
    name="Young's checkpoint interval",
    symbol=r"\tau",
    unit="s",
    inputs={"checkpoint_s": ("C", "s"), "mtbf_s": ("M", "s")},
    source="Young 1974, Communications of the ACM 17(9)",
)
def young_interval_s(checkpoint_s, mtbf_s):
    """First-order optimal time between checkpoints [s]."""
    return np.sqrt(2 * checkpoint_s * mtbf_s)


@formula(
    name="Share of time that counts",
    symbol="g",
    unit="share",
    inputs={"interval_s": (r"\tau", "s"), "checkpoint_s": ("C", "s"), "restart_s": ("R", "s"), "mtbf_s": ("M", "s")},
    source="Daly 2006, Future Generation Computer Systems 22(3), exact form for exponential failures",
)
def exact_efficiency(interval_s, checkpoint_s, restart_s, mtbf_s):
    """Share of wall time spent on work that is kept, exact for exponential failures."""
    return interval_s / (mtbf_s * np.exp(restart_s / mtbf_s) * np.expm1((interval_s + checkpoint_s) / mtbf_s))


@formula(
    name="First-order loss",
    symbol="l",
    unit="share",
    inputs={"interval_s": (r"\tau", "s"), "checkpoint_s": ("C", "s"), "restart_s": ("R", "s"), "mtbf_s": ("M", "s")},
    source="Young 1974: valid while the loss is small",
)
def first_order_loss(interval_s, checkpoint_s, restart_s, mtbf_s):
    """Young's estimate of the share lost; above about 0.3 it is wrong and the exact form has to be used."""
    return checkpoint_s / interval_s + interval_s / (2 * mtbf_s) + restart_s / mtbf_s


@formula(
    name="Travel of light between sites",
    symbol="t",
    unit="s",
    inputs={"miles": ("d", "miles")},
    source="204,000 km/s in fibre; 1.609344 km a mile",
)
def one_way_s(miles):
    """Seconds that light takes through a fibre of so many miles."""
    return miles * 1.609344 / 204000


def daly_efficiency(
    chips: Any, mtbf_gpu_hours: Any = LLAMA3_MTBF_GPU_HOURS, checkpoint_s: Any = 60.0, restart_s: Any = 300.0, interval_s: Any = None
) -> dict[str, np.ndarray]:
    """Goodput of a synchronous job by Daly's exact form.

    Parameters (broadcast): chips; mtbf_gpu_hours (inf: no failures); checkpoint_s the job stands still for a
    checkpoint; restart_s from a failure to running again; interval_s between checkpoints (None: Young's).
    Returns: efficiency [share], mtbf_s, interval_s, first_order_loss, in_range (False where Young's loss is past its use).
    """
    n, m = require_positive("chips", chips, "chips"), np.asarray(mtbf_gpu_hours, dtype=float)
    require(m > 0, "mtbf_gpu_hours", m, "above 0 GPU-hours")
    c = require_positive("checkpoint_s", checkpoint_s, "s")
    r = require_within("restart_s", restart_s, 0, 1e6, "s")
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        mtbf = job_mtbf_s(m, n)
        tau = young_interval_s(c, mtbf) if interval_s is None else require_positive("interval_s", interval_s, "s") + 0 * mtbf
        efficiency = np.where(np.isinf(mtbf), 1.0, exact_efficiency(tau, c, r, mtbf))
        loss = np.where(np.isinf(mtbf), 0.0, first_order_loss(tau, c, r, mtbf))
    return {
        "efficiency": np.nan_to_num(efficiency, nan=0.0),
        "mtbf_s": mtbf + 0 * efficiency,
        "interval_s": tau + 0 * efficiency,
        "first_order_loss": loss,
        "in_range": loss < 0.3,
    }


def spares(chips: Any, repair_hours: Any = 24.0, mtbf_gpu_hours: Any = LLAMA3_MTBF_GPU_HOURS, node_size: int = 8) -> np.ndarray:
    """Chips out for repair on average, in whole nodes: what has to stand by for a job to keep its size."""
    n = require_positive("chips", chips, "chips")
    away = n * require_positive("repair_hours", repair_hours, "h") / require_positive("mtbf_gpu_hours", mtbf_gpu_hours, "GPU-hours")
    return np.ceil(away / node_size - 1e-9) * node_size


def exchange_s(gradient_bytes: Any, members: Any, gb_per_s: Any, latency_s: Any = 5e-6) -> np.ndarray:
    """Time of a ring all-reduce.

    Parameters (broadcast): gradient_bytes each member holds; members of the ring; gb_per_s per member and direction;
    latency_s a hop. Returns: seconds, 2 (p-1)/p bytes over the link plus 2 (p-1) hops.
    Source: Patarasuk and Yuan 2009, J. Parallel Distrib. Comput. 69(2).
    """
    b, p = require_positive("gradient_bytes", gradient_bytes, "bytes"), np.asarray(members, dtype=float)
    require(p >= 1, "members", p, "at least 1")
    return 2 * (p - 1) / p * b / (require_positive("gb_per_s", gb_per_s, "GB/s") * 1e9) + 2 * (p - 1) * np.asarray(latency_s, dtype=float)


def scaling_efficiency(compute_s: Any, exchange: Any, overlap: Any = 0.0) -> np.ndarray:
    """Share of a step that computes, where a share `overlap` of the exchange hides behind it.

    Parameters (broadcast): compute_s [s]; exchange [s]; overlap [0..1]. Returns: share in (0, 1].
    """
    t = require_positive("compute_s", compute_s, "s")
    shown = require_within("exchange", exchange, 0, 1e9, "s") * (1 - require_within("overlap", overlap, 0, 1))
    return t / (t + shown)


def doubling_gain(chips: Any, communication: Any = 1.0, **failures: Any) -> np.ndarray:
    """What twice the chips bring in useful compute: under 2 by failures and by communication.

    Parameters: chips before doubling; communication, ratio of per-chip throughput after to before; failures, keywords
    of daly_efficiency. Returns: ×, between 0 and 2.
    """
    n = require_positive("chips", chips, "chips")
    after, before = daly_efficiency(2 * n, **failures)["efficiency"], daly_efficiency(n, **failures)["efficiency"]
    return 2 * require_within("communication", communication, 0, 1) * after / before


def several_sites(
    compute_s: Any,
    gradient_bytes: Any,
    site_gbit_per_s: Any,
    distance_miles: Any,
    sites: Any = 2,
    steps_between: Any = 1.0,
    overlap: Any = 0.0,
) -> dict[str, np.ndarray]:
    """Training over several sites that exchange gradients every so many steps.

    Parameters (broadcast): compute_s of one step; gradient_bytes exchanged by a site; site_gbit_per_s each way between
    sites; distance_miles; sites; steps_between exchanges (1 = every step; DiLoCo-like runs take hundreds); overlap.
    Returns: round_trip_ms, exchange_s per exchange, efficiency [share].
    """
    miles = require_within("distance_miles", distance_miles, 0, 25_000, "miles")
    one_way = one_way_s(miles)
    took = exchange_s(gradient_bytes, sites, require_positive("site_gbit_per_s", site_gbit_per_s, "Gbit/s") / 8, one_way)
    work = require_positive("compute_s", compute_s, "s") * require_positive("steps_between", steps_between, "steps")
    return {"round_trip_ms": 2000 * one_way + 0 * took, "exchange_s": took, "efficiency": scaling_efficiency(work, took, overlap)}
