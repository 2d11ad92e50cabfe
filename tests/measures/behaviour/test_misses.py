"""The shares of responses that miss the length in one way."""

from __future__ import annotations

import pytest

from lengthprobe import measures


@pytest.mark.parametrize(
    ("measure", "expected"),
    [
        # N 5, and 0, 3, 4, 5, 6, 10, 11 words; the last but one of 5 words is cut off.
        (measures.too_long, [0, 0, 0, 0, 0, 1, 1, 1]),
        (measures.too_short, [1, 1, 1, 0, 0, 0, 0, 0]),
        (measures.runaways, [0, 0, 0, 0, 1, 0, 0, 1]),
        (measures.short_answers, [1, 1, 0, 0, 0, 0, 0, 0]),
        (measures.cut_off, [0, 0, 0, 0, 1, 0, 0, 0]),
        (measures.empty, [1, 0, 0, 0, 0, 0, 0, 0]),
    ],
)
def test_share(answered, values, measure, expected):
    """Each misses at its own limit: more, fewer, over twice as many, under one fewer, cut off, none."""
    probe = answered(*((5, words) for words in (0, 3, 4, 5, 5, 6, 10, 11)), cut_off=[4])

    estimate = measure(probe, language="en")

    assert values(estimate) == expected
    assert (estimate.unit, estimate.bounds, estimate.worst) == ("share", (0, 1), "high")


@pytest.mark.parametrize("text", ["", " \n", "…", "\u200b"])
def test_response_without_a_word_is_empty(answered, values, text):
    """Whatever else it holds."""
    assert values(measures.empty(answered((3, text)), language="en")) == [1]


def test_being_cut_off_does_not_hang_on_the_counter(answered):
    """No rival count is made where no words are counted."""
    probe = answered((3, "well-known"), (3, "words"))

    assert measures.cut_off(probe, language="en").rival is None
    assert measures.runaways(probe, language="en").rival is not None
