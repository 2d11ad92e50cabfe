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
    """150 topics first: with fewer, no rate under 2 % could be shown. Then 450 for close cases.

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
