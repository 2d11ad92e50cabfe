"""Sides of a run: the requirements about behaviour and those about mechanism, counted by verdict."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lengthprobe.reporting.ledger import Entry

BEHAVIOUR, MECHANISM = "behaviour", "mechanism"
SIDES = (BEHAVIOUR, MECHANISM)
HOLDS, BROKEN, UNDECIDED, ERROR, MISSING, SKIPPED = (
    *("holds", "broken", "undecided", "error"),
    *("missing", "skipped"),
)
# A broken claim of which nothing was measured, since the model has no control of the length.
NO_CONTROL = "no control"
NOT_ASKED = "not asked"
# A claim that does not hold, and that a waiver lets pass.
WAIVED = "waived"
# The verdicts that are counted, the gravest first.
_COUNTED = (BROKEN, NO_CONTROL, ERROR, MISSING, UNDECIDED, HOLDS, WAIVED, SKIPPED)
# The verdicts that say nothing of a side.
_SILENT = (WAIVED, SKIPPED)
OPEN = (ERROR, MISSING, UNDECIDED)


@dataclass(frozen=True, slots=True)
class SideCounts:
    """The requirements about one side of a model, in one language or in all.

    Args:
        counts: The number of requirements by verdict, the gravest first, without zeros.
    """

    counts: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, requirements: Iterable[Entry]) -> SideCounts:
        """The side of some requirements."""
        counts = Counter(map(verdict_of, requirements))
        return cls({verdict: counts[verdict] for verdict in _COUNTED if counts[verdict]})

    @property
    def total(self) -> int:
        """The number of requirements that were asked."""
        return sum(count for verdict, count in self.counts.items() if verdict != SKIPPED)

    @property
    def state(self) -> str:
        """The gravest verdict of the side; `not asked` without any requirement that counts."""
        gravest = next((verdict for verdict in self.counts if verdict not in _SILENT), None)
        return gravest or (WAIVED if WAIVED in self.counts else NOT_ASKED)

    @property
    def is_open(self) -> bool:
        """Whether nothing is broken and not everything is decided."""
        return self.state in OPEN


@dataclass(frozen=True, slots=True)
class MatrixRow:
    """Both sides in a language.

    Args:
        language: Code of the language, None for the requirements about several languages.
        sides: The sides, by name.
    """

    language: str | None
    sides: Mapping[str, SideCounts]

    @classmethod
    def from_dict(cls, kept: Mapping[str, Any]) -> MatrixRow:
        """The row from JSON."""
        return cls(kept["language"], {about: SideCounts(kept[about]) for about in SIDES})

    def as_dict(self) -> dict[str, Any]:
        """The row for JSON."""
        return {"language": self.language, **{about: dict(side.counts) for about, side in self.sides.items()}}


def sides_of(requirements: Sequence[Entry]) -> dict[str, SideCounts]:
    """Both sides, by name."""
    return {about: SideCounts.of(one for one in requirements if one.about == about) for about in SIDES}


def matrix_rows(requirements: Sequence[Entry]) -> tuple[MatrixRow, ...]:
    """A row for each language, in the order of the claims; last the claims about several languages."""
    languages = dict.fromkeys(one.language for one in requirements if one.language is not None)
    several = [None] * any(one.language is None for one in requirements)
    return tuple(
        MatrixRow(language, sides_of([one for one in requirements if one.language == language]))
        for language in (*languages, *several)
    )


def verdict_of(entry: Entry) -> str:
    """The verdict of a requirement; a claim that is waived or has no control to explain is told apart."""
    if entry.is_waived:
        return WAIVED
    broken = [check for check in entry.checks if check.verdict == BROKEN]
    if entry.verdict == BROKEN and broken and all(check.unmet for check in broken):
        return NO_CONTROL
    return entry.verdict
