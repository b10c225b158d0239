"""Cost of tasks: the ARC-AGI runs of o3, frontiers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.prices.tasks import (
    cost_frontier,
    cost_per_solved_usd,
    marginal_cost_per_solved_usd,
    task_cost_usd,
    tokens_per_sample,
    usd_per_mtok_of_run,
)


def test_o3_on_arc_agi():
    # ARC Prize, o3 report of 20 December 2024: 100 tasks, 33M tokens and $2,012 at 6 samples; 5.7B tokens at 1,024 samples.
    assert tokens_per_sample(33e6, 100, 6) == 55_000
    assert tokens_per_sample(5.7e9, 100, 1024) == pytest.approx(55_664, abs=1)
    assert usd_per_mtok_of_run(2012, 33e6) == pytest.approx(60.97, abs=0.01)
    assert cost_per_solved_usd(20.12, 0.757) == pytest.approx(26.6, abs=0.05)
    assert cost_per_solved_usd(172 * 20.12, 0.875) == pytest.approx(3955, abs=1)
    assert marginal_cost_per_solved_usd(20.12, 0.757, 172 * 20.12, 0.875) == pytest.approx(29_157, rel=1e-3)


def test_cost_of_an_o1_answer():
    # o1 at 15 / 60: 2,000 in and 10,000 out.
    assert task_cost_usd(2_000, 15, 10_000, 60) == pytest.approx(0.63)


@given(st.lists(st.tuples(st.sampled_from([0.0, 0.1, 1.0, 10.0, 50.0]), st.sampled_from([0.0, 0.2, 0.5, 0.9, float("nan")])), max_size=25))
def test_no_system_beats_the_frontier(points):
    cost, score = np.array([p[0] for p in points], float), np.array([p[1] for p in points], float)
    best = cost_frontier(cost, score)
    assert (np.diff(score[best]) > 0).all() and (cost[best] > 0).all()
    for c, s in points:
        if c > 0 and np.isfinite(s):
            assert any(cost[i] <= c and score[i] >= s for i in best)
