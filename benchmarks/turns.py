"""Compare two ways of doing something: in turns, pair by pair, and by the peak of their memory."""

from __future__ import annotations

import gc
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
    ratios = [one / other for one, other in zip(took[way], took[against], strict=True)]
    return _ratio(took[way], min(took[way]) / min(took[against]), ratios)


class Stopwatch:
    """Adds up the time that is spent in some methods.

    Args:
        now: What the time is read from.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self.seconds = 0.0

    def watch(self, owner: Any, *names: str) -> None:
        """Time an object's methods from now on; none of them may call another."""
        for name in names:
            setattr(owner, name, self._timed(getattr(owner, name)))

    def _timed(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*args: Any) -> Any:
            start = self._now()
            try:
                return method(*args)
            finally:
                self.seconds += self._now() - start

        return timed


def compare_within(run: Callable[[Stopwatch], Any], turns: int, now: Callable[[], float]) -> Ratio:
    """How much longer a run takes than it would without the methods that it has watched.

    Both times are of one run, so that they meet the same machine; what the methods cost the rest of the run,
    say in the processor's cache, is not seen.
    """
    took, ratios = [], []
    for turn in range(-1, turns):
        stopwatch = Stopwatch(now)
        start = now()
        run(stopwatch)
        if turn >= 0:
            took.append(now() - start)
            ratios.append(took[-1] / (took[-1] - stopwatch.seconds))
    return _ratio(took, ratios[took.index(min(took))], ratios)


def peak_of(run: Callable[[], Any], device: torch.device) -> int:
    """The most bytes of tensors that are alive at a time during a run, beyond those alive before it.

    On a CPU torch's profiler tells every allocation of a tensor; what a matrix library takes for itself is
    not among them, nor is what the allocator keeps.
    """
    gc.collect()
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


def _ratio(took: Sequence[float], fastest: float, ratios: Sequence[float]) -> Ratio:
    low, _, high = quantiles(ratios, n=4) if len(ratios) > 1 else (ratios[0],) * 3
    return Ratio(median(took), fastest, median(ratios), (low, high), _limits(sorted(ratios)))


def _limits(ordered: Sequence[float]) -> tuple[float, float] | None:
    """The order statistics that enclose the median of the population (the sign test, inverted)."""
    n = len(ordered)
    below, outside = -1, 0.0
    while outside + 2 * math.comb(n, below + 1) / 2**n <= 0.05:
        below += 1
        outside += 2 * math.comb(n, below) / 2**n
    return None if below < 0 else (ordered[below], ordered[n - 1 - below])
