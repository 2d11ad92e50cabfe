"""Answers that say more than the words asked for."""

from __future__ import annotations

import pytest

from lengthprobe.measures import has_preamble, preambles

WITH = {
    "en": [
        "Sure! Here is the answer: Waves sing at night",
        "Sure, here is a line: waves sing",
        "Waves sing at night (4 words)",
        "Certainly.\n\nWaves sing at night",
        "Of course! Waves sing at night",
        "Here are five words about the sea: waves, salt, wind, sand, light",
        "Here's a sentence: Waves sing",
        "**Answer:** Waves sing",
        "A sentence about the sea:\nWaves sing",
        "Sure - waves sing",
        "OK\nWaves sing",
        "Here’s a sentence: Waves sing",
        "I’d be happy to help! Waves sing",
    ],
    "it": [
        "Certo! Ecco la risposta: Le onde cantano",
        "Volentieri! Ecco le parole: onde, sale",
        "Ecco cinque parole sul mare: onde, sale, vento, sabbia, luce",
        "Va bene. Le onde cantano",
        "Risposta: Le onde cantano",
    ],
    "fr": [
        "Bien sûr\u00a0! Les vagues chantent",
        "D’accord\u202f! Les vagues chantent",
        "Voici une phrase\u00a0: les vagues chantent",
    ],
    "de": [
        "Klar! Das Meer rauscht leise.",
        "Gerne, hier ist ein Satz: Wellen singen",
        "Hier sind fünf Wörter über das Meer: Wellen, Salz, Wind, Sand, Licht",
        "Wellen, Salz und Wind (4 Wörter)",
    ],
    "lb": [
        "Kloer! D'Welle sangen an der Nuecht.",
        "Gär, hei ass e Saz: D'Welle sangen",
        "Hei si fënnef Wierder iwwer d'Mier: Wellen, Salz, Wand, Sand, Luucht",
        "Wellen, Salz a Wand (4 Wierder)",
    ],
}
WITHOUT = {
    "en": [
        "Waves sing at night",
        "Sure hands build bridges",
        "Sure-footed goats climb cliffs",
        "Great-grandmothers tell stories",
        "Here the waves sing",
        "Here is where the river ends",
        "Certainly",
        "Two things matter: love and bread",
        "Of course rivers bend",
        "",
        "!!!",
        "Answering letters takes time",
        "Great, golden, glowing",
        "Words (many words) fail",
    ],
    "it": [
        "Le onde cantano di notte",
        "Certo amore resta",
        "Ecco il mare d'inverno",
        "Due cose contano: pane e amore",
    ],
    "de": ["Sicher ist sicher im Hafen", "Natürlich rauscht das Meer", "Hier ist es still"],
    "lb": ["Kloer ass d'Waasser am Séi", "Hei ass et roueg", "Jo, d'Mier rifft"],
}


@pytest.mark.parametrize(("language", "text"), [(code, text) for code in WITH for text in WITH[code]])
def test_preamble_is_seen(language, text):
    """An opening word set off, an introduction up to a colon, a first line that ends in one, a count."""
    assert has_preamble(text, language=language)


@pytest.mark.parametrize(("language", "text"), [(code, text) for code in WITHOUT for text in WITHOUT[code]])
def test_answer_is_not_taken_for_one(language, text):
    """The same words can be part of the answer."""
    assert not has_preamble(text, language=language)


@pytest.mark.parametrize("thought", ["Sure! Here is one:\nWaves", "I need:\n\nwaves", "Waves sing (2 words)"])
def test_thought_is_none(thought):
    """Whatever was said in it; what stands after it is looked at as ever."""
    assert not has_preamble(f"<think>{thought}</think>Waves sing", language="en")
    assert not has_preamble(f"{thought}</think>\nWaves sing", language="en")
    assert has_preamble(f"<think>{thought}</think>\n\nSure! Waves sing", language="en")
    assert has_preamble(f"<think>{thought}</think>\n\nWaves sing (2 words)", language="en")


def test_share(answered, values):
    """Of responses with one; the words are not counted for it."""
    estimate = preambles(answered((2, "Sure! Waves sing"), (2, "Waves sing")), language="en")

    assert values(estimate) == [1, 0]
    assert (estimate.unit, estimate.bounds, estimate.rival) == ("share", (0, 1), None)
