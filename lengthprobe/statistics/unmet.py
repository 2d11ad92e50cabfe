"""Unmet: a precondition of a claim that is not met, so that nothing is left to measure."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Unmet:
    """A precondition that a checkpoint does not meet: every comparison of its estimate comes to that.

    Args:
        status: `broken`, or `undecided` where the data cannot tell whether it is met, or the reference fails.
        why: Why, in a clause.
        advice: What would have to be so.
        role: Whether it is the `model` under test that does not meet it, or the `reference`.
    """

    status: str
    why: str
    advice: str = ""
    role: str = "model"

    @property
    def reason(self) -> str:
        """Why, and of which checkpoint where that is not the model under test."""
        return self.why if self.role == "model" else f"of the {self.role}: {self.why}"

    def of_reference(self) -> Unmet:
        """The same where the reference fails: that refutes nothing about the candidate."""
        return replace(self, status="undecided", role="reference")


def first_unmet(one: Unmet | None, other: Unmet | None) -> Unmet | None:
    """What a comparison of two estimates comes to: a precondition that is broken, before one that is open."""
    both = [each for each in (one, other) if each is not None]
    return next((each for each in both if each.status == "broken"), both[0] if both else None)
