"""The folder through which the processes of a session share work."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time

import pytest

from lengthprobe.plugin import shared_folder
from lengthprobe.plugin.shared_folder import make_shared_folder, watch

# A controller that makes a folder, says where, and is killed.
KILLED = (
    "import os, signal\nfrom lengthprobe.plugin.shared_folder import make_shared_folder\n"
    "folder = make_shared_folder()\n(folder.path / 'work').write_text('work')\n"
    "print(folder.path, flush=True)\nos.kill(os.getpid(), signal.SIGKILL)\n"
)


@pytest.fixture(autouse=True)
def temporary(tmp_path, monkeypatch):
    """The folder in which temporary ones are made."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def killed():
    """Let a controller be killed."""
    assert subprocess.run([sys.executable, "-c", KILLED], check=False, capture_output=True).returncode == -9


def names(folder):
    """What is in a folder."""
    return sorted(path.name for path in folder.iterdir())


def test_is_removed_with_all_that_is_in_it(temporary):
    """When the session ends."""
    folder = make_shared_folder()
    (folder.path / "work").write_text("work")
    assert names(temporary) == [folder.path.name]

    folder.remove()

    assert names(temporary) == []


def test_of_a_killed_session_is_removed_by_the_next(temporary):
    """That of a session which lives stays, and so does what is not lengthprobe's."""
    (temporary / "lengthprobe-mine").mkdir()
    (temporary / "lengthprobe-file").touch()
    living = make_shared_folder()
    killed()
    assert len(names(temporary)) == 4

    new = make_shared_folder()

    assert names(temporary) == sorted(
        ["lengthprobe-file", "lengthprobe-mine", living.path.name, new.path.name]
    )


def test_of_a_killed_session_is_removed_by_its_workers(temporary, monkeypatch):
    """Which look after it while they live; that of a session which lives stays."""
    monkeypatch.setattr(shared_folder, "_PATIENCE_S", 0.05)
    living = make_shared_folder()
    killed()
    dead = next(path for path in temporary.iterdir() if path != living.path)
    ends = [watch(living.path), watch(dead), watch(dead)]

    limit = time.monotonic() + 30
    while dead.exists() and time.monotonic() < limit:
        time.sleep(0.05)

    assert names(temporary) == [living.path.name]
    for end in ends:
        end()


def test_killed_controller_leaves_nothing_behind(project, temporary):
    """A whole session: its workers remove the folder before they end."""
    project.claims(
        "@pytest.mark.claim\n@pytest.mark.parametrize('copy', range(2))\ndef test_it(probe, copy):\n"
        f"    import pathlib, time\n    pathlib.Path({str(temporary)!r}, 'flag').touch()\n"
        "    time.sleep(20)\n"
    )
    session = subprocess.Popen(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-n", "2"],
        cwd=project.path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    limit = time.monotonic() + 300
    while not (temporary / "flag").exists() and time.monotonic() < limit:
        time.sleep(0.1)
    assert list(temporary.glob("lengthprobe-*"))

    session.kill()
    session.wait()

    while list(temporary.glob("lengthprobe-*")) and time.monotonic() < limit:
        time.sleep(0.1)
    assert list(temporary.glob("lengthprobe-*")) == []
