"""A second run of an unchanged checkpoint: torch is not imported, and the report is the same."""

from __future__ import annotations

import json

import pytest

CLAIMS = """
@pytest.mark.claim(about="mechanism", languages=["en"])
def test_heads(probe, language):
    assert measures.control_without_random(probe, language=language) > 0.1


@pytest.mark.claim
def test_exact(probe, language):
    assert measures.exact_match(probe, language=language) > 0.5


@pytest.mark.claim(about="mechanism", languages=["en"])
def test_number(probe, base_probe, language):
    swap = measures.number_swap(probe, component="late heads", language=language)
    assert swap > measures.number_swap(base_probe, component="late heads", language=language)


@pytest.mark.claim
def test_attention(probe, language):
    assert measures.attention_to_number(probe, heads=["L1H0"], language=language) > -1
"""
CONFTEST = """
import sys
from pathlib import Path


def pytest_unconfigure():
    heavy = {"torch", "transformers", "safetensors.torch"} & set(sys.modules)
    Path("imported.txt").write_text(" ".join(sorted(heavy)))
"""


@pytest.fixture
def project(project):
    """Claims on behaviour, attribution, causes and attention, of a model and its base."""
    project.claims(CLAIMS)
    (project.path / "conftest.py").write_text(CONFTEST)
    project.ini(lengthprobe_store="kept", lengthprobe_budget="60", lengthprobe_base="tiny-base")
    return project


def run(project, *options):
    """The report of a run in a process of its own without its times, the page, and what was imported."""
    folder = project.path / "pages"
    result = project.pytester.runpytest_subprocess(f"--lengthprobe-report={folder}", *options)
    told = json.loads((folder / "report.json").read_text())
    del told["seconds_a_prompt"]
    for claim in told["claims"]:
        del claim["duration_s"]
    return told, (folder / "index.html").read_bytes(), (project.path / "imported.txt").read_text(), result


def test_a_second_run_imports_no_torch(project):
    """Nor transformers; all figures are the same, those of the page too."""
    first, page, imported, result = run(project)
    assert "torch" in imported
    assert first["totals"]["error"] == 0, result.stdout.str()

    second, page_again, imported, _ = run(project)

    assert imported == ""
    assert second == first
    assert page_again == page


def test_another_seed_is_asked(project):
    """And not answered with what is known of the last."""
    run(project)

    _, _, imported, _ = run(project, "--lengthprobe-seed=1")

    assert "torch" in imported
