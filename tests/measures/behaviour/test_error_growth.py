"""How the error grows with the length asked for."""

from __future__ import annotations

import numpy as np
import pytest

from lengthprobe.errors import SettingsError
from lengthprobe.measures import error_growth


def test_is_the_least_squares_slope(answered):
    """Of the absolute error on N, as numpy fits it."""
    pairs = [(3, 3), (4, 5), (5, 3), (6, 9), (7, 6), (8, 12), (9, 9), (3, 4)]

    estimate = error_growth(answered(*pairs), language="en")

    asked, written = np.array(pairs).T
    slope, _ = np.polyfit(asked, np.abs(written - asked), 1)
    assert estimate.mean == pytest.approx(slope)
    assert estimate.unit == "words/word"


def test_error_counts_as_five_words_at_the_most(answered):
    """A runaway weighs as five, so N 3 and 9 with errors 0 and 5 give 5 / 6."""
    assert error_growth(answered((3, 3), (9, 80)), language="en").mean == pytest.approx(5 / 6)


def test_bounds_hold_the_largest_value_possible(answered, values):
    """|N - mean| <= 3 and |e - mean| < 5, over a mean square of 9: |value| < 3 * 5 / 9."""
    estimate = error_growth(answered((3, 3), (9, 80)), language="en")

    low, high = estimate.bounds
    assert (low, high) == (-3 * 5 / 9, 3 * 5 / 9)
    assert all(low <= value <= high for value in values(estimate))


def test_constant_error_does_not_grow(answered, values):
    """One word too many everywhere is no growth."""
    assert set(values(error_growth(answered((3, 4), (6, 7), (9, 10)), language="en"))) == {0}


def test_one_length_is_refused(answered):
    """There is nothing to grow with."""
    with pytest.raises(SettingsError, match="needs more than one N; all prompts ask for 4"):
        error_growth(answered((4, 4), (4, 5)), language="en")
