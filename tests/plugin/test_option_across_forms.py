"""--lengthprobe-across-forms."""

from __future__ import annotations

import json
import shutil

import pytest

OPTION = "--lengthprobe-across-forms"
CLAIMS = """
@pytest.mark.claim
def test_no_worse(probe, reference_probe):
    change = measures.exact_match(probe, language='en') - measures.exact_match(reference_probe, language='en')
    assert change > -0.2


@pytest.mark.claim
def test_better_than_base(probe, base_probe):
    base = measures.absolute_error(base_probe, language='en')
    assert measures.absolute_error(probe, language='en') < 0.5 * base
"""


@pytest.fixture
def lost(project, weights):
    """A fine-tune saved without its template, in a project that compares it; the folder."""
    folder = shutil.copytree(weights("tiny-it"), project.path / "tuned")
    (folder / "chat_template.jinja").unlink()
    project.claims(CLAIMS)
    project.ini(lengthprobe_model=folder, lengthprobe_reference="tiny-it", lengthprobe_base="tiny-base")
    project.ini(lengthprobe_budget=60)
    return folder


def verdicts(report):
    """The verdict of each claim."""
    return [claim["verdict"] for claim in report["claims"]]


def test_unlike_forms_are_an_error(project, lost, weights):
    """The claim is an error that names the file, the fix and the option, and never broken."""
    report = project.report("-k", "no_worse")

    assert verdicts(report) == ["error"]
    message = report["claims"][0]["message"]
    assert f"{lost}/chat_template.jinja is missing" in message
    assert f"copy it from {weights('tiny-it')}/chat_template.jinja" in message
    assert "--lengthprobe-prompt-form=plain" in message
    assert OPTION in message
    assert report["claims"][0]["checks"] == []


@pytest.mark.usefixtures("lost")
def test_workers_say_the_same(project):
    """However many processes share the work."""
    project.pytester.runpytest_subprocess("-n", "2", "--lengthprobe-json=out.json")

    report = json.loads((project.path / "out.json").read_text())
    assert verdicts(report) == ["error", "holds"]
    assert "chat_template.jinja is missing" in report["claims"][0]["message"]


@pytest.mark.usefixtures("lost")
def test_allowed_on_the_command_line(project):
    """The claim is decided, and the header says across what."""
    project.run(OPTION, "-k", "no_worse").stdout.fnmatch_lines(["*one-sided, unlike forms compared"])
    assert verdicts(project.report(OPTION, "-k", "no_worse")) == ["broken"]


@pytest.mark.usefixtures("lost")
def test_ini_twin(project):
    """The ini file can allow it."""
    project.ini(lengthprobe_across_forms="true")

    report = project.report("-k", "no_worse")

    assert (verdicts(report), report["settings"]["across_forms"]) == (["broken"], True)


def test_fix_works(project, lost, weights):
    """With the file copied as the message says, the same weights hold their own."""
    shutil.copy(weights("tiny-it") / "chat_template.jinja", lost)

    assert verdicts(project.report("-k", "no_worse")) == ["holds"]


@pytest.mark.usefixtures("lost")
def test_plain_form_for_both(project):
    """So they do where both are asked in plain form."""
    assert verdicts(project.report("--lengthprobe-prompt-form=plain", "-k", "no_worse")) == ["holds"]


def test_base_is_compared_as_it_is(project):
    """A base without a template is no reason to ask for permission."""
    project.claims(CLAIMS)

    assert verdicts(project.report("-k", "base")) == ["holds"]


def test_base_as_the_reference_is_a_reference(project):
    """What is allowed of the base is not allowed of the reference, be they one checkpoint."""
    project.claims(CLAIMS)

    report = project.report("--lengthprobe-reference=tiny-base", "--lengthprobe-base=tiny-base")

    assert sorted(verdicts(report)) == ["error", "holds"]


def test_switched_off_by_default(project):
    """Neither command line nor ini file says anything: it is off, and the header says nothing."""
    report = project.report()

    assert report["settings"]["across_forms"] is False
    assert "unlike forms" not in project.run().stdout.str()
