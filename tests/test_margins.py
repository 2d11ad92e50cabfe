"""Margins: one place, a reason each, and a project's own in its ini."""

import inspect
from dataclasses import fields

import pytest

from fixtures.matrix import claims
from lengthprobe.errors import SettingsError
from lengthprobe.margins import Margins, family


def test_every_margin_has_a_kind_a_unit_and_a_reason():
    """No margin stands without saying what it is for."""
    for one in fields(Margins):
        assert one.metadata["kind"] in ("requirement", "mechanism", "replication", "regression")
        assert one.metadata["unit"], one.name
        assert one.metadata["reason"], one.name


def test_an_ini_line_replaces_one_margin_and_leaves_the_others():
    """`exact_match = 0.9` changes that margin alone, and is reported as a change."""
    margins = Margins().overridden(["", "exact_match = 0.9"])
    assert margins.exact_match == 0.9
    assert margins.changed() == {"exact_match": 0.9}


def test_an_unknown_margin_is_refused_with_the_nearest():
    """A slip in the name says which margin was meant."""
    with pytest.raises(SettingsError, match="exact_mach") as caught:
        Margins().overridden(["exact_mach = 0.9"])
    assert caught.value.fix == "did you mean exact_match?"


@pytest.mark.parametrize(
    "line", ["exact_match", "exact_match = much", "exact_match = nan", "exact_match = inf"]
)
def test_a_margin_that_is_no_number_is_refused(line):
    """What cannot be compared with is refused, and the line to write is shown."""
    with pytest.raises(SettingsError, match="gives no number") as caught:
        Margins().overridden([line])
    assert caught.value.fix == "exact_match = 0.5"


@pytest.mark.parametrize(
    ("line", "fix"),
    [
        ("runaways = 5", "runaways = 0.05"),
        ("exact_match = 80", "exact_match = 0.8"),
        ("exact_match_fall = -0.05", "exact_match_fall = 0.05"),
        ("length_error = -1", "length_error = 0.5"),
    ],
)
def test_a_margin_that_decides_nothing_is_refused(line, fix):
    """A share in per cent or a negative margin would make a claim that always holds, or never."""
    with pytest.raises(SettingsError, match="can decide nothing") as caught:
        Margins().overridden([line])
    assert caught.value.fix == fix


def test_the_family_is_the_requirements_of_every_language():
    """Eight requirements in two languages, nine of attribution, eight of causes; and regressions."""
    assert family(2, reference=False) == 16 + 9 + 8
    assert family(2, reference=True) == 30 + 9 + 8 + 4
    assert family(1, reference=False) == 8 + 9 + 8


def test_the_mechanism_is_counted_as_often_as_it_is_claimed():
    """A claim about a part that is added without being counted would be called broken too readily."""
    marks = [
        mark.kwargs
        | {
            "regression": "reference_probe" in inspect.signature(claim).parameters,
            "once": "language" not in inspect.signature(claim).parameters,
        }
        for claim in claims().values()
        for mark in claim.pytestmark
        if mark.kwargs.get("about") == "mechanism" and "kind" not in mark.kwargs
    ]
    assert all(mark["once"] or len(mark["languages"]) == 1 for mark in marks)
    assert sum(not mark["regression"] for mark in marks) == family(1, reference=False) - 8
    assert (
        sum(mark["regression"] for mark in marks)
        == family(1, reference=True) - family(1, reference=False) - 7
    )
