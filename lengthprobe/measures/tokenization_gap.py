"""The error of a response's length with words of one token each, less that with words of several."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from lengthprobe.measures.length_error import length_error
from lengthprobe.measures.per_response import Measured

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from lengthprobe.statistics.estimate import Estimate


class Constrainable(Measured, Protocol):
    """What the measure needs of a probe."""

    def writing(self, words: str) -> AbstractContextManager[Measured]:
        """The probe that writes with words of one kind alone."""


def tokenization_gap(probe: Constrainable, *, language: str) -> Estimate:
    """The mean signed error under one-token words, less that under several-token words, paired by prompt.

    METHODS §4, tokenization control. Each error is winsorised at ±10 words, as in `length_error`. A model
    that counts words has no gap; one that counts tokens stops the earlier the more of them a word takes, and
    has a positive one. Both vocabularies are the checkpoint's own words, matched in frequency, and the stop
    stays its own (ours: `models.vocabulary`, `models.constraint`).

    It is for models that keep count in sentences that are none: words of one kind alone seldom make one.
    Where the error is far from zero with *both* kinds, the model has lost count with either, and a gap
    between the two is no sign of counting tokens; `length_error` within `probe.writing(...)` shows it.

    Every prompt is answered twice more.

    Raises:
        LengthprobeError: The checkpoint cannot be loaded or run, or wrote too few words of a kind.
    """
    with probe.writing("one-token") as constrained:
        one = length_error(constrained, language=language)
    with probe.writing("several-token") as constrained:
        several = length_error(constrained, language=language)
    return one - several
