"""--lengthprobe-batch-size."""

from __future__ import annotations

import pytest


def test_prompts_at_once(project):
    """The report says how many, and the answers are the same at every size."""
    one, seven = (project.report(f"--lengthprobe-batch-size={size}") for size in (1, 7))

    assert (one["model"]["batch_size"], seven["model"]["batch_size"]) == (1, 7)
    assert one["claims"][0]["checks"] == seven["claims"][0]["checks"]


def test_auto(project):
    """The model's side chooses."""
    assert project.report("--lengthprobe-batch-size=auto")["settings"]["batch_size"] is None


def test_ini_twin(project):
    """The ini file can say it."""
    project.ini(lengthprobe_batch_size="5")

    assert project.report()["model"]["batch_size"] == 5


@pytest.mark.parametrize(("size", "why"), [("0", "batch-size 0: *"), ("x", "--lengthprobe-batch-size=x: *")])
def test_bad_size_is_refused(project, size, why):
    """The message names the option."""
    result = project.run(f"--lengthprobe-batch-size={size}")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: {why}"])
