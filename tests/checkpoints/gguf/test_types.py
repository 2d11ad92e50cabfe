"""The types of what a GGUF header says."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from lengthprobe.checkpoints.gguf.header import read_gguf
from lengthprobe.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.mark.parametrize(
    ("key", "value", "kind"),
    [
        ("tokenizer.ggml.eot_token_id", "b", "a whole number"),
        ("tokenizer.ggml.eom_token_id", 1.5, "a whole number"),
        ("tokenizer.ggml.eos_token_id", True, "a whole number"),
        ("tokenizer.ggml.bos_token_id", ["a"], "a whole number"),
        ("tokenizer.ggml.add_bos_token", 1, "true or false"),
        ("tokenizer.ggml.tokens", "abc", "a list of texts"),
        ("tokenizer.ggml.tokens", [1, 2], "a list of texts"),
        ("tokenizer.ggml.merges", [1, 2], "a list of texts"),
        ("tokenizer.ggml.token_type", ["a", "b"], "a list of whole numbers"),
        ("tokenizer.ggml.token_type", 3, "a list of whole numbers"),
        ("tokenizer.ggml.pre", ["gpt-2"], "a text"),
        ("tokenizer.ggml.model", 2, "a text"),
        ("tokenizer.chat_template", ["{{ a }}"], "a text"),
        ("general.type", ["model"], "a text"),
        ("general.file_type", ["a"], "a whole number"),
        ("split.count", "two", "a whole number"),
        ("llama.block_count", "five", "a whole number"),
        ("llama.rope.scaling.factor", "four", "a number"),
        ("llama.rope.scaling.original_context_length", "long", "a whole number"),
        ("llama.final_logit_softcapping", "high", "a number"),
    ],
)
def test_value_of_another_type(gguf_of: Callable[..., Path], key: str, value: Any, kind: str) -> None:
    """A key whose value is of another type is named, with the file, what it says and what it should be."""
    path = gguf_of("F32", said={key: value})

    with pytest.raises(ModelError, match=rf"says {re.escape(key)} = .*, and it is to be {kind}") as raised:
        read_gguf(path)
    assert str(path) in raised.value.problem
    assert "converted from" in raised.value.fix


def test_long_value(gguf_of: Callable[..., Path]) -> None:
    """A list of a vocabulary's length is not printed."""
    with pytest.raises(ModelError) as raised:
        read_gguf(gguf_of("F32", said={"tokenizer.ggml.pre": ["x" * 50] * 1000}))
    assert len(raised.value.problem) < 500


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("llama.rope.freq_base", 10000),
        ("llama.rope.scaling.factor", 4),
        # What nobody reads may be anything.
        ("general.tags", ["a"]),
        ("tokenizer.ggml.mask_token_id", "b"),
        ("gemma3.block_count", "b"),
    ],
)
def test_what_is_no_fault(gguf_of: Callable[..., Path], key: str, value: Any) -> None:
    """A whole number is a number, and what is not read is not looked at."""
    assert read_gguf(gguf_of("F32", said={key: value})).metadata[key] == value
