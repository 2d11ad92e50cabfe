"""Count what both suites ask of a model: calls of generate, decoding steps, rows, and rows that were of use.

    python benchmarks/decode_steps.py [MODEL] [--suites behavior_tests mech_tests] [--budget 300]
    python benchmarks/decode_steps.py --report build/steps     # with what the figures of a report ask

A decoding step is one forward pass within a call of generate. On an accelerator a step costs what the host
costs, whatever its number of rows. Of a row's steps those up to its end are of use; after its end a row is
padded until the batch ends. What is asked before the first claim runs is of all claims; each claim is listed
with what it asked for beside, or what its figures did, the most steps first.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tabulate import tabulate

ROOT = Path(__file__).resolve().parent.parent


@dataclass
class Count:
    """What one claim asked for."""

    calls: int = 0
    steps: int = 0
    row_steps: int = 0
    useful: int = 0
    passes: int = 0

    def add(self, other: Count) -> None:
        """Add another's."""
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)


class Counting:
    """A pytest plugin that counts, by the claim that runs, what a loaded model is asked."""

    def __init__(self) -> None:
        self.by_claim: dict[str, Count] = defaultdict(Count)

    def pytest_configure(self) -> None:
        """Watch every model from its loading on."""
        from lengthprobe.checkpoints import loading

        load = loading.load_checkpoint

        def watched(*given: Any, **more: Any) -> Any:
            checkpoint = load(*given, **more)
            self._watch(checkpoint)
            return checkpoint

        loading.load_checkpoint = watched

    def _watch(self, checkpoint: Any) -> None:
        model, ends = checkpoint.model, set(checkpoint.end_token_ids)
        generate, within = model.generate, [False]

        def forward(*_: Any) -> None:
            if not within[0]:
                self._count(Count(passes=1))

        model.register_forward_hook(forward)

        def counted(*given: Any, **more: Any) -> Any:
            within[0] = True
            try:
                written = generate(*given, **more)
            finally:
                within[0] = False
            width = given[0].shape[1]
            rows = written[:, width:].tolist()
            steps = written.shape[1] - width
            useful = sum(next((at + 1 for at, one in enumerate(row) if one in ends), steps) for row in rows)
            self._count(Count(1, steps, steps * len(rows), useful))
            return written

        model.generate = counted

    def _count(self, count: Count) -> None:
        running = os.environ.get("PYTEST_CURRENT_TEST", "").rpartition("::")[2]
        name, _, phase = running.partition(" ")
        self.by_claim["all claims, in rounds" if phase == "(setup)" else name].add(count)


def main() -> None:
    """Run the suites, and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", nargs="?", default="tiny-it")
    parser.add_argument("--suites", nargs="+", default=["behavior_tests", "mech_tests"])
    parser.add_argument("--budget", type=int, default=300)
    parser.add_argument("--batch-size", default="auto")
    parser.add_argument("--report", help="a folder: with the figures that a report has")
    options = parser.parse_args()
    os.chdir(ROOT)
    counting = Counting()
    more = [f"--lengthprobe-report={options.report}"] if options.report else []
    status = pytest.main(
        [
            *options.suites,
            f"--lengthprobe-model={options.model}",
            f"--lengthprobe-budget={options.budget}",
            f"--lengthprobe-batch-size={options.batch_size}",
            "--lengthprobe-store=none",
            *("-q", "-p", "no:cacheprovider", *more),
        ],
        plugins=[counting],
    )
    whole = Count()
    for one in counting.by_claim.values():
        whole.add(one)
    rows = sorted(counting.by_claim.items(), key=lambda row: -row[1].steps)
    print(
        tabulate(
            [
                (
                    name,
                    one.calls,
                    one.steps,
                    one.row_steps,
                    f"{one.useful / max(1, one.row_steps):.0%}",
                    one.passes,
                )
                for name, one in [*rows, ("all", whole)]
            ],
            headers=["asked first by", "calls", "steps", "row-steps", "of use", "other passes"],
        )
    )
    sys.exit(status)


if __name__ == "__main__":
    main()
