"""Comparison: the statements of a claim on a mean, and whether the data show them.

A comparison is one or two statements that a mean lies on one side of a margin. A comparison holds when the
interval at alpha lies wholly on the claimed side, and is broken when the interval at alpha / alpha_shares
lies wholly on the other side. Claims that must all hold need no correction for `holds`. For `broken` they do:
so a healthy model is called broken, in any of the checks that share alpha, with a probability of at most
alpha.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, reduce
from typing import TYPE_CHECKING, NamedTuple, Protocol, Self

from lengthprobe.statistics.planning import MOST_TOPICS, topics_needed
from lengthprobe.statistics.unmet import first_unmet

if TYPE_CHECKING:
    from lengthprobe.statistics.background import Background
    from lengthprobe.statistics.check import Relation
    from lengthprobe.statistics.measure_key import MeasureKey
    from lengthprobe.statistics.sample import Sample
    from lengthprobe.statistics.unmet import Unmet


class Mean(Protocol):
    """The mean that a statement is about."""

    @property
    def caveat(self) -> str:
        """The reason why the data cannot decide anything about the mean; empty where they can."""

    @property
    def bounds(self) -> tuple[float, float] | None:
        """The least and the greatest possible value of the mean, or None."""

    @property
    def unmet(self) -> Unmet | None:
        """The unmet precondition of a claim about the mean, None where every precondition is met."""

    @property
    def rival(self) -> Mean | None:
        """The mean under the other word counter, None where the mean does not depend on the counter."""

    @property
    def recounted(self) -> Mean:
        """The rival, or the mean itself without a rival."""

    def interval(self, alpha: float, *, copies: float = 1.0) -> tuple[float, float]:
        """The limits at one-sided `alpha`, had the same topics been seen `copies` times over."""


class Shown(Protocol):
    """The mean or the share that a reader is shown of a comparison."""

    @property
    def name(self) -> str:
        """The name of the estimate in an expression."""

    @property
    def measures(self) -> tuple[MeasureKey, ...]:
        """The keys of the measures in the estimate."""

    @property
    def effect(self) -> str:
        """The word for the value: a mean, a share, a fall."""

    @property
    def unit(self) -> str:
        """The unit of the value."""

    @property
    def mean(self) -> float:
        """The value of the mean or the share."""

    @property
    def low(self) -> float:
        """The lower end of the 1 - 2 alpha interval."""

    @property
    def high(self) -> float:
        """The upper end of the 1 - 2 alpha interval."""

    @property
    def n(self) -> int:
        """The number of prompts."""

    @property
    def clusters(self) -> int:
        """The number of topics."""

    @property
    def topics(self) -> int | None:
        """The number of topics to ask about, None where nobody knows."""

    @property
    def alpha(self) -> float:
        """The one-sided error rate of each end of the interval."""

    @property
    def alpha_shares(self) -> float:
        """The number of checks that share alpha for the verdict `broken`."""

    @property
    def worst(self) -> str:
        """The place of the worst prompts: at `high` or `low` values, or at values `far` from 0."""

    @property
    def counter(self) -> str:
        """The word counter."""

    @property
    def caveat(self) -> str:
        """The reason why the data cannot decide anything about the estimate; empty where they can."""

    @property
    def unmet(self) -> Unmet | None:
        """The unmet precondition of a claim about the estimate, None where every precondition is met."""

    @property
    def recounted(self) -> Self:
        """The estimate under the other word counter, or the estimate itself."""

    @property
    def samples(self) -> tuple[Sample, ...]:
        """The values behind the estimate, term by term."""

    @property
    def background(self) -> tuple[Background, ...]:
        """Facts beside the estimate, for the reader of a failed claim."""


def check_mixable(name: str, one: Shown, other: Shown) -> None:
    """Check the unit and the alpha of two estimates: both must be equal.

    Args:
        name: The name of their sum or difference, for the message.
        one, other: The estimates.

    Raises:
        ValueError: The units or the alphas differ.
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
        """Distances of the nearer and the farther limit beyond the margin, above zero on the claimed side."""
        low, high = self.estimate.interval(alpha, copies=copies)
        return (
            (self.margin - high, self.margin - low) if self.below else (low - self.margin, high - self.margin)
        )


@dataclass(frozen=True, eq=False)
class Comparison:
    """The comparison that a verdict is about.

    Args:
        expression: The comparison as a line of Python.
        parts: The statements of the comparison.
        estimate: The mean or the share shown to a reader.
        margin: The number with which the estimate is compared.
        regions: Two regions in words: of the estimate if the comparison is true, and if the comparison is
            false.
        every: Whether every part must be true (`abs(e) < m`), or any (`abs(e) > m`).
        strict: Whether the margin itself is excluded.
        relation: The sign of the expression and its right side.
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
        """The level of the limits for `holds`: where any true part is enough, the parts share alpha."""
        return self.estimate.alpha / (1 if self.every else len(self.parts))

    @property
    def alpha_broken(self) -> float:
        """The level of the limits for `broken`: a share of alpha, divided by the parts if all must hold."""
        return self.estimate.alpha / self.estimate.alpha_shares / (len(self.parts) if self.every else 1)

    @property
    def rival(self) -> Comparison | None:
        """The comparison under the other word counter, None where the measure has no other."""
        if all(part.estimate.rival is None for part in self.parts):
            return None
        parts = tuple(part._replace(estimate=part.estimate.recounted) for part in self.parts)
        return replace(self, parts=parts, estimate=self.estimate.recounted)

    @property
    def unmet(self) -> Unmet | None:
        """The unmet precondition of the comparison, None where all are met; alone decides the comparison."""
        return reduce(first_unmet, (part.estimate.unmet for part in self.parts), None)

    @property
    def caveat(self) -> str:
        """The reason why the data cannot decide; empty where they can."""
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
        """The verdict; `undecided` where the verdicts under two word counters differ."""
        status = self.status(copies)
        if self.rival is not None and self.rival.status(copies) != status:
            return "undecided"
        return status

    @cached_property
    def needed_topics(self) -> int | None:
        """The number of further topics to decide an undecided comparison, None where no number would."""
        if self.unmet is not None or self.caveat or self.outcome() != "undecided":
            return None
        return topics_needed(self.estimate.clusters, lambda copies: self.outcome(copies) != "undecided")

    @property
    def more_topics(self) -> int | None:
        """The number of further topics to decide an undecided comparison, None beyond those there are."""
        more, topics = self.needed_topics, self.estimate.topics
        left = MOST_TOPICS if topics is None else topics - self.estimate.clusters
        return None if more is None or more > left else more

    @property
    def reason(self) -> str:
        """The reason for the verdict, in a clause."""
        if self.unmet is not None:
            return self.unmet.reason
        if self.caveat:
            return self.caveat
        status, rival = self.status(), self.rival
        if rival is not None and rival.status() != status:
            ours, theirs = self.estimate.counter or "one counter", rival.estimate.counter or "the other"
            return (
                f"the verdict hangs on the word counter: {status} under {ours}, "
                f"{rival.status()} under {theirs}"
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
