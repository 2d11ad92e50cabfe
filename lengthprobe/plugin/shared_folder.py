"""Shared folder: where the processes of a session leave what each makes for all; gone when the session is."""

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
# Held for as long as the session's controller lives: the operating system lets go of it when that dies.
_ALIVE = "alive.lock"
_PATIENCE_S = 1.0


@dataclass(frozen=True, slots=True)
class SharedFolder:
    """A folder of one session.

    Args:
        path: The folder.
        alive: The lock that says that the session lives.
    """

    path: Path
    alive: BaseFileLock

    def remove(self) -> None:
        """Remove it, with all that is in it."""
        shutil.rmtree(self.path, ignore_errors=True)
        with suppress(OSError):
            self.alive.release()


def make_shared_folder() -> SharedFolder:
    """A new folder; those that killed sessions left behind are removed."""
    from filelock import FileLock

    _sweep(Path(tempfile.gettempdir()))
    # Nobody may find it under its name before it is locked.
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
        What ends the watch.
    """
    ended = threading.Event()

    def look() -> None:
        while not ended.wait(_PATIENCE_S):
            if not folder.exists() or _remove_dead(folder):
                return

    threading.Thread(target=look, daemon=True, name="lengthprobe-watch").start()
    return ended.set


def _sweep(directory: Path) -> None:
    """Remove what sessions of this user that are dead left in a directory."""
    with suppress(OSError):
        for folder in directory.glob(f"{PREFIX}*"):
            own = not hasattr(os, "getuid") or folder.lstat().st_uid == os.getuid()
            if own and not folder.is_symlink():
                _remove_dead(folder)


def _remove_dead(folder: Path) -> bool:
    """Remove a session's folder if the session is dead; whether it was."""
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
