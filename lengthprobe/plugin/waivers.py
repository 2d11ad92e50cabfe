"""Waivers in the ini file: claims that may be broken or undecided until a day, each with a reason."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from lengthprobe.plugin.claims import entry_of
from lengthprobe.plugin.collected import claims_of
from lengthprobe.plugin.markers import is_claim
from lengthprobe.plugin.options import WAIVERS
from lengthprobe.plugin.refusal import refusal
from lengthprobe.plugin.verdicts import ASKED, is_running
from lengthprobe.plugin.waivable import claim_names, fold, refuse_unknown_names, without_language
from lengthprobe.reporting.waiver import WAIVABLE, Waiver
from lengthprobe.untrusted_text import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lengthprobe.reporting.ledger import Entry, Ledger

# How many verdicts a claim had asked before its present part.
_BEFORE = pytest.StashKey[int]()
# A waiver for longer than a year is a claim that nobody means.
MOST_DAYS = 366
_LINE = re.compile(r"(?P<claim>.+)\suntil\s+(?P<until>[^\s:]*)\s*(?P<colon>:?)\s*(?P<reason>.*)", re.DOTALL)
_DATE = re.compile(r"\d{4}-\d\d-\d\d")


@dataclass(frozen=True, slots=True)
class WaiverLine:
    """One waiver of the ini file.

    Args:
        claim: The claim as written, with a language or without.
        waiver: The day and the reason.
    """

    claim: str
    waiver: Waiver


@dataclass(frozen=True, slots=True)
class Waivers:
    """All waivers of a session."""

    lines: tuple[WaiverLine, ...] = ()

    def check(self, items: Sequence[pytest.Item], config: pytest.Config) -> None:
        """Refuse a waiver that names no claim, before any claim is left out.

        Raises:
            pytest.UsageError: No claim has the name; the message has the names that are most like it.
        """
        if self.lines:
            claims = claims_of(items).values()
            refuse_unknown_names([line.claim for line in self.lines], claims, config, WAIVERS)

    def of(self, entry: Entry) -> WaiverLine | None:
        """The waiver on a claim, whatever its outcome; a waiver for a single language goes first."""
        by_name = {fold(line.claim): line for line in self.lines}
        names = [*claim_names(entry, entry.language), *claim_names(entry)]
        return next((by_name[name] for name in names if name in by_name), None)

    def apply(self, entry: Entry, report: pytest.TestReport) -> Entry:
        """The entry with its waiver, where the claim does not hold; the report then fails no run.

        An expired waiver changes no outcome: a section of the report says that the waiver has expired.
        """
        line = self.of(entry) if entry.verdict in WAIVABLE else None
        if line is None:
            return entry
        if line.waiver.expired:
            report.sections.append(("waiver", str(line.waiver)))
        else:
            spare(report, line.waiver)
        return replace(entry, waiver=line.waiver)

    def apply_to_part(
        self, item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport
    ) -> None:
        """Let a subtest fail no run, where a waived comparison ended the subtest."""
        if not (self.lines and is_running(item) and is_claim(item)):
            return
        # A plain failure is not spared for a comparison of an earlier part.
        before, asked = item.stash.get(_BEFORE, 0), item.stash.get(ASKED, [])
        verdicts, error = asked[before:], call.excinfo
        item.stash[_BEFORE] = len(asked)
        if not report.failed:
            return
        if error is None or not error.errisinstance(AssertionError) or not verdicts:
            return
        if verdicts[-1].status in WAIVABLE:
            line = self.of(entry_of(item, verdicts[-1].status))
            if line is not None and not line.waiver.expired:
                spare(report, line.waiver)

    def told(self, ledger: Ledger) -> list[dict[str, str | bool]]:
        """What became of each waiver, for the report: the state, and a line for a reader."""
        return [
            _told(line, [one for one in ledger.entries.values() if self.of(one) is line])
            for line in self.lines
        ]


def spare(report: pytest.TestReport, waiver: Waiver) -> None:
    """Make a failed report one that fails no run, as an xfail mark does."""
    report.outcome = "skipped"
    report.wasxfail = str(waiver)


def today() -> str:
    """The day by UTC, as in 2026-12-31; the same on every machine of a session."""
    return datetime.now(tz=UTC).date().isoformat()


def read_waivers(config: pytest.Config, now: str) -> Waivers:
    """The waivers of the ini file.

    Args:
        config: The config of the session.
        now: The day on which the session began.

    Raises:
        pytest.UsageError: A waiver has no day, no reason, or a day more than a year away; or two waivers name
            the same claim.
    """
    lines: dict[str, WaiverLine] = {}
    for text in config.getini(WAIVERS):
        line = _read(" ".join(text.split()), date.fromisoformat(now))
        if fold(line.claim) in lines:
            raise _refused(text, "this claim has two waivers", "leave one of the two")
        lines[fold(line.claim)] = line
    return Waivers(tuple(lines.values()))


def _read(text: str, now: date) -> WaiverLine:
    example = (now + timedelta(days=30)).isoformat()
    found = _LINE.fullmatch(text)
    if found is None:
        claim = text.partition(":")[0].removesuffix(" until") or "most answers are exact [it]"
        reason = text.partition(":")[2].strip()
        missing = "no day" if reason else "no day and no reason"
        raise _refused(text, f"{missing} is there", f"{claim} until {example}: {reason or 'the reason'}")
    claim, until, reason = (found[name].strip() for name in ("claim", "until", "reason"))
    if not _DATE.fullmatch(until):
        raise _refused(
            text, "no day is there, as year-month-day", f"{claim} until {example}: {reason or 'the reason'}"
        )
    try:
        day = date.fromisoformat(until)
    except ValueError:
        raise _refused(
            text, f"there is no day {until}", f"{claim} until {example}: {reason or 'the reason'}"
        ) from None
    if not found["colon"] or not reason:
        raise _refused(text, "no reason is there", f"{claim} until {until}: the reason")
    if day - now > timedelta(days=MOST_DAYS):
        latest = (now + timedelta(days=MOST_DAYS)).isoformat()
        raise _refused(
            text,
            f"{until} is more than {MOST_DAYS} days away",
            f"{claim} until {latest}: {reason}, or an earlier day",
        )
    return WaiverLine(claim, Waiver(until, one_line(reason), expired=day < now))


def _refused(text: str, problem: str, fix: str) -> pytest.UsageError:
    return refusal(f"{WAIVERS}: {one_line(text)!r}: {problem}", fix)


def _told(line: WaiverLine, entries: Sequence[Entry]) -> dict[str, str | bool]:
    verdicts = [entry.verdict for entry in entries]
    waived = [entry for entry in entries if entry.waiver is not None]
    where = line.claim if len(waived) != 1 or without_language(line.claim) else _named(waived[0])
    if waived:
        state = "expired" if line.waiver.expired else "waived"
        words = " and ".join(dict.fromkeys(entry.verdict for entry in waived))
        said = f"{where} ({words}): {line.waiver}"
    elif "error" in verdicts:
        state, said = "error", f"{line.claim}: an error, and a waiver never covers an error"
    elif entries and set(verdicts) <= {"holds", "reported"}:
        state = "unneeded"
        whether = "the claim holds" if "holds" in verdicts else "a finding is never red"
        said = f"{line.claim}: {whether}; the waiver can be removed from {WAIVERS}"
    else:
        state, said = "unasked", f"{line.claim}: not decided in this run"
    return {
        "claim": line.claim,
        "until": line.waiver.until,
        "reason": line.waiver.reason,
        "expired": line.waiver.expired,
        "state": state,
        "line": f"waiver: {said}",
    }


def _named(entry: Entry) -> str:
    return f"{entry.claim} [{entry.language}]" if entry.language else entry.claim
