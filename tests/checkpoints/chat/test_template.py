"""Prompts as token ids, in chat form and in plain form."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from lengthprobe.checkpoints.chat.template import chat_text, prompt_form, render
from lengthprobe.checkpoints.loading import Checkpoint, load_checkpoint
from lengthprobe.errors import ModelError, SettingsError
from lengthprobe.settings import Settings
from lengthprobe.task.prompts import Prompt, prompts

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

BOS = 0


@pytest.fixture(scope="module")
def checkpoint(checkpoints: Callable[..., Path]) -> Checkpoint:
    """The random Llama, which has a chat template."""
    return load_checkpoint(str(checkpoints("llama")), Settings(device_map="cpu"))


@pytest.fixture(scope="module")
def prompt() -> Prompt:
    """The first Italian prompt."""
    return prompts("it", budget=1)[0]


def _decoded(checkpoint: Checkpoint, prompt: Prompt, settings: Settings) -> str:
    return str(checkpoint.tokenizer.decode(render(checkpoint, prompt, settings)))


def test_chat_form(checkpoint: Checkpoint, prompt: Prompt) -> None:
    """A model with a template gets its prompt in it, up to where the answer begins, and one BOS."""
    text = f"<|begin|><|role|>user\n{prompt.text}<|turn|><|role|>assistant\n"
    assert _decoded(checkpoint, prompt, Settings()) == text
    assert render(checkpoint, prompt, Settings()).count(BOS) == 1


def test_plain_form(checkpoint: Checkpoint, prompt: Prompt) -> None:
    """In plain form the tokenizer's BOS comes before the text, and nothing else."""
    assert _decoded(checkpoint, prompt, Settings(prompt_form="plain")) == f"<|begin|>{prompt.text}"


def test_plain_form_by_itself(checkpoint: Checkpoint, prompt: Prompt) -> None:
    """A model without a template is asked in plain form."""
    plain = replace(checkpoint, chat_template=None)
    assert prompt_form(plain, Settings()) == "plain"
    assert _decoded(plain, prompt, Settings()) == f"<|begin|>{prompt.text}"


def test_template_without_bos(checkpoint: Checkpoint, prompt: Prompt) -> None:
    """A template that writes no BOS gets none."""
    bare = replace(checkpoint, chat_template="{{ messages[0]['content'] }}")
    assert BOS not in render(bare, prompt, Settings())


def test_end_token_after_the_prompt(checkpoints: Callable[..., Path], prompt: Prompt) -> None:
    """An end token that the tokenizer puts after a plain text is left out."""
    from tokenizers import processors

    checkpoint = load_checkpoint(str(checkpoints("llama")), Settings(device_map="cpu"))
    checkpoint.tokenizer.backend_tokenizer.post_processor = processors.TemplateProcessing(
        single="<|begin|> $A <|turn|>", special_tokens=[("<|begin|>", 0), ("<|turn|>", 2)]
    )
    assert checkpoint.tokenizer("a")["input_ids"][-1] == 2
    assert _decoded(checkpoint, prompt, Settings(prompt_form="plain")) == f"<|begin|>{prompt.text}"


def test_system_prompt(checkpoint: Checkpoint, prompt: Prompt) -> None:
    """A system prompt comes before the request."""
    text = chat_text(checkpoint, prompt, Settings(system_prompt="Be brief."))
    assert text.startswith("<|begin|><|role|>system\nBe brief.<|turn|><|role|>user\n")


def test_system_prompt_in_plain_form(checkpoint: Checkpoint, prompt: Prompt) -> None:
    """A system prompt has no place in plain form."""
    with pytest.raises(SettingsError, match="needs the chat form"):
        render(checkpoint, prompt, Settings(prompt_form="plain", system_prompt="Be brief."))


def test_system_prompt_without_a_template(checkpoint: Checkpoint, prompt: Prompt) -> None:
    """A model without a template cannot be given a system prompt."""
    with pytest.raises(SettingsError, match="has no chat template"):
        render(replace(checkpoint, chat_template=None), prompt, Settings(system_prompt="Be brief."))


