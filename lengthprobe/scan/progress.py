"""Progress of a scan: bars on a terminal, and a line now and then in a log."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    Tell = Callable[[str, int, int], None]

# The same period as in pytest's progress of a checkpoint.
PERIOD_S = 20.0


def shown_progress() -> Tell:
    """A function that shows on standard error the present work, how much is done, and how much there is."""
    return _bars() if sys.stderr.isatty() else lines_of()


def lines_of(clock: Callable[[], float] = time.monotonic, period: float = PERIOD_S) -> Tell:
    """A function that writes a line once a period; a scan shorter than the period writes no line.

    Args:
        clock: Gives the time in seconds.
        period: How many seconds lie between two lines.
    """
    last = clock()

    def progress(what: str, done: int, total: int) -> None:
        nonlocal last
        if clock() - last < period:
            return
        last = clock()
        print(f"lengthprobe scan: {what}: {done} of {total} rows", file=sys.stderr, flush=True)

    return progress


def _bars() -> Tell:
    from tqdm import tqdm

    bars: dict[str, Any] = {}

    def progress(what: str, done: int, total: int) -> None:
        if what not in bars:
            bars[what] = tqdm(total=total, desc=what, unit="row", leave=False, file=sys.stderr)
        bars[what].update(done - bars[what].n)
        if done == total:
            bars.pop(what).close()

    return progress
