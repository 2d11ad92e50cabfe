"""Configs of adapters that cannot be used: each is refused by its own name and setting."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import peft
import pytest
import transformers

from lengthprobe.checkpoints.adapters.directory import base_name
from lengthprobe.checkpoints.loading import load_checkpoint
from lengthprobe.errors import ModelError
from lengthprobe.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# peft reads a property that transformers is about to rename.
pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")

CPU = Settings(device_map="cpu")


@pytest.fixture
def adapter(checkpoints: Callable[..., Path], tmp_path: Path) -> Path:
    """A LoRA adapter on the random Llama."""
    model = transformers.AutoModelForCausalLM.from_pretrained(checkpoints("llama"))
    config = peft.LoraConfig(r=4, target_modules=["q_proj"], task_type="CAUSAL_LM")
    peft.get_peft_model(model, config).save_pretrained(tmp_path / "adapter")
    return tmp_path / "adapter"


def _edit(adapter: Path, **changes: Any) -> None:
    path = adapter / "adapter_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("peft_type", "NEWEST"),
        ("peft_type", None),
        ("peft_type", ["LORA"]),
        ("r", 0),
        ("r", "4"),
        ("r", 10**12),
        ("r", None),
        ("lora_alpha", "16"),
        ("lora_alpha", float("nan")),
        ("use_dora", "false"),
        ("target_modules", {"q_proj": 1}),
        ("target_modules", [1]),
        ("modules_to_save", "lm_head"),
        ("trainable_token_indices", "x"),
        ("alpha_pattern", {"q_proj": "64"}),
        ("task_type", "NOTHING"),
        ("eva_config", 3),
    ],
)
def test_wrong_value(name: str, value: Any, adapter: Path) -> None:
    """A setting of a wrong type or out of range is refused by the file that holds it."""
    _edit(adapter, **{name: value})
    with pytest.raises(ModelError) as raised:
        load_checkpoint(str(adapter), CPU)
    assert raised.value.problem.startswith(f"{adapter / 'adapter_config.json'} cannot be used: ")
    assert {"eva_config": "EvaConfig", "task_type": "task type"}.get(name, name) in raised.value.problem


@pytest.mark.parametrize("text", ["[" * 200_000, '{"a":' * 200_000], ids=["list", "object"])
def test_nested_too_deep(text: str, adapter: Path) -> None:
    """A config that is nested deeper than can be read is refused by its name."""
    (adapter / "adapter_config.json").write_text(text)
    with pytest.raises(ModelError, match=r"adapter_config\.json cannot be "):
        load_checkpoint(str(adapter), CPU)


@pytest.mark.parametrize(
    ("name", "value"),
    [("revision", 3), ("base_model_name_or_path", "a\0b"), ("base_model_name_or_path", "a" * 5000)],
)
def test_base_is_no_name(name: str, value: Any, adapter: Path) -> None:
    """A name or revision of the base that cannot be one is refused by its setting."""
    _edit(adapter, **{name: value})
    with pytest.raises(ModelError, match=rf"adapter_config\.json cannot be used: its {name}"):
        base_name(adapter)


def test_setting_of_a_newer_peft(adapter: Path) -> None:
    """A setting that the installed peft would leave out is refused; deleted, the adapter loads."""
    _edit(adapter, newest_way=True)
    with pytest.raises(ModelError, match="does not know for LORA: newest_way") as raised:
        load_checkpoint(str(adapter), CPU)
    assert raised.value.fix.startswith("pip install -U peft, or delete these settings")
    _edit(adapter, newest_way=None)
    load_checkpoint(str(adapter), CPU)


def test_scale_that_no_layer_takes(adapter: Path) -> None:
    """A scale for a layer that the base has not is refused, where peft warns only."""
    _edit(adapter, alpha_pattern={"layers.99.self_attn.q_proj": 64})
    with pytest.raises(ModelError, match=r"is not taken whole: .*layers\.99\.self_attn\.q_proj"):
        load_checkpoint(str(adapter), CPU)
    _edit(adapter, alpha_pattern={})
    load_checkpoint(str(adapter), CPU)
