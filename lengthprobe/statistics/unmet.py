"""Unmet: a precondition of a claim that is not met, so that nothing is left to measure."""

from __future__ import annotations

from dataclasses import dataclass, replace

_REFERENCE = "the reference has "


@dataclass(frozen=True, slots=True)
class Unmet:
    """A precondition that a checkpoint does not meet: every comparison of its estimate comes to that.

    Args:
        status: `broken`, or `undecided` where the data cannot tell whether it is met, or the reference fails.
        reason: Why, in a clause.
        advice: What would have to be so.
    """

    status: str
    reason: str
    advice: str = ""

    def of_reference(self) -> Unmet:
        """The same where the reference fails: that refutes nothing about the candidate."""
        prefix = "" if self.reason.startswith(_REFERENCE) else _REFERENCE
        return replace(self, status="undecided", reason=f"{prefix}{self.reason}")


def first_unmet(one: Unmet | None, other: Unmet | None) -> Unmet | None:
    """What a comparison of two estimates comes to: a precondition that is broken, before one that is open."""
    both = [each for each in (one, other) if each is not None]
    return next((each for each in both if each.status == "broken"), both[0] if both else None)
