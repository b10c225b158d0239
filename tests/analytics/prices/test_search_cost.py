"""A model in every search, as published in 2023 and at later prices."""

import pytest

from analytics.prices.search_cost import (
    MORGAN_STANLEY_QUERIES_PER_YEAR,
    SEMIANALYSIS_QUERIES_PER_S,
    SEMIANALYSIS_USD_PER_QUERY,
    search_usd_per_year,
)
from analytics.prices.tasks import task_cost_usd


def test_the_36_billion_of_semianalysis():
    # SemiAnalysis, "The Inference Cost of Search Disruption", 9 February 2023: 320,000 queries/s at 0.36 cents, $36B a year.
    assert search_usd_per_year(SEMIANALYSIS_QUERIES_PER_S, SEMIANALYSIS_USD_PER_QUERY) == pytest.approx(36.3e9, rel=2e-3)


@pytest.mark.parametrize(
    ("entry", "exit_", "cents", "billions"), [(30, 60, 6.6, 666), (0.15, 0.60, 0.0435, 4.39), (0.05, 0.40, 0.0215, 2.17)]
)
def test_1500_in_350_out_at_list_prices(entry, exit_, cents, billions):
    # GPT-4 (March 2023), GPT-4o mini (July 2024), GPT-5 nano (August 2025).
    query = task_cost_usd(1500, entry, 350, exit_)
    assert query * 100 == pytest.approx(cents, rel=2e-3)
    assert search_usd_per_year(320_000, query) / 1e9 == pytest.approx(billions, rel=2e-3)


def test_the_volume_is_disputed_threefold():
    disputed = SEMIANALYSIS_QUERIES_PER_S * 365 * 86_400 / MORGAN_STANLEY_QUERIES_PER_YEAR
    assert disputed == pytest.approx(3.06, abs=0.01)
