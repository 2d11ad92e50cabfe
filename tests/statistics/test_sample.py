"""The observations of `lengthprobe.statistics.sample`."""

from __future__ import annotations

import math

import pytest

from lengthprobe.statistics.sample import (
    Observation,
    Sample,
    draws,
    join_samples,
    usable_sample,
    usable_whole,
)


def sample(values: dict[str, float], bounds: tuple[float, float] | None = (0, 1), note: str = "") -> Sample:
    """One observation a prompt; the topic is the id's first letter."""
    return Sample(tuple(Observation(key, key[0], value, note) for key, value in values.items()), bounds)


class TestSample:
    """Values of one measure."""

    def test_clusters_by_topic(self):
        """Two prompts about a, one about b."""
        clusters = sample({"a1": 1.0, "b1": 0.5, "a2": 0.0}).clusters
        assert (clusters.keys, clusters.means, clusters.sizes) == (("a", "b"), [0.5, 0.5], [2, 1])

    def test_mean_is_over_prompts(self):
        """A topic weighs by its prompts."""
        assert sample({"a1": 1.0, "a2": 1.0, "b1": 0.0}).mean == 2 / 3

    def test_mean_of_nothing_is_no_number(self):
        """NaN."""
        assert math.isnan(sample({}).mean)

    @pytest.mark.parametrize(
        ("values", "bounds", "expected"),
        [
            ({}, (0, 1), "no prompt was measured"),
            ({"a1": 0, "a2": 1}, (0, 1), "fewer than two topics: nothing tells how much topics differ"),
            ({"a1": 3, "b1": 3}, None, "every value is equal and the measure declares no bounds"),
            ({"a1": 1, "b1": 1}, (0, 1), ""),
            (
                {f"{key}1": at for at, key in enumerate("abcdefghi")},
                None,
                "only 9 topics: without bounds, fewer than 10 do not show how far out a topic can lie",
            ),
            ({f"{key}1": at for at, key in enumerate("abcdefghij")}, None, ""),
        ],
    )
    def test_caveat_says_why_nothing_can_be_decided(self, values, bounds, expected):
        """Nothing measured, one topic, and without bounds no spread or fewer than ten topics."""
        assert sample(values, bounds).caveat == expected

    def test_scaled_turns_bounds_round(self):
        """A negative factor makes the lower bound the upper one."""
        scaled = sample({"a1": 0.25}).scaled(-2.0)
        assert (scaled.mean, scaled.bounds) == (-0.5, (-2.0, -0.0))

    def test_plus_adds_prompt_by_prompt(self):
        """Whatever the order, and the bounds add."""
        total = sample({"a1": 1.0, "b1": 0.0}).plus(sample({"b1": 0.5, "a1": 0.25}))
        assert [one.value for one in total.observations] == [1.25, 0.5]
        assert total.bounds == (0, 2)

    def test_plus_without_bounds_on_one_side_has_none(self):
        """What is unbounded stays so."""
        assert sample({"a1": 1.0}).plus(sample({"a1": 1.0}, bounds=None)).bounds is None

    def test_prompts_with_bounds_of_their_own_give_the_bounds_of_a_sum(self):
        """Within 0 to 2 or -2 to 0: a difference lies within ± 2, where the bounds of both sum to ± 4."""
        sides = {"a1": (0.0, 2.0), "b1": (-2.0, 0.0)}
        one = usable_sample(
            tuple(Observation(key, key[0], 0.0, bounds=own) for key, own in sides.items()), (-5, 5), "x"
        )
        assert one.bounds == (-2, 2)
        difference = one.plus(one.scaled(-1.0))
        assert difference.bounds == (-2, 2)
        assert [observation.bounds for observation in difference.observations] == [(-2, 2), (-2, 2)]

    def test_a_prompt_without_bounds_of_its_own_leaves_the_sum_of_the_bounds(self):
        """Not all that the measure can give is known to be nearer."""
        one = sample({"a1": 1.0, "b1": 0.0}, (-1, 1))
        own = Sample((Observation("a1", "a", 0.0, bounds=(0, 1)), Observation("b1", "b", 0.0)), (-1, 1))
        assert one.plus(own).bounds == (-2, 2)
        assert own.plus(own).bounds == (-2, 2)

    def test_scaled_turns_the_bounds_of_a_prompt_round(self):
        """As those of the sample."""
        own = Sample((Observation("a1", "a", 1.0, bounds=(0, 1)),), (0, 1))
        assert own.scaled(-2.0).observations[0].bounds == (-2, 0)

    def test_plus_leaves_no_rounding(self):
        """0.3 less three times 0.1 is 0, however floats round it; a small difference of its own stays."""
        total = sample({"a1": 0.1 + 0.2, "b1": 1.0}, None).plus(sample({"a1": -0.3, "b1": 1e-9 - 1}, None))
        assert [one.value for one in total.observations] == [0.0, pytest.approx(1e-9)]

    @pytest.mark.parametrize(
        ("values", "bounds", "expected"),
        [
            ({"a1": 0.0, "b1": -0.0}, None, True),
            ({"a1": 0.0, "b1": 1e-300}, None, False),
            ({"a1": 3.0, "b1": 3.0}, None, False),
            ({"a1": 0.0, "b1": 0.0}, (-1, 1), False),
            ({"a1": 0.0, "a2": 0.0}, None, False),
            ({}, None, False),
        ],
    )
    def test_is_absent_where_it_is_exactly_nothing(self, values, bounds, expected):
        """All 0 without bounds, over two topics. Other equal values may be chance, or counts."""
        assert sample(values, bounds).absent is expected

    def test_equals_what_gives_every_prompt_the_same_value(self):
        """In whatever order, with whatever note."""
        one, other = sample({"a1": 1.0, "b1": 0.0}), sample({"b1": 0.0, "a1": 1.0}, note="x")
        assert one.equals(one)
        assert one.equals(other)
        assert not one.equals(sample({"a1": 1.0, "b1": 0.5}))
        assert not one.equals(sample({"a1": 1.0}))

    @pytest.mark.parametrize(
        ("one", "other", "expected"),
        [
            ("x", "y", "x | against: y"),
            ("x", "x", "x"),
            ("x", "", "x"),
            ("", "y", "against: y"),
            # A prompt that both were asked stands once.
            (
                "asked 3: 'P: → ' → 'a'",
                "asked 3, cut off: 'P: → ' → 'b'",
                "asked 3: 'P: → ' → 'a' | against: asked 3, cut off: 'b'",
            ),
            ("n: 'P' → 'a'", "m: 'Q' → 'b'", "n: 'P' → 'a' | against: m: 'Q' → 'b'"),
        ],
    )
    def test_plus_keeps_both_notes(self, one, other, expected):
        """A reader sees both responses."""
        total = sample({"a1": 1.0}, note=one).plus(sample({"a1": 1.0}, note=other))
        assert total.observations[0].note == expected


