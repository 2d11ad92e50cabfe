"""Places of saved runs."""

from __future__ import annotations

from pathlib import Path

import pytest
from platformdirs import user_data_path

from lengthprobe.errors import SettingsError
from lengthprobe.runs.places import default_runs_folder, find_run, place_of_run, run_names


def test_runs_lie_in_the_data_of_the_user() -> None:
    """Where nobody names another folder."""
    assert default_runs_folder() == user_data_path("lengthprobe") / "runs"


@pytest.mark.parametrize("name", ["approved", "step-4000", "v1.2", "2026-11-28", "a@b", "été"])
def test_name_without_a_slash_lies_in_the_folder(name: str, tmp_path: Path) -> None:
    """Whatever the working directory is."""
    assert place_of_run(name, tmp_path) == tmp_path / name


@pytest.mark.parametrize(
    ("name", "place"), [("./approved", "/start/approved"), ("a/b", "/start/a/b"), ("/x/y", "/x/y")]
)
def test_name_with_a_slash_is_a_folder(name: str, place: str, tmp_path: Path) -> None:
    """Relative to where the name was typed."""
    assert place_of_run(name, tmp_path, Path("/start")) == Path(place)


@pytest.mark.parametrize("name", ["", ".", "..", ".hidden", "-x", "a b", "a\nb", "a:b"])
def test_name_of_no_run_is_refused(name: str, tmp_path: Path) -> None:
    """A name that a shell or a system reads otherwise."""
    with pytest.raises(SettingsError, match="is no name of a run"):
        place_of_run(name, tmp_path)


def test_unknown_run_is_told_the_nearest(tmp_path: Path) -> None:
    """Or all runs, or how to save a run."""
    with pytest.raises(SettingsError, match="--lengthprobe-save"):
        find_run("aproved", tmp_path)
    for name in ("approved", "step-1"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "run.json").write_text("{}")
    with pytest.raises(SettingsError, match=r"did you mean approved\?"):
        find_run("aproved", tmp_path)
    with pytest.raises(SettingsError, match="approved, step-1"):
        find_run("zzz", tmp_path)


def test_other_folders_are_no_runs(tmp_path: Path) -> None:
    """Nor are unfinished runs."""
    for name in ("notes", ".approved.0123"):
        (tmp_path / name).mkdir()
    (tmp_path / ".approved.0123" / "run.json").write_text("{}")
    assert run_names(tmp_path) == []
    assert run_names(tmp_path / "nowhere") == []
    with pytest.raises(SettingsError, match=r"a folder without run\.json"):
        find_run("notes", tmp_path)
