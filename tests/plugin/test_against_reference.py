"""The reference beside the candidate in a report, and the verdict on the whole run."""

from __future__ import annotations

import pytest

from lengthprobe.plugin.exit_status import ExitStatus
from lengthprobe.portraits import against_reference

CLAIMS = """
@pytest.mark.claim
def test_exact(probe, language):
    assert measures.exact_match(probe, language=language) > 0.8

@pytest.mark.claim
def test_no_worse(probe, reference_probe, language):
    now, before = (measures.exact_match(one, language=language) for one in (probe, reference_probe))
    assert now - before > -0.3
"""
ARGS = ("--lengthprobe-model=one-too-many", "--lengthprobe-reference=tiny-it")


@pytest.fixture
def project(project):
    """A project with a requirement and its regression form."""
    project.claims(CLAIMS)
    return project


def test_requirement_that_regressed_is_told(project):
    """The reference's value and the prompts that changed stand in the report."""
    report = project.report(*ARGS)

    conclusion = report["conclusion"]
    assert conclusion["sentence"] == "Behaviour broke; mechanism was not asked."
    assert set(conclusion["standings"].values()) == {"regressed"}
    told = report["against_reference"]["en"]
    exact = next(value for value in told["values"] if value["measure"]["name"] == "exact_match")
    assert (exact["mean"], exact["measure"]["checkpoint"]) == (1.0, "tiny-it")
    assert (told["changed"]["n"], told["changed"]["worse"]) == (16, 16)
    first = told["changed"]["worst"][0]
    assert first["candidate"]["n_words"] == first["asked"] + 1
    assert first["reference"]["n_words"] == first["asked"]


def test_requirement_that_was_never_good_is_told(project):
    """The regression form holds against a reference with the same fault."""
    report = project.report(ARGS[0], "--lengthprobe-reference=two-short")

    assert report["conclusion"]["standings"] == {"test_claims.py::test_exact[en]": "never good"}


def test_verdict_ends_the_table(project):
    """One line, and a line for each further sentence."""
    result = project.run(*ARGS)

    result.stdout.fnmatch_lines(
        [
            "0 hold, 2 broken, *",
            "verdict: Behaviour broke; mechanism was not asked.",
            "  Of 2 broken claims: 2 regressed.",
        ]
    )


def test_without_a_reference_nothing_is_compared(project):
    """A run of one checkpoint has values of that checkpoint alone."""
    report = project.report()

    assert report["against_reference"] == {}
    assert report["conclusion"]["standings"] == {}


def test_workers_tell_the_controller(project):
    """Each value once, whoever measured it."""
    report = project.report(*ARGS, "-n", "2")

    values = report["against_reference"]["en"]["values"]
    assert len({value["measure"]["name"] for value in values}) == len(values) == 8
    assert report["against_reference"]["en"]["changed"]["worse"] == 16


def test_fault_in_the_comparison_costs_no_verdict(project, monkeypatch):
    """The run fails, and says whose fault it is."""

    def fails(*_args):
        raise RuntimeError("a fault")

    monkeypatch.setattr(against_reference, "changed_prompts", fails)

    result = project.run(*ARGS[1:])

    result.assert_outcomes(passed=2)
    assert result.ret == ExitStatus.NOT_MEASURED
    result.stdout.fnmatch_lines(["*does not show tiny-it beside tiny-it: RuntimeError: a fault*"])
