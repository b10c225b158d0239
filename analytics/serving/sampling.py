"""Many answers to one question: the best of n, the vote and the verifier (what a solved task costs is `analytics.prices.tasks`).

A way to choose among n samples is a vector: entry c is the chance of ending with a right answer when c of the n samples are right.
Whatever is believed about the questions (one rate, or a Beta spread of rates) then only says how likely each c is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analytics.accounting import Numbers
from analytics.checks import numbers, one_number, require, require_at_least, require_positive, require_whole, require_within
from analytics.formula import formula

MOST_SAMPLES = 100_000
MOST_VOTES = 2_048


@formula(
    name="Chance that one of n samples is right",
    symbol="p_n",
    unit="",
    inputs={"success_rate": ("p", ""), "samples": ("n", "")},
    source="independent samples and a perfect judge of which is right",
)
def any_right(success_rate, samples):
    """pass@n of a question that one sample gets right with this chance."""
    return 1 - (1 - success_rate) ** samples


def check_samples(samples: int, most: int = MOST_SAMPLES) -> int:
    """n as a whole number; ValueError unless it is one from 1 to `most`."""
    return require_whole("samples", samples, 1, most)


def pass_at_k(samples: Numbers, right: Numbers, k: Numbers) -> np.ndarray:
    """Unbiased pass@k from `right` right answers among `samples` drawn: 1 - C(n-c, k) / C(n, k) (Chen et al., arXiv 2107.03374).

    Parameters (broadcast): samples n >= k >= 1, right c in 0..n. Returns: chance in [0, 1]. Errors: ValueError.
    """
    n, c, k = require_at_least("samples", samples, 1), numbers("right answers", right), numbers("k", k)
    require((k >= 1) & (k <= n), "k", k + 0 * n, "from 1 to the number of samples")
    require((c >= 0) & (c <= n), "right answers", c + 0 * n, "from 0 to the number of samples")
    wrong = np.maximum(n - c, k)
    missed = np.exp(_log_choose(wrong, k) - _log_choose(n, k))
    return np.where(n - c < k, 1.0, 1.0 - missed)


# ------------------------------------------------------------------------------------------------------------------ rules


def perfect_judge(samples: int) -> np.ndarray:
    """Rule of a judge that recognises a right answer: any right sample is enough. Returns: vector of n + 1 chances."""
    n = check_samples(samples, MOST_VOTES)
    return (np.arange(n + 1) > 0).astype(float)


def plurality(samples: int, wrong_shares: Numbers = (1.0,)) -> np.ndarray:
    """Rule of the most frequent answer, ties drawn by lot, when wrong samples fall on several wrong answers.

    Parameters: samples n; wrong_shares, how wrong samples divide over the wrong answers (any scale): (1,) is a yes-or-no question,
    twenty equal shares an open one. Returns: vector of n + 1 chances. Errors: ValueError.
    Exact: counts of wrong answers are multinomial, so the chance that all stay below c is a product of truncated exponential
    series; ties enter through a mark y, since a win against t equals is the integral of y^t over 0..1.
    """
    n = check_samples(samples, MOST_VOTES)
    shares = np.atleast_1d(require_at_least("shares of wrong answers", wrong_shares, 0))
    require(shares.sum() > 0, "sum of shares of wrong answers", shares.sum(), "above 0")
    shares = shares[shares > 0] / shares.sum()
    if shares.size > 64:
        raise ValueError(f"shares of wrong answers must be at most 64, got {shares.size}")
    rule = np.zeros(n + 1)
    rule[n] = 1.0
    for c in range(1, n):
        rule[c] = 1.0 if 2 * c > n else _wins(c, n - c, shares)
    return rule


def _wins(right: int, wrong: int, shares: np.ndarray) -> float:
    """Chance that `right` votes beat `wrong` votes spread by `shares`, ties by lot."""
    ties = min(wrong // right, shares.size)
    y, weight = np.polynomial.legendre.leggauss(ties // 2 + 1)
    y, weight = (y + 1) / 2, weight / 2
    k = np.arange(wrong + 1)
    log_factorial = _log_gamma(k + 1.0)
    series = np.zeros((y.size, wrong + 1))
    series[:, 0] = 1.0  # Poisson weights instead of raw powers keep the terms near one, whatever the number of votes
    for share, times in zip(*np.unique(shares, return_counts=True), strict=True):
        mean = share * wrong
        term = np.exp(k * np.log(mean) - mean - log_factorial)
        term = np.where(k < right, term, 0.0)[None, :] * np.ones((y.size, 1))
        if right <= wrong:
            term[:, right] = y * np.exp(right * np.log(mean) - mean - log_factorial[right])
        while times:  # equal answers multiply the same series, so by squaring
            if times & 1:
                series = _product(series, term)
            times >>= 1
            term = _product(term, term) if times else term
    scale = wrong * np.log(wrong) - wrong - log_factorial[wrong] if wrong else 0.0  # chance that a Poisson total is just `wrong`
    return float(np.clip((weight * series[:, wrong]).sum() / np.exp(scale), 0.0, 1.0))


def _product(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Row by row product of truncated series."""
    return np.stack([np.convolve(p, q)[: a.shape[1]] for p, q in zip(a, b, strict=True)])


