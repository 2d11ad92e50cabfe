"""Recording of verdicts made, and of verdicts whose truth is asked, within a block.

The lists belong to the process, and not to a thread: a comparison in a thread is a comparison too.
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lengthprobe.statistics.verdict import Verdict

# The folder of these files as stack frames name them.
_STATISTICS = os.path.dirname(sys._getframe().f_code.co_filename) + os.sep
_PACKAGE = os.path.dirname(os.path.dirname(_STATISTICS)) + os.sep
# The shipped claims lie inside an installed package, and are claims all the same.
_SUITES = os.path.join(_PACKAGE, "suites") + os.sep

_asked: tuple[list[Verdict], ...] = ()
_made: tuple[list[Verdict], ...] = ()


@contextmanager
def record_asked_verdicts(asked: list[Verdict] | None = None) -> Iterator[list[Verdict]]:
    """A list to which every Verdict asked for its truth within the block is added, once.

    Verdicts asked for by a measure of lengthprobe's own are left out.

    Args:
        asked: An existing list to use, None for a new list.
    """
    global _asked
    verdicts = [] if asked is None else asked
    _asked = (*_asked, verdicts)
    try:
        yield verdicts
    finally:
        _asked = _without(_asked, verdicts)


@contextmanager
def record_made_verdicts() -> Iterator[list[Verdict]]:
    """A list to which every Verdict made by a comparison within the block is added.

    Verdicts made by a measure of lengthprobe's own are left out.
    """
    global _made
    verdicts: list[Verdict] = []
    _made = (*_made, verdicts)
    try:
        yield verdicts
    finally:
        _made = _without(_made, verdicts)


@contextmanager
def record_nothing() -> Iterator[None]:
    """A block within which no verdict is added to the lists open before."""
    global _asked, _made
    before = _asked, _made
    _asked, _made = (), ()
    try:
        yield
    finally:
        _asked, _made = before


def note_asked(verdict: Verdict) -> None:
    """Add a verdict whose truth is asked to the open lists."""
    if _asked and _is_of_a_claim():
        for verdicts in _asked:
            # Pytest asks the truth of a verdict again when pytest looks for the part that failed.
            if not any(earlier is verdict for earlier in verdicts):
                verdicts.append(verdict)


def note_made(verdict: Verdict) -> None:
    """Add a new verdict to the open lists."""
    if _made and _is_of_a_claim():
        for verdicts in _made:
            verdicts.append(verdict)


def _is_of_a_claim() -> bool:
    """Whether the code that compares or asks is outside lengthprobe, or a shipped claim."""
    frame = sys._getframe(2)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_STATISTICS):
        frame = frame.f_back
    name = frame.f_code.co_filename
    return not name.startswith(_PACKAGE) or name.startswith(_SUITES)


def _without(lists: tuple[list[Verdict], ...], ended: list[Verdict]) -> tuple[list[Verdict], ...]:
    """The lists without an ended list, found by identity and not by equality."""
    last = max(index for index, verdicts in enumerate(lists) if verdicts is ended)
    return lists[:last] + lists[last + 1 :]
