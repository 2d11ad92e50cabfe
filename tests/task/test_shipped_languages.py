"""The shipped languages are whole and well written."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from lengthprobe.task.languages import Language, available, load_language


@pytest.fixture(params=available())
def shipped(request: pytest.FixtureRequest) -> Language:
    """Each language that lengthprobe ships."""
    return load_language(request.param)


def test_there_are_enough_topics_in_equal_halves(shipped: Language) -> None:
    """150 topics that are asked first: with fewer, no rate under 2 % could be shown. Then 450 for close cases.

    Half of each are kept for scoring.
    """
    halves = Counter((topic.is_further, topic.split) for topic in shipped.topics.values())
    assert halves == {
        (False, "discovery"): 75,
        (False, "test"): 75,
        (True, "discovery"): 225,
        (True, "test"): 225,
    }


def test_languages_share_topics_and_wordings(shipped: Language) -> None:
    """Topics pair across languages by key and half, wordings by id and form; and in the same order."""
    english = load_language("en")

    assert [(topic.key, topic.split) for topic in shipped.topics.values()] == [
        (topic.key, topic.split) for topic in english.topics.values()
    ]
    assert [(w.id, w.form, w.bare) for w in shipped.wordings] == [
        (w.id, w.form, w.bare) for w in english.wordings
    ]


def test_every_form_of_a_topic_is_used(shipped: Language) -> None:
    """A form that no wording asks for would never be read."""
    used = {form for wording in shipped.wordings for form in wording.topic_forms}

    assert {form for topic in shipped.topics.values() for form in topic.forms} == used


def test_ordinary_sentences_are_short_prose(shipped: Language) -> None:
    """40 sentences of 6 to 14 words, each with its capital and its full stop, no digit, no quotation mark."""
    assert len(shipped.ordinary) == 40
    for sentence in shipped.ordinary:
        assert 6 <= len(sentence.split()) <= 14
        assert sentence[0].isupper()
        assert sentence.endswith(".")
        assert not re.search(r"[0-9\"«»„“”‘():]", sentence)


def test_preambles_are_lower_case(shipped: Language) -> None:
    """They are found whatever their case, and none is written twice."""
    assert shipped.notes
    for phrases in (shipped.interjections, shipped.introductions, shipped.notes):
        assert len(set(phrases)) == len(phrases)
        assert list(phrases) == [phrase.lower() for phrase in phrases]


def test_wordings_differ_in_form(shipped: Language) -> None:
    """Seven wordings have a topic; the paper's own is there with and without one."""
    assert Counter((wording.form, wording.bare) for wording in shipped.wordings) == {
        ("paper", True): 1,
        ("paper", False): 1,
        ("imperative", False): 1,
        ("question", False): 1,
        ("polite", False): 1,
        ("constraint-first", False): 1,
        ("constraint-last", False): 1,
        ("terse", False): 1,
    }


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("de", "Generiere genau {n} {words}"),
        ("en", "Generate exactly {n} {words}"),
        ("es", "Genera exactamente {n} {words}"),
        ("fr", "Génère exactement {n} {words}"),
        ("it", "Genera esattamente {n} {words}"),
        ("lb", "Generéier genee {n} {words}"),
    ],
)
def test_the_bare_wording_is_the_papers(language: str, text: str) -> None:
    """arXiv:2509.02075 asks "Generate exactly N words"."""
    (bare,) = (wording for wording in load_language(language).wordings if wording.bare)

    assert bare.text == text


def test_no_two_topics_read_alike(shipped: Language) -> None:
    """Two topics of the same words would be one cluster under two names."""
    forms = [tuple(topic.forms.values()) for topic in shipped.topics.values()]

    assert len(set(forms)) == len(forms)


def test_number_words_differ(shipped: Language) -> None:
    """Twenty number words, all different."""
    assert sorted(shipped.numbers) == list(range(1, 21))
    assert len(set(shipped.numbers.values())) == 20


@pytest.mark.parametrize(
    ("language", "one"),
    [("de", "ein"), ("en", "one"), ("es", "una"), ("fr", "un"), ("it", "una"), ("lb", "ee")],
)
def test_one_agrees_with_the_noun(language: str, one: str) -> None:
    """Feminine in Italian and Spanish, masculine in French, neuter in German and Luxembourgish."""
    assert load_language(language).numbers[1] == one


# English singulars that have an article among the topics.
_WITH_THE = (
    "airport attic bakery beach cathedral circus city desert eagle forest future garden guitar harbor lake "
    "library market moon night ocean office past piano river road sea stadium sun universe wind zoo"
)


def test_english_topics_have_an_article_only_where_listed() -> None:
    """The article is the, before a singular of the list. No topic has a or an, or a capital."""
    phrases = [topic.forms["about"] for topic in load_language("en").topics.values()]

    with_the = {phrase.removeprefix("the ") for phrase in phrases if phrase.startswith("the ")}
    assert with_the == set(_WITH_THE.split())
    for phrase in phrases:
        assert re.fullmatch(r"(?:the |old |pine )?[a-z]+", phrase)


def test_english_keys_are_the_phrases() -> None:
    """A key is the English phrase without its article, with a hyphen for a space."""
    for topic in load_language("en").topics.values():
        assert topic.key == topic.forms["about"].removeprefix("the ").replace(" ", "-")


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
