"""Unmet: a precondition of a claim which is not met, and leaves nothing to measure."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Unmet:
    """A precondition not met by a checkpoint, which decides every comparison of the estimate.

    Args:
        status: `broken`; or `undecided` where the data cannot tell, or where the reference fails.
        why: Why the precondition is not met, in a clause.
        advice: The state that would meet the precondition.
        role: The checkpoint that fails the precondition: the `model` under test, or the `reference`.
    """

    status: str
    why: str
    advice: str = ""
    role: str = "model"

    @property
    def reason(self) -> str:
        """The reason why the precondition is not met, with the checkpoint's role unless this is `model`."""
        return self.why if self.role == "model" else f"of the {self.role}: {self.why}"

    def of_reference(self) -> Unmet:
        """The precondition, unmet by the reference: `undecided`, since the model itself is not refuted."""
        return replace(self, status="undecided", role="reference")


def first_unmet(one: Unmet | None, other: Unmet | None) -> Unmet | None:
    """The unmet precondition that decides a comparison of two estimates: a broken before an undecided one."""
    both = [unmet for unmet in (one, other) if unmet is not None]
    return next((unmet for unmet in both if unmet.status == "broken"), both[0] if both else None)
