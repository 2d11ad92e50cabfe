"""Options whose text means no value: the message has the form to type."""

from __future__ import annotations

import pytest

UNREADABLE = [
    ("budget", "forty", "450"),
    ("alpha", "5%", "0.05"),
    ("seed", "x", "0"),
    ("cap", "1e3", "100"),
    ("batch-size", "many", "auto"),
    ("lengths", "three", "3-9"),
    ("lengths", "12-4", "4-12"),
    ("lengths", "2,12-4", "2,4-12"),
    ("lengths", "4-99999", "3-9"),
]


@pytest.mark.parametrize(("name", "text", "value"), UNREADABLE)
def test_option_has_a_line_to_type(project, name, text, value):
    """With the usual value, or the one that was meant."""
    result = project.run(f"--lengthprobe-{name}={text}")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        [f"ERROR: --lengthprobe-{name}={text}: *", f"  fix: --lengthprobe-{name}={value}"]
    )


@pytest.mark.parametrize(("name", "text", "value"), UNREADABLE)
def test_ini_twin_has_a_line_for_the_file(project, name, text, value):
    """The message names the file."""
    twin = f"lengthprobe_{name.replace('-', '_')}"
    project.ini(**{twin: text})

    result = project.run()

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"*={text}: * ({twin} in *tox.ini)", f"  fix: {twin} = {value}"])


def test_toml_twin_is_a_text(project):
    """A line for pyproject.toml has quotes."""
    (project.path / "tox.ini").unlink()
    project.pytester.makepyprojecttoml("[tool.pytest.ini_options]\nlengthprobe_budget = 'forty'")

    project.run().stderr.fnmatch_lines(
        ["*(lengthprobe_budget in *pyproject.toml)", '  fix: lengthprobe_budget = "450"']
    )


def test_overridden_twin_is_answered_with_the_option(project):
    """What stands after `-o` is no line of a file."""
    project.run("-o", "lengthprobe_budget=forty").stderr.fnmatch_lines(
        ["*this is no whole number (-o lengthprobe_budget)", "  fix: --lengthprobe-budget=450"]
    )
