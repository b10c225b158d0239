"""Chains of steps: compounding, checks, retries and a growing context, against a simulation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.serving import agents

share = st.floats(0, 1)


def test_ninety_nine_percent_a_step_is_a_third_after_a_hundred():
    assert agents.chain_reliability(0.99, 100) == pytest.approx(0.366, abs=1e-3)
    assert agents.step_reliability_needed(0.9, 100) == pytest.approx(0.99895, abs=1e-5)
    assert float(agents.agent_run(100, 0.99, output_per_step=500).solved) == pytest.approx(0.366, abs=1e-3)


def test_context_of_a_chain_adds_up():
    run = agents.agent_run(4, 1.0, output_per_step=100, start_context=1000, observation_per_step=400)
    assert float(run.input_tokens) == 1000 + 1500 + 2000 + 2500
    assert float(run.output_tokens) == 400
    assert float(run.cached_tokens) == 7000 - 1000 - 3 * 400
    assert float(run.final_context) == 2500


def test_against_a_simulation():
    rng = np.random.default_rng(1)
    k, r, d, f, m, n = 6, 0.8, 0.7, 0.1, 2, 40_000
    alive, good, tries = np.ones(n, bool), np.ones(n, bool), np.zeros(n)
    for _ in range(k):
        passed = np.zeros(n, bool)
        for _ in range(m + 1):
            trying = alive & ~passed
            tries += trying
            right = rng.random(n) < r
            accepted = trying & np.where(right, rng.random(n) >= f, rng.random(n) >= d)
            good &= ~(accepted & ~right)
            passed |= accepted
        alive &= passed
    run = agents.agent_run(k, r, output_per_step=1, detects_wrong=d, rejects_right=f, retries=m)
    assert float(run.solved) == pytest.approx((alive & good).mean(), abs=0.01)
    assert float(run.stopped) == pytest.approx((~alive).mean(), abs=0.01)
    assert float(run.output_tokens) == pytest.approx(tries.mean(), rel=0.01)


@given(k=st.integers(1, 60), r=share, d=share, f=share, m=st.integers(0, 5))
def test_chances_are_chances(k, r, d, f, m):
    run = agents.agent_run(k, r, output_per_step=10, detects_wrong=d, rejects_right=f, retries=m)
    assert 0 <= float(run.solved) <= 1
    assert -1e-12 <= float(run.stopped) <= 1
    assert float(run.solved) + float(run.stopped) <= 1 + 1e-9
    assert 0 <= float(run.cached_tokens) <= float(run.input_tokens)


@given(r=share, d=share, m=st.integers(0, 4))
def test_another_retry_never_solves_less(r, d, m):
    runs = agents.agent_run(10, r, output_per_step=10, detects_wrong=d, retries=np.array([m, m + 1]))
    assert runs.solved[1] >= runs.solved[0] - 1e-12


def test_bad_input():
    with pytest.raises(ValueError, match="steps must be a whole number from 1"):
        agents.agent_run(0, 0.9, output_per_step=1)
    with pytest.raises(ValueError, match="step reliability must be from 0 to 1, got 1.4"):
        agents.agent_run(3, 1.4, output_per_step=1)
    with pytest.raises(ValueError, match="retries"):
        agents.agent_run(3, 0.9, output_per_step=1, retries=-1)
