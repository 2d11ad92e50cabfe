"""What a model must do to ship: answer with the number of words that was asked for."""

import pytest

from lengthprobe import measures


@pytest.mark.claim(source="arXiv:2509.02075", kind="requirement", published={"en": -0.07, "it": -0.08})
def test_mean_length_error_is_near_zero(probe, language, margins, show_beside):
    """The mean error of an answer's length is nearer to zero than half a word."""
    show_beside(measures.raw_length_error(probe, language=language))
    assert abs(measures.length_error(probe, language=language)) < margins.length_error


@pytest.mark.claim(source="lengthprobe", kind="requirement")
def test_most_answers_are_exact(probe, language, margins):
    """Most answers have exactly the words asked for."""
    assert measures.exact_match(probe, language=language) > margins.exact_match


@pytest.mark.claim(source="lengthprobe", kind="requirement")
def test_answers_seldom_run_away(probe, language, margins):
    """Few answers are cut off, or more than twice too long."""
    assert measures.runaways(probe, language=language) < margins.runaways


@pytest.mark.claim(source="lengthprobe", kind="requirement")
def test_answers_are_seldom_cut_short(probe, language, margins):
    """Few answers are more than one word short."""
    assert measures.short_answers(probe, language=language) < margins.short_answers


@pytest.mark.claim(source="lengthprobe", kind="requirement")
def test_error_does_not_grow_with_length(probe, language, margins):
    """The error does not grow with the number of words asked for."""
    assert measures.error_growth(probe, language=language) < margins.error_growth


@pytest.mark.claim(source="lengthprobe", kind="requirement")
def test_answer_is_only_the_words_asked_for(probe, language, margins):
    """The answer is the words asked for, and no preamble with them."""
    assert measures.preambles(probe, language=language) < margins.preambles


@pytest.mark.claim(source="lengthprobe", kind="requirement")
def test_verdict_does_not_hang_on_the_word_counter(probe, language, margins):
    """Two ways to count words agree on nearly every answer."""
    assert measures.counter_disagreement(probe, language=language) < margins.counter_disagreement
