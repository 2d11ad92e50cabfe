"""Options that pytest does not know: its refusal names the option of lengthprobe's that was meant."""

from __future__ import annotations

import pytest


@pytest.fixture
def refused(project):
    """Return a function that runs pytest, which refuses, and gives the lines of the refusal."""

    def run(*args):
        result = project.run(*args)
        assert result.ret == pytest.ExitCode.USAGE_ERROR
        result.stderr.fnmatch_lines([f"*error: unrecognized arguments: {args[0]}*"])
        return [line.strip() for line in result.stderr.lines]

    return run


@pytest.mark.parametrize(
    ("typed", "line"),
    [
        (["--model", "tiny-it"], "--lengthprobe-model=tiny-it"),
        (["--model=./a&b"], "'--lengthprobe-model=./a&b'"),
        (["--reference=approved", "-q"], "--lengthprobe-reference=approved"),
        (["--base"], "--lengthprobe-base=NAME"),
        (["--base", "-q"], "--lengthprobe-base=NAME"),
        (["--lengthprobe-bugdet=40"], "--lengthprobe-budget=40"),
        (["--lengthprobe-langauges", "en,it"], "--lengthprobe-languages=en,it"),
        (["--lengthprobe-batch_size=8"], "--lengthprobe-batch-size=8"),
        (["--lengthprobe-alow-pickle"], "--lengthprobe-allow-pickle"),
        (["--lengthprobe_budget=40"], "--lengthprobe-budget=40"),
        (["--length-probe-budget=40"], "--lengthprobe-budget=40"),
        (["--lenghtprobe-model=tiny-it"], "--lengthprobe-model=tiny-it"),
    ],
)
def test_unknown_option_is_answered_with_the_one_that_was_meant(refused, typed, line):
    """A short name that no conftest adds, and a slip of the pen: with the value that was typed."""
    assert f"fix: {line}" in refused(*typed)


def test_several_are_one_line(refused):
    """Each option that is unknown, as one can paste them."""
    assert "fix: --lengthprobe-model=tiny-it --lengthprobe-cap=9" in refused(
        "--model", "tiny-it", "--lengthprobe-cup=9"
    )


def test_name_without_the_prefix_is_answered_with_it(refused):
    """As whoever knows `--model` guesses the others."""
    assert "fix: --lengthprobe-languages=it" in refused("--languages=it")


def test_option_like_none_is_answered_with_where_they_are_listed(refused):
    """Nothing is guessed."""
    assert "fix: pytest --help lists every option --lengthprobe-NAME" in refused("--lengthprobe-zzz")


@pytest.mark.parametrize("typed", ["--shop", "--lengthy=3"])
def test_others_options_are_none_of_ours(refused, typed):
    """An option that is like none of lengthprobe's is refused in pytest's own words."""
    assert not any(line.startswith("fix:") for line in refused(typed))
    assert not any(line.startswith("fix:") for line in refused(typed, "--lengthprobe-budget=20"))


def test_option_that_a_conftest_adds_is_known(project):
    """Nothing is said of an option that somebody adds, where another error is told."""
    project.pytester.makeconftest(
        "def pytest_addoption(parser):\n    parser.addoption('--model', dest='lengthprobe_model')\n"
    )

    result = project.run("--model=tiny-it", "--maxfail=many")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.no_fnmatch_line("*fix: *")
