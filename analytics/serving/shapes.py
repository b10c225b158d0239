"""What a model is made of: parameters, weights, KV cache and FLOPs, from the numbers of its configuration."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from analytics import accounting
from analytics.accounting import Numbers
from analytics.serving.precision import KV_BYTES, Precision

#: Largest values a real model comes near; a configuration beyond them is a slip of the keyboard.
LIMITS = {
    "layers": 2_000,
    "hidden": 262_144,
    "heads": 4_096,
    "kv_heads": 4_096,
    "head_dim": 8_192,
    "ffn_dense": 4_194_304,
    "moe_ffn": 4_194_304,
    "experts": 65_536,
    "top_k": 4_096,
    "vocab": 16_777_216,
}


@dataclass(frozen=True)
class Shape:
    """The shape of a decoder-only language model; sizes are elements, all layers are counted once.

    Raises ValueError, one sentence, when a size is not positive, out of reach of any real model, or contradicts another.
    """

    name: str
    layers: int
    hidden: int
    heads: int
    kv_heads: int
    head_dim: int
    vocab: int
    value_dim: int = 0  #: width of a value head; 0 means head_dim
    ffn_dense: int = 0
    dense_layers: int = 0
    moe_layers: int = 0
    experts: int = 0
    top_k: int = 0
    moe_ffn: int = 0
    shared_ffn: int = 0  #: width of all shared experts together
    ffn_gated: bool = True
    tied_embeddings: bool = False
    attn_output_gate: bool = False
    mla_q_lora: int = 0
    mla_kv_lora: int = 0  #: width of the latent; above 0 the attention is multi-head latent attention
    mla_rope_dim: int = 0
    mla_nope_dim: int = 0
    window: int = 0  #: tokens a local layer sees; 0: every attention layer is global
    chunked: bool = False  #: local layers attend inside fixed chunks rather than in a sliding window
    local_layers: int = 0
    linear_layers: int = 0
    linear_k_heads: int = 0
    linear_k_dim: int = 0
    linear_v_heads: int = 0
    linear_v_dim: int = 0
    linear_conv_kernel: int = 0
    index_heads: int = 0
    index_dim: int = 0
    index_topk: int = 0
    max_position: int = 0
    native_weights: str = "bf16"

    def __post_init__(self) -> None:
        where = f"model {self.name!r}"
        for name in ("layers", "hidden", "heads", "kv_heads", "head_dim", "vocab"):
            if getattr(self, name) < 1:
                raise ValueError(f"{where}: {name} must be at least 1, got {getattr(self, name)}")
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if isinstance(value, int) and value < 0:
                raise ValueError(f"{where}: {field.name} must not be negative, got {value}")
        for name, limit in LIMITS.items():
            if getattr(self, name) > limit:
                raise ValueError(f"{where}: {name} must be at most {limit:,}, got {getattr(self, name):,}")
        if self.heads % self.kv_heads:
            raise ValueError(f"{where}: heads must be a multiple of kv_heads, got {self.heads} and {self.kv_heads}")
        if self.dense_layers + self.moe_layers != self.layers:
            raise ValueError(
                f"{where}: dense and MoE layers must add up to layers, got {self.dense_layers} + {self.moe_layers} and {self.layers}"
            )
        if self.moe_layers and not (self.experts >= self.top_k >= 1 and self.moe_ffn >= 1):
            raise ValueError(
                f"{where}: a mixture of experts needs moe_ffn and 1 <= top_k <= experts, got moe_ffn {self.moe_ffn}, "
                f"top_k {self.top_k}, experts {self.experts}"
            )
        if self.dense_layers and not self.ffn_dense:
            raise ValueError(f"{where}: {self.dense_layers} dense layers need ffn_dense")
        if self.local_layers and not self.window:
            raise ValueError(f"{where}: {self.local_layers} local layers need a window")
        if self.local_layers + self.linear_layers > self.layers:
            raise ValueError(f"{where}: local and linear layers exceed layers, got {self.local_layers} + {self.linear_layers}")
        if self.mla_kv_lora and not (self.mla_rope_dim and self.mla_nope_dim):
            raise ValueError(f"{where}: latent attention needs mla_rope_dim and mla_nope_dim")

    # ------------------------------------------------------------------------------------------------------------ building

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Shape:
        """A shape from a row of the models table (columns as in data/sources/models.csv; text, numbers or blanks)."""

        def blank(value: Any) -> bool:
            return value is None or value == "" or (isinstance(value, float) and np.isnan(value)) or str(value) in ("<NA>", "nan", "None")

        def number(column: str) -> int:
            value = row.get(column)
            if blank(value):
                return 0
            try:
                return int(float(str(value)))
            except (ValueError, OverflowError):
                raise ValueError(f"model {row.get('model')!r}: {column} must be a whole number, got {value!r}") from None

        def flag(column: str, default: bool) -> bool:
            value = row.get(column)
            return default if blank(value) else str(value).strip().lower() in ("true", "1", "yes")

        attention = str(row.get("attention") or "")
        layers, linear, window = number("layers"), number("linear_layers"), number("sliding_window")
        shared = number("shared_ffn") or number("shared_experts") * number("moe_ffn")
        native = row.get("native_weights_precision")
        return cls(
            name=str(row.get("model") or "unnamed"),
            **{key: number(key) for key in ("layers", "hidden", "heads", "kv_heads", "head_dim", "vocab", "ffn_dense")},
            **{key: number(key) for key in ("dense_layers", "moe_layers", "experts", "top_k", "moe_ffn")},
            **{key: number(key) for key in ("mla_q_lora", "mla_kv_lora", "mla_rope_dim", "mla_nope_dim", "max_position")},
            **{key: number(key) for key in ("linear_k_heads", "linear_k_dim", "linear_v_heads", "linear_v_dim", "linear_conv_kernel")},
            **{key: number(key) for key in ("index_heads", "index_dim", "index_topk")},
            value_dim=number("v_head_dim"),
            shared_ffn=shared,
            ffn_gated=flag("ffn_gated", True),
            tied_embeddings=flag("tied_embeddings", False),
            attn_output_gate=flag("attn_output_gate", False),
            window=window,
            chunked="chunk" in attention,
            local_layers=layers - linear - number("global_layers") if window else 0,
            linear_layers=linear,
            native_weights="bf16" if blank(native) else str(native),
        )

    @classmethod
    def from_config_json(cls, config: str | Mapping[str, Any], name: str = "") -> Shape:
        """A shape from a Hugging Face `config.json`, as text or as a mapping; see `config_json` for the families read."""
        from analytics.serving.config_json import shape_from_config

        return shape_from_config(config, name)

    # ---------------------------------------------------------------------------------------------------------- parameters

    @property
    def is_mla(self) -> bool:
        """Whether attention keeps one compressed latent per token (multi-head latent attention)."""
        return self.mla_kv_lora > 0

    @property
    def full_layers(self) -> int:
        """Attention layers that see the whole context."""
        return self.layers - self.local_layers - self.linear_layers

    @property
    def width_v(self) -> int:
        """Width of one value head."""
        return self.value_dim or self.head_dim

    @property
    def attention_params_per_layer(self) -> int:
        """Weights of one softmax-attention layer, indexer included."""
        h = self.hidden
        if self.is_mla:
            qk = self.mla_nope_dim + self.mla_rope_dim
            query = h * self.mla_q_lora + self.mla_q_lora * self.heads * qk if self.mla_q_lora else h * self.heads * qk
            latent = h * (self.mla_kv_lora + self.mla_rope_dim) + self.mla_kv_lora * self.heads * (self.mla_nope_dim + self.width_v)
            index = self.index_heads * (self.mla_q_lora * self.index_dim + h) + h * self.index_dim if self.index_heads else 0
            return query + latent + index + self.heads * self.width_v * h
        queries = self.heads * self.head_dim * (2 if self.attn_output_gate else 1)
        return h * (queries + self.kv_heads * (self.head_dim + self.width_v)) + self.heads * self.width_v * h

    @property
    def attention_out_params(self) -> int:
        """Weights of the output projections of all attention layers, linear ones included."""
        softmax_layers = self.layers - self.linear_layers
        return self.hidden * (softmax_layers * self.heads * self.width_v + self.linear_layers * self.linear_v_heads * self.linear_v_dim)

    @property
    def linear_params_per_layer(self) -> int:
        """Weights of one linear-attention (gated delta) layer: q, k, v, z, two gates, convolution, output."""
        if not self.linear_layers:
            return 0
        qk, v = self.linear_k_heads * self.linear_k_dim, self.linear_v_heads * self.linear_v_dim
        return self.hidden * (2 * qk + 2 * v + 2 * self.linear_v_heads) + self.linear_conv_kernel * (2 * qk + v) + v * self.hidden

    @property
    def attention_params(self) -> int:
        """Weights of all attention layers."""
        softmax_layers = self.layers - self.linear_layers
        return softmax_layers * self.attention_params_per_layer + self.linear_layers * self.linear_params_per_layer

    @property
    def expert_params(self) -> int:
        """Weights of one routed expert in one layer."""
        return (3 if self.ffn_gated else 2) * self.hidden * self.moe_ffn

    @property
    def dense_ffn_params(self) -> int:
        """Weights of dense feed-forward layers, shared experts and routers: what every token passes besides attention."""
        per_width = (3 if self.ffn_gated else 2) * self.hidden
        return per_width * (self.dense_layers * self.ffn_dense + self.moe_layers * self.shared_ffn) + self.router_params

    @property
    def router_params(self) -> int:
        """Weights of the routers of all MoE layers."""
        return self.moe_layers * self.hidden * self.experts

    @property
    def embedding_params(self) -> int:
        """Weights of one embedding (or unembedding) matrix."""
        return self.vocab * self.hidden

    @property
    def total_params(self) -> int:
        """All weights (norms and biases, under 0.1 %, are not counted)."""
        embeddings = self.embedding_params * (1 if self.tied_embeddings else 2)
        return self.attention_params + self.dense_ffn_params + self.moe_layers * self.experts * self.expert_params + embeddings

    @property
    def active_params(self) -> int:
        """Weights a token passes, both embeddings included."""
        return self.total_params - self.moe_layers * (self.experts - self.top_k) * self.expert_params

    @property
    def active_params_without_input_embedding(self) -> int:
        """Weights a token is multiplied with: active parameters without the look-up of the input embedding."""
        return self.active_params - (0 if self.tied_embeddings else self.embedding_params)

    def distinct_experts(self, tokens: Numbers) -> Numbers:
        """Expected experts of one layer that `tokens` tokens choose together, routing uniform."""
        if not self.moe_layers:
            return accounting.distinct_experts(tokens, 1, 0)
        return accounting.distinct_experts(tokens, self.experts, self.top_k)

    def weight_bytes(self, precision: Precision) -> float:
        """Bytes of all weights with their scales [B] at a precision per part."""
        return (
            (self.attention_params - self.attention_out_params) * precision.bytes_of("attention")
            + self.attention_out_params * precision.bytes_of("attention_out")
            + (self.dense_ffn_params - self.router_params) * precision.bytes_of("ffn")
            + self.router_params * 2
            + self.moe_layers * self.experts * self.expert_params * precision.bytes_of("experts")
            + self.embedding_params * (1 if self.tied_embeddings else 2) * precision.bytes_of("embeddings")
        )

    # ------------------------------------------------------------------------------------------------------------ KV cache

    def kv_elements_per_token_layer(self) -> int:
        """Cached elements of one token in one softmax-attention layer."""
        if self.is_mla:
            return self.mla_kv_lora + self.mla_rope_dim
        return self.kv_heads * (self.head_dim + self.width_v)

    def kv_bytes_per_token(self, kv: str = "bf16") -> float:
        """Marginal cache bytes of one more token, every layer still growing (contexts shorter than the window) [B]."""
        layers = self.layers - self.linear_layers
        return layers * (self.kv_elements_per_token_layer() * self._kv_bytes(kv) + self._index_bytes())

    def kv_bytes_per_sequence(self, context: Numbers, kv: str = "bf16") -> Numbers:
        """Cache bytes of one sequence at a context [tokens] → [B], windows, chunks and constant linear state included."""
        context = np.asarray(context, dtype=float)
        tokens = self.full_layers * context + self.local_layers * np.minimum(context, self.window)
        index = self.full_layers * context * self._index_bytes()
        return tokens * self.kv_elements_per_token_layer() * self._kv_bytes(kv) + index + self.state_bytes_per_sequence()

    def state_bytes_per_sequence(self) -> float:
        """Constant bytes of one sequence in the linear-attention layers, fp32 state and bf16 convolution window [B]."""
        if not self.linear_layers:
            return 0.0
        channels = 2 * self.linear_k_heads * self.linear_k_dim + self.linear_v_heads * self.linear_v_dim
        return float(
            accounting.linear_state_bytes_per_sequence(
                self.linear_layers, self.linear_v_heads, self.linear_k_dim, self.linear_v_dim, 4, self.linear_conv_kernel, channels
            )
        )

    def _kv_bytes(self, kv: str) -> float:
        if kv == "fp8_mla":
            if not self.is_mla:
                raise ValueError(f"model {self.name!r}: fp8_mla is a cache format of latent attention only")
            return accounting.FLASHMLA_FP8_BYTES_PER_TOKEN_LAYER / self.kv_elements_per_token_layer()
        if kv not in KV_BYTES:
            raise ValueError(f"KV precision must be one of {', '.join(sorted(KV_BYTES))} or fp8_mla, got {kv!r}")
        return KV_BYTES[kv]

    def _index_bytes(self) -> int:
        return self.index_dim  # one fp8 key per token and layer (released DeepSeek-V3.2 kernels)

    # --------------------------------------------------------------------------------------------------------------- FLOPs

    def attention_flops(self, new_tokens: Numbers, past_tokens: Numbers = 0) -> Numbers:
        """FLOPs of the attention cores of all layers for new tokens of one sequence after cached ones (expanded form)."""
        full = accounting.attended_pairs(new_tokens, past_tokens)
        core = self.full_layers * self._core_pairs(new_tokens, past_tokens, full)
        if self.local_layers:
            pairs = accounting.chunk_pairs if self.chunked else accounting.attended_pairs
            core = core + self.local_layers * pairs(new_tokens, past_tokens, self.window)
        qk = self.mla_nope_dim + self.mla_rope_dim if self.is_mla else self.head_dim
        flops = 2.0 * self.heads * (qk + self.width_v) * np.asarray(core, dtype=float)
        if self.index_heads:
            flops = flops + 2.0 * self.full_layers * self.index_heads * self.index_dim * np.asarray(full, dtype=float)
        if self.linear_layers:  # decay, read and rank-one write of the state: about 6 FLOPs an element and token
            state = self.linear_v_heads * self.linear_k_dim * self.linear_v_dim
            flops = flops + 6.0 * self.linear_layers * state * np.asarray(new_tokens, dtype=float)
        return flops

    def _core_pairs(self, new_tokens: Numbers, past_tokens: Numbers, full: Numbers) -> Numbers:
        return accounting.attended_pairs(new_tokens, past_tokens, self.index_topk) if self.index_topk else full

    def prefill_flops(self, input_tokens: Numbers, cached_tokens: Numbers = 0) -> Numbers:
        """FLOPs of prefilling a prompt of `input_tokens`, of which `cached_tokens` are already in the cache.

        Linear layers cost 2 FLOPs per active weight and new token; the unembedding runs once, for the last position.
        """
        new = np.asarray(input_tokens, dtype=float) - cached_tokens
        body = 2.0 * (self.active_params_without_input_embedding - self.embedding_params) * new
        return body + 2.0 * self.embedding_params + self.attention_flops(new, cached_tokens)

    def decode_flops(self, context: Numbers) -> Numbers:
        """FLOPs of one output token of one sequence at a context [tokens] (attention in the absorbed form for MLA)."""
        context = np.asarray(context, dtype=float)
        linear = 2.0 * self.active_params_without_input_embedding
        if not self.is_mla:
            return linear + self.attention_flops(1, context - 1)
        seen = np.minimum(context, self.index_topk) if self.index_topk else context
        core = accounting.mla_decode_flops(1, seen, self.heads, self.mla_kv_lora, self.mla_rope_dim) * self.layers
        index = 2.0 * self.layers * self.index_heads * self.index_dim * context if self.index_heads else 0.0
        return linear + core + index
