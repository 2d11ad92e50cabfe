"""The header of a GGUF file: model, tokenizer and tensors, and whether the file is whole."""

from __future__ import annotations

import math
import mmap
import struct
from collections import Counter
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from lengthprobe.checkpoints.disk.weights import download_again, unreadable_file
from lengthprobe.checkpoints.gguf.types import check_types
from lengthprobe.errors import ModelError, reason

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_MAGIC = b"GGUF"
_VERSIONS = (2, 3)
_ALIGNMENT = 32
# The values of a fixed size, by the number of their type.
_FIXED = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_STRING, _ARRAY = 8, 9
_MOST_DIMENSIONS = 8
# How tensors are stored that are not quantized.
PLAIN = ("F64", "F32", "F16", "BF16")
# The way out wherever a file says what cannot be read from it rightly.
ANOTHER = "judge the checkpoint that it was converted from (config.json, *.safetensors, tokenizer.json)"


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor in a GGUF file.

    Args:
        name: The name in llama.cpp.
        shape: The shape, rows first, as in torch.
        kind: The storage format (`Q4_K`, `F32`, …).
        start: The first byte in the file.
        size: The number of bytes.
    """

    name: str
    shape: tuple[int, ...]
    kind: str
    start: int
    size: int

    @property
    def elements(self) -> int:
        """The count of numbers in the tensor."""
        return math.prod(self.shape)


@dataclass(frozen=True, slots=True)
class Gguf:
    """A whole GGUF file.

    Args:
        path: The file.
        metadata: The values of the header, by key.
        tensors: Its tensors, in their order.
        spans: The bytes of each entry of the metadata, by key.
        table: The bytes of the table of tensors.
    """

    path: Path
    metadata: dict[str, Any]
    tensors: tuple[Tensor, ...]
    spans: dict[str, tuple[int, int]]
    table: tuple[int, int]

    @property
    def architecture(self) -> str:
        """The architecture named in the header, empty without a name."""
        named = self.metadata.get("general.architecture")
        return named if isinstance(named, str) else ""

    def stated(self, key: str) -> Any:
        """The value under a key of the architecture, or None."""
        return self.metadata.get(f"{self.architecture}.{key}")

    @property
    def elements(self) -> int:
        """The count of numbers in all tensors."""
        return sum(tensor.elements for tensor in self.tensors)

    @property
    def kinds(self) -> Counter[str]:
        """The number of tensors in each storage format."""
        return Counter(tensor.kind for tensor in self.tensors)

    @property
    def is_quantized(self) -> bool:
        """Whether any of its tensors is."""
        return any(kind not in PLAIN for kind in self.kinds)

    def told(self) -> str:
        """The storage formats of the weights, in words."""
        phrases = (f"{kind} {count}" for kind, count in self.kinds.most_common())
        first, *rest = phrases
        return f"GGUF{self._named_type()} ({', '.join([f'{first} tensors', *rest])})"

    def _named_type(self) -> str:
        """The name of the mixture of formats in llama.cpp, after a space."""
        from gguf import LlamaFileType

        number: Any = self.metadata.get("general.file_type")
        try:
            named = LlamaFileType(number).name
        except ValueError:
            return ""
        return f" {named.removeprefix('MOSTLY_').removeprefix('ALL_')}"


def require_gguf(path: Path) -> None:
    """Check that the libraries are installed with which transformers reads a GGUF file.

    Raises:
        ModelError: A library is missing; the message has the command to install both.
    """
    missing = [name for name in ("gguf", "accelerate") if find_spec(name) is None]
    if missing:
        raise ModelError(
            f"{path} is a GGUF file, and {' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not "
            "installed",
            "pip install 'lengthprobe[gguf]'",
        )


def read_gguf(path: Path) -> Gguf:
    """The header of a GGUF file, checked: all tensors are there.

    Raises:
        ModelError: The file is no GGUF file, has an unknown version, is cut short, or has a value of a wrong
            type; or the library gguf, which knows the sizes of the formats, is not installed.
    """
    try:
        with path.open("rb") as opened:
            start = opened.read(24)
            _refuse_other_files(path, start)
            with mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as content:
                return _read(path, content)
    except OSError as error:
        raise unreadable_file(path, error) from error
    # A header that leads beyond the end of the file, or that somebody made up.
    except (struct.error, IndexError, ValueError, OverflowError, RecursionError, MemoryError) as error:
        raise _cut_short(path, reason(error)) from error


def _refuse_other_files(path: Path, start: bytes) -> None:
    if start == b"version https://git-lfs.":
        raise ModelError(f"{path} is a git-lfs pointer, not the weights", "git lfs pull")
    if start[:4] != _MAGIC:
        raise ModelError(
            f"{path} is no GGUF file: it begins with {start[:4]!r}, and not with {_MAGIC!r}",
            f"{download_again(path)}, or name the checkpoint's folder",
        )
    if len(start) < 24:
        raise _cut_short(path, "it ends within its first line")
    version = int.from_bytes(start[4:8], "little")
    if version not in _VERSIONS:
        swapped = int.from_bytes(start[4:8], "big") in _VERSIONS
        raise ModelError(
            f"{path} is a GGUF file "
            + ("for big-endian machines" if swapped else f"of version {version}")
            + f", and versions {_VERSIONS[0]} and {_VERSIONS[1]} are read",
            "convert the checkpoint anew with today's llama.cpp (convert_hf_to_gguf.py)",
        )


def _cut_short(path: Path, said: str) -> ModelError:
    return ModelError(
        f"{path} ({path.stat().st_size:,} bytes) is cut short or corrupt: {said}", download_again(path)
    )


class _Cursor:
    """A place in a file, moving on as values are read."""

    def __init__(self, content: mmap.mmap, at: int) -> None:
        self.content = content
        self.at = at

    def fixed(self, form: str) -> Any:
        """The next value of a fixed size."""
        (value,) = struct.unpack_from(f"<{form}", self.content, self.at)
        self.at += struct.calcsize(f"<{form}")
        return value

    def text(self) -> str:
        """The next text."""
        length = self.fixed("Q")
        self.skip(length)
        return self.content[self.at - length : self.at].decode(errors="replace")

    def skip(self, count: int) -> None:
        """Move on.

        Raises:
            ValueError: The file has not so many bytes.
        """
        if count > len(self.content) - self.at:
            raise ValueError(
                f"a value of {count:,} bytes begins {len(self.content) - self.at:,} before its end"
            )
        self.at += count

    def value(self, kind: int, depth: int = 0) -> Any:
        """The next value of a kind."""
        if kind in _FIXED:
            return self.fixed(_FIXED[kind])
        if kind == _STRING:
            return self.text()
        if kind != _ARRAY or depth > 2:
            raise ValueError(f"there is no kind {kind} of a value")
        inner, count = self.fixed("I"), self.fixed("Q")
        if inner not in _FIXED:
            # Each takes some bytes, so that the file's end is soon found.
            return [self.value(inner, depth + 1) for _ in range(count)]
        self.skip(count * struct.calcsize(f"<{_FIXED[inner]}"))
        size = struct.calcsize(f"<{_FIXED[inner]}")
        return list(struct.unpack_from(f"<{count}{_FIXED[inner]}", self.content, self.at - count * size))


def _read(path: Path, content: mmap.mmap) -> Gguf:
    cursor = _Cursor(content, 8)
    n_tensors, n_entries = cursor.fixed("Q"), cursor.fixed("Q")
    metadata: dict[str, Any] = {}
    spans: dict[str, tuple[int, int]] = {}
    for _ in range(n_entries):
        start = cursor.at
        key = cursor.text()
        if key in metadata:
            raise ValueError(f"it says twice what {key} is")
        metadata[key] = cursor.value(cursor.fixed("I"))
        spans[key] = start, cursor.at
    table = cursor.at
    listed = list(_table(cursor, n_tensors))
    check_types(path, metadata, ANOTHER)
    align = metadata.get("general.alignment", _ALIGNMENT)
    if align < 1:
        raise ValueError(f"general.alignment is {align!r}")
    first = -(-cursor.at // align) * align
    if not _is_split(metadata) and not listed:
        raise ModelError(f"{path} holds no tensor", download_again(path))
    require_gguf(path)
    tensors = tuple(_sized(path, *entry, first) for entry in listed)
    end = max((tensor.start + tensor.size for tensor in tensors), default=0)
    if end > len(content):
        raise ValueError(f"its tensors go to byte {end:,}")
    doubled = [name for name, count in Counter(tensor.name for tensor in tensors).items() if count > 1]
    if doubled:
        raise ValueError(f"the tensor {doubled[0]} stands in it twice")
    return Gguf(path, metadata, tensors, spans, (table, cursor.at))


def _is_split(metadata: dict[str, Any]) -> bool:
    return bool(metadata.get("split.count"))


def _table(cursor: _Cursor, count: int) -> Iterator[tuple[str, tuple[int, ...], int, int]]:
    """Name, shape, number of the format and offset of each tensor."""
    for _ in range(count):
        name, dimensions = cursor.text(), cursor.fixed("I")
        if not 0 < dimensions <= _MOST_DIMENSIONS:
            raise ValueError(f"the tensor {name} has {dimensions} dimensions")
        shape = [cursor.fixed("Q") for _ in range(dimensions)]
        yield name, tuple(reversed(shape)), cursor.fixed("I"), cursor.fixed("Q")


def _sized(path: Path, name: str, shape: tuple[int, ...], number: int, offset: int, first: int) -> Tensor:
    from gguf import GGML_QUANT_SIZES, GGMLQuantizationType

    try:
        kind = GGMLQuantizationType(number)
    except ValueError:
        raise ModelError(
            f"{path} stores {name} in format {number}, which the installed gguf does not know",
            f"pip install --upgrade gguf; if that does not help: {download_again(path)}",
        ) from None
    elements, size = GGML_QUANT_SIZES[kind]
    if shape[-1] % elements:
        raise ValueError(
            f"the tensor {name} has rows of {shape[-1]}, and {kind.name} stores {elements} together"
        )
    count = 1
    for length in shape:
        count *= length
    return Tensor(name, shape, kind.name, first + offset, count // elements * size)
