"""Lengths of answers and the cache they hold."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.serving.lengths import Empirical, LogNormal, mean_resident_context, resident_tokens


@given(mean=st.floats(10, 1e5), sigma=st.floats(0, 1.5))
def test_log_normal_of_a_mean_has_that_mean(mean, sigma):
    lengths = LogNormal.of_mean(mean, sigma)
    assert float(lengths.mean) == pytest.approx(mean)
    assert float(lengths.mean_square) >= mean**2 * (1 - 1e-9)


def test_equal_answers_are_half_written_on_average():
    assert float(mean_resident_context(1000, LogNormal(2000, 0))) == pytest.approx(2000)
    assert float(mean_resident_context(1000, Empirical(np.array([2000.0])))) == pytest.approx(2000)


def test_long_tails_hold_more_than_half_their_mean():
    # Simulated steps: every step of every answer counts once, at the context it has then.
    lengths = LogNormal.of_mean(2000, 1.0)
    drawn = lengths.sample(200_000, np.random.default_rng(0))
    by_step = (drawn * (drawn + 1) / 2).sum() / drawn.sum()
    assert float(mean_resident_context(0, lengths)) == pytest.approx(by_step, rel=0.05)
    assert float(mean_resident_context(0, lengths)) > 2000


def test_quantiles_of_both_kinds():
    assert float(LogNormal(1000, 0.7).quantile(0.5)) == pytest.approx(1000)
    assert float(Empirical(np.arange(1.0, 102)).quantile(0.5)) == pytest.approx(51)


@given(mean=st.floats(100, 1e5), sigma=st.floats(0.1, 2.5))
def test_share_of_tokens_up_to_a_length(mean, sigma):
    lengths = LogNormal.of_mean(mean, sigma)
    # half of all tokens are written by answers up to median exp(sigma^2), the median of the length-biased distribution
    at = float(lengths.median) * np.exp(sigma**2 + sigma * np.array([-30.0, 0.0, 1.6448536, 30.0]))
    np.testing.assert_allclose(lengths.share_of_tokens(at), [0, 0.5, 0.95, 1], atol=1e-6)


def test_share_of_tokens_against_draws_and_where_all_are_equal():
    lengths = LogNormal.of_mean(2000, 0.8)
    drawn = lengths.sample(400_000, np.random.default_rng(1))
    at = np.array([500.0, 2000.0, 8000.0])
    np.testing.assert_allclose(lengths.share_of_tokens(at), [drawn[drawn <= a].sum() / drawn.sum() for a in at], atol=0.01)
    np.testing.assert_allclose(LogNormal(2000, 0).share_of_tokens([1999, 2000, 2001]), [0, 1, 1])
    with pytest.raises(ValueError, match="length must be above 0"):
        lengths.share_of_tokens(0)


def test_shared_prefix_is_kept_once():
    assert float(resident_tokens(16, 8000, 500, True)) == 8000 + 16 * 500
    assert float(resident_tokens(16, 8000, 500, False)) == 16 * 8500
    assert float(resident_tokens(1, 8000, 500, True)) == float(resident_tokens(1, 8000, 500, False))


def test_bad_input():
    for call in (lambda: LogNormal(0, 1), lambda: LogNormal(10, -1), lambda: Empirical(np.array([])), lambda: resident_tokens(0, 1, 1)):
        with pytest.raises(ValueError):
            call()
