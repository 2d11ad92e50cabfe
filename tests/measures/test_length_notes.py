"""Notes of the length beside an answer, and answers that only speak of numbers and words."""

from __future__ import annotations

import pytest

from lengthprobe.measures import has_preamble
from lengthprobe.measures.length_notes import has_length_note

NOTES = {
    "en": [
        "(2 words)",
        "[2 words]",
        "{2 words}",
        "(two words)",
        "(Word count: 2)",
        "**(Word count: 2)**",
        "[Word count: 2 words]",
        "(exactly 2 words)",
        "(That's exactly 2 words.)",
        "(a 2-word sentence)",
        "(2/2 words)",
        "(2 words, as requested)",
        "（2 words）",
        "(2 parole)",
        "– 2 words",
        "- 2 words.",
    ],
    "it": ["(2 parole)", "[due parole]", "(Numero di parole: 2)", "(2 words)"],
    "de": ["(2 Wörter)", "[zwei Wörter]", "(Wortanzahl: 2)", "(Anzahl der Wörter: 2)"],
    "fr": ["(2 mots)", "[deux mots]", "(Nombre de mots : 2)"],
    "es": ["(2 palabras)", "[dos palabras]", "(Número de palabras: 2)"],
    "lb": ["(2 Wierder)", "[zwee Wierder]", "(Unzuel vun de Wierder: 2)"],
}
ON_A_LINE = {
    "en": [
        "Word count: 2",
        "**Word count:** 2",
        "*Word count*: two",
        "Total: 2 words",
        "Words: 2",
        "2 words.",
        "Exactly 2 words",
        "Two words",
        "Number of words = 2",
        "Length: 2 words",
        "_2 words_",
    ],
    "it": ["Numero di parole: 2", "Parole: 2", "Totale: 2 parole", "2 parole"],
    "de": ["Wortanzahl: 2", "Wörter: 2", "Insgesamt: 2 Wörter", "2 Wörter"],
    "fr": ["Nombre de mots : 2", "Total : 2 mots", "2 mots"],
    "es": ["Recuento de palabras: 2", "Total: 2 palabras", "2 palabras"],
    "lb": ["Zuel vun de Wierder: 2", "Total: 2 Wierder", "2 Wierder"],
}
ANSWERS = {
    "en": [
        "My 7 words became 2 words",
        "He said it in seven words",
        "Seven words can change a life",
        "Words (many words) fail",
        "She wrote 9 letters and 3 words",
        "Words count, and counts forget words",
        "Say it (in a few words)",
        "Poems (seven words each) delight children",
        "A total of seven ships sailed",
        "Chapter 7: words of wisdom",
        "The last word: love",
        "The length of 7 words matters",
        "Two words, then silence",
        "Room [7] is empty",
        "Count to seven (slowly)",
        "Score: 7",
    ],
    "it": ["Bastano due parole", "Le parole sono 7 note", "Sette parole (e un silenzio)"],
    "de": ["Sieben Wörter genügen", "Er sprach nur 2 Wörter"],
    "fr": ["Deux mots suffisent", "Il reste 7 mots"],
    "es": ["Bastan dos palabras", "Quedan 7 palabras"],
    "lb": ["Zwee Wierder ginn duer"],
}


def each(table):
    """Each text of a table with its language."""
    return [(language, text) for language, texts in table.items() for text in texts]


@pytest.mark.parametrize("before", ["Waves sing ", "Waves sing.\n\n", "Waves sing.\n"])
@pytest.mark.parametrize(("language", "note"), each(NOTES))
def test_note_in_brackets_or_after_a_dash(language, note, before):
    """After the answer, on its line or on another."""
    assert has_preamble(before + note, language=language)


@pytest.mark.parametrize(("language", "note"), each(ON_A_LINE))
def test_note_on_a_line_of_its_own(language, note):
    """A number after the name of the count, or a number of words."""
    assert has_preamble(f"Waves sing.\n\n{note}", language=language)


@pytest.mark.parametrize(
    "text", ["Waves sing. Word count: 2", "Waves sing. 2 words.", "Waves sing Word count: 2"]
)
def test_note_on_the_same_line(text):
    """As a sentence of its own."""
    assert has_length_note(text, language="en")


@pytest.mark.parametrize("text", ["(2 words) Waves sing", "[Word count: 2]\nWaves sing"])
def test_note_before_the_answer(text):
    """In brackets."""
    assert has_length_note(text, language="en")


@pytest.mark.parametrize(("language", "text"), each(ANSWERS))
def test_answer_with_numbers_and_words_is_none(language, text):
    """They are part of what is said."""
    assert not has_preamble(text, language=language)


@pytest.mark.parametrize("piece", ["\n", "(", "(7 words)!", "- ", "7 words ", ". "])
def test_long_text_takes_linear_time(piece):
    """Hostile text is looked through in seconds."""
    assert has_length_note(piece * (100_000 // len(piece)) + "x", language="en") in (True, False)
