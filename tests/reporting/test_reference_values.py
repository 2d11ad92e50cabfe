"""The reference's values beside the candidate's."""

from __future__ import annotations

import pytest

from lengthprobe.reporting.ledger import Entry, Ledger
from lengthprobe.reporting.reference_values import reference_values, value_beside
from lengthprobe.reporting.rows import rows_of
from lengthprobe.statistics.check import Check, Numbers


@pytest.fixture
def measured(changed):
    """The key of the measure of which the report has the reference's value, as of the candidate."""
    (value,) = changed["en"]["values"]
    return value["measure"] | {"checkpoint": "candidate"}


def test_value_is_found_by_measure_language_and_unit(changed, check, measured):
    """Whoever was measured."""
    values = reference_values(changed)

    found = value_beside(Check.from_dict(check("a < 0.5", measures=[measured])), values)

    assert found == Numbers(0.5, 0.4, 0.6, 300, 151, "words")


@pytest.mark.parametrize(
    "changes",
    [{"unit": "share"}, {"unmet": True}, {"relation": None}, {"measures": []}],
)
def test_other_checks_have_none(changed, check, measured, changes):
    """A share of the measure is another value; a claim without a measurement has nothing to stand beside."""
    one = Check.from_dict(check("a < 0.5", **{"measures": [measured]} | changes))

    assert value_beside(one, reference_values(changed)) is None


def test_comparison_of_two_measures_has_no_value(changed, check, measured):
    """The number shown there is a difference."""
    one = Check.from_dict(check("a < b", measures=[measured]))

    assert value_beside(one, reference_values(changed)) is None


def test_row_has_the_value_in_words(changed, check, claim, measured):
    """With as many digits as the margin needs; empty without a reference."""
    entry = Entry.from_dict(claim("holds", check("a < 0.504", margin=0.504, measures=[measured])))

    assert [row.reference for row in rows_of(entry, reference_values(changed))] == ["0.50"]
    assert [row.reference for row in rows_of(entry)] == [""]


def test_ledger_keeps_each_value_once(changed, claim):
    """Several claims and several processes tell the same."""
    book, entry = Ledger(), Entry.from_dict(claim())
    for _ in range(2):
        book.record(entry, {}, changed)

    assert book.as_dict({})["against_reference"] == changed
