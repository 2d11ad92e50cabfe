"""The error of a response's length: words less N, and its absolute value."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from lengthprobe.measures.per_response import mean_of
from lengthprobe.statistics.measure_key import MeasureKey
from lengthprobe.statistics.winsorised import WINSORISED_AT, winsorised_error

if TYPE_CHECKING:
    from collections.abc import Collection

    from lengthprobe.measures.per_response import Measured
    from lengthprobe.statistics.estimate import Estimate


def length_error(
    probe: Measured, *, language: str, lengths: Collection[int] | None = None, at: float = WINSORISED_AT
) -> Estimate:
    """The mean signed error in words, words(response) − N, each winsorised at ±3.

    arXiv:2509.02075 reports the raw mean (`raw_length_error`), which stands beside the claim. Winsorising is
    ours (METHODS §1): a single runaway of 80 words would rule a mean over 300 prompts, and runaways have a
    claim of their own. At 3 words the measure tells a healthy model from a model half a word off. At 10 words
    the measure seldom does.

    Args:
        probe: The checkpoint.
        language: Code of the language.
        lengths: Only the prompts that ask for these lengths, all by default.
        at: The number of words at which errors are winsorised; 10 for a claim on errors above 3 words.
    """
    return mean_of(
        probe,
        lambda response, n_words: winsorised_error(n_words - response.prompt.n_words, at),
        name=_stated("length_error", at),
        language=language,
        unit="words",
        bounds=(-at, at),
        worst="far",
        lengths=lengths,
    )


def raw_length_error(probe: Measured, *, language: str, lengths: Collection[int] | None = None) -> Estimate:
    """The mean signed error in words, words(response) − N, not winsorised, as in arXiv:2509.02075.

    The raw mean is shown beside `length_error` and decides nothing: a runaway on a prompt not asked could
    move the mean by any number of words, and no interval covers a move without limit.
    """
    return mean_of(
        probe,
        lambda response, n_words: float(n_words - response.prompt.n_words),
        name="raw_length_error",
        language=language,
        unit="words",
        bounds=(-math.inf, math.inf),
        worst="far",
        lengths=lengths,
    )


def absolute_error(
    probe: Measured, *, language: str, lengths: Collection[int] | None = None, at: float = WINSORISED_AT
) -> Estimate:
    """The mean absolute error in words, |words(response) − N|, each winsorised at 3 (METHODS §1).

    Args:
        probe, language, lengths, at: As in `length_error`.
    """
    return mean_of(
        probe,
        lambda response, n_words: abs(winsorised_error(n_words - response.prompt.n_words, at)),
        name=_stated("absolute_error", at),
        language=language,
        unit="words",
        bounds=(0.0, at),
        lengths=lengths,
    )


def _stated(name: str, limit: float) -> MeasureKey:
    """A measure's key, which names the number of words of winsorising unless this is the default."""
    return MeasureKey(name, () if limit == WINSORISED_AT else (f"winsorised at {limit:g}",))
