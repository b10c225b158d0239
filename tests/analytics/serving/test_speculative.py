"""Speculation: expected tokens, the batch at which it stops paying, and published figures."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.serving.calibration import Calibration
from analytics.serving.chips import Chip
from analytics.serving.fleet import Deployment, Fleet
from analytics.serving.kernels import KernelTable
from analytics.serving.layout import Layout
from analytics.serving.precision import Precision
from analytics.serving.shapes import Shape
from analytics.serving.speculative import best_draft, speculate, speed_up, tokens_per_verification, verify_step_s
from data import shipped


@pytest.fixture(scope="module")
def fleet():
    shapes = {row["model"]: Shape.from_row(row) for row in shipped.rows("models")}
    chips = {row["chip_id"]: Chip.from_row(row) for row in shipped.rows("chips") if row["chip_id"] in ("h100-sxm", "h800-sxm")}
    kernels = KernelTable.from_rows(shipped.rows("kernel_efficiency"))
    every = [
        Deployment(shapes["Llama-3.1-70B"], chips["h100-sxm"], Layout(tensor=8), Precision.of("fp8")),
        Deployment(shapes["DeepSeek-V3"], chips["h800-sxm"], Layout(data=144, expert=144), Precision.of("fp8")),
    ]
    return Fleet(every, kernels, Calibration.from_rows(shipped.rows("serving_calibration")))


def test_expected_tokens():
    np.testing.assert_allclose(tokens_per_verification([0.0, 0.8, 1.0], 4), [1, 3.3616, 5])
    # Leviathan et al., table 1: acceptance 0.8, five drafted tokens: 3.69 tokens a step
    assert float(tokens_per_verification(0.8, 5)) == pytest.approx(3.689, abs=1e-3)


@pytest.mark.parametrize(("a", "g"), [(0.5, 1), (0.8, 4), (0.95, 8)])
def test_expected_tokens_by_simulation(a, g):
    """Draft after draft is accepted until the first that is not; the check itself always yields one token more."""
    accepted = np.random.default_rng(3).random((100_000, g)) < a
    tokens = np.cumprod(accepted, axis=1).sum(axis=1) + 1
    assert float(tokens_per_verification(a, g)) == pytest.approx(tokens.mean(), rel=0.01)


@given(a=st.floats(0, 1), g=st.integers(0, 20))
def test_never_more_tokens_than_checked(a, g):
    assert 1 <= float(tokens_per_verification(a, g)) <= g + 1 + 1e-9


def test_free_drafts_and_checks_gain_every_token():
    assert speed_up(tokens_per_verification(0.7, 3), 3, 0.0, 1.0) == pytest.approx(2.533)


def test_multi_token_prediction_of_deepseek_v3(fleet):
    # DeepSeek-V3 technical report, section 5.4.3: second token accepted 85 to 90 % of the time, 1.8 times the tokens per second; the
    # batch is not given. On their 144-way decode layout, lightly loaded; latent attention turns compute-bound with load and eats the gain.
    said = speculate(fleet, 1, np.array([144, 144 * 128]), 4096, 0.87, 1)
    assert said.speed_up[0] == pytest.approx(1.8, abs=0.1)
    assert said.speed_up[1] < 1.3


def test_deepseek_r1_on_sixteen_h20():
    """Sixteen H20, expert-parallel, 32 sequences a chip of about 5,060 tokens, one drafted token, 1.92 accepted a step: 655 to 693 tok/s
    a chip in the scheduler's log (sgl-project/sglang pull 11854, 20 October 2025). Nothing was fitted on H20, latent attention or drafts.
    """
    shape = next(Shape.from_row(row) for row in shipped.rows("models") if row["model"] == "DeepSeek-R1")
    h20 = next(Chip.from_row(row) for row in shipped.rows("chips") if row["chip_id"] == "h20")
    kernels = KernelTable.from_rows(shipped.rows("kernel_efficiency"))
    own = Fleet(
        [Deployment(shape, h20, Layout(data=16, expert=16), Precision.of("fp8_block", "fp8"))],
        kernels,
        Calibration.from_rows(shipped.rows("serving_calibration"), "SGLang"),
    )
    said = speculate(own, 0, 32 * 16, 5_060, 0.92, 1)
    assert 32 * float(said.tokens_per_s_per_user) == pytest.approx(674, rel=0.15)
    # Absorbed latent attention has 242 FLOPs a cache byte in bf16, the chip's ridge is at 37: checking a second token is not free there.
    assert float(said.speed_up) < 1.3


def test_it_pays_at_small_batches_and_not_at_large(fleet):
    said = speculate(fleet, 0, np.array([1, 2048]), 512, 0.6, 4, 0.05)
    assert said.speed_up[0] > 1.3
    assert said.speed_up[1] < said.speed_up[0]
    drafts = best_draft(fleet, 0, np.array([1, 16384]), 128, 0.4, 0.1).draft_tokens
    assert drafts[0] > drafts[1]


def test_verifying_takes_at_least_a_plain_step(fleet):
    g = np.arange(9)
    for which in (0, 1):
        steps = verify_step_s(fleet, which, 16, 2048, g)
        assert np.all(np.diff(steps) >= -1e-12)
        assert steps[0] == pytest.approx(float(fleet.decode_step_s(which, 16, 2048)), rel=1e-6)


@given(acceptance=st.floats(0, 1), batch=st.integers(1, 512))
def test_the_best_draft_is_never_slower_than_none(fleet, acceptance, batch):
    assert float(best_draft(fleet, 0, batch, 1024, acceptance, 0.05).speed_up) >= 1 - 1e-9


def test_many_contexts_are_the_same_as_one_by_one(fleet):
    contexts = np.array([128.0, 4096, 60_000])
    many = speculate(fleet, np.array([[0], [1]]), 288, contexts, 0.8, 2).step_s
    assert many.shape == (2, 3)
    for i in range(2):
        for j in range(3):
            assert many[i, j] == pytest.approx(float(speculate(fleet, i, 288, contexts[j], 0.8, 2).step_s))


def test_bad_input():
    with pytest.raises(ValueError, match="acceptance must be from 0 to 1, got 1.2"):
        tokens_per_verification(1.2, 3)
    with pytest.raises(ValueError, match="draft tokens must be a whole number"):
        tokens_per_verification(0.5, 2.5)
    with pytest.raises(ValueError, match="acceptance must be from 0 to 1, got nan"):
        tokens_per_verification(float("nan"), 3)
    with pytest.raises(ValueError, match="draft tokens must be a whole number from 0 to 64, got 65"):
        tokens_per_verification(0.5, 65)
    with pytest.raises(ValueError, match="draft tokens must be a whole number from 0 to 64, got -1"):
        tokens_per_verification(0.5, -1)
