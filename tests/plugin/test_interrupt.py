"""Ctrl-C: what was decided so far."""

from __future__ import annotations

import json

import pytest

CLAIMS = """
@pytest.mark.claim
def test_first(probe):
    assert measures.exact_match(probe, language='en') > 0.5


@pytest.mark.claim
def test_second(probe):
    raise KeyboardInterrupt


@pytest.mark.claim
def test_third(probe):
    assert measures.exact_match(probe, language='en') > 0.5
"""


def test_table_and_report_of_what_was_decided(project):
    """The claim before it is in both, those after it are in neither."""
    project.claims(CLAIMS)

    result = project.pytester.runpytest_subprocess("--lengthprobe-json=out.json")

    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(["first * holds *", "1 holds, 0 broken, 0 undecided, 0 errors, 0 skipped"])
    report = json.loads((project.path / "out.json").read_text())
    assert [claim["nodeid"] for claim in report["claims"]] == ["test_claims.py::test_first"]


def test_before_anything_was_decided(project):
    """While the model writes: nothing is decided, and no half report is left."""
    project.pytester.makeconftest(
        "from lengthprobe.runs import answering\n\n\ndef stop(*_):\n    raise KeyboardInterrupt\n\n\n"
        "def pytest_collection_finish():\n    answering.answer = stop\n"
    )

    result = project.pytester.runpytest_subprocess("--lengthprobe-json=out.json")

    assert result.ret == pytest.ExitCode.INTERRUPTED
    assert "Traceback" not in result.stdout.str() + result.stderr.str()
    assert json.loads((project.path / "out.json").read_text())["claims"] == []
