"""Main memory: the bytes that programs can still take, in this machine or in this container."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

_AVAILABLE = re.compile(r"^MemAvailable:\s+(\d+) kB", re.MULTILINE)
# The memory of programs alone: files in memory make room by themselves.
_ANONYMOUS = re.compile(r"^(?:anon|total_rss) (\d+)", re.MULTILINE)
_LIMITS = ("memory.max", "memory/memory.limit_in_bytes")


def available_memory(*, proc: Path = Path("/proc"), cgroup: Path = Path("/sys/fs/cgroup")) -> int | None:
    """The bytes of main memory that programs can still take; None where the system does not tell.

    Args:
        proc: The folder with `meminfo`.
        cgroup: The folder with the limits of this container.
    """
    found = []
    with suppress(OSError):
        if match := _AVAILABLE.search((proc / "meminfo").read_text()):
            found.append(int(match[1]) * 1024)
    for name in _LIMITS:
        limit = cgroup / name
        with suppress(OSError, ValueError):
            # Without a limit, the file says `max`, which is no number.
            most = int(limit.read_text())
            match = _ANONYMOUS.search((limit.parent / "memory.stat").read_text())
            found.append(max(0, most - int(match[1])) if match else most)
    return min(found) if found else None
