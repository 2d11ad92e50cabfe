"""Spreading: new batches of one manner, written by all workers of a session in calls of nearly equal size."""

from __future__ import annotations

import json
from contextlib import contextmanager
from contextvars import ContextVar
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from lengthprobe.asking.answers import as_list, from_list
from lengthprobe.asking.merging import can_be_merged, merge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from lengthprobe.asking.answers import Answers
    from lengthprobe.asking.kept_rows import KeptRows
    from lengthprobe.asking.questions import Question, Write
    from lengthprobe.asking.sharing import Exchange
    from lengthprobe.asking.store import Store
    from lengthprobe.asking.transformers_engine import TransformersEngine

# Several calls a worker: rows that run up to the cap stand together, and their calls last longer.
_CALLS_A_WORKER = 3
# A call of fewer rows takes about as long as a call of so many.
_LEAST_ROWS = 16
_WORKERS: ContextVar[int] = ContextVar("workers that ask the same questions", default=0)


@contextmanager
def asked_by_all(workers: int) -> Iterator[None]:
    """A block in which so many workers ask the same questions together."""
    token = _WORKERS.set(workers)
    try:
        yield
    finally:
        _WORKERS.reset(token)


class Spreading:
    """Divides new batches among the workers, where the neighbours of a row change no response.

    One worker decides for all which batches are new, and into how many calls their rows go.

    Args:
        engine: Writes the calls.
        exchange: Holds the decision and the calls.
        batch_size: Gives the most rows in a call.
        confirm: Called before the engine is asked for the first time (`asking.storing`).
        store: Holds the answers of earlier runs, None without a store.
        rows: The rows of answers that are not whole yet, None without a store.
    """

    def __init__(
        self,
        engine: TransformersEngine,
        exchange: Exchange,
        *,
        batch_size: Callable[[], int],
        confirm: Callable[[], None],
        store: Store | None,
        rows: KeptRows | None,
    ) -> None:
        self._engine, self._exchange, self._batch_size = engine, exchange, batch_size
        self._confirm, self._store, self._rows = confirm, store, rows

    def answers(self, asked: Mapping[str, Question[Any]]) -> dict[str, Answers]:
        """The answers to the new batches among some questions by key; empty where nothing is divided."""
        workers, questions = _WORKERS.get(), list(asked.values())
        if workers < 2 or not can_be_merged(questions):
            return {}
        batches = dict(zip(asked, questions, strict=True))
        name = sha256("\n".join(batches).encode()).hexdigest()
        plan_key = f"plan of {name}"
        made = self._exchange.gather([plan_key], lambda _: json.dumps(self._plan(batches, workers)).encode())
        plan = json.loads(made[plan_key])
        new = {key: batches[key] for key in plan["new"]}
        if not new:
            return {}
        every = list(new.values())
        known = {
            (number, row): from_list(every[number].prompts[row], listed)
            for number, row, listed in plan["known"]
        }
        merged = merge(every, plan["size"], known)
        calls = {f"call {number} of {name}": call for number, call in enumerate(merged.calls)}
        written = self._exchange.gather(list(calls), lambda key: self._write(calls[key]))
        answers = [
            *merged.whole(),
            *(answer for key, call in calls.items() for answer in merged.divide(call.unpack(written[key]))),
        ]
        return dict(zip(new, answers, strict=True))

    def keep(self, key: str, batch: Write, answer: Answers) -> None:
        """Keep a whole answer in the store, in the place of its rows."""
        if self._rows is not None:
            # Other workers have kept some of the rows.
            self._rows.get([batch])
            self._rows.put_whole(key, batch, answer)

    def _plan(self, batches: Mapping[str, Write], workers: int) -> dict[str, Any]:
        """The keys of the new batches, the rows that an earlier run left behind, and the rows in a call."""
        stored = self._store.get(list(batches)) if self._store is not None else {}
        new = [key for key in batches if key not in stored and not self._exchange.has(key)]
        if not new:
            return {"new": []}
        if self._store is not None:
            self._confirm()
        if not self._engine.keeps_rows_apart:
            return {"new": []}
        every = [batches[key] for key in new]
        known = self._rows.get(every) if self._rows is not None else {}
        count = sum(batch.size for batch in every) - len(known)
        # As many calls as the batch size asks for, up to a multiple of the workers.
        calls = max(_CALLS_A_WORKER, -(-count // (self._batch_size() * workers))) * workers
        size = max(_LEAST_ROWS, -(-count // calls))
        return {
            "new": new,
            "known": [[*place, as_list(response)] for place, response in known.items()],
            "size": min(size, self._batch_size()),
        }

    def _write(self, call: Write) -> bytes:
        (answer,) = self._engine.answer([call])
        if self._rows is not None:
            self._rows.put(call, answer)
        return call.pack(answer)
