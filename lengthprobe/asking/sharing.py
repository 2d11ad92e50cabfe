"""Sharing: each question is answered by one of the processes that ask a checkpoint, and read by all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lengthprobe.asking.engine import Engine
    from lengthprobe.asking.questions import Answer, Question


class Exchange(Protocol):
    """How processes share what they make."""

    def gather(self, keys: Sequence[str], make: Callable[[str], bytes]) -> Mapping[str, bytes]:
        """The bytes of every key.

        Args:
            keys: What is wanted.
            make: Makes the bytes of one key; called for the keys that this process takes upon itself.
        """
        ...


class Shared:
    """An engine whose answers several processes share.

    Args:
        engine: Answers what no other process has answered.
        exchange: Holds the answers.
        key: The key of a question, the same in every process.
    """

    def __init__(self, engine: Engine, exchange: Exchange, key: Callable[[Question[Any]], str]) -> None:
        self._engine, self._exchange, self._key = engine, exchange, key

    @property
    def can(self) -> frozenset[str]:
        """As the engine within."""
        return self._engine.can

    def answer(self, questions: Sequence[Question[Answer]]) -> list[Answer]:
        """The answers, of this process or another; as `Engine.answer`."""
        keys = [self._key(one) for one in questions]
        asked = dict(zip(keys, questions, strict=True))

        def make(key: str) -> bytes:
            (answer,) = self._engine.answer([asked[key]])
            return asked[key].pack(answer)

        made = self._exchange.gather(list(asked), make)
        return [one.unpack(made[key]) for key, one in zip(keys, questions, strict=True)]
