"""Conclusion: one verdict for a whole run, from its requirements about behaviour and about mechanism."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lengthprobe.reporting.reference_values import reference_values
from lengthprobe.reporting.sides import (
    BEHAVIOUR,
    BROKEN,
    ERROR,
    HOLDS,
    MECHANISM,
    MISSING,
    NO_CONTROL,
    NOT_ASKED,
    SKIPPED,
    UNDECIDED,
    WAIVED,
    MatrixRow,
    SideCounts,
    matrix_rows,
    sides_of,
    verdict_of,
)
from lengthprobe.reporting.standing import (
    NEVER_GOOD,
    NO_WORSE,
    NOT_COMPARED,
    NOT_TOLD,
    REGRESSED,
    count_standings,
    standings,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lengthprobe.reporting.ledger import Entry

BOTH_HOLD, BOTH_BROKE = "both hold", "both broke"
BEHAVIOUR_BROKE, MECHANISM_MOVED = "behaviour broke", "mechanism moved"
EARLY_WARNING = "behaviour holds, mechanism moved"
NOTHING_TO_EXPLAIN = "no control to explain"
BEHAVIOUR_HOLDS, MECHANISM_HOLDS = "behaviour holds", "mechanism holds"
NOT_DECIDED, NOT_COMPLETE, NOTHING_ASKED = "not decided", "not complete", "nothing asked"
# The verdict on a claim that a verdict on the run is most like, for a sign and a colour.
_TONES = {
    **dict.fromkeys((BOTH_HOLD, BEHAVIOUR_HOLDS, MECHANISM_HOLDS), HOLDS),
    NOT_DECIDED: UNDECIDED,
    NOT_COMPLETE: ERROR,
    NOTHING_ASKED: SKIPPED,
}
_NAMED = 3

_OPEN_WORDS = {
    UNDECIDED: ("is undecided", "are undecided"),
    ERROR: ("has no verdict, for an error", "have no verdict, for errors"),
    MISSING: ("did not run", "did not run"),
}
_STANDINGS = {
    REGRESSED: "{count} regressed",
    NEVER_GOOD: "{count} {were} never good, no worse than the reference",
    NO_WORSE: "{count} {are} no worse than the reference, which is on the right side of the margin",
    NOT_TOLD: "{count} {are} undecided, regressed or never good",
    NOT_COMPARED: "{count} {are} not compared with the reference",
}


@dataclass(frozen=True, slots=True)
class Conclusion:
    """One verdict for a whole run.

    Args:
        verdict: The verdict in a fixed word or two, for a program.
        sentence: The verdict as a sentence.
        details: Further sentences: what is open, and what regressed.
        moved: The broken requirements about mechanism, by name and language.
        matrix: The requirements by language and side.
        standings: The standing of each broken requirement against the reference, by test.
    """

    verdict: str
    sentence: str
    details: tuple[str, ...] = ()
    moved: tuple[str, ...] = ()
    matrix: tuple[MatrixRow, ...] = ()
    standings: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def from_dict(cls, kept: Mapping[str, Any]) -> Conclusion:
        """The conclusion from JSON."""
        return cls(
            **{
                **kept,
                "details": tuple(kept["details"]),
                "moved": tuple(kept["moved"]),
                "matrix": tuple(map(MatrixRow.from_dict, kept["matrix"])),
            }
        )

    @property
    def tone(self) -> str:
        """The verdict on a claim that this verdict is most like, for a sign and a colour."""
        return _TONES.get(self.verdict, BROKEN)

    def as_dict(self) -> dict[str, Any]:
        """The conclusion for JSON."""
        return {
            "verdict": self.verdict,
            "sentence": self.sentence,
            "details": list(self.details),
            "moved": list(self.moved),
            "matrix": [row.as_dict() for row in self.matrix],
            "standings": dict(self.standings),
        }


def conclude(
    entries: Sequence[Entry],
    *,
    uncollected: int = 0,
    lost: int = 0,
    reference: str | None = None,
    against: Mapping[str, Any] | None = None,
) -> Conclusion:
    """The conclusion of a run: only requirements count, their regression forms among them.

    Args:
        entries: The claims, with those that were to run and did not (verdict `missing`).
        uncollected: The number of files whose claims nobody knows.
        lost: The number of claims that did not run, and of which only the name is known.
        reference: The display name of the reference, None without one.
        against: The reference's values and the changed prompts, by language.
    """
    requirements = [one for one in entries if one.kind == "requirement"]
    sides = sides_of(requirements)
    behaviour, mechanism = sides[BEHAVIOUR], sides[MECHANISM]
    moved = [one for one in requirements if one.about == MECHANISM and verdict_of(one) == BROKEN]
    idle = [one for one in requirements if one.about == MECHANISM and verdict_of(one) == NO_CONTROL]
    found = standings(requirements, reference, reference_values(against or {}))
    verdict = _verdict(behaviour.state, mechanism.state, whole=not (uncollected or lost))
    return Conclusion(
        verdict,
        _but_waived(
            _sentence(verdict, behaviour, mechanism, _named(moved), _languages(idle)), behaviour, mechanism
        ),
        tuple(_details(behaviour, mechanism, _languages(idle), list(found.values()), uncollected, lost)),
        tuple(_named(moved)),
        matrix_rows(requirements),
        found,
    )


def _verdict(behaviour: str, mechanism: str, *, whole: bool) -> str:
    """The verdict by the states of both sides: whatever is broken comes first."""
    if WAIVED in (behaviour, mechanism):
        # Of a side whose claims are all waived, nothing is known.
        behaviour, mechanism = (NOT_ASKED if state == WAIVED else state for state in (behaviour, mechanism))
        if behaviour == mechanism:
            return NOT_DECIDED
    if behaviour == NOT_ASKED and mechanism == NOT_ASKED:
        return NOTHING_ASKED if whole else NOT_COMPLETE
    if mechanism == NO_CONTROL:
        return NOTHING_TO_EXPLAIN
    if behaviour in (BROKEN, NO_CONTROL):
        return BOTH_BROKE if mechanism == BROKEN else BEHAVIOUR_BROKE
    if mechanism == BROKEN:
        return EARLY_WARNING if behaviour == HOLDS else MECHANISM_MOVED
    states = {behaviour, mechanism} - {NOT_ASKED}
    if {ERROR, MISSING} & states or not whole:
        return NOT_COMPLETE
    if UNDECIDED in states:
        return NOT_DECIDED
    if NOT_ASKED in (behaviour, mechanism):
        return MECHANISM_HOLDS if behaviour == NOT_ASKED else BEHAVIOUR_HOLDS
    return BOTH_HOLD


def _sentence(
    verdict: str, behaviour: SideCounts, mechanism: SideCounts, moved: Sequence[str], idle: Sequence[str]
) -> str:
    inside = _listed(moved)
    if verdict == BOTH_HOLD:
        return "Both hold: what the model writes, and the mechanism behind it."
    if verdict == NOTHING_ASKED:
        return "No requirement was asked, so that nothing can be concluded."
    if verdict == BOTH_BROKE:
        return f"Both broke: what the model writes, and the mechanism behind it ({inside})."
    if verdict == EARLY_WARNING:
        return f"Behaviour holds, mechanism moved: {inside}."
    first = _clause(BEHAVIOUR, behaviour)
    if verdict == NOTHING_TO_EXPLAIN:
        where = f" in {' and '.join(idle)}" if idle else ""
        return f"{first}, and no control of the length is left to explain{where}."
    if verdict == MECHANISM_MOVED:
        return f"Mechanism moved ({inside}); {_small(first)}."
    second = _clause(MECHANISM, mechanism)
    if verdict == NOT_COMPLETE and not (behaviour.is_open or mechanism.is_open):
        return f"Not every claim is known or ran; of those that ran: {_small(first)}, {_small(second)}."
    if verdict == BEHAVIOUR_BROKE and mechanism.state == HOLDS:
        return f"{first}, mechanism holds: no claim about the inside is broken."
    return f"{first}; {_small(second)}."


def _but_waived(sentence: str, behaviour: SideCounts, mechanism: SideCounts) -> str:
    """A sentence on a run, with the claims that a waiver lets pass."""
    waived = behaviour.counts.get(WAIVED, 0) + mechanism.counts.get(WAIVED, 0)
    claims = "claim" if waived == 1 else "claims"
    return f"{sentence.removesuffix('.')}; {waived} {claims} waived." if waived else sentence


def _clause(about: str, side: SideCounts) -> str:
    """A side in words, as in `Behaviour is undecided in 2 of 14 claims`."""
    name, state = about.capitalize(), side.state
    if state == HOLDS:
        return f"{name} holds"
    if state in (BROKEN, NO_CONTROL):
        return f"{name} broke"
    if state == NOT_ASKED:
        return f"{name} was not asked"
    if state == WAIVED:
        return f"{name} is waived"
    count = side.counts[state]
    of = f"{count} of {side.total} claim{'s' * (side.total != 1)}"
    if state == UNDECIDED:
        return f"{name} is undecided in {of}"
    if state == ERROR:
        return f"{name} has no verdict in {of}, for {'an error' if count == 1 else 'errors'}"
    return f"{name} is not complete: {of} did not run"


def _details(
    behaviour: SideCounts,
    mechanism: SideCounts,
    idle: Sequence[str],
    found: Sequence[str],
    uncollected: int,
    lost: int,
) -> Iterator[str]:
    """Sentences on what the first sentence does not say."""
    if mechanism.state == BROKEN and idle:
        yield f"In {' and '.join(idle)} no control of the length is left to explain."
    if behaviour.state == HOLDS and mechanism.state == BROKEN:
        yield (
            "An early warning: the answers are right, but not by the mechanism that is required. No test of "
            "the answers gives this warning."
        )
    if uncollected:
        files = "1 file" if uncollected == 1 else f"{uncollected} files"
        yield f"{files} could not be collected, so that not every claim is known."
    if lost:
        yield f"{lost} {'claim' if lost == 1 else 'claims'} did not run."
    for about, side in ((BEHAVIOUR, behaviour), (MECHANISM, mechanism)):
        open_counts = {state: side.counts[state] for state in _OPEN_WORDS if side.counts.get(state)}
        if side.is_open:
            # The first sentence has this state.
            open_counts.pop(side.state, None)
        for state, count in open_counts.items():
            claims = f"{count} of {side.total} claim{'s' * (side.total != 1)} about {about}"
            yield f"{claims} {_OPEN_WORDS[state][count != 1]}."
        if skipped := side.counts.get(SKIPPED):
            claims = "claim" if skipped == 1 else "claims"
            yield f"Skipped: {skipped} {claims} about {about}."
    counts = count_standings(found)
    if counts:
        words = "; ".join(_standing_words(word, count) for word, count in counts.items())
        every = sum(counts.values())
        yield f"Of {every} broken claim{'s' * (every != 1)}: {words}."


def _standing_words(word: str, count: int) -> str:
    one = count == 1
    return _STANDINGS[word].format(count=count, were="was" if one else "were", are="is" if one else "are")


def _named(entries: Sequence[Entry]) -> list[str]:
    """The claims by name, each with its languages."""
    languages: dict[str, list[str]] = {}
    for entry in entries:
        languages.setdefault(entry.claim, []).extend([entry.language] if entry.language else [])
    return [f"{claim} ({', '.join(codes)})" if codes else claim for claim, codes in languages.items()]


def _languages(entries: Sequence[Entry]) -> list[str]:
    return list(Counter(entry.language for entry in entries if entry.language is not None))


def _listed(names: Sequence[str]) -> str:
    """The first names, and the number of all others."""
    more = len(names) - _NAMED
    if more <= 1:
        return ", ".join(names)
    return f"{', '.join(names[:_NAMED])}, and {more} more"


def _small(text: str) -> str:
    return text[:1].lower() + text[1:]
