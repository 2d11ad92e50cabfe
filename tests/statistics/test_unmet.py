"""A precondition that is not met decides every comparison of its estimate, whatever was claimed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lengthprobe.errors import Undecided
from lengthprobe.measures.attribution.fall_of_share import fall_of_share
from lengthprobe.statistics.check import Numbers
from lengthprobe.statistics.estimate import Estimate, Observation
from lengthprobe.statistics.sample import Sample
from lengthprobe.statistics.share import share
from lengthprobe.statistics.unmet import Unmet, first_unmet

NONE = Unmet("broken", "no control to explain (0.0 %, interval 0.0 to 3.9 %)", "control is to lie above 20 %")


def estimate(value=5.0, unmet=None, unit="logits", bounds=None):
    """An attribution on 40 topics, or none for an unmet precondition."""
    rows = [] if unmet else [Observation(f"p{at}", f"t{at}", value + at % 3) for at in range(40)]
    wholes = tuple(replace(one, value=10.0 + at % 2) for at, one in enumerate(rows))
    made = Estimate.from_observations(
        rows,
        name="late(none, en)" if unmet else "late(m, en)",
        unit=unit,
        bounds=bounds,
        whole=Sample(wholes, None) if bounds is None else None,
    )
    return replace(made, unmet=unmet)


LACKING = estimate(unmet=NONE)
COMPARISONS = {
    "above": LACKING > 0.1,
    "below": LACKING < 0.1,
    "share": share(LACKING) > 0.02,
    "negative share": share(LACKING) < -0.02,
    "magnitude": abs(LACKING) < 0.1,
    "magnitude of a share": abs(share(LACKING)) < 0.1,
    "difference": estimate() - LACKING > 0.1,
    "the other way round": LACKING - estimate() > 0.1,
    "ratio": abs(estimate()) < 0.1 * LACKING,
    "two measures": 0.5 * estimate() < LACKING,
    "twice": LACKING - LACKING < 1,
    "fall": fall_of_share(LACKING, estimate()) < 0.5,
    "fall of both": fall_of_share(LACKING, LACKING) < 0.5,
}


@pytest.mark.parametrize("name", COMPARISONS)
def test_every_comparison_is_broken(name):
    """In either direction: what would hold for want of anything to lose is broken too."""
    verdict = COMPARISONS[name]

    assert verdict.status == "broken"
    assert not verdict
    assert verdict.reason == NONE.reason


def test_verdict_says_why_and_nothing_that_was_not_measured():
    """Reason and advice, without an effect, an interval or a worst prompt."""
    verdict = 0.5 * estimate() < LACKING

    assert str(verdict).splitlines() == [
        "broken: 0.5 * late(m, en) < late(none, en)",
        "  no control to explain (0.0 %, interval 0.0 to 3.9 %)",
        "  control is to lie above 20 %",
    ]


def test_check_of_a_report():
    """It says that a precondition is unmet, with its reason, and has no numbers."""
    check = (0.5 * estimate() < LACKING).as_check()

    assert check.verdict == "broken"
    assert (check.unmet, check.reason, check.advice) == (True, NONE.reason, NONE.advice)
    assert check.numbers == Numbers(None, None, None, n=0, clusters=0, unit="logits")
    assert not check.worst
    assert not (estimate() > 0).as_check().unmet


def test_reference_that_lacks_it_decides_nothing_of_the_candidate():
    """The candidate is not refuted: undecided, and it is said that it is the reference that lacks it."""
    verdict = fall_of_share(estimate(), LACKING) < 0.5

    assert verdict.status == "undecided"
    assert verdict.reason == "of the reference: no control to explain (0.0 %, interval 0.0 to 3.9 %)"
    with pytest.raises(Undecided, match="of the reference: no control"):
        bool(verdict)
    # Said once, also of an estimate that says so already.
    assert NONE.of_reference().of_reference() == NONE.of_reference()


@pytest.mark.parametrize(
    "why",
    [
        "whether there is control to explain hangs on the word counter: 15 % under one, 30 % under the other",
        "too few topics to tell whether there is control to explain: 1 topic was asked about",
    ],
)
def test_any_reason_can_be_that_of_the_reference(why):
    """Reasons are whole clauses, and the sentence that names the reference is none the worse for that."""
    found = Unmet("undecided", why).of_reference()

    assert (found.role, found.why, found.reason) == ("reference", why, f"of the reference: {why}")
    assert Unmet("broken", "the reference has nothing to do with it").role == "model"


def test_broken_comes_before_undecided():
    """A candidate without control is broken, whatever else is not known."""
    few = Unmet("undecided", "too few topics")

    assert first_unmet(few, NONE) is NONE
    assert first_unmet(NONE, few) is NONE
    assert first_unmet(None, few) is few
    assert first_unmet(None, None) is None


def test_rival_count_changes_nothing():
    """A side with two word counts beside it does not make the verdict hang on the counter."""
    counted = replace(
        estimate(0.2, unit="share", bounds=(0.0, 3.0)), rival=estimate(0.9, None, "share", (0, 3))
    )
    lacking = estimate(unmet=NONE, unit="share", bounds=(0.0, 3.0))

    assert (lacking > 0.5 * counted).status == "broken"
