"""Growth of the error of a response's length with the length asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lengthprobe.errors import SettingsError
from lengthprobe.measures.per_response import Valued, mean_of, selected_responses

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lengthprobe.measures.per_response import Measured
    from lengthprobe.statistics.estimate import Estimate
    from lengthprobe.task.prompts import Response

CAPPED_AT = 5.0  # words; ours: runaways have a claim of their own


def error_growth(probe: Measured, *, language: str) -> Estimate:
    """The least-squares slope of |words(response) − N| on N, in words per word asked for.

    Ours. An absolute error counts as 5 words at the most. The slope is the mean over prompts of
    (N − N̄)(e − ē) / mean (N − N̄)², and is clustered by topic as any mean is.

    An error lies between 0 and 5, so that the value of a prompt lies between -ē and 5 - ē times its weight
    (N − N̄) / mean (N − N̄)². The difference of two checkpoints on a prompt therefore lies within ± 5 times
    the weight, but for the difference of their mean errors: within ± 3.75 where 3 to 9 words are asked for.

    Raises:
        SettingsError: All prompts ask for the same length.
    """
    selected = selected_responses(probe, probe.responses(language), language=language)
    lengths = [response.prompt.n_words for response in selected]
    middle = sum(lengths) / len(lengths)
    spread = sum((n - middle) ** 2 for n in lengths) / len(lengths)
    if spread == 0:
        raise SettingsError(
            f"how the error grows with N needs more than one N; all prompts ask for {lengths[0]}",
            "setting:lengths=3-9, or deselect the claim",
        )
    # n is N of a prompt, `middle` is N̄; below, c is words(response), e the error and `mean` is ē.
    weights = [(n - middle) / spread for n in lengths]
    reach = max(map(abs, weights)) * CAPPED_AT

    def values(_responses: Sequence[Response], counts: Sequence[int]) -> list[Valued]:
        errors = [min(CAPPED_AT, abs(c - n)) for c, n in zip(counts, lengths, strict=True)]
        mean = sum(errors) / len(errors)

        def valued(weight: float, e: float) -> Valued:
            low, high = sorted((weight * -mean, weight * (CAPPED_AT - mean)))
            return Valued(weight * (e - mean), (low, high))

        return [valued(weight, e) for weight, e in zip(weights, errors, strict=True)]

    return mean_of(
        probe,
        values=values,
        name="error_growth",
        language=language,
        unit="words/word",
        bounds=(-reach, reach),
    )
