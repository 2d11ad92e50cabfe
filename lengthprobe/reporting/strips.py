"""Strips: the interval of a check drawn small, on the scale of its margin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lengthprobe.statistics.check import Check

WIDTH = 160.0
_EDGE = 6.0
_ROOM = 0.08
_WITHIN, _BEYOND = "±", "beyond"


@dataclass(frozen=True, slots=True)
class Strip:
    """Places along a strip, from 0 to `WIDTH`.

    Args:
        claimed: Spans in which the mean lies if the claim is true.
        margins: The margins, at which these spans end.
        low: Lower end of the interval.
        high: Upper end of the interval.
        mean: The estimate.
    """

    claimed: tuple[tuple[float, float], ...]
    margins: tuple[float, ...]
    low: float
    high: float
    mean: float


def strips(checks: Sequence[Check]) -> list[Strip | None]:
    """A strip for each check; None where its margin is no number, or where the mean is unknown.

    A comparison of two measures draws their difference, beside 0. Checks with the same margin have the same
    scale, so that languages can be compared.
    """
    claims = [_claim(check) for check in checks]
    return [
        None
        if claim is None
        else _strip(
            check, claim, [similar for similar, other in zip(checks, claims, strict=True) if other == claim]
        )
        for check, claim in zip(checks, claims, strict=True)
    ]


def _claim(check: Check) -> tuple[str, float, str] | None:
    """The relation, the margin and the unit of a check that can be drawn."""
    relation, mean = check.relation, check.numbers.mean
    if relation is None or check.margin is None or mean is None:
        return None
    if relation.magnitude and relation.against:
        return None
    sign = relation.sign
    if relation.magnitude:
        sign = _WITHIN if relation.within else _BEYOND
    return sign, check.margin, check.numbers.unit


def _strip(check: Check, claim: tuple[str, float, str], alike: Sequence[Check]) -> Strip:
    sign, margin, _ = claim
    margins = (-margin, margin) if sign in (_WITHIN, _BEYOND) else (margin,)
    numbers = [other.numbers for other in alike]
    seen = [
        end for estimate in numbers for end in (estimate.mean, estimate.low, estimate.high) if end is not None
    ]
    least, most = min(*seen, *margins), max(*seen, *margins)
    room = _ROOM * (most - least) or 1.0
    least, most = least - room, most + room

    def place(value: float) -> float:
        share: float = (value - least) / (most - least)
        return round(_EDGE + (WIDTH - 2 * _EDGE) * share, 1)

    ends = tuple(place(value) for value in margins)
    claimed: tuple[tuple[float, float], ...]
    if sign == _WITHIN:
        claimed = ((ends[0], ends[1]),)
    elif sign == _BEYOND:
        claimed = ((0.0, ends[0]), (ends[1], WIDTH))
    else:
        claimed = ((0.0, ends[0]),) if sign in ("<", "<=") else ((ends[0], WIDTH),)
    # An unknown end lies beyond the strip.
    low = 0.0 if check.numbers.low is None else place(check.numbers.low)
    high = WIDTH if check.numbers.high is None else place(check.numbers.high)
    assert check.numbers.mean is not None
    return Strip(claimed, ends, low, high, place(check.numbers.mean))
