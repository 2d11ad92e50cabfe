"""Words: each counter on known texts, on every string there is, and in linear time."""

from __future__ import annotations

import re
import sys
import unicodedata
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from uniseg.wordbreak import words

from lengthprobe.errors import SettingsError
from lengthprobe.settings import COUNTERS
from lengthprobe.task.words import count_words

if TYPE_CHECKING:
    from types import FrameType

# Every code point, lone surrogates included.
ANYTHING = st.text(st.characters(), max_size=40)
# What rules of UAX #29 turn on: letters, digits, the marks that join them, spaces, joiners, an emoji, a flag,
# a circled letter (a pictograph that is a letter), Hebrew, katakana, a combining mark, a narrow space.
JOINED = st.text("ab1é_.:,;'’‘\"- \n\u00a0\u202f\u200d\u0301\u0308👩🇮Ⓜאア中\u00ad\ud800", max_size=16)
LATIN = st.text(st.characters(max_codepoint=0x2100), max_size=16)


@pytest.mark.parametrize(
    ("text", "uax29", "whitespace", "italian_elision"),
    [
        ("", 0, 0, 0),
        ("word", 1, 1, 1),
        ("don't", 1, 1, 1),
        ("l'uomo", 1, 1, 2),
        ("l’uomo", 1, 1, 2),
        ("dell'arte", 1, 1, 2),
        ("d'Kanner", 1, 1, 2),
        ("D’Kanner hunn d’Äppel", 3, 3, 5),
        ("e-Mail-Adress", 3, 1, 3),
        ("Hals-Nasen-Ohren-Arzt", 4, 1, 4),
        ("Straßenbahn", 1, 1, 1),
        ("STRAẞE", 1, 1, 1),
        ("Muséeën", 1, 1, 1),
        ("u\u0308ber Ba\u0308ren", 2, 2, 2),
        ("w.e.g.", 1, 1, 1),
        ("z.B. z. B.", 3, 3, 3),
        ("geht's wie geht’s", 3, 3, 3),
        ("„Wörter“ und »Wörter«", 3, 3, 3),
        ("3.14", 1, 1, 1),
        ("1,000,000.5", 1, 1, 1),
        ("U.S.A.", 1, 1, 1),
        ("un po'", 2, 2, 2),
        ("well-known", 2, 1, 2),
        ("and/or", 2, 1, 2),
        ("è", 1, 1, 1),
        ("e\u0300", 1, 1, 1),
        ("così è la città", 4, 4, 4),
        ("yes — no", 2, 2, 2),  # a dash between spaces is no word
        ("yes—no", 2, 1, 2),
        ("Stop here.Go on", 3, 3, 3),  # a full stop between letters joins them
        ("snake_case", 1, 1, 1),
        ("_", 0, 0, 0),
        ("... !? 👍", 0, 0, 0),
        ("1️⃣ first", 2, 2, 2),
        ("中文", 2, 1, 2),  # by UAX #29 an ideograph is a word of its own
        ("שלום עולם", 2, 2, 2),
        ("a\u00a0b", 2, 2, 2),
        ("a\u200bb", 2, 1, 2),  # a zero-width space parts words, and is no white space
        ("a\u200db", 1, 1, 1),
        ("a\x00b", 2, 1, 2),
        ("a\ud800b", 2, 1, 2),
    ],
)
def test_known_texts(text: str, uax29: int, whitespace: int, italian_elision: int) -> None:
    """The examples of METHODS §1, and what evaluation counters are known to misread."""
    assert count_words(text) == uax29
    assert count_words(text, counter="whitespace") == whitespace
    assert count_words(text, counter="italian_elision") == italian_elision


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("L'uomo dell'arte", 4),
        ("DELL'ARTE", 2),
        ("un'amica", 2),
        ("c'è", 2),
        ("c’è", 2),
        ("un po' d'acqua", 4),
        ("d'un'altra", 3),
        ("quest'anno", 2),
        ("dov'è l'albero?", 4),
        ("«l'acqua»", 2),
        ("cent'anni", 2),
        ("rock'n'roll", 1),  # not Italian's own
        ("O'Neill", 1),
        ("l' uomo", 2),
        ("l'", 1),
        ("l'11 settembre", 3),  # UAX #29 parts a letter's apostrophe from a digit already
    ],
)
def test_italian_elision_parts_the_elided_word(text: str, expected: int) -> None:
    """An elided article or pronoun counts where a letter follows its apostrophe."""
    assert count_words(text, language="it", counter="italian_elision") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", 0),
        ("中文，字。", 3),
        ("a b, 1!", 3),
        ("e\u0301", 1),
        ("नमस्ते", 3),  # न, म, स्ते: a conjunct is one character
        ("각", 1),
        ("\u1100\u1161\u11a8", 1),
        ("👨‍👩‍👧 🇮🇹", 0),
        ("ｶﾞ", 1),
    ],
)
def test_characters_are_those_a_reader_sees(text: str, expected: int) -> None:
    """Grapheme clusters with a letter or a digit; punctuation, emoji and flags have none."""
    assert count_words(text, counter="characters") == expected


