"""--lengthprobe-budget."""

from __future__ import annotations

import pytest


def test_number_of_prompts_a_language(project):
    """Each language is asked so many prompts."""
    report = project.report("--lengthprobe-budget=20", "--lengthprobe-languages=en,it")

    assert [claim["checks"][0]["n"] for claim in report["claims"]] == [20, 20]


def test_ini_twin(project):
    """The ini file can say it."""
    project.ini(lengthprobe_budget="18")

    assert project.report()["claims"][0]["checks"][0]["n"] == 18


@pytest.mark.parametrize("budget", ["13", "1", "0", "-5"])
def test_too_small_a_budget_is_refused(project, budget):
    """Fourteen topics are the fewest with which any shipped claim could hold: 0.05^(1/14) is above 0.8."""
    result = project.run(f"--lengthprobe-budget={budget}")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: budget {budget}: *", "*fix: --lengthprobe-budget=*"])


def test_what_is_too_small_depends_on_alpha(project):
    """A stricter alpha needs more topics: 0.001^(1/14) is 0.61, below 0.8."""
    assert project.run("--lengthprobe-budget=14").ret == pytest.ExitCode.OK
    result = project.run("--lengthprobe-budget=14", "--lengthprobe-alpha=0.001")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*prompts about 31 topics*"])


def test_what_is_no_number_is_refused(project):
    """The message names the option."""
    project.run("--lengthprobe-budget=many").stderr.fnmatch_lines(
        ["ERROR: --lengthprobe-budget=many: this is no whole number"]
    )


def test_more_than_there_are_is_an_error(project):
    """There are only so many different prompts: the claims are errors that say how many."""
    result = project.run("--lengthprobe-budget=1000000", "--lengthprobe-lengths=3")

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*budget 1000000: language 'en' has * different prompts*", "*fix: *"])
