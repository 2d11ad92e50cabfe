"""The ledger: what was decided about each claim, and with which checkpoints."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from lengthprobe.statistics.check import Beside, Check

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lengthprobe.statistics.measure_key import MeasureKey

SCHEMA = 1
VERDICTS = ("holds", "broken", "undecided", "error", "skipped", "reported")
DECIDED = ("holds", "broken")
RED = ("broken", "undecided", "error")
# Of an entry that is no claim: a file whose claims nobody knows.
UNCOLLECTED = "collection"
MISSING = "missing"
ROLES = ("model", "base", "reference")


@dataclass(frozen=True, slots=True)
class Entry:
    """What became of one claim.

    Args:
        nodeid: The test.
        claim: Its name, as a phrase.
        statement: What it claims.
        source: Where the claim is from.
        kind: `requirement`, `replication` or `finding`, for the checkpoint under test; or `UNCOLLECTED`.
        language: Code of the language, None where the claim is about none, or about several.
        published: The figure that the source gives for it, if it gives one.
        verdict: One of `VERDICTS`.
        checks: The verdicts asked for; or what a finding reported.
        beside: Estimates shown beside them that decide nothing.
        message: Why there is no verdict.
        duration_s: How long the test took.
        about: `behaviour` or `mechanism`.
        expected: Whether its test is marked xfail; it does not hold all the same.
    """

    nodeid: str
    claim: str
    statement: str
    source: str
    kind: str
    language: str | None
    published: str
    verdict: str
    checks: tuple[Check, ...] = ()
    beside: tuple[Beside, ...] = ()
    message: str = ""
    duration_s: float = 0.0
    about: str = "behaviour"
    expected: bool = False

    @classmethod
    def from_dict(cls, kept: Mapping[str, Any]) -> Entry:
        """The entry that JSON has kept, or that another process has sent."""
        checks, beside = map(Check.from_dict, kept["checks"]), map(Beside.from_dict, kept["beside"])
        return cls(**{**kept, "checks": tuple(checks), "beside": tuple(beside)})

    def as_dict(self) -> dict[str, Any]:
        """The entry as JSON keeps it."""
        return asdict(self) | {
            "checks": [one.as_dict() for one in self.checks],
            "beside": [one.as_dict() for one in self.beside],
        }

    @property
    def measured(self) -> set[MeasureKey]:
        """The keys of what the claim measured, and compared or reported."""
        return {key for check in self.checks if not check.unmet for key in check.measures}

    @property
    def word(self) -> str:
        """The verdict as it is told: one that an xfail mark expects is told as that."""
        return f"{self.verdict}{' (expected)' * self.expected}"


@dataclass(slots=True)
class Ledger:
    """Everything that one session decided, and what it left open.

    Args:
        entries: By test.
        models: Identity of each checkpoint that was asked, by role.
        collected: The claims that were to run, by test, in their order.
        deselected: How many claims the caller left out, as by `-k`, `-m`, `--deselect` or `--lf`.
        interrupted: What ended the session before its time, None where nothing did.
    """

    entries: dict[str, Entry] = field(default_factory=dict)
    models: dict[str, dict[str, Any]] = field(default_factory=dict)
    collected: dict[str, Entry] = field(default_factory=dict)
    deselected: int = 0
    interrupted: str | None = None

    def record(self, entry: Entry, models: Mapping[str, dict[str, Any]]) -> None:
        """Keep what became of a claim, and of which checkpoints it speaks; a later word counts."""
        self.entries[entry.nodeid] = entry
        self.models.update(models)

    def arrange(self, places: Mapping[str, int]) -> None:
        """Put the claims in an order.

        Args:
            places: The place of each test.
        """
        self.entries = dict(sorted(self.entries.items(), key=lambda item: places[item[0]]))

    @property
    def missing(self) -> list[str]:
        """The claims that were to run and of which nothing was heard."""
        return [nodeid for nodeid in self.collected if nodeid not in self.entries]

    @property
    def totals(self) -> dict[str, int]:
        """How many claims came to each verdict, and how many are missing."""
        counts = Counter(entry.verdict for entry in self.entries.values())
        return {verdict: counts[verdict] for verdict in VERDICTS} | {MISSING: len(self.missing)}

    @property
    def decided(self) -> int:
        """How many claims hold or are broken."""
        return sum(self.totals[verdict] for verdict in DECIDED)

    @property
    def uncollected(self) -> int:
        """How many of the errors are files whose claims nobody knows."""
        return sum(entry.kind == UNCOLLECTED for entry in self.entries.values())

    @property
    def has_claims(self) -> bool:
        """Whether anything is known of any claim but that it was to run."""
        return any(entry.kind != UNCOLLECTED for entry in self.entries.values())

    @property
    def only_found(self) -> bool:
        """Whether something was reported, and nothing was asked that could have been decided."""
        kinds = {entry.kind for entry in self.entries.values()}
        return kinds == {"finding"} and self.totals["reported"] > 0

    def as_dict(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """The ledger in the schema of the JSON report.

        Args:
            settings: What was asked, margins included.
        """
        known = {*self.collected, *(one.nodeid for one in self.entries.values() if one.kind != UNCOLLECTED)}
        return {
            "schema": SCHEMA,
            **{role: self.models.get(role) for role in ROLES},
            "settings": dict(settings),
            "claims": [entry.as_dict() for entry in self.entries.values()],
            "totals": self.totals,
            "interrupted": self.interrupted,
            "collected": len(known),
            "missing": self.missing,
            "deselected": self.deselected,
        }


def entries_of(report: Mapping[str, Any]) -> list[Entry]:
    """The claims of a report, as `Ledger.as_dict` has written it."""
    return [Entry.from_dict(one) for one in report["claims"]]


def shown_totals(totals: Mapping[str, int]) -> list[tuple[str, int]]:
    """The totals as a reader is shown them: findings and missing claims where there are any."""
    return [(name, count) for name, count in totals.items() if name not in ("reported", MISSING) or count]
