"""Notes of the length that a model adds to its answer: "(7 words)", "Word count: 7"."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from lengthprobe.task.languages import available, load_language

if TYPE_CHECKING:
    from collections.abc import Iterable

_OPEN, _CLOSE, _INSIDE = r"[(\[{（【]", r"[)\]}）】]", r"[^()\[\]{}（）【】]"
_EMPHASIS = re.compile("[*_`]")
_LONGEST = 400  # characters
_COLON = r"\W{0,4}[:=：]\W{0,4}"


def has_length_note(text: str, *, language: str) -> bool:
    """Whether a text begins or ends with a note of how many words it has.

    A note is a number of words in brackets ("(2 words)", "[exactly two words]"); a number after what a
    language calls the count ("Word count: 2", "Total: 7 words"), in brackets or as a sentence or line of its
    own; or, in digits, a number of words after a dash, or as the last sentence or line ("2 words."). Nouns of
    every language are known, since a note may be in another language than the answer.

    Args:
        text: The text, with typographic apostrophes and spaces as they are typed.
        language: Code of the language whose number words are known.

    >>> has_length_note("Waves sing. (Word count: 2)", language="en")
    True
    >>> has_length_note("My 7 words became 2 words", language="en")
    False
    """
    plain = _EMPHASIS.sub("", text)
    # A longer note is none; what stands before the end is not the beginning of the text.
    end = plain if len(plain) <= _LONGEST else f"x{plain[-_LONGEST:].lstrip()}"
    at_end, at_beginning = _patterns(language)
    return any(one.search(end) for one in at_end) or at_beginning.search(plain[:_LONGEST]) is not None


@cache
def _patterns(language: str) -> tuple[tuple[re.Pattern[str], ...], re.Pattern[str]]:
    """What finds a note at the end of a text, and what finds one at its beginning."""
    known = [load_language(code) for code in available()]
    own = load_language(language)
    noun = _any_of(word for one in (*known, own) for word in (one.word_one, one.word_other))
    labels = {label for one in (*known, own) for label in one.counts}
    label, long_label = _any_of(labels), _any_of(one for one in labels if " " in one)
    number = rf"\b(?:\d+(?:\s*/\s*\d+)?|{_any_of(own.numbers.values())})"
    words = rf"{number}[\s-]*{noun}\b"
    bracket = "|".join(
        (
            rf"{_OPEN}\W{{0,4}}(?:[^\W\d_]+[^\w()\[\]{{}}]{{1,3}}){{0,4}}{words}{_INSIDE}{{0,60}}{_CLOSE}",
            rf"{_OPEN}\W{{0,4}}{label}\b(?:{_COLON}|\s+){number}\b{_INSIDE}{{0,40}}{_CLOSE}",
        )
    )
    counted = rf"{_COLON}(?:[^\W\d_]+\s+)?{number}\b(?:[\s-]*{noun}\b)?\W*\Z"
    patterns = (
        rf"(?:{bracket})\W*\Z",
        rf"(?:\A|[\n.!?…;|]|\s[–—-])\W{{0,8}}{label}{counted}",
        rf"\s\W{{0,4}}{long_label}{counted}",
        rf"\n\W{{0,8}}(?:[^\W\d_]+[ \t]+){{0,3}}\d+\s+{noun}\b\W*\Z",
        rf"\n\W{{0,8}}{words}\W*\Z",
        rf"(?:\s[–—-]+|[.!?…]\s|\s[|•·])\W{{0,4}}\d+\s+{noun}\b\W*\Z",
    )
    beginning = re.compile(rf"\A\W{{0,4}}(?:{bracket})\W*\w", re.IGNORECASE)
    return tuple(re.compile(pattern, re.IGNORECASE) for pattern in patterns), beginning


def _any_of(phrases: Iterable[str]) -> str:
    """A pattern that finds any of some phrases, the longest first."""
    return f"(?:{'|'.join(sorted(map(re.escape, set(phrases)), key=lambda one: (-len(one), one)))})"
