"""Check: a comparison of a claim as a report keeps it, and the estimate that stands beside one."""

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
    """The numbers of an estimate. One that JSON does not have is None, and so is one that was not measured.

    Args:
        mean: The mean, the share or the fall.
        low: The lower end of the interval.
        high: The upper end of the interval.
        n: The number of prompts.
        clusters: The number of topics.
        unit: What all of them are counted in.
    """

    mean: float | None
    low: float | None
    high: float | None
    n: int
    clusters: int
    unit: str

    @classmethod
    def of(cls, estimate: Shown) -> Numbers:
        """Those of an estimate; where a precondition is unmet there are none."""
        if estimate.unmet is not None:
            return cls.not_measured(estimate.unit)
        mean, low, high = (
            value if math.isfinite(value) else None for value in (estimate.mean, estimate.low, estimate.high)
        )
        return cls(mean, low, high, estimate.n, estimate.clusters, estimate.unit)

    @classmethod
    def not_measured(cls, unit: str) -> Numbers:
        """Those of an estimate that was not taken."""
        return cls(None, None, None, 0, 0, unit)


@dataclass(frozen=True, slots=True)
class Relation:
    """How a check compares what was measured, and with what.

    Args:
        sign: `<`, `<=`, `>` or `>=`.
        magnitude: Whether the distance from 0 is compared.
        against: The estimate on the right side, empty where a number stands there. A checkpoint that the left
            side names is not named again.
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
        """Whether the claim is that an estimate lies near 0, on either side."""
        return self.magnitude and self.sign in ("<", "<=")


@dataclass(frozen=True, slots=True)
class Check:
    """One comparison of a claim, or one estimate that a finding reports.

    Args:
        expression: The comparison, or the estimate, as it would be written.
        verdict: `holds`, `broken` or `undecided`; `reported` of an estimate alone.
        numbers: Those of the estimate that is shown.
        margin: What the estimate was compared with, None where nothing was compared.
        reason: Why the verdict is what it is, in a clause.
        unmet: Whether a precondition is unmet, so that nothing was measured.
        advice: What would decide the comparison, None where nothing is to be said.
        more_topics: How many more topics would decide the comparison, None where as many cannot be had.
        background: What stands behind an estimate that failed.
        worst: The prompts that were answered worst.
        says: What a finding says, in a few words; None of a claim that is none.
        relation: How the estimate was compared, None where it was not.
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
        """The check that JSON has kept."""
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
        """The check as JSON keeps it."""
        return _flat(self)


@dataclass(frozen=True, slots=True)
class Beside:
    """An estimate that stands beside the checks of a claim, and decides nothing.

    Args:
        name: The estimate, as it reads in an expression.
        numbers: Its numbers.
        reason: Why there are none, where a precondition is unmet.
        unmet: Whether one is.
        label: The name without what it is taken of, which stands in the row above.
    """

    name: str
    numbers: Numbers
    reason: str = ""
    unmet: bool = False
    label: str = ""

    @classmethod
    def of(cls, found: Comparable) -> Beside:
        """What a report keeps of an estimate that is shown beside a claim."""
        unmet = found.shown.unmet
        reason = "" if unmet is None else unmet.reason
        return cls(found.name, Numbers.of(found.shown), reason, unmet is not None, found.label)

    @classmethod
    def from_dict(cls, kept: Mapping[str, Any]) -> Beside:
        """The estimate that JSON has kept."""
        rest, numbers = _apart(kept)
        return cls(**rest, numbers=numbers)

    def as_dict(self) -> dict[str, Any]:
        """The estimate as JSON keeps it."""
        return _flat(self)


def _flat(found: Check | Beside) -> dict[str, Any]:
    """All fields, the numbers among them by their own names."""
    fields = asdict(found).items()
    return dict(chain(*(value.items() if name == "numbers" else [(name, value)] for name, value in fields)))


def _apart(kept: Mapping[str, Any]) -> tuple[dict[str, Any], Numbers]:
    """What JSON has kept of an estimate, and apart from that its numbers."""
    rest = dict(kept)
    return rest, Numbers(**{name: rest.pop(name) for name in Numbers.__slots__})
