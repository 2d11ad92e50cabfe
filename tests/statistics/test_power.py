"""The chances that `lengthprobe.statistics.power` foretells."""

from __future__ import annotations

import math

import numpy as np
import pytest

from lengthprobe.statistics.estimate import Estimate, Observation
from lengthprobe.statistics.intervals import bounded_interval
from lengthprobe.statistics.looks import looks
from lengthprobe.statistics.planning import smallest_topics
from lengthprobe.statistics.power import Scale, Sides, Spread, prompts_for

RATE = Scale(0.0, 1.0)
CHANGE = Scale(-1.0, 1.0)


class TestSpread:
    """A mean, and how topics differ."""

    def test_perfect_answers_have_the_limits_of_the_library(self):
        """150 topics of 0 leave 1 - 0.05^(1/150)."""
        assert Spread(0.0, 0.0, RATE).limits(150, 0.05)[1] == pytest.approx(1 - 0.05 ** (1 / 150))

    def test_a_share_has_the_limits_of_clopper_and_pearson(self):
        """10 of 100 topics at 1."""
        limits = Spread(0.1, math.sqrt(0.1 * 0.9), RATE).limits(100, 0.05)
        assert limits == pytest.approx(
            bounded_interval([0] * 90 + [1] * 10, [1] * 100, (0, 1), 0.05), rel=1e-3
        )

    def test_a_paired_difference_has_as_many_topics_above_as_below(self):
        """Of 100 topics 5 at 1 and 5 at -1: a variance of 0.1."""
        limits = Spread(0.0, math.sqrt(0.1), CHANGE).limits(100, 0.05)
        values = [0] * 90 + [1] * 5 + [-1] * 5
        assert limits == pytest.approx(bounded_interval(values, [1] * 100, (-1, 1), 0.05), rel=1e-3)

    def test_without_bounds_limits_are_normal(self):
        """1.645 standard errors."""
        assert Spread(2.0, 3.0, None).limits(100, 0.05) == pytest.approx((2 - 0.4935, 2 + 0.4935), abs=1e-3)

    @pytest.mark.parametrize(
        ("mean", "deviation", "scale"), [(0.0, 0.3, CHANGE), (0.1, 0.3, RATE), (1, 2, None)]
    )
    def test_is_found_from_the_limits(self, mean, deviation, scale):
        """To a few per cent: limits as of a report."""
        limits = Spread(mean, deviation, scale).limits(150, 0.05)
        found = Spread.measured(mean, limits, scale, 150, 0.05)
        assert found.deviation == pytest.approx(deviation, rel=0.06)

    def test_topics_of_unlike_sizes_are_no_spread(self):
        """A perfect model asked twice about all topics but one has limits that are a little wider."""
        limits = bounded_interval([0.0] * 151, [2] * 150 + [1], (-1, 1), 0.05)
        assert Spread.measured(0.0, limits, CHANGE, 151, 0.05).deviation == 0

    @pytest.mark.parametrize(
        ("change", "deviation"),
        # One prompt in ten moves by a whole step: 0.1 * 1 - 0.1². Nothing that all have spreads.
        [(0.1, 0.3), (1.0, 0.0)],
    )
    def test_a_change_spreads_topics(self, change, deviation):
        """As far as some topics change and others do not."""
        moved = Spread(0.0, 0.0, RATE).moved(change)
        assert (moved.mean, moved.deviation) == pytest.approx((change, deviation))

    def test_a_change_ends_at_the_bounds(self):
        """No rate exceeds 1."""
        assert Spread(0.9, 0.3, RATE).moved(0.5) == Spread(1.0, 0.0, RATE)


