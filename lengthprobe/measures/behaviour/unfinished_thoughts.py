"""The share of responses that end within a thought."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lengthprobe.measures.per_response import mean_of

if TYPE_CHECKING:
    from collections.abc import Collection

    from lengthprobe.measures.per_response import Measured
    from lengthprobe.statistics.estimate import Estimate


def unfinished_thoughts(
    probe: Measured, *, language: str, lengths: Collection[int] | None = None
) -> Estimate:
    """The share of responses that end within a thought, and so have no answer (ours).

    The other measures count an unfinished thought as a response without a word, and not as a runaway. Where
    more than a fifth of the responses are unfinished thoughts, the other measures refuse to judge.
    """
    return mean_of(
        probe,
        lambda response, _: float(response.is_unfinished_thought),
        name="unfinished_thoughts",
        language=language,
        unit="share",
        bounds=(0.0, 1.0),
        lengths=lengths,
        counted=False,
        answered=False,
    )
