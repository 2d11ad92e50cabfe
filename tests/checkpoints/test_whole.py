"""Quantized weights that do not fit the model are told as quantized."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from lengthprobe.checkpoints.loading import load_checkpoint
from lengthprobe.checkpoints.whole import check_complete
from lengthprobe.errors import ModelError
from lengthprobe.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CPU = Settings(device_map="cpu")
LAYER = "model.layers.0.mlp.up_proj"


@pytest.mark.parametrize(
    ("parts", "method"),
    [
        ({"weight_packed": torch.int32, "weight_scale": torch.float16}, "compressed-tensors"),
        ({"qweight": torch.int32, "qzeros": torch.int32, "scales": torch.float16}, "GPTQ or AWQ"),
        ({"_weight_qdata": torch.int8, "_weight_scale": torch.float32}, "torchao"),
        ({"W_q": torch.uint8, "scale": torch.float16}, "HQQ"),
        ({"weight._data": torch.int8, "weight._scale": torch.float16}, "quanto"),
    ],
)
def test_quantized_and_not_said(
    copy_of: Callable[..., Path], parts: dict[str, torch.dtype], method: str
) -> None:
    """Tensors named as a library names them, and a config that says nothing of it: the method is told."""
    directory = copy_of()
    file = directory / "model.safetensors"
    tensors = load_file(file)
    del tensors[f"{LAYER}.weight"]
    tensors |= {f"{LAYER}.{name}": torch.zeros(4, 4, dtype=dtype) for name, dtype in parts.items()}
    save_file(tensors, file, metadata={"format": "pt"})
    with pytest.raises(ModelError) as raised:
        load_checkpoint(str(directory), CPU)
    assert f"quantized as {method} stores them ({LAYER}.{next(iter(parts))})" in raised.value.problem
    assert "names no quantization method" in raised.value.problem
    assert "name the unquantized checkpoint" in raised.value.fix


def test_not_whole_and_not_quantized(copy_of: Callable[..., Path]) -> None:
    """A tensor that is missing, and none that a library of quantization would store in its place."""
    directory = copy_of()
    file = directory / "model.safetensors"
    tensors = load_file(file)
    del tensors[f"{LAYER}.weight"]
    save_file(tensors, file, metadata={"format": "pt"})
    with pytest.raises(ModelError, match=f"is not whole: the weights lack {LAYER}.weight"):
        load_checkpoint(str(directory), CPU)


@pytest.mark.parametrize(
    ("kind", "what"),
    [
        ("missing_keys", "the weights lack"),
        ("mismatched_keys", "the weights have another shape than config.json says for"),
    ],
)
def test_quantized_as_the_library_does_not_read_it(
    copy_of: Callable[..., Path], kind: str, what: str
) -> None:
    """Where a library makes other tensors of a config than were saved, it is named with its version."""
    checkpoint: Any = load_checkpoint(str(copy_of()), CPU)
    checkpoint.files.config.quantization_config = {"quant_method": "hqq", "quant_config": {}}
    with pytest.raises(ModelError) as raised:
        check_complete(checkpoint.files, {kind: {f"{LAYER}.weight"}})
    assert "is quantized (hqq), and transformers 5." in raised.value.problem
    assert raised.value.problem.endswith(f"cannot read it: {what} {LAYER}.weight")
    assert "install the versions that it was saved with" in raised.value.fix


def test_plain_weights_of_a_quantized_config(copy_of: Callable[..., Path]) -> None:
    """fp8 in a config and plain weights is told as before: which of the two is wrong."""
    directory = copy_of()
    path = directory / "config.json"
    path.write_text(
        json.dumps(json.loads(path.read_text()) | {"quantization_config": {"quant_method": "fp8"}})
    )
    with pytest.raises(ModelError, match="the weights are not quantized"):
        load_checkpoint(str(directory), CPU)
