"""Strips: the interval of a check drawn small, on the scale of its margin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lengthprobe.reporting.quantities import is_number, relation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

WIDTH = 160.0
_EDGE = 6.0
_ROOM = 0.08


@dataclass(frozen=True, slots=True)
class Strip:
    """Where everything lies, from 0 to `WIDTH`.

    Args:
        claimed: Spans in which the mean lies if the claim is true.
        margins: Where they end.
        low: Lower end of the interval.
        high: Upper end.
        mean: The estimate.
    """

    claimed: tuple[tuple[float, float], ...]
    margins: tuple[float, ...]
    low: float
    high: float
    mean: float


def strips(checks: Sequence[Mapping[str, Any]]) -> list[Strip | None]:
    """A strip for each check; None where its margin is no number, or nothing is known of the mean.

    Of two measures the difference is drawn, beside 0.

    Checks with the same margin have the same scale, so that languages can be compared.
    """
    claims = [_claim(check) for check in checks]
    return [
        None
        if claim is None
        else _strip(check, claim, [one for one, other in zip(checks, claims, strict=True) if other == claim])
        for check, claim in zip(checks, claims, strict=True)
    ]


def _claim(check: Mapping[str, Any]) -> tuple[str, float, str] | None:
    """The relation, the margin and the unit of a check that can be drawn."""
    sign, right = relation(check)
    magnitude = check["expression"].startswith("abs(")
    if not sign or (magnitude and not is_number(right)) or check["mean"] is None:
        return None
    if sign in (">", ">=") and magnitude:
        sign = "beyond"
    return sign, float(check["margin"]), check["unit"]


def _strip(
    check: Mapping[str, Any], claim: tuple[str, float, str], alike: Sequence[Mapping[str, Any]]
) -> Strip:
    sign, margin, _ = claim
    margins = (-margin, margin) if sign in ("±", "beyond") else (margin,)
    seen = [one[key] for one in alike for key in ("mean", "low", "high") if one[key] is not None]
    least, most = min(*seen, *margins), max(*seen, *margins)
    room = _ROOM * (most - least) or 1.0
    least, most = least - room, most + room

    def place(value: float) -> float:
        share: float = (value - least) / (most - least)
        return round(_EDGE + (WIDTH - 2 * _EDGE) * share, 1)

    ends = tuple(place(one) for one in margins)
    claimed: tuple[tuple[float, float], ...]
    if sign == "±":
        claimed = ((ends[0], ends[1]),)
    elif sign == "beyond":
        claimed = ((0.0, ends[0]), (ends[1], WIDTH))
    else:
        claimed = ((0.0, ends[0]),) if sign in ("<", "<=") else ((ends[0], WIDTH),)
    # An end that nothing is known of lies beyond the strip.
    low = 0.0 if check["low"] is None else place(check["low"])
    high = WIDTH if check["high"] is None else place(check["high"])
    return Strip(claimed, ends, low, high, place(check["mean"]))
