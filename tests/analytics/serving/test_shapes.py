"""Parameter counts, cache sizes and FLOPs of published models, and what is refused."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.serving import Precision, Shape

MODELS = list(csv.DictReader((Path(__file__).parents[3] / "data" / "sources" / "models.csv").open(newline="")))
SHAPES = {row["model"]: Shape.from_row(row) for row in MODELS}

LLAMA_8B = {
    "model_type": "llama",
    "num_hidden_layers": 32,
    "hidden_size": 4096,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "intermediate_size": 14336,
    "vocab_size": 128256,
    "tie_word_embeddings": False,
}


@pytest.mark.parametrize("row", MODELS, ids=lambda row: row["model"])
def test_parameters_agree_with_the_published_totals(row):
    shape = SHAPES[row["model"]]
    assert shape.total_params / 1e9 == pytest.approx(float(row["total_params_B"]), abs=0.006)
    assert shape.active_params / 1e9 == pytest.approx(float(row["active_params_B"]), abs=0.006)
    if row["published_total_B"]:  # model cards; text towers only, so vision encoders are missing from Gemma
        assert shape.total_params / 1e9 == pytest.approx(float(row["published_total_B"]), rel=0.04)


@pytest.mark.parametrize(
    ("model", "context", "kv", "want"),
    [
        ("Llama-3.1-8B", 1, "bf16", 131_072),
        ("Llama-3.1-70B", 1, "bf16", 327_680),
        ("Llama-3.1-405B", 1, "bf16", 516_096),
        ("Mixtral-8x22B", 1, "bf16", 229_376),
        ("Qwen3-235B-A22B", 1, "bf16", 192_512),
        ("DeepSeek-V3", 1, "bf16", 70_272),
        ("Kimi-K2", 1, "bf16", 70_272),
        ("DeepSeek-V3", 1, "fp8_mla", 40_016),  # FlashMLA README: 656 bytes a token and layer
        ("DeepSeek-V2-Lite", 1, "bf16", 31_104),
        ("GPT-3-175B", 1, "bf16", 4_718_592),
        ("Llama-3.1-70B", 1, "fp8", 163_840),
        ("gpt-oss-120b", 8192, "bf16", 306_708_480),
        ("Gemma-3-27B", 32768, "bf16", 3_120_562_176),
        ("Llama-4-Maverick", 131072, "bf16", 7_650_410_496),
        ("PaLM-540B", 1, "bf16", 120_832),  # multi-query
    ],
)
def test_kv_cache(model, context, kv, want):
    assert SHAPES[model].kv_bytes_per_sequence(context, kv) == want


def test_linear_state_is_constant_and_the_indexer_adds_a_key():
    hybrid = SHAPES["Qwen3-Next-80B-A3B"]
    state = 36 * (32 * 128 * 128 * 4 + 3 * 8192 * 2)  # fp32 state, bf16 convolution window
    assert hybrid.kv_bytes_per_sequence(0) == state
    assert hybrid.kv_bytes_per_sequence(1000) - state == 1000 * 24_576
    sparse = SHAPES["DeepSeek-V3.2"]
    assert sparse.kv_bytes_per_token() == 70_272 + 61 * 128


def test_weight_bytes_count_the_scales():
    gpt_oss = SHAPES["gpt-oss-120b"].weight_bytes(Precision.of("mxfp4"))
    assert gpt_oss / 1e9 == pytest.approx(65.2, rel=0.01)  # published checkpoint: 60.8 GiB (model card)
    r1 = SHAPES["DeepSeek-R1"].weight_bytes(Precision.of("fp8_block"))
    assert r1 / 1e9 == pytest.approx(673, rel=0.01)
    assert SHAPES["Llama-3.1-8B"].weight_bytes(Precision.of("bf16")) == pytest.approx(16_060_522_496, rel=1e-4)


def test_decode_flops_are_twice_the_active_weights_plus_attention():
    shape = SHAPES["Llama-3.1-8B"]
    core = 4 * 32 * 128 * 1024 * 32  # 4 H d S per layer
    assert shape.decode_flops(1024) == pytest.approx(2 * shape.active_params_without_input_embedding + core, rel=1e-9)
    v3 = SHAPES["DeepSeek-V3"]
    assert v3.decode_flops(4096) - v3.decode_flops(0) == 2 * 128 * 4096 * 1088 * 61


@given(st.integers(1, 20_000), st.integers(0, 20_000), st.sampled_from(sorted(SHAPES)))
def test_prefill_in_two_parts_costs_what_it_costs_in_one(first, second, model):
    shape = SHAPES[model]
    whole = shape.attention_flops(first + second)
    parts = shape.attention_flops(first) + (shape.attention_flops(second, first) if second else 0)
    assert whole == pytest.approx(parts, rel=1e-9)
    assert shape.prefill_flops(first + second, first if second else 0) <= shape.prefill_flops(first + second) * (1 + 1e-12)


@given(st.integers(1, 200_000), st.sampled_from(sorted(SHAPES)), st.sampled_from(["bf16", "fp8"]))
def test_cache_grows_with_context(context, model, kv):
    shape = SHAPES[model]
    sizes = shape.kv_bytes_per_sequence(np.array([context, context + 1]), kv)
    assert 0 < sizes[0] <= sizes[1]
    assert shape.kv_bytes_per_sequence(context, "fp8") <= shape.kv_bytes_per_sequence(context, "bf16")


def test_config_json_gives_the_same_shape_as_the_row():
    pasted = Shape.from_config_json(json.dumps(LLAMA_8B))
    assert pasted.total_params == SHAPES["Llama-3.1-8B"].total_params
    assert pasted.kv_bytes_per_token() == 131_072


CONFIGS = {
    "DeepSeek-V3.2": {
        "model_type": "deepseek_v32", "first_k_dense_replace": 3, "hidden_size": 7168, "index_head_dim": 128, "index_n_heads": 64,
        "index_topk": 2048, "intermediate_size": 18432, "kv_lora_rank": 512, "moe_intermediate_size": 2048, "moe_layer_freq": 1,
        "n_routed_experts": 256, "n_shared_experts": 1, "num_attention_heads": 128, "num_experts_per_tok": 8, "num_hidden_layers": 61,
        "num_key_value_heads": 128, "q_lora_rank": 1536, "qk_nope_head_dim": 128, "qk_rope_head_dim": 64, "v_head_dim": 128,
        "vocab_size": 129280, "tie_word_embeddings": False,
    },
    "gpt-oss-120b": {
        "model_type": "gpt_oss", "head_dim": 64, "hidden_size": 2880, "intermediate_size": 2880, "num_attention_heads": 64,
        "num_experts_per_tok": 4, "num_hidden_layers": 36, "num_key_value_heads": 8, "num_local_experts": 128, "sliding_window": 128,
        "vocab_size": 201088, "tie_word_embeddings": False, "layer_types": ["sliding_attention", "full_attention"] * 18,
    },
    "Llama-4-Maverick": {
        "text_config": {
            "model_type": "llama4_text", "attention_chunk_size": 8192, "head_dim": 128, "hidden_size": 5120, "interleave_moe_layer_step": 2,
            "intermediate_size": 8192, "intermediate_size_mlp": 16384, "num_attention_heads": 40, "num_experts_per_tok": 1,
            "num_hidden_layers": 48, "num_key_value_heads": 8, "num_local_experts": 128, "vocab_size": 202048, "tie_word_embeddings": False,
        }
    },
    "Mixtral-8x7B": {
        "model_type": "mixtral", "hidden_size": 4096, "intermediate_size": 14336, "num_attention_heads": 32, "num_experts_per_tok": 2,
        "num_hidden_layers": 32, "num_key_value_heads": 8, "num_local_experts": 8, "sliding_window": None, "vocab_size": 32000,
        "tie_word_embeddings": False,
    },
    "Gemma-3-27B": {
        "model_type": "gemma3", "text_config": {
            "model_type": "gemma3_text", "head_dim": 128, "hidden_size": 5376, "intermediate_size": 21504, "num_attention_heads": 32,
            "num_hidden_layers": 62, "num_key_value_heads": 16, "sliding_window": 1024, "sliding_window_pattern": 6, "vocab_size": 262208,
        },
    },
    "Qwen3-Next-80B-A3B": {
        "model_type": "qwen3_next", "decoder_sparse_step": 1, "full_attention_interval": 4, "head_dim": 256, "hidden_size": 2048,
        "intermediate_size": 5120, "linear_conv_kernel_dim": 4, "linear_key_head_dim": 128, "linear_num_key_heads": 16,
        "linear_num_value_heads": 32, "linear_value_head_dim": 128, "moe_intermediate_size": 512, "num_attention_heads": 16,
        "num_experts": 512, "num_experts_per_tok": 10, "num_hidden_layers": 48, "num_key_value_heads": 2,
        "shared_expert_intermediate_size": 512, "tie_word_embeddings": False, "vocab_size": 151936,
    },
    "MiniMax-M2": {
        "model_type": "minimax_m2", "head_dim": 128, "hidden_size": 3072, "intermediate_size": 1536, "num_attention_heads": 48,
        "num_experts_per_tok": 8, "num_hidden_layers": 62, "num_key_value_heads": 8, "num_local_experts": 256,
        "shared_intermediate_size": 0, "tie_word_embeddings": False, "vocab_size": 200064,
    },
}  # fmt: skip


@pytest.mark.parametrize("model", CONFIGS)
def test_families_of_config_json(model):
    pasted, known = Shape.from_config_json(CONFIGS[model], model), SHAPES[model]
    assert pasted.total_params == known.total_params
    assert pasted.active_params == known.active_params
    assert pasted.kv_bytes_per_sequence(20_000) == known.kv_bytes_per_sequence(20_000)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"num_hidden_layers": 10**9}, "num_hidden_layers must be at most 2,000, got 1,000,000,000"),
        ({"num_hidden_layers": 0}, "num_hidden_layers must be at least 1, got 0"),
        ({"hidden_size": -5}, "hidden_size must be a whole number of at least 0, got -5"),
        ({"hidden_size": "big"}, "hidden_size must be a whole number"),
        ({"hidden_size": float("nan")}, "hidden_size must be a whole number"),
        ({"num_key_value_heads": 5}, "heads must be a multiple of kv_heads, got 32 and 5"),
        ({"vocab_size": None}, "vocab_size is missing"),
        ({"num_local_experts": 8, "num_experts_per_tok": 9}, "top_k 9, experts 8"),
        ({"hybrid_override_pattern": "M-M*"}, "hybrid_override_pattern"),
    ],
)
def test_absurd_configurations_get_a_sentence(change, says):
    with pytest.raises(ValueError, match=says.replace("*", r"\*")):
        Shape.from_config_json({**LLAMA_8B, **change})


@pytest.mark.parametrize("text", ["", "{", "[1]", "null", '{"a": 1}'])
def test_what_is_not_a_configuration_gets_a_sentence(text):
    with pytest.raises(ValueError, match="config.json"):
        Shape.from_config_json(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("null", "got null"),
        ("[1]", "got a list"),
        ("true", "got true or false"),
        ('"x"', "got a text"),
        ("3", "got a number"),
        ('{"num_hidden_layers": true}', "got true"),
        ('{"num_hidden_layers": {"a": null}}', 'got {"a": null}'),
    ],
)
def test_what_was_pasted_is_named_in_words_of_json(text, said):
    with pytest.raises(ValueError) as wrong:
        Shape.from_config_json(text)
    assert str(wrong.value).endswith(said)


# config.json of state-spaces/mamba-2.8b, of its port to transformers, and of RWKV, without what does not matter here
STATE_SPACE = (
    {"d_model": 2560, "n_layer": 64, "vocab_size": 50277, "ssm_cfg": {}, "rms_norm": True},
    {"model_type": "mamba", "hidden_size": 2560, "num_hidden_layers": 64, "state_size": 16, "vocab_size": 50280},
    {"model_type": "rwkv", "hidden_size": 4096, "num_hidden_layers": 32, "attention_hidden_size": 4096, "vocab_size": 50277},
)


@pytest.mark.parametrize("config", STATE_SPACE)
def test_a_model_without_attention_is_told_that_it_is_no_transformer(config):
    with pytest.raises(ValueError, match="state-space or recurrent model, not a transformer") as wrong:
        Shape.from_config_json(config)
    assert "missing" not in str(wrong.value)


@pytest.mark.parametrize("text", ["[" * 19_000, '{"a":' * 3_000, '{"num_hidden_layers": ' + "9" * 5_000 + "}"])
def test_text_that_breaks_a_reader_of_json_gets_a_sentence(text):
    with pytest.raises(ValueError, match="config.json (is nested too deeply|holds a number of thousands of digits)"):
        Shape.from_config_json(text)


@pytest.mark.parametrize("given", [3, True, "x", 1.5])
def test_dense_layers_that_are_no_list_get_a_sentence(given):
    mixture = LLAMA_8B | {"num_experts": 8, "num_experts_per_tok": 2, "mlp_only_layers": given}
    with pytest.raises(ValueError, match="config.json: mlp_only_layers must be a list"):
        Shape.from_config_json(mixture)


def test_unknown_precisions_propose_the_nearest():
    with pytest.raises(ValueError, match="did you mean 'fp8'"):
        Precision.of("f8")
    with pytest.raises(ValueError, match="KV precision"):
        Precision.of("fp8", "fp99")
