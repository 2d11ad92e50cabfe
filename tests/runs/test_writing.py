"""Writing a run whole or not at all."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from lengthprobe.errors import ReportError
from lengthprobe.runs import writing
from lengthprobe.runs.saved import SavedRun, read_run
from lengthprobe.runs.writing import CheckpointAnswers, check_place, remove_run, write_run

Answers = dict[str, CheckpointAnswers]


@pytest.fixture
def answered(approved: SavedRun) -> Answers:
    """The answers of the saved run, to be saved again."""
    responses = {language: approved.responses(language) for language in approved.languages()}
    return {"model": CheckpointAnswers(approved.identity(), approved.form(), approved.proof(), responses)}


def files(folder: Path) -> set[str]:
    """The files in a folder, hidden ones too."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_every_file_is_there(answered: Answers, approved: SavedRun, tmp_path: Path) -> None:
    """And nothing beside the run."""
    place = write_run(tmp_path / "deep" / "again", approved.report, answered)
    assert files(tmp_path) == {
        f"deep/again/{name}"
        for name in (".gitattributes", "run.json", "model/responses-en.json", "model/responses-it.json")
    }
    assert read_run(place).responses("it") == approved.responses("it")


def test_a_taken_name_is_refused(answered: Answers, approved: SavedRun, tmp_path: Path) -> None:
    """Unless the caller says so; the new run is there then, and nothing of the old."""
    place = write_run(tmp_path / "a", approved.report, answered)
    (place / "left-over").write_text("of the old run")
    with pytest.raises(ReportError, match=r"saved as a already: tiny-it, 20.*\n.*--lengthprobe-replace"):
        write_run(place, approved.report, answered)
    write_run(place, approved.report, answered, replace=True)
    assert not (place / "left-over").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_another_folder_is_never_replaced(tmp_path: Path) -> None:
    """Nor a file."""
    (tmp_path / "notes").mkdir()
    (tmp_path / "file").write_text("")
    for name in ("notes", "file"):
        with pytest.raises(ReportError, match=f"is no saved run\n.*--lengthprobe-save={name}-2"):
            check_place(tmp_path / name, name, replace=True)


@pytest.mark.parametrize("replace", [False, True])
def test_a_failure_leaves_what_was_there(
    replace: bool,
    answered: Answers,
    approved: SavedRun,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No folder, or the old run."""
    if replace:
        write_run(tmp_path / "a", approved.report, answered)
    before = files(tmp_path)

    def full(_path: Path, _made: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(writing, "_write", full)
    with pytest.raises(ReportError, match="No space left on device"):
        write_run(tmp_path / "a", approved.report, answered, replace=replace)
    assert files(tmp_path) == before


def test_old_run_comes_back_where_the_new_cannot_take_its_place(
    answered: Answers,
    approved: SavedRun,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Between the two renames."""
    write_run(tmp_path / "a", approved.report, answered)
    before, rename, calls = files(tmp_path), Path.rename, []

    def second_fails(self: Path, target: Path) -> Path:
        calls.append(self)
        if len(calls) == 2:
            raise OSError(5, "Input/output error")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", second_fails)
    with pytest.raises(ReportError, match="Input/output error"):
        write_run(tmp_path / "a", approved.report, answered, replace=True)
    assert files(tmp_path) == before


def test_closed_folder_is_told_before_anything_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With another place to type."""
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(ReportError, match="--lengthprobe-runs=DIR"):
        check_place(tmp_path / "x" / "a", "a", replace=False)


def test_removed_run_is_gone(copied: Callable[[], Path]) -> None:
    """And nothing else."""
    path = copied()
    (path.parent / "other").mkdir()
    remove_run(path)
    assert [each.name for each in path.parent.iterdir()] == ["other"]


def test_git_changes_no_line_ends(copied: Callable[[], Path]) -> None:
    """A run that git has checked out with other line ends is whole all the same."""
    path = copied()
    git = [
        "git",
        "-C",
        str(path.parent),
        "-c",
        "core.autocrlf=true",
        "-c",
        "user.name=a",
        "-c",
        "user.email=a@b",
    ]
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "a run"]):
        subprocess.run([*git, *command], check=True, capture_output=True)
    for file in path.rglob("*.json"):
        file.unlink()
    subprocess.run([*git, "checkout", "-q", "."], check=True)
    read_run(path).check_whole()


def test_json_has_no_number_beyond_json(approved: SavedRun) -> None:
    """Other readers refuse NaN."""
    json.loads((approved.path / "run.json").read_text(), parse_constant=pytest.fail)
