"""An adapter's files beside whole weights, and checkpoints that lie in a subfolder."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import peft
import pytest
import torch
import transformers

from lengthprobe.checkpoints.files import locate
from lengthprobe.checkpoints.loading import load_checkpoint
from lengthprobe.errors import ModelError
from lengthprobe.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CPU = Settings(device_map="cpu")
# peft reads a property that transformers is about to rename.
pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")


def _save_adapter(base: Path, directory: Path, name: str = "default") -> None:
    config = peft.LoraConfig(r=2, target_modules=["q_proj"], task_type="CAUSAL_LM", init_lora_weights=False)
    model: Any = transformers.AutoModelForCausalLM.from_pretrained(base)
    peft.get_peft_model(model, config, adapter_name=name).save_pretrained(directory)


@pytest.fixture
def mixed(copy_of: Callable[..., Path], tmp_path: Path) -> Path:
    """A whole model with an adapter's files in its folder."""
    directory = copy_of()
    _save_adapter(directory, tmp_path / "adapter")
    for name in ("adapter_config.json", "adapter_model.safetensors"):
        shutil.copy(tmp_path / "adapter" / name, directory)
    return directory


def _same_weights(directory: Path, other: Path) -> bool:
    one, two = (load_checkpoint(str(path), CPU).model.state_dict() for path in (directory, other))
    return list(one) == list(two) and all(torch.equal(one[name], two[name]) for name in one)


@pytest.mark.parametrize("weights", ["adapter_model.safetensors", "adapter_model.bin"])
def test_adapter_beside_whole_weights(mixed: Path, weights: str) -> None:
    """Both readings are named, and what to do for each."""
    (mixed / "adapter_model.safetensors").rename(mixed / weights)
    with pytest.raises(
        ModelError, match=rf"whole model \(model.safetensors\) and an adapter .*{weights}"
    ) as raised:
        locate(str(mixed), CPU)
    assert f"remove adapter_config.json and {weights}" in raised.value.fix
    assert "into a folder of their own" in raised.value.fix


def test_left_over_adapter_removed(mixed: Path, checkpoints: Callable[..., Path]) -> None:
    """With the adapter's files removed, the whole model is what is loaded."""
    for name in ("adapter_config.json", "adapter_model.safetensors"):
        (mixed / name).unlink()
    assert _same_weights(mixed, checkpoints("llama"))


def test_adapter_moved(mixed: Path, checkpoints: Callable[..., Path]) -> None:
    """Moved into a folder of its own, the adapter is what is loaded."""
    own = mixed / "adapter"
    own.mkdir()
    for name in ("adapter_config.json", "adapter_model.safetensors"):
        (mixed / name).rename(own / name)
    assert load_checkpoint(str(own), CPU).files.adapter == own
    assert not _same_weights(own, checkpoints("llama"))


def test_config_of_an_adapter_alone(mixed: Path, checkpoints: Callable[..., Path]) -> None:
    """With an adapter's config but none of its weights, the whole model is loaded, without an adapter."""
    (mixed / "adapter_model.safetensors").unlink()
    checkpoint = load_checkpoint(str(mixed), CPU)
    assert checkpoint.files.adapter is None
    assert not getattr(checkpoint.model, "_hf_peft_config_loaded", False)
    assert _same_weights(mixed, checkpoints("llama"))


def test_adapter_with_the_config_of_its_base(mixed: Path, checkpoints: Callable[..., Path]) -> None:
    """An adapter beside the base's config, and none of its weights, is an adapter."""
    (mixed / "model.safetensors").unlink()
    config = mixed / "adapter_config.json"
    config.write_text(config.read_text().replace(str(mixed), str(checkpoints("llama"))))
    assert load_checkpoint(str(mixed), CPU).files.adapter == mixed


def test_adapter_in_a_subfolder(checkpoints: Callable[..., Path], tmp_path: Path) -> None:
    """An adapter that was saved under a name of its own is found where the message points."""
    _save_adapter(checkpoints("llama"), tmp_path / "saved", name="stage2")
    with pytest.raises(
        ModelError, match=r"holds no config\.json; in its subfolders there is an adapter: stage2"
    ) as raised:
        locate(str(tmp_path / "saved"), CPU)
    assert raised.value.fix == f"name the subfolder: --lengthprobe-model={tmp_path / 'saved' / 'stage2'}"
    assert locate(str(tmp_path / "saved" / "stage2"), CPU).adapter == tmp_path / "saved" / "stage2"


def test_checkpoint_in_a_subfolder(checkpoints: Callable[..., Path], tmp_path: Path) -> None:
    """The folder of a training run is answered with the checkpoints in it."""
    shutil.copytree(checkpoints("llama"), tmp_path / "run" / "checkpoint-500")
    with pytest.raises(ModelError, match=r"there is a checkpoint: checkpoint-500"):
        locate(str(tmp_path / "run"), CPU)


def test_last_step_of_a_run(checkpoints: Callable[..., Path], tmp_path: Path) -> None:
    """Of the steps of a training run the last is pointed at, by its number."""
    for step in (500, 1000):
        shutil.copytree(checkpoints("llama"), tmp_path / "run" / f"checkpoint-{step}")
    with pytest.raises(
        ModelError, match=r"there are 2 checkpoints: checkpoint-500, checkpoint-1000"
    ) as raised:
        locate(str(tmp_path / "run"), CPU)
    assert raised.value.fix.endswith("checkpoint-1000")


def test_folder_of_many_checkpoints(tmp_path: Path) -> None:
    """All are counted, and it shows that only some are named."""
    for step in range(1, 6):
        (tmp_path / f"step-{step}").mkdir()
        (tmp_path / f"step-{step}" / "config.json").write_text("{}")
    with pytest.raises(ModelError, match=r"there are 5 checkpoints: …, step-3, step-4, step-5") as raised:
        locate(str(tmp_path), CPU)
    assert raised.value.fix == f"name the subfolder: --lengthprobe-model={tmp_path / 'step-5'}"
