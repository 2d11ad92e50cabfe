"""--lengthprobe-base."""

from __future__ import annotations

import pytest

from lengthprobe.plugin.exit_status import ExitStatus

CLAIM = """
@pytest.mark.claim
def test_base_runs_on(base_probe):
    assert measures.length_error(base_probe, language='en') > 1
"""


@pytest.fixture
def project(project):
    """A project with a claim about the base model."""
    project.claims(CLAIM)
    return project


def test_model_card_tells(project):
    """The base of a fixture model is in its card."""
    report = project.report()

    assert (report["base"]["name"], report["totals"]["holds"]) == ("tiny-base", 1)


def test_option_goes_before_the_card(project):
    """The base that is named is the one that is asked."""
    report = project.report("--lengthprobe-base=tiny-it")

    assert (report["base"]["name"], report["totals"]["broken"]) == ("tiny-it", 1)


def test_ini_twin(project):
    """The ini file can name it."""
    project.ini(lengthprobe_base="tiny-it")

    assert project.report()["base"]["name"] == "tiny-it"


def test_base_in_the_ini_is_that_of_the_model_in_the_ini(project):
    """Another model on the command line has another base, which its own card tells."""
    project.ini(lengthprobe_model="tiny-base", lengthprobe_base="tiny-base")

    report = project.report("--lengthprobe-model=tiny-it-2")

    assert report["base"]["name"] == "tiny-base"


def test_claim_without_a_base_is_skipped_and_counted(project):
    """A base model has none: the skip says what to type; a run that decides nothing else fails."""
    result = project.run("--lengthprobe-model=tiny-base")

    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["skipped: 1 (needs the base model*--lengthprobe-base=NAME)", "*1 skipped"])
    assert result.ret == ExitStatus.NOT_MEASURED


def test_other_tokenizer_is_allowed_and_said(project, tmp_path, weights):
    """A base with other tokenizer files is compared all the same, and the output says so."""
    import shutil

    other = shutil.copytree(weights("tiny-base"), tmp_path / "other")
    tokenizer = other / "tokenizer_config.json"
    tokenizer.write_text(tokenizer.read_text() + "\n")
    project.claims(CLAIM.replace("(base_probe)", "(probe, base_probe)"))

    result = project.run(f"--lengthprobe-base={other}")

    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["base*other has other tokenizer files than tiny-it*"])
