"""Kill a gate again and again, and count what is lost: batches asked again, rows doubled, figures changed.

    python benchmarks/kills.py [--kills 20] [--workers 4] [--seed 0]

The gate judges tiny-it, with its answers kept in a store. SIGKILL ends all its processes at a random moment
after a few more batches. Every key that a process has kept is written to a log. A key that is kept twice was
asked twice: its batch was lost. In the end the figures are compared, to the bit, with those of a run that
nobody killed and that has no store.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CLAIMS = '''
import pytest
from lengthprobe import measures


@pytest.mark.claim(about="mechanism", languages=["en"])
def test_heads(probe, language):
    """English needs its heads."""
    assert measures.control_without_random(probe, language=language) > 0.1


@pytest.mark.claim
def test_exact(probe, language):
    """Answers are exact."""
    assert measures.exact_match(probe, language=language) > 0.5
'''
CONFTEST = """
import os
from lengthprobe.asking.store import Store

put_all = Store.put_all


def log(self, contents, checkpoint, without=()):
    put_all(self, contents, checkpoint, without)
    end = os.open("kept.log", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(end, "".join(f"{key}\\n" for key in contents).encode())
    os.close(end)


Store.put_all = log
"""
INI = """
[pytest]
addopts = -p no:cacheprovider -p no:hypothesispytest -p no:anyio -p no:jaxtyping -p no:typeguard
lengthprobe_model = tiny-it
lengthprobe_languages = en
lengthprobe_budget = 60
lengthprobe_cap = 30
lengthprobe_batch_size = 4
lengthprobe_store = store
"""
_PATIENCE_S = 300


@dataclass(frozen=True)
class Outcome:
    """What kills did to a gate.

    Args:
        kills: How many runs were killed.
        kept: How many keys were kept in all.
        twice: Keys that were kept twice: their batch was asked again.
        left: Rows that are in the store beside the whole answer.
        same: Whether all figures are those of a run that nobody killed.
    """

    kills: int
    kept: int
    twice: int
    left: int
    same: bool


def kill_gate(folder: Path, *, kills: int, workers: int = 0, seed: int = 0) -> Outcome:
    """Kill a gate in an empty folder, and let it end at last.

    Args:
        folder: The folder.
        kills: How many times; fewer where the gate ends before.
        workers: The number of processes of pytest-xdist, 0 for a single process.
        seed: Seed of the moments.
    """
    for name, text in (("test_gate.py", CLAIMS), ("conftest.py", CONFTEST), ("pytest.ini", INI)):
        (folder / name).write_text(text)
    options = ["-n", str(workers)] if workers else []
    chance, killed = random.Random(seed), 0
    for _ in range(kills):
        running = _start(folder, *options)
        _wait(folder, running, batches=chance.randint(1, 2))
        time.sleep(chance.random() * 0.2)
        killed += running.poll() is None
        try:
            os.killpg(running.pid, signal.SIGKILL)
        except ProcessLookupError:
            break
        running.wait()
    figures = _figures(folder, *options)
    keys = Counter(_log(folder))
    left = _rows_left(folder)
    whole = _figures(folder, "--lengthprobe-store=none")
    return Outcome(killed, len(keys), sum(n > 1 for n in keys.values()), left, figures == whole)


def _start(folder: Path, *options: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "pytest", "-q", *options]
    nowhere = subprocess.DEVNULL
    return subprocess.Popen(command, cwd=folder, stdout=nowhere, stderr=nowhere, start_new_session=True)


def _wait(folder: Path, running: subprocess.Popen[bytes], *, batches: int) -> None:
    """Wait until a run has kept so many more batches, or ends."""
    size, seen, deadline = _size(folder), 0, time.monotonic() + _PATIENCE_S
    while seen < batches and running.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
        now = _size(folder)
        seen, size = seen + (now > size), now


def _size(folder: Path) -> int:
    log = folder / "kept.log"
    return log.stat().st_size if log.exists() else 0


def _log(folder: Path) -> list[str]:
    return (folder / "kept.log").read_text().splitlines()


def _rows_left(folder: Path) -> int:
    import sqlite3

    (path,) = (folder / "store").glob("answers-*.sqlite")
    connection = sqlite3.connect(path)
    (count,) = connection.execute("SELECT COUNT(*) FROM answers WHERE key LIKE 'row %'").fetchone()
    connection.close()
    return int(count)


def _figures(folder: Path, *options: str) -> dict[str, Any]:
    path = folder / "report.json"
    path.unlink(missing_ok=True)
    _start(folder, f"--lengthprobe-json={path}", *options).wait()
    return {claim["nodeid"]: claim["checks"] for claim in json.loads(path.read_text())["claims"]}


def main() -> None:
    """Kill as often as asked, and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print(kill_gate(Path(folder), kills=options.kills, workers=options.workers, seed=options.seed))


if __name__ == "__main__":
    main()
