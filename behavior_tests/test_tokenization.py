"""Whether it is words that a model counts, and not tokens."""

import pytest

from lengthprobe.measures import error_by_tokens_per_word, error_with_words, share, tokenization_gap


@pytest.mark.claim(source="lengthprobe", kind="replication")
def test_length_is_counted_in_words(probe, language, margins):
    """The length is counted in words, not in tokens: words of several tokens are not cut short."""
    assert share(error_by_tokens_per_word(probe, language=language)) < margins.token_counting


@pytest.mark.claim(source="lengthprobe", kind="finding")
def test_words_of_several_tokens_count_as_one(probe, language, report):
    """The length is kept to alike with words of one token each, and with words of several."""
    report(error_with_words(probe, language=language, words="one-token"), "with words of one token")
    report(error_with_words(probe, language=language, words="several-token"), "with words of several")
    report(tokenization_gap(probe, language=language), "the difference")
