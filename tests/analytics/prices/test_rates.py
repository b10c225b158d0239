"""Fold per year, halving time, steady trends."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.prices.rates import endpoint_fold_per_year, endpoint_rate, halving_months, trend_usd_per_mtok


@pytest.mark.parametrize(("fold", "months"), [(10, 3.612), (40, 2.255), (9, 3.786), (900, 1.223)])
def test_halving_time_of_published_rates(fold, months):
    assert halving_months(fold) == pytest.approx(months, rel=1e-3)


def test_a_thousand_fold_in_three_years():
    # The 1,200x of the claim; a16z's 1,000x (12 November 2024).
    assert endpoint_fold_per_year(1200, 3) == pytest.approx(10.63, rel=1e-3)
    assert halving_months(endpoint_fold_per_year(1200, 3)) == pytest.approx(3.52, rel=1e-3)
    assert endpoint_fold_per_year(1000, 3) == pytest.approx(10.0, rel=1e-3)


def test_deepseek_v3_on_the_tenfold_line():
    # GPT-4 at 30/60 on 2023-03-14; V3 at 0.27/1.10 from 2025-02-08, 697 days later.
    line = trend_usd_per_mtok(37.5, 10, 697 / 365.25)
    assert line == pytest.approx(0.4632, rel=2e-3)
    assert (3 * 0.27 + 1.10) / 4 / line == pytest.approx(1.031, rel=2e-3)


@given(st.floats(1.01, 1e4))
def test_half_the_price_after_the_halving_time(fold):
    assert trend_usd_per_mtok(8.0, fold, halving_months(fold) / 12) == pytest.approx(4.0, rel=1e-9)


def test_endpoint_rate_of_a_frontier():
    assert endpoint_rate([0, 365.25 * 3], [60.0, 0.05]) == pytest.approx(10.63, rel=1e-3)
    assert np.isnan(endpoint_rate([5, 5], [2.0, 1.0]))
    with pytest.raises(ValueError, match="two points or more, got 1"):
        endpoint_rate([0], [1.0])
    with pytest.raises(ValueError, match="price must be above 0, got 0"):
        endpoint_rate([0, 1], [1.0, 0.0])
