"""Checkpoints that answer, whole or damaged."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fixtures.gguf_files import write_gguf
from lengthprobe.checkpoints.catalog import FIXTURE_FOLDERS
from lengthprobe.checkpoints.loading import Checkpoint, load_checkpoint
from lengthprobe.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import Any

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


@pytest.fixture
def gguf_of(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes a fixture model as a GGUF file, and returns the file.

    It takes how matrices are stored, the file's name, and what else `write_gguf` takes.
    """

    def written(kind: str = "Q8_0", name: str = "model.gguf", *, of: str = "tiny-it", **more: Any) -> Path:
        return write_gguf(FIXTURE_FOLDERS[-1] / of, tmp_path / name, kind, **more)

    return written
