"""Bands, tornado and the passport of a prediction."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.serving import money
from analytics.serving.doubt import Range, Residual, passport, propagate, tornado
from data import shipped


def cost(rent, rate, use):
    return money.output_cost_usd_per_mtok(rent, rate, use)


INPUTS = {"rent": Range(1.5, 2.0, 4.0), "rate": Range(1000, 2000, 2500), "use": 0.6}


def test_a_band_holds_its_centre_and_stays_within_the_extremes():
    band = propagate(cost, INPUTS)
    assert cost(1.5, 2500, 0.6) <= band.low < band.median < band.high <= cost(4.0, 1000, 0.6)
    assert band.central == pytest.approx(cost(2.0, 2000, 0.6))
    assert band.draws.shape == (10_000,)


def test_the_same_question_has_the_same_answer():
    assert propagate(cost, INPUTS).low == propagate(cost, INPUTS).low


def test_draws_without_a_result_are_counted():
    band = propagate(lambda x: np.where(x > 1.5, np.nan, x), {"x": Range(1, 1.4, 2)})
    assert 0 < band.share_without_result < 1
    assert np.isfinite(band.high)


def test_tornado_ranks_by_swing():
    bars = tornado(cost, INPUTS)
    assert [bar.name for bar in bars] == ["rent", "rate"]
    assert bars[0].at_low == pytest.approx(cost(1.5, 2000, 0.6))
    assert bars[0].swing >= bars[1].swing
    assert tornado(cost, {"rent": 2.0, "rate": 1000, "use": 1.0}) == []


@given(sd=st.floats(0.02, 0.5), n=st.integers(4, 60), seed=st.integers(0, 2**31))
def test_residual_factors_bracket_its_own_middle(sd, n, seed):
    ratios = np.exp(np.random.default_rng(seed).normal(0.02, sd, n))
    residual = Residual.of(ratios)
    low, high = residual.factors()
    assert low < np.exp(np.log(ratios).mean()) < high
    assert residual.factors(0.5)[1] < high


def test_bands_from_residuals_cover_left_out_ones():
    """Nine in ten new measurements fall within the 90 % factors, over many small sets."""
    rng = np.random.default_rng(5)
    inside = 0
    for _ in range(600):
        ratios = np.exp(rng.normal(0, 0.15, 9))
        low, high = Residual.of(ratios[:8]).factors()
        inside += low <= ratios[8] <= high
    assert 0.85 <= inside / 600 <= 0.95


def test_passport_finds_the_nearest_of_its_kind():
    points = {"batch": np.array([8.0, 64, 64]), "context": np.array([1000.0, 2000, np.nan])}
    at = {"batch": 32.0, "context": 2000.0}
    p = passport(at, points, [100, 110, 90], [100, 100, 100], [True, True, False])
    assert (p.nearest, p.n) == (1, 2)
    assert p.distance == pytest.approx(1.0)
    assert p.farthest_axis == "batch"
    assert p.median_error == pytest.approx(0.05)
    alone = passport(at, points, [100, 110, 90], [100, 100, 100], [False] * 3)
    assert alone.n == 0
    assert np.isnan(alone.median_error)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: Range(3, 2, 1), "must rise from low"),
        (lambda: Residual.of([1.0, 1.1]), "at least 3 measurements, got 2"),
        (lambda: Residual.of([1.0, -1.1, 2]), "measured over predicted must be above 0"),
        (lambda: propagate(cost, INPUTS, draws=5), "draws must be at least 100"),
        (lambda: passport({"batch": 1.0}, {"batch": []}, [], [], []), "no measured point"),
    ],
)
def test_bad_input(call, said):
    with pytest.raises(ValueError, match=said):
        call()


@pytest.mark.parametrize("ratio", ["ratio_without_model", "ratio_without_chip"])
def test_bands_cover_left_out_measurements(ratio):
    """Each published run is predicted with its model (or chip) left out of the fit; the band is made without any run of that model."""
    rows = [row for row in shipped.rows("serving_residuals") if row["family"] == "TensorRT-LLM offline run" and row[ratio]]
    measured = np.array([1 / float(row[ratio]) for row in rows])  # measured over predicted
    models = np.array([row["model"] for row in rows])
    inside = 0
    for i in range(len(rows)):
        low, high = Residual.of(measured[models != models[i]]).factors()
        inside += low <= measured[i] <= high
    assert 0.80 <= inside / len(rows) <= 0.95, inside / len(rows)
