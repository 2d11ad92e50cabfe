"""The numbers of topics of `lengthprobe.statistics.planning`."""

from __future__ import annotations

import pytest

from lengthprobe.statistics.intervals import bounded_interval
from lengthprobe.statistics.planning import smallest_topics, topics_needed


class TestSmallestTopics:
    """The least number of topics with which a perfect model could pass."""

    @pytest.mark.parametrize(
        ("margin", "bounds", "best", "expected"),
        [
            # log 0.05 / log(1 - distance / reach), rounded up.
            (0.05, (0, 1), 0.0, 59),
            (0.8, (0, 1), 1.0, 14),
            (0.5, (-10, 10), 0.0, 59),
            (-0.5, (-10, 10), 0.0, 59),
            (-0.05, (-1, 1), 0.0, 59),
            (0.02, (0, 1), 0.0, 149),
            (1.0, (0, 1), 0.0, 2),
        ],
    )
    def test_is_the_least_that_leaves_less_than_the_margin(self, margin, bounds, best, expected):
        """As METHODS has it, 149 clean topics bound a rate at 2 %."""
        assert smallest_topics(margin, bounds, 0.05, best=best) == expected

    @pytest.mark.parametrize(("margin", "best"), [(0.05, 0.0), (0.8, 1.0), (0.1, 0.0)])
    def test_agrees_with_the_interval(self, margin, best):
        """With one topic less, the interval of perfect data still holds the margin."""
        topics = smallest_topics(margin, (0, 1), 0.05, best=best)
        low, high = bounded_interval([best] * topics, [1] * topics, (0, 1), 0.05)
        assert not low <= margin <= high
        low, high = bounded_interval([best] * (topics - 1), [1] * (topics - 1), (0, 1), 0.05)
        assert low <= margin <= high

    @pytest.mark.parametrize(("margin", "best"), [(0.0, 0.0), (1.5, 0.0), (0.5, -1.0)])
    def test_refuses_a_margin_that_nothing_can_show(self, margin, best):
        """At the best value or beyond the bounds."""
        with pytest.raises(ValueError, match="nothing to decide"):
            smallest_topics(margin, (0, 1), 0.05, best=best)


class TestTopicsNeeded:
    """How many more topics would decide."""

    @pytest.mark.parametrize("more", [1, 2, 40, 900])
    def test_is_the_least_that_decides_to_a_fiftieth(self, more):
        """Of 100 topics, a claim that 100 + more decide."""
        found = topics_needed(100, lambda copies: copies * 100 >= 100 + more - 1e-6)
        assert more <= found <= more + 1 + 0.02 * (100 + more)

    def test_is_none_where_a_hundredfold_does_not_decide(self):
        """The effect then sits at the margin."""
        assert topics_needed(100, lambda _: False) is None
