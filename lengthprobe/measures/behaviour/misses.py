"""Shares of responses that miss the length: too long, too short, run away, cut off, empty."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lengthprobe.measures.per_response import mean_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from lengthprobe.measures.per_response import Measured
    from lengthprobe.statistics.estimate import Estimate
    from lengthprobe.task.prompts import Response


def too_long(probe: Measured, *, language: str, lengths: Collection[int] | None = None) -> Estimate:
    """The share of responses with more than N words (METHODS §1)."""
    return _share(probe, lambda response, n: n > response.prompt.n_words, "too_long", language, lengths)


def too_short(probe: Measured, *, language: str, lengths: Collection[int] | None = None) -> Estimate:
    """The share of responses with fewer than N words (METHODS §1)."""
    return _share(probe, lambda response, n: n < response.prompt.n_words, "too_short", language, lengths)


def runaways(probe: Measured, *, language: str, lengths: Collection[int] | None = None) -> Estimate:
    """The share of responses cut off at the token cap, or with more than 2 N words (METHODS §1).

    A thought ended by the cap is no answer, and so no runaway: `unfinished_thoughts` counts these thoughts.
    """
    return _share(
        probe,
        lambda response, n: response.ran_on or n > 2 * response.prompt.n_words,
        "runaways",
        language,
        lengths,
    )


def short_answers(probe: Measured, *, language: str, lengths: Collection[int] | None = None) -> Estimate:
    """The share of responses with fewer than N − 1 words (METHODS §1: more than one word short)."""
    return _share(
        probe, lambda response, n: n < response.prompt.n_words - 1, "short_answers", language, lengths
    )


def cut_off(probe: Measured, *, language: str, lengths: Collection[int] | None = None) -> Estimate:
    """The share of responses whose answer was cut off at the token cap (METHODS §1)."""
    return _share(probe, lambda response, _: response.ran_on, "cut_off", language, lengths, counted=False)


def empty(probe: Measured, *, language: str, lengths: Collection[int] | None = None) -> Estimate:
    """The share of responses without a word (METHODS §1)."""
    return _share(probe, lambda _, n: n == 0, "empty", language, lengths)


def _share(
    probe: Measured,
    missed: Callable[[Response, int], bool],
    name: str,
    language: str,
    lengths: Collection[int] | None,
    *,
    counted: bool = True,
) -> Estimate:
    return mean_of(
        probe,
        lambda response, n_words: float(missed(response, n_words)),
        name=name,
        language=language,
        unit="share",
        bounds=(0.0, 1.0),
        lengths=lengths,
        counted=counted,
    )
