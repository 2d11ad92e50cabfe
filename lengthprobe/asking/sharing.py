"""Sharing: of several processes, only one answers each question, and all read the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from lengthprobe.asking.questions import Write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from lengthprobe.asking.engine import Engine
    from lengthprobe.asking.questions import Answer, Question
    from lengthprobe.asking.spreading import Spreading


class Exchange(Protocol):
    """A place where processes share answers."""

    def gather(self, keys: Sequence[str], make: Callable[[str], bytes]) -> Mapping[str, bytes]:
        """The bytes of every key.

        Args:
            keys: The wanted keys.
            make: Makes the bytes of a key; called for the keys that fall to this process.
        """
        ...

    def has(self, key: str) -> bool:
        """Whether the bytes of a key are there."""
        ...

    def smallest(self, key: str, number: int | None) -> int | None:
        """The smallest number under a key that any process has given, None without any.

        Args:
            key: The key.
            number: A number to add, None to only look.
        """
        ...


class Shared:
    """An engine whose answers several processes share.

    Args:
        engine: Answers questions without an answer from another process.
        exchange: Holds the answers.
        key: The key of a question, the same in every process.
        spreading: Divides batches that all processes ask together; None: no batch is divided.
    """

    def __init__(
        self,
        engine: Engine,
        exchange: Exchange,
        key: Callable[[Question[Any]], str],
        spreading: Spreading | None = None,
    ) -> None:
        self._engine, self._exchange, self._key, self._spreading = engine, exchange, key, spreading

    @property
    def can(self) -> frozenset[str]:
        """The kinds of answers from the engine within."""
        return self._engine.can

    def answer(self, questions: Sequence[Question[Answer]]) -> Iterator[Answer]:
        """The answers, from this process or another."""
        keys = [self._key(one) for one in questions]
        asked = dict(zip(keys, questions, strict=True))

        spreading = self._spreading
        divided = spreading.answers(asked) if spreading is not None else {}

        def make(key: str) -> bytes:
            question: Question[Any] = asked[key]
            if spreading is not None and key in divided and isinstance(question, Write):
                answer: Any = divided[key]
                spreading.keep(key, question, answer)
            else:
                (answer,) = self._engine.answer([question])
            return question.pack(answer)

        made = self._exchange.gather(list(asked), make)
        for key, one in zip(keys, questions, strict=True):
            yield one.unpack(made[key])
