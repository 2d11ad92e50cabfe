"""Whether it is words that a model counts, and not tokens."""

import pytest

from lengthprobe.measures import error_by_tokens_per_word, share


@pytest.mark.claim(source="lengthprobe", kind="replication")
def test_length_is_counted_in_words(probe, language, margins):
    """The length is counted in words, not in tokens: words of several tokens are not cut short."""
    assert share(error_by_tokens_per_word(probe, language=language)) < margins.token_counting
