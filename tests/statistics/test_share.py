"""Shares of `lengthprobe.statistics.share`: claims on how much of a whole a mean is."""

from __future__ import annotations

import math

import numpy as np
import pytest

from lengthprobe import measures
from lengthprobe.statistics.check import Numbers
from lengthprobe.statistics.estimate import Estimate, Observation, Sample
from lengthprobe.statistics.once_more import lasting_interval, ratio_interval
from lengthprobe.statistics.share import share

WHOLES = [30.0 + 7 * (i % 5) - 3 * (i % 3) for i in range(60)]


def estimate(values, name="late", wholes=WHOLES, note="", **changes) -> Estimate:
    """Two prompts a topic, in logits, of a whole that varies."""
    prompts = [(f"p{i:02}", f"t{i // 2}") for i in range(len(values))]
    whole = Sample(
        tuple(Observation(*prompt, float(w)) for prompt, w in zip(prompts, wholes, strict=False)), None
    )
    arguments = {"name": name, "unit": "logits", "bounds": None, "whole": whole} | changes
    return Estimate.from_observations(
        [Observation(*prompt, float(value), note) for prompt, value in zip(prompts, values, strict=True)],
        **arguments,
    )


def part(of_whole: float, spread: float = 1.0) -> list[float]:
    """So much of the whole, and something of its own that adds up to nothing."""
    return [of_whole * whole + spread * (i % 4 - 1.5) for i, whole in enumerate(WHOLES)]


class TestShare:
    """What has a share, and what it is."""

    def test_is_the_mean_over_the_mean_of_the_whole(self):
        """Not the mean of the prompts' shares."""
        found = share(estimate([1, 3], wholes=[10, 6]))
        assert found.mean == 4 / 16
        assert (found.name, found.unit, found.n, found.clusters) == ("share(late)", "share", 2, 1)

    def test_is_a_measures_own_word_too(self):
        """As claims write it."""
        assert measures.share is share

    def test_of_a_multiple_is_the_multiple(self):
        """Scaling keeps the whole."""
        one = estimate(part(0.2))
        assert share(0.5 * one).mean == pytest.approx(share(one).mean / 2)
        assert share(-one).high == pytest.approx(-share(one).low)

    def test_of_a_difference_within_one_whole_is_the_difference_of_shares(self):
        """Late heads less early heads."""
        late, early = estimate(part(0.3)), estimate(part(0.1), "early")
        found = share(late - early)
        assert found.name == "share(late - early)"
        assert found.mean == pytest.approx(share(late).mean - share(early).mean)

    @pytest.mark.parametrize(
        "other",
        [estimate(part(0.3), whole=None), estimate(part(0.3)) - estimate(part(0.3), wholes=WHOLES[::-1])],
        ids=["no whole", "two wholes"],
    )
    def test_of_what_has_no_whole_is_refused(self, other):
        """The message says which measures have one."""
        with pytest.raises(
            TypeError, match=r"it has no whole to be .*cwa\(probe, component=.late heads., language"
        ):
            share(other)

    def test_that_has_no_whole_under_the_other_counter_is_refused(self):
        """Since the claim would then be decided by one counter only."""
        rival = estimate(part(0.2), whole=None)
        with pytest.raises(TypeError, match=r"share\(late\): it has no whole under the other word counter"):
            share(estimate(part(0.2), rival=rival))

    @pytest.mark.parametrize("thing", [0.5, None, abs(estimate(part(0.3)))])
    def test_of_what_is_no_estimate_is_refused(self, thing):
        """The message says what to write."""
        with pytest.raises(TypeError, match=r"write abs\(share\(x\)\) for its magnitude"):
            share(thing)

    def test_reads_short(self):
        """As pytest shows it in passing."""
        assert repr(share(estimate([0] * 60))) == "<share(late): 0 [0, 0] share, n=60>"

    def test_shows_the_limits_of_its_topics(self):
        """Whatever the order in which the whole's prompts come."""
        one = estimate(part(0.2))
        turned = estimate(part(0.2), whole=Sample(one.whole.observations[::-1], None))
        topics, wholes = one.samples[0].clusters, one.whole.clusters
        limits = ratio_interval(topics.means, wholes.means, topics.sizes, 0.05)
        assert (share(one).low, share(one).high) == limits
        assert (share(turned).low, share(turned).high) == pytest.approx(limits)


