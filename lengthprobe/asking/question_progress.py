"""Progress of questions: how many of the questions in hand are answered."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from lengthprobe.asking.progress import Progress, batch_summary
from lengthprobe.asking.questions import Attend, Force, Write

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lengthprobe.asking.progress import Tell
    from lengthprobe.asking.questions import Question

_OF_TEXTS = {Force: "attribution of written texts", Attend: "attention of heads"}


@dataclass(slots=True)
class _Asked:
    """Some questions asked together: their name in words, and how much is done."""

    what: str
    unit: str
    total: int
    done: int = 0
    stored: int = 0

    def progress(self, *steps: int) -> Progress:
        return replace(Progress(self.what, self.done, self.total, self.unit, *steps), stored=self.stored)


class QuestionProgress:
    """Reports the progress of questions on prompts and texts, which take time.

    Args:
        tell: Called with the progress.
    """

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._asked: _Asked | None = None

    @contextmanager
    def over(self, questions: Sequence[Question[Any]]) -> Iterator[None]:
        """Report some questions together within the block; other processes may answer some of them."""
        before, self._asked = self._asked, _asked(questions)
        if self._asked is not None and self._asked.unit == "answers":
            self._tell(self._asked.progress())
        try:
            yield
            if self._asked is not None:
                self._asked.done = self._asked.total
                self._tell(self._asked.progress())
        finally:
            self._asked = before

    def find(self, size: int) -> None:
        """Report that a store had the answers to so many of the prompts or texts."""
        asked = self._asked
        if asked is not None and size:
            asked.done += size
            asked.stored += size
            self._tell(asked.progress())

    @contextmanager
    def during(self, question: Question[Any]) -> Iterator[None]:
        """Report the answering of one of these questions in this process, within the block."""
        asked = self._asked
        if asked is None:
            yield
            return
        self._tell(asked.progress())
        if isinstance(question, Write):
            from lengthprobe.generation.steps import tell_steps

            def told(ended: int, written: int, cap: int) -> None:
                progress = asked.progress(written, cap, question.size, ended)
                self._tell(progress.further(ended))

            with tell_steps(told):
                yield
        else:
            yield
        asked.done += question.size
        if isinstance(question, Write):
            self._tell(asked.progress())


def _asked(questions: Sequence[Question[Any]]) -> _Asked | None:
    """The state of some questions of a kind, None for a kind without progress reports."""
    first, total = questions[0], sum(one.size for one in questions)
    if isinstance(first, Write):
        writes = [one for one in questions if isinstance(one, Write)]
        what = batch_summary(
            [prompt for one in writes for prompt in one.prompts],
            [ablation for one in writes for ablation in one.ablations],
            first.words,
            traces=first.traces,
        )
        return _Asked(what, "answers", total)
    what = _OF_TEXTS.get(type(first), "")
    return _Asked(what, "texts", total) if what and total else None
