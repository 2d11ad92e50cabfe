"""Traces are taken apart into named arrays, and put together again."""

from __future__ import annotations

import subprocess
import sys

import numpy as np

from lengthprobe.attribution.trace import Contributions, Trace


def _contributions(first: float) -> Contributions:
    """Two steps of one layer of three heads, every array with numbers of its own."""
    numbers = iter(first + 100 * np.arange(5, dtype=np.float32))
    return Contributions(
        *(np.full(shape, next(numbers), np.float32) for shape in ((2, 1, 3), (2, 1), (2,), (2,), (2,)))
    )


def test_names() -> None:
    """The arrays of contributions, in order."""
    assert Contributions.names() == ("heads", "mlps", "embedding", "biases", "logits")


def test_contributions_as_arrays() -> None:
    """Each array stands under its name, after a prefix; nothing is copied."""
    given = _contributions(1)
    arrays = given.as_arrays("0.")
    assert sorted(arrays) == ["0.biases", "0.embedding", "0.heads", "0.logits", "0.mlps"]
    made = Contributions.from_arrays(arrays, "0.")
    assert all(getattr(made, name) is getattr(given, name) for name in Contributions.names())


def test_trace_as_arrays() -> None:
    """Both targets of several traces stand in one mapping, and none is taken for another."""
    given = [Trace(_contributions(at), _contributions(10 + at)) for at in range(12)]
    arrays = {name: array for at, one in enumerate(given) for name, array in one.as_arrays(f"{at}.").items()}
    assert len(arrays) == 12 * 2 * 5
    for at, one in enumerate(given):
        made = Trace.from_arrays(arrays, f"{at}.")
        for target in ("token", "stop"):
            for name in Contributions.names():
                assert getattr(getattr(made, target), name) is getattr(getattr(one, target), name)


def test_needs_no_torch() -> None:
    """A trace can be read where torch is not loaded."""
    told = "import sys, lengthprobe.attribution.trace; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", told], check=False).returncode == 0
