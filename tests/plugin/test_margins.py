"""The ini file's lengthprobe_margins, and the fixture `margins`."""

from __future__ import annotations

import pytest

CLAIM = """
@pytest.mark.claim
def test_it(probe, margins):
    assert measures.exact_match(probe, language='en') > margins.exact_match
"""


@pytest.fixture
def project(project):
    """A project with a claim that takes its margin from the table."""
    project.claims(CLAIM)
    return project


def test_shipped_margin(project):
    """What the library fixes in advance."""
    assert project.report()["claims"][0]["checks"][0]["margin"] == 0.8


def test_project_overrides_a_margin(project):
    """One line a margin; the others stay, and the report has them all."""
    project.ini(lengthprobe_margins="\n    exact_match = 0.5\n    runaways = 0.1")

    report = project.report()

    assert report["claims"][0]["checks"][0]["margin"] == 0.5
    margins = report["settings"]["margins"]
    assert (margins["runaways"], margins["short_answers"]) == (0.1, 0.05)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("exact_mach = 0.5", "*no margin is called 'exact_mach'*"),
        ("exact_match = much", "*'exact_match = much' gives no number"),
        ("exact_match", "*'exact_match' gives no number"),
        ("exact_match = nan", "*gives no number"),
    ],
)
def test_bad_line_is_refused(project, line, why):
    """The message names the line; a slip of the pen is answered with the nearest margin."""
    project.ini(lengthprobe_margins=line)

    result = project.run()

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: {why}", "*fix: *exact_match*"])


def test_misspelt_margin_in_a_claim_is_one_message(project):
    """The claim is an error that names the nearest margin, without a traceback."""
    project.claims(
        "@pytest.mark.claim\ndef test_it(probe, margins):\n"
        "    assert measures.exact_match(probe, language='en') > margins.exact_mach\n"
    )

    result = project.run()

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        ["*margins.exact_mach: no margin is called 'exact_mach'", "*fix: did you mean exact_match?*"]
    )
    result.stdout.no_fnmatch_line("*AttributeError*")
