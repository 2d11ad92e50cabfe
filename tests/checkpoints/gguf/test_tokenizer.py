"""The tokenizer of a GGUF file."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest

from lengthprobe.checkpoints.catalog import FIXTURE_FOLDERS
from lengthprobe.checkpoints.gguf.header import read_gguf
from lengthprobe.checkpoints.gguf.tokenizer import (
    TELLING,
    check_gguf_tokenizer,
    gguf_ends,
    load_gguf_tokenizer,
)
from lengthprobe.checkpoints.loading import load_checkpoint
from lengthprobe.errors import ModelError
from lengthprobe.settings import Settings
from lengthprobe.task.prompts import prompts

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CPU = Settings(device_map="cpu", cap=30, budget=10)


def test_is_that_of_the_twin(gguf_of: Callable[..., Path]) -> None:
    """It makes the same tokens of prompts and of telling texts, with the same special tokens and template."""
    twin = load_checkpoint("tiny-it", CPU)
    found = load_checkpoint(str(gguf_of("F32")), CPU)
    texts = [*TELLING, *(one.text for one in prompts("it", budget=50)), twin.chat_template]

    assert [found.tokenizer(text)["input_ids"] for text in texts] == [
        twin.tokenizer(text)["input_ids"] for text in texts
    ]
    assert found.chat_template == twin.chat_template
    assert set(found.end_token_ids) == set(twin.end_token_ids)
    assert found.tokenizer.eos_token == twin.tokenizer.eos_token


def test_what_lies_beside_is_not_read(gguf_of: Callable[..., Path]) -> None:
    """Template and tokenizer are the file's, whatever else is in its folder."""
    path = gguf_of("F32")
    for name in ("tokenizer.json", "tokenizer_config.json", "generation_config.json"):
        shutil.copy(FIXTURE_FOLDERS[-1] / "two-short" / name, path.parent)
    (path.parent / "chat_template.jinja").write_text("{{ messages[0]['content'] }} of another model")
    (path.parent / "special_tokens_map.json").write_text('{"eos_token": "!"}')
    found = load_checkpoint(str(path), CPU)

    assert "another model" not in str(found.chat_template)
    assert found.tokenizer.eos_token == "<|eot_id|>"


@pytest.mark.parametrize(
    ("pre", "digits"),
    [("smollm", ["1", "2", "3", "4"]), ("qwen2", ["1", "2", "3", "4"]), ("llama-bpe", ["123", "4"])],
)
def test_splits_as_the_file_says(gguf_of: Callable[..., Path], pre: str, digits: list[str]) -> None:
    """Digits are split by the rules that the file names, and not by those of GPT-2."""
    path = gguf_of("F32", said={"tokenizer.ggml.pre": pre})
    split = load_gguf_tokenizer(read_gguf(path)).backend_tokenizer.pre_tokenizer.pre_tokenize_str("1234")

    assert [piece for piece, _ in split] == digits


_ADD = "tokenizer.ggml.add_bos_token"
_PRE = "tokenizer.ggml.pre"


@pytest.mark.parametrize(
    ("said", "begun"),
    [
        # llama.cpp begins a text for the kin of Llama 3 where the file says nothing.
        ({_PRE: "llama-bpe", _ADD: None}, True),
        ({_PRE: "lfm2", _ADD: None}, True),
        ({_PRE: "llama-bpe", _ADD: False}, False),
        ({_PRE: "smaug-bpe", _ADD: None}, False),
        ({_PRE: "qwen2", _ADD: None}, False),
        ({_PRE: "qwen2", _ADD: True}, True),
        ({_PRE: "gpt-2", _ADD: False}, False),
    ],
)
def test_beginning_of_a_text(gguf_of: Callable[..., Path], said: dict[str, Any], begun: bool) -> None:
    """A text in plain form begins as the header says, or else as llama.cpp takes for granted."""
    gguf = read_gguf(gguf_of("F32", said=said))
    tokenizer = load_gguf_tokenizer(gguf)
    bos = gguf.metadata["tokenizer.ggml.bos_token_id"]
    plain = tokenizer("A text", add_special_tokens=False)["input_ids"]

    assert tokenizer("A text")["input_ids"] == [*([bos] if begun else []), *plain]


def test_end_of_a_text(gguf_of: Callable[..., Path]) -> None:
    """It ends with the end token where the header says so."""
    gguf = read_gguf(gguf_of("F32", said={"tokenizer.ggml.add_eos_token": True}))

    assert (
        load_gguf_tokenizer(gguf)("A text")["input_ids"][-1] == gguf.metadata["tokenizer.ggml.eos_token_id"]
    )


def test_other_tokens_around_a_text(gguf_of: Callable[..., Path]) -> None:
    """A tokenizer that begins a text otherwise than llama.cpp is found."""
    gguf = read_gguf(gguf_of("F32"))
    tokenizer = load_gguf_tokenizer(gguf)
    check_gguf_tokenizer(gguf, tokenizer, [])

    tokenizer.add_bos_token = False
    with pytest.raises(ModelError, match="another than the file's"):
        check_gguf_tokenizer(gguf, tokenizer, [])


