"""The properties of claims in the file of --junitxml."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from lengthprobe.plugin.junit import NAMES, properties
from lengthprobe.reporting.ledger import Entry

CLAIMS = """
@pytest.mark.claim
def test_holds(probe, language):
    assert measures.exact_match(probe, language=language) > 0.5


@pytest.mark.claim
def test_broken(probe, language):
    assert measures.exact_match(probe, language=language) > 0.5
    assert measures.exact_match(probe, language=language) < 0.1


@pytest.mark.claim
def test_undecided(probe, language):
    assert measures.length_error(probe, language=language) > 0


@pytest.mark.claim
def test_error(probe, language):
    raise OSError("no room")


@pytest.mark.claim
def test_setup(probe, language, nobody):
    assert measures.exact_match(probe, language=language) > 0.5


@pytest.fixture
def breaks():
    yield
    raise OSError("too late")


@pytest.mark.claim
def test_teardown(probe, language, breaks):
    assert measures.exact_match(probe, language=language) > 0.5


def test_ordinary(record_property):
    record_property("verdict", "mine")
"""


def read(project, *args: str) -> dict[str, dict[str, str]]:
    """The properties of each test in the file, by test, after pytest in a process of its own."""
    project.pytester.runpytest_subprocess("--junitxml=junit.xml", *args)
    found = {}
    for case in ElementTree.parse(project.path / "junit.xml").iter("testcase"):
        names = [each.get("name") for each in case.iter("property")]
        assert len(names) == len(set(names))
        found[case.get("name").partition("[")[0]] = {
            each.get("name"): each.get("value") for each in case.iter("property")
        }
    return found


@pytest.mark.parametrize("workers", [(), ("-n", "2")])
def test_every_claim_has_its_numbers(project, workers):
    """With workers too; of a claim with several checks, those of the first that does not hold."""
    project.claims(CLAIMS)

    found = read(project, *workers)

    assert {name: said["verdict"] for name, said in found.items()} == {
        "test_holds": "holds",
        "test_broken": "broken",
        "test_undecided": "undecided",
        "test_error": "error",
        "test_setup": "error",
        "test_teardown": "error",
        "test_ordinary": "mine",
    }
    assert all(tuple(said) == NAMES for name, said in found.items() if name != "test_ordinary")
    broken = found["test_broken"]
    assert [broken[name] for name in ("margin", "n", "topics", "unit")] == ["0.1", "16", "16", "share"]
    assert float(broken["low"]) < float(broken["effect"]) <= float(broken["high"])
    assert found["test_error"]["effect"] == found["test_error"]["n"] == ""


def test_text_has_no_control_character():
    """Whatever stands in a unit or a verdict: an XML reader would refuse the file."""
    entry = Entry("t.py::t", "t", "T.", "", "requirement", "en", "", "er\x1b[31mror\x00\nagain")

    assert properties(entry)[0] == ("verdict", r"er\x1b[31mror\x00 again")


def test_expected_claim_says_so(project):
    """An xfail mark makes no claim green, and a reader sees the mark."""
    project.claims("@pytest.mark.xfail\n" + CLAIMS.split("\n\n\n")[1].strip())

    assert read(project)["test_broken"]["expected"] == "xfail"
