"""Workers that share a checkpoint's work through a directory: one measures a batch, and all read it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from lengthprobe import load
from lengthprobe.attribution.trace import Contributions
from lengthprobe.measures import cwa, number_swap
from lengthprobe.plugin.workers import SharedDirectory
from lengthprobe.probe import Probe
from lengthprobe.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

SMALL: dict[str, Any] = {"device_map": "cpu", "budget": 12, "batch_size": 3, "cap": 40}


class _Worker:
    """An exchange that notes what this worker makes, and waits with its first for the other's first."""

    def __init__(self, directory: Path, barrier: Barrier) -> None:
        self._exchange = SharedDirectory(directory)
        self._barrier = barrier
        self.waits = False
        self.made: list[str] = []

    def gather(self, keys: Sequence[str], make: Callable[[str], bytes]) -> Mapping[str, bytes]:
        """As `SharedDirectory.gather`."""

        def noted(key: str) -> bytes:
            if self.waits:
                self.waits = False
                self._barrier.wait(timeout=60)
            self.made.append(key)
            return make(key)

        return self._exchange.gather(keys, noted)

    def has(self, key: str) -> bool:
        """As `SharedDirectory.has`."""
        return self._exchange.has(key)

    def smallest(self, key: str, number: int | None) -> int | None:
        """As `SharedDirectory.smallest`."""
        return self._exchange.smallest(key, number)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Probe], list[_Worker]]:
    """Two workers that have asked the fixture model together, each some of the batches."""
    directory, barrier = tmp_path_factory.mktemp("exchange"), Barrier(2)
    workers = [_Worker(directory, barrier) for _ in range(2)]
    probes = [Probe("tiny-it", Settings(**SMALL), exchange=worker) for worker in workers]
    for probe, worker in zip(probes, workers, strict=True):
        _ = probe.proof, probe.checkpoint
        worker.waits = True
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda probe: probe.prepare(traces=True), probes))
    return probes, workers


def test_each_batch_is_made_once(shared: tuple[list[Probe], list[_Worker]]) -> None:
    """Both made some, neither what the other had made; the components were proved by one of them."""
    _, (one, other) = shared
    assert one.made
    assert other.made
    # The proof, and two languages of 12 prompts in batches of 3.
    assert len({*one.made, *other.made}) == len(one.made) + len(other.made) == 1 + 2 * 4


@pytest.mark.parametrize("language", ["en", "it"])
def test_attributions_are_those_of_one_process(
    shared: tuple[list[Probe], list[_Worker]], language: str
) -> None:
    """Both have the same numbers, which are those of a process that measures alone."""
    (one, other), _ = shared
    alone = load("tiny-it", **SMALL).traces(language)
    for found, same, wanted in zip(one.traces(language), other.traces(language), alone, strict=True):
        assert found.response == same.response == wanted.response
        assert found.adherence == same.adherence == wanted.adherence
        for target in ("token", "stop"):
            for name in Contributions.names():
                arrays = [getattr(getattr(each.trace, target), name) for each in (found, same, wanted)]
                assert np.array_equal(arrays[0], arrays[1])
                assert arrays[0] == pytest.approx(arrays[2], rel=1e-4, abs=1e-4)


def test_measures_are_those_of_one_process(shared: tuple[list[Probe], list[_Worker]]) -> None:
    """So are the measures that force texts."""
    (one, other), _ = shared
    alone = load("tiny-it", **SMALL)
    for measure in (cwa, number_swap):
        found, same, wanted = (
            measure(probe, component="late heads", language="en").mean for probe in (one, other, alone)
        )
        assert found == same == pytest.approx(wanted, rel=1e-4)
