"""Backups are found and told, on a model that was trained to have some and on one that was not."""

from __future__ import annotations

import pytest

from lengthprobe import load
from lengthprobe.measures import (
    backup_components,
    compensation,
    final_mlp_cwa,
    leading_components,
    redundancy,
)

# Of the heads that were trained to take over, those of the last layer, which can tell that others are gone.
BACKUPS = ["L4H1", "L4H3"]


@pytest.fixture(scope="module")
def backed():
    """backup-heads, after 40 prompts a language."""
    made = load("backup-heads", budget=80, cap=30, device_map="cpu")
    made.prepare(["en"], traces=True)
    return made


@pytest.fixture(scope="module")
def plain():
    """tiny-it, after 40 prompts a language."""
    made = load("tiny-it", budget=80, cap=30, device_map="cpu")
    made.prepare(["en"], traces=True)
    return made


def test_backups_are_found(backed):
    """The heads that take over are those whose CWA rises most."""
    assert {one.name for one in leading_components(backed, language="en")} == {"L3H0", "L3H2", "L4H0", "L4H2"}
    assert sorted(one.name for one in backup_components(backed, language="en")[:2]) == BACKUPS


def test_redundancy_of_backups(backed):
    """Either group alone costs nothing, and both cost some of it."""
    assert redundancy(backed, language="en") > 0


def test_no_redundancy_without_backups(plain):
    """What costs all alone costs no more with others."""
    assert redundancy(plain, language="en").mean <= 0


def test_compensation_is_a_difference_by_prompt(plain):
    """The final MLP's CWA with the leading heads cut, less that of the whole model, on the latter's text."""
    with plain.ablated(leading_components(plain, language="en")) as cut:
        without = final_mlp_cwa(cut, language="en", text_of=plain).mean
    expected = without - final_mlp_cwa(plain, language="en").mean
    assert compensation(plain, language="en").mean == pytest.approx(expected)
