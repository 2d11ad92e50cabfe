"""How far the model has got."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
import time
from contextlib import nullcontext
from types import SimpleNamespace

import pytest

from lengthprobe.asking.progress import Progress, batch_summary, tell_reading
from lengthprobe.components.names import Ablation, Component
from lengthprobe.plugin import progress
from lengthprobe.plugin.workers_progress import Left, tell_of_workers
from lengthprobe.task.prompts import prompts

LINE = "tiny-it: English, for all claims"


def test_plain_lines_in_a_log(project):
    """One at the start and one at the end, each a line of its own, though output is captured."""
    lines = [line for line in project.run().stdout.lines if LINE in line]

    assert lines[0] == f"{LINE}: 0 of 16 answers"
    assert re.fullmatch(rf"{LINE}: 16 of 16 answers after \d+\.\d s", lines[-1])
    # A busy machine takes long enough for lines in between.
    assert all(re.match(rf"{LINE}: \d+ of 16 answers, ", line) for line in lines[1:-1])


@pytest.mark.parametrize("args", [["-q"], ["-q", "-s"], ["-p", "no:terminal"]])
def test_nothing_where_quiet_was_asked_for(project, args):
    """Neither with -q nor where there is no terminal reporter."""
    assert LINE not in project.run(*args).stdout.str()


def test_workers_leave_the_saying_to_their_controller(project):
    """Which says of whom a line is, and nothing with -q."""
    result = project.pytester.runpytest_subprocess("-n", "1")
    quiet = project.pytester.runpytest_subprocess("-n", "1", "-q")

    assert all(line.startswith("gw0: ") for line in result.stdout.lines if LINE in line)
    assert LINE not in quiet.stdout.str() + quiet.stderr.str() + result.stderr.str()
    result.assert_outcomes(passed=1)


def test_lines_without_capturing(project):
    """With -s too."""
    project.run("-s").stdout.fnmatch_lines([f"{LINE}: 16 of 16 answers after *"])


def test_bar_on_a_terminal(project):
    """A bar that counts prompts, and is gone when the model has answered; the table keeps its colours."""
    shown = on_a_terminal(project, "--lengthprobe-batch-size=8")

    assert "tiny-it: English" in shown
    assert "8/16 answers" in shown
    assert f"{LINE}: " not in shown
    # The last thing that the bar does is to blank its line.
    assert re.match(r"[^\r]*\r +\r", shown.rpartition("tiny-it: English")[2])
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


@pytest.fixture
def clock(monkeypatch):
    """A clock that a test sets: a list with the time."""
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


@pytest.fixture
def told(monkeypatch):
    """The lines of a log, and what makes them; no claim runs."""
    monkeypatch.setattr(progress, "claim", lambda: "")
    lines = []
    reporter = SimpleNamespace(ensure_newline=lambda: None, write_line=lines.append)
    return lines, progress._Lines(reporter, nullcontext, "m")


def test_small_questions_after_the_first_have_no_lines(clock, told):
    """What is cut where is asked in many small questions; one that takes its time has lines again."""
    lines, tell = told

    def ask(total, seconds):
        for done in (0, total // 2, total, total):
            tell(Progress("English", done, total))
            clock[0] += seconds / 2

    ask(10, 4)
    assert lines == ["m: English: 0 of 10 answers", "m: English: 10 of 10 answers after 4.0 s"]
    lines.clear()
    ask(20, 4)
    assert lines == []
    ask(30, 50)
    assert lines == [
        "m: English: 15 of 30 answers, about 25 s left",
        "m: English: 30 of 30 answers after 50.0 s",
    ]


def test_a_question_that_is_likely_to_take_long_is_told_at_once(clock, told):
    """At 2 s an answer, 10 answers take 20 s, and 9 do not: a model may read for minutes before it writes."""
    lines, tell = told
    for done in (0, 10):
        tell(Progress("English", done, 10))
        clock[0] += 20

    tell(Progress("English, 20 sets of components cut", 0, 9))
    tell(Progress("English, 20 sets of components cut", 0, 10))

    assert lines[2:] == ["m: English, 20 sets of components cut: 0 of 10 answers"]


def test_lines_go_on_while_a_batch_is_written(clock, told):
    """With the tokens written of it, and what the rest takes at this pace: 80 s for 80 where 20 took 20."""
    lines, tell = told
    tell(Progress("English, with attributions", 0, 50))
    for written in (10, 20, 30):
        clock[0] += 10
        tell(Progress("English, with attributions", 0, 50, "answers", written, 100, 50, 0))

    asked = "m: English, with attributions: 0 of 50 answers"
    assert lines == [asked, f"{asked}, 20 of at most 100 tokens written, about 80 s left"]


def test_reading_of_large_weights_is_said(told):
    """Before anything is asked, and without a count."""
    lines, tell = told
    tell_reading(tell, 15_400_000_000)
    tell_reading(tell, 2_000_000_000, "computing the digest of")
    tell_reading(tell, 90_000_000)

    assert lines == ["m: reading 15 GB of weights", "m: computing the digest of 2 GB of weights"]


@pytest.mark.parametrize(
    ("running", "said"),
    [
        ("a/test_necessity.py::test_english_needs_its_heads[en] (call)", "for 'english needs its heads'"),
        ("a/test_necessity.py::TestIt::test_english_needs[en-1] (setup)", "for all claims"),
        ("", ""),
    ],
)
def test_says_for_which_claim(monkeypatch, running, said):
    """The one that runs; what is asked before it runs serves all."""
    monkeypatch.setenv("PYTEST_CURRENT_TEST", running)

    assert progress.claim() == said


def test_what_is_asked_is_said_in_words():
    """Languages, how many sets are cut, words and attributions."""
    prompt = next(iter(prompts("it", lengths=(3,), budget=1, seed=0)))
    cut = [Ablation().and_also((Component(1, head),), "zero") for head in range(3)]

    assert batch_summary([prompt], [Ablation()], None, traces=True) == "Italian, with attributions"
    assert batch_summary([prompt] * 3, cut, None, traces=False) == "Italian, 3 sets of components cut"
    assert batch_summary([prompt], cut[:1], "one-token", traces=False) == (
        "Italian, 1 set of components cut, with one-token words alone"
    )


def test_controller_says_what_workers_leave(tmp_path, monkeypatch):
    """A line each with the worker's name, once until it changes; what is done is not said."""
    monkeypatch.delenv("PYTEST_CURRENT_TEST", raising=False)
    lines = []
    reporter = SimpleNamespace(ensure_newline=lambda: None, write_line=lines.append)
    Left(tmp_path, "gw0", "m")(Progress("English", 3, 10))
    other = Left(tmp_path, "gw1", "m")
    other(Progress("Italian", 0, 10))
    other(Progress("Italian", 10, 10))
    end = tell_of_workers(tmp_path, reporter, seconds=0.05)
    time.sleep(0.5)
    end()

    assert lines == ["gw0: m: English: 3 of 10 answers"]
