"""Reading a saved run, whole or damaged."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from lengthprobe.errors import SettingsError
from lengthprobe.runs.saved import FORMAT, SavedRun, read_run


def test_run_says_what_it_holds(approved: SavedRun) -> None:
    """Languages, attributions, settings, the checkpoint."""
    assert approved.languages() == {"en": 40, "it": 40}
    assert approved.traced_languages() == ("en",)
    assert (approved.settings.cap, approved.settings.languages) == (30, ("en", "it"))
    assert approved.identity().display_name == "tiny-it"
    assert approved.proof().n_layers == 5
    assert approved.margins["exact_match"] == 0.8
    approved.check_whole()


def test_truncated_json_is_named(copied: Callable[[], Path]) -> None:
    """With the file, and what to do."""
    path = copied()
    file = path / "run.json"
    file.write_text(file.read_text()[:500])
    with pytest.raises(SettingsError, match=r"approved is damaged: .*run\.json.*\n.*save it again"):
        read_run(path)


def test_newer_format_is_refused(copied: Callable[[], Path]) -> None:
    """With the version that wrote the run."""
    path = copied()
    content = json.loads((path / "run.json").read_text())
    content |= {"format": FORMAT + 1, "made_by": "lengthprobe 9.0"}
    (path / "run.json").write_text(json.dumps(content))
    with pytest.raises(SettingsError, match=r"by a newer lengthprobe \(lengthprobe 9\.0; format 2"):
        read_run(path)


@pytest.mark.parametrize("content", ["{}", "[]", '{"format": "1"}', "null"])
def test_another_json_is_no_run(content: str, tmp_path: Path) -> None:
    """A file of another program may have the name."""
    (tmp_path / "run.json").write_text(content)
    with pytest.raises(SettingsError, match="is no saved run"):
        read_run(tmp_path)


@pytest.mark.parametrize("part", ["saved", "models", "files", "report"])
def test_missing_part_is_damage(part: str, copied: Callable[[], Path]) -> None:
    """Each part of run.json is needed."""
    path = copied()
    content = json.loads((path / "run.json").read_text())
    del content[part]
    (path / "run.json").write_text(json.dumps(content))
    with pytest.raises(SettingsError, match="is damaged"):
        read_run(path)


def test_truncated_attributions_are_named(copied: Callable[[], Path]) -> None:
    """By their digest."""
    path = copied()
    file = path / "model" / "attributions-en.safetensors"
    file.write_bytes(file.read_bytes()[:1000])
    run = read_run(path)
    with pytest.raises(SettingsError, match=r"attributions-en\.safetensors: its 1000 bytes are not those"):
        run.attributions("en")
    with pytest.raises(SettingsError, match="is damaged"):
        run.check_whole()


def test_missing_file_is_named(copied: Callable[[], Path]) -> None:
    """As after an artifact that was fetched in part."""
    path = copied()
    (path / "model" / "responses-it.json").unlink()
    with pytest.raises(SettingsError, match=r"responses-it\.json: it cannot be read"):
        read_run(path).responses("it")


def test_pointer_of_git_lfs_is_told(copied: Callable[[], Path]) -> None:
    """With the command that fetches the file."""
    path = copied()
    (path / "model" / "attributions-en.safetensors").write_text(
        "version https://git-lfs.github.com/spec/v1\n"
    )
    with pytest.raises(SettingsError, match="git lfs pull"):
        read_run(path).attributions("en")


def test_identity_without_a_fact_is_damage(copied: Callable[[], Path]) -> None:
    """An unknown fact, of a later version, is passed over."""
    path = copied()
    content = json.loads((path / "run.json").read_text())
    identity = content["models"]["model"]["identity"] | {"fact_of_a_later_version": 1}
    content["models"]["model"]["identity"] = identity
    (path / "run.json").write_text(json.dumps(content))
    assert read_run(path).identity().cap == 30
    del identity["cap"]
    (path / "run.json").write_text(json.dumps(content))
    with pytest.raises(SettingsError, match=r"damaged.*'cap'"):
        read_run(path).identity()


def test_role_without_answers(approved: SavedRun) -> None:
    """The message names the roles that there are."""
    with pytest.raises(SettingsError, match="holds no answers of a base"):
        approved.identity("base")
