"""Checkpoints that see as well: loaded whole, and judged by the text model in them."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

from lengthprobe import load
from lengthprobe.checkpoints.chat.template import render, template_file
from lengthprobe.checkpoints.files import locate
from lengthprobe.checkpoints.loading import load_checkpoint
from lengthprobe.checkpoints.placement import largest_batch
from lengthprobe.checkpoints.taken import check_parameters
from lengthprobe.errors import ModelError
from lengthprobe.measures import cwa, length_error
from lengthprobe.reporting.tables import _identity
from lengthprobe.runs.identity import identify
from lengthprobe.settings import Settings
from lengthprobe.task.prompts import prompts
from tests.attribution.architectures import SEEING as VARIANTS
from tests.attribution.architectures import random_model
from tests.conftest import SEEING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CPU = Settings(device_map="cpu", cap=12, lengths=(3, 5), budget=12)
TEXTS = prompts("en", lengths=CPU.lengths, budget=6)
# As those of models that see have it: the content of a message is a list of parts.
IN_PARTS = (
    "{{ bos_token }}{% for message in messages %}<|role|>{{ message['role'] }}\n"
    "{% for part in message['content'] %}{% if part['type'] == 'image' %}<image>"
    "{% elif part['type'] == 'text' %}{{ part['text'] }}{% endif %}{% endfor %}<|turn|>"
    "{% endfor %}{% if add_generation_prompt %}<|role|>assistant\n{% endif %}"
)


@pytest.mark.parametrize("variant", VARIANTS)
def test_loaded_as_saved(variant: str, checkpoints: Callable[..., Path], tmp_path: Path) -> None:
    """The text model has every value that was saved, and the tower is gone from memory."""
    model = random_model(variant)
    model.save_pretrained(tmp_path)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(checkpoints("llama") / name, tmp_path)
    loaded = load_checkpoint(str(tmp_path), CPU)
    assert type(loaded.model) is type(model)
    found = dict(loaded.model.named_parameters())
    text = {name: one for name, one in model.named_parameters() if "language_model" in name}
    assert len(text) > 20
    assert all(torch.equal(found[name], one) for name, one in text.items())
    assert found.keys() - text.keys() <= {"lm_head.weight"}
    assert loaded.left_out
    assert not any("language_model" in name or "lm_head" in name for name in loaded.left_out)


@pytest.mark.parametrize("shape", SEEING)
def test_logits_are_those_of_the_whole_model(shape: str, checkpoints: Callable[..., Path]) -> None:
    """Of texts in a padded batch, bit by bit those of transformers' own model, tower and all."""
    checkpoint = load_checkpoint(str(checkpoints(shape)), CPU)
    whole = transformers.AutoModelForImageTextToText.from_pretrained(checkpoints(shape)).eval()
    rows = [render(checkpoint, prompt, CPU) for prompt in TEXTS]
    width = max(map(len, rows))
    ids = torch.tensor([[checkpoint.pad_token_id] * (width - len(row)) + list(row) for row in rows])
    mask = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in rows])
    with torch.no_grad():
        found, expected = (
            one(input_ids=ids, attention_mask=mask, use_cache=False).logits
            for one in (checkpoint.model, whole)
        )
    assert torch.equal(found, expected)


@pytest.mark.parametrize("shape", SEEING)
def test_probe(shape: str, checkpoints: Callable[..., Path]) -> None:
    """It answers, its components add up to the logits, heads can be cut, and attributions are measured."""
    probe = load(str(checkpoints(shape)), device_map="cpu", cap=60, lengths=(3, 5), budget=12)
    assert length_error(probe, language="en").n == 12
    assert cwa(probe.in_role("base"), component="late heads", language="en").n > 0
    parts = probe.proof
    assert (parts.n_layers, parts.n_heads) == (3, 4)
    assert parts.gap < 1e-5
    own = probe.responses("en")
    with probe.ablated("L0H0,MLP1") as without:
        cut = without.responses("en")
    assert [one.token_ids for one in own] != [one.token_ids for one in cut]


@pytest.mark.parametrize("shape", SEEING)
def test_what_is_left_out_is_told(shape: str, checkpoints: Callable[..., Path]) -> None:
    """The identity names the modules that no text runs through."""
    checkpoint = load_checkpoint(str(checkpoints(shape)), CPU)
    told = identify(checkpoint, CPU, batch_size=1).as_dict()["left_out"]
    assert told[0] == ("model.visual" if shape.startswith("qwen") else "model.vision_tower")


def test_report_says_what_is_not_used(checkpoints: Callable[..., Path]) -> None:
    """So does the report, in a line of its own; and in another how weights are quantized."""
    checkpoint = load_checkpoint(str(checkpoints("gemma3-sees")), CPU)
    identity = identify(checkpoint, CPU, batch_size=1).as_dict()
    lines = list(_identity(identity))
    assert "judged with text alone: what it sees with is not used (model.vision_tower, " in "\n".join(lines)
    assert "quantized: bitsandbytes, 4 bits" in list(
        _identity(identity | {"quantized": "bitsandbytes, 4 bits"})
    )


