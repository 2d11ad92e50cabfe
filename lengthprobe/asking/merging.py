"""Merging: batches of prompts that are asked together, written in as few calls of generate as they fill."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeGuard

from lengthprobe.asking.answers import Answers
from lengthprobe.asking.questions import Write, row_order

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lengthprobe.asking.kept_rows import Place
    from lengthprobe.task.prompts import Response


@dataclass(slots=True, eq=False)
class Merged:
    """Batches of one manner, with the calls that write their rows.

    Args:
        questions: The batches.
        calls: The same rows in fewer batches.
        places: The place of each row of each call.
        responses: The responses so far, by place.
    """

    questions: tuple[Write, ...]
    calls: tuple[Write, ...]
    places: tuple[tuple[Place, ...], ...]
    responses: dict[Place, Response] = field(default_factory=dict)
    _pieces: dict[int, int] = field(default_factory=dict)
    _n_calls: int = 0
    _n_given: int = 0

    def divide(self, answers: Answers) -> Iterator[Answers]:
        """Give the answers to all further questions, in order, that are whole with the next call's answers.

        Args:
            answers: The answers to the next call, without attributions.
        """
        places = self.places[self._n_calls]
        self._n_calls += 1
        self.responses |= dict(zip(places, answers.responses, strict=True))
        # A call that was split for want of memory is told once.
        first = min(number for number, _ in places)
        self._pieces[first] = max(answers.pieces, self._pieces.get(first, 1))
        yield from self.whole()

    def whole(self) -> Iterator[Answers]:
        """Give the answers to all further questions, in order, that are whole."""
        while self._n_given < len(self.questions):
            number, rows = self._n_given, range(self.questions[self._n_given].size)
            if any((number, row) not in self.responses for row in rows):
                return
            self._n_given += 1
            responses = tuple(self.responses[number, row] for row in rows)
            yield Answers(responses, self._pieces.get(number, 1))


def merge(questions: Sequence[Write], size: int, responses: Mapping[Place, Response] | None = None) -> Merged:
    """Batches of one manner, merged into calls of nearly equal size.

    Args:
        questions: The batches, without attributions.
        size: Most rows in a call.
        responses: Responses that are known already, by place; these rows are in no call.
    """
    known = dict(responses or {})

    def order(place: Place) -> tuple[str, str, int, str]:
        number, row = place
        return row_order(questions[number].prompts[row], questions[number].ablations[row])

    every = [(number, row) for number, question in enumerate(questions) for row in range(question.size)]
    places = sorted((place for place in every if place not in known), key=order)
    n_calls = -(-len(places) // size)
    even = -(-len(places) // n_calls) if places else 1
    chunks = tuple(tuple(places[first : first + even]) for first in range(0, len(places), even))
    calls = tuple(
        replace(
            questions[0],
            prompts=tuple(questions[number].prompts[row] for number, row in chunk),
            ablations=tuple(questions[number].ablations[row] for number, row in chunk),
        )
        for chunk in chunks
    )
    return Merged(tuple(questions), calls, chunks, known)


def can_be_merged(questions: Sequence[object]) -> TypeGuard[Sequence[Write]]:
    """Whether all of some questions can share calls."""
    writes = [one for one in questions if isinstance(one, Write) and not one.traces]
    return len(writes) == len(questions) and len({one.manner for one in writes}) == 1


def is_worth_merging(questions: Sequence[object], size: int) -> TypeGuard[Sequence[Write]]:
    """Whether all of some questions can share calls, and are then fewer calls.

    Args:
        questions: The questions.
        size: Most rows in a call.
    """
    return can_be_merged(questions) and -(-sum(one.size for one in questions) // size) < len(questions)
