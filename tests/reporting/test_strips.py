"""Intervals drawn small."""

from __future__ import annotations

import pytest

from lengthprobe.reporting import strips as room
from lengthprobe.reporting.strips import WIDTH
from lengthprobe.statistics.check import Check, Numbers


def strips(checks):
    """The strips of the checks of a report."""
    return room.strips([Check.from_dict(one) for one in checks])


def test_mean_lies_in_its_interval_on_the_claimed_side(check):
    """Everything has its place from left to right: margin, low, mean, high."""
    [strip] = strips([check("a > 0")])

    assert strip.margins[0] < strip.low < strip.mean < strip.high < WIDTH
    assert strip.claimed == ((strip.margins[0], WIDTH),)


@pytest.mark.parametrize(
    ("expression", "ends", "claimed"),
    [
        ("a < 0.5", 1, "left"),
        ("a >= 0.5", 1, "right"),
        ("abs(a) < 0.5", 2, "between"),
        ("abs(a) > 0.5", 2, "outside"),
    ],
)
def test_shade_is_where_the_claim_is_true(check, expression, ends, claimed):
    """For each way to compare."""
    [strip] = strips([check(expression, margin=0.5)])

    first, last = strip.margins[0], strip.margins[-1]
    assert len(strip.margins) == ends
    assert (
        strip.claimed
        == {
            "left": ((0.0, first),),
            "right": ((first, WIDTH),),
            "between": ((first, last),),
            "outside": ((0.0, first), (last, WIDTH)),
        }[claimed]
    )


def test_checks_with_one_margin_have_one_scale(check):
    """So that two languages can be compared; one with another margin has its own."""
    near, far, other = strips(
        [check("a > 0"), check("b > 0", mean=9.0, high=9.0), check("c > 0.1", margin=0.1)]
    )

    assert near.margins == far.margins
    assert near.mean < far.mean
    assert near.high < other.high


def test_end_that_is_not_known_lies_beyond(check):
    """The line goes to the edge."""
    [strip] = strips([check("a > 0", low=None, high=None)])

    assert (strip.low, strip.high) == (0.0, WIDTH)


@pytest.mark.parametrize(
    "changes",
    [{"expression": ""}, {"expression": "abs(a) < 0.1 * b"}, {"mean": None}],
    ids=["none", "measured", "nan"],
)
def test_what_has_no_fixed_margin_is_not_drawn(check, changes):
    """There is no place to draw it at."""
    assert strips([check(**changes)]) == [None]


def test_two_measures_are_drawn_as_their_difference(check):
    """Beside 0, on the side where the first is the greater."""
    measured, fixed = strips([check("a > 0.5 * b"), check("a - b > 0")])

    assert measured == fixed


def test_point_on_its_margin_is_drawn(check):
    """A scale without any length would divide by zero."""
    [strip] = strips([check("a > 0", mean=0.0, low=0.0, high=0.0)])

    assert strip.low == strip.mean == strip.high == strip.margins[0] == WIDTH / 2


@pytest.mark.parametrize(("margin", "low", "high"), [(0.5, 0.6, 0.9), (-0.5, -0.9, -0.6), (0.5, -0.2, 0.1)])
def test_zero_is_drawn_where_the_scale_has_room(check, margin, low, high):
    """So that the size of an effect is seen, and not only the distance from the margin."""
    [strip] = strips([check(f"a > {margin}", margin=margin, mean=(low + high) / 2, low=low, high=high)])

    assert strip.zero is not None
    assert (strip.zero < strip.low) == (low > 0)


@pytest.mark.parametrize(("sign", "side"), [(1, "left"), (-1, "right")])
def test_zero_too_far_away_is_pointed_to(check, sign, side):
    """With zero on the scale, the interval and the margin could not be told apart."""
    ends = sorted((sign * 0.79, sign * 0.83))
    [strip] = strips([check("a > 0.8", margin=sign * 0.8, mean=sign * 0.81, low=ends[0], high=ends[1])])

    assert (strip.zero, strip.zero_beyond) == (None, side)


def test_reference_stands_on_the_scale(check):
    """Also where it lies beyond everything else; a check without one has none."""
    far = Numbers(9.0, 8.0, 10.0, 300, 151, "words")
    checks = [Check.from_dict(check("a > 0.1", margin=0.1)), Check.from_dict(check("b > 0.1", margin=0.1))]

    first, second = room.strips(checks, [far, None])

    assert first.high < first.reference < WIDTH
    assert second.reference is None
    assert first.margins == second.margins
