"""Comparison: what a claim says of a mean, and whether the data show it.

A comparison is one or two statements that a mean lies on one side of a margin. It holds when the interval at
alpha lies wholly on the claimed side, and is broken when the interval at alpha / alpha_shares lies wholly on
the other side: claims that must all hold need no correction for `holds`, but `broken` does, so that a healthy
model is called broken in any of the checks that share alpha with a probability of at most alpha.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import reduce
from typing import TYPE_CHECKING, NamedTuple, Protocol, Self

from lengthprobe.statistics.unmet import first_unmet

if TYPE_CHECKING:
    from lengthprobe.statistics.background import Background
    from lengthprobe.statistics.check import Relation
    from lengthprobe.statistics.measure_key import MeasureKey
    from lengthprobe.statistics.sample import Sample
    from lengthprobe.statistics.unmet import Unmet


class Mean(Protocol):
    """What a statement is about."""

    @property
    def caveat(self) -> str:
        """Why the data cannot decide anything about it, or nothing."""

    @property
    def bounds(self) -> tuple[float, float] | None:
        """The least and the greatest value that it can have, or None."""

    @property
    def unmet(self) -> Unmet | None:
        """What a claim about it presupposes and is not so."""

    @property
    def rival(self) -> Mean | None:
        """The same under the other word counter, None where it does not hang on one."""

    @property
    def recounted(self) -> Mean:
        """The rival, or itself without one."""

    def interval(self, alpha: float, *, copies: float = 1.0) -> tuple[float, float]:
        """The limits at one-sided `alpha`, had the same topics been seen `copies` times over."""


class Shown(Protocol):
    """What a reader is shown of a comparison: a mean, or a share."""

    @property
    def name(self) -> str:
        """What was measured, as it reads in an expression."""

    @property
    def measures(self) -> tuple[MeasureKey, ...]:
        """The keys of the measures that it is of."""

    @property
    def effect(self) -> str:
        """What its value is called: a mean, a share, a fall."""

    @property
    def unit(self) -> str:
        """What it is counted in."""

    @property
    def mean(self) -> float:
        """Its value."""

    @property
    def low(self) -> float:
        """The lower end of the 1 - 2 alpha interval."""

    @property
    def high(self) -> float:
        """The upper end of it."""

    @property
    def n(self) -> int:
        """The number of prompts."""

    @property
    def clusters(self) -> int:
        """The number of topics."""

    @property
    def topics(self) -> int | None:
        """How many topics there are to ask about, None where that is not known."""

    @property
    def alpha(self) -> float:
        """The one-sided error rate of each end of the interval."""

    @property
    def alpha_shares(self) -> float:
        """How many checks share alpha for the verdict `broken`."""

    @property
    def worst(self) -> str:
        """Which prompts are the worst: `high`, `low` or `far` ones."""

    @property
    def counter(self) -> str:
        """The word counter."""

    @property
    def caveat(self) -> str:
        """Why the data cannot decide anything about it, or nothing."""

    @property
    def unmet(self) -> Unmet | None:
        """What a claim about it presupposes and is not so."""

    @property
    def recounted(self) -> Self:
        """The same under the other word counter, or itself."""

    @property
    def samples(self) -> tuple[Sample, ...]:
        """The values behind it, term by term."""

    @property
    def background(self) -> tuple[Background, ...]:
        """What a reader of a claim that failed is told beside it."""


def check_mixable(name: str, one: Shown, other: Shown) -> None:
    """Check that two estimates are counted in the same unit, and decided at the same alpha.

    Args:
        name: What is made of them, for the message.
        one, other: The estimates.

    Raises:
        ValueError: They are not.
    """
    if (one.unit, one.alpha) != (other.unit, other.alpha):
        raise ValueError(
            f"{name}: {one.unit} at alpha {one.alpha} do not mix with {other.unit} at alpha {other.alpha}"
        )


class Part(NamedTuple):
    """The statement that a mean lies below, or else above, a margin."""

    estimate: Mean
    below: bool
    margin: float

    def reach(self, alpha: float, copies: float) -> tuple[float, float]:
        """How far beyond the margin the nearer and the farther limit lie, on the claimed side above zero."""
        low, high = self.estimate.interval(alpha, copies=copies)
        return (
            (self.margin - high, self.margin - low) if self.below else (low - self.margin, high - self.margin)
        )


@dataclass(frozen=True, eq=False)
class Comparison:
    """What a verdict is about.

    Args:
        expression: The comparison as it would be written.
        parts: The statements that it makes.
        estimate: The mean or the share that a reader is shown.
        margin: What that is compared with.
        regions: Where it lies if the comparison is true, and where if it is false, in words.
        every: Whether every part must be true (`abs(e) < m`), or any (`abs(e) > m`).
        strict: Whether the margin itself is excluded.
        relation: How the expression compares its left side, and with what.
        measures: The keys of all measures in the expression.
    """

    expression: str
    parts: tuple[Part, ...]
    estimate: Shown
    margin: float
    regions: tuple[str, ...]
    every: bool = True
    strict: bool = True
    relation: Relation | None = None
    measures: tuple[MeasureKey, ...] = ()

    @property
    def alpha_holds(self) -> float:
        """The level of the limits for `holds`: parts of which any will do share alpha."""
        return self.estimate.alpha / (1 if self.every else len(self.parts))

    @property
    def alpha_broken(self) -> float:
        """The level of the limits for `broken`, the same way, of this check's share of alpha."""
        return self.estimate.alpha / self.estimate.alpha_shares / (len(self.parts) if self.every else 1)

    @property
    def rival(self) -> Comparison | None:
        """The same comparison under the other word counter, if the measure has one."""
        if all(part.estimate.rival is None for part in self.parts):
            return None
        parts = tuple(part._replace(estimate=part.estimate.recounted) for part in self.parts)
        return replace(self, parts=parts, estimate=self.estimate.recounted)

    @property
    def unmet(self) -> Unmet | None:
        """What the comparison presupposes and is not so: that decides it, whatever was claimed."""
        return reduce(first_unmet, (part.estimate.unmet for part in self.parts), None)

    @property
    def caveat(self) -> str:
        """Why the data cannot decide, or nothing."""
        shown = self.estimate.caveat
        return next(filter(None, (shown, *(part.estimate.caveat for part in self.parts))), "")

    def status(self, copies: float = 1.0) -> str:
        """The verdict under this word counter, had the topics been seen `copies` times over."""
        if self.unmet is not None:
            return self.unmet.status
        if self.caveat:
            return "undecided"
        if self.shows(self.alpha_holds, copies):
            return "holds"
        return "broken" if self.refutes(self.alpha_broken, copies) else "undecided"

    def shows(self, alpha: float, copies: float = 1.0) -> bool:
        """Whether the limits at `alpha` lie wholly on the claimed side."""
        nearer = [part.reach(alpha, copies)[0] for part in self.parts]
        proven = [reach > 0 if self.strict else reach >= 0 for reach in nearer]
        return all(proven) if self.every else any(proven)

    def refutes(self, alpha: float, copies: float = 1.0) -> bool:
        """Whether the limits at `alpha` lie wholly on the other side."""
        farther = [part.reach(alpha, copies)[1] for part in self.parts]
        denied = [reach <= 0 if self.strict else reach < 0 for reach in farther]
        return any(denied) if self.every else all(denied)

    def outcome(self, copies: float = 1.0) -> str:
        """The verdict: that of both word counters where there are two, `undecided` where they differ."""
        status = self.status(copies)
        if self.rival is not None and self.rival.status(copies) != status:
            return "undecided"
        return status

    @property
    def reason(self) -> str:
        """Why the verdict is what it is, in a clause."""
        if self.unmet is not None:
            return self.unmet.reason
        if self.caveat:
            return self.caveat
        status, rival = self.status(), self.rival
        if rival is not None and rival.status() != status:
            one, two = self.estimate.counter or "one counter", rival.estimate.counter or "the other"
            return (
                f"the verdict hangs on the word counter: {status} under {one}, {rival.status()} under {two}"
            )
        claimed, other = self.regions
        alpha, strict_alpha = self.estimate.alpha, self.alpha_broken
        if status == "holds":
            return f"the whole interval lies {claimed}"
        if status == "broken":
            return f"the whole interval lies {other}, and so does the interval at alpha {strict_alpha:.2g}"
        if self.refutes(alpha):
            share = f"alpha {strict_alpha:.2g} (this check's share)"
            return f"the interval lies {other}; the interval at {share} does not"
        if self.shows(alpha):
            share = f"alpha {self.alpha_holds:.2g} (each side's share)"
            return f"the interval lies {claimed}; the interval at {share} does not"
        return f"the interval lies partly {claimed}, partly {other}"
