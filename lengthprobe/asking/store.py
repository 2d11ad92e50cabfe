"""Store: answers on disk, each kept as soon as there is an answer, for later runs and for a run that goes on.

The answers of all checkpoints lie in one SQLite file of a folder. Several processes use the file at once. A
row has the digest of its content: a damaged row is dropped, and its question asked again. Whatever is wrong
with the file, a run goes on without the store, and says so.
"""

from __future__ import annotations

import sqlite3
import time
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from lengthprobe.asking.engine import Engine
    from lengthprobe.asking.questions import Question

# Another layout of rows is another file, so that two versions do not read each other's.
SCHEMA = 1
_PATIENCE_S = 60.0
_PUT = "INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?, ?)"
_REMOVE = "DELETE FROM answers WHERE checkpoint = COALESCE(?, checkpoint) AND used < COALESCE(?, 1e300)"
_BY_USE = "SELECT key, LENGTH(content) FROM answers ORDER BY used DESC"
_TABLE = """
    CREATE TABLE IF NOT EXISTS answers (
        key TEXT PRIMARY KEY,
        checkpoint TEXT NOT NULL,
        digest BLOB NOT NULL,
        content BLOB NOT NULL,
        used REAL NOT NULL
    ) WITHOUT ROWID
"""


@dataclass(frozen=True, slots=True)
class Shelf:
    """The answers of one checkpoint in a store.

    Args:
        checkpoint: The display name of the checkpoint, as the last run called it.
        answers: The number of batches.
        size: Their bytes.
        used: When the last of them was read or written, in seconds since 1970.
    """

    checkpoint: str
    answers: int
    size: int
    used: float


