"""--lengthprobe-save, --lengthprobe-runs and --lengthprobe-replace; a saved run as the reference."""

from __future__ import annotations

import json
import re
import shutil

import pytest

from lengthprobe.checkpoints.catalog import resolve
from lengthprobe.plugin.exit_status import ExitStatus
from lengthprobe.runs.saved import read_run

CLAIMS = """
@pytest.mark.claim
def test_exact(probe, language):
    assert measures.exact_match(probe, language=language) > 0.5


@pytest.mark.claim
def test_no_worse(probe, reference_probe, language):
    change = measures.exact_match(probe, language=language) - measures.exact_match(
        reference_probe, language=language
    )
    assert change > -0.3
"""
OF_MECHANISM = """
@pytest.mark.claim(about="mechanism", languages=["en"])
def test_share(probe, language):
    assert measures.share(measures.cwa(probe, component="late heads", language=language)) > 0.01


@pytest.mark.claim(about="mechanism", languages=["en"])
def test_still_stops(probe, reference_probe, language):
    both = [
        measures.number_swap(each, component="late heads", language=language)
        for each in (probe, reference_probe)
    ]
    assert measures.fall_of_share(*both) < 0.5
"""


@pytest.fixture
def project(project):
    """Two claims, and saved runs in the project's folder."""
    project.claims(CLAIMS)
    project.ini(lengthprobe_runs="saved")
    return project


def checks(report):
    """The checks of each claim, without the names of the checkpoints."""
    return {
        claim["nodeid"]: [
            {key: check[key] for key in ("mean", "low", "high", "n", "verdict")} for check in claim["checks"]
        ]
        for claim in report["claims"]
    }


@pytest.fixture
def loaded(monkeypatch):
    """The names of the checkpoints that are loaded."""
    from lengthprobe.checkpoints import loading

    names = []
    load = loading.load_checkpoint

    def noted(files, settings):
        names.append(files.source.name)
        return load(files, settings)

    monkeypatch.setattr(loading, "load_checkpoint", noted)
    return names


def test_run_is_saved(project):
    """Under its name, in the folder of the option; the last lines say where."""
    result = project.run("--lengthprobe-save=approved")

    result.assert_outcomes(passed=1, deselected=1)
    result.stdout.fnmatch_lines([f"run: saved as approved in {project.path / 'saved' / 'approved'}"])
    run = read_run(project.path / "saved" / "approved")
    run.check_whole()
    assert run.languages() == {"en": 16}
    assert run.traced_languages() == ()
    assert [claim["verdict"] for claim in run.report["claims"]] == ["holds"]
    assert run.report["model"]["lineage"] == "fixture"


def test_reference_is_read_and_not_loaded(project, loaded):
    """The figures are those of the checkpoint itself."""
    project.claims(CLAIMS + OF_MECHANISM)
    live = checks(project.report("--lengthprobe-model=tiny-it-2", "--lengthprobe-reference=tiny-it"))
    project.run("--lengthprobe-save=approved")
    loaded.clear()

    report = project.report("--lengthprobe-model=tiny-it-2", "--lengthprobe-reference=approved")

    assert loaded == ["tiny-it-2"]
    assert checks(report) == live
    expressions = [check["expression"] for claim in report["claims"] for check in claim["checks"]]
    assert "exact_match(tiny-it-2, en) - exact_match(approved, en) > -0.3" in expressions
    assert report["reference"]["run"].startswith("approved, saved 20")
    assert report["reference"]["name"] == "tiny-it"


def test_workers_save_one_run(project):
    """The same as a single process."""
    project.claims(CLAIMS + OF_MECHANISM)
    project.run("--lengthprobe-save=alone")
    result = project.pytester.runpytest_subprocess("-n", "2", "--lengthprobe-save=shared")

    result.assert_outcomes(passed=2)
    alone, shared = (read_run(project.path / "saved" / name) for name in ("alone", "shared"))
    assert alone.content["files"] == shared.content["files"]


def test_workers_read_one_reference(project):
    """Each for itself."""
    project.run("--lengthprobe-save=approved")
    result = project.pytester.runpytest_subprocess("-n", "2", "--lengthprobe-reference=approved")
    result.assert_outcomes(passed=2)


def test_header_names_the_run(project):
    """And the checkpoint behind the run."""
    project.run("--lengthprobe-save=approved")
    result = project.run("--lengthprobe-reference=approved")
    result.stdout.fnmatch_lines(
        [
            "reference  approved (tiny-it): LlamaForCausalLM, lineage fixture, *",
            "reference  answers of the saved run approved, saved *: no model was loaded for them",
        ]
    )


def test_folder_with_a_slash(project):
    """Is the folder of the run, as a reference too."""
    project.run("--lengthprobe-save=./kept/first")
    assert (project.path / "kept" / "first" / "run.json").is_file()
    result = project.run("--lengthprobe-reference=kept/first")
    result.assert_outcomes(passed=2)


def test_taken_name_is_refused_before_anything_is_asked(project, loaded):
    """The same command may say that the run is replaced."""
    project.run("--lengthprobe-save=approved")
    loaded.clear()
    result = project.run("--lengthprobe-save=approved")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        ["ERROR: a run is saved as approved already: tiny-it, *", "*add --lengthprobe-replace"]
    )
    assert loaded == []

    project.run("--lengthprobe-save=approved", "--lengthprobe-replace", "--lengthprobe-budget=20")
    assert read_run(project.path / "saved" / "approved").languages() == {"en": 20}


