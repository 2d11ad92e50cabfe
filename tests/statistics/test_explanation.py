"""What `lengthprobe.statistics.explanation` tells a reader."""

from __future__ import annotations

import re

import pytest

from lengthprobe.statistics.estimate import Estimate, Observation
from lengthprobe.statistics.explanation import advice, worst
from lengthprobe.statistics.explanation import explanation as lines_of
from lengthprobe.statistics.planning import smallest_topics


def estimate(values, name="error", prompt="p", note="wrote {}", **changes) -> Estimate:
    """Two prompts a topic, within ±10 words unless told."""
    arguments = {"name": name, "unit": "words", "bounds": (-10.0, 10.0)} | changes
    return Estimate.from_observations(
        [
            Observation(f"{prompt}{i:03}", f"t{i // 2}", float(value), note.format(i))
            for i, value in enumerate(values)
        ],
        **arguments,
    )


def explanation(verdict) -> list[str]:
    """The lines of the comparison behind a verdict."""
    return lines_of(verdict.comparison)


class TestExplanation:
    """The lines of a verdict."""

    def test_says_everything_about_a_broken_claim(self):
        """Verdict, effect, interval and level, prompts, topics, margin, reason, worst prompts with notes."""
        found = estimate([1] * 296 + [0, 0, 3, -4])
        # 148 topics of 1, one of 0 and one of -0.5: 295/300. The limits are compared in test_intervals.
        assert explanation(abs(found) < 0.5) == [
            "broken: abs(error) < 0.5",
            f"  mean 0.9833 words, 90 % interval {found.low:.4g} to {found.high:.4g}",
            "  300 prompts, 150 topics; margin 0.5 words",
            "  the whole interval lies beyond ± 0.5, and so does the interval at alpha 0.025",
            "  worst: -4 words, topic t149: wrote 299",
            "  worst: 3 words, topic t149: wrote 298",
            "  worst: 1 words, topic t0: wrote 0",
        ]

    def test_says_how_many_more_topics_would_decide(self):
        """About so many as leave room for what was measured."""
        verdict = estimate([0] * 80) < 0.5
        line = next(line for line in explanation(verdict) if "more topics" in line)
        more = int(re.fullmatch(r"  about (\d+) more topics would decide it", line)[1])
        # 59 topics of 0 decide, as in test_planning; 40 were measured. Copies of measured topics and the one
        # imagined count the same way.
        assert 19 <= more <= 21

    @pytest.mark.parametrize(
        ("topics", "line"),
        [
            (None, "about {} more topics would decide it"),
            (150, "about {} more topics would decide it"),
            (50, "too near the margin to decide with all of this language's 50 topics"),
            (40, "too near the margin to decide with this language's 40 topics"),
        ],
    )
    def test_says_when_there_are_not_so_many_topics(self, topics, line):
        """40 were measured, and about 20 more would do, as above: then it is no matter of topics."""
        verdict = estimate([0] * 80, topics=topics) < 0.5
        more = re.search(r"about (\d+) ", advice(verdict.comparison))
        said = line.format(more and more[1])
        assert advice(verdict.comparison) == said
        assert f"  {said}" in explanation(verdict)

    @pytest.mark.parametrize("part", [1.0, 0.4, 0.1])
    def test_more_topics_are_those_at_the_alpha_of_a_look(self, part):
        """A look has a part of alpha, and the fewer topics decide nothing there: to a fiftieth."""
        verdict = estimate([0] * 40, alpha=0.05 * part) < 0.5
        needed = smallest_topics(0.5, (-10.0, 10.0), 0.05 * part) - 20
        assert needed <= verdict.comparison.more_topics <= needed + 3

    @pytest.mark.parametrize(
        ("mean", "line"),
        [
            (0.45, r"about (\d+) more topics would decide it"),
            (0.48, "too near the margin to decide with all of this language's 600 topics"),
            (0.499, "the effect sits at the margin; more topics will not decide it"),
        ],
    )
    def test_never_asks_for_more_topics_than_a_language_has(self, mean, line):
        """Of 600 topics 225 were asked about, and 375 are left."""
        verdict = estimate([mean - 1, mean + 1] * 225, topics=600) < 0.5
        told = re.fullmatch(line, advice(verdict.comparison))
        assert told
        assert all(int(more) <= 375 for more in told.groups())

    def test_no_thousands_of_topics_are_asked_for(self):
        """Nobody can ask about so many, and how many there are is not known here."""
        verdict = estimate([0.4, 0.58] * 40) < 0.5
        assert (
            advice(verdict.comparison) == "too near the margin to decide with any sensible number of topics"
        )

    def test_difference_has_the_topics_of_both(self):
        """As many as either side can be asked about, where that is known of any."""
        few, more, unknown = (estimate([0] * 80, topics=n) for n in (50, 60, None))
        assert [(few - more).topics, (more - unknown).topics, (unknown - unknown).topics] == [50, 60, None]

    @pytest.mark.parametrize("claim", [estimate([0] * 300) < 0.5, estimate([0] * 300) > 0.5])
    def test_has_no_advice_where_it_is_decided(self, claim):
        """There is nothing to do."""
        assert advice(claim.comparison) == ""

    def test_says_when_more_topics_would_not_decide(self):
        """The mean is the margin."""
        assert "  the effect sits at the margin; more topics will not decide it" in explanation(
            estimate([0] * 80) < 0
        )

    def test_says_when_the_counters_disagree_for_good(self):
        """And the effect under the other counter."""
        rival = estimate([1] * 300, counter="whitespace")
        lines = explanation(estimate([0] * 300, counter="uax29", rival=rival) < 0.5)
        assert "  more topics will not decide it" in lines
        assert f"  under whitespace: mean 1 words, 90 % interval {rival.low:.4g} to {rival.high:.4g}" in lines

    def test_gives_no_advice_where_the_data_tell_no_spread(self):
        """The reason says what is missing."""
        lines = explanation(estimate([2, 2]) < 0.5)
        assert lines[1:4] == [
            "  mean 2 words, 90 % interval -10 to 10",
            "  2 prompts, 1 topic; margin 0.5 words",
            "  fewer than two topics: nothing tells how much topics differ",
        ]
        assert not any("more topics" in line for line in lines)

    def test_names_a_difference_that_the_expression_does_not(self):
        """The mean shown is that of the difference."""
        lines = explanation(estimate([0] * 300, "a") < estimate([1] * 300, "b"))
        assert lines[0] == "holds: a < b"
        assert lines[1].startswith("  a - b: mean -1 words, 90 % interval ")
        assert lines[2] == "  300 prompts, 150 topics"

    def test_margin_of_zero_has_no_unit(self):
        """Nothing is nothing of anything."""
        lines = explanation(estimate([1] * 300) > 0)
        assert lines[2] == "  300 prompts, 150 topics; margin 0"

    def test_shows_the_nearer_contrast_of_a_magnitude(self):
        """That which decides whether |a| stays below b."""
        lines = explanation(abs(estimate([-1] * 300, "a")) < estimate([3] * 300, "b", prompt="q"))
        assert lines[1].startswith("  -a - b: mean -2 words")

    def test_rounds_no_limit_onto_the_margin(self):
        """59 topics of 0 end at 0.495076: beside a margin of 0.4951 more digits are shown."""
        lines = explanation(estimate([0] * 118) < 0.4951)
        assert lines[1] == "  mean 0 words, 90 % interval -0.4951 to 0.49508"

    def test_shows_no_control_characters_of_a_response(self):
        """A response can hold anything; each worst prompt stays one line."""
        lines = explanation(estimate([2, 0, 0, 0], note="\x1b[31mred\x1b[0m\nnext\x07\u202e") < 0.5)
        assert "  worst: 2 words, topic t0: red next" in lines

    def test_is_the_text_of_the_verdict(self):
        """So that `str` and pytest's output agree."""
        verdict = estimate([0] * 80) < 0.5
        assert str(verdict).splitlines() == explanation(verdict)

    def test_shows_some_prompts_where_all_are_equally_bad(self):
        """A model that never answers right has no worst prompt, and a reader wants to see what it wrote."""
        lines = explanation(estimate([0] * 300, bounds=(0.0, 1.0), worst="low") > 0.8)
        assert lines[0] == "broken: error > 0.8"
        assert lines[-3:] == [
            "  worst: 0 words, topic t0: wrote 0",
            "  worst: 0 words, topic t0: wrote 1",
            "  worst: 0 words, topic t1: wrote 2",
        ]


