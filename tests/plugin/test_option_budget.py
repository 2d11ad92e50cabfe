"""--lengthprobe-budget."""

from __future__ import annotations

import re

import pytest

from lengthprobe.errors import SettingsError
from lengthprobe.margins import Margins
from lengthprobe.plugin.asked import _check
from lengthprobe.settings import Settings


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


@pytest.mark.parametrize("alpha", [1e-6, 1e-5, 0.001, 0.05, 0.2])
@pytest.mark.parametrize(
    "lines", [(), ("exact_match = 0.99", "runaways = 0.01", "counter_disagreement = 0.02")]
)
def test_budget_that_is_advised_is_accepted(alpha: float, lines: tuple[str, ...]) -> None:
    """At every alpha the budget, or the alpha, that a refusal advises is not refused in turn."""
    margins = Margins().overridden(lines)
    with pytest.raises(SettingsError, match="budget 1: ") as raised:
        _check(Settings(alpha=alpha, budget=1), margins)
    advised = re.match(r".*--lengthprobe-(budget|alpha)=([\d.]+)", raised.value.fix)
    assert advised is not None
    if advised[1] == "budget":
        _check(Settings(alpha=alpha, budget=int(advised[2])), margins)
    else:
        _check(Settings(alpha=float(advised[2]), budget=300), margins)


def test_topics_that_are_too_few() -> None:
    """Where no budget would do, none is advised."""
    margins = Margins().overridden([f"{name} = 0.001" for name in ("runaways", "short_answers", "preambles")])
    margins = margins.overridden(["exact_match = 0.999", "counter_disagreement = 0.001"])
    with pytest.raises(SettingsError, match="budget 300: ") as raised:
        _check(Settings(), margins)
    assert "budget" not in raised.value.fix
