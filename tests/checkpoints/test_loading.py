"""Checkpoints in memory, and the ones that must not get there."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

from lengthprobe.checkpoints import loading
from lengthprobe.checkpoints.loading import load_checkpoint
from lengthprobe.errors import ModelError
from lengthprobe.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CPU = Settings(device_map="cpu")


def _edit(directory: Path, name: str, **changes: Any) -> None:
    """Change entries of a JSON file; None takes one out."""
    path = directory / name
    stated = json.loads(path.read_text()) | changes
    path.write_text(json.dumps({key: value for key, value in stated.items() if value is not None}))


def _edit_weights(directory: Path, change: Callable[[dict[str, torch.Tensor]], object]) -> None:
    path = directory / "model.safetensors"
    tensors = load_file(path)
    change(tensors)
    save_file(tensors, path, metadata={"format": "pt"})


def test_loaded_checkpoint(checkpoints: Callable[..., Path]) -> None:
    """A loaded checkpoint says what generation needs to know."""
    checkpoint = load_checkpoint(str(checkpoints("llama")), CPU)
    assert checkpoint.name == str(checkpoints("llama"))
    assert checkpoint.end_token_ids == (1, 2, *range(60, 72))
    assert checkpoint.pad_token_id == 4
    assert checkpoint.chat_template is not None
    assert (checkpoint.device, checkpoint.dtype) == (torch.device("cpu"), torch.float32)
    assert (checkpoint.attention, checkpoint.context, checkpoint.overridden) == ("sdpa", 512, ())
    assert not checkpoint.model.training
    assert not any(parameter.requires_grad for parameter in checkpoint.model.parameters())


def test_weights_are_those_of_the_file(checkpoints: Callable[..., Path]) -> None:
    """Every parameter in memory is the tensor in the file."""
    checkpoint = load_checkpoint(str(checkpoints("qwen3")), CPU)
    stored = load_file(checkpoints("qwen3") / "model.safetensors")
    assert all(
        torch.equal(parameter, stored[name]) for name, parameter in checkpoint.model.named_parameters()
    )


@pytest.mark.parametrize("shape", ["llama", "qwen3", "gemma2", "gemma3", "gpt2"])
def test_shapes(checkpoints: Callable[..., Path], shape: str) -> None:
    """Llama, Qwen 3, Gemma and GPT-2 (tied embeddings, with biases) load whole."""
    assert load_checkpoint(str(checkpoints(shape)), CPU).model.config.model_type.startswith(shape)


def test_half_precision_is_widened_on_a_cpu(copy_of: Callable[..., Path]) -> None:
    """Weights stored in float16 compute in float32 on a CPU, unless float16 is asked for."""
    directory = copy_of()
    transformers.AutoModelForCausalLM.from_pretrained(directory).half().save_pretrained(directory)
    assert load_checkpoint(str(directory), CPU).dtype == torch.float32
    half = load_checkpoint(str(directory), Settings(device_map="cpu", dtype="float16"))
    assert half.dtype == torch.float16


def test_loading_says_nothing(
    checkpoints: Callable[..., Path], capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """Loading prints no progress bar and logs nothing, and leaves transformers' own settings as they were."""
    before = transformers.utils.logging.get_verbosity()
    with caplog.at_level(logging.INFO):
        load_checkpoint(str(checkpoints("llama")), CPU)
    assert (capfd.readouterr(), caplog.records) == (("", ""), [])
    assert transformers.utils.logging.get_verbosity() == before
    assert transformers.utils.logging.is_progress_bar_enabled()


@pytest.mark.parametrize("accelerate", [True, False])
def test_accelerate_is_not_needed_for_one_device(
    checkpoints: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, accelerate: bool
) -> None:
    """One device that is named gets the model with accelerate and without."""
    if not accelerate:
        monkeypatch.setattr(loading, "find_spec", lambda _name: None)
    device = "cuda:0" if torch.cuda.is_available() else "cpu"
    checkpoint = load_checkpoint(str(checkpoints("llama")), Settings(device_map=device))
    assert checkpoint.device == torch.device(device)


def test_missing_tensor(copy_of: Callable[..., Path]) -> None:
    """A tensor that the weights lack is named; transformers would draw it at random."""
    directory = copy_of()
    _edit_weights(directory, lambda tensors: tensors.pop("model.layers.1.mlp.up_proj.weight"))
    with pytest.raises(ModelError, match=r"the weights lack model\.layers\.1\.mlp\.up_proj\.weight\n"):
        _load(directory)


