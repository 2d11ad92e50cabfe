"""Explanation of a verdict to a reader, in lines."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from lengthprobe.statistics.background import background_facts
from lengthprobe.statistics.digits import interval_name
from lengthprobe.untrusted_text import printable

if TYPE_CHECKING:
    from lengthprobe.statistics.comparison import Comparison, Shown
    from lengthprobe.statistics.sample import Observation

_WORST = 3


def explanation(comparison: Comparison) -> list[str]:
    """Lines with the verdict, effect and interval, prompts and topics, reason, advice, and worst prompts."""
    estimate, status = comparison.estimate, comparison.outcome()
    # A name can come from a model card, which is anybody's text.
    first = f"{status}: {printable(comparison.expression, None)}"
    if comparison.unmet is not None:
        # Nothing was measured, so that there is no effect to tell.
        told_of = filter(None, (comparison.reason, comparison.unmet.advice))
        return [first, *(f"  {printable(line, None)}" for line in told_of)]
    # The expression names the mean, except for a difference, which has no name there.
    is_difference = comparison.relation is not None and comparison.relation.against != ""
    name = f"{estimate.name}: " if is_difference else ""
    measured = f"{_count(estimate.n, 'prompt')}, {_count(estimate.clusters, 'topic')}"
    # Of a difference without a name the margin is the other side of the expression.
    margin = "" if name else f"; margin {_margin(comparison.margin, estimate.unit)}"
    lines = [f"{name}{_effect(estimate, comparison.margin)}", f"{measured}{margin}", comparison.reason]
    lines += filter(None, [advice(comparison)])
    if comparison.rival is not None and comparison.rival.status() != comparison.status():
        rival = comparison.rival.estimate
        lines.append(f"under {rival.counter or 'the other counter'}: {_effect(rival, comparison.margin)}")
    lines += [fact.line() for fact in background_facts(estimate.background)]
    for observation in prompts_to_show(comparison):
        note = f": {printable(observation.note)}" if observation.note else ""
        value = "" if estimate.unit == "share" else f"{_counted(observation.value, estimate.unit)}, "
        lines.append(f"worst: {value}topic {printable(observation.topic)}{note}")
    return [first, *(f"  {printable(line, None)}" for line in lines)]


def advice(comparison: Comparison) -> str:
    """Advice on how to decide an undecided comparison, or to meet an unmet precondition; else empty."""
    if comparison.unmet is not None:
        return comparison.unmet.advice
    if comparison.outcome() != "undecided" or comparison.caveat:
        return ""
    if (more := comparison.more_topics) is not None:
        return f"about {_count(more, 'more topic')} would decide it"
    if comparison.needed_topics is not None:
        clusters, topics = comparison.estimate.clusters, comparison.estimate.topics
        if topics is None:
            return "too near the margin to decide with any sensible number of topics"
        # A number of topics beyond the language's own helps nobody.
        every = "this language's" if clusters == topics else "all of this language's"
        return f"too near the margin to decide with {every} {topics} topics"
    if comparison.rival is not None and comparison.rival.status() != comparison.status():
        return "more topics will not decide it"
    return "the effect sits at the margin; more topics will not decide it"


def prompts_to_show(comparison: Comparison) -> list[Observation]:
    """The worst prompts, to show a reader the fault."""
    observations = worst(comparison.estimate)
    if not observations and comparison.outcome() == "broken":
        # All prompts are as good as the best, and the best is not good enough: any prompt shows the fault.
        return list(comparison.estimate.samples[0].observations[:_WORST])
    return observations


def quantity(value: float, unit: str) -> str:
    """A margin in words for a sentence: a share in per cent, any other quantity without its unit."""
    return f"{100 * value:g} %" if unit == "share" else f"{value:g}"


def worst(estimate: Shown, most: int = _WORST) -> list[Observation]:
    """The prompts with the worst answers, worst first, without the prompts that have the best value of all.

    A contrast gives the prompts behind its first term.
    """
    observations = estimate.samples[0].observations
    if not observations:
        return []
    values = [observation.value for observation in observations]
    best = {"far": 0.0, "high": min(values), "low": max(values)}[estimate.worst]
    bad = [observation for observation in observations if observation.value != best]
    return sorted(bad, key=lambda observation: (-abs(observation.value - best), observation.prompt_id))[:most]


def _counted(value: float, unit: str) -> str:
    return _shown(value, unit) if unit == "share" else f"{_shown(value, unit)} {unit}"


def _margin(value: float, unit: str) -> str:
    return _counted(value, unit) if value else "0"


def _effect(estimate: Shown, margin: float) -> str:
    unit = "" if estimate.unit == "share" else f" {estimate.unit}"
    effect = f"{estimate.effect} {_shown(estimate.mean, estimate.unit, margin)}{unit}"
    if math.isinf(estimate.low) and math.isinf(estimate.high):
        return f"{effect}, no interval"
    limits = " to ".join(_shown(limit, estimate.unit, margin) for limit in (estimate.low, estimate.high))
    return f"{effect}, {interval_name(estimate.alpha)} {limits}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _shown(value: float, unit: str, margin: float = math.nan) -> str:
    """A number in four digits, or in enough digits to differ from the margin; a share in per cent."""
    if unit == "share":
        return f"{_digits(100 * value, 100 * margin)} %"
    return _digits(value, margin)


def _digits(value: float, margin: float) -> str:
    if value == margin:
        return f"{value + 0.0:.4g}"
    digits = next((n for n in range(4, 17) if f"{value:.{n}g}" != f"{margin:.{n}g}"), 17)
    return f"{value + 0.0:.{digits}g}"
