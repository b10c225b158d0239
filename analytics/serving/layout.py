"""How a model is spread over chips: tensor, pipeline, expert and attention-data parallelism, and what each rank then holds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analytics.accounting import Numbers
from analytics.serving.chips import Chip
from analytics.serving.precision import Precision
from analytics.serving.shapes import Shape


@dataclass(frozen=True)
class Layout:
    """One replica of a model: `tensor` x `data` x `pipeline` chips.

    tensor: ranks that split every matrix and the heads. data: attention-data-parallel ranks, each with its own sequences and a
    whole copy of attention. expert: ranks over which the experts are spread (divides tensor x data; the rest of that group splits
    each expert). pipeline: stages of layers. exchange: how tokens reach their experts when data > 1: "gather" (all-gather and
    reduce-scatter), "all_to_all", or "auto" (all-to-all in a rack-scale domain and across nodes, gather inside a node).
    expert_imbalance: load of the busiest expert rank over the mean, on top of the skew inside the measured kernels.
    prefill_imbalance: prefill tokens of the busiest attention rank over the mean; a step waits for that rank.
    """

    tensor: int = 1
    pipeline: int = 1
    expert: int = 1
    data: int = 1
    exchange: str = "auto"
    expert_imbalance: float = 1.0
    prefill_imbalance: float = 1.0

    def __post_init__(self) -> None:
        for name in ("tensor", "pipeline", "expert", "data"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | np.integer) or not 1 <= value <= 16_384:
                raise ValueError(f"layout: {name} must be a whole number from 1 to 16,384, got {value!r}")
        if (self.tensor * self.data) % self.expert:
            raise ValueError(f"layout: expert must divide tensor x data, got {self.expert} and {self.tensor} x {self.data}")
        if self.exchange not in ("auto", "gather", "all_to_all"):
            raise ValueError(f"layout: exchange must be auto, gather or all_to_all, got {self.exchange!r}")
        for name in ("expert_imbalance", "prefill_imbalance"):
            if not 1.0 <= getattr(self, name) <= 1000.0:
                raise ValueError(f"layout: {name} is a maximum over a mean and must be from 1 to 1000, got {getattr(self, name)!r}")

    @property
    def stage_chips(self) -> int:
        """Chips of one pipeline stage."""
        return self.tensor * self.data

    @property
    def chips(self) -> int:
        """Chips of the replica."""
        return self.stage_chips * self.pipeline

    def describe(self) -> str:
        """The layout as engineers write it, e.g. "TP8", "DP4 EP4"."""
        parts = [("TP", self.tensor), ("DP", self.data), ("EP", self.expert), ("PP", self.pipeline)]
        return " ".join(f"{name}{value}" for name, value in parts if value > 1) or "one chip"

    def problem(self, shape: Shape) -> str | None:
        """Why this model cannot be laid out so, as a sentence, or None."""
        if self.pipeline > shape.layers:
            return f"{self.pipeline} pipeline stages need at least as many layers, {shape.name} has {shape.layers}"
        if self.tensor > shape.heads:
            return f"{self.tensor} tensor-parallel ranks need at least as many heads, {shape.name} has {shape.heads}"
        if self.expert > 1 and not shape.moe_layers:
            return f"{shape.name} has no experts to spread over {self.expert} ranks"
        if self.expert > max(shape.experts, 1):
            return f"{self.expert} expert ranks need at least as many experts, {shape.name} has {shape.experts}"
        return None

    def kv_heads_per_rank(self, shape: Shape) -> float:
        """KV heads a tensor rank keeps: replicated once there are more ranks than heads; latent attention keeps the whole latent."""
        return max(shape.kv_heads / self.tensor, 1.0)


@dataclass(frozen=True)
class Memory:
    """Bytes on the fullest rank."""

    weights: float
    reserve: float
    usable: float

    @property
    def free(self) -> float:
        """Bytes left for the cache; negative where the weights do not fit."""
        return self.usable - self.weights - self.reserve


def rank_weight_bytes(shape: Shape, layout: Layout, precision: Precision) -> float:
    """Weight bytes on one rank [B]: attention and dense parts split by tensor, experts by expert x the rest of the stage."""
    t, stages = layout.tensor, layout.pipeline
    replicated = 0
    if shape.is_mla:  # the two down-projections run whole on every tensor rank
        replicated = (shape.layers - shape.linear_layers) * shape.hidden * (shape.mla_q_lora + shape.mla_kv_lora + shape.mla_rope_dim)
    kv = 0 if shape.is_mla else (shape.layers - shape.linear_layers) * shape.hidden * shape.kv_heads * (shape.head_dim + shape.width_v)
    kv_share = layout.kv_heads_per_rank(shape) / shape.kv_heads
    inner = (shape.attention_params - shape.attention_out_params - replicated - kv) / t + replicated + kv * kv_share
    attention = inner * precision.bytes_of("attention") + shape.attention_out_params / t * precision.bytes_of("attention_out")
    ffn = (shape.dense_ffn_params - shape.router_params) / t
    experts = shape.moe_layers * shape.experts * shape.expert_params / layout.stage_chips
    embeddings = shape.embedding_params * (1 if shape.tied_embeddings else 2) / t
    body = attention + ffn * precision.bytes_of("ffn") + experts * precision.bytes_of("experts")
    first_or_last = embeddings if stages == 1 else shape.embedding_params / t
    return (body + shape.router_params * 2) / stages + first_or_last * precision.bytes_of("embeddings")


def rank_kv_bytes(shape: Shape, layout: Layout, precision: Precision, context: Numbers) -> Numbers:
    """Cache bytes one sequence at a context takes on one rank that holds it [B]."""
    whole = shape.kv_bytes_per_sequence(context, precision.kv)
    if shape.is_mla:
        return whole / layout.pipeline
    state = shape.state_bytes_per_sequence()
    share = layout.kv_heads_per_rank(shape) / shape.kv_heads
    return ((whole - state) * share + state / layout.tensor) / layout.pipeline


def rank_memory(shape: Shape, chip: Chip, layout: Layout, precision: Precision, tokens_per_step: float, kv_fraction: float = 0.9) -> Memory:
    """Memory of a rank: weights, what the engine holds back, and the part of the rest given to the cache.

    Reserve: 2 GB runtime and graphs, 0.4 GB communication buffers when ranks talk (aiconfigurator-core system files give 0.34-0.41),
    and the live activations of a step, `tokens_per_step` x (8 hidden + 4 widest feed-forward / tensor) x 2 B.
    """
    width = max(shape.ffn_dense, shape.shared_ffn, shape.moe_ffn * shape.top_k)
    activations = tokens_per_step * (8 * shape.hidden + 4 * width / layout.tensor) * 2
    reserve = 2e9 + (0.4e9 if layout.chips > 1 else 0.0) + activations
    weights = rank_weight_bytes(shape, layout, precision)
    usable = weights + reserve + (chip.memory_bytes - weights - reserve) * kv_fraction
    return Memory(weights, reserve, usable)
