"""PEFT adapters, merged into the model that they were trained on."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import peft
import pytest
import torch
import transformers

from lengthprobe.checkpoints.adapters import directory as adapters
from lengthprobe.checkpoints.loading import load_checkpoint
from lengthprobe.errors import ModelError
from lengthprobe.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


# peft reads a property that transformers is about to rename.
pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")


@pytest.fixture
def adapter(checkpoints: Callable[..., Path], tmp_path: Path) -> Path:
    """A LoRA adapter with random weights on the random Llama."""
    config = peft.LoraConfig(r=4, target_modules=["q_proj", "down_proj"], task_type="CAUSAL_LM")
    model = peft.get_peft_model(_base(checkpoints), config)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_B" in name:
                parameter.copy_(torch.randn(parameter.shape, generator=torch.Generator().manual_seed(0)))
    model.save_pretrained(tmp_path / "adapter")
    return tmp_path / "adapter"


def _base(checkpoints: Callable[..., Path]) -> Any:
    return transformers.AutoModelForCausalLM.from_pretrained(checkpoints("llama"))


def _edit(adapter: Path, **changes: Any) -> None:
    path = adapter / "adapter_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_adapter_is_applied(adapter: Path, checkpoints: Callable[..., Path]) -> None:
    """A loaded adapter is a plain model with the logits of base and adapter, and not those of the base."""
    ids = torch.tensor([[0, 50, 100, 150]])
    checkpoint = load_checkpoint(str(adapter), Settings())
    expected = peft.PeftModel.from_pretrained(_base(checkpoints), adapter).eval()
    with torch.inference_mode():
        logits = checkpoint.model(ids).logits
        torch.testing.assert_close(logits, expected(ids).logits, rtol=1e-4, atol=1e-4)
        assert not torch.allclose(logits, _base(checkpoints)(ids).logits, atol=0.1)
    assert type(checkpoint.model).__name__ == "LlamaForCausalLM"
    assert not any("lora" in name for name, _ in checkpoint.model.named_parameters())


def test_base_by_name(adapter: Path) -> None:
    """The name of the base is that of the config, with its revision where there is one."""
    _edit(adapter, base_model_name_or_path="org/base")
    assert adapters.base_name(adapter) == "org/base"
    _edit(adapter, revision="v2")
    assert adapters.base_name(adapter) == "org/base@v2"


def test_whole_model_beside_an_adapter(copy_of: Callable[..., Path], adapter: Path) -> None:
    """A directory with a whole model is that model, though an adapter's config lies beside it."""
    directory = copy_of()
    (directory / "adapter_config.json").write_text((adapter / "adapter_config.json").read_text())
    assert adapters.base_name(directory) is None


def test_peft_is_not_installed(adapter: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without peft the command that installs it is given."""
    monkeypatch.setattr(adapters, "find_spec", lambda _name: None)
    with pytest.raises(ModelError, match="peft is not installed") as raised:
        load_checkpoint(str(adapter), Settings())
    assert raised.value.fix == "pip install 'lengthprobe[peft]'"


def test_adapter_of_another_shape(adapter: Path, checkpoints: Callable[..., Path]) -> None:
    """An adapter whose base has other layers is refused."""
    _edit(adapter, base_model_name_or_path=str(checkpoints("gpt2")))
    with pytest.raises(ModelError, match="does not fit its base"):
        load_checkpoint(str(adapter), Settings())


def test_memory_is_out_for_an_adapter(adapter: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An adapter for which there is no memory is not taken for one that does not fit its base."""

    def full(*_: object, **__: object) -> None:
        raise RuntimeError("CUDA error: out of memory")

    monkeypatch.setattr(peft.PeftModel, "from_pretrained", full)
    with pytest.raises(ModelError, match="does not fit on cpu: CUDA error: out of memory"):
        load_checkpoint(str(adapter), Settings(device_map="cpu"))


def test_adapter_that_lacks_tensors(adapter: Path) -> None:
    """An adapter whose config promises more layers than its weights have is refused."""
    _edit(adapter, target_modules=["q_proj", "down_proj", "up_proj"])
    with pytest.raises(ModelError, match=r"have no counterpart .*up_proj"):
        load_checkpoint(str(adapter), Settings())


def test_adapter_that_cannot_be_merged(checkpoints: Callable[..., Path], tmp_path: Path) -> None:
    """A prompt-tuning adapter, which has nothing to merge, is refused by its kind."""
    config = peft.PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=4)
    peft.get_peft_model(_base(checkpoints), config).save_pretrained(tmp_path / "adapter")
    with pytest.raises(ModelError, match="kind PROMPT_TUNING, which cannot be merged"):
        load_checkpoint(str(tmp_path / "adapter"), Settings())
