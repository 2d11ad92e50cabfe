"""The summary of a report in Markdown, for a pull request or a job's page."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from lengthprobe.reporting.claims import (
    SEVERAL,
    SIGNS,
    claims_without_control,
    count_phrase,
    failed_claims,
    headline_of,
    messages,
    side_phrase,
)
from lengthprobe.reporting.ledger import MISSING, ROLES, conclusion_of, entries_of, shown_totals
from lengthprobe.reporting.names import name_of, place_of, title_of, unjudged_lines
from lengthprobe.reporting.quantities import numbers
from lengthprobe.reporting.reference_values import reference_values
from lengthprobe.reporting.rows import Row, headers, rows_of
from lengthprobe.reporting.sides import NO_CONTROL, SIDES
from lengthprobe.reporting.standing import STANDING_WORDS
from lengthprobe.reporting.waiver import waiver_lines
from lengthprobe.untrusted_text import escaped_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lengthprobe.reporting.claims import Together
    from lengthprobe.reporting.conclusion import Conclusion
    from lengthprobe.reporting.ledger import Entry

# Every character with a meaning in Markdown; a hyphen or a full stop within a word or a number has none.
_MARKUP = re.compile(r"([!#$&()*+:<>@\[\\\]^_`{|}~]|(?<!\w)[-.]|[-.](?!\w)|(?<=www)\.)", re.IGNORECASE)
_SHOWN = 400


def summary(report: Mapping[str, Any]) -> str:
    """The verdict on the whole run, counts, the table of claims, and why some do not hold.

    Args:
        report: The ledger by `Ledger.as_dict`.
    """
    return "\n".join(_lines(report)) + "\n"


def plain(text: object, limit: int = _SHOWN) -> str:
    """Foreign text on a single line of Markdown, escaped: no markup, link, mention or cell is left."""
    return _MARKUP.sub(r"\\\1", " ".join(escaped_text(str(text), limit).split()))


def code(text: str, limit: int = _SHOWN) -> str:
    """Foreign text as a code span, in which Markdown finds no markup."""
    shown = " ".join(escaped_text(text, limit).split())
    fence = "`" * (1 + max(map(len, re.findall("`+", shown)), default=0))
    room = " " if shown.startswith("`") or shown.endswith("`") else ""
    return f"{fence}{room}{shown}{room}{fence}" if shown else ""


def _lines(report: Mapping[str, Any]) -> Iterator[str]:
    claims, totals = entries_of(report), report["totals"]
    name = title_of(report) or "no checkpoint was asked"
    conclusion, values = conclusion_of(report), reference_values(report.get("against_reference", {}))
    yield f"## {plain(name)}: {headline_of(report).lower()}"
    yield ""
    yield f"**{plain(conclusion.sentence)}** {plain(' '.join(conclusion.details))}".rstrip()
    yield ""
    yield " · ".join(
        f"{SIGNS[verdict]} {count_phrase(verdict, count)}" for verdict, count in shown_totals(totals)
    )
    for role in ROLES:
        if report[role] and (role != "model" or place_of(report[role])):
            place = place_of(report[role])
            yield f"<br>{role}: {plain(name_of(report[role]))}{f' ({code(place)})' if place else ''}"
    yield from (f"<br>{plain(line)}" for line in unjudged_lines(report))
    yield from _missing(report)
    yield from _matrix(conclusion)
    if claims:
        yield ""
        titles = headers(report["settings"]["alpha"])
        yield f"| {' | '.join(titles)} |"
        yield f"|{' --- |' * len(titles)}"
        for claim in claims:
            yield from map(_line, rows_of(claim, values))
    for claim in failed_claims(claims):
        yield from _explained(claim, conclusion.standings.get(claim.nodeid, ""))
    for together in claims_without_control(claims):
        yield from _told_together(together)
    for verdict in ("error", "skipped"):
        for message, count in messages(claims, verdict):
            yield ""
            yield f"**{count_phrase(verdict, count)}**: {plain(message)}"
    for line in (*waiver_lines(report), *report.get("not_run", [])):
        yield ""
        yield plain(line)


def _missing(report: Mapping[str, Any]) -> Iterator[str]:
    """The claims that did not run, by name."""
    missing, why = report.get("missing", []), report.get("interrupted")
    if missing:
        yield ""
        yield f"**{SIGNS[MISSING]} {len(missing)} missing**{f': {plain(why)}' if why else ''}"
        yield ""
        yield from (f"- {code(nodeid)}" for nodeid in missing)


def _matrix(conclusion: Conclusion) -> Iterator[str]:
    """The requirements by language and side."""
    if not conclusion.matrix:
        return
    yield ""
    yield f"| requirements | {' | '.join(SIDES)} |"
    yield f"|{' --- |' * (1 + len(SIDES))}"
    for row in conclusion.matrix:
        cells = [side_phrase(row.sides[about]) for about in SIDES]
        yield f"| {plain(row.language or SEVERAL)} | {' | '.join(cells)} |"


def _line(row: Row) -> str:
    first = f"beside: {plain(row.beside)}" if row.beside else plain(row.claim)
    verdict = f"{SIGNS[row.verdict]} {row.word}" if row.verdict else ""
    effect = f"{row.effect} (reference {row.reference})" if row.reference else row.effect
    cells = [first, plain(row.language), verdict, effect, row.interval, row.size]
    return f"| {' | '.join([*cells, plain(row.margin), plain(row.published)])} |"


def _told_together(together: Together) -> Iterator[str]:
    """Claims with no control to explain: the reason once, and the names."""
    yield ""
    count = count_phrase(NO_CONTROL, len(together.claims))
    yield f"**{SIGNS[NO_CONTROL]} {count}**: {plain(together.reason)}"
    yield ""
    for claim in together.claims:
        yield f"- {plain(claim.claim)}{f' ({plain(claim.language)})' if claim.language else ''}"


def _explained(claim: Entry, standing: str) -> Iterator[str]:
    language = f" ({plain(claim.language)})" if claim.language else ""
    yield ""
    against = f", {plain(STANDING_WORDS[standing])}" if standing in STANDING_WORDS else ""
    yield f"**{SIGNS[claim.verdict]} {claim.word}**{language}{against}: {plain(claim.statement)}"
    if claim.waiver:
        yield ""
        yield plain(claim.waiver)
    yield ""
    for check in claim.checks:
        if check.verdict == "holds":
            continue
        mean, interval, size = numbers(check)
        measured = "" if check.unmet else f"{mean}, interval {interval}, n {size}; "
        yield f"- {code(check.expression)}: {measured}{plain(check.reason)}"
        for note in check.worst:
            yield f"  - {code(note)}"
