"""The shipped languages are whole and well written."""

from __future__ import annotations

from collections import Counter

import pytest

from lengthprobe.task.languages import Language, available, load_language


@pytest.fixture(params=available())
def shipped(request: pytest.FixtureRequest) -> Language:
    """Each language that lengthprobe ships."""
    return load_language(request.param)


def test_there_are_enough_topics_in_equal_halves(shipped: Language) -> None:
    """150 topics: with fewer, no rate under 2 % could be shown. Half of them are kept for scoring."""
    assert Counter(topic.split for topic in shipped.topics.values()) == {"discovery": 75, "test": 75}


def test_languages_share_topics_and_wordings() -> None:
    """Topics pair across languages by key and half, wordings by id and form."""
    english, italian = load_language("en"), load_language("it")

    assert {key: topic.split for key, topic in english.topics.items()} == {
        key: topic.split for key, topic in italian.topics.items()
    }
    assert [(w.id, w.form, w.bare) for w in english.wordings] == [
        (w.id, w.form, w.bare) for w in italian.wordings
    ]


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


def test_the_bare_wording_is_the_papers() -> None:
    """arXiv:2509.02075 asks "Generate exactly N words"."""
    (bare,) = (wording for wording in load_language("en").wordings if wording.bare)

    assert bare.text == "Generate exactly {n} {words}"


def test_no_two_topics_read_alike(shipped: Language) -> None:
    """Two topics of the same words would be one cluster under two names."""
    forms = [tuple(topic.forms.values()) for topic in shipped.topics.values()]

    assert len(set(forms)) == len(forms)


def test_number_words_differ(shipped: Language) -> None:
    """Twenty number words, all different, and the feminine for one Italian word."""
    assert sorted(shipped.numbers) == list(range(1, 21))
    assert len(set(shipped.numbers.values())) == 20
    assert load_language("it").numbers[1] == "una"


@pytest.mark.parametrize(
    ("key", "il", "su", "di"),
    [
        ("sea", "il mare", "sul mare", "del mare"),  # masculine before a consonant
        ("dogs", "i cani", "sui cani", "dei cani"),
        ("zoo", "lo zoo", "sullo zoo", "dello zoo"),  # before z, s with a consonant, y
        ("yoga", "lo yoga", "sullo yoga", "dello yoga"),
        ("mirrors", "gli specchi", "sugli specchi", "degli specchi"),
        ("love", "l'amore", "sull'amore", "dell'amore"),  # before a vowel
        ("bears", "gli orsi", "sugli orsi", "degli orsi"),  # the plural is not elided
        ("moon", "la luna", "sulla luna", "della luna"),  # feminine
        ("friendship", "l'amicizia", "sull'amicizia", "dell'amicizia"),
        ("islands", "le isole", "sulle isole", "delle isole"),
        ("school", "la scuola", "sulla scuola", "della scuola"),  # s with a consonant is no matter here
    ],
)
def test_italian_articles_and_elisions(key: str, il: str, su: str, di: str) -> None:
    """Articles agree in gender and number, and are elided before a vowel in the singular."""
    assert dict(load_language("it").topics[key].forms) == {"il": il, "su": su, "di": di}


def test_italian_prepositions_agree_with_the_article() -> None:
    """In every topic, su and di are contracted with the very article that the topic has."""
    contracted = {
        "il ": ("sul ", "del "),
        "lo ": ("sullo ", "dello "),
        "la ": ("sulla ", "della "),
        "l'": ("sull'", "dell'"),
        "i ": ("sui ", "dei "),
        "gli ": ("sugli ", "degli "),
        "le ": ("sulle ", "delle "),
    }
    for topic in load_language("it").topics.values():
        (article,) = (article for article in contracted if topic.forms["il"].startswith(article))
        noun = topic.forms["il"].removeprefix(article)
        assert (topic.forms["su"], topic.forms["di"]) == tuple(start + noun for start in contracted[article])


def test_italian_articles_suit_the_sound_that_follows() -> None:
    """A vowel takes l' or gli or le; z, y, s with a consonant take lo or gli in the masculine."""
    for topic in load_language("it").topics.values():
        article, noun = topic.forms["il"].replace("'", "' ").split()
        vowel = noun[0] in "aeiou"
        impure = noun[0] in "zy" or (noun[0] == "s" and noun[1] not in "aeiou")
        assert (article == "l'") == (vowel and article not in ("gli", "le"))
        assert article not in ("il", "i") or not (vowel or impure)
        assert article not in ("lo", "gli") or vowel or impure
        assert article not in ("la",) or not vowel
