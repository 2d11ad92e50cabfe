"""Findings: reports of a claim that states a model's behaviour, and decides nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lengthprobe.statistics.check import Check
    from lengthprobe.statistics.comparable import Comparable
    from lengthprobe.statistics.verdict import Verdict


def report_of(found: Comparable | Verdict, says: str) -> Check:
    """The report of an estimate, or of a comparison whose truth is not asked.

    A finding has no goal, and so the report shows no worst prompts.

    Args:
        found: The estimate or the comparison.
        says: The statement of the finding, in a few words.

    Raises:
        TypeError: `found` is neither.
    """
    # Imported here, since these modules need what an estimate needs.
    from lengthprobe.statistics.check import Check, Numbers
    from lengthprobe.statistics.comparable import Comparable
    from lengthprobe.statistics.verdict import Verdict

    if isinstance(found, Verdict):
        return replace(found.as_check(), worst=(), says=says)
    if not isinstance(found, Comparable):
        raise TypeError(
            f"report({found!r}): this is no estimate, so that nobody knows how sure it is; "
            "write report(measures.length_error(probe, language=language), 'what it says')"
        )
    unmet = found.shown.unmet
    return Check(
        found.name,
        "reported",
        Numbers.of(found.shown),
        reason="" if unmet is None else unmet.reason,
        unmet=unmet is not None,
        says=says,
        measures=found.measures,
    )
