"""What was decided about each claim."""

from __future__ import annotations

import json

from lengthprobe.reporting.ledger import Entry, Ledger
from lengthprobe.statistics.background import Fact
from lengthprobe.statistics.check import Beside, Check, Numbers, Relation
from lengthprobe.statistics.measure_key import MeasureKey


def entry(nodeid="test_a.py::test_it", verdict="holds", **changes):
    """What became of a claim."""
    return Entry(
        **{
            "nodeid": nodeid,
            "claim": "it",
            "statement": "It is so.",
            "source": "a paper",
            "kind": "requirement",
            "language": "en",
            "published": "",
            "verdict": verdict,
        }
        | changes
    )


def ledger(*entries, **models):
    """A ledger of some claims."""
    book = Ledger()
    for each in entries:
        book.record(each, models)
    return book


def test_totals_count_every_verdict():
    """Those that did not occur are there too."""
    book = ledger(
        *(entry("a"), entry("b"), entry("c", "broken"), entry("d", "undecided"), entry("e", "skipped")),
        entry("f", "reported"),
    )

    assert list(book.totals.items()) == [
        *(("holds", 2), ("broken", 1), ("undecided", 1), ("error", 0), ("skipped", 1), ("reported", 1)),
        *(("waived", 0), ("missing", 0)),
    ]
    assert book.decided == 3


def test_what_was_collected_and_not_heard_of_is_missing():
    """In the order of collection; the totals count all that was collected."""
    book = ledger(entry("b"))
    book.collected = {name: entry(name, "missing") for name in "cab"}

    report = book.as_dict({})

    assert (report["missing"], report["collected"]) == (["c", "a"], 3)
    assert sum(report["totals"].values()) == 3


def test_file_that_was_not_collected_is_no_claim():
    """Although it is an error in the totals."""
    book = ledger(entry("test_b.py", "error", kind="collection"))

    assert (book.uncollected, book.has_claims, book.as_dict({})["collected"]) == (1, False, 0)
    assert book.totals["error"] == 1


def test_only_findings():
    """Where something was reported, and nothing else was asked, nothing was to be decided."""
    finding = entry("a", "reported", kind="finding")

    assert ledger(finding).only_found
    assert not ledger(finding, entry("b", "skipped")).only_found
    assert not ledger(entry("a", "skipped", kind="finding")).only_found


def test_later_word_on_a_claim_counts():
    """A claim that is run again is one claim."""
    book = ledger(entry("a", "broken"), entry("a", "holds"))

    assert book.totals["holds"] == len(book.entries) == 1


def test_claims_can_be_put_in_order():
    """Whenever each was decided."""
    book = ledger(entry("c"), entry("a"), entry("b"))

    book.arrange({"a": 0, "b": 7, "c": 9})

    assert list(book.entries) == ["a", "b", "c"]


def test_report_has_the_keys_of_the_schema_in_order():
    """A reader of the JSON finds them by name; roles that nobody played are null."""
    report = ledger(entry("a"), model={"name": "tiny-it"}).as_dict({"budget": 300})

    assert list(report) == [
        *("$schema", "schema", "model", "base", "reference", "settings", "conclusion", "claims", "totals"),
        *("interrupted", "collected", "missing", "deselected", "against_reference"),
    ]
    assert (report["schema"], report["model"], report["base"]) == (1, {"name": "tiny-it"}, None)
    assert report["settings"] == {"budget": 300}
    assert report["claims"] == [entry("a").as_dict()]


def test_entry_survives_the_way_between_processes():
    """Everything in it is of the kinds that JSON has."""
    key = MeasureKey("cwa", ("late heads", "per step"), "tiny-it", "en", (3, 4))
    numbers = Numbers(None, 0.5, None, 3, 2, "share")
    told = Fact("differ most", "", {"MLP3": (9.4, None), "L0H0": 1.0})
    check = Check(
        "abs(a) < 0.1 * b",
        "reported",
        numbers,
        margin=0.0,
        background=(told,),
        worst=("wrote 3",),
        says="near",
        relation=Relation("<", magnitude=True, against="0.1 * b"),
        measures=(key, MeasureKey("b")),
    )
    one = entry(
        checks=(check, Check("a", "reported", numbers)),
        beside=(Beside("b", numbers, label="c"),),
        message="why",
        duration_s=0.25,
    )

    assert Entry.from_dict(json.loads(json.dumps(one.as_dict()))) == one


def test_what_was_measured_is_what_was_compared():
    """Where a precondition is unmet, nothing was."""
    numbers, keys = Numbers(0.5, 0.4, 0.6, 3, 2, "share"), [MeasureKey(name) for name in "abc"]
    both = Check("a - b > 0", "holds", numbers, measures=(keys[0], keys[1]))
    unmet = Check("c > 0", "broken", numbers, unmet=True, measures=(keys[2],))

    assert entry(checks=(both, unmet)).measured == {*keys[:2]}
