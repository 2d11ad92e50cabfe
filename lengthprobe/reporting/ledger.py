"""The ledger: the outcome of each claim, and the checkpoints."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from lengthprobe.reporting.conclusion import Conclusion, conclude
from lengthprobe.reporting.names import name_of
from lengthprobe.reporting.sides import WAIVED
from lengthprobe.reporting.waiver import WAIVABLE, Waiver
from lengthprobe.statistics.check import Beside, Check

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lengthprobe.statistics.measure_key import MeasureKey

SCHEMA = 1
# The `$id` of report.schema.json beside this file.
SCHEMA_ID = f"urn:lengthprobe:report:{SCHEMA}"
VERDICTS = ("holds", "broken", "undecided", "error", "skipped", "reported")
DECIDED = ("holds", "broken")
RED = ("broken", "undecided", "error")
# The kind of an entry that is no claim: a file whose claims nobody knows.
UNCOLLECTED = "collection"
MISSING = "missing"
ROLES = ("model", "base", "reference")


@dataclass(frozen=True, slots=True)
class Entry:
    """The outcome of a claim.

    Args:
        nodeid: The test.
        claim: The name of the claim, as a phrase.
        statement: The claim as a sentence.
        source: The paper or page of the claim.
        kind: `requirement`, `replication` or `finding`, for the checkpoint under test; or `UNCOLLECTED`.
        language: Code of the language, None where the claim is about none, or about several.
        published: The figure of the source, empty without a figure.
        verdict: A word of `VERDICTS`.
        checks: The verdicts asked for; or the reports of a finding.
        beside: Estimates shown beside the checks, which decide nothing.
        message: Why there is no verdict.
        duration_s: How long the test took.
        about: `behaviour` or `mechanism`.
        expected: Whether the test of a red claim is marked xfail; the claim is red all the same.
        waiver: The waiver on a claim that does not hold, None without a waiver.
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
    waiver: Waiver | None = None

    @classmethod
    def from_dict(cls, kept: Mapping[str, Any]) -> Entry:
        """The entry from JSON, or from another process."""
        checks, beside = map(Check.from_dict, kept["checks"]), map(Beside.from_dict, kept["beside"])
        waiver = Waiver.from_dict(kept.get("waiver"))
        return cls(**{**kept, "checks": tuple(checks), "beside": tuple(beside), "waiver": waiver})

    def as_dict(self) -> dict[str, Any]:
        """The entry for JSON."""
        return asdict(self) | {
            "checks": [check.as_dict() for check in self.checks],
            "beside": [estimate.as_dict() for estimate in self.beside],
        }

    @property
    def measured(self) -> set[MeasureKey]:
        """The keys of the measures that the claim compared or reported."""
        return {key for check in self.checks if not check.unmet for key in check.measures}

    @property
    def is_waived(self) -> bool:
        """Whether the claim does not hold, and a waiver lets the run pass all the same."""
        return self.verdict in WAIVABLE and self.waiver is not None and not self.waiver.expired

    @property
    def is_red(self) -> bool:
        """Whether the claim fails its run."""
        return self.verdict in RED and not self.is_waived

    @property
    def word(self) -> str:
        """The verdict for a reader, with a note in brackets on a waiver or on an xfail mark."""
        if self.waiver is not None:
            return f"{self.verdict} ({self.waiver.word})"
        return f"{self.verdict}{' (expected)' * self.expected}"


