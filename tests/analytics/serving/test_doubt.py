"""Bands, tornado and the passport of a prediction."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.serving import money, residuals
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
    """Nine in ten new measurements fall within the 90 % factors, over many small sets of independent ones."""
    rng = np.random.default_rng(5)
    inside = 0
    for _ in range(600):
        ratios = np.exp(rng.normal(0, 0.15, 9))
        low, high = Residual.of(ratios[:8]).factors(0.9)
        inside += low <= ratios[8] <= high
    assert 0.85 <= inside / 600 <= 0.95


def test_passport_finds_the_nearest_of_its_kind():
    points = {"batch": np.array([8.0, 64, 64]), "context": np.array([1000.0, 2000, np.nan])}
    at = {"batch": 32.0, "context": 2000.0}
    p = passport(at, points, [100, 110, 90], [100, 100, 100], [True, True, False], [0, 0, 8])
    assert (p.nearest, p.n) == (1, 2)
    assert p.distance == pytest.approx(1.0)
    assert p.farthest_axis == "batch"
    assert p.median_error == pytest.approx(0.05)
    alone = passport(at, points, [100, 110, 90], [100, 100, 100], [False] * 3)
    assert (alone.nearest, alone.n) == (1, 0)
    assert np.isnan(alone.median_error)
    other = passport({"batch": 64.0, "context": 4000.0}, points, [1, 1, 1], [1, 1, 1], [True, False, False], [0, 2, 2])
    assert (other.nearest, other.distance) == (2, 0.0)  # an axis that was not published does not count, nor what differs in kind


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: Range(3, 2, 1), "must rise from low"),
        (lambda: Residual.of([1.0, 1.1]), "at least 3 measurements, got 2"),
        (lambda: Residual.of([1.0, -1.1, 2]), "measured over predicted must be above 0"),
        (lambda: Residual.of([1.0, 1.1, 2], ["a", "b"]), "the group of each of 3 measurements, got 2"),
        (lambda: Residual.of([]), "at least 3 measurements, got 0"),
        (lambda: Residual.of([1.0, np.nan, 2]), "measured over predicted must be above 0"),
        (lambda: residuals.coverage([], "MLPerf Offline", "source"), "left_out must be model or chip"),
        (lambda: propagate(cost, INPUTS, draws=5), "draws must be a whole number from 100"),
        (lambda: passport({"batch": 1.0}, {"batch": []}, [], [], []), "no measured point"),
    ],
)
def test_bad_input(call, said):
    with pytest.raises(ValueError, match=said):
        call()


@pytest.mark.parametrize("left_out", ["model", "chip"])
@pytest.mark.parametrize("family", ["TensorRT-LLM offline run", "MLPerf Offline"])
def test_bands_cover_left_out_measurements(family, left_out):
    """Each published run predicted, and its band made, without its model (or chip): 80 to 95 % of the runs lie in their bands."""
    found = residuals.coverage(shipped.rows("serving_residuals"), family, left_out)
    assert 0.80 <= found.inside / found.n <= 0.95, found


def test_bands_of_runs_that_miss_together():
    """Models miss by 30 %, runs of one model by 5 %: the band for a new model covers seven in eight, that of independent runs does not."""
    rng = np.random.default_rng(11)
    together, apart, trials = 0, 0, 500
    for _ in range(trials):
        models = np.repeat(np.arange(6), [2, 9, 5, 1, 4, 6])
        ratios = np.exp(rng.normal(0, 0.3, 6)[models] + rng.normal(0, 0.05, models.size))
        known = models != 3
        for groups in (models[known], None):
            low, high = Residual.of(ratios[known], groups).factors()
            inside = bool(low <= ratios[~known][0] <= high)
            together, apart = (together + inside, apart) if groups is not None else (together, apart + inside)
    assert 0.84 <= together / trials <= 0.94
    assert apart / trials < together / trials


def test_components_of_variance_of_a_balanced_table():
    # Two models, two runs each, logs -1, 1, 9, 11: MSB 100, MSW 2, component (100 - 2) / 2 = 49; a new model's run about the mean 5
    # varies by 49 + 2 + (49 + 2 / 2) / 2 = 76 with (0.75 x 100 + 0.5 x 2)^2 / ((75)^2 / 1 + 1^2 / 2) = 1.03 degrees.
    said = Residual.of(np.exp([-1.0, 1.0, 9.0, 11.0]), ["a", "a", "b", "b"])
    assert said.mean_log == pytest.approx(5)
    assert said.scale_log**2 == pytest.approx(76)
    assert said.degrees == 1


@given(ratios=st.lists(st.floats(0.2, 5), min_size=3, max_size=30), kinds=st.integers(1, 6))
def test_groups_never_narrow_a_band_below_zero_or_lose_runs(ratios, kinds):
    said = Residual.of(ratios, np.arange(len(ratios)) % kinds)
    low, high = said.factors()
    assert 0 < low <= high
    assert said.n == len(ratios)
    assert 1 <= said.degrees <= said.n - 1


def test_groups_that_differ_no_more_than_their_members_are_one():
    ratios = [0.9, 1.1, 0.92, 1.08]
    assert Residual.of(ratios, ["a", "a", "b", "b"]) == Residual.of(ratios)
