"""Where a checkpoint runs, and how many prompts go at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch

from lengthprobe.checkpoints import placement
from lengthprobe.checkpoints.disk.headers import tensors_of
from lengthprobe.checkpoints.files import locate
from lengthprobe.checkpoints.placement import (
    choose_batch_size,
    largest_batch,
    place,
    refuse_too_large,
    require_dtype,
)
from lengthprobe.errors import ModelError
from lengthprobe.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lengthprobe.checkpoints.files import Files

GIB = 1 << 30


@pytest.fixture
def files(checkpoints: Callable[..., Path]) -> Files:
    """The files of the random Llama."""
    return locate(str(checkpoints("llama")), Settings())


@pytest.fixture
def no_accelerator(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without a GPU."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


@pytest.mark.usefixtures("no_accelerator")
def test_cpu_where_there_is_no_accelerator(files: Files) -> None:
    """By itself, a machine without an accelerator computes in float32 on the CPU.

    It asks a small model 256 prompts at once, and one of the width of SmolLM2 100.
    """
    found = place(files, Settings())
    assert (found.device, found.dtype, found.spread) == (torch.device("cpu"), torch.float32, None)
    assert choose_batch_size(files, Settings(), found) == 256
    files.config.update(
        {"num_hidden_layers": 30, "hidden_size": 576, "intermediate_size": 1536, "head_dim": 64}
    )
    assert choose_batch_size(files, Settings(), found) == 100


@pytest.mark.usefixtures("no_accelerator")
@pytest.mark.parametrize(("method", "dtype"), [("torchao", None), ("compressed-tensors", torch.float32)])
def test_weights_of_one_format(files: Files, method: str, dtype: torch.dtype | None) -> None:
    """Weights of torchao compute in the format that they were saved in alone, and keep that on a CPU."""
    files.config.quantization_config = {"quant_method": method}
    assert place(files, Settings()).dtype == dtype
    assert place(files, Settings(dtype="float16")).dtype == torch.float16


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an accelerator")
def test_accelerator_where_there_is_one(files: Files) -> None:
    """By itself, a machine with an accelerator computes there in the checkpoint's own format."""
    found = place(files, Settings())
    assert (found.device, found.dtype, found.spread) == (torch.device("cuda", 0), None, None)
    assert choose_batch_size(files, Settings(), found) == 512


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_dtype_as_asked(files: Files, dtype: str) -> None:
    """A number format that is asked for is taken."""
    assert place(files, Settings(device_map="cpu", dtype=dtype)).dtype == getattr(torch, dtype)


def test_batch_size_as_asked(files: Files) -> None:
    """A batch size that is asked for is taken."""
    settings = Settings(device_map="cpu", batch_size=7)
    assert choose_batch_size(files, settings, place(files, settings)) == 7


@pytest.mark.parametrize("device", ["cuda:99", "no-such-device", "xpu"])
def test_device_that_is_not_there(files: Files, device: str) -> None:
    """A device that the machine lacks is named, with the option that chooses another."""
    with pytest.raises(ModelError, match=f"device '{device}' is not to be had") as raised:
        place(files, Settings(device_map=device))
    assert "--lengthprobe-device-map=auto" in raised.value.fix


def test_dtype_that_the_device_lacks() -> None:
    """A number format in which the device cannot compute is named, with the option that chooses another."""
    # No CPU multiplies matrices of this one, and every build of torch can make them.
    with pytest.raises(ModelError, match="device cpu cannot compute in float8_e4m3fn") as raised:
        require_dtype(torch.device("cpu"), torch.float8_e4m3fn)
    assert raised.value.fix == "--lengthprobe-dtype=float32"


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 MiB"),
        RuntimeError("CUDA error: out of memory"),
        MemoryError(),
    ],
    ids=["torch", "driver", "host"],
)
@pytest.mark.parametrize("asked", ["auto", "cpu"])
@pytest.mark.usefixtures("no_accelerator")
def test_device_that_is_full(
    files: Files, monkeypatch: pytest.MonkeyPatch, asked: str, error: Exception
) -> None:
    """A full device is not taken for one that is missing, nor for one that lacks the number format."""

    def full(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(torch, "ones", full)
    with pytest.raises(ModelError, match="device cpu is out of memory before anything is loaded") as raised:
        place(files, Settings(device_map=asked))
    assert "--lengthprobe-device-map" in raised.value.fix


def test_spreading_without_accelerate(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    """Spreading over devices without accelerate is answered with the command that installs it."""
    monkeypatch.setattr(placement, "find_spec", lambda _name: None)
    with pytest.raises(ModelError, match="accelerate is not installed") as raised:
        place(files, Settings(device_map="balanced"))
    assert "pip install accelerate" in raised.value.fix


def test_largest_batch(files: Files) -> None:
    """The batch is the largest power of two that fits beside the weights, between 1 and 512."""
    # 3 layers of width 32, 2 key-value heads of width 8, MLP 64, vocabulary V, float32, 356 tokens a prompt:
    # cache 2·3·2·8·4·356 + activations 356·(8·32 + 3·64)·4 + logits 12·V bytes.
    row = 136_704 + 637_952 + 12 * files.config.vocab_size
    for rows, expected in ((0.5, 1), (1.1, 1), (4.1, 4), (7.9, 4), (8.1, 8), (1000, 512)):
        memory = int((files.weight_bytes + rows * row) / 0.85)
        assert largest_batch(files, Settings(), torch.float32, memory) == expected


def test_larger_cap_makes_smaller_batches(files: Files) -> None:
    """A larger cap or a longer system prompt leaves room for fewer prompts."""
    memory = 40_000_000
    sizes = [
        largest_batch(files, settings, torch.float32, memory)
        for settings in (Settings(), Settings(cap=1000), Settings(system_prompt="x" * 4000))
    ]
    # 356, 1256 and 2356 tokens a prompt.
    assert sizes == [32, 8, 4]


@pytest.mark.usefixtures("no_accelerator")
def test_weights_larger_than_the_memory_are_refused(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is loaded, by name; in bfloat16 the same weights take half of the memory."""
    needed = sum(4 * tensor.elements for tensor in tensors_of(files.weights[0]).values())
    monkeypatch.setattr(placement, "available_memory", lambda: needed - 1)

    with pytest.raises(ModelError, match="does not fit: its weights take") as raised:
        refuse_too_large(files, place(files, Settings()))

    assert files.source.name in raised.value.problem
    assert raised.value.fix.startswith("--lengthprobe-dtype=bfloat16, fewer workers")
    refuse_too_large(files, place(files, Settings(dtype="bfloat16")))
    monkeypatch.setattr(placement, "available_memory", lambda: needed)
    refuse_too_large(files, place(files, Settings()))
