"""Queueing formulas against an event simulation, Little's law and conservation."""

import heapq

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.serving import load

STEPS = 0.010 + 0.0004 * np.arange(1, 65)  # 10 ms to read weights and 0.4 ms a sequence
PREFILL, LENGTH = 0.05, 200.0


def simulate(rate, steps, prefill, length, requests, seed=0, fixed=False):
    """Continuous batching, event by event: prompts go first, one at a time; then one decode step of all admitted."""
    rng = np.random.default_rng(seed)
    arrivals = np.cumsum(rng.exponential(1 / rate, requests))
    lengths = np.full(requests, int(length)) if fixed else np.maximum(rng.geometric(1 / length, requests), 1)
    now, i, waiting, running = 0.0, 0, [], []
    first, gaps, weighted = np.zeros(requests), [], 0.0
    done = 0
    while done < requests:
        while i < requests and arrivals[i] <= now:
            heapq.heappush(waiting, i)
            i += 1
        if not waiting and not running:
            now = arrivals[i]
            continue
        began = now
        while waiting and len(running) < len(steps):
            k = heapq.heappop(waiting)
            now += prefill
            first[k] = now - arrivals[k]
            running.append([k, lengths[k]])
            while i < requests and arrivals[i] <= now:
                heapq.heappush(waiting, i)
                i += 1
        n = len(running)
        now += steps[n - 1]
        gaps.append((now - began, n))
        weighted += n * (now - began)
        for item in running:
            item[1] -= 1
        done += sum(item[1] == 0 for item in running)
        running = [item for item in running if item[1] > 0]
    times, counts = np.array([g[0] for g in gaps]), np.array([g[1] for g in gaps])
    skip = requests // 10
    return {
        "ttft": np.quantile(first[skip:], [0.5, 0.95]),
        "tpot": float((times * counts).sum() / counts.sum()),
        "busy": weighted / now,
        "rate": float(lengths.sum() / now),
    }


@pytest.mark.parametrize("use", [0.3, 0.6, 0.85])
@pytest.mark.parametrize("fixed", [False, True])
def test_against_the_event_simulation(use, fixed):
    rate = use * load.highest_rate(STEPS, PREFILL, LENGTH)
    said = load.under_load(rate, STEPS, PREFILL, LENGTH, (0.5, 0.95))
    seen = simulate(rate, STEPS, PREFILL, LENGTH, 6_000, fixed=fixed)
    assert float(said.mean_tpot_s) == pytest.approx(seen["tpot"], rel=0.08)
    assert float(said.busy_sequences) == pytest.approx(seen["busy"], rel=0.1)
    assert float(said.tokens_per_s) == pytest.approx(seen["rate"], rel=0.05)
    np.testing.assert_allclose(said.ttft_s, seen["ttft"], rtol=0.25)


def test_overload_is_said_so():
    said = load.under_load(2 * load.highest_rate(STEPS, PREFILL, LENGTH), STEPS, PREFILL, LENGTH)
    assert not said.stable
    assert np.all(np.isinf(said.ttft_s))


@given(use=st.floats(0.01, 0.97), length=st.floats(2, 5000), most=st.integers(1, 200), prefill=st.floats(1e-3, 1))
def test_littles_law_and_conservation(use, length, most, prefill):
    steps = 0.01 + 0.0003 * np.arange(1, most + 1)
    rate = use * load.highest_rate(steps, prefill, length)
    said = load.under_load(rate, steps, prefill, length)
    assert said.stable
    assert float(said.tokens_per_s) == pytest.approx(rate * length)
    # Little: sequences being decoded = arrivals x time each is decoded
    assert float(said.busy_sequences) == pytest.approx(rate * length * float(said.mean_tpot_s), rel=1e-6)
    assert np.all(np.diff(said.ttft_s) >= -1e-9)
    assert np.all(np.diff(said.tpot_s) >= -1e-9)
    assert said.ttft_s[0] >= prefill
    assert float(said.busy_sequences) <= most + 1e-9


@given(a=st.floats(0.05, 0.9), b=st.floats(0.05, 0.9))
def test_more_load_is_never_quicker(a, b):
    top = load.highest_rate(STEPS, PREFILL, LENGTH)
    said = load.under_load(np.sort([a, b]) * top, STEPS, PREFILL, LENGTH)
    assert np.all(said.ttft_s[1] >= said.ttft_s[0] - 1e-6)
    assert np.all(said.tpot_s[1] >= said.tpot_s[0] - 1e-9)


def test_capacity_keeps_its_limits():
    rate, why = load.capacity(STEPS, PREFILL, LENGTH, ttft_limit_s=1.0, tpot_limit_s=0.03)
    top = load.highest_rate(STEPS, PREFILL, LENGTH)
    assert 0 < rate < top
    assert why in ("first token", "time per token")
    loose, _ = load.capacity(STEPS, PREFILL, LENGTH, ttft_limit_s=10.0, tpot_limit_s=0.1)
    assert rate < loose <= top


def test_capacity_of_limits_nobody_meets():
    assert load.capacity(STEPS, PREFILL, LENGTH, ttft_limit_s=0.04) == (0.0, "first token")
    assert load.capacity(STEPS, PREFILL, LENGTH, tpot_limit_s=0.005) == (0.0, "time per token")


def test_little_with_its_formula():
    assert load.sequences_in_flight(2.0, 0.5, 101, 0.02) == pytest.approx(5.0)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((0, STEPS, PREFILL, LENGTH), "arrival rate must be above 0"),
        ((1, STEPS, 0, LENGTH), "prefill time must be above 0"),
        ((1, -STEPS, PREFILL, LENGTH), "decode step must be above 0"),
        ((1, STEPS, PREFILL, LENGTH, (1.5,)), "share of requests"),
    ],
)
def test_bad_input(arguments, said):
    with pytest.raises(ValueError, match=said):
        load.under_load(*arguments)
