"""The shapes of data that the intervals are tried on, and how they are drawn."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtri

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

RATE, ERROR = (0.0, 1.0), (-10.0, 10.0)


@dataclass(frozen=True)
class Shape:
    """What one prompt gives: values with their probabilities, or normal(0, 1) values where there are none."""

    name: str
    chances: tuple[tuple[float, float], ...] = ()
    bounds: tuple[float, float] | None = None
    sizes: tuple[int, ...] = (2,)

    @property
    def mean(self) -> float:
        """The true mean."""
        return math.fsum(value * chance for value, chance in self.chances)

    def quantiles(self, levels: Floats) -> Floats:
        """The values at levels within 0 to 1."""
        if not self.chances:
            return np.asarray(ndtri(levels))
        values, chances = zip(*sorted(self.chances), strict=True)
        steps = np.minimum(np.searchsorted(np.cumsum(chances), levels, side="right"), len(values) - 1)
        return np.asarray(values)[steps]


@dataclass(frozen=True)
class Draws:
    """Cluster means of many repeats [R, G], and the cluster sizes [G]."""

    means: Floats
    sizes: Floats

    def __neg__(self) -> Draws:
        return Draws(-self.means, self.sizes)


def rate(share: float, name: str = "", sizes: tuple[int, ...] = (2,)) -> Shape:
    """A share of prompts."""
    return Shape(name or f"rate {share:g}", ((0.0, 1 - share), (1.0, share)), RATE, sizes)


FEW = ((-1.0, 0.02), (0.0, 0.92), (1.0, 0.06))
RUNAWAYS = ((-1.0, 0.02), (0.0, 0.95), (1.0, 0.02), (10.0, 0.01))
SHAPES = (
    Shape("normal, no bounds"),
    Shape("normal, no bounds, 1 to 4 prompts a topic", sizes=(1, 2, 3, 4)),
    Shape("normal, bounds ±10", bounds=ERROR),
    Shape("mostly 0, a few ±1, bounds ±10", FEW, ERROR),
    Shape("1 % runaways, bounds ±10", RUNAWAYS, ERROR),
    Shape("1 % runaways, 1 to 4 prompts a topic", RUNAWAYS, ERROR, (1, 2, 3, 4)),
    *(rate(share) for share in (0.5, 0.9, 0.97, 0.99, 1.0)),
    rate(0.9, "rate 0.9, 1 to 4 prompts a topic", (1, 2, 3, 4)),
)
# One side has other prompts about the same topics; `opposed`: a topic easy on one side is hard on the other.
CONTRASTS = (
    ("normal less normal", Shape("", sizes=(1,)), Shape(""), False),
    ("normal less normal, topics opposed", Shape("", sizes=(1,)), Shape(""), True),
    ("rate 0.8 less rate 0.95", rate(0.8, sizes=(1,)), rate(0.95), False),
    ("rate 0.8 less rate 0.95, topics opposed", rate(0.8, sizes=(1,)), rate(0.95), True),
    ("rate 0.99 less rate 0.99", rate(0.99), rate(0.99), False),
    ("1 % runaways less few ±1", Shape("", RUNAWAYS, ERROR), Shape("", FEW, ERROR), False),
)
# The checks of one language: the claim, the sign of "above", a shape whose mean sits at the margin, and
# what a healthy model gives.
CHECKS = (
    ("length error below 0.5", -1, Shape("", ((0.0, 0.5), (1.0, 0.5)), ERROR), Shape("", FEW, ERROR)),
    ("length error above -0.5", 1, Shape("", ((-1.0, 0.5), (0.0, 0.5)), ERROR), Shape("", FEW, ERROR)),
    ("exact match above 0.8", 1, rate(0.8), rate(0.97)),
    ("runaways below 0.05", -1, rate(0.05), rate(0.002)),
    ("too short below 0.05", -1, rate(0.05), rate(0.002)),
    ("preamble below 0.05", -1, rate(0.05), rate(0.0)),
    ("counters differ below 0.1", -1, rate(0.1), rate(0.01)),
)


def draw(shape: Shape, levels: Floats, rng: Generator, topic_correlation: float) -> Draws:
    """Draws of a shape given each topic's own level [R, G]."""
    repeats, topics = levels.shape
    sizes = np.resize(shape.sizes, topics)
    own = rng.random((repeats, topics, int(sizes.max())))
    if shape.chances:
        taken = rng.random(own.shape) < math.sqrt(topic_correlation)
        values = shape.quantiles(np.where(taken, levels[..., None], own))
    else:
        values = math.sqrt(topic_correlation) * shape.quantiles(levels)[..., None]
        values = values + math.sqrt(1 - topic_correlation) * shape.quantiles(own)
    asked = np.arange(own.shape[-1]) < sizes[:, None]
    return Draws(np.sum(values * asked, axis=-1) / sizes, sizes.astype(float))
