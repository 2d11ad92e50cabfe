"""A loaded model against its weight files."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

from lengthprobe.checkpoints.digests import weights_digest
from lengthprobe.checkpoints.files import locate
from lengthprobe.checkpoints.loading import load_checkpoint
from lengthprobe.checkpoints.taken import check_parameters
from lengthprobe.errors import ModelError
from lengthprobe.settings import Settings
from tests.attribution.architectures import VARIANTS, random_model

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CPU = Settings(device_map="cpu")


def _edit(path: Path, change: Callable[[dict[str, torch.Tensor]], object]) -> None:
    tensors = load_file(path)
    change(tensors)
    save_file(tensors, path, metadata={"format": "pt"})


def _shard(directory: Path, size: str = "40KB") -> None:
    model = transformers.AutoModelForCausalLM.from_pretrained(directory)
    (directory / "model.safetensors").unlink()
    model.save_pretrained(directory, max_shard_size=size)


# transformers has no place for the bias of an unembedding in a Llama, and refuses it.
@pytest.mark.parametrize("sharded", [False, True], ids=["one file", "shards"])
@pytest.mark.parametrize("variant", [one for one in VARIANTS if not one.endswith("unembedding_bias")])
def test_healthy_architectures_load(
    variant: str, sharded: bool, checkpoints: Callable[..., Path], tmp_path: Path
) -> None:
    """Every architecture, tied and untied, is loaded as it was saved."""
    model = random_model(variant)
    model.save_pretrained(tmp_path, max_shard_size="20KB" if sharded else "1GB")
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(checkpoints("llama") / name, tmp_path)
    loaded = load_checkpoint(str(tmp_path), CPU)
    assert (len(loaded.files.weights) > 1) is sharded
    parameters = dict(loaded.model.named_parameters())
    assert all(torch.equal(one, parameters[name]) for name, one in model.named_parameters())
    assert not hasattr(loaded.model.config, "transformers_weights")


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_values_are_compared_after_the_cast(copy_of: Callable[..., Path], dtype: str) -> None:
    """Weights that are stored in one format and computed with in another are the same weights."""
    directory = copy_of()
    transformers.AutoModelForCausalLM.from_pretrained(directory).bfloat16().save_pretrained(directory)
    checkpoint = load_checkpoint(str(directory), Settings(device_map="cpu", dtype=dtype))
    assert checkpoint.dtype == getattr(torch, dtype)


@pytest.mark.parametrize("shape", ["llama", "gemma2", "gpt2"])
def test_other_values_are_found(checkpoints: Callable[..., Path], shape: str) -> None:
    """A model with one other row in one tensor is not what the file holds, and the tensor is named."""
    checkpoint = load_checkpoint(str(checkpoints(shape)), CPU)
    name, parameter = list(checkpoint.model.named_parameters())[5]
    parameter.data[-1] += 1
    with pytest.raises(ModelError, match=rf"other values for \S*{name.split('.', 1)[1]} than .*safetensors"):
        check_parameters(checkpoint.files.weights, checkpoint.model)


def test_file_that_the_config_names_is_digested(copy_of: Callable[..., Path]) -> None:
    """The file that config.json names as transformers_weights is loaded and digested, not the usual one."""
    directory = copy_of()
    before = weights_digest(locate(str(directory), CPU))
    other = directory / "other.safetensors"
    shutil.copy(directory / "model.safetensors", other)
    _edit(other, lambda tensors: tensors["lm_head.weight"].fill_(0.5))
    config = json.loads((directory / "config.json").read_text())
    (directory / "config.json").write_text(json.dumps(config | {"transformers_weights": other.name}))
    checkpoint = load_checkpoint(str(directory), CPU)
    assert checkpoint.files.weights == (other,)
    assert (checkpoint.model.lm_head.weight == 0.5).all()
    assert weights_digest(checkpoint.files) != before


def test_index_beside_one_of_its_files(copy_of: Callable[..., Path]) -> None:
    """An index is followed where one of its files has the name of a single file."""
    directory = copy_of()
    _shard(directory)
    index = directory / "model.safetensors.index.json"
    stated = json.loads(index.read_text())
    first = sorted(set(stated["weight_map"].values()))[0]
    (directory / first).rename(directory / "model.safetensors")
    index.write_text(json.dumps(stated).replace(first, "model.safetensors"))
    assert len(load_checkpoint(str(directory), CPU).files.weights) > 1


@pytest.mark.parametrize("dtype", [torch.int16, torch.int8, torch.uint8, torch.bool])
def test_whole_numbers_are_no_weights(copy_of: Callable[..., Path], dtype: torch.dtype) -> None:
    """A weight that is stored as whole numbers, without a quantization method, is named."""
    directory = copy_of()

    def change(tensors: dict[str, Any]) -> None:
        tensors["lm_head.weight"] = (tensors["lm_head.weight"] * 100).to(dtype)

    _edit(directory / "model.safetensors", change)
    with pytest.raises(ModelError, match=r"lm_head.weight is stored as whole numbers .*quantization method"):
        load_checkpoint(str(directory), CPU)


@pytest.mark.parametrize("added", [0.0, 1.0], ids=["same", "other"])
def test_single_number(added: float, checkpoints: Callable[..., Path], tmp_path: Path) -> None:
    """A parameter that is a single number is compared like any other."""
    checkpoint = load_checkpoint(str(checkpoints("llama")), CPU)
    checkpoint.model.scale = torch.nn.Parameter(torch.tensor(2.0 + added), requires_grad=False)
    file = tmp_path / "model.safetensors"
    save_file({"scale": torch.tensor(2.0)}, file)
    if added:
        with pytest.raises(ModelError, match=r"other values for scale than"):
            check_parameters((file,), checkpoint.model)
    else:
        check_parameters((file,), checkpoint.model)