def test_replacing_needs_a_name(project):
    """And stands in no ini file."""
    result = project.run("--lengthprobe-replace")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*fix: --lengthprobe-save=NAME"])
    project.ini(lengthprobe_save="nightly")
    project.run()
    assert (project.path / "saved" / "nightly").is_dir()
    assert project.run().ret == pytest.ExitCode.USAGE_ERROR
    project.run("--lengthprobe-replace").assert_outcomes(passed=1, deselected=1)


@pytest.mark.parametrize("name", ["tiny-it", "llama-3.1-8b"])
def test_name_of_a_checkpoint_is_refused(name, project):
    """As a reference it would mean both."""
    result = project.run(f"--lengthprobe-save={name}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"*{name}: this is the name of a checkpoint*"])


def test_name_of_both_is_refused(project):
    """The message names each in full."""
    project.run("--lengthprobe-save=approved")
    shutil.copytree(resolve("tiny-it").path, project.path / "approved")
    result = project.run("--lengthprobe-reference=approved")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        [
            "*approved is the name of a checkpoint, and a run is saved under this name too",
            f"*for the run: --lengthprobe-reference={project.path / 'saved' / 'approved'}",
        ]
    )
    project.run(f"--lengthprobe-reference={project.path / 'saved' / 'approved'}").assert_outcomes(passed=2)


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (["--lengthprobe-reference=aproved"], "*or the saved run: --lengthprobe-reference=approved"),
        (
            ["--lengthprobe-reference=approved", "--lengthprobe-budget=30"],
            "*the saved run approved holds 16 prompts in en, and 30 are asked for",
        ),
        (["--lengthprobe-reference=approved", "--lengthprobe-cap=40"], "*fix: --lengthprobe-cap=30"),
        (["--lengthprobe-model=approved"], "*--lengthprobe-model=approved is a saved run*"),
        (["--lengthprobe-save=a b"], "*'a b' is no name of a run*"),
    ],
)
def test_refusals_at_the_start(args, told, project):
    """Before any claim runs."""
    project.run("--lengthprobe-save=approved")
    result = project.run(*args)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([told])


def test_damaged_reference_is_refused_at_the_start(project):
    """By the file."""
    project.run("--lengthprobe-save=approved")
    (project.path / "saved" / "approved" / "model" / "responses-en.json").write_text("[]")
    result = project.run("--lengthprobe-reference=approved")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: the saved run approved is damaged: *responses-en.json: its 2 *"])


def test_other_precision_is_an_error_of_the_comparison(project):
    """Other claims are decided."""
    project.run("--lengthprobe-save=approved")
    file = project.path / "saved" / "approved" / "run.json"
    file.write_text(re.sub(r'"float32 products": "\w+"', '"float32 products": "tf32"', file.read_text()))
    report = project.report("--lengthprobe-reference=approved")
    assert [claim["verdict"] for claim in report["claims"]] == ["holds", "error"]
    assert "float32 products of torch: tf32 in the saved run approved" in report["claims"][1]["message"]


def test_other_device_is_told_below_the_table(project):
    """And the claim is decided."""
    project.run("--lengthprobe-save=approved")
    file = project.path / "saved" / "approved" / "run.json"
    content = json.loads(file.read_text())
    content["models"]["model"]["identity"]["device"] = "NVIDIA H100"
    file.write_text(json.dumps(content))
    result = project.run("--lengthprobe-reference=approved")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["warning: approved and tiny-it differ in device NVIDIA H100 and cpu*"])


def test_mechanism_needs_saved_attributions(project):
    """The claim says how to save them; behaviour is compared all the same."""
    project.run("--lengthprobe-save=approved")
    project.claims(CLAIMS + OF_MECHANISM)
    report = project.report("--lengthprobe-reference=approved")
    found = {claim["nodeid"].split("::")[1].split("[")[0]: claim for claim in report["claims"]}
    assert found["test_no_worse"]["verdict"] == "holds"
    assert found["test_still_stops"]["verdict"] == "error"
    assert "approved holds no attributions in en" in found["test_still_stops"]["message"]


def test_interrupted_run_is_not_saved(project):
    """Half of the claims would look like all of them."""
    project.claims(CLAIMS.replace("> 0.5", "> 0.999") + CLAIMS.replace("test_exact", "test_exact_too"))
    result = project.run("--lengthprobe-save=approved", "-x")
    result.stdout.fnmatch_lines(["lengthprobe: the run was not saved as approved: not every claim ran*"])
    assert not (project.path / "saved").exists()


def test_run_that_cannot_be_written_is_a_problem(project, monkeypatch):
    """The verdicts are there, and the session fails."""
    from lengthprobe.runs import writing

    def full(_path, _made):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(writing, "_write", full)
    result = project.run("--lengthprobe-save=approved")
    result.assert_outcomes(passed=1, deselected=1)
    assert result.ret == ExitStatus.NOT_MEASURED
    result.stdout.fnmatch_lines(["lengthprobe: the run could not be saved as *No space left on device*"])
    assert list((project.path / "saved").iterdir()) == []


def test_nothing_is_saved_where_nothing_ran(project):
    """Nor where tests are only listed."""
    project.run("--lengthprobe-save=approved", "-k", "nothing")
    project.run("--lengthprobe-save=approved", "--collect-only")
    assert not (project.path / "saved").exists()
