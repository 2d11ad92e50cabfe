"""The ledger: what was decided about each claim, and with which checkpoints."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

SCHEMA = 1
VERDICTS = ("holds", "broken", "undecided", "error", "skipped", "reported")
DECIDED = ("holds", "broken")
ROLES = ("model", "base", "reference")


@dataclass(frozen=True, slots=True)
class Entry:
    """What became of one claim. All of it can be written as JSON, and sent from process to process.

    Args:
        nodeid: The test.
        claim: Its name, as a phrase.
        statement: What it claims.
        source: Where the claim is from.
        kind: `requirement`, `replication` or `finding`, for the checkpoint under test.
        language: Code of the language, None where the claim is about none, or about several.
        published: The figure that the source gives for it, if it gives one.
        verdict: One of `VERDICTS`.
        checks: The verdicts asked for, as `Verdict.as_check` gives them; or what a finding reported.
        beside: Estimates shown beside them, in the same form, that decide nothing.
        message: Why there is no verdict.
        duration_s: How long the test took.
        about: `behaviour` or `mechanism`.
    """

    nodeid: str
    claim: str
    statement: str
    source: str
    kind: str
    language: str | None
    published: str
    verdict: str
    checks: list[dict[str, Any]] = field(default_factory=list)
    beside: list[dict[str, Any]] = field(default_factory=list)
    message: str = ""
    duration_s: float = 0.0
    about: str = "behaviour"


@dataclass(slots=True)
class Ledger:
    """Everything that one session decided.

    Args:
        entries: By test.
        models: Identity of each checkpoint that was asked, by role.
    """

    entries: dict[str, Entry] = field(default_factory=dict)
    models: dict[str, dict[str, Any]] = field(default_factory=dict)

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
    def totals(self) -> dict[str, int]:
        """How many claims came to each verdict."""
        counts = Counter(entry.verdict for entry in self.entries.values())
        return {verdict: counts[verdict] for verdict in VERDICTS}

    @property
    def decided(self) -> int:
        """How many claims hold or are broken."""
        return sum(self.totals[verdict] for verdict in DECIDED)

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
        return {
            "schema": SCHEMA,
            **{role: self.models.get(role) for role in ROLES},
            "settings": dict(settings),
            "claims": [asdict(entry) for entry in self.entries.values()],
            "totals": self.totals,
        }


def shown_totals(totals: Mapping[str, int]) -> list[tuple[str, int]]:
    """The totals as a reader is shown them: findings where there are any, the others in any case."""
    return [(verdict, totals[verdict]) for verdict in VERDICTS if verdict != "reported" or totals[verdict]]
