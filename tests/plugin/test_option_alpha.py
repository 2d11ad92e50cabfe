"""--lengthprobe-alpha."""

from __future__ import annotations

import pytest


def width(report):
    """How wide the interval of the only check is."""
    check = report["claims"][0]["checks"][0]
    return check["high"] - check["low"]


def test_stricter_alpha_widens_the_interval(project):
    """Thirty perfect answers bound the share at 0.05^(1/30) and 0.01^(1/30)."""
    project.ini(lengthprobe_budget="30")

    assert width(project.report()) == pytest.approx(1 - 0.05 ** (1 / 30), abs=1e-6)
    assert width(project.report("--lengthprobe-alpha=0.01")) == pytest.approx(1 - 0.01 ** (1 / 30), abs=1e-6)


def test_ini_twin(project):
    """The ini file can say it."""
    project.ini(lengthprobe_alpha="0.1")

    assert project.report()["settings"]["alpha"] == 0.1


@pytest.mark.parametrize("alpha", ["0", "1", "-0.1", "0.5", "nan", "inf"])
def test_alpha_that_is_no_error_rate_is_refused(project, alpha):
    """A one-sided error rate lies between 0 and one half."""
    result = project.run(f"--lengthprobe-alpha={alpha}")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: alpha *", "*fix: --lengthprobe-alpha=0.05"])


def test_what_is_no_number_is_refused(project):
    """The message names the option."""
    project.run("--lengthprobe-alpha=5%").stderr.fnmatch_lines(
        ["ERROR: --lengthprobe-alpha=5%: this is no number"]
    )
