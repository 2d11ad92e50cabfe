"""The share of exact answers."""

from __future__ import annotations

from lengthprobe.measures import exact_match


def test_exact_match_is_one_or_zero(answered, values):
    """One where the words are N."""
    estimate = exact_match(answered((3, 3), (4, 5), (5, 4), (3, 0)), language="en")

    assert values(estimate) == [1, 0, 0, 0]
    assert (estimate.mean, estimate.unit, estimate.bounds, estimate.worst) == (0.25, "share", (0, 1), "low")


def test_cut_off_response_is_never_exact(answered, values):
    """It would have gone on."""
    assert values(exact_match(answered((3, 3), (3, 3), cut_off=[1]), language="en")) == [1, 0]


def test_lengths_choose_prompts(answered, values):
    """A range is a collection too."""
    assert values(exact_match(answered((3, 3), (4, 5), (9, 9)), language="en", lengths=range(4, 10))) == [
        0,
        1,
    ]
