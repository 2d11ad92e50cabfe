"""The form in which a checkpoint is asked: read where it is loaded, and told to all."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from lengthprobe.asking.forms import checkpoint_form
from lengthprobe.checkpoints.loading import load_checkpoint
from lengthprobe.errors import SettingsError
from lengthprobe.probe import Probe
from lengthprobe.settings import Settings

CPU = Settings(device_map="cpu", budget=4)


class Kept:
    """An exchange whose answers are those of whoever was asked first."""

    def __init__(self) -> None:
        self.made: dict[str, bytes] = {}

    def gather(self, keys: Sequence[str], make: Callable[[str], bytes]) -> Mapping[str, bytes]:
        """The bytes of every key."""
        for key in keys:
            self.made[key] = self.made.get(key) or make(key)
        return {key: self.made[key] for key in keys}

    def has(self, key: str) -> bool:
        """Whether there are bytes."""
        return key in self.made

    def smallest(self, _key: str, number: int | None) -> int | None:
        """The number: memory never runs out here."""
        return number


def test_form_of_a_checkpoint() -> None:
    """Prompt form, template, system prompt, the ends by their texts, and where each is written."""
    probe = Probe("tiny-it", Settings(device_map="cpu", system_prompt="Be brief."))
    form = checkpoint_form(probe.checkpoint, probe.settings)

    ends = [probe.checkpoint.tokenizer.convert_ids_to_tokens(end) for end in probe.checkpoint.end_token_ids]
    folder = probe.files.directory
    assert (form.model, form.kind, form.system_prompt) == ("tiny-it", "chat", "Be brief.")
    assert form.template == probe.identity().chat_template
    assert form.ends == tuple(sorted(ends))
    assert form.folder == str(folder)
    assert form.source == str(folder / "chat_template.jinja")
    assert form.ends_file == str(folder / "generation_config.json")


def test_plain_form_has_no_template() -> None:
    """Where the template is stays known."""
    probe = Probe("tiny-it", Settings(device_map="cpu", prompt_form="plain"))
    form = checkpoint_form(probe.checkpoint, probe.settings)

    assert (form.kind, form.template) == ("plain", None)
    assert form.source is not None


def test_form_that_cannot_be_had() -> None:
    """It is an error, as it is where the checkpoint is asked."""
    probe = Probe("tiny-base", Settings(device_map="cpu", prompt_form="chat"))
    with pytest.raises(SettingsError, match="tiny-base has no chat template"):
        _ = probe.form


def test_end_that_the_tokenizer_does_not_know(copy_of: Callable[..., Path]) -> None:
    """A row of a padded vocabulary has no text, and is named by its number."""
    from transformers import AutoModelForCausalLM

    folder = copy_of()
    model = AutoModelForCausalLM.from_pretrained(folder)
    rows = model.get_input_embeddings().weight.shape[0]
    model.resize_token_embeddings(rows + 8)
    model.save_pretrained(folder)
    path = folder / "generation_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"eos_token_id": [2, rows + 3]}))

    assert f"token {rows + 3}" in checkpoint_form(load_checkpoint(str(folder), CPU), CPU).ends


def test_one_process_finds_it_out_for_all() -> None:
    """Another process, or another probe, is told, and loads nothing for it."""
    exchange = Kept()
    first, second = (Probe("tiny-it", CPU, exchange=exchange) for _ in range(2))

    assert first.form == second.form
    assert second.subject.held._checkpoint is None
    assert len(exchange.made) == 1
