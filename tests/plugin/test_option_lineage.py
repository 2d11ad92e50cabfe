"""--lengthprobe-lineage."""

from __future__ import annotations

import shutil

import pytest

CLAIMS = """
@pytest.mark.claim
def test_behaviour(probe):
    assert measures.exact_match(probe, language='en') > 0.5


@pytest.mark.claim(about="mechanism", languages=["en"])
def test_mechanism(probe):
    assert measures.exact_match(probe, language='en') > 0.5
"""


@pytest.fixture
def project(project):
    """A project with a claim about the mechanism."""
    project.claims(CLAIMS)
    return project


@pytest.fixture
def foreign(tmp_path, weights):
    """A checkpoint of which nothing tells what it was tuned from."""
    directory = shutil.copytree(weights("tiny-it"), tmp_path / "foreign")
    (directory / "README.md").unlink()
    return f"--lengthprobe-model={directory}"


def kinds(report):
    """The kind of each claim that was run."""
    return [claim["kind"] for claim in report["claims"]]


def test_name_and_card_tell(project, tmp_path, weights):
    """A fixture model by its name, a copy of it by the base in its card."""
    copy = shutil.copytree(weights("tiny-it"), tmp_path / "copy")

    for args in ((), (f"--lengthprobe-model={copy}",)):
        report = project.report(*args)
        assert (report["model"]["lineage"], report["model"]["lineage_told"]) == ("fixture", False)
        assert kinds(report) == ["requirement", "requirement"]


def test_where_nothing_tells(project, foreign):
    """The report and the header say that it is not known."""
    report = project.report(foreign)

    assert (report["model"]["lineage"], kinds(report)) == (None, ["requirement"])
    project.run(foreign).stdout.fnmatch_lines(["model*foreign (*): LlamaForCausalLM, lineage not known, *"])


@pytest.mark.parametrize("lineage", ["llama-3.1", "fixture"])
def test_option_tells(project, foreign, lineage):
    """Then the claims are requirements, and report and header say that somebody told."""
    told = f"--lengthprobe-lineage={lineage}"

    report = project.report(foreign, told)

    assert (report["model"]["lineage"], report["model"]["lineage_told"]) == (lineage, True)
    assert kinds(report) == ["requirement", "requirement"]
    project.run(foreign, told).stdout.fnmatch_lines(
        [f"lengthprobe: model *, lineage {lineage}", f"model * lineage {lineage} (as told), *"]
    )


def test_other_makes_it_a_replication(project):
    """It goes before name and card."""
    report = project.report("--lengthprobe-lineage=other")

    assert (report["model"]["lineage"], kinds(report)) == ("other", ["requirement"])


def test_is_that_of_the_model_under_test(project):
    """Base and reference have their own."""
    project.claims(
        CLAIMS + "\n\n@pytest.mark.claim\ndef test_change(probe, reference_probe):\n"
        "    assert measures.exact_match(reference_probe, language='en') > 0.5\n"
    )

    report = project.report("--lengthprobe-lineage=llama-3.1", "--lengthprobe-reference=tiny-it-2")

    assert [report[role]["lineage"] for role in ("model", "reference")] == ["llama-3.1", "fixture"]


def test_ini_twin(project):
    """The ini file can tell that of the model that it names; another on the command line has another."""
    project.ini(lengthprobe_lineage="other")

    assert kinds(project.report()) == ["requirement"]
    assert kinds(project.report("--lengthprobe-model=tiny-it-2")) == ["requirement", "requirement"]


def test_unknown_lineage_is_refused(project):
    """The message names those there are."""
    result = project.run("--lengthprobe-lineage=llama")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        [
            "ERROR: --lengthprobe-lineage=llama: no lineage is known by this name",
            "*fix: --lengthprobe-lineage=llama-3.1, or fixture or other",
        ]
    )


@pytest.mark.parametrize("markers", ["requirement", "not replication"])
def test_a_gate_that_chooses_by_kind_says_what_the_lineage_takes_out(project, foreign, markers):
    """`-m` deselects these claims before they could be counted; a green run must not keep it to itself."""
    result = project.run(foreign, "-m", markers)

    result.stdout.fnmatch_lines(["not run: 1 claim about the mechanism*"])


def test_card_that_cannot_be_had_is_told(project, monkeypatch, tmp_path):
    """Offline, the lineage of a hub's checkpoint is not known for that reason, and nothing raw is shown."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))

    result = project.run("--lengthprobe-model=org/nobody")

    result.stdout.fnmatch_lines(
        [
            "the lineage is not known: the model card is not in the hub cache, *",
            "not run: * about the mechanism*",
        ]
    )


def test_card_that_says_nothing_is_not_told(project, foreign):
    """A folder without a card has nothing that could not be had."""
    result = project.run(foreign)

    result.stdout.fnmatch_lines(["not run: * about the mechanism*"])
    result.stdout.no_fnmatch_line("the lineage is not known*")
