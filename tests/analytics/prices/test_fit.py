"""Log-linear fits: known lines, intervals, errors in variables."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from analytics.prices.fit import deming_fold_per_year, errors_in_variables, fit_log_linear, why_no_rate


def test_two_points_a_leap_year_apart():
    # 37.5 on 2023-03-14, 3.75 on 2024-03-14: 366 days.
    fit = fit_log_linear([0, 366], [37.5, 3.75])
    assert 9.9 < fit.fold_per_year < 10.1 and fit.r_squared == pytest.approx(1)
    assert np.isnan(fit.fold_interval()).all() and np.isnan(fit.band([0.0])[0]).all()


def test_an_exact_line_is_found_with_no_doubt():
    days = np.arange(0, 2000, 100.0)
    fit = fit_log_linear(days, 60 / 8 ** (days / 365.25))
    assert fit.fold_per_year == pytest.approx(8) and fit.halving_months == pytest.approx(4)
    assert fit.fold_interval() == pytest.approx((8, 8)) and fit.price(days[3]) == pytest.approx(60 / 8 ** (300 / 365.25))


def test_textbook_regression():
    # x = 1..5 years, log10 P = 2, 1, 1.5, 0.5, 0: by hand slope -0.45, residual sum of squares 0.475, sxx 10.
    fit = fit_log_linear(np.arange(1, 6) * 365.25, 10.0 ** np.array([2, 1, 1.5, 0.5, 0]))
    assert fit.slope == pytest.approx(-0.45)
    assert fit.r_squared == pytest.approx(1 - 0.475 / 2.5)
    assert fit.residual_sd == pytest.approx(np.sqrt(0.475 / 3))
    low, high = fit.fold_interval(0.95)
    reach = 3.182446 * np.sqrt(0.475 / 3 / 10)
    assert (low, high) == pytest.approx((10 ** (0.45 - reach), 10 ** (0.45 + reach)), rel=1e-6)


@given(st.lists(st.tuples(st.integers(0, 3000), st.floats(0.01, 100)), min_size=4, max_size=30))
def test_properties_of_a_fit(points):
    days, prices = np.array([p[0] for p in points], float), np.array([p[1] for p in points])
    assume(np.unique(days).size >= 2)
    fit = fit_log_linear(days, prices)
    low, high = fit.fold_interval()
    assert low <= fit.fold_per_year <= high
    wide, narrow = fit.band(days, 0.95), fit.band(days, 0.5)
    assert (wide[0] <= narrow[0] * (1 + 1e-9)).all() and (narrow[1] <= wide[1] * (1 + 1e-9)).all()
    # Another currency or another start of the calendar changes no rate.
    assert fit_log_linear(days + 777, prices * 7.2).slope == pytest.approx(fit.slope, abs=1e-8)


@given(st.lists(st.floats(0.5, 2), min_size=5, max_size=20), st.floats(1e-3, 1e3))
def test_errors_in_variables_lie_in_order(noise, ratio):
    days = np.arange(len(noise)) * 90.0
    prices = 60 / 10 ** (days / 365.25) * np.array(noise)
    eiv = errors_in_variables(days, prices)
    assume(eiv.ols > 1)
    slack = 1 + 1e-9
    assert eiv.ols <= eiv.reduced_major_axis * slack and eiv.reduced_major_axis <= eiv.inverse_ols * slack
    deming = deming_fold_per_year(days, prices, ratio)
    assert eiv.ols <= deming * slack and deming <= eiv.inverse_ols * slack


def test_deming_with_the_ratio_of_spreads_is_the_reduced_major_axis():
    days, prices = np.array([0, 100, 250, 400.0]), np.array([10, 6, 4, 1.0])
    years, logs = days / 365.25, np.log10(prices)
    ratio = logs.var() / years.var()
    assert deming_fold_per_year(days, prices, ratio) == pytest.approx(errors_in_variables(days, prices).reduced_major_axis)


def test_a_flat_price_never_halves():
    fit = fit_log_linear([0, 100, 200, 300], [2, 2, 2, 2])
    assert fit.fold_per_year == 1 and fit.halving_months == float("inf") and fit.r_squared == 1


@pytest.mark.parametrize(
    ("days", "prices", "words"),
    [
        ([0, 0], [1, 2], "two different days, got 1"),
        ([0, 1], [1, 0], "price must be above 0, got 0"),
        ([0, 1, 2], [1, 2], "one length, got 3 and 2"),
        ([0, 1], [1, np.nan], "price must be above 0, got nan"),
    ],
)
def test_refusals(days, prices, words):
    with pytest.raises(ValueError, match=words):
        fit_log_linear(days, prices)


def test_fewer_than_four_records_get_no_rate_and_a_reason():
    assert why_no_rate(4) == ""
    assert why_no_rate(3) == "Only 3 price records reach this level; a rate needs 4."
    assert why_no_rate(0).startswith("No offer reaches this level")
