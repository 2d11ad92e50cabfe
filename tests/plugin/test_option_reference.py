"""--lengthprobe-reference."""

from __future__ import annotations

import pytest

from lengthprobe.plugin.exit_status import ExitStatus

CLAIM = """
@pytest.mark.claim
def test_no_worse(probe, reference_probe):
    change = measures.exact_match(probe, language='en') - measures.exact_match(reference_probe, language='en')
    assert change > -0.3
"""


@pytest.fixture
def project(project):
    """A project with a claim of its own and a comparison."""
    with (project.path / "test_claims.py").open("a") as file:
        file.write(CLAIM)
    return project


def test_comparison_is_left_out_without_a_reference(project):
    """It is deselected, and the output counts it and says what to type."""
    result = project.run()

    result.assert_outcomes(passed=1, deselected=1)
    result.stdout.fnmatch_lines(["not run: 1 comparison with a reference (--lengthprobe-reference=NAME)"])


def test_comparison_pairs_by_prompt(project):
    """A model against itself differs by nothing, over as many prompts as each was asked."""
    report = project.report("--lengthprobe-reference=tiny-it")

    check = report["claims"][1]["checks"][0]
    assert (check["mean"], check["n"], check["verdict"]) == (0, 16, "holds")
    assert check["expression"] == "exact_match(tiny-it, en) - exact_match(tiny-it, en) > -0.3"
    assert report["reference"] == report["model"]


def test_worse_candidate_is_broken(project):
    """The base model exact match is worse than the tuned model's."""
    args = ("--lengthprobe-model=tiny-base", "--lengthprobe-reference=tiny-it")
    report = project.report(*args, "--lengthprobe-across-forms")

    assert [claim["verdict"] for claim in report["claims"]] == ["broken", "broken"]


def test_candidate_asked_otherwise_is_an_error(project):
    """The base model has no chat template: without being told to, it is not compared with one that has."""
    report = project.report("--lengthprobe-model=tiny-base", "--lengthprobe-reference=tiny-it")

    assert [claim["verdict"] for claim in report["claims"]] == ["broken", "error"]


def test_ini_twin(project):
    """The ini file can name it."""
    project.ini(lengthprobe_reference="tiny-it-2")

    assert project.report()["reference"]["name"] == "tiny-it-2"


def test_run_of_comparisons_only_fails_without_a_reference(project):
    """Where nothing else is selected, nothing is decided."""
    result = project.run("-k", "no_worse")

    assert result.ret == ExitStatus.NOT_MEASURED
    result.stdout.fnmatch_lines(["not run: 1 comparison*", "*no claim was decided*"])
