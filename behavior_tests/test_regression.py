"""Each requirement as a regression: the candidate less the `--reference`, paired by prompt."""

import pytest

from lengthprobe import measures


@pytest.mark.claim(source="lengthprobe", kind="requirement")
def test_length_error_has_not_risen(probe, reference_probe, language, margins):
    """The mean absolute error has not risen against the reference."""
    candidate = measures.absolute_error(probe, language=language)
    reference = measures.absolute_error(reference_probe, language=language)
    assert candidate - reference < margins.length_error_rise


@pytest.mark.claim(source="lengthprobe", kind="requirement")
def test_exact_match_has_not_fallen(probe, reference_probe, language, margins):
    """No fewer answers are exact than the reference gives."""
    candidate = measures.exact_match(probe, language=language)
    reference = measures.exact_match(reference_probe, language=language)
    assert candidate - reference > -margins.exact_match_fall


@pytest.mark.claim(source="lengthprobe", kind="requirement")
def test_runaways_have_not_risen(probe, reference_probe, language, margins):
    """No more answers run away than the reference's."""
    candidate = measures.runaways(probe, language=language)
    reference = measures.runaways(reference_probe, language=language)
    assert candidate - reference < margins.runaways_rise


@pytest.mark.claim(source="lengthprobe", kind="requirement")
def test_short_answers_have_not_risen(probe, reference_probe, language, margins):
    """No more answers are cut short than the reference's."""
    candidate = measures.short_answers(probe, language=language)
    reference = measures.short_answers(reference_probe, language=language)
    assert candidate - reference < margins.short_answers_rise


@pytest.mark.claim(source="lengthprobe", kind="requirement")
def test_error_growth_has_not_risen(probe, reference_probe, language, margins):
    """The error grows no faster with the length than the reference's."""
    candidate = measures.error_growth(probe, language=language)
    reference = measures.error_growth(reference_probe, language=language)
    assert candidate - reference < margins.error_growth_rise


@pytest.mark.claim(source="lengthprobe", kind="requirement")
def test_preambles_have_not_risen(probe, reference_probe, language, margins):
    """No more answers open with a preamble than the reference's."""
    candidate = measures.preambles(probe, language=language)
    reference = measures.preambles(reference_probe, language=language)
    assert candidate - reference < margins.preambles_rise


@pytest.mark.claim(source="lengthprobe", kind="requirement")
def test_counter_disagreement_has_not_risen(probe, reference_probe, language, margins):
    """Word counters disagree on no more answers than on the reference's."""
    candidate = measures.counter_disagreement(probe, language=language)
    reference = measures.counter_disagreement(reference_probe, language=language)
    assert candidate - reference < margins.counter_disagreement_rise