def test_nothing_is_left_out_of_a_text_model(checkpoints: Callable[..., Path]) -> None:
    """A model that only reads is whole."""
    assert load_checkpoint(str(checkpoints("gemma3")), CPU).left_out == ()


@pytest.mark.parametrize("shape", SEEING)
def test_other_values_of_the_text_model_are_found(shape: str, checkpoints: Callable[..., Path]) -> None:
    """Though the file has the tensor under another name than the model, it is compared."""
    checkpoint = load_checkpoint(str(checkpoints(shape)), CPU)
    checkpoint.model.get_decoder().layers[1].mlp.down_proj.weight.data[-1] += 1
    with pytest.raises(ModelError, match=r"other values for \S*layers\.1\.mlp\.down_proj\.weight than"):
        check_parameters(checkpoint.files.weights, checkpoint.model)


@pytest.mark.parametrize("shape", SEEING)
def test_weights_that_lack_a_layer(shape: str, copy_of: Callable[..., Path]) -> None:
    """A tensor of the text model that the file lacks is named, and not drawn at random."""
    path = copy_of(shape) / "model.safetensors"
    tensors = load_file(path)
    gone = next(name for name in tensors if name.endswith("layers.1.mlp.up_proj.weight"))
    del tensors[gone]
    save_file(tensors, path, metadata={"format": "pt"})
    with pytest.raises(ModelError, match=r"the weights lack \S*layers\.1\.mlp\.up_proj\.weight"):
        load_checkpoint(str(path.parent), CPU)


def test_more_layers_than_the_weights_have(copy_of: Callable[..., Path]) -> None:
    """The text model's part of the config is held against the weights."""
    directory = copy_of("mistral3-sees")
    _edit(directory, lambda stated: stated["text_config"].update(num_hidden_layers=40))
    with pytest.raises(ModelError, match=r"asks for 40 layers \(text_config\.num_hidden_layers\)"):
        locate(str(directory), CPU)


def test_end_token_of_the_text_config(copy_of: Callable[..., Path]) -> None:
    """An end token that only the text model's part names ends a response."""
    directory = copy_of("mistral3-sees")
    (directory / "generation_config.json").unlink()
    _edit(directory, lambda stated: stated["text_config"].update(eos_token_id=77))
    assert 77 in load_checkpoint(str(directory), CPU).end_token_ids


def test_number_format_of_the_text_config(copy_of: Callable[..., Path]) -> None:
    """Batches are as large as in the format that only the text model's part states."""
    directory = copy_of("gemma3-sees")

    def largest() -> int:
        return largest_batch(locate(str(directory), CPU), CPU, None, 12_000_000)

    def state(dtype: str) -> None:
        def change(stated: dict[str, Any]) -> None:
            for part in (stated, stated["text_config"], stated["vision_config"]):
                part.pop("dtype", None)
            stated["text_config"]["dtype"] = dtype

        _edit(directory, change)

    state("float32")
    wide = largest()
    state("bfloat16")
    assert largest() > wide


@pytest.mark.parametrize("shape", SEEING)
def test_template_of_the_processor(shape: str, copy_of: Callable[..., Path]) -> None:
    """A template that wants parts, and lies in chat_template.json, is the one that prompts are written in."""
    directory = copy_of(shape)
    plain = render(load_checkpoint(str(directory), CPU), TEXTS[0], CPU)
    (directory / "chat_template.jinja").unlink(missing_ok=True)
    _edit(directory, lambda stated: stated.pop("chat_template", None), "tokenizer_config.json")
    (directory / "chat_template.json").write_text(json.dumps({"chat_template": IN_PARTS}))
    checkpoint = load_checkpoint(str(directory), CPU)
    assert checkpoint.in_parts
    assert render(checkpoint, TEXTS[0], CPU) == plain
    assert template_file(checkpoint.files).name == "chat_template.json"


def test_template_of_no_processor(copy_of: Callable[..., Path]) -> None:
    """A text model has no processor, and no such file of it is read."""
    directory = copy_of("llama")
    (directory / "chat_template.jinja").unlink(missing_ok=True)
    _edit(directory, lambda stated: stated.pop("chat_template", None), "tokenizer_config.json")
    (directory / "chat_template.json").write_text(json.dumps({"chat_template": IN_PARTS}))
    assert load_checkpoint(str(directory), CPU).chat_template is None


def _edit(directory: Path, change: Callable[[dict[str, Any]], object], name: str = "config.json") -> None:
    stated = json.loads((directory / name).read_text())
    change(stated)
    (directory / name).write_text(json.dumps(stated))
