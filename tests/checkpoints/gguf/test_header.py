"""The header of a GGUF file, whole or not."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import gguf
import pytest

from lengthprobe.checkpoints.gguf import header as gguf_header
from lengthprobe.checkpoints.gguf.header import read_gguf, require_gguf
from lengthprobe.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def test_says_what_the_file_holds(gguf_of: Callable[..., Path]) -> None:
    """Architecture, tokens and tensors are those that were written, each tensor at its place."""
    path = gguf_of("Q8_0")
    found = read_gguf(path)
    written = gguf.GGUFReader(path)

    assert (found.architecture, found.stated("block_count")) == ("llama", 5)
    assert found.metadata["tokenizer.ggml.tokens"][2] == "<|eot_id|>"
    assert [(one.name, one.start, one.size, one.kind, one.elements) for one in found.tensors] == [
        (one.name, one.data_offset, one.n_bytes, one.tensor_type.name, one.n_elements)
        for one in written.tensors
    ]
    assert [one.shape for one in found.tensors] == [
        tuple(map(int, one.shape[::-1])) for one in written.tensors
    ]


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("F32", "GGUF F32 (F32 48 tensors)"),
        ("F16", "GGUF F16 (F16 37 tensors, F32 11)"),
        ("Q8_0", "GGUF Q8_0 (Q8_0 37 tensors, F32 11)"),
        ("Q4_0", "GGUF Q4_0 (Q4_0 37 tensors, F32 11)"),
    ],
)
def test_tells_what_was_quantized(gguf_of: Callable[..., Path], kind: str, told: str) -> None:
    """The mixture by its name, and how many tensors are stored in which format."""
    found = read_gguf(gguf_of(kind))

    assert found.told() == told
    assert found.is_quantized == kind.startswith("Q")


def test_mixture_without_a_name(gguf_of: Callable[..., Path]) -> None:
    """A number that nobody knows is no name."""
    assert read_gguf(gguf_of("Q8_0", said={"general.file_type": 9999})).told().startswith("GGUF (Q8_0 37")


@pytest.mark.parametrize("share", [0.0, 0.0001, 0.001, 0.01, 0.05, 0.3, 0.9, 0.9999])
def test_cut_short(gguf_of: Callable[..., Path], share: float) -> None:
    """A file that ends too early is refused wherever it ends, and the message names the file."""
    path = gguf_of("Q8_0")
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])

    with pytest.raises(ModelError, match=r"cut short|no GGUF file") as raised:
        read_gguf(path)
    assert str(path) in raised.value.problem
    assert "model.gguf again" in raised.value.fix


def test_hostile_headers(gguf_of: Callable[..., Path]) -> None:
    """Bytes that somebody made up end in an error of ours, in no other, and take no memory."""
    path = gguf_of("Q8_0")
    content = path.read_bytes()
    draw = random.Random(0)
    for _ in range(300):
        changed = bytearray(content)
        for _ in range(3):
            at = draw.randrange(4, 4000)
            changed[at : at + 8] = draw.choice([b"\xff" * 8, bytes(8), draw.randbytes(8)])
        path.write_bytes(changed)
        try:
            read_gguf(path)
        except ModelError as error:
            assert str(path) in error.problem  # noqa: PT017  (some changes harm nothing)


@pytest.mark.parametrize(
    ("content", "what", "fix"),
    [
        (b"", "no GGUF file", "again"),
        (b"PK\x03\x04" + bytes(60), "begins with", "again"),
        (b"version https://git-lfs.github.com/spec/v1\n" + bytes(60), "git-lfs pointer", "git lfs pull"),
        (b"GGUF\x01\0\0\0" + bytes(60), "of version 1", "llama.cpp"),
        (b"GGUF\0\0\0\x03" + bytes(60), "big-endian", "llama.cpp"),
        (b"GGUF\x03\0\0\0" + bytes(60), "holds no tensor", "again"),
    ],
)
def test_no_gguf(tmp_path: Path, content: bytes, what: str, fix: str) -> None:
    """What is no GGUF file, or none that is read, is told by its first bytes."""
    path = tmp_path / "model.gguf"
    path.write_bytes(content)

    with pytest.raises(ModelError, match=what) as raised:
        read_gguf(path)
    assert str(path) in raised.value.problem
    assert fix in raised.value.fix


def test_without_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a library is missing, the message has the command that installs it."""
    monkeypatch.setattr(gguf_header, "find_spec", lambda name: None if name == "gguf" else object())

    with pytest.raises(ModelError, match="gguf is not installed") as raised:
        require_gguf(tmp_path / "model.gguf")
    assert raised.value.fix == "pip install 'lengthprobe[gguf]'"