def test_chat_form_without_a_template(checkpoint: Checkpoint, prompt: Prompt) -> None:
    """The chat form of a model without a template is refused, with the option to change."""
    with pytest.raises(SettingsError, match="has no chat template") as raised:
        render(replace(checkpoint, chat_template=None), prompt, Settings(prompt_form="chat"))
    assert raised.value.fix == "--lengthprobe-prompt-form=plain"


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{{ raise_exception('Only tools may speak') }}", "Only tools may speak"),
        ("{% for %}", "Expected"),
        ("{{ messages.nothing.here }}", "nothing"),
        ("{{ 1 / 0 }}", "division by zero"),
    ],
)
def test_template_that_raises(checkpoint: Checkpoint, prompt: Prompt, template: str, message: str) -> None:
    """A template that fails is named with its own words, and with the form that does without."""
    with pytest.raises(ModelError, match=rf"(?s)the chat template of .* failed: .*{message}") as raised:
        render(replace(checkpoint, chat_template=template), prompt, Settings())
    assert "--lengthprobe-prompt-form=plain" in raised.value.fix


def test_template_without_system_messages(checkpoint: Checkpoint, prompt: Prompt) -> None:
    """A template that knows no system message (Gemma's) says that the system prompt is at fault."""
    template = "{% if messages[0]['role'] == 'system' %}{{ raise_exception('No system role') }}{% endif %}x"
    bare = replace(checkpoint, chat_template=template)
    assert chat_text(bare, prompt, Settings()) == "x"
    with pytest.raises(ModelError, match="failed with a system prompt: No system role") as raised:
        render(bare, prompt, Settings(system_prompt="Be brief."))
    assert "--lengthprobe-system-prompt" in raised.value.fix


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{ strftime_now('%d %b %Y') }}", "26 Jul 2024"),
        ("{{ strftime_now('%Y-%m-%d') }}", "2024-07-26"),
        ("{{ strftime_now('%A, %B %d, %Y') }}", "Friday, July 26, 2024"),
        ("{{ date_string }}", "26 Jul 2024"),
        ("{% if strftime_now is defined %}{% set day = strftime_now('%d') %}{% endif %}{{ day }}", "26"),
        ("  {% set x = 1 %}\n  a{{ strftime_now('%Y') }}", "  a2024"),
    ],
)
def test_date_in_a_template(checkpoint: Checkpoint, prompt: Prompt, template: str, text: str) -> None:
    """A template that asks for today's date gets the same day for ever, and keeps its white space."""
    assert chat_text(replace(checkpoint, chat_template=template), prompt, Settings()) == text


def test_no_thinking_aloud(checkpoint: Checkpoint, prompt: Prompt) -> None:
    """A template that can switch thinking aloud off is told to."""
    template = "{{ 'thinks' if enable_thinking is not defined or enable_thinking else 'answers' }}"
    assert chat_text(replace(checkpoint, chat_template=template), prompt, Settings()) == "answers"


def test_empty_prompt(checkpoint: Checkpoint, prompt: Prompt) -> None:
    """A template that writes nothing leaves nothing to read."""
    with pytest.raises(ModelError, match="makes no token of a prompt"):
        render(replace(checkpoint, chat_template="{{ '' }}"), prompt, Settings())


def test_tokenizer_of_another_model(checkpoints: Callable[..., Path], prompt: Prompt) -> None:
    """A tokenizer with more tokens than the model has is found out."""
    checkpoint = load_checkpoint(str(checkpoints("llama")), Settings(device_map="cpu"))
    checkpoint.tokenizer.add_tokens(["<|more|>"])
    with pytest.raises(
        ModelError, match=r"writes token 400 \(<\|more\|>\), and its model knows 400 tokens"
    ) as raised:
        render(replace(checkpoint, chat_template="<|more|>"), prompt, Settings())
    assert "tokenizer belongs to another model" in raised.value.fix
