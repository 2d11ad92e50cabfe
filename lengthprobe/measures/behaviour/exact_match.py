"""The share of responses with exactly the number of words asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lengthprobe.measures.per_response import mean_of

if TYPE_CHECKING:
    from collections.abc import Collection

    from lengthprobe.measures.per_response import Measured
    from lengthprobe.statistics.estimate import Estimate


def exact_match(probe: Measured, *, language: str, lengths: Collection[int] | None = None) -> Estimate:
    """The share of responses with exactly N words (METHODS §1); empty and cut-off responses are misses."""
    return mean_of(
        probe,
        lambda response, n_words: float(
            n_words == response.prompt.n_words and response.finish_reason == "stop"
        ),
        name="exact_match",
        language=language,
        unit="share",
        bounds=(0.0, 1.0),
        worst="low",
        lengths=lengths,
    )
