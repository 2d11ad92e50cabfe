"""What the headers of safetensors files say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from lengthprobe.checkpoints.disk.headers import refuse_doubled, tensors_of
from lengthprobe.errors import ModelError

if TYPE_CHECKING:
    from pathlib import Path


def _saved(path: Path, value: float, name: str = "a") -> Path:
    save_file({name: np.full((2, 3), value, np.float32)}, path, metadata={"format": "pt"})
    return path


def test_tensors(tmp_path: Path) -> None:
    """A header says format, shape and place of each tensor, and its metadata is none."""
    file = _saved(tmp_path / "one", 1.5)
    ((name, tensor),) = tensors_of(file).items()
    assert (name, tensor.dtype, tensor.shape, tensor.elements) == ("a", "F32", (2, 3), 6)
    assert file.read_bytes()[tensor.start : tensor.end] == load_file(file)["a"].tobytes()


def test_tensor_with_two_values(tmp_path: Path) -> None:
    """A tensor with other values in another file is refused, and both files are named."""
    files = (_saved(tmp_path / "one", 1), _saved(tmp_path / "two", 2))
    with pytest.raises(ModelError, match=r"a stands in two files of .* with two values: one and two"):
        refuse_doubled(files)


def test_tensor_that_is_stored_twice(tmp_path: Path) -> None:
    """With the same value it is stored twice, and no matter."""
    refuse_doubled((_saved(tmp_path / "one", 1), _saved(tmp_path / "two", 1)))
    refuse_doubled((_saved(tmp_path / "one", 1), _saved(tmp_path / "two", 2, "b")))
