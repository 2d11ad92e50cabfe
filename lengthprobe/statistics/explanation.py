"""What a reader needs to know about a verdict, in lines."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from lengthprobe.statistics.planning import topics_needed
from lengthprobe.task.text import printable

if TYPE_CHECKING:
    from lengthprobe.statistics.estimate import Estimate
    from lengthprobe.statistics.sample import Observation
    from lengthprobe.statistics.verdict import Verdict

_WORST = 3


def explanation(verdict: Verdict) -> list[str]:
    """The lines: verdict, effect and interval, what was measured, why, what would help, the worst prompts."""
    estimate, comparison = verdict.estimate, verdict.comparison
    # What the mean is of stands in the expression, unless it is of a difference that has no name there.
    name = "" if estimate.name in verdict.expression else f"{estimate.name}: "
    measured = f"{_count(estimate.n, 'prompt')}, {_count(estimate.clusters, 'topic')}"
    lines = [
        f"{name}{_effect(estimate, verdict.margin)}",
        f"{measured}; margin {verdict.margin:g} {estimate.unit}",
        verdict.reason,
    ]
    if verdict.status == "undecided" and not comparison.caveat:
        lines.append(_advice(verdict))
    if comparison.rival is not None and comparison.rival.status() != comparison.status():
        rival = comparison.rival.estimate
        lines.append(f"under {rival.counter or 'the other counter'}: {_effect(rival, verdict.margin)}")
    shown = worst(estimate)
    if not shown and verdict.status == "broken":
        # All are as good as the best, and that is not good enough: any of them shows what went wrong.
        shown = list(estimate.samples[0].observations[:_WORST])
    for one in shown:
        note = f": {printable(one.note)}" if one.note else ""
        lines.append(f"worst: {_shown(one.value)} {estimate.unit}, topic {printable(one.topic)}{note}")
    return [f"{verdict.status}: {verdict.expression}", *(f"  {line}" for line in lines)]


def worst(estimate: Estimate, most: int = _WORST) -> list[Observation]:
    """The prompts that were answered worst, worst first; those with the best value of all are not among them.

    Of a contrast, those behind its first term.
    """
    observations = estimate.samples[0].observations
    if not observations:
        return []
    values = [one.value for one in observations]
    best = {"far": 0.0, "high": min(values), "low": max(values)}[estimate.worst]
    bad = [one for one in observations if one.value != best]
    return sorted(bad, key=lambda one: (-abs(one.value - best), one.prompt_id))[:most]


def _effect(estimate: Estimate, margin: float) -> str:
    level = 100 * (1 - 2 * estimate.alpha)
    low, high = (_shown(limit, margin) for limit in (estimate.low, estimate.high))
    return f"mean {_shown(estimate.mean)} {estimate.unit}, {level:g} % interval {low} to {high}"


def _advice(verdict: Verdict) -> str:
    comparison, clusters = verdict.comparison, verdict.estimate.clusters
    more = topics_needed(clusters, lambda copies: comparison.outcome(copies) != "undecided")
    if more is not None:
        return f"about {_count(more, 'more topic')} would decide it"
    if comparison.rival is not None and comparison.rival.status() != comparison.status():
        return "more topics will not decide it"
    return "the effect sits at the margin; more topics will not decide it"


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _shown(value: float, margin: float = math.nan) -> str:
    """A number in four digits, or as many as tell it from the margin."""
    if value == margin:
        return f"{value + 0.0:.4g}"
    digits = next((n for n in range(4, 17) if f"{value:.{n}g}" != f"{margin:.{n}g}"), 17)
    return f"{value + 0.0:.{digits}g}"