@pytest.mark.parametrize(
    ("pre", "whole"),
    [("llama-bpe", True), ("falcon3", True), ("pixtral", True), ("smaug-bpe", False), ("qwen2", False)],
)
def test_piece_that_is_a_token(gguf_of: Callable[..., Path], pre: str, whole: bool) -> None:
    """The kin of Llama 3 take a piece that is a token as it is, though no merge leads there."""
    merges = read_gguf(gguf_of("F32")).metadata["tokenizer.ggml.merges"]
    made = {"".join(one.split()): one for one in merges}
    # A word that no other merge is made of.
    word = next(
        word
        for word in reversed(made)
        if word[0] == "\u0120" and word[1:].isalpha() and not any(word in one.split() for one in merges)
    )
    left = [one for one in merges if one != made[word]]
    path = gguf_of("F32", said={_PRE: pre, "tokenizer.ggml.merges": left})
    found = load_gguf_tokenizer(read_gguf(path)).tokenize(f" {word[1:]}", add_special_tokens=False)

    assert (found == [word]) == whole
    assert "".join(found) == word


@pytest.mark.parametrize("pre", ["made-up", None])
def test_unknown_way_to_split(gguf_of: Callable[..., Path], pre: str | None) -> None:
    """Where nobody knows how texts are split, the tokens of prompts are not guessed."""
    path = gguf_of("F32", said={"tokenizer.ggml.pre": pre})

    with pytest.raises(ModelError, match=r"tokenizer\.ggml\.pre") as raised:
        load_checkpoint(str(path), CPU)
    assert str(path) in raised.value.problem


@pytest.mark.parametrize(
    ("said", "template", "ends"),
    [
        ({}, True, [2, 1]),
        # A base may have the tokens of a chat, and ends a text with none of them.
        ({"tokenizer.ggml.eos_token_id": 1}, False, [1]),
        ({"tokenizer.ggml.eot_token_id": 3}, False, [2, 3]),
        # A token that stands for what the tokenizer does not know ends nothing.
        ({"tokenizer.ggml.unknown_token_id": 1}, True, [2]),
    ],
)
def test_ends(gguf_of: Callable[..., Path], said: dict[str, Any], template: bool, ends: list[int]) -> None:
    """The ends that the header names, and in a chat model those known by their text."""
    said = said if template else {**said, "tokenizer.chat_template": None}

    assert gguf_ends(read_gguf(gguf_of("F32", said=said))) == ends


@pytest.mark.parametrize(
    ("said", "what"),
    [
        ({"tokenizer.ggml.tokens": None}, "holds no tokenizer"),
        ({"tokenizer.ggml.eos_token_id": 9999}, "names 9999 as tokenizer.ggml.eos_token_id.* 0 to 959"),
        ({"tokenizer.ggml.eot_token_id": 9999}, "names 9999 as tokenizer.ggml.eot_token_id.* 0 to 959"),
        ({"tokenizer.ggml.eom_token_id": 960}, "names 960 as tokenizer.ggml.eom_token_id.* 0 to 959"),
        ({"tokenizer.ggml.model": "made-up"}, "cannot be loaded"),
        ({"tokenizer.ggml.merges": ["a", "b c d"]}, "tokenizer"),
        ({"tokenizer.ggml.merges": None}, "tokenizer"),
        ({"tokenizer.ggml.tokens": ["a"] * 960}, "tokenizer"),
        ({"tokenizer.ggml.tokens": ["!", "a", "b"]}, "tokenizer|numbered"),
        ({"tokenizer.chat_template": ""}, "is empty"),
        ({"tokenizer.chat_template": "{{ raise_exception('no') }}"}, "chat template of .* failed"),
        ({"tokenizer.chat_template": "{% for x in range(10**9) %}{% endfor %}"}, "seconds|too big"),
        ({"tokenizer.chat_template": "hello"}, "changes what it is given"),
    ],
)
def test_made_up_tokenizer(gguf_of: Callable[..., Path], said: dict[str, Any], what: str) -> None:
    """A tokenizer or a template that is hostile or broken ends in an error that names the file."""
    path = gguf_of("F32", said=said)

    with pytest.raises(ModelError, match=what) as raised:
        load_checkpoint(str(path), CPU)
    assert str(path) in raised.value.problem
    assert raised.value.fix


def test_end_that_the_model_has_no_row_for(gguf_of: Callable[..., Path]) -> None:
    """An end beyond the embedding is laid on the key of the header that names it."""
    stated = read_gguf(gguf_of("F32")).metadata
    said = {
        "tokenizer.ggml.tokens": [*stated["tokenizer.ggml.tokens"], "<|more|>"],
        "tokenizer.ggml.token_type": [*stated["tokenizer.ggml.token_type"], 3],
        "tokenizer.ggml.eot_token_id": 960,
    }
    path = gguf_of("F32", said=said)

    with pytest.raises(
        ModelError, match=r"names 960 as tokenizer\.ggml\.eot_token_id, .* 0 to 959"
    ) as raised:
        load_checkpoint(str(path), CPU)
    assert str(path) in raised.value.problem
    assert "converted from" in raised.value.fix


def test_no_end(gguf_of: Callable[..., Path]) -> None:
    """A file that names no end, and has none by its text, is answered with the command that writes one."""
    said = {"tokenizer.ggml.eos_token_id": None, "tokenizer.chat_template": None}
    path = gguf_of("F32", said=said)

    with pytest.raises(ModelError, match="has no end token") as raised:
        load_checkpoint(str(path), CPU)
    assert f"gguf-new-metadata --special-token eos '<its text>' {path}" in raised.value.fix
