"""Display names: a path stands where a checkpoint is identified, and nowhere else."""

from __future__ import annotations

import json
import shutil

import pytest

COMPARISON = """
@pytest.mark.claim
def test_no_worse(probe, reference_probe):
    change = measures.exact_match(probe, language='en') - measures.exact_match(reference_probe, language='en')
    assert change > -0.3
"""
MECHANISM = """
@pytest.mark.claim(about="mechanism", languages=("en",))
def test_written_by_late_heads(probe, language):
    assert measures.cwa(probe, component="late heads", language=language) > 0.5


@pytest.mark.claim(about="mechanism", languages=("en",))
def test_needed(probe, language):
    assert measures.control_without(probe, language=language, kind="heads") > 0.99
"""


@pytest.fixture
def folders(project, weights):
    """The paths of two copies of a checkpoint, in folders of one name."""
    for name in ("new", "old"):
        shutil.copytree(weights("tiny-it"), project.path / "runs" / name / "final")
    return [str(project.path / "runs" / name / "final") for name in ("new", "old")]


@pytest.fixture
def project(project):
    """A project with a comparison beside its claim."""
    with (project.path / "test_claims.py").open("a") as file:
        file.write(COMPARISON)
    return project


def test_path_stands_once_in_the_header(project, folders):
    """The opening says which name is which path; the table's header identifies the checkpoint by it."""
    model, reference = folders
    lines = project.run(f"--lengthprobe-model={model}", f"--lengthprobe-reference={reference}").stdout.lines

    saying = [line for line in lines if model in line]
    assert [line.split(":")[0] for line in saying] == ["lengthprobe", f"model      new/final ({model})"]
    assert saying[0] == f"lengthprobe: model new/final ({model}), reference old/final ({reference})"


def test_expression_has_the_display_names(project, folders):
    """As many segments of each path as tell the two apart."""
    model, reference = folders
    report = project.report(f"--lengthprobe-model={model}", f"--lengthprobe-reference={reference}")

    said = [check["expression"] for claim in report["claims"] for check in claim["checks"]]
    assert said == [
        "exact_match(new/final, en) > 0.5",
        "exact_match(new/final, en) - exact_match(old/final, en) > -0.3",
    ]
    assert report["model"]["name"] == model
    assert report["model"]["display_name"] == "new/final"


def test_display_name_identifies_nothing(project, folders):
    """Under another path all else that identifies a checkpoint is the same, and so are the numbers."""
    one, other = (project.report(f"--lengthprobe-model={path}") for path in folders)

    for report in (one, other):
        assert report["model"].pop("display_name") == "final"
        report["model"].pop("name")
        for claim in report["claims"]:
            claim.pop("duration_s")
    assert one["model"] == other["model"]
    assert one["claims"] == other["claims"]


def test_path_is_in_no_figure_title_or_table(project, folders):
    """Page, portrait, figures and Markdown call it by its display name, in every process."""
    project.claims(MECHANISM)
    model = folders[0]
    project.pytester.runpytest_subprocess(
        f"--lengthprobe-model={model}", "--lengthprobe-report=out", "--lengthprobe-lineage=fixture", "-n", "2"
    )

    out = project.path / "out"
    report = json.loads((out / "report.json").read_text())
    said = [check["expression"] for claim in report["claims"] for check in claim["checks"]]
    assert [one.partition("(")[2].partition(",")[0] for one in said] == ["final", "final"]
    assert report["portraits"]["model"]["name"] == "final"
    # A figure of causes is drawn where its expression is known again.
    assert list(report["portraits"]["model"]["causes"]["en"]["heads"]) == ["without"]
    figures = list((out / "figures").iterdir())
    assert figures
    assert not any(model in path.read_text() for path in figures)
    summary = (out / "summary.md").read_text()
    assert summary.startswith("## final: ")
    assert [line for line in summary.splitlines() if model in line] == [f"<br>model: final (`{model}`)"]
    page = (out / "index.html").read_text()
    assert "<h1><bdi>final</bdi></h1>" in page
    assert page.count(model) == 1


def test_base_from_a_card_takes_no_name(project, weights):
    """A base in a folder of the model's name has one segment more, and the model keeps its own."""
    for name, source in (("base", "tiny-base"), ("new", "tiny-it")):
        shutil.copytree(weights(source), project.path / "runs" / name / "final")
    card = "---\nbase_model: ../../base/final\n---\n"
    (project.path / "runs" / "new" / "final" / "README.md").write_text(card)
    project.claims(
        "@pytest.mark.claim\n"
        "def test_better(probe, base_probe):\n"
        "    own, base = (measures.exact_match(one, language='en') for one in (probe, base_probe))\n"
        "    assert own > base\n"
    )
    report = project.report("--lengthprobe-model=runs/new/final")

    (check,) = report["claims"][0]["checks"]
    assert check["expression"] == "exact_match(final, en) > exact_match(base/final, en)"
