"""The headers of safetensors files: names, shapes and places of the tensors."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lengthprobe.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_CHUNK = 1 << 24


@dataclass(frozen=True, slots=True)
class Stored:
    """A tensor in a file.

    Args:
        dtype: Its number format, as safetensors calls it.
        shape: Its shape.
        start: Its first byte in the file.
        end: The byte after its last.
    """

    dtype: str
    shape: tuple[int, ...]
    start: int
    end: int

    @property
    def elements(self) -> int:
        """The count of numbers in the tensor."""
        return math.prod(self.shape)


def tensors_of(file: Path) -> dict[str, Stored]:
    """The tensors of a safetensors file by name; the file is known to be whole."""
    with file.open("rb") as opened:
        length = int.from_bytes(opened.read(8), "little")
        header = json.loads(opened.read(length))
    start = 8 + length
    return {
        name: Stored(
            entry["dtype"],
            tuple(entry["shape"]),
            start + entry["data_offsets"][0],
            start + entry["data_offsets"][1],
        )
        for name, entry in header.items()
        if name != "__metadata__"
    }


def refuse_doubled(files: Sequence[Path]) -> None:
    """Check that two files do not hold a tensor with two values.

    transformers takes the value from the file with the last name, whatever the index says.

    Raises:
        ModelError: Two files hold two values of a tensor.
    """
    if len(files) < 2:
        return
    seen: dict[str, tuple[Path, Stored]] = {}
    for file in files:
        for name, tensor in tensors_of(file).items():
            if name in seen and not _same(*seen[name], file, tensor):
                first = seen[name][0].name
                raise ModelError(
                    f"{name} stands in two files of {file.parent} with two values: {first} and {file.name}",
                    "copy or download both again, if one of them is of another save; "
                    "or save the model again into an empty folder",
                )
            seen[name] = file, tensor


def _same(file: Path, tensor: Stored, other_file: Path, other: Stored) -> bool:
    if (tensor.dtype, tensor.shape) != (other.dtype, other.shape):
        return False
    with file.open("rb") as first, other_file.open("rb") as second:
        first.seek(tensor.start)
        second.seek(other.start)
        left = tensor.end - tensor.start
        while left > 0:
            size = min(left, _CHUNK)
            if first.read(size) != second.read(size):
                return False
            left -= size
    return True
