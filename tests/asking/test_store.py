"""Store: no answer is lost, none is wrong, and a run goes on whatever is wrong with the file."""

from __future__ import annotations

import os
import random
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lengthprobe.asking import answering
from lengthprobe.asking.store import Store
from lengthprobe.components.names import Ablation
from lengthprobe.probe import Probe
from lengthprobe.settings import Settings
from lengthprobe.task.prompts import prompts

SMALL: dict[str, Any] = {"device_map": "cpu", "budget": 8, "cap": 12, "batch_size": 8}
# Writes rows until it is killed, and says of each, once it is kept, that it is.
WRITING = """
import sys
from pathlib import Path
from lengthprobe.asking.store import Store
store = Store(Path(sys.argv[1]), lambda problem: print(problem, file=sys.stderr, flush=True))
for number in range(int(sys.argv[2]), 10_000):
    store.put(f"key {number}", f"answer {number} ".encode() * 500, sys.argv[3])
    print(number, flush=True)
"""


@pytest.fixture
def told() -> list[str]:
    """The problems that a store tells."""
    return []


@pytest.fixture
def store(tmp_path: Path, told: list[str]) -> Iterator[Store]:
    """An empty store."""
    made = Store(tmp_path / "store", told.append)
    yield made
    made.close()


def test_an_answer_is_there_for_the_next_run(store: Store, told: list[str]) -> None:
    """And a key that nobody kept is not."""
    store.put("a", b"one", "m")
    store.put("b", b"two", "m")
    store.close()

    assert Store(store.path.parent, told.append).get(["b", "c", "a"]) == {"b": b"two", "a": b"one"}
    assert told == []


