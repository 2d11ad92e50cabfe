"""Planning: the questions of some code without an answer yet, found by running the code."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lengthprobe.asking.questions import Question
    from lengthprobe.asking.remembering import Remembering


class Lacking(BaseException):
    """Code run for planning has asked a question without an answer. No `except Exception` catches this.

    Args:
        noted: Whether the question is in the agenda: the code will come further after the agenda is asked.
    """

    def __init__(self, *, noted: bool) -> None:
        super().__init__()
        self.noted = noted


@dataclass(slots=True, eq=False)
class Agenda:
    """The questions found without an answer.

    Args:
        questions: The questions to each checkpoint, in the order in which they were found.
    """

    questions: dict[Remembering, dict[Question[Any], None]] = field(default_factory=dict)

    def lack(self, memory: Remembering, questions: Sequence[Question[Any]]) -> NoReturn:
        """Note the questions that can be planned.

        Raises:
            Lacking: Always: the code cannot go on.
        """
        planned = [one for one in questions if one.can_be_planned]
        if planned:
            self.questions.setdefault(memory, {}).update(dict.fromkeys(planned))
        raise Lacking(noted=bool(planned))

    def ask(self) -> None:
        """Ask every question; questions of the same manner are asked together.

        Raises:
            LengthprobeError: The errors of `Engine.answer`.
        """
        for memory, questions in self.questions.items():
            manners: dict[tuple[object, ...], list[Question[Any]]] = {}
            for one in questions:
                manners.setdefault(one.manner, []).append(one)
            for together in manners.values():
                memory.answer(together)


_AGENDA: ContextVar[Agenda | None] = ContextVar("what notes questions without an answer", default=None)


@contextmanager
def plan_only(agenda: Agenda) -> Iterator[None]:
    """Ask nothing in this thread within the block: a question without an answer ends the code."""
    token = _AGENDA.set(agenda)
    try:
        yield
    finally:
        _AGENDA.reset(token)


def current_agenda() -> Agenda | None:
    """The agenda in the making, None where questions are to be answered."""
    return _AGENDA.get()
