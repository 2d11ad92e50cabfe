"""Estimates of `lengthprobe.statistics.estimate`: what they hold, and their arithmetic."""

from __future__ import annotations

import math
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lengthprobe.statistics.estimate import Estimate, Observation, Sample
from lengthprobe.statistics.intervals import correlation, mean_interval, sum_interval
from lengthprobe.statistics.sample import draws

cases = settings(max_examples=25, deadline=None)
VARIED = (30.0, 25.0, 40.0, 28.0, 33.0, 37.0, 35.0, 29.0, 31.0, 36.0)
VALUES = st.lists(st.sampled_from([-1.0, -0.5, 0.0, 0.5, 1.0]), min_size=2, max_size=20)


def estimate(values, name="error", prompt="p", **changes) -> Estimate:
    """One prompt a topic, within ±1 words unless told."""
    arguments = {"name": name, "unit": "words", "bounds": (-1.0, 1.0)} | changes
    return Estimate.from_observations(
        [Observation(f"{prompt}{i}", f"t{i}", float(value), f"wrote {i}") for i, value in enumerate(values)],
        **arguments,
    )


class TestEstimate:
    """A mean and what is behind it."""

    def test_counts_prompts_and_topics(self):
        """Three prompts about two topics."""
        found = Estimate.from_observations(
            [Observation("1", "a", 1), Observation("2", "a", 0), Observation("3", "b", 0)],
            name="hits",
            unit="share",
            bounds=(0, 1),
        )
        assert (found.n, found.clusters, found.mean, found.bounds) == (3, 2, 1 / 3, (0, 1))

    def test_interval_is_that_of_its_clusters_at_alpha(self):
        """Low and high are one-sided limits at alpha each."""
        found = estimate([0, 0, 1, -1, 1], alpha=0.01)
        assert (found.low, found.high) == mean_interval(found.samples[0].clusters, (-1, 1), 0.01)

    def test_of_nothing_says_nothing(self):
        """No mean, and the bounds for limits."""
        found = estimate([])
        assert math.isnan(found.mean)
        assert (found.low, found.high, found.n, found.clusters) == (-1, 1, 0, 0)
        assert found.caveat == "no prompt was measured"

    def test_reads_short(self):
        """As pytest shows it in passing."""
        assert repr(estimate([0, 0])) == "<error: 0 [-0.7764, 0.7764] words, n=2>"

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"alpha": 0.21}, "error: alpha 0.21 does not lie between 0 and 0.2"),
            ({"alpha": 0}, "error: alpha 0 does not lie between 0 and 0.2"),
            ({"alpha": math.nan}, "error: alpha nan"),
            ({"alpha_shares": 0}, "error: 0 shares of alpha would give"),
            ({"worst": "big"}, "error: worst='big' is none of high, low, far"),
        ],
    )
    def test_refuses_an_argument_that_cannot_be_used(self, changes, message):
        """The message names the measure and the value."""
        with pytest.raises(ValueError, match=message):
            estimate([0], **changes)

    def test_importing_it_loads_no_numerical_library(self):
        """Collecting tests stays fast."""
        code = (
            "import sys, lengthprobe.statistics.share, lengthprobe.statistics.magnitude\n"
            "print({'numpy', 'scipy', 'torch', 'transformers'} & set(sys.modules))"
        )
        found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert found.stdout == "set()\n"


