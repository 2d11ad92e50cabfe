"""Engine: answers questions to a checkpoint, alone or through another engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lengthprobe.asking.questions import Answer, Question
    from lengthprobe.checkpoints.catalog import Source
    from lengthprobe.errors import LengthprobeError


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


class KeptEngine(Engine, Protocol):
    """An engine that answers from a saved run, without a checkpoint."""

    @property
    def source(self) -> Source:
        """The place of the run."""
        ...

    @property
    def identity(self) -> Any:
        """The identity of the checkpoint that gave the answers (`runs.identity`)."""
        ...

    @property
    def batch_size(self) -> int:
        """Most prompts in a question; any number has the same answers."""
        ...

    @property
    def absent(self) -> LengthprobeError:
        """The error for code that wants the checkpoint itself."""
        ...