@dataclass(slots=True)
class Ledger:
    """All outcomes of a session, and the claims left open.

    Args:
        entries: The outcomes, by test.
        models: Identity of each checkpoint asked, by role.
        collected: The claims to run, by test, in the order of the tests.
        deselected: How many claims the caller left out, as by `-k`, `-m`, `--deselect` or `--lf`.
        interrupted: Why the session ended before its time, None for a session that ran to its end.
        against_reference: The reference's values and the changed prompts, by language.
    """

    entries: dict[str, Entry] = field(default_factory=dict)
    models: dict[str, dict[str, Any]] = field(default_factory=dict)
    collected: dict[str, Entry] = field(default_factory=dict)
    deselected: int = 0
    interrupted: str | None = None
    against_reference: dict[str, dict[str, Any]] = field(default_factory=dict)

    def record(
        self,
        entry: Entry,
        models: Mapping[str, dict[str, Any]],
        against: Mapping[str, dict[str, Any]] | None = None,
    ) -> None:
        """Keep the outcome of a claim, and its checkpoints; a later outcome replaces an earlier outcome.

        Args:
            entry: The outcome.
            models: Identity of each checkpoint asked, by role.
            against: The reference's values and the changed prompts that came with the claim, by language.
        """
        self.entries[entry.nodeid] = entry
        self.models.update(models)
        for language, found in (against or {}).items():
            kept = self.against_reference.setdefault(language, {"values": []})
            # Several processes and several claims tell a value, on the prompts of their looks.
            values = {_kind(value): value for value in kept["values"]}
            for value in found.get("values", ()):
                if value["n"] > values.get(_kind(value), {"n": -1})["n"]:
                    values[_kind(value)] = value
            kept["values"] = list(values.values())
            if found.get("changed", {"n": -1})["n"] > kept.get("changed", {"n": -1})["n"]:
                kept["changed"] = found["changed"]

    def arrange(self, places: Mapping[str, int]) -> None:
        """Put the claims in an order.

        Args:
            places: The place of each test.
        """
        self.entries = dict(sorted(self.entries.items(), key=lambda item: places[item[0]]))

    @property
    def missing(self) -> list[str]:
        """The claims that were to run, and have no outcome."""
        return [nodeid for nodeid in self.collected if nodeid not in self.entries]

    @property
    def conclusion(self) -> Conclusion:
        """One verdict for the whole session."""
        reference = self.models.get("reference")
        return conclude(
            [*self.entries.values(), *(self.collected[nodeid] for nodeid in self.missing)],
            uncollected=self.uncollected,
            reference=name_of(reference) if reference else None,
            against=self.against_reference,
        )

    @property
    def totals(self) -> dict[str, int]:
        """The number of claims by verdict, of waived claims, and of missing claims."""
        counts = Counter(WAIVED if entry.is_waived else entry.verdict for entry in self.entries.values())
        return {name: counts[name] for name in (*VERDICTS, WAIVED)} | {MISSING: len(self.missing)}

    @property
    def decided(self) -> int:
        """The number of claims that hold or are broken, or are waived."""
        return sum(self.totals[name] for name in (*DECIDED, WAIVED))

    @property
    def uncollected(self) -> int:
        """The number of errors that are files whose claims nobody knows."""
        return sum(entry.kind == UNCOLLECTED for entry in self.entries.values())

    @property
    def has_claims(self) -> bool:
        """Whether any claim has an outcome."""
        return any(entry.kind != UNCOLLECTED for entry in self.entries.values())

    @property
    def only_found(self) -> bool:
        """Whether all entries are findings, and at least one reported."""
        kinds = {entry.kind for entry in self.entries.values()}
        return kinds == {"finding"} and self.totals["reported"] > 0

    def as_dict(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """The ledger in the schema of the JSON report.

        Args:
            settings: The settings of the session, margins included.
        """
        known = {
            *self.collected,
            *(entry.nodeid for entry in self.entries.values() if entry.kind != UNCOLLECTED),
        }
        return {
            "$schema": SCHEMA_ID,
            "schema": SCHEMA,
            **{role: self.models.get(role) for role in ROLES},
            "settings": dict(settings),
            "conclusion": self.conclusion.as_dict(),
            "claims": [entry.as_dict() for entry in self.entries.values()],
            "totals": self.totals,
            "interrupted": self.interrupted,
            "collected": len(known),
            "missing": self.missing,
            "deselected": self.deselected,
            "against_reference": self.against_reference,
        }


def _kind(value: Mapping[str, Any]) -> tuple[str, str]:
    """The measure and the unit of a value of the reference."""
    return json.dumps(value["measure"], sort_keys=True), value["unit"]


def conclusion_of(report: Mapping[str, Any]) -> Conclusion:
    """The conclusion of a report by `Ledger.as_dict`, or of an earlier version's report without one."""
    if "conclusion" in report:
        return Conclusion.from_dict(report["conclusion"])
    claims, reference = entries_of(report), report["reference"]
    uncollected = sum(entry.kind == UNCOLLECTED for entry in claims)
    return conclude(
        claims,
        uncollected=uncollected,
        lost=len(report.get("missing", ())),
        reference=name_of(reference) if reference else None,
        against=report.get("against_reference"),
    )


def entries_of(report: Mapping[str, Any]) -> list[Entry]:
    """The claims of a report by `Ledger.as_dict`."""
    return [Entry.from_dict(entry) for entry in report["claims"]]


def shown_totals(totals: Mapping[str, int]) -> list[tuple[str, int]]:
    """The totals for a reader: findings, waived and missing claims only where there are any."""
    seldom = ("reported", WAIVED, MISSING)
    return [(name, count) for name, count in totals.items() if name not in seldom or count]
