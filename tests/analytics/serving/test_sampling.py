"""Worked examples of sampling, exact rules against enumeration, and the limits every rule keeps."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.serving import sampling
from analytics.serving.sampling import Spread
from data import shipped

chance = st.floats(0, 1)


def test_a_perfect_judge():
    np.testing.assert_allclose(sampling.any_right(0.3, np.array([6, 10])), [0.8824, 0.9718], atol=1e-4)
    np.testing.assert_allclose([sampling.solved(0.3, sampling.perfect_judge(n)) for n in (6, 10)], [0.8824, 0.9718], atol=1e-4)


@pytest.mark.parametrize(("p", "n", "said"), [(0.6, 5, 0.6826), (0.6, 11, 0.7535), (0.3, 5, 0.1631)])
def test_a_yes_or_no_vote(p, n, said):
    assert float(sampling.solved(p, sampling.plurality(n))) == pytest.approx(said, abs=1e-4)


def test_with_many_wrong_answers_thirty_percent_wins_the_vote():
    rule = sampling.plurality(64, np.ones(20))
    assert float(sampling.solved(0.3, rule)) > 0.999
    # but not against one popular mistake
    assert float(sampling.solved(0.3, sampling.plurality(64, (0.5, *[0.025] * 20)))) < 0.5


def test_the_vote_by_enumeration():
    shares, n, p = np.array([0.5, 0.3, 0.2]), 4, 0.4
    chances = [p, *((1 - p) * shares)]
    total = 0.0
    for votes in itertools.product(range(4), repeat=n):
        counts = np.bincount(votes, minlength=4)
        if counts[0] == counts.max():
            total += math.prod(chances[v] for v in votes) / (counts == counts.max()).sum()
    assert float(sampling.solved(p, sampling.plurality(n, shares))) == pytest.approx(total, abs=1e-12)


def test_mixed_difficulty():
    even = Spread.of_mean(0.3, 1.0)
    np.testing.assert_allclose(sampling.any_right_mixed(even, np.array([6, 64, 1024])), [0.558, 0.779, 0.904], atol=1e-3)
    assert float(sampling.solved_mixed(even, sampling.perfect_judge(64))) == pytest.approx(0.779, abs=1e-3)


def test_arc_needs_easy_and_hopeless_questions():
    # o3 on ARC-AGI-1: 75.7 % with 6 samples, 87.5 % with 1,024 (ARC Prize, 20 December 2024).
    spread = sampling.fit_spread((6, 1024), (0.757, 0.875))
    assert float(spread.a) == pytest.approx(0.13, abs=0.005)
    assert float(spread.b) == pytest.approx(0.061, abs=0.003)
    assert float(spread.mean) == pytest.approx(0.68, abs=0.01)


def test_the_public_set_of_arc_grew_by_half_as_much():
    """The published ratio of 172 between the two o3 runs holds for tokens on the semi-private set and not on the public one (9.5B / 111M)."""
    runs = {(row["dataset"], row["samples_per_task"]): row for row in shipped.rows("arc_agi") if row["system"].startswith("o3-preview")}
    grew = {
        kind: float(runs[kind, "1024"]["tokens_total"]) / float(runs[kind, "6"]["tokens_total"])
        for kind in ("ARC-AGI-1 semi-private", "ARC-AGI-1 public eval")
    }
    assert grew["ARC-AGI-1 semi-private"] == pytest.approx(172.7, abs=0.1)
    assert grew["ARC-AGI-1 public eval"] == pytest.approx(85.6, abs=0.1)
    shares = [float(runs["ARC-AGI-1 semi-private", n]["score"]) for n in ("6", "1024")]
    spread = sampling.fit_spread((6, 1024), tuple(shares))
    np.testing.assert_allclose(sampling.any_right_mixed(spread, np.array([6, 1024])), shares, atol=1e-9)


def test_pass_at_k_is_unbiased():
    """Mean of the estimator over binomial counts is the true 1 - (1 - p)^k (Chen et al., arXiv 2107.03374, appendix A)."""
    n, p = 20, 0.23
    counts = np.arange(n + 1)
    chances = np.array([math.comb(n, c) * p**c * (1 - p) ** (n - c) for c in counts])
    for k in (1, 5, 20):
        assert float(chances @ sampling.pass_at_k(n, counts, k)) == pytest.approx(1 - (1 - p) ** k, abs=1e-12)


def test_majority_of_twelve_jurors():
    # Condorcet: three jurors right 3 times in 5 are right together 0.648 of the time; even numbers gain nothing over one juror fewer.
    assert float(sampling.solved(0.6, sampling.plurality(3))) == pytest.approx(0.648)
    assert float(sampling.solved(0.6, sampling.plurality(12))) == pytest.approx(float(sampling.solved(0.6, sampling.plurality(11))))


def test_pass_at_k_of_chen():
    # HumanEval estimator: n = 5, c = 2, k = 2: 1 - C(3,2)/C(5,2) = 0.7
    assert float(sampling.pass_at_k(5, 2, 2)) == pytest.approx(0.7)
    np.testing.assert_allclose(sampling.pass_at_k(200, np.array([0, 1, 200]), 100), [0, 0.5, 1], atol=1e-12)


@given(p=chance, n=st.integers(1, 40), right=chance, wrong=chance)
def test_the_verifier_in_closed_form(p, n, right, wrong):
    said = float(sampling.solved_by_verifier(p, n, right, wrong))
    assert float(sampling.solved(p, sampling.verifier(n, right, wrong))) == pytest.approx(said, abs=1e-9)


def test_the_verifier_by_simulation():
    rng = np.random.default_rng(2)
    p, n, right, wrong, trials = 0.3, 5, 0.8, 0.25, 60_000
    correct = rng.random((trials, n)) < p
    accepted = rng.random((trials, n)) < np.where(correct, right, wrong)
    pool = np.where(accepted.any(axis=1)[:, None], accepted, True)
    chosen = np.argmax(np.where(pool, rng.random((trials, n)), -1.0), axis=1)
    seen = correct[np.arange(trials), chosen].mean()
    assert float(sampling.solved_by_verifier(p, n, right, wrong)) == pytest.approx(seen, abs=0.01)


@given(p=chance, n=st.integers(1, 30), shares=st.lists(st.floats(0.01, 1), min_size=1, max_size=6))
def test_no_rule_beats_the_perfect_judge(p, n, shares):
    best = float(sampling.solved(p, sampling.perfect_judge(n)))
    for rule in (sampling.plurality(n, shares), sampling.verifier(n, 0.9, 0.2)):
        assert np.all((rule >= 0) & (rule <= 1))
        assert float(sampling.solved(p, rule)) <= best + 1e-9


@given(p=chance)
def test_one_sample_is_one_sample(p):
    for rule in (sampling.plurality(1), sampling.perfect_judge(1), sampling.verifier(1, 0.7, 0.1)):
        assert float(sampling.solved(p, rule)) == pytest.approx(p, abs=1e-9)


@given(mean=st.floats(0.01, 0.99), n=st.integers(2, 200))
def test_spread_questions_gain_less_from_samples(mean, n):
    assert float(sampling.any_right_mixed(Spread.of_mean(mean, 0.5), n)) <= float(sampling.any_right(mean, n)) + 1e-9


@given(mean=st.floats(0.02, 0.98), size=st.floats(0.05, 20), n=st.integers(1, 60))
def test_beta_binomial_agrees_with_its_closed_form(mean, size, n):
    spread = Spread.of_mean(mean, size)
    assert float(sampling.solved_mixed(spread, sampling.perfect_judge(n))) == pytest.approx(
        float(sampling.any_right_mixed(spread, n)), abs=1e-9
    )


def test_a_large_vote_stays_finite():
    rule = sampling.plurality(256, np.ones(10))
    assert np.all(np.isfinite(rule))
    assert np.all(np.diff(rule) > -1e-9)


@given(x=st.floats(1e-6, 1e6))
def test_log_gamma(x):
    assert float(sampling._log_gamma(x)) == pytest.approx(math.lgamma(x), rel=1e-11, abs=1e-11)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: sampling.plurality(0), "samples must be a whole number from 1"),
        (lambda: sampling.plurality(5, (-1, 2)), "must be 0 or more"),
        (lambda: sampling.solved(1.2, sampling.plurality(3)), "success rate must be from 0 to 1, got 1.2"),
        (lambda: sampling.pass_at_k(5, 6, 2), "right answers must be"),
        (lambda: sampling.verifier(3, 1.5, 0), "accept a right answer must be from 0 to 1"),
        (lambda: Spread(0, 1), "above 0"),
        (lambda: sampling.solved_by_verifier(0.5, 0, 0.9, 0.1), "samples must be from 1"),
        (lambda: sampling.solved_by_verifier(-0.1, 3, 0.9, 0.1), "success rate must be from 0 to 1, got -0.1"),
        (lambda: sampling.solved(float("nan"), sampling.plurality(3)), "success rate must be from 0 to 1, got nan"),
        (lambda: sampling.pass_at_k(5, 2, 0), "k must be from 1"),
        (lambda: sampling.pass_at_k(0, 0, 0), "samples must be 1 or more, got 0"),
        (lambda: sampling.any_right_mixed(Spread(1, 1), 0), "samples must be from 1"),
        (lambda: sampling.plurality(2.5), "samples must be a whole number"),
        (lambda: sampling.plurality(float("inf")), "samples must be a whole number"),
        (lambda: sampling.plurality(float("nan")), "samples must be a whole number"),
        (lambda: sampling.plurality("five"), "samples must be a whole number"),
        (lambda: sampling.plurality(5, ()), "sum of shares of wrong answers must be above 0"),
        (lambda: Spread.of_mean(1.0, 2), "mean success rate must be between 0 and 1"),
        (lambda: sampling.fit_spread((6, 1024), (0.9, 0.8)), "must rise"),
        (lambda: sampling.fit_spread((6, 12), (0.5, 0.99)), "more than questions of one difficulty"),
    ],
)
def test_bad_input(call, said):
    with pytest.raises(ValueError, match=said):
        call()
