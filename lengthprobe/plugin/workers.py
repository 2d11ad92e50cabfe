"""Sharing between the processes of one session: a model's work, and the machine's accelerators."""

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

# Seconds between two looks of a waiting process for the bytes of another.
_PATIENCE_S = 0.05
_NVIDIA_SMI_LINE = re.compile(r"^\s*(?P<mig>MIG )?.*\(UUID: (?P<uuid>[^)]+)\)", re.MULTILINE)


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


def visible_devices(environment: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """The accelerators for the caller's use, as CUDA_VISIBLE_DEVICES names them; empty without any."""
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
    """The devices in the output of `nvidia-smi -L`: parts of divided GPUs if there are any, else the GPUs."""
    lines = list(_NVIDIA_SMI_LINE.finditer(listed))
    parts = [line["uuid"] for line in lines if line["mig"]]
    return tuple(parts or [line["uuid"] for line in lines])


def take_device(worker: str, devices: Sequence[str], environment: MutableMapping[str, str]) -> None:
    """Give a worker an accelerator of the caller's; to be called before torch is imported.

    Args:
        worker: The worker's name, for example `gw3`.
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
        workers: The number of workers.
        environment: The worker's environment; a number of threads already stated there stays.
    """
    environment.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // workers)))
