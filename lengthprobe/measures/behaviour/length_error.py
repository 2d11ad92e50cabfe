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
    ours (METHODS §1): one runaway of 80 words would rule a mean over 300 prompts, and runaways have a claim
    of their own. At 3 words a healthy model is told from one that is half a word off; at 10 it seldom is.

    Args:
        probe: The checkpoint.
        language: Code of the language.
        lengths: Only the prompts that ask for these, all by default.
        at: At how many words errors are winsorised; 10 for a claim that a model is off by more than 3.
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
    """The mean signed error in words, words(response) − N, as arXiv:2509.02075 reports it.

    It is shown beside `length_error` and decides nothing: a runaway that was not among the prompts could move
    it by any number of words, and no interval covers that.
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


def _stated(name: str, at: float) -> MeasureKey:
    """A measure's key, with where errors are winsorised if that is not the default."""
    return MeasureKey(name, () if at == WINSORISED_AT else (f"winsorised at {at:g}",))
