"""The tensors of an adapter: all taken, from the file that is digested, with embeddings of any size."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import peft
import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

from lengthprobe.checkpoints.loading import load_checkpoint
from lengthprobe.errors import ModelError
from lengthprobe.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = [
    # peft reads a property that transformers is about to rename.
    pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning"),
    # What peft says where these adapters are made.
    pytest.mark.filterwarnings("ignore::UserWarning:peft"),
]

CPU = Settings(device_map="cpu")
INPUT = "base_model.model.model.embed_tokens.weight"
OUTPUT = "base_model.model.lm_head.weight"
ONE = "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight"


@pytest.fixture
def saved(checkpoints: Callable[..., Path], tmp_path: Path) -> Callable[..., tuple[Path, Any]]:
    """Return a function that saves a random LoRA, made on more tokens than the base has if asked.

    It returns the adapter's directory and the model in memory.
    """

    def save(*, added: int = 0, embeddings: bool | str = "auto", **settings: Any) -> tuple[Path, Any]:
        torch.manual_seed(1)
        model = transformers.AutoModelForCausalLM.from_pretrained(checkpoints("llama"))
        if added:
            model.resize_token_embeddings(model.config.vocab_size + added)
        chosen = {"r": 4, "target_modules": ["q_proj"], "task_type": "CAUSAL_LM", "init_lora_weights": False}
        adapted = peft.get_peft_model(model, peft.LoraConfig(**chosen | settings)).eval()
        adapted.save_pretrained(tmp_path / "adapter", save_embedding_layers=embeddings)
        return tmp_path / "adapter", adapted

    return save


def _store(adapter: Path, **changes: torch.Tensor) -> None:
    path = adapter / "adapter_model.safetensors"
    save_file(load_file(path) | changes, path)


@pytest.mark.parametrize(
    "settings",
    [
        {"added": 2},
        {"added": 2, "modules_to_save": ["embed_tokens", "lm_head"]},
        {"added": 2, "modules_to_save": ["lm_head"]},
        {"embeddings": True},
        {"modules_to_save": ["embed_tokens", "lm_head"]},
    ],
    ids=["resized", "resized and saved whole", "resized, one saved whole", "not resized", "saved whole"],
)
def test_embeddings_beside_an_adapter(settings: dict[str, Any], saved: Callable[..., Any]) -> None:
    """An adapter with embeddings of its own, resized or not, has the logits that it had when it was saved."""
    adapter, expected = saved(**settings)
    rows = expected.get_input_embeddings().weight.shape[0]
    ids = torch.tensor([[0, 50, 100, rows - 1, rows - 2]])
    merged = load_checkpoint(str(adapter), CPU).model
    with torch.inference_mode():
        torch.testing.assert_close(merged(ids).logits, expected(ids).logits, rtol=1e-4, atol=1e-4)
    assert merged.config.vocab_size == rows


def test_base_as_it_was(saved: Callable[..., Any], checkpoints: Callable[..., Path]) -> None:
    """After an adapter with more rows, the same files load again, and the base alone has its own rows."""
    adapter, expected = saved(added=2)
    first = load_checkpoint(str(adapter), CPU)
    again = load_checkpoint(first.files, CPU)
    assert again.model.config.vocab_size == expected.config.vocab_size
    assert (
        load_checkpoint(str(checkpoints("llama")), CPU).model.config.vocab_size
        == again.model.config.vocab_size - 2
    )


def test_rows_fewer_than_the_base(saved: Callable[..., Any]) -> None:
    """Embeddings with fewer rows than those of the base are refused, with both numbers."""
    adapter, model = saved(embeddings=True)
    rows, width = model.get_input_embeddings().weight.shape
    _store(adapter, **{name: torch.zeros(rows - 5, width) for name in (INPUT, OUTPUT)})
    with pytest.raises(ModelError, match=f"embeddings of {rows - 5} rows, and its base has {rows}"):
        load_checkpoint(str(adapter), CPU)


def test_rows_of_one_end_only(saved: Callable[..., Any]) -> None:
    """New rows of the embedding alone, which would leave the unembedding's to chance, are refused."""
    adapter, model = saved()
    rows, width = model.get_input_embeddings().weight.shape
    _store(adapter, **{INPUT: torch.zeros(rows + 2, width)})
    with pytest.raises(
        ModelError, match=f"does not bring all their rows: it has {rows + 2} rows of the input"
    ):
        load_checkpoint(str(adapter), CPU)


def test_tensor_that_is_not_finite(saved: Callable[..., Any]) -> None:
    """A weight that is not finite is refused by the adapter's file and its name."""
    adapter, _ = saved()
    _store(adapter, **{ONE: torch.full((4, 32), float("nan"))})
    with pytest.raises(
        ModelError, match=r"adapter_model\.safetensors has weights that are not finite .*q_proj"
    ):
        load_checkpoint(str(adapter), CPU)


@pytest.mark.parametrize(
    "name", ["stray", ONE.replace("q_proj", "k_proj"), ONE.replace("lora_A.", "lora_A.default.")]
)
def test_tensor_that_nothing_takes(name: str, saved: Callable[..., Any]) -> None:
    """A tensor in the adapter's file that peft would leave out is refused by its name."""
    adapter, _ = saved()
    _store(adapter, **{name: torch.zeros(4, 32)})
    with pytest.raises(ModelError, match="1 of its tensors have no counterpart") as raised:
        load_checkpoint(str(adapter), CPU)
    assert name in raised.value.problem


def test_tensor_taken_with_another_value(saved: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Values that are in the file and not in the model are found out."""
    adapter, _ = saved()
    load = peft.PeftModel.load_adapter

    def half(self: Any, *args: Any, **kwargs: Any) -> Any:
        result = load(self, *args, **kwargs)
        with torch.no_grad():
            self.get_submodule(ONE.removesuffix(".weight")).default.weight.mul_(0.5)
        return result

    monkeypatch.setattr(peft.PeftModel, "load_adapter", half)
    with pytest.raises(ModelError, match="is not taken as it is") as raised:
        load_checkpoint(str(adapter), CPU)
    assert ONE in raised.value.problem


def test_pickle_beside_safetensors(saved: Callable[..., Any]) -> None:
    """Of two files, the safetensors is loaded, which is the one that is digested."""
    adapter, expected = saved()
    torch.save({ONE: torch.zeros(4, 32)}, adapter / "adapter_model.bin")
    checkpoint = load_checkpoint(str(adapter), CPU)
    assert [path.name for path in checkpoint.files.adapter_weights] == ["adapter_model.safetensors"]
    ids = torch.tensor([[0, 50, 100]])
    with torch.inference_mode():
        torch.testing.assert_close(checkpoint.model(ids).logits, expected(ids).logits, rtol=1e-4, atol=1e-4)


def test_file_that_peft_does_not_read(saved: Callable[..., Any]) -> None:
    """Where peft would read a pickle that nobody allowed, and not the shards of an index, both are named."""
    adapter, _ = saved()
    torch.save(load_file(adapter / "adapter_model.safetensors"), adapter / "adapter_model.bin")
    (adapter / "adapter_model.safetensors").rename(adapter / "shard.safetensors")
    index = {"weight_map": {ONE: "shard.safetensors"}}
    (adapter / "adapter_model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(ModelError, match=r"shard\.safetensors, and peft reads adapter_model\.bin only"):
        load_checkpoint(str(adapter), CPU)
