"""--lengthprobe-thinking."""

from __future__ import annotations

import pytest

from tests.thinkers import OPENED, thinker


@pytest.fixture(scope="module")
def thinks(tmp_path_factory):
    """A checkpoint whose template opens a thought."""
    return thinker(tmp_path_factory.mktemp("thinker"), OPENED)


def test_off_says_what_to_type(project, thinks):
    """The claims are errors, and the line that they name mends them."""
    result = project.run(f"--lengthprobe-model={thinks}")

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*opens a thought ('<think>')*", "*fix: --lengthprobe-thinking=allow*"])
    assert project.report(f"--lengthprobe-model={thinks}", "--lengthprobe-thinking=allow")["totals"]["holds"]


def test_header_tells_the_room(project, thinks):
    """Beside the cap; and for the checkpoint, whose context is short, how much that is."""
    result = project.run(f"--lengthprobe-model={thinks}", "--lengthprobe-thinking=allow")

    result.stdout.fnmatch_lines(["*cap 30 tokens, beside a thought of 2048 or what the context leaves;*"])
    # (512 - 30) / 2
    result.stdout.fnmatch_lines(
        ["model *thoughts: up to 241 tokens before the answer (half of *context, 512,*"]
    )


def test_template_without_a_switch_is_told(project):
    """It writes the same prompt whether thoughts are allowed or not."""
    result = project.run("--lengthprobe-thinking=allow")

    result.stdout.fnmatch_lines(["model *thoughts: up to 241 tokens *; its chat template has no switch *"])
    project.run().stdout.no_fnmatch_line("model *thoughts:*")


def test_unfinished_thoughts_stand_in_the_header(project, tmp_path):
    """Beside the checkpoint that wrote them."""
    endless = thinker(tmp_path / "endless", OPENED, endless=True)
    result = project.run(f"--lengthprobe-model={endless}", "--lengthprobe-thinking=allow")

    result.stdout.fnmatch_lines(["*answers that are an unfinished thought: 16 of 16 in en"])
    result.stdout.fnmatch_lines(["*16 of 16 answers in 'en' are an unfinished thought*"])


def test_ini_twin(project):
    """The ini file can say it."""
    project.ini(lengthprobe_thinking="allow")

    report = project.report()
    assert (report["settings"]["thinking"], report["model"]["thinking"]) == ("allow", "allow")


def test_unknown_value_is_refused(project):
    """The message lists the values there are."""
    result = project.run("--lengthprobe-thinking=aloud")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: thinking 'aloud' is not known", "*thinking=allow, or off"])
