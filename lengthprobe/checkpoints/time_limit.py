"""A limit on the time of a template's program, whatever the program does and in whichever thread."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

# The name that jinja2 gives to the code of a template that is no file.
_TEMPLATE = "<template>"


# Not an Exception: jinja2 catches those in some places, and goes on.
class OutOfTime(BaseException):
    """A template took longer than allowed."""


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """End a template's program after so many seconds of processor time in this thread.

    The clock is read at every line of the template and at every call of a Python function. So the limit needs
    neither a signal nor the main thread, and leaves the timers of others alone. Processor time does not run
    while other processes have the machine. A debugger or a measure of coverage looks away in the block.

    Args:
        seconds: How long the block may take.

    Raises:
        OutOfTime: The block takes longer.
    """
    end = time.thread_time() + seconds

    def look(frame: FrameType, event: str, arg: Any) -> Any:  # noqa: ARG001  (the signature is Python's)
        if time.thread_time() > end:
            raise OutOfTime
        return look if frame.f_code.co_filename == _TEMPLATE else None

    before = sys.gettrace()
    sys.settrace(look)
    try:
        yield
    finally:
        sys.settrace(before)
