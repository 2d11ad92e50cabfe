"""Properties of each claim in the JUnit XML of `--junitxml`, which CI servers show beside a test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lengthprobe.untrusted_text import one_line

if TYPE_CHECKING:
    from lengthprobe.reporting.ledger import Entry
    from lengthprobe.statistics.check import Check

NAMES = ("verdict", "effect", "low", "high", "margin", "n", "topics", "unit")
_OWN = pytest.StashKey[list[tuple[str, object]]]()


def put_properties(item: pytest.Item, report: pytest.TestReport, entry: Entry) -> None:
    """Add the properties of a claim to its test and to the report of this phase.

    pytest writes the properties that come with the report of the teardown. A worker's reports reach the
    controller with their properties. Properties of an earlier phase, or of an earlier run of the test, are
    replaced.
    """
    before = item.stash.get(_OWN, [])
    fresh: list[tuple[str, object]] = list(properties(entry))
    item.stash[_OWN] = fresh
    for kept in (item.user_properties, report.user_properties):
        kept[:] = [each for each in kept if each not in before] + fresh


def properties(entry: Entry) -> list[tuple[str, str]]:
    """The properties of a claim by name, all of `NAMES`; empty where nothing was measured.

    `expected` and `waiver` stand only on a claim with an xfail mark, or with a waiver.

    The numbers are those of the check that decides: the first check that does not hold, or else the first
    check.
    """
    found = [(name, one_line(text)) for name, text in zip(NAMES, _texts(entry), strict=True)]
    notes = {"expected": "xfail" if entry.expected else "", "waiver": str(entry.waiver or "")}
    return [*found, *((name, one_line(text)) for name, text in notes.items() if text)]


def _texts(entry: Entry) -> list[str]:
    check = deciding_check(entry)
    if check is None:
        return [entry.verdict] + [""] * (len(NAMES) - 1)
    numbers = check.numbers
    values = (numbers.mean, numbers.low, numbers.high, check.margin, numbers.n, numbers.clusters)
    return [entry.verdict, *("" if value is None else repr(value) for value in values), numbers.unit]


def deciding_check(entry: Entry) -> Check | None:
    """The first check of a claim that does not hold, or else the first check; None without any check."""
    failed = (check for check in entry.checks if check.verdict in ("broken", "undecided"))
    return next(failed, next(iter(entry.checks), None))
