"""Checkpoints as GGUF files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fixtures.gguf_files import write_gguf
from lengthprobe.checkpoints.catalog import FIXTURE_FOLDERS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Any


@pytest.fixture
def gguf_of(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes a fixture model as a GGUF file, and returns the file.

    It takes how matrices are stored, the file's name, and what else `write_gguf` takes.
    """

    def written(kind: str = "Q8_0", name: str = "model.gguf", *, of: str = "tiny-it", **more: Any) -> Path:
        return write_gguf(FIXTURE_FOLDERS[-1] / of, tmp_path / name, kind, **more)

    return written
