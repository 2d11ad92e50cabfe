"""Paths that lead to nothing: what lies where they lead."""

from __future__ import annotations

from pathlib import Path

import pytest

from lengthprobe.checkpoints.catalog import resolve
from lengthprobe.checkpoints.missing import near_checkpoints
from lengthprobe.errors import ModelError


@pytest.fixture(autouse=True)
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder with two GGUF files and two checkpoints, and call it home."""
    for name in ("model-q4_k_m.gguf", "model-q8_0.gguf", "mmproj-model-f16.gguf", "notes.txt"):
        (tmp_path / name).touch()
    for name in ("step-4000", "final"):
        (tmp_path / "runs" / name).mkdir(parents=True)
        (tmp_path / "runs" / name / "config.json").touch()
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def _refusal(name: str) -> ModelError:
    with pytest.raises(ModelError) as raised:
        resolve(name)
    assert raised.value.problem.startswith(f"{name} does not exist")
    return raised.value


@pytest.mark.parametrize("start", ["", "./", "~/", "{here}/", "runs/../"])
def test_other_gguf_files_of_the_folder(workplace: Path, start: str) -> None:
    """They are named as lines to type, as the path was typed, the nearest first."""
    start = start.format(here=workplace)
    error = _refusal(f"{start}model-q4.gguf")
    assert error.problem.endswith("; its folder holds model-q4_k_m.gguf, model-q8_0.gguf")
    lines = [line.removeprefix("--lengthprobe-model=") for line in error.fix.split(", or ")]
    assert lines == [f"{start}model-q4_k_m.gguf", f"{start}model-q8_0.gguf"]
    assert all(resolve(line).file for line in lines)


def test_many_gguf_files() -> None:
    """Eight are named, and the others counted."""
    for number in range(10):
        Path("empty", f"m{number}.gguf").touch()
    error = _refusal("./empty/m.gguf")
    assert error.problem.endswith("m6.gguf, m7.gguf")
    assert error.fix.endswith("--lengthprobe-model=./empty/m7.gguf, or 2 more")


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("./runs/step-400", ["./runs/step-4000"]),
        ("runs/step4000", ["runs/step-4000"]),
        ("./runs/fianl", ["./runs/final"]),
        ("./model-q8", ["./model-q8_0.gguf"]),
        ("./runs/zzz", []),
        ("./empti", []),
        ("./notes", []),
        ("a\0b/c", []),
    ],
)
def test_near_names(name: str, near: list[str]) -> None:
    """Checkpoints whose names are alike are named, and nothing that is none."""
    assert near_checkpoints(name) == near


@pytest.mark.parametrize(
    ("name", "end"),
    [
        ("./nowhere", "{here} holds no nowhere"),
        ("./empty/model.gguf", "{here}/empty holds no model.gguf"),
        ("runs/a/step-1", "{here}/runs holds no a"),
        ("~/nowhere", "{here} holds no nowhere"),
        ("{here}/empty/at/all", "{here}/empty holds no at"),
        ("../nowhere", "{here.parent} holds no nowhere"),
        ("/nowhere/at/all", "/ holds no nowhere"),
        ("./notes.txt/a/b", "{here}/notes.txt is no folder"),
    ],
)
def test_path_that_leads_nowhere(workplace: Path, name: str, end: str) -> None:
    """The message says how far it leads, of whatever kind the path is."""
    error = _refusal(name.format(here=workplace))
    assert error.problem.endswith(" does not exist")
    assert error.fix == f"check the path: {end.format(here=workplace)}"


def test_path_of_a_near_folder() -> None:
    """A checkpoint beside it whose name is alike may have been meant."""
    assert _refusal("./runs/step-400").fix == "did you mean ./runs/step-4000?"


def test_folder_that_may_not_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is known of what lies there."""

    def locked(_path: object) -> list[str]:
        raise PermissionError

    monkeypatch.setattr("os.listdir", locked)
    assert near_checkpoints("./model-q4.gguf") == []
