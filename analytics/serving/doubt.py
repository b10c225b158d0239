"""How sure a result is: ranges of inputs and the model's own error carried through, what moves it most, and the nearest measurement."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from analytics.accounting import Numbers
from analytics.checks import numbers, one_number, require_at_least, require_positive, require_whole
from analytics.prices.student_t import critical_value

DRAWS = 10_000
#: Share of new measurements a band of the model's error is made for: seven in eight, in the middle of the 80 to 95 % a band should cover.
BAND_SHARE = 0.875


@dataclass(frozen=True)
class Range:
    """An input known as low, central and high; drawn from the triangle over them, so never outside what a source gives."""

    low: float
    central: float
    high: float

    def __post_init__(self) -> None:
        for name in ("low", "central", "high"):
            object.__setattr__(
                self, name, one_number(f"{name} end of a range" if name != "central" else "middle of a range", getattr(self, name))
            )
        if not (np.isfinite([self.low, self.central, self.high]).all() and self.low <= self.central <= self.high):
            raise ValueError(f"a range must rise from low over central to high, got {self.low:g}, {self.central:g}, {self.high:g}")

    def draw(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """n draws."""
        if self.low == self.high:
            return np.full(n, float(self.central))
        return rng.triangular(self.low, self.central, self.high, n)

    def ends(self) -> tuple[float, float]:
        """Low and high."""
        return self.low, self.high


@dataclass(frozen=True)
class Residual:
    """The model's own error as a factor: measured over predicted, known from n left-out measurements.

    Logarithms of the ratios are taken as normal with unknown mean and spread, so a new one follows Student's t. Measurements that miss
    together (those of one model) are not independent: `of` then takes the two components of variance, between groups and inside them.
    """

    mean_log: float
    scale_log: float  #: scale of the t distribution of a new log ratio
    degrees: int  #: its degrees of freedom, rounded down
    n: int  #: measurements it was made from

    @classmethod
    def of(cls, measured_over_predicted: Numbers, groups: Sequence[str] | np.ndarray | None = None) -> Residual:
        """From the ratios of measurements left out of the fit, for a new measurement of a new group.

        Parameters: measured_over_predicted, n ratios above 0; groups, the group of each (its model), or None where all are independent.
        Returns: Residual. Errors: ValueError for fewer than three ratios. Without groups, or where groups differ no more than their
        members: mean, spread and n - 1 degrees, wider by sqrt(1 + 1/n). Else the random-effects model y = mean + group + rest by its
        mean squares, MSB between and MSW inside (Searle, Casella and McCulloch, Variance Components, 1992, section 3.6): a new y
        varies by c1 MSB + c2 MSW with Satterthwaite's degrees (Biometrics Bulletin 2(6), 1946).
        """
        ratios = require_positive("measured over predicted", measured_over_predicted).ravel()
        n = ratios.size
        if n < 3:
            raise ValueError(f"an error band needs at least 3 measurements, got {n}")
        logs = np.log(ratios)
        names, index, count = np.unique(np.arange(n) if groups is None else np.asarray(groups), return_inverse=True, return_counts=True)
        if index.size != n:
            raise ValueError(f"an error band needs the group of each of {n} measurements, got {index.size}")
        alone = cls(float(logs.mean()), float(logs.std(ddof=1) * np.sqrt(1 + 1 / n)), n - 1, n)
        k = names.size
        if k in (1, n):
            return alone
        means = np.bincount(index, logs) / count
        inside = float(((logs - means[index]) ** 2).sum() / (n - k))
        between = float((count * (means - logs.mean()) ** 2).sum() / (k - 1))
        if between <= inside:
            return alone
        typical = (n - (count**2).sum() / n) / (k - 1)  # measurements a group of equal weight would have
        weight = 1 / ((between - inside) / typical + inside / count)
        weight /= weight.sum()
        # variance of a new group's measurement about the weighted mean, as c1 MSB + c2 MSW
        c1 = float(1 + (weight**2).sum()) / typical
        c2 = float(1 + (weight**2 / count).sum()) - c1
        variance = c1 * between + c2 * inside
        degrees = variance**2 / ((c1 * between) ** 2 / (k - 1) + (c2 * inside) ** 2 / (n - k))
        return cls(float(weight @ means), float(np.sqrt(variance)), max(int(degrees), 1), n)

    @property
    def central(self) -> float:
        """Factor of the prediction itself."""
        return 1.0

    def draw(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """n factors."""
        return np.exp(self.mean_log + self.scale_log * rng.standard_t(self.degrees, n))

    def factors(self, share: float = BAND_SHARE) -> tuple[float, float]:
        """Factors between which this share of new measurements should fall."""
        t = critical_value(one_number("share of measurements", share), self.degrees)
        return float(np.exp(self.mean_log - t * self.scale_log)), float(np.exp(self.mean_log + t * self.scale_log))

    def ends(self) -> tuple[float, float]:
        """The factors of the usual band."""
        return self.factors()


Doubtful = Range | Residual | Numbers


@dataclass(frozen=True)
class Band:
    """A result under doubt: at the central inputs, and quantiles over the draws."""

    central: float
    low: float  #: 5 % of draws are below
    median: float
    high: float  #: 5 % of draws are above
    draws: np.ndarray

    @property
    def share_without_result(self) -> float:
        """Share of draws with no result (nothing fits, no layout reaches the limits)."""
        return float(np.mean(~np.isfinite(self.draws)))


def propagate(result: Callable[..., Any], inputs: Mapping[str, Doubtful], draws: int = DRAWS, seed: int = 0) -> Band:
    """A result's band when its inputs are doubtful: one vectorised call of `result` with arrays of draws.

    Parameters: result, a function of the inputs by name that broadcasts; inputs, numbers, Range or Residual, the last as a factor;
    draws, at least 100; seed, so that the same question has the same answer. Returns: Band. Inputs are drawn independently.
    """
    draws = require_whole("draws", draws, 100, 10_000_000)
    rng = np.random.default_rng(seed)
    drawn = {name: value.draw(draws, rng) if isinstance(value, Range | Residual) else value for name, value in inputs.items()}
    values = np.broadcast_to(np.asarray(result(**drawn), dtype=float), (draws,))
    central = float(np.asarray(result(**{name: _central(value) for name, value in inputs.items()}), dtype=float))
    known = values[np.isfinite(values)]
    low, median, high = np.quantile(known, [0.05, 0.5, 0.95]) if known.size else (np.nan, np.nan, np.nan)
    return Band(central, float(low), float(median), float(high), values)


@dataclass(frozen=True)
class Bar:
    """One bar of a tornado: the result with one input at its low and its high end, all others central."""

    name: str
    at_low: float
    at_high: float

    @property
    def swing(self) -> float:
        """Distance between the two results."""
        return abs(self.at_high - self.at_low)


def tornado(result: Callable[..., Any], inputs: Mapping[str, Doubtful]) -> list[Bar]:
    """What moves a result: each doubtful input in turn at its ends, widest bar first; one vectorised call.

    Parameters as in `propagate`; a Residual goes to the ends of its band. Returns: a bar for each Range or Residual.
    """
    doubtful = [name for name, value in inputs.items() if isinstance(value, Range | Residual)]
    if not doubtful:
        return []
    given: dict[str, Any] = {}
    for name, value in inputs.items():
        if not isinstance(value, Range | Residual):
            given[name] = value
            continue
        column = np.full(2 * len(doubtful), value.central, dtype=float)
        at = doubtful.index(name)
        column[2 * at], column[2 * at + 1] = value.ends()
        given[name] = column
    values = np.broadcast_to(np.asarray(result(**given), dtype=float), (2 * len(doubtful),))
    bars = [Bar(name, float(values[2 * i]), float(values[2 * i + 1])) for i, name in enumerate(doubtful)]
    return sorted(bars, key=lambda bar: -(bar.swing if np.isfinite(bar.swing) else np.inf))


def _central(value: Doubtful) -> Any:
    return value.central if isinstance(value, Range | Residual) else value


@dataclass(frozen=True)
class Passport:
    """Where a prediction stands among measurements."""

    nearest: int  #: index of the nearest measured point
    distance: float  #: doublings between it and the prediction, over all axes: 1 is a factor of two on one of them
    farthest_axis: str  #: axis that contributes most to the distance
    ratio: float  #: measured over predicted at that point
    n: int  #: measured points of the same group (chip and model family)
    median_error: float  #: median of |predicted / measured - 1| over the group; NaN without points


def passport(
    at: Mapping[str, float],
    points: Mapping[str, Numbers],
    predicted: Numbers,
    measured: Numbers,
    same_group: Numbers,
    apart: Numbers = 0.0,
) -> Passport:
    """The nearest measured point, its distance and error, and how many of its kind there are.

    Parameters: at, value of each axis where the prediction stands (positive: batch, lengths, chips, bandwidth ...); points, the same
    axes of the m measured points (NaN where not published: that axis then does not count for that point); predicted and measured,
    m values each; same_group, m booleans: same chip and model family; apart, m values or one: doublings that a point counts as farther
    off because it differs in kind (another model, another chip), 0 or more. Distance: root of the sum of squared log2 ratios.
    Returns: Passport, its distance without `apart`. Errors: ValueError without points.
    """
    predicted, measured = require_positive("predicted", predicted).ravel(), require_positive("measured", measured).ravel()
    group = np.asarray(same_group, dtype=bool).ravel()
    if measured.size == 0:
        raise ValueError("no measured point to compare with")
    columns = {name: numbers(name, points[name]).ravel() for name in at}
    for name, values in (columns | {"predicted": predicted, "same_group": group}).items():
        if values.size != measured.size:
            raise ValueError(f"{name} must have a value for each of {measured.size} measured points, got {values.size}")
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.stack([np.log2(columns[n]) - np.log2(one_number(n, require_positive(n, v))) for n, v in at.items()])
    squares = np.where(np.isfinite(logs), logs**2, 0.0)
    distance = np.sqrt(squares.sum(axis=0))
    nearest = int(np.argmin(distance + require_at_least("doublings apart", apart, 0)))
    errors = np.abs(predicted[group] / measured[group] - 1)
    return Passport(
        nearest,
        float(distance[nearest]),
        list(at)[int(np.argmax(squares[:, nearest]))],
        float(measured[nearest] / predicted[nearest]),
        int(group.sum()),
        float(np.median(errors)) if errors.size else float("nan"),
    )
