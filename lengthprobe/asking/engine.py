"""Engine: answers questions to a checkpoint, alone or through another engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lengthprobe.asking.questions import Answer, Question


class Engine(Protocol):
    """Answers questions to a checkpoint. An engine that remembers or shares answers wraps another engine."""

    @property
    def can(self) -> frozenset[str]:
        """The kinds of answers: `text`, and `components` (attributions, ablations, attention)."""
        ...

    def answer(self, questions: Sequence[Question[Answer]]) -> Iterable[Answer]:
        """The answer to each question, in order, as soon as there is one.

        Raises:
            LengthprobeError: The checkpoint cannot be loaded or run, or the engine gives no answers of this
                kind.
        """
        ...
