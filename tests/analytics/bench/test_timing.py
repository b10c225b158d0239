"""Sampling and its summary, with a clock that is moved by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.bench.timing import StopRule, WallTimer, collect, relative_error_of_median, summarise


class Clock:
    """Seconds that pass only when told."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now

    def ns(self):
        return round(self.now * 1e9)


def sampler(clock, durations):
    left = iter(durations)

    def sample():
        seconds = next(left)
        clock.now += seconds
        return seconds

    return sample


def test_steady_samples_stop_at_the_least_count_and_time():
    clock = Clock()
    out = collect(sampler(clock, [0.01] * 1000), StopRule(min_samples=30, min_seconds=0.1), clock)
    assert len(out) == 30


def test_the_least_time_is_kept_when_samples_are_short():
    clock = Clock()
    out = collect(sampler(clock, [0.001] * 1000), StopRule(min_samples=30, min_seconds=0.1, max_samples=500), clock)
    assert sum(out) >= 0.1


def test_noise_goes_on_until_a_cap():
    clock = Clock()
    noisy = [0.001 if i % 2 else 0.01 for i in range(10_000)]
    assert len(collect(sampler(clock, noisy), StopRule(max_samples=200, max_seconds=100), clock)) == 200
    clock = Clock()
    out = collect(sampler(clock, [0.5] * 100), StopRule(max_seconds=2.0), clock)
    assert len(out) == 4  # the cap of seconds wins over the least count


def test_wall_timer_goes_round_the_input_sets():
    clock = Clock()
    seen = []

    def call(name):
        def run():
            seen.append(name)
            clock.now += 1e-4

        return run

    timer = WallTimer([call("a"), call("b"), call("c")], estimate_s=1e-4, block_s=5e-4, clock_ns=clock.ns)
    assert timer.repeats == 5
    assert timer.sample() == pytest.approx(1e-4, rel=1e-4)
    timer.sample()
    assert seen == list("abcabcabca")


@given(st.lists(st.floats(1e-7, 10), min_size=1, max_size=200))
def test_a_summary_is_ordered_and_within_its_samples(samples):
    summary = summarise(samples)
    ordered = [summary.min_us, summary.p10_us, summary.median_us, summary.p90_us, summary.max_us]
    assert all(low <= high * (1 + 1e-12) for low, high in zip(ordered, ordered[1:]))
    assert summary.n == len(samples)
    assert math.isclose(summary.min_us, min(samples) * 1e6) and math.isclose(summary.max_us, max(samples) * 1e6)


def test_drift_is_the_last_quarter_against_the_first():
    assert summarise([1.0] * 10 + [1.1] * 10).drift_rel == pytest.approx(0.1)


def test_error_of_the_median_of_normal_samples_is_near_the_formula():
    """Standard error of a median of n normal samples: 1.2533 sigma / sqrt(n)."""
    values = np.random.default_rng(1).normal(10, 0.1, 10_000)
    assert relative_error_of_median(values) == pytest.approx(1.2533 * 0.1 / 100 / 10, rel=0.05)