class Store:
    """Answers in a folder, by key.

    Args:
        folder: Made when the first answer is kept.
        tell: Called once for each kind of problem, with a message; the run goes on.
    """

    def __init__(self, folder: Path, tell: Callable[[str], None]) -> None:
        self.path = folder / f"answers-{SCHEMA}.sqlite"
        self._tell = tell
        self._told: set[str] = set()
        self._connection: sqlite3.Connection | None = None
        self._is_closed = False

    def get(self, keys: Sequence[str]) -> dict[str, bytes]:
        """The contents of all keys that are in the store, and whole."""
        return self._safely(lambda connection: dict(self._whole(connection, keys))) or {}

    def put(self, key: str, content: bytes, checkpoint: str) -> None:
        """Keep the content of a key.

        Args:
            key: The key of a question (`asking.keys`).
            content: The answer.
            checkpoint: The display name of the checkpoint.
        """
        row = (key, checkpoint, _digest(key, content), content, time.time())
        self._safely(lambda connection: connection.execute(_PUT, row))

    def shelves(self) -> list[Shelf]:
        """The answers in the store by checkpoint, last used first."""
        asked = (
            "SELECT checkpoint, COUNT(*), SUM(LENGTH(content)), MAX(used) FROM answers "
            "GROUP BY checkpoint ORDER BY MAX(used) DESC"
        )
        rows = self._safely(lambda connection: connection.execute(asked).fetchall()) or []
        return [Shelf(*row) for row in rows]

    def remove(self, *, checkpoint: str | None = None, unused_since: float | None = None) -> int:
        """Remove answers, and give the number of removed batches.

        Args:
            checkpoint: Of this checkpoint alone; None: of all.
            unused_since: Only answers last used before this time, in seconds since 1970; None: all.
        """

        def remove(connection: sqlite3.Connection) -> int:
            removed = connection.execute(_REMOVE, (checkpoint, unused_since)).rowcount
            connection.execute("VACUUM")
            return removed

        return self._safely(remove) or 0

    def shrink(self, size: int) -> int:
        """Remove the answers used longest ago until the rest takes no more bytes; give their number."""

        def shrink(connection: sqlite3.Connection) -> int:
            rows = connection.execute(_BY_USE).fetchall()
            kept, beyond = 0, []
            for key, length in rows:
                kept += length
                if kept > size:
                    beyond.append((key,))
            connection.executemany("DELETE FROM answers WHERE key = ?", beyond)
            connection.execute("VACUUM")
            return len(beyond)

        return self._safely(shrink) or 0

    def close(self) -> None:
        """Let go of the file."""
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.close()
        self._connection = None

    def _whole(self, connection: sqlite3.Connection, keys: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        """The rows of some keys; damaged rows are removed."""
        for key in keys:
            row = connection.execute("SELECT digest, content FROM answers WHERE key = ?", (key,)).fetchone()
            if row is None:
                continue
            digest, content = row
            if isinstance(content, bytes) and digest == _digest(key, content):
                with suppress(sqlite3.OperationalError):
                    # A store that cannot be written can be read.
                    connection.execute("UPDATE answers SET used = ? WHERE key = ?", (time.time(), key))
                yield key, content
            else:
                connection.execute("DELETE FROM answers WHERE key = ?", (key,))
                self._say(f"an answer in {self.path} was damaged: its batch is asked again")

    def _safely(self, act: Callable[[sqlite3.Connection], Any]) -> Any:
        """The result of an act on the file, None where the file is of no use."""
        if self._is_closed:
            return None
        try:
            return act(self._open())
        except (sqlite3.OperationalError, OSError) as error:
            # A full disk, no permission, another process that does not let go.
            self._say(f"answers are not kept in {self.path}: {error}; --lengthprobe-store=DIR names another")
            self._is_closed = True
        except sqlite3.DatabaseError as error:
            self._set_aside(error)
        self.close()
        return None

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(
                self.path, timeout=_PATIENCE_S, isolation_level=None, check_same_thread=False
            )
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute(_TABLE)
            self._connection = connection
        return self._connection

    def _set_aside(self, error: Exception) -> None:
        """Move a damaged file out of the way; the next answer begins a new file."""
        self.close()
        aside = self.path.with_suffix(f".damaged-{int(time.time())}")
        try:
            self.path.rename(aside)
            for end in ("-wal", "-shm"):
                with suppress(OSError):
                    self.path.with_name(self.path.name + end).unlink()
        except OSError:
            self._is_closed = True
        self._say(f"the store {self.path} is damaged ({error}): now {aside.name}; answers are asked anew")

    def _say(self, problem: str) -> None:
        if problem not in self._told:
            self._told.add(problem)
            self._tell(problem)


def default_folder() -> Path:
    """The folder for answers where nobody names another: in the user's cache."""
    from platformdirs import user_cache_path

    return user_cache_path("lengthprobe")


class Storing:
    """An engine whose answers are kept on disk.

    Args:
        engine: Answers the questions that are not in the store.
        store: Holds the answers.
        key: The key of a question.
        checkpoint: The display name of the checkpoint.
    """

    def __init__(
        self, engine: Engine, store: Store, key: Callable[[Question[Any]], str], checkpoint: str
    ) -> None:
        self._engine, self._store, self._key, self._checkpoint = engine, store, key, checkpoint

    @property
    def can(self) -> frozenset[str]:
        """The kinds of answers from the engine within."""
        return self._engine.can

    def answer(self, questions: Sequence[Question[Any]]) -> Iterator[Any]:
        """The answers, from the store or, as soon as there is an answer, from the engine."""
        keys = [self._key(question) for question in questions]
        known = self._store.get(keys)
        new = [question for key, question in zip(keys, questions, strict=True) if key not in known]
        asked = iter(self._engine.answer(new) if new else ())
        for key, question in zip(keys, questions, strict=True):
            if key in known:
                yield question.unpack(known[key])
                continue
            answer = next(asked)
            self._store.put(key, question.pack(answer), self._checkpoint)
            yield answer


def _digest(key: str, content: bytes) -> bytes:
    return sha256(key.encode() + content).digest()
