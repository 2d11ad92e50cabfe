"""--lengthprobe-seed."""

from __future__ import annotations

CLAIM = """
@pytest.mark.claim
def test_it(probe):
    print("first:", probe.responses('en')[0].prompt.id)
    assert measures.exact_match(probe, language='en') > 0.5
"""


def first_prompt(project, *args):
    """The id of the first prompt that was asked."""
    lines = project.run("-s", *args).stdout.lines
    return next(line.partition("first: ")[2] for line in lines if "first: " in line)


def test_another_seed_asks_other_prompts(project):
    """And the same seed asks the same."""
    project.claims(CLAIM)

    assert first_prompt(project) == first_prompt(project, "--lengthprobe-seed=0")
    assert first_prompt(project) != first_prompt(project, "--lengthprobe-seed=1")


def test_ini_twin(project):
    """The ini file can say it."""
    project.ini(lengthprobe_seed="7")

    report = project.report()
    assert (report["settings"]["seed"], report["model"]["seed"]) == (7, 7)


def test_what_is_no_number_is_refused(project):
    """The message names the option."""
    project.run("--lengthprobe-seed=x").stderr.fnmatch_lines(
        ["ERROR: --lengthprobe-seed=x: this is no whole number"]
    )
