"""The claims of a report as a page tells them."""

from __future__ import annotations

import pytest

from lengthprobe.reporting.claims import (
    claims_without_control,
    count_phrase,
    failed_claims,
    headline,
    messages,
    sections,
    side_phrase,
)
from lengthprobe.reporting.ledger import Entry
from lengthprobe.reporting.sides import SideCounts

NONE = {"holds": 0, "broken": 0, "undecided": 0, "error": 0, "skipped": 0, "reported": 0}


@pytest.mark.parametrize(
    ("totals", "said"),
    [
        ({"holds": 14}, "All 14 claims hold"),
        ({"holds": 1}, "The one claim holds"),
        ({"holds": 13, "broken": 1}, "1 of 14 claims is broken"),
        ({"holds": 1, "broken": 2, "undecided": 1}, "2 of 4 claims are broken, 1 undecided"),
        ({"holds": 1, "undecided": 1, "skipped": 5}, "1 of 2 claims is undecided"),
        ({"error": 1}, "1 of 1 claim is without a verdict, for an error"),
        ({"skipped": 3}, "No claim was decided"),
        ({"holds": 14, "reported": 2}, "All 14 claims hold"),
        ({"skipped": 3, "reported": 1}, "1 finding reported"),
        ({"reported": 2}, "2 findings reported"),
        ({"holds": 10, "missing": 1, "skipped": 1}, "Not complete: 10 of 12 claims ran"),
        ({"holds": 2, "broken": 1, "missing": 1}, "Not complete: 3 of 4 claims ran, 1 broken"),
        ({"missing": 1}, "Not complete: 0 of 1 claim ran"),
    ],
)
def test_headline(totals, said):
    """The worst comes first; what was skipped is none of the claims that were asked."""
    assert headline(NONE | totals) == said


@pytest.mark.parametrize(
    ("totals", "uncollected", "said"),
    [
        ({"holds": 11, "missing": 13}, 0, "Interrupted: 11 of 24 claims ran"),
        ({"holds": 2, "undecided": 1}, 0, "Interrupted: 3 of 3 claims ran, 1 undecided"),
        ({"error": 1, "missing": 3}, 1, "Interrupted: 0 of 3 claims ran, 1 file could not be collected"),
        ({"error": 2}, 2, "Interrupted: no claim ran, 2 files could not be collected"),
    ],
)
def test_headline_of_an_interrupted_run(totals, uncollected, said):
    """It never says that all hold; a file that was not collected is no claim."""
    assert headline(NONE | totals, "KeyboardInterrupt", uncollected) == said


def test_counted():
    """One holds, two hold."""
    assert [count_phrase("holds", 1), count_phrase("holds", 2), count_phrase("error", 0)] == [
        "1 holds",
        "2 hold",
        "0 errors",
    ]


def entries(*claims):
    """The claims of a report, as they are read from it."""
    return [Entry.from_dict(one) for one in claims]


def test_languages_of_a_claim_stand_under_one_heading(claim):
    """In the order of the report."""
    [(heading, [group])] = sections(entries(claim(language="en"), claim(language="it")))

    assert (heading, group.claim, group.kind) == ("", "it is so", "requirement")
    assert [row.language for row in group.rows] == ["en", "it"]


def test_claims_about_parts_stand_apart(claim):
    """From those about what the model writes; with one kind alone there is no heading."""
    both = sections(entries(claim(), claim(about="mechanism"), claim()))

    assert [heading for heading, _ in both] == ["What the model writes", "What its components do"]
    assert [len(groups) for _, groups in both] == [2, 1]


def test_further_rows_repeat_nothing(claim, check, beside):
    """A second check and an estimate beside it belong to the row above; the published figure to the last."""
    estimate = beside("raw_error", mean=7.0)

    [(_, [group])] = sections(entries(claim("holds", check(), check("b > 0"), beside=[estimate])))

    assert [(row.verdict, row.beside, row.published) for row in group.rows] == [
        ("holds", "", ""),
        ("", "", ""),
        ("", "raw error", "-0.07"),
    ]


def test_claim_without_a_check_has_its_verdict(claim):
    """An error or a skip has no numbers, and no strip."""
    [(_, [group])] = sections(entries(claim("skipped", checks=[])))

    [row] = group.rows
    assert (row.verdict, row.effect, row.strip) == ("skipped", "", None)


def test_broken_claims_come_before_undecided_ones(claim):
    """What holds needs no explanation."""
    verdicts = ("undecided", "holds", "broken", "error")

    assert [one.verdict for one in failed_claims(entries(*map(claim, verdicts)))] == ["broken", "undecided"]


def test_messages_are_counted(claim):
    """Each cause once."""
    assert messages(entries(*(claim("skipped", message=one) for one in "aba")), "skipped") == [
        ("a", 2),
        ("b", 1),
    ]


def test_claims_without_control_are_apart_from_the_failed(claim, check):
    """They are told together, by the reason."""
    unmet = {"verdict": "broken", "unmet": True, "mean": None, "low": None, "high": None}
    entries = [
        Entry.from_dict(claim("broken", claim="measured")),
        Entry.from_dict(claim("broken", check(**unmet, reason="none in en"), claim="one")),
        Entry.from_dict(claim("broken", check(**unmet, reason="none in en"), claim="two")),
        Entry.from_dict(claim("broken", check(**unmet, reason="none in it"), claim="three")),
    ]

    assert [one.claim for one in failed_claims(entries)] == ["measured"]
    assert [
        (those.reason, [one.claim for one in those.claims]) for those in claims_without_control(entries)
    ] == [("none in en", ["one", "two"]), ("none in it", ["three"])]


def test_side_is_counted_with_the_gravest_verdict_first():
    """With a sign, and in words."""
    assert side_phrase(SideCounts({"broken": 1, "no control": 2, "holds": 6})) == (
        "✕ 1 broken, 2 without control to explain, 6 hold"
    )
    assert side_phrase(SideCounts()) == "– none"
