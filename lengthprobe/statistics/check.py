"""Check: a comparison of a claim as kept in a report, and an estimate beside a claim's checks."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

from lengthprobe.statistics.background import Fact
from lengthprobe.statistics.measure_key import MeasureKey, without_checkpoints

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lengthprobe.statistics.comparable import Comparable
    from lengthprobe.statistics.comparison import Shown


@dataclass(frozen=True, slots=True)
class Numbers:
    """The numbers of an estimate. NaN, infinity and a number that was not measured are None, as in JSON.

    Args:
        mean: The mean, the share or the fall.
        low: The lower end of the interval.
        high: The upper end of the interval.
        n: The number of prompts.
        clusters: The number of topics.
        unit: The unit of mean, low and high.
    """

    mean: float | None
    low: float | None
    high: float | None
    n: int
    clusters: int
    unit: str

    @classmethod
    def of(cls, estimate: Shown) -> Numbers:
        """The numbers of an estimate; None for each where a precondition is unmet."""
        if estimate.unmet is not None:
            return cls.not_measured(estimate.unit)
        mean, low, high = (
            value if math.isfinite(value) else None for value in (estimate.mean, estimate.low, estimate.high)
        )
        return cls(mean, low, high, estimate.n, estimate.clusters, estimate.unit)

    @classmethod
    def not_measured(cls, unit: str) -> Numbers:
        """The numbers of an estimate that was not measured."""
        return cls(None, None, None, 0, 0, unit)


@dataclass(frozen=True, slots=True)
class Relation:
    """The way in which a check compares an estimate, and the right side of the comparison.

    Args:
        sign: `<`, `<=`, `>` or `>=`.
        magnitude: Whether the distance from 0 is compared.
        against: The estimate on the right side, empty for a number. A checkpoint named on the left side is
            not named again.
    """

    sign: str
    magnitude: bool = False
    against: str = ""

    @classmethod
    def between(
        cls, sign: str, left: Comparable, right: Comparable | None, *, magnitude: bool = False
    ) -> Relation:
        """The relation of an estimate to another, or to a margin for None."""
        against = "" if right is None else without_checkpoints(right.name, right.measures, left.measures)
        return cls(sign, magnitude, against)

    @property
    def within(self) -> bool:
        """Whether the claim places an estimate near 0, on either side."""
        return self.magnitude and self.sign in ("<", "<=")


@dataclass(frozen=True, slots=True)
class Check:
    """A comparison of a claim, or an estimate reported by a finding.

    Args:
        expression: The comparison, or the estimate, as a line of Python.
        verdict: `holds`, `broken` or `undecided`; `reported` for an estimate alone.
        numbers: The numbers of the estimate shown.
        margin: The number with which the estimate was compared, None where nothing was compared.
        reason: The reason for the verdict, in a clause.
        unmet: Whether a precondition is unmet, so that nothing was measured.
        advice: How to decide the comparison, None without any advice.
        more_topics: The number of further topics to decide the comparison, None beyond those there are.
        background: Facts behind an estimate of a failed check.
        worst: The prompts with the worst answers.
        says: The statement of a finding, in a few words; None for a claim that is no finding.
        relation: How the estimate was compared, None for an estimate alone.
        measures: The keys of all measures in the expression.
    """

    expression: str
    verdict: str
    numbers: Numbers
    margin: float | None = None
    reason: str = ""
    unmet: bool = False
    advice: str | None = None
    more_topics: int | None = None
    background: tuple[Fact, ...] = ()
    worst: tuple[str, ...] = ()
    says: str | None = None
    relation: Relation | None = None
    measures: tuple[MeasureKey, ...] = ()

    @classmethod
    def from_dict(cls, kept: Mapping[str, Any]) -> Check:
        """The check from JSON."""
        rest, numbers = _apart(kept)
        relation = rest.pop("relation")
        return cls(
            **rest
            | {
                "numbers": numbers,
                "background": tuple(map(Fact.from_dict, rest["background"])),
                "worst": tuple(rest["worst"]),
                "relation": None if relation is None else Relation(**relation),
                "measures": tuple(map(MeasureKey.from_dict, rest["measures"])),
            }
        )

    def as_dict(self) -> dict[str, Any]:
        """The check for JSON."""
        return _flat(self)


@dataclass(frozen=True, slots=True)
class Beside:
    """An estimate beside the checks of a claim, which decides nothing.

    Args:
        name: The estimate, as in an expression.
        numbers: The numbers of the estimate.
        reason: Why there are no numbers, where a precondition is unmet.
        unmet: Whether a precondition is unmet.
        label: The name without the checkpoint and language, which stand in the row above.
    """

    name: str
    numbers: Numbers
    reason: str = ""
    unmet: bool = False
    label: str = ""

    @classmethod
    def of(cls, found: Comparable) -> Beside:
        """The values of an estimate beside a claim, for the report."""
        unmet = found.shown.unmet
        reason = "" if unmet is None else unmet.reason
        return cls(found.name, Numbers.of(found.shown), reason, unmet is not None, found.label)

    @classmethod
    def from_dict(cls, kept: Mapping[str, Any]) -> Beside:
        """The estimate from JSON."""
        rest, numbers = _apart(kept)
        return cls(**rest, numbers=numbers)

    def as_dict(self) -> dict[str, Any]:
        """The estimate for JSON."""
        return _flat(self)


def _flat(check: Check | Beside) -> dict[str, Any]:
    """All fields, the numbers among them by their own names."""
    fields = asdict(check).items()
    return dict(chain(*(value.items() if name == "numbers" else [(name, value)] for name, value in fields)))


def _apart(kept: Mapping[str, Any]) -> tuple[dict[str, Any], Numbers]:
    """The fields of an estimate in JSON in two parts: all other fields, and the numbers."""
    rest = dict(kept)
    return rest, Numbers(**{name: rest.pop(name) for name in Numbers.__slots__})
