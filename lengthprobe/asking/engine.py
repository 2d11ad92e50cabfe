"""Engine: what answers questions to a checkpoint, or stands in front of what does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lengthprobe.asking.questions import Answer, Question


class Engine(Protocol):
    """Answers questions to one checkpoint; what remembers or shares answers is an engine around another."""

    @property
    def can(self) -> frozenset[str]:
        """Of what it can tell: `text`, and `components` (attributions, ablations, attention)."""
        ...

    def answer(self, questions: Sequence[Question[Answer]]) -> list[Answer]:
        """The answer to each question, in order.

        Raises:
            LengthprobeError: The checkpoint cannot be loaded or run, or the engine cannot tell of this.
        """
        ...
