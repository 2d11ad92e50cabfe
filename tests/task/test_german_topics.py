"""The shipped German topics are well written."""

from __future__ import annotations

import re

import pytest

from lengthprobe.task.languages import load_language


@pytest.mark.parametrize(
    ("key", "akk", "von"),
    [
        ("lake", "den See", "vom See"),  # masculine: the lake, and not the sea
        ("sea", "das Meer", "vom Meer"),  # neuter
        ("love", "die Liebe", "von der Liebe"),  # feminine
        ("stars", "die Sterne", "von den Sternen"),  # the dative plural has its n
        ("birds", "Vögel", "von Vögeln"),  # in general, without an article
        ("bears", "Bären", "von Bären"),
        ("bread", "Brot", "von Brot"),
        ("heart", "das Herz", "vom Herzen"),  # the only neuter with a case ending
        ("old-age", "das Alter", "vom Alter"),
        ("horizons", "den Horizont", "vom Horizont"),  # strong: no en
        ("holidays", "die Ferien", "von den Ferien"),
        ("furniture", "Möbel", "von Möbeln"),  # a plural, which shows only in the dative
        ("wings", "Flügel", "von Flügeln"),
        ("eggs", "Eier", "von Eiern"),
        ("neighbors", "Nachbarn", "von Nachbarn"),  # ends in n before
        ("bones", "Knochen", "von Knochen"),
        ("rabbits", "Kaninchen", "von Kaninchen"),
        ("cinemas", "Kinos", "von Kinos"),  # a plural in s takes no n
        ("cactuses", "Kakteen", "von Kakteen"),
        ("engines", "Motoren", "von Motoren"),
        ("fruit", "Obst", "von Obst"),  # no plural
        ("dragons", "Drachen", "von Drachen"),
        ("kites", "Papierdrachen", "von Papierdrachen"),
    ],
)
def test_german_cases(key: str, akk: str, von: str) -> None:
    """The accusative after über, the dative after von, contracted where it is."""
    assert dict(load_language("de").topics[key].forms) == {"akk": akk, "von": von}


def test_german_prepositions_agree_with_the_article() -> None:
    """In every topic, von is contracted with the article that the topic has; plurals end in n."""
    contracted = {"den ": "vom ", "das ": "vom ", "die ": "von der "}
    ending = {"das Herz": "en"}
    for topic in load_language("de").topics.values():
        akk, von = topic.forms["akk"], topic.forms["von"]
        article = next((article for article in contracted if akk.startswith(article)), "")
        if von.startswith("von den "):
            assert article == "die "
            assert von.endswith("n")
        elif article:
            assert von == contracted[article] + akk.removeprefix(article) + ending.get(akk, "")
        else:
            assert von in (f"von {akk}", f"von {akk}n", f"von {akk}en")


# German nouns that stand in the singular without an article; and a plural in i, which takes no dative n.
_WITHOUT_DATIVE_N = (
    "Bambus Baumwolle Beton Brot Dampf Eisen Energie Essig Fieber Geld Gemüse Gerste Glas Gold Holz "
    "Holzkohle Honig Jazz Kaffee Kleidung Kohle Kreide Kupfer Käse Lehm Mais Marmelade Marmor Mehl Milch "
    "Obst Parfüm Pfeffer Pizza Rauch Reis Rugby Saft Salat Salz Sand Sauerstoff Schach Schlamm Schmuck "
    "Schokolade Seife Senf Spaghetti Spielzeug Stahl Staub Suppe Tee Tennis Tinte Wein Weizen Weißkohl "
    "Wolle Yoga Zucker Öl"
)


def test_german_plurals_end_in_n_after_von() -> None:
    """A plural without an article ends in n in the dative, or in the s of its nominative."""
    forms = [topic.forms for topic in load_language("de").topics.values() if " " not in topic.forms["akk"]]
    unchanged = set(_WITHOUT_DATIVE_N.split())
    assert unchanged <= {form["akk"] for form in forms}
    for form in forms:
        noun = form["akk"]
        ending = "" if noun in unchanged or noun.endswith(("n", "s")) else "n"
        assert form["von"] == f"von {noun}{ending}"


@pytest.mark.parametrize(
    ("language", "feminine", "masculine"), [("de", ["die"], ["den"]), ("lb", ["d'"], ["de", "den"])]
)
def test_articles_agree_with_the_ending(language: str, feminine: list[str], masculine: list[str]) -> None:
    """Nouns in heit, ie, ik, ion, tät and ung are feminine in the singular, and nouns in ismus masculine."""
    for topic in load_language(language).topics.values():
        article, _, noun = topic.forms["akk"].replace("'", "' ").rpartition(" ")
        if article and re.search("(?:[hk]ee?i?t|ie|ik|[st]iou?n|tät|téit|ung)$", noun):
            assert article in feminine, noun
        if noun.endswith("ismus"):
            assert article in masculine, noun


def test_german_nouns_have_a_capital() -> None:
    """A topic is one noun, with den, das, die or no article before it."""
    for topic in load_language("de").topics.values():
        assert re.fullmatch(r"(?:(?:den|das|die) )?[A-ZÄÖÜ][a-zäöüß]+", topic.forms["akk"])
        assert re.fullmatch(r"(?:vom|von|von der|von den) [A-ZÄÖÜ][a-zäöüß]+", topic.forms["von"])
