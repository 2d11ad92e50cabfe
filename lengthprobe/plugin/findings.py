"""Findings: what a claim reports that states what a model does, and decides nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lengthprobe.statistics.comparable import Comparable
    from lengthprobe.statistics.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Reported:
    """An estimate that a finding reports.

    Args:
        check: It as `Verdict.as_check` gives it, without a margin where nothing was compared.
        says: What it says, in a few words.
    """

    check: dict[str, Any]
    says: str

    @classmethod
    def of(cls, found: Comparable | Verdict, says: str) -> Reported:
        """What is reported of an estimate, or of a comparison whose truth is not asked.

        Raises:
            TypeError: It is neither.
        """
        from lengthprobe.statistics.comparable import Comparable
        from lengthprobe.statistics.verdict import NOT_MEASURED, Verdict, numbers_of

        if isinstance(found, Verdict):
            return cls(found.as_check(), says)
        if not isinstance(found, Comparable):
            raise TypeError(
                f"report({found!r}): this is no estimate, so that nobody knows how sure it is; "
                "write report(measures.length_error(probe, language=language), 'what it says')"
            )
        compared = found > 0
        unmet = compared.comparison.unmet
        check = {
            "expression": found.name,
            "verdict": "reported",
            **(numbers_of(compared.estimate) if unmet is None else NOT_MEASURED),
            "unit": compared.estimate.unit,
            "margin": None,
            "reason": "" if unmet is None else unmet.reason,
            "unmet": unmet is not None,
            "advice": None,
            "background": [],
        }
        return cls(check, says)

    def as_check(self) -> dict[str, Any]:
        """It as a report keeps it: no prompt is the worst where nothing was to be reached."""
        return {**self.check, "worst": [], "says": self.says}
