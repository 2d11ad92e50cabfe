"""The intervals of `lengthprobe.statistics.once_more`."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import t

from lengthprobe.statistics.once_more import lasting_interval, ratio_interval

INF = (-math.inf, math.inf)


def drawn(topics: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A component of 0.3 of its whole, correlated with it, in topics of 1 to 4 prompts."""
    rng = np.random.default_rng(seed)
    common = rng.normal(size=topics)
    part = 0.3 + 0.2 * (0.7 * common + 0.7 * rng.normal(size=topics))
    return part, 1 + 0.4 * common, rng.integers(1, 5, topics)


def student(means, sizes, alpha) -> tuple[float, float]:
    """Student's limits with the variance CR2, written out."""
    total = sum(sizes)
    mean = sum(x * n for x, n in zip(means, sizes, strict=True)) / total
    variance = sum((n / total * (x - mean)) ** 2 / (1 - n / total) for x, n in zip(means, sizes, strict=True))
    reach = float(t.ppf(1 - alpha, len(means) - 1)) * math.sqrt(variance)
    return mean - reach, mean + reach


class TestLastingInterval:
    """The limits that hold whichever topic is met once more."""

    def test_meets_the_farthest_topic_once_more(self):
        """0, 1, 2, 3 with 3 again: mean 9/5, variance of it 34/5 / 4 / 5; with three degrees of freedom."""
        reach = float(t.ppf(0.95, 3)) * math.sqrt(34 / 5 / 4 / 5)
        found = lasting_interval([0, 1, 2, 3], [2, 2, 2, 2], 0.05)
        assert found == pytest.approx((3 - 1.8 - reach, 1.8 + reach))

    @pytest.mark.parametrize("alpha", [0.05, 0.05 / 14])
    def test_is_the_farthest_of_the_limits_with_each_topic_again(self, alpha):
        """Topics of 1 to 4 prompts, against Student's limits of twelve topics and each of them once more."""
        part, _, sizes = drawn(12, 0)
        every = []
        for at in range(12):
            low, high = student([*part, part[at]], [*sizes, sizes[at]], alpha)
            # Of thirteen topics, of which twelve were measured.
            reach = float(t.ppf(1 - alpha, 11) / t.ppf(1 - alpha, 12)) * (high - low) / 2
            every.append(((low + high) / 2 - reach, (low + high) / 2 + reach))
        expected = min(low for low, _ in every), max(high for _, high in every)
        assert lasting_interval(part, sizes, alpha) == pytest.approx(expected)

    def test_copies_stand_for_topics_seen_again(self):
        """Two copies of four topics are eight topics, of which one is met once more."""
        again = lasting_interval([0, 1, 2, 3] * 2, [1, 2, 1, 3] * 2, 0.05)
        assert lasting_interval([0, 1, 2, 3], [1, 2, 1, 3], 0.05, copies=2) == pytest.approx(again)

    @pytest.mark.parametrize(
        ("drawn_from", "mean", "most"),
        [
            # A hundredth of the prompts far below: none of 300 is seen in 4.9 % of the draws.
            (lambda rng: np.where(rng.random((150, 2)) < 0.01, -40.0, rng.normal(size=(150, 2))), -0.4, 0.07),
            (lambda rng: -rng.exponential(size=(150, 2)), -1.0, 0.05),
            (lambda rng: -np.exp(rng.normal(size=(150, 2))), -math.exp(0.5), 0.07),
            (lambda rng: rng.normal(size=(150, 2)), 0.0, 0.05),
        ],
        ids=["runaways", "exponential", "lognormal", "normal"],
    )
    def test_errs_as_promised_with_runaways_and_skew(self, drawn_from, mean, most):
        """2,000 draws of two prompts on each of 150 topics; Student's limits err in 16, 7, 8 and 6 %.

        The standard error of a share of 0.05 of 2,000 is 0.005.
        """
        rng = np.random.default_rng(0)
        rows = [drawn_from(rng).mean(1) for _ in range(2000)]
        wrong = np.mean([lasting_interval(row, [2] * 150, 0.05)[0] > mean for row in rows])
        assert wrong <= most


class TestRatioInterval:
    """Fieller's interval."""

    @pytest.mark.parametrize("topics", [2, 5, 30, 150])
    @pytest.mark.parametrize("alpha", [0.05, 0.05 / 14])
    def test_ends_where_the_limits_of_the_contrast_touch_0(self, topics, alpha):
        """At the lower end the contrast's lower limit is 0, at the upper one its upper limit."""
        part, whole, sizes = drawn(topics, topics)
        low, high = ratio_interval(part, whole, sizes, alpha)
        if math.isinf(low):
            assert lasting_interval(whole, sizes, alpha)[0] <= 0
            return
        assert lasting_interval(part - low * whole, sizes, alpha)[0] == pytest.approx(0, abs=1e-9)
        assert lasting_interval(part - high * whole, sizes, alpha)[1] == pytest.approx(0, abs=1e-9)

    def test_holds_the_ratio_of_the_means(self):
        """Weighted by the prompts of a topic."""
        part, whole, sizes = drawn(30, 0)
        low, high = ratio_interval(part, whole, sizes, 0.05)
        assert low < np.average(part, weights=sizes) / np.average(whole, weights=sizes) < high

    def test_over_a_whole_that_is_sure_is_that_of_the_mean(self):
        """A whole of 2 everywhere: the limits of 0, 1, 2, 3, halved."""
        low, high = lasting_interval([0, 1, 2, 3], [2, 2, 2, 2], 0.05)
        found = ratio_interval([0, 1, 2, 3], [2, 2, 2, 2], [1, 1, 1, 1], 0.05)
        assert found == pytest.approx((low / 2, high / 2))

    @pytest.mark.parametrize("share", [0.0, 0.25, 1.0, -0.1])
    def test_is_a_point_where_part_is_the_same_share_everywhere(self, share):
        """Nothing is left to vary."""
        _, whole, sizes = drawn(30, 1)
        assert ratio_interval(share * whole, whole, sizes, 0.05) == pytest.approx((share, share), abs=1e-15)

    def test_turns_with_the_sign_and_grows_with_the_scale(self):
        """Of -x it is the negated one; of both in another unit it is the same."""
        part, whole, sizes = drawn(30, 2)
        low, high = ratio_interval(part, whole, sizes, 0.05)
        assert ratio_interval(-part, whole, sizes, 0.05) == pytest.approx((-high, -low))
        assert ratio_interval(1e6 * part, 1e6 * whole, sizes, 0.05) == pytest.approx((low, high))

    @pytest.mark.parametrize("whole", [[-1.0, 1.0, 2.0, 1.0], [-3.0, -3.1, -2.9, -3.0], [0.0, 0.0, 0.0, 0.0]])
    def test_over_a_whole_that_may_be_0_is_not_known(self, whole):
        """Or is below 0, or is 0."""
        assert ratio_interval([1.0, 2.0, 3.0, 4.0], whole, [1, 1, 1, 1], 0.05) == INF
