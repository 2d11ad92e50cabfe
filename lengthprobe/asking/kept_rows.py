"""Kept rows: the rows of a call that several questions share, kept until each question is whole."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from lengthprobe.asking.answers import Answers
from lengthprobe.asking.questions import Write

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lengthprobe.asking.questions import Question
    from lengthprobe.asking.store import Store
    from lengthprobe.task.prompts import Response

# The number of a question, and the number of a row within the question.
Place = tuple[int, int]


class KeptRows:
    """Rows in a store, by all that determines a row beside its neighbours.

    A row is of use only where neighbours change no response (`asking.merging`).

    Args:
        store: Holds the rows.
        key: The key of a question.
        checkpoint: The display name of the checkpoint.
    """

    def __init__(self, store: Store, key: Callable[[Question[Any]], str], checkpoint: str) -> None:
        self._store, self._key, self._checkpoint = store, key, checkpoint
        # The key of every row of this process that is in the store.
        self._kept: dict[Write, str] = {}

    def get(self, questions: Sequence[Write]) -> dict[Place, Response]:
        """The responses to the rows of some questions that an earlier run left behind, by their places."""
        rows = {
            (number, index): row
            for number, question in enumerate(questions)
            for index, row in enumerate(_rows(question))
        }
        keys = {row: self._row_key(row) for row in rows.values()}
        contents = self._store.get(list(keys.values()))
        self._kept |= {row: key for row, key in keys.items() if key in contents}
        return {
            place: row.unpack(contents[keys[row]]).responses[0]
            for place, row in rows.items()
            if keys[row] in contents
        }

    def put(self, call: Write, answers: Answers) -> None:
        """Keep the responses of a call."""
        rows = dict(zip(_rows(call), answers.responses, strict=True))
        keys = {row: self._row_key(row) for row in rows}
        contents = {keys[row]: row.pack(Answers((response,), 1)) for row, response in rows.items()}
        self._store.put_all(contents, self._checkpoint)
        self._kept |= keys

    def put_whole(self, key: str, question: Question[Any], answer: Any) -> None:
        """Keep a whole answer under the question's key, in the place of its rows."""
        contents = {key: question.pack(answer)}
        self._store.put_all(contents, self._checkpoint, without=self._keys_of(question))

    def _keys_of(self, question: Question[Any]) -> list[str]:
        """The keys of a question's rows in the store; the rows are forgotten here."""
        if not self._kept or not isinstance(question, Write):
            return []
        return [self._kept.pop(row) for row in _rows(question) if row in self._kept]

    def _row_key(self, row: Write) -> str:
        return f"row {self._key(row)}"


def _rows(question: Write) -> list[Write]:
    """Each row of a question as a question of its own."""
    return [
        replace(question, prompts=(prompt,), ablations=(ablation,))
        for prompt, ablation in zip(question.prompts, question.ablations, strict=True)
    ]
