"""How long answers get: lengths as distributions, and the cache they keep resident while they grow."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from analytics.accounting import Numbers
from analytics.checks import numbers, require, require_at_least, require_positive, require_within
from analytics.formula import formula

_inverse_normal = np.vectorize(NormalDist().inv_cdf, otypes=[float])
_normal = np.vectorize(NormalDist().cdf, otypes=[float])


@dataclass(frozen=True)
class LogNormal:
    """Lengths whose logarithm is normal: median [tokens] above 0 and sigma, the standard deviation of the logarithm, 0 or more."""

    median: Numbers
    sigma: Numbers

    def __post_init__(self) -> None:
        require_positive("median length", self.median, "tokens")
        require_within("sigma of length", self.sigma, 0, 5)

    @classmethod
    def of_mean(cls, mean: Numbers, sigma: Numbers) -> LogNormal:
        """The log-normal with this mean [tokens]; published figures are means."""
        return cls(require_positive("mean length", mean, "tokens") / np.exp(require_within("sigma of length", sigma, 0, 5) ** 2 / 2), sigma)

    @property
    def mean(self) -> np.ndarray:
        """Mean length [tokens]."""
        return np.asarray(self.median) * np.exp(np.asarray(self.sigma) ** 2 / 2)

    @property
    def mean_square(self) -> np.ndarray:
        """Mean of the squared length [tokens²]."""
        return np.asarray(self.median) ** 2 * np.exp(2 * np.asarray(self.sigma) ** 2)

    def quantile(self, share: Numbers) -> np.ndarray:
        """Length that this share of answers does not exceed [tokens]; share in (0, 1)."""
        share = numbers("share of answers", share)
        require((share > 0) & (share < 1), "share of answers", share, "between 0 and 1")
        return np.asarray(self.median) * np.exp(np.asarray(self.sigma) * _inverse_normal(share))

    def share_of_tokens(self, length: Numbers) -> np.ndarray:
        """Share of all tokens that answers up to this length [tokens] write: Φ(ln(l / median) / sigma - sigma); a step where sigma is 0."""
        over, sigma = np.log(require_positive("length", length, "tokens") / self.median), np.asarray(self.sigma, dtype=float)
        spread = np.where(sigma > 0, sigma, 1.0)
        return np.where(sigma > 0, _normal(over / spread - sigma), (over >= 0).astype(float))

    def sample(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """n lengths, whole tokens, at least 1."""
        return np.maximum(np.round(np.asarray(self.median) * np.exp(np.asarray(self.sigma) * rng.standard_normal(n))), 1.0)


@dataclass(frozen=True)
class Empirical:
    """Lengths as observed [tokens], each counted once."""

    lengths: np.ndarray

    def __post_init__(self) -> None:
        lengths = require_positive("observed lengths", self.lengths, "tokens")
        if lengths.ndim != 1 or lengths.size == 0:
            raise ValueError(f"observed lengths must be one list of at least one value, got shape {lengths.shape}")
        object.__setattr__(self, "lengths", np.sort(lengths))

    @property
    def mean(self) -> np.ndarray:
        """Mean length [tokens]."""
        return np.asarray(self.lengths.mean())

    @property
    def mean_square(self) -> np.ndarray:
        """Mean of the squared length [tokens²]."""
        return np.asarray((self.lengths**2).mean())

    def quantile(self, share: Numbers) -> np.ndarray:
        """Length that this share of answers does not exceed [tokens]; share in (0, 1)."""
        share = numbers("share of answers", share)
        require((share > 0) & (share < 1), "share of answers", share, "between 0 and 1")
        return np.asarray(np.quantile(self.lengths, share))

    def sample(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """n lengths drawn with replacement."""
        return rng.choice(self.lengths, n)


Lengths = LogNormal | Empirical


@formula(
    name="Mean context while decoding",
    symbol="S",
    unit="tokens",
    inputs={"input_tokens": ("I", "tokens"), "mean_output": ("E[O]", "tokens"), "mean_square_output": ("E[O^2]", "tokens²")},
    source="a long answer decodes for longer, so the mean over steps is length-biased: renewal theory, mean age E[O²] / (2 E[O])",
)
def resident_context(input_tokens, mean_output, mean_square_output):
    """Tokens in the cache of a sequence, averaged over the steps in which sequences decode."""
    return input_tokens + mean_square_output / (2 * mean_output)


def mean_resident_context(input_tokens: Numbers, lengths: Lengths) -> np.ndarray:
    """Mean context of a decoding sequence [tokens]: input + E[O²] / (2 E[O]); input / + O / 2 only where all answers are equally long."""
    return np.asarray(resident_context(require_at_least("input tokens", input_tokens, 0), lengths.mean, lengths.mean_square))


def resident_tokens(samples: Numbers, input_tokens: Numbers, mean_context_of_answer: Numbers, shared_prefix: bool = True) -> np.ndarray:
    """Cached tokens of `samples` answers to one prompt in flight together.

    Parameters: samples, at least 1; input_tokens; mean_context_of_answer, mean tokens of an answer already written (E[O²] / (2 E[O]));
    shared_prefix: whether the cache of the prompt is kept once for all samples. Returns: tokens.
    """
    n, prompt = require_at_least("samples", samples, 1), require_at_least("input tokens", input_tokens, 0)
    return np.where(shared_prefix, prompt, n * prompt) + n * require_at_least("tokens of an answer", mean_context_of_answer, 0)
