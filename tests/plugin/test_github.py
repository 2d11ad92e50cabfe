"""GitHub Actions: the summary on the job's page, and annotations beside the code of claims."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lengthprobe.plugin.github import annotation_lines
from lengthprobe.reporting.ledger import Entry
from lengthprobe.reporting.waiver import Waiver

CLAIMS = """
@pytest.mark.claim
def test_holds(probe, language):
    assert measures.exact_match(probe, language=language) > 0.5


@pytest.mark.claim
def test_broken(probe, language):
    \"\"\"Less than 50 %, or so: never.\"\"\"
    assert measures.exact_match(probe, language=language) < 0.1


@pytest.mark.claim
def test_undecided(probe, language):
    assert measures.length_error(probe, language=language) > 0


@pytest.mark.claim
def test_error(probe, language):
    raise OSError("no room")
"""
IN_ACTIONS = {"GITHUB_ACTIONS": "true", "GITHUB_WORKSPACE": "/work"}


@pytest.fixture
def job(project, monkeypatch):
    """A project in a job of GitHub's, whose repository is the folder above."""
    project.claims(CLAIMS)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(project.path.parent))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(project.path / "step.md"))
    return project


@pytest.mark.parametrize("args", [(), ("-n", "2"), ("--no-summary", "-q"), ("-p", "no:terminal")])
def test_each_claim_that_does_not_hold_is_annotated_once(job, args):
    """By the controller alone, at its line, what is broken first; the summary stands on the page once."""
    result = job.pytester.runpytest_subprocess(*args)

    commands = [line for line in result.stdout.lines if line.startswith("::")]
    file = f"file={job.path.name}/test_claims.py"
    assert [line.partition(",title=")[0] for line in commands] == [
        f"::error {file},line=11",
        f"::error {file},line=22",
        f"::warning {file},line=17",
    ]
    title, _, message = commands[0].partition(",title=")[2].partition("::")
    assert title == "broken%3A broken (en)"
    assert message.startswith("Less than 50 %25, or so: never.%0Aexact_match(tiny-it, en) < 0.1: 100.0 %25, ")
    assert commands[1].endswith("title=error%3A error (en)::error%0AOSError: no room")
    text = (job.path / "step.md").read_text()
    assert text.count("## tiny") == 1
    assert "1 broken" in text


def test_summary_is_that_of_the_report(job):
    """Where a report is written too, both are the same text."""
    job.run("--lengthprobe-report=R")

    assert (job.path / "step.md").read_text() == "\n" + (job.path / "R" / "summary.md").read_text()


def test_nothing_is_added_where_no_claim_ran(job):
    """A step with other tests has a page of its own."""
    job.claims("def test_it():\n    pass\n")

    job.run()

    assert not (job.path / "step.md").exists()


def test_summary_that_can_be_written_nowhere_fails_no_checkpoint(project, monkeypatch):
    """As in a container that has the variable and not the file; a line says so."""
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "/nowhere/step")

    result = project.run()

    assert result.ret == 0
    result.stdout.fnmatch_lines(["the summary is nowhere: $GITHUB_STEP_SUMMARY cannot be written: *"])


def test_nothing_is_annotated_elsewhere(project):
    """On anybody's terminal the commands would be noise."""
    project.claims(CLAIMS)

    project.run().stdout.no_fnmatch_line("::*")


def entry(verdict: str = "broken", **changes: object) -> Entry:
    """A claim."""
    values = {"nodeid": "t.py::t", "claim": "t", "statement": "T.", "source": "", "kind": "requirement"}
    return Entry(**values | {"language": None, "published": "", "verdict": verdict} | changes)


def lines(*entries: Entry, places=None, root="/work", environment=IN_ACTIONS) -> list[str]:
    """The commands for claims."""
    return list(annotation_lines(entries, places or {"t.py::t": ("t.py", 3)}, Path(root), environment))


def test_text_of_others_is_escaped():
    """No text ends a command, begins another, or steers a terminal."""
    said = entry(statement="100 % a,b:c\r\n::error::evil\x1b[31m", claim="a,b: 5 %\n::warning::evil")

    (line,) = lines(said)

    assert line == (
        "::error file=t.py,line=3,title=broken%3A a%2Cb%3A 5 %25 %3A%3Awarning%3A%3Aevil"
        "::100 %25 a,b:c\\r%0A::error::evil\\x1b[31m"
    )
    assert not re.search(r"[\x00-\x1f\x7f]", line)


def test_file_outside_the_repository_is_not_named():
    """As of a suite in the installed package: GitHub would show the annotation at a wrong file."""
    assert lines(entry(), root="/usr/lib") == ["::error title=broken%3A t::T."]


def test_waived_claim_is_a_notice():
    """With the reason, after all others."""
    waived = entry(waiver=Waiver("2026-12-31", "ticket 12"))

    assert [line.partition(" ")[0] for line in lines(waived, entry("undecided"))] == ["::warning", "::notice"]
    assert lines(waived)[0].endswith("::T.%0Awaived until 2026-12-31: ticket 12")


def test_file_that_could_not_be_collected_is_named():
    """Though there is no test in it."""
    lost = entry("error", nodeid="a/test_b.py", kind="collection", message="no module")

    assert lines(lost) == ["::error file=a/test_b.py,title=error%3A t::T.%0Ano module"]


@pytest.mark.parametrize("verdict", ["holds", "reported", "skipped"])
def test_other_outcomes_are_not_annotated(verdict):
    """Nobody needs to look at them."""
    assert lines(entry(verdict)) == []
