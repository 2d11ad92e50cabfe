"""Destination: the output files of a run, which replace no foreign file, and which no other run writes."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from lengthprobe.errors import ReportError
from lengthprobe.reporting.authorship import has_verdicts, holds_nothing, is_ours

if TYPE_CHECKING:
    from filelock import BaseFileLock

_ELSEWHERE = 100


@dataclass(slots=True)
class Destination:
    """Files that a run is to write: `take` them before the run, call `ready` before writing, then `release`.

    Args:
        files: All output files, the file with the verdicts first.
        folder: The folder of these files where the option names a folder, None where the option names the
            first file.
        option: The option, as in `--lengthprobe-report`.
    """

    files: tuple[Path, ...]
    folder: Path | None
    option: str
    _lock: BaseFileLock | None = field(default=None, init=False)
    _made: list[Path] = field(default_factory=list, init=False)
    _before: list[tuple[int, ...]] = field(default_factory=list, init=False)

    @property
    def named(self) -> Path:
        """The folder or the file that the option names."""
        return self.folder or self.files[0]

    @property
    def has_report(self) -> bool:
        """Whether an earlier run has written there."""
        return self.files[0].is_file() and self.files[0].stat().st_size > 0

    def check(self) -> None:
        """Refuse files that lengthprobe did not write.

        Raises:
            ReportError: There is a foreign file; the message names the file and another place.
        """
        for path in self.files:
            if path.parent != self.named and path.parent.exists() and not path.parent.is_dir():
                path = path.parent
            elif not (path.exists() or path.is_symlink()) or self._is_ours(path):
                continue
            raise ReportError(
                f"{self.option}={self.named}: {path} was not written by lengthprobe, and a report would "
                "replace it",
                f"another place: {self.option}={self._elsewhere()}",
            )

    def _is_ours(self, path: Path) -> bool:
        # lengthprobe chooses the names in a folder; the user chooses the name of a single file.
        return is_ours(path) if self.folder else has_verdicts(path) or holds_nothing(path)

    def take(self) -> None:
        """Keep other runs from writing there until `release`; a missing folder is made for the lock.

        Raises:
            ReportError: A file there is somebody else's, or another run writes there at this moment.
        """
        from filelock import FileLock, Timeout

        self.check()
        main = self.files[0]
        self._made = [folder for folder in (main.parent, *main.parent.parents) if not folder.exists()]
        lock = FileLock(main.with_name(f".{main.name}.lock"), timeout=0)
        try:
            main.parent.mkdir(parents=True, exist_ok=True)
            lock.acquire()
            self._lock = lock
        except Timeout:
            raise ReportError(
                f"{self.option}={self.named}: another run of lengthprobe writes there at this moment",
                f"another place: {self.option}={self._elsewhere()}; or wait for the other run to end",
            ) from None
        except NotImplementedError:
            # A file system without locks: whether others wrote meanwhile is seen at the end.
            pass
        except OSError as error:
            self.release()
            raise ReportError(
                f"{self.option}={self.named}: nothing can be written there: {error.strerror or error}",
                f"a place that can be written to: {self.option}=PATH",
            ) from error
        # Another run may have written before the lock was taken.
        try:
            self.check()
        except ReportError:
            self.release()
            raise
        self._before = self._state()

    def ready(self) -> None:
        """Refuse to write where another program has written since `take`.

        Raises:
            ReportError: A file there is somebody else's, or another run has replaced the report.
        """
        self.check()
        if self._state() != self._before:
            raise ReportError(
                f"{self.option}={self.named}: another has written there since this run began, and that was "
                "left as it is",
                f"another place for this run: {self.option}={self._elsewhere()}",
            )

    def release(self) -> None:
        """Let other runs write there; a folder made by `take` and still empty is removed."""
        if self._lock is not None:
            with suppress(OSError):
                Path(self._lock.lock_file).unlink(missing_ok=True)
            self._lock.release()
            self._lock = None
        for folder in self._made:
            with suppress(OSError):
                folder.rmdir()
        self._made = []

    def _state(self) -> list[tuple[int, ...]]:
        state: list[tuple[int, ...]] = []
        for path in self.files:
            try:
                stat = path.stat()
                state.append((stat.st_ino, stat.st_mtime_ns, stat.st_size))
            except OSError:
                state.append(())
        return state

    def _elsewhere(self) -> Path:
        """A free place beside the named file or folder."""
        start = self.named
        for number in range(2, _ELSEWHERE):
            if self.folder is None:
                place = start.with_name(f"{start.stem}-{number}{start.suffix}")
            else:
                place = start.with_name(f"{start.name}-{number}")
            if not place.exists():
                return place
        return start.with_name(f"{start.name}-another")
