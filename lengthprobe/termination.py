"""Termination: a signal ends a session as Ctrl-C does, with a report and without litter."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_SIGNALS = ("SIGTERM", "SIGHUP")


class Terminated(KeyboardInterrupt):
    """The process received a signal to end."""


def end_orderly() -> Callable[[], None]:
    """Let the first SIGTERM, or SIGHUP, interrupt the session; a second signal ends the process at once.

    Returns:
        A function that gives the signals back.
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
            # A handler of somebody's own stays in place.
            if number is not None and signal.getsignal(number) is signal.SIG_DFL:
                taken[number] = signal.signal(number, interrupt)
    return give_back