class TestJoined:
    """Terms of a sum."""

    def test_samples_of_the_same_prompts_become_one(self):
        """Paired by prompt."""
        terms = join_samples((sample({"a1": 1.0, "b1": 0.0}),), (sample({"b1": 1.0, "a1": 1.0}),))
        assert [term.mean for term in terms] == [1.5]

    def test_samples_of_other_prompts_stand_side_by_side(self):
        """One prompt too many is another set of prompts."""
        terms = join_samples((sample({"a1": 1.0}),), (sample({"a1": 1.0, "b1": 0.0}),))
        assert [term.mean for term in terms] == [1.0, 0.5]


class TestChecked:
    """What can be used."""

    @pytest.mark.parametrize("value", [math.nan, math.inf, 1.5, -0.5])
    def test_refuses_a_value_that_the_measure_cannot_give(self, value):
        """The message names measure, prompt, value and bounds."""
        with pytest.raises(ValueError, match=rf"hits: prompt a1 gives {value}, not a number within 0 to 1"):
            usable_sample((Observation("a1", "a", value),), (0, 1), "hits")

    @pytest.mark.parametrize("own", [(-1, 1), (0, 2), (1, 0), (math.nan, 1)])
    def test_refuses_bounds_of_a_prompt_beyond_those_of_the_measure(self, own):
        """Or the wrong way round."""
        with pytest.raises(ValueError, match=r"hits: prompt a1 has bounds .* not within 0 to 1"):
            usable_sample((Observation("a1", "a", 0.5, bounds=own),), (0, 1), "hits")

    def test_refuses_a_value_that_the_prompt_cannot_give(self):
        """Though another prompt can."""
        with pytest.raises(ValueError, match=r"hits: prompt a1 gives 0\.75, not a number within 0 to 0\.5"):
            usable_sample((Observation("a1", "a", 0.75, bounds=(0, 0.5)),), (0, 1), "hits")

    def test_refuses_a_prompt_measured_twice(self):
        """Else it would count double."""
        with pytest.raises(ValueError, match="hits: prompt a1 was measured twice"):
            usable_sample((Observation("a1", "a", 0), Observation("a1", "a", 1)), (0, 1), "hits")

    @pytest.mark.parametrize("bounds", [(1, 1), (1, 0), (math.nan, 1)])
    def test_refuses_bounds_without_room(self, bounds):
        """The lower lies below the upper."""
        with pytest.raises(ValueError, match="leave no room"):
            usable_sample((), bounds, "hits")


class TestCheckedWhole:
    """What a sample can be a share of."""

    def test_is_of_the_same_prompts(self):
        """In whatever order."""
        whole = sample({"b1": 2.0, "a1": 3.0}, None)
        assert usable_whole(whole, sample({"a1": 1.0, "b1": 0.0}), "late") is whole

    @pytest.mark.parametrize(
        ("whole", "message"),
        [
            (sample({"a1": 2.0}, None), "late: its whole is of other prompts"),
            (sample({"a1": 2.0, "c1": 2.0}, None), "late: its whole is of other prompts"),
            (
                sample({"a1": 2.0, "b1": 2.0}, (0, 3)),
                "late: a whole has values like normal ones, and no bounds",
            ),
            (sample({"a1": 2.0, "b1": math.nan}, None), "late: its whole: prompt b1 gives nan"),
            (
                Sample((Observation("a1", "a", 1.0), Observation("b1", "x", 1.0)), None),
                "late: its whole is of other prompts, or gives them other topics",
            ),
        ],
    )
    def test_refuses_any_other(self, whole, message):
        """The message names the measure."""
        with pytest.raises(ValueError, match=message):
            usable_whole(whole, sample({"a1": 1.0, "b1": 0.0}), "late")


class TestDraws:
    """How far random draws lie apart."""

    @pytest.mark.parametrize("share", [1 / 3, 0.1, 0.7, 11 / 19])
    def test_equal_ones_lie_exactly_nothing_apart(self, share):
        """A sum of twenty thirds is rounded, and so is its twentieth part."""
        apart = draws({f"set {at}": share for at in range(20)})

        assert {one.value for one in apart.observations} == {0.0}
        assert apart.absent

    def test_each_is_what_it_lies_from_the_mean(self):
        """0.2, 0.4 and 0.6, of which the mean is 0.4."""
        apart = draws({"a": 0.2, "b": 0.4, "c": 0.6})

        assert [one.value for one in apart.observations] == pytest.approx([-0.2, 0, 0.2])
        assert apart.drawn
        assert not apart.absent
