"""Words: the number of words in a text, by each counter of METHODS §1.

The segmentation follows Unicode Standard Annex #29 (UAX #29). Every counter takes time in proportion to the
text and raises on no string.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from lengthprobe.errors import SettingsError
from lengthprobe.nearest import option_to_type
from lengthprobe.task.thoughts import answer_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

# A verdict on length that comes out differently under these two is undecided (METHODS §1).
RIVAL_COUNTERS = ("uax29", "whitespace")

_LETTER_OR_DIGIT = re.compile(r"[^\W_]")

# Characters whose words one regular expression finds; other text goes through the library, some 100 times
# slower. Left out, though Latin: ª º · ʼ and whatever can join or compose with its neighbours.
_LETTERS = "A-Za-zÀ-ÖØ-öø-ž"
_PLAIN = re.compile(rf"[\x00-\x7F{_LETTERS}‘’“”«»–—…]*")
_PLAIN_WORD = re.compile(
    rf"[{_LETTERS}0-9](?:[{_LETTERS}0-9_]"
    rf"|(?<=[{_LETTERS}])[.:'‘’](?=[{_LETTERS}])"
    r"|(?<=[0-9])[.,;'‘’](?=[0-9]))*"
)
_SPACES = re.compile(r"[ \t\r\n]+")

# UAX #15 calls text with at most this many combining marks in a row stream-safe. Beyond it, sorting the
# marks takes quadratic time; a combining grapheme joiner, itself no part of any word, parts them.
_MARKS_IN_A_ROW = 30
_GRAPHEME_JOINER = "\u034f"

# What Italian elides before a vowel: articles, prepositions, pronouns, and the usual other words.
_ELIDED = re.compile(
    r"(?<![\w'’])(?:(?:l|gl|un|d|dell|degl|all|agl|dall|dagl|nell|negl|sull|sugl|coll|cogl|c|v|m|t|s|n"
    r"|quest|quell|codest|ciascun|nessun|alcun|qualcun|tutt|altr|bell|buon|grand|sant|pover|mezz"
    r"|com|cos|dov|quand|quant|ch|anch|neanch|nemmen|neppur|ancor|fors|senz|nient|sott|sopr|oltr|contr|dev"
    r"|cent|vent|trent|quarant|cinquant|sessant|settant|ottant|novant|quattr)['’])+(?=[^\W\d_])",
    re.IGNORECASE,
)


def count_words(text: str, *, language: str = "en", counter: str = "uax29") -> int:  # noqa: ARG001
    """The number of words in a text, without the words of thoughts (`task.thoughts`).

    Args:
        text: Any string, lone surrogates and control characters included.
        language: Code of the text's language. No counter depends on the language today; callers name the
            language for later counters.
        counter: `uax29`: word segments of UAX #29 that hold a letter or a digit, after NFC normalization.
            `whitespace`: runs between white space that hold a letter or a digit.
            `italian_elision`: like `uax29`, with an elided Italian article or pronoun as a word of its own.
            `characters`: grapheme clusters that hold a letter or a digit, for languages without spaces.

    Raises:
        SettingsError: The counter is unknown.

    >>> count_words("l'uomo e un po' d'acqua")
    5
    >>> count_words("l'uomo e un po' d'acqua", counter="italian_elision")
    7
    """
    if counter not in _COUNTERS:
        raise SettingsError(
            f"counter {counter!r} is not known", option_to_type("setting:counter", counter, tuple(_COUNTERS))
        )
    return _COUNTERS[counter](answer_of(text))


def count_words_of_part(text: str, *, counter: str) -> int:
    """The number of words in a part of an answer without thoughts, by the counters of `count_words`.

    Marks of thoughts are not looked for: a part alone may look like a mark, though the whole answer has none.
    """
    return _COUNTERS[counter](text)


def _count_uax29(text: str) -> int:
    return _count_segments(_normalized(text))


def _count_whitespace(text: str) -> int:
    return _count_holding(text.split())


def _count_italian_elision(text: str) -> int:
    parted = _ELIDED.sub(lambda elided: re.sub("(['’])", r"\1 ", elided[0]), _normalized(text))
    return _count_segments(parted)


def _count_characters(text: str) -> int:
    if _PLAIN.fullmatch(text):
        return len(_LETTER_OR_DIGIT.findall(text))
    # uniseg finds them too, but in time quadratic in a run of combining marks.
    import regex

    return _count_holding(regex.findall(r"\X", text))


_COUNTERS: Mapping[str, Callable[[str], int]] = {
    "uax29": _count_uax29,
    "whitespace": _count_whitespace,
    "italian_elision": _count_italian_elision,
    "characters": _count_characters,
}


def _count_segments(text: str) -> int:
    if _PLAIN.fullmatch(text):
        return len(_PLAIN_WORD.findall(text))
    from uniseg.wordbreak import words  # type: ignore[import-untyped]

    # No word spans a space, so that a single emoji does not send a whole text through the library.
    return sum(
        len(_PLAIN_WORD.findall(run)) if _PLAIN.fullmatch(run) else _count_holding(words(run))
        for run in _SPACES.split(text)
    )


def _count_holding(pieces: Iterable[str]) -> int:
    return sum(1 for piece in pieces if _LETTER_OR_DIGIT.search(piece))


def _normalized(text: str) -> str:
    """The text in NFC, in linear time."""
    if text.isascii() or _PLAIN.fullmatch(text):
        return text
    safe: list[str] = []
    marks = 0
    for character in text:
        marks = marks + 1 if unicodedata.combining(character) else 0
        if marks > _MARKS_IN_A_ROW:
            safe.append(_GRAPHEME_JOINER)
            marks = 1
        safe.append(character)
    return unicodedata.normalize("NFC", "".join(safe))
