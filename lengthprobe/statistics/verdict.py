"""Verdict on a comparison by the data: `holds`, `broken` or `undecided`."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from lengthprobe.errors import Undecided
from lengthprobe.statistics.background import background_facts
from lengthprobe.statistics.check import Check, Numbers, Relation
from lengthprobe.statistics.comparison import Comparison
from lengthprobe.statistics.explanation import advice, explanation, prompts_to_show, quantity
from lengthprobe.statistics.idle import check_decidable
from lengthprobe.statistics.recording import note_asked, note_made, record_asked_verdicts

if TYPE_CHECKING:
    from lengthprobe.statistics.comparable import Comparable
    from lengthprobe.statistics.comparison import Part, Shown

__all__ = ["Verdict", "decide", "decide_side", "record_asked_verdicts"]


@dataclass(frozen=True, eq=False)
class Verdict:
    """The verdict on a comparison: true for `holds`, false for `broken`; `undecided` raises `Undecided`.

    Args:
        status: `holds`, `broken` or `undecided`.
        expression: The comparison as a line of Python.
        estimate: The mean or the share compared.
        margin: The number with which the estimate was compared.
        reason: The reason for the verdict, in a clause.
        comparison: The statements behind the verdict.
    """

    status: str
    expression: str
    estimate: Shown
    margin: float
    reason: str
    comparison: Comparison = field(repr=False)

    def __bool__(self) -> bool:
        # Pytest shows the line of the test, not this line.
        __tracebackhide__ = True
        note_asked(self)
        if self.status == "undecided":
            raise Undecided(str(self))
        return self.status == "holds"

    def __str__(self) -> str:
        return self._text

    @cached_property
    def _text(self) -> str:
        return "\n".join(explanation(self.comparison))

    def as_check(self) -> Check:
        """The verdict for a report.

        A verdict that does not hold comes with the worst prompts and the background of the estimate. An
        undecided verdict comes with advice on how to decide. Where a precondition is unmet, nothing was
        measured and there are no numbers.
        """
        comparison, estimate = self.comparison, self.estimate
        unmet = comparison.unmet is not None
        failed = self.status != "holds" and not unmet
        return Check(
            expression=self.expression,
            verdict=self.status,
            numbers=Numbers.not_measured(estimate.unit) if unmet else Numbers.of(estimate),
            margin=self.margin,
            reason=self.reason,
            unmet=unmet,
            advice=advice(comparison) or None,
            more_topics=comparison.more_topics,
            background=tuple(fact.finite() for fact in background_facts(estimate.background))
            if failed
            else (),
            worst=tuple(observation.note for observation in prompts_to_show(comparison)) if failed else (),
            relation=comparison.relation,
            measures=comparison.measures,
        )


def decide(comparison: Comparison) -> Verdict:
    """The verdict on a comparison.

    Raises:
        SettingsError: The comparison is true, or false, whatever was measured.
    """
    check_decidable(comparison)
    verdict = Verdict(
        status=comparison.outcome(),
        expression=comparison.expression,
        estimate=comparison.estimate,
        margin=comparison.margin,
        reason=comparison.reason,
        comparison=comparison,
    )
    note_made(verdict)
    return verdict


def decide_side(
    sign: str, left: Comparable, right: Comparable | None, part: Part, shown: Shown, margin: float
) -> Verdict:
    """The verdict on a comparison with a single statement.

    Args:
        sign: `<`, `<=`, `>` or `>=`.
        left: The left side of the sign.
        right: The right side of the sign, None for the margin.
        part: The statement.
        shown, margin: The `estimate` and the `margin` of the Comparison.
    """
    stated = quantity(margin, shown.unit)
    return decide(
        Comparison(
            expression=f"{left.name} {sign} {f'{margin:g}' if right is None else right.name}",
            parts=(part,),
            estimate=shown,
            margin=margin,
            regions=(f"below {stated}", f"above {stated}")[:: 1 if part.below else -1],
            strict=sign in "<>",
            relation=Relation.between(sign, left, right),
            measures=shown.measures,
        )
    )
