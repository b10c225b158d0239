"""Layouts, what fits, and the best of them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.serving.chips import Chip
from analytics.serving.precision import Precision
from analytics.serving.search import layouts, most_sequences
from analytics.serving.shapes import Shape
from data import shipped

SHAPES = {row["model"]: Shape.from_row(row) for row in shipped.rows("models")}
CHIPS = {row["chip_id"]: row for row in shipped.rows("chips")}
H100 = Chip.from_row(CHIPS["h100-sxm"])
H200 = Chip.from_row(CHIPS["h200-sxm"])


@given(chips=st.integers(1, 144), name=st.sampled_from(["Llama-3.1-405B", "DeepSeek-V3", "Mixtral-8x7B"]))
def test_every_layout_uses_exactly_the_chips(chips, name):
    for layout in layouts(SHAPES[name], chips, domain=8):
        assert layout.chips == chips
        assert layout.tensor <= 8
        assert layout.problem(SHAPES[name]) is None


def test_latent_attention_is_held_best_by_splitting_conversations():
    users, words = most_sequences(SHAPES["DeepSeek-V3"], H200, 16, Precision.of("fp8", "bf16"), [4096])
    assert users[0] > 0
    assert "DP" in words[0]  # a tensor rank keeps the whole latent, so splitting heads saves no cache


def test_bf16_weights_of_405b_do_not_fit_eight_h100():
    users, words = most_sequences(SHAPES["Llama-3.1-405B"], H100, 8, Precision.of("bf16"), [1024])
    assert users[0] == 0
    assert words == [""]


@given(context=st.floats(1, 1e6), factor=st.floats(1, 8))
def test_longer_conversations_never_let_more_users_fit(context, factor):
    users, _ = most_sequences(SHAPES["Llama-3.1-70B"], H100, 8, Precision.of("fp8"), [context, context * factor])
    assert users[1] <= users[0]


def test_more_chips_never_hold_fewer():
    held = [most_sequences(SHAPES["Qwen3-235B-A22B"], H100, n, Precision.of("fp8"), [8192])[0][0] for n in (4, 8, 16, 32)]
    assert np.all(np.diff(held) >= 0)


def test_no_chips_is_refused():
    with pytest.raises(ValueError, match="chips must be at least 1, got 0"):
        layouts(SHAPES["DeepSeek-V3"], 0)
