"""Waiver: a claim that may fail until a day, as a report shows the waiver."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

# A waiver never covers an error: nobody knows there whether the claim is broken.
WAIVABLE = ("broken", "undecided")


@dataclass(frozen=True, slots=True)
class Waiver:
    """A waiver on a claim that does not hold.

    Args:
        until: The last day of the waiver, as in 2026-12-31.
        reason: Why the claim may fail until then.
        expired: Whether that day is over, so that the claim fails the run again.
    """

    until: str
    reason: str
    expired: bool = False

    @classmethod
    def from_dict(cls, kept: Mapping[str, Any] | None) -> Waiver | None:
        """The waiver from JSON, None for None."""
        return None if kept is None else cls(**kept)

    @property
    def word(self) -> str:
        """The state of the waiver, in a word or two beside a verdict."""
        return "waiver expired" if self.expired else "waived"

    def __str__(self) -> str:
        when = "waiver expired after" if self.expired else "waived until"
        return f"{when} {self.until}: {self.reason}"


def waiver_lines(report: Mapping[str, Any]) -> list[str]:
    """The lines of a report on its waivers; empty where there are none."""
    return [str(waiver["line"]) for waiver in report.get("waivers", [])]
