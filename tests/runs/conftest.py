"""Saved runs of tiny-it, made once; a test that changes a run gets a copy."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from lengthprobe.runs.saved import SavedRun, read_run
from tests.saved_runs import save


@pytest.fixture(scope="session")
def approved(tmp_path_factory: pytest.TempPathFactory) -> SavedRun:
    """40 answers of tiny-it in English and in Italian, with attributions in English."""
    return save(tmp_path_factory.mktemp("runs"), "approved", "tiny-it", traced=("en",))


@pytest.fixture
def copied(approved: SavedRun, tmp_path: Path) -> Callable[[], Path]:
    """Return a function that copies the saved run to a folder of the test's own."""

    def copy() -> Path:
        return Path(shutil.copytree(approved.path, tmp_path / "runs" / "approved"))

    return copy


@pytest.fixture
def reread() -> Callable[[Path], SavedRun]:
    """Return a function that reads a saved run."""
    return read_run
