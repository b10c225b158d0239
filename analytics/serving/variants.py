"""The same model with another attention, or with other experts: what a design choice changes, everything else kept."""

from __future__ import annotations

import dataclasses

from analytics.serving.shapes import Shape

#: Attention kinds, and whose numbers they take.
ATTENTIONS = {
    "MHA": "every head keeps its own keys and values",
    "GQA": "eight KV heads, as Llama 3 and Qwen 3",
    "MQA": "one KV head for all, as PaLM",
    "MLA": "one latent of 512 and a rotary key of 64, as DeepSeek-V2 and V3",
    "local-global": "five of six layers see 1,024 tokens, as Gemma 3",
    "sliding": "every layer sees 4,096 tokens, as Mistral 7B",
}


def with_attention(shape: Shape, kind: str) -> Shape:
    """The model with another kind of attention; heads, layers and feed-forward parts stay.

    Parameters: shape; kind, one of ATTENTIONS. Returns: Shape. Errors: ValueError for an unknown kind. A model with latent attention
    gets heads as wide as its own in expanded form; a hybrid model's linear layers become ordinary ones.
    """
    if kind not in ATTENTIONS:
        raise ValueError(f"attention must be one of {', '.join(ATTENTIONS)}, got {kind!r}")
    wide = shape.mla_nope_dim + shape.mla_rope_dim if shape.is_mla else shape.head_dim
    plain = dataclasses.replace(
        shape, head_dim=wide, value_dim=shape.width_v if shape.width_v != wide else 0, mla_q_lora=0, mla_kv_lora=0, mla_rope_dim=0,
        mla_nope_dim=0, window=0, chunked=False, local_layers=0, linear_layers=0, linear_k_heads=0, linear_k_dim=0, linear_v_heads=0,
        linear_v_dim=0, linear_conv_kernel=0, index_heads=0, index_dim=0, index_topk=0, kv_heads=shape.heads,
    )  # fmt: skip
    eight = _kv_heads(shape)
    if kind == "MHA":
        return plain
    if kind == "MQA":
        return dataclasses.replace(plain, kv_heads=1)
    if kind == "MLA":
        nope = shape.mla_nope_dim or 128
        return dataclasses.replace(
            plain, kv_heads=shape.heads, head_dim=nope + 64, value_dim=plain.width_v, mla_kv_lora=512, mla_rope_dim=64, mla_nope_dim=nope,
            mla_q_lora=shape.mla_q_lora,
        )  # fmt: skip
    grouped = dataclasses.replace(plain, kv_heads=eight)
    if kind == "local-global":
        return dataclasses.replace(grouped, window=1024, local_layers=grouped.layers - grouped.layers // 6)
    if kind == "sliding":
        return dataclasses.replace(grouped, window=4096, local_layers=grouped.layers)
    return grouped


def _kv_heads(shape: Shape) -> int:
    """Eight KV heads, or the largest divisor of the heads below."""
    return next(k for k in range(min(8, shape.heads), 0, -1) if shape.heads % k == 0)


def dense_of_all(shape: Shape) -> Shape:
    """The dense model with as many parameters as the mixture has in total: every expert's width in one feed-forward part."""
    return _dense(shape, shape.moe_ffn * shape.experts + shape.shared_ffn, "as large, dense")


def dense_of_active(shape: Shape) -> Shape:
    """The dense model with as many parameters as a token of the mixture passes."""
    return _dense(shape, shape.moe_ffn * shape.top_k + shape.shared_ffn, "as active, dense")


def _dense(shape: Shape, width: int, name: str) -> Shape:
    if not shape.moe_layers:
        raise ValueError(f"model {shape.name!r} has no experts, so there is no dense model to compare it with")
    mean = round((shape.moe_layers * width + shape.dense_layers * shape.ffn_dense) / shape.layers)
    return dataclasses.replace(
        shape,
        name=f"{shape.name}, {name}",
        dense_layers=shape.layers,
        moe_layers=0,
        experts=0,
        top_k=0,
        moe_ffn=0,
        shared_ffn=0,
        ffn_dense=mean,
    )