def test_unexpected_tensor(copy_of: Callable[..., Path]) -> None:
    """Tensors that the config knows nothing of are named; transformers would leave them out."""
    directory = copy_of()
    _edit(directory, "config.json", num_hidden_layers=2)
    with pytest.raises(ModelError, match=r"config\.json knows nothing of model\.layers\.2\..* and 6 more"):
        _load(directory)


def test_tensor_of_another_shape(copy_of: Callable[..., Path]) -> None:
    """Tensors whose shape is not the config's are named."""
    directory = copy_of()
    _edit(directory, "config.json", intermediate_size=48)
    with pytest.raises(ModelError, match=r"another shape than config\.json says for model\.layers\.0\.mlp"):
        _load(directory)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_finite(copy_of: Callable[..., Path], value: float) -> None:
    """One NaN or infinity among the weights is found, and its tensor named."""
    directory = copy_of()
    _edit_weights(
        directory, lambda tensors: tensors["model.layers.2.mlp.down_proj.weight"][3, 5].fill_(value)
    )
    with pytest.raises(
        ModelError, match=r"not finite .*: model\.layers\.2\.mlp\.down_proj\.weight"
    ) as raised:
        _load(directory)
    assert "diverged" in raised.value.fix


@pytest.mark.parametrize(
    ("stated", "tokens"), [(7, (7, 2)), ([1, 2], (1, 2)), (None, (2,)), ([], (2,))], ids=str
)
def test_end_tokens(copy_of: Callable[..., Path], stated: object, tokens: tuple[int, ...]) -> None:
    """Every end token of the generation config ends a response, and so does the tokenizer's."""
    directory = copy_of()
    _edit(directory, "generation_config.json", eos_token_id=stated)
    _edit(directory, "config.json", eos_token_id=None)
    assert _load(directory).end_token_ids == tokens


def test_no_end_token(copy_of: Callable[..., Path]) -> None:
    """A checkpoint whose responses nothing can end is refused, with the file to mend."""
    directory = copy_of()
    _edit(directory, "generation_config.json", eos_token_id=None)
    _edit(directory, "tokenizer_config.json", eos_token=None)
    (directory / "chat_template.jinja").unlink()
    config = json.loads((directory / "config.json").read_text())
    (directory / "config.json").write_text(json.dumps(config | {"eos_token_id": None}))
    with pytest.raises(ModelError, match="no end token") as raised:
        _load(directory)
    assert "generation_config.json" in raised.value.fix


def test_no_pad_token(copy_of: Callable[..., Path]) -> None:
    """Without a pad token, an end token fills the batch."""
    directory = copy_of()
    _edit(directory, "tokenizer_config.json", pad_token=None)
    assert _load(directory).pad_token_id == 1


def test_no_generation_config(copy_of: Callable[..., Path]) -> None:
    """Without a generation config, the config's end token counts beside the tokenizer's."""
    directory = copy_of()
    (directory / "generation_config.json").unlink()
    _edit(directory, "config.json", eos_token_id=9)
    assert _load(directory).end_token_ids == (9, 2)


def test_generation_config_is_set_aside(copy_of: Callable[..., Path]) -> None:
    """What the generation config asks for is listed, and no longer there for generate() to find."""
    directory = copy_of()
    _edit(directory, "generation_config.json", do_sample=True, temperature=0.6, repetition_penalty=1.1)
    checkpoint = _load(directory)
    assert checkpoint.overridden == ("do_sample=True", "repetition_penalty=1.1", "temperature=0.6")
    assert checkpoint.model.generation_config.repetition_penalty is None


def test_broken_generation_config(copy_of: Callable[..., Path]) -> None:
    """A generation config that cannot be read is named; transformers would do without its end tokens."""
    directory = copy_of()
    (directory / "generation_config.json").write_text("{")
    with pytest.raises(ModelError, match=r"generation_config\.json cannot be read"):
        _load(directory)


@pytest.mark.parametrize(
    ("values", "listed"),
    [
        ({"num_return_sequences": 3}, ("num_return_sequences=3",)),
        ({"early_stopping": "x"}, ("early_stopping='x'",)),
        ({"watermarking_config": {"b": 2}}, ("watermarking_config={'b': 2}",)),
        ({"max_new_tokens": -5, "cache_implementation": "nonsense"}, ()),
    ],
    ids=str,
)
def test_generation_that_transformers_refuses(
    copy_of: Callable[..., Path], values: dict[str, Any], listed: tuple[str, ...]
) -> None:
    """What a generation config asks for need not go together: it is listed, and the model loads."""
    directory = copy_of()
    _edit(directory, "generation_config.json", **values)
    assert _load(directory).overridden == listed


