"""--lengthprobe-cap."""

from __future__ import annotations

import pytest


def test_no_response_has_more_tokens(project):
    """And a report says how many were cut off."""
    project.claims(
        "@pytest.mark.claim\ndef test_it(probe):\n"
        "    assert {len(one.token_ids) for one in probe.responses('en')} == {12}\n"
        "    assert measures.cut_off(probe, language='en') > 0.5\n"
    )

    report = project.report(
        "--lengthprobe-model=tiny-base", "--lengthprobe-cap=12", "--lengthprobe-lengths=3-4"
    )

    assert report["totals"]["holds"] == 1
    assert (report["model"]["cap"], report["model"]["cut_off"]) == (12, {"en": 1.0})


def test_ini_twin(project):
    """The ini file can say it."""
    project.ini(lengthprobe_cap="40")

    assert project.report()["settings"]["cap"] == 40


@pytest.mark.parametrize(("cap", "why"), [("0", "cap 0: *"), ("x", "--lengthprobe-cap=x: *")])
def test_bad_cap_is_refused(project, cap, why):
    """The message names the option."""
    result = project.run(f"--lengthprobe-cap={cap}")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: {why}"])
