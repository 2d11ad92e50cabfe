"""Standing against the reference: whether a broken requirement regressed, or was never good."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lengthprobe.reporting.reference_values import value_beside

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lengthprobe.reporting.ledger import Entry
    from lengthprobe.reporting.reference_values import ReferenceValues
    from lengthprobe.statistics.check import Check
    from lengthprobe.statistics.measure_key import MeasureKey

REGRESSED, NEVER_GOOD, NO_WORSE = "regressed", "never good", "no worse than the reference"
NOT_TOLD, NOT_COMPARED = "not told", "not compared"
# The words of a standing that says anything.
STANDING_WORDS = {
    REGRESSED: "regressed against the reference",
    NEVER_GOOD: "never good, no worse than the reference",
    NO_WORSE: "no worse than the reference, which is on the right side of the margin",
    NOT_TOLD: "undecided whether regressed or never good",
}
# The absolute claim is on the signed error. The regression form is on the size of the error, which two
# checkpoints with opposite signs cannot hide.
_SAME_SUBJECT = {"absolute_error": "length_error"}


def standings(
    requirements: Sequence[Entry], reference: str | None, values: ReferenceValues
) -> dict[str, str]:
    """The standing of each broken requirement against the reference, by test; empty without a reference.

    A requirement and a regression form belong together where both compare the same measures in the same
    language. The words:

    - `regressed`: the regression form is broken. A broken regression form is itself `regressed`.
    - `never good`: the regression form holds, and the reference is not on the claimed side either.
    - `no worse than the reference`: the regression form holds, and the reference is on the claimed side.
    - `not told`: the regression form is undecided.
    - `not compared`: no regression form with a verdict ran.

    A claim without a measurement, because a precondition is unmet, is `not compared`.

    Args:
        requirements: The requirements, the regression forms among them.
        reference: The display name of the reference, None without one.
        values: The reference's values, by measure.
    """
    if reference is None:
        return {}
    forms: dict[frozenset[MeasureKey], str] = {}
    for entry in requirements:
        for check in entry.checks:
            if _is_regression(check, reference) and not check.unmet:
                forms[_subject(check)] = check.verdict
    return {
        entry.nodeid: _standing(entry, reference, forms, values)
        for entry in requirements
        if entry.verdict == "broken"
    }


def count_standings(found: Iterable[str]) -> dict[str, int]:
    """The number of broken requirements by standing, in the order of importance, without zeros."""
    every = list(found)
    counts = {word: every.count(word) for word in (REGRESSED, NEVER_GOOD, NO_WORSE, NOT_TOLD, NOT_COMPARED)}
    return {word: count for word, count in counts.items() if count}


def _standing(
    entry: Entry, reference: str, forms: Mapping[frozenset[MeasureKey], str], values: ReferenceValues
) -> str:
    broken = [check for check in entry.checks if check.verdict == "broken" and not check.unmet]
    if any(_is_regression(check, reference) for check in broken):
        return REGRESSED
    found = [_by_form(forms[_subject(check)], check, values) for check in broken if _subject(check) in forms]
    return next(iter(count_standings(found)), NOT_COMPARED)


def _by_form(form: str, check: Check, values: ReferenceValues) -> str:
    if form == "broken":
        return REGRESSED
    if form != "holds":
        return NOT_TOLD
    value = value_beside(check, values)
    is_good = value is not None and value.mean is not None and _is_claimed(check, value.mean)
    return NO_WORSE if is_good else NEVER_GOOD


def _is_claimed(check: Check, value: float) -> bool:
    """Whether a value lies on the claimed side of a check's margin."""
    relation, margin = check.relation, check.margin
    if relation is None or margin is None:
        return False
    compared = abs(value) if relation.magnitude else value
    return compared < margin if relation.sign[0] == "<" else compared > margin


def _is_regression(check: Check, reference: str) -> bool:
    """Whether a check compares the reference with another checkpoint."""
    named = {key.checkpoint for key in check.measures}
    return reference in named and len(named) > 1


def _subject(check: Check) -> frozenset[MeasureKey]:
    """The measures of a check, whoever was measured."""
    return frozenset(
        replace(key, checkpoint="", name=_SAME_SUBJECT.get(key.name, key.name)) for key in check.measures
    )
