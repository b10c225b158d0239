"""Records of falling prices: order, ties, zeros."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.prices.frontier import frontier, lowest_in_force, record_scores

OFFERS = st.lists(st.tuples(st.integers(0, 50), st.sampled_from([0.0, 0.1, 0.5, 1.0, 2.0, 5.0, float("nan")])), max_size=40)


def test_only_strictly_cheaper_offers_enter():
    assert frontier([0, 1, 2, 3], [10, 10, 12, 9]).tolist() == [0, 3]


def test_of_one_day_only_the_cheapest():
    assert frontier([0, 0, 1], [5, 3, 4]).tolist() == [1]


def test_free_offers_never_enter():
    assert frontier([0, 1, 2], [4, 0, 3]).tolist() == [0, 2]
    assert frontier([], []).tolist() == []


@given(OFFERS)
def test_frontier_matches_its_definition(offers):
    days, prices = np.array([d for d, _ in offers], float), np.array([p for _, p in offers], float)
    records = set(frontier(days, prices).tolist())
    for i, (day, price) in enumerate(offers):
        earlier = [p for d, p in offers if d < day and p > 0]
        if i in records:
            assert price > 0 and all(price < p for p in earlier)
        elif price > 0:
            assert any(p <= price for p in earlier) or any(p <= price for d, p in offers if d == day and p > 0)


@given(OFFERS, st.integers(0, 39))
def test_leaving_out_an_offer_off_the_frontier_changes_nothing(offers, drop):
    days, prices = np.array([d for d, _ in offers], float), np.array([p for _, p in offers], float)
    records = frontier(days, prices)
    if drop >= len(offers) or drop in records:
        return
    kept = np.delete(np.arange(len(offers)), drop)
    assert (kept[frontier(days[kept], prices[kept])] == records).all()


def test_lowest_in_force_rises_when_an_offer_ends():
    got = lowest_in_force([-1, 0, 5, 10, 20], [0, 4], [np.nan, 10], [3.0, 1.0])
    np.testing.assert_array_equal(got, [np.nan, 3, 1, 3, 3])


def test_lengths_and_missing_days_are_refused():
    with pytest.raises(ValueError, match="one length, got 2 and 1"):
        frontier([0, 1], [1])
    with pytest.raises(ValueError, match="day must be a date"):
        frontier([np.nan], [1])


def test_the_best_of_its_day_only_gets_better():
    # A dearer better model enters, a cheaper equal one does not; of equal ones on a day the cheapest.
    assert record_scores([0, 1, 2, 3, 3], [0.3, 0.3, 0.5, 0.7, 0.7], [2, 1, 9, 8, 5]).tolist() == [0, 2, 4]
    assert record_scores([0, 1], [0.3, 0.9], [2, 0]).tolist() == [0]  # free offers never enter
    with pytest.raises(ValueError, match="days and scores must be of one length, got 2 and 1"):
        record_scores([0, 1], [0.3], [2, 1])


@given(OFFERS, st.data())
def test_scores_of_records_rise_strictly_and_end_at_the_best(offers, data):
    days, prices = np.array([d for d, _ in offers], float), np.array([p for _, p in offers], float)
    scores = np.array(data.draw(st.lists(st.floats(0, 1), min_size=len(offers), max_size=len(offers))), float)
    chosen = record_scores(days, scores, prices)
    assert (np.diff(scores[chosen]) > 0).all() and (np.diff(days[chosen]) > 0).all()
    if (prices > 0).any():
        assert scores[chosen].max() == scores[prices > 0].max()
