"""The error of a response's length with one-token words, less the error with several-token words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from lengthprobe.errors import FewWordsError
from lengthprobe.generation.vocabulary import WORDS
from lengthprobe.measures.behaviour.length_error import length_error
from lengthprobe.measures.per_response import Measured, measure_key, probe_form
from lengthprobe.statistics.estimate import Estimate
from lengthprobe.statistics.measure_key import MeasureKey
from lengthprobe.statistics.winsorised import WINSORISED_AT

if TYPE_CHECKING:
    from contextlib import AbstractContextManager


class Constrainable(Measured, Protocol):
    """A probe, as the measure needs one."""

    def writing(self, words: str) -> AbstractContextManager[Measured]:
        """A probe that writes with a single kind of words."""


def tokenization_gap(probe: Constrainable, *, language: str) -> Estimate:
    """The mean signed error under one-token words, less under several-token words, paired by prompt.

    METHODS §4, tokenization control. Each error is winsorised at ±3 words, as in `length_error`. A model that
    counts words has no gap. A model that counts tokens stops the earlier the more tokens a word takes, and
    has a positive gap. Both vocabularies are the checkpoint's own words, matched in frequency, and the stop
    stays the checkpoint's own (ours: `generation.vocabulary`, `generation.constraint`).

    The measure suits models that keep count in texts that are no sentences: words of a single kind seldom
    make a sentence. Where the error is far from zero with *both* kinds, the model has lost count with either
    kind, and a gap is no sign of counting tokens; `length_error` within `probe.writing(...)` shows the error.

    Every prompt is answered twice more. Where the checkpoint wrote too few words of a kind, the gap is not
    known, and decides nothing.

    Raises:
        LengthprobeError: The checkpoint cannot be loaded or run.
    """
    one_token, several_tokens = (error_with_words(probe, language=language, words=words) for words in WORDS)
    return one_token - several_tokens


def error_with_words(probe: Constrainable, *, language: str, words: str) -> Estimate:
    """The mean signed error under words of a single kind, as in `length_error`.

    Args:
        probe: The checkpoint.
        language: Code of the language.
        words: `one-token` or `several-token`.

    Raises:
        LengthprobeError: As `tokenization_gap`.
    """
    try:
        with probe.writing(words) as constrained:
            return length_error(constrained, language=language)
    except FewWordsError as error:
        return Estimate.from_observations(
            [],
            name=measure_key(MeasureKey("length_error", (words,)), probe, language, None),
            unit="words",
            bounds=(-WINSORISED_AT, WINSORISED_AT),
            alpha=probe.settings.alpha,
            alpha_shares=probe.alpha_shares.behaviour,
            flaw=f"{error.problem} ({error.fix})",
            form=probe_form(probe),
        )
