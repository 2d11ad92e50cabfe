"""Storing: an engine whose answers are kept on disk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from lengthprobe.asking.engine import Engine
    from lengthprobe.asking.kept_rows import KeptRows
    from lengthprobe.asking.question_progress import QuestionProgress
    from lengthprobe.asking.questions import Question
    from lengthprobe.asking.store import Store


class Storing:
    """An engine whose answers are kept on disk.

    Args:
        engine: Answers the questions that are not in the store.
        store: Holds the answers.
        key: The key of a question.
        rows: The rows of answers that are not whole yet.
        progress: Told how much the store had.
        confirm: Called before the engine is asked; raises an error where the checkpoint is not the respondent
            that the keys name.
    """

    def __init__(
        self,
        engine: Engine,
        store: Store,
        key: Callable[[Question[Any]], str],
        *,
        rows: KeptRows,
        progress: QuestionProgress,
        confirm: Callable[[], None],
    ) -> None:
        self._engine, self._store, self._key = engine, store, key
        self._rows, self._progress, self._confirm = rows, progress, confirm

    @property
    def can(self) -> frozenset[str]:
        """The kinds of answers from the engine within."""
        return self._engine.can

    def answer(self, questions: Sequence[Question[Any]]) -> Iterator[Any]:
        """The answers, from the store or, as soon as there is an answer, from the engine."""
        keys = [self._key(question) for question in questions]
        known = self._store.get(keys)
        pairs = list(zip(keys, questions, strict=True))
        self._progress.find(sum(question.size for key, question in pairs if key in known))
        new = [question for key, question in pairs if key not in known]
        if new:
            self._confirm()
        asked = iter(self._engine.answer(new) if new else ())
        for key, question in pairs:
            if key in known:
                yield question.unpack(known[key])
                continue
            answer = next(asked)
            self._rows.put_whole(key, question, answer)
            yield answer
