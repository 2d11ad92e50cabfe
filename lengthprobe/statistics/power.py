"""The chance that a claim is decided on so many topics, foretold from a mean and the spread of topics.

A measure with bounds is imagined to have two or three values: most topics are at a centre, and some lie a
step above or below. The limits are then the library's own (`intervals.bounded_interval`), so that a perfect
model is foretold no narrower interval than the model gets.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cache
from statistics import NormalDist
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_NORMAL = NormalDist()
# How many topics stand for a distribution, and how many times a spread is halved to find the measured one.
_GRAIN = 2000
_HALVINGS = 10
# Topics of unlike sizes widen an interval a little, and are no spread.
_NEARLY = 0.97
# More prompts a language than anybody asks.
MOST_FORETOLD = 20_000


@dataclass(frozen=True, slots=True)
class Scale:
    """The values that a topic can have.

    Args:
        low: The least value.
        high: The greatest value.
        centre: The value of a topic without any fault.
        step: How far a usual fault moves a topic.
    """

    low: float
    high: float
    centre: float = 0.0
    step: float = 1.0

    def most_deviation(self, mean: float) -> float:
        """The standard deviation of topics that all lie at a bound."""
        return math.sqrt(max(0.0, (mean - self.low) * (self.high - mean)))


@dataclass(frozen=True, slots=True)
class Spread:
    """A mean over topics, and how topics differ.

    Args:
        mean: The mean.
        deviation: The standard deviation of topics.
        scale: The values that a topic can have, None for values without bounds.
    """

    mean: float
    deviation: float
    scale: Scale | None

    def moved(self, change: float) -> Spread:
        """The spread after a change of the mean, made by topics that a fault moves by a step each."""
        if self.scale is None:
            return replace(self, mean=self.mean + change)
        mean = min(self.scale.high, max(self.scale.low, self.mean + change))
        step = max(self.scale.step, abs(change))
        deviation = math.sqrt(self.deviation**2 + abs(change) * step - change**2)
        return replace(self, mean=mean, deviation=min(deviation, self.scale.most_deviation(mean)))

    def limits(self, topics: float, alpha: float) -> tuple[float, float]:
        """The limits at one-sided `alpha` over so many topics that show exactly this spread."""
        if self.scale is None:
            reach = -_NORMAL.inv_cdf(alpha) * self.deviation / math.sqrt(topics)
            return self.mean - reach, self.mean + reach
        return _bounded_limits(self.mean, self.deviation, self.scale, topics, alpha)

    @classmethod
    def measured(
        cls, mean: float, limits: tuple[float, float], scale: Scale | None, topics: int, alpha: float
    ) -> Spread:
        """The spread whose limits over so many topics are as far apart as the measured limits."""
        width = limits[1] - limits[0]
        if scale is None:
            return cls(mean, width / 2 / -_NORMAL.inv_cdf(alpha) * math.sqrt(topics), None)

        def too_wide(deviation: float) -> bool:
            low, high = cls(mean, deviation, scale).limits(topics, alpha)
            return high - low >= width * _NEARLY

        least, most = 0.0, scale.most_deviation(mean)
        if too_wide(least):
            return cls(mean, 0.0, scale)
        for _ in range(_HALVINGS):
            middle = (least + most) / 2
            least, most = (least, middle) if too_wide(middle) else (middle, most)
        return cls(mean, (least + most) / 2, scale)


@cache
def _bounded_limits(
    mean: float, deviation: float, scale: Scale, topics: float, alpha: float
) -> tuple[float, float]:
    # Imported here, since `intervals` needs numpy and scipy.
    from lengthprobe.statistics.intervals import bounded_interval

    values = [min(scale.high, max(scale.low, value)) for value in _values(mean, deviation, scale)]
    return bounded_interval(
        values, [1] * len(values), (scale.low, scale.high), alpha, copies=topics / len(values)
    )


def _values(mean: float, deviation: float, scale: Scale) -> list[float]:
    """`_GRAIN` values at the centre, and a step above and below, with a mean and a deviation."""
    away = mean - scale.centre
    square = deviation**2 + away**2
    if square == 0:
        return [mean] * _GRAIN
    one_sided = scale.centre in (scale.low, scale.high)
    step = max(scale.step, math.sqrt(square))
    if away and (one_sided or square < abs(away) * step):
        # All faults lie on the side of the mean.
        step = square / abs(away)
    above = (square / step**2 + away / step) / 2
    below = (square / step**2 - away / step) / 2
    n_above, n_below = round(_GRAIN * max(0.0, above)), round(_GRAIN * max(0.0, below))
    return (
        [scale.centre + step] * n_above
        + [scale.centre - step] * n_below
        + [scale.centre] * max(0, _GRAIN - n_above - n_below)
    )


@dataclass(frozen=True, slots=True)
class Sides:
    """What a claim says about a mean, and the levels at which it is judged.

    Args:
        margin: The margin.
        sign: -1 where the mean is to lie below the margin, 1 above, 0 within ± the margin.
        alpha: One-sided error rate for `holds`.
        shares: Into how many shares alpha is divided for `broken`.
    """

    margin: float
    sign: int
    alpha: float
    shares: float

    def chance_to_hold(self, spread: Spread, topics: float, part: float = 1.0) -> float:
        """The chance of `holds` over so many topics, at a part of alpha."""
        return min(
            _chance(spread, topics, self.alpha * part, margin, side) for side, margin in self._statements
        )

    def chance_to_break(self, spread: Spread, topics: float, part: float = 1.0) -> float:
        """The chance of `broken` over so many topics, at a part of alpha."""
        alpha = self.alpha * part / self.shares / len(self._statements)
        return max(_chance(spread, topics, alpha, margin, -side) for side, margin in self._statements)

    def worse(self, spread: Spread, change: float) -> Spread:
        """The spread after a change away from the claimed side."""
        away = -self.sign if self.sign else math.copysign(1, spread.mean)
        return spread.moved(away * change)

    def is_beyond(self, mean: float) -> bool:
        """Whether a mean lies on the other side of the margin."""
        return any(side * (mean - margin) < 0 for side, margin in self._statements)

    @property
    def _statements(self) -> tuple[tuple[int, float], ...]:
        return ((-1, self.margin), (1, -self.margin)) if self.sign == 0 else ((self.sign, self.margin),)


def _chance(spread: Spread, topics: float, alpha: float, margin: float, side: int) -> float:
    """The chance that the nearer limit lies below (-1) or above (1) a margin."""
    low, high = spread.limits(topics, alpha)
    distance = margin - high if side < 0 else low - margin
    noise = spread.deviation / math.sqrt(topics)
    if noise == 0:
        return float(distance > 0)
    return _NORMAL.cdf(distance / noise)


def prompts_for(
    chance: Callable[[float, float], float], power: float, looks: Sequence[tuple[int, float]]
) -> int | None:
    """The number of prompts after which a claim is decided with a given chance, None beyond `MOST_FORETOLD`.

    A claim is judged at looks alone, so that the number is that of a look, or a larger number than the last.

    Args:
        chance: The chance to be decided, after a number of prompts at a part of alpha.
        power: The chance wanted.
        looks: The numbers of prompts at which claims are judged, with their parts of alpha.
    """
    for prompts, part in looks:
        if chance(prompts, part) >= power:
            return prompts
    short, part = looks[-1]
    enough = float(short)
    while chance(enough, part) < power:
        short, enough = math.ceil(enough), 2 * enough
        if enough > MOST_FORETOLD:
            return None
    while enough > 1.01 * short:
        middle = (short + enough) / 2
        if chance(middle, part) >= power:
            enough = middle
        else:
            short = math.ceil(middle)
    return math.ceil(enough / 10) * 10
