"""The main memory that programs can still take."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lengthprobe.checkpoints.main_memory import available_memory

if TYPE_CHECKING:
    from pathlib import Path


def test_is_the_memory_that_the_system_calls_available(tmp_path: Path) -> None:
    """In bytes."""
    (tmp_path / "meminfo").write_text("MemTotal: 9 kB\nMemFree:  1 kB\nMemAvailable:   5 kB\n")

    assert available_memory(proc=tmp_path, cgroup=tmp_path) == 5 * 1024


@pytest.mark.parametrize(
    ("limit", "stat", "found"),
    [("3000", "anon 1000\nfile 1500\n", 2000), ("max", "anon 1\n", 5120), ("9000000", "anon 1\n", 5120)],
)
def test_a_container_may_have_less(tmp_path: Path, limit: str, stat: str, found: int) -> None:
    """Files in memory make room by themselves."""
    (tmp_path / "meminfo").write_text("MemAvailable:   5 kB\n")
    (tmp_path / "memory.max").write_text(f"{limit}\n")
    (tmp_path / "memory.stat").write_text(stat)

    assert available_memory(proc=tmp_path, cgroup=tmp_path) == found


def test_is_not_known_everywhere(tmp_path: Path) -> None:
    """As on macOS."""
    assert available_memory(proc=tmp_path / "proc", cgroup=tmp_path) is None
