"""Progress of a scan: bars on a terminal, and elsewhere a line now and then, as a log can show it."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    Tell = Callable[[str, int, int], None]

# As often as pytest tells of a checkpoint that is asked.
PERIOD_S = 20.0


def shown_progress() -> Tell:
    """Shows on standard error what is done, how much of it, and how much there is."""
    return _bars() if sys.stderr.isatty() else lines_of()


def lines_of(clock: Callable[[], float] = time.monotonic, period: float = PERIOD_S) -> Tell:
    """Writes a line once a period; a scan that is done sooner writes none.

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
