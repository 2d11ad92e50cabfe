"""One verdict for a whole run."""

from __future__ import annotations

import json

import pytest

from lengthprobe.reporting.conclusion import Conclusion, conclude
from lengthprobe.reporting.ledger import Entry, Ledger, conclusion_of


@pytest.fixture
def entries(claim, check):
    """Return a function that makes requirements of one side, in English, with these verdicts."""

    def make(about, *verdicts, **changes):
        return [
            Entry.from_dict(
                claim(
                    "broken" if verdict == "no control" else verdict,
                    *([] if verdict in ("holds", "broken", "undecided") else _checks(check, verdict)),
                    **{"nodeid": f"{about}-{place}", "claim": f"{about} {place}", "about": about} | changes,
                )
            )
            for place, verdict in enumerate(verdicts)
        ]

    return make


def _checks(check, verdict):
    """The check of a claim without control; of any other claim one that decides nothing here."""
    unmet = {"verdict": "broken", "unmet": True, "mean": None, "low": None, "high": None}
    return [check(**unmet)] if verdict == "no control" else [check()]


def test_a_waived_claim_does_not_count(entries):
    """Neither against its side nor for it; the reader is told. A waiver that expired is of no use."""
    waived = {"until": "2026-12-31", "reason": "a known fault"}
    broken = [*entries("behaviour", "holds"), *entries("mechanism", "holds")]
    broken += entries("mechanism", "broken", nodeid="late", waiver=waived | {"expired": False})
    concluded = conclude(broken)

    assert concluded.verdict == "both hold"
    assert concluded.sentence == (
        "Both hold: what the model writes, and the mechanism behind it; 1 claim waived."
    )
    assert concluded.moved == ()
    (row,) = concluded.matrix
    assert row.sides["mechanism"].counts == {"holds": 1, "waived": 1}

    alone = conclude([*broken[:1], broken[2]])
    assert alone.verdict == "behaviour holds"
    assert alone.sentence == "Behaviour holds; mechanism is waived; 1 claim waived."
    assert conclude(broken[2:]).verdict == "not decided"

    expired = entries("mechanism", "broken", nodeid="late", waiver=waived | {"expired": True})
    assert conclude([*broken[:2], *expired]).verdict == "behaviour holds, mechanism moved"


@pytest.mark.parametrize(
    ("behaviour", "mechanism", "verdict", "sentence"),
    [
        (
            ["holds"],
            ["holds"],
            "both hold",
            "Both hold: what the model writes, and the mechanism behind it.",
        ),
        (
            ["broken", "holds"],
            ["holds"],
            "behaviour broke",
            "Behaviour broke, mechanism holds: no claim about the inside is broken.",
        ),
        (
            ["holds"],
            ["broken", "holds"],
            "behaviour holds, mechanism moved",
            "Behaviour holds, mechanism moved: mechanism 0 (en).",
        ),
        (
            ["broken"],
            ["broken"],
            "both broke",
            "Both broke: what the model writes, and the mechanism behind it (mechanism 0 (en)).",
        ),
        (
            ["broken"],
            ["no control", "holds"],
            "no control to explain",
            "Behaviour broke, and no control of the length is left to explain in en.",
        ),
        (
            ["broken"],
            ["undecided", "holds"],
            "behaviour broke",
            "Behaviour broke; mechanism is undecided in 1 of 2 claims.",
        ),
        (
            ["undecided", "holds"],
            ["broken"],
            "mechanism moved",
            "Mechanism moved (mechanism 0 (en)); behaviour is undecided in 1 of 2 claims.",
        ),
        (
            ["undecided", "holds"],
            ["holds"],
            "not decided",
            "Behaviour is undecided in 1 of 2 claims; mechanism holds.",
        ),
        (
            ["holds"],
            ["error", "error", "holds"],
            "not complete",
            "Behaviour holds; mechanism has no verdict in 2 of 3 claims, for errors.",
        ),
        (
            ["missing", "holds"],
            ["holds"],
            "not complete",
            "Behaviour is not complete: 1 of 2 claims did not run; mechanism holds.",
        ),
        (["holds"], [], "behaviour holds", "Behaviour holds; mechanism was not asked."),
        ([], ["holds"], "mechanism holds", "Behaviour was not asked; mechanism holds."),
        (["broken"], [], "behaviour broke", "Behaviour broke; mechanism was not asked."),
        (
            [],
            ["broken"],
            "mechanism moved",
            "Mechanism moved (mechanism 0 (en)); behaviour was not asked.",
        ),
        (
            ["holds"],
            ["skipped"],
            "behaviour holds",
            "Behaviour holds; mechanism was not asked.",
        ),
        ([], [], "nothing asked", "No requirement was asked, so that nothing can be concluded."),
    ],
)
def test_verdict_and_its_sentence(entries, behaviour, mechanism, verdict, sentence):
    """For each pair of what is written and what is behind it."""
    found = conclude([*entries("behaviour", *behaviour), *entries("mechanism", *mechanism)])

    assert (found.verdict, found.sentence) == (verdict, sentence)


