"""The marker `claim`: what it says by a name that it does not have is refused."""

from __future__ import annotations

import pytest

CLAIM = "@pytest.mark.claim({said})\ndef test_it(probe):\n    pass\n"


@pytest.mark.parametrize(
    ("said", "problem", "fix"),
    [
        ("knd='finding'", "knd='finding': the marker `claim` has no knd", "did you mean kind='finding'[?]"),
        ("langauges=['en']", "*has no langauges", "did you mean languages=[[]'en'][?]"),
        ("abuot='mechanism'", "*has no abuot", "did you mean about='mechanism'[?]"),
        ("weight=3", "*has no weight", "it has: source, kind, published, about, languages"),
        ("'finding'", "*says 'finding' without saying what that is", "kind='finding', or another of *"),
        ("'mechanism'", "*says 'mechanism' without *", "about='mechanism', or another of *"),
        ("'a paper'", "*says 'a paper' without *", "source='a paper', or another of *"),
    ],
)
def test_name_that_means_nothing_is_refused(project, said, problem, fix):
    """It would be ignored, and the claim run as something else; the message has the name that was meant."""
    project.claims(CLAIM.format(said=said))

    result = project.run()

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: test_claims.py::test_it: {problem}", f"*fix: {fix}"])


def test_marker_of_a_whole_module_is_read_too(project):
    """Though each of its claims has a marker of its own."""
    project.claims("pytestmark = pytest.mark.claim(knd='finding')\n\n\n" + CLAIM.format(said=""))

    assert project.run().ret == pytest.ExitCode.USAGE_ERROR


def test_all_that_a_marker_can_say_is_taken(project):
    """Each by its name."""
    said = "source='a paper', kind='requirement', published=0.9, about='behaviour', languages=['en']"
    project.claims(CLAIM.format(said=said))

    project.run("--collect-only").assert_outcomes()
    assert project.run("--collect-only").ret == pytest.ExitCode.OK
