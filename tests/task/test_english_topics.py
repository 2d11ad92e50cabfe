"""The shipped English topics are well written."""

from __future__ import annotations

import re

from lengthprobe.task.languages import load_language

# English singulars that have an article among the topics.
_WITH_THE = (
    "airport attic bakery beach cathedral circus city desert eagle economy forest future garden guitar "
    "harbor heart lake library market moon night north ocean office past piano river road sea stadium sun "
    "universe wind zoo"
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
