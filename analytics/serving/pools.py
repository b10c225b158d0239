"""Disaggregated serving: prefill on some replicas, decode on others, the cache sent from one to the other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analytics.accounting import Numbers
from analytics.serving.fleet import Fleet
from analytics.serving.run import Workload, check_batch


@dataclass(frozen=True)
class Pools:
    """A balanced pair of pools; arrays of one shape."""

    output_tokens_per_s_per_chip: np.ndarray  #: over the chips of both pools
    decode_step_s: np.ndarray
    ttft_s: np.ndarray  #: prefill of one pass of prompts and sending one cache, without waiting
    transfer_s: np.ndarray  #: sending the cache of one request over the scale-out links of the chips that hold it
    prefill_chips_per_decode_chip: np.ndarray


def disaggregated(
    fleet: Fleet, prefill_which: Numbers, decode_which: Numbers, batch: Numbers, workload: Workload, prompts: Numbers = 1
) -> Pools:
    """Throughput of balanced pools: `batch` sequences on each decode replica, `prompts` prompts in a prefill run of a prefill replica.

    Cache transfer: the bytes of the input's cache over the scale-out rate of the chips that hold it (one attention rank,
    all stages); layers are sent while later ones compute, so the transfer delays the first token but takes no chip time.
    """
    prefill_which, decode_which = np.asarray(prefill_which), np.asarray(decode_which)
    batch = check_batch(batch)
    decode = fleet.decode_step_s(decode_which, batch, workload.mean_context)
    decode_rate = batch / decode / fleet.chips[decode_which]  # output tokens per s and decode chip
    prefill = fleet.prefill_s(prefill_which, prompts, workload.input_tokens, workload.cached_tokens)
    prompt_rate = np.asarray(prompts, dtype=float) / prefill / fleet.chips[prefill_which]
    ratio = decode_rate / workload.output_tokens / prompt_rate
    out_rate = np.array([d.chip.scale_out * d.layout.tensor * d.layout.pipeline for d in fleet.deployments])
    whole = np.array([float(d.shape.kv_bytes_per_token(d.precision.kv)) for d in fleet.deployments])
    sent = whole[prefill_which] * np.asarray(workload.input_tokens, dtype=float)
    transfer = sent / out_rate[prefill_which]
    return Pools(decode_rate / (1 + ratio), decode, prefill + transfer, transfer, ratio)
