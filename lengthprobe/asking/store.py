"""Store: answers on disk, each kept as soon as there is an answer, for later runs and for a run that goes on.

The answers of all checkpoints lie in one SQLite file of a folder. Several processes use the file at once. A
row has the digest of its content: a damaged row is dropped, and its question asked again. Whatever is wrong
with the file, a run goes on without the store, and says so.

Beside the answers lie facts on checkpoints: digests of files, and all that a run has to know of a checkpoint
before it looks for answers (`asking.respondent`).
"""

from __future__ import annotations

import sqlite3
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

# Another layout of rows is another file, so that two versions do not read each other's.
SCHEMA = 1
_PATIENCE_S = 60.0
_TABLES = ("answers", "facts")
_TABLE = """
    CREATE TABLE IF NOT EXISTS {table} (
        key TEXT PRIMARY KEY,
        checkpoint TEXT NOT NULL,
        digest BLOB NOT NULL,
        content BLOB NOT NULL,
        used REAL NOT NULL
    ) WITHOUT ROWID
"""
_GET = "SELECT digest, content FROM {table} WHERE key = ?"
_PUT = "INSERT OR REPLACE INTO {table} VALUES (?, ?, ?, ?, ?)"
_USE = "UPDATE {table} SET used = ? WHERE key = ?"
_DROP = "DELETE FROM {table} WHERE key = ?"
_REMOVE = "DELETE FROM {table} WHERE checkpoint = COALESCE(?, checkpoint) AND used < COALESCE(?, 1e300)"
_BY_USE = "SELECT key, LENGTH(content) FROM answers ORDER BY used DESC"


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
        self._is_read_only = False
        # Which file is open, whatever stands under its name later.
        self._inode: int | None = None

    def get(self, keys: Sequence[str]) -> dict[str, bytes]:
        """The contents of all keys that are in the store, and whole."""
        return self._contents("answers", keys)

    def put(self, key: str, content: bytes, checkpoint: str) -> None:
        """Keep the content of a key.

        Args:
            key: The key of a question (`asking.keys`).
            content: The answer.
            checkpoint: The display name of the checkpoint.
        """
        self.put_all({key: content}, checkpoint)

    def put_all(self, contents: Mapping[str, bytes], checkpoint: str, without: Sequence[str] = ()) -> None:
        """Keep the contents of some keys and drop other keys: all of this happens, or nothing.

        Args:
            contents: The contents by key.
            checkpoint: The display name of the checkpoint.
            without: The keys to drop.
        """
        self._write("answers", contents, checkpoint, without)

    def fact(self, key: str) -> bytes | None:
        """A fact on a checkpoint, None where the fact is not known."""
        return self._contents("facts", [key]).get(key)

    def put_facts(self, facts: Mapping[str, bytes], checkpoint: str) -> None:
        """Keep facts on a checkpoint, by their keys."""
        self._write("facts", facts, checkpoint)

    def shelves(self) -> list[Shelf]:
        """The answers in the store by checkpoint, last used first."""
        asked = (
            "SELECT checkpoint, COUNT(*), SUM(LENGTH(content)), MAX(used) FROM answers "
            "GROUP BY checkpoint ORDER BY MAX(used) DESC"
        )
        rows = self._safely(lambda connection: connection.execute(asked).fetchall()) or []
        return [Shelf(*row) for row in rows]

    def remove(self, *, checkpoint: str | None = None, unused_since: float | None = None) -> int:
        """Remove answers, with facts on their checkpoints, and give the number of removed batches.

        Args:
            checkpoint: Of this checkpoint alone; None: of all.
            unused_since: Only answers last used before this time, in seconds since 1970; None: all.
        """

        def remove(connection: sqlite3.Connection) -> int:
            removed = [
                connection.execute(_REMOVE.format(table=table), (checkpoint, unused_since)).rowcount
                for table in _TABLES
            ]
            connection.execute("VACUUM")
            return removed[0]

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
            connection.executemany(_DROP.format(table="answers"), beyond)
            connection.execute("VACUUM")
            return len(beyond)

        return self._safely(shrink) or 0

    def close(self) -> None:
        """Let go of the file."""
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.close()
        self._connection = None

    def _write(
        self, table: str, contents: Mapping[str, bytes], checkpoint: str, without: Sequence[str] = ()
    ) -> None:
        """Keep rows and drop others, in one transaction."""
        now = time.time()
        rows = [(key, checkpoint, _digest(key, content), content, now) for key, content in contents.items()]

        def write(connection: sqlite3.Connection) -> None:
            if self._is_read_only:
                self._say(f"{self.path} can be read and not written: new answers are not kept")
                return
            with _transaction(connection):
                connection.executemany(_PUT.format(table=table), rows)
                connection.executemany(_DROP.format(table=table), [(key,) for key in without])

        self._safely(write)

    def _contents(self, table: str, keys: Sequence[str]) -> dict[str, bytes]:
        """The contents of the keys that a table has whole; damaged rows are removed."""
        return self._safely(lambda connection: self._whole(connection, table, keys)) or {}

    def _whole(self, connection: sqlite3.Connection, table: str, keys: Sequence[str]) -> dict[str, bytes]:
        whole: dict[str, bytes] = {}
        damaged: list[str] = []
        for key in keys:
            row = connection.execute(_GET.format(table=table), (key,)).fetchone()
            if row is None:
                continue
            digest, content = row
            if isinstance(content, bytes) and digest == _digest(key, content):
                whole[key] = content
            else:
                damaged.append(key)
        if damaged:
            self._say(f"an answer in {self.path} was damaged: its batch is asked again")
        if (whole or damaged) and not self._is_read_only:
            # A store that cannot be written, as on a full disk, can be read.
            with suppress(sqlite3.OperationalError), _transaction(connection):
                connection.executemany(_USE.format(table=table), [(time.time(), key) for key in whole])
                connection.executemany(_DROP.format(table=table), [(key,) for key in damaged])
        return whole

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
            if self._is_read_only:
                self._say(f"the store {self.path} is damaged ({error}), and cannot be written")
                self._is_closed = True
            else:
                self._set_aside(error)
        self.close()
        return None

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            try:
                self._connection = self._open_for_writing()
            except (sqlite3.OperationalError, OSError):
                self._connection = self._open_for_reading()
                if self._connection is None:
                    raise
        return self._connection

    def _open_for_writing(self) -> sqlite3.Connection:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._inode = self._present_inode()
        connection = sqlite3.connect(
            self.path, timeout=_PATIENCE_S, isolation_level=None, check_same_thread=False
        )
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            for table in _TABLES:
                connection.execute(_TABLE.format(table=table))
        except BaseException:
            connection.close()
            raise
        self._inode = self._present_inode()
        return connection

    def _open_for_reading(self) -> sqlite3.Connection | None:
        """The file without a lock and a log, None where that is not safe: a log holds rows of its own."""
        log = self.path.with_name(f"{self.path.name}-wal")
        try:
            if not self.path.stat().st_size or (log.exists() and log.stat().st_size):
                return None
            uri = f"{self.path.resolve().as_uri()}?mode=ro&immutable=1"
            connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
            tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
        except (sqlite3.Error, OSError):
            return None
        if not tables.issuperset(_TABLES):
            connection.close()
            return None
        self._is_read_only = True
        return connection

    def _set_aside(self, error: Exception) -> None:
        """Move a damaged file out of the way; the next answer begins a new file."""
        from filelock import FileLock

        self.close()
        aside = self.path.with_suffix(f".damaged-{time.time_ns()}")
        try:
            with FileLock(self.path.with_suffix(".lock"), timeout=_PATIENCE_S):
                if self._present_inode() != self._inode:
                    # Another process has moved the file, and begun a new file.
                    return
                self.path.rename(aside)
                for end in ("-wal", "-shm"):
                    with suppress(OSError):
                        self.path.with_name(self.path.name + end).unlink()
        except OSError:
            self._is_closed = True
        self._say(f"the store {self.path} is damaged ({error}): now {aside.name}; answers are asked anew")

    def _present_inode(self) -> int | None:
        with suppress(OSError):
            return self.path.stat().st_ino
        return None

    def _say(self, problem: str) -> None:
        if problem not in self._told:
            self._told.add(problem)
            self._tell(problem)


def default_folder() -> Path:
    """The folder for answers where nobody names another: in the user's cache."""
    from platformdirs import user_cache_path

    return user_cache_path("lengthprobe")


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """A block whose writes all happen, or none of them."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _digest(key: str, content: bytes) -> bytes:
    return sha256(key.encode() + content).digest()
