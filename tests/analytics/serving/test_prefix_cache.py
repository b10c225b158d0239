"""Prefix caches against a simulated least-recently-used cache, and their limits."""

from collections import OrderedDict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.serving import prefix_cache


def simulate(rate, size, capacities, requests=20_000, seed=0):
    """Hits by tier of an exact least-recently-used stack, by tokens."""
    rng = np.random.default_rng(seed)
    picks = rng.choice(rate.size, requests, p=rate / rate.sum())
    stack: OrderedDict[int, float] = OrderedDict()
    bounds = np.cumsum(capacities)
    hit, asked, held = np.zeros(len(capacities)), 0.0, 0.0
    for step, k in enumerate(picks):
        counted = step > requests // 5
        asked += size[k] * counted
        depth, found = 0.0, None
        if k in stack:
            for other in reversed(stack):
                depth += size[other]
                if other == k:
                    break
            tier = int(np.searchsorted(bounds, depth))
            found = tier if tier < len(capacities) else None
        if found is not None:
            hit[found] += size[k] * counted
        held += 0.0 if k in stack else size[k]
        stack[k] = size[k]
        stack.move_to_end(k)
        while held > bounds[-1]:
            held -= stack.popitem(last=False)[1]
    return hit / asked


def test_against_a_simulated_cache():
    rate = prefix_cache.zipf(400, 0.9)
    size = np.random.default_rng(3).choice([500.0, 2000.0, 8000.0], 400)
    capacities = np.array([0.1, 0.2]) * size.sum()
    said = prefix_cache.hits_by_tier(rate, size, capacities)
    np.testing.assert_allclose(said.hit_share, simulate(rate, size, capacities), atol=0.03)


@given(items=st.integers(1, 300), exponent=st.floats(0, 2), shares=st.lists(st.floats(0, 0.6), min_size=1, max_size=3))
def test_shares_are_conserved(items, exponent, shares):
    rate = prefix_cache.zipf(items, exponent)
    said = prefix_cache.hits_by_tier(rate, 1000.0, np.array(shares) * items * 1000)
    assert float(said.hit_share.sum() + said.miss_share) == pytest.approx(1)
    assert np.all(said.hit_share >= -1e-9)
    assert np.all(said.keeps_s[1:] >= said.keeps_s[:-1])


@given(small=st.floats(0.01, 0.5), more=st.floats(0.01, 0.5))
def test_a_larger_cache_never_misses_more(small, more):
    rate = prefix_cache.zipf(100, 1.0)
    misses = [prefix_cache.hits_by_tier(rate, 1.0, c * 100).miss_share for c in (small, small + more)]
    assert misses[1] <= misses[0] + 1e-9


@given(seed=st.integers(0, 2**31), exponent=st.floats(0.2, 1.8))
def test_an_interpolated_cache_is_the_solved_one(seed, exponent):
    """Held tokens at the time given equal the capacity, and hits are those of that time."""
    rng = np.random.default_rng(seed)
    rate, size = prefix_cache.zipf(200, exponent) * 3, rng.uniform(100, 5000, 200)
    said = prefix_cache.hits_by_tier(rate, size, rng.uniform(0.01, 0.3, (50, 3)) * size.sum())
    many = said.keeps_s[np.isfinite(said.keeps_s)]
    chance = prefix_cache.held_chance(rate, many[:, None])
    reach = np.cumsum(said.hit_share, axis=-1)[np.isfinite(said.keeps_s)]
    np.testing.assert_allclose(chance @ (rate * size) / (rate * size).sum(), reach, rtol=2e-3)


def test_many_capacities_are_the_same_as_one_by_one():
    rate = prefix_cache.zipf(100, 0.8)
    capacities = np.array([[10.0, 20.0], [0.0, 50.0], [200.0, 0.0]])
    many = prefix_cache.hits_by_tier(rate, 1.0, capacities)
    for i, capacity in enumerate(capacities):
        one = prefix_cache.hits_by_tier(rate, 1.0, capacity)
        np.testing.assert_allclose(many.hit_share[i], one.hit_share)
        assert float(many.miss_share[i]) == pytest.approx(float(one.miss_share))


def test_many_prefixes_in_classes_are_close_to_each_counted():
    rate = prefix_cache.zipf(20_000, 0.9)
    held = 0.1 * rate.size
    said = prefix_cache.hits_by_tier(rate, 1.0, held)
    low, high = 1.0, 1e9  # the turnover time by bisection over every prefix
    for _ in range(80):
        middle = np.sqrt(low * high)
        low, high = (middle, high) if prefix_cache.held_chance(rate, middle).sum() < held else (low, middle)
    assert float(said.miss_share) == pytest.approx(float(1 - rate @ prefix_cache.held_chance(rate, low)), abs=2e-4)


def test_everything_fits():
    said = prefix_cache.hits_by_tier(prefix_cache.zipf(10, 1), 100.0, 1000.0)
    assert said.miss_share == 0
    assert said.keeps_s[0] == np.inf


def test_tiers_hold_what_their_bytes_hold():
    # Llama 3.1 70B keeps 327,680 B a token in bf16: a terabyte of host memory holds 3.05 million tokens.
    np.testing.assert_allclose(prefix_cache.tier_tokens([1e12, 1e11], 327_680, [0, 400_000]), [3_051_758, 0], rtol=1e-6)


def test_a_disk_slower_than_computing_is_left_alone():
    fetch = prefix_cache.fetch_s_per_token(327_680, np.array([3e12, 50e9, 0.5e9]))
    said = prefix_cache.saving([0.3, 0.2, 0.2], 4000, 5000, 1e-4, fetch)
    assert said.worth_it.tolist() == [True, True, False]
    assert float(said.prefill_share) == pytest.approx(1 - 0.5 * 0.8)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: prefix_cache.zipf(0, 1), "prefixes must be a whole number from 1"),
        (lambda: prefix_cache.hits_by_tier([0.0], 1, 1), "requests per second of a prefix must be above 0"),
        (lambda: prefix_cache.hits_by_tier([1.0], 1, -1), "capacity of a tier"),
        (lambda: prefix_cache.hits_by_tier([], 1, 1), "one list of at least one prefix"),
        (lambda: prefix_cache.hits_by_tier([1.0], 1, []), "at least one tier"),
        (lambda: prefix_cache.hits_by_tier([1.0], 0, 1), "length of a prefix must be above 0"),
        (lambda: prefix_cache.hits_by_tier([1.0], 1, float("nan")), "capacity of a tier"),
        (lambda: prefix_cache.zipf(10, -1), "exponent of popularity must be from 0 to 5"),
        (lambda: prefix_cache.saving([0.5], 1, 2, 1e-4, -1), "time of fetching a token must be 0 s or more"),
        (lambda: prefix_cache.saving([1.2], 1, 2, 1e-4, 0), "hit share must be from 0 to 1"),
        (lambda: prefix_cache.saving([0.6, 0.6], 1, 2, 1e-4, [0, 0]), "sum of hit shares"),
        (lambda: prefix_cache.saving([0.6], 3, 2, 1e-4, [0]), "shared prefix"),
    ],
)
def test_bad_input(call, said):
    with pytest.raises(ValueError, match=said):
        call()