class TestComparison:
    """`share(x) > m`."""

    @pytest.mark.parametrize(
        ("verdict", "expression", "status"),
        [
            (lambda s: s(0.3) > 0.02, "share(late) > 0.02", "holds"),
            (lambda s: s(0.3) >= 0.02, "share(late) >= 0.02", "holds"),
            (lambda s: s(0.3) < 0.02, "share(late) < 0.02", "broken"),
            (lambda s: 0.02 > s(0.3), "share(late) < 0.02", "broken"),  # noqa: SIM300
            (lambda s: np.float64(0.02) <= s(0.3), "share(late) >= 0.02", "holds"),
            (lambda s: s(-0.3) > 0.02, "share(late) > 0.02", "broken"),
            (lambda s: s(-0.3) > -0.5, "share(late) > -0.5", "holds"),
            (lambda s: s(0.02) > 0.02, "share(late) > 0.02", "undecided"),
            (lambda s: abs(s(0.0)) < 0.02, "abs(share(late)) < 0.02", "holds"),
            (lambda s: abs(s(0.3)) < 0.02, "abs(share(late)) < 0.02", "broken"),
            (lambda s: abs(s(-0.3)) < 0.02, "abs(share(late)) < 0.02", "broken"),
            (lambda s: abs(s(-0.3)) > 0.02, "abs(share(late)) > 0.02", "holds"),
            (lambda s: abs(s(0.02)) < 0.02, "abs(share(late)) < 0.02", "undecided"),
        ],
    )
    def test_is_decided_on_the_claimed_side_or_the_other(self, verdict, expression, status):
        """From either side, with Python's and numpy's numbers."""
        found = verdict(lambda of_whole: share(estimate(part(of_whole))))
        assert (found.expression, found.status) == (expression, status)

    @pytest.mark.parametrize("margin", [0.1, 0.1795, 0.19, 0.2, 0.21, 0.2205, 0.3])
    def test_holds_exactly_where_the_interval_lies_above(self, margin):
        """The interval shown, and the contrast that decides, are one."""
        found = share(estimate(part(0.2, 4.0)))
        assert ((found > margin).status == "holds") == (found.low > margin)
        assert ((found < margin).status == "holds") == (found.high < margin)
        assert ((abs(found) < margin).status == "holds") == (found.high < margin)

    @pytest.mark.parametrize("spread", [0.0, 1.0])
    def test_of_a_component_that_was_cut_is_broken(self, spread):
        """Exactly 0 everywhere, where an interval around 0 alone could never say so."""
        cut = estimate([0] * 60)
        assert (cut > 0).status == "undecided"
        assert (share(cut) > 0.02).status == "broken"
        assert (abs(share(cut)) < 0.02).status == "holds"
        # Less what a control gives, too.
        assert (share(cut - estimate(part(0.1, spread), "control")) > 0.02).status == "broken"

    def test_of_the_same_share_everywhere_is_decided(self):
        """But for a margin that it is: there nothing varies, rounding included."""
        found = share(estimate([0.3 * whole for whole in WHOLES]))
        assert (found > 0.29).status == "holds"
        assert (found > 0.31).status == "broken"
        assert (found > 0.3).status == (found < 0.3).status == "undecided"

    def test_over_a_whole_that_may_be_nothing_is_undecided(self):
        """With the reason, though the component is far above 0."""
        wholes = [40.0 * (-1) ** (i // 2) + 1 for i in range(60)]
        verdict = share(estimate(part(0.3), wholes=wholes)) > 0.02
        assert verdict.status == "undecided"
        # 30 topics of 41 and -39, one of 41 again: 71/31 + 1.699 · √(49548 / 30 / 31); the other likewise.
        assert verdict.reason == (
            "what it is a share of is not surely above 0: mean 1 logits, 90 % interval -12.69 to 14.69"
        )
        assert (verdict.estimate.low, verdict.estimate.high) == (-math.inf, math.inf)
        # 0.3 of a mean whole of 41, over 1.
        assert "  share 1230 %, no interval" in str(verdict)

    @pytest.mark.parametrize(
        ("values", "wholes", "reason"),
        [
            ([], [], "no prompt was measured"),
            ([1, 2], [5, 6], "fewer than two topics: nothing tells how much topics differ"),
            ([1, 2, 3, 4], [5] * 4, "every value is equal and the measure declares no bounds"),
        ],
    )
    def test_is_undecided_where_the_whole_tells_no_spread(self, values, wholes, reason):
        """As any mean is."""
        found = share(estimate(values, wholes=wholes))
        assert ((found > 0.02).status, (found > 0.02).reason) == ("undecided", reason)
        assert (found.low, found.high) == (-math.inf, math.inf)

    def test_broken_spends_its_share_of_alpha(self):
        """A margin between the upper limits at 0.05 and at 0.05/14."""
        alone, one_of_many = share(estimate(part(0.2, 4.0))), share(estimate(part(0.2, 4.0), alpha_shares=14))
        margin = (alone.high + alone.interval(0.05 / 14)[1]) / 2
        assert (alone > margin).status == "broken"
        assert (one_of_many > margin).status == "undecided"

    def test_hangs_on_both_word_counters(self):
        """Each has a whole of its own."""
        rival = estimate(part(0.001), wholes=[2 * whole for whole in WHOLES], counter="whitespace")
        verdict = share(estimate(part(0.3), rival=rival, counter="uax29")) > 0.02
        assert verdict.reason == (
            "the verdict hangs on the word counter: holds under uax29, broken under whitespace"
        )
        assert "  under whitespace: share 0.05 %" in str(verdict)

    def test_with_a_share_or_an_estimate_is_refused(self):
        """The message says what to write of two that have one whole."""
        one, other = estimate(part(0.3)), estimate(part(0.1), "early")
        with pytest.raises(TypeError, match=r"write share\(one - other\) > 0\.02"):
            share(one) > share(other)  # noqa: B015 - it is the comparison that raises
        with pytest.raises(TypeError, match="a share compares with a number, its margin"):
            one > share(other)  # noqa: B015
        with pytest.raises(TypeError, match="a share compares with a number, its margin"):
            abs(share(one)) < other  # noqa: B015
        with pytest.raises(TypeError, match=r"'2 %' is no number; write share\(late\) > 0\.02"):
            share(one) > "2 %"  # noqa: B015

    def test_in_a_report_is_as_any_check(self):
        """Unit and margin as of a share, the prompts as they fell short."""
        check = (share(estimate([0] * 60, note="wrote 3")) > 0.02).as_check()
        assert check.worst[0] == "0 of 30 logits; wrote 3"
        assert check.numbers == Numbers(0, 0, 0, n=60, clusters=30, unit="share")
        assert check.margin == 0.02


class TestExplanation:
    """What a reader is told."""

    def test_says_which_prompts_fell_short(self):
        """Those that gave least, whatever the measure calls worst, each with its part of the whole."""
        values = part(0.001)
        values[6], values[9] = -5.0, -4.0
        found = share(estimate(values, note="asked 5, wrote 5", worst="far"))
        mean, low, high = (f"{100 * value:.4g} %" for value in (found.mean, found.low, found.high))
        assert str(found > 0.02).splitlines() == [
            "broken: share(late) > 0.02",
            f"  share {mean}, 90 % interval {low} to {high}",
            "  60 prompts, 30 topics; margin 2 %",
            "  the whole interval lies below 2 %, and so does the interval at alpha 0.05",
            "  worst: topic t3: -5 of 37 logits; asked 5, wrote 5",
            "  worst: topic t4: -4 of 58 logits; asked 5, wrote 5",
            "  worst: topic t10: -1.48 of 24 logits; asked 5, wrote 5",
        ]

    def test_says_which_prompts_gave_too_much(self):
        """Of a claim that it is small."""
        values = part(0.3)
        values[6] = 90.0
        assert "  worst: topic t3: 90 of 37 logits" in str(share(estimate(values)) < 0.02)
        assert "  worst: topic t3: 90 of 37 logits" in str(abs(share(estimate(values))) < 0.02)

    def test_says_how_many_more_topics_would_decide(self):
        """The contrast is what would be decided."""
        assert "more topics would decide it" in str(share(estimate(part(0.03, 2.0))) > 0.02)


class TestErrorRate:
    """How often a claim at its margin is decided wrongly, on clustered normal values."""

    @pytest.mark.parametrize("correlation", [0.0, 0.9])
    @pytest.mark.parametrize("topics", [30, 75, 150])
    def test_is_at_most_alpha_on_either_side(self, topics, correlation):
        """2,000 draws of about 3 %: four standard errors are 1.6 %. As benchmarks/shares.py."""
        rng, level, margin, repeats = np.random.default_rng(topics), math.sqrt(0.2), 0.02, 2000
        sizes = np.full(topics, 2.0)

        def normal() -> np.ndarray:
            # The mean of two prompts that correlate by 0.2.
            own = rng.normal(size=(repeats, topics)) * math.sqrt(0.8 / 2)
            return level * rng.normal(size=(repeats, topics)) + own

        common = normal()
        parts = margin + 0.1 * (correlation * common + math.sqrt(1 - correlation**2) * normal())
        wholes = 1 + 0.4 * common
        limits = np.array([lasting_interval(row, sizes, 0.05) for row in parts - margin * wholes])
        assert np.mean(limits[:, 0] > 0) == pytest.approx(0.03, abs=0.016)
        assert np.mean(limits[:, 1] < 0) == pytest.approx(0.03, abs=0.016)
        shown = np.array(
            [ratio_interval(part, whole, sizes, 0.05) for part, whole in zip(parts, wholes, strict=True)]
        )
        assert np.array_equal(shown[:, 0] > margin, limits[:, 0] > 0)
        assert np.array_equal(shown[:, 1] < margin, limits[:, 1] < 0)

    def test_is_that_of_the_verdict(self):
        """300 verdicts at 30 topics: 5 % is 15, with a standard error of 3.8, on either side, or fewer."""
        rng, statuses = np.random.default_rng(0), []
        for _ in range(300):
            common = np.repeat(rng.normal(size=30), 2) * math.sqrt(0.2) + rng.normal(size=60) * math.sqrt(0.8)
            wholes = 1 + 0.4 * common
            own = 0.02 + 0.1 * (0.5 * common + math.sqrt(0.75) * rng.normal(size=60))
            statuses.append((share(estimate(own, wholes=wholes)) > 0.02).status)
        assert 0 < statuses.count("holds") <= 27
        assert 0 < statuses.count("broken") <= 27