def test_a_probe_asks_nothing_twice(
    store: Store, checkpoints: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Responses, attributions, losses and the proof are those of the first run, to the bit."""
    calls: list[int] = []
    answer = answering.answer

    def counted(checkpoint: Any, asked: Any, *given: Any, **more: Any) -> Any:
        calls.append(len(asked))
        return answer(checkpoint, asked, *given, **more)

    monkeypatch.setattr(answering, "answer", counted)

    def ask() -> list[Any]:
        probe = Probe(str(checkpoints("llama")), Settings(**SMALL), store=store)
        probe.prepare(["en"], traces=True)
        with probe.ablated("L1H0") as ablated:
            cut = ablated.under([(one, Ablation()) for one in prompts("en", budget=3)])
        traces = [one.trace.as_arrays("") for one in probe.traces("en") if one.trace is not None]
        arrays = [(name, values.tobytes()) for some in traces for name, values in some.items()]
        return [probe.responses("en"), arrays, cut, probe.losses(["The sea is calm."], Ablation())]

    first = ask()
    assert calls
    calls.clear()

    assert ask() == first
    assert calls == []


def test_another_checkpoint_is_asked_itself(store: Store, checkpoints: Callable[..., Path]) -> None:
    """The key is of the content; a copy is the same checkpoint."""
    first, other = (
        Probe(str(checkpoints(shape)), Settings(**SMALL), store=store) for shape in ("llama", "qwen3")
    )
    assert [one.text for one in first.responses("en")] != [one.text for one in other.responses("en")]
    assert {shelf.answers for shelf in store.shelves()} == {1}


def test_a_killed_process_loses_nothing_that_was_kept(tmp_path: Path, told: list[str]) -> None:
    """Killed twenty times at random moments, two processes at once."""
    chance, kept = random.Random(7), set[int]()
    for _ in range(10):
        first = max(kept, default=-1) + 1
        log = tmp_path / "answers-1.sqlite-wal"
        size = log.stat().st_size if log.exists() else 0
        command = [sys.executable, "-c", WRITING, str(tmp_path)]
        running = [
            subprocess.Popen([*command, str(start), "m"], stdout=subprocess.PIPE, text=True)
            for start in (first, first + 5000)
        ]
        deadline = time.monotonic() + 60
        while (log.stat().st_size if log.exists() else 0) <= size and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(0.1 + chance.random() * 0.3)
        for process in running:
            process.send_signal(signal.SIGKILL)
        said = [process.communicate()[0] for process in running]
        # The last line may be cut.
        kept |= {int(line) for text in said for line in text.splitlines(keepends=True) if line.endswith("\n")}
        kept = {number for number in kept if number < 5000}

    store = Store(tmp_path, told.append)
    found = store.get([f"key {number}" for number in kept])

    assert len(kept) > 20
    assert found == {f"key {number}": f"answer {number} ".encode() * 500 for number in kept}
    assert told == []
    store.close()


def test_flipped_bytes_give_no_wrong_answer(tmp_path: Path, store: Store) -> None:
    """Of a hundred damaged files each answer is right, or is asked anew; damage to an answer is told."""
    contents = {f"key {number}": os.urandom(3000) for number in range(12)}
    for key, content in contents.items():
        store.put(key, content, "m")
    store.close()
    whole, chance, noticed = store.path.read_bytes(), random.Random(3), 0
    for number in range(100):
        folder = tmp_path / f"damaged {number}"
        folder.mkdir()
        damaged = bytearray(whole)
        for _ in range(3):
            damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
        (folder / store.path.name).write_bytes(damaged)
        problems: list[str] = []
        other = Store(folder, problems.append)

        found = other.get(list(contents))

        assert all(contents[key] == content for key, content in found.items())
        # A flip where no row lies harms nothing.
        assert len(found) == len(contents) or problems
        noticed += bool(problems)
        other.put("new", b"kept", "m")
        assert other.get(["new"]) == {"new": b"kept"}
        other.close()
    assert noticed > 80


def test_a_truncated_log_loses_only_what_it_held(tmp_path: Path, store: Store) -> None:
    """Rows in the file itself are there, and the others are asked anew."""
    store.put("early", b"one" * 100, "m")
    store.close()
    store.put("late", b"two" * 100, "m")
    log = store.path.with_name(store.path.name + "-wal")
    folder = tmp_path / "copy"
    folder.mkdir()
    shutil.copy(store.path, folder)
    (folder / log.name).write_bytes(log.read_bytes()[:-700])
    problems: list[str] = []
    other = Store(folder, problems.append)

    assert other.get(["early", "late"]) == {"early": b"one" * 100}
    assert problems == []
    other.close()


def test_a_file_that_is_no_store_is_set_aside(store: Store, told: list[str]) -> None:
    """With its content; the run begins a new one."""
    store.path.parent.mkdir()
    store.path.write_bytes(b"no database at all" * 100)

    store.put("a", b"one", "m")
    store.put("a", b"one", "m")

    assert store.get(["a"]) == {"a": b"one"}
    (aside,) = store.path.parent.glob("*.damaged-*")
    assert aside.read_bytes() == b"no database at all" * 100
    assert len(told) == 1
    assert aside.name in told[0]


def test_a_place_that_cannot_be_written_is_told_once(tmp_path: Path, told: list[str]) -> None:
    """The run goes on without."""
    (tmp_path / "file").write_text("no folder")
    store = Store(tmp_path / "file", told.append)

    for number in range(3):
        store.put(str(number), b"one", "m")

    assert store.get(["0"]) == {}
    assert len(told) == 1
    assert "--lengthprobe-store=DIR" in told[0]


def test_a_full_disk_is_told_once(store: Store, told: list[str]) -> None:
    """As SQLite tells of it; answers that were kept before are there."""
    store.put("a", b"one", "m")
    assert store._connection is not None
    (pages,) = store._connection.execute("PRAGMA page_count").fetchone()
    store._connection.execute(f"PRAGMA max_page_count = {pages}")

    store.put("b", b"two" * 100_000, "m")
    store.put("c", b"two" * 100_000, "m")

    assert len(told) == 1
    assert "full" in told[0]
    assert Store(store.path.parent, told.append).get(["a", "b"]) == {"a": b"one"}


def test_a_file_size_limit_is_told_once(tmp_path: Path) -> None:
    """As a full disk, by the system itself: what was kept before is there, and the run goes on."""
    told = tmp_path / "told"
    child = os.fork()
    if not child:
        code = 1
        try:
            store = Store(tmp_path, lambda problem: told.open("a").write(f"{problem}\n"))
            store.put("a", b"one", "m")
            resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
            for number in range(5):
                store.put(f"large {number}", os.urandom(100_000), "m")
            code = 0
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0

    assert len(told.read_text().splitlines()) == 1
    assert "--lengthprobe-store=DIR" in told.read_text()
    store = Store(tmp_path, pytest.fail)
    assert store.get(["a"]) == {"a": b"one"}
    found = store.get([f"large {number}" for number in range(5)])
    assert all(len(content) == 100_000 for content in found.values())
    store.close()


def test_a_folder_that_can_only_be_read_is_read(tmp_path: Path) -> None:
    """By a user who may not write there; that new answers are not kept is told once."""
    folder, told = tmp_path / "store", tmp_path / "told"
    store = Store(folder, pytest.fail)
    store.put("a", b"one", "m")
    store.close()
    told.touch()
    told.chmod(0o666)
    for path in (tmp_path, *tmp_path.parents):
        if path.stat().st_uid == os.getuid() and path.name:
            path.chmod(path.stat().st_mode | 0o755)
    store.path.chmod(0o444)
    folder.chmod(0o555)
    child = os.fork()
    if not child:
        code = 1
        try:
            if os.getuid() == 0:
                os.setuid(65534)
            reading = Store(folder, lambda problem: told.open("a").write(f"{problem}\n"))
            found = [reading.get(["a", "b"])]
            reading.put("b", b"two", "m")
            reading.put("c", b"two", "m")
            found.append(reading.get(["a", "b"]))
            code = 0 if found == [{"a": b"one"}] * 2 else 2
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0
    folder.chmod(0o755)

    assert told.read_text().splitlines() == [
        f"{store.path} can be read and not written: new answers are not kept"
    ]


def test_flipped_bytes_give_no_wrong_fact(tmp_path: Path, store: Store) -> None:
    """Of a hundred damaged facts each is right, or is found out anew."""
    contents = {f"digest {number}": os.urandom(600) for number in range(12)}
    store.put_facts(contents, "m")
    store.close()
    whole, chance, lost = store.path.read_bytes(), random.Random(5), 0
    for number in range(100):
        folder = tmp_path / f"damaged {number}"
        folder.mkdir()
        damaged = bytearray(whole)
        # Within a fact each time.
        at = whole.index(chance.choice(list(contents.values()))) + chance.randrange(600)
        damaged[at] ^= 1 << chance.randrange(8)
        (folder / store.path.name).write_bytes(damaged)
        problems: list[str] = []
        other = Store(folder, problems.append)

        found = {key: other.fact(key) for key in contents}

        assert all(content in (None, contents[key]) for key, content in found.items())
        lost += None in found.values() and len(problems) == 1
        other.close()
    assert lost == 100


def test_two_processes_that_find_a_damaged_file_set_it_aside_once(store: Store) -> None:
    """The second finds the new file of the first, and leaves it there."""
    store.path.parent.mkdir()
    store.path.write_bytes(b"no database at all" * 100)
    told: list[str] = []
    stores = [Store(store.path.parent, told.append) for _ in range(2)]
    for one in stores:
        one._inode = one._present_inode()
    stores[0]._set_aside(ValueError("damaged"))
    stores[0].put("a", b"one", "m")

    stores[1]._set_aside(ValueError("damaged"))

    assert stores[1].get(["a"]) == {"a": b"one"}
    assert len(told) == 1
    for one in stores:
        one.close()


def test_rows_give_way_to_the_answer(store: Store) -> None:
    """In one transaction: there is either."""
    store.put_all({"row 1": b"one", "row 2": b"two"}, "m")
    store.put_all({"whole": b"both"}, "m", without=["row 1", "row 2"])

    assert store.get(["row 1", "row 2", "whole"]) == {"whole": b"both"}


def test_another_layout_is_another_file(
    store: Store, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two versions at once do not read each other's rows."""
    store.put("a", b"one", "m")
    monkeypatch.setattr("lengthprobe.asking.store.SCHEMA", 2)
    newer = Store(store.path.parent, told.append)

    assert newer.get(["a"]) == {}
    newer.put("a", b"two", "m")
    assert store.get(["a"]) == {"a": b"one"}
    assert told == []
    newer.close()


def test_shelves_and_their_removal(store: Store) -> None:
    """By checkpoint, and by when they were last used."""
    store.put("a", b"12345", "m")
    store.put("b", b"123", "m")
    store.put("c", b"1", "n")

    assert [
        (one.checkpoint, one.answers, one.size) for one in sorted(store.shelves(), key=lambda one: one.size)
    ] == [
        ("n", 1, 1),
        ("m", 2, 8),
    ]
    assert store.remove(unused_since=time.time() - 60) == 0
    assert store.remove(checkpoint="m") == 2
    assert store.get(["a", "c"]) == {"c": b"1"}
    assert store.remove() == 1
    assert store.shelves() == []


def test_a_closed_database_is_whole(store: Store) -> None:
    """Nothing is left in the log."""
    store.put("a", b"one", "m")
    store.close()

    with sqlite3.connect(store.path) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
    assert not store.path.with_name(store.path.name + "-wal").exists()
