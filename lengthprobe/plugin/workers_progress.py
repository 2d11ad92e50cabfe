"""Progress of workers: each worker leaves its line in a file, and the controller prints the lines."""

from __future__ import annotations

import time
from contextlib import suppress
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

from lengthprobe.plugin.progress import SECONDS_BETWEEN_LINES, Clock, line
from lengthprobe.reporting.files import write_whole

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lengthprobe.asking.progress import Progress

_PREFIX = "progress-"
_SECONDS_BETWEEN_FILES = 1.0


class Left:
    """Leaves the progress of a worker in a file.

    Args:
        directory: The folder of the file.
        worker: The worker's name, as in `gw0`.
        name: The checkpoint's display name.
    """

    def __init__(self, directory: Path, worker: str, name: str) -> None:
        self._path, self._worker, self._name = directory / f"{_PREFIX}{worker}", worker, name
        self._clock, self._written = Clock(), 0.0

    def __call__(self, progress: Progress) -> None:
        """Leave the progress, now and then."""
        new, now = self._clock.see(progress), time.monotonic()
        if not new and now - self._written < _SECONDS_BETWEEN_FILES and not progress.is_done:
            return
        self._written = now
        # Nothing is lost with a line, whatever becomes of the folder.
        with suppress(OSError):
            if progress.is_done and progress.total:
                self._path.unlink(missing_ok=True)
            else:
                write_whole(self._path, f"{self._worker}: {line(self._name, progress, self._clock)}")


def tell_of_workers(
    directory: Path, reporter: Any, seconds: float = SECONDS_BETWEEN_LINES
) -> Callable[[], None]:
    """Print the workers' lines now and then, until the function that comes back is called.

    Args:
        directory: The folder with the workers' files.
        reporter: Writes lines.
        seconds: Seconds between two looks into the folder.
    """
    ended = Event()
    told: dict[str, str] = {}

    def say() -> None:
        # The controller waits for its workers meanwhile, and writes little.
        wait = min(seconds, 2.0)
        while not ended.wait(wait):
            for path in sorted(directory.glob(f"{_PREFIX}*")):
                with suppress(OSError):
                    said = path.read_text(encoding="utf-8")
                    if told.get(path.name) != said:
                        told[path.name] = said
                        wait = seconds
                        reporter.ensure_newline()
                        reporter.write_line(said)

    thread = Thread(target=say, name="lengthprobe progress", daemon=True)
    thread.start()

    def end() -> None:
        ended.set()
        thread.join(timeout=5)

    return end
