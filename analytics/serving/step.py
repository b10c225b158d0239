"""Time of one pass through a model on one layout: every operation's roofline over its measured efficiency, as curves of size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from analytics import accounting
from analytics.accounting import Numbers
from analytics.serving.chips import DEFAULT_RELATIVE, REFERENCE_RATES, Chip
from analytics.serving.collectives import collective_s, expert_exchange_s
from analytics.serving.kernels import KernelTable
from analytics.serving.layout import Layout
from analytics.serving.precision import KV_BYTES, WEIGHT_BYTES, Precision
from analytics.serving.shapes import Shape

#: Token counts of a pass on one attention rank at which curves are sampled: 1 to 131,072, eight to the octave.
TOKENS = 2.0 ** (np.arange(17 * 8 + 1) / 8)
#: Batches and contexts at which decode attention is sampled.
BATCHES = 2.0 ** (np.arange(13 * 2 + 1) / 2)
CONTEXTS = 2.0 ** np.arange(4, 21, 0.5)
#: Prompt lengths at which prefill attention is sampled.
LENGTHS = 2.0 ** np.arange(4, 21, 0.5)
#: Compute rate of sparse latent attention over dense (FlashMLA README, H800: 410 against 660 TFLOP/s).
SPARSE_RATE = 410 / 660
#: Tokens one pass of an engine takes, so how many prompts share a prefill kernel.
PASS_TOKENS = 8192.0


class Product(NamedTuple):
    """A matrix product that runs `times` times a pass: tokens x (k -> n)."""

    times: float
    n: float
    k: float
    part: str


@dataclass(frozen=True)
class Curves:
    """One deployment's times [s], all layers, calibration not applied; curves over TOKENS, grids over BATCHES x CONTEXTS."""

    weights: np.ndarray
    flops: np.ndarray
    expert_weights: np.ndarray
    expert_flops: np.ndarray
    communication: np.ndarray
    elementwise: np.ndarray  #: at full memory bandwidth
    decode_extra: np.ndarray  #: latent attention: the absorbed products of decode
    prefill_extra: np.ndarray  #: latent attention: the up-projection of prefill
    head: np.ndarray  #: unembedding, over sequences
    kv: np.ndarray  #: decode attention of a batch, layers that see everything, and linear state
    kv_local: np.ndarray  #: the same of local layers, over the tokens they hold
    pair_full: np.ndarray  #: seconds per query-key pair over LENGTHS, layers that see everything
    pair_local: np.ndarray  #: the same, local layers
    layers: int
    kernels_from: tuple[str, ...]  #: operations whose efficiency is another chip's or another format's, as sentences


