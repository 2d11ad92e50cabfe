"""Compare two ways of doing something: in turns, pair by pair, and by the peak of their memory."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median, quantiles
from time import perf_counter, process_time
from typing import Any

import torch
from torch.profiler import ProfilerActivity, profile


@dataclass(frozen=True, slots=True)
class Ratio:
    """How much longer one way takes than another, over paired turns.

    Args:
        seconds: The median time of the way.
        fastest: The fastest run of the way over the fastest of the other: least disturbed, on a busy machine.
        median: The median of the pairs' ratios.
        quartiles: Of the pairs' ratios.
        limits: Between which their median lies, with 95 % confidence at least, whatever their distribution;
            None where there are too few pairs for that.
    """

    seconds: float
    fastest: float
    median: float
    quartiles: tuple[float, float]
    limits: tuple[float, float] | None

    def verdict(self, goal: float) -> str:
        """Whether the median is at most a goal, as far as the noise lets one say."""
        if self.limits is None:
            return "too few pairs to say"
        low, high = self.limits
        if high <= goal:
            return "reached"
        return "missed" if low > goal else "noise wider than the difference"


def clock(device: torch.device, threads: int) -> tuple[str, Callable[[], float]]:
    """What the time is read from, and how.

    On one thread it is the time that the process itself spent on the processor: what else the machine does
    has little part in it.
    """
    if device.type == "cuda":

        def synchronized() -> float:
            torch.cuda.synchronize(device)
            return perf_counter()

        return "wall clock, after synchronizing", synchronized
    return ("processor time", process_time) if threads == 1 else ("wall clock", perf_counter)


def compare(
    way: Callable[[], Any], against: Callable[[], Any], pairs: int, now: Callable[[], float]
) -> Ratio:
    """Run two ways in turns, each the first of every other pair, after one run of each to warm up."""
    took: dict[Callable[[], Any], list[float]] = {way: [], against: []}
    for pair in range(-1, pairs):
        for run in (way, against) if pair % 2 else (against, way):
            start = now()
            run()
            if pair >= 0:
                took[run].append(now() - start)
    ratios = sorted(one / other for one, other in zip(took[way], took[against], strict=True))
    low, _, high = quantiles(ratios, n=4) if pairs > 1 else (ratios[0],) * 3
    fastest = min(took[way]) / min(took[against])
    return Ratio(median(took[way]), fastest, median(ratios), (low, high), _limits(ratios))


def peak_of(run: Callable[[], Any], device: torch.device) -> int:
    """The most bytes of tensors that are alive at a time during a run, beyond those alive before it.

    On a CPU torch's profiler tells every allocation of a tensor; what a matrix library takes for itself is
    not among them, nor is what the allocator keeps.
    """
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        run()
        return torch.cuda.max_memory_allocated(device) - before
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True, acc_events=False) as watched:
        run()
    events = [event for event in watched.profiler.kineto_results.events() if event.name() == "[memory]"]
    alive = peak = 0
    for event in sorted(events, key=lambda event: event.start_ns()):
        alive += event.nbytes()
        peak = max(peak, alive)
    return peak


def _limits(ordered: Sequence[float]) -> tuple[float, float] | None:
    """The order statistics that enclose the median of the population (the sign test, inverted)."""
    n = len(ordered)
    below, outside = -1, 0.0
    while outside + 2 * math.comb(n, below + 1) / 2**n <= 0.05:
        below += 1
        outside += 2 * math.comb(n, below) / 2**n
    return None if below < 0 else (ordered[below], ordered[n - 1 - below])
