"""Sharing between the processes of one session: a model's work, and the machine's cores."""

from __future__ import annotations

import os
import time
from hashlib import sha256
from typing import TYPE_CHECKING

from lengthprobe.reporting.files import write_whole

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, MutableMapping, Sequence
    from pathlib import Path

    from lengthprobe.plugin.device_groups import Groups

# Seconds between two looks of a waiting process for the bytes of another.
_PATIENCE_S = 0.05


class SharedDirectory:
    """A directory through which processes share bytes: a process makes the bytes of a key, and all read them.

    A process claims a key by a lock on a file. When a process dies, the operating system releases the lock,
    and another process makes the bytes.

    Args:
        directory: An existing directory that every process sees, with one file for each key.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def gather(self, keys: Sequence[str], make: Callable[[str], bytes]) -> Mapping[str, bytes]:
        """The bytes of every key, in the order of the keys.

        Args:
            keys: The keys to find.
            make: Makes the bytes of a single key; called for the keys that no other process has taken.
        """
        found: dict[str, bytes] = {}
        # First the keys that nobody is making; then wait for the others, and make the keys they leave behind.
        while len(found) < len(keys):
            before = len(found)
            for key in keys:
                if key not in found and (content := self._obtain(key, make)) is not None:
                    found[key] = content
            if len(found) == before:
                time.sleep(_PATIENCE_S)
        return {key: found[key] for key in keys}

    def has(self, key: str) -> bool:
        """Whether the bytes of a key are there."""
        return (self.directory / sha256(key.encode()).hexdigest()).exists()

    def smallest(self, key: str, number: int | None) -> int | None:
        """The smallest number under a key that any process has given, None without any.

        Args:
            key: The key.
            number: A number to add, None to only look.
        """
        name = sha256(key.encode()).hexdigest()
        # A file for each number: no process overwrites the number of another.
        if number is not None:
            (self.directory / f"{name}.{number}").touch()
        given = [path.suffix[1:] for path in self.directory.glob(f"{name}.*")]
        return min((int(one) for one in given if one.isdigit()), default=None)

    def _obtain(self, key: str, make: Callable[[str], bytes]) -> bytes | None:
        """The bytes of a key, made here if need be, or None while another process makes the bytes."""
        from filelock import FileLock, Timeout

        path = self.directory / sha256(key.encode()).hexdigest()
        if path.exists():
            return path.read_bytes()
        try:
            with FileLock(f"{path}.lock", timeout=0):
                if not path.exists():
                    write_whole(path, make(key))
                return path.read_bytes()
        except Timeout:
            return None


class DealtDevices:
    """The accelerators of the workers: each worker has a group, and two workers share no group without need.

    Args:
        groups: The groups.
    """

    def __init__(self, groups: Groups) -> None:
        self._groups = groups
        self._taken: dict[str, int] = {}

    def take(self, worker: str) -> dict[str, str]:
        """The variables of the environment that show a new worker the group that fewest others have."""
        each = self._groups.each
        if not each:
            return {}
        group = min(range(len(each)), key=list(self._taken.values()).count)
        self._taken[worker] = group
        return {self._groups.variable: ",".join(device.name for device in each[group])}

    def give_back(self, worker: str) -> None:
        """Let another worker have the group of a worker that has ended."""
        self._taken.pop(worker, None)


def share_cores(workers: int, environment: MutableMapping[str, str]) -> None:
    """Let each of several workers compute with its share of the cores; to be called before torch is imported.

    Left alone, every worker starts a thread on every core, and they wait for each other.

    Args:
        workers: The number of workers.
        environment: The worker's environment; a number of threads already stated there stays.
    """
    environment.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // workers)))
