"""Termination: a session that is told to end ends as after Ctrl-C, and leaves its report and no litter."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_SIGNALS = ("SIGTERM", "SIGHUP")


class Terminated(KeyboardInterrupt):
    """The process was told to end."""


def end_orderly() -> Callable[[], None]:
    """Let the first SIGTERM, or SIGHUP, interrupt the session; a second one ends the process at once.

    Returns:
        What gives the signals back.
    """
    taken: dict[int, Any] = {}

    def give_back() -> None:
        while taken:
            number, handler = taken.popitem()
            signal.signal(number, handler)

    def interrupt(number: int, _frame: object) -> None:
        give_back()
        raise Terminated(signal.Signals(number).name)

    if threading.current_thread() is threading.main_thread():
        for name in _SIGNALS:
            number = getattr(signal, name, None)
            # Whoever has a handler of their own keeps it.
            if number is not None and signal.getsignal(number) is signal.SIG_DFL:
                taken[number] = signal.signal(number, interrupt)
    return give_back