class TestScaling:
    """Multiplication by a number, and the sign."""

    @cases
    @given(VALUES, st.sampled_from([-3.0, -0.1, 0.5, 2.0]))
    def test_scales_the_interval(self, values, factor):
        """The limits are the factor times the limits, in order."""
        found, scaled = estimate(values), factor * estimate(values)
        limits = sorted((factor * found.low, factor * found.high))
        assert [scaled.low, scaled.high] == pytest.approx(limits, abs=1e-7)
        assert scaled.mean == pytest.approx(factor * found.mean, abs=1e-12)

    @cases
    @given(VALUES)
    def test_negation_mirrors_the_interval(self, values):
        """Low becomes high."""
        found, negated = estimate(values), -estimate(values)
        assert (negated.low, negated.high) == pytest.approx((-found.high, -found.low), abs=1e-7)

    def test_names_read_as_written(self):
        """With parentheses where they are needed."""
        one, two, other = estimate([0, 1], "a"), estimate([0, 1], "b"), estimate([1, 1], "c", prompt="q")
        names = [(0.1 * one).name, (-one).name, (one - two).name, (one - (two - other)).name]
        assert names == ["0.1 * a", "-a", "a - b", "a - (b - c)"]
        assert (2 * (one - two)).name == "2 * (a - b)"
        assert (one + two).name == "a + b"
        assert abs(one - two).name == "abs(a - b)"

    def test_takes_the_number_on_either_side(self):
        """Numpy's numbers too."""
        found = estimate([0, 1, 1, 1])
        assert (found * 2).mean == (2 * found).mean == (np.float64(2) * found).mean == 1.5

    @pytest.mark.parametrize("factor", ["2", None, True, estimate([0, 1])])
    def test_refuses_what_is_no_number(self, factor):
        """The message says what to write."""
        with pytest.raises(TypeError, match=r"write 0\.1 \* error"):
            estimate([0, 1]) * factor

    @pytest.mark.parametrize("factor", [1e-320, -1e-320, 5e-324, 1e-10, 1e200])
    def test_refuses_a_factor_that_leaves_no_spread(self, factor):
        """A square of 1e-320 is 0: a mean without a spread would be sure."""
        with pytest.raises(ValueError, match=r"\* error: beside values of another size nothing is left"):
            factor * estimate([0, 1])

    @pytest.mark.parametrize("factor", [0, math.nan, math.inf])
    def test_refuses_a_number_that_leaves_nothing(self, factor):
        """Zero, NaN and infinity."""
        with pytest.raises(ValueError, match="error"):
            factor * estimate([0, 1])


class TestDifferences:
    """Subtraction and addition."""

    def test_pairs_by_prompt_where_the_prompts_are_the_same(self):
        """Two models wrong on the same prompts differ by nothing, and the bounds subtract."""
        one, two = estimate([0, 1, 0, -1], "a"), estimate([0, 1, 0, -1], "b")
        found = one - two
        assert [sample.bounds for sample in found.samples] == [(-2.0, 2.0)]
        assert [one.value for one in found.observations] == [0, 0, 0, 0]

    def test_sets_means_side_by_side_where_the_prompts_are_not(self):
        """MOVER of both sides' own limits."""
        one, two = estimate([0, 1, 0, -1], "a"), estimate([1, 1, 0, -1], "b", prompt="q")
        found = one - two
        both = correlation(one.samples[0].clusters, (-two).samples[0].clusters)
        expected = sum_interval(
            [one.mean, -two.mean], [(one.low, one.high), (-two.high, -two.low)], [[1, both], [both, 1]]
        )
        assert (found.low, found.high) == pytest.approx(expected, abs=1e-7)
        assert (found.n, found.clusters) == (8, 4)

    def test_a_contrast_can_be_subtracted_from_again(self):
        """Its parts pair with samples of their own prompts."""
        english, italian = estimate([0, 1, 1], "en"), estimate([0, 0, 1], "it", prompt="q")
        before = estimate([0, 1, 0], "en before")
        found = (english - italian) - before
        assert [len(sample.observations) for sample in found.samples] == [3, 3]
        assert found.mean == pytest.approx(0.0)
        assert found.name == "en - it - en before"

    def test_never_collapses(self):
        """Equal values on both sides leave room, by prompt and by topic."""
        one = estimate([0] * 50, "a")
        for other in (estimate([0] * 50, "b"), estimate([0] * 50, "b", prompt="q")):
            found = one - other
            assert found.low < -0.05
            assert found.high > 0.05

    def test_a_side_that_says_nothing_leaves_the_difference_open(self):
        """Equal values without bounds, or one topic."""
        found = estimate([0, 1, 2], "a", bounds=None) - estimate([1, 1], "b", prompt="q", bounds=None)
        assert (found.low, found.high) == (-math.inf, math.inf)
        found = estimate([0, 1, 1], "a") - estimate([1], "b", prompt="q")
        assert (found.low, found.high) == (-2, 2)
        assert found.caveat == "fewer than two topics: nothing tells how much topics differ"

    def test_one_unbounded_side_leaves_no_bounds(self):
        """The sum has bounds where every term has."""
        assert (estimate([0, 1], "a", bounds=None) - estimate([0, 1], "b", prompt="q")).bounds is None

    def test_refuses_a_number(self):
        """A number is a margin; the message says what to write."""
        with pytest.raises(TypeError, match=r"a number is a margin: write error > 0\.5"):
            estimate([0, 1]) - 0.5

    @pytest.mark.parametrize("changes", [{"unit": "share"}, {"alpha": 0.01}])
    def test_refuses_what_does_not_mix(self, changes):
        """Words less shares is nothing; nor do two levels make one."""
        with pytest.raises(ValueError, match="do not mix"):
            estimate([0, 1]) - estimate([0, 1], **changes)

    def test_the_smaller_share_of_alpha_counts(self):
        """A correction is not lost."""
        assert (estimate([0, 1], alpha_shares=3) - estimate([0, 1], alpha_shares=14)).alpha_shares == 14


