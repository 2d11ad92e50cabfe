"""The table and the curve of `lengthprobe.plan.foretold`."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from lengthprobe.errors import SettingsError
from lengthprobe.plan.expected import Basis, Expected, assume
from lengthprobe.plan.foretold import foretell, plan_lines
from lengthprobe.statistics.looks import looks
from lengthprobe.statistics.power import Scale, Sides, Spread


def source(mean=0.0, deviation=0.0, sides=None, **changes) -> Basis:
    """One claim on a fall."""
    expected = Expected(
        "exact match has not fallen",
        "en",
        sides or Sides(-0.05, 1, 0.05, 28),
        Spread(mean, deviation, Scale(-1.0, 1.0)),
        1.0,
        1.0,
        "share",
    )
    return replace(Basis("a run", (expected,), looks(450), 0.05, None), **changes)


def test_perfect_answers_hold_at_the_first_look():
    """1 - 0.006^(1/100) does not exceed 0.05."""
    (row,) = foretell(source())
    assert (row.to_hold.topics, row.to_hold.prompts, row.to_hold.minutes) == (100, 100, None)


def test_default_change_is_to_twice_as_far_as_the_margin():
    """Ten points for a margin of five."""
    (row,) = foretell(source())
    assert row.change == pytest.approx(0.1)
    assert row.to_break.prompts > 450


def test_smaller_changes_need_more():
    """As any test does."""
    prompts = [foretell(source(), change=change)[0].to_break.prompts for change in (0.3, 0.2, 0.1)]
    assert prompts == sorted(prompts)


def test_more_power_needs_more():
    """More certainty costs more prompts."""
    few, more = (foretell(source(deviation=0.3), power=power)[0].to_hold.prompts for power in (0.5, 0.99))
    assert few < more


def test_change_within_the_margin_is_no_fault():
    """And a mean beyond the margin cannot hold."""
    (row,) = foretell(source(), change=0.04)
    assert row.to_break is None
    (row,) = foretell(source(mean=-0.2, deviation=0.4))
    assert row.to_hold is None


def test_minutes_are_those_of_the_prompts():
    """100 prompts of 3 s."""
    (row,) = foretell(source(seconds=3.0))
    assert row.to_hold.minutes == 5


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"power": 1.0}, "power 1 is no chance"),
        ({"change": 0.0}, "change 0 is not above 0"),
        ({"change": math.nan}, "change nan is not above 0"),
    ],
)
def test_refuses_what_means_nothing(changes, message):
    """The message names the option."""
    with pytest.raises(SettingsError, match=message):
        foretell(source(), **changes)


def test_lines_tell_table_total_and_curve():
    """A row, the prompts for all, and a bar for each look and beyond."""
    plan = source(seconds=1.0)
    told = plan_lines(plan, foretell(plan))
    assert told[0] == "a run; alpha 0.05, judged after 100, 150, 300, 450 prompts; power 0.9"
    row = next(line for line in told[2].splitlines() if line.startswith("exact match"))
    assert "-5 %" in row
    assert "100 topics, 100 prompts, 2 min" in row
    assert "every claim holds after 100 prompts a language" in told
    option = next(
        line
        for line in told
        if line.startswith("every claim, where it has changed so, is called broken after")
    )
    assert "--lengthprobe-budget=" in option
    curve = told[told.index("chance that exact match has not fallen, en holds, by prompts a language") :]
    assert curve[1].split() == ["100", "█" * 30, "100", "%"]
    assert curve[2].split() == ["150", "█" * 30, "100", "%"]


def test_lines_say_where_nothing_helps():
    """At the margin itself no number of prompts decides, and beyond it none can hold."""
    plan = source(mean=-0.0499, deviation=0.4)
    assert "too near the margin" in plan_lines(plan, foretell(plan))[2]
    plan = source(mean=-0.2, deviation=0.4)
    assert "beyond the margin" in plan_lines(plan, foretell(plan))[2]


def test_assumed_rates_give_fourteen_rows():
    """And the hardest claim is the fall of exact answers."""
    plan = assume(0.95, 0.5)
    told = plan_lines(plan, foretell(plan))
    assert len(told[2].splitlines()) == 16
    assert any(line.startswith("chance that exact_match_fall holds") for line in told)
