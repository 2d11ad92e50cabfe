"""The share of responses with more than the words asked for."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from lengthprobe.measures.behaviour.length_notes import ends_in_note
from lengthprobe.measures.per_response import mean_of
from lengthprobe.task.languages import load_language
from lengthprobe.task.thoughts import answer_of

if TYPE_CHECKING:
    from lengthprobe.measures.per_response import Measured
    from lengthprobe.statistics.estimate import Estimate


_AS_TYPED = str.maketrans({"’": "'", "‘": "'", "\u00a0": " ", "\u202f": " "})


def preambles(probe: Measured, *, language: str) -> Estimate:
    """The share of responses with something around the words asked for (ours).

    See `has_preamble` for the rules.
    """
    return mean_of(
        probe,
        lambda response, _: float(has_preamble(response.answer, language=language)),
        name="preambles",
        language=language,
        unit="share",
        bounds=(0.0, 1.0),
        counted=False,
    )


def has_preamble(text: str, *, language: str) -> bool:
    """Whether a response opens with a preamble and goes on, or ends with a note of its length.

    A preamble is a first line that ends in a colon; an interjection of the language, set off by more than a
    comma ("Sure! …"); an introduction of the language, up to a colon or a line's end ("Here is …: …"); or an
    interjection followed by an introduction. A comma alone is not enough: "Great, golden, glowing" may well
    be the words asked for. A thought is no preamble. A note is a count of words, set off from the answer
    (`length_notes.ends_in_note`).

    >>> has_preamble("Sure! Here is the sentence: Waves sing", language="en")
    True
    >>> has_preamble("Sure hands build bridges", language="en")
    False
    """
    # Typographic apostrophes and spaces that do not break are the same marks to a reader.
    plain = answer_of(text).translate(_AS_TYPED)
    return any(pattern.search(plain) for pattern in _patterns(language)) or ends_in_note(
        plain, language=language
    )


@cache
def _patterns(language: str) -> tuple[re.Pattern[str], ...]:
    known = load_language(language)
    interjections, introductions = (
        "|".join(sorted(map(re.escape, phrases), key=len, reverse=True))
        for phrases in (known.interjections, known.introductions)
    )
    return tuple(
        re.compile(pattern, re.IGNORECASE)
        for pattern in (
            r"\A[^\n]*:[ \t*]*\n\s*\S",
            rf"\A\W*(?:{interjections})[ \t]*(?:[!.:…]|[ \t][–—-][ \t]|\n)\W*\w",
            rf"\A\W*(?:{introductions})\b[^:\n]*[:\n]\W*\w",
            rf"\A\W*(?:{interjections})\b[\s,!.:]*(?:{introductions})\b",
        )
    )
