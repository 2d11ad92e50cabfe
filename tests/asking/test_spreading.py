"""Batches that all workers ask together are divided into calls of equal size."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from lengthprobe.asking import answering, spreading
from lengthprobe.asking.questions import Score, Write
from lengthprobe.asking.spreading import asked_by_all
from lengthprobe.asking.store import Store
from lengthprobe.asking.transformers_engine import TransformersEngine
from lengthprobe.components.names import Ablation, Component
from lengthprobe.plugin.workers import SharedDirectory
from lengthprobe.probe import Probe
from lengthprobe.settings import Settings
from lengthprobe.task.prompts import prompts

SMALL: dict[str, Any] = {"device_map": "cpu", "budget": 12, "cap": 8, "batch_size": 64, "languages": ("en",)}
# 36 rows in three batches.
QUESTIONS = [
    Write(prompts("en", budget=12), (Ablation(zero=(Component(1, head),)),) * 12) for head in (0, 1, 2)
]


@pytest.fixture(autouse=True)
def small_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls of three rows are worth their time."""
    monkeypatch.setattr(spreading, "_LEAST_ROWS", 3)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty store."""
    made = Store(tmp_path / "store", pytest.fail)
    yield made
    made.close()


@pytest.fixture
def rows(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many rows each call of generate has."""
    found: list[int] = []
    answer = answering.answer

    def counted(checkpoint: Any, asked: Sequence[Any], *given: Any, **more: Any) -> Any:
        found.append(len(asked))
        return answer(checkpoint, asked, *given, **more)

    monkeypatch.setattr(answering, "answer", counted)
    return found


def _probe(path: Path, folder: Path | None, store: Store | None = None) -> Probe:
    """A probe of a worker, or of a single process where no folder is shared."""
    exchange = None
    if folder is not None:
        folder.mkdir(exist_ok=True)
        exchange = SharedDirectory(folder)
    probe = Probe(str(path), Settings(**SMALL), store=store, exchange=exchange)
    assert probe.proof.problem is None
    return probe


def _texts(probe: Probe, questions: Sequence[Write] = QUESTIONS) -> list[list[str]]:
    """The text of each response."""
    answers = probe.subject.memory.answer(questions)
    return [[one.text for one in answer.responses] for answer in answers]


def test_workers_share_calls_of_equal_size(
    checkpoints: Callable[..., Path], tmp_path: Path, rows: list[int]
) -> None:
    """36 rows make three calls for each of four workers; the answers are those of a single process."""
    path = checkpoints("llama")
    alone = _texts(_probe(path, None))
    one, other = (_probe(path, tmp_path / "shared") for _ in range(2))
    rows.clear()

    with asked_by_all(4):
        found = _texts(one)
        assert rows == [3] * 12
        assert _texts(other) == found == alone

    assert rows == [3] * 12


def test_only_new_batches_are_divided(
    checkpoints: Callable[..., Path], tmp_path: Path, rows: list[int]
) -> None:
    """An answer of another worker counts as known. Few rows make few calls: three rows or more each."""
    probe = _probe(checkpoints("llama"), tmp_path / "shared")
    _texts(probe, QUESTIONS[:1])
    rows.clear()

    with asked_by_all(4):
        _texts(_probe(checkpoints("llama"), tmp_path / "shared"))

    assert rows == [3] * 8


@pytest.mark.parametrize("why", ["alone", "rows not apart"])
def test_batches_stay_whole(
    checkpoints: Callable[..., Path],
    tmp_path: Path,
    rows: list[int],
    monkeypatch: pytest.MonkeyPatch,
    why: str,
) -> None:
    """Where only one worker asks, and where a row's neighbours may change its tokens."""
    monkeypatch.setattr(TransformersEngine, "keeps_rows_apart", why == "alone")
    probe = _probe(checkpoints("llama"), tmp_path / "shared")
    rows.clear()

    with asked_by_all(1 if why == "alone" else 4):
        _texts(probe)

    assert rows == [12, 12, 12]


def test_a_run_with_another_number_of_workers_finds_the_answers(
    checkpoints: Callable[..., Path], tmp_path: Path, store: Store, rows: list[int]
) -> None:
    """Whole answers are in the store, in place of their rows."""
    path = checkpoints("llama")
    with asked_by_all(4):
        found = _texts(_probe(path, tmp_path / "first", store))
    rows.clear()

    again = _texts(_probe(path, None, store))
    with asked_by_all(2):
        once_more = _texts(_probe(path, tmp_path / "second", store))

    assert again == once_more == found
    assert rows == []
    (database,) = (tmp_path / "store").glob("answers-*.sqlite")
    connection = sqlite3.connect(database)
    assert connection.execute("SELECT COUNT(*) FROM answers WHERE key LIKE 'row %'").fetchone() == (0,)
    connection.close()


def test_rows_of_a_killed_run_are_not_written_again(
    checkpoints: Callable[..., Path],
    tmp_path: Path,
    store: Store,
    rows: list[int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two of twelve calls were written: 30 rows are left, in three calls for each of two workers."""
    path = checkpoints("llama")
    whole = _texts(_probe(path, None))
    counted, probe = answering.answer, _probe(path, tmp_path / "first", store)
    rows.clear()

    def killed(*given: Any, **more: Any) -> Any:
        if len(rows) == 2:
            raise KeyboardInterrupt
        return counted(*given, **more)

    monkeypatch.setattr(answering, "answer", killed)
    with asked_by_all(4), pytest.raises(KeyboardInterrupt):
        _texts(probe)
    monkeypatch.setattr(answering, "answer", counted)

    probe = _probe(path, tmp_path / "second", store)
    rows.clear()
    with asked_by_all(2):
        assert _texts(probe) == whole

    assert rows == [5] * 6


def test_questions_without_rows_are_asked_as_they_are(
    checkpoints: Callable[..., Path], tmp_path: Path
) -> None:
    """Such as the loss of a text."""
    probe = _probe(checkpoints("llama"), tmp_path / "shared")
    with asked_by_all(4):
        ((loss,),) = probe.subject.memory.answer([Score(("a b c",), Ablation())])

    assert loss > 0
