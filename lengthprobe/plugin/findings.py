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
        from lengthprobe.statistics.verdict import Verdict

        if isinstance(found, Verdict):
            return cls(found.as_check(), says)
        if not isinstance(found, Comparable):
            raise TypeError(
                f"report({found!r}): this is no estimate, so that nobody knows how sure it is; "
                "write report(measures.length_error(probe, language=language), 'what it says')"
            )
        check = {
            "expression": found.name,
            "verdict": "reported",
            **estimate_numbers(found),
            "margin": None,
            "advice": None,
            "background": [],
        }
        return cls(check, says)

    def as_check(self) -> dict[str, Any]:
        """It as a report keeps it: no prompt is the worst where nothing was to be reached."""
        return {**self.check, "worst": [], "says": self.says}


def estimate_numbers(found: Comparable) -> dict[str, Any]:
    """The numbers of an estimate as a report keeps them; where a precondition is unmet, why there is none."""
    # Imported here, since they need what an estimate needs.
    from lengthprobe.statistics.magnitude import Magnitude
    from lengthprobe.statistics.verdict import NOT_MEASURED, numbers_of

    shown: Any = found.estimate if isinstance(found, Magnitude) else found
    unmet = shown.unmet
    return {
        **(numbers_of(shown) if unmet is None else NOT_MEASURED),
        "unit": shown.unit,
        "reason": "" if unmet is None else unmet.reason,
        "unmet": unmet is not None,
    }
