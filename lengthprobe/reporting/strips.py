"""Strips: the interval of a check drawn small, on one scale with zero, the margin and the reference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lengthprobe.statistics.check import Check, Numbers

WIDTH = 160.0
_EDGE = 6.0
_ROOM = 0.08
# The least part of a strip for the interval and the margin; a strip with zero and less room leaves zero out.
_LEAST_SHARE = 1 / 6
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
        zero: The place of zero, None where zero is too far away to be drawn on the same scale.
        zero_beyond: The side on which a zero lies that is not drawn, `left` or `right`; else empty.
        reference: The reference's value, None where nothing is known.
    """

    claimed: tuple[tuple[float, float], ...]
    margins: tuple[float, ...]
    low: float
    high: float
    mean: float
    zero: float | None = None
    zero_beyond: str = ""
    reference: float | None = None


def strips(checks: Sequence[Check], references: Sequence[Numbers | None] | None = None) -> list[Strip | None]:
    """A strip for each check; None where its margin is no number, or where the mean is unknown.

    A comparison of two measures draws their difference, beside 0. Checks with the same margin have the same
    scale, so that languages can be compared.

    Args:
        checks: The checks.
        references: The reference's value beside each check, None for no values at all.
    """
    means = [None if value is None else value.mean for value in references or [None] * len(checks)]
    rows = list(zip(checks, map(_claim, checks), means, strict=True))
    return [
        None
        if claim is None
        else _strip(
            check, claim, mean, [(similar, value) for similar, other, value in rows if other == claim]
        )
        for check, claim, mean in rows
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


def _strip(
    check: Check,
    claim: tuple[str, float, str],
    reference: float | None,
    alike: Sequence[tuple[Check, float | None]],
) -> Strip:
    sign, margin, _ = claim
    margins = (-margin, margin) if sign in (_WITHIN, _BEYOND) else (margin,)
    numbers = [other.numbers for other, _ in alike]
    seen = [
        *(end for found in numbers for end in (found.mean, found.low, found.high) if end is not None),
        *(value for _, value in alike if value is not None),
        *margins,
    ]
    least, most = min(seen), max(seen)
    near = most - least >= _LEAST_SHARE * (max(most, 0.0) - min(least, 0.0))
    if near:
        least, most = min(least, 0.0), max(most, 0.0)
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
    assert check.numbers.mean is not None
    return Strip(
        claimed,
        ends,
        # An unknown end lies beyond the strip.
        low=0.0 if check.numbers.low is None else place(check.numbers.low),
        high=WIDTH if check.numbers.high is None else place(check.numbers.high),
        mean=place(check.numbers.mean),
        zero=place(0.0) if near else None,
        zero_beyond="" if near else "left" if least > 0 else "right",
        reference=None if reference is None else place(reference),
    )
