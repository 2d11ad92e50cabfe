"""Print what batching gains on a fixture model, and that it changes no response.

    python benchmarks/generation.py [MODEL] [--prompts N] [--repeats N]

Batched and one-at-a-time generation take turns in one process, so that both meet the same machine; the ratio
is the median over the turns.
"""

from __future__ import annotations

import argparse
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING

from lengthprobe import load
from lengthprobe.generation.transformers_engine import respond
from lengthprobe.task.prompts import prompts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lengthprobe.probe import Probe
    from lengthprobe.task.prompts import Prompt, Response


def main() -> None:
    """Measure, and print a line a turn and the medians."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", nargs="?", default="tiny-it")
    parser.add_argument("--prompts", type=int, default=100, help="prompts a language")
    parser.add_argument("--repeats", type=int, default=3)
    told = parser.parse_args()
    probe = load(told.model)
    asked = [prompt for language in ("en", "it") for prompt in prompts(language, budget=told.prompts)]
    size = probe.batch_size
    _timed(probe, asked[:10], size)
    ratios = []
    for turn in range(told.repeats):
        batched, fast = _timed(probe, asked, size)
        alone, slow = _timed(probe, asked, 1)
        ratios.append(slow / fast)
        equal = sum(one == other for one, other in zip(batched, alone, strict=True))
        print(
            f"turn {turn + 1}: batched {fast:.2f} s, one at a time {slow:.2f} s, ratio {ratios[-1]:.1f}; "
            f"{equal} of {len(asked)} responses equal"
        )
    print(f"{told.model} on {probe.identity().device}, batch size {size}: {median(ratios):.1f} times as fast")


def _timed(probe: Probe, asked: Sequence[Prompt], size: int) -> tuple[tuple[Response, ...], float]:
    start = perf_counter()
    responses = respond(probe.checkpoint, asked, probe.settings, batch_size=size)
    return responses, perf_counter() - start


if __name__ == "__main__":
    main()