class TestAbsent:
    """Contrasts with what is exactly 0 everywhere, as a component that was cut."""

    def test_is_known_to_be_0_beside_what_varies(self):
        """Other prompts in another language: the interval of the contrast is that of the other side alone."""
        cut = estimate([0] * 10, "english", bounds=None)
        whole = estimate(VARIED, "italian", prompt="q", bounds=None)
        found = cut - 0.1 * whole
        assert (found.low, found.high) == (-0.1 * whole).interval(0.05)
        assert (found.n, found.clusters) == (20, 10)
        assert (abs(cut) < 0.1 * whole).status == "holds"
        assert (abs(whole) < 0.1 * cut).status == "broken"
        assert (cut > 0.5 * whole).status == "broken"

    def test_paired_with_what_varies_is_decided_by_it(self):
        """A candidate whose heads were cut, against half of the reference on the same prompts."""
        cut = estimate([0] * 10, "candidate", bounds=None)
        reference = estimate(VARIED, "reference", bounds=None)
        assert (cut > 0.5 * reference).status == "broken"
        assert (reference > 0.5 * reference).status == "holds"
        assert (abs(cut) < 0.1 * reference).status == "holds"

    def test_on_both_sides_decides_nothing(self):
        """Nothing varies: nothing tells how sure that is."""
        cut = estimate([0] * 10, "english", bounds=None)
        for other in (cut, estimate([0] * 10, "italian", prompt="q", bounds=None)):
            verdict = abs(cut) < 0.1 * other
            assert verdict.status == "undecided"
            assert verdict.reason == "every value is equal and the measure declares no bounds"

    def test_other_equal_values_decide_nothing(self):
        """Three everywhere is no component that was cut: an unlucky sample, or bounds left undeclared."""
        three = estimate([3] * 10, "english", bounds=None)
        whole = estimate(VARIED, "italian", prompt="q", bounds=None)
        assert (three - whole).interval(0.05) == (-math.inf, math.inf)
        assert (three < whole).status == "undecided"

    def test_of_one_topic_decides_nothing(self):
        """Two prompts about one topic are one prompt."""
        cut = Estimate.from_observations(
            [Observation("a", "t", 0.0), Observation("b", "t", 0.0)], name="cut", unit="words", bounds=None
        )
        verdict = cut < estimate(VARIED, "italian", prompt="q", bounds=None)
        assert verdict.reason == "fewer than two topics: nothing tells how much topics differ"


