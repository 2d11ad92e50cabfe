"""The shipped French topics are well written: articles, elisions, agreement."""

from __future__ import annotations

import re

import pytest

from lengthprobe.task.languages import Topic, load_language


@pytest.mark.parametrize(
    ("key", "le", "sur", "de"),
    [
        ("sea", "la mer", "sur la mer", "de la mer"),
        ("future", "l'avenir", "sur l'avenir", "de l'avenir"),
        ("harps", "la harpe", "sur la harpe", "de la harpe"),  # an aspirated h keeps the article whole
        ("humor", "l'humour", "sur l'humour", "de l'humour"),  # a mute h does not
        ("oil", "l'huile", "sur l'huile", "de l'huile"),
        ("owls", "les hiboux", "sur les hiboux", "des hiboux"),  # a plural in x
        ("eyes", "les yeux", "sur les yeux", "des yeux"),
        ("festivals", "les festivals", "sur les festivals", "des festivals"),  # -al without -aux
        ("newspapers", "les journaux", "sur les journaux", "des journaux"),
        ("bones", "les os", "sur les os", "des os"),  # alike in both numbers
        ("voices", "la voix", "sur la voix", "de la voix"),  # a singular in x
        ("corn", "le maïs", "sur le maïs", "du maïs"),  # a singular in s
        ("fireworks", "les feux d'artifice", "sur les feux d'artifice", "des feux d'artifice"),
        ("cameras", "les appareils photo", "sur les appareils photo", "des appareils photo"),
        ("bats", "les chauves-souris", "sur les chauves-souris", "des chauves-souris"),
        ("cookies", "les biscuits", "sur les biscuits", "des biscuits"),
        ("pain", "la douleur", "sur la douleur", "de la douleur"),  # pain in English, not bread
        ("sons", "les fils aînés", "sur les fils aînés", "des fils aînés"),  # les fils alone are threads too
        ("noon", "l'heure de midi", "sur l'heure de midi", "de l'heure de midi"),  # midi has no article
    ],
)
def test_french_articles_and_elisions(key: str, le: str, sur: str, de: str) -> None:
    """Articles agree in gender and number, and are elided before a vowel or a mute h in the singular."""
    assert dict(load_language("fr").topics[key].forms) == {"le": le, "sur": sur, "de": de}


def _french_article_and_noun(topic: Topic) -> tuple[str, str]:
    """The article of a topic, with its space or apostrophe, and all that follows."""
    form = topic.forms["le"]
    (article,) = (article for article in ("le ", "la ", "l'", "les ") if form.startswith(article))
    return article, form.removeprefix(article)


def test_french_prepositions_agree_with_the_article() -> None:
    """In every topic, sur keeps the article that the topic has, and de is contracted with le and les."""
    contracted = {"le ": "du ", "la ": "de la ", "l'": "de l'", "les ": "des "}
    for topic in load_language("fr").topics.values():
        article, noun = _french_article_and_noun(topic)
        assert topic.forms["sur"] == f"sur {article}{noun}"
        assert topic.forms["de"] == contracted[article] + noun


_FRENCH_VOWELS = "aàâæeéèêëiîïoôœuùû"


_FRENCH_ASPIRATED = {"harpe", "hérissons", "hiboux"}


def test_french_articles_suit_the_sound_that_follows() -> None:
    """In the singular, l' stands before a vowel or a mute h, and never before another sound."""
    aspirated = set()
    for topic in load_language("fr").topics.values():
        article, noun = _french_article_and_noun(topic)
        first = noun.split()[0]
        if first in _FRENCH_ASPIRATED:
            aspirated.add(first)
        silent = first[0] in _FRENCH_VOWELS or (first[0] == "h" and first not in _FRENCH_ASPIRATED)
        assert article == "les " or (article == "l'") == silent, topic.key
    assert aspirated == _FRENCH_ASPIRATED


# Singular nouns with the ending of a plural.
_FRENCH_SINGULARS = {
    *("bois", "jazz", "jus", "maïs", "paix", "printemps", "progrès", "riz", "temps", "tennis", "univers"),
    "voix",
}


def test_french_plural_articles_have_plural_nouns() -> None:
    """The first word after les ends in s, x or z, also before a hyphen. Few singular nouns end so."""
    singulars = set()
    for topic in load_language("fr").topics.values():
        article, noun = _french_article_and_noun(topic)
        head = re.split("[ -]", noun)[0]
        if article == "les ":
            assert head[-1] in "sxz", topic.key
        elif head[-1] in "sxz":
            singulars.add(head)
    assert singulars == _FRENCH_SINGULARS


def test_french_endings_agree_with_the_gender() -> None:
    """Nouns in -tion, -té, -ie are feminine; nouns in -isme, -ment, -age are masculine, but for la plage."""
    for topic in load_language("fr").topics.values():
        article, noun = _french_article_and_noun(topic)
        if article in ("le ", "la ") and noun != "plage":
            assert article == "la " or not re.search("(tion|té|ie)$", noun), topic.key
            assert article == "le " or not re.search("(isme|ment|age)$", noun), topic.key


def test_no_french_topic_is_another_in_the_plural() -> None:
    """Le mariage and les mariages would be nearly the same topic: nouns differ without a final s or x too."""
    nouns = [_french_article_and_noun(topic)[1] for topic in load_language("fr").topics.values()]

    assert len({re.sub("[sx]$", "", noun) for noun in nouns}) == len(nouns)