def verifier(samples: int, accepts_right: float, accepts_wrong: float) -> np.ndarray:
    """Rule of an imperfect verifier: one of the samples it accepts by lot, or one of all where it accepts none.

    Parameters: samples n; accepts_right and accepts_wrong, the chance that it accepts a right and a wrong sample, in [0, 1].
    Returns: vector of n + 1 chances. The mean share of right ones among the accepted is the integral over t in 0..1 of
    c r (1 - r + r t)^(c-1) (1 - f + f t)^(n-c).
    """
    n = check_samples(samples, MOST_VOTES)
    r = one_number("chance to accept a right answer", require_within("chance to accept a right answer", accepts_right, 0, 1))
    f = one_number("chance to accept a wrong answer", require_within("chance to accept a wrong answer", accepts_wrong, 0, 1))
    t, weight = np.polynomial.legendre.leggauss(min(n // 2 + 1, 96))
    t, weight = (t + 1) / 2, weight / 2
    c = np.arange(n + 1)[:, None]
    chosen = c * r * (1 - r + r * t) ** np.maximum(c - 1, 0) * (1 - f + f * t) ** (n - c)
    none = (1 - r) ** c[:, 0] * (1 - f) ** (n - c[:, 0])
    return np.clip((chosen * weight).sum(axis=1) + none * c[:, 0] / n, 0.0, 1.0)


def solved_by_verifier(success_rate: Numbers, samples: Numbers, accepts_right: Numbers, accepts_wrong: Numbers) -> np.ndarray:
    """Share of questions of one difficulty solved with an imperfect verifier, in closed form (the same as under the rule `verifier`).

    Parameters (broadcast): success_rate p; samples n, from 1 to 1e12; accepts_right r and accepts_wrong f, all three in [0, 1].
    Samples are exchangeable: the one chosen is an accepted one, right with chance p r / a, a = p r + (1 - p) f, unless all n are
    rejected, (1 - a)^n, and then right with chance p (1 - r) / (1 - a). Returns: chance in [0, 1].
    """
    p = require_within("success rate", success_rate, 0, 1)
    r = require_within("chance to accept a right answer", accepts_right, 0, 1)
    f = require_within("chance to accept a wrong answer", accepts_wrong, 0, 1)
    n = require_within("samples", samples, 1, 1e12)
    right, accepted = p * r, p * r + (1 - p) * f
    none = (1 - accepted) ** n
    chosen = np.where(accepted > 0, right / np.where(accepted > 0, accepted, 1.0), 0.0)
    left = np.where(accepted < 1, (p - right) / np.where(accepted < 1, 1 - accepted, 1.0), 0.0)
    return np.clip((1 - none) * chosen + none * left, 0.0, 1.0)


# --------------------------------------------------------------------------------------------------- what the questions are


@dataclass(frozen=True)
class Spread:
    """Questions of mixed difficulty: the rate at which one sample is right is Beta(a, b) over questions."""

    a: Numbers
    b: Numbers

    def __post_init__(self) -> None:
        for name in ("a", "b"):
            require_positive(f"{name} of the Beta spread", getattr(self, name))

    @property
    def mean(self) -> np.ndarray:
        """Chance that one sample of a random question is right."""
        return np.asarray(self.a) / (np.asarray(self.a) + np.asarray(self.b))

    @classmethod
    def of_mean(cls, mean: Numbers, size: Numbers) -> Spread:
        """The spread with this mean and a + b = size: a small size means questions are either easy or hopeless."""
        mean, size = numbers("mean success rate", mean), require_positive("size of the spread", size)
        require((mean > 0) & (mean < 1), "mean success rate", mean, "between 0 and 1")
        return cls(mean * size, (1 - mean) * size)


def solved(success_rate: Numbers, rule: np.ndarray) -> np.ndarray:
    """Share of questions solved when every sample is right with the same chance, under a rule (vector of n + 1).

    Parameters: success_rate in [0, 1], any shape. Returns: the same shape.
    """
    p = require_within("success rate", success_rate, 0, 1)[..., None]
    n = rule.size - 1
    c = np.arange(n + 1)
    inner = np.clip(p, 1e-300, 1 - 1e-16)
    pmf = np.exp(_log_choose(float(n), c.astype(float)) + c * np.log(inner) + (n - c) * np.log1p(-inner))
    out = pmf @ rule
    out = np.where(p[..., 0] <= 0, rule[0], np.where(p[..., 0] >= 1, rule[-1], out))
    return np.clip(out, 0.0, 1.0)


def solved_mixed(spread: Spread, rule: np.ndarray) -> np.ndarray:
    """Share of questions solved when difficulty is spread, under a rule: the right samples are beta-binomial.

    Parameters: spread, with arrays of any shape; rule, vector of n + 1, or n + 1 rows with a column a rule. Returns: shape of the
    spread, with the rules as a last axis where there are several.
    """
    a, b = (v[..., None] for v in np.broadcast_arrays(np.asarray(spread.a, dtype=float), np.asarray(spread.b, dtype=float)))
    n = rule.shape[0] - 1
    c = np.arange(n + 1.0)
    log_beta = _log_gamma(a + c) + _log_gamma(b + n - c) - _log_gamma(a + b + n)
    log_pmf = _log_choose(float(n), c) + log_beta - (_log_gamma(a) + _log_gamma(b) - _log_gamma(a + b))
    return np.clip(np.exp(log_pmf) @ rule, 0.0, 1.0)


def any_right_mixed(spread: Spread, samples: Numbers) -> np.ndarray:
    """Share of questions of which one of n samples is right: 1 - B(a, b + n) / B(a, b), samples up to any number (broadcast)."""
    n = require_within("samples", samples, 1, 1e12)
    a, b = np.asarray(spread.a, dtype=float), np.asarray(spread.b, dtype=float)
    return -np.expm1(_log_gamma(b + n) + _log_gamma(a + b) - _log_gamma(a + b + n) - _log_gamma(b))


def fit_spread(samples: tuple[int, int], solved_share: tuple[float, float]) -> Spread:
    """The Beta spread that solves these shares with these numbers of samples and a perfect judge.

    Parameters: two sample counts, rising; two shares solved, rising, between 0 and 1. Returns: Spread.
    Errors: ValueError where no spread does: shares that do not rise, or rise faster than equal questions would.
    """
    (n1, n2), (s1, s2) = samples, solved_share
    for n in samples:
        check_samples(n)
    s1, s2 = (one_number("share solved", share) for share in (s1, s2))
    if not (0 < s1 < s2 < 1 and n1 < n2):
        raise ValueError(f"two shares solved between 0 and 1 must rise with samples, got {s1:g} at {n1} and {s2:g} at {n2}")
    most = 1 - (1 - s1) ** (n2 / n1)
    if s2 >= most:
        raise ValueError(f"{s2:g} solved at {n2} is more than questions of one difficulty reach from {s1:g} at {n1}: at most {most:.4g}")

    def b_for(log_a: np.ndarray) -> np.ndarray:
        """ln b that solves the first share, by bisection."""
        low, high = np.full(log_a.shape, -40.0), np.full(log_a.shape, 40.0)
        for _ in range(100):
            mid = (low + high) / 2
            above = any_right_mixed(Spread(np.exp(log_a), np.exp(mid)), n1) > s1
            low, high = np.where(above, mid, low), np.where(above, high, mid)
        return (low + high) / 2

    low, high = np.array(-25.0), np.array(12.0)
    for _ in range(100):  # a larger a means more equal questions, so more gain from further samples
        mid = (low + high) / 2
        enough = any_right_mixed(Spread(np.exp(mid), np.exp(b_for(mid))), n2) > s2
        low, high = np.where(enough, low, mid), np.where(enough, mid, high)
    return Spread(float(np.exp(low)), float(np.exp(b_for(low))))


# --------------------------------------------------------------------------------------------------------- special function


def _log_choose(n: Numbers, k: Numbers) -> np.ndarray:
    n, k = np.asarray(n, dtype=float), np.asarray(k, dtype=float)
    return _log_gamma(n + 1) - _log_gamma(k + 1) - _log_gamma(n - k + 1)


def _log_gamma(x: Numbers) -> np.ndarray:
    """ln Γ(x) for x > 0 (numpy has none): Stirling's series after shifting the argument above 8; relative error under 1e-13."""
    x = np.asarray(x, dtype=float)
    shift = np.zeros_like(x)
    z = x.copy()
    small = z < 8
    if small.any():
        low = z[small]
        product = np.ones_like(low)
        for _ in range(8):
            step = low < 8
            product = np.where(step, product * low, product)
            low = np.where(step, low + 1, low)
        shift[small] = np.log(product)
        z[small] = low
    inverse = 1.0 / z
    square = inverse * inverse
    series = inverse * (
        1 / 12 - square * (1 / 360 - square * (1 / 1260 - square * (1 / 1680 - square * (1 / 1188 - square * 691 / 360360))))
    )
    return (z - 0.5) * np.log(z) - z + 0.5 * np.log(2 * np.pi) + series - shift
