"""Blends against worked list prices."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.prices.blend import blended_usd_per_mtok, price_usd_per_mtok

PRICE = st.floats(1e-4, 1e3)


def test_deepseek_r1_and_gpt_4o_blends():
    # List prices of January 2025: R1 0.55 in, 0.14 cached, 2.19 out; GPT-4o 2.50 / 1.25 / 10.
    assert price_usd_per_mtok(0.55, 2.19) == pytest.approx(0.96, rel=1e-3)
    assert price_usd_per_mtok(0.55, 2.19, cached_usd_per_mtok=0.14, cache_hit_share=0.563) == pytest.approx(0.7869, rel=1e-3)
    assert price_usd_per_mtok(2.5, 10) == pytest.approx(4.375, rel=1e-3)
    assert price_usd_per_mtok(2.5, 10, cached_usd_per_mtok=1.25, cache_hit_share=0.5) == pytest.approx(3.906, rel=1e-3)


def test_named_blends_are_ratios():
    assert blended_usd_per_mtok(30, 60, 0) == 60
    assert blended_usd_per_mtok(30, 60, 1) == 45
    assert blended_usd_per_mtok(30, 60, 3) == 37.5


def test_no_cached_price_or_batch_service_means_list_price():
    got = price_usd_per_mtok([1.0, 1.0], [4.0, 4.0], cached_usd_per_mtok=[np.nan, 0.1], cache_hit_share=1.0, batch_factor=[np.nan, 0.5])
    assert got == pytest.approx([(3 * 1 + 4) / 4, 0.5 * (3 * 0.1 + 4) / 4])


def test_missing_list_price_stays_missing_and_inputs_are_not_changed():
    prices = np.array([np.nan, 2.0])
    assert np.isnan(price_usd_per_mtok(prices, 4.0)[0])
    assert np.isnan(prices[0]) and prices[1] == 2.0


@given(PRICE, PRICE, st.floats(0, 1e3))
def test_a_blend_lies_between_input_and_output(entry, exit_, ratio):
    assert (
        min(entry, exit_) * (1 - 1e-9) <= price_usd_per_mtok(entry, exit_, input_per_output_token=ratio) <= max(entry, exit_) * (1 + 1e-9)
    )


@given(PRICE, PRICE, st.floats(0, 1), st.floats(0, 1))
def test_more_cache_hits_never_cost_more(entry, exit_, low, high):
    low, high = sorted((low, high))
    few, many = (price_usd_per_mtok(entry, exit_, cached_usd_per_mtok=entry / 10, cache_hit_share=h) for h in (low, high))
    assert many <= few * (1 + 1e-12)


@pytest.mark.parametrize(
    ("kwargs", "words"),
    [
        ({"cache_hit_share": 1.4}, r"cache hit share must be in \[0, 1\], got 1.4"),
        ({"input_per_output_token": -1}, "input tokens per output token must be 0 or more, got -1"),
        ({"batch_factor": 2}, r"batch factor must be in \(0, 1\], got 2"),
    ],
)
def test_refusals_name_the_value(kwargs, words):
    with pytest.raises(ValueError, match=words):
        price_usd_per_mtok(1.0, 2.0, **kwargs)


def test_negative_price_is_refused():
    with pytest.raises(ValueError, match="input price must be 0 or more, got -3"):
        price_usd_per_mtok([1.0, -3.0], 2.0)
