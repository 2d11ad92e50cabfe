"""Idle comparisons, which no checkpoint can break or no checkpoint can meet, are refused."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from lengthprobe.errors import SettingsError

if TYPE_CHECKING:
    from lengthprobe.statistics.comparison import Comparison, Part

# Bounds of sums and multiples are rounded, and a margin typed beside them is not.
_ROUNDING = 1e-9


def check_decidable(comparison: Comparison) -> None:
    """Check that the bounds of the measure leave both answers possible.

    Raises:
        SettingsError: The margin lies at the bounds or beyond, so that the comparison is always true, or
            always false. A comparison false only for a mean of exactly the bound is refused too: no sample
            can show a mean of exactly the bound.
    """
    answers = [_answer(part, strict=comparison.strict) for part in comparison.parts]
    # Where every part must be true, a false part decides; where any true part is enough, a true part decides.
    enough = not comparison.every
    if enough not in answers and {*answers} != {not enough}:
        return
    answer = enough if enough in answers else not enough
    part = next(part for part, given in zip(comparison.parts, answers, strict=True) if given is answer)
    low, high = part.estimate.bounds or (0.0, 0.0)
    how = "always" if answer else "never"
    if answer and comparison.strict and _is_near(part.margin, (low, high)):
        how = "always, or all but always,"
    raise SettingsError(
        f"{comparison.expression} is {how} true: what is compared lies from {low:g} to {high:g}, whatever a "
        "checkpoint answers",
        f"take a margin between {low:g} and {high:g}, neither of the two; or, where the margin comes from "
        "lengthprobe_margins, mend that line",
    )


def _answer(part: Part, *, strict: bool) -> bool | None:
    """Whether a statement is always true (True) or always false (False); None where both are possible."""
    bounds = part.estimate.bounds
    if bounds is None:
        return None
    low, high = bounds
    if not _is_near(part.margin, bounds):
        return None if low < part.margin < high else (part.margin > high) is part.below
    at_high = abs(part.margin - high) < abs(part.margin - low)
    if at_high is part.below:
        return True
    # `share >= 1` asks for a perfect checkpoint: the claim is hard to show, and easy to break.
    return False if strict else None


def _is_near(margin: float, bounds: tuple[float, float]) -> bool:
    """Whether a margin is equal to a bound, up to rounding."""
    room = _ROUNDING * (bounds[1] - bounds[0])
    return math.isfinite(room) and min(abs(margin - bound) for bound in bounds) <= room
