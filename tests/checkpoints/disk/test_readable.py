"""Folders and files that cannot be read are said to be so, and nothing else is blamed."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lengthprobe.checkpoints.catalog import resolve
from lengthprobe.checkpoints.files import locate
from lengthprobe.errors import ModelError
from lengthprobe.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable


def _lock(monkeypatch: pytest.MonkeyPatch, locked: Path, *calls: str) -> None:
    """Make calls of the system on a path, and on what is in it, be denied: root is denied nothing itself."""
    for name in calls:
        known = getattr(os, name)

        def denied(path: Any = ".", *args: Any, known: Any = known, **rest: Any) -> Any:
            if isinstance(path, str | os.PathLike) and Path(path).is_relative_to(locked):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
            return known(path, *args, **rest)

        monkeypatch.setattr(os, name, denied)


def test_folder_that_may_not_be_listed(copy_of: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder is named, and the command that opens it."""
    directory = copy_of()
    _lock(monkeypatch, directory, "listdir", "scandir")
    with pytest.raises(
        ModelError, match=f"the folder {directory} cannot be read: Permission denied"
    ) as raised:
        locate(str(directory), Settings())
    assert raised.value.fix == f"chmod u+rx {directory}"


def test_folder_whose_files_may_not_be_looked_at(
    copy_of: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder that may be listed and not searched is named as well."""
    directory = copy_of()
    inside = directory / "config.json"
    _lock(monkeypatch, inside, "stat")
    with pytest.raises(ModelError, match=f"the folder {directory} cannot be read: Permission denied"):
        locate(str(directory), Settings())


def test_folder_above_that_may_not_be_searched(
    copy_of: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a folder above is locked, the checkpoint is not said to be missing."""
    directory = copy_of()
    _lock(monkeypatch, directory, "stat")
    with pytest.raises(ModelError, match=f"the folder {directory.parent} cannot be read: Permission denied"):
        resolve(str(directory))


def test_file_that_may_not_be_read(copy_of: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """A locked file is to be opened to the reader, and not to be restored."""
    directory = copy_of()
    path, known = directory / "config.json", Path.read_text

    def read_text(self: Path, *args: Any, **rest: Any) -> str:
        if self == path:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return known(self, *args, **rest)

    monkeypatch.setattr(Path, "read_text", read_text)
    with pytest.raises(ModelError, match=r"config\.json cannot be read: Permission denied") as raised:
        locate(str(directory), Settings())
    assert raised.value.fix == f"chmod u+r {path}"


def test_links_in_a_circle(tmp_path: Path) -> None:
    """A link that leads back to itself is named."""
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(ModelError, match=r"a cannot be read: Too many levels of symbolic links"):
        resolve(str(tmp_path / "a"))


def test_link_to_a_folder_that_is_gone(tmp_path: Path) -> None:
    """A link to nothing is said to be one, and not a hub id."""
    (tmp_path / "latest").symlink_to("step-4000")
    with pytest.raises(ModelError, match=r"latest is a link to step-4000, which is not there"):
        resolve(str(tmp_path / "latest"))


@pytest.mark.parametrize(
    "name",
    ["config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors"],
)
def test_link_to_a_file_that_is_gone(copy_of: Callable[..., Path], name: str) -> None:
    """Whichever file it stands for, the link is named, and not the folder that lacks the file."""
    directory = copy_of()
    (directory / name).unlink()
    (directory / name).symlink_to("../../blobs/gone")
    with pytest.raises(ModelError, match=rf"{name} is a link to \.\./\.\./blobs/gone, which is not there"):
        locate(str(directory), Settings())


def test_link_that_nobody_reads(copy_of: Callable[..., Path]) -> None:
    """A link among a trainer's own files may lead nowhere."""
    directory = copy_of()
    (directory / "trainer_state.json").symlink_to("gone")
    assert locate(str(directory), Settings()).weights


def test_path_that_is_no_utf_8(copy_of: Callable[..., Path]) -> None:
    """A name that the tokenizer's library cannot take is named as such, and a link mends it."""
    directory = copy_of()
    odd = Path(os.fsdecode(os.fsencode(directory) + b"-\xff"))
    directory.rename(odd)
    with pytest.raises(ModelError, match="is no UTF-8") as raised:
        locate(str(odd), Settings())
    assert raised.value.problem.isprintable()
    directory.symlink_to(odd)
    assert locate(str(directory), Settings()).weights
