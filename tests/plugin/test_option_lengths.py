"""--lengthprobe-lengths."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("typed", "lengths"),
    [("3-9", [3, 4, 5, 6, 7, 8, 9]), ("7,3,5", [3, 5, 7]), ("4", [4]), ("3-4, 8-9", [3, 4, 8, 9])],
)
def test_ranges_and_lists(project, typed, lengths):
    """A range, a list, one number, or a list of ranges."""
    assert project.report(f"--lengthprobe-lengths={typed}")["settings"]["lengths"] == lengths


def test_prompts_ask_for_them(project):
    """A claim sees prompts of these lengths only."""
    project.claims(
        "@pytest.mark.claim\ndef test_it(probe):\n"
        "    assert {one.prompt.n_words for one in probe.responses('en')} == {3, 5}\n"
        "    assert measures.exact_match(probe, language='en') > 0.5\n"
    )

    assert project.report("--lengthprobe-lengths=3,5")["totals"]["holds"] == 1


def test_ini_twin(project):
    """The ini file can say them."""
    project.ini(lengthprobe_lengths="5-6")

    assert project.report()["settings"]["lengths"] == [5, 6]


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("9-3", "the range 9-3 runs backwards: 3-9"),
        ("0-4", "a request is for at least one word"),
        ("x", "'x' is neither a number of words nor a range (3-9 or 3,5,7)"),
        ("3,,4", "'' is neither a number of words*"),
        ("3-", "'3-' is neither a number of words*"),
        ("-3", "'-3' is neither a number of words*"),
        ("3,3", "a number of words stands twice"),
        ("3-99999999999", "a request is for at most 1000 words"),
    ],
)
def test_bad_lengths_are_refused(project, typed, why):
    """The message names the option, the value and what is wrong."""
    result = project.run(f"--lengthprobe-lengths={typed}")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: --lengthprobe-lengths={typed}: {why}"])


def test_bad_lengths_in_the_ini_name_the_ini(project):
    """The message says where the value stands."""
    project.ini(lengthprobe_lengths="9-3")

    project.run().stderr.fnmatch_lines(["*runs backwards*(lengthprobe_lengths in *tox.ini)"])


def test_answer_longer_than_the_cap_is_refused(project):
    """An answer of so many words cannot be written in so few tokens."""
    result = project.run("--lengthprobe-lengths=3-50")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        ["*cap 30: an answer of 50 words*", "*fix: --lengthprobe-cap=400, or shorter lengths"]
    )
