"""How far the model has got."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from contextlib import nullcontext
from types import SimpleNamespace

import pytest

from lengthprobe.plugin import progress

LINE = "tiny-it has answered"


def test_plain_lines_in_a_log(project):
    """One at the start and one at the end, each a line of its own, though output is captured."""
    lines = [line for line in project.run().stdout.lines if LINE in line]

    assert lines[0] == "tiny-it has answered 0 of 16 prompts"
    assert re.fullmatch(r"tiny-it has answered 16 of 16 prompts after \d+\.\d s", lines[1])
    assert len(lines) == 2


@pytest.mark.parametrize("args", [["-q"], ["-q", "-s"], ["-p", "no:terminal"]])
def test_nothing_where_quiet_was_asked_for(project, args):
    """Neither with -q nor where there is no terminal reporter."""
    assert LINE not in project.run(*args).stdout.str()


def test_nothing_from_workers(project):
    """A worker's output has no place to go."""
    result = project.pytester.runpytest_subprocess("-n", "1")

    assert LINE not in result.stdout.str() + result.stderr.str()
    result.assert_outcomes(passed=1)


def test_lines_without_capturing(project):
    """With -s too."""
    project.run("-s").stdout.fnmatch_lines(["tiny-it has answered 16 of 16 prompts after *"])


def test_bar_on_a_terminal(project):
    """A bar that counts prompts, and is gone when the model has answered; the table keeps its colours."""
    shown = on_a_terminal(project, "--lengthprobe-batch-size=8")

    assert "tiny-it answers" in shown
    assert "8/16" in shown
    assert LINE not in shown
    # The last thing that the bar does is to blank its line.
    assert re.match(r"[^\r]*\r +\r", shown.rpartition("tiny-it answers")[2])
    assert "\x1b[32mholds\x1b[0m" in shown


def test_no_colours_in_a_log(project):
    """Nor any other control character."""
    assert "\x1b" not in project.run().stdout.str()


def on_a_terminal(project, *args):
    """What pytest shows on a terminal."""
    controller, terminal = pty.openpty()
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *args]
    environment = {
        name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "PY_COLORS", "CI")
    }
    with subprocess.Popen(
        command, cwd=project.path, stdin=terminal, stdout=terminal, stderr=terminal, env=environment
    ):
        os.close(terminal)
        shown = bytearray()
        while True:
            try:
                read = os.read(controller, 4096)
            except OSError:
                break
            if not read:
                break
            shown += read
    os.close(controller)
    return shown.decode(errors="replace")


def test_small_questions_after_the_first_have_no_lines(monkeypatch):
    """What is cut where is asked in many small questions; one that takes its time has lines again."""
    clock, told = [0.0], []
    monkeypatch.setattr(progress.time, "monotonic", lambda: clock[0])
    reporter = SimpleNamespace(ensure_newline=lambda: None, write_line=told.append)
    lines = progress._Lines(reporter, nullcontext, "m")

    def ask(total, seconds):
        for done in (0, total // 2, total, total):
            lines(done, total)
            clock[0] += seconds / 2

    ask(10, 4)
    assert told == ["m has answered 0 of 10 prompts", "m has answered 10 of 10 prompts after 4.0 s"]
    told.clear()
    ask(20, 4)
    assert told == []
    ask(30, 50)
    assert told == [
        "m has answered 15 of 30 prompts after 25.0 s",
        "m has answered 30 of 30 prompts after 50.0 s",
    ]
