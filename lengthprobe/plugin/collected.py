"""Collected claims: the claims that a session is to run, known before any claim has run."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from shlex import quote
from typing import TYPE_CHECKING, Any

from lengthprobe.plugin.claims import entry_of
from lengthprobe.plugin.markers import is_claim
from lengthprobe.plugin.selection import Selection
from lengthprobe.reporting.files import write_whole
from lengthprobe.reporting.ledger import MISSING, UNCOLLECTED, Entry

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pytest

_SUFFIX = ".collected.json"


@dataclass(slots=True)
class Collected:
    """Claims collected by a single process.

    Args:
        claims: An entry for each claim to run, by test, in the order of the tests.
        selection: How many claims do not run, and why.
        deselected: How many claims the caller left out, as by `-k`, `-m`, `--deselect` or `--lf`.
        passed_over: How many files `--lf` did not even read.
        refused: The usage error for which no claim of a worker runs, empty without an error.
    """

    claims: dict[str, Entry] = field(default_factory=dict)
    selection: Selection = field(default_factory=Selection)
    deselected: int = 0
    passed_over: int = 0
    refused: str = ""

    def add(self, told: dict[str, Any]) -> None:
        """Take up the claims of another process of the session: all processes collect the same claims."""
        for one in told["claims"]:
            self.claims.setdefault(one["nodeid"], Entry.from_dict(one))
        self.selection = Selection.largest(self.selection, told["selection"])
        self.deselected = max(self.deselected, told["deselected"])
        self.passed_over = max(self.passed_over, told["passed_over"])
        self.refused = self.refused or told["refused"]

    def as_dict(self) -> dict[str, Any]:
        """The claims and numbers, as processes exchange them."""
        return {
            "claims": [entry.as_dict() for entry in self.claims.values()],
            "selection": self.selection.as_dict(),
            "deselected": self.deselected,
            "passed_over": self.passed_over,
            "refused": self.refused,
        }


def claims_of(items: Sequence[pytest.Item]) -> dict[str, Entry]:
    """An entry, without a verdict, for each claim among tests."""
    return {item.nodeid: entry_of(item, MISSING) for item in items if is_claim(item)}


def hand_over(collected: Collected, worker: str, directory: Path) -> None:
    """Write a worker's claims to a file, where the controller finds them even if the worker dies at once."""
    write_whole(directory / f"{worker}{_SUFFIX}", json.dumps(collected.as_dict()))


def worker_leftovers(directory: Path) -> list[dict[str, Any]]:
    """The claims left in files by the workers of a session."""
    return [json.loads(path.read_bytes()) for path in sorted(directory.glob(f"*{_SUFFIX}"))]


def uncollected_file(nodeid: str, why: str) -> Entry:
    """The error for a file that could not be collected, so that nobody knows its claims."""
    return Entry(
        nodeid=nodeid,
        claim=nodeid,
        statement="The claims in this file are not known: it could not be collected.",
        source="",
        kind=UNCOLLECTED,
        language=None,
        published="",
        verdict="error",
        message=f"{nodeid} could not be collected: {why}\n  fix: pytest --collect-only {quote(nodeid)}",
    )


def lost_claim(claim: Entry, why: str) -> Entry:
    """The error for a claim whose process died while the test ran."""
    message = f"{why}: this claim has no verdict\n  fix: pytest {quote(claim.nodeid)}"
    return replace(claim, verdict="error", message=message)
