"""The memory that the weights of a checkpoint take, told by the files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch
from safetensors.torch import save_file

from lengthprobe.checkpoints.footprint import weight_memory
from lengthprobe.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping


def _checkpoint(folder: Path, tensors: Mapping[str, torch.Tensor], **config: object) -> str:
    """A folder with weights and a config."""
    save_file(dict(tensors), folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(config))
    return str(folder)


@pytest.mark.parametrize(
    ("dtype", "on_cpu", "size"),
    [("auto", False, 200), ("auto", True, 400), ("bfloat16", True, 200), ("float32", False, 400)],
)
def test_numbers_have_the_size_of_the_wanted_format(
    tmp_path: Path, dtype: str, on_cpu: bool, size: int
) -> None:
    """100 numbers in bfloat16: 2 bytes each on a GPU, and by default 4 on a CPU."""
    name = _checkpoint(tmp_path, {"weight": torch.zeros(10, 10, dtype=torch.bfloat16)})

    assert weight_memory(name, Settings(dtype=dtype), on_cpu=on_cpu) == size


def test_quantized_numbers_stay_as_they_are(tmp_path: Path) -> None:
    """100 bytes, and 10 scales of 4 bytes on a CPU."""
    tensors = {"packed": torch.zeros(100, dtype=torch.uint8), "scale": torch.zeros(10, dtype=torch.bfloat16)}

    assert weight_memory(_checkpoint(tmp_path, tensors), Settings(), on_cpu=True) == 140


def test_weights_of_torchao_keep_their_format(tmp_path: Path) -> None:
    """On a CPU too."""
    tensors = {"weight": torch.zeros(100, dtype=torch.bfloat16)}
    name = _checkpoint(tmp_path, tensors, quantization_config={"quant_method": "torchao"})

    assert weight_memory(name, Settings(), on_cpu=True) == 200


def test_pickled_weights_are_as_large_as_their_file(tmp_path: Path) -> None:
    """In the format that the config states."""
    (tmp_path / "pytorch_model.bin").write_bytes(bytes(100))
    (tmp_path / "config.json").write_text(json.dumps({"torch_dtype": "bfloat16"}))

    assert weight_memory(str(tmp_path), Settings(allow_pickle=True), on_cpu=True) == 200
    assert weight_memory(str(tmp_path), Settings(), on_cpu=True) is None


def test_an_adapter_is_as_large_as_its_base(tmp_path: Path) -> None:
    """Merged, it takes no more."""
    base, adapter = tmp_path / "base", tmp_path / "adapter"
    base.mkdir()
    adapter.mkdir()
    _checkpoint(base, {"weight": torch.zeros(10)})
    (adapter / "adapter_config.json").write_text(
        json.dumps({"base_model_name_or_path": "../base", "peft_type": "LORA"})
    )
    save_file({"lora": torch.zeros(5)}, adapter / "adapter_model.safetensors")

    assert weight_memory(str(adapter), Settings(), on_cpu=True) == 40


@pytest.mark.parametrize("name", ["", "no-such-model", "./nowhere", "nobody/nothing"])
def test_nothing_is_known_of_a_checkpoint_that_is_not_here(name: str) -> None:
    """Who loads the checkpoint hears why; nothing is downloaded."""
    assert weight_memory(name, Settings(), on_cpu=True) is None