class TestWhole:
    """What a share would be taken of, through arithmetic."""

    @staticmethod
    def whole(values) -> Sample:
        """One prompt a topic."""
        return Sample(tuple(Observation(f"p{i}", f"t{i}", value) for i, value in enumerate(values)), None)

    def test_comes_along_with_a_factor_and_a_sign(self):
        """Half of a component is half of its share."""
        whole = self.whole([5.0, 6.0])
        found = estimate([0, 1], whole=whole)
        assert (-0.5 * found).whole is whole
        assert estimate([0, 1]).whole is None

    def test_stays_where_both_terms_have_the_same(self):
        """The same object, or equal values."""
        one = estimate([0, 1], whole=self.whole([5.0, 6.0]))
        other = estimate([1, 1], whole=self.whole([5.0, 6.0]))
        for found in (one - other, one + other, one - one):
            assert found.whole is not None
            assert found.whole.mean == 5.5

    @pytest.mark.parametrize("values", [None, [5.0, 7.0]])
    def test_is_lost_where_the_wholes_differ(self, values):
        """Late heads of two models, or a term that has none."""
        one = estimate([0, 1], whole=self.whole([5.0, 6.0]))
        other = estimate([1, 1], whole=None if values is None else self.whole(values))
        assert (one - other).whole is None
        assert (other + one).whole is None

    def test_of_other_prompts_is_refused(self):
        """A share pairs by prompt."""
        with pytest.raises(ValueError, match="error: its whole is of other prompts"):
            estimate([0, 1, 0], whole=self.whole([5.0, 6.0]))


class TestRivals:
    """The same measure under the other word counter, through arithmetic."""

    def test_come_along(self):
        """Scaled, negated, subtracted, with a name like the first one's."""
        one = estimate([0, 1], "a", rival=estimate([1, 1], "a"))
        other = estimate([0, 0], "b", rival=estimate([0, 1], "b"))
        assert (2 * one).rival.mean == 2
        assert (-one).rival.mean == -1
        assert (one - other).rival.mean == 0.5
        assert (one - other).rival.name == "a - b"

    def test_a_side_without_one_stands_for_itself(self):
        """On the left and on the right."""
        one = estimate([0, 1], "a", rival=estimate([1, 1], "a"))
        other = estimate([0, 0], "b")
        assert (one - other).rival.mean == 1
        assert (other - one).rival.mean == -1
        assert (other - other).rival is None


class TestRandomSets:
    """A mean over random draws, with how far the draws lie apart as a term of its own."""

    @staticmethod
    def over(shares) -> Estimate:
        """The share of exact answers under some sets: 0.9 on each of 100 topics."""
        measured = estimate([0.9] * 100, "random", bounds=(0.0, 1.0))
        apart = draws({f"set {at}": share for at, share in enumerate(shares)})
        return replace(measured, samples=(*measured.samples, apart))

    def test_bounds_are_those_of_the_prompts(self):
        """What each set lies from the mean of all adds nothing to the mean."""
        random, without = self.over([0.85, 0.95] * 10), estimate([0] * 100, "without", bounds=(0.0, 1.0))
        assert random.bounds == (0.0, 1.0)
        assert (random - without).bounds == (-1.0, 1.0)

    def test_equal_sets_decide_with_the_prompts_alone(self):
        """Twenty sets that cost the same, of a share that is rounded."""
        without = estimate([0.0] * 100, "without", prompt="q", bounds=(0.0, 1.0))
        assert (self.over([1 / 3] * 20) - without > 0.1).status == "holds"

    def test_too_few_sets_leave_the_whole_line(self):
        """The bounds of the prompts are no interval of what other sets would give."""
        few = self.over([0.8, 0.9, 1.0])
        assert few.caveat
        assert (few.low, few.high) == (-math.inf, math.inf)
