"""Whatever stands in a JSON file of a checkpoint, the file is named, and nobody sees a traceback."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from lengthprobe.checkpoints.loading import load_checkpoint
from lengthprobe.errors import LengthprobeError, ModelError
from lengthprobe.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CPU = Settings(languages=("en",), budget=10, device_map="cpu", cap=6)
FILES = (
    *("config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json"),
    *("special_tokens_map.json", "added_tokens.json", "model.safetensors.index.json"),
)
CONTENTS = {
    "nested 200,000 deep": b"[" * 200_000,
    "nested in an object": b'{"a":' * 200_000,
    "null": b"null",
    "number": b"7",
    "list": b"[1]",
    "text": b'"x"',
    "cut short": b'{"a": ',
    "empty": b"",
    "no UTF-8": b'{"a": "\xff\xfe"}',
    "a number of a million digits": b'{"a": ' + b"9" * 1_000_000 + b"}",
}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS)
def test_file_that_is_no_object(copy_of: Callable[..., Path], name: str, content: bytes) -> None:
    """JSON that is broken, of another type, or too much for Python is laid on its file."""
    directory = copy_of()
    (directory / name).write_bytes(content)
    with pytest.raises(LengthprobeError, match=re.escape(name)) as raised:
        load_checkpoint(str(directory), CPU)
    assert raised.value.fix


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("tokenizer.json", {"model": None}),
        ("tokenizer.json", {"model": {"type": "BPE", "vocab": [1], "merges": 7}}),
        ("tokenizer.json", {"added_tokens": [1]}),
        ("tokenizer.json", {"added_tokens": {"a": 1}}),
        ("tokenizer.json", {"pre_tokenizer": 7}),
        ("tokenizer.json", {"decoder": "x"}),
        ("tokenizer_config.json", {"eos_token": 2}),
        ("tokenizer_config.json", {"eos_token": [1]}),
        ("tokenizer_config.json", {"pad_token": {"a": 1}}),
        ("tokenizer_config.json", {"tokenizer_class": 7}),
        ("tokenizer_config.json", {"tokenizer_class": ["x"]}),
        ("tokenizer_config.json", {"added_tokens_decoder": 7}),
        ("generation_config.json", {"eos_token_id": "x"}),
        ("generation_config.json", {"eos_token_id": {"a": 1}}),
        ("generation_config.json", {"eos_token_id": 2.5}),
        ("generation_config.json", {"eos_token_id": 10**30}),
        ("model.safetensors.index.json", {"weight_map": 7}),
        ("model.safetensors.index.json", {"weight_map": {"a": 7}}),
    ],
)
def test_value_of_another_type(copy_of: Callable[..., Path], name: str, changes: dict[str, Any]) -> None:
    """A value of a wrong type is laid on the file that it stands in."""
    directory = copy_of()
    path = directory / name
    stated = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps(stated | changes))
    with pytest.raises(ModelError, match=re.escape(name)) as raised:
        load_checkpoint(str(directory), CPU)
    assert raised.value.fix
