"""Verdicts of `lengthprobe.statistics.verdict`."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from lengthprobe.errors import Undecided
from lengthprobe.statistics.background import Background
from lengthprobe.statistics.comparison import Comparison
from lengthprobe.statistics.estimate import Estimate, Observation
from lengthprobe.statistics.explanation import worst
from lengthprobe.statistics.verdict import record_asked_verdicts


def estimate(values, name="error", prompt="p", **changes) -> Estimate:
    """One prompt a topic, within ±10 words unless told."""
    arguments = {"name": name, "unit": "words", "bounds": (-10.0, 10.0)} | changes
    return Estimate.from_observations(
        [Observation(f"{prompt}{i}", f"t{i}", float(value)) for i, value in enumerate(values)], **arguments
    )


# 150 topics of one value leave less than 10 (1 - 0.05^(1/150)) = 0.2 on each side of 0, and about 0.2 of 1.
zeros, ones, minus_ones = estimate([0] * 150), estimate([1] * 150), estimate([-1] * 150)


class TestStatus:
    """On which side of the margin the interval lies."""

    @pytest.mark.parametrize(
        ("verdict", "status"),
        [
            (zeros < 0.5, "holds"),
            (zeros < 0.1, "undecided"),
            (zeros < -0.5, "broken"),
            (zeros > -0.5, "holds"),
            (zeros > 0, "undecided"),
            (zeros > 0.5, "broken"),
            (abs(zeros) < 0.5, "holds"),
            (abs(zeros) < 0.1, "undecided"),
            (abs(ones) < 0.5, "broken"),
            (abs(minus_ones) < 0.5, "broken"),
            (abs(ones) > 0.5, "holds"),
            (abs(minus_ones) > 0.5, "holds"),
            (abs(zeros) > 0.5, "broken"),
            (abs(zeros) > 0, "undecided"),
            (zeros < ones, "holds"),
            (ones < zeros, "broken"),
            (zeros < estimate([0] * 150, prompt="q"), "undecided"),
            (ones - zeros > 0.5, "holds"),
            (abs(zeros) < estimate([1] * 150, prompt="q"), "holds"),
            (abs(minus_ones) < 0.5 * estimate([1] * 150, prompt="q"), "broken"),
            (abs(minus_ones) > 0.5 * estimate([1] * 150, prompt="q"), "holds"),
            (abs(zeros) > estimate([1] * 150, prompt="q"), "broken"),
        ],
        ids=lambda value: getattr(value, "expression", value),
    )
    def test_is_that_of_the_whole_interval(self, verdict, status):
        """Wholly on the claimed side, wholly on the other, or neither."""
        assert verdict.status == status

    def test_a_strict_comparison_excludes_the_margin(self):
        """Of a rate whose upper limit is 1, the limits are no proof that it is less than that."""
        part = estimate([1] * 150, bounds=(0, 1)).side(below=True, margin=1.0)

        def status(*, strict: bool) -> str:
            return Comparison("hits", (part,), part.estimate, 1.0, ("below", "above"), strict=strict).status()

        assert status(strict=False) == "holds"
        assert status(strict=True) == "undecided"

    def test_broken_spends_its_share_of_alpha(self):
        """59 zeros bound the mean at 0.4951 at 0.05; at 0.05/14 at 10 (1 - (0.05/14)^(1/59)) = 0.911 only."""
        alone, one_of_many = estimate([0] * 59), estimate([0] * 59, alpha_shares=14)
        assert (alone > 0.6).status == "broken"
        assert (one_of_many > 0.6).status == "undecided"
        assert (one_of_many > 0.92).status == "broken"
        assert (one_of_many < 0.6).status == "holds"

    def test_what_either_side_could_show_shares_alpha_between_them(self):
        """`abs(e) > m` holds and `abs(e) < m` is broken at alpha/2, as with any two chances to err."""
        # 59 ones have a lower limit of 1 - 11 (1 - 0.05^(1/59)) = 0.455 at 0.05, and of 0.333 at 0.025.
        fifty_nine = estimate([1] * 59)
        assert (fifty_nine > 0.4).status == "holds"
        assert (abs(fifty_nine) > 0.4).status == "undecided"
        assert (abs(fifty_nine) > 0.33).status == "holds"
        assert (abs(fifty_nine) < 0.4).status == "undecided"
        assert (abs(fifty_nine) < 0.33).status == "broken"

    @pytest.mark.parametrize(
        ("unsure", "reason"),
        [
            (estimate([0]), "fewer than two topics: nothing tells how much topics differ"),
            (estimate([]), "no prompt was measured"),
            (estimate([3] * 9, bounds=None), "every value is equal and the measure declares no bounds"),
        ],
    )
    def test_is_undecided_where_the_data_tell_no_spread(self, unsure, reason):
        """Even where the bounds nearly decide alone."""
        for verdict in (unsure <= 9.9, unsure > 9.9, abs(unsure) <= 9.9, unsure - unsure <= 19.9):
            assert verdict.status == "undecided"
        assert (unsure <= 9.9).reason == reason

    def test_agrees_with_the_verdict_on_the_opposite(self):
        """What holds is the breach of its opposite, which has all of alpha."""
        opposite = {"holds": "broken", "broken": "holds", "undecided": "undecided"}
        for number in (-1.5, -0.7, 0.0, 0.1, 0.7, 1.5):
            assert (zeros < number).status == opposite[(zeros >= number).status]
            assert (ones > number).status == opposite[(ones <= number).status]


class TestReason:
    """Why, in a clause."""

    @pytest.mark.parametrize(
        ("verdict", "reason"),
        [
            (zeros < 0.5, "the whole interval lies below 0.5"),
            (zeros > 0.5, "the whole interval lies below 0.5, and so does the interval at alpha 0.05"),
            (
                abs(ones) < 0.5,
                "the whole interval lies beyond ± 0.5, and so does the interval at alpha 0.025",
            ),
            (zeros > 0, "the interval lies partly above 0, partly below 0"),
            (
                estimate([1] * 150, bounds=(0, 1), unit="share") > 0.99,
                "the interval lies partly above 99 %, partly below 99 %",
            ),
            (
                abs(estimate([1] * 150, bounds=(-1, 1), unit="share")) < 0.05,
                "the whole interval lies beyond ± 5 %, and so does the interval at alpha 0.025",
            ),
            (
                estimate([0] * 59, alpha_shares=14) > 0.6,
                "the interval lies below 0.6; the interval at alpha 0.0036 (this check's share) does not",
            ),
            (
                abs(estimate([1] * 59)) > 0.4,
                "the interval lies beyond ± 0.4; the interval at alpha 0.025 (each side's share) does not",
            ),
        ],
    )
    def test_says_where_the_interval_lies(self, verdict, reason):
        """And at which level, where that is another than alpha."""
        assert verdict.reason == reason


class TestRivals:
    """The same measure under two word counters."""

    @pytest.mark.parametrize(
        ("main", "rival", "status"),
        [
            (zeros, zeros, "holds"),
            (ones, ones, "broken"),
            (zeros, ones, "undecided"),
            (ones, zeros, "undecided"),
        ],
    )
    def test_a_verdict_that_hangs_on_the_counter_is_undecided(self, main, rival, status):
        """Two that agree are one."""
        both = estimate([one.value for one in main.observations], rival=rival)
        assert (both < 0.5).status == status

    def test_the_reason_names_both_counters(self):
        """With the verdict under each."""
        rival = estimate([1] * 150, counter="whitespace")
        verdict = abs(estimate([0] * 150, counter="uax29", rival=rival)) < 0.5
        assert verdict.reason == (
            "the verdict hangs on the word counter: holds under uax29, broken under whitespace"
        )

    def test_come_along_into_comparisons_of_estimates(self):
        """Of one side, or of both."""
        unsure = estimate([0] * 150, rival=estimate([1] * 150))
        other = estimate([0.5] * 150, prompt="q")
        assert (unsure < other).status == "undecided"
        assert "hangs on the word counter" in (unsure < other).reason
        assert "hangs on the word counter" in (abs(unsure) < other).reason


class TestTruth:
    """What `assert` and `not` make of a verdict."""

    def test_is_that_of_the_claim(self):
        """True when it holds, false when it is broken."""
        assert bool(zeros < 0.5) is True
        assert bool(ones < 0.5) is False

    def test_of_an_undecided_one_cannot_be_asked(self):
        """The error is the explanation."""
        verdict = zeros > 0
        with pytest.raises(Undecided, match="undecided: error > 0") as raised:
            bool(verdict)
        assert str(raised.value) == str(verdict)

    def test_a_negated_undecided_claim_is_no_silent_pass(self):
        """`assert not (x > 0)` fails where the data leave it open."""
        with pytest.raises(Undecided):
            assert not (zeros > 0)


class TestRecording:
    """Which verdicts were asked for."""

    def test_holds_every_verdict_whose_truth_was_asked(self):
        """In order, the undecided too; a verdict that nobody asked is not there."""
        with record_asked_verdicts() as verdicts:
            assert zeros < 0.5
            assert not ones < 0.5
            with pytest.raises(Undecided):
                bool(zeros > 0)
            abs(zeros) < 0.5  # noqa: B015 - nobody asks
        assert [verdict.expression for verdict in verdicts] == ["error < 0.5", "error < 0.5", "error > 0"]

    def test_holds_a_verdict_once(self):
        """Pytest asks again when it looks for what failed."""
        verdict = zeros < 0.5
        with record_asked_verdicts() as verdicts:
            assert verdict
            assert verdict
        assert verdicts == [verdict]

    def test_holds_both_parts_of_a_chain(self):
        """They are two claims."""
        with record_asked_verdicts() as verdicts:
            assert -0.5 < zeros < 0.5
        assert [verdict.expression for verdict in verdicts] == ["error > -0.5", "error < 0.5"]

    def test_nests(self):
        """An inner list takes nothing from an outer one, and ends with its block, error or not."""
        with record_asked_verdicts() as outer:
            with pytest.raises(Undecided), record_asked_verdicts() as inner:
                bool(zeros > 0)
            assert zeros < 0.5
        assert ones > 0.5
        assert (len(inner), len(outer)) == (1, 2)


class TestAsCheck:
    """A verdict in a report."""

    def test_has_the_fields_of_a_check(self):
        """Numbers as they are."""
        assert json.loads(json.dumps((ones < 0.5).as_check().as_dict())) == {
            "expression": "error < 0.5",
            "verdict": "broken",
            "mean": 1.0,
            "low": ones.low,
            "high": ones.high,
            "n": 150,
            "clusters": 150,
            "margin": 0.5,
            "unit": "words",
            "reason": "the whole interval lies above 0.5, and so does the interval at alpha 0.05",
            "unmet": False,
            "advice": None,
            "more_topics": None,
            "background": [],
            "worst": [one.note for one in worst(ones)],
            "says": None,
            "relation": {"sign": "<", "magnitude": False, "against": ""},
            "measures": [{"name": "error", "options": [], "checkpoint": "", "language": "", "lengths": []}],
        }

    def test_in_a_report_has_its_advice_and_its_background(self):
        """Of an undecided one what would decide it, of one that does not hold components and controls."""
        asked = []
        background = Background("late", {"MLP0": 1.0}, lambda: asked.append("asked") or {"shuffled": 2.0})
        found = replace(zeros, background=(background,))
        assert ((found < 0.5).as_check().background, asked) == ((), [])
        check = (found < 0.1).as_check().as_dict()
        assert check["advice"].endswith("more topics would decide it")
        assert check["background"] == (
            {"what": "largest components", "of": "", "values": {"MLP0": 1.0}},
            {"what": "controls", "of": "", "values": {"shuffled": 2.0}},
        )
        assert (found < -0.5).as_check().as_dict()["background"] == check["background"]

    @pytest.mark.parametrize("unsure", [estimate([], bounds=None), estimate([3], bounds=None)])
    def test_writes_what_json_has_no_number_for_as_none(self, unsure):
        """NaN and infinities."""
        check = json.loads(json.dumps((unsure < 1).as_check().as_dict(), allow_nan=False))
        assert (check["low"], check["high"]) == (None, None)
