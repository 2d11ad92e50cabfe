"""--lengthprobe-model."""

from __future__ import annotations

import pytest


@pytest.fixture
def project(project):
    """A project that names no model."""
    (project.path / "tox.ini").write_text(
        "[pytest]\nlengthprobe_languages = en\nlengthprobe_budget = 16\nlengthprobe_cap = 30\n"
    )
    return project


def test_fixture_model_by_name(project):
    """A fixture model goes by its name, which the report has."""
    report = project.report("--lengthprobe-model=tiny-it")

    assert report["model"]["name"] == "tiny-it"
    assert report["totals"]["holds"] == 1


def test_ini_twin(project):
    """The ini file can name it."""
    project.ini(lengthprobe_model="tiny-it")

    assert project.report()["model"]["name"] == "tiny-it"


def test_command_line_goes_before_ini(project):
    """What is typed counts."""
    project.ini(lengthprobe_model="tiny-it")

    assert project.report("--lengthprobe-model=tiny-base")["model"]["name"] == "tiny-base"


def test_directory(project, weights):
    """A directory is a name too, and answers as the fixture model that lies in it."""
    report = project.report(f"--lengthprobe-model={weights('tiny-it')}")

    assert report["totals"]["holds"] == 1
    assert report["model"]["kind"] == "directory"


def test_short_name(project):
    """A conftest of three lines adds a short name to the same option."""
    project.pytester.makeconftest(
        "def pytest_addoption(parser):\n    parser.addoption('--model', dest='lengthprobe_model')\n"
    )

    assert project.report("--model=tiny-it")["model"]["name"] == "tiny-it"


def test_no_model_is_an_error_with_the_line_to_type(project):
    """Claims without a model are errors, not skips and not verdicts on some default."""
    result = project.run()

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        ["*no model is named", "*fix: --lengthprobe-model=NAME", "*no claim was decided*"]
    )
    assert "Traceback" not in result.stdout.str()


@pytest.mark.parametrize(
    ("typed", "meant"), [("llama-3.1-8b-instruc", "llama-3.1-8b-instruct"), ("tiny-itt", "tiny-it")]
)
def test_unknown_name_stops_the_run_and_offers_the_nearest(project, typed, meant):
    """A slip of the pen is answered once, before anything runs, with what may have been meant."""
    result = project.run(f"--lengthprobe-model={typed}")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        [f"*no model is known by the name '{typed}'", f"*fix: did you mean {meant} or *"]
    )
    assert "Traceback" not in result.stderr.str()


def test_unusable_checkpoint_is_an_error_in_every_claim_and_tried_once(project, tmp_path, monkeypatch):
    """A checkpoint that cannot be loaded is no skip and no broken claim, and is not loaded again."""
    from lengthprobe.checkpoints import files

    tried = []
    locate = files.locate
    monkeypatch.setattr(files, "locate", lambda *args: tried.append(args) or locate(*args))
    (tmp_path / "empty").mkdir()
    project.ini(lengthprobe_languages="en,it")

    result = project.run(f"--lengthprobe-model={tmp_path / 'empty'}")

    result.assert_outcomes(errors=2)
    result.stdout.fnmatch_lines(
        [
            "*config.json*",
            "*fix: *",
            "*(as above)",
            "error in 2 claims: *config.json*",
            "*fix: *",
            "0 hold, 0 broken, 0 undecided, 2 errors, 0 skipped",
        ]
    )
    assert len(tried) == 1
