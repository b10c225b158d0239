"""The $200 plan under heavy-tailed use."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.prices.subscription import break_even_queries, mean_queries, plan_account


def test_break_even_of_the_200_dollar_plan():
    # o1 at 15/60 with 2,000 in and 10,000 out costs 0.63 at list; o1-pro at 150/600 ten times that.
    assert break_even_queries(200, 1, 0.63) == pytest.approx(317, abs=1)
    assert break_even_queries(200, 0.25, 0.63) == pytest.approx(1270, abs=1)
    assert break_even_queries(200, 1, 6.3) == pytest.approx(31.7, abs=0.1)


def test_spread_of_use_decides():
    account = plan_account(200, 0.1575, 300, np.array([1.0, 2.0]))
    assert account.mean_use == pytest.approx([494.6, 2216.7], rel=1e-3)
    assert account.cost_usd == pytest.approx([77.9, 349.1], rel=1e-3)
    assert account.profit_usd[0] > 0 > account.profit_usd[1]


def test_shares_match_a_simulation():
    rng = np.random.default_rng(7)
    use = rng.lognormal(np.log(300), 1.5, 400_000)
    account = plan_account(200, 0.1575, 300, 1.5)
    cost = 0.1575 * use
    assert account.losing_share == pytest.approx((cost > 200).mean(), abs=3e-3)
    assert account.losing_cost_share == pytest.approx(cost[cost > 200].sum() / cost.sum(), abs=0.02)
    assert account.loss_usd == pytest.approx(np.maximum(0, cost - 200).mean(), rel=0.05)


@given(st.floats(1, 1e3), st.floats(0.001, 10), st.floats(1, 1e4), st.floats(0, 3))
def test_loss_is_at_least_the_mean_loss_and_shares_are_shares(plan, cost, median, sd):
    account = plan_account(plan, cost, median, sd)
    assert account.loss_usd >= max(0, -account.profit_usd) * (1 - 1e-9) - 1e-9
    assert 0 <= account.losing_share <= account.losing_cost_share + 1e-9 <= 1 + 1e-6
    assert mean_queries(median, sd) >= median


def test_no_spread_means_everybody_is_the_median():
    assert plan_account(200, 1.0, 100, 0).losing_share == 0 and plan_account(200, 1.0, 300, 0).losing_share == 1


def test_refusals():
    with pytest.raises(ValueError, match="spread of use must be 0 or more, got -1"):
        plan_account(200, 1, 300, -1)
    with pytest.raises(ValueError, match="cost of a query must be above 0, got 0"):
        plan_account(200, 0, 300, 1)
