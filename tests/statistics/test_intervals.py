"""The intervals of `lengthprobe.statistics.intervals`."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import beta, binom

from lengthprobe.statistics.intervals import (
    Clusters,
    bounded_interval,
    correlation,
    mean_interval,
    share_below_zero,
    sum_interval,
)
from lengthprobe.statistics.once_more import lasting_interval

BOUNDS = (-10.0, 10.0)
VALUES = st.lists(st.sampled_from([-10.0, -1.0, -0.5, 0.0, 0.5, 1.0, 3.0, 10.0]), min_size=2, max_size=30)
# Every example finds roots; how long that takes depends on who else is at work.
cases = settings(max_examples=25, deadline=None)
ALPHAS = st.sampled_from([0.001, 0.05 / 14, 0.025, 0.05, 0.2])


def clusters(means: list[float], sizes: list[int] | None = None) -> Clusters:
    """Topics named by their place."""
    return Clusters([str(index) for index in range(len(means))], means, sizes or [1] * len(means))


class TestShareBelowZero:
    """The probability that a weighted sum of gamma variates is at most 0."""

    @pytest.mark.parametrize(
        "weights",
        [
            [1.0, -1.0],
            [1.0, -3.0, -0.5],
            [2.0, 0.3, -0.7],
            [10.0, -0.1, -0.2, -0.3, -0.4],
            [5.0, 1e-3, -1e-3, -1.0],
            [1e-9, -2e-9],
        ],
    )
    def test_equals_the_partial_fractions_of_a_few_exponentials(self, weights):
        """For different w_j, P(Σ w_j E_j > 0) = Σ over w_j > 0 of Π over i ≠ j of w_j / (w_j - w_i)."""
        above = sum(math.prod(w / (w - other) for other in weights if other != w) for w in weights if w > 0)
        assert float(share_below_zero(weights, [1.0] * len(weights))) == pytest.approx(1 - above, abs=1e-9)

    @pytest.mark.parametrize("weight", [-1.0, -0.3, -20.0])
    @pytest.mark.parametrize("shapes", [(1.05, 0.05), (0.01, 3.0), (0.2, 0.2)])
    def test_takes_shapes_below_1(self, weight, shapes):
        """Γa ≤ w Γb, where Γa / (Γa + Γb) has the beta distribution of the shapes."""
        first, second = shapes
        found = float(share_below_zero([1.0, weight], [first, second]))
        assert found == pytest.approx(beta(first, second).cdf(-weight / (1 - weight)), abs=1e-6)

    def test_takes_shapes_below_1_beside_a_large_one(self):
        """As of a few topics that stand for many, taken less than once."""
        below = share_below_zero([0.0, 0.05, 1.0, -1.0, 1.0], [99.9, 0.01, 0.05, 0.05, 1.0])
        assert 0 < float(below) < 0.05

    def test_takes_a_count_for_that_many_equal_weights(self):
        """Three exponentials of one weight are a gamma variate of shape 3."""
        counted = share_below_zero([0.5, -1.0, 0.2], [3.0, 2.0, 1.0])
        spelled = share_below_zero([0.5, 0.5, 0.5, -1.0, -1.0, 0.2], [1.0] * 6)
        assert float(counted) == pytest.approx(float(spelled), abs=1e-12)

    @pytest.mark.parametrize(
        ("weights", "expected"),
        [([1.0, 2.0], 0.0), ([-1.0, -2.0], 1.0), ([0.0, 0.0], 1.0), ([0.0, -1.0], 1.0), ([0.0, 1.0], 0.0)],
    )
    def test_is_certain_where_signs_agree(self, weights, expected):
        """A sum of weights of one sign has that sign; one of zeros is 0, which is at most 0."""
        assert float(share_below_zero(weights, [1.0, 1.0])) == expected

    def test_a_count_of_zero_leaves_a_weight_out(self):
        """So that rows with different weights share one table."""
        assert float(share_below_zero([1.0, -2.0, 50.0], [1.0, 1.0, 0.0])) == pytest.approx(2 / 3, abs=1e-9)

    def test_rows_are_computed_apart(self):
        """A table of rows gives what each row gives, whatever its scale."""
        rows = [[1.0, -3.0, -0.5], [-10.0, 0.1, 0.2], [1e-6, 2e-6, -3e-6]]
        together = share_below_zero(rows, [1.0, 1.0, 1.0])
        assert together.tolist() == pytest.approx(
            [float(share_below_zero(row, [1.0] * 3)) for row in rows], abs=1e-9
        )


class TestBoundedInterval:
    """Gaffke's interval."""

    @pytest.mark.parametrize("alpha", [0.05, 0.025, 0.05 / 14])
    @pytest.mark.parametrize(
        ("n", "hits"), [(2, 0), (2, 1), (10, 3), (10, 10), (150, 0), (150, 149), (150, 75)]
    )
    def test_of_zeros_and_ones_is_clopper_pearson(self, n, hits, alpha):
        """Its quantiles are those of beta distributions."""
        low = float(beta.ppf(alpha, hits, n - hits + 1)) if hits else 0.0
        high = float(beta.ppf(1 - alpha, hits + 1, n - hits)) if hits < n else 1.0
        values = [1.0] * hits + [0.0] * (n - hits)
        assert bounded_interval(values, [1] * n, (0, 1), alpha) == pytest.approx((low, high), abs=1e-7)

    @pytest.mark.parametrize("topics", [2, 10, 150])
    def test_does_not_collapse_where_every_value_is_equal(self, topics):
        """G zeros within ±10 leave 10 (1 - alpha^(1/G)) on each side."""
        reach = 10 * (1 - 0.05 ** (1 / topics))
        found = bounded_interval([0.0] * topics, [2] * topics, BOUNDS, 0.05)
        assert found == pytest.approx((-reach, reach), abs=1e-7)

    @pytest.mark.parametrize("topics", [3, 12, 60])
    def test_equals_simulated_quantiles(self, topics):
        """Random weights drawn 200,000 times give the limits to their own error, unequal clusters or not."""
        rng = np.random.default_rng(topics)
        values, sizes = np.clip(rng.normal(0.3, 2, topics), *BOUNDS), rng.integers(1, 5, topics)
        weights = rng.exponential(size=(200_000, topics + 1))
        clusters_sum, clusters_weight = weights[:, :topics] @ (sizes * values), weights[:, :topics] @ sizes
        joined = sizes.max() * weights[:, topics]
        low, high = bounded_interval(values, sizes, BOUNDS, 0.05)
        lower = (clusters_sum - 10 * joined) / (clusters_weight + joined)
        upper = (clusters_sum + 10 * joined) / (clusters_weight + joined)
        # The standard error of a share of 0.05 of 200,000 is 0.0005.
        assert np.mean(lower <= low) == pytest.approx(0.05, abs=0.0025)
        assert np.mean(upper <= high) == pytest.approx(0.95, abs=0.0025)

    def test_errs_no_more_often_where_large_topics_fail_as_a_whole(self):
        """20 topics asked once and 20 asked six times, each of which fails with a chance of 0.1, exactly.

        So the rate of failures is 0.1. An imagined topic of mean size puts the limit below that in 11 %.
        """
        topics, rate, wrong = 20, 0.1, 0.0
        for small, large in itertools.product(range(topics + 1), repeat=2):
            chance = float(np.prod(binom.pmf([small, large], topics, rate)))
            if chance < 1e-4:
                continue
            means = [float(at < failed) for failed in (small, large) for at in range(topics)]
            limit = bounded_interval(means, [1] * topics + [6] * topics, (0, 1), 0.05)[1]
            wrong += chance * (limit < rate)
        assert wrong <= 0.05

    def test_at_a_bound_reaches_no_further(self):
        """A rate of one has an upper limit of one."""
        assert bounded_interval([1.0] * 20, [1] * 20, (0, 1), 0.05)[1] == 1.0

    @cases
    @given(VALUES, ALPHAS)
    def test_holds_the_mean_and_keeps_within_the_bounds(self, values, alpha):
        """Low, mean and high are in this order."""
        low, high = bounded_interval(values, [1] * len(values), BOUNDS, alpha)
        assert -10 <= low <= math.fsum(values) / len(values) + 1e-12
        assert math.fsum(values) / len(values) - 1e-12 <= high <= 10

    @cases
    @given(VALUES)
    def test_widens_as_alpha_falls(self, values):
        """A surer interval holds a less sure one."""
        inner = bounded_interval(values, [1] * len(values), BOUNDS, 0.05)
        outer = bounded_interval(values, [1] * len(values), BOUNDS, 0.005)
        assert outer[0] <= inner[0] + 1e-7
        assert inner[1] - 1e-7 <= outer[1]

    @cases
    @given(VALUES, st.integers(2, 4))
    def test_narrows_with_more_topics(self, values, times):
        """The same topics seen again leave less room."""
        once = bounded_interval(values, [1] * len(values), BOUNDS, 0.05)
        again = bounded_interval(values * times, [1] * len(values) * times, BOUNDS, 0.05)
        assert once[0] <= again[0] + 1e-7
        assert again[1] - 1e-7 <= once[1]

    @cases
    @given(VALUES, st.integers(2, 4))
    def test_copies_stand_for_topics_seen_again(self, values, times):
        """Copies and repeated topics give the same limits."""
        again = bounded_interval(values * times, [1] * len(values) * times, BOUNDS, 0.05)
        copied = bounded_interval(values, [1] * len(values), BOUNDS, 0.05, copies=times)
        assert copied == pytest.approx(again, abs=1e-6)

    @cases
    @given(VALUES)
    def test_mirrors_with_its_values(self, values):
        """The interval of -x is the negated interval of x."""
        low, high = bounded_interval(values, [1] * len(values), (-10, 10), 0.05)
        mirrored = bounded_interval([-value for value in values], [1] * len(values), (-10, 10), 0.05)
        assert mirrored == pytest.approx((-high, -low), abs=1e-7)

    @cases
    @given(VALUES, st.sampled_from([0.01, 0.5, 3.0, 1000.0]), st.sampled_from([-5.0, 0.0, 7.0]))
    def test_moves_and_stretches_with_its_values(self, values, scale, shift):
        """The interval of a + b x is a + b times that of x."""
        low, high = bounded_interval(values, [1] * len(values), BOUNDS, 0.05)
        moved = bounded_interval(
            [shift + scale * value for value in values],
            [1] * len(values),
            (shift - 10 * scale, shift + 10 * scale),
            0.05,
        )
        assert moved == pytest.approx((shift + scale * low, shift + scale * high), abs=1e-6 * scale + 1e-9)

    @cases
    @given(VALUES, st.randoms(use_true_random=False))
    def test_does_not_depend_on_the_order_of_topics(self, values, random):
        """To the last bit, so that a run gives the same figures however it is split."""
        shuffled = random.sample(values, len(values))
        ones = [1] * len(values)
        assert bounded_interval(shuffled, ones, BOUNDS, 0.05) == bounded_interval(values, ones, BOUNDS, 0.05)


