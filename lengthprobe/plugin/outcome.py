"""The outcome of a claim, by its verdicts and by how its test ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lengthprobe.errors import Undecided

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lengthprobe.statistics.check import Check
    from lengthprobe.statistics.verdict import Verdict

_ASSERT = "assert abs(measures.length_error(probe, language=language)) < 0.5"


def outcome(
    verdicts: Sequence[Verdict],
    error: BaseException | None,
    reported: Sequence[Check] | None = None,
    unasked: Sequence[Verdict] = (),
    *,
    parts_failed: bool = False,
) -> str:
    """The outcome of a claim: `holds`, `broken`, `undecided`, `reported`, `skipped` or `error`.

    A claim holds where its test ended well, every verdict asked for holds, and no verdict is left unasked.

    Args:
        verdicts: Verdicts whose truth the test asked for, in order.
        error: The exception that ended the test, None for a test that ended well.
        reported: The reports of a finding, None for any other claim.
        unasked: Verdicts that the test made, and whose truth the test did not ask for.
        parts_failed: Whether a subtest failed.
    """
    if reported is not None and not isinstance(error, pytest.skip.Exception):
        # A finding that asserts would be red on another checkpoint, and so is an error on every checkpoint.
        return "reported" if reported and not verdicts and error is None else "error"
    if isinstance(error, Undecided):
        return "undecided"
    worst = next((status for status in ("broken", "undecided") if _any(verdicts, status)), "")
    if isinstance(error, pytest.skip.Exception):
        # A skip takes back no verdict.
        return worst or ("error" if unasked else "skipped")
    if error is None:
        if parts_failed and worst:
            return worst
        # A test that ends well after a broken verdict has not asserted the verdict, and is not green.
        return "holds" if verdicts and not worst and not unasked and not parts_failed else "error"
    failed = isinstance(error, (AssertionError, pytest.fail.Exception))
    return "broken" if failed and worst == "broken" else "error"


def is_missed(verdict: str, error: BaseException | None) -> bool:
    """Whether a claim is red although its test ended well or skipped itself, which pytest cannot show."""
    ended_well = error is None or isinstance(error, pytest.skip.Exception)
    return ended_well and verdict in ("broken", "undecided", "error")


def no_verdict_message(
    nodeid: str, verdicts: Sequence[Verdict], unasked: Sequence[Verdict], ended: str
) -> str:
    """The message on a claim that is red though its test is not: the reason, and the line to write.

    Args:
        nodeid: The test.
        verdicts: Verdicts whose truth was asked.
        unasked: Verdicts made and not asked.
        ended: How the test ended, in words.
    """
    missed = next((one for one in verdicts if one.status != "holds"), None)
    if missed is not None:
        why, instead = f"its test {ended}, though {missed.expression} is {missed.status}", _ASSERT
    elif unasked:
        why = f"its test compared {unasked[0].expression}, and did not ask whether that is so"
        instead = f"{_ASSERT}, each comparison in an assert of its own"
    else:
        why, instead = "its test asked for the truth of no comparison", _ASSERT
    return (
        f"{nodeid}: the claim decided nothing: {why}\n"
        f"  fix: assert the comparison that must hold, as in {instead}"
    )


def no_case(nodeid: str) -> str:
    """The message on a red claim without any parameters to run with, which pytest alone would skip."""
    return (
        f"{nodeid}: the claim decided nothing: pytest.mark.parametrize gives it no case to run with\n"
        "  fix: give it one case at the least, or take the claim out"
    )


def has_state(nodeid: str) -> str:
    """The message on a claim that compares something else when it is run a second time."""
    return (
        f"{nodeid}: the claim has a state: run twice, it makes other comparisons than the first time\n"
        "  fix: make each value that the test uses up, or changes, within the test; or draw with a fixed seed"
    )


def no_finding(nodeid: str, verdicts: Sequence[Verdict]) -> str:
    """The message on a finding that is an error: the reason, and the line to write."""
    if verdicts:
        return (
            f"{nodeid}: a finding is never red, and its test asks for the truth of "
            f"{verdicts[-1].expression}\n"
            "  fix: report(estimate, 'what it says') in its place, or a claim that can break: "
            "kind='replication'"
        )
    return (
        f"{nodeid}: the finding reported nothing\n"
        "  fix: take the fixture `report`, and report(measures.length_error(probe, language=language))"
    )


def _any(verdicts: Sequence[Verdict], status: str) -> bool:
    return any(one.status == status for one in verdicts)
