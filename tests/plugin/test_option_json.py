"""--lengthprobe-json."""

from __future__ import annotations

import errno
import json

import pytest

from lengthprobe.plugin.exit_status import ExitStatus

KEYS = ["$schema", "schema", "model", "base", "reference", "settings", "conclusion", "claims", "totals"]
KEYS += ["interrupted", "collected", "missing", "deselected", "against_reference", "named", "not_run"]
KEYS += ["waivers", "seconds_a_prompt"]


def test_schema(project):
    """The report has the keys of its schema, and the digests that identify the checkpoint."""
    report = project.report()

    assert list(report) == KEYS
    assert report["schema"] == 1
    assert (report["base"], report["reference"]) == (None, None)
    assert report["totals"] == {
        "holds": 1,
        "broken": 0,
        "undecided": 0,
        "error": 0,
        "skipped": 0,
        "reported": 0,
        "waived": 0,
        "missing": 0,
    }
    assert (report["interrupted"], report["collected"], report["missing"]) == (None, 1, [])
    assert {len(report["model"][digest]) for digest in ("weights", "tokenizer", "chat_template")} == {64}
    assert report["settings"]["margins"]["length_error"] == 0.5
    claim = report["claims"][0]
    assert {"nodeid", "statement", "source", "kind", "language", "verdict", "checks", "duration_s"} <= set(
        claim
    )
    assert {"expression", "verdict", "mean", "low", "high", "n", "clusters", "margin", "unit"} <= set(
        claim["checks"][0]
    )


def test_relative_path_starts_from_the_working_directory(project):
    """And the path is printed at the end."""
    result = project.run("--lengthprobe-json=out.json")

    assert json.loads((project.path / "out.json").read_text())["totals"]["holds"] == 1
    result.stdout.fnmatch_lines(["report: *out.json"])


def test_ini_path_starts_from_the_ini_file(project, monkeypatch):
    """Wherever pytest is run."""
    project.ini(lengthprobe_json="out.json")
    (project.path / "sub").mkdir()
    monkeypatch.chdir(project.path / "sub")

    project.run("..")

    assert (project.path / "out.json").is_file()


def test_infinite_limits_are_null(project):
    """JSON has no infinity, and every reader must be able to read it."""
    project.claims(
        "@pytest.mark.claim\ndef test_it(probe, show_beside):\n"
        "    show_beside(measures.raw_length_error(probe, language='en'))\n"
        "    assert measures.exact_match(probe, language='en') > 0.5\n"
    )

    (beside,) = project.report()["claims"][0]["beside"]

    assert (beside["mean"], beside["low"], beside["high"]) == (0, None, None)


@pytest.mark.parametrize("path", ["nowhere/out.json", "."])
def test_path_that_cannot_be_is_refused_at_the_start(project, path):
    """Before a model is loaded, not after an hour."""
    result = project.run(f"--lengthprobe-json={path}")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: --lengthprobe-json={path}: *folder*"])


def test_full_disk_fails_the_run_and_leaves_no_half_file(project, monkeypatch):
    """What was there before stays; the message says what happened and what to do."""
    from lengthprobe.reporting import files

    def full(_handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    out = project.path / "out.json"
    project.run(f"--lengthprobe-json={out}")
    before = out.read_bytes()
    monkeypatch.setattr(files.os, "fsync", full)

    result = project.run(f"--lengthprobe-json={out}")

    assert result.ret == ExitStatus.NOT_MEASURED
    result.stdout.fnmatch_lines(
        ["*could not be written to *out.json: No space left on device; free some room*"]
    )
    assert out.read_bytes() == before
    assert [path.name for path in project.path.glob(".out.json*")] == []


@pytest.mark.parametrize("content", ["mine", '{"name": "my-package"}'])
def test_file_of_somebody_else_s_is_refused_at_the_start(project, content):
    """It stays as it is; what the fix names can be typed."""
    (project.path / "out.json").write_text(content)

    result = project.run("--lengthprobe-json=out.json")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: --lengthprobe-json=*out.json was not written by lengthprobe*"])
    assert (project.path / "out.json").read_text() == content
    fix = result.stderr.str().partition("fix: another place: ")[2].split()[0]
    assert project.run(fix).ret == pytest.ExitCode.OK
    assert (project.path / "out-2.json").is_file()


def test_device_is_not_replaced(project):
    """A report is put in the place of a file, and a device is none."""
    result = project.run("--lengthprobe-json=/dev/null")

    assert result.ret == pytest.ExitCode.USAGE_ERROR


def test_file_that_the_folder_of_a_report_has_too(project):
    """Its verdicts are in the folder; another file there cannot be both."""
    both = project.run("--lengthprobe-report=R", "--lengthprobe-json=R/../R/report.json")
    (project.path / "R").mkdir(exist_ok=True)
    clash = project.run("--lengthprobe-report=R", "--lengthprobe-json=R/index.html")

    assert (both.ret, clash.ret) == (pytest.ExitCode.USAGE_ERROR, pytest.ExitCode.USAGE_ERROR)
    assert project.run("--lengthprobe-report=R", "--lengthprobe-json=R/report.json").ret == pytest.ExitCode.OK
    clash.stderr.fnmatch_lines(
        ["*--lengthprobe-json=R/index.html: --lengthprobe-report writes this file too"]
    )


def test_is_written_without_a_terminal_reporter(project):
    """The file does not hang on what is printed."""
    result = project.run("-p", "no:terminal", "--lengthprobe-json=out.json")

    assert result.ret == pytest.ExitCode.OK
    assert json.loads((project.path / "out.json").read_text())["totals"]["holds"] == 1


def test_problem_is_said_without_a_terminal_reporter(project):
    """On the error stream, where there is nothing else."""
    project.claims("@pytest.mark.claim\ndef test_it():\n    pytest.skip('no')\n")

    result = project.run("-p", "no:terminal")

    assert result.ret == ExitStatus.NOT_MEASURED
    result.stderr.fnmatch_lines(["lengthprobe: no claim was decided*"])


def test_collecting_writes_nothing(project):
    """There is nothing to report."""
    project.run("--collect-only", "--lengthprobe-json=out.json")

    assert not (project.path / "out.json").exists()
