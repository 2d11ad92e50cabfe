"""The shared folder, in which each process of a session leaves its work for all; removed at the end."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from filelock import BaseFileLock

PREFIX = "lengthprobe-"
# A lock that the session's controller holds; the operating system releases the lock when the controller dies.
_ALIVE = "alive.lock"
_PATIENCE_S = 1.0


@dataclass(frozen=True, slots=True)
class SharedFolder:
    """A folder of one session.

    Args:
        path: The folder.
        alive: The lock held while the session lives.
    """

    path: Path
    alive: BaseFileLock

    def remove(self) -> None:
        """Remove the folder with all files."""
        shutil.rmtree(self.path, ignore_errors=True)
        with suppress(OSError):
            self.alive.release()


def make_shared_folder() -> SharedFolder:
    """A new folder; folders left behind by killed sessions are removed."""
    from filelock import FileLock

    _sweep(Path(tempfile.gettempdir()))
    # No other session may find the folder under its name before the folder is locked.
    unfinished = Path(tempfile.mkdtemp(prefix=f".{PREFIX}"))
    alive = FileLock(unfinished / _ALIVE, timeout=0)
    alive.acquire()
    path = unfinished.with_name(unfinished.name.removeprefix("."))
    with suppress(OSError):
        # Where an open file cannot be moved, the hidden name stays.
        unfinished.rename(path)
    return SharedFolder(path if path.exists() else unfinished, alive)


def watch(folder: Path) -> Callable[[], None]:
    """Remove a session's folder from one of its workers, if the controller is killed.

    Returns:
        A function that ends the watch.
    """
    ended = threading.Event()

    def look() -> None:
        while not ended.wait(_PATIENCE_S):
            if not folder.exists() or _remove_dead(folder):
                return

    threading.Thread(target=look, daemon=True, name="lengthprobe-watch").start()
    return ended.set


def _sweep(directory: Path) -> None:
    """Remove the folders in a directory left by dead sessions of this user."""
    with suppress(OSError):
        for folder in directory.glob(f"{PREFIX}*"):
            own = not hasattr(os, "getuid") or folder.lstat().st_uid == os.getuid()
            if own and not folder.is_symlink():
                _remove_dead(folder)


def _remove_dead(folder: Path) -> bool:
    """Whether a session is dead; the folder of a dead session is removed."""
    from filelock import FileLock, Timeout

    lock = folder / _ALIVE
    if not lock.is_file():
        return False
    try:
        with FileLock(lock, timeout=0):
            shutil.rmtree(folder, ignore_errors=True)
    except (Timeout, OSError):
        return False
    return True
