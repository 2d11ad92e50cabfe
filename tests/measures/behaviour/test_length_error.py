"""The error of a response's length."""

from __future__ import annotations

import math

from lengthprobe.measures import absolute_error, length_error, raw_length_error

# N and the words written: exact, one more, one fewer, none, 80 more.
PAIRS = ((3, 3), (4, 5), (5, 4), (3, 0), (9, 89))


def test_length_error_is_signed_and_winsorised_at_three_words(answered, values):
    """Words less N, and a runaway counts as three words."""
    estimate = length_error(answered(*PAIRS), language="en")

    assert values(estimate) == [0, 1, -1, -3, 3]
    assert estimate.mean == (0 + 1 - 1 - 3 + 3) / 5
    assert (estimate.unit, estimate.bounds) == ("words", (-3, 3))


def test_raw_length_error_is_as_the_paper_has_it(answered, values):
    """Words less N; nothing bounds it."""
    estimate = raw_length_error(answered(*PAIRS), language="en")

    assert values(estimate) == [0, 1, -1, -3, 80]
    assert estimate.bounds == (-math.inf, math.inf)


def test_absolute_error_has_no_sign(answered, values):
    """Too long and too short do not cancel."""
    estimate = absolute_error(answered(*PAIRS), language="en")

    assert values(estimate) == [0, 1, 1, 3, 3]
    assert estimate.bounds == (0, 3)


def test_errors_can_be_winsorised_further_out(answered, values):
    """For a claim that a model is off by far: the name says where, and so do the bounds."""
    signed = length_error(answered(*PAIRS), language="en", at=10)
    absolute = absolute_error(answered(*PAIRS), language="en", at=10)

    assert (values(signed), signed.bounds) == ([0, 1, -1, -3, 10], (-10, 10))
    assert (values(absolute), absolute.bounds) == ([0, 1, 1, 3, 10], (0, 10))
    assert signed.name == "length_error[winsorised at 10](model, en)"


def test_differences_of_two_winsorised_otherwise_are_told_apart_by_name(answered):
    """What was measured at 3 words and what was at 10 are two measures."""
    names = {length_error(answered(*PAIRS), language="en", at=at).name for at in (3, 10)}

    assert len(names) == 2


def test_cut_off_response_counts_with_the_words_it_has(answered, values):
    """It stays in the denominator."""
    assert values(length_error(answered((3, 7), cut_off=[0]), language="en")) == [3]


def test_lengths_choose_prompts(answered, values):
    """Those that ask for these numbers of words, and the name says which."""
    estimate = length_error(answered(*PAIRS), language="en", lengths=[4, 5])

    assert values(estimate) == [1, -1]
    assert estimate.name == "length_error(model, en, N=4–5)"