class Compiler:
    """Builds the curves of one deployment."""

    def __init__(self, shape: Shape, chip: Chip, layout: Layout, precision: Precision, kernels: KernelTable) -> None:
        self.shape, self.chip, self.layout, self.precision, self.kernels = shape, chip, layout, precision, kernels
        self.notes: dict[str, str] = {}
        self.kv_bytes = KV_BYTES.get(precision.kv, accounting.FLASHMLA_FP8_BYTES_PER_TOKEN_LAYER / 576)

    def curves(self) -> Curves:
        """All curves of the deployment."""
        shape, n = self.shape, TOKENS
        weights, flops = self.products(self.body(), n)
        expert_weights, expert_flops = self.experts(n)
        extra = {phase: np.add(*self.products(self.latent(phase), n)) for phase in ("decode", "prefill")}
        head = np.add(*self.products([Product(1, shape.vocab / self.layout.tensor, shape.hidden, "embeddings")], n))
        full, local = self.prefill_pairs()
        return Curves(
            weights=weights,
            flops=flops,
            expert_weights=expert_weights,
            expert_flops=expert_flops,
            communication=self.communication(n),
            elementwise=self.elementwise_bytes() * n / self.chip.memory_bandwidth,
            decode_extra=extra["decode"],
            prefill_extra=extra["prefill"],
            head=head,
            kv=self.decode_attention(BATCHES[:, None], CONTEXTS[None, :]),
            kv_local=self.grouped_decode(shape.local_layers, BATCHES[:, None], CONTEXTS[None, :]),
            pair_full=full,
            pair_local=local,
            layers=shape.layers,
            kernels_from=tuple(self.notes.values()),
        )

    # ------------------------------------------------------------------------------------------------------ matrix products

    def body(self) -> list[Product]:
        """Products every token of a pass goes through."""
        shape, t = self.shape, self.layout.tensor
        softmax_layers = shape.layers - shape.linear_layers
        kv_rank = self.layout.kv_heads_per_rank(shape)
        out: list[Product] = []
        if shape.is_mla:
            qk = shape.mla_nope_dim + shape.mla_rope_dim
            down = shape.mla_q_lora + shape.mla_kv_lora + shape.mla_rope_dim + shape.index_dim
            out.append(Product(softmax_layers, down, shape.hidden, "attention"))
            query_from = shape.mla_q_lora or shape.hidden
            out.append(Product(softmax_layers, shape.heads * qk / t, query_from, "attention"))
            if shape.index_heads:
                out.append(Product(softmax_layers, shape.index_heads * shape.index_dim, shape.mla_q_lora, "attention"))
        else:
            queries = shape.heads * shape.head_dim * (2 if shape.attn_output_gate else 1) / t
            out.append(Product(softmax_layers, queries + kv_rank * (shape.head_dim + shape.width_v), shape.hidden, "attention"))
        out.append(Product(softmax_layers, shape.hidden, shape.heads * shape.width_v / t, "attention_out"))
        if shape.linear_layers:
            qk, v = shape.linear_k_heads * shape.linear_k_dim, shape.linear_v_heads * shape.linear_v_dim
            out.append(Product(shape.linear_layers, (2 * qk + 2 * v + 2 * shape.linear_v_heads) / t, shape.hidden, "attention"))
            out.append(Product(shape.linear_layers, shape.hidden, v / t, "attention_out"))
        up = 2 if shape.ffn_gated else 1
        for layers, width in ((shape.dense_layers, shape.ffn_dense), (shape.moe_layers, shape.shared_ffn)):
            if layers and width:
                out += [Product(layers, up * width / t, shape.hidden, "ffn"), Product(layers, shape.hidden, width / t, "ffn")]
        if shape.moe_layers:
            out.append(Product(shape.moe_layers, shape.experts, shape.hidden, "router"))
        return out

    def latent(self, phase: str) -> list[Product]:
        """Products of latent attention that differ by phase: absorbed into queries and outputs, or expanded to keys and values."""
        shape = self.shape
        if not shape.is_mla:
            return []
        heads = shape.heads / self.layout.tensor
        if phase == "decode":
            return [
                Product(shape.layers, heads * shape.mla_nope_dim, shape.mla_kv_lora, "attention"),
                Product(shape.layers, heads * shape.width_v, shape.mla_kv_lora, "attention"),
            ]
        return [Product(shape.layers, heads * (shape.mla_nope_dim + shape.width_v), shape.mla_kv_lora, "attention")]

    def products(self, matrices: list[Product], n: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Time of matrix products at token counts, split into reading weights and the rest [s]."""
        weights, rest = np.zeros_like(n), np.zeros_like(n)
        for matrix in matrices:
            fmt = "bf16" if matrix.part == "router" else getattr(self.precision, matrix.part)
            act = 2.0 if self.chip.math_of(fmt) == "bf16" else min(WEIGHT_BYTES[fmt], 1.0)
            key = self.key("gemm", fmt)
            fraction = self.kernels.fraction(key, rows=n, weights=matrix.n * matrix.k)
            moved = accounting.gemm_bytes(n, matrix.n, matrix.k, act, WEIGHT_BYTES[fmt], 2.0)
            math = self.chip.math_of(fmt)
            time = self.kernel_s(key, fraction, moved, accounting.gemm_flops(n, matrix.n, matrix.k), math, self.chip.product_scale)
            read = np.minimum(time, self.kernel_s(key, fraction[0], matrix.n * matrix.k * WEIGHT_BYTES[fmt], 0.0, math))
            weights += matrix.times * read
            rest += matrix.times * (time - read)
        return weights, rest

    def experts(self, n: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Time of the routed experts on the busiest rank, split into reading weights and the rest [s]."""
        shape, layout = self.shape, self.layout
        if not shape.moe_layers:
            return np.zeros_like(n), np.zeros_like(n)
        fmt = self.precision.experts
        act = 2.0 if self.chip.math_of(fmt) == "bf16" else min(WEIGHT_BYTES[fmt], 1.0)
        width = shape.moe_ffn / (layout.stage_chips / layout.expert)
        all_tokens = n * layout.data
        busy = all_tokens * layout.expert_imbalance / layout.expert
        hit = np.asarray(accounting.distinct_experts(all_tokens, shape.experts, shape.top_k)) / layout.expert
        moved = accounting.expert_gemm_bytes(
            busy, shape.experts, shape.top_k, shape.hidden, width, WEIGHT_BYTES[fmt], act, shape.ffn_gated, hit
        )
        flops = accounting.expert_gemm_flops(busy, shape.top_k, shape.hidden, width, shape.ffn_gated)
        key = self.key("expert_gemm", fmt)
        fraction = self.kernels.fraction(
            key, rows=all_tokens * shape.top_k / shape.experts, weights=shape.hidden * width, experts=shape.experts / layout.expert
        )
        math = self.chip.math_of(fmt)
        time = self.kernel_s(key, fraction, moved, flops, math, self.chip.product_scale)
        weights = hit * (3 if shape.ffn_gated else 2) * shape.hidden * width * WEIGHT_BYTES[fmt]
        read = np.minimum(time, self.kernel_s(key, fraction, weights, 0.0, math))
        return shape.moe_layers * read, shape.moe_layers * (time - read)

    def elementwise_bytes(self) -> float:
        """Bytes per token of everything between the products, all layers: norms, residuals, rotary, gating, quantisation.

        Two norms with residual (read 2 h, write 2 h each), two quantisations (read h, write at most h), rotary over q and k and
        the cache write, gating (read 2 f, write f), in bf16. Permuting tokens to their routed experts and gating inside them are part
        of the measured expert kernel; a router's logits are under 0.3 % of a step, their kernel a gap of `Calibration.layer_s`.
        """
        shape, t = self.shape, self.layout.tensor
        queries = shape.heads * shape.head_dim / t
        kv = (
            shape.kv_elements_per_token_layer() if shape.is_mla else self.layout.kv_heads_per_rank(shape) * (shape.head_dim + shape.width_v)
        )
        per_layer = 2 * (12 * shape.hidden + 2 * queries + 3 * kv)
        widths = shape.dense_layers * shape.ffn_dense + shape.moe_layers * shape.shared_ffn
        return shape.layers * per_layer + 2 * 3 * widths / t

    # ------------------------------------------------------------------------------------------------------------ attention

    def decode_attention(self, batch: np.ndarray, context: np.ndarray) -> np.ndarray:
        """Time of the attention cores of one decode step of `batch` sequences on a rank, layers that see everything [s]."""
        shape, chip = self.shape, self.chip
        batch, context = np.broadcast_arrays(batch, context)
        if shape.is_mla:
            total = shape.layers * self.latent_decode(batch, np.minimum(context, shape.index_topk or np.inf))
            if shape.index_heads:
                total = total + shape.layers * self.indexer(batch, context)
            return total
        state = 2 * shape.state_bytes_per_sequence() / self.layout.tensor  # read and written back
        return self.grouped_decode(shape.full_layers, batch, context) + batch * state / chip.memory_bandwidth

    def grouped_decode(self, layers: int, batch: np.ndarray, seen: np.ndarray) -> np.ndarray:
        """Time of `layers` layers of multi-head or grouped attention over `seen` tokens a sequence [s]."""
        shape = self.shape
        if not layers or shape.is_mla:
            return np.zeros(np.broadcast_shapes(np.shape(batch), np.shape(seen)))
        kv_heads, heads = self.layout.kv_heads_per_rank(shape), shape.heads / self.layout.tensor
        moved = np.asarray(
            accounting.decode_attention_kv_bytes(batch, seen, kv_heads, shape.head_dim, self.kv_bytes, value_dim=shape.width_v)
        )
        moved = moved + accounting.decode_attention_io_bytes(batch, heads, shape.head_dim, value_dim=shape.width_v)
        flops = accounting.decode_attention_flops(batch, seen, heads, shape.head_dim, value_dim=shape.width_v)
        key = self.key("attention_decode", "fp8" if self.kv_bytes <= 1 else "bf16")
        fraction = self.kernels.fraction(
            key, streams=batch * kv_heads, context=seen, group=max(heads / kv_heads, 1.0), head_dim=shape.head_dim
        )
        return layers * self.kernel_s(key, fraction, moved, flops, "bf16")

    def latent_decode(self, batch: np.ndarray, context: np.ndarray) -> np.ndarray:
        """Time of one layer of absorbed latent attention [s]."""
        shape, chip, kv_bytes = self.shape, self.chip, self.kv_bytes
        heads = max(shape.heads / self.layout.tensor, 1.0)
        key = self.key("mla_decode", "fp8" if kv_bytes < 2 else "bf16")
        moved = np.asarray(accounting.mla_decode_kv_bytes(batch, context, shape.mla_kv_lora, shape.mla_rope_dim, kv_bytes))
        moved = moved + accounting.mla_decode_io_bytes(batch, heads, shape.mla_kv_lora, shape.mla_rope_dim)
        math = "fp8" if kv_bytes <= 1 and "fp4" in chip.peak_flops else "bf16"
        flops = accounting.mla_decode_flops(batch, context, heads, shape.mla_kv_lora, shape.mla_rope_dim)
        fraction = self.kernels.fraction(key, streams=batch, context=context, group=heads)
        return self.kernel_s(key, fraction, moved, flops, math, SPARSE_RATE if shape.index_topk else 1.0)

    def indexer(self, batch: np.ndarray, context: np.ndarray) -> np.ndarray:
        """Scan of the sparse-attention indexer: one fp8 key a token, at the efficiency of decode attention with 16 queries a stream."""
        shape, chip = self.shape, self.chip
        flops = 2.0 * batch * context * shape.index_heads * shape.index_dim
        key = self.key("attention_decode", "fp8")
        fraction = self.kernels.fraction(key, streams=batch, context=context, group=16, head_dim=shape.index_dim)
        return self.kernel_s(key, fraction, batch * context * shape.index_dim, flops, chip.math_of("fp8"))

    def prefill_pairs(self) -> tuple[np.ndarray, np.ndarray]:
        """Seconds per query-key pair of prompts of LENGTHS tokens: layers that see everything, and local ones."""
        shape = self.shape
        heads = max(shape.heads / self.layout.tensor, 1.0)
        qk = shape.mla_nope_dim + shape.mla_rope_dim if shape.is_mla else shape.head_dim
        key = self.key("mla_prefill" if shape.is_mla else "attention_prefill", "fp8" if KV_BYTES.get(self.precision.kv, 1) <= 1 else "bf16")
        math = "bf16" if shape.is_mla or key[2] not in self.chip.peak_flops else key[2]
        flops = 2.0 * heads * (qk + shape.width_v)
        streams = heads * np.maximum(PASS_TOKENS / LENGTHS, 1.0)
        fraction = self.kernels.fraction(key, rows=LENGTHS, streams=streams, **({} if shape.is_mla else {"head_dim": shape.head_dim}))
        local = np.zeros_like(LENGTHS)
        if shape.local_layers:
            seen = np.minimum(LENGTHS, shape.window)
            kept = self.kernels.fraction(
                key, rows=seen, streams=streams * LENGTHS / seen, **({} if shape.is_mla else {"head_dim": shape.head_dim})
            )
            local = shape.local_layers * self.kernel_s(key, kept, 0.0, flops, math)
        return shape.full_layers * self.kernel_s(key, fraction, 0.0, flops, math), local

    # --------------------------------------------------------------------------------------------------------- communication

    def communication(self, n: np.ndarray) -> np.ndarray:
        """Time of the exchanges of one pass, all layers and stage borders [s]."""
        shape, chip, layout = self.shape, self.chip, self.layout
        payload = n * shape.hidden * 2.0
        time = np.zeros_like(n)
        if layout.tensor > 1:
            reduces = 2 * shape.layers if layout.data == 1 else shape.layers + shape.dense_layers
            time = time + reduces * collective_s("all_reduce", chip, self.kernels, payload, layout.tensor)
        if shape.moe_layers and layout.data > 1:
            fmt = self.precision.experts
            sent = 2.0 if chip.math_of(fmt) == "bf16" else min(WEIGHT_BYTES[fmt], 1.0)
            wide = layout.expert > 8 or chip.domain > 8
            spread = wide if layout.exchange == "auto" else layout.exchange == "all_to_all"
            time = time + shape.moe_layers * expert_exchange_s(
                chip, self.kernels, n, shape.top_k, shape.hidden, layout.expert, sent, spread, layout.data
            )
        if layout.pipeline > 1:
            link = chip.scale_up if layout.chips <= chip.domain else chip.scale_out
            time = time + (layout.pipeline - 1) * payload / layout.tensor / link
        return time

    def kernel_s(
        self, key: tuple[str, str, str], fraction: np.ndarray, moved: Numbers, flops: Numbers, math: str, rate: float = 1.0
    ) -> np.ndarray:
        """Time of a kernel [s]: its roofline over the fraction measured; `rate` scales the compute peak.

        A chip that borrows another's measurement takes over what that kernel took beyond its own roofline, in seconds, longer by the
        ratio of bandwidths where the borrower is the slower part: a fraction alone would punish a chip with little compute (H20)
        for inefficiencies that cost the measured chip time, not work.
        """
        moved, flops, chip = np.asarray(moved, dtype=float), np.asarray(flops, dtype=float), self.chip
        roof = np.maximum(moved / chip.memory_bandwidth, flops / (chip.peak_flops[math] * rate))
        if key[1] == chip.chip_id or key[1] not in REFERENCE_RATES:
            return roof / fraction
        bandwidth, peaks = REFERENCE_RATES[key[1]]
        theirs = np.maximum(moved / bandwidth, flops / peaks.get(math, peaks["bf16"]))
        return roof + theirs * (1 / fraction - 1) * max(bandwidth / chip.memory_bandwidth, 1.0)

    def key(self, op: str, fmt: str) -> tuple[str, str, str]:
        """The measured curve used, noting when it is borrowed."""
        key = self.kernels.key(op, self.chip.chip_id, self.chip.relative, fmt) or self.kernels.key(
            op, DEFAULT_RELATIVE, DEFAULT_RELATIVE, fmt
        )
        if key is None:
            raise ValueError(f"no kernel efficiency for {op} on {self.chip.chip_id} or {self.chip.relative}: is the table complete?")
        if key[1] != self.chip.chip_id or key[2] != fmt:
            self.notes[op + fmt] = f"{op} {fmt} at the efficiency measured on {key[1]} in {key[2]}"
        return key
