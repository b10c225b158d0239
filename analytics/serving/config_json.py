"""A model shape from a pasted Hugging Face config.json.

Read: Llama 1-3, Mistral, Mixtral, Qwen 2, 2.5, 3, 3 MoE and Next, DeepSeek V2, V3 and V3.2, Kimi K2, gpt-oss, Gemma 1-3, Llama 4,
GLM 4.5 and later, MiniMax Text-01 and M2, Phi, OLMo, Command R, Falcon, GPT-2, OPT, and whatever uses the same key names.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from analytics.serving.shapes import Shape

#: Families whose feed-forward has two matrices (up, down) instead of three.
_PLAIN_FFN = {"gpt2", "opt", "falcon", "gpt_neox", "gptj", "bloom", "phi", "starcoder2", "mpt", "gpt_bigcode"}
#: Keys of architectures whose layers are laid out in ways this reader does not know, and what they mean.
_NOT_READ = {
    "hybrid_override_pattern": "layers mixed by a pattern (Nemotron-H)",
    "block_configs": "layers of different widths (Nemotron NAS)",
    "compress_ratios": "compressed sparse attention (DeepSeek-V4)",
}
#: Families that read a whole text, image or sound at once: they write no token after another, so they keep no cache.
_NO_DECODER = {
    "albert", "bert", "big_bird", "camembert", "clip", "convbert", "deberta", "deberta-v2", "deit", "dinov2", "distilbert", "electra",
    "ernie", "esm", "hubert", "longformer", "modernbert", "mpnet", "nomic_bert", "roberta", "siglip", "swin", "vit", "wav2vec2",
    "xlm-roberta",
}  # fmt: skip
#: Families without attention: a state of constant size stands where a transformer keeps its cache.
_STATE_SPACE = {"mamba", "mamba2", "falcon_mamba", "rwkv", "rwkv5", "rwkv6", "rwkv7"}
#: What a value of JSON is called.
_KINDS = {"NoneType": "null", "bool": "true or false", "int": "a number", "float": "a number", "str": "a text", "list": "a list"}
#: Families of an encoder and a decoder.
_TWO_PARTS = {"bart", "blenderbot", "led", "m2m_100", "marian", "mbart", "mt5", "pegasus", "prophetnet", "t5", "umt5", "whisper"}
#: Families that tie embeddings when the key is absent, as the defaults of the library do.
_TIED_BY_DEFAULT = {"gemma", "gemma2", "gemma3", "gemma3_text", "gpt2", "opt", "bloom", "cohere", "cohere2", "falcon"}


def shape_from_config(config: str | Mapping[str, Any], name: str = "") -> Shape:
    """A Shape from a config.json, as text or mapping; raises ValueError with the key that is missing or out of range."""
    if isinstance(config, str):
        try:
            config = json.loads(config)
        except json.JSONDecodeError as error:
            raise ValueError(f"config.json is not JSON: {error.msg} at line {error.lineno}, column {error.colno}") from None
        except RecursionError:
            raise ValueError("config.json is nested too deeply to be a configuration") from None
        except ValueError:  # Python turns no more than some thousand digits into a number
            raise ValueError("config.json holds a number of thousands of digits; sizes are whole numbers") from None
    if not isinstance(config, Mapping):
        raise ValueError(
            f"config.json must be an object with keys such as hidden_size, got {_KINDS.get(type(config).__name__, 'something else')}"
        )
    outer = config
    for key in ("text_config", "language_config", "llm_config"):
        if isinstance(config.get(key), Mapping):
            config = {**{k: v for k, v in outer.items() if k == "quantization_config"}, **config[key]}
    for key, meaning in _NOT_READ.items():
        if config.get(key):
            raise ValueError(f"config.json: {key} means {meaning}, an architecture this reader does not cover")
    reader = _Reader(config, outer, name)
    if reader.family in _NO_DECODER or "ForMaskedLM" in str(outer.get("architectures")):
        raise ValueError(
            f"config.json: {reader.family or 'this model'} reads all at once and keeps no KV cache; paste that of a decoder model"
        )
    of_states = any(str(key).startswith(("ssm_", "mamba")) for key in config)
    if reader.family in _STATE_SPACE or (of_states and not _attends(config)):
        raise ValueError(
            f"config.json: {reader.family or 'this model'} is a state-space or recurrent model, not a transformer: it has no attention and "
            "keeps no KV cache; paste that of a decoder model with attention"
        )
    if reader.family in _TWO_PARTS or outer.get("is_encoder_decoder") is True:
        raise ValueError(f"config.json: {reader.family or 'this model'} is an encoder with a decoder; paste that of a decoder-only model")
    return reader.shape()


def _attends(config: Mapping[str, Any]) -> bool:
    return any(config.get(key) is not None for key in ("num_attention_heads", "n_head", "num_heads"))


def _said(value: Any) -> str:
    """A value as the configuration writes it, cut short."""
    text = json.dumps(value, default=str)
    return text if len(text) <= 60 else f"{text[:57]}..."


class _Reader:
    """One configuration with its key names made uniform."""

    def __init__(self, config: Mapping[str, Any], outer: Mapping[str, Any], name: str) -> None:
        self.config = config
        self.family = str(config.get("model_type") or outer.get("model_type") or "")
        self.name = name or str(outer.get("_name_or_path") or outer.get("name") or self.family or "pasted model")

    def number(self, *keys: str, default: int | None = None) -> int:
        """The first of `keys` that is there, as a whole number of at least 0."""
        for key in keys:
            value = self.config.get(key)
            if value is None:
                continue
            if isinstance(value, list):
                value = max((v for v in value if isinstance(v, int)), default=None)
            if (
                isinstance(value, bool)
                or not isinstance(value, int | float)
                or value != value
                or value < 0
                or value != int(min(value, 1e15))
            ):
                raise ValueError(f"config.json: {key} must be a whole number of at least 0, got {_said(value)}")
            return int(value)
        if default is None:
            raise ValueError(f"config.json: {' or '.join(keys)} is missing; is this the configuration of a language model?")
        return default

    def shape(self) -> Shape:
        layers = self.number("num_hidden_layers", "n_layer", "num_layers")
        hidden = self.number("hidden_size", "n_embd", "d_model")
        heads = self.number("num_attention_heads", "n_head", "num_heads")
        for key, value in (("num_hidden_layers", layers), ("hidden_size", hidden), ("num_attention_heads", heads)):
            if value < 1:
                raise ValueError(f"config.json: {key} must be at least 1, got {value}")
        if layers > 2_000:
            raise ValueError(f"config.json: num_hidden_layers must be at most 2,000, got {layers:,}")
        head_dim = self.number("head_dim", "attention_head_dim", "kv_channels", default=0) or hidden // heads
        kv_heads = self.number("num_key_value_heads", "num_kv_heads", "multi_query_group_num", default=heads) or heads
        if self.family == "falcon" and not self.config.get("new_decoder_architecture") and self.config.get("multi_query", True):
            kv_heads = 1
        fields: dict[str, Any] = {
            "name": self.name,
            "layers": layers,
            "hidden": hidden,
            "heads": heads,
            "kv_heads": kv_heads,
            "head_dim": head_dim,
            "vocab": self.number("vocab_size"),
            "ffn_gated": self.family not in _PLAIN_FFN,
            "tied_embeddings": bool(self.config.get("tie_word_embeddings", self.family in _TIED_BY_DEFAULT)),
            "max_position": self.number("max_position_embeddings", "n_positions", "seq_length", default=0),
            "native_weights": self.native_weights(),
        }
        fields.update(self.latent_attention(heads))
        fields.update(self.feed_forward(layers, hidden))
        fields.update(self.layer_kinds(layers))
        return Shape(**fields)

    def latent_attention(self, heads: int) -> dict[str, Any]:
        """MLA and the indexer of sparse attention (DeepSeek, Kimi, GLM 5)."""
        latent = self.number("kv_lora_rank", default=0)
        if not latent:
            return {}
        nope, rope = self.number("qk_nope_head_dim"), self.number("qk_rope_head_dim")
        return {
            "mla_kv_lora": latent,
            "mla_q_lora": self.number("q_lora_rank", default=0),
            "mla_rope_dim": rope,
            "mla_nope_dim": nope,
            "head_dim": nope + rope,
            "value_dim": self.number("v_head_dim", default=nope),
            "kv_heads": heads,
            "index_heads": self.number("index_n_heads", default=0),
            "index_dim": self.number("index_head_dim", default=0),
            "index_topk": self.number("index_topk", default=0),
        }

    def feed_forward(self, layers: int, hidden: int) -> dict[str, Any]:
        """Dense and expert widths, and which layers are which."""
        experts = self.number("n_routed_experts", "num_local_experts", "num_experts", "moe_num_experts", default=0)
        dense_ffn = self.number("intermediate_size", "n_inner", "ffn_dim", "ffn_hidden_size", default=0) or 4 * hidden
        if experts < 2:
            return {"ffn_dense": dense_ffn, "dense_layers": layers}
        top_k = self.number("num_experts_per_tok", "experts_per_token", "num_experts_per_token", "moe_topk", "top_k_experts")
        width = self.number("moe_intermediate_size", default=0) or dense_ffn
        first_dense = self.number("first_k_dense_replace", default=0)
        step = max(self.number("interleave_moe_layer_step", "decoder_sparse_step", "moe_layer_freq", default=1), 1)
        listed = self.config.get("moe_layers")
        only_dense = self.config.get("mlp_only_layers") or []
        if not isinstance(only_dense, list):
            raise ValueError(f"config.json: mlp_only_layers must be a list of layer numbers, got {_said(only_dense)}")
        pattern = self.config.get("moe_layer_freq")
        if isinstance(pattern, list):
            moe_layers = sum(1 for flag in pattern if flag)
        elif isinstance(listed, list) and listed:
            moe_layers = len(listed)
        else:
            moe_layers = len([i for i in range(first_dense, layers) if (i + 1) % step == 0 and i not in only_dense])
        shared = self.number("n_shared_experts", "num_shared_experts", default=0) * width
        shared = self.number("shared_expert_intermediate_size", "shared_intermediate_size", default=0) or shared
        if self.family.startswith("llama4"):
            shared, dense_ffn = width, self.number("intermediate_size_mlp", default=dense_ffn)
        return {
            "experts": experts,
            "top_k": top_k,
            "moe_ffn": width,
            "shared_ffn": shared,
            "moe_layers": moe_layers,
            "dense_layers": layers - moe_layers,
            "ffn_dense": dense_ffn if moe_layers < layers else 0,
        }

    def layer_kinds(self, layers: int) -> dict[str, Any]:
        """Which layers are local (sliding, chunked), linear, or see everything."""
        kinds = self.config.get("layer_types")
        if isinstance(kinds, list) and len(kinds) == layers:
            local = sum("sliding" in str(kind) or "chunk" in str(kind) for kind in kinds)
            linear = sum("linear" in str(kind) or "mamba" in str(kind) or "delta" in str(kind) for kind in kinds)
        else:
            local, linear = self.local_layers(layers), self.linear_layers(layers)
        fields: dict[str, Any] = {}
        chunk = self.number("attention_chunk_size", default=0)
        window = chunk or self.number("sliding_window", default=0)
        if local and window:
            fields |= {"window": window, "chunked": bool(chunk), "local_layers": local}
        if linear:
            fields |= {"linear_layers": linear} | self.linear_attention()
        return fields

    def local_layers(self, layers: int) -> int:
        if self.config.get("attention_chunk_size"):
            without_rope = self.config.get("no_rope_layers")
            if isinstance(without_rope, list) and len(without_rope) == layers:
                return sum(1 for flag in without_rope if flag)  # 1 marks a layer with rope, which is a chunked one
            return layers - layers // (self.number("no_rope_layer_interval", default=4) or 4)
        if not self.config.get("sliding_window") or self.config.get("use_sliding_window") is False:
            return 0
        every = self.number("sliding_window_pattern", "_sliding_window_pattern", default=0)
        if every > 1:
            return layers - layers // every
        if self.family.startswith("gemma3"):
            return layers - layers // 6
        if self.family in ("gemma2", "gpt_oss"):
            return layers - layers // 2
        if self.family in ("mistral", "mixtral", "phi3", "starcoder2"):
            return layers
        return 0

    def linear_layers(self, layers: int) -> int:
        every = self.number("full_attention_interval", default=0)
        if every > 1:
            return layers - layers // every
        kinds = self.config.get("attn_type_list")  # MiniMax Text-01: 0 linear, 1 softmax
        return sum(1 for kind in kinds if kind == 0) if isinstance(kinds, list) else 0

    def linear_attention(self) -> dict[str, Any]:
        if self.config.get("linear_num_value_heads"):
            return {
                "linear_k_heads": self.number("linear_num_key_heads"),
                "linear_k_dim": self.number("linear_key_head_dim"),
                "linear_v_heads": self.number("linear_num_value_heads"),
                "linear_v_dim": self.number("linear_value_head_dim"),
                "linear_conv_kernel": self.number("linear_conv_kernel_dim", default=4),
                "attn_output_gate": True,
            }
        heads = self.number("num_attention_heads")
        width = self.number("head_dim", default=0) or self.number("hidden_size") // heads
        return {"linear_k_heads": heads, "linear_k_dim": width, "linear_v_heads": heads, "linear_v_dim": width, "linear_conv_kernel": 1}

    def native_weights(self) -> str:
        quantised = self.config.get("quantization_config")
        method = str(quantised.get("quant_method", "")) if isinstance(quantised, Mapping) else ""
        if method == "fp8":
            return "fp8_block" if quantised.get("weight_block_size") else "fp8"  # type: ignore[union-attr]
        if method == "mxfp4":
            return "mxfp4"
        if method in ("awq", "gptq", "compressed-tensors"):
            return "int4" if "4" in json.dumps(quantised) else "fp8"
        return "bf16"
