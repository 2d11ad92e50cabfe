"""Shared: an answer of another process is read, and none is made twice."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lengthprobe.asking.questions import Question, Score
from lengthprobe.asking.sharing import Shared
from lengthprobe.components.names import Ablation

TEXTS = [Score((text,), Ablation()) for text in ("one", "two two", "one")]


class _Engine:
    """Answers with the number of words, and notes what it is asked."""

    can = frozenset({"text"})

    def __init__(self) -> None:
        self.asked: list[str] = []

    def answer(self, questions: Sequence[Question[Any]]) -> list[Any]:
        """The number of words of each text."""
        texts = [one.texts for one in questions if isinstance(one, Score)]
        self.asked += [text for some in texts for text in some]
        return [[float(len(text.split())) for text in some] for some in texts]


class _Others:
    """An exchange in which other processes have left some answers already."""

    def __init__(self, had: Mapping[str, bytes]) -> None:
        self._had = had

    def gather(self, keys: Sequence[str], make: Callable[[str], bytes]) -> Mapping[str, bytes]:
        """What is there, and the rest made here."""
        return {key: self._had.get(key) or make(key) for key in keys}

    def has(self, key: str) -> bool:
        """Whether another process had it."""
        return key in self._had

    def smallest(self, _key: str, number: int | None) -> int | None:
        """The number: memory never runs out here."""
        return number


def _key(question: Question[Any]) -> str:
    return str(question)


def test_all_is_made_here_where_nothing_is_there() -> None:
    """Each question once, and every answer in its place."""
    engine = _Engine()
    shared = Shared(engine, _Others({}), _key)
    assert list(shared.answer(TEXTS)) == [[1.0], [2.0], [1.0]]
    assert engine.asked == ["one", "two two"]
    assert shared.can == engine.can


def test_what_others_have_made_is_read() -> None:
    """And asked of nobody here."""
    engine = _Engine()
    shared = Shared(engine, _Others({_key(TEXTS[1]): TEXTS[1].pack([7.0])}), _key)
    assert list(shared.answer(TEXTS)) == [[1.0], [7.0], [1.0]]
    assert engine.asked == ["one"]
