"""Files that are there whole or not at all."""

from __future__ import annotations

import errno
import os
import stat

import pytest

from lengthprobe.reporting import files
from lengthprobe.reporting.files import write_whole


def test_writes_the_text(tmp_path):
    """And nothing beside it."""
    write_whole(tmp_path / "out.json", "è\n")

    assert [path.name for path in tmp_path.iterdir()] == ["out.json"]
    assert (tmp_path / "out.json").read_text(encoding="utf-8") == "è\n"


def test_replaces_what_was_there(tmp_path):
    """As a whole."""
    path = tmp_path / "out.json"
    path.write_text("a longer text from last time")

    write_whole(path, "new")

    assert path.read_text() == "new"


def test_others_may_read_it(tmp_path):
    """As any file that the user's mask allows."""
    mask = os.umask(0o022)
    try:
        write_whole(tmp_path / "out.json", "text")
    finally:
        os.umask(mask)

    assert stat.S_IMODE((tmp_path / "out.json").stat().st_mode) == 0o644


@pytest.mark.parametrize("failing", ["fsync", "replace"])
def test_full_disk_leaves_what_was_there(tmp_path, monkeypatch, failing):
    """Whether it is said when the text is written or when it is put in place."""
    path = tmp_path / "out.json"
    path.write_text("from last time")

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(*((files.os, "fsync") if failing == "fsync" else (type(path), "replace")), full)
    with pytest.raises(OSError, match="No space left"):
        write_whole(path, "new")

    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [("out.json", "from last time")]


def test_lone_surrogate_is_written_as_an_escape(tmp_path):
    """A model's bytes need be no text."""
    write_whole(tmp_path / "out.json", "\ud800")

    assert (tmp_path / "out.json").read_text() == "\\ud800"


def test_bytes_are_written_as_they_are(tmp_path):
    """Arrays are no text."""
    write_whole(tmp_path / "arrays", bytes(range(256)))

    assert (tmp_path / "arrays").read_bytes() == bytes(range(256))
