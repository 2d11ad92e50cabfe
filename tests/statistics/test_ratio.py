"""The interval of `lengthprobe.statistics.ratio`."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import t

from lengthprobe.statistics.intervals import robust_interval
from lengthprobe.statistics.ratio import ratio_interval

INF = (-math.inf, math.inf)


def drawn(topics: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A component of 0.3 of its whole, correlated with it, in topics of 1 to 4 prompts."""
    rng = np.random.default_rng(seed)
    common = rng.normal(size=topics)
    part = 0.3 + 0.2 * (0.7 * common + 0.7 * rng.normal(size=topics))
    return part, 1 + 0.4 * common, rng.integers(1, 5, topics)


class TestRatioInterval:
    """Fieller's interval."""

    @pytest.mark.parametrize("topics", [2, 5, 30, 150])
    @pytest.mark.parametrize("alpha", [0.05, 0.05 / 14])
    def test_ends_where_the_limits_of_the_contrast_touch_0(self, topics, alpha):
        """At the lower end the contrast's lower limit is 0, at the upper one its upper limit."""
        part, whole, sizes = drawn(topics, topics)
        low, high = ratio_interval(part, whole, sizes, alpha)
        if math.isinf(low):
            assert robust_interval(whole, sizes, alpha)[0] <= 0
            return
        assert robust_interval(part - low * whole, sizes, alpha)[0] == pytest.approx(0, abs=1e-9)
        assert robust_interval(part - high * whole, sizes, alpha)[1] == pytest.approx(0, abs=1e-9)

    def test_holds_the_ratio_of_the_means(self):
        """Weighted by the prompts of a topic."""
        part, whole, sizes = drawn(30, 0)
        low, high = ratio_interval(part, whole, sizes, 0.05)
        assert low < np.average(part, weights=sizes) / np.average(whole, weights=sizes) < high

    def test_over_a_whole_that_is_sure_is_that_of_the_mean(self):
        """A whole of 2 everywhere: Student's limits of 0, 1, 2, 3, halved."""
        reach = float(t.ppf(0.95, 3)) * math.sqrt(5 / 3 / 4)
        found = ratio_interval([0, 1, 2, 3], [2, 2, 2, 2], [1, 1, 1, 1], 0.05)
        assert found == pytest.approx(((1.5 - reach) / 2, (1.5 + reach) / 2))

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
