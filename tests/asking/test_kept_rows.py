"""Rows of a shared call are kept before their questions are whole: a kill loses no finished call."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lengthprobe.asking import answering
from lengthprobe.asking.questions import Write
from lengthprobe.asking.store import Store
from lengthprobe.components.names import Ablation, Component
from lengthprobe.probe import Probe
from lengthprobe.settings import Settings
from lengthprobe.task.prompts import prompts

SMALL: dict[str, Any] = {"device_map": "cpu", "budget": 12, "cap": 8, "batch_size": 8, "languages": ("en",)}
# 36 rows: five calls of at most 8 rows, where the questions alone would be six.
QUESTIONS = [
    Write(some, (Ablation(zero=(Component(1, head),)),) * 6)
    for head in (0, 1, 2)
    for some in (prompts("en", budget=12)[:6], prompts("en", budget=12)[6:])
]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty store."""
    made = Store(tmp_path / "store", pytest.fail)
    yield made
    made.close()


def _probe(path: Path, store: Store | None) -> Probe:
    probe = Probe(str(path), Settings(**SMALL), store=store)
    assert probe.proof.problem is None
    return probe


def test_a_later_run_asks_only_the_rows_without_an_answer(
    store: Store, checkpoints: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever questions they are of; in the end whole answers stand in place of the rows."""
    path = checkpoints("llama")
    expected = [one.responses for one in _probe(path, None).subject.memory.answer(QUESTIONS)]
    first, second = _probe(path, store), _probe(path, store)
    rows: list[int] = []
    answer = answering.answer

    def counted(checkpoint: Any, asked: Any, *given: Any, **more: Any) -> Any:
        if len(rows) == 3:
            raise KeyboardInterrupt
        rows.append(len(asked))
        return answer(checkpoint, asked, *given, **more)

    monkeypatch.setattr(answering, "answer", counted)
    with pytest.raises(KeyboardInterrupt):
        first.subject.memory.answer(QUESTIONS)
    done = sum(rows)
    rows[:] = [0] * 4

    found = second.subject.memory.answer(QUESTIONS)

    assert [one.responses for one in found] == expected
    assert 0 < done < 36
    assert sum(rows) == 36 - done
    keys = [f"row {second.subject._key(Write(one.prompts[:1], one.ablations[:1]))}" for one in QUESTIONS]
    assert store.get(keys) == {}
