"""Idle comparisons: what is true, or false, whatever was measured, is refused before it is decided."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lengthprobe.errors import SettingsError

if TYPE_CHECKING:
    from lengthprobe.statistics.comparison import Comparison, Part


def check_decidable(comparison: Comparison) -> None:
    """Check that the bounds of what is measured leave both answers possible.

    Raises:
        SettingsError: The margin lies beyond the bounds, so that the comparison is always true, or never.
    """
    answers = [_answer(part) for part in comparison.parts]
    # Where every part must be true, a false one decides; where any will do, a true one.
    enough = not comparison.every
    if enough not in answers and {*answers} != {not enough}:
        return
    answer = enough if enough in answers else not enough
    low, high = next(
        part.estimate.bounds or (0.0, 0.0)
        for part, given in zip(comparison.parts, answers, strict=True)
        if given is answer
    )
    raise SettingsError(
        f"{comparison.expression} is {'always' if answer else 'never'} true: what is compared lies from "
        f"{low:g} to {high:g}, whatever a checkpoint answers",
        "take a margin within that; or, where it comes from lengthprobe_margins, mend that line",
    )


def _answer(part: Part) -> bool | None:
    """Whether a statement is true, or false, whatever was measured; None where both are possible."""
    if part.estimate.bounds is None:
        return None
    low, high = part.estimate.bounds
    # A margin that is a bound itself is let pass: `0.9 <= share <= 1` reads well.
    if low <= part.margin <= high:
        return None
    return (part.margin > high) is part.below
