"""The operators of `lengthprobe.statistics.comparable`."""

from __future__ import annotations

import math

import numpy as np
import pytest

from lengthprobe.statistics.comparable import explain
from lengthprobe.statistics.estimate import Estimate, Observation
from lengthprobe.statistics.verdict import Verdict, record_asked_verdicts


def estimate() -> Estimate:
    """Ten hits of ten."""
    return Estimate.from_observations(
        [Observation(f"p{i}", f"t{i}", 1.0) for i in range(10)], name="hits", unit="share", bounds=(0, 1)
    )


class TestComparable:
    """What reads like a comparison of numbers."""

    @pytest.mark.parametrize(
        ("verdict", "expression"),
        [
            (lambda e: e < 0.5, "hits < 0.5"),
            (lambda e: e <= 0.5, "hits <= 0.5"),
            (lambda e: e > 0.5, "hits > 0.5"),
            (lambda e: e >= 0.5, "hits >= 0.5"),
            (lambda e: 0.5 > e, "hits < 0.5"),  # noqa: SIM300 - the order is what is tested
            (lambda e: np.float64(0.5) <= e, "hits >= 0.5"),
            (lambda e: abs(e) > 0.5, "abs(hits) > 0.5"),
            (lambda e: np.float32(0.5) > abs(e), "abs(hits) < 0.5"),
            (lambda e: 2 * e > e, "2 * hits > hits"),
            (lambda e: abs(e) < 0.1 * e, "abs(hits) < 0.1 * hits"),
            (lambda e: e < abs(0.1 * e), "abs(0.1 * hits) > hits"),
        ],
    )
    def test_gives_a_verdict_that_says_what_was_compared(self, verdict, expression):
        """From either side, with Python's and numpy's numbers, and with other estimates."""
        found = verdict(estimate())
        assert isinstance(found, Verdict)
        assert found.expression == expression

    def test_chains(self):
        """A chain is true when both of its parts hold."""
        none_apart = estimate() - estimate()
        assert -0.9 < none_apart <= 0.9
        assert not 0.1 < estimate() < 0.5

    @pytest.mark.parametrize("margin", ["0.5", None, True, np.True_, [0.5], 1j])
    def test_refuses_a_margin_that_is_no_number(self, margin):
        """The message says what to write."""
        with pytest.raises(TypeError, match=r"is no number; write hits < 0\.5"):
            estimate() < margin  # noqa: B015 - it is the comparison that raises
        with pytest.raises(TypeError, match=r"is no number; write abs\(hits\) > 0\.5"):
            abs(estimate()) > margin  # noqa: B015

    @pytest.mark.parametrize("margin", [math.nan, math.inf, -math.inf])
    def test_refuses_a_margin_that_is_not_finite(self, margin):
        """A margin is fixed in advance."""
        with pytest.raises(ValueError, match="is not finite"):
            estimate() < margin  # noqa: B015

    @pytest.mark.parametrize(
        "compare", [lambda m: m < -0.5, lambda m: m < 0, lambda m: m > -1, lambda m: m >= 0]
    )
    def test_refuses_a_magnitude_below_zero(self, compare):
        """It would be decided without data."""
        with pytest.raises(ValueError, match="a magnitude is never below 0"):
            compare(abs(estimate()))

    def test_refuses_two_magnitudes(self):
        """There is no interval for that."""
        with pytest.raises(TypeError, match="only one side can be a magnitude"):
            abs(estimate()) < abs(estimate())  # noqa: B015

    @pytest.mark.parametrize("thing", [estimate(), abs(estimate())])
    def test_refuses_equality(self, thing):
        """No data show that two means are equal; the message says what to write."""
        with pytest.raises(TypeError, match=r"say how near is near enough.*abs\(one - other\) < 0\.5"):
            thing == 0  # noqa: B015
        with pytest.raises(TypeError, match="say how near is near enough"):
            thing != 0  # noqa: B015

    @pytest.mark.parametrize("thing", [estimate(), abs(estimate())])
    def test_refuses_its_own_truth(self, thing):
        """`assert estimate` would always pass."""
        with pytest.raises(TypeError, match="compare it with a margin"):
            bool(thing)

    @pytest.mark.parametrize("thing", [estimate(), abs(estimate())])
    @pytest.mark.parametrize("use", [float, math.sqrt])
    def test_refuses_to_be_one_number(self, thing, use):
        """`float(estimate) < 0.5` would ask no Verdict; the message says what to write."""
        with pytest.raises(TypeError, match=r"compare it with a margin, .* its mean alone: estimate\.mean"):
            use(thing)

    def test_can_be_kept_in_a_set(self):
        """Identity is no comparison."""
        one = estimate()
        assert len({one, one, estimate()}) == 2


class TestExplain:
    """What pytest shows for a failed comparison."""

    @pytest.mark.parametrize(
        ("op", "left", "right", "first"),
        [
            ("<", estimate(), 0.5, "broken: hits < 0.5"),
            (">", 0.5, estimate(), "broken: hits < 0.5"),
            ("<", abs(estimate()), 0.5, "broken: abs(hits) < 0.5"),
            (">=", 0.5 * estimate(), estimate(), "broken: 0.5 * hits >= hits"),
        ],
    )
    def test_is_the_verdict_on_it(self, op, left, right, first):
        """From either side."""
        lines = explain(op, left, right)
        assert lines is not None
        assert lines[0] == first
        assert len(lines) > 3

    @pytest.mark.parametrize(
        ("op", "left", "right"), [("<", 1, 2), ("==", estimate(), 1), ("in", estimate(), [estimate()])]
    )
    def test_leaves_other_comparisons_alone(self, op, left, right):
        """So that pytest explains them itself."""
        assert explain(op, left, right) is None

    def test_asks_no_truth(self):
        """An explanation is no decision."""
        with record_asked_verdicts() as verdicts:
            explain("<", estimate(), 0.5)
        assert verdicts == []
