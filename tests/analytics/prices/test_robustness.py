"""Leaving models out, and the test of a price against a trend."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.prices.fit import fit_log_linear
from analytics.prices.frontier import frontier
from analytics.prices.robustness import leave_one_model_out, trend_test

DAYS = np.arange(0, 1000, 100.0)
PRICES = 60 / 10 ** (DAYS / 365.25) * np.array([1, 1.3, 0.8, 1.1, 0.9, 1.2, 0.7, 1.0, 1.15, 0.9])


def test_leaving_out_a_holder_is_a_refit_without_all_its_offers():
    models = np.array(list("abcdefghia"))
    result = leave_one_model_out(DAYS, PRICES, models)
    kept = models != "a"
    direct = fit_log_linear(DAYS[kept], np.minimum.accumulate(PRICES[kept]))
    assert list(result.models)[0] == "a" and np.isfinite(result.fold_per_year).all()
    assert result.n[0] <= 8
    assert result.fold_per_year[0] == pytest.approx(direct.fold_per_year, rel=0.2)
    low, high = result.fold_range
    assert low <= fit_log_linear(DAYS, PRICES).fold_per_year * 1.05 and high >= low


def test_too_few_records_left_gives_no_rate():
    result = leave_one_model_out(DAYS[:4], [4, 3, 2, 1], list("abcd"))
    assert np.isnan(result.fold_per_year).all() and (result.n == 3).all()
    assert np.isnan(result.fold_range).all()


def test_a_price_on_and_far_from_a_line():
    line = fit_log_linear(DAYS, PRICES)
    on = trend_test(line, 1000, float(line.price(1000)))
    assert on.ratio == pytest.approx(1) and on.p == pytest.approx(1) and on.verdict() == "on the trend"
    assert trend_test(line, 1000, on.expected / 10).verdict() == "below the trend"
    assert trend_test(line, 1000, on.expected * 10).verdict() == "above the trend"


@given(st.floats(0.02, 50), st.sampled_from([0.5, 0.8, 0.9, 0.95]))
def test_the_verdict_is_the_prediction_interval(factor, level):
    line = fit_log_linear(DAYS, PRICES)
    price = float(line.price(1200)) * factor
    low, high = line.band(1200.0, level)
    inside = low <= price <= high
    assert (trend_test(line, 1200, price).verdict(level) == "on the trend") == inside


def test_refusals():
    with pytest.raises(ValueError, match="three points on it or more, got 2"):
        trend_test(fit_log_linear([0, 10], [2, 1]), 20, 1)
    with pytest.raises(ValueError, match="price must be above 0, got 0"):
        trend_test(fit_log_linear(DAYS, PRICES), 20, 0)


@given(st.lists(st.tuples(st.integers(0, 400), st.floats(0.01, 50), st.sampled_from("abcde")), min_size=1, max_size=40))
def test_each_refit_is_the_frontier_of_the_rest(offers):
    days, prices, models = (np.array(column) for column in zip(*offers))
    result = leave_one_model_out(days, prices, models)
    for model, n in zip(result.models, result.n):
        assert frontier(days[models != model], prices[models != model]).size == n
