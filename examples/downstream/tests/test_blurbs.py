"""The shop's claims about the model that writes the product texts."""

import pytest

from lengthprobe import measures


@pytest.mark.claim
def test_italian_blurbs_fit(probe, margins):
    """The shop's Italian texts keep to the requested length."""
    assert abs(measures.length_error(probe, language="it")) < margins.length_error


@pytest.mark.claim
def test_texts_fit_their_box(probe, language):
    """In every language of the shop, at most one text in ten is longer or shorter than its box allows."""
    assert measures.exact_match(probe, language=language) > 0.9


@pytest.mark.claim(kind="finding")
def test_italian_against_english(probe, report):
    """How much further from the requested length Italian texts are than English texts."""
    italian = measures.absolute_error(probe, language="it")
    report(italian - measures.absolute_error(probe, language="en"), "Italian less English")