class TestMeanInterval:
    """Which method a measure gets."""

    def test_one_topic_says_nothing(self):
        """The limits are the bounds, or there are none."""
        assert mean_interval(clusters([0.5], [40]), (0, 1), 0.05) == (0, 1)
        assert mean_interval(clusters([0.5], [40]), None, 0.05) == (-math.inf, math.inf)

    def test_no_topic_says_nothing(self):
        """As one topic."""
        assert mean_interval(clusters([]), (0, 1), 0.05) == (0, 1)

    def test_equal_values_without_bounds_say_nothing(self):
        """No spread is no certainty, rounding apart."""
        assert mean_interval(clusters([0.1 + 0.2, *[0.3] * 11]), None, 0.05) == (-math.inf, math.inf)

    @pytest.mark.parametrize("topics", [2, 9])
    def test_few_topics_without_bounds_say_nothing(self, topics):
        """However alike: they do not show how far out a topic can lie. Ten do, or bounds."""
        values = [1 + at / 1000 for at in range(10)]
        assert mean_interval(clusters(values[:topics]), None, 0.05) == (-math.inf, math.inf)
        assert mean_interval(clusters(values), None, 0.05) == lasting_interval(values, [1] * 10, 0.05)
        assert mean_interval(clusters(values[:topics]), (0, 2), 0.05)[0] > 0


