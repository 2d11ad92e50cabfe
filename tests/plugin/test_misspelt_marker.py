"""A name in `-m` that no test has as a marker."""

from __future__ import annotations

import pytest

CLAIMS = """
@pytest.mark.claim
def test_requirement(probe):
    assert measures.exact_match(probe, language='en') > 0.5


@pytest.mark.claim(kind="replication")
@pytest.mark.nightly
def test_replication(probe):
    assert measures.exact_match(probe, language='en') > 0.5


def test_ordinary():
    pass
"""


@pytest.fixture
def project(project):
    """A project with claims of two kinds, and a marker of its own that is registered and unused."""
    project.claims(CLAIMS)
    project.ini(markers="weekly: once a week\n    nightly: each night")
    return project


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("requirment", "no test has the marker requirment: did you mean -m requirement?"),
        ("replications", "no test has the marker replications: did you mean -m replication?"),
        ("nigthly", "no test has the marker nigthly: did you mean -m nightly?"),
        ("findng and nightly", "no test has the marker findng: did you mean -m 'finding and nightly'?"),
        (
            'requirment or zzz(b="c d")',
            """no test has the marker requirment: did you mean -m 'requirement or zzz(b="c d")'?""",
        ),
        ("zzz", "no test has the marker zzz: a claim has one of requirement, replication, finding"),
    ],
)
def test_it_is_told_with_the_nearest(project, typed, said):
    """Nothing else would say why no claim runs."""
    result = project.run("-m", typed)

    assert result.ret == pytest.ExitCode.NO_TESTS_COLLECTED
    assert said in result.outlines


def test_it_is_told_where_it_leaves_nothing_out(project):
    """A misspelt name behind `not` selects everything."""
    result = project.run("-m", "not requirment")

    result.assert_outcomes(passed=2, deselected=1)
    assert "no test has the marker requirment: did you mean -m 'not requirement'?" in result.outlines


@pytest.mark.parametrize("typed", ["requirement", "claim", "weekly", "finding", "not zzz", "not (weekly)"])
def test_nothing_is_told_of_others(project, typed):
    """A marker that is borne, registered, or like none where claims run, is no slip."""
    project.run("-m", typed).stdout.no_fnmatch_line("*no test has the marker*")


def test_a_project_without_claims_hears_nothing(project):
    """Markers of others are theirs."""
    (project.path / "test_claims.py").write_text("def test_ordinary():\n    pass\n")

    project.run("-m", "requirment").stdout.no_fnmatch_line("*no test has the marker*")


def test_workers_tell_it_once(project):
    """The controller, which collects nothing, says what they found."""
    result = project.pytester.runpytest_subprocess("-n", "2", "-m", "requirment")

    assert result.outlines.count("no test has the marker requirment: did you mean -m requirement?") == 1
