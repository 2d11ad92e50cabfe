"""How often the interval of a share holds the true one, and a claim at its margin is decided wrongly."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lengthprobe.statistics.once_more import lasting_interval, ratio_interval

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

# What a runaway answer gives, in a component and in its whole.
RUNAWAY = (-1.0, -4.0)
SILENT = 100


@dataclass(frozen=True)
class ShareShape:
    """A component and its whole: normal values, those of the whole around 1.

    Args:
        name: What the table calls it.
        share: The component's mean.
        spread: Standard deviation of a prompt's value.
        correlation: Of a prompt's values of component and whole.
        whole_spread: Standard deviation of the whole's.
        sizes: Prompts a topic.
        runaways: Share of prompts whose answer runs away.
        silent: Standard deviation of each of 100 components with mean 0 that the whole counts with the sign
            of their mean on the other half of the topics.
    """

    name: str
    share: float
    spread: float
    correlation: float
    whole_spread: float = 0.4
    sizes: tuple[int, ...] = (2,)
    runaways: float = 0.0
    silent: float = 0.0

    @property
    def true(self) -> float:
        """The true share."""
        part, whole = RUNAWAY
        usual = 1 - self.runaways
        return (usual * self.share + self.runaways * part) / (usual + self.runaways * whole)


class Found(NamedTuple):
    """What came of the repeats of one shape: shares of them, and a mean width."""

    covered: float
    width: float
    holds: float
    broken: float


SHARE_SHAPES = (
    ShareShape("share 0.02, correlated 0", 0.02, 0.1, 0.0),
    ShareShape("share 0.02, correlated 0.5", 0.02, 0.1, 0.5),
    ShareShape("share 0.02, correlated 0.9", 0.02, 0.1, 0.9),
    ShareShape("share 0.02, correlated -0.5", 0.02, 0.1, -0.5),
    ShareShape("share 0.5, correlated 0.9", 0.5, 0.25, 0.9),
    ShareShape("share 0.5, correlated 0.5, the whole spread like its mean", 0.5, 0.5, 0.5, 1.0),
    ShareShape("share 0.02, correlated 0.5, 1 to 4 prompts a topic", 0.02, 0.1, 0.5, sizes=(1, 2, 3, 4)),
)
# Shown, and not held to the goal: no interval without bounds knows of a runaway that was not met.
BEYOND = (
    ShareShape("1 % runaways, share 0.02, correlated 0.5", 0.02, 0.1, 0.5, runaways=0.01),
    ShareShape("1 % runaways, share 0.5, correlated 0.9", 0.5, 0.25, 0.9, runaways=0.01),
    ShareShape("100 silent components, share 0.02, correlated 0.5", 0.02, 0.1, 0.5, silent=0.02),
)


def drawn(shape: ShareShape, topics: int, level: float, rng: Generator) -> tuple[Floats, Floats, Floats]:
    """Topic means of the component and of the whole, and topic sizes, [G] each.

    Args:
        shape: What to draw.
        topics: G.
        level: The correlation of two prompts of a topic, in the component and in the whole.
        rng: Where chance comes from.
    """
    sizes = np.resize(shape.sizes, topics)
    asked = np.arange(sizes.max()) < sizes[:, None]

    def normal(*more: int) -> Floats:
        of_topic, own = rng.normal(size=(*more, topics, 1)), rng.normal(size=(*more, *asked.shape))
        return np.asarray(math.sqrt(level) * of_topic + math.sqrt(1 - level) * own)

    common = normal()
    whole = 1 + shape.whole_spread * common
    own = shape.correlation * common + math.sqrt(1 - shape.correlation**2) * normal()
    part = shape.share + shape.spread * own
    if shape.runaways:
        away = rng.random(asked.shape) < shape.runaways
        part, whole = (np.where(away, *pair) for pair in zip(RUNAWAY, (part, whole), strict=True))
    if shape.silent:
        silent = shape.silent * normal(SILENT)
        for half, other in ((0, 1), (1, 0)):
            signs = np.sign(np.sum((silent * asked)[:, other::2], axis=(1, 2)))
            whole[half::2] += np.tensordot(signs, silent[:, half::2], 1)
    return *(np.sum(values * asked, axis=-1) / sizes for values in (part, whole)), sizes.astype(float)


def tried(shape: ShareShape, topics: int, level: float, alpha: float, repeats: int, rng: Generator) -> Found:
    """The coverage and mean width of the 1 - 2 alpha interval, and how often, at one-sided 0.05,
    `share(x) > m` holds and is broken where m is the true share.
    """
    margin = shape.true
    limits, claims = [], []
    for _ in range(repeats):
        part, whole, sizes = drawn(shape, topics, level, rng)
        limits.append(ratio_interval(part, whole, sizes, alpha))
        claims.append(lasting_interval(part - margin * whole, sizes, 0.05))
    (low, high), (above, below) = np.array(limits).T, np.array(claims).T
    known = np.isfinite(low)
    return Found(
        covered=float(np.mean((low <= margin) & (margin <= high))),
        width=float(np.mean((high - low)[known])),
        holds=float(np.mean(above > 0)),
        broken=float(np.mean(below < 0)),
    )