def test_only_requirements_count(entries):
    """A broken replication and a finding change nothing."""
    others = entries("mechanism", "broken", kind="replication") + entries(
        "mechanism", "reported", kind="finding"
    )

    found = conclude([*entries("behaviour", "holds"), *others])

    assert (found.verdict, found.moved) == ("behaviour holds", ())


def test_what_moved_is_named_with_its_languages(entries):
    """All in the data; the first three in the sentence, unless a single one is left."""
    broken = entries("mechanism", *["broken"] * 5) + entries("mechanism", "broken", language="it")

    found = conclude([*entries("behaviour", "holds"), *broken])

    assert found.moved[:2] == ("mechanism 0 (en, it)", "mechanism 1 (en)")
    assert found.sentence == (
        "Behaviour holds, mechanism moved: mechanism 0 (en, it), mechanism 1 (en), mechanism 2 (en), "
        "and 2 more."
    )
    (warning,) = found.details
    assert warning.startswith("An early warning: the answers are right, but not by the mechanism")


def test_what_is_open_beside_the_verdict_is_told(entries):
    """A broken claim hides no undecided one, no error and no skip."""
    claims = [
        *entries("behaviour", "broken", "undecided", "error", "missing", "skipped", "skipped"),
        *entries("mechanism", "broken", "no control"),
    ]

    assert conclude(claims).details == (
        "In en no control of the length is left to explain.",
        "1 of 4 claims about behaviour is undecided.",
        "1 of 4 claims about behaviour has no verdict, for an error.",
        "1 of 4 claims about behaviour did not run.",
        "Skipped: 2 claims about behaviour.",
    )


def test_file_that_was_not_collected_keeps_a_run_from_being_green(entries):
    """Nobody knows which claims the file has."""
    found = conclude([*entries("behaviour", "holds"), *entries("mechanism", "holds")], uncollected=1)

    assert found.verdict == "not complete"
    assert found.sentence == (
        "Not every claim is known or ran; of those that ran: behaviour holds, mechanism holds."
    )
    assert found.details == ("1 file could not be collected, so that not every claim is known.",)


def test_matrix_has_a_row_for_each_language(entries):
    """And last the claims about several languages; the gravest verdict comes first."""
    claims = [
        *entries("behaviour", "holds", "broken"),
        *entries("behaviour", "holds", language="it"),
        *entries("mechanism", "no control", language=None),
    ]

    assert [row.as_dict() for row in conclude(claims).matrix] == [
        {"language": "en", "behaviour": {"broken": 1, "holds": 1}, "mechanism": {}},
        {"language": "it", "behaviour": {"holds": 1}, "mechanism": {}},
        {"language": None, "behaviour": {}, "mechanism": {"no control": 1}},
    ]


def test_conclusion_survives_json(entries):
    """What a program reads is what was concluded."""
    found = conclude([*entries("behaviour", "holds"), *entries("mechanism", "broken")])

    assert Conclusion.from_dict(json.loads(json.dumps(found.as_dict()))) == found


def test_ledger_concludes_with_the_claims_that_did_not_run(entries):
    """A run that ended early is not green."""
    (done,), (lost,) = entries("behaviour", "holds"), entries("mechanism", "missing")
    book = Ledger(collected={done.nodeid: done, lost.nodeid: lost})
    book.record(done, {})

    assert book.as_dict({})["conclusion"]["sentence"] == (
        "Behaviour holds; mechanism is not complete: 1 of 1 claim did not run."
    )


def test_report_without_a_conclusion_gets_one(report, claim):
    """An earlier version wrote none, and named the claims that did not run."""
    old = report(claim(), missing=["a.py::b"])

    assert conclusion_of(old).verdict == "not complete"
    assert conclusion_of(old).details == ("1 claim did not run.",)


@pytest.mark.parametrize(
    ("verdict", "tone"),
    [
        ("both hold", "holds"),
        ("not decided", "undecided"),
        ("not complete", "error"),
        ("nothing asked", "skipped"),
        ("behaviour holds, mechanism moved", "broken"),
        ("no control to explain", "broken"),
    ],
)
def test_tone_is_that_of_a_verdict_on_a_claim(verdict, tone):
    """So that a page has a sign and a colour for it."""
    assert Conclusion(verdict, "").tone == tone
