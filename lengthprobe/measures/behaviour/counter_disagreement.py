"""The share of responses on which two word counters disagree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lengthprobe.measures.per_response import RIVALS, mean_of
from lengthprobe.task.words import count_words

if TYPE_CHECKING:
    from lengthprobe.measures.per_response import Measured
    from lengthprobe.statistics.estimate import Estimate


def counter_disagreement(probe: Measured, *, language: str) -> Estimate:
    """The share of responses whose length differs between `uax29` and `whitespace` (METHODS §1, ours)."""
    return mean_of(
        probe,
        lambda response, _: float(
            len({count_words(response.answer, language=language, counter=counter) for counter in RIVALS}) > 1
        ),
        name="counter_disagreement",
        language=language,
        unit="share",
        bounds=(0.0, 1.0),
        counted=False,
    )
