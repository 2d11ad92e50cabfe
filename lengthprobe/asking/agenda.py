"""Agenda: the questions without an answer of some code, found out by running the code."""

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
    """The end of a run for an agenda, at a question without an answer; no `except Exception` takes it.

    Args:
        noted: Whether the question is on the agenda, so that the code comes further with the answer.
    """

    def __init__(self, *, noted: bool) -> None:
        super().__init__()
        self.noted = noted


@dataclass(slots=True, eq=False)
class Agenda:
    """Questions without an answer.

    Args:
        questions: The questions to each checkpoint, in the order in which they came up.
    """

    questions: dict[Remembering, dict[Question[Any], None]] = field(default_factory=dict)

    def lack(self, memory: Remembering, questions: Sequence[Question[Any]]) -> NoReturn:
        """Note the questions that may be asked early.

        Raises:
            Lacking: Always: the code cannot go on.
        """
        noted = [one for one in questions if one.may_be_early]
        if noted:
            self.questions.setdefault(memory, {}).update(dict.fromkeys(noted))
        raise Lacking(noted=bool(noted))

    def groups(self) -> Iterator[tuple[Remembering, list[Question[Any]]]]:
        """The questions to ask together: those of one manner to one checkpoint."""
        for memory, questions in self.questions.items():
            manners: dict[tuple[object, ...], list[Question[Any]]] = {}
            for one in questions:
                manners.setdefault(one.manner, []).append(one)
            for together in manners.values():
                yield memory, together


_AGENDA: ContextVar[Agenda | None] = ContextVar("agenda of questions without an answer", default=None)


@contextmanager
def note_only(agenda: Agenda) -> Iterator[None]:
    """A block in which this thread asks nothing: a question without an answer ends the block's code."""
    token = _AGENDA.set(agenda)
    try:
        yield
    finally:
        _AGENDA.reset(token)


def current_agenda() -> Agenda | None:
    """The agenda of the block that notes questions, None where questions are asked."""
    return _AGENDA.get()
