"""What a rank holds in each layout, and layouts that cannot be."""

import pytest

from analytics.serving import Deployment, Layout, Precision
from analytics.serving.layout import rank_kv_bytes, rank_weight_bytes


def test_tensor_parallel_splits_weights_and_heads_until_heads_run_out(shipped):
    llama = shipped.shapes["Llama-3.1-70B"]
    bf16 = Precision.of("bf16")
    whole = rank_weight_bytes(llama, Layout(), bf16)
    assert whole == pytest.approx(llama.weight_bytes(bf16))
    assert rank_weight_bytes(llama, Layout(tensor=8), bf16) == pytest.approx(whole / 8)
    token = llama.kv_bytes_per_token("bf16")
    assert rank_kv_bytes(llama, Layout(tensor=8), bf16, 1) == token / 8
    assert rank_kv_bytes(llama, Layout(tensor=16), bf16, 1) == token / 8  # 8 KV heads: replicated from there on


def test_latent_cache_is_replicated_by_tensor_and_split_by_pipeline(shipped):
    v3 = shipped.shapes["DeepSeek-V3"]
    fp8 = Precision.of("fp8_block", "bf16")
    assert rank_kv_bytes(v3, Layout(tensor=8), fp8, 100) == 100 * 70_272
    assert rank_kv_bytes(v3, Layout(pipeline=2), fp8, 100) == 50 * 70_272


def test_experts_spread_over_the_whole_stage(shipped):
    v3 = shipped.shapes["DeepSeek-V3"]
    fp8 = Precision.of("fp8_block")
    narrow, wide = (rank_weight_bytes(v3, Layout(data=n, expert=n), fp8) for n in (8, 64))
    experts = v3.moe_layers * v3.experts * v3.expert_params * fp8.bytes_of("experts")
    assert narrow - wide == pytest.approx(experts * (1 / 8 - 1 / 64))
    split = rank_weight_bytes(v3, Layout(tensor=8, expert=1), fp8)  # tensor ranks split each expert instead
    assert split < narrow


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"tensor": 0}, "tensor must be a whole number from 1"),
        ({"tensor": 2.5}, "got 2.5"),
        ({"tensor": 4, "expert": 8}, "expert must divide tensor x data, got 8 and 4 x 1"),
        ({"exchange": "mail"}, "exchange must be auto, gather or all_to_all"),
        ({"expert_imbalance": 0.5}, "expert_imbalance is a maximum over a mean"),
        ({"prefill_imbalance": float("nan")}, "prefill_imbalance"),
    ],
)
def test_impossible_layouts_get_a_sentence(arguments, says):
    with pytest.raises(ValueError, match=says):
        Layout(**arguments)


def test_layouts_a_shape_does_not_allow(shipped):
    llama, chip = shipped.shapes["Llama-3.1-8B"], shipped.chips["h100-sxm"]
    for layout, says in (
        (Layout(tensor=64), "at least as many heads"),
        (Layout(pipeline=64), "as many layers"),
        (Layout(data=2, expert=2), "no experts"),
    ):
        with pytest.raises(ValueError, match=says):
            Deployment(llama, chip, layout, Precision.of("bf16"))


def test_what_does_not_fit_says_what_is_short(shipped):
    big = Deployment(shipped.shapes["Llama-3.1-405B"], shipped.chips["h100-sxm"], Layout(tensor=8), Precision.of("bf16"))
    assert big.shortage(1, 1000).startswith("needs 3 more chips")  # 812 GB of weights: 11 chips of 80 GB
    small = Deployment(shipped.shapes["Llama-3.1-8B"], shipped.chips["h100-sxm"], Layout(), Precision.of("bf16"))
    assert small.shortage(1, 1000) == ""
    assert "1 more chip " in small.shortage(1, 600_000)
