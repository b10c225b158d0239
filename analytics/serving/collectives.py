"""Time of the exchanges between ranks: measured curves inside a node, bytes over the link elsewhere."""

from __future__ import annotations

import numpy as np

from analytics import accounting
from analytics.accounting import Numbers
from analytics.serving.chips import Chip
from analytics.serving.kernels import KernelTable

#: Share of the NIC rate reached by expert exchange across nodes: DeepEP V2 README, 16 ranks, 90 GB/s logical of which half leaves the
#: node over 50 GB/s (0.90); 32 ranks, 61 GB/s of which three quarters leave (0.92).
SCALE_OUT_EFFICIENCY = 0.9
#: Share of the NVLink rate reached by expert exchange in a domain: DeepEP V2 README, 8 ranks of SM100, 726 GB/s logical of which 7/8
#: leave the rank over 900 GB/s.
SCALE_UP_EFFICIENCY = 0.7
#: Start of an exchange over the scale-out network [s]: two hops of about 10 us (p2p_latency in aiconfigurator-core's system files).
SCALE_OUT_START_S = 20e-6
SMALLEST_PAYLOAD = 1024.0
LARGEST_MEASURED_RANKS = 8


def _measured(op: str, chip: Chip, kernels: KernelTable, payload: np.ndarray, ranks: int) -> np.ndarray:
    """Time of a collective inside one fast domain [s], from the measured curve; more ranks than measured hold the last fraction."""
    key = kernels.key(op, chip.chip_id, chip.relative, "bf16")
    payload = np.maximum(payload, SMALLEST_PAYLOAD)
    wire = np.asarray(
        accounting.all_reduce_wire_bytes(payload, ranks) if op == "all_reduce" else accounting.all_gather_wire_bytes(payload, ranks)
    )
    if key is None:
        return wire / (chip.scale_up * SCALE_UP_EFFICIENCY)
    fraction = kernels.fraction(key, payload=payload, ranks=min(ranks, LARGEST_MEASURED_RANKS))
    return wire / chip.scale_up / fraction


def collective_s(op: str, chip: Chip, kernels: KernelTable, payload: Numbers, ranks: int) -> np.ndarray:
    """Time of an all_reduce, all_gather, reduce_scatter or all_to_all of `payload` bytes (of the whole result) over ranks [s].

    Ranks beyond one fast domain add the hierarchical step between domains over the scale-out link.
    """
    payload = np.asarray(payload, dtype=float)
    if ranks <= 1:
        return np.zeros_like(payload)
    inside = min(ranks, chip.domain)
    time = _measured(op, chip, kernels, payload, inside)
    domains = ranks / inside
    if domains > 1:
        passes = 2.0 if op == "all_reduce" else 1.0
        time = time + passes * (domains - 1) / domains * payload / inside / (chip.scale_out * SCALE_OUT_EFFICIENCY) + SCALE_OUT_START_S
    return time


def expert_exchange_s(
    chip: Chip, kernels: KernelTable, tokens: Numbers, top_k: int, hidden: int, ranks: int, bytes_out: float, all_to_all: bool, data: int
) -> np.ndarray:
    """Time of bringing `tokens` tokens a rank to their experts and back, one layer [s].

    Gather: every rank receives all tokens at `bytes_out` per element, results return by reduce-scatter in bf16. All-to-all: a token
    goes once to each rank (across nodes: once to each node) that holds one of its experts.
    """
    tokens = np.asarray(tokens, dtype=float)
    if data <= 1 or ranks <= 1:
        return np.zeros_like(tokens)
    if not all_to_all:
        whole = tokens * data * hidden
        return collective_s("all_gather", chip, kernels, whole * bytes_out, data) + collective_s(
            "reduce_scatter", chip, kernels, whole * 2, data
        )
    inside = min(ranks, chip.domain)
    sent_inside = tokens * _destinations(top_k, inside) * hidden
    floor = _measured("all_to_all", chip, kernels, np.full_like(tokens, SMALLEST_PAYLOAD), inside) * 2
    time = sent_inside * (bytes_out + 2) / (chip.scale_up * SCALE_UP_EFFICIENCY) + floor
    if ranks > inside:
        nodes = ranks / inside
        sent_out = tokens * _destinations(top_k, nodes) * hidden
        across = sent_out * (bytes_out + 2) / (chip.scale_out * SCALE_OUT_EFFICIENCY) + 2 * SCALE_OUT_START_S
        time = np.maximum(time, across)  # both links work at once
    return time


def _destinations(top_k: int, ranks: float) -> float:
    return float(accounting.distinct_destinations(top_k, ranks)) * (ranks - 1) / ranks