class TestWorst:
    """Which prompts were answered worst."""

    @pytest.mark.parametrize(
        ("rule", "expected"),
        [("high", [3, 2, 1]), ("low", [-4, 0, 0]), ("far", [-4, 3, 2])],
    )
    def test_follows_the_rule_of_the_measure(self, rule, expected):
        """High, low, or far from 0."""
        found = estimate([0, 1, 2, 0, 3, -4], worst=rule)
        assert [one.value for one in worst(found)] == expected

    def test_turns_with_the_sign(self):
        """The worst of a negated measure is the worst of the measure."""
        assert [one.value for one in worst(-estimate([0, 1, 2], worst="high"))] == [-2, -1]

    @pytest.mark.parametrize(("rule", "value"), [("far", 0), ("high", 1), ("low", 1)])
    def test_names_none_where_all_are_as_good_as_the_best(self, rule, value):
        """Nothing went wrong there."""
        assert worst(estimate([value] * 6, worst=rule)) == []

    def test_of_nothing_is_nothing(self):
        """No prompt, no worst prompt."""
        assert worst(estimate([])) == []

    def test_of_a_contrast_is_that_of_its_first_term(self):
        """Whose claim it usually is."""
        found = estimate([0, 0, 5], "a") - estimate([9, 9], "b", prompt="q")
        assert [one.value for one in worst(found)] == [5]

    def test_breaks_ties_by_prompt(self):
        """The same lines in every run."""
        assert [one.prompt_id for one in worst(estimate([1] * 9))] == ["p000", "p001", "p002"]
