"""Bytes and FLOPs of the operations a language model is served with: one copy for the serving model and the benchmarks.

Every function broadcasts: pass integers or arrays. Bytes are what an ideal kernel moves once (no re-reads, no padding), FLOPs count a
multiply-add as two. Sizes of an element are given in bytes (bf16 2, fp8 1, NVFP4 0.5625 with its scales).
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

#: A number or an array of numbers.
Numbers: TypeAlias = Any

GIB = 2**30

#: Bytes a token takes in one layer of the FlashMLA fp8 cache: 512 fp8 values, 4 fp32 scales of 128 values, 64 bf16 rope values.
FLASHMLA_FP8_BYTES_PER_TOKEN_LAYER = 512 + 4 * 4 + 64 * 2


def _whole(value: np.ndarray) -> np.ndarray | int | float:
    """A scalar result as a Python number (whole numbers as int), an array as it is."""
    if np.ndim(value):
        return value
    number = float(value)
    return int(number) if number.is_integer() else number


def _array(value: Numbers) -> np.ndarray:
    return np.asarray(value, dtype=float)


# ---------------------------------------------------------------------------------------------------------------- matrix products


def gemm_flops(m: Numbers, n: Numbers, k: Numbers):
    """FLOPs of C[m, n] = A[m, k] B[k, n]: 2 m n k."""
    return _whole(2.0 * _array(m) * n * k)


def gemm_bytes(m: Numbers, n: Numbers, k: Numbers, a_bytes: Numbers = 2, b_bytes: Numbers = 2, c_bytes: Numbers = 2):
    """Bytes of C[m, n] = A[m, k] B[k, n] with each matrix touched once; `*_bytes` are bytes per element [B]."""
    m = _array(m)
    return _whole(m * k * a_bytes + _array(k) * n * b_bytes + m * n * c_bytes)


def distinct_experts(tokens: Numbers, experts: Numbers, top_k: Numbers):
    """Expected number of different experts that `tokens` tokens choose, routing uniform: E (1 - (1 - k/E)^n)."""
    experts = _array(experts)
    share = np.clip(np.asarray(top_k) / experts, 0.0, 1.0)
    return _whole(experts * -np.expm1(_array(tokens) * np.log1p(-np.minimum(share, 1 - 1e-15))))


def expert_gemm_flops(tokens: Numbers, top_k: Numbers, hidden: Numbers, ffn: Numbers, gated: bool = True):
    """FLOPs of the routed feed-forward of `tokens` tokens: 2 (3 or 2) h f n k."""
    return _whole(2.0 * (3 if gated else 2) * _array(tokens) * top_k * hidden * ffn)


def expert_gemm_bytes(
    tokens: Numbers,
    experts: Numbers,
    top_k: Numbers,
    hidden: Numbers,
    ffn: Numbers,
    weight_bytes: Numbers = 2,
    act_bytes: Numbers = 2,
    gated: bool = True,
    hit: Numbers | None = None,
):
    """Bytes of the routed feed-forward: weights of the experts hit, read once, and the activations in and out.

    `hit` is the number of experts hit where it is known (a balanced or a skewed draw); else the uniform expectation is used.
    """
    hit_experts = _array(distinct_experts(tokens, experts, top_k) if hit is None else hit)
    pairs = _array(tokens) * top_k
    weights = hit_experts * (3 if gated else 2) * hidden * ffn * weight_bytes
    return _whole(weights + pairs * (2 * _array(hidden) + (3 if gated else 2) * _array(ffn)) * act_bytes)


# ------------------------------------------------------------------------------------------------------------------------ KV cache


def gqa_kv_bytes_per_token(layers: Numbers, kv_heads: Numbers, head_dim: Numbers, kv_bytes: Numbers = 2):
    """KV-cache bytes a token takes in all layers: 2 L K d b. MHA is kv_heads = heads, MQA is kv_heads = 1."""
    return _whole(2.0 * _array(layers) * kv_heads * head_dim * kv_bytes)


def mla_kv_bytes_per_token(layers: Numbers, latent_dim: Numbers = 512, rope_dim: Numbers = 64, kv_bytes: Numbers = 2):
    """KV-cache bytes a token takes with multi-head latent attention: L (c + r) b; no factor 2, no head factor."""
    return _whole(_array(layers) * (_array(latent_dim) + rope_dim) * kv_bytes)


def windowed_kv_bytes_per_sequence(
    context: Numbers,
    window: Numbers,
    local_layers: Numbers,
    global_layers: Numbers,
    kv_heads: Numbers,
    head_dim: Numbers,
    kv_bytes: Numbers = 2,
):
    """KV-cache bytes of one sequence with sliding or chunked local layers: 2 K d b (L_glob S + L_loc min(S, w)).

    For chunked attention this is what engines allocate (a whole chunk); the tokens held are `chunk_tokens_held`.
    """
    context = _array(context)
    tokens = _array(global_layers) * context + _array(local_layers) * np.minimum(context, window)
    return _whole(2.0 * _array(kv_heads) * head_dim * kv_bytes * tokens)


def chunk_tokens_held(context: Numbers, chunk: Numbers):
    """Tokens a chunked-attention layer attends to at a context: those since the last chunk border (1 to chunk)."""
    context = _array(context)
    return _whole(np.where(context > 0, np.mod(context - 1, chunk) + 1, 0.0))


def chunk_pairs(new_tokens: Numbers, past_tokens: Numbers, chunk: Numbers):
    """Query-key pairs of a causal pass when every token sees only its own chunk: the sum of `chunk_tokens_held` over the new tokens."""
    past = _array(past_tokens)

    def until(tokens: np.ndarray) -> np.ndarray:
        whole, rest = np.floor(tokens / chunk), np.mod(tokens, chunk)
        return whole * chunk * (_array(chunk) + 1) / 2 + rest * (rest + 1) / 2

    return _whole(until(past + new_tokens) - until(past))


def linear_state_bytes_per_sequence(
    layers: Numbers,
    value_heads: Numbers,
    key_dim: Numbers,
    value_dim: Numbers,
    state_bytes: Numbers = 4,
    conv_kernel: Numbers = 1,
    conv_channels: Numbers = 0,
    conv_bytes: Numbers = 2,
):
    """Constant state of one sequence in linear-attention layers: L (n_v d_k d_v b + (kernel - 1) channels b_conv)."""
    state = _array(value_heads) * key_dim * value_dim * state_bytes
    return _whole(_array(layers) * (state + (_array(conv_kernel) - 1) * conv_channels * conv_bytes))


def paged_tokens(context: Numbers, block: Numbers):
    """Tokens allocated for a context when the cache is kept in blocks: ceil(S / block) block."""
    return _whole(np.ceil(_array(context) / block) * block)


def sequences_that_fit(
    memory_bytes: Numbers,
    weight_bytes: Numbers,
    kv_bytes_per_sequence: Numbers,
    usable: Numbers = 0.95,
    reserve_bytes: Numbers = GIB,
):
    """Whole sequences that fit beside the weights: floor((u M - reserve - weights) / KV per sequence), at least 0."""
    free = _array(usable) * memory_bytes - reserve_bytes - weight_bytes
    return _whole(np.maximum(np.floor(free / kv_bytes_per_sequence), 0.0))


# ----------------------------------------------------------------------------------------------------------------------- attention


def decode_attention_kv_bytes(
    batch: Numbers,
    context: Numbers,
    kv_heads: Numbers,
    head_dim: Numbers,
    kv_bytes: Numbers = 2,
    window: Numbers = np.inf,
    value_dim: Numbers | None = None,
):
    """Cache bytes one decode step reads in one layer: B min(S, w) K (d + d_v) b; values are as wide as keys unless said."""
    width = _array(head_dim) + (head_dim if value_dim is None else value_dim)
    return _whole(_array(batch) * np.minimum(_array(context), window) * kv_heads * width * kv_bytes)


def decode_attention_io_bytes(batch: Numbers, heads: Numbers, head_dim: Numbers, act_bytes: Numbers = 2, value_dim: Numbers | None = None):
    """Bytes of the queries read and the outputs written by one decode step in one layer: B H (d + d_v) b."""
    width = _array(head_dim) + (head_dim if value_dim is None else value_dim)
    return _whole(_array(batch) * heads * width * act_bytes)


def decode_attention_flops(
    batch: Numbers,
    context: Numbers,
    heads: Numbers,
    head_dim: Numbers,
    window: Numbers = np.inf,
    query_tokens: Numbers = 1,
    value_dim: Numbers | None = None,
):
    """FLOPs of the attention core of one decode step in one layer: 2 B H min(S, w) (d + d_v) per query token."""
    width = _array(head_dim) + (head_dim if value_dim is None else value_dim)
    return _whole(2.0 * _array(batch) * query_tokens * heads * np.minimum(_array(context), window) * width)


def mla_decode_kv_bytes(batch: Numbers, context: Numbers, latent_dim: Numbers = 512, rope_dim: Numbers = 64, kv_bytes: Numbers = 2):
    """Cache bytes one absorbed MLA decode step reads in one layer: B S (c + r) b; the values are the latent itself."""
    return _whole(_array(batch) * context * (_array(latent_dim) + rope_dim) * kv_bytes)


def mla_decode_io_bytes(batch: Numbers, heads: Numbers, latent_dim: Numbers = 512, rope_dim: Numbers = 64, act_bytes: Numbers = 2):
    """Bytes of queries (c + r wide) and outputs (c wide) of one absorbed MLA decode step in one layer."""
    return _whole(_array(batch) * heads * (2 * _array(latent_dim) + rope_dim) * act_bytes)


def mla_decode_flops(
    batch: Numbers,
    context: Numbers,
    heads: Numbers,
    latent_dim: Numbers = 512,
    rope_dim: Numbers = 64,
    query_tokens: Numbers = 1,
):
    """FLOPs of the absorbed MLA decode core in one layer: 2 B H S ((c + r) + c) per query token."""
    return _whole(2.0 * _array(batch) * query_tokens * heads * context * (2 * _array(latent_dim) + rope_dim))


def attended_pairs(new_tokens: Numbers, past_tokens: Numbers = 0, window: Numbers = np.inf):
    """Query-key pairs of a causal pass of T new tokens after P cached ones: T P + T (T + 1) / 2, each row at most `window`."""
    new, past = _array(new_tokens), _array(past_tokens)
    window = np.minimum(_array(window), past + new)  # finite, and no window is longer than the sequence
    rising = np.clip(window - past, 0.0, new)  # rows that still see their whole past
    return _whole(rising * past + rising * (rising + 1) / 2 + (new - rising) * window)


def prefill_attention_flops(
    batch: Numbers,
    new_tokens: Numbers,
    heads: Numbers,
    head_dim: Numbers,
    past_tokens: Numbers = 0,
    value_dim: Numbers | None = None,
    window: Numbers = np.inf,
):
    """FLOPs of the causal attention core in one layer: 2 B H (d_qk + d_v) pairs."""
    value_dim = head_dim if value_dim is None else value_dim
    pairs = _array(attended_pairs(new_tokens, past_tokens, window))
    return _whole(2.0 * _array(batch) * heads * (_array(head_dim) + value_dim) * pairs)


def prefill_attention_bytes(
    batch: Numbers,
    new_tokens: Numbers,
    heads: Numbers,
    kv_heads: Numbers,
    head_dim: Numbers,
    past_tokens: Numbers = 0,
    value_dim: Numbers | None = None,
    act_bytes: Numbers = 2,
    kv_bytes: Numbers = 2,
):
    """Bytes of Q, K, V and O of a causal pass in one layer, each touched once (a fused kernel)."""
    width = _array(head_dim) + (head_dim if value_dim is None else value_dim)
    new = _array(new_tokens)
    return _whole(_array(batch) * width * (new * heads * act_bytes + (new + past_tokens) * kv_heads * kv_bytes))


# ------------------------------------------------------------------------------------------------------------- memory and the wire

#: Bytes moved per element-byte by the plain memory operations: a read of n bytes moves n, a copy 2 n, a triad a = b + s c 3 n.
MEMORY_PASSES = {"read": 1, "write": 1, "copy": 2, "triad": 3}


def memory_bytes_moved(operation: str, size_bytes: Numbers):
    """Bytes a plain memory operation over `size_bytes` moves (read n, write n, copy 2 n, triad 3 n)."""
    if operation not in MEMORY_PASSES:
        raise ValueError(f"unknown memory operation {operation!r}: one of {', '.join(MEMORY_PASSES)}")
    return _whole(MEMORY_PASSES[operation] * _array(size_bytes))


def kv_append_bytes(batch: Numbers, kv_elements: Numbers, source_bytes: Numbers = 2, kv_bytes: Numbers = 2):
    """Bytes of appending one token to `batch` caches: the new elements read at one width and written at another."""
    return _whole(_array(batch) * kv_elements * (_array(source_bytes) + kv_bytes))


def all_reduce_wire_bytes(payload_bytes: Numbers, ranks: Numbers):
    """Bytes each rank sends in a ring all-reduce: 2 (p - 1) / p m."""
    ranks = _array(ranks)
    return _whole(2.0 * (ranks - 1) / ranks * payload_bytes)


def all_gather_wire_bytes(payload_bytes: Numbers, ranks: Numbers):
    """Bytes each rank sends in a ring all-gather or reduce-scatter of a whole of m bytes: (p - 1) / p m."""
    ranks = _array(ranks)
    return _whole((ranks - 1) / ranks * _array(payload_bytes))


def distinct_destinations(top_k: Numbers, ranks: Numbers):
    """Expected different ranks a token's k experts lie on, experts spread evenly: p (1 - (1 - 1/p)^k)."""
    ranks = _array(ranks)
    return _whole(ranks * -np.expm1(_array(top_k) * np.log1p(-np.minimum(1 / ranks, 1 - 1e-15))))


def all_to_all_wire_bytes(tokens: Numbers, top_k: Numbers, ranks: Numbers, hidden: Numbers, element_bytes: Numbers = 2):
    """Bytes a rank sends to the others when its `tokens` tokens go to the ranks of their experts, once per rank.

    tokens × distinct destinations × (p - 1) / p × h × b; `element_bytes` includes scales (fp8 with a scale per 128: 1 + 4/128).
    """
    remote = _array(distinct_destinations(top_k, ranks)) * (_array(ranks) - 1) / ranks
    return _whole(_array(tokens) * remote * hidden * element_bytes)
