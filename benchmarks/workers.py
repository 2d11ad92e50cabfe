"""Measure how evenly the workers of a session share the work, without a clock.

    python benchmarks/workers.py [-n 4] [--model tiny-it] [--base tiny-base] [CLAIMS ...]

Both suites (or CLAIMS) are run by pytest-xdist, without a store. The work of a call of generate is its rows
times its decoding steps; any other question to the model counts its texts, with a pass each. So another
program on the machine changes only which worker is free first, and a repeated run tells how much that is.

Printed are the work of each worker, and the work of the busiest worker as a multiple of the mean. A second
number is the least possible: one batch of answers is not divided, so the largest call of each group of
questions asked together bounds the time for that group.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
_FOLDER = "LENGTHPROBE_WORK"


@dataclass(frozen=True)
class Share:
    """How the work of a session was shared.

    Args:
        by_worker: The work of each worker.
        bound: The least time with so many workers, as a multiple of the mean.
    """

    by_worker: dict[str, int]
    bound: float

    @property
    def mean(self) -> float:
        """The work of all workers over their number."""
        return sum(self.by_worker.values()) / len(self.by_worker)

    @property
    def busiest(self) -> float:
        """The work of the busiest worker as a multiple of the mean."""
        return max(self.by_worker.values()) / self.mean


def measure(claims: Sequence[str], workers: int, *options: str) -> Share:
    """How the workers of a session share the work of some claims.

    Args:
        claims: Files or folders of claims, from the root of the repository.
        workers: The number of workers.
        options: Further options of pytest.
    """
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {_FOLDER: folder, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
        command = [sys.executable, "-m", "pytest", *claims, "-q", "-p", "no:cacheprovider"]
        command += ["-p", "benchmarks.workers", "-n", str(workers), "--lengthprobe-store=none", *options]
        subprocess.run(
            command, cwd=ROOT, env=environment, check=False, stdout=subprocess.DEVNULL
        )  # fmt: skip
        calls = [
            [path.name, *json.loads(line)]
            for path in sorted(Path(folder).iterdir())
            for line in path.read_text().splitlines()
        ]
    return share_of(calls, workers)


def share_of(calls: Sequence[Sequence[Any]], workers: int) -> Share:
    """How some calls are shared.

    Args:
        calls: The worker, the name of the group of questions, and the work of each call.
        workers: The number of workers.
    """
    by_worker = {f"gw{number}": 0 for number in range(workers)}
    groups: dict[str, list[int]] = defaultdict(list)
    for worker, group, work in calls:
        by_worker[worker] += work
        groups[group].append(work)
    least = sum(max(max(group), sum(group) / workers) for group in groups.values())
    total = sum(map(sum, groups.values()))
    return Share(by_worker, least * workers / total if total else 1.0)


def pytest_configure() -> None:
    """Let each worker of a session note its calls: this module is then a plugin of pytest."""
    from hashlib import sha256

    from lengthprobe.asking import answering, sharing, transformers_engine
    from lengthprobe.asking.questions import Write

    worker, folder = os.environ.get("PYTEST_XDIST_WORKER"), os.environ.get(_FOLDER)
    if worker is None or folder is None:
        return
    groups: list[str] = []

    def note(work: int) -> None:
        with Path(folder, worker).open("a") as opened:
            opened.write(json.dumps([groups[-1] if groups else "alone", work]) + "\n")

    write, one, together = (
        answering.answer,
        transformers_engine.TransformersEngine._answer_one,
        sharing.Shared.answer,
    )

    def written(checkpoint: Any, prompts: Sequence[Any], *given: Any, **more: Any) -> Any:
        found = write(checkpoint, prompts, *given, **more)
        note(len(prompts) * max(len(response.token_ids) + 1 for response in found.responses))
        return found

    def answered(self: Any, question: Any) -> Any:
        found = one(self, question)
        if not isinstance(question, Write):
            note(question.size)
        return found

    def shared(self: Any, questions: Sequence[Any]) -> Iterator[Any]:
        keys = sorted(self._key(question) for question in questions)
        groups.append(sha256(json.dumps(keys).encode()).hexdigest())
        try:
            yield from together(self, questions)
        finally:
            groups.pop()

    answering.answer = written
    transformers_engine.TransformersEngine._answer_one = answered  # type: ignore[method-assign]
    sharing.Shared.answer = shared  # type: ignore[method-assign,assignment]


def main() -> None:
    """Measure as often as asked, and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("claims", nargs="*", default=["behavior_tests", "mech_tests"])
    parser.add_argument("-n", type=int, default=4)
    parser.add_argument("--model", default="tiny-it")
    parser.add_argument("--base", default="tiny-base")
    parser.add_argument("--times", type=int, default=1)
    given = parser.parse_args()
    options = [f"--lengthprobe-model={given.model}", f"--lengthprobe-base={given.base}"]
    for _ in range(given.times):
        share = measure(given.claims, given.n, *options)
        works = ", ".join(f"{worker} {work:,}" for worker, work in share.by_worker.items())
        print(f"busiest {share.busiest:.2f} of the mean, at least {share.bound:.2f} ({works})", flush=True)


if __name__ == "__main__":
    main()
