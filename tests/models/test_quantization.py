"""What a config says about quantization."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from lengthprobe.errors import ModelError
from lengthprobe.models.loading import load_checkpoint
from lengthprobe.models.quantization import refuse_unquantized
from lengthprobe.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CPU = Settings(device_map="cpu")


def _state(directory: Path, stated: dict[str, Any]) -> None:
    path = directory / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"quantization_config": stated}))


@pytest.mark.parametrize(
    ("stated", "message"),
    [
        ({"quant_method": "mystery", "bits": 4}, "names the method 'mystery'"),
        ({"bits": 4}, "names no quant_method"),
        ({"quant_method": 4}, "names the method 4"),
    ],
)
def test_unknown_method(copy_of: Callable[..., Path], stated: dict[str, Any], message: str) -> None:
    """A method that transformers passes over is refused with its key; without the key the model loads."""
    directory = copy_of()
    before = (directory / "config.json").read_text()
    _state(directory, stated)
    with pytest.raises(ModelError, match=rf"quantization_config in .*config.json {message}") as raised:
        load_checkpoint(str(directory), CPU)
    assert "remove quantization_config from config.json" in raised.value.fix
    (directory / "config.json").write_text(before)
    load_checkpoint(str(directory), CPU)


def test_method_without_quantized_weights(copy_of: Callable[..., Path]) -> None:
    """A method that the weights know nothing of is refused with its key."""
    directory = copy_of()
    _state(directory, {"quant_method": "fp8"})
    with pytest.raises(
        ModelError, match=r"names the method 'fp8', and the weights are not quantized \(F32\)"
    ):
        load_checkpoint(str(directory), CPU)


def test_method_with_quantized_weights(copy_of: Callable[..., Path]) -> None:
    """One tensor in the method's format says that the weights are quantized."""
    directory = copy_of()
    file = directory / "model.safetensors"
    tensors = load_file(file)
    tensors["model.layers.0.mlp.up_proj.weight"] = tensors["model.layers.0.mlp.up_proj.weight"].to(
        torch.float8_e4m3fn
    )
    save_file(tensors, file)
    config = load_checkpoint(str(copy_of(name="other")), CPU).files.config
    config.quantization_config = {"quant_method": "fp8"}
    refuse_unquantized(directory / "config.json", config, [file])
