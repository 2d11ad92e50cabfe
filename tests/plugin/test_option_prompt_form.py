"""--lengthprobe-prompt-form."""

from __future__ import annotations

import pytest


def test_auto_is_chat_where_there_is_a_template(project):
    """And plain where there is none."""
    assert project.report()["model"]["prompt_form"] == "chat"
    assert project.report("--lengthprobe-model=tiny-base")["model"]["prompt_form"] == "plain"


def test_plain_on_request(project):
    """A model with a template can be asked without it."""
    assert project.report("--lengthprobe-prompt-form=plain")["model"]["prompt_form"] == "plain"


def test_ini_twin(project):
    """The ini file can say it."""
    project.ini(lengthprobe_prompt_form="plain")

    assert project.report()["settings"]["prompt_form"] == "plain"


def test_chat_without_a_template_is_an_error(project):
    """The claims are errors that say what to type."""
    result = project.run("--lengthprobe-model=tiny-base", "--lengthprobe-prompt-form=chat")

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*tiny-base has no chat template", "*fix: --lengthprobe-prompt-form=plain"])


def test_unknown_form_is_refused(project):
    """The message lists the forms there are."""
    result = project.run("--lengthprobe-prompt-form=poem")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        ["ERROR: prompt-form 'poem' is not known", "*prompt-form=auto, or chat or plain"]
    )
