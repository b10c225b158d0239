"""Student's t for whole degrees of freedom, by its exact finite series."""

from __future__ import annotations

import math


def central_probability(t: float, degrees: int) -> float:
    """Probability that |T| stays below |t| with this many degrees of freedom (1 or more).

    Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.3 and 26.7.4.
    """
    if degrees < 1:
        raise ValueError(f"degrees of freedom must be 1 or more, got {degrees}")
    if math.isinf(t):
        return 1.0
    theta = math.atan(abs(t) / math.sqrt(degrees))
    sine, cosine = math.sin(theta), math.cos(theta)
    odd = degrees % 2 == 1
    term = cosine if odd else 1.0
    total = term if degrees > 1 else 0.0
    for k in range(3 if odd else 2, degrees - 1, 2):
        term *= cosine**2 * (k - 1) / k
        total += term
    return 2 / math.pi * (theta + sine * total) if odd else sine * total


def two_sided_p(t: float, degrees: int) -> float:
    """Probability of a |T| at least this large by chance."""
    return max(0.0, 1.0 - central_probability(t, degrees))


def critical_value(level: float, degrees: int) -> float:
    """The t that |T| stays below with probability `level` in (0, 1); found by bisection to 1e-12 of its size."""
    if not 0 < level < 1:
        raise ValueError(f"level must be in (0, 1), got {level:g}")
    low, high = 0.0, 1.0
    while central_probability(high, degrees) < level:
        low, high = high, high * 2
    for _ in range(200):
        middle = (low + high) / 2
        if high - low <= 1e-12 * high:
            break
        low, high = (middle, high) if central_probability(middle, degrees) < level else (low, middle)
    return (low + high) / 2
