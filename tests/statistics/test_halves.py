"""Halves of the topics, and the size of all components that is cross-fitted over them."""

from __future__ import annotations

import numpy as np
import pytest

from lengthprobe.statistics.estimate import Estimate, Observation, Sample
from lengthprobe.statistics.halves import cross_fitted_size, second_half
from lengthprobe.statistics.share import share

TOPICS = [f"topic {at // 2}" for at in range(60)]


def of_part(values, whole, topics):
    """The share of a part, with the whole of all."""

    def observed(of_each):
        rows = enumerate(zip(topics, of_each, strict=True))
        return tuple(Observation(f"p{at}", topic, float(value)) for at, (topic, value) in rows)

    return share(
        Estimate.from_observations(
            observed(values),
            name="part",
            unit="logits",
            bounds=None,
            alpha_shares=68,
            whole=Sample(observed(whole), None),
        )
    )


class TestSecondHalf:
    """Which topics are the second half."""

    @pytest.mark.parametrize("n", [0, 1, 2, 7, 150])
    def test_is_half_of_the_topics(self, n):
        """The smaller half where their number is odd."""
        topics = {f"t{at}" for at in range(n)}
        assert second_half(topics) <= topics
        assert len(second_half(topics)) == n // 2

    def test_hangs_neither_on_order_nor_on_repetition(self):
        """A run gives the same figures however it is split."""
        assert second_half(TOPICS) == second_half(reversed(TOPICS)) == second_half(set(TOPICS))

    def test_is_no_run_of_keys_in_order(self):
        """Topics that were written one after another, and are alike, are parted by their digests."""
        chosen = sorted(int(topic.split()[1]) for topic in second_half(TOPICS))
        assert chosen not in (list(range(15)), list(range(15, 30)), list(range(0, 30, 2)))


class TestCrossFittedSize:
    """Σ_c sign_c · value_c, with the signs of the other half."""

    def test_takes_signs_from_the_other_half(self):
        """Against a loop written out."""
        values = np.random.default_rng(0).normal(0.1, 1, size=(60, 5))
        second = second_half(TOPICS)
        for at, found in enumerate(cross_fitted_size(values, TOPICS)):
            others = [i for i in range(60) if (TOPICS[i] in second) is not (TOPICS[at] in second)]
            signs = [1 if sum(values[i, c] for i in others) > 0 else -1 for c in range(5)]
            assert found == pytest.approx(sum(signs[c] * values[at, c] for c in range(5)))

    def test_of_components_that_do_nothing_is_nothing(self):
        """500 components of noise: signs from the same values would make 500 · 0.8 standard errors of it."""
        values = np.random.default_rng(1).normal(size=(60, 500))
        same = values @ np.sign(values.sum(0))
        assert same.mean() == pytest.approx(500 * 0.8 / 60**0.5, rel=0.1)
        # The standard error of its mean is √(500 · 1.64 / 60), where both halves err alike.
        assert abs(cross_fitted_size(values, TOPICS).mean()) < 3 * (500 * 1.64 / 60) ** 0.5

    def test_of_components_with_sure_signs_is_the_sum_of_their_sizes(self):
        """Whatever their signs."""
        values = np.random.default_rng(2).normal(size=(60, 3)) * 0.1 + np.array([5.0, -3.0, 0.0])
        assert cross_fitted_size(values, TOPICS).mean() == pytest.approx(8.0, abs=0.1)

    @pytest.mark.parametrize("topics", [[], ["one"], ["one", "two"]])
    def test_of_few_topics_has_a_value_for_each(self, topics):
        """Without another half there is no sign, and so no size."""
        found = cross_fitted_size(np.ones((len(topics), 4)), topics)
        assert found.tolist() == [4.0 if len(topics) == 2 else 0.0] * len(topics)


class TestShares:
    """Shares of such a whole, with the true share at the margin or with none."""

    @staticmethod
    def statuses(n_components, margin, repeats, mean=None, topics=TOPICS):
        """The verdicts on a part of four components against a margin, over draws with a spread of 1."""
        rng = np.random.default_rng(n_components)
        mean = np.zeros(n_components) if mean is None else mean
        for _ in range(repeats):
            values = mean + rng.normal(size=(len(topics), n_components))
            whole = cross_fitted_size(values, topics)
            yield of_part(values[:, -4:].sum(1), whole, topics) > margin

    @pytest.mark.parametrize("n_components", [25, 500])
    def test_nothing_is_decided_of_a_whole_of_noise(self, n_components):
        """100 draws; both halves of a whole err alike, so that 1 in 20 to 1 in 10 seems to be above 0."""
        found = list(self.statuses(n_components, 0.02, 100))
        unsure = [one for one in found if "not surely above 0" in one.reason]
        assert len(unsure) >= 85
        assert {one.status for one in unsure} == {"undecided"}
        assert [one.status for one in found].count("undecided") >= 97

    def test_nothing_is_decided_of_two_topics_in_each_half(self):
        """Four topics, however sure each value is."""
        topics = ["one", "two", "three", "four"]
        (found,) = self.statuses(25, 0.02, 1, mean=np.full(25, 100.0), topics=topics)
        assert found.status == "undecided"
        assert found.reason.startswith("only 4 topics: ")

    def test_a_share_above_the_margin_is_not_broken_by_a_thousand_components(self):
        """20 of 1,056 components do anything, and four more have 3 % of the size of all.

        Signs from the same values made the whole four times as large: all 40 claims were broken.
        """
        mean = np.zeros(1056)
        mean[:20] = np.linspace(1, 0.3, 20) * np.where(np.arange(20) % 3 == 2, -1, 1)
        mean[-4:] = 0.03 / 0.97 * np.abs(mean).sum() / 4
        topics = [f"topic {at // 2}" for at in range(300)]
        found = [one.status for one in self.statuses(1056, 0.02, 40, mean=mean, topics=topics)]
        assert found.count("broken") == 0
        # Of them 4 to 11 % are to be expected where the margin is the share itself.
        at_margin = [one.status for one in self.statuses(1056, 0.03, 60, mean=mean, topics=topics)]
        assert at_margin.count("broken") == 0
        assert at_margin.count("holds") <= 10
