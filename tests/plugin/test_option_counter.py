"""--lengthprobe-counter."""

from __future__ import annotations

import pytest

CLAIM = """
@pytest.mark.claim
def test_it(probe):
    estimate = measures.exact_match(probe, language='en')
    print("counters:", estimate.counter, getattr(estimate.rival, "counter", None))
    assert estimate > 0.5
"""


@pytest.mark.parametrize(
    ("counter", "shown"),
    [
        ("uax29", "uax29 whitespace"),
        ("whitespace", "whitespace uax29"),
        ("italian_elision", "italian_elision None"),
    ],
)
def test_counter_and_its_rival(project, counter, shown):
    """The two usual counters check each other; another stands alone."""
    project.claims(CLAIM)

    project.run("-s", f"--lengthprobe-counter={counter}").stdout.fnmatch_lines([f"*counters: {shown}"])


def test_ini_twin(project):
    """The ini file can name it."""
    project.ini(lengthprobe_counter="whitespace")

    assert project.report()["settings"]["counter"] == "whitespace"


def test_unknown_counter_is_refused(project):
    """The message lists the counters there are."""
    result = project.run("--lengthprobe-counter=wc")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        ["ERROR: counter 'wc' is not known", "*counter=uax29, or whitespace, italian_elision or characters"]
    )
