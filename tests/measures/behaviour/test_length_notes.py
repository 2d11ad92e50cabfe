"""A note of the length after an answer is seen, and an answer that speaks of words is none."""

from __future__ import annotations

import pytest

from lengthprobe.measures import has_preamble
from lengthprobe.measures.behaviour.length_notes import ends_in_note

NOTES = {
    "en": [
        "Waves sing.\n\n(Word count: 2)",
        "Waves sing.\n\nWord count: 2",
        "Waves sing [2 words]",
        "Waves sing (2 words)",
        "Waves sing {2 words}",
        "Waves sing <2 words>",
        "Waves sing 【2 words】",
        "Waves sing（2 words）",
        "Waves sing (two words)",
        "Waves sing (exactly two words)",
        "Waves sing (2-word sentence)",
        "Waves sing (2 words, as requested)",
        "Waves sing (2 words in total).",
        "Waves sing. (This sentence contains exactly 2 words.)",
        "Waves sing. *(2 words)*",
        '"Waves sing." (2 words)',
        "Waves sing [Word count: 2/2]",
        "Waves sing (word count 2)",
        "Waves sing (total: 2 words)",
        "Waves sing (Words: 2)",
        "Waves sing [count=2]",
        "Waves sing (2)",
        "Waves sing.\n\n**Word count:** 2",
        "Waves sing.\n\n---\nWord Count: **2**",
        "Waves sing.\n\nWord count - 2",
        "Waves sing.\n\nNumber of words: two",
        "Waves sing.\nTotal words: 2",
        "Waves sing.\nWords: 2",
        "Waves sing.\n\nThe word count is 2.",
        "Waves sing. Total: 7 words",
        "Waves sing. Count: two words",
        "Waves sing — 7 words",
        "Waves sing—2 words",
        "Waves sing – exactly 2 words",
        "Waves sing - 2 words",
        "Waves sing -- 2 words",
        "Waves sing → 2 words",
        "Waves sing = 2 words",
        "Waves sing | 2 words",
        "Waves sing — two words",
        "Waves sing. 2 words.",
        "Waves sing\n2 words",
        "Waves sing\n2 words total",
        "Waves sing.\nTwo words.",
        "Waves sing.\n\nThat's 2 words.",
        "Waves sing.\n\nThis sentence has 2 words.",
    ],
    "it": [
        "Le onde cantano (3 parole)",
        "Le onde cantano [tre parole]",
        "Le onde cantano.\n\nConteggio parole: 3",
        "Le onde cantano [Numero di parole: 3]",
        "Le onde cantano.\nParole: 3",
        "Le onde cantano. Totale: 3 parole",
        "Le onde cantano — 3 parole",
        "Le onde cantano.\n3 parole in totale",
    ],
    "de": [
        "Wellen singen leise (3 Wörter)",
        "Wellen singen leise [drei Wörter]",
        "Wellen singen leise (Dieser Satz besteht aus 3 Wörtern.)",
        "Wellen singen leise.\n\nWortanzahl: 3",
        "Wellen singen leise. (Anzahl der Wörter: 3)",
        "Wellen singen leise.\n\nGesamt: 3 Wörter",
        "Wellen singen leise – 3 Wörter",
        "Wellen singen leise.\n3 Wörter insgesamt",
        "Singe (1 Wort)",
    ],
    "fr": [
        "Les vagues chantent (3 mots)",
        "Les vagues chantent [trois mots au total]",
        "Les vagues chantent.\n\nNombre de mots\u00a0: 3",
        "Les vagues chantent. Total\u202f: 3 mots",
        "Les vagues chantent — 3 mots",
    ],
    "es": [
        "Las olas cantan (3 palabras)",
        "Las olas cantan [tres palabras]",
        "Las olas cantan.\n\nRecuento de palabras: 3",
        "Las olas cantan.\nPalabras: 3",
        "Las olas cantan. Total: 3 palabras",
        "Las olas cantan — 3 palabras",
    ],
    "lb": [
        "Wellen, Salz a Wand (4 Wierder)",
        "Wellen, Salz a Wand [véier Wierder]",
        "Wellen, Salz a Wand.\n\nWuertzuel: 4",
        "Wellen, Salz a Wand. Unzuel vun de Wierder: 4",
        "Wellen, Salz a Wand. Total: 4 Wierder",
        "Wellen, Salz a Wand — 4 Wierder",
    ],
}
ANSWERS = {
    "en": [
        "Seven words can change a life",
        "He wrote 7 words",
        "I said two words",
        "Love needs only three words.",
        "One heart. Three words.",
        "Three words, eight letters",
        "Learn 20 words daily",
        "Pictures say 1,000 words",
        "Use 3–7 words",
        "Use 3 - 7 words",
        "It takes 10-20 words",
        "In 1984, 7 words changed history",
        "He paid $5. 7 people laughed.",
        "1. Waves\n2. Words",
        "Word count matters",
        "My word count is 7",
        "The grand total is seven words",
        "Words: two or three",
        "My final words: two",
        "I have 2 words: love and hope",
        "Silence — two words unsaid",
        "Great poets use few (many words)",
        "Words (many words) fail",
        "[Seven words can change everything]",
        "(7 words can change everything)",
        "Apollo (11)",
        "2 words",
        "Count the words, then stop",
        "",
        "(((",
    ],
    "it": ["Due parole bastano", "Ho scritto 7 parole", "Un cuore. Tre parole.", "Parole: pane e amore"],
    "de": ["Sieben Wörter ändern alles", "Er schrieb 7 Wörter", "Ein Herz. Drei Wörter.", "Ein Wort genügt"],
    "fr": ["Deux mots suffisent", "Il écrivit 7 mots", "Un cœur. Trois mots."],
    "es": ["Dos palabras bastan", "Escribió 7 palabras", "Un corazón. Tres palabras."],
    "lb": ["Zwee Wierder ginn duer", "Hie schreift 7 Wierder"],
}


@pytest.mark.parametrize(("language", "text"), [(code, text) for code in NOTES for text in NOTES[code]])
def test_note_is_seen(language, text):
    """A count in brackets, after its label, or set off from the answer."""
    assert has_preamble(text, language=language)


@pytest.mark.parametrize(("language", "text"), [(code, text) for code in ANSWERS for text in ANSWERS[code]])
def test_answer_is_not_taken_for_a_note(language, text):
    """A number, and the counted noun, can be part of the answer."""
    assert not has_preamble(text, language=language)


@pytest.mark.parametrize("language", ["en", "it", "de", "fr", "es", "lb"])
def test_ordinary_prose_has_no_note(language):
    """No sentence of a language's everyday prose ends in one."""
    from lengthprobe.task.languages import load_language

    assert not [text for text in load_language(language).ordinary if ends_in_note(text, language=language)]


def test_long_text_is_read_at_once():
    """Hostile runs of marks take no time that a reader would see."""
    for text in ("(" * 100_000, "a (" * 50_000, "7 " * 100_000, "\n" * 100_000 + ")"):
        assert not ends_in_note(text, language="en")
