"""Layouts, what fits, and the best of them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.serving.calibration import Calibration
from analytics.serving.chips import Chip
from analytics.serving.fleet import Deployment, Fleet
from analytics.serving.kernels import KernelTable
from analytics.serving.precision import Precision
from analytics.serving.run import Workload, steady_state
from analytics.serving.search import Limits, NoLayout, best, best_at_speeds, candidates, layouts, most_sequences, pareto
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
    with pytest.raises(ValueError, match="chips must be a whole number from 1"):
        layouts(SHAPES["DeepSeek-V3"], 0)


R1 = SHAPES["DeepSeek-R1"]
WORK = Workload(1024, 8192)


def fleet_of(shape, chip, sizes):
    kernels = KERNELS.setdefault("table", KernelTable.from_rows(shipped.rows("kernel_efficiency")))
    every = [Deployment(shape, chip, layout, Precision.of("fp8")) for n in sizes for layout in layouts(shape, n, chip.domain)]
    return Fleet(every, kernels, Calibration.from_rows(shipped.rows("serving_calibration")))


KERNELS: dict = {}


@pytest.fixture(scope="module")
def fleet():
    return fleet_of(R1, H200, (8, 16, 32))


@pytest.fixture(scope="module")
def found(fleet):
    return candidates(fleet, WORK)


def test_the_best_is_the_best_by_looking_at_all(fleet, found):
    at = best(fleet, found, Limits(tokens_per_s_per_user=30))
    allowed = found.tokens_per_s_per_user >= 30
    assert found.tokens_per_s_per_chip[at] == found.tokens_per_s_per_chip[allowed].max()


def test_shared_pools_are_the_steady_state(fleet):
    shared = candidates(fleet, WORK, pools="shared")
    state = steady_state(fleet, shared.which, shared.batch, WORK)
    np.testing.assert_allclose(shared.tokens_per_s_per_chip, state.output_tokens_per_s_per_chip)


def test_separate_pools_keep_up_with_each_other(fleet):
    split = candidates(fleet, WORK, pools="separate")
    decoding = split.batch * split.tokens_per_s_per_user / fleet.chips[split.which]  # output tokens per decoding chip
    np.testing.assert_allclose(split.tokens_per_s_per_chip * (1 + split.prefill_chips_per_chip), decoding)
    assert np.all(split.prefill_which >= 0)


def test_both_hold_every_candidate(fleet, found):
    parts = [candidates(fleet, WORK, pools=kind) for kind in ("shared", "separate")]
    assert found.size == sum(part.size for part in parts)
    with pytest.raises(ValueError, match="pools must be shared, separate or both"):
        candidates(fleet, WORK, pools="mixed")


def test_stricter_limits_never_serve_more(fleet, found):
    rates = [found.tokens_per_s_per_chip[best(fleet, found, Limits(tokens_per_s_per_user=v))] for v in (0, 20, 40, 60)]
    assert np.all(np.diff(rates) <= 0)


def test_every_candidate_fits(fleet, found):
    assert np.all(found.batch <= fleet.largest_batch(found.which, WORK.final_context))


def test_the_front_is_not_beaten(found):
    front = pareto(found)
    assert np.all(np.diff(found.tokens_per_s_per_user[front]) > 0)
    assert np.all(np.diff(found.tokens_per_s_per_chip[front]) < 0)
    for i in front:
        beats = (found.tokens_per_s_per_user >= found.tokens_per_s_per_user[i]) & (
            found.tokens_per_s_per_chip > found.tokens_per_s_per_chip[i]
        )
        assert not beats.any()


def test_cheaper_chips_win_when_rents_are_given(fleet, found):
    rents = np.where(fleet.chips == 16, 0.1, 10.0)
    assert fleet.chips[found.which[best(fleet, found, usd_per_chip_hour=rents)]] == 16


def test_limits_out_of_reach_name_the_best_there_is(fleet, found):
    fastest = found.tokens_per_s_per_user.max()
    with pytest.raises(NoLayout, match=rf"no layout reaches 3000 tok/s per user on this chip; the best is {fastest:.0f}"):
        best(fleet, found, Limits(tokens_per_s_per_user=3000))
    with pytest.raises(NoLayout, match="first token within 0.0001 s on this chip; the soonest is"):
        best(fleet, found, Limits(ttft_s=1e-4))
    with pytest.raises(NoLayout, match="no layout of 2 chips holds the model"):
        best(fleet, found, Limits(chips=2))
    with pytest.raises(NoLayout, match="no layout of 1 chip holds the model"):
        best(fleet, found, Limits(chips=1))


def test_a_model_that_fits_nowhere_says_what_is_short():
    small = fleet_of(R1, H100, (2,))
    with pytest.raises(NoLayout, match=r"no layout holds DeepSeek-R1 on this chip: needs \d+ more chips"):
        best(small, candidates(small, WORK))


def test_the_best_at_many_speeds_is_the_best_at_each(fleet, found):
    speeds = np.array([[0.0, 15, 30], [45, 60, 1e5]])
    at = best_at_speeds(found, speeds)
    assert at.shape == (2, 3)
    assert at[1, 2] == -1
    for speed, i in zip(speeds.flat, at.flat):
        if i >= 0:
            assert found.tokens_per_s_per_chip[i] == found.tokens_per_s_per_chip[best(fleet, found, Limits(float(speed)))]
    only = fleet.chips[found.which] == 16
    assert np.all(fleet.chips[found.which[best_at_speeds(found, 20.0, only)]] == 16)
    assert np.all(best_at_speeds(found, speeds, np.zeros(found.size, bool)) == -1)
    with pytest.raises(ValueError, match="speed of a user must be 0 tok/s or more, got nan"):
        best_at_speeds(found, float("nan"))


def test_bad_limits():
    with pytest.raises(ValueError, match="limits must be a speed of 0 or more"):
        Limits(ttft_s=0)
