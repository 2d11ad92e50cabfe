"""The shipped Spanish topics are well written: articles, elisions, agreement."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from lengthprobe.task.languages import load_language


@pytest.mark.parametrize(
    ("key", "el", "sobre", "de"),
    [
        ("sea", "el mar", "sobre el mar", "del mar"),  # masculine, contracted with de and never with sobre
        ("love", "el amor", "sobre el amor", "del amor"),  # a vowel changes nothing
        ("moon", "la luna", "sobre la luna", "de la luna"),  # feminine
        ("dogs", "los perros", "sobre los perros", "de los perros"),
        ("islands", "las islas", "sobre las islas", "de las islas"),
        ("water", "el agua", "sobre el agua", "del agua"),  # feminine with a stressed a
        ("hunger", "el hambre", "sobre el hambre", "del hambre"),  # h is silent
        ("harps", "el arpa", "sobre el arpa", "del arpa"),
        ("wings", "las alas", "sobre las alas", "de las alas"),  # the plural keeps its article
        ("anchors", "las anclas", "sobre las anclas", "de las anclas"),
        ("flour", "la harina", "sobre la harina", "de la harina"),  # the a is not stressed
        ("sand", "la arena", "sobre la arena", "de la arena"),
        ("confidence", "la autoestima", "sobre la autoestima", "de la autoestima"),
        ("comets", "los cometas", "sobre los cometas", "de los cometas"),  # masculine: in the sky
        ("kites", "las cometas", "sobre las cometas", "de las cometas"),  # feminine: on a string
        ("planets", "los planetas", "sobre los planetas", "de los planetas"),  # masculine in a
        ("hands", "las manos", "sobre las manos", "de las manos"),  # feminine in o
        ("radios", "la radio", "sobre la radio", "de la radio"),
        ("mathematics", "las matemáticas", "sobre las matemáticas", "de las matemáticas"),  # plural only
        ("jealousy", "los celos", "sobre los celos", "de los celos"),
        ("judges", "a los jueces", "sobre los jueces", "de los jueces"),  # people take a, in el alone
        ("mothers", "a las madres", "sobre las madres", "de las madres"),
        ("dentists", "a los dentistas", "sobre los dentistas", "de los dentistas"),
        ("families", "a la familia", "sobre la familia", "de la familia"),
        ("peacocks", "los pavos reales", "sobre los pavos reales", "de los pavos reales"),
    ],
)
def test_spanish_articles(key: str, el: str, sobre: str, de: str) -> None:
    """Articles agree in gender and number; de is contracted with el, and people are objects with a."""
    assert dict(load_language("es").topics[key].forms) == {"el": el, "sobre": sobre, "de": de}


def _spanish_articles_and_nouns() -> Iterator[tuple[str, str]]:
    """The article and the noun of each Spanish topic, without the a of people."""
    for topic in load_language("es").topics.values():
        article, noun = topic.forms["el"].removeprefix("a ").split(maxsplit=1)
        yield article, noun


def test_spanish_prepositions_agree_with_the_article() -> None:
    """In every topic, de is contracted with el alone, and sobre with no article."""
    with_de = {"el": "del", "la": "de la", "los": "de los", "las": "de las"}
    topics = load_language("es").topics.values()
    for topic, (article, noun) in zip(topics, _spanish_articles_and_nouns(), strict=True):
        assert topic.forms["sobre"] == f"sobre {article} {noun}"
        assert topic.forms["de"] == f"{with_de[article]} {noun}"


def _stresses_a_first_a(noun: str) -> bool:
    """Whether the first sound of a Spanish noun is an a, and stressed."""
    if not re.match("h?[aá]", noun):
        return False
    # One vowel with its glides is one syllable; an accent on i or u makes a syllable of its own.
    syllables = re.findall("(?:[iuü](?=[aeoáéó]))?[aeoáéó](?:[iu](?![aeoáéó]))?|[iuíúü]", noun)
    accents = [place for place, syllable in enumerate(syllables) if re.search("[áéíóú]", syllable)]
    unmarked = len(syllables) - (2 if re.search("[aeiouns]$", noun) else 1)
    return (accents[0] if accents else max(unmarked, 0)) == 0


@pytest.mark.parametrize(
    ("noun", "is_stressed"),
    [
        *((noun, True) for noun in ("agua", "águila", "hambre", "arpa", "ala", "aula", "hacha", "área")),
        *((noun, False) for noun in ("arena", "harina", "almohada", "armonía", "alegría", "ambición")),
        *((noun, False) for noun in ("autoestima", "amistad", "aventura", "igualdad", "luna")),
    ],
)
def test_spanish_stress(noun: str, is_stressed: bool) -> None:
    """Before n, s or a vowel at the end the last syllable but one is stressed, if no accent says other."""
    assert _stresses_a_first_a(noun) == is_stressed


def test_spanish_feminine_nouns_with_a_stressed_a() -> None:
    """In the singular they take el; the feminine article stands before no stressed a."""
    topics = list(_spanish_articles_and_nouns())

    assert not [noun for article, noun in topics if article == "la" and _stresses_a_first_a(noun.split()[0])]
    assert {noun for article, noun in topics if article == "el" and _stresses_a_first_a(noun)} == {
        *("agua", "águila", "arpa", "hambre"),  # feminine
        *("aire", "arte"),  # masculine, in the singular
    }


def test_spanish_genders_against_the_ending() -> None:
    """A noun in o is masculine; a noun in a, ión, dad or tud is feminine. The others are these."""
    against = {"el": "(a|ión|dad|tud)", "la": "o", "los": "(a|ione|dade|tude)s", "las": "os"}
    found = {
        f"{article} {noun}"
        for article, noun in _spanish_articles_and_nouns()
        if re.search(f"{against[article]}$", noun.split()[0])
    }

    assert found == {
        *("el agua", "el águila", "el arpa"),  # feminine with a stressed a
        *("los aviones", "el yoga", "el mediodía", "los idiomas"),
        *("los mapas", "los planetas", "los cometas"),
        *("los paraguas", "los paracaídas", "los rompecabezas"),  # made of a verb and a feminine noun
        *("los dentistas", "los fantasmas", "los piratas", "los turistas"),
        *("la radio", "las motos", "las manos"),
    }
