"""--lengthprobe-allow-remote-code."""

from __future__ import annotations

import json
import shutil

import pytest


@pytest.fixture
def scripted(tmp_path, weights):
    """A checkpoint that wants its own Python code to be run."""
    path = tmp_path / "scripted"
    shutil.copytree(weights("tiny-it"), path)
    config = json.loads((path / "config.json").read_text())
    config["auto_map"] = {"AutoModelForCausalLM": "modeling.Model"}
    (path / "config.json").write_text(json.dumps(config))
    (path / "modeling.py").write_text(
        "from transformers import LlamaForCausalLM\n\n\nclass Model(LlamaForCausalLM):\n    pass\n"
    )
    return path


def test_remote_code_is_refused_unless_asked_for(project, scripted):
    """The claims are errors that name the option."""
    result = project.run(f"--lengthprobe-model={scripted}")

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*fix: *--lengthprobe-allow-remote-code*"])


def test_option_allows_it(project, scripted, monkeypatch, tmp_path):
    """The checkpoint's own class is used."""
    monkeypatch.setattr("transformers.dynamic_module_utils.HF_MODULES_CACHE", str(tmp_path / "modules"))

    report = project.report(f"--lengthprobe-model={scripted}", "--lengthprobe-allow-remote-code")

    assert report["model"]["architecture"] == "Model"


def test_no_ini_file_can_allow_it(project, scripted):
    """A checked-out project must not make anybody run what it brings along."""
    project.ini(lengthprobe_allow_remote_code="true")

    project.run(f"--lengthprobe-model={scripted}").assert_outcomes(errors=1, warnings=1)
