"""Regressed, or never good: the standing of a broken requirement against the reference."""

from __future__ import annotations

import pytest

from lengthprobe.reporting.conclusion import conclude
from lengthprobe.reporting.ledger import Entry
from lengthprobe.reporting.standing import count_standings, standings
from lengthprobe.statistics.check import Numbers
from lengthprobe.statistics.measure_key import MeasureKey


def key(name, checkpoint="candidate", *options):
    """The key of a measure in English, for JSON."""
    return {
        "name": name,
        "options": list(options),
        "checkpoint": checkpoint,
        "language": "en",
        "lengths": [],
    }


@pytest.fixture
def requirement(claim, check):
    """Return a function that makes a requirement with one check of some measures."""

    def make(nodeid, verdict, *measures, expression="x > 0.8", **changes):
        one = check(expression, verdict=verdict, margin=0.8, unit="share", measures=list(measures), **changes)
        return Entry.from_dict(claim(verdict, one, nodeid=nodeid))

    return make


@pytest.fixture
def pair(requirement):
    """Return a function that makes a broken requirement, and its regression form with a verdict."""

    def make(form, name="exact_match", of="exact_match", **changes):
        return [
            requirement("absolute", "broken", key(name), **changes),
            requirement("regression", form, key(of), key(of, "approved"), expression="x > -0.05"),
        ]

    return make


@pytest.mark.parametrize(
    ("form", "standing"),
    [("broken", "regressed"), ("holds", "never good"), ("undecided", "not told")],
)
def test_regression_form_tells_the_standing(pair, form, standing):
    """An absolute claim that is broken says nothing of the reference by itself."""
    assert standings(pair(form), "approved", {})["absolute"] == standing


def test_reference_that_is_good_is_told_from_one_that_is_as_bad(pair):
    """A fall smaller than the regression margin leaves the reference on the right side."""
    values = {(MeasureKey("exact_match", (), "", "en"), "share"): Numbers(0.82, 0.8, 0.84, 300, 151, "share")}

    assert standings(pair("holds"), "approved", values)["absolute"] == "no worse than the reference"


def test_broken_regression_form_is_a_regression_itself(pair):
    """Also where the requirement holds."""
    assert standings(pair("broken")[1:], "approved", {}) == {"regression": "regressed"}


def test_length_error_belongs_to_the_absolute_error(pair):
    """Two checkpoints with errors of opposite signs are compared by the size of the error."""
    claims = pair("broken", "length_error", "absolute_error", expression="abs(x) < 0.5")

    assert standings(claims, "approved", {})["absolute"] == "regressed"


def test_requirement_of_other_measures_is_not_compared(pair):
    """Of a language, a component or a control that no regression form compares."""
    assert standings(pair("broken", "runaways"), "approved", {})["absolute"] == "not compared"


def test_claim_without_a_measurement_is_not_compared(pair):
    """With no control to explain, nothing was measured of the mechanism."""
    unmet = pair("broken", unmet=True)

    assert standings(unmet, "approved", {})["absolute"] == "not compared"


def test_without_a_reference_nothing_is_told(pair):
    """And what holds has no standing."""
    assert standings(pair("broken"), None, {}) == {}


def test_conclusion_counts_the_standings(pair):
    """In the order of importance."""
    found = conclude(pair("holds"), reference="approved")

    assert found.standings == {"absolute": "never good"}
    assert found.details[-1] == ("Of 1 broken claim: 1 was never good, no worse than the reference.")
    assert list(count_standings(["never good", "regressed"])) == ["regressed", "never good"]
