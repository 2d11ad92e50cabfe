"""How the processes of one session share a model's work, and the machine's accelerators."""

from __future__ import annotations

import os
import re
import subprocess
import time
from hashlib import sha256
from typing import TYPE_CHECKING

from lengthprobe.reporting.files import write_whole

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, MutableMapping, Sequence
    from pathlib import Path

# How often a process looks whether another has finished what it waits for.
_PATIENCE_S = 0.05
_NVIDIA_SMI_LINE = re.compile(r"^\s*(?P<mig>MIG )?.*\(UUID: (?P<uuid>[^)]+)\)", re.MULTILINE)


class SharedDirectory:
    """A directory through which processes share what they make: each thing is made once, and read by all.

    A key is claimed by a lock on a file, which the operating system lets go of when a process dies, so
    that another makes what the dead one did not.

    Args:
        directory: Where the files are, one a key; it exists, and every process sees it.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def gather(self, keys: Sequence[str], make: Callable[[str], bytes]) -> Mapping[str, bytes]:
        """The bytes of every key, in the order of the keys.

        Args:
            keys: What is wanted.
            make: Makes the bytes of one key; called for the keys that no other process has taken.
        """
        found: dict[str, bytes] = {}
        # First what nobody is making; then wait for the others, and make what they leave behind.
        while len(found) < len(keys):
            before = len(found)
            for key in keys:
                if key not in found and (content := self._obtain(key, make)) is not None:
                    found[key] = content
            if len(found) == before:
                time.sleep(_PATIENCE_S)
        return {key: found[key] for key in keys}

    def _obtain(self, key: str, make: Callable[[str], bytes]) -> bytes | None:
        """The bytes of a key, made here if need be, or None while another process makes it."""
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


def visible_devices(environment: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """The accelerators that the caller may use, as CUDA_VISIBLE_DEVICES names them; none without any."""
    stated = environment.get("CUDA_VISIBLE_DEVICES")
    if stated is not None:
        devices = [device.strip() for device in stated.split(",")]
        # CUDA itself stops reading at the first entry that is no device.
        stop = next((at for at, device in enumerate(devices) if device in ("", "-1")), len(devices))
        return tuple(devices[:stop])
    try:
        listed = subprocess.run(
            ["nvidia-smi", "-L"], capture_output=True, text=True, timeout=30, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return ()
    return listed_devices(listed)


def listed_devices(listed: str) -> tuple[str, ...]:
    """The devices that `nvidia-smi -L` lists: parts of divided GPUs where there are any, else the GPUs."""
    lines = list(_NVIDIA_SMI_LINE.finditer(listed))
    parts = [line["uuid"] for line in lines if line["mig"]]
    return tuple(parts or [line["uuid"] for line in lines])


def take_device(worker: str, devices: Sequence[str], environment: MutableMapping[str, str]) -> None:
    """Give a worker one of the caller's accelerators; to be called before torch is imported.

    Args:
        worker: The worker's name, such as `gw3`.
        devices: The caller's accelerators.
        environment: The worker's environment.
    """
    number = re.search(r"\d+$", worker)
    if devices and number:
        environment["CUDA_VISIBLE_DEVICES"] = devices[int(number[0]) % len(devices)]


def share_cores(workers: int, environment: MutableMapping[str, str]) -> None:
    """Let each of several workers compute with its share of the cores; to be called before torch is imported.

    Left alone, every worker starts a thread on every core, and they wait for each other.

    Args:
        workers: How many there are.
        environment: The worker's environment; a number of threads that stands there stays.
    """
    environment.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // workers)))
