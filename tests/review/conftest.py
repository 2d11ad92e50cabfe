"""Saved runs of fixture models in one folder, made once."""

from __future__ import annotations

from pathlib import Path

import pytest

from lengthprobe.runs.saved import SavedRun, read_run
from tests.saved_runs import save


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """tiny-it as `approved` and tiny-it-2 as `step`, with attributions; two-short as `short`, without."""
    folder = tmp_path_factory.mktemp("runs")
    save(folder, "approved", "tiny-it", traced=("en", "it"))
    save(folder, "step", "tiny-it-2", traced=("en", "it"))
    save(folder, "short", "two-short", budget=30)
    return folder


@pytest.fixture
def approved(folder: Path) -> SavedRun:
    """The run of tiny-it."""
    return read_run(folder / "approved")


@pytest.fixture
def step(folder: Path) -> SavedRun:
    """The run of tiny-it-2."""
    return read_run(folder / "step")


@pytest.fixture
def short(folder: Path) -> SavedRun:
    """The run of two-short, with fewer prompts."""
    return read_run(folder / "short")
