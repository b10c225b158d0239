"""Cache of a token and of a batch, against published configurations."""

import numpy as np
import pytest

from analytics.serving.cache import cache_bytes_per_token, cache_gb, latent_bytes_per_token
from analytics.serving.shapes import Shape
from data import shipped


@pytest.fixture(scope="module")
def shapes():
    return {row["model"]: Shape.from_row(row) for row in shipped.rows("models")}


def test_llama_405b_keeps_half_a_megabyte_a_token():
    # Llama 3.1 405B: 126 layers, 8 KV heads of 128 (The Llama 3 Herd of Models, table 3), bf16.
    assert cache_bytes_per_token(126, 8, 128, 2) == 516_096


def test_deepseek_v3_keeps_seventy_kilobytes_a_token():
    # 61 layers, kv_lora_rank 512, qk_rope_head_dim 64 (DeepSeek-V3 config.json), bf16.
    assert latent_bytes_per_token(61, 512, 64, 2) == 70_272


def test_formulas_agree_with_the_shape_of_every_model_without_local_layers(shapes):
    for shape in shapes.values():
        if shape.local_layers or shape.index_dim:
            continue
        layers = shape.layers - shape.linear_layers
        if shape.is_mla:
            shown = latent_bytes_per_token(layers, shape.mla_kv_lora, shape.mla_rope_dim, 2)
        else:
            shown = cache_bytes_per_token(layers, shape.kv_heads, (shape.head_dim + shape.width_v) / 2, 2)
        assert shown == shape.kv_bytes_per_token("bf16"), shape.name


def test_batch_scales_the_cache():
    np.testing.assert_allclose(cache_gb(np.array([1, 64]), 16_384, 516_096), [8.4557, 541.166], rtol=1e-4)
