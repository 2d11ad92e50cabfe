"""How the error grows with the length asked for."""

from __future__ import annotations

import numpy as np
import pytest

from lengthprobe.errors import SettingsError
from lengthprobe.margins import Margins
from lengthprobe.measures import error_growth
from lengthprobe.statistics.intervals import bounded_interval


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


def test_bounds_of_a_prompt_are_the_values_that_it_can_give(answered):
    """(N - 6) (e - 2.5) / 9 with e from 0 to 5 and N of 3 and 9: within ± 3 * 2.5 / 9."""
    estimate = error_growth(answered((3, 3), (9, 80)), language="en")

    assert estimate.bounds == pytest.approx((-3 * 2.5 / 9, 3 * 2.5 / 9))
    for observation in estimate.observations:
        low, high = observation.bounds
        assert (low, high) == pytest.approx((-3 * 2.5 / 9, 3 * 2.5 / 9))
        assert low <= observation.value <= high


def test_bounds_lie_on_the_side_of_the_length_where_no_answer_errs(answered):
    """A long answer can only raise the slope, and a short answer can only lower the slope, by 3 * 5 / 6."""
    estimate = error_growth(answered((3, 3), (6, 6), (9, 9)), language="en")

    assert [one.bounds for one in estimate.observations] == [(-2.5, 0), (0, 0), (0, 2.5)]
    assert estimate.bounds == pytest.approx((-2.5, 2.5))


def test_rise_lies_no_farther_from_0_than_the_growth_itself(answered):
    """Each of the lengths 3 to 9 once: |N - 6| <= 3 over a mean square of 4, times 5, is 3.75."""
    exact = error_growth(answered(*((n, n) for n in range(3, 10))), language="en")

    assert (exact - exact).bounds == pytest.approx((-3.75, 3.75))
    assert exact.bounds == pytest.approx((-3.75, 3.75))


def test_rise_allows_for_unlike_mean_errors(answered):
    """One word too many throughout on one side: a difference lies within (e - 1) for e from -5 to 5."""
    exact = error_growth(answered(*((n, n) for n in range(3, 10))), language="en")
    long = error_growth(answered(*((n, n + 1) for n in range(3, 10))), language="en")

    assert (long - exact).mean == 0
    assert (long - exact).bounds == pytest.approx((-3 * 6 / 4, 3 * 6 / 4))


def test_full_agreement_over_150_topics_bounds_a_rise_as_the_margin_says(answered):
    """3.75 (1 - 0.05^(1/150)) = 0.0742, where each length stands as often; else nearly."""
    lengths = [3 + place % 7 for place in range(150)]
    exact = error_growth(answered(*((n, n) for n in lengths)), language="en")

    assert (exact - exact).high == pytest.approx(3.75 * (1 - 0.05 ** (1 / 150)), abs=0.001)
    assert "0.075" in Margins.__dataclass_fields__["error_growth_rise"].metadata["reason"]
    assert exact - exact < Margins().error_growth_rise


def test_rise_of_nearly_exact_answers_is_half_as_wide_as_with_bounds_twice_as_far(answered):
    """Three misses of 150 on either side. The bounds of a rise were ± 7.5, the sum of both."""
    lengths = [3 + place % 7 for place in range(150)]

    def missing(*missed):
        pairs = [(n, n + (place in missed)) for place, n in enumerate(lengths)]
        return error_growth(answered(*pairs), language="en")

    rise = missing(5, 60, 100) - missing(7, 61, 102)

    low, high = bounded_interval(rise.samples[0].clusters.means, [1] * 150, (-7.5, 7.5), 0.05)
    assert 0.5 < (rise.high - rise.low) / (high - low) < 0.55


def test_rise_is_covered(answered):
    """Five words too many in a third of the answers of nine words: the limit lies below the truth in 5 %."""
    lengths = [3 + place % 7 for place in range(140)]
    exact = error_growth(answered(*((n, n) for n in lengths)), language="en")
    rng = np.random.default_rng(0)

    def rise():
        written = [n + 5 * (n == 9 and rng.random() < 1 / 3) for n in lengths]
        return error_growth(answered(*zip(lengths, written, strict=True)), language="en") - exact

    # Of a seventh of the prompts a third has e of 5 at N - 6 of 3, over a mean square of 4.
    true = 1 / 7 * 1 / 3 * 5 * 3 / 4
    wrong = sum(rise().high < true for _ in range(80))
    # 4 of 80 are 5 %, and two standard errors are 4 more.
    assert wrong <= 8


def test_constant_error_does_not_grow(answered, values):
    """One word too many everywhere is no growth."""
    assert set(values(error_growth(answered((3, 4), (6, 7), (9, 10)), language="en"))) == {0}


def test_one_length_is_refused(answered):
    """There is nothing to grow with."""
    with pytest.raises(SettingsError, match="needs more than one N; all prompts ask for 4"):
        error_growth(answered((4, 4), (4, 5)), language="en")
