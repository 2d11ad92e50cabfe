"""--lengthprobe-store: a second run asks nothing, an interrupted run goes on, and figures are the same."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time

import pytest

CLAIMS = """
@pytest.mark.claim(about="mechanism", languages=["en"])
def test_heads(probe, language):
    assert measures.control_without(probe, language=language) < 0.5


@pytest.mark.claim
def test_exact(probe, language):
    assert measures.exact_match(probe, language=language) > 0.5
"""


@pytest.fixture
def project(project):
    """Two claims, whose answers are kept in the project's folder."""
    project.claims(CLAIMS)
    project.ini(lengthprobe_store="kept", lengthprobe_budget="60")
    return project


def figures(report):
    """The checks of each claim."""
    return {claim["nodeid"]: claim["checks"] for claim in report["claims"]}


def test_a_second_run_asks_nothing(project, rows_asked):
    """With the same figures; other settings are asked."""
    first = figures(project.report())
    assert rows_asked
    rows_asked.clear()

    assert figures(project.report()) == first
    assert rows_asked == []

    project.report("--lengthprobe-seed=1")
    assert rows_asked != []


def test_progress_says_what_came_from_the_store(project):
    """At the end of each question."""
    project.run()
    project.run().stdout.fnmatch_lines(["*: 60 of 60 answers (60 from the store) after *"])


def test_nothing_is_kept_where_none_is_named(project, rows_asked):
    """`none` is no folder."""
    for _ in range(2):
        rows_asked.clear()
        project.report("--lengthprobe-store=none")
        assert rows_asked != []
    assert not (project.path / "none").exists()
    assert not (project.path / "kept").exists()


def test_a_claim_alone_finds_the_answers_of_all(project, rows_asked):
    """Whatever was merged into shared rows_asked."""
    whole = figures(project.report())
    rows_asked.clear()

    for name, checks in whole.items():
        assert figures(project.report(name)) == {name: checks}

    # A claim about behaviour alone wants no attributions, and its batch is a question of its own.
    assert len(rows_asked) <= 1


def test_workers_share_a_store(project):
    """Figures are the same, in the first run and in the next."""
    whole = figures(project.report("--lengthprobe-store=none"))
    for _ in range(2):
        project.pytester.runpytest_subprocess("-n", "2", "--lengthprobe-json=shared.json")
        assert figures(json.loads((project.path / "shared.json").read_text())) == whole


def test_a_killed_run_goes_on(project, rows_asked):
    """What was answered before is not asked again."""
    whole = figures(project.report("--lengthprobe-store=none"))
    rows_asked.clear()
    running = subprocess.Popen(
        [sys.executable, "-m", "pytest", "-q", "--lengthprobe-batch-size=4", "-p", "no:cacheprovider"],
        cwd=project.path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    kept = project.path / "kept" / "answers-1.sqlite-wal"
    deadline = time.monotonic() + 60
    while not (kept.exists() and kept.stat().st_size > 40_000) and time.monotonic() < deadline:
        time.sleep(0.05)
    running.send_signal(signal.SIGKILL)
    running.wait()

    again = figures(project.report("--lengthprobe-batch-size=4"))

    assert again.keys() == whole.keys()
    # 4 for the proof, 60 whole, those on test topics cut.
    assert sum(rows_asked) < 4 + 60 + 28


def test_workers_tell_of_a_store_once(project):
    """All of them notice; the controller says so once."""
    (project.path / "kept").write_text("a file")

    result = project.pytester.runpytest_subprocess("-n", "2")

    result.assert_outcomes(passed=2)
    assert result.stdout.str().count("answers are not kept in") == 1


def test_damage_is_told_and_asked_again(project, rows_asked):
    """An answer that is not what was kept decides nothing."""
    import sqlite3

    whole = figures(project.report())
    with sqlite3.connect(project.path / "kept" / "answers-1.sqlite") as connection:
        connection.execute("UPDATE answers SET content = content || 'x'")
    connection.close()
    rows_asked.clear()

    result = project.run("--lengthprobe-json=again.json")

    assert rows_asked
    assert figures(json.loads((project.path / "again.json").read_text())) == whole
    result.stdout.fnmatch_lines(["lengthprobe: an answer in * was damaged: its batch is asked again"])


def test_a_place_that_cannot_be_written_is_told(project):
    """And every claim is decided."""
    (project.path / "kept").write_text("a file")

    result = project.run()

    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["lengthprobe: answers are not kept in *--lengthprobe-store=DIR*"])
