"""The exit status of a session: held, broken, undecided and not measured each have a number."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Collection

    from lengthprobe.reporting.ledger import Ledger


class ExitStatus(IntEnum):
    """Numbers beside those of pytest, which has 0 to 6. 64 to 78 and 126 to 255 mean something to a shell."""

    UNDECIDED = 10
    NOT_MEASURED = 11


# The others say that the session itself did not end well: interrupted, an internal error, a wrong option.
_OF_TESTS = (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.NO_TESTS_COLLECTED)


def exit_status(now: int, ledger: Ledger, failed: Collection[str], *, has_problems: bool) -> int:
    """The exit status of a session at its end.

    A waived claim changes no status. The most urgent state decides: broken, then not measured, then
    undecided. A claim that did not run counts as not measured.

    Args:
        now: The status that pytest, or another plugin, has set.
        ledger: The ledger of the session, closed.
        failed: Tests with a failed report that has no verdict.
        has_problems: Whether the session is to fail for a reason beside its claims, as a report that cannot
            be written.
    """
    if now not in _OF_TESTS or not (ledger.entries or ledger.collected or has_problems):
        return now
    verdicts = [entry.verdict for entry in ledger.entries.values() if not entry.is_waived]
    ordinary = set(failed) - set(ledger.entries) - set(ledger.collected)
    if "broken" in verdicts or (ordinary and now == pytest.ExitCode.TESTS_FAILED):
        return pytest.ExitCode.TESTS_FAILED
    if "error" in verdicts or ledger.missing or (has_problems and "undecided" not in verdicts):
        return ExitStatus.NOT_MEASURED
    return ExitStatus.UNDECIDED if "undecided" in verdicts else now
