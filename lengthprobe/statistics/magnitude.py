"""Magnitude: the distance of a mean or a share from 0."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, Self

from lengthprobe.statistics.check import Relation
from lengthprobe.statistics.comparable import Comparable, number
from lengthprobe.statistics.comparison import Comparison, Shown
from lengthprobe.statistics.explanation import quantity
from lengthprobe.statistics.verdict import Verdict, decide

if TYPE_CHECKING:
    from lengthprobe.statistics.comparison import Part
    from lengthprobe.statistics.measure_key import MeasureKey


class Signed(Shown, Protocol):
    """A value with a sign: a mean or a share."""

    def side(self, below: bool, margin: float) -> Part:
        """The statement that the value lies below, or else above, a margin."""

    def contrasts(self, other: Comparable) -> tuple[Self, Self] | None:
        """The differences `self - other` and `-self - other`; None where the two have no difference."""


@dataclass(frozen=True, eq=False)
class Magnitude(Comparable):
    """The distance from 0: `abs(estimate) < 0.5` claims that a mean lies within ± 0.5.

    Args:
        name: The name of the magnitude in an expression.
        estimate: The mean or the share.
    """

    name: str
    estimate: Signed

    @property
    def measures(self) -> tuple[MeasureKey, ...]:
        """The keys of the measures in the mean or the share."""
        return self.estimate.measures

    @property
    def label(self) -> str:
        """The name of the magnitude without its estimate."""
        return "abs"

    @property
    def shown(self) -> Signed:
        """The mean or the share, which has a sign."""
        return self.estimate

    def _compared(self, sign: str, other: object) -> Verdict:
        mean, below = self.estimate, sign[0] == "<"
        if isinstance(other, Magnitude):
            raise TypeError(f"{self.name} {sign} {other.name}: only one side can be a magnitude")
        if isinstance(other, Comparable):
            contrasts = mean.contrasts(other)
            if contrasts is None:
                raise TypeError(
                    f"{self.name} {sign} {other.name}: a share compares with a number, its margin"
                )
            # |a| < b says that a - b < 0 and -a - b < 0; |a| > b that one of them is above 0.
            upper, lower = contrasts
            parts = upper.side(below, 0.0), lower.side(below, 0.0)
            shown, margin, right = max(contrasts, key=lambda contrast: contrast.mean), 0.0, other
        else:
            margin = number(other, f"{self.name} {sign} 0.5")
            if margin < 0 or (margin == 0 and sign != ">"):
                raise ValueError(f"{self.name} {sign} {margin:g}: a magnitude is never below 0")
            parts = mean.side(below, margin), mean.side(not below, -margin)
            shown, right = mean, None
        stated = quantity(margin, mean.unit) if right is None else right.name
        return decide(
            Comparison(
                expression=f"{self.name} {sign} {f'{margin:g}' if right is None else right.name}",
                parts=parts,
                estimate=shown,
                margin=margin,
                regions=(f"within ± {stated}", f"beyond ± {stated}")[:: 1 if below else -1],
                every=below,
                strict=sign in "<>",
                relation=Relation.between(sign, self, right, magnitude=True),
                measures=shown.measures,
            )
        )