@given(text=ANYTHING | JOINED | LATIN)
@settings(deadline=None, max_examples=500)
def test_uax29_is_the_librarys(text: str) -> None:
    """The short cut for Latin text, and the parting at spaces, never change what uniseg finds."""
    found = words(unicodedata.normalize("NFC", text))

    assert count_words(text) == sum(1 for segment in found if any(map(str.isalnum, segment)))


@pytest.mark.parametrize("shape", ["a{0}a", "1{0}1", "a{0}1", "1{0}a", "a{0}{0}a", "_{0}a", "a{0}_", "é{0}"])
def test_every_latin_character_is_the_librarys(shape: str) -> None:
    """Latin letters and punctuation, between letters, digits and underscores, count as uniseg has them."""
    for code in (*range(0x250), *range(0x2000, 0x2070)):
        text = shape.format(chr(code))
        found = words(unicodedata.normalize("NFC", text))
        assert count_words(text) == sum(1 for segment in found if any(map(str.isalnum, segment))), hex(code)


@pytest.mark.parametrize("counter", COUNTERS)
@given(text=ANYTHING | JOINED)
@settings(deadline=None)
def test_no_string_is_too_strange(counter: str, text: str) -> None:
    """Every string has a count, between none and one a character."""
    assert 0 <= count_words(text, counter=counter) <= len(text)


@pytest.mark.parametrize("counter", ["uax29", "whitespace", "italian_elision"])
@given(before=ANYTHING | JOINED, after=ANYTHING | JOINED)
@settings(deadline=None)
def test_a_space_parts_words(counter: str, before: str, after: str) -> None:
    """Texts with a space between them have the words of both."""
    together = count_words(f"{before} {after}", counter=counter)

    assert together == count_words(before, counter=counter) + count_words(after, counter=counter)


@given(text=ANYTHING | JOINED | LATIN)
@settings(deadline=None)
def test_canonically_equal_texts_have_equal_counts(text: str) -> None:
    """Whether an accent is written with its letter or after it, the words are the same."""
    assert count_words(unicodedata.normalize("NFD", text)) == count_words(text)


@given(text=JOINED | st.text("lunadcev'’ è.", max_size=20))
@settings(deadline=None)
def test_elision_only_adds_words(text: str) -> None:
    """Elision parts words and joins none, and does nothing where there is no apostrophe."""
    plain = text.replace("'", " ").replace("’", " ")

    assert count_words(text, counter="italian_elision") >= count_words(text)
    assert count_words(plain, counter="italian_elision") == count_words(plain)


def test_an_unknown_counter_is_refused() -> None:
    """The message lists the counters there are."""
    with pytest.raises(SettingsError) as error:
        count_words("a", counter="letters")

    assert error.value.problem == "counter 'letters' is not known"
    assert error.value.fix == "--lengthprobe-counter=uax29, or whitespace, italian_elision or characters"


def steps(text: str, counter: str) -> int:
    """The lines of Python that run while a text is counted."""
    seen = 0

    def trace(_frame: FrameType, event: str, _argument: object) -> object:
        nonlocal seen
        seen += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        count_words(text, counter=counter)
    finally:
        sys.settrace(before)
    return seen


@pytest.mark.parametrize("counter", COUNTERS)
@pytest.mark.parametrize(
    "pattern",
    [
        "中a' ",
        'א"',
        "a\u0301\u0316",
        "\u0301\u0316",  # marks that NFC has to sort
        "\u200d",
        "👨\u200d",
        "🇮",
        "\ud800",
        "क\u094d",
        "é.\u0308",
        "\u1100",
        "\u0600",
        "l'",
        "_",
    ],
)
def test_twice_the_text_takes_twice_the_steps(pattern: str, counter: str) -> None:
    """Linear time, counted and not timed: 2 × is linear, 4 × would be quadratic; 2.2 leaves a fixed part."""
    once, twice = (f"中{pattern * length}a" for length in (150, 300))
    count_words(twice, counter=counter)  # the first use imports the library and fills its tables

    assert steps(twice, counter) <= 2.2 * steps(once, counter) + 20


def test_a_long_run_of_marks_is_parted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python sorts a run of marks in quadratic time: it gets at most 30 at once, as UAX #15 has it."""
    given_texts: list[str] = []
    monkeypatch.setattr(unicodedata, "normalize", lambda _form, text: given_texts.append(text) or text)

    assert count_words("a" + "\u0301\u0316" * 500 + "b") == 1

    (text,) = given_texts
    assert max(map(len, re.findall("[\u0301\u0316]+", text))) == 30
    assert re.sub("\u034f", "", text) == "a" + "\u0301\u0316" * 500 + "b"


@pytest.mark.parametrize("counter", COUNTERS)
@pytest.mark.parametrize("pattern", ["_", "a", "a.", "1,", "'", "l'", " ", "\n"])
def test_a_long_plain_text_is_no_trap(pattern: str, counter: str) -> None:
    """Regular expressions that step back would take hours over 200,000 characters of one kind."""
    assert count_words(pattern * 200_000, counter=counter) >= 0
