"""Curves of several levels from a common start, and the rate of all of them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.prices.fit import errors_in_variables
from analytics.prices.pooled import DAYS_PER_MONTH, pooled_curves
from analytics.prices.rates import halving_months

RUNS = st.lists(st.tuples(st.integers(0, 900), st.sampled_from([0.01, 0.1, 0.5, 2.0]), st.floats(0, 1)), min_size=1, max_size=30)


def test_a_curve_starts_at_one_and_steps_when_a_cheaper_run_comes():
    made = pooled_curves([0, 100, 100], [8.0, 2.0, 1.0], [0.5, 0.4, 0.6], [0.3, 0.55], until_day=190)
    low, high = made.level == 0, made.level == 1
    assert made.days[low] == pytest.approx(np.arange(7) * DAYS_PER_MONTH)
    assert made.ratio[low].tolist() == [1, 1, 1, 1, 1 / 8, 1 / 8, 1 / 8]
    assert made.days[high].size == 3 and (made.ratio[high] == 1).all()  # from its own first day, 90 days before the end


def test_a_steady_halving_is_found_by_all_three_lines():
    days = np.arange(0, 25) * DAYS_PER_MONTH
    made = pooled_curves(days, 2.0 ** -np.arange(25), np.full(25, 0.5), [0.1, 0.5], until_day=days[-1])
    lines = errors_in_variables(made.days, made.ratio)
    for fold in (lines.ols, lines.reduced_major_axis, lines.inverse_ols):
        assert halving_months(fold) == pytest.approx(1, rel=1e-9)


def test_levels_nothing_reaches_and_later_runs_have_no_samples():
    assert pooled_curves([0], [1.0], [0.2], [0.3], until_day=100).days.size == 0
    assert pooled_curves([200], [1.0], [0.9], [0.3], until_day=100).days.size == 0


@pytest.mark.parametrize("cost", [[0.0], [-1.0]])
def test_costs_of_zero_or_less_are_refused(cost):
    with pytest.raises(ValueError, match="cost must be"):
        pooled_curves([0], cost, [0.5], [0.1], until_day=10)


def test_lengths_must_agree():
    with pytest.raises(ValueError, match="of one length, got 2, 1 and 1"):
        pooled_curves([0, 1], [1.0], [0.5], [0.1], until_day=10)


@given(RUNS, st.integers(0, 1000))
def test_ratios_never_rise_nor_exceed_one(runs, until):
    days, cost, score = (np.array(column, float) for column in zip(*runs))
    made = pooled_curves(days, cost, score, [0.0, 0.5, 0.9], until_day=until)
    assert ((made.ratio > 0) & (made.ratio <= 1)).all() and (made.days >= 0).all()
    for level in np.unique(made.level):
        own = made.level == level
        assert (np.diff(made.ratio[own]) <= 0).all() and (np.diff(made.days[own]) > 0).all()
