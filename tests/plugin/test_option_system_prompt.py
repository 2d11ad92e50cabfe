"""--lengthprobe-system-prompt."""

from __future__ import annotations

import pytest


def test_is_used_and_reported(project):
    """The report has it as it was given."""
    report = project.report("--lengthprobe-system-prompt=Answer in verse.")

    assert report["model"]["system_prompt"] == "Answer in verse."


def test_ini_twin(project):
    """The ini file can say it."""
    project.ini(lengthprobe_system_prompt="Be brief.")

    assert project.report()["settings"]["system_prompt"] == "Be brief."


def test_needs_a_template(project):
    """A model without one has no place for it: an error, with the cause."""
    result = project.run("--lengthprobe-model=tiny-base", "--lengthprobe-system-prompt=Hello")

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*a system prompt needs the chat form*"])


def test_control_characters_do_not_reach_the_terminal(project):
    """Whatever it holds, the header is a line of text."""
    output = project.run("--lengthprobe-system-prompt=red \x1b[31m alert\x07").stdout.str()

    assert "system prompt 'red alert'" in output
    assert "\x1b" not in output
    assert "\x07" not in output


@pytest.mark.parametrize("text", ["", " "])
def test_empty_one_is_none(project, text):
    """An empty message is no message."""
    report = project.report(f"--lengthprobe-system-prompt={text}")

    assert report["model"]["system_prompt"] is None
