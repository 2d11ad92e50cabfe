"""The number of topics that a claim needs, before anything is measured or after too few topics were."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

# An effect undecided with this many times the topics is taken to sit at the margin.
MOST_COPIES = 100.0
# The largest sensible number of topics, for a language whose number of topics nobody knows.
MOST_TOPICS = 1000


def smallest_topics(
    margin: float, bounds: tuple[float, float], alpha: float = 0.05, *, best: float = 0.0
) -> int:
    """The least number of topics with which perfect data could show that a mean keeps to its margin.

    G topics that all give `best` leave the interval a reach of (bound - best) (1 - alpha^(1/G)) towards the
    margin (`intervals.bounded_interval`), which must be less than the distance to the margin.

    Args:
        margin: The number with which the mean is compared.
        bounds: The least and the greatest value of the measure.
        alpha: One-sided error rate.
        best: The value of every prompt of a perfect model: 0 for an error or a difference, 1 for a hit rate.

    Raises:
        ValueError: No number of topics is enough, since the margin is the best value or beyond the bounds.
    """
    low, high = bounds
    if not low <= best <= high or not low <= margin <= high or margin == best:
        raise ValueError(
            f"margin {margin:g}, best value {best:g}, bounds {low:g} to {high:g}: nothing to decide"
        )
    distance = abs(margin - best)
    reach = high - best if margin > best else best - low
    if distance >= reach:
        return 2
    topics = max(2, math.floor(math.log(alpha) / math.log1p(-distance / reach)))
    while reach * -math.expm1(math.log(alpha) / topics) >= distance:
        topics += 1
    return topics


def topics_needed(clusters: int, decided: Callable[[float], bool]) -> int | None:
    """The number of further topics, like the measured topics, that would decide a claim; None if none would.

    Args:
        clusters: The number of topics measured.
        decided: Whether the claim is decided by the same topics taken so many times over. The number of
            times need not be whole.
    """
    if not decided(MOST_COPIES):
        return None
    enough, short = MOST_COPIES, 1.0
    while (
        math.ceil((enough - 1) * clusters) > math.ceil((short - 1) * clusters) + 1 and enough > short * 1.02
    ):
        middle = math.sqrt(enough * short)
        if decided(middle):
            enough = middle
        else:
            short = middle
    return max(1, math.ceil((enough - 1) * clusters))
