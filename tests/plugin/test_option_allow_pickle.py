"""--lengthprobe-allow-pickle."""

from __future__ import annotations

import shutil

import pytest


@pytest.fixture
def pickled(tmp_path, weights):
    """A checkpoint that has pickled weights only."""
    import torch
    from safetensors.torch import load_file

    path = tmp_path / "pickled"
    shutil.copytree(weights("tiny-it"), path)
    torch.save(load_file(path / "model.safetensors"), path / "pytorch_model.bin")
    (path / "model.safetensors").unlink()
    return path


def test_pickle_is_refused_unless_asked_for(project, pickled):
    """The claims are errors that name the option."""
    result = project.run(f"--lengthprobe-model={pickled}")

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*fix: *--lengthprobe-allow-pickle*"])


def test_option_allows_it(project, pickled):
    """The same weights give the same verdict."""
    report = project.report(f"--lengthprobe-model={pickled}", "--lengthprobe-allow-pickle")

    assert report["totals"]["holds"] == 1


def test_no_ini_file_can_allow_it(project, pickled):
    """A checked-out project must not make anybody run what it brings along."""
    project.ini(lengthprobe_allow_pickle="true")

    result = project.run(f"--lengthprobe-model={pickled}")

    result.assert_outcomes(errors=1, warnings=1)
    result.stdout.fnmatch_lines(["*Unknown config option: lengthprobe_allow_pickle*"])
