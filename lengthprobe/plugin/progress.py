"""How far a model has got: a bar on a terminal, plain lines in a log, nothing where quiet was asked for."""

from __future__ import annotations

import sys
import time
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from lengthprobe.task.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    import pytest

_SECONDS_BETWEEN_LINES = 20.0


def progress_of(config: pytest.Config, name: str) -> Callable[[int, int], None] | None:
    """What to tell how many prompts a checkpoint has answered, or None where nobody is to read it."""
    reporter: Any = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or config.get_verbosity() < 0 or hasattr(config, "workerinput"):
        return None
    capture: Any = config.pluginmanager.get_plugin("capturemanager")

    def uncaptured() -> AbstractContextManager[None]:
        context: AbstractContextManager[None] = (
            capture.global_and_fixture_disabled() if capture else nullcontext()
        )
        return context

    if reporter.isatty:
        return _Bar(reporter, uncaptured, printable(name))
    return _Lines(reporter, uncaptured, printable(name))


class _Bar:
    """A bar, which is gone when the model has answered."""

    def __init__(
        self, reporter: Any, uncaptured: Callable[[], AbstractContextManager[None]], name: str
    ) -> None:
        self._reporter, self._uncaptured, self._name = reporter, uncaptured, name
        self._bar: Any = None

    def __call__(self, done: int, total: int) -> None:
        if self._bar is None and done == total:
            return
        with self._uncaptured():
            if self._bar is None:
                self._reporter.ensure_newline()
                self._bar = _quiet_tqdm()(
                    total=total,
                    desc=f"{self._name} answers",
                    unit="prompt",
                    leave=False,
                    file=sys.stdout,
                    # Some terminals say that they have no rows and columns, and tqdm believes them.
                    ncols=self._reporter.config.get_terminal_writer().fullwidth - 1,
                    nrows=20,
                )
            self._bar.update(done - self._bar.n)
            if done == total:
                self._bar.close()
                self._bar = None


class _Lines:
    """A line at the start, one now and then, and one at the end.

    After the first question only those that take their time have lines: what is cut where is asked in many
    small ones.
    """

    def __init__(
        self, reporter: Any, uncaptured: Callable[[], AbstractContextManager[None]], name: str
    ) -> None:
        self._reporter, self._uncaptured, self._name = reporter, uncaptured, name
        self._started = self._said = 0.0
        self._done = -1
        self._first = self._shown = True

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        if done == 0:
            self._started, self._shown = now, self._first
        # The end is told twice: by the last batch, and by the probe.
        if done == self._done:
            return
        self._done = done
        if done == total:
            self._first = False
        late = now - max(self._started, self._said) >= _SECONDS_BETWEEN_LINES
        if not (late or (self._shown and done in (0, total))):
            return
        self._said, self._shown = now, True
        after = f" after {now - self._started:.1f} s" if done else ""
        with self._uncaptured():
            self._reporter.ensure_newline()
            self._reporter.write_line(f"{self._name} has answered {done} of {total} prompts{after}")


def _quiet_tqdm() -> Any:
    from tqdm import tqdm

    class Bar(tqdm):  # type: ignore[type-arg]
        # No thread of its own in somebody's test session.
        monitor_interval = 0

    return Bar
