"""The claims of a report for a page: a heading for each claim, and a row for each check."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING, Any

from lengthprobe.reporting.ledger import MISSING, UNCOLLECTED, VERDICTS
from lengthprobe.reporting.rows import rows_of
from lengthprobe.reporting.sides import NO_CONTROL, NOT_ASKED, WAIVED, verdict_of
from lengthprobe.reporting.strips import strips

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from lengthprobe.reporting.ledger import Entry
    from lengthprobe.reporting.reference_values import ReferenceValues
    from lengthprobe.reporting.rows import Row
    from lengthprobe.reporting.sides import SideCounts
    from lengthprobe.reporting.strips import Strip

# A verdict is never told by its colour alone.
SIGNS = {"holds": "✓", "broken": "✕", "undecided": "?", "error": "!", "skipped": "–", "reported": "i"} | {
    MISSING: "…",
    NO_CONTROL: "⊘",
    NOT_ASKED: "–",
    WAIVED: "~",
}
# The requirements about no language, or about several.
SEVERAL = "several languages"
_PLURALS = {"holds": "hold", "error": "errors"}
_SINGULARS = {NO_CONTROL: "without control to explain"}
_ABOUT = {"behaviour": "What the model writes", "mechanism": "What its components do"}


@dataclass(frozen=True, slots=True)
class Group:
    """A claim in all its languages.

    Args:
        claim: The name of the claim, as a phrase.
        statement: The claim as a sentence.
        source: The paper or page of the claim.
        kind: `requirement`, `replication` or `finding`.
        rows: The checks of the claim.
    """

    claim: str
    statement: str
    source: str
    kind: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Together:
    """Claims of which nothing was measured, for the same reason.

    Args:
        reason: The reason, in a clause.
        advice: The state that would let the claims be measured.
        claims: The outcomes.
    """

    reason: str
    advice: str
    claims: tuple[Entry, ...]


def count_phrase(verdict: str, count: int) -> str:
    """A number of claims with their verdict, as in `2 hold`."""
    word = _SINGULARS.get(verdict, verdict)
    return f"{count} {word if count == 1 else _PLURALS.get(word, word)}"


def side_phrase(side: SideCounts) -> str:
    """The requirements of a side by verdict, the gravest first, as in `✕ 1 broken, 6 hold`."""
    if not side.counts:
        return f"{SIGNS[NOT_ASKED]} none"
    counts = ", ".join(count_phrase(verdict, count) for verdict, count in side.counts.items())
    return f"{SIGNS[side.state]} {counts}"


def headline_of(report: Mapping[str, Any]) -> str:
    """The headline of a report."""
    files = sum(claim["kind"] == UNCOLLECTED for claim in report["claims"])
    return headline(report["totals"], report.get("interrupted"), files)


def headline(totals: Mapping[str, int], interrupted: str | None = None, uncollected: int = 0) -> str:
    """The outcome of a run in a single line.

    Args:
        totals: The number of claims by verdict, and of missing claims.
        interrupted: Why the run ended before its time, None for a run that ran to its end.
        uncollected: How many of the errors are files whose claims nobody knows.
    """
    holds, broken, undecided, errors = (totals[verdict] for verdict in VERDICTS[:4])
    errors -= uncollected
    waived = totals.get(WAIVED, 0)
    claims = holds + broken + undecided + errors + waived
    said = [
        f"{count} {what}"
        for count, what in (
            (broken, "broken"),
            (undecided, "undecided"),
            (errors, "without a verdict, for an error"),
            (waived, "waived"),
        )
        if count
    ]
    missing = totals.get(MISSING, 0)
    if interrupted or missing or uncollected:
        whether = "Interrupted" if interrupted else "Not complete"
        ran, there = claims + totals["reported"], sum(totals.values()) - uncollected
        if uncollected:
            said.append(f"{uncollected} file{'s' * (uncollected > 1)} could not be collected")
        first = f"{ran} of {there} claim{'s' * (there != 1)} ran" if there else "no claim ran"
        return ", ".join([f"{whether}: {first}", *said])
    if not claims and totals["reported"]:
        return f"{totals['reported']} finding{'s' * (totals['reported'] > 1)} reported"
    if not claims:
        return "No claim was decided"
    if holds == claims:
        return "The one claim holds" if claims == 1 else f"All {claims} claims hold"
    first, *others = said
    count, _, what = first.partition(" ")
    are = "is" if count == "1" else "are"
    return ", ".join([f"{count} of {claims} claim{'s' * (claims > 1)} {are} {what}", *others])


def sections(claims: Sequence[Entry], values: ReferenceValues | None = None) -> list[tuple[str, list[Group]]]:
    """The claims by subject, each subject with its heading; a single subject has no heading.

    Args:
        claims: The outcomes.
        values: The reference's values by measure, None without a reference.
    """
    by_subject: dict[str, list[Group]] = {}
    for about, those in groupby(claims, key=lambda claim: claim.about):
        by_subject.setdefault(about, []).extend(_groups(those, values))
    if len(by_subject) == 1:
        return [("", groups) for groups in by_subject.values()]
    return [(_ABOUT.get(about, about), groups) for about, groups in by_subject.items()]


def failed_claims(claims: Sequence[Entry]) -> list[Entry]:
    """The broken claims, and then the undecided claims, without those of `claims_without_control`."""
    return [
        claim
        for verdict in ("broken", "undecided")
        for claim in claims
        if claim.verdict == verdict and verdict_of(claim) != NO_CONTROL
    ]


def claims_without_control(claims: Sequence[Entry]) -> list[Together]:
    """The broken claims with no control to explain, together where the reason is the same."""
    found: dict[tuple[str, str], list[Entry]] = {}
    for claim in claims:
        if verdict_of(claim) == NO_CONTROL:
            first = next(check for check in claim.checks if check.verdict == "broken")
            found.setdefault((first.reason, first.advice or ""), []).append(claim)
    return [Together(reason, advice, tuple(those)) for (reason, advice), those in found.items()]


def messages(claims: Sequence[Entry], verdict: str) -> list[tuple[str, int]]:
    """The messages of all claims with this verdict, each message once, with the number of its claims."""
    return list(Counter(claim.message for claim in claims if claim.verdict == verdict).items())


def _groups(claims: Iterable[Entry], values: ReferenceValues | None) -> Iterator[Group]:
    for titles, those in groupby(
        claims, key=lambda claim: (claim.claim, claim.statement, claim.source, claim.kind)
    ):
        rows = [row for claim in those for row in rows_of(claim, values)]
        checked = [(row.check, row.reference_value) for row in rows if row.check]
        drawn = iter(strips([check for check, _ in checked], [value for _, value in checked]))
        yield Group(*titles, tuple(_drawn(row, next(drawn) if row.check else None) for row in rows))


def _drawn(row: Row, strip: Strip | None) -> Row:
    """The row for a page, with its interval drawn and its label in words."""
    return replace(row, beside=row.beside.replace("_", " "), strip=strip)
