"""The course of a session beside the verdicts: claims left out or lost, and an early end."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from lengthprobe.plugin.collected import lost_claim, uncollected_file
from lengthprobe.plugin.markers import is_claim
from lengthprobe.reporting.ledger import RED, UNCOLLECTED

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lengthprobe.plugin.collected import Collected
    from lengthprobe.reporting.ledger import Ledger

_NAMED = 5


@dataclass(slots=True)
class SessionCourse:
    """Facts that a session learns on its way.

    Args:
        deselected: How many claims the caller left out.
        interrupted: Why the session ended before its time, None for a session that ran to its end.
        failed: Tests that failed without a verdict, as when a process dies, each with the reason.
        uncollected: Files that could not be collected, each with the reason.
        without_verdict: Tests, and tests with subtests, that have a failed report without a verdict.
    """

    deselected: int = 0
    interrupted: str | None = None
    failed: dict[str, str] = field(default_factory=dict)
    uncollected: dict[str, str] = field(default_factory=dict)
    without_verdict: set[str] = field(default_factory=set)
    _seen: list[pytest.Item] = field(default_factory=list)
    _left_out: list[pytest.Item] = field(default_factory=list)
    _choosing: bool = False
    _asked_to_stop: bool = False

    @contextmanager
    def own_choice(self) -> Iterator[None]:
        """A block in which lengthprobe itself leaves claims out: they do not count as deselected."""
        self._choosing = True
        try:
            yield
        finally:
            self._choosing = False

    def deselect(self, items: Sequence[pytest.Item]) -> None:
        """Count the claims among the tests left out."""
        claims = [item for item in items if is_claim(item)]
        self._left_out += claims
        if not self._choosing:
            self.deselected += len(claims)

    def see(self, nodes: Sequence[pytest.Item | pytest.Collector]) -> None:
        """Keep the claims among the collected tests: `--lf` drops some before any hook is called."""
        self._seen += [node for node in nodes if isinstance(node, pytest.Item) and is_claim(node)]

    def end_collection(self, items: Sequence[pytest.Item]) -> None:
        """Count the claims dropped without a call of any hook."""
        kept = {*items, *self._left_out}
        self.deselected += sum(item not in kept for item in self._seen)
        self._seen = []

    def note(self, report: pytest.TestReport) -> None:
        """Keep a report without a verdict on a failed test."""
        if report.failed:
            self.without_verdict.add(report.nodeid)
        if report.failed and not hasattr(report, "context"):
            self.failed[report.nodeid] = _last_line(report.longreprtext)

    def note_collection(self, report: pytest.CollectReport) -> None:
        """Keep a file that could not be collected, with the reason."""
        if report.failed:
            self.uncollected[report.nodeid] = _last_line(report.longreprtext)

    def interrupt(self, error: BaseException) -> None:
        """Keep the reason for which the session ends early."""
        said, name = getattr(error, "msg", None) or str(error), type(error).__name__
        # Of pytest and of xdist, for their own reasons: enough failures, or errors in collection.
        self._asked_to_stop = name != "Interrupted"
        if self._asked_to_stop:
            name = "pytest.exit" if isinstance(error, pytest.exit.Exception) else name
            said = ": ".join(filter(None, (name, said)))
        self.interrupted = said

    def fail(self, error: BaseException) -> None:
        """Keep an internal error of pytest or of a plugin: the error ends the session."""
        self._asked_to_stop = True
        self.interrupted = f"an internal error of pytest or of a plugin: {_last_line(repr(error))}"

    def close(self, ledger: Ledger, collected: Collected, session: pytest.Session, *, in_use: bool) -> None:
        """Write into the ledger which claims were collected or lost, and why the session ended early.

        Args:
            ledger: The ledger of the session.
            collected: Which claims were to run.
            session: The session at its end.
            in_use: Whether somebody asked anything of lengthprobe.
        """
        ledger.collected, ledger.deselected = collected.claims, collected.deselected
        for nodeid, why in self.failed.items():
            # Another process may have a verdict: the test cannot be run in this process.
            if nodeid in collected.claims and not _is_told(ledger, nodeid):
                ledger.record(lost_claim(collected.claims[nodeid], why), {})
        if in_use or ledger.entries or collected.claims:
            for nodeid, why in self.uncollected.items():
                ledger.record(uncollected_file(nodeid, why), {})
        # Workers end in any order; a reader finds the claims as they stand in their files.
        order = {nodeid: place for place, nodeid in enumerate((*collected.claims, *ledger.entries))}
        ledger.arrange(order | {nodeid: place for place, nodeid in enumerate(collected.claims)})
        stopped = self.interrupted or session.shouldfail or session.shouldstop or None
        whole = not ledger.missing and not self.uncollected
        # A run that stops at its last failure was to end there.
        ledger.interrupted = None if whole and not self._asked_to_stop else _text(stopped)


def problems(ledger: Ledger, session: pytest.Session, *, pointless: bool) -> list[str]:
    """Reasons for which a session fails beside its red tests.

    Args:
        ledger: The ledger of the session.
        session: The session at its end.
        pointless: Whether claims were to be decided and no claim was decided.
    """
    found = []
    if ledger.missing or (ledger.interrupted and (ledger.collected or ledger.entries)):
        from lengthprobe.reporting.claims import headline

        found.append(headline(ledger.totals, ledger.interrupted, ledger.uncollected).lower())
    if pointless and session.exitstatus != pytest.ExitCode.INTERRUPTED:
        found.append("no claim was decided, so that this run says nothing about a checkpoint")
    red = [one.nodeid for one in ledger.entries.values() if one.is_red and one.kind != UNCOLLECTED]
    if red and session.exitstatus == pytest.ExitCode.OK:
        named = ", ".join(red[:_NAMED]) + f", and {len(red) - _NAMED} more" * (len(red) > _NAMED)
        found.append(f"not every claim holds, whatever an xfail mark expects: {named}")
    return found


def deselected_lines(count: int, passed_over: int) -> list[str]:
    """Lines for the reader on the claims left out by the caller.

    Args:
        count: How many claims the caller left out.
        passed_over: How many files `--lf` did not read.
    """
    files = "file" if passed_over == 1 else "files"
    said = [f"deselected: the claims of {passed_over} {files} in which nothing failed last time (--lf)"]
    if not count:
        return said * bool(passed_over)
    return said * bool(passed_over) + [
        f"deselected: {count} {'claim' if count == 1 else 'claims'} (by -k, -m, --deselect, --lf or the like)"
    ]


def _is_told(ledger: Ledger, nodeid: str) -> bool:
    """Whether the ledger already has a red entry for a test that failed without a verdict."""
    return nodeid in ledger.entries and ledger.entries[nodeid].verdict in RED


def _text(reason: object) -> str | None:
    return None if reason is None else str(reason)


def _last_line(text: str) -> str:
    lines = [line.removeprefix("E ").strip() for line in text.splitlines()]
    return next((line for line in reversed(lines) if line), "no reason is known")
