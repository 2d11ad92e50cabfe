"""Remembering: a process asks each question of a checkpoint only once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lengthprobe.asking.agenda import current_agenda
from lengthprobe.asking.answers import Answers
from lengthprobe.errors import LanguageError, LengthprobeError, NotSavedError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lengthprobe.asking.engine import Engine
    from lengthprobe.asking.question_progress import QuestionProgress
    from lengthprobe.asking.questions import Answer, Question


class Remembering:
    """An engine that keeps every answer, except a block's large answers, and keeps a checkpoint's failure.

    Args:
        engine: Answers new questions.
        progress: Reports the questions.
    """

    def __init__(self, engine: Engine, progress: QuestionProgress) -> None:
        self._engine, self._progress = engine, progress
        self._answers: dict[Question[Any], Any] = {}
        self._failure: LengthprobeError | None = None
        # The largest completeness gap of the whole model's answers (`attribution.completeness`).
        self.gap = 0.0
        # How many batches were split for want of memory, within blocks too.
        self.split_batches = 0

    @property
    def can(self) -> frozenset[str]:
        """The kinds of answers from the engine within."""
        return self._engine.can

    def __iter__(self) -> Iterator[Question[Any]]:
        """The questions with an answer."""
        return iter(self._answers)

    def __contains__(self, question: Question[Any]) -> bool:
        """Whether a question is answered, by itself or with more."""
        return remembered_answer(self._answers, question) is not None

    def answer(self, questions: Sequence[Question[Answer]]) -> list[Answer]:
        """The answers; all new questions are asked together.

        Raises:
            Lacking: A question is new, and new questions are only noted (`asking.agenda`).
            LengthprobeError: The errors of `Engine.answer`.
        """
        new = [one for one in dict.fromkeys(questions) if remembered_answer(self._answers, one) is None]
        passing: dict[Question[Any], Any] = {}
        if new:
            if self._failure is not None:
                raise self._failure
            if (agenda := current_agenda()) is not None:
                agenda.lack(self, new)
            try:
                with self._progress.over(new):
                    # An answer is kept at once: what comes after may fail.
                    for question, answer in zip(new, self._engine.answer(new), strict=True):
                        (passing if question.is_large else self._answers)[question] = answer
                        self._note(question, answer)
            except LengthprobeError as error:
                # An unknown language and a gap in a saved run are no fault of the checkpoint.
                own = not isinstance(error, (LanguageError, NotSavedError))
                if own and all(one.concerns_all for one in new):
                    self._failure = error
                raise
        return [remembered_answer(passing if one in passing else self._answers, one) for one in questions]

    def check_open(self) -> None:
        """Raise nothing: a memory has no end, as a block has."""

    def _note(self, question: Question[Any], answer: Any) -> None:
        if isinstance(answer, Answers):
            self.split_batches += answer.pieces > 1
            if not question.is_large:
                self.gap = max(self.gap, answer.gap)


class Block:
    """The engine of a probe within a block: keeps the block's large answers, and ends with the block.

    Args:
        memory: Keeps all other answers, for later blocks.
        name: The name of the probe.
    """

    def __init__(self, memory: Remembering, name: str) -> None:
        self._memory, self._name = memory, name
        self._large: dict[Question[Any], Any] = {}
        self.has_ended = False

    @property
    def can(self) -> frozenset[str]:
        """The kinds of answers from the engine within."""
        return self._memory.can

    @property
    def gap(self) -> float:
        """The largest completeness gap of the whole model's answers and of the block's answers."""
        gaps = (one.gap for one in self._large.values() if isinstance(one, Answers))
        return max([self._memory.gap, *gaps])

    def __iter__(self) -> Iterator[Question[Any]]:
        """The questions with an answer; of the large questions, only this block's."""
        yield from self._memory
        yield from self._large

    def __contains__(self, question: Question[Any]) -> bool:
        """Whether a question is answered, by itself or with more."""
        return remembered_answer(self._large, question) is not None or question in self._memory

    def answer(self, questions: Sequence[Question[Answer]]) -> list[Answer]:
        """The answers.

        Raises:
            SettingsError: The block has ended, and a question is new.
            LengthprobeError: The errors of `Engine.answer`.
        """
        if not all(one in self for one in questions):
            self.check_open()
        new = [one for one in questions if remembered_answer(self._large, one) is None]
        made = dict(zip(new, self._memory.answer(new), strict=True))
        self._large |= {one: answer for one, answer in made.items() if one.is_large}
        return [made[one] if one in made else remembered_answer(self._large, one) for one in questions]

    def check_open(self) -> None:
        """Raise SettingsError where the block has ended."""
        if self.has_ended:
            raise SettingsError(
                f"{self._name}: its block has ended",
                "measure inside of `with probe.ablated(...) as ablated:`, or of `with probe.writing(...)`",
            )


def remembered_answer(answers: dict[Question[Any], Any], question: Question[Any]) -> Any:
    """The answer to a question, or to a wider question; None without either."""
    answer = answers.get(question)
    if answer is None and (wider := question.wider) is not None:
        answer = answers.get(wider)
    return answer
