"""A checkpoint by name: located, placed and loaded when it is first wanted, and once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from lengthprobe.checkpoints import files, loading, placement
from lengthprobe.checkpoints.held import Held
from lengthprobe.errors import LengthprobeError, ModelError
from lengthprobe.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is done with the checkpoint while the test runs."""
    told: list[str] = []

    def counted(module: Any, name: str) -> None:
        function = getattr(module, name)

        def call(*given: Any) -> Any:
            told.append(name)
            return function(*given)

        monkeypatch.setattr(module, name, call)

    counted(files, "locate")
    counted(placement, "place")
    counted(loading, "load_checkpoint")
    return told


@pytest.fixture
def name(checkpoints: Callable[..., Path]) -> str:
    """The random Llama's directory."""
    return str(checkpoints("llama"))


def test_nothing_is_done_before_it_is_wanted(name: str, calls: list[str]) -> None:
    """A name costs nothing until something of the checkpoint is asked for."""
    Held(name, Settings())
    assert calls == []


def test_everything_is_done_once(name: str, calls: list[str]) -> None:
    """Files are located, the checkpoint is loaded and the device chosen, each at the first question."""
    held = Held(name, Settings(device_map="cpu"))
    assert held.checkpoint is held.checkpoint
    assert held.checkpoint.files is held.files
    assert (calls.count("locate"), calls.count("load_checkpoint")) == (1, 1)


def test_batch_size_needs_no_weights(name: str, calls: list[str]) -> None:
    """The batch size is known without the weights being read."""
    held = Held(name, Settings(device_map="cpu", batch_size=7))
    assert (held.batch_size, held.batch_size) == (7, 7)
    assert calls == ["locate", "place"]


def test_failure_is_remembered(calls: list[str]) -> None:
    """What failed once is not tried again, whatever is asked for next."""
    held = Held("lama", Settings())
    for wanted in ("checkpoint", "files", "batch_size"):
        with pytest.raises(ModelError, match="no model is known"):
            getattr(held, wanted)
    assert calls == ["locate"]


def test_once_gives_what_is_made(name: str) -> None:
    """What is made is given; it is not remembered."""
    held = Held(name, Settings())
    numbers = iter([1, 2])
    assert [held.once(lambda: next(numbers)) for _ in range(2)] == [1, 2]


def test_once_fails_ever_after(name: str) -> None:
    """The first failure is everybody's: nothing is made after it."""
    held = Held(name, Settings())

    def fail() -> None:
        raise ModelError("it broke", "mend it")

    for make in (fail, lambda: pytest.fail("was made")):
        with pytest.raises(ModelError, match="it broke"):
            held.once(make)
    with pytest.raises(LengthprobeError, match="it broke"):
        _ = held.checkpoint


def test_other_errors_are_not_remembered(name: str) -> None:
    """An interrupt or a defect of ours says nothing of the checkpoint."""
    held = Held(name, Settings())

    def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        held.once(interrupt)
    assert held.once(lambda: 1) == 1
