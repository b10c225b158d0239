"""Telling dollars per token from dollars per million."""

import pytest

from analytics.prices.price_unit import likely_units, unit_warning


def test_shipped_prices_are_per_million():
    from data.shipped import frame

    prices = frame("api_prices")["output_usd_per_mtok"].to_numpy()
    assert likely_units(prices)[0] == "per million tokens"
    assert unit_warning(prices) == ""
    assert likely_units(prices / 1e6) == ["per token"]


@pytest.mark.parametrize(("price", "unit"), [(6e-5, "per token"), (2.5e-7, "per token"), (0.002, "per thousand tokens")])
def test_single_prices_below_any_sold_are_flagged(price, unit):
    assert f"dollars {unit}" in unit_warning([price])


def test_davinci_per_thousand_is_ambiguous_alone_but_known_in_a_column():
    # 0.06 could be a cheap model per million; beside 0.0004 (ada, per thousand) it cannot.
    assert unit_warning([0.06]) == ""
    assert "per thousand" in unit_warning([0.06, 0.0004])


def test_nothing_to_judge_and_nothing_that_fits():
    assert unit_warning([]) == "" and unit_warning([0, float("nan")]) == ""
    assert "fit no unit" in unit_warning([1e-12])