def test_generation_within_the_config(copy_of: Callable[..., Path]) -> None:
    """An old checkpoint has its generation config within its config: that is listed too."""
    directory = copy_of()
    (directory / "generation_config.json").unlink()
    _edit(directory, "config.json", num_return_sequences=3)
    assert _load(directory).overridden == ("num_return_sequences=3",)


def test_end_token_by_its_text(copy_of: Callable[..., Path]) -> None:
    """An end token that is not given by its id is refused."""
    directory = copy_of()
    _edit(directory, "generation_config.json", eos_token_id="<|turn|>")
    with pytest.raises(ModelError, match=r"generation_config.json names '<\|turn\|>' as eos_token_id"):
        _load(directory)


def test_broken_tokenizer(copy_of: Callable[..., Path]) -> None:
    """A tokenizer that cannot be read is named with its directory."""
    directory = copy_of()
    (directory / "tokenizer.json").write_text('{"model": {}}')
    with pytest.raises(ModelError, match=rf"the tokenizer in {directory} cannot be loaded"):
        _load(directory)


def test_plain_tokenizer(copy_of: Callable[..., Path]) -> None:
    """A tokenizer without a chat template has none."""
    directory = copy_of()
    (directory / "chat_template.jinja").unlink()
    assert _load(directory).chat_template is None


@pytest.mark.parametrize("names", [["default", "tool"], ["rag", "tool"]])
def test_several_templates(copy_of: Callable[..., Path], names: list[str]) -> None:
    """Of several chat templates the default one is taken; without one they are listed."""
    directory = copy_of()
    (directory / "chat_template.jinja").unlink()
    templates = [{"name": name, "template": f"{{{{ messages[0].content }}}} {name}!"} for name in names]
    _edit(directory, "tokenizer_config.json", chat_template=templates)
    if "default" in names:
        assert _load(directory).chat_template == "{{ messages[0].content }} default!"
    else:
        with pytest.raises(ModelError, match="chat templates rag, tool, and none is the default"):
            _load(directory)


def test_pickled_weights_when_allowed(copy_of: Callable[..., Path]) -> None:
    """Allowed, pickled weights give the model that safetensors give."""
    directory = copy_of()
    tensors = load_file(directory / "model.safetensors")
    torch.save(tensors, directory / "pytorch_model.bin")
    (directory / "model.safetensors").unlink()
    checkpoint = load_checkpoint(str(directory), Settings(device_map="cpu", allow_pickle=True))
    assert torch.equal(checkpoint.model.lm_head.weight, tensors["lm_head.weight"])


def test_memory_is_out(checkpoints: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that does not fit on its device is answered with what makes it fit."""

    def full(*_: object, **__: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 64 GiB")

    monkeypatch.setattr(transformers.AutoModelForCausalLM, "from_pretrained", full)
    with pytest.raises(ModelError, match="does not fit on cpu") as raised:
        _load(checkpoints("llama"))
    assert "--lengthprobe-dtype=bfloat16" in raised.value.fix


@pytest.mark.parametrize(
    "error", [RuntimeError("CUDA error: out of memory"), MemoryError()], ids=["driver", "host"]
)
def test_memory_is_out_while_weights_are_checked(
    checkpoints: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """A model that leaves no memory to check its weights in is one that does not fit."""

    def full(*_: object) -> None:
        raise error

    monkeypatch.setattr(torch, "isfinite", full)
    with pytest.raises(ModelError, match=r"does not fit on cpu: .*memory") as raised:
        _load(checkpoints("llama"))
    assert "--lengthprobe-device-map=balanced" in raised.value.fix


def test_quantized_without_its_library(copy_of: Callable[..., Path]) -> None:
    """A checkpoint that needs a library is answered with the library's name."""
    directory = copy_of()
    _edit(directory, "config.json", quantization_config={"quant_method": "awq", "bits": 4, "group_size": 32})
    with pytest.raises(ModelError, match="cannot be loaded") as raised:
        _load(directory)
    assert "pip install gptqmodel" in raised.value.fix


def _load(directory: Path) -> loading.Checkpoint:
    return load_checkpoint(str(directory), CPU)
