"""The share of responses that say more than the words asked for."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from lengthprobe.measures.per_response import mean_of
from lengthprobe.task.languages import load_language

if TYPE_CHECKING:
    from lengthprobe.measures.per_response import Measured
    from lengthprobe.statistics.estimate import Estimate


def preambles(probe: Measured, *, language: str) -> Estimate:
    """The share of responses that open with something other than the words asked for (ours).

    See `has_preamble` for what counts as one.
    """
    return mean_of(
        probe,
        lambda response, _: float(has_preamble(response.text, language=language)),
        name="preambles",
        language=language,
        unit="share",
        bounds=(0.0, 1.0),
        counted=False,
    )


def has_preamble(text: str, *, language: str) -> bool:
    """Whether a response opens with a preamble, and goes on.

    A preamble is a first line that ends in a colon, one of the language's interjections set off by
    punctuation ("Sure! …", "Certo, …"), or one of its introductions up to a colon ("Here is …: …").

    >>> has_preamble("Sure! Here is the sentence: Waves sing", language="en")
    True
    >>> has_preamble("Sure hands build bridges", language="en")
    False
    """
    return any(pattern.search(text) for pattern in _patterns(language))


@cache
def _patterns(language: str) -> tuple[re.Pattern[str], ...]:
    known = load_language(language)
    interjections, introductions = (
        "|".join(sorted(map(re.escape, phrases), key=len, reverse=True))
        for phrases in (known.interjections, known.introductions)
    )
    return (
        re.compile(r"\A\W*[^\n]*:[ \t*]*\n\s*\S"),
        re.compile(rf"\A\W*(?:{interjections})[ \t]*(?:[!.,:;…–—-]|\n)\W*\w", re.IGNORECASE),
        re.compile(rf"\A\W*(?:{introductions})\b[^:\n]*:\W*\w", re.IGNORECASE),
    )
