"""--lengthprobe-dtype."""

from __future__ import annotations

import pytest


def test_number_format(project):
    """The report says in which format the weights were used."""
    assert project.report("--lengthprobe-dtype=bfloat16")["model"]["dtype"] == "bfloat16"


def test_ini_twin(project):
    """The ini file can say it."""
    project.ini(lengthprobe_dtype="float32")

    assert project.report()["settings"]["dtype"] == "float32"


def test_unknown_format_is_refused(project):
    """The message lists the formats there are."""
    result = project.run("--lengthprobe-dtype=int3")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        ["ERROR: dtype 'int3' is not known", "*dtype=auto, or float32, bfloat16 or float16"]
    )
