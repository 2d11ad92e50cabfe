"""The claims of a report as a page tells them: under one heading each, a row a check."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

from lengthprobe.reporting.ledger import MISSING, UNCOLLECTED, VERDICTS
from lengthprobe.reporting.quantities import margin, numbers, why_unmet
from lengthprobe.reporting.strips import Strip, strips

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

# A verdict is never told by its colour alone.
SIGNS = {"holds": "✓", "broken": "✕", "undecided": "?", "error": "!", "skipped": "–", "reported": "i"} | {
    MISSING: "…"
}
_PLURALS = {"holds": "hold", "error": "errors"}
_ABOUT = {"behaviour": "What the model writes", "mechanism": "What its components do"}


@dataclass(frozen=True, slots=True)
class Row:
    """One check of a claim in one language, or an estimate beside it.

    Args:
        language: Its code, nothing in a further row of the same claim.
        verdict: One of `VERDICTS`, nothing in a further row.
        word: How that is told.
        beside: Name of an estimate that decides nothing.
        effect: The mean.
        interval: Its interval.
        size: Prompts and topics.
        margin: The relation to the margin.
        published: The figure that the source gives.
        strip: The interval drawn.
    """

    language: str
    verdict: str
    word: str
    beside: str
    effect: str
    interval: str
    size: str
    margin: str
    published: str
    strip: Strip | None


@dataclass(frozen=True, slots=True)
class Group:
    """One claim in all its languages.

    Args:
        claim: Its name, as a phrase.
        statement: What it claims.
        source: Where it is from.
        kind: `requirement`, `replication` or `finding`.
        rows: Its checks.
    """

    claim: str
    statement: str
    source: str
    kind: str
    rows: tuple[Row, ...]


def count_phrase(verdict: str, count: int) -> str:
    """A number of claims and what they came to, as in `2 hold`."""
    return f"{count} {verdict if count == 1 else _PLURALS.get(verdict, verdict)}"


def verdict_words(claim: Mapping[str, Any]) -> str:
    """A claim's verdict as it is told: one that an xfail mark expects is told as that."""
    return f"{claim['verdict']}{' (expected)' * bool(claim.get('expected'))}"


def headline_of(report: Mapping[str, Any]) -> str:
    """The run of a report in one line."""
    files = sum(claim["kind"] == UNCOLLECTED for claim in report["claims"])
    return headline(report["totals"], report.get("interrupted"), files)


def headline(totals: Mapping[str, int], interrupted: str | None = None, uncollected: int = 0) -> str:
    """The run in one line.

    Args:
        totals: How many claims came to what, and how many are missing.
        interrupted: What ended the run before its time.
        uncollected: How many of the errors are files whose claims nobody knows.
    """
    holds, broken, undecided, errors = (totals[verdict] for verdict in VERDICTS[:4])
    errors -= uncollected
    claims = holds + broken + undecided + errors
    said = [
        f"{count} {what}"
        for count, what in (
            (broken, "broken"),
            (undecided, "undecided"),
            (errors, "without a verdict, for an error"),
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


def sections(claims: Sequence[Mapping[str, Any]]) -> list[tuple[str, list[Group]]]:
    """The claims by what they are about; without a heading where all are about the same."""
    found: dict[str, list[Group]] = {}
    for about, those in groupby(claims, key=lambda claim: claim.get("about", "behaviour")):
        found.setdefault(about, []).extend(_groups(list(those)))
    if len(found) == 1:
        return [("", groups) for groups in found.values()]
    return [(_ABOUT.get(about, about), groups) for about, groups in found.items()]


def failed_claims(claims: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The claims that have a verdict which a reader has to look at, broken ones first."""
    return [claim for verdict in ("broken", "undecided") for claim in claims if claim["verdict"] == verdict]


def messages(claims: Sequence[Mapping[str, Any]], verdict: str) -> list[tuple[str, int]]:
    """Why claims have no verdict, each cause once, with how many claims it stopped."""
    return list(Counter(claim["message"] for claim in claims if claim["verdict"] == verdict).items())


def _groups(claims: Sequence[Mapping[str, Any]]) -> Iterator[Group]:
    for (name, statement, source, kind), those in groupby(
        claims, key=lambda claim: tuple(claim[key] for key in ("claim", "statement", "source", "kind"))
    ):
        together = list(those)
        drawn = iter(strips([check for claim in together for check in claim["checks"]]))
        rows = [row for claim in together for row in _rows(claim, drawn)]
        yield Group(name, statement, source, kind, tuple(rows))


def _rows(claim: Mapping[str, Any], drawn: Iterator[Strip | None]) -> Iterator[Row]:
    # The source's figure stands with the number that it is to be compared with.
    figure, beside = str(claim["published"]), claim["beside"]
    for place, check in enumerate(claim["checks"] or [{}]):
        yield Row(
            "" if place else claim["language"] or "–",
            "" if place else claim["verdict"],
            "" if place else verdict_words(claim),
            "",
            *numbers(check),
            margin(check),
            "" if beside or place else figure,
            next(drawn) if check else None,
        )
    for place, estimate in enumerate(beside):
        name = str(estimate["name"]).partition("(")[0].replace("_", " ")
        yield Row("", "", "", name, *numbers(estimate), why_unmet(estimate), "" if place else figure, None)
