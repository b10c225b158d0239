"""The same model with another attention or without experts."""

import pytest

from analytics.serving.shapes import Shape
from analytics.serving.variants import ATTENTIONS, dense_of_active, dense_of_all, with_attention
from data import shipped

SHAPES = {row["model"]: Shape.from_row(row) for row in shipped.rows("models")}


def test_deepseek_v2_saves_what_it_says():
    # DeepSeek-V2, arXiv 2405.04434, table 1: the latent is as small as GQA with 2.25 groups; against MHA of 128 heads of 128.
    v2 = SHAPES["DeepSeek-V2"]
    own = v2.kv_bytes_per_token()
    assert with_attention(v2, "MLA").kv_bytes_per_token() == own
    assert own / (2 * 128 * 128 * v2.layers * 2) == pytest.approx(576 / 32_768)
    assert own / with_attention(v2, "GQA").kv_bytes_per_token() < 0.25


def test_an_attention_the_model_has_changes_nothing():
    llama = SHAPES["Llama-3.1-70B"]
    assert with_attention(llama, "GQA").kv_bytes_per_token() == llama.kv_bytes_per_token()
    assert with_attention(llama, "MHA").kv_bytes_per_token() == 8 * llama.kv_bytes_per_token()
    assert with_attention(llama, "MQA").kv_bytes_per_token() == llama.kv_bytes_per_token() / 8


def test_windows_only_save_past_their_length():
    llama = SHAPES["Llama-3.1-70B"]
    whole, sliding = with_attention(llama, "GQA"), with_attention(llama, "sliding")
    assert sliding.kv_bytes_per_sequence(4096) == whole.kv_bytes_per_sequence(4096)
    assert sliding.kv_bytes_per_sequence(65_536) == whole.kv_bytes_per_sequence(4096)


@pytest.mark.parametrize("name", sorted(SHAPES))
def test_every_model_can_be_given_every_attention(name):
    for kind in ATTENTIONS:
        assert with_attention(SHAPES[name], kind).kv_bytes_per_sequence(8192) > 0


@pytest.mark.parametrize("name", ["DeepSeek-V3", "Mixtral-8x7B", "Qwen3-235B-A22B"])
def test_dense_counterparts_have_the_parameters_they_stand_for(name):
    shape = SHAPES[name]
    assert dense_of_all(shape).total_params == pytest.approx(shape.total_params, rel=0.01)
    assert dense_of_active(shape).total_params == pytest.approx(shape.active_params, rel=0.01)


def test_bad_input():
    with pytest.raises(ValueError, match="attention must be one of MHA"):
        with_attention(SHAPES["Llama-3.1-8B"], "GQ")
    with pytest.raises(ValueError, match="has no experts"):
        dense_of_all(SHAPES["Llama-3.1-8B"])