class TestSides:
    """The chances of the verdicts."""

    @pytest.mark.parametrize("margin", [0.05, 0.1])
    def test_perfect_answers_hold_from_the_smallest_number_of_topics(self, margin):
        """As `smallest_topics` has it."""
        sides, topics = Sides(margin, -1, 0.05, 1), smallest_topics(margin, (0, 1))
        perfect = Spread(0.0, 0.0, RATE)
        assert sides.chance_to_hold(perfect, topics) == 1
        assert sides.chance_to_hold(perfect, topics - 1) == 0

    def test_a_look_has_a_part_of_alpha(self):
        """At a tenth of alpha perfect answers need as many topics as at 0.005."""
        topics, perfect = smallest_topics(0.05, (0, 1), 0.005), Spread(0.0, 0.0, RATE)
        sides = Sides(0.05, -1, 0.05, 1)
        assert [sides.chance_to_hold(perfect, n, 0.1) for n in (topics - 1, topics)] == [0, 1]

    @pytest.mark.parametrize(("missed", "topics"), [(0.03, 150), (0.1, 300)])
    def test_chance_to_hold_is_that_of_real_estimates(self, missed, topics):
        """A fall of no more than five points, where either side misses alone in `missed / 2`: to 0.12."""
        rng = np.random.default_rng(0)
        drawn = rng.choice([-1.0, 0.0, 1.0], (100, topics), p=[missed / 2, 1 - missed, missed / 2])
        held = [(_estimate(row) > -0.05).status == "holds" for row in drawn]
        foretold = Sides(-0.05, 1, 0.05, 1).chance_to_hold(Spread(0.0, math.sqrt(missed), CHANGE), topics)
        # Two standard errors of 100 draws are 0.1 at the most.
        assert foretold == pytest.approx(np.mean(held), abs=0.12)

    def test_chance_to_break_is_that_of_real_estimates(self):
        """A fall of twenty points against a margin of five, at a twentieth of alpha: to 0.12."""
        rng = np.random.default_rng(0)
        drawn = rng.choice([-1.0, 0.0, 1.0], (100, 100), p=[0.2, 0.8, 0.0])
        broken = [(_estimate(row, alpha_shares=20) > -0.05).status == "broken" for row in drawn]
        sides = Sides(-0.05, 1, 0.05, 20)
        foretold = sides.chance_to_break(sides.worse(Spread(0.0, 0.0, CHANGE), 0.2), 100)
        assert foretold == pytest.approx(np.mean(broken), abs=0.12)

    def test_a_mean_may_lie_on_either_side_of_a_magnitude(self):
        """Within ± 0.5: the worse side is the nearer."""
        sides = Sides(0.5, 0, 0.05, 1)
        words = Scale(-3.0, 3.0)
        assert sides.worse(Spread(-0.1, 0.2, words), 0.5).mean == pytest.approx(-0.6)
        assert sides.is_beyond(-0.6)
        assert not sides.is_beyond(0.4)
        assert sides.chance_to_hold(Spread(-0.4, 0.9, words), 150) == pytest.approx(
            sides.chance_to_hold(Spread(0.4, 0.9, words), 150), abs=1e-6
        )


class TestPromptsFor:
    """After how many prompts a claim is decided."""

    @pytest.mark.parametrize(("needed", "expected"), [(60, 100), (120, 150), (301, 450)])
    def test_is_a_look(self, needed, expected):
        """A claim is judged nowhere else."""
        assert prompts_for(lambda prompts, _: float(prompts >= needed), 0.9, looks(450)) == expected

    def test_beyond_the_looks_it_is_the_least_that_decides(self):
        """To a fiftieth, in tens."""
        found = prompts_for(lambda prompts, _: float(prompts >= 1234), 0.9, looks(450))
        assert 1234 <= found <= 1234 * 1.02 + 10

    def test_is_none_where_no_number_decides(self):
        """The mean is the margin."""
        assert prompts_for(lambda *_: 0.5, 0.9, looks(450)) is None

    def test_the_part_is_that_of_the_look(self):
        """And beyond the looks that of the last."""
        seen = []
        prompts_for(lambda prompts, part: bool(seen.append((prompts, part))), 0.9, looks(450))
        assert seen[:5] == [(100, 0.12), (150, 0.18), (300, 0.3), (450, 0.4), (450, 0.4)]


def _estimate(values, **changes) -> Estimate:
    return Estimate.from_observations(
        [Observation(f"p{at}", f"t{at}", float(value)) for at, value in enumerate(values)],
        name="x",
        unit="share",
        bounds=(-1.0, 1.0),
        **changes,
    )
