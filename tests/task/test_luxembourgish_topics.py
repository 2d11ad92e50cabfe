"""The shipped Luxembourgish topics are well written."""

from __future__ import annotations

import re

import pytest

from lengthprobe.task.languages import load_language


@pytest.mark.parametrize(
    ("key", "akk"),
    [
        ("ambition", "den Éiergäiz"),  # a capital with an accent is a vowel
        ("instinct", "den Instinkt"),
        ("harbor", "den Hafen"),  # n is kept before h, d, t, z and n
        ("jungles", "den Dschungel"),
        ("theaters", "den Theater"),
        ("doubt", "den Zweiwel"),
        ("north", "den Norden"),
        ("jazz", "de Jazz"),  # and lost before any other
        ("camping", "de Camping"),
        ("smoke", "den Damp"),
        ("steam", "de Waasserdamp"),
        ("corn", "de Mais"),
        ("mice", "d'Mais"),
        ("eggs", "d'Eeër"),  # after é or ee, the plural in er or en has a trema
        ("eyes", "d'Aen"),
        ("cups", "d'Tasen"),  # Taass: a voiced s in the plural
        ("peaches", "d'Pijen"),  # Piisch
        ("families", "d'Familljen"),
        ("thieves", "d'Déif"),  # the plural as the singular
        ("money", "d'Suen"),
        ("nurses", "d'Infirmièren"),
    ],
)
def test_luxembourgish_articles_and_plurals(key: str, akk: str) -> None:
    """De or den is masculine; d' is feminine, neuter or plural."""
    assert dict(load_language("lb").topics[key].forms) == {"akk": akk}


# A final n is lost before any consonant but these (and y, of which nothing is said here).
_KEEPS_N = "aeiouäöüëéèâêîôûndtzh"


def test_luxembourgish_articles_follow_the_n_rule() -> None:
    """The masculine article is den before a vowel, n, d, t, z, h, and de before any other consonant."""
    for topic in load_language("lb").topics.values():
        article, noun = topic.forms["akk"].replace("'", "' ").split()
        assert article in ("d'", "de", "den")
        assert article == "d'" or (article == "den") == (noun[0].lower() in _KEEPS_N)


def test_luxembourgish_numbers_follow_the_n_rule() -> None:
    """Ee and siwe lose their n before Wuert and Wierder; the rest have none to lose."""
    numbers = load_language("lb").numbers

    assert (numbers[1], numbers[7]) == ("ee", "siwe")
    assert not any(number.endswith("n") for number in numbers.values())


def test_luxembourgish_topics_keep_their_n() -> None:
    """Every wording has the topic where the n-rule takes nothing: before punctuation or at the end."""
    for wording in load_language("lb").wordings:
        assert wording.bare or re.search(r"\{akk\}(?:[,.?!]|$)", wording.text)


def test_luxembourgish_sentences_follow_the_n_rule() -> None:
    """An n is lost before a consonant that takes it; articles and their like keep it before the others."""
    language = load_language("lb")
    for text in (*language.ordinary, *(wording.text for wording in language.wordings)):
        assert not re.search(rf"n (?![{_KEEPS_N}{{])\w", text, re.IGNORECASE), text
        assert not re.search(rf"\b(?:de|e|dee|ee|a|vu|hu|hie|kee|mäi|säi) [{_KEEPS_N}]", text), text


def test_luxembourgish_articles_are_elided() -> None:
    """D' stands at its noun, with no space after it."""
    for topic in load_language("lb").topics.values():
        assert re.fullmatch(r"(?:d'|den? )[A-ZÄÉË][a-zäëéèü]+", topic.forms["akk"])
