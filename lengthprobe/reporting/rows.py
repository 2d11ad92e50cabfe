"""Rows of a claim for the table, the summary and the page, built in a single place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lengthprobe.reporting.quantities import margin, numbers, printed_numbers, why_unmet
from lengthprobe.reporting.reference_values import value_beside
from lengthprobe.statistics.digits import interval_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lengthprobe.reporting.ledger import Entry
    from lengthprobe.reporting.reference_values import ReferenceValues
    from lengthprobe.reporting.strips import Strip
    from lengthprobe.statistics.check import Check, Numbers


def headers(alpha: float) -> tuple[str, ...]:
    """The headers of the table's columns, with the level of the intervals.

    >>> headers(0.05)[4]
    '90 % interval'

    Args:
        alpha: One-sided error rate of each end of an interval.
    """
    return (
        *("claim", "language", "verdict", "effect", interval_name(alpha)),
        *("n (topics)", "margin", "published"),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A check of a claim in a language, or an estimate beside the check.

    Args:
        claim: The claim's name, empty in a further row of the same claim.
        language: Code of the language, empty in a further row or without a language.
        verdict: A word of `VERDICTS`, empty in a further row.
        word: The verdict for a reader.
        beside: Label of an estimate that decides nothing.
        effect: The mean.
        interval: The interval of the mean.
        size: Prompts and topics.
        margin: The relation to the margin.
        published: The figure of the source.
        check: The check, None without one.
        reference: The reference's mean in words, empty where nothing is known.
        reference_value: The reference's value, None where nothing is known.
        strip: The interval drawn, on a page.
    """

    claim: str = ""
    language: str = ""
    verdict: str = ""
    word: str = ""
    beside: str = ""
    effect: str = ""
    interval: str = ""
    size: str = ""
    margin: str = ""
    published: str = ""
    check: Check | None = None
    reference: str = ""
    reference_value: Numbers | None = None
    strip: Strip | None = None


def rows_of(entry: Entry, values: ReferenceValues | None = None) -> Iterator[Row]:
    """A row for each check of a claim (a single row without any check), then for each estimate beside.

    Args:
        entry: The outcome of the claim.
        values: The reference's values by measure, None without a reference.
    """
    # The source's figure stands with the number to compare.
    figure = entry.published
    for place, check in enumerate(entry.checks or [None]):
        effect, interval, size = numbers(check)
        value = value_beside(check, values or {})
        yield Row(
            claim="" if place else entry.claim,
            language="" if place else entry.language or "",
            verdict="" if place else entry.verdict,
            word="" if place else entry.word,
            effect=effect,
            interval=interval,
            size=size,
            margin=margin(check),
            published="" if entry.beside or place else figure,
            check=check,
            reference="" if value is None or check is None else printed_numbers(value, check.margin)[0],
            reference_value=value,
        )
    for place, estimate in enumerate(entry.beside):
        effect, interval, size = numbers(estimate)
        yield Row(
            beside=estimate.label,
            effect=effect,
            interval=interval,
            size=size,
            margin=why_unmet(estimate),
            published="" if place else figure,
        )
