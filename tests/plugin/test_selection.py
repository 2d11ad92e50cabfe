"""Which claims run, and what is said of those that do not."""

from __future__ import annotations

import pytest

from lengthprobe.plugin.exit_status import ExitStatus

CLAIMS = """
@pytest.mark.claim
def test_requirement(probe):
    assert measures.exact_match(probe, language='en') > 0.5


@pytest.mark.claim(kind="replication")
def test_replication(probe):
    assert measures.exact_match(probe, language='en') > 0.5


@pytest.mark.replication
@pytest.mark.claim
def test_replication_by_mark(probe):
    assert measures.exact_match(probe, language='en') > 0.5


@pytest.mark.claim(kind="replication")
def test_replication_with_reference(probe, reference_probe):
    assert measures.exact_match(probe, language='en') > 0.5


def test_ordinary():
    pass
"""


@pytest.fixture
def project(project):
    """A project with claims of every kind, and a test that is none."""
    project.claims(CLAIMS)
    return project


def names(project, *args):
    """The claims that were run."""
    return [claim["nodeid"].partition("::test_")[2] for claim in project.report(*args)["claims"]]


def test_replications_run_when_asked_for(project):
    """Left out, they are deselected, counted, and said with what to type."""
    result = project.run()

    result.assert_outcomes(passed=2, deselected=3)
    result.stdout.fnmatch_lines(
        [
            "not run: 1 comparison with a reference (--lengthprobe-reference=NAME)",
            "not run: 2 replications of published findings (-m replication)",
        ]
    )
    assert names(project) == ["requirement"]
    assert names(project, "-m", "replication") == ["replication", "replication_by_mark"]
    assert names(project, "-m", "requirement or replication") == [
        *("requirement", "replication", "replication_by_mark"),
    ]


def test_replication_that_compares_needs_both(project):
    """It runs where a reference is named and replications are asked for."""
    assert names(project, "-m", "replication", "--lengthprobe-reference=tiny-it")[-1] == (
        "replication_with_reference"
    )


def test_every_claim_has_the_mark_of_its_kind(project):
    """So that `-m` can choose."""
    assert names(project, "-m", "requirement") == ["requirement"]
    assert project.run("-m", "not requirement and not replication").parseoutcomes() == {
        "passed": 1,
        "deselected": 4,
    }


def test_named_claim_that_does_not_run_says_so(project):
    """A replication by its node id is still left out, and the run fails and says why."""
    result = project.run("test_claims.py::test_replication")

    assert result.ret == ExitStatus.NOT_MEASURED
    result.stdout.fnmatch_lines(["not run: 1 replication of published findings (-m replication)"])


def test_claims_that_the_user_deselects_are_not_missed(project):
    """A run of ordinary tests only is not called a run without a verdict."""
    result = project.run("-k", "ordinary")

    assert result.ret == pytest.ExitCode.OK
    result.stdout.no_fnmatch_line("*= claims =*")


def test_markers_are_registered(project):
    """They are explained, and strict about nothing."""
    project.run("--markers").stdout.fnmatch_lines(
        [
            "@pytest.mark.claim(source, kind='requirement', published, about='behaviour', languages): *",
            "*replication: *-m replication*",
            "*finding: *-m finding*",
        ]
    )
    assert project.run("--strict-markers").ret == pytest.ExitCode.OK
