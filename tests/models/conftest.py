"""Checkpoints that answer, whole or damaged."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lengthprobe.models.loading import Checkpoint, load_checkpoint
from lengthprobe.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

CPU = Settings(device_map="cpu", cap=30)


@pytest.fixture(scope="session")
def llama(checkpoints: Callable[..., Path]) -> Checkpoint:
    """The random Llama."""
    return load_checkpoint(str(checkpoints("llama")), CPU)


@pytest.fixture
def own(checkpoints: Callable[..., Path]) -> Checkpoint:
    """A random Llama that a test may damage."""
    return load_checkpoint(str(checkpoints("llama")), CPU)


@pytest.fixture
def forward_hook(own: Checkpoint) -> Iterator[Callable[[Callable[..., object]], None]]:
    """Return a function that hooks the forward pass of `own`."""
    handles = []

    def hook(function: Callable[..., object]) -> None:
        handles.append(own.model.register_forward_hook(function))

    yield hook
    for handle in handles:
        handle.remove()
