"""Verdict: `holds`, `broken` or `undecided`, and how a comparison comes to it.

A comparison is one or two statements that a mean lies on one side of a margin. It holds when the interval at
alpha lies wholly on the claimed side, and is broken when the interval at alpha / family lies wholly on the
other side: claims that must all hold need no correction for `holds`, but `broken` does, so that a healthy
model is called broken in any check of the family with a probability of at most alpha.
"""

from __future__ import annotations

import math
import operator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from lengthprobe.errors import Undecided
from lengthprobe.statistics.explanation import explanation, quantity, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lengthprobe.statistics.estimate import Estimate
    from lengthprobe.statistics.share import Share

_OPERATORS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
_recordings: ContextVar[tuple[list[Verdict], ...]] = ContextVar("recordings", default=())


class Part(NamedTuple):
    """The statement that a mean lies below, or else above, a margin."""

    estimate: Estimate
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
    """

    expression: str
    parts: tuple[Part, ...]
    estimate: Estimate | Share
    margin: float
    regions: tuple[str, ...]
    every: bool = True
    strict: bool = True

    @property
    def alpha_holds(self) -> float:
        """The level of the limits for `holds`: parts of which any will do share alpha."""
        return self.estimate.alpha / (1 if self.every else len(self.parts))

    @property
    def alpha_broken(self) -> float:
        """The level of the limits for `broken`, the same way, and shared by the family."""
        return self.estimate.alpha / self.estimate.family / (len(self.parts) if self.every else 1)

    @property
    def rival(self) -> Comparison | None:
        """The same comparison under the other word counter, if the measure has one."""
        if all(part.estimate.rival is None for part in self.parts):
            return None
        parts = tuple(part._replace(estimate=part.estimate.recounted) for part in self.parts)
        return replace(self, parts=parts, estimate=self.estimate.recounted)

    @property
    def caveat(self) -> str:
        """Why the data cannot decide, or nothing."""
        shown = self.estimate.caveat
        return next(filter(None, (shown, *(part.estimate.caveat for part in self.parts))), "")

    def status(self, copies: float = 1.0) -> str:
        """The verdict under this word counter, had the topics been seen `copies` times over."""
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


@dataclass(frozen=True, eq=False)
class Verdict:
    """What the data say about a comparison. True when it holds, false when it is broken.

    Args:
        status: `holds`, `broken` or `undecided`.
        expression: The comparison, as it would be written.
        estimate: The mean or the share that was compared.
        margin: What it was compared with.
        reason: Why, in a clause.
        comparison: The statements behind it.
    """

    status: str
    expression: str
    estimate: Estimate | Share
    margin: float
    reason: str
    comparison: Comparison = field(repr=False)

    def __bool__(self) -> bool:
        # Pytest shows the line of the test, not this one.
        __tracebackhide__ = True
        for verdicts in _recordings.get():
            # The truth of one verdict is asked again where pytest looks for what failed.
            if not any(verdict is self for verdict in verdicts):
                verdicts.append(self)
        if self.status == "undecided":
            raise Undecided(str(self))
        return self.status == "holds"

    def __str__(self) -> str:
        return self._text

    @cached_property
    def _text(self) -> str:
        return "\n".join(explanation(self))

    def as_check(self) -> dict[str, Any]:
        """The verdict as a report keeps it; a number that JSON does not have is None.

        One that does not hold has its worst prompts with it.
        """
        mean, low, high = (
            value if math.isfinite(value) else None
            for value in (self.estimate.mean, self.estimate.low, self.estimate.high)
        )
        return {
            "expression": self.expression,
            "verdict": self.status,
            "mean": mean,
            "low": low,
            "high": high,
            "n": self.estimate.n,
            "clusters": self.estimate.clusters,
            "margin": self.margin,
            "unit": self.estimate.unit,
            "reason": self.reason,
            "worst": [] if self.status == "holds" else [one.note for one in shown(self)],
        }


def decide(comparison: Comparison) -> Verdict:
    """The verdict on a comparison."""
    return Verdict(
        status=comparison.outcome(),
        expression=comparison.expression,
        estimate=comparison.estimate,
        margin=comparison.margin,
        reason=_reason(comparison),
        comparison=comparison,
    )


def decide_side(
    sign: str, names: tuple[str, str], part: Part, shown: Estimate | Share, margin: float
) -> Verdict:
    """The verdict on a comparison that is one statement.

    Args:
        sign: `<`, `<=`, `>` or `>=`.
        names: What stands on the left and on the right of it.
        part: The statement.
        shown, margin: The `estimate` and the `margin` of the Comparison.
    """
    stated = quantity(margin, shown.unit)
    return decide(
        Comparison(
            expression=f"{names[0]} {sign} {names[1]}",
            parts=(part,),
            estimate=shown,
            margin=margin,
            regions=(f"below {stated}", f"above {stated}")[:: 1 if part.below else -1],
            strict=sign in "<>",
        )
    )


def _reason(comparison: Comparison) -> str:
    if comparison.caveat:
        return comparison.caveat
    status, rival = comparison.status(), comparison.rival
    if rival is not None and rival.status() != status:
        one, two = comparison.estimate.counter or "one counter", rival.estimate.counter or "the other"
        return f"the verdict hangs on the word counter: {status} under {one}, {rival.status()} under {two}"
    claimed, other = comparison.regions
    alpha, strict_alpha = comparison.estimate.alpha, comparison.alpha_broken
    if status == "holds":
        return f"the whole interval lies {claimed}"
    if status == "broken":
        return f"the whole interval lies {other}, at one-sided {strict_alpha:.2g} too"
    if comparison.refutes(alpha):
        return (
            f"it lies {other}, but not at one-sided {strict_alpha:.2g}, the share of alpha of one such check"
        )
    if comparison.shows(alpha):
        return f"it lies {claimed}, but not at one-sided {comparison.alpha_holds:.2g}, the share of each side"
    return f"the interval lies partly {claimed}, partly {other}"


@contextmanager
def recording() -> Iterator[list[Verdict]]:
    """A list to which every Verdict whose truth is asked meanwhile is added, once."""
    verdicts: list[Verdict] = []
    token = _recordings.set((*_recordings.get(), verdicts))
    try:
        yield verdicts
    finally:
        _recordings.reset(token)


def explain(op: str, left: Any, right: Any) -> list[str] | None:
    """The lines that say why `left op right` failed, for `pytest_assertrepr_compare`.

    Returns:
        None where neither side is an estimate, or the comparison is none that gives a Verdict.
    """
    # Imported here, since an estimate is made of verdicts.
    from lengthprobe.statistics.comparable import Comparable

    if op not in _OPERATORS or not (isinstance(left, Comparable) or isinstance(right, Comparable)):
        return None
    return str(_OPERATORS[op](left, right)).splitlines()
