"""Progress of a session's questions: a bar on a terminal, plain lines in a log, nothing with `--quiet`."""

from __future__ import annotations

import os
import re
import sys
import time
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from lengthprobe.untrusted_text import printable

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

    import pytest

    from lengthprobe.asking.progress import Progress, Tell

SECONDS_BETWEEN_LINES = 20.0
# Before so much of a question is done, nobody can say how long the rest takes: the first token takes longest.
_LEAST_SECONDS, _LEAST_SHARE = 5.0, 0.1
_CURRENT = re.compile(r"::(?:test_)?(?P<name>\w+)(?:\[[^\]]*\])? \((?P<phase>\w+)\)$")


def progress_of(config: pytest.Config, name: str, directory: Path | None = None) -> Tell | None:
    """A function that shows the progress of a checkpoint, None where nobody is to read the progress.

    Args:
        config: Tells how much to show, and where.
        name: The checkpoint's display name.
        directory: The folder in which a worker leaves its progress for the controller.
    """
    if config.get_verbosity() < 0:
        return None
    name = printable(name)
    if worker := getattr(config, "workerinput", None):
        from lengthprobe.plugin.workers_progress import Left

        return None if directory is None else Left(directory, worker["workerid"], name)
    reporter: Any = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None:
        return None
    capture: Any = config.pluginmanager.get_plugin("capturemanager")

    def uncaptured() -> AbstractContextManager[None]:
        context: AbstractContextManager[None] = (
            capture.global_and_fixture_disabled() if capture else nullcontext()
        )
        return context

    return (_Bar if reporter.isatty else _Lines)(reporter, uncaptured, name)


class Clock:
    """The time since a question was begun, and the time that the rest of the question may take."""

    def __init__(self) -> None:
        self._key: tuple[int, str] | None = None
        self._done = 0
        self.began = time.monotonic()

    def see(self, progress: Progress) -> bool:
        """Whether this progress is of another question than the progress seen before."""
        key = (progress.total, progress.unit)
        new = key != self._key or progress.done < self._done or not progress.total
        if new:
            self.began = time.monotonic()
        self._key, self._done = key, progress.done
        return new

    @property
    def seconds(self) -> float:
        """Seconds since the question was begun."""
        return time.monotonic() - self.began

    def left(self, progress: Progress) -> str:
        """The time that the rest may take, in words; empty while too little is done to tell."""
        seconds, share = self.seconds, progress.share
        if seconds < _LEAST_SECONDS or share < _LEAST_SHARE or progress.is_done:
            return ""
        rest = seconds * (1 - share) / share
        return f"about {rest / 60:.0f} min left" if rest >= 90 else f"about {max(1, rest):.0f} s left"


def line(name: str, progress: Progress, clock: Clock) -> str:
    """The text of a line: the checkpoint, the question, the claim, and how much is done."""
    asked = ", ".join(filter(None, (progress.what, claim())))
    if not progress.total:
        return f"{name}: {asked}"
    counted = f"{progress.done} of {progress.total} {progress.unit}{store_summary(progress)}"
    if progress.done == progress.total:
        return f"{name}: {asked}: {counted} after {clock.seconds:.1f} s"
    written = f"{progress.written} of at most {progress.cap} tokens written" if progress.written else ""
    return f"{name}: {asked}: {', '.join(filter(None, (counted, written, clock.left(progress))))}"


def store_summary(progress: Progress) -> str:
    """How much of the answers a store had, in words; empty where the store had none."""
    return f" ({progress.stored} from the store)" if progress.stored else ""


def claim() -> str:
    """The claim for which a question is asked, or `for all claims` in the setup of a test."""
    found = _CURRENT.search(os.environ.get("PYTEST_CURRENT_TEST", ""))
    if found is None:
        return ""
    return "for all claims" if found["phase"] == "setup" else f"for {found['name'].replace('_', ' ')!r}"


class _Bar:
    """A bar that disappears when the question is answered."""

    def __init__(
        self, reporter: Any, uncaptured: Callable[[], AbstractContextManager[None]], name: str
    ) -> None:
        self._reporter, self._uncaptured, self._name = reporter, uncaptured, name
        self._bar: Any = None
        self._clock = Clock()

    def __call__(self, progress: Progress) -> None:
        new = self._clock.see(progress)
        ended = progress.is_done
        with self._uncaptured():
            if self._bar is not None and (new or ended):
                self._bar.update(progress.done - self._bar.n if ended and not new else 0)
                self._bar.close()
                self._bar = None
            if ended and progress.total:
                return
            if self._bar is None:
                self._reporter.ensure_newline()
                self._bar = _quiet_tqdm()(
                    total=progress.total or None,
                    unit=f" {progress.unit}",
                    leave=False,
                    file=sys.stdout,
                    # Some terminals say that they have no rows and columns, and tqdm believes them.
                    ncols=self._reporter.config.get_terminal_writer().fullwidth - 1,
                    nrows=20,
                    bar_format=_COUNTED if progress.total else "{desc}",
                )
            self._bar.n = progress.done
            self._bar.set_description_str(
                ", ".join(filter(None, (self._said(progress), claim()))), refresh=False
            )
            self._bar.set_postfix_str(self._clock.left(progress), refresh=False)
            self._bar.refresh()

    def _said(self, progress: Progress) -> str:
        written = f", {progress.written}/{progress.cap} tokens" if progress.written else ""
        return f"{self._name}: {progress.what}{written}{store_summary(progress)}"


_COUNTED = "{desc} |{bar}| {n_fmt}/{total_fmt}{unit} {postfix}"


class _Lines:
    """A line at the start of a question, a line every 20 seconds, and a line at the end.

    After the first question only slow questions have lines: a question that has taken 20 seconds, or is
    likely to at the pace of the question before. An ablation is asked in many small questions.
    """

    def __init__(
        self, reporter: Any, uncaptured: Callable[[], AbstractContextManager[None]], name: str
    ) -> None:
        self._reporter, self._uncaptured, self._name = reporter, uncaptured, name
        self._clock = Clock()
        self._said = 0.0
        # Seconds an answer, of the last question that was answered whole.
        self._pace = 0.0
        self._first, self._shown, self._ended = True, False, False

    def __call__(self, progress: Progress) -> None:
        now = time.monotonic()
        if self._clock.see(progress):
            self._shown, self._ended = False, False
        late = now - max(self._clock.began, self._said) >= SECONDS_BETWEEN_LINES
        ends = progress.is_done and progress.total > 0
        # A large model can read its prompts for minutes before the first token.
        slow = self._pace * progress.total >= SECONDS_BETWEEN_LINES
        begins = (self._first or slow) and not self._shown
        if ends:
            self._pace = self._clock.seconds / progress.total
        # The end is told twice: by the last batch, and by the probe.
        if self._ended or not (late or begins or (ends and self._shown) or not progress.total):
            return
        self._ended = ends
        self._said, self._shown = now, True
        self._first = self._first and not ends
        said = line(self._name, progress, self._clock)
        with self._uncaptured():
            self._reporter.ensure_newline()
            self._reporter.write_line(said)


def _quiet_tqdm() -> Any:
    from tqdm import tqdm

    class Bar(tqdm):  # type: ignore[type-arg]
        # No thread of its own in somebody's test session.
        monitor_interval = 0

    return Bar
