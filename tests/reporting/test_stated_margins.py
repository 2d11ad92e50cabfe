"""The margins of a report."""

from __future__ import annotations

from dataclasses import asdict

from lengthprobe.margins import Margins
from lengthprobe.reporting.stated_margins import StatedMargin, margin_lists


def test_margin_has_its_unit_and_its_reason():
    """In the words of `margins.py`."""
    reason = "four answers in five: with fewer, a user has to count after the model"

    assert margin_lists({"exact_match": 0.8}) == [
        ("Behaviour", [StatedMargin("exact_match", "80 %", reason)])
    ]


def test_changed_margin_says_what_is_usual():
    """A reader sees at once that a gate was widened."""
    ((_, (margin,)),) = margin_lists({"length_error": 1.0})

    assert (margin.text, margin.usual) == ("1 word", "0.5 words")


def test_every_margin_is_told_under_its_kind():
    """None is lost."""
    lists = margin_lists(asdict(Margins()))

    assert [title for title, _ in lists] == [
        "Behaviour",
        "Mechanism",
        "Against the reference",
        "Replications",
    ]
    assert sum(len(stated) for _, stated in lists) == len(asdict(Margins()))


def test_margin_of_another_version_is_told_all_the_same():
    """Without a unit, which nobody knows."""
    assert margin_lists({"other": 0.25}) == [("Further", [StatedMargin("other", "0.25")])]