class TestSumInterval:
    """MOVER."""

    def test_adds_distances_as_standard_deviations(self):
        """Distances 3 and 4 below make 5; 5 and 12 above make 13."""
        assert sum_interval([1.0, 2.0], [(-2.0, 6.0), (-2.0, 14.0)], [[1, 0], [0, 1]]) == (-2.0, 16.0)

    def test_of_two_shares_is_newcombes(self):
        """Newcombe 1998 (Statistics in Medicine 17, page 873), example a, method 10: 56/70 and 48/80.

        The Wilson limits of 0.8 are 0.6920 and 0.8769, of 0.6 they are 0.4905 and 0.7003: 0.0524 to 0.3339.
        """
        found = sum_interval([0.8, -0.6], [(0.69200, 0.87692), (-0.70033, -0.49045)], [[1, 0], [0, 1]])
        assert found == pytest.approx((0.0524, 0.3339), abs=2e-4)

    def test_a_correlation_widens_and_never_narrows(self):
        """One of 1 adds the distances, one of -1 counts as none."""
        limits = [(-3.0, 3.0), (-4.0, 4.0)]
        assert sum_interval([0.0, 0.0], limits, [[1, 1], [1, 1]]) == (-7.0, 7.0)
        assert sum_interval([0.0, 0.0], limits, [[1, -1], [-1, 1]]) == (-5.0, 5.0)

    def test_of_a_side_that_says_nothing_says_nothing(self):
        """One infinite limit leaves the sum open."""
        limits = [(-math.inf, math.inf), (-4.0, 4.0)]
        assert sum_interval([0.0, 0.0], limits, [[1, 0], [0, 1]]) == (-math.inf, math.inf)


class TestCorrelation:
    """The correlation of two means over shared topics."""

    @pytest.mark.parametrize(("other", "expected"), [([1, 2, 3], 1.0), ([3, 2, 1], -1.0), ([5, 5, 5], 0.0)])
    def test_is_that_of_the_topic_means(self, other, expected):
        """Equal, opposed and constant topics."""
        assert correlation(clusters([1, 2, 3]), clusters(other)) == pytest.approx(expected)

    def test_of_different_topics_is_zero(self):
        """What is not shared does not correlate."""
        assert correlation(clusters([1, 2]), Clusters(["x", "y"], [1, 2], [1, 1])) == 0
