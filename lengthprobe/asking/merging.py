"""Merging: batches of prompts, asked together and written in as few calls of generate as possible."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lengthprobe.asking.answers import Answers
from lengthprobe.asking.questions import Write

if TYPE_CHECKING:
    from collections.abc import Sequence

# The number of a question, and that of a row within it.
Place = tuple[int, int]


@dataclass(frozen=True, slots=True, eq=False)
class Merged:
    """Batches of one manner, with the calls for writing their rows.

    Args:
        questions: The batches.
        calls: The rows of these batches, in fewer batches.
        places: Where each row of each call belongs.
    """

    questions: tuple[Write, ...]
    calls: tuple[Write, ...]
    places: tuple[tuple[Place, ...], ...]

    def divide(self, answers: Sequence[Answers]) -> list[Answers]:
        """The answers to the questions, put together from the answers to the calls.

        Args:
            answers: The answers to each call, without attributions.
        """
        responses = {
            place: response
            for places, some in zip(self.places, answers, strict=True)
            for place, response in zip(places, some.responses, strict=True)
        }
        pieces = dict.fromkeys(range(len(self.questions)), 1)
        for places, some in zip(self.places, answers, strict=True):
            for number, _ in places:
                pieces[number] = max(pieces[number], some.pieces)
        return [
            Answers(tuple(responses[number, row] for row in range(question.size)), pieces[number])
            for number, question in enumerate(self.questions)
        ]


def merge(questions: Sequence[Write], size: int) -> Merged:
    """The batches, all of one manner, merged into calls of nearly equal size.

    A call runs as long as its longest response, so rows under the same ablation stand together: their
    responses are alike.

    Args:
        questions: The batches, without attributions.
        size: Most rows in a call.
    """

    def order(place: Place) -> tuple[object, ...]:
        number, row = place
        prompt = questions[number].prompts[row]
        return (str(questions[number].ablations[row]), prompt.language, prompt.n_words, prompt.id)

    places = sorted(
        ((number, row) for number, question in enumerate(questions) for row in range(question.size)),
        key=order,
    )
    n_calls = -(-len(places) // size)
    even = -(-len(places) // n_calls)
    chunks = tuple(tuple(places[first : first + even]) for first in range(0, len(places), even))
    calls = tuple(
        replace(
            questions[0],
            prompts=tuple(questions[number].prompts[row] for number, row in chunk),
            ablations=tuple(questions[number].ablations[row] for number, row in chunk),
        )
        for chunk in chunks
    )
    return Merged(tuple(questions), calls, chunks)


def is_worth_merging(questions: Sequence[object], size: int) -> bool:
    """Whether all of some questions can be merged, and are then fewer calls.

    Args:
        questions: The questions.
        size: Most rows in a call.
    """
    writes = [one for one in questions if isinstance(one, Write) and not one.traces]
    alike = len(writes) == len(questions) and len({one.manner for one in writes}) == 1
    return alike and -(-sum(one.size for one in writes) // size) < len(writes)
