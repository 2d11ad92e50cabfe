"""Notes of length at the end of a response."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from lengthprobe.task.languages import load_language
from lengthprobe.task.words import count_words

if TYPE_CHECKING:
    from collections.abc import Iterable

_LONGEST = 160
_OPEN, _CLOSE = r"[(\[{<（【［｛〔«]", r"[)\]}>）】］｝〕»]"
_INSIDE = r"[^()\[\]{}<>（）【】［］｛｝〔〕«»\n]"
# A line break; a dash, an arrow or the like, but not in a range of numbers ("3–7 words"); a sentence's end.
_SET_OFF = r"(?:\n|(?<=[^\d\s])\s*(?:[–—―|=~→⇒•]|->)|(?<=[^\d\s])\s+-{1,3}(?=\s)|(?<=[.!?…])[\"”»*_)]*\s)"


class _Patterns(NamedTuple):
    """Patterns of a note in a language.

    Args:
        sure: Patterns of a note with any number.
        if_true: Patterns of a note only if its number (the group `number`) is the number of words before.
        numbers: The numbers by their words.
    """

    sure: tuple[re.Pattern[str], ...]
    if_true: tuple[re.Pattern[str], ...]
    numbers: dict[str, int]

    def value(self, number: str) -> int:
        """The number meant by digits or by a word."""
        return int(number) if number.isdecimal() else self.numbers[number.lower()]


def ends_in_note(text: str, *, language: str) -> bool:
    """Whether a response ends in a note of its length, after some other words.

    A note is a count of words in brackets ("(2 words)", "[Word count: 2]"); or a count after its label ("Word
    count: 2", "Total: 2 words"); or a count set off by a line break, a dash or a full stop ("— 2 words"). Two
    kinds of numbers may be part of the answer: a spelled number with neither brackets nor label ("One heart.
    Three words."), and a number alone in brackets ("Apollo (11)"). These numbers make a note only where they
    are equal to the number of words before the note.

    >>> ends_in_note("Waves sing — 2 words", language="en")
    True
    >>> ends_in_note("A promise needs only 2 words", language="en")
    False
    """
    whole = text.rstrip()
    start = max(0, len(whole) - _LONGEST)
    known, tail = _patterns(language), whole[start:]

    def words_before(match: re.Match[str]) -> int:
        return count_words(whole[: start + match.start()], language=language)

    for pattern in known.sure:
        note = pattern.search(tail)
        if note is not None and words_before(note):
            return True
    for pattern in known.if_true:
        note = pattern.search(tail)
        if note is not None and words_before(note) == known.value(note["number"]):
            return True
    return False


@cache
def _patterns(language: str) -> _Patterns:
    known = load_language(language)
    # German has a dative of its own: "aus 7 Wörtern".
    noun = rf"(?:{_any((known.word_one, known.word_other))})n?\b"
    numbers = {word.lower(): number for number, word in known.numbers.items()}
    spelled = rf"(?:{_any(numbers)})"
    number = rf"(?<![\w.,])(?:\d+|{spelled})"
    nouns = (known.word_one.lower(), known.word_other.lower())
    # "Word count" names the counted thing by itself, and "total" does not.
    label = rf"\b(?:{_any(known.notes)})\b" if known.notes else r"(?!)"
    telling = [note for note in known.notes if any(form in note for form in nouns)]
    word_label = rf"\b(?:{_any(telling)})\b" if telling else r"(?!)"
    more = rf"(?:[\s,]+(?:{label}))?\W{{0,8}}\Z"
    marks = r"[\s*_~≈]{0,4}"
    says = rf"{marks}[:=–—-]{marks}"
    written = (
        rf"{_OPEN}{_INSIDE}{{0,60}}?(?<![\w.,])\d+[\s*_-]{{1,4}}{noun}{_INSIDE}{{0,60}}{_CLOSE}\W{{0,8}}\Z",
        rf"{_OPEN}\s*(?:\w+\s+){{0,2}}{spelled}\s+{noun}(?:\s+\w+){{0,2}}\W{{0,3}}{_CLOSE}\W{{0,8}}\Z",
        rf"{_OPEN}{_INSIDE}{{0,20}}?{word_label}{_INSIDE}{{0,20}}?{number}\b{_INSIDE}{{0,20}}{_CLOSE}\W{{0,8}}\Z",
        rf"{_OPEN}{_INSIDE}{{0,20}}?(?:{label}|\b{noun}){marks}[:=]{marks}\d+\W{{0,3}}{_CLOSE}\W{{0,8}}\Z",
        rf"{word_label}{says}{number}\b(?:\s+{noun})?{more}",
        rf"{label}{says}{number}[\s*_]{{1,4}}{noun}{more}",
        rf"\n\W{{0,4}}{noun}{says}\d+{more}",
        rf"\n[^\n]{{0,30}}{word_label}[^\n\d]{{0,20}}(?<![\w.,])\d+{more}",
        rf"{_SET_OFF}\W{{0,4}}(?:{label}\W{{1,3}})?(?:\w+\s+)?(?<![\w.,])\d+[\s*_]{{1,4}}{noun}{more}",
        rf"\n\W{{0,4}}(?:[\w'’]+\s+){{0,6}}(?<![\w.,])\d+[\s*_]{{1,4}}{noun}{more}",
    )
    ambiguous = (
        rf"{_SET_OFF}\W{{0,4}}(?:\w+\s+)?(?P<number>{spelled})\s+{noun}{more}",
        rf"{_OPEN}\s*(?P<number>\d+|{spelled})\s*{_CLOSE}\W{{0,8}}\Z",
    )
    sure, if_true = (
        tuple(re.compile(pattern, re.IGNORECASE) for pattern in patterns) for patterns in (written, ambiguous)
    )
    return _Patterns(sure, if_true, numbers)


def _any(phrases: Iterable[str]) -> str:
    """A pattern of any of some phrases, the longest first."""
    return "|".join(sorted(map(re.escape, phrases), key=len, reverse=True))
